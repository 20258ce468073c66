//! Which server is measured, and the way to it.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    pin::Pin,
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream, rustls::pki_types::ServerName};
use url::{Host, Url};

use crate::{
    cli::Failure,
    outbound::{self, Outside, Policy},
};

/// An address as it was given, and whether it may be measured.
pub(super) struct Given {
    url: Url,
    pub(super) is_loopback: bool,
}

impl Given {
    /// A benchmark of somebody else's server is an attack on it, so all but this machine takes a word of the owner.
    pub(super) fn parse(text: &str, is_owner: bool) -> Result<Self, Failure> {
        let wrong = |why: &str| Failure::Usage(format!("{text:?} {why}"));
        let spelled = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        let url = Url::parse(&spelled).map_err(|_| wrong("is no address; http://127.0.0.1:3000 is one"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(wrong("does not start with http:// or https://"));
        }
        if url.path() != "/" || url.query().is_some() || !url.username().is_empty() {
            return Err(wrong("has more in it than a host and a port"));
        }
        let is_loopback = match url.host() {
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            Some(Host::Domain(name)) => name == "localhost",
            None => return Err(wrong("has no host")),
        };
        if !is_loopback && !is_owner {
            return Err(wrong(
                "is not this machine: to put load on it, say that it is yours with --i-own-this-server",
            ));
        }
        Ok(Self { url, is_loopback })
    }
}

/// Where the connections go.
pub(super) struct Target {
    /// As it is shown.
    pub(super) url: String,
    /// For the `Host` header.
    pub(super) host: String,
    pub(super) is_loopback: bool,
    address: SocketAddr,
    tls: Option<(TlsConnector, ServerName<'static>)>,
}

impl Target {
    /// Looks the name up, once for all connections, and finds that there is somebody.
    pub(super) async fn find(given: Given) -> Result<Self, Failure> {
        let Given { url, is_loopback } = given;
        let name = url.host_str().unwrap_or_default().to_owned();
        let port = url.port_or_known_default().unwrap_or(80);
        let addresses: Vec<IpAddr> = match url.host() {
            Some(Host::Ipv4(address)) => vec![address.into()],
            Some(Host::Ipv6(address)) => vec![address.into()],
            _ if is_loopback => vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
            _ => {
                let found = Outside::new(Policy::default()).locate(&url).await;
                found.map_err(|error| Failure::Failed(format!("{name} is not found ({error})")))?
            }
        };
        let tls = if url.scheme() == "https" {
            let server = ServerName::try_from(name.trim_matches(['[', ']']).to_owned())
                .map_err(|_| Failure::Usage(format!("{name} is no name for a certificate")))?;
            Some((TlsConnector::from(outbound::trust()), server))
        } else {
            None
        };
        let host = url.port().map_or_else(|| name.clone(), |port| format!("{name}:{port}"));
        let shown = url.as_str().trim_end_matches('/').to_owned();
        let mut why = String::new();
        for ip in addresses {
            let address = SocketAddr::new(ip, port);
            let target =
                Self { url: shown.clone(), host: host.clone(), is_loopback, address, tls: tls.clone() };
            match target.connect().await {
                Ok(_) => return Ok(target),
                Err(error) => why = error.to_string(),
            }
        }
        Err(Failure::Failed(format!("nothing answers on {shown} ({why})")))
    }

    pub(super) async fn connect(&self) -> io::Result<Stream> {
        let stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        match &self.tls {
            None => Ok(Stream::Plain(stream)),
            Some((connector, name)) => {
                Ok(Stream::Tls(Box::new(connector.connect(name.clone(), stream).await?)))
            }
        }
    }
}

/// A connection, plain or in TLS.
pub(super) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_measured_without_a_word_of_the_owner() {
        for own in [
            "http://127.0.0.1:3000",
            "127.8.8.8:1",
            "localhost:3000",
            "http://[::1]:3000/",
            "https://localhost",
        ] {
            assert!(Given::parse(own, false).is_ok_and(|given| given.is_loopback), "{own}");
        }
        for other in [
            "http://192.0.2.1",
            "chat.example.org",
            "http://0.0.0.0:3000",
            "http://[2001:db8::1]",
            "http://localhost.example.org",
        ] {
            assert!(Given::parse(other, false).is_err(), "{other}");
            assert!(Given::parse(other, true).is_ok_and(|given| !given.is_loopback), "{other}");
        }
        for wrong in [
            "",
            "http://",
            "ftp://127.0.0.1",
            "http://127.0.0.1/rooms/1",
            "http://a:b@127.0.0.1",
            "http://127.0.0.1:99999",
        ] {
            assert!(Given::parse(wrong, true).is_err(), "{wrong}");
        }
    }
}
