//! Stopping: who is served gets an answer, who is not is sent away in good order.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::http::{raw_status, read_to_close};
use crate::support::*;

async fn connect(camp: &Camp) -> TcpStream {
    TcpStream::connect(camp.server.address().get()).await.expect("connect")
}

/// Returns once the server has so many connections.
async fn has_connections(camp: &Camp, count: usize) {
    let line = format!("campfire_http_connections {count}");
    let nobody = camp.nobody();
    within(&line, async {
        while !nobody.get("/metrics").await.text().lines().any(|it| it == line) {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

fn stop(camp: &Camp) {
    camp.server.signal("TERM");
    camp.server.logs("stopping");
}

/// Fails unless this is an answer with the status that says that it is the last.
#[track_caller]
fn last_answer(bytes: &[u8], status: u16) {
    let text = String::from_utf8_lossy(bytes);
    assert_eq!(raw_status(bytes), status, "{text}");
    assert!(text.to_lowercase().contains("\r\nconnection: close\r\n"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_under_way_is_answered_and_an_idle_connection_closed() {
    let mut camp = Camp::start().await;
    let body = json!({"room_id": camp.room, "content": "Half of it came before, half after"}).to_string();
    let (half, rest) = body.split_at(body.len() / 2);
    let mut posting = connect(&camp).await;
    let head = format!(
        "POST /api/messages HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{half}",
        camp.ada.token,
        body.len()
    );
    posting.write_all(head.as_bytes()).await.unwrap();
    let mut idle = connect(&camp).await;
    idle.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut first = [0; 12];
    within("an answer", idle.read_exact(&mut first)).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 200");
    stop(&camp);
    let left = read_to_close(&mut idle).await;
    assert!(!String::from_utf8_lossy(&left).contains("HTTP/1.1"), "nothing was asked");
    posting.write_all(rest.as_bytes()).await.unwrap();
    last_answer(&read_to_close(&mut posting).await, 201);
    assert_eq!(camp.server.wait().code(), Some(0));
    camp.server.restart();
    let page = camp.ada.get(&format!("/api/rooms/{}/messages", camp.room)).await.expect(200);
    assert_eq!(page["messages"].as_array().map(Vec::len), Some(1), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_just_connected_is_answered_once() {
    let mut camp = Camp::start().await;
    let mut fresh = connect(&camp).await;
    let mut half = connect(&camp).await;
    half.write_all(b"GET /api/setup HTTP/1.1\r\nho").await.unwrap();
    // These two, the one that set the camp up, and the one that asks.
    has_connections(&camp, 4).await;
    stop(&camp);
    fresh.write_all(b"GET /api/setup HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    last_answer(&read_to_close(&mut fresh).await, 200);
    half.write_all(b"st: x\r\n\r\n").await.unwrap();
    last_answer(&read_to_close(&mut half).await, 200);
    assert_eq!(camp.server.wait().code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_ends_it_at_once() {
    let mut camp = Camp::start().await;
    let mut half = connect(&camp).await;
    half.write_all(b"GET /api/setup HTTP/1.1\r\nho").await.unwrap();
    has_connections(&camp, 3).await;
    stop(&camp);
    assert!(camp.server.runs(), "it waits for the rest of the request");
    camp.server.signal("TERM");
    assert_eq!(camp.server.wait().code(), Some(1));
    camp.server.logs("stopped by a second signal");
    camp.server.restart();
    camp.ada.get("/api/session").await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_hears_what_was_said_before_and_when_to_come_back() {
    let mut camp = Camp::start().await;
    let grace = camp.join("Grace").await;
    let mut sockets = Vec::new();
    for _ in 0..20 {
        sockets.push(grace.socket_in(camp.room).await);
    }
    for n in 0..100 {
        camp.ada.say(camp.room, &format!("{n} {}", "and so on ".repeat(100))).await;
    }
    stop(&camp);
    let mut hints = std::collections::BTreeSet::new();
    for mut socket in sockets {
        // What it says while it is sent away must not take from it what it has not read yet.
        let _ = socket.try_send(json!({"type": "ping", "t": 1})).await;
        assert_eq!(socket.closed().await, Some(1001));
        let heard = socket.skipped.iter().filter(|it| it["type"] == "message.created").count();
        assert_eq!(heard, 100);
        hints.insert(socket.retry_hint().unwrap_or_else(|| panic!("no hint in {:?}", socket.farewell)));
    }
    assert!(hints.len() > 1, "everybody at another moment: {hints:?}");
    assert!(hints.iter().all(|ms| (200..=3_000).contains(ms)), "{hints:?}");
    assert_eq!(camp.server.wait().code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_gets_the_answers_to_what_it_posted() {
    let mut camp = Camp::start().await;
    let mut socket = camp.ada.socket_in(camp.room).await;
    for n in 0..50 {
        let message = json!({"type": "message", "room_id": camp.room, "content": format!("{n}"),
            "client_message_id": format!("m{n}")});
        socket.send(message).await;
    }
    // From here on some are posted, some are under way, and some are not even read.
    socket.expect("ack").await;
    camp.server.signal("TERM");
    assert_eq!(socket.closed().await, Some(1001));
    assert_eq!(camp.server.wait().code(), Some(0));
    let acked = 1 + socket.skipped.iter().filter(|it| it["type"] == "ack").count();
    camp.server.restart();
    let page = camp.ada.get(&format!("/api/rooms/{}/messages?limit=100", camp.room)).await.expect(200);
    assert_eq!(page["messages"].as_array().map(Vec::len), Some(acked), "what is posted is acknowledged");
}
