//! A certificate authority for tests, and clients that trust only it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, client::conn::http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion, version};

use super::within;

/// The host name in the certificates of tests.
pub const NAME: &str = "chat.example";

pub struct Authority {
    pub pem: String,
    issuer: Issuer<'static, KeyPair>,
    roots: RootCertStore,
}

impl Authority {
    pub fn new() -> Authority {
        let mut params = CertificateParams::new(Vec::new()).expect("parameters");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("a certificate");
        let mut roots = RootCertStore::empty();
        roots.add(certificate.der().clone()).expect("a root");
        Authority { pem: certificate.pem(), issuer: Issuer::new(params, key), roots }
    }

    /// A chain and its key in PEM, for these names.
    pub fn issue(&self, names: &[&str]) -> (String, String) {
        let names: Vec<String> = names.iter().map(|name| name.to_string()).collect();
        let params = CertificateParams::new(names).expect("names");
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        (certificate.pem() + &self.pem, key.serialize_pem())
    }

    /// Issues for [`NAME`] and 127.0.0.1, and writes chain and key as files.
    pub fn issue_into(&self, dir: &Path) -> (PathBuf, PathBuf) {
        let (certificate, key) = self.issue(&[NAME, "127.0.0.1"]);
        let paths = (dir.join("chain.pem"), dir.join("key.pem"));
        std::fs::write(&paths.0, certificate).expect("the certificate");
        std::fs::write(&paths.1, key).expect("the key");
        paths
    }

    /// The configuration of a client that offers these protocols. Clones share the sessions to resume.
    pub fn client(&self, protocols: &[&str]) -> Arc<ClientConfig> {
        self.client_of(protocols, &[&version::TLS13, &version::TLS12])
    }

    pub fn client_of(
        &self,
        protocols: &[&str],
        versions: &[&'static SupportedProtocolVersion],
    ) -> Arc<ClientConfig> {
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(versions)
            .expect("versions")
            .with_root_certificates(self.roots.clone())
            .with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        Arc::new(config)
    }
}

/// A TLS connection to [`NAME`].
pub async fn tls_handshake(
    address: SocketAddr,
    config: &Arc<ClientConfig>,
) -> std::io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let name = ServerName::try_from(NAME).expect("a name");
    within("the TLS handshake", TlsConnector::from(Arc::clone(config)).connect(name, stream)).await
}

/// An HTTP/2 connection.
pub async fn http2(address: SocketAddr, config: &Arc<ClientConfig>) -> http2::SendRequest<Full<Bytes>> {
    let stream = tls_handshake(address, config).await.expect("a handshake");
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (sender, connection) =
        http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.expect("HTTP/2");
    tokio::spawn(connection);
    sender
}

/// Sends a request to [`NAME`] over HTTP/2 and reads the response.
pub async fn ask(
    sender: &mut http2::SendRequest<Full<Bytes>>,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<Bytes>,
) -> Response<Bytes> {
    let mut request = Request::builder().method(method).uri(format!("https://{NAME}{path}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Full::new(body.into())).expect("a request");
    let asked = async {
        sender.ready().await.expect("ready");
        let response = sender.send_request(request).await.expect("an answer");
        let (parts, body) = response.into_parts();
        Response::from_parts(parts, body.collect().await.expect("a body").to_bytes())
    };
    within(&format!("{method} {path} over HTTP/2"), asked).await
}
