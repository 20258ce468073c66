//! Bounds on connections, and refusals of bodies that are not wanted: they arrive, whatever the client still sends.

use std::net::{IpAddr, SocketAddr, UdpSocket};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::http::{multipart, raw_status, read_to_close};
use crate::support::*;

/// Reads one response with its `content-length`, and returns it as text.
async fn response(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let length = |answer: &[u8]| {
        let text = String::from_utf8_lossy(answer).into_owned();
        let (head, body) = text.split_once("\r\n\r\n")?;
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "))?;
        Some((length.parse::<usize>().ok()?, body.len()))
    };
    within("a response", async {
        while length(&answer).is_none_or(|(wanted, found)| found < wanted) {
            let count = stream.read_buf(&mut answer).await.expect("a response");
            assert!(count > 0, "closed after {:?}", String::from_utf8_lossy(&answer));
        }
    })
    .await;
    String::from_utf8(answer).expect("text")
}

async fn ask(stream: &mut TcpStream, request: &str) -> u16 {
    stream.write_all(request.as_bytes()).await.expect("written");
    raw_status(response(stream).await.as_bytes())
}

const HEALTH: &str = "GET /health HTTP/1.1\r\nhost: x\r\n\r\n";

/// A connection that was answered, so it is admitted.
async fn admitted(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.expect("connect");
    assert_eq!(ask(&mut stream, HEALTH).await, 200);
    stream
}

/// Waits until a new connection is admitted again.
async fn until_admitted(address: SocketAddr) {
    within("a connection to be admitted", async {
        loop {
            let mut stream = TcpStream::connect(address).await.expect("connect");
            let _ = stream.write_all(HEALTH.as_bytes()).await;
            let mut answer = [0; 12];
            if stream.read_exact(&mut answer).await.is_ok() && answer.ends_with(b"200") {
                return;
            }
        }
    })
    .await;
}

/// B22.
#[tokio::test]
async fn connections_beyond_the_bound_get_503_until_one_ends() {
    let server = Server::with(&[("CAMPFIRE_MAX_CONNECTIONS", "4")]);
    let address = server.address().get();
    let mut open = Vec::new();
    for _ in 0..4 {
        open.push(admitted(address).await);
    }
    for _ in 0..3 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let _ = stream.write_all(HEALTH.as_bytes()).await;
        let refused = String::from_utf8(read_to_close(&mut stream).await).unwrap();
        assert!(refused.starts_with("HTTP/1.1 503 "), "{refused}");
        assert!(
            refused.contains("\r\nretry-after: 5\r\n") && refused.contains("\r\nconnection: close\r\n"),
            "{refused}"
        );
        assert!(
            refused.contains("\"code\":\"overloaded\"") && refused.contains("Too many connections"),
            "{refused}"
        );
    }
    server.logs("max_connections are open");
    let metrics = "GET /metrics HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n";
    open[0].write_all(metrics.as_bytes()).await.unwrap();
    let metrics = response(&mut open[0]).await;
    assert!(metrics.contains("\ncampfire_connections_refused_total 3\n"), "{metrics}");
    for stream in &mut open {
        assert_eq!(ask(stream, HEALTH).await, 200, "those that are open go on");
    }
    open.pop();
    until_admitted(address).await;
}

/// B22.
#[tokio::test]
async fn sockets_count_as_connections() {
    let team = Team::with(&[("CAMPFIRE_MAX_CONNECTIONS", "4")]).await;
    let address = team.ada.address();
    let sockets = [team.ada.socket().await, team.ada.socket().await];
    let _idle = admitted(address).await;
    // The fourth is that on which Ada asks.
    team.ada.get("/health").await.expect(200);
    let mut stream = TcpStream::connect(address).await.unwrap();
    assert_eq!(raw_status(&read_to_close(&mut stream).await), 503);
    drop(sockets);
    until_admitted(address).await;
}

/// The address of this machine on its network, if it has one.
fn own_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    // Sends nothing: it only chooses a route.
    socket.connect("192.0.2.1:9").ok()?;
    Some(socket.local_addr().ok()?.ip()).filter(|address| !address.is_loopback() && !address.is_unspecified())
}

/// B22.
#[tokio::test]
async fn connections_of_one_address_are_bounded_but_not_those_of_loopback() {
    let Some(own) = own_address() else {
        return println!("skipped: this machine has no address but loopback");
    };
    let settings = [("CAMPFIRE_MAX_PER_ADDRESS", "2")];
    let mut server = Server::with(&settings);
    server.terminate();
    server.restart_at("0.0.0.0:0");
    let here = SocketAddr::new("127.0.0.1".parse().unwrap(), server.address().get().port());
    let there = SocketAddr::new(own, here.port());
    let open = [admitted(there).await, admitted(there).await];
    let mut stream = TcpStream::connect(there).await.unwrap();
    assert_eq!(raw_status(&read_to_close(&mut stream).await), 503);
    server.logs("max_per_address are open from one");
    let _local = [admitted(here).await, admitted(here).await, admitted(here).await];
    drop(open);
    until_admitted(there).await;
}

