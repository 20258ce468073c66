//! `campfire demo`.

use std::process::Child;
use std::sync::{Arc, Mutex};

use crate::support::http::Credentials;
use crate::support::server::{Address, campfire, spawn_until_ready, wait_for};
use crate::support::*;

struct Demo(Child);

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn demo_signs_the_first_visitor_in_and_shows_every_feature() {
    let tmp = tempfile::tempdir().unwrap();
    let log: Arc<Mutex<Vec<String>>> = Arc::default();
    let mut command = campfire();
    command.args(["demo", "--listen", "127.0.0.1:0"]).env("TMPDIR", tmp.path());
    let (child, address) = spawn_until_ready(command, &log);
    let mut demo = Demo(child);
    let nobody = Client::new(Address::fixed(address), Credentials::None);
    let page = nobody.get("/").await;
    let visitor = nobody.with(Credentials::Cookie(page.cookie()));
    let session = visitor.get("/api/session").await.expect(200);
    assert!(session["users"].as_array().unwrap().len() >= 4, "a handful of people");
    let rooms = session["rooms"].as_array().unwrap();
    assert!(rooms.len() >= 3, "some rooms");
    let mut messages = Vec::new();
    for room in rooms {
        let page = visitor.get(&format!("/api/rooms/{}/messages?limit=200", id(room))).await.expect(200);
        messages.extend(page["messages"].as_array().unwrap().iter().cloned());
    }
    assert!(messages.len() >= 100, "{} messages", messages.len());
    shows_what_there_is(&visitor, &session, &messages).await;
    let room = rooms.iter().find(|it| it["kind"] == "open").expect("an open room");
    let post = json!({"room_id": id(room), "content": "Warm in here"});
    visitor.post("/api/messages", post).await.expect(201);
    // Only the first visitor is signed in.
    let second = nobody.get("/").await;
    assert!(!second.headers.contains_key("set-cookie"));
    nobody.get("/api/session").await.problem(401, "not_signed_in");
    // It exits with 0 and leaves no files.
    let kill = std::process::Command::new("sh").args(["-c", &format!("kill -TERM {}", demo.0.id())]).status();
    assert!(kill.unwrap().success());
    assert_eq!(wait_for(&mut demo.0).and_then(|it| it.code()), Some(0));
    let left: Vec<_> = std::fs::read_dir(tmp.path()).unwrap().flatten().map(|it| it.path()).collect();
    assert!(left.is_empty(), "{left:?}");
}

/// Asserts that the demo contains an example of every feature.
async fn shows_what_there_is(visitor: &Client, session: &Value, messages: &[Value]) {
    let users = session["users"].as_array().unwrap();
    assert!(users.iter().any(|user| user["role"] == "bot"), "a bot");
    assert!(users.iter().all(|user| !user["bio"].as_str().unwrap().is_empty()), "all say who they are");
    let faces: Vec<&str> = users.iter().filter_map(|user| user["avatar_url"].as_str()).collect();
    assert!(faces.len() >= 4 && faces.len() < users.len(), "some have portraits, some initials");
    let face = visitor.get(faces[0]).await;
    assert_eq!((face.status, &face.headers["content-type"]), (200, &"image/webp".parse().unwrap()));
    let rooms = session["rooms"].as_array().unwrap();
    assert!(rooms.iter().any(|room| room["kind"] == "closed"), "a closed room");
    assert!(rooms.iter().any(|room| room["kind"] == "direct"), "direct rooms");
    let mentioned = |room: &Value| room["membership"]["mention_count"].as_u64().unwrap();
    assert!(rooms.iter().any(|room| mentioned(room) == 2), "a room with two mentions");
    assert!(rooms.iter().filter(|room| room["membership"]["unread_count"] == 0).count() * 2 > rooms.len());

    let is_there = |part: &str| messages.iter().any(|it| !it[part].is_null() && it[part] != json!([]));
    for part in ["boosts", "attachment", "embeds", "reply_to_id", "edited_at", "mentions"] {
        assert!(is_there(part), "no message has {part}");
    }
    assert!(messages.iter().any(|it| it["kind"] == "sound"), "a sound");
    let mut kinds = Vec::new();
    for attachment in messages.iter().map(|it| &it["attachment"]).filter(|it| !it.is_null()) {
        let file = visitor.get(attachment["url"].as_str().unwrap()).await;
        assert_eq!((file.status, file.body.len() as u64), (200, attachment["byte_size"].as_u64().unwrap()));
        let kind = attachment["content_type"].as_str().unwrap().to_owned();
        if kind.starts_with("image/") {
            assert!(attachment["width"].as_u64() >= Some(900), "{attachment}");
            assert_eq!(visitor.get(attachment["thumbnail_url"].as_str().unwrap()).await.status, 200);
        }
        kinds.push(kind);
    }
    for kind in ["image/jpeg", "image/png", "text/plain", "application/pdf", "audio/wav"] {
        assert!(kinds.iter().any(|it| it == kind), "{kind} in {kinds:?}");
    }
    let embed = messages.iter().flat_map(|it| it["embeds"].as_array().unwrap()).next().unwrap();
    assert_eq!(visitor.get(embed["image_url"].as_str().unwrap()).await.status, 200);
}
