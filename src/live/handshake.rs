//! The WebSocket handshake (RFC 6455, section 4.2): checks the request, chooses the subprotocol, and starts the task
//! of the connection.

use std::rc::Rc;

use hyper::{
    HeaderMap, Request, Response, StatusCode,
    body::Incoming,
    header::{self, HeaderValue},
};
use hyper_util::rt::TokioIo;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::socket::SocketTask;
use crate::{
    chat::Viewer,
    transport::Stream,
    wire::{Problem, frame::Encoding},
    worker::Worker,
};

/// Answers `GET /ws`: 101, after which the connection is a socket; 426 if the request is not a handshake.
pub(crate) fn upgrade(
    worker: &Rc<Worker>,
    mut request: Request<Incoming>,
    viewer: &Viewer,
) -> Result<Response<()>, Problem> {
    let headers = request.headers();
    let has_token = |name: &header::HeaderName, word: &str| {
        headers
            .get_all(name)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .any(|value| value.split(',').any(|item| item.trim().eq_ignore_ascii_case(word)))
    };
    let is_handshake = has_token(&header::CONNECTION, "upgrade")
        && has_token(&header::UPGRADE, "websocket")
        && headers.get(header::SEC_WEBSOCKET_VERSION).is_some_and(|version| version == "13")
        // 16 bytes in base64.
        && headers.get(header::SEC_WEBSOCKET_KEY).is_some_and(|key| key.len() == 24);
    let key = headers
        .get(header::SEC_WEBSOCKET_KEY)
        .filter(|_| is_handshake)
        .ok_or_else(Problem::upgrade_required)?;
    let accept = derive_accept_key(key.as_bytes());
    let (encoding, subprotocol) = subprotocol(headers);
    let upgrading = hyper::upgrade::on(&mut request);
    let (worker, viewer) = (Rc::clone(worker), viewer.clone());
    tokio::task::spawn_local(async move {
        // Fails if the client disconnects before the switch.
        let Ok(upgraded) = upgrading.await else { return };
        let Ok(parts) = upgraded.downcast::<TokioIo<Stream>>() else { return };
        let stream = parts.io.into_inner().into_transport();
        // A task of its own, so that hyper's buffers are freed before it starts.
        tokio::task::spawn_local(SocketTask::start(worker, viewer, encoding, stream, parts.read_buf));
    });
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::SEC_WEBSOCKET_ACCEPT, HeaderValue::try_from(accept).expect("base64 is printable"));
    if let Some(subprotocol) = subprotocol {
        headers.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(subprotocol));
    }
    Ok(response)
}

/// The first supported subprotocol of those offered; JSON, unnamed, if there is none.
fn subprotocol(headers: &HeaderMap) -> (Encoding, Option<&'static str>) {
    let offered =
        headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|value| value.to_str().ok());
    for name in offered.flat_map(|value| value.split(',')) {
        match name.trim() {
            "campfire.json" => return (Encoding::Json, Some("campfire.json")),
            "campfire.msgpack" => return (Encoding::MessagePack, Some("campfire.msgpack")),
            _ => {}
        }
    }
    (Encoding::Json, None)
}
