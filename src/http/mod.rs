//! HTTP: finds the route of a request, authenticates the caller, checks the permission of the route, calls the
//! handler, and turns its reply into a response.

mod account;
mod admin;
mod assets;
mod body;
mod boosts;
mod bots;
mod coding;
mod disposition;
mod emoji;
mod etag;
mod export;
mod files;
mod health;
mod hooks;
mod icons;
mod incoming;
mod invitations;
mod mail;
mod messages;
mod moved;
mod multipart;
mod once;
mod openapi;
mod pages;
mod peer;
mod pictures;
mod providers;
mod push;
mod query;
mod request;
mod response;
mod rooms;
mod router;
mod search;
mod second_factors;
mod session;
mod sign_ins;
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
    incoming::{Discard, MAX_JSON, MAX_JSON_OF_ANYBODY, RequestBody, read_body},
    peer::Peer,
    request::{Call, authenticate, origin_is_ours, viewer},
    response::{Conditions, Reply},
    router::{Handler, find},
};
use crate::{
    chat::{Admin, Viewer, check_address},
    wire::Problem,
    worker::Worker,
};

/// Answers a WebSocket handshake of an authenticated caller and takes over the connection. The server passes it in,
/// since `http` does not import `live`.
pub(crate) type Upgrade = fn(&Rc<Worker>, Request<Incoming>, &Viewer) -> Result<Response<()>, Problem>;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A read that takes longer is aborted with 503, since it blocks the worker.
const READ_DEADLINE: Duration = Duration::from_secs(2);

/// A request that takes longer is logged.
const SLOW: Duration = Duration::from_secs(1);

/// Part of the entity tags of pages, since another version may write them differently.
fn version_tag() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

/// The number of routes, for metrics by route.
pub(crate) fn route_count() -> usize {
    router::ROUTES.len()
}

/// Answers one request from `address`, over TLS if `is_secure`. Errors and panics become responses. What is left of the
/// request's body is returned too.
pub(crate) async fn answer(
    worker: Rc<Worker>,
    request: Request<Incoming>,
    address: IpAddr,
    is_secure: bool,
    upgrade: Upgrade,
) -> (Response<Body>, Option<Discard>) {
    let started = Instant::now();
    let peer = Peer::of(address, is_secure, request.headers(), &worker.config().trusted_proxy);
    worker.catch_up();
    let id = request_id(&worker, request.headers());
    let origin = request.headers().get(header::ORIGIN).cloned();
    let (mut response, place, rest) = match preflight(&worker, &request) {
        Some(response) => (response, route_count(), None),
        None => routed(&worker, request, peer, upgrade).await,
    };
    if let Some(origin) = origin.filter(|_| !worker.config().cors_origins.is_empty()) {
        allow_origin(&worker, origin, response.headers_mut());
    }
    response.headers_mut().insert(X_REQUEST_ID, id);
    if is_secure && let Some(policy) = &worker.shared.hsts {
        response.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, policy.clone());
    }
    let duration = started.elapsed();
    worker.metrics.routes[place].record(response.status().as_u16(), duration);
    if duration > SLOW || worker.is_sampled(started) {
        trace(&worker, place, &response, duration);
    }
    (response, rest)
}

/// Logs a request: a slow one as a warning, a sampled one for debugging.
fn trace(worker: &Worker, place: usize, response: &Response<Body>, duration: Duration) {
    let route = router::ROUTES.get(place).map_or("none", |route| route.path);
    let (status, id) = (response.status().as_u16(), response.headers().get(&X_REQUEST_ID));
    let span = tracing::debug_span!("request", route, status, ?id, worker = worker.id);
    let _inside = span.enter();
    if duration > SLOW {
        tracing::warn!(?duration, route, status, "a slow request");
    } else {
        tracing::debug!(?duration, "a request");
    }
}