/// What is sent before the body of a request, with these header lines.
fn head(method_and_path: &str, lines: &[&str]) -> String {
    let lines: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
    format!("{method_and_path} HTTP/1.1\r\nhost: x\r\n{lines}\r\n")
}

/// B22.
#[tokio::test]
async fn caller_is_known_before_a_long_body_is_read() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    let as_grace = format!("authorization: Bearer {}", grace.token);
    let long = "content-length: 1000000";
    let chunked = "transfer-encoding: chunked";
    let json = "content-type: application/json";
    for (request, lines, wanted) in [
        ("POST /api/messages", vec![json, long], 401),
        ("POST /api/messages", vec![json, chunked], 401),
        ("PATCH /api/account", vec![json, long, &as_grace], 403),
        ("POST /api/bots", vec![json, chunked, &as_grace], 403),
        ("PUT /api/users/1/avatar", vec![long], 401),
        ("POST /hooks/none", vec![json, long], 403),
        // Whoever is not signed in may send 64 KiB.
        ("POST /api/session", vec![json, "content-length: 65537"], 413),
        ("POST /nowhere", vec![json, long], 404),
    ] {
        // Not a byte of the body is sent.
        let mut stream = TcpStream::connect(team.ada.address()).await.unwrap();
        assert_eq!(ask(&mut stream, &head(request, &lines)).await, wanted, "{request} {lines:?}");
    }
}

/// 41.
#[tokio::test]
async fn refusal_arrives_at_a_client_that_sends_all_before_it_reads() {
    const LENGTH: usize = 6 << 20;
    let team = Team::with(&[("CAMPFIRE_UPLOAD_LIMIT", "1"), ("CAMPFIRE_POST_LIMIT", "4")]).await;
    for number in 0..4 {
        team.ada.say(team.room, &format!("message {number} of the 4 that are allowed")).await;
    }
    let grace = team.join("Grace").await;
    let (as_ada, as_grace) =
        [&team.ada, &grace].map(|who| format!("authorization: Bearer {}", who.token)).into();
    let upload = format!("POST /api/rooms/{}/attachments", team.room);
    let (kind, form) = multipart(&[], &[("file", "a.bin", &vec![7; LENGTH])]);
    let kind = format!("content-type: {kind}");
    let plain = vec![b'x'; LENGTH];
    for (request, lines, body, wanted) in [
        (&*upload, vec![&*kind], &form, 401),
        (&upload, vec![&kind, &as_grace], &form, 413),
        (&upload, vec!["content-type: text/plain", &as_grace], &form, 415),
        (&upload, vec![&kind, &as_ada], &form, 429),
        ("PUT /api/users/me/avatar", vec![&as_ada], &plain, 404),
        ("PUT /api/account/logo", vec![&as_grace], &plain, 403),
        ("POST /api/messages", vec!["content-type: application/json", &as_ada], &plain, 413),
        ("POST /api/session", vec!["content-type: application/json"], &plain, 413),
        ("POST /hooks/none", vec![], &plain, 403),
        ("POST /rooms/1/none/messages", vec![], &plain, 401),
        ("PUT /health", vec![], &plain, 405),
        ("POST /nowhere", vec![], &plain, 404),
        ("GET /health", vec![], &plain, 200),
    ] {
        for is_chunked in [false, true] {
            let mut bytes = Vec::with_capacity(body.len() + 1_000);
            let length = format!("content-length: {}", body.len());
            let mut lines = lines.clone();
            lines.push(if is_chunked { "transfer-encoding: chunked" } else { &length });
            bytes.extend_from_slice(head(request, &lines).as_bytes());
            if is_chunked {
                bytes.extend_from_slice(format!("{:x}\r\n", body.len()).as_bytes());
                bytes.extend_from_slice(body);
                bytes.extend_from_slice(b"\r\n0\r\n\r\n");
            } else {
                bytes.extend_from_slice(body);
            }
            let mut stream = TcpStream::connect(team.ada.address()).await.unwrap();
            let what = format!("{request} {lines:?}");
            within(&what, stream.write_all(&bytes)).await.unwrap_or_else(|error| panic!("{what}: {error}"));
            assert_eq!(raw_status(response(&mut stream).await.as_bytes()), wanted, "{what}");
            // All of it was read, so the connection goes on.
            assert_eq!(ask(&mut stream, HEALTH).await, 200, "{what}");
        }
    }
}

/// 41.
#[tokio::test]
async fn refused_client_that_waits_for_100_is_not_waited_for() {
    let team = Team::start().await;
    let mut stream = TcpStream::connect(team.ada.address()).await.unwrap();
    let lines = ["content-type: application/json", "content-length: 1000000", "expect: 100-continue"];
    stream.write_all(head("POST /api/messages", &lines).as_bytes()).await.unwrap();
    let answer = read_to_close(&mut stream).await;
    assert_eq!(raw_status(&answer), 401, "{}", String::from_utf8_lossy(&answer));
}

