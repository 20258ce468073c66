//! Limits on sizes, times, origins and rates, and the security headers.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::http::{Credentials, raw_status, read_to_close};
use crate::support::*;

#[tokio::test]
async fn body_larger_than_a_mebibyte_is_413() {
    let team = Team::start().await;
    let huge = json!({"room_id": team.room, "content": "x", "padding": "y".repeat(1 << 20)});
    team.ada.post("/api/messages", huge).await.problem(413, "too_large");
    let fitting = json!({"room_id": team.room, "content": "x", "padding": "y".repeat((1 << 20) - 200)});
    team.ada.post("/api/messages", fitting).await.expect(201);
}

#[tokio::test]
async fn body_that_claims_to_be_large_is_refused_before_it_is_sent() {
    let team = Team::start().await;
    let head = request_head(&team, "content-length: 99999999999");
    let mut stream = TcpStream::connect(team.ada.address()).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    assert_eq!(status(&mut stream).await, 413);
}

#[tokio::test]
async fn chunked_body_without_end_is_cut_off() {
    let team = Team::start().await;
    let mut bytes = request_head(&team, "transfer-encoding: chunked").into_bytes();
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
    for _ in 0..128 {
        bytes.extend_from_slice(chunk.as_bytes());
    }
    let mut stream = TcpStream::connect(team.ada.address()).await.unwrap();
    stream.write_all(&bytes).await.unwrap();
    assert_eq!(status(&mut stream).await, 413);
    team.ada.get("/health").await.expect(200);
}

#[tokio::test]
async fn request_head_larger_than_the_limit_is_431() {
    let team = Team::start().await;
    let head = format!("GET /health HTTP/1.1\r\nhost: x\r\nx-padding: {}\r\n\r\n", "x".repeat(256 * 1024));
    let answer = raw_exchange(team.ada.address(), head.as_bytes()).await;
    assert!(matches!(raw_status(&answer), 431 | 0), "{}", String::from_utf8_lossy(&answer));
    let many: String = (0..2000).map(|n| format!("x-{n}: y\r\n")).collect();
    let head = format!("GET /health HTTP/1.1\r\nhost: x\r\n{many}\r\n");
    let mut stream = TcpStream::connect(team.ada.address()).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    assert_eq!(status(&mut stream).await, 431);
    team.ada.get("/health").await.expect(200);
}

#[tokio::test]
async fn header_timeout_ends_a_request_head_that_never_ends() {
    let team = Team::with(&[("CAMPFIRE_HEADER_TIMEOUT", "1")]).await;
    let mut stream = TcpStream::connect(team.ada.address()).await.unwrap();
    stream.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\nx-slow: ").await.unwrap();
    let started = Instant::now();
    let answer = read_to_close(&mut stream).await;
    assert!(matches!(raw_status(&answer), 408 | 0), "{}", String::from_utf8_lossy(&answer));
    assert!(started.elapsed() >= Duration::from_millis(500), "no patience at all");
}

#[tokio::test]
async fn body_timeout_ends_a_body_that_never_ends() {
    let team = Team::with(&[("CAMPFIRE_BODY_TIMEOUT", "1")]).await;
    let head = request_head(&team, "content-length: 100");
    let mut stream = TcpStream::connect(team.ada.address()).await.unwrap();
    stream.write_all(format!("{head}{{\"room").as_bytes()).await.unwrap();
    assert_eq!(status(&mut stream).await, 408);
}

/// The head of a POST of a message by Ada, with one more header line.
fn request_head(team: &Team, line: &str) -> String {
    format!(
        "POST /api/messages HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n{line}\r\n\r\n",
        team.ada.address(),
        team.ada.token
    )
}

/// Reads a response's head and returns its status.
async fn status(stream: &mut TcpStream) -> u16 {
    let mut answer = Vec::new();
    within("an answer", async {
        while !answer.windows(4).any(|it| it == b"\r\n\r\n") {
            let n = stream.read_buf(&mut answer).await.expect("an answer");
            assert!(n > 0, "closed after {:?}", String::from_utf8_lossy(&answer));
        }
    })
    .await;
    raw_status(&answer)
}

