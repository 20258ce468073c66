//! Floods at a server that has 64 MB: whatever strangers and members send, it stays alive and answers.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::http::{multipart, raw_status};
use crate::support::tls::{Authority, NAME, http2, tls_handshake};
use crate::support::*;

const MEMORY: u64 = 64 << 20;

/// Connections opened at once: more than it admits.
const MANY: usize = 1_100;

/// A set-up server in a control group of 64 MB; None, with the reason, where none can be made.
async fn confined() -> Option<Team> {
    let group = match MemoryGroup::new(MEMORY) {
        Ok(group) => group,
        Err(error) => {
            println!("skipped: no control group can be made here ({error})");
            return None;
        }
    };
    Some(Team::on(Server::within(group, &[])).await)
}

/// Sends bytes on a connection of its own, waits for a first answer or the end of the connection, and returns the
/// connection, which holds what the server holds of it.
async fn attack(team: &Team, bytes: Vec<u8>) -> Option<(TcpStream, u16)> {
    let mut stream = TcpStream::connect(team.ada.address()).await.ok()?;
    let mut answer = vec![0; 16];
    let (mut reading, mut writing) = stream.split();
    let exchange = async {
        tokio::select! {
            // The server may refuse and close while we still write.
            _ = async { let _ = writing.write_all(&bytes).await; std::future::pending::<()>().await } => {}
            _ = reading.read_exact(&mut answer) => {}
        }
    };
    // Some of what is sent has no answer, since it has no end.
    let _ = tokio::time::timeout(Duration::from_secs(2), exchange).await;
    Some((stream, raw_status(&answer)))
}

/// The same on many connections at once, which stay open until all are done. Then it has to answer again.
async fn flood(team: &mut Team, what: &str, bytes: impl Fn(usize) -> Vec<u8>) -> Vec<u16> {
    let all = join_all((0..MANY).map(|number| attack(team, bytes(number)))).await;
    let (open, statuses): (Vec<_>, Vec<_>) = all.into_iter().flatten().unzip();
    assert!(team.server.runs(), "{what} killed it");
    drop(open);
    let group = team.server.group.as_ref().expect("a group");
    assert_eq!(group.kills(), 0, "{what}: the kernel killed it; it had used {} KB", group.peak() >> 10);
    // The bodies that it gave up waiting for, and the connections, are gone soon.
    within(&format!("an answer after {what}"), async {
        loop {
            let body = json!({"room_id": team.room, "content": what});
            if team
                .ada
                .request("POST", "/api/messages")
                .json(body)
                .try_send()
                .await
                .is_ok_and(|it| it.status == 201)
            {
                return;
            }
        }
    })
    .await;
    println!("{what}: {} KB at most", team.server.group.as_ref().expect("a group").peak() >> 10);
    statuses
}

fn request(head: &str, lines: &[&str], body: &[u8]) -> Vec<u8> {
    let lines: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
    [format!("{head} HTTP/1.1\r\nhost: x\r\n{lines}\r\n").as_bytes(), body].concat()
}

/// B9, B22.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn floods_of_strangers_fit_into_64_megabytes() {
    let Some(mut team) = confined().await else { return };
    let json = "content-type: application/json";
    flood(&mut team, "heads without an end", |_| {
        request("GET /health", &[&format!("x: {}", "x".repeat(31 << 10))], b"")[..31 << 10].to_vec()
    })
    .await;
    flood(&mut team, "many headers", |_| request("GET /health", &vec!["x-many: headers"; 2_000], b"")).await;
    let statuses = flood(&mut team, "bodies without an end", |_| {
        let line = "content-length: 65000";
        request(
            "POST /api/session",
            &[json, line, &format!("x: {}", "x".repeat(20 << 10))],
            &vec![b' '; 60_000],
        )
    })
    .await;
    assert!(statuses.contains(&503), "more than the budget is refused: {statuses:?}");
    flood(&mut team, "chunked bodies without an end", |_| {
        let chunk = [b"8000\r\n".to_vec(), vec![b' '; 0x8000], b"\r\n".to_vec()].concat();
        request("POST /api/session", &[json, "transfer-encoding: chunked"], &chunk.repeat(64))
    })
    .await;
    flood(&mut team, "uploads by nobody", |_| {
        let body = vec![7; 1 << 20];
        request("POST /api/rooms/1/attachments", &["content-length: 99000000"], &body)
    })
    .await;
    flood(&mut team, "passwords", |number| {
        let body =
            json!({"email": format!("{number}@example.com"), "password": "wrong password"}).to_string();
        request("POST /api/session", &[json, &format!("content-length: {}", body.len())], body.as_bytes())
    })
    .await;
    flood(&mut team, "noise", |number| vec![number as u8; 64 << 10]).await;
}

