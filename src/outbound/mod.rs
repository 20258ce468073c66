//! Calls to the outside: webhooks, pushes, the pages behind links. Every address is looked at before it is called, and
//! everything that could go on for ever has an end.

mod address;
pub mod backoff;
pub mod page;
pub mod push;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    sync::{Arc, OnceLock},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use hickory_resolver::{
    TokioResolver,
    config::{ConnectionConfig, NameServerConfig, ResolverConfig},
    net::runtime::TokioRuntimeProvider,
};
use http_body_util::{BodyExt, Full};
use hyper::{
    HeaderMap, Method, Request, StatusCode,
    client::conn::http1,
    header::{self, HeaderName, HeaderValue},
};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{
    TlsConnector,
    rustls::{
        ClientConfig, RootCertStore,
        pki_types::{CertificateDer, ServerName},
    },
};
use url::{Host, Url};

pub use address::{Cidr, is_public};

/// What may be called, and who is asked for names.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// Empty: those of the system.
    pub name_servers: Vec<SocketAddr>,
    /// Networks of the house that links and pushes may reach all the same.
    pub allowed: Vec<Cidr>,
}

/// How far a call may reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The address comes from anybody: public ones only.
    Public,
    /// An administrator chose it: a bot may well live in the house.
    Anywhere,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redirects {
    Refuse,
    /// So many, and only to where the call went in the first place.
    SameHost(u32),
    Follow(u32),
    /// So many, and none from https down to http.
    FollowSecurely(u32),
}

#[derive(Clone, Debug)]
pub struct Call {
    pub method: Method,
    pub url: String,
    pub headers: Vec<(HeaderName, HeaderValue)>,
    pub body: Bytes,
    pub scope: Scope,
    pub redirects: Redirects,
    /// For finding, connecting and shaking hands, at each hop.
    pub connect: Duration,
    /// For all of it.
    pub total: Duration,
    /// Bytes of an answer; what is beyond is not read.
    pub max_body: usize,
}

#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// There was more of it.
    pub truncated: bool,
    /// Where it came from in the end.
    pub url: Url,
}

impl Answer {
    pub fn content_type(&self) -> &str {
        self.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

#[derive(Debug, PartialEq, Eq)]
pub enum CallError {
    /// It will never work: the address is none, or may not be called.
    Refused(&'static str),
    /// It may work another time.
    Failed(String),
    Timeout,
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(why) => f.write_str(why),
            Self::Failed(why) => f.write_str(why),
            Self::Timeout => f.write_str("it took too long"),
        }
    }
}

fn failed(error: impl fmt::Display) -> CallError {
    CallError::Failed(error.to_string())
}

/// The way out. Names are looked up by ourselves: what was checked is what is called.
pub struct Outside {
    policy: Policy,
    /// Authorities that are trusted besides the usual ones.
    roots: Vec<CertificateDer<'static>>,
    resolver: OnceLock<Option<TokioResolver>>,
    tls: OnceLock<Arc<ClientConfig>>,
}

impl Outside {
    pub fn new(policy: Policy) -> Self {
        Self::trusting(policy, Vec::new())
    }

    /// The same where these authorities are trusted besides the usual ones.
    pub fn trusting(policy: Policy, roots: Vec<CertificateDer<'static>>) -> Self {
        Self { policy, roots, resolver: OnceLock::new(), tls: OnceLock::new() }
    }

    pub async fn call(&self, call: &Call) -> Result<Answer, CallError> {
        timeout(call.total, self.follow(call)).await.unwrap_or(Err(CallError::Timeout))
    }

    async fn follow(&self, call: &Call) -> Result<Answer, CallError> {
        let mut url = parsed(&call.url)?;
        let first = url.clone();
        let mut hops = 0;
        loop {
            let answer = self.once(call, &url).await?;
            let next = match answer.status.as_u16() {
                301 | 302 | 303 | 307 | 308 => answer.headers.get(header::LOCATION),
                _ => None,
            };
            let Some(next) = next else { return Ok(answer) };
            let next = next.to_str().ok().and_then(|next| url.join(next).ok());
            let next = next.ok_or(CallError::Refused("it redirects to nowhere"))?;
            let next = parsed(next.as_str())?;
            let most = match call.redirects {
                Redirects::Refuse => 0,
                Redirects::SameHost(most) if next.origin() == first.origin() => most,
                Redirects::SameHost(_) => return Err(CallError::Refused("it redirects to another host")),
                Redirects::FollowSecurely(_) if url.scheme() == "https" && next.scheme() == "http" => {
                    return Err(CallError::Refused("it redirects from https to http"));
                }
                Redirects::Follow(most) | Redirects::FollowSecurely(most) => most,
            };
            hops += 1;
            if hops > most {
                return Err(CallError::Refused("it redirects too often"));
            }
            url = next;
        }
    }

