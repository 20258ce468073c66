//! One HTTP connection, as hyper serves it: over TLS or not, HTTP/1.1 or HTTP/2.

use std::{
    cell::Cell, convert::Infallible, future::Future, net::IpAddr, pin::pin, rc::Rc, sync::Arc, task::Poll,
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
    connections::{Connections, Open, Watch, unless_expired},
    listener::{self, Listener},
    refusal::{Refusals, counted},
    tls::{ACME_TLS, H2},
};
use crate::{
    admission::Permit,
    http, live,
    transport::{Accepted, Phase, Progress, Stream},
    worker::Worker,
};

/// The largest head of a request, in bytes; beyond it hyper answers 431.
const MAX_HEAD: usize = 32 << 10;
const MAX_HEADERS: usize = 64;

/// HTTP/2 flow control: bytes of one body, and of all bodies of a connection, that may arrive unread. With less, an upload
/// over a connection with a high latency waits for a round trip after each window.
const STREAM_WINDOW: u32 = 1 << 20;
const CONNECTION_WINDOW: u32 = 8 << 20;
const MAX_FRAME: u32 = 32 << 10;

/// Concurrent requests of a connection.
const MAX_STREAMS: u32 = 128;

/// Requests that were reset before they were handled, and resets because of protocol errors: beyond these numbers the
/// connection is closed (CVE-2023-44487, "rapid reset", and its successors).
const MAX_RESETS: usize = 32;
const MAX_FAULTS: usize = 64;

/// Bytes of one response that are buffered for a connection.
const MAX_SEND_BUFFER: usize = 256 << 10;

/// HTTP/2: how often a connection with requests in progress is pinged, and how long it may take to answer.
const PING_EVERY: Duration = Duration::from_secs(20);
const PONG_WITHIN: Duration = Duration::from_secs(20);

/// How connections are accepted: over TLS if it is configured, and with which limits of HTTP.
pub(super) struct Acceptor {
    tls: Option<TlsAcceptor>,
    http1: http1::Builder,
    http2: http2::Builder<LocalExecutor>,
}

impl Acceptor {
    pub(super) fn new(tls: Option<Arc<ServerConfig>>) -> Self {
        let mut http1 = http1::Builder::new();
        // No pipeline_flush: it delays a response as long as any byte waits to be read, be it half a request or the rest of
        // a head that was answered with 431. Clients may close their side before they read the response.
        http1.header_read_timeout(None).max_headers(MAX_HEADERS).max_buf_size(MAX_HEAD).half_close(true);
        let mut http2 = http2::Builder::new(LocalExecutor);
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

/// Spawns hyper's tasks for HTTP/2 on the worker of the connection.
#[derive(Clone, Copy, Debug)]
struct LocalExecutor;

impl<F: Future<Output = ()> + 'static> Executor<F> for LocalExecutor {
    fn execute(&self, future: F) {
        spawn_local(future);
    }
}

/// Accepts connections until the worker stops.
pub(super) async fn accept(
    worker: &Rc<Worker>,
    mut listener: Listener,
    connections: &Rc<Connections>,
    tls: Option<Arc<ServerConfig>>,
) {
    let acceptor = Rc::new(Acceptor::new(tls));
    let mut refusals = Refusals::default();
    while let Some(accepted) = listener.accept(worker).await {
        match accepted {
            Ok((stream, peer)) => {
                let address = peer.ip().to_canonical();
                match worker.shared.admission.admit(counted(worker.config(), address)) {
                    Ok(permit) => {
                        let (worker, acceptor) = (Rc::clone(worker), Rc::clone(&acceptor));
                        spawn_local(serve(worker, acceptor, stream, address, permit, connections));
                    }
                    Err(why) => refusals.refuse(worker, stream, address, why, acceptor.tls.is_some()),
                }
            }
            Err(error) => listener::pause_after(&error).await,
        }
    }
}

fn serve(
    worker: Rc<Worker>,
    acceptor: Rc<Acceptor>,
    stream: TcpStream,
    address: IpAddr,
    permit: Permit,
    connections: &Connections,
) -> impl Future<Output = ()> + use<> {
    // Small responses are sent at once, and connections to peers that vanished end.
    let _ = stream.set_nodelay(true);
    let keepalive = socket2::TcpKeepalive::new()
        .with_time(Duration::from_secs(60))
        .with_interval(Duration::from_secs(15));
    let _ = socket2::SockRef::from(&stream).set_tcp_keepalive(&keepalive);
    let first = if acceptor.tls.is_some() { Phase::Head } else { Phase::Fresh };
    let watch = connections.watch(first, worker.shared.is_draining());
    let open = Open::new(Rc::clone(&connections.open), Rc::clone(&worker));
    async move {
        let _open = open;
        let Some(tls) = &acceptor.tls else {
            let transport = Accepted::Plain(stream);
            return serve_http1(worker, &acceptor.http1, transport, permit, watch, address).await;
        };
        // A failed handshake is no error of the server: the client went away, or offered nothing that is supported.
        let Some(Ok(stream)) = unless_expired(&watch, tls.accept(stream)).await else { return };
        match stream.get_ref().1.alpn_protocol() {
            Some(H2) => serve_http2(worker, &acceptor.http2, stream, permit, watch, address).await,
            // An ACME challenge ends with the handshake.
            Some(ACME_TLS) => {}
            _ => {
                watch.progress.enter(Phase::Fresh);
                let transport = Accepted::Tls(Box::new(stream));
                serve_http1(worker, &acceptor.http1, transport, permit, watch, address).await;
            }
        }
    }
}

async fn serve_http1(
    worker: Rc<Worker>,
    builder: &http1::Builder,
    transport: Accepted,
    permit: Permit,
    watch: Rc<Watch>,
    address: IpAddr,
) {
    let progress = Arc::clone(&watch.progress);
    let is_secure = matches!(transport, Accepted::Tls(_));
    let stream = Stream::new(transport, Arc::clone(&progress), true, permit);
    let service = service_fn(move |request| {
        let (worker, progress) = (Rc::clone(&worker), Arc::clone(&progress));
        progress.enter(Phase::Busy);
        async move {
            let (mut response, discard) =
                http::answer(Rc::clone(&worker), request, address, is_secure, live::upgrade).await;
            if worker.shared.is_draining() && response.status() != StatusCode::SWITCHING_PROTOCOLS {
                // The client sends its next request to the process that follows.
                response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            match discard {
                None => progress.enter(Phase::Idle),
                Some(discard) => {
                    progress.enter(Phase::Discarding);
                    spawn_local(async move {
                        discard.run().await;
                        // The next request may have begun.
                        if progress.phase() == Phase::Discarding {
                            progress.enter(Phase::Idle);
                        }
                    });
                }
            }
            Ok::<_, Infallible>(response)
        }
    });
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service).with_upgrades());
    let mut is_closing = false;
    let driven = std::future::poll_fn(|cx| {
        // First what has arrived, which may be a request. Errors are the client's: it went away, or sent no HTTP.
        if connection.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        let is_between = match watch.progress.phase() {
            // The response to this request will close the connection.
            Phase::Head => false,
            Phase::Fresh => watch.hurried.get(),
            Phase::Idle | Phase::Busy | Phase::Discarding => true,
        };
        if watch.draining.get() && !is_closing && is_between {
            is_closing = true;
            connection.as_mut().graceful_shutdown();
            return connection.as_mut().poll(cx).map(drop);
        }
        Poll::Pending
    });
    unless_expired(&watch, driven).await;
}

