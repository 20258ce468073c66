//! From a request to its answer: find the route, find out who asks, check what they may, let the handler answer.

mod account;
mod admin;
mod assets;
mod body;
mod boosts;
mod bots;
mod export;
mod files;
mod health;
mod hooks;
mod messages;
mod once;
mod openapi;
mod pages;
mod peer;
mod pictures;
mod push;
mod request;
mod response;
mod rooms;
mod router;
mod search;
mod session;
mod sync;
mod tokens;
mod upload;
mod users;

use std::{
    future::Future,
    net::IpAddr,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    rc::Rc,
    task::Poll,
    time::{Duration, Instant},
};

use hyper::{
    HeaderMap, Method, Request, Response, StatusCode,
    body::Incoming,
    header::{self, HeaderName, HeaderValue},
};

pub(crate) use self::{body::Body, export::write as write_export, openapi::document as openapi_document};
use self::{
    peer::Peer,
    request::{Call, MAX_JSON, origin_is_ours, read_body, viewer},
    response::{Conditions, Reply},
    router::{Handler, find},
};
use crate::{
    chat::{Admin, Viewer},
    wire::Problem,
    worker::Worker,
};

/// Answers a WebSocket handshake of somebody who may make it, and takes the connection over. The process passes it in,
/// since `http` and `live` know nothing of one another.
pub(crate) type Upgrade = fn(&Rc<Worker>, Request<Incoming>, &Viewer) -> Result<Response<()>, Problem>;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A read on a worker that takes longer than this is given up: it would hold up everybody else's.
const READ_DEADLINE: Duration = Duration::from_secs(2);

/// A request that takes longer is worth a line in the log.
const SLOW: Duration = Duration::from_secs(1);

/// Tells the pages of one binary from those of the next, which may word them differently.
fn boot_tag() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

/// How many routes there are, for those who count by route.
pub(crate) fn route_count() -> usize {
    router::ROUTES.len()
}

/// Answers one request, that came from `address`, over TLS if `is_secure`. Whatever goes wrong inside is an answer too.
pub(crate) async fn answer(
    worker: Rc<Worker>,
    request: Request<Incoming>,
    address: IpAddr,
    is_secure: bool,
    upgrade: Upgrade,
) -> Response<Body> {
    let started = Instant::now();
    let peer = Peer::of(address, is_secure, request.headers(), &worker.config().trusted_proxy);
    worker.catch_up();
    let id = request_id(&worker, request.headers());
    let origin = request.headers().get(header::ORIGIN).cloned();
    let (response, place) = match preflight(&worker, &request) {
        Some(response) => (response, route_count()),
        None => routed(&worker, request, peer, upgrade).await,
    };
    let mut response = response;
    if let Some(origin) = origin.filter(|_| !worker.config().cors_origins.is_empty()) {
        allow_origin(&worker, origin, response.headers_mut());
    }
    response.headers_mut().insert(X_REQUEST_ID, id);
    if is_secure && let Some(policy) = &worker.shared.hsts {
        response.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, policy.clone());
    }
    let took = started.elapsed();
    worker.metrics.routes[place].record(response.status().as_u16(), took);
    if took > SLOW || worker.is_sampled(started) {
        trace(&worker, place, &response, took);
    }
    response
}

/// One request a second is traced, and every slow one: enough to see what goes on, whatever the load.
fn trace(worker: &Worker, place: usize, response: &Response<Body>, took: Duration) {
    let route = router::ROUTES.get(place).map_or("none", |route| route.path);
    let (status, id) = (response.status().as_u16(), response.headers().get(&X_REQUEST_ID));
    let span = tracing::debug_span!("request", route, status, ?id, worker = worker.id);
    let _inside = span.enter();
    if took > SLOW {
        tracing::warn!(?took, route, status, "a slow request");
    } else {
        tracing::debug!(?took, "a request");
    }
}

/// Finds the route and calls its handler; answers the response and the route's place in the table.
async fn routed(
    worker: &Rc<Worker>,
    request: Request<Incoming>,
    peer: Peer,
    upgrade: Upgrade,
) -> (Response<Body>, usize) {
    let found = match find(request.method(), request.uri().path()) {
        Ok(found) => found,
        Err(problem) => {
            return (Reply::from(problem).into_response(&Conditions::of(request.headers())), route_count());
        }
    };
    let place = found.place;
    if matches!(found.route.handler, Handler::Socket) {
        let response = socket_viewer(worker, &request, peer.address)
            .and_then(|viewer| upgrade(worker, request, &viewer))
            .map(|response| response.map(|()| Body::default()))
            .unwrap_or_else(|problem| Reply::from(problem).into_response(&Conditions::default()));
        return (response, place);
    }
    let (parts, body) = request.into_parts();
    let mut call = Call {
        worker: Rc::clone(worker),
        method: parts.method,
        uri: parts.uri,
        headers: parts.headers,
        address: peer.address,
        is_secure: peer.is_secure,
        params: found.params,
        body: bytes::Bytes::new(),
    };
    // The handler may take the call with it; what the response needs of the request is small.
    let asked = Conditions::of(&call.headers);
    let handled = async {
        if let Handler::Upload(answer) = found.route.handler {
            let viewer = viewer_who_writes(&call)?;
            return answer(call, viewer, body).await;
        }
        if let Handler::AnybodyUpload(answer) = found.route.handler {
            refuse_blocked(&call)?;
            return answer(call, body).await;
        }
        if call.method != Method::GET && call.method != Method::HEAD {
            let read = read_body(worker, body, MAX_JSON).await;
            // What happened while the body came in is part of what the handler sees.
            worker.catch_up();
            call.body = read?;
        }
        dispatch(found.route.handler, call).await
    };
    let mut handled = pin!(handled);
    // What a handler had borrowed is given back as it unwinds; nothing of it is used again.
    let handled =
        std::future::poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| handled.as_mut().poll(cx))) {
            Ok(polled) => polled.map(Ok),
            Err(_) => Poll::Ready(Err(())),
        });
    let reply = match handled.await {
        Ok(Ok(reply)) => reply,
        Ok(Err(problem)) => problem.into(),
        Err(()) => {
            worker.metrics.panics.add(1);
            tracing::error!(route = found.route.path, "a handler panicked");
            Problem::internal().into()
        }
    };
    if reply.status.is_server_error() && reply.status != StatusCode::SERVICE_UNAVAILABLE {
        tracing::error!(route = found.route.path, status = reply.status.as_u16(), "a request failed");
    }
    (reply.into_response(&asked), place)
}

