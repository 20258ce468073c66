//! One HTTP connection: hyper's, with its timeouts kept by the worker's own clock instead of a timer per request.

use std::{
    cell::{Cell, RefCell},
    convert::Infallible,
    future::Future,
    net::IpAddr,
    pin::pin,
    rc::{Rc, Weak},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    task::{Poll, Waker},
    time::Duration,
};

use hyper::{
    StatusCode,
    body::Incoming,
    header::{self, HeaderValue},
    rt::Executor,
    server::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{net::TcpStream, task::spawn_local};
use tokio_rustls::{TlsAcceptor, rustls::ServerConfig, server::TlsStream};

use super::{
    listener::{self, Listener},
    tls::{ACME_TLS, H2},
};
use crate::{
    config::Config,
    http, live,
    transport::{Accepted, Phase, Progress, Stream},
    worker::Worker,
};

/// The largest head of a request, in bytes; past it hyper answers 431.
const MAX_HEAD: usize = 32 << 10;
const MAX_HEADERS: usize = 64;

/// HTTP/2: bytes of a body, and of all bodies of a connection, that may arrive before they are asked for. With less, an
/// upload over a long line waits for a round trip after each window.
const STREAM_WINDOW: u32 = 1 << 20;
const CONNECTION_WINDOW: u32 = 8 << 20;
const MAX_FRAME: u32 = 32 << 10;

/// Requests of a connection at once.
const MAX_STREAMS: u32 = 128;

/// Requests that were taken back before they were looked at, and those that broke the rules: past so many the connection
/// is closed (CVE-2023-44487, "rapid reset", and what came after it).
const MAX_RESETS: usize = 32;
const MAX_FAULTS: usize = 64;

/// Bytes of one answer that wait for a connection to take them.
const MAX_SEND_BUFFER: usize = 256 << 10;

/// A connection with requests under way is asked this often whether somebody is there, and has so long to say so.
const PING_EVERY: Duration = Duration::from_secs(20);
const PONG_WITHIN: Duration = Duration::from_secs(20);

/// How the worker reaches a connection.
struct Watch {
    progress: Arc<Progress>,
    /// To be closed as soon as what it does is done; at once if it does nothing.
    draining: Cell<bool>,
    /// The same if nothing has been heard of it since it came.
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
            let limit = match watch.progress.phase() {
                Phase::Fresh | Phase::Idle => config.idle_timeout,
                Phase::Head => config.header_timeout,
                Phase::Busy => return true,
            };
            if Duration::from_secs(u64::from(watch.progress.age())) > limit {
                watch.expired.set(true);
                watch.wake();
            }
            true
        });
    }

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

/// How connections are taken: over TLS if there is a configuration of it, and by which rules of HTTP.
pub(super) struct Door {
    tls: Option<TlsAcceptor>,
    http1: http1::Builder,
    http2: http2::Builder<Here>,
}

impl Door {
    pub(super) fn new(tls: Option<Arc<ServerConfig>>) -> Self {
        let mut http1 = http1::Builder::new();
        // No pipeline_flush: it holds an answer back as long as a byte of anything else waits to be read, be it half a
        // request or what made the answer a 431.
        // And who has said all still waits for the answer.
        http1.header_read_timeout(None).max_headers(MAX_HEADERS).max_buf_size(MAX_HEAD).half_close(true);
        let mut http2 = http2::Builder::new(Here);
        http2
            .timer(TokioTimer::new())
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_frame_size(MAX_FRAME)
            .max_concurrent_streams(MAX_STREAMS)
            .max_header_list_size(MAX_HEAD as u32)
            .max_pending_accept_reset_streams(MAX_RESETS)
            .max_local_error_reset_streams(MAX_FAULTS)
            .max_send_buf_size(MAX_SEND_BUFFER)
            .keep_alive_interval(PING_EVERY)
            .keep_alive_timeout(PONG_WITHIN);
        Self { tls: tls.map(TlsAcceptor::from), http1, http2 }
    }
}

/// Runs what hyper spawns for HTTP/2 on the worker that has the connection.
#[derive(Clone, Copy, Debug)]
struct Here;

impl<F: Future<Output = ()> + 'static> Executor<F> for Here {
    fn execute(&self, future: F) {
        spawn_local(future);
    }
}

/// Accepts until the worker is told to stop.
pub(super) async fn accept(
    worker: &Rc<Worker>,
    mut listener: Listener,
    connections: &Rc<Connections>,
    tls: Option<Arc<ServerConfig>>,
) {
    let door = Rc::new(Door::new(tls));
    while let Some(accepted) = listener.accept(worker).await {
        match accepted {
            Ok((stream, peer)) => {
                let served = serve(Rc::clone(worker), Rc::clone(&door), stream, peer, connections);
                spawn_local(served);
            }
            Err(error) => listener::rest(&error).await,
        }
    }
}

