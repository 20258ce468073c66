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
async fn the_demo_signs_the_first_visitor_in_to_a_place_full_of_talk() {
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
    let mut messages = 0;
    for room in rooms {
        let page = visitor.get(&format!("/api/rooms/{}/messages?limit=200", id(room))).await.expect(200);
        messages += page["messages"].as_array().unwrap().len();
    }
    assert!(messages >= 100, "{messages} messages");
    let room = rooms.iter().find(|it| it["kind"] == "open").expect("an open room");
    let post = json!({"room_id": id(room), "content": "Warm in here"});
    visitor.post("/api/messages", post).await.expect(201);
    // Only the first visitor is let in like this.
    let second = nobody.get("/").await;
    assert!(!second.headers.contains_key("set-cookie"));
    nobody.get("/api/session").await.problem(401, "not_signed_in");
    // It ends well, and leaves nothing behind.
    let kill = std::process::Command::new("sh").args(["-c", &format!("kill -TERM {}", demo.0.id())]).status();
    assert!(kill.unwrap().success());
    assert_eq!(wait_for(&mut demo.0).and_then(|it| it.code()), Some(0));
    let left: Vec<_> = std::fs::read_dir(tmp.path()).unwrap().flatten().map(|it| it.path()).collect();
    assert!(left.is_empty(), "{left:?}");
}
