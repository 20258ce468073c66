//! Connections: each address is checked before it is called, literal or looked up.

use std::{
    error::Error,
    future::{Future, ready},
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
    vec,
};

use hyper::Uri;
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::{
    client::legacy::connect::{HttpConnector, dns::Name},
    rt::TokioIo,
};
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::rustls::ClientConfig;
use tower_service::Service;

use super::{
    CallError, Cidr, Scope,
    address::{is_public, reached},
    names::Names,
};

/// After so long without a connection over IPv6, IPv4 is tried beside it (RFC 8305, section 5).
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

const NOT_PUBLIC: CallError = CallError::Refused("the address is not a public one");

/// The resolver of a call: it yields the addresses that the call may reach, and no other.
#[derive(Clone)]
pub(super) struct Checked {
    pub(super) names: Arc<Names>,
    pub(super) allowed: Arc<[Cidr]>,
    pub(super) scope: Scope,
}

impl Checked {
    fn check(&self, address: IpAddr) -> Result<(), CallError> {
        let reached = reached(address);
        let is_allowed = self.scope == Scope::Anywhere
            || is_public(reached)
            || self.allowed.iter().any(|network| network.contains(address) || network.contains(reached));
        if is_allowed { Ok(()) } else { Err(NOT_PUBLIC) }
    }

    /// The addresses of a name that may be called, at least one. The others are left out: a name that has a private
    /// address beside its public ones is still called, at those.
    pub(super) async fn addresses(&self, name: &str) -> Result<Vec<IpAddr>, CallError> {
        let found = self.names.addresses(name).await?;
        let is_empty = found.is_empty();
        let allowed: Vec<IpAddr> = found.into_iter().filter(|address| self.check(*address).is_ok()).collect();
        match allowed.is_empty() {
            true if is_empty => Err(CallError::Failed("the name has no address".into())),
            true => Err(NOT_PUBLIC),
            false => Ok(allowed),
        }
    }
}

impl Service<Name> for Checked {
    type Response = vec::IntoIter<SocketAddr>;
    type Error = CallError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, CallError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), CallError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let checked = self.clone();
        Box::pin(async move {
            let addresses = checked.addresses(name.as_str()).await?;
            // The connector puts the port of the URL in.
            let addresses: Vec<_> =
                addresses.into_iter().map(|address| SocketAddr::new(address, 0)).collect();
            Ok(addresses.into_iter())
        })
    }
}

/// Connects to the host of a URL, in TLS where it starts with https. All allowed addresses are tried, those of IPv4
/// beside those of IPv6.
#[derive(Clone)]
pub(super) struct Connector {
    checked: Checked,
    https: HttpsConnector<HttpConnector<Checked>>,
    /// For finding, connecting and shaking hands.
    within: Duration,
}

impl Connector {
    pub(super) fn new(checked: Checked, tls: Arc<ClientConfig>, within: Duration) -> Self {
        let mut http = HttpConnector::new_with_resolver(checked.clone());
        http.enforce_http(false);
        http.set_happy_eyeballs_timeout(Some(ATTEMPT_DELAY));
        // It is divided among the addresses of a family, so that one that never answers leaves time for the next.
        http.set_connect_timeout(Some(within));
        http.set_nodelay(true);
        Self { checked, https: (http, tls).into(), within }
    }
}

type BoxError = Box<dyn Error + Send + Sync>;
type Stream = MaybeHttpsStream<TokioIo<TcpStream>>;

impl Service<Uri> for Connector {
    type Response = Stream;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Stream, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.https.poll_ready(context)
    }

    fn call(&mut self, url: Uri) -> Self::Future {
        // About a literal address the resolver is not asked.
        let literal = url.host().unwrap_or_default().trim_matches(['[', ']']).parse();
        if let Ok(Err(refused)) = literal.map(|address| self.checked.check(address)) {
            return Box::pin(ready(Err(refused.into())));
        }
        let connecting = timeout(self.within, self.https.call(url));
        Box::pin(async move { connecting.await.unwrap_or_else(|_| Err(CallError::Timeout.into())) })
    }
}