/// Who opens a socket. A cookie comes along whoever opens it, and a browser always says who does: without `Origin`, or with
/// that of another site, it does not count.
fn socket_viewer(worker: &Worker, request: &Request<Incoming>, address: IpAddr) -> Result<Viewer, Problem> {
    let headers = request.headers();
    let viewer = viewer(worker, headers, request.method(), address)?.ok_or_else(Problem::not_signed_in)?;
    if worker.state.borrow().is_blocked(address) {
        return Err(Problem::forbidden("Nothing can be written from this address."));
    }
    let by_cookie = !headers.contains_key(header::AUTHORIZATION);
    if by_cookie && !(headers.contains_key(header::ORIGIN) && origin_is_ours(headers)) {
        return Err(Problem::cross_site());
    }
    Ok(viewer)
}

fn signed_in(call: &Call) -> Result<Viewer, Problem> {
    viewer(&call.worker, &call.headers, &call.method, call.address)?.ok_or_else(Problem::not_signed_in)
}

/// Somebody was banned there: whoever it is, nothing is written from that address.
fn refuse_blocked(call: &Call) -> Result<(), Problem> {
    if call.worker.state.borrow().is_blocked(call.address) {
        return Err(Problem::forbidden("Nothing can be written from this address."));
    }
    Ok(())
}

fn viewer_who_writes(call: &Call) -> Result<Viewer, Problem> {
    refuse_blocked(call)?;
    signed_in(call)
}

async fn dispatch(handler: Handler, call: Call) -> router::Response {
    match handler {
        Handler::Anybody(answer) => answer(&call),
        Handler::AnybodyWrites(answer) => {
            refuse_blocked(&call)?;
            request::refuse_cross_site(&call)?;
            answer(call).await
        }
        Handler::Viewer(answer) => {
            let viewer = signed_in(&call)?;
            answer(&call, &viewer)
        }
        Handler::ViewerWaits(answer) => {
            let viewer = signed_in(&call)?;
            answer(call, viewer).await
        }
        Handler::ViewerWrites(answer) => {
            let viewer = viewer_who_writes(&call)?;
            answer(call, viewer).await
        }
        Handler::Admin(answer) => {
            let admin = Admin::of(signed_in(&call)?)?;
            answer(&call, &admin)
        }
        Handler::AdminWrites(answer) => {
            let admin = Admin::of(viewer_who_writes(&call)?)?;
            answer(call, admin).await
        }
        // Their bodies are their own to read.
        Handler::Upload(_) | Handler::AnybodyUpload(_) | Handler::Socket => Err(Problem::not_found()),
    }
}

/// The caller's own id if it is 1 to 128 printable characters, otherwise one of ours.
fn request_id(worker: &Worker, headers: &HeaderMap) -> HeaderValue {
    let theirs = headers.get(&X_REQUEST_ID).filter(|id| {
        (1..=128).contains(&id.len()) && id.as_bytes().iter().all(|byte| (0x20..0x7F).contains(byte))
    });
    theirs.cloned().unwrap_or_else(|| {
        HeaderValue::from_maybe_shared(worker.next_request_id()).expect("hexadecimal digits are printable")
    })
}

/// Answers `OPTIONS` of an allowed origin (CORS); nobody else's.
fn preflight(worker: &Worker, request: &Request<Incoming>) -> Option<Response<Body>> {
    if request.method() != Method::OPTIONS
        || !request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
    {
        return None;
    }
    let origin = request.headers().get(header::ORIGIN)?;
    is_allowed(worker, origin).then(|| {
        let reply = Reply::no_content()
            .with(
                header::ACCESS_CONTROL_ALLOW_METHODS,
                HeaderValue::from_static("GET, POST, PUT, PATCH, DELETE"),
            )
            .with(
                header::ACCESS_CONTROL_ALLOW_HEADERS,
                HeaderValue::from_static("authorization, content-type, if-none-match, x-request-id"),
            )
            .with(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
        reply.into_response(&Conditions::of(request.headers()))
    })
}

fn is_allowed(worker: &Worker, origin: &HeaderValue) -> bool {
    worker.config().cors_origins.iter().any(|allowed| allowed.as_bytes() == origin.as_bytes())
}

/// Lets pages of an allowed origin read the answer. Cookies stay out of it: such pages use a token.
fn allow_origin(worker: &Worker, origin: HeaderValue, headers: &mut HeaderMap) {
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    if is_allowed(worker, &origin) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static("etag, link, retry-after, x-request-id"),
        );
    }
}