/// B9, B22.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn floods_of_members_fit_into_64_megabytes() {
    let Some(mut team) = confined().await else { return };
    let bearer = format!("authorization: Bearer {}", team.ada.token);
    let upload = format!("POST /api/rooms/{}/attachments", team.room);
    let form = "content-type: multipart/form-data; boundary=b";
    let part = |name: &str| {
        format!("--b\r\ncontent-disposition: form-data; name=\"{name}\"; filename=\"x\"\r\n\r\n")
    };
    let chunked = "transfer-encoding: chunked";
    let send = |start: String, length: usize| {
        let body = [start.into_bytes(), vec![b'x'; length]].concat();
        let mut bytes = request(&upload, &[&bearer, form, chunked], b"");
        for chunk in body.chunks(32 << 10) {
            bytes.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
            bytes.extend_from_slice(chunk);
            bytes.extend_from_slice(b"\r\n");
        }
        bytes
    };
    flood(&mut team, "bytes before the first part", |_| send(String::new(), 1 << 20)).await;
    flood(&mut team, "heads of parts", |_| send("--b\r\n".into(), 1 << 20)).await;
    flood(&mut team, "text fields", |_| send(part("content"), 1 << 20)).await;
    flood(&mut team, "unknown fields", |_| send(part("other"), 1 << 20)).await;
    flood(&mut team, "parts", |_| send(part("other").repeat(20_000), 0)).await;
    let statuses = flood(&mut team, "uploads without an end", |_| send(part("file"), 400 << 10)).await;
    assert!(statuses.contains(&503), "more than the budget is refused: {statuses:?}");
    flood(&mut team, "large bodies", |_| {
        let lines = [&*bearer, "content-type: application/json", "content-length: 1000000"];
        request("POST /api/messages", &lines, &vec![b' '; 900_000])
    })
    .await;
    // A picture that takes 160 MB once it is decoded.
    let mut picture = std::io::Cursor::new(Vec::new());
    image::GrayImage::new(8_000, 5_000).write_to(&mut picture, image::ImageFormat::Png).unwrap();
    let (kind, body) = multipart(&[], &[("file", "large.png", picture.get_ref())]);
    let (kind, length) = (format!("content-type: {kind}"), format!("content-length: {}", body.len()));
    flood(&mut team, "pictures", |_| request(&upload, &[&bearer, &kind, &length], &body)).await;
}

/// B9, B19.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn responses_that_nobody_reads_fit_into_64_megabytes() {
    let Some(mut team) = confined().await else { return };
    let bearer = format!("authorization: Bearer {}", team.ada.token);
    let file = team.ada.upload(team.room, &[], "large.bin", &vec![7; 6 << 20]).await.expect(201);
    for _ in 0..40 {
        team.ada.say(team.room, &"large ".repeat(10_000)).await;
    }
    let url = format!("GET {}", file["attachment"]["url"].as_str().unwrap());
    let statuses = flood(&mut team, "files", |_| request(&url, &[&bearer], b"")).await;
    assert!(statuses.contains(&200) && statuses.contains(&503), "{statuses:?}");
    // Not the newest page, which is cached.
    let page = format!("GET /api/rooms/{}/messages?limit=200&before=999999", team.room);
    let statuses = flood(&mut team, "pages", |_| request(&page, &[&bearer], b"")).await;
    assert!(statuses.contains(&200) && statuses.contains(&503), "{statuses:?}");
    flood(&mut team, "events", |_| request("GET /api/sync?since=0", &[&bearer], b"")).await;
    flood(&mut team, "exports", |_| request("GET /api/export", &[&bearer], b"")).await;
}