async fn serve_http2(
    worker: Rc<Worker>,
    builder: &http2::Builder<LocalExecutor>,
    stream: TlsStream<TcpStream>,
    permit: Permit,
    watch: Rc<Watch>,
    address: IpAddr,
) {
    let progress = Arc::clone(&watch.progress);
    progress.enter(Phase::Idle);
    let stream = Stream::new(Accepted::Tls(Box::new(stream)), Arc::clone(&progress), false, permit);
    let in_progress = Rc::new(Cell::new(0));
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        let worker = Rc::clone(&worker);
        let in_progress = InProgress::begin(&in_progress, &progress);
        set_host(&mut request);
        async move {
            // What is left of the body is reset with NO_ERROR behind the response (RFC 9113, section 8.1).
            let (response, _) = http::answer(worker, request, address, true, live::upgrade).await;
            drop(in_progress);
            Ok::<_, Infallible>(response)
        }
    });
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    let mut is_closing = false;
    let driven = std::future::poll_fn(|cx| {
        if watch.draining.get() && !is_closing {
            is_closing = true;
            connection.as_mut().graceful_shutdown();
        }
        connection.as_mut().poll(cx).map(drop)
    });
    unless_expired(&watch, driven).await;
}

/// Copies the host of HTTP/2 from `:authority` (RFC 9113, section 8.3.1) to `Host`, where handlers read it.
fn set_host(request: &mut hyper::Request<Incoming>) {
    let authority = request.uri().authority().map(|authority| authority.as_str());
    if let Some(host) = authority.and_then(|authority| HeaderValue::from_str(authority).ok()) {
        request.headers_mut().insert(header::HOST, host);
    }
}

/// A request in progress. Its connection is idle when the last of them is answered or reset.
struct InProgress {
    count: Rc<Cell<usize>>,
    progress: Arc<Progress>,
}

impl InProgress {
    fn begin(count: &Rc<Cell<usize>>, progress: &Arc<Progress>) -> Self {
        count.set(count.get() + 1);
        progress.enter(Phase::Busy);
        Self { count: Rc::clone(count), progress: Arc::clone(progress) }
    }
}

impl Drop for InProgress {
    fn drop(&mut self) {
        self.count.set(self.count.get() - 1);
        if self.count.get() == 0 {
            self.progress.enter(Phase::Idle);
        }
    }
}