/// B9.
#[tokio::test]
async fn multipart_body_beyond_a_bound_is_refused_with_a_sentence() {
    let team = Team::start().await;
    let path = format!("/api/rooms/{}/attachments", team.room);
    let send =
        |body: Vec<u8>| team.ada.request("POST", &path).body("multipart/form-data; boundary=b", body).send();
    let field = |name: &str, value: &str| {
        format!("--b\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let long = "x".repeat(300 << 10);
    for (body, why) in [
        (format!("{long}\r\n{}--b--", field("file", "x")), "before the first part"),
        (format!("--b\r\nx: {long}\r\n\r\nx\r\n--b--"), "the head of a part"),
        (format!("{}--b--", field("content", &long)), "a text field"),
        (format!("{}--b--", field("other", &long)), "what is in unknown fields"),
        (format!("{}--b--", field("other", &long[..200_000]).repeat(2)), "what is in unknown fields"),
        (format!("{}--b--", field("other", "").repeat(33)), "more than 32 parts"),
    ] {
        let problem = send(body.into_bytes()).await.problem(413, "too_large");
        assert!(problem["detail"].as_str().unwrap().contains(why), "{problem}");
        assert!(problem["limit"].as_u64().is_some(), "{problem}");
    }
    let two = [field("file", "one"), field("file", "two"), "--b--".into()].concat();
    send(two.into_bytes()).await.invalid(&["file"]);
    let message =
        send([field("other", "x").repeat(30), field("file", "fits"), "--b--".into()].concat().into_bytes());
    message.await.expect(201);
    let incoming = std::fs::read_dir(team.server.data().join("files/incoming")).unwrap().count();
    assert_eq!(incoming, 0);
}

/// B9.
#[tokio::test]
async fn upload_that_trickles_in_is_ended_with_408() {
    let team = Team::with(&[("CAMPFIRE_BODY_TIMEOUT", "1")]).await;
    let mut stream = TcpStream::connect(team.ada.address()).await.unwrap();
    let request = format!("POST /api/rooms/{}/attachments", team.room);
    let bearer = format!("authorization: Bearer {}", team.ada.token);
    let lines = [&*bearer, "content-type: multipart/form-data; boundary=b", "content-length: 1000000"];
    let start = "--b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"x\"\r\n\r\n";
    stream.write_all((head(&request, &lines) + start).as_bytes()).await.unwrap();
    // Each byte comes long before the timeout of a read.
    let (mut reading, mut writing) = stream.split();
    let trickle = async {
        while writing.write_all(b"x").await.is_ok() {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    };
    let mut answer = [0; 12];
    tokio::select! {
        () = trickle => panic!("the connection ended without an answer"),
        read = within("an answer", reading.read_exact(&mut answer)) => drop(read.unwrap()),
    }
    assert_eq!(&answer, b"HTTP/1.1 408");
}

/// B14. All of the kinds count together.
#[tokio::test]
async fn guesses_of_codes_and_links_are_limited_by_address() {
    let team = Team::start().await;
    let nobody = team.nobody();
    let form = json!({"name": "Grace", "email": "grace@example.com", "password": PASSWORD});
    let code = format!("/api/join/{}", team.join_code);
    for round in 0..10 {
        for guess in ["/api/join/none", "/api/session/reset/none", "/api/session/transfer/none"] {
            nobody.post(guess, form.clone()).await.problem(404, "not_found");
        }
        if round == 5 {
            nobody.post(&code, form.clone()).await.expect(201);
        }
    }
    for refused in ["/api/join/none", &code, "/api/session/reset/none", "/api/session/transfer/none"] {
        let reply = nobody.post(refused, form.clone()).await;
        reply.problem(429, "rate_limited");
        let wait: u64 = reply.header("retry-after").expect("Retry-After").parse().expect("seconds");
        assert!((1..=180).contains(&wait), "{wait}");
    }
    // Another address may go on.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
    let mut stream = socket.connect(nobody.address()).await.unwrap();
    let request = head("POST /api/session/transfer/none", &["content-length: 0"]);
    assert_eq!(ask(&mut stream, &request).await, 404);
}

/// B14.
#[tokio::test]
async fn people_who_join_are_limited_by_address() {
    let team = Team::start().await;
    let nobody = team.nobody();
    let join = async |number: usize| {
        let form = json!({"name": "P", "email": format!("{number}@example.com"), "password": PASSWORD});
        nobody.post(&format!("/api/join/{}", team.join_code), form).await
    };
    for chunk in (0..100).collect::<Vec<_>>().chunks(10) {
        for reply in futures_util::future::join_all(chunk.iter().map(|number| join(*number))).await {
            reply.expect(201);
        }
    }
    join(100).await.problem(429, "rate_limited");
}

/// B14.
#[tokio::test]
async fn test_pushes_are_limited_by_person() {
    let team = Team::start().await;
    let keys = json!({
        "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
        "auth": "BTBZMqHH6r4Tts7J_aSIgg",
    });
    let subscription = json!({"endpoint": "https://push.invalid/x", "keys": keys});
    let made = team.ada.post("/api/push/subscriptions", subscription).await.expect(201);
    let path = format!("/api/push/subscriptions/{}/test", id(&made));
    for _ in 0..10 {
        assert_eq!(team.ada.post(&path, json!({})).await.status, 202);
    }
    team.ada.post(&path, json!({})).await.problem(429, "rate_limited");
}
