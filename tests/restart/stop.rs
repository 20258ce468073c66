//! Stopping: requests under way are answered, idle connections and sockets are closed in order.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::http::{raw_status, read_to_close};
use crate::support::*;

async fn connect(team: &Team) -> TcpStream {
    TcpStream::connect(team.server.address().get()).await.expect("connect")
}

/// Waits until the server has so many connections.
async fn has_connections(team: &Team, count: usize) {
    let line = format!("campfire_http_connections {count}");
    let nobody = team.nobody();
    within(&line, async {
        while !nobody.get("/metrics").await.text().lines().any(|it| it == line) {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

fn stop(team: &Team) {
    team.server.signal("TERM");
    team.server.logs("stopping");
}

/// Asserts a response with this status and `connection: close`.
#[track_caller]
fn last_answer(bytes: &[u8], status: u16) {
    let text = String::from_utf8_lossy(bytes);
    assert_eq!(raw_status(bytes), status, "{text}");
    assert!(text.to_lowercase().contains("\r\nconnection: close\r\n"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn stop_answers_a_request_under_way_and_closes_idle_connections() {
    let mut team = Team::start().await;
    let body = json!({"room_id": team.room, "content": "Half of it came before, half after"}).to_string();
    let (half, rest) = body.split_at(body.len() / 2);
    let mut posting = connect(&team).await;
    let head = format!(
        "POST /api/messages HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{half}",
        team.ada.token,
        body.len()
    );
    posting.write_all(head.as_bytes()).await.unwrap();
    let mut idle = connect(&team).await;
    idle.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut first = [0; 12];
    within("an answer", idle.read_exact(&mut first)).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 200");
    stop(&team);
    let left = read_to_close(&mut idle).await;
    assert!(!String::from_utf8_lossy(&left).contains("HTTP/1.1"), "nothing was asked");
    posting.write_all(rest.as_bytes()).await.unwrap();
    last_answer(&read_to_close(&mut posting).await, 201);
    assert_eq!(team.server.wait().code(), Some(0));
    team.server.restart();
    let page = team.ada.get(&format!("/api/rooms/{}/messages", team.room)).await.expect(200);
    assert_eq!(page["messages"].as_array().map(Vec::len), Some(1), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn stop_answers_a_fresh_connection_once() {
    let mut team = Team::start().await;
    let mut fresh = connect(&team).await;
    let mut half = connect(&team).await;
    half.write_all(b"GET /api/setup HTTP/1.1\r\nho").await.unwrap();
    // These two, the one from the set-up, and the one that asks for metrics.
    has_connections(&team, 4).await;
    stop(&team);
    fresh.write_all(b"GET /api/setup HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    last_answer(&read_to_close(&mut fresh).await, 200);
    half.write_all(b"st: x\r\n\r\n").await.unwrap();
    last_answer(&read_to_close(&mut half).await, 200);
    assert_eq!(team.server.wait().code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn stop_signal_sent_twice_ends_the_server_at_once() {
    let mut team = Team::start().await;
    let mut half = connect(&team).await;
    half.write_all(b"GET /api/setup HTTP/1.1\r\nho").await.unwrap();
    has_connections(&team, 3).await;
    stop(&team);
    assert!(team.server.runs(), "it waits for the rest of the request");
    team.server.signal("TERM");
    assert_eq!(team.server.wait().code(), Some(1));
    team.server.logs("told to stop twice");
    team.server.restart();
    team.ada.get("/api/session").await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn stop_delivers_queued_messages_and_a_retry_hint() {
    let mut team = Team::start().await;
    let grace = team.join("Grace").await;
    let mut sockets = Vec::new();
    for _ in 0..20 {
        sockets.push(grace.socket_in(team.room).await);
    }
    for n in 0..100 {
        team.ada.say(team.room, &format!("{n} {}", "and so on ".repeat(100))).await;
    }
    stop(&team);
    let mut hints = std::collections::BTreeSet::new();
    for mut socket in sockets {
        // Sending while the server closes must not lose what is still unread.
        let _ = socket.try_send(json!({"type": "ping", "t": 1})).await;
        assert_eq!(socket.closed().await, Some(1001));
        let heard = socket.skipped.iter().filter(|it| it["type"] == "message.created").count();
        assert_eq!(heard, 100);
        hints.insert(socket.retry_hint().unwrap_or_else(|| panic!("no hint in {:?}", socket.close_reason)));
    }
    assert!(hints.len() > 1, "everybody at another moment: {hints:?}");
    assert!(hints.iter().all(|ms| (200..=3_000).contains(ms)), "{hints:?}");
    assert_eq!(team.server.wait().code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn stop_acknowledges_every_post_over_a_socket() {
    let mut team = Team::start().await;
    let mut socket = team.ada.socket_in(team.room).await;
    for n in 0..50 {
        let message = json!({"type": "message", "room_id": team.room, "content": format!("{n}"),
            "client_message_id": format!("m{n}")});
        socket.send(message).await;
    }
    // Now some are posted, some are under way, and some are still unread.
    socket.expect("ack").await;
    team.server.signal("TERM");
    assert_eq!(socket.closed().await, Some(1001));
    assert_eq!(team.server.wait().code(), Some(0));
    let acked = 1 + socket.skipped.iter().filter(|it| it["type"] == "ack").count();
    team.server.restart();
    let page = team.ada.get(&format!("/api/rooms/{}/messages?limit=100", team.room)).await.expect(200);
    assert_eq!(page["messages"].as_array().map(Vec::len), Some(acked), "what is posted is acknowledged");
}
