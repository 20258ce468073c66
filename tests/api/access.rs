//! Transfer links, personal tokens, bans, the audit log, export and retention.

use crate::support::{http::Credentials, *};

#[tokio::test]
async fn transfer_link_signs_another_device_in_once() {
    let team = Team::start().await;
    let link = team.ada.post("/api/session/transfer", json!({})).await.expect(201);
    assert_keys(&link, &["url", "token", "qr_svg", "expires_at"]);
    assert_time(&link["expires_at"]);
    assert!(link["qr_svg"].as_str().unwrap().starts_with("<svg"));
    let path = format!("/api/session/transfer/{}", link["token"].as_str().unwrap());
    assert!(
        link["url"].as_str().unwrap().ends_with(&format!("/transfer/{}", link["token"].as_str().unwrap()))
    );
    let phone = team.nobody().post(&path, json!({})).await;
    let phone = Person::from_reply(&team.nobody(), &phone, "ada@example.com");
    assert_eq!(phone.get("/api/session").await.expect(200)["user"]["id"], team.ada.id);
    team.nobody().post(&path, json!({})).await.problem(404, "not_found");
    let first = team.ada.post("/api/session/transfer", json!({})).await.expect(201);
    team.ada.post("/api/session/transfer", json!({})).await.expect(201);
    let old = format!("/api/session/transfer/{}", first["token"].as_str().unwrap());
    team.nobody().post(&old, json!({})).await.problem(404, "not_found");
    team.nobody().post("/api/session/transfer", json!({})).await.problem(401, "not_signed_in");
}

#[tokio::test]
async fn sessions_of_all_other_devices_end_at_once() {
    let team = Team::start().await;
    let other = team.ada.sign_in_again().await;
    let mut socket = other.socket().await;
    team.ada.delete("/api/sessions").await.expect(204);
    assert_eq!(socket.closed().await, Some(4001));
    other.get("/api/session").await.problem(401, "not_signed_in");
    team.ada.get("/api/session").await.expect(200);
}

#[tokio::test]
async fn personal_token_acts_for_its_owner_until_it_is_revoked() {
    let team = Team::start().await;
    let made = team.ada.post("/api/tokens", json!({"name": "backup script"})).await.expect(201);
    assert_keys(&made, &["id", "name", "scope", "token"]);
    let script = team.ada.with(Credentials::Bearer(made["token"].as_str().unwrap().to_owned()));
    script.post("/api/messages", json!({"room_id": team.room, "content": "by script"})).await.expect(201);
    let list = team.ada.get("/api/tokens").await;
    assert!(!list.text().contains(made["token"].as_str().unwrap()), "the secret is shown once");
    assert_eq!(list.expect(200)["tokens"][0]["name"], "backup script");
    let devices = team.ada.get("/api/sessions").await.expect(200);
    assert_eq!(devices["sessions"].as_array().unwrap().len(), 1, "a token is no device");
    team.ada.post("/api/tokens", json!({"name": ""})).await.invalid(&["name"]);
    let grace = team.join("Grace").await;
    grace.delete(&format!("/api/tokens/{}", id(&made))).await.problem(404, "not_found");
    team.ada.delete(&format!("/api/tokens/{}", id(&made))).await.expect(204);
    script.get("/api/session").await.problem(401, "not_signed_in");
    let stored = std::fs::read(team.server.database()).unwrap();
    let secret = made["token"].as_str().unwrap().as_bytes();
    assert!(!stored.windows(secret.len()).any(|window| window == secret), "only the hash is stored");
}

#[tokio::test]
async fn ban_removes_messages_and_lifting_it_allows_signing_in_again() {
    let team = Team::start().await;
    let eve = team.join("Eve").await;
    for n in 0..230 {
        eve.say(team.room, &format!("noise {n}")).await;
    }
    let kept = id(&team.ada.say(team.room, "signal").await);
    let mut of_eve = eve.socket().await;
    let mut of_ada = team.ada.socket_in(team.room).await;
    let path = format!("/api/users/{}/ban", eve.id);
    eve.post(&path, json!({})).await.problem(403, "forbidden");
    team.ada.post(&format!("/api/users/{}/ban", team.ada.id), json!({})).await.problem(409, "conflict");
    team.ada.post(&path, json!({})).await.expect(204);
    assert_eq!(of_eve.closed().await, Some(4003));
    eve.get("/api/session").await.problem(401, "not_signed_in");
    for _ in 0..230 {
        of_ada.expect("message.deleted").await;
    }
    let page = team.ada.get(&format!("/api/rooms/{}/messages", team.room)).await.expect(200);
    assert_eq!(ids(&page["messages"]), [kept]);
    let sign_in = json!({"email": eve.email, "password": PASSWORD});
    team.nobody().post("/api/session", sign_in.clone()).await.problem(401, "not_signed_in");
    assert_eq!(team.ada.get(&format!("/api/users/{}", eve.id)).await.expect(200)["status"], "banned");
    team.ada.delete(&path).await.expect(204);
    team.nobody().post("/api/session", sign_in).await.expect(201);
}