#[tokio::test]
async fn cross_site_write_with_a_cookie_is_403() {
    let team = Team::start().await;
    let own = team.ada.origin();
    let body = || json!({"room_id": team.room, "content": "Hi"});
    let post = |headers: &[(&'static str, String)]| {
        let mut draft = team.ada.request("POST", "/api/messages").json(body());
        for (name, value) in headers {
            draft = draft.header(name, value);
        }
        draft.send()
    };
    let site = |value: &str| ("sec-fetch-site", value.to_owned());
    let origin = |value: &str| ("origin", value.to_owned());
    for foreign in [
        vec![site("cross-site")],
        vec![site("same-site")],
        vec![site("cross-site"), origin(&own)],
        vec![site("nonsense")],
        vec![origin("https://evil.example")],
        vec![origin("null")],
        vec![origin(&format!("{own}.evil.example"))],
        vec![origin("http://127.0.0.1:1")],
        vec![origin("")],
    ] {
        post(&foreign).await.problem(403, "cross_site_request");
    }
    for familiar in [
        vec![],
        vec![site("same-origin")],
        vec![site("none")],
        vec![origin(&own)],
        vec![site("same-origin"), origin("https://proxy.example")],
    ] {
        post(&familiar).await.expect(201);
    }
}

#[tokio::test]
async fn cross_site_check_covers_every_write_and_no_read() {
    let team = Team::start().await;
    let message = format!("/api/messages/{}", id(&team.ada.say(team.room, "Hi").await));
    let room = format!("/api/rooms/{}", team.room);
    for (method, path) in [
        ("POST", "/api/rooms"),
        ("PATCH", &*room),
        ("DELETE", &room),
        ("PUT", &format!("{room}/members")),
        ("PUT", &format!("{room}/involvement")),
        ("POST", &format!("{room}/read")),
        ("PATCH", &message),
        ("DELETE", &message),
        ("PATCH", "/api/account"),
        ("POST", "/api/account/join_code"),
        ("PATCH", "/api/users/1"),
        ("DELETE", "/api/users/1"),
        ("DELETE", "/api/sessions/1"),
        ("DELETE", "/api/searches"),
        ("DELETE", "/api/session"),
    ] {
        let draft = team.ada.request(method, path).header("sec-fetch-site", "cross-site").json(json!({}));
        draft.send().await.problem(403, "cross_site_request");
    }
    team.ada.request("GET", &message).header("sec-fetch-site", "cross-site").send().await.expect(200);
    // A browser does not send a bearer token by itself.
    let bearer = team.ada.bearer();
    let draft = bearer.request("POST", "/api/messages").header("origin", "https://evil.example");
    draft.json(json!({"room_id": team.room, "content": "From a script"})).send().await.expect(201);
}

#[tokio::test]
async fn cors_allows_only_the_configured_origins() {
    let team = Team::start().await;
    let origin = "https://dashboard.example";
    let reply = team.ada.request("GET", "/api/rooms").header("origin", origin).send().await;
    assert_eq!(reply.header("access-control-allow-origin"), None);

    let team =
        Team::with(&[("CAMPFIRE_CORS_ORIGINS", "https://dashboard.example,https://other.example")]).await;
    let bearer = team.ada.bearer();
    let reply = bearer.request("GET", "/api/rooms").header("origin", origin).send().await;
    assert_eq!(reply.header("access-control-allow-origin"), Some(origin));
    let vary: Vec<_> =
        reply.headers.get_all("vary").iter().map(|it| it.to_str().unwrap().to_lowercase()).collect();
    assert!(vary.iter().any(|it| it.contains("origin")), "{vary:?}");
    let preflight = bearer.with(Credentials::None);
    let preflight = preflight
        .request("OPTIONS", "/api/messages")
        .header("origin", origin)
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "authorization,content-type")
        .send()
        .await;
    assert!(matches!(preflight.status, 200 | 204), "{}", preflight.status);
    assert_eq!(preflight.header("access-control-allow-origin"), Some(origin));
    let methods = preflight.header("access-control-allow-methods").expect("methods");
    assert!(methods.contains("POST"), "{methods}");
    let headers = preflight.header("access-control-allow-headers").expect("headers").to_lowercase();
    assert!(headers.contains("authorization") && headers.contains("content-type"), "{headers}");
    let reply = bearer.request("GET", "/api/rooms").header("origin", "https://evil.example").send().await;
    assert_eq!(reply.header("access-control-allow-origin"), None);
}

#[tokio::test]
async fn security_headers_are_on_every_answer() {
    let team = Team::start().await;
    for path in ["/", "/health", "/api/rooms", "/api/nothing", "/signin", "/rooms/1"] {
        let reply = team.ada.get(path).await;
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"), "{path}");
        if reply.header("content-type").is_some_and(|it| it.starts_with("text/html")) {
            let policy =
                reply.header("content-security-policy").unwrap_or_else(|| panic!("{path}: no policy"));
            assert!(!policy.contains("unsafe-") && !policy.contains('*'), "{policy}");
            for part in [
                "default-src 'none'",
                "script-src 'self'",
                "style-src 'self'",
                "base-uri 'none'",
                "frame-ancestors 'none'",
            ] {
                assert!(policy.contains(part), "{path}: no {part} in {policy}");
            }
            assert!(reply.header("referrer-policy").is_some(), "{path}: no Referrer-Policy");
            assert!(reply.header("permissions-policy").is_some(), "{path}: no Permissions-Policy");
        }
    }
}

