//! `campfire healthcheck`: requests /health of the server on this machine.

use std::{
    ffi::OsString,
    io::{self, Read, Write},
    net::TcpStream,
    sync::Arc,
    time::Duration,
};

use tokio_rustls::rustls::{
    self, ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme, StreamOwned,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
};

use super::{Failure, Given, help};
use crate::config::Config;

const TIMEOUT: Duration = Duration::from_secs(5);

/// The largest response, in bytes.
const MAX_RESPONSE: u64 = 64 << 10;

pub(super) fn run(arguments: Vec<OsString>) -> Result<(), Failure> {
    let Some(given) = Given::parse(arguments, &help::healthcheck(), &[])? else { return Ok(()) };
    given.no_words()?;
    let config = given.config()?;
    let address = config.reachable();
    let response = request(&config)
        .map_err(|error| Failure::Failed(format!("no healthy server answers on {address} ({error})")))?;
    if response.starts_with("HTTP/1.1 200 ") {
        Ok(())
    } else {
        Err(Failure::Failed(format!(
            "the server on {address} is not healthy: {}",
            response.lines().next().unwrap_or_default()
        )))
    }
}

fn request(config: &Config) -> io::Result<String> {
    let address = config.reachable();
    let stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    let host = config.domain.first().cloned().unwrap_or_else(|| address.to_string());
    if !config.has_tls() {
        return exchange(stream, &host);
    }
    let name = match config.domain.first() {
        Some(domain) => ServerName::try_from(domain.clone()).map_err(io::Error::other)?,
        None => ServerName::from(address.ip()),
    };
    let session = ClientConnection::new(Arc::new(trusting()), name).map_err(io::Error::other)?;
    exchange(StreamOwned::new(session, stream), &host)
}

fn exchange(mut stream: impl Read + Write, host: &str) -> io::Result<String> {
    write!(stream, "GET /health HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n")?;
    stream.flush()?;
    let mut response = String::new();
    stream.take(MAX_RESPONSE).read_to_string(&mut response)?;
    Ok(response)
}

/// Accepts any certificate: the server is on this machine, and only its health is checked.
fn trusting() -> ClientConfig {
    let provider = Arc::new(ring::default_provider());
    ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .expect("ring speaks TLS 1.2 and 1.3")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Trusting(provider)))
        .with_no_client_auth()
}

#[derive(Debug)]
struct Trusting(Arc<CryptoProvider>);

impl ServerCertVerifier for Trusting {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
