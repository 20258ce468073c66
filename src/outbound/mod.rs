//! Calls to other servers: webhooks, pushes, the pages behind links. Every address is checked before it is called, and
//! every call has limits of time and size.

mod address;
pub mod backoff;
mod connect;
pub mod letter;
mod names;
pub mod oidc;
pub mod page;
pub mod push;
pub mod smtp;
#[cfg(test)]
mod tests;

use std::{
    error::Error,
    fmt,
    net::{IpAddr, SocketAddr},
    sync::{Arc, OnceLock},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use hyper::{
    HeaderMap, Method, Request, StatusCode, Uri,
    header::{self, HeaderName, HeaderValue},
};
use hyper_util::{
    client::legacy::{self, Client},
    rt::TokioExecutor,
};
use tokio::time::timeout;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, pki_types::CertificateDer};
use url::{Host, Url};

use self::{
    connect::{Checked, Connector},
    names::Names,
};

pub use address::{Cidr, is_public};

/// What may be called, and who is asked for names.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// Empty: those of the system.
    pub name_servers: Vec<SocketAddr>,
    /// Private networks that links and pushes may reach all the same.
    pub allowed: Vec<Cidr>,
}

/// How far a call may reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The address comes from anybody: public ones only.
    Public,
    /// An administrator chose it: a bot may well be in a private network.
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

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallError {
    /// It will never work: the address is none, or may not be called.
    Refused(&'static str),
    /// It may work another time.
    Failed(String),
    /// It was connected and then broke off: what was asked for may have been done.
    Broken(String),
    Timeout,
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(why) => f.write_str(why),
            Self::Failed(why) | Self::Broken(why) => f.write_str(why),
            Self::Timeout => f.write_str("it took too long"),
        }
    }
}

impl Error for CallError {}

fn failed(error: impl fmt::Display) -> CallError {
    CallError::Failed(error.to_string())
}

/// What of the client's error is worth telling: ours if it comes from the connector, else the innermost one, since the
/// outer ones say "client error".
fn reason(error: legacy::Error) -> CallError {
    match innermost(&error) {
        CallError::Failed(why) if !error.is_connect() => CallError::Broken(why),
        reason => reason,
    }
}

fn innermost(error: &legacy::Error) -> CallError {
    let mut error: &(dyn Error + 'static) = error;
    loop {
        match (error.downcast_ref::<CallError>(), error.source()) {
            (Some(own), _) => return own.clone(),
            (None, Some(inner)) => error = inner,
            (None, None) => return failed(error),
        }
    }
}

/// The client. Names are looked up by ourselves, so that the address that was checked is the one that is called.
pub struct Outside {
    names: Arc<Names>,
    allowed: Arc<[Cidr]>,
    /// Authorities that are trusted besides the usual ones.
    roots: Vec<CertificateDer<'static>>,
    tls: OnceLock<Arc<ClientConfig>>,
}

impl Outside {
    pub fn new(policy: Policy) -> Self {
        Self::trusting(policy, Vec::new())
    }

    /// The same where these authorities are trusted besides the usual ones.
    pub fn trusting(policy: Policy, roots: Vec<CertificateDer<'static>>) -> Self {
        let names = Arc::new(Names::new(policy.name_servers));
        Self { names, allowed: policy.allowed.into(), roots, tls: OnceLock::new() }
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
        let tls = Arc::clone(self.tls.get_or_init(|| trust_also(&self.roots)));
        let connector = Connector::new(self.checked(call.scope), tls, call.connect);
        // No connection is kept: a pool goes by the host's name, so a call could come by a connection to an address that
        // only another scope may call.
        let client = Client::builder(TokioExecutor::new())
            .pool_max_idle_per_host(0)
            .retry_canceled_requests(false)
            .build(connector);
        let response = client.request(request(call, url)?).await.map_err(reason)?;
        let (parts, mut body) = response.into_parts();
        let mut read = BytesMut::new();
        let mut truncated = false;
        while let Some(frame) = body.frame().await {
            let broken = |error: hyper::Error| CallError::Broken(error.to_string());
            let Ok(data) = frame.map_err(broken)?.into_data() else { continue };
            let room = call.max_body - read.len();
            truncated = data.len() > room;
            read.extend_from_slice(&data[..data.len().min(room)]);
            if truncated {
                break;
            }
        }
        Ok(Answer {
            status: parts.status,
            headers: parts.headers,
            body: read.freeze(),
            truncated,
            url: url.clone(),
        })
    }

    fn checked(&self, scope: Scope) -> Checked {
        Checked { names: Arc::clone(&self.names), allowed: Arc::clone(&self.allowed), scope }
    }

    /// The addresses of a host, public or not: for the owner of the command line.
    pub async fn locate(&self, url: &Url) -> Result<Vec<IpAddr>, CallError> {
        match url.host() {
            Some(Host::Ipv4(address)) => Ok(vec![address.into()]),
            Some(Host::Ipv6(address)) => Ok(vec![address.into()]),
            Some(Host::Domain(name)) => self.checked(Scope::Anywhere).addresses(name).await,
            None => Err(CallError::Refused("the address has no host")),
        }
    }
}

/// The client puts `Host` in.
fn request(call: &Call, url: &Url) -> Result<Request<Full<Bytes>>, CallError> {
    let url: Uri = url.as_str().parse().map_err(|_| CallError::Refused("it is no address"))?;
    let mut request = Request::new(Full::new(call.body.clone()));
    *request.method_mut() = call.method.clone();
    *request.uri_mut() = url;
    let headers = request.headers_mut();
    headers.insert(
        header::USER_AGENT,
        HeaderValue::from_static(concat!("campfire/", env!("CARGO_PKG_VERSION"))),
    );
    headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    for (name, value) in &call.headers {
        headers.insert(name, value.clone());
    }
    Ok(request)
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