/// Finds the route and calls its handler. Returns the response, the index of the route (the number of routes for none), and
/// what is left of the body.
async fn routed(
    worker: &Rc<Worker>,
    request: Request<Incoming>,
    peer: Peer,
    upgrade: Upgrade,
) -> (Response<Body>, usize, Option<Discard>) {
    let found = match find(request.method(), request.uri().path()) {
        Ok(found) => found,
        Err(problem) => {
            let (parts, body) = request.into_parts();
            let rest = Discard::of(worker, RequestBody::new(body, &parts.headers));
            let response = Reply::from(problem).into_response(&Conditions::of(&parts.headers));
            return (response, route_count(), rest);
        }
    };
    let place = found.place;
    if matches!(found.route.handler, Handler::Socket) {
        let response = socket_viewer(worker, &request, peer.address)
            .and_then(|viewer| upgrade(worker, request, &viewer))
            .map(|response| response.map(|()| Body::default()))
            .unwrap_or_else(|problem| Reply::from(problem).into_response(&Conditions::default()));
        return (response, place, None);
    }
    let (parts, body) = request.into_parts();
    let mut body = Some(RequestBody::new(body, &parts.headers));
    let mut shared = None;
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
    let is_read = call.method.is_safe();
    // Copied, since the handler consumes the call.
    let conditions = Conditions::of(&call.headers);
    let handled = async {
        let takes_body = matches!(found.route.handler, Handler::Upload(_) | Handler::AnybodyUpload(_));
        let taken = body.take_if(|_| takes_body).map(|body| {
            let (body, rest) = body.shared();
            shared = Some(rest);
            body
        });
        match (found.route.handler, taken) {
            (Handler::Upload(answer), Some(body)) => {
                let viewer = viewer_who_writes(&call)?;
                return answer(call, viewer, body).await;
            }
            (Handler::AnybodyUpload(answer), Some(body)) => {
                check_address(&call.worker, call.address)?;
                return answer(call, body).await;
            }
            _ => {}
        }
        if call.method != Method::GET
            && call.method != Method::HEAD
            && let Some(body) = &mut body
        {
            let is_anybodys = matches!(found.route.handler, Handler::AnybodyWrites(_));
            if !body.is_short() {
                permit(&found.route.handler, &call)?;
            }
            let limit = if is_anybodys { MAX_JSON_OF_ANYBODY } else { MAX_JSON };
            let read = read_body(&call, body, limit).await;
            // The state may have changed while the body was received.
            worker.catch_up();
            call.body = read?;
        }
        dispatch(found.route.handler, call).await
    };
    let handled = {
        let mut handled = pin!(handled);
        // Unwind-safe: borrows end as the handler unwinds, and its state is not used again.
        let polled = |cx: &mut std::task::Context<'_>| match catch_unwind(AssertUnwindSafe(|| {
            handled.as_mut().poll(cx)
        })) {
            Ok(polled) => polled.map(Ok),
            Err(_) => Poll::Ready(Err(())),
        };
        std::future::poll_fn(polled).await
    };
    let reply = match handled {
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
    let rest = match (body, &shared) {
        (Some(body), _) => Discard::of(worker, body),
        (None, Some(rest)) => Discard::of_rest(worker, rest),
        (None, None) => None,
    };
    // What was written is not answered with 503: the client would do it again.
    let is_counted = is_read && !reply.is_shared();
    let response = reply.into_response(&conditions);
    (if is_counted { counted(worker, response) } else { response }, place, rest)
}

/// 503 if too many large responses wait for their clients.
fn counted(worker: &Worker, response: Response<Body>) -> Response<Body> {
    let (parts, body) = response.into_parts();
    match body.counted(worker) {
        Ok(body) => Response::from_parts(parts, body),
        Err(_) => Reply::from(Problem::overloaded()).into_response(&Conditions::default()),
    }
}

/// The caller of a WebSocket handshake. Browsers send cookies and `Origin` with handshakes of any site, so a cookie
/// counts only with an `Origin` that names this host (RFC 6455, section 10.2).
fn socket_viewer(worker: &Worker, request: &Request<Incoming>, address: IpAddr) -> Result<Viewer, Problem> {
    let headers = request.headers();
    let (viewer, by_cookie) = authenticate(worker, headers, address).ok_or_else(Problem::not_signed_in)?;
    check_address(worker, address)?;
    if by_cookie && !(headers.contains_key(header::ORIGIN) && origin_is_ours(headers)) {
        return Err(Problem::cross_site());
    }
    Ok(viewer)
}

fn signed_in(call: &Call) -> Result<Viewer, Problem> {
    viewer(&call.worker, &call.headers, &call.method, call.address)?.ok_or_else(Problem::not_signed_in)
}

fn viewer_who_writes(call: &Call) -> Result<Viewer, Problem> {
    check_address(&call.worker, call.address)?;
    signed_in(call)
}

/// Whether the caller may call the route at all, before a long body is received for it. [`dispatch`] asks again.
fn permit(handler: &Handler, call: &Call) -> Result<(), Problem> {
    match handler {
        Handler::ViewerWrites(_) => viewer_who_writes(call).map(drop),
        Handler::AdminWrites(_) => Admin::of(viewer_who_writes(call)?).map(drop),
        // The others take no body, or read it themselves.
        _ => Ok(()),
    }
}

async fn dispatch(handler: Handler, call: Call) -> router::Response {
    match handler {
        Handler::Anybody(answer) => answer(&call),
        Handler::AnybodyWaits(answer) => answer(call).await,
        Handler::AnybodyWrites(answer) => {
            check_address(&call.worker, call.address)?;
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
        // These are handled before: they read the body themselves.
        Handler::Upload(_) | Handler::AnybodyUpload(_) | Handler::Socket => Err(Problem::not_found()),
    }
}

/// The client's `X-Request-Id` if it has 1 to 128 printable ASCII characters, otherwise a new id.
fn request_id(worker: &Worker, headers: &HeaderMap) -> HeaderValue {
    let theirs = headers.get(&X_REQUEST_ID).filter(|id| {
        (1..=128).contains(&id.len()) && id.as_bytes().iter().all(|byte| (0x20..0x7F).contains(byte))
    });
    theirs.cloned().unwrap_or_else(|| {
        HeaderValue::from_maybe_shared(worker.next_request_id()).expect("hexadecimal digits are printable")
    })
}

/// Answers a CORS preflight request of an allowed origin; None for any other request.
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

/// Adds the CORS headers for an allowed origin. Credentials are not allowed: such pages use a token.
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