/// B9, B22.
#[tokio::test]
async fn sockets_fit_into_64_megabytes() {
    let Some(mut team) = confined().await else { return };
    let mut sockets = Vec::new();
    // A connection for each 64 KB of memory, and then no more.
    let most = (MEMORY / (64 << 10)) as usize;
    while let Ok(mut stream) = TcpStream::connect(team.ada.address()).await {
        let handshake = request(
            "GET /ws",
            &[
                "connection: upgrade",
                "upgrade: websocket",
                "sec-websocket-version: 13",
                "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
                &format!("authorization: Bearer {}", team.ada.token),
            ],
            b"",
        );
        let mut answer = [0; 12];
        let _ = stream.write_all(&handshake).await;
        match within("a handshake", stream.read_exact(&mut answer)).await {
            Ok(_) if answer.ends_with(b"101") => sockets.push(stream),
            _ => break,
        }
        assert!(sockets.len() <= most, "there is no bound");
    }
    assert!(sockets.len() > most / 2, "only {} sockets", sockets.len());
    // Each sends the beginning of a long message, and then messages that are answered.
    for stream in &mut sockets {
        let _ = stream.write_all(&[0x81, 0xff, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0]).await;
        let _ = tokio::time::timeout(Duration::from_millis(20), stream.write_all(&[b'x'; 16 << 10])).await;
    }
    team.ada.say(team.room, "Still here").await;
    let group = team.server.group.as_ref().expect("a group");
    assert_eq!(group.kills(), 0, "the kernel killed it; it had used {} KB", group.peak() >> 10);
    println!("{} sockets: {} KB at most", sockets.len(), group.peak() >> 10);
    assert!(team.server.runs());
}

/// B9, B22: each connection has many requests, each with a large head and a body that does not end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_over_http2_fit_into_64_megabytes() {
    let group = match MemoryGroup::new(MEMORY) {
        Ok(group) => group,
        Err(error) => return println!("skipped: no control group can be made here ({error})"),
    };
    let (authority, dir) = (Authority::new(), tempfile::tempdir().unwrap());
    let (certificate, key) = authority.issue_into(dir.path());
    let path = |path: &std::path::Path| path.to_str().expect("a path").to_owned();
    let settings = [("CAMPFIRE_TLS_CERT", path(&certificate)), ("CAMPFIRE_TLS_KEY", path(&key))];
    let settings = settings.each_ref().map(|(name, value)| (*name, value.as_str()));
    let mut server = Server::within(group, &settings);
    let (address, client) = (server.address().get(), authority.client(&["h2"]));
    let mut open = Vec::new();
    for _ in 0..40 {
        let stream = tls_handshake(address, &client).await.unwrap();
        let (sender, connection) = h2::client::handshake(stream).await.unwrap();
        tokio::spawn(connection);
        let mut sender = sender.ready().await.unwrap();
        for _ in 0..100 {
            let request = hyper::Request::post(format!("https://{NAME}/api/session"))
                .header("content-type", "application/json")
                .header("x-padding", "x".repeat(20 << 10))
                .body(())
                .unwrap();
            let Ok((response, mut body)) = sender.send_request(request, false) else { break };
            let _ = body.send_data(vec![b' '; 1 << 10].into(), false);
            open.push((response, body));
            sender = match within("room for a request", sender.ready()).await {
                Ok(sender) => sender,
                Err(_) => break,
            };
        }
    }
    let mut refused = 0;
    for (response, _body) in &mut open {
        if let Ok(Ok(response)) = tokio::time::timeout(Duration::from_millis(1), response).await {
            refused += usize::from(response.status() == 503);
        }
    }
    let group = server.group.as_ref().expect("a group");
    println!("requests over HTTP/2: {} KB at most, {refused} of {} refused", group.peak() >> 10, open.len());
    assert_eq!(group.kills(), 0, "the kernel killed it; it had used {} KB", group.peak() >> 10);
    assert!(server.runs() && refused > 0);
    drop(open);
    let mut other = http2(address, &client).await;
    assert_eq!(tls::ask(&mut other, "GET", "/health", &[], "").await.status(), 200);
}
