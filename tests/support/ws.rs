//! A WebSocket client for both subprotocols, which keeps the events that it skipped.

use std::collections::VecDeque;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::error::Error;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::protocol::Message;
use tokio_tungstenite::{WebSocketStream, client_async};

use super::http::{Client, Credentials};
use super::within;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Json,
    Msgpack,
}

/// What a socket received: an event, or its end with the close code (none if it ended without a close frame).
#[derive(Debug)]
pub enum Received {
    Event(Value),
    Closed(Option<u16>),
}

pub struct Socket {
    pub stream: WebSocketStream<TcpStream>,
    pub format: Format,
    /// The first event.
    pub hello: Value,
    /// Events that `expect` skipped, oldest first.
    pub skipped: VecDeque<Value>,
    /// The reason in the close frame.
    pub close_reason: Option<String>,
}

/// A handshake as a browser sends it, for a test to change.
pub fn handshake_request(client: &Client, protocol: Option<&str>) -> Request {
    let mut request = format!("ws://{}/ws", client.address()).into_client_request().expect("a request");
    let headers = request.headers_mut();
    match client.credentials() {
        Credentials::None => {}
        Credentials::Cookie(token) => {
            headers.insert("cookie", format!("campfire_session={token}").parse().expect("a cookie"));
            headers.insert("origin", client.origin().parse().expect("an origin"));
        }
        Credentials::Bearer(token) => {
            headers.insert("authorization", format!("Bearer {token}").parse().expect("a token"));
        }
    }
    if let Some(protocol) = protocol {
        headers.insert("sec-websocket-protocol", protocol.parse().expect("a protocol"));
    }
    request
}

