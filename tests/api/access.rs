//! Ways in besides the password, and the way out that somebody is shown: transfer links, tokens, bans, the audit log.

use crate::support::{http::Credentials, *};

#[tokio::test]
async fn transfer_link_signs_another_device_in_once() {
    let camp = Camp::start().await;
    let link = camp.ada.post("/api/session/transfer", json!({})).await.expect(201);
    assert_keys(&link, &["url", "token", "qr_svg", "expires_at"]);
    assert_time(&link["expires_at"]);
    assert!(link["qr_svg"].as_str().unwrap().starts_with("<svg"));
    let path = format!("/api/session/transfer/{}", link["token"].as_str().unwrap());
    assert!(
        link["url"].as_str().unwrap().ends_with(&format!("/transfer/{}", link["token"].as_str().unwrap()))
    );
    let phone = camp.nobody().post(&path, json!({})).await;
    let phone = Person::from_reply(&camp.nobody(), &phone, "ada@example.com");
    assert_eq!(phone.get("/api/session").await.expect(200)["user"]["id"], camp.ada.id);
    camp.nobody().post(&path, json!({})).await.problem(404, "not_found");
    let first = camp.ada.post("/api/session/transfer", json!({})).await.expect(201);
    camp.ada.post("/api/session/transfer", json!({})).await.expect(201);
    let old = format!("/api/session/transfer/{}", first["token"].as_str().unwrap());
    camp.nobody().post(&old, json!({})).await.problem(404, "not_found");
    camp.nobody().post("/api/session/transfer", json!({})).await.problem(401, "not_signed_in");
}

#[tokio::test]
async fn sessions_of_all_other_devices_end_at_once() {
    let camp = Camp::start().await;
    let other = camp.ada.sign_in_again().await;
    let mut socket = other.socket().await;
    camp.ada.delete("/api/sessions").await.expect(204);
    assert_eq!(socket.closed().await, Some(4001));
    other.get("/api/session").await.problem(401, "not_signed_in");
    camp.ada.get("/api/session").await.expect(200);
}

#[tokio::test]
async fn personal_token_acts_for_its_owner_until_it_is_revoked() {
    let camp = Camp::start().await;
    let made = camp.ada.post("/api/tokens", json!({"name": "backup script"})).await.expect(201);
    assert_keys(&made, &["id", "name", "token"]);
    let script = camp.ada.with(Credentials::Bearer(made["token"].as_str().unwrap().to_owned()));
    script.post("/api/messages", json!({"room_id": camp.room, "content": "by script"})).await.expect(201);
    let list = camp.ada.get("/api/tokens").await;
    assert!(!list.text().contains(made["token"].as_str().unwrap()), "the secret is shown once");
    assert_eq!(list.expect(200)["tokens"][0]["name"], "backup script");
    let devices = camp.ada.get("/api/sessions").await.expect(200);
    assert_eq!(devices["sessions"].as_array().unwrap().len(), 1, "a token is no device");
    camp.ada.post("/api/tokens", json!({"name": ""})).await.invalid(&["name"]);
    let grace = camp.join("Grace").await;
    grace.delete(&format!("/api/tokens/{}", id(&made))).await.problem(404, "not_found");
    camp.ada.delete(&format!("/api/tokens/{}", id(&made))).await.expect(204);
    script.get("/api/session").await.problem(401, "not_signed_in");
    let stored = std::fs::read(camp.server.database()).unwrap();
    let secret = made["token"].as_str().unwrap().as_bytes();
    assert!(!stored.windows(secret.len()).any(|window| window == secret), "only the hash is stored");
}

#[tokio::test]
async fn ban_removes_messages_and_lifting_it_allows_signing_in_again() {
    let camp = Camp::start().await;
    let eve = camp.join("Eve").await;
    for n in 0..230 {
        eve.say(camp.room, &format!("noise {n}")).await;
    }
    let kept = id(&camp.ada.say(camp.room, "signal").await);
    let mut hers = eve.socket().await;
    let mut mine = camp.ada.socket_in(camp.room).await;
    let path = format!("/api/users/{}/ban", eve.id);
    eve.post(&path, json!({})).await.problem(403, "forbidden");
    camp.ada.post(&format!("/api/users/{}/ban", camp.ada.id), json!({})).await.problem(409, "conflict");
    camp.ada.post(&path, json!({})).await.expect(204);
    assert_eq!(hers.closed().await, Some(4003));
    eve.get("/api/session").await.problem(401, "not_signed_in");
    for _ in 0..230 {
        mine.expect("message.deleted").await;
    }
    let page = camp.ada.get(&format!("/api/rooms/{}/messages", camp.room)).await.expect(200);
    assert_eq!(ids(&page["messages"]), [kept]);
    let sign_in = json!({"email": eve.email, "password": PASSWORD});
    camp.nobody().post("/api/session", sign_in.clone()).await.problem(401, "not_signed_in");
    assert_eq!(camp.ada.get(&format!("/api/users/{}", eve.id)).await.expect(200)["status"], "banned");
    camp.ada.delete(&path).await.expect(204);
    camp.nobody().post("/api/session", sign_in).await.expect(201);
}

