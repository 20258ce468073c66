//! Alerts in the log and in a room.

use std::path::Path;

use crate::support::*;

/// A server that is set up and then restarted with more settings.
async fn team_with(dir: &Path, settings: impl Fn(&Team) -> String) -> Team {
    let file = dir.join("campfire.toml");
    std::fs::write(&file, "").unwrap();
    let server = Server::on(&dir.join("data"), &[("CAMPFIRE_CONFIG", file.to_str().unwrap())]);
    let mut team = Team::on(server).await;
    std::fs::write(&file, settings(&team)).unwrap();
    assert!(team.server.terminate().success());
    team.server.restart();
    team
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_alert_is_logged_and_posted_in_alert_room() {
    let dir = tempfile::tempdir().unwrap();
    let team = team_with(dir.path(), |team| {
        format!("alert_memory_mb = 1\nalert_response_ms = 2000\nalert_room = {}\n", team.room)
    })
    .await;
    let mut socket = team.ada.socket_in(team.room).await;
    let message = socket.expect("message.created").await["message"].clone();
    let content = message["content"].as_str().expect("content");
    assert!(content.starts_with("Memory use is high: ") && content.ends_with("(threshold: 1 MB)."));
    team.server.logs(content);
    let line = team.server.log().lines().find(|line| line.contains(content)).expect("the line").to_owned();
    assert!(
        line.contains("WARN") && line.contains("alert=\"memory\"") && line.contains("threshold=1"),
        "{line}"
    );
    assert!(!team.server.log().contains("slow"), "{}", team.server.log());
    // The author is the system user, which is listed as a bot but has no key.
    let users = team.ada.get("/api/users").await.expect(200);
    let system_user = find(&users["users"], message["creator_id"].as_i64().expect("a creator"));
    assert_eq!(
        (&system_user["name"], &system_user["role"]),
        (&json!("Campfire"), &json!("bot")),
        "{system_user}"
    );
    assert_eq!(team.ada.get("/api/bots").await.expect(200)["bots"], json!([]));
    assert_eq!(team.ada.unread(team.room).await.0, 1, "news like any other");
}

#[tokio::test(flavor = "multi_thread")]
async fn alert_room_that_does_not_exist_is_reported_at_start() {
    let dir = tempfile::tempdir().unwrap();
    let team = team_with(dir.path(), |_| "alert_memory_mb = 1\nalert_room = 4711\n".into()).await;
    team.server.logs("not posted to room 4711, which alert_room names: there is no such room");
    team.server.logs("Memory use is high: ");
    let page = team.ada.get(&format!("/api/rooms/{}/messages", team.room)).await.expect(200);
    assert_eq!(page["messages"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn alert_room_that_is_direct_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("campfire.toml");
    std::fs::write(&file, "").unwrap();
    let server = Server::on(&dir.path().join("data"), &[("CAMPFIRE_CONFIG", file.to_str().unwrap())]);
    let mut team = Team::on(server).await;
    let grace = team.join("Grace").await;
    let room = team.ada.direct_with(&[&grace]).await;
    std::fs::write(&file, format!("alert_room = {room}\n")).unwrap();
    assert!(team.server.terminate().success());
    team.server.restart();
    team.server.logs("that is a direct room");
}

/// B20.
#[tokio::test(flavor = "multi_thread")]
async fn backup_that_fails_is_posted_in_alert_room() {
    let dir = tempfile::tempdir().unwrap();
    let missing = dir.path().join("missing");
    let team = team_with(dir.path(), |team| {
        format!("backup_dir = {:?}\nalert_room = {}\n", missing.to_str().unwrap(), team.room)
    })
    .await;
    let mut socket = team.ada.socket_in(team.room).await;
    let message = socket.expect("message.created").await["message"].clone();
    let content = message["content"].as_str().expect("content");
    assert!(content.starts_with("The scheduled backup fails"), "{content}");
    team.server.logs(content);
}
