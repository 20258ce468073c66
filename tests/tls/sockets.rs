//! WebSocket over TLS.

use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::Message;
use tokio_tungstenite::{WebSocketStream, client_async};

use super::certificates::serve;
use crate::support::tls::{Authority, NAME, ask, http2, tls_handshake};
use crate::support::*;

type Wss = WebSocketStream<TlsStream<TcpStream>>;

/// Sets up the server; returns the first room and the administrator's cookie.
async fn set_up(server: &Server, authority: &Authority) -> (i64, String) {
    let mut sender = http2(server.address().get(), &authority.client(&["h2"])).await;
    let json = [("content-type", "application/json")];
    let reply = ask(&mut sender, "POST", "/api/setup", &json, team::setup_form().to_string()).await;
    let cookie = reply.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    (id(&serde_json::from_slice::<Value>(reply.body()).unwrap()["room"]), cookie)
}

async fn connect(server: &Server, authority: &Authority, cookie: &str) -> Wss {
    // A browser offers only HTTP/1.1 on the connection for a WebSocket.
    let stream = tls_handshake(server.address().get(), &authority.client(&["http/1.1"])).await.unwrap();
    let mut request = format!("wss://{NAME}/ws").into_client_request().unwrap();
    request.headers_mut().insert("cookie", cookie.parse().unwrap());
    request.headers_mut().insert("origin", format!("https://{NAME}").parse().unwrap());
    let (socket, _) = within("the handshake", client_async(request, stream)).await.unwrap();
    socket
}

async fn expect_event(socket: &mut Wss, kind: &str) -> Value {
    within(kind, async {
        loop {
            if let Message::Text(text) = socket.next().await.expect("open").expect("a frame") {
                let event: Value = serde_json::from_str(&text).unwrap();
                if event["type"] == kind {
                    return event;
                }
            }
        }
    })
    .await
}

async fn send(socket: &mut Wss, what: Value) {
    within("a frame to be sent", socket.send(Message::text(what.to_string()))).await.unwrap();
}

#[tokio::test]
async fn websocket_over_tls_carries_messages_and_close_codes() {
    let authority = Authority::new();
    let (mut server, _dir) = serve(&authority, &[]);
    let (room, cookie) = set_up(&server, &authority).await;
    let mut sender = connect(&server, &authority, &cookie).await;
    let mut receiver = connect(&server, &authority, &cookie).await;
    for socket in [&mut sender, &mut receiver] {
        send(socket, json!({"type": "join_room", "room_id": room})).await;
        expect_event(socket, "joined").await;
    }
    // From one byte to several TLS records, in both directions.
    for length in [1, 100, 16_000, 16_384, 60_000] {
        let content = "x".repeat(length);
        send(&mut sender, json!({"type": "message", "room_id": room, "content": content})).await;
        let event = expect_event(&mut receiver, "message.created").await;
        assert_eq!(event["message"]["content"].as_str().unwrap().len(), length);
    }
    // A message that is too large is refused while it is still being sent.
    let _ = sender.send(Message::text("x".repeat(2 << 20))).await;
    let closed = within("a close frame", async {
        loop {
            match sender.next().await {
                Some(Ok(Message::Close(frame))) => return frame.map(|frame| u16::from(frame.code)),
                Some(Ok(_)) => {}
                other => panic!("{other:?}"),
            }
        }
    });
    assert_eq!(closed.await, Some(1009));
    server.signal("TERM");
    let closed = within("a close frame", async {
        loop {
            match receiver.next().await {
                Some(Ok(Message::Close(frame))) => return frame.map(|frame| u16::from(frame.code)),
                Some(Ok(_)) => {}
                other => panic!("{other:?}"),
            }
        }
    });
    assert_eq!(closed.await, Some(1001));
    assert!(server.wait().success());
}

#[tokio::test]
async fn websocket_over_tls_delivers_everything_to_a_reader_that_pauses() {
    const MESSAGES: usize = 60;
    let authority = Authority::new();
    let (server, _dir) = serve(&authority, &[]);
    let (room, cookie) = set_up(&server, &authority).await;
    let mut slow = connect(&server, &authority, &cookie).await;
    send(&mut slow, json!({"type": "join_room", "room_id": room})).await;
    expect_event(&mut slow, "joined").await;
    let mut sender = connect(&server, &authority, &cookie).await;
    // 0.9 MB in frames of 15 KB, which fits into the server's queue for a slow consumer.
    for number in 0..MESSAGES {
        let content = format!("{number} {}", "y".repeat(7_000));
        let client_message_id = format!("m{number}");
        send(
            &mut sender,
            json!({"type": "message", "room_id": room, "content": content, "client_message_id": client_message_id}),
        )
        .await;
        expect_event(&mut sender, "ack").await;
    }
    for number in 0..MESSAGES {
        let event = expect_event(&mut slow, "message.created").await;
        let content = event["message"]["content"].as_str().unwrap();
        assert!(content.starts_with(&format!("{number} ")), "{}", &content[..10]);
    }
}
