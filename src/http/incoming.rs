//! The body of a request: read within bounds. What a handler leaves of it is read after the response, for a while, since
//! closing the connection before the client has sent it would reset the connection, and the client could lose the response.

use std::{cell::Cell, future::poll_fn, pin::pin, rc::Rc, task::Poll, time::Duration};

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::{
    HeaderMap,
    body::{Body, Incoming},
    header,
};
use tokio::time::timeout;

use super::request::Call;
use crate::{memory::Share, wire::Problem, worker::Worker};

/// Bytes of a JSON body.
pub(crate) const MAX_JSON: usize = 1 << 20;

/// The same of a caller who is not signed in.
pub(super) const MAX_JSON_OF_ANYBODY: usize = 64 << 10;

/// Bytes of a body that are read before it is known whether the caller may call the route: so small that this would cost
/// more than is saved.
const MAX_UNASKED: u64 = 16 << 10;

/// What counts for each body that has to be waited for, beside its bytes and its head: the memory of a handler.
const HANDLER: usize = 4 << 10;

/// Bytes of a body that are read and discarded after the response, besides a file's.
const MAX_DISCARDED: u64 = 16 << 20;

/// How long they may take in all, and how long the client may send nothing.
const DISCARD_WITHIN: Duration = Duration::from_secs(60);
const DISCARD_PATIENCE: Duration = Duration::from_secs(5);

/// A body that is being received. What it has not given when it is dropped is left to [`Rest`].
pub(crate) struct RequestBody {
    /// None only while it is dropped.
    incoming: Option<Incoming>,
    /// None while the router has the body: see [`Discard::of`].
    rest: Option<Rest>,
    /// The client sends nothing before it is told to (RFC 9110, section 10.1.1), which the first read does.
    waits: bool,
}

/// What the handler has left of a body.
#[derive(Clone)]
pub(super) struct Rest(Rc<Cell<Option<Incoming>>>);

impl RequestBody {
    pub(super) fn new(incoming: Incoming, headers: &HeaderMap) -> Self {
        let expect = headers.get(header::EXPECT);
        let waits = expect.is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue"));
        Self { incoming: Some(incoming), rest: None, waits }
    }

    /// For a handler that takes it. Only such ones take an allocation.
    pub(super) fn shared(mut self) -> (Self, Rest) {
        let rest = Rest(Rc::default());
        self.rest = Some(rest.clone());
        (self, rest)
    }

    fn incoming(&mut self) -> &mut Incoming {
        self.incoming.as_mut().expect("it is there until the drop")
    }

    /// What is left of it, if the client sends it.
    fn take_rest(&mut self) -> Option<Incoming> {
        let waits = self.waits;
        self.incoming.take().filter(|incoming| !waits && !incoming.is_end_stream())
    }

    /// What the head says about its length; 0 if it does not say.
    pub(crate) fn claimed(&self) -> u64 {
        self.incoming.as_ref().map_or(0, |incoming| incoming.size_hint().lower())
    }

    /// Whether its head says that it has few bytes.
    pub(super) fn is_short(&self) -> bool {
        let length = self.incoming.as_ref().and_then(|incoming| incoming.size_hint().exact());
        length.is_some_and(|length| length <= MAX_UNASKED)
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.incoming.as_ref().is_none_or(Body::is_end_stream)
    }

    /// The next bytes; None at the end. 400 if it breaks off.
    pub(crate) async fn data(&mut self) -> Result<Option<Bytes>, Problem> {
        self.waits = false;
        while let Some(frame) = self.incoming().frame().await {
            let frame = frame.map_err(|_| Problem::malformed("The body ended early."))?;
            // Trailers are ignored.
            if let Ok(data) = frame.into_data() {
                return Ok(Some(data));
            }
        }
        Ok(None)
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        if let Some(Rest(rest)) = self.rest.take() {
            rest.set(self.take_rest());
        }
    }
}

/// Reads what is left of a body of HTTP/1 after the response.
pub(crate) struct Discard {
    incoming: Incoming,
    most: u64,
}

impl Discard {
    pub(super) fn of(worker: &Worker, mut body: RequestBody) -> Option<Self> {
        Self::new(worker, body.take_rest())
    }

    pub(super) fn of_rest(worker: &Worker, Rest(rest): &Rest) -> Option<Self> {
        Self::new(worker, rest.take())
    }

    fn new(worker: &Worker, left: Option<Incoming>) -> Option<Self> {
        let most = MAX_DISCARDED.max(worker.config().upload_limit);
        left.map(|incoming| Self { incoming, most })
    }

    pub(crate) async fn run(mut self) {
        let reading = async {
            while let Ok(Some(Ok(frame))) = timeout(DISCARD_PATIENCE, self.incoming.frame()).await {
                let length = frame.data_ref().map_or(0, |data| data.len() as u64);
                let Some(left) = self.most.checked_sub(length) else { return };
                self.most = left;
            }
        };
        // The connection is closed after the time, as after the bytes.
        let _ = timeout(DISCARD_WITHIN, reading).await;
    }
}

/// A share of the memory for bodies. 503 if that is used up, or the caller's part of it.
pub(super) fn reserve(call: &Call, bytes: usize) -> Result<Share, Problem> {
    let mut share = call.worker.shared.bodies.share(Some(call.owner()));
    share.grow(bytes).map_err(|_| Problem::overloaded())?;
    Ok(share)
}

/// Reads a body of at most `limit` bytes. 413 if it is larger, 408 after the configured time, 400 if it breaks off, 503 if
/// too many others are being received.
pub(crate) async fn read_body(call: &Call, body: &mut RequestBody, limit: usize) -> Result<Bytes, Problem> {
    if body.is_at_end() {
        return Ok(Bytes::new());
    }
    let worker = &call.worker;
    // More than that could never be received.
    let limit = limit.min(worker.shared.bodies.most() - HANDLER);
    if body.claimed() > limit as u64 {
        return Err(Problem::too_large(limit));
    }
    let mut whole = BytesMut::new();
    // Most bodies are there as one frame. They are not copied, and count for nothing.
    if let Poll::Ready(first) = polled_once(body.data()).await {
        let first = first?.unwrap_or_default();
        if first.len() <= limit && body.is_at_end() {
            return Ok(first);
        }
        whole.extend_from_slice(&first);
    }
    let reading = async {
        let mut share = reserve(call, HANDLER + size_of_head(&call.headers) + whole.len())?;
        while whole.len() <= limit {
            // Held until the handler is done with them: it may have to wait.
            let Some(data) = body.data().await? else { return Ok(share.hold(whole.freeze())) };
            share.grow(data.len()).map_err(|_| Problem::overloaded())?;
            whole.extend_from_slice(&data);
        }
        Err(Problem::too_large(limit))
    };
    timeout(worker.config().body_timeout, reading).await.unwrap_or_else(|_| Err(Problem::timeout()))
}

async fn polled_once<F: Future>(future: F) -> Poll<F::Output> {
    let mut future = pin!(future);
    poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await
}

/// The bytes of a head, roughly.
fn size_of_head(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 32).sum()
}
