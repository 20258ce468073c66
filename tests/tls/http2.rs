//! HTTP/2.

use bytes::Bytes;
use futures_util::{
    StreamExt,
    future::{join_all, poll_fn},
    stream::FuturesUnordered,
};
use hyper::Request;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::certificates::serve;
use crate::support::tls::{Authority, NAME, ask, http2, tls_handshake};
use crate::support::*;

/// The session cookie of a response.
fn cookie(reply: &hyper::Response<Bytes>) -> String {
    let line = reply.headers()["set-cookie"].to_str().unwrap();
    assert!(line.contains("; Secure"), "over TLS a cookie is for TLS only: {line}");
    line.split(';').next().unwrap().to_owned()
}

const JSON: (&str, &str) = ("content-type", "application/json");

#[tokio::test]
async fn http2_answers_everything_but_sockets() {
    let authority = Authority::new();
    let (server, _dir) = serve(&authority, &[]);
    let mut sender = http2(server.address().get(), &authority.client(&["h2", "http/1.1"])).await;
    let page = ask(&mut sender, "GET", "/", &[], "").await;
    assert_eq!(page.status(), 200);
    assert_eq!(page.headers()["strict-transport-security"], "max-age=15552000");
    let set_up = team::setup_form().to_string();
    let origin = format!("https://{NAME}");
    let reply = ask(&mut sender, "POST", "/api/setup", &[JSON, ("origin", &origin)], set_up).await;
    assert_eq!(reply.status(), 201, "{reply:?}");
    let cookie = cookie(&reply);
    let room = id(&serde_json::from_slice::<Value>(reply.body()).unwrap()["room"]);
    // A browser splits its cookies into several headers (RFC 9113, section 8.2.3).
    let signed_in = [("cookie", "theme=dark"), ("cookie", &cookie), ("origin", &origin), JSON];
    let path = format!("/api/rooms/{room}/messages");
    let posts = (0..40).map(|number| {
        let mut sender = sender.clone();
        let body = json!({"room_id": room, "content": format!("message {number}")}).to_string();
        async move { ask(&mut sender, "POST", "/api/messages", &signed_in, body).await }
    });
    for reply in join_all(posts).await {
        assert_eq!(reply.status(), 201, "{reply:?}");
    }
    let list = ask(&mut sender, "GET", &path, &signed_in, "").await;
    let list: Value = serde_json::from_slice(list.body()).unwrap();
    assert!(list.to_string().matches("\"content\":\"message ").count() >= 40, "{list}");
    // A cross-site post is refused.
    let evil = [("cookie", cookie.as_str()), ("origin", "https://evil.example"), JSON];
    assert_eq!(ask(&mut sender, "POST", "/api/messages", &evil, "{}").await.status(), 403);
    // A link contains the host of the request.
    let account = ask(&mut sender, "GET", "/api/account", &signed_in, "").await;
    let account: Value = serde_json::from_slice(account.body()).unwrap();
    assert!(account["join_url"].as_str().unwrap().starts_with("https://chat.example/join/"), "{account}");
    // A WebSocket needs HTTP/1.1.
    let reply = ask(&mut sender, "GET", "/ws", &signed_in, "").await;
    assert_eq!(reply.status(), 426, "{reply:?}");
}