fn serve(
    worker: Rc<Worker>,
    door: Rc<Door>,
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
    let first = if door.tls.is_some() { Phase::Head } else { Phase::Fresh };
    let progress = Arc::new(Progress::new(Arc::clone(&connections.clock), first));
    let watch = Rc::new(Watch {
        progress,
        // It may be one of those that are let in before the door closes.
        draining: Cell::new(worker.shared.is_draining()),
        hurried: Cell::new(false),
        expired: Cell::new(false),
        waker: RefCell::default(),
    });
    connections.watches.borrow_mut().push(Rc::downgrade(&watch));
    let open = Open::new(Rc::clone(&connections.open), Rc::clone(&worker));
    let address = peer.ip().to_canonical();
    async move {
        let _open = open;
        let Some(tls) = &door.tls else {
            return speak_http1(worker, &door.http1, Accepted::Plain(stream), watch, address).await;
        };
        // A handshake that fails is the client's: it went away, or wants what we have not.
        let Some(Ok(stream)) = unless_expired(&watch, tls.accept(stream)).await else { return };
        match stream.get_ref().1.alpn_protocol() {
            Some(H2) => speak_http2(worker, &door.http2, stream, watch, address).await,
            // The handshake was all that was asked for.
            Some(ACME_TLS) => {}
            _ => {
                watch.progress.enter(Phase::Fresh);
                let transport = Accepted::Tls(Box::new(stream));
                speak_http1(worker, &door.http1, transport, watch, address).await;
            }
        }
    }
}

async fn speak_http1(
    worker: Rc<Worker>,
    builder: &http1::Builder,
    transport: Accepted,
    watch: Rc<Watch>,
    address: IpAddr,
) {
    let progress = Arc::clone(&watch.progress);
    let is_secure = matches!(transport, Accepted::Tls(_));
    let stream = Stream::new(transport, Arc::clone(&progress), true);
    let service = service_fn(move |request| {
        let (worker, progress) = (Rc::clone(&worker), Arc::clone(&progress));
        progress.enter(Phase::Busy);
        async move {
            let mut response =
                http::answer(Rc::clone(&worker), request, address, is_secure, live::upgrade).await;
            if worker.shared.is_draining() && response.status() != StatusCode::SWITCHING_PROTOCOLS {
                // The next request is for who comes after us.
                response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            progress.enter(Phase::Idle);
            Ok::<_, Infallible>(response)
        }
    });
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service).with_upgrades());
    let mut told = false;
    let driven = std::future::poll_fn(|cx| {
        // First what has arrived: it may be a request. An error is the client's: it went away, or spoke something else.
        if connection.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        let is_between = match watch.progress.phase() {
            // The rest of the head is on the way, and the answer will say that it is the last.
            Phase::Head => false,
            Phase::Fresh => watch.hurried.get(),
            Phase::Idle | Phase::Busy => true,
        };
        if watch.draining.get() && !told && is_between {
            told = true;
            connection.as_mut().graceful_shutdown();
            return connection.as_mut().poll(cx).map(drop);
        }
        Poll::Pending
    });
    unless_expired(&watch, driven).await;
}

async fn speak_http2(
    worker: Rc<Worker>,
    builder: &http2::Builder<Here>,
    stream: TlsStream<TcpStream>,
    watch: Rc<Watch>,
    address: IpAddr,
) {
    let progress = Arc::clone(&watch.progress);
    progress.enter(Phase::Idle);
    let stream = Stream::new(Accepted::Tls(Box::new(stream)), Arc::clone(&progress), false);
    let under_way = Rc::new(Cell::new(0));
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        let worker = Rc::clone(&worker);
        let under_way = UnderWay::begin(&under_way, &progress);
        name_host(&mut request);
        async move {
            let response = http::answer(worker, request, address, true, live::upgrade).await;
            drop(under_way);
            Ok::<_, Infallible>(response)
        }
    });
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    let mut told = false;
    let driven = std::future::poll_fn(|cx| {
        if watch.draining.get() && !told {
            told = true;
            connection.as_mut().graceful_shutdown();
        }
        connection.as_mut().poll(cx).map(drop)
    });
    unless_expired(&watch, driven).await;
}

/// HTTP/2 names the host in `:authority` (RFC 9113, section 8.3.1); all that reads it looks for `Host`.
fn name_host(request: &mut hyper::Request<Incoming>) {
    let authority = request.uri().authority().map(|authority| authority.as_str());
    if let Some(host) = authority.and_then(|authority| HeaderValue::from_str(authority).ok()) {
        request.headers_mut().insert(header::HOST, host);
    }
}

/// A request of a connection that may have many; it is idle when the last of them is done, or was taken back.
struct UnderWay {
    count: Rc<Cell<usize>>,
    progress: Arc<Progress>,
}

impl UnderWay {
    fn begin(count: &Rc<Cell<usize>>, progress: &Arc<Progress>) -> Self {
        count.set(count.get() + 1);
        progress.enter(Phase::Busy);
        Self { count: Rc::clone(count), progress: Arc::clone(progress) }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.count.set(self.count.get() - 1);
        if self.count.get() == 0 {
            self.progress.enter(Phase::Idle);
        }
    }
}

/// Drives something until it is done, or its connection has taken too long.
async fn unless_expired<F: Future>(watch: &Watch, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    std::future::poll_fn(|cx| {
        if watch.expired.get() {
            return Poll::Ready(None);
        }
        let known = watch.waker.borrow().as_ref().is_some_and(|waker| waker.will_wake(cx.waker()));
        if !known {
            watch.waker.replace(Some(cx.waker().clone()));
        }
        future.as_mut().poll(cx).map(Some)
    })
    .await
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
