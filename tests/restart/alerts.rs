//! A server that is not well says so.

use std::path::Path;

use crate::support::*;

/// A set-up account whose server is then started with more settings.
async fn camp_with(dir: &Path, settings: impl Fn(&Camp) -> String) -> Camp {
    let file = dir.join("campfire.toml");
    std::fs::write(&file, "").unwrap();
    let server = Server::on(&dir.join("data"), &[("CAMPFIRE_CONFIG", file.to_str().unwrap())]);
    let mut camp = Camp::on(server).await;
    std::fs::write(&file, settings(&camp)).unwrap();
    assert!(camp.server.terminate().success());
    camp.server.restart();
    camp
}

#[tokio::test(flavor = "multi_thread")]
async fn too_much_memory_is_logged_and_posted_in_the_room_that_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let camp = camp_with(dir.path(), |camp| {
        format!("alert_memory_mb = 1\nalert_response_ms = 2000\nalert_room = {}\n", camp.room)
    })
    .await;
    let mut socket = camp.ada.socket_in(camp.room).await;
    let message = socket.expect("message.created").await["message"].clone();
    let content = message["content"].as_str().expect("content");
    assert!(content.starts_with("Memory use is high: ") && content.ends_with("(threshold: 1 MB)."));
    camp.server.logs(content);
    let line = camp.server.log().lines().find(|line| line.contains(content)).expect("the line").to_owned();
    assert!(
        line.contains("WARN") && line.contains("alert=\"memory\"") && line.contains("threshold=1"),
        "{line}"
    );
    assert!(!camp.server.log().contains("slow"), "{}", camp.server.log());
    // Whoever looks at it sees who speaks: a bot of this room, with no key that could be lost.
    let users = camp.ada.get("/api/users").await.expect(200);
    let voice = find(&users["users"], message["creator_id"].as_i64().expect("a creator"));
    assert_eq!((&voice["name"], &voice["role"]), (&json!("Campfire"), &json!("bot")), "{voice}");
    assert_eq!(camp.ada.get("/api/bots").await.expect(200)["bots"], json!([]));
    assert_eq!(camp.ada.unread(camp.room).await.0, 1, "news like any other");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_that_is_not_there_is_told_at_the_start_and_the_log_has_the_rest() {
    let dir = tempfile::tempdir().unwrap();
    let camp = camp_with(dir.path(), |_| "alert_memory_mb = 1\nalert_room = 4711\n".into()).await;
    camp.server.logs("not posted to room 4711, which alert_room names: there is no such room");
    camp.server.logs("Memory use is high: ");
    let page = camp.ada.get(&format!("/api/rooms/{}/messages", camp.room)).await.expect(200);
    assert_eq!(page["messages"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_direct_room_belongs_to_its_members() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("campfire.toml");
    std::fs::write(&file, "").unwrap();
    let server = Server::on(&dir.path().join("data"), &[("CAMPFIRE_CONFIG", file.to_str().unwrap())]);
    let mut camp = Camp::on(server).await;
    let grace = camp.join("Grace").await;
    let room = camp.ada.direct_with(&[&grace]).await;
    std::fs::write(&file, format!("alert_room = {room}\n")).unwrap();
    assert!(camp.server.terminate().success());
    camp.server.restart();
    camp.server.logs("that is a direct room");
}
