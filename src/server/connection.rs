//! One HTTP connection: hyper's, with its timeouts kept by the worker's own clock instead of a timer per request.

use std::{
    cell::{Cell, RefCell},
    convert::Infallible,
    future::Future,
    io,
    pin::{Pin, pin},
    rc::{Rc, Weak},
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicU32, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use hyper::{
    StatusCode, Version,
    header::{self, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    task::spawn_local,
};

use super::listener::Listener;
use crate::{config::Config, http, worker::Worker};

/// The largest head of a request, in bytes; past it hyper answers 431.
const MAX_HEAD: usize = 32 << 10;
const MAX_HEADERS: usize = 64;

/// How long to wait when the system has no more file descriptors.
const NO_FILES_REST: Duration = Duration::from_millis(50);

/// What a connection is doing, and since when. Atomic only because hyper lets go of an upgraded connection through
/// a type that could go to another thread; no other thread ever looks.
struct Progress {
    phase: AtomicU8,
    since: AtomicU32,
    clock: Arc<AtomicU32>,
}

/// It waits for another request.
const IDLE: u8 = 0;
/// A request's head has begun to arrive.
const HEAD: u8 = 1;
/// A request is being answered; its own timeouts apply.
const BUSY: u8 = 2;
/// It has just come, and nothing has been heard of it.
const FRESH: u8 = 3;

impl Progress {
    fn enter(&self, phase: u8) {
        self.phase.store(phase, Ordering::Relaxed);
        self.since.store(self.clock.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    fn phase(&self) -> u8 {
        self.phase.load(Ordering::Relaxed)
    }
}

struct Watch {
    progress: Arc<Progress>,
    /// To be closed as soon as what it does is done; at once if it does nothing.
    draining: Cell<bool>,
    /// The same although nothing has been heard of it.
    hurried: Cell<bool>,
    expired: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

impl Watch {
    fn wake(&self) {
        if let Some(waker) = &*self.waker.borrow() {
            waker.wake_by_ref();
        }
    }
}

/// The connections of one worker.
#[derive(Default)]
pub(super) struct Connections {
    watches: RefCell<Vec<Weak<Watch>>>,
    clock: Arc<AtomicU32>,
    open: Rc<Cell<usize>>,
}

impl Connections {
    pub(super) fn is_empty(&self) -> bool {
        self.open.get() == 0
    }

    /// Once a second: closes what has taken too long.
    pub(super) fn tick(&self, clock: u32, config: &Config) {
        self.clock.store(clock, Ordering::Relaxed);
        self.watches.borrow_mut().retain(|watch| {
            let Some(watch) = watch.upgrade() else { return false };
            let age = Duration::from_secs(u64::from(
                clock.saturating_sub(watch.progress.since.load(Ordering::Relaxed)),
            ));
            let limit = match watch.progress.phase() {
                IDLE | FRESH => config.idle_timeout,
                HEAD => config.header_timeout,
                _ => return true,
            };
            if age > limit {
                watch.expired.set(true);
                watch.wake();
            }
            true
        });
    }

    /// Closes what is idle, and has the others close with the answer that they wait for. Who has just come is answered
    /// first as well: a new connection that is closed without an answer is an error to its client, an old one is not
    /// (RFC 9112, section 9.3.1).
    pub(super) fn drain(&self) {
        for watch in self.watches.borrow().iter().filter_map(Weak::upgrade) {
            watch.draining.set(true);
            watch.wake();
        }
    }

    /// Closes those as well that came and said nothing.
    pub(super) fn hurry(&self) {
        for watch in self.watches.borrow().iter().filter_map(Weak::upgrade) {
            watch.hurried.set(true);
            watch.wake();
        }
    }
}

/// A TCP stream that notes when a request begins to arrive.
pub(crate) struct Watched {
    stream: TcpStream,
    progress: Arc<Progress>,
}

impl Watched {
    pub(crate) fn into_stream(self) -> TcpStream {
        self.stream
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if polled.is_ready() && matches!(self.progress.phase(), IDLE | FRESH) {
            self.progress.enter(HEAD);
        }
        polled
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }
}

/// Accepts until the worker is told to stop.
pub(super) async fn accept(worker: &Rc<Worker>, mut listener: Listener, connections: &Rc<Connections>) {
    let mut builder = http1::Builder::new();
    // No pipeline_flush: it holds an answer back as long as a byte of anything else waits to be read, be it half a
    // request or what made the answer a 431.
    // And who has said all still waits for the answer.
    builder.header_read_timeout(None).max_headers(MAX_HEADERS).max_buf_size(MAX_HEAD).half_close(true);
    while let Some(accepted) = listener.accept(worker).await {
        match accepted {
            Ok((stream, peer)) => {
                let served = serve(Rc::clone(worker), builder.clone(), stream, peer, connections);
                spawn_local(served);
            }
            Err(error) => {
                // Out of file descriptors, most likely: those who are here keep being served.
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(NO_FILES_REST).await;
            }
        }
    }
}

fn serve(
    worker: Rc<Worker>,
    builder: http1::Builder,
    stream: TcpStream,
    peer: std::net::SocketAddr,
    connections: &Connections,
) -> impl Future<Output = ()> + use<> {
    // Small answers must not wait for each other, and a peer that vanished must not be kept for ever.
    let _ = stream.set_nodelay(true);
    let keepalive = socket2::TcpKeepalive::new()
        .with_time(Duration::from_secs(60))
        .with_interval(Duration::from_secs(15));
    let _ = socket2::SockRef::from(&stream).set_tcp_keepalive(&keepalive);
    let progress = Arc::new(Progress {
        phase: AtomicU8::new(FRESH),
        since: AtomicU32::new(connections.clock.load(Ordering::Relaxed)),
        clock: Arc::clone(&connections.clock),
    });
    let watch = Rc::new(Watch {
        progress: Arc::clone(&progress),
        // It may be one of those that are let in before the door closes.
        draining: Cell::new(worker.shared.is_draining()),
        hurried: Cell::new(false),
        expired: Cell::new(false),
        waker: RefCell::default(),
    });
    connections.watches.borrow_mut().push(Rc::downgrade(&watch));
    let open = Open::new(Rc::clone(&connections.open), Rc::clone(&worker));
    async move {
        let _open = open;
        let address = peer.ip().to_canonical();
        let watched = Watched { stream, progress: Arc::clone(&progress) };
        let service = service_fn(move |request| {
            let (worker, progress) = (Rc::clone(&worker), Arc::clone(&progress));
            progress.enter(BUSY);
            let is_http1 = request.version() <= Version::HTTP_11;
            async move {
                let mut response = http::answer(Rc::clone(&worker), request, address).await;
                if worker.shared.is_draining()
                    && is_http1
                    && response.status() != StatusCode::SWITCHING_PROTOCOLS
                {
                    // The next request is for who comes after us.
                    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
                }
                progress.enter(IDLE);
                Ok::<_, Infallible>(response)
            }
        });
        let connection = builder.serve_connection(TokioIo::new(watched), service).with_upgrades();
        let mut connection = pin!(connection);
        let mut told = false;
        std::future::poll_fn(|cx| {
            if watch.expired.get() {
                return Poll::Ready(());
            }
            let known = watch.waker.borrow().as_ref().is_some_and(|waker| waker.will_wake(cx.waker()));
            if !known {
                watch.waker.replace(Some(cx.waker().clone()));
            }
            // First what has arrived: it may be a request. An error is the client's: it went away, or spoke something else.
            if connection.as_mut().poll(cx).is_ready() {
                return Poll::Ready(());
            }
            let is_between = match watch.progress.phase() {
                // The rest of the head is on the way, and the answer will say that it is the last.
                HEAD => false,
                FRESH => watch.hurried.get(),
                _ => true,
            };
            if watch.draining.get() && !told && is_between {
                told = true;
                connection.as_mut().graceful_shutdown();
                return connection.as_mut().poll(cx).map(drop);
            }
            Poll::Pending
        })
        .await;
    }
}

/// Counts a connection as long as it is open.
struct Open {
    count: Rc<Cell<usize>>,
    worker: Rc<Worker>,
}

impl Open {
    fn new(count: Rc<Cell<usize>>, worker: Rc<Worker>) -> Self {
        count.set(count.get() + 1);
        worker.metrics.connections.add(1);
        Self { count, worker }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.count.set(self.count.get() - 1);
        self.worker.metrics.connections.set(self.worker.metrics.connections.get() - 1);
    }
}
