//! HTTP/1.1 as raw bytes: pipelining, partial requests and malformed ones.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::http::raw_status;
use crate::support::*;

const HEALTH: &str = "GET /health HTTP/1.1\r\nhost: x\r\n\r\n";

/// Reads until so many responses have begun.
async fn answers(stream: &mut TcpStream, count: usize) -> String {
    let mut all = Vec::new();
    within("answers", async {
        while String::from_utf8_lossy(&all).matches("HTTP/1.1 ").count() < count {
            let n = stream.read_buf(&mut all).await.expect("an answer");
            assert!(n > 0, "closed after {:?}", String::from_utf8_lossy(&all));
        }
    })
    .await;
    String::from_utf8_lossy(&all).into_owned()
}

async fn connect(server: &Server) -> TcpStream {
    TcpStream::connect(server.address().get()).await.expect("connect")
}

#[tokio::test]
async fn answer_does_not_wait_for_bytes_after_its_request() {
    let server = Server::start();
    for after in
        ["GET /hea", "\r\n", "\0", "POST /api/session HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n{"]
    {
        let mut stream = connect(&server).await;
        stream.write_all(format!("{HEALTH}{after}").as_bytes()).await.unwrap();
        assert_eq!(raw_status(answers(&mut stream, 1).await.as_bytes()), 200, "{after:?}");
    }
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let team = Team::start().await;
    let mut stream = connect(&team.server).await;
    let token = &team.ada.token;
    let mut bytes = String::new();
    for n in 0..50 {
        let body = json!({"room_id": team.room, "content": format!("pipelined {n}")}).to_string();
        bytes.push_str(&format!(
            "POST /api/messages HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\nx-request-id: n{n}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        ));
    }
    stream.write_all(bytes.as_bytes()).await.unwrap();
    let text = answers(&mut stream, 50).await;
    let order: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("x-request-id: ")).collect();
    assert!(order.iter().enumerate().all(|(n, it)| *it == format!("n{n}")), "{order:?}");
    assert_eq!(text.matches("HTTP/1.1 201").count(), 50, "{text}");
}

#[tokio::test]
async fn pipelined_requests_before_a_bad_one_are_answered() {
    let server = Server::start();
    let answer =
        raw_exchange(server.address().get(), format!("{HEALTH}{HEALTH}GARBAGE\r\n\r\n").as_bytes()).await;
    let text = String::from_utf8_lossy(&answer).into_owned();
    assert_eq!(text.matches("HTTP/1.1 200").count(), 2, "{text}");
    assert_eq!(text.matches("HTTP/1.1 400").count(), 1, "{text}");
}

#[tokio::test]
async fn malformed_requests_are_refused_and_do_no_harm() {
    let server = Server::start();
    for bytes in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET /health HTTP/9.9\r\nhost: x\r\n\r\n",
        b"GET /he alth HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET /health HTTP/1.1\r\nhost x\r\n\r\n",
        b"GET /health HTTP/1.1\r\nho\0st: x\r\n\r\n",
        b"GET /health HTTP/1.1\r\nhost: x\r\n folded: y\r\n\r\n",
        b"POST /api/session HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nabcdef",
        b"POST /api/session HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
        b"POST /api/session HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999999999999999\r\n\r\n",
        b"POST /api/session HTTP/1.1\r\nhost: x\r\ntransfer-encoding: gzip\r\n\r\n",
    ] {
        let mut stream = connect(&server).await;
        stream.write_all(bytes).await.unwrap();
        // No more bytes follow, so the server must end the connection.
        stream.shutdown().await.unwrap();
        let answer = http::read_to_close(&mut stream).await;
        let status = raw_status(&answer);
        assert!(status == 0 || (400..=505).contains(&status), "{}", String::from_utf8_lossy(&answer));
    }
    let nobody = Client::new(server.address(), http::Credentials::None);
    nobody.get("/health").await.expect(200);
}

#[tokio::test]
async fn malformed_chunks_end_the_request() {
    let team = Team::start().await;
    for chunks in ["zz\r\n", "fffffffffffffffff\r\n", "-1\r\n", "5\r\nabc", "5;ext=\"\0\"\r\nabcdeXX"] {
        let head = format!(
            "POST /api/messages HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\
             content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n{chunks}",
            team.ada.token
        );
        let mut stream = connect(&team.server).await;
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        let answer = http::read_to_close(&mut stream).await;
        assert!(matches!(raw_status(&answer), 0 | 400), "{}", String::from_utf8_lossy(&answer));
    }
    assert_eq!(
        team.ada.get(&format!("/api/rooms/{}/messages", team.room)).await.expect(200)["messages"],
        json!([])
    );
}

#[tokio::test]
async fn half_closed_client_still_gets_its_answer() {
    let team = Team::start().await;
    let mut stream = connect(&team.server).await;
    stream.write_all(HEALTH.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    assert_eq!(raw_status(&http::read_to_close(&mut stream).await), 200);
    // Also when the response takes longer.
    for n in 0..20 {
        let body = json!({"room_id": team.room, "content": format!("{n}")}).to_string();
        let head = format!(
            "POST /api/messages HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            team.ada.token,
            body.len()
        );
        let mut stream = connect(&team.server).await;
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        assert_eq!(raw_status(&http::read_to_close(&mut stream).await), 201);
    }
}

#[tokio::test]
async fn non_text_bytes_in_headers_and_queries_do_no_harm() {
    let server = Server::start();
    let mut request =
        b"GET /api/session?%00=%ff&limit=%ff HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncookie: ".to_vec();
    request.extend_from_slice(
        b"campfire_session=\xff\xfe; =;;\r\nauthorization: Bearer \xff\r\naccept-encoding: \xff\r\n\r\n",
    );
    let answer = raw_exchange(server.address().get(), &request).await;
    assert_eq!(raw_status(&answer), 401, "{}", String::from_utf8_lossy(&answer));
}

#[tokio::test]
async fn disconnect_in_mid_request_leaves_nothing_behind() {
    let team = Team::start().await;
    for n in 0..50 {
        let head = format!(
            "POST /api/messages HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\
             content-type: application/json\r\ncontent-length: 1000\r\n\r\n{{\"room_id\":",
            team.ada.token
        );
        let mut stream = connect(&team.server).await;
        stream.write_all(&head.as_bytes()[..head.len() - n]).await.unwrap();
    }
    team.ada.say(team.room, "Only this").await;
    let page = team.ada.get(&format!("/api/rooms/{}/messages", team.room)).await.expect(200);
    assert_eq!(page["messages"].as_array().map(Vec::len), Some(1));
}