#[tokio::test]
async fn http2_carries_large_bodies_both_ways() {
    let authority = Authority::new();
    let (server, _dir) = serve(&authority, &[]);
    let mut sender = http2(server.address().get(), &authority.client(&["h2"])).await;
    let reply = ask(&mut sender, "POST", "/api/setup", &[JSON], team::setup_form().to_string()).await;
    let cookie = cookie(&reply);
    let room = id(&serde_json::from_slice::<Value>(reply.body()).unwrap()["room"]);
    // Larger than the flow-control windows of a stream and of a connection.
    let file: Vec<u8> =
        (0..12_u32 << 20).map(|place| (place.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let (kind, body) = http::multipart(&[], &[("file", "noise.bin", &file)]);
    let headers = [("cookie", cookie.as_str()), ("content-type", &kind), ("sec-fetch-site", "same-origin")];
    let reply = ask(&mut sender, "POST", &format!("/api/rooms/{room}/attachments"), &headers, body).await;
    assert_eq!(reply.status(), 201, "{reply:?}");
    let message: Value = serde_json::from_slice(reply.body()).unwrap();
    let url = message["attachment"]["url"].as_str().unwrap();
    let reply = ask(&mut sender, "GET", url, &[("cookie", &cookie)], "").await;
    assert!(reply.body() == &file, "{} bytes came back", reply.body().len());
    // A body that is too large is refused, and the connection stays open.
    let reply = ask(
        &mut sender,
        "POST",
        "/api/session",
        &[JSON],
        format!("{{\"email\":\"{}\"}}", "a".repeat(3 << 20)),
    )
    .await;
    assert_eq!(reply.status(), 413);
    assert_eq!(ask(&mut sender, "GET", "/health", &[], "").await.status(), 200);
}

/// 41. A body is larger than the window of its stream, so the server has to end it.
#[tokio::test]
async fn http2_refusal_arrives_while_the_body_is_sent() {
    let authority = Authority::new();
    let (server, _dir) = serve(&authority, &[("CAMPFIRE_UPLOAD_LIMIT", "1")]);
    let mut sender = http2(server.address().get(), &authority.client(&["h2"])).await;
    let reply = ask(&mut sender, "POST", "/api/setup", &[JSON], team::setup_form().to_string()).await;
    let cookie = cookie(&reply);
    let room = id(&serde_json::from_slice::<Value>(reply.body()).unwrap()["room"]);
    let (kind, form) = http::multipart(&[], &[("file", "noise.bin", &vec![7; 6 << 20])]);
    let path = format!("/api/rooms/{room}/attachments");
    let mine = [("cookie", cookie.as_str()), ("sec-fetch-site", "same-origin")];
    for (path, headers, wanted) in [
        (&*path, vec![("content-type", kind.as_str())], 401),
        (&path, [&mine[..], &[("content-type", kind.as_str())]].concat(), 413),
        (&path, [&mine[..], &[("content-type", "text/plain")]].concat(), 415),
        ("/nowhere", vec![], 404),
    ] {
        for _ in 0..8 {
            let reply = ask(&mut sender, "POST", path, &headers, form.clone()).await;
            assert_eq!(reply.status(), wanted, "{path} {headers:?}");
        }
    }
    assert_eq!(ask(&mut sender, "GET", "/health", &[], "").await.status(), 200, "no window was used up");
}

/// A frame of HTTP/2 (RFC 9113, section 4.1).
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut frame = (payload.len() as u32).to_be_bytes()[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

#[tokio::test]
async fn http2_rapid_reset_is_answered_with_goaway() {
    const HEADERS: u8 = 1;
    const RST_STREAM: u8 = 3;
    const SETTINGS: u8 = 4;
    const GOAWAY: u8 = 7;
    const ENHANCE_YOUR_CALM: u8 = 11;
    let authority = Authority::new();
    let (server, _dir) = serve(&authority, &[]);
    let client = authority.client(&["h2"]);
    let mut stream = tls_handshake(server.address().get(), &client).await.unwrap();
    // GET, https, / and the authority, by HPACK's static table (RFC 7541, appendix A).
    let head = [&[0x82, 0x87, 0x84, 0x41, NAME.len() as u8], NAME.as_bytes()].concat();
    let mut flood = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    flood.extend(frame(SETTINGS, 0, 0, &[]));
    for number in 0..2000 {
        flood.extend(frame(HEADERS, 0x4 | 0x1, 2 * number + 1, &head));
        flood.extend(frame(RST_STREAM, 0, 2 * number + 1, &8_u32.to_be_bytes()));
    }
    // The server may close while we still write.
    let _ = stream.write_all(&flood).await;
    let mut said = Vec::new();
    let _ = within("the end of the connection", stream.read_to_end(&mut said)).await;
    let mut frames = &said[..];
    let mut goaway = None;
    while let [a, b, c, kind, _, _, _, _, _, rest @ ..] = frames {
        let length = u32::from_be_bytes([0, *a, *b, *c]) as usize;
        if *kind == GOAWAY {
            goaway = rest.get(7).copied();
        }
        frames = rest.get(length..).unwrap_or_default();
    }
    assert_eq!(goaway, Some(ENHANCE_YOUR_CALM), "{} bytes came back", said.len());
    let mut other = http2(server.address().get(), &client).await;
    assert_eq!(ask(&mut other, "GET", "/health", &[], "").await.status(), 200);
}

/// 40.
#[tokio::test]
async fn http2_upload_that_is_reset_leaves_no_file() {
    let authority = Authority::new();
    let (server, _dir) = serve(&authority, &[]);
    let client = authority.client(&["h2"]);
    let mut sender = http2(server.address().get(), &client).await;
    let reply = ask(&mut sender, "POST", "/api/setup", &[JSON], team::setup_form().to_string()).await;
    let cookie = cookie(&reply);
    let room = id(&serde_json::from_slice::<Value>(reply.body()).unwrap()["room"]);
    let root = server.data().join("files");
    let stored = || {
        let folders = std::fs::read_dir(&root).unwrap().map(|folder| folder.unwrap().path());
        folders.map(|folder| std::fs::read_dir(folder).unwrap().count()).sum::<usize>()
    };
    let (kind, form) = http::multipart(&[], &[("file", "a.txt", b"some text")]);
    // All but the dashes that end the form.
    let form = form[..form.len() - 4].to_vec();
    let stream = tls_handshake(server.address().get(), &client).await.unwrap();
    let (sender, connection) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    let mut sender = sender.ready().await.unwrap();
    for _ in 0..4 {
        let request = Request::post(format!("https://{NAME}/api/rooms/{room}/attachments"))
            .header("cookie", &cookie)
            .header("sec-fetch-site", "same-origin")
            .header("content-type", &kind)
            .body(())
            .unwrap();
        let (_response, mut body) = sender.send_request(request, false).unwrap();
        body.send_data(form.clone().into(), false).unwrap();
        body.send_data(b"\r\n".to_vec().into(), false).unwrap();
        within("the file to be stored", async {
            // Not below incoming/, where it is at first.
            while stored() == 0 || std::fs::read_dir(root.join("incoming")).unwrap().count() > 0 {
                tokio::time::sleep(std::time::Duration::from_millis(2)).await;
            }
        })
        .await;
        body.send_reset(h2::Reason::CANCEL);
        within("it to go", async {
            while stored() > 0 {
                tokio::time::sleep(std::time::Duration::from_millis(2)).await;
            }
        })
        .await;
    }
}

#[tokio::test]
async fn http2_flood_of_headers_is_refused() {
    let authority = Authority::new();
    let (server, _dir) = serve(&authority, &[]);
    let client = authority.client(&["h2"]);
    let stream = tls_handshake(server.address().get(), &client).await.unwrap();
    let (sender, connection) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    let mut sender = sender.ready().await.unwrap();
    let mut request = Request::get(format!("https://{NAME}/health"));
    for number in 0..40 {
        request = request.header(format!("x-flood-{number}"), "y".repeat(1024));
    }
    let (response, _) = sender.send_request(request.body(()).unwrap(), true).unwrap();
    match within("a refusal", response).await {
        Ok(response) => assert_eq!(response.status(), 431),
        Err(error) => assert!(error.is_remote() || error.is_reset(), "{error}"),
    }
    let mut other = http2(server.address().get(), &client).await;
    assert_eq!(ask(&mut other, "GET", "/health", &[], "").await.status(), 200);
}

#[tokio::test]
async fn http2_requests_under_way_are_finished_at_stop() {
    let authority = Authority::new();
    let (mut server, _dir) = serve(&authority, &[]);
    let client = authority.client(&["h2"]);
    let stream = tls_handshake(server.address().get(), &client).await.unwrap();
    let (sender, connection) = h2::client::handshake(stream).await.unwrap();
    let connection = tokio::spawn(connection);
    let mut sender = sender.ready().await.unwrap();
    let request =
        Request::post(format!("https://{NAME}/api/setup")).header("content-type", "application/json");
    let (response, mut body) = sender.send_request(request.body(()).unwrap(), false).unwrap();
    let form = team::setup_form().to_string();
    let (first, rest) = form.split_at(form.len() / 2);
    body.send_data(Bytes::copy_from_slice(first.as_bytes()), false).unwrap();
    // The response to a later request shows that the server has the earlier one.
    let mut second = sender.clone().ready().await.unwrap();
    let health = Request::get(format!("https://{NAME}/health")).body(()).unwrap();
    let (health, _) = second.send_request(health, true).unwrap();
    assert_eq!(within("an answer", health).await.unwrap().status(), 200);
    server.signal("TERM");
    within("the GOAWAY", async {
        while poll_fn(|cx| second.poll_ready(cx)).await.is_ok() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    body.send_data(Bytes::copy_from_slice(rest.as_bytes()), true).unwrap();
    assert_eq!(within("the answer", response).await.unwrap().status(), 201);
    drop((sender, second));
    let _ = within("the end of the connection", connection).await;
    assert!(server.wait().success());
}

/// B4
#[tokio::test]
async fn sign_ins_that_are_reset_leave_nothing_behind() {
    let authority = Authority::new();
    let (server, _dir) = serve(&authority, &[("CAMPFIRE_TRUSTED_PROXY", "127.0.0.0/8")]);
    let mut sender = http2(server.address().get(), &authority.client(&["h2"])).await;
    let reply = ask(&mut sender, "POST", "/api/setup", &[JSON], team::setup_form().to_string()).await;
    assert_eq!(reply.status(), 201);
    // More than may wait for a hash, from more addresses and accounts than any limit names, three times.
    for round in 0..3 {
        let mut guesses: FuturesUnordered<_> = (0..100)
            .map(|number| {
                let mut sender = sender.clone();
                let address = format!("10.{round}.{number}.1");
                let form = json!({"email": format!("{round}.{number}@example.com"), "password": PASSWORD});
                async move {
                    let headers = [JSON, ("x-forwarded-for", address.as_str())];
                    ask(&mut sender, "POST", "/api/session", &headers, form.to_string()).await.status()
                }
            })
            .collect();
        // Once one is answered the others wait; what is dropped resets its stream.
        within("an answer", guesses.next()).await.expect("a status");
    }
    let form = json!({"email": "ada@example.com", "password": PASSWORD}).to_string();
    let status = within("signing in", async {
        loop {
            let reply = ask(&mut sender, "POST", "/api/session", &[JSON], form.clone()).await;
            if reply.status() != 503 {
                return reply.status();
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    })
    .await;
    assert_eq!(status, 201, "busy for a moment, then as before");
}
