//! Listening: one socket per worker on the same address, among which the kernel distributes connections (`SO_REUSEPORT`); or
//! sockets that the service manager passes on (socket activation), from each of which all workers accept. Connections that
//! wait on these outlive this process.

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
use crate::{memory, worker::Worker};

/// Connections that may wait to be accepted; the kernel caps it at `net.core.somaxconn`.
const BACKLOG: i32 = 4096;

/// The name (`FileDescriptorName=`) of the inherited socket that redirects from HTTP to HTTPS.
pub(super) const REDIRECT: &str = "redirect";

/// The pause after an `accept` that failed, as when the process has no more file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// On sockets that all workers accept from, a worker with this many connections more than another lets others accept first.
const HEAD_START: u64 = 8;

/// With less memory than this, each connection's send buffer is bounded: what clients leave unread stands in the kernel's
/// memory, which counts as ours, and by itself it lets a connection have 4 MB (tcp(7), tcp_wmem).
const SMALL_MEMORY: u64 = 256 << 20;

/// The bound in bytes, of which the kernel uses twice as much.
const SMALL_SEND_BUFFER: usize = 32 << 10;

/// How long it lets them; then they are busy.
const HEAD_START_LASTS: Duration = Duration::from_millis(1);

/// The listening sockets that the service manager passed on, with their names (sd_listen_fds(3)).
#[derive(Debug, Default)]
pub(super) struct Inherited(Vec<(String, std::net::TcpListener)>);

impl Inherited {
    /// Takes those that the environment names for this process.
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
                // Clients reconnect while the next process starts. With a full queue they retry a second later.
                let shared = socket2::SockRef::from(&socket);
                bound_send_buffer(&shared)?;
                shared.listen(BACKLOG)?;
                Ok(socket)
            });
            match socket {
                Ok(socket) => sockets.push((name, socket)),
                Err(error) => return Err(ServeError::Inherited(name, error)),
            }
        }
        Ok(Self(sockets))
    }

    /// Takes those with this name.
    pub(super) fn take(&mut self, name: &str) -> Vec<std::net::TcpListener> {
        let (taken, left) = std::mem::take(&mut self.0).into_iter().partition(|(known, _)| known == name);
        self.0 = left;
        let taken: Vec<(String, std::net::TcpListener)> = taken;
        taken.into_iter().map(|(_, socket)| socket).collect()
    }

    /// Takes all that are left.
    fn take_rest(&mut self) -> Vec<std::net::TcpListener> {
        std::mem::take(&mut self.0).into_iter().map(|(_, socket)| socket).collect()
    }
}

/// The sockets from which one worker accepts.
#[derive(Debug)]
pub(super) enum Sockets {
    Own(std::net::TcpListener),
    Shared(Vec<std::net::TcpListener>),
}

/// Sockets for `count` workers: the inherited ones that are left, or else new ones on this address. Port 0 chooses a free
/// port, the same for all.
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

/// Binds `count` sockets to one address. On systems without IPv6, [::] becomes 0.0.0.0.
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
    // With SO_REUSEPORT a second server would share the port silently; a socket without it finds the port in use.
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
        // [::] accepts IPv4 too, whatever the default of the system.
        socket.set_only_v6(false)?;
    }
    if shared {
        socket.set_reuse_port(true)?;
    }
    socket.set_nonblocking(true)?;
    bound_send_buffer(&socket)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Bounds it on a small machine; accepted sockets inherit it.
fn bound_send_buffer(socket: &Socket) -> io::Result<()> {
    if memory::limit() < SMALL_MEMORY { socket.set_send_buffer_size(SMALL_SEND_BUFFER) } else { Ok(()) }
}

/// The listening sockets of one worker, until it stops.
pub(super) struct Listener {
    kind: Kind,
    stopped: watch::Receiver<bool>,
}

enum Kind {
    Own(TcpListener),
    Shared(Vec<AsyncFd<std::net::TcpListener>>),
}

impl Listener {
    /// Has to be called on the runtime that will use it.
    // Sound because the sockets are owned and never replaced; the constructors that succeed these are `unsafe`.
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

    /// The next connection. None once the worker is to stop and has accepted what waits on its own socket.
    pub(super) async fn accept(&mut self, worker: &Worker) -> Option<io::Result<(TcpStream, SocketAddr)>> {
        let Self { kind, stopped } = self;
        let kind = &*kind;
        let accepting = async {
            match kind {
                Kind::Own(socket) => socket.accept().await,
                Kind::Shared(sockets) => accept_among(sockets, worker).await,
            }
        };
        let is_stopped = *stopped.borrow();
        if !is_stopped {
            tokio::select! {
                accepted = accepting => return Some(accepted),
                _ = stopped.changed() => {}
            }
        }
        match kind {
            // Connections that wait on an inherited socket are for the next process.
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

/// Logs a failed `accept` and pauses. Most likely there are no more file descriptors; existing connections are served.
pub(super) async fn pause_after(error: &io::Error) {
    tracing::warn!(%error, "cannot accept a connection");
    tokio::time::sleep(ACCEPT_PAUSE).await;
}

/// Accepts from sockets that all workers share: each connection wakes all, and one of them gets it.
async fn accept_among(
    sockets: &[AsyncFd<std::net::TcpListener>],
    worker: &Worker,
) -> io::Result<(TcpStream, SocketAddr)> {
    let mut let_others_first = false;
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
        if !let_others_first && has_more_than_others(worker) {
            let_others_first = true;
            drop(ready);
            tokio::time::sleep(HEAD_START_LASTS).await;
            continue;
        }
        let_others_first = false;
        // An error means that another worker was quicker.
        if let Ok(accepted) = ready.try_io(|socket| socket.get_ref().accept()) {
            let (stream, peer) = accepted?;
            stream.set_nonblocking(true)?;
            return Ok((TcpStream::from_std(stream)?, peer));
        }
    }
}

/// Whether this worker has more connections than another. WebSockets last for days, so a worker that is a little quicker
/// when many clients connect at once would keep most of them.
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
    fn inherited_sockets_are_taken_by_name_and_the_rest_shared_by_all_workers() {
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
    fn own_sockets_of_the_workers_share_one_address() {
        let elsewhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let (address, workers) = sockets(&mut Inherited::default(), elsewhere, 2).unwrap();
        for worker in workers {
            let Sockets::Own(socket) = worker else { panic!("{worker:?}") };
            assert_eq!(socket.local_addr().unwrap(), address);
        }
    }
}