    /// One request, without redirects.
    async fn once(&self, call: &Call, url: &Url) -> Result<Answer, CallError> {
        let port = url.port_or_known_default().ok_or(CallError::Refused("the address has no port"))?;
        let connecting = async {
            let address = self.address(call.scope, url).await?;
            let stream = TcpStream::connect((address, port)).await.map_err(failed)?;
            if url.scheme() == "http" {
                return Ok(Connection::Plain(stream));
            }
            let name =
                ServerName::try_from(url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned())
                    .map_err(|_| CallError::Refused("the host is no name for a certificate"))?;
            let connector = TlsConnector::from(Arc::clone(self.tls.get_or_init(|| trust_also(&self.roots))));
            Ok(Connection::Tls(Box::new(connector.connect(name, stream).await.map_err(failed)?)))
        };
        let connection = timeout(call.connect, connecting).await.unwrap_or(Err(CallError::Timeout))?;
        match connection {
            Connection::Plain(stream) => exchange(call, url, stream).await,
            Connection::Tls(stream) => exchange(call, url, *stream).await,
        }
    }

    /// Where a name is, whoever may live there: for the owner of the command line.
    pub async fn locate(&self, url: &Url) -> Result<IpAddr, CallError> {
        self.address(Scope::Anywhere, url).await
    }

    /// An address that may be called. If a name has one that may not, none of them is: it is no honest name.
    async fn address(&self, scope: Scope, url: &Url) -> Result<IpAddr, CallError> {
        let addresses: Vec<IpAddr> = match url.host() {
            Some(Host::Ipv4(address)) => vec![address.into()],
            Some(Host::Ipv6(address)) => vec![address.into()],
            Some(Host::Domain(name)) => {
                let resolver = self.resolver.get_or_init(|| self.resolver());
                let resolver = resolver.as_ref().ok_or_else(|| failed("this system names no name server"))?;
                resolver.lookup_ip(name).await.map_err(failed)?.iter().collect()
            }
            None => return Err(CallError::Refused("the address has no host")),
        };
        let is_allowed = |address: &IpAddr| {
            scope == Scope::Anywhere
                || is_public(*address)
                || self.policy.allowed.iter().any(|network| network.contains(*address))
        };
        if !addresses.iter().all(is_allowed) {
            return Err(CallError::Refused("the address is not a public one"));
        }
        addresses.first().copied().ok_or_else(|| failed("the name has no address"))
    }

    fn resolver(&self) -> Option<TokioResolver> {
        let builder = if self.policy.name_servers.is_empty() {
            TokioResolver::builder_tokio().ok()?
        } else {
            let servers = self.policy.name_servers.iter().map(|server| {
                let mut udp = ConnectionConfig::udp();
                udp.port = server.port();
                NameServerConfig::new(server.ip(), true, vec![udp])
            });
            let config = ResolverConfig::from_name_servers(servers.collect());
            TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
        };
        builder.build().ok()
    }
}

enum Connection {
    Plain(TcpStream),
    Tls(Box<tokio_rustls::client::TlsStream<TcpStream>>),
}

/// The authorities of the system, or those that came with us where it has none.
pub fn trust() -> Arc<ClientConfig> {
    trust_also(&[])
}

fn trust_also(more: &[CertificateDer<'static>]) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    roots.add_parsable_certificates(more.iter().cloned());
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring speaks TLS 1.2 and 1.3");
    Arc::new(config.with_root_certificates(roots).with_no_client_auth())
}

fn parsed(url: &str) -> Result<Url, CallError> {
    let url = Url::parse(url).map_err(|_| CallError::Refused("it is no address"))?;
    if url.scheme() != "http" && url.scheme() != "https" {
        return Err(CallError::Refused("only http and https are called"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(CallError::Refused("an address with a password in it is not called"));
    }
    Ok(url)
}

async fn exchange<S: AsyncRead + AsyncWrite + Send + Unpin + 'static>(
    call: &Call,
    url: &Url,
    stream: S,
) -> Result<Answer, CallError> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(failed)?;
    // It ends with the sender, and so with this call, however that ends.
    let connection = Aborting(tokio::spawn(connection));
    let path = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
    let host = match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (host, _) => host.unwrap_or_default().to_owned(),
    };
    let mut request = Request::new(Full::new(call.body.clone()));
    *request.method_mut() = call.method.clone();
    *request.uri_mut() = path.parse().map_err(|_| CallError::Refused("it is no address"))?;
    let headers = request.headers_mut();
    let host = HeaderValue::try_from(host).map_err(|_| CallError::Refused("the host cannot be told"))?;
    headers.insert(header::HOST, host);
    headers.insert(
        header::USER_AGENT,
        HeaderValue::from_static(concat!("campfire/", env!("CARGO_PKG_VERSION"))),
    );
    headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    for (name, value) in &call.headers {
        headers.insert(name, value.clone());
    }
    let response = sender.send_request(request).await.map_err(failed)?;
    let (parts, mut body) = response.into_parts();
    let mut read = BytesMut::new();
    let mut truncated = false;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(failed)?.into_data() else { continue };
        let room = call.max_body - read.len();
        truncated = data.len() > room;
        read.extend_from_slice(&data[..data.len().min(room)]);
        if truncated {
            break;
        }
    }
    drop(connection);
    Ok(Answer {
        status: parts.status,
        headers: parts.headers,
        body: read.freeze(),
        truncated,
        url: url.clone(),
    })
}

/// A task that does not outlive the value.
struct Aborting<T>(tokio::task::JoinHandle<T>);

impl<T> Drop for Aborting<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
