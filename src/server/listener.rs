//! Listening: one socket per worker on the same address, among which the kernel spreads the connections; or, when whoever
//! started us holds the sockets open (socket activation), those alone, from which all workers accept. Connections that
//! wait on them outlive this process.

use std::{
    future::poll_fn,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    task::Poll,
    time::Duration,
};

use listenfd::ListenFd;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::{
    io::unix::AsyncFd,
    net::{TcpListener, TcpStream},
    sync::watch,
};

use super::ServeError;
use crate::worker::Worker;

/// Connections that may wait to be accepted; the kernel caps it at `net.core.somaxconn`.
const BACKLOG: i32 = 4096;

/// The inherited socket of this name (`FileDescriptorName=`) is for the port that sends browsers on to https.
pub(super) const REDIRECT: &str = "redirect";

/// How long to wait when the system has no more file descriptors.
const NO_FILES_REST: Duration = Duration::from_millis(50);

/// On sockets that all workers accept from, a worker that has so many connections more than another lets that one go first …
const HEAD_START: u64 = 8;

/// … for so long: then the other has something else to do.
const HEAD_START_LASTS: Duration = Duration::from_millis(1);

/// The listening sockets that whoever started us holds open, by name (sd_listen_fds(3)).
#[derive(Debug, Default)]
pub(super) struct Inherited(Vec<(String, std::net::TcpListener)>);

impl Inherited {
    /// Takes them out of the environment, if they are there and for this process.
    pub(super) fn from_environment() -> Result<Self, ServeError> {
        let names = std::env::var("LISTEN_FDNAMES").unwrap_or_default();
        let mut names = names.split(':');
        let mut found = ListenFd::from_env();
        let mut sockets = Vec::new();
        for place in 0..found.len() {
            let name = names.next().unwrap_or_default().to_owned();
            let socket = found.take_tcp_listener(place).and_then(|socket| {
                let socket = socket.ok_or(io::ErrorKind::NotFound)?;
                socket.set_nonblocking(true)?;
                // Those who come back while the next process starts wait here: whoever finds no room tries again a second later.
                socket2::SockRef::from(&socket).listen(BACKLOG)?;
                Ok(socket)
            });
            match socket {
                Ok(socket) => sockets.push((name, socket)),
                Err(error) => return Err(ServeError::Inherited(name, error)),
            }
        }
        Ok(Self(sockets))
    }

    /// Hands out those of this name.
    pub(super) fn take(&mut self, name: &str) -> Vec<std::net::TcpListener> {
        let (taken, left) = std::mem::take(&mut self.0).into_iter().partition(|(known, _)| known == name);
        self.0 = left;
        let taken: Vec<(String, std::net::TcpListener)> = taken;
        taken.into_iter().map(|(_, socket)| socket).collect()
    }

    /// Hands out all that nobody has taken, whatever they are called.
    fn take_rest(&mut self) -> Vec<std::net::TcpListener> {
        std::mem::take(&mut self.0).into_iter().map(|(_, socket)| socket).collect()
    }
}

/// The sockets that one worker is to accept from.
#[derive(Debug)]
pub(super) enum Sockets {
    Own(std::net::TcpListener),
    Shared(Vec<std::net::TcpListener>),
}

/// Sockets for `count` workers: what is left of the inherited ones, or else new ones on this address. Port 0 picks a free
/// one, the same for all.
pub(super) fn sockets(
    inherited: &mut Inherited,
    address: SocketAddr,
    count: usize,
) -> Result<(SocketAddr, Vec<Sockets>), ServeError> {
    let shared = inherited.take_rest();
    let Some(first) = shared.first() else {
        let (address, own) = bind(address, count)?;
        return Ok((address, own.into_iter().map(Sockets::Own).collect()));
    };
    let failed = |error| ServeError::Inherited(String::new(), error);
    let address = first.local_addr().map_err(failed)?;
    let copies = || shared.iter().map(std::net::TcpListener::try_clone).collect::<io::Result<_>>();
    let sockets = (0..count).map(|_| copies().map(Sockets::Shared)).collect::<io::Result<_>>();
    Ok((address, sockets.map_err(failed)?))
}

/// So many sockets that share an address, which is the one asked for, or, where there is no IPv6, its like in IPv4.
pub(super) fn bind(
    address: SocketAddr,
    count: usize,
) -> Result<(SocketAddr, Vec<std::net::TcpListener>), ServeError> {
    let address = match address.ip() {
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) if Socket::new(Domain::IPV6, Type::STREAM, None).is_err() => {
            SocketAddr::from((Ipv4Addr::UNSPECIFIED, address.port()))
        }
        _ => address,
    };
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::AddrInUse => ServeError::PortInUse(address),
        _ => ServeError::Listen(address, error),
    };
    // With SO_REUSEPORT a second server would share the port in silence: a socket that does not share finds out.
    if address.port() != 0 {
        let probe = socket(address, false).map_err(failed)?;
        drop(probe);
    }
    let first = socket(address, true).map_err(failed)?;
    let bound = first.local_addr().map_err(failed)?;
    let mut listeners = vec![first];
    for _ in 1..count {
        listeners.push(socket(bound, true).map_err(failed)?);
    }
    Ok((bound, listeners))
}