/// Asserts that the handshake is refused; returns status and body.
pub async fn refused_handshake(client: &Client, request: Request) -> (u16, Value) {
    let stream = TcpStream::connect(client.address()).await.expect("connect");
    match within("the handshake's answer", client_async(request, stream)).await {
        Err(Error::Http(response)) => {
            let status = response.status().as_u16();
            let body = response.into_body().unwrap_or_default();
            (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
        }
        Err(error) => panic!("no HTTP answer but {error}"),
        Ok(_) => panic!("the handshake was accepted"),
    }
}

impl Socket {
    pub async fn connect(client: &Client) -> Socket {
        Socket::open(client, Some("campfire.json"), Format::Json, None).await
    }

    pub async fn connect_msgpack(client: &Client) -> Socket {
        Socket::open(client, Some("campfire.msgpack"), Format::Msgpack, None).await
    }

    /// A socket with a small kernel buffer, which fills as soon as nobody reads.
    pub async fn connect_with_small_buffer(client: &Client) -> Socket {
        Socket::open(client, Some("campfire.json"), Format::Json, Some(2048)).await
    }

    pub async fn open(
        client: &Client,
        protocol: Option<&str>,
        format: Format,
        buffer: Option<u32>,
    ) -> Socket {
        let tcp = TcpSocket::new_v4().expect("a socket");
        if let Some(bytes) = buffer {
            tcp.set_recv_buffer_size(bytes).expect("SO_RCVBUF");
        }
        let stream = tcp.connect(client.address()).await.expect("connect");
        stream.set_nodelay(true).expect("TCP_NODELAY");
        let request = handshake_request(client, protocol);
        let (stream, response) =
            within("the handshake", client_async(request, stream)).await.expect("the handshake");
        let chosen =
            response.headers().get("sec-websocket-protocol").map(|it| it.to_str().expect("printable"));
        assert_eq!(chosen, protocol, "the subprotocol");
        let mut socket =
            Socket { stream, format, hello: Value::Null, skipped: VecDeque::new(), close_reason: None };
        let hello = socket.event().await;
        assert_eq!(hello["type"], "hello", "the first event: {hello}");
        socket.hello = hello;
        socket
    }

    pub async fn send(&mut self, message: Value) {
        let frame = match self.format {
            Format::Json => Message::text(message.to_string()),
            Format::Msgpack => Message::binary(rmp_serde::to_vec_named(&message).expect("MessagePack")),
        };
        self.send_frame(frame).await;
    }

    pub async fn send_frame(&mut self, frame: Message) {
        within("a frame to be sent", self.stream.send(frame)).await.expect("the socket takes a frame");
    }

    /// Sends, and tells whether it worked: the server may be gone.
    pub async fn try_send(&mut self, message: Value) -> bool {
        within("a frame to be sent", self.stream.send(Message::text(message.to_string()))).await.is_ok()
    }

    /// The next event, or the end.
    pub async fn next(&mut self) -> Received {
        loop {
            let frame = within("anything on the socket", self.stream.next()).await;
            match frame {
                Some(Ok(Message::Text(text))) => {
                    assert_eq!(self.format, Format::Json, "a text frame on a MessagePack socket: {text}");
                    let event = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e} in {text}"));
                    return Received::Event(event);
                }
                Some(Ok(Message::Binary(bytes))) => {
                    assert_eq!(self.format, Format::Msgpack, "a binary frame on a JSON socket");
                    return Received::Event(unpack(&bytes));
                }
                Some(Ok(Message::Close(frame))) => {
                    self.close_reason = frame.as_ref().map(|it| it.reason.to_string());
                    return Received::Closed(frame.map(|it| it.code.into()));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Received::Closed(None),
            }
        }
    }

    /// The next event of any type.
    pub async fn event(&mut self) -> Value {
        match self.next().await {
            Received::Event(event) => event,
            Received::Closed(code) => {
                panic!("the socket was closed with {code:?}; skipped: {:?}", self.skipped)
            }
        }
    }

    /// The next event of this type; others are added to `skipped`.
    pub async fn expect(&mut self, kind: &str) -> Value {
        self.expect_where(kind, |_| true).await
    }

    /// The next event of this type that meets the condition.
    pub async fn expect_where(&mut self, kind: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let started = tokio::time::Instant::now();
        loop {
            let event = self.event().await;
            if event["type"] == kind && wanted(&event) {
                return event;
            }
            self.skipped.push_back(event);
            assert!(started.elapsed() < super::DEADLINE, "no {kind} but {:?}", self.skipped);
        }
    }

    /// The close code; events before it are added to `skipped`.
    pub async fn closed(&mut self) -> Option<u16> {
        let started = tokio::time::Instant::now();
        loop {
            match self.next().await {
                Received::Closed(code) => return code,
                Received::Event(event) => self.skipped.push_back(event),
            }
            assert!(started.elapsed() < super::DEADLINE, "it stays open: {:?}", self.skipped);
        }
    }

    /// After how many milliseconds a stopping server wants us to reconnect.
    pub fn retry_hint(&self) -> Option<u64> {
        let reason: Value = serde_json::from_str(self.close_reason.as_ref()?).ok()?;
        reason["retry_after_ms"].as_u64()
    }

    /// Joins a room and returns the `joined` answer.
    pub async fn join(&mut self, room: i64) -> Value {
        self.send(json!({"type": "join_room", "room_id": room})).await;
        self.expect_where("joined", |it| it["room_id"] == room).await
    }

    pub async fn join_since(&mut self, room: i64, since: i64) -> Value {
        self.send(json!({"type": "join_room", "room_id": room, "since": since})).await;
        self.expect_where("joined", |it| it["room_id"] == room).await
    }

    pub async fn leave(&mut self, room: i64) -> Value {
        self.send(json!({"type": "leave_room", "room_id": room})).await;
        self.expect_where("left", |it| it["room_id"] == room).await
    }

    /// Posts a message over the socket and returns the `ack`.
    pub async fn say(&mut self, room: i64, content: &str, client_message_id: &str) -> Value {
        self.send(json!({"type": "message", "room_id": room, "content": content,
            "client_message_id": client_message_id}))
            .await;
        self.expect_where("ack", |it| it["client_message_id"] == client_message_id).await
    }

    /// The content of the next new message.
    pub async fn next_content(&mut self) -> String {
        let event = self.expect("message.created").await;
        event["message"]["content"].as_str().expect("content").to_owned()
    }

    /// Waits for a pong: everything that was queued for this socket before has arrived.
    pub async fn round_trip(&mut self) {
        let t = format!("{:p}-{}", self, self.skipped.len());
        self.send(json!({"type": "ping", "t": t})).await;
        self.expect_where("pong", |it| it["t"] == t).await;
    }

    /// Asserts that no event of this type was skipped.
    #[track_caller]
    pub fn assert_not_received(&self, kind: &str) {
        let heard = self.skipped.iter().find(|it| it["type"] == kind);
        assert!(heard.is_none(), "heard {heard:?}");
    }

    /// Ends the connection without a close frame.
    pub fn disconnect(self) {
        drop(self);
    }
}

/// The value of a MessagePack frame.
pub fn unpack(bytes: &Bytes) -> Value {
    rmp_serde::from_slice(bytes).unwrap_or_else(|error| panic!("{error} in {bytes:?}"))
}
