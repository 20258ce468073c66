//! A history that was put back to an earlier state is told from the one that clients know.

use std::{fs, path::Path};

use crate::support::*;

fn copy_database(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for name in ["campfire.db", "campfire.db-wal", "campfire.db-shm"] {
        let _ = fs::remove_file(to.join(name));
        if from.join(name).exists() {
            fs::copy(from.join(name), to.join(name)).unwrap();
        }
    }
}

async fn etag(who: &Client, room: i64) -> String {
    who.get(&format!("/api/rooms/{room}/messages")).await.header("etag").unwrap().to_owned()
}

/// B12
#[tokio::test]
async fn history_put_back_is_another_one_for_clients_that_know_more() {
    let mut team = Team::start().await;
    let quiet = id(&team.ada.post("/api/rooms", json!({"name": "Quiet", "kind": "open"})).await.expect(201));
    team.ada.say(quiet, "Nothing happens here").await;
    team.ada.say(team.room, "First").await;
    let of_quiet = etag(&team.ada, quiet).await;
    assert!(team.server.terminate().success());
    let copy = tempfile::tempdir().unwrap();
    copy_database(team.server.data(), copy.path());

    team.server.restart();
    let before = team.ada.get("/api/session").await.expect(200);
    let history = before["history"].as_str().unwrap().to_owned();
    let socket = team.ada.socket().await;
    assert_eq!(socket.hello["history"], history.as_str());
    let lost = team.ada.say(team.room, "Lost").await;
    let of_lost = etag(&team.ada, team.room).await;
    let seen = id(&lost);
    let sync = |since: i64, history: &str| format!("/api/sync?since={since}&history={history}");
    team.ada.get(&sync(seen, &history)).await.expect(200);

    // A plain restart changes nothing for them.
    assert!(team.server.terminate().success());
    team.server.restart();
    let caught_up = team.ada.get(&sync(seen, &history)).await.expect(200);
    let restarted = caught_up["history"].as_str().unwrap().to_owned();
    assert_eq!((&caught_up["events"], restarted == history), (&json!([]), false));
    assert_eq!(etag(&team.ada, team.room).await, of_lost);

    assert!(team.server.terminate().success());
    copy_database(copy.path(), team.server.data());
    team.server.restart();
    team.ada.get(&format!("/api/sync?since={seen}")).await.problem(410, "gone");
    for known in [&history, &restarted] {
        team.ada.get(&sync(seen, known)).await.problem(410, "gone");
    }
    // Also once there are as many events as before.
    let other = team.ada.say(team.room, "Something else").await;
    assert_eq!(id(&other), seen, "the number is taken again");
    team.ada.say(team.room, "And more").await;
    for known in [&history, &restarted, &"unknown".to_owned()] {
        team.ada.get(&sync(seen, known)).await.problem(410, "gone");
    }
    assert_ne!(etag(&team.ada, team.room).await, of_lost, "no browser shows what it has");
    assert_eq!(etag(&team.ada, quiet).await, of_quiet, "what has not changed is not loaded again");
    let mut socket = team.ada.socket().await;
    for (known, told) in [(&history, true), (&socket.hello["history"].as_str().unwrap().to_owned(), false)] {
        let join = json!({"type": "join_room", "room_id": team.room, "since": seen, "history": known});
        socket.send(join).await;
        socket.expect("joined").await;
        let next = socket.event().await;
        assert_eq!(next["type"], if told { "resync" } else { "message.created" }, "{next}");
    }
    let now = team.ada.get("/api/session").await.expect(200)["history"].as_str().unwrap().to_owned();
    assert_eq!(team.ada.get(&sync(seen, &now)).await.expect(200)["events"].as_array().unwrap().len(), 1);
}