#[tokio::test]
async fn page_is_served_at_each_of_its_paths() {
    let team = Team::start().await;
    let nobody = team.nobody();
    let index = nobody.get("/").await;
    assert!(index.header("content-type").is_some_and(|it| it.starts_with("text/html")));
    for path in [
        "/setup",
        "/signin",
        "/join/abcd-efgh-ijkl",
        "/reset/x",
        "/rooms/1",
        "/rooms/1/@2",
        "/search?q=x",
        "/settings",
    ] {
        let reply = nobody.get(path).await;
        assert_eq!((reply.status, &reply.body), (200, &index.body), "{path}");
    }
    for path in ["/favicon.svg", "/favicon.ico", "/manifest.webmanifest"] {
        assert_eq!(nobody.get(path).await.status, 200, "{path}");
    }
    // Every asset that the page names is served, with a hashed name and cached for ever.
    let html = index.text();
    let assets: Vec<&str> = html.split(['"', '\'']).filter(|it| it.starts_with("/assets/")).collect();
    assert!(!assets.is_empty(), "{html}");
    for asset in assets {
        let reply = nobody.get(asset).await;
        assert_eq!(reply.status, 200, "{asset}");
        assert!(reply.header("cache-control").is_some_and(|it| it.contains("immutable")), "{asset}");
    }
}

#[tokio::test]
async fn sign_in_is_limited_to_ten_wrong_passwords() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    // Successful sign-ins are not counted.
    for _ in 0..12 {
        grace.sign_in_again().await;
    }
    let nobody = team.nobody();
    let wrong = json!({"email": grace.email, "password": "not the password"});
    for _ in 0..10 {
        nobody.post("/api/session", wrong.clone()).await.problem(401, "not_signed_in");
    }
    let reply = nobody.post("/api/session", wrong.clone()).await;
    reply.problem(429, "rate_limited");
    let wait: u64 = reply.header("retry-after").expect("Retry-After").parse().expect("seconds");
    assert!((1..=180).contains(&wait), "{wait}");
    let right = json!({"email": grace.email, "password": PASSWORD});
    nobody.post("/api/session", right).await.problem(429, "rate_limited");
    // Sessions that exist stay valid.
    grace.get("/api/session").await.expect(200);
}

#[tokio::test]
async fn sign_in_limit_protects_an_account_from_many_addresses() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    let mut refused = 0;
    for n in 0..12 {
        // All of 127.0.0.0/8 is loopback, so one machine can be many clients.
        let reply = sign_in_from([127, 0, 1, n + 1], team.ada.address(), &grace.email.to_uppercase()).await;
        refused += usize::from(reply == 429);
    }
    assert_eq!(refused, 2);
    assert_eq!(sign_in_from([127, 0, 1, 1], team.ada.address(), "somebody@example.com").await, 401);
}

/// Tries a wrong password from a given address; returns the status.
async fn sign_in_from(from: [u8; 4], to: SocketAddr, email: &str) -> u16 {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind((from, 0).into()).unwrap();
    let mut stream = socket.connect(to).await.unwrap();
    let body = json!({"email": email, "password": "wrong password"}).to_string();
    let head = format!(
        "POST /api/session HTTP/1.1\r\nhost: {to}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    status(&mut stream).await
}

#[tokio::test]
async fn sign_in_answers_an_unknown_email_and_a_wrong_password_alike() {
    let team = Team::start().await;
    let nobody = team.nobody();
    let known =
        nobody.post("/api/session", json!({"email": team.ada.email, "password": "wrong password"})).await;
    let unknown =
        nobody.post("/api/session", json!({"email": "who@example.com", "password": "wrong password"})).await;
    assert_eq!(known.problem(401, "not_signed_in"), unknown.problem(401, "not_signed_in"));
    assert!(!known.headers.contains_key("set-cookie") && !unknown.headers.contains_key("set-cookie"));
    let names = |reply: &Reply| reply.headers.keys().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(names(&known), names(&unknown));
}

#[tokio::test]
async fn post_limit_refuses_the_21st_message_in_ten_seconds() {
    let team = Team::with(&[("CAMPFIRE_POST_LIMIT", "20")]).await;
    let grace = team.join("Grace").await;
    let started = Instant::now();
    let mut refused = None;
    for n in 0..21 {
        let reply =
            team.ada.post("/api/messages", json!({"room_id": team.room, "content": format!("{n}")})).await;
        if reply.status == 429 {
            refused = Some((n, reply));
            break;
        }
        reply.expect(201);
    }
    if started.elapsed() > Duration::from_secs(10) {
        return; // The machine was too slow to reach the limit.
    }
    let (n, reply) = refused.expect("the 21st is refused");
    assert_eq!(n, 20);
    reply.problem(429, "rate_limited");
    let wait: u64 = reply.header("retry-after").expect("Retry-After").parse().expect("seconds");
    assert!((1..=10).contains(&wait), "{wait}");
    // The limit is per user, and it holds on sockets too.
    grace.say(team.room, "I have not said anything yet").await;
    if started.elapsed() < Duration::from_secs(8) {
        let mut socket = team.ada.socket_in(team.room).await;
        socket.send(json!({"type": "message", "content": "Round the back", "client_message_id": "r1"})).await;
        let error = socket.expect("error").await;
        assert_eq!((&error["code"], &error["client_message_id"]), (&json!("rate_limited"), &json!("r1")));
    }
}