#[tokio::test]
async fn audit_log_records_administrative_actions() {
    let camp = Camp::start().await;
    let grace = camp.join("Grace").await;
    camp.ada.patch(&format!("/api/users/{}", grace.id), json!({"role": "admin"})).await.expect(200);
    camp.ada.post("/api/account/join_code", json!({})).await.expect(201);
    let log = grace.get("/api/audit").await.expect(200);
    let lines = log["entries"].as_array().unwrap();
    let acts: Vec<_> = lines.iter().map(|it| it["action"].as_str().unwrap()).collect();
    assert_eq!(acts, ["account.join_code", "user.change"]);
    assert_keys(&lines[1], &["id", "at", "actor_id", "ip_address", "action", "subject", "detail"]);
    assert_eq!((&lines[1]["actor_id"], &lines[1]["detail"]), (&json!(camp.ada.id), &json!("role admin")));
    assert_eq!(lines[1]["ip_address"], "127.0.0.1");
    let page = grace.get("/api/audit?limit=1").await.expect(200);
    assert_eq!((page["entries"].as_array().unwrap().len(), &page["has_before"]), (1, &json!(true)));
    camp.join_again().await.get("/api/audit").await.problem(403, "forbidden");
}

#[tokio::test]
async fn export_has_everything_and_is_for_administrators() {
    let camp = Camp::start().await;
    let grace = camp.join("Grace").await;
    for n in 0..1_200 {
        grace.say(camp.room, &format!("line {n}")).await;
    }
    camp.ada.upload(camp.room, &[], "a.txt", b"text").await.expect(201);
    grace.get("/api/export").await.problem(403, "forbidden");
    let export = camp.ada.get("/api/export").await;
    assert_eq!((export.status, export.header("content-type")), (200, Some("application/x-ndjson")));
    let text = export.text();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |kind: &str| lines.iter().filter(|it| it["type"] == kind).count();
    assert_eq!((of("account"), of("user"), of("room"), of("message")), (1, 2, 1, 1_201));
    let file = lines.iter().find(|it| it["file"].is_string()).unwrap()["file"].as_str().unwrap();
    assert_eq!(std::fs::read(camp.server.data().join(file)).unwrap(), b"text");
    let output = crate::support::server::campfire()
        .args(["export", "--data"])
        .arg(camp.server.data())
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), text);
}

#[tokio::test]
async fn retention_deletes_messages_older_than_the_setting() {
    let mut camp = Camp::start().await;
    let old: Vec<i64> = {
        let mut ids = Vec::new();
        for n in 0..150 {
            ids.push(id(&camp.ada.say(camp.room, &format!("old {n}")).await));
        }
        ids
    };
    let new = id(&camp.ada.say(camp.room, "new").await);
    camp.server.terminate();
    // As if they had been said a month ago.
    let db = rusqlite::Connection::open(camp.server.database()).unwrap();
    for id in &old {
        let json: Vec<u8> =
            db.query_row("select json from messages where id = ?", [id], |row| row.get(0)).unwrap();
        let mut message: Value = serde_json::from_slice(&json).unwrap();
        message["created_at"] = "2026-01-01T00:00:00.000Z".into();
        db.execute("update messages set json = ? where id = ?", (message.to_string().into_bytes(), id))
            .unwrap();
    }
    drop(db);
    camp.server.restart();
    let mut socket = camp.ada.socket_in(camp.room).await;
    camp.ada.patch("/api/account", json!({"settings": {"retention_days": 30}})).await.expect(200);
    for id in &old {
        assert_eq!(socket.expect("message.deleted").await["message_id"], *id);
    }
    let page = camp.ada.get(&format!("/api/rooms/{}/messages", camp.room)).await.expect(200);
    assert_eq!(ids(&page["messages"]), [new]);
}