#[tokio::test]
async fn audit_log_records_administrative_actions() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    team.ada.patch(&format!("/api/users/{}", grace.id), json!({"role": "admin"})).await.expect(200);
    team.ada.post("/api/account/join_code", json!({})).await.expect(201);
    let log = grace.get("/api/audit").await.expect(200);
    let lines = log["entries"].as_array().unwrap();
    let acts: Vec<_> = lines.iter().map(|it| it["action"].as_str().unwrap()).collect();
    assert_eq!(acts, ["account.join_code", "user.change"]);
    assert_keys(&lines[1], &["id", "at", "actor_id", "ip_address", "action", "subject", "detail"]);
    assert_eq!((&lines[1]["actor_id"], &lines[1]["detail"]), (&json!(team.ada.id), &json!("role admin")));
    assert_eq!(lines[1]["ip_address"], "127.0.0.1");
    let page = grace.get("/api/audit?limit=1").await.expect(200);
    assert_eq!((page["entries"].as_array().unwrap().len(), &page["has_before"]), (1, &json!(true)));
    team.join_again().await.get("/api/audit").await.problem(403, "forbidden");
}

#[tokio::test]
async fn export_has_everything_and_is_for_administrators() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    for n in 0..1_200 {
        grace.say(team.room, &format!("line {n}")).await;
    }
    team.ada.upload(team.room, &[], "a.txt", b"text").await.expect(201);
    grace.get("/api/export").await.problem(403, "forbidden");
    let export = team.ada.get("/api/export").await;
    assert_eq!((export.status, export.header("content-type")), (200, Some("application/x-ndjson")));
    let text = export.text();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |kind: &str| lines.iter().filter(|it| it["type"] == kind).count();
    assert_eq!((of("account"), of("user"), of("room"), of("message")), (1, 2, 1, 1_201));
    // B16: the last line says that it is complete.
    assert_eq!(lines.last(), Some(&json!({"type": "end", "end": {"lines": lines.len() - 1}})));
    let file = lines.iter().find(|it| it["file"].is_string()).unwrap()["file"].as_str().unwrap();
    assert_eq!(std::fs::read(team.server.data().join(file)).unwrap(), b"text");
    let output = crate::support::server::campfire()
        .args(["export", "--data"])
        .arg(team.server.data())
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), text);
}

/// B16.
#[tokio::test]
async fn export_that_fails_midway_is_no_whole_answer() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut team = Team::start().await;
    let message = id(&team.ada.say(team.room, &"word ".repeat(4_000)).await);
    team.server.terminate();
    // More than a batch, and more than the buffers of the connection hold.
    let copies = "with recursive n(i) as (select 1 union all select i + 1 from n where i < 700)
        insert into messages (id, room_id, creator_id, json, plain, tags, kind, created_at)
        select messages.id + 1000 + i, room_id, creator_id, json, plain, tags, kind, created_at from messages, n
        where messages.id = ?";
    let db = rusqlite::Connection::open(team.server.database()).unwrap();
    db.execute(copies, (message,)).unwrap();
    team.server.restart();
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(64 << 10).unwrap();
    let mut stream = socket.connect(team.ada.address()).await.unwrap();
    let request =
        format!("GET /api/export HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\r\n", team.ada.token);
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut all = vec![0; 1 << 10];
    within("its beginning", stream.read_exact(&mut all)).await.unwrap();
    assert!(all.starts_with(b"HTTP/1.1 200 "));
    db.execute_batch("alter table attachments rename to elsewhere").unwrap();
    within("its end", async {
        // An error is the other way to end a connection.
        while stream.read_buf(&mut all).await.is_ok_and(|count| count > 0) {}
    })
    .await;
    assert!(all.len() > 1 << 20, "it had begun, with {} bytes", all.len());
    assert!(!all.ends_with(b"\r\n0\r\n\r\n"), "the last chunk is missing (RFC 9112, section 7.1)");
    assert!(!String::from_utf8_lossy(&all).contains("\"type\":\"end\""));
    team.server.logs("an export ended early");
}

/// B16.
#[tokio::test]
async fn exports_that_nobody_reads_are_bounded() {
    use tokio::io::AsyncWriteExt;
    let team = Team::start().await;
    for _ in 0..120 {
        team.ada.say(team.room, &"word ".repeat(10_000)).await;
    }
    let request =
        format!("GET /api/export HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\r\n", team.ada.token);
    let mut unread = Vec::new();
    for _ in 0..2 {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(64 << 10).unwrap();
        let mut stream = socket.connect(team.ada.address()).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        stream.readable().await.unwrap();
        unread.push(stream);
    }
    let refused = team.ada.get("/api/export").await;
    refused.problem(503, "overloaded");
    assert_eq!(refused.header("retry-after"), Some("1"));
    drop(unread);
    within("an export to begin", async { while team.ada.get("/api/export").await.status != 200 {} }).await;
}

#[tokio::test]
async fn retention_deletes_messages_older_than_the_setting() {
    let mut team = Team::start().await;
    let old: Vec<i64> = {
        let mut ids = Vec::new();
        for n in 0..150 {
            ids.push(id(&team.ada.say(team.room, &format!("old {n}")).await));
        }
        ids
    };
    let new = id(&team.ada.say(team.room, "new").await);
    team.server.terminate();
    // Backdates them to before the retention period.
    let db = rusqlite::Connection::open(team.server.database()).unwrap();
    for id in &old {
        let days = 60 * 86_400_000_i64;
        db.execute("update messages set created_at = created_at - ? where id = ?", (days, id)).unwrap();
    }
    drop(db);
    team.server.restart();
    let mut socket = team.ada.socket_in(team.room).await;
    team.ada.patch("/api/account", json!({"settings": {"retention_days": 30}})).await.expect(200);
    for id in &old {
        assert_eq!(socket.expect("message.deleted").await["message_id"], *id);
    }
    let page = team.ada.get(&format!("/api/rooms/{}/messages", team.room)).await.expect(200);
    assert_eq!(ids(&page["messages"]), [new]);
}