fn socket(address: SocketAddr, shared: bool) -> io::Result<std::net::TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        // [::] is every address, IPv4 too, whatever the system's default is.
        socket.set_only_v6(false)?;
    }
    if shared {
        socket.set_reuse_port(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Where a worker's connections come from, until it is told to stop.
pub(super) struct Listener {
    kind: Kind,
    stopped: watch::Receiver<bool>,
}

enum Kind {
    Own(TcpListener),
    Shared(Vec<AsyncFd<std::net::TcpListener>>),
}

impl Listener {
    /// On the runtime that it is to be used on.
    // Sound here, where the sockets are owned and never exchanged; what is to come instead is `unsafe` to call.
    #[expect(deprecated, reason = "the other constructors are unsafe, which this crate is not")]
    pub(super) fn new(sockets: Sockets, stopped: watch::Receiver<bool>) -> io::Result<Self> {
        let kind = match sockets {
            Sockets::Own(socket) => Kind::Own(TcpListener::from_std(socket)?),
            Sockets::Shared(sockets) => {
                Kind::Shared(sockets.into_iter().map(AsyncFd::new).collect::<io::Result<_>>()?)
            }
        };
        Ok(Self { kind, stopped })
    }

    /// The next connection; None once the worker is told to stop and has all that would be lost with our own socket.
    pub(super) async fn accept(&mut self, worker: &Worker) -> Option<io::Result<(TcpStream, SocketAddr)>> {
        let Self { kind, stopped } = self;
        let kind = &*kind;
        let accepting = async {
            match kind {
                Kind::Own(socket) => socket.accept().await,
                Kind::Shared(sockets) => accept_among(sockets, worker).await,
            }
        };
        let is_told = *stopped.borrow();
        if !is_told {
            tokio::select! {
                accepted = accepting => return Some(accepted),
                _ = stopped.changed() => {}
            }
        }
        match kind {
            // What waits on an inherited socket is for who comes after us.
            Kind::Shared(_) => None,
            Kind::Own(socket) => {
                poll_fn(|cx| match socket.poll_accept(cx) {
                    Poll::Ready(Ok(accepted)) => Poll::Ready(Some(Ok(accepted))),
                    Poll::Ready(Err(_)) | Poll::Pending => Poll::Ready(None),
                })
                .await
            }
        }
    }
}

/// After an accept that failed, most likely for want of file descriptors: those who are here keep being served.
pub(super) async fn rest(error: &io::Error) {
    tracing::warn!(%error, "cannot accept a connection");
    tokio::time::sleep(NO_FILES_REST).await;
}

/// All workers are woken for each connection, and one of them gets it.
async fn accept_among(
    sockets: &[AsyncFd<std::net::TcpListener>],
    worker: &Worker,
) -> io::Result<(TcpStream, SocketAddr)> {
    let mut let_go_first = false;
    loop {
        let ready = poll_fn(|cx| {
            for socket in sockets {
                if let Poll::Ready(ready) = socket.poll_read_ready(cx) {
                    return Poll::Ready(ready);
                }
            }
            Poll::Pending
        });
        let mut ready = ready.await?;
        if !let_go_first && has_more_than_others(worker) {
            let_go_first = true;
            drop(ready);
            tokio::time::sleep(HEAD_START_LASTS).await;
            continue;
        }
        let_go_first = false;
        // If not, another worker was quicker.
        if let Ok(accepted) = ready.try_io(|socket| socket.get_ref().accept()) {
            let (stream, peer) = accepted?;
            stream.set_nonblocking(true)?;
            return Ok((TcpStream::from_std(stream)?, peer));
        }
    }
}

/// Sockets live for days, so a worker that is a little quicker when many come at once would have them all.
fn has_more_than_others(worker: &Worker) -> bool {
    let connections =
        |metrics: &crate::metrics::WorkerMetrics| metrics.connections.get() + metrics.sockets.get();
    let least = worker.shared.metrics.iter().map(|metrics| connections(metrics)).min().unwrap_or_default();
    connections(&worker.metrics) > least + HEAD_START
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inherited(names: &[&str]) -> (Inherited, Vec<SocketAddr>) {
        let bound = || std::net::TcpListener::bind("127.0.0.1:0").expect("a socket");
        let sockets: Vec<_> = names.iter().map(|name| ((*name).to_owned(), bound())).collect();
        let addresses = sockets.iter().map(|(_, socket)| socket.local_addr().expect("bound")).collect();
        (Inherited(sockets), addresses)
    }

    #[test]
    fn inherited_sockets_are_handed_out_by_name_and_every_worker_accepts_from_all_that_are_left() {
        let (mut inherited, addresses) = inherited(&["http", REDIRECT, "http"]);
        let redirect = inherited.take(REDIRECT);
        assert_eq!(redirect.len(), 1);
        assert_eq!(redirect[0].local_addr().unwrap(), addresses[1]);
        assert!(inherited.take(REDIRECT).is_empty(), "once");
        let elsewhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let (address, workers) = sockets(&mut inherited, elsewhere, 3).unwrap();
        assert_eq!(address, addresses[0]);
        assert_eq!(workers.len(), 3);
        for worker in workers {
            let Sockets::Shared(sockets) = worker else { panic!("{worker:?}") };
            let heard: Vec<_> = sockets.iter().map(|socket| socket.local_addr().unwrap()).collect();
            assert_eq!(heard, [addresses[0], addresses[2]]);
        }
    }

    #[test]
    fn without_inherited_sockets_each_worker_has_its_own_on_the_same_address() {
        let elsewhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let (address, workers) = sockets(&mut Inherited::default(), elsewhere, 2).unwrap();
        for worker in workers {
            let Sockets::Own(socket) = worker else { panic!("{worker:?}") };
            assert_eq!(socket.local_addr().unwrap(), address);
        }
    }
}
