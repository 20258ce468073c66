//! kill -9 under load, repeatedly on the same data.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::support::*;

const ROUNDS: usize = 22;
const AUTHORS: usize = 6;
/// Acknowledgements before the next kill; the number grows with each round, so that kills come at different moments.
const ACKS_PER_ROUND: usize = 60;

/// The acknowledged messages: `client_message_id` to the server's id.
type Acked = HashMap<String, i64>;

/// Posts until the server is gone; authors with an odd number use a socket.
async fn post_until_stopped(
    person: Person,
    room: i64,
    round: usize,
    author: usize,
    stop: Arc<AtomicBool>,
    acks: Arc<AtomicUsize>,
) -> Acked {
    let mut acked = Acked::new();
    let mut socket = None;
    if author % 2 == 1 {
        socket = Some(person.socket().await);
    }
    for n in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let key = format!("r{round}s{author}n{n}");
        let content = format!("{key} word{round}x{author}x{n}");
        let message = match &mut socket {
            None => {
                let body = json!({"room_id": room, "content": content, "client_message_id": key});
                match person.request("POST", "/api/messages").json(body).try_send().await {
                    Ok(reply) => reply.expect(201),
                    Err(_) => break,
                }
            }
            Some(socket) => {
                let message =
                    json!({"type": "message", "room_id": room, "content": content, "client_message_id": key});
                if !socket.try_send(message).await {
                    break;
                }
                match ack(socket, &key).await {
                    Some(message) => message,
                    None => break,
                }
            }
        };
        assert_eq!(message["client_message_id"], key.as_str());
        acked.insert(key, id(&message));
        acks.fetch_add(1, Ordering::Relaxed);
    }
    acked
}

/// The acknowledged message, or none if the connection ended first.
async fn ack(socket: &mut Socket, key: &str) -> Option<Value> {
    loop {
        match socket.next().await {
            ws::Received::Event(event) if event["type"] == "ack" && event["client_message_id"] == key => {
                return Some(event["message"].clone());
            }
            ws::Received::Event(event) => assert_ne!(event["type"], "error", "{event}"),
            ws::Received::Closed(_) => return None,
        }
    }
}

/// Every message of the room by id, paged from the oldest.
async fn everything(person: &Person, room: i64) -> BTreeMap<i64, Value> {
    let mut all = BTreeMap::new();
    let mut after = 0;
    loop {
        let query =
            if after == 0 { "after=1&limit=200".to_owned() } else { format!("after={after}&limit=200") };
        let page = person.get(&format!("/api/rooms/{room}/messages?{query}")).await.expect(200);
        for message in page["messages"].as_array().expect("messages") {
            assert!(id(message) > after, "in order");
            after = id(message);
            assert!(all.insert(after, message.clone()).is_none(), "{after} twice");
        }
        if page["has_after"] == false {
            return all;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_messages_survive_kill_9_exactly_once_and_indexed() {
    let mut team = Team::start().await;
    let grace = team.join("Grace").await;
    let mut acked = Acked::new();
    let mut last_seq = 0;
    for round in 0..ROUNDS {
        let stop = Arc::new(AtomicBool::new(false));
        let acks = Arc::new(AtomicUsize::new(0));
        let authors: Vec<_> = (0..AUTHORS)
            .map(|author| {
                let person = if author < AUTHORS / 2 { team.ada.clone() } else { grace.clone() };
                tokio::spawn(post_until_stopped(person, team.room, round, author, stop.clone(), acks.clone()))
            })
            .collect();
        within("messages to be acknowledged", async {
            while acks.load(Ordering::Relaxed) < ACKS_PER_ROUND + 7 * round {
                tokio::task::yield_now().await;
            }
        })
        .await;
        team.server.kill();
        stop.store(true, Ordering::Relaxed);
        for author in authors {
            let new = within("an author to notice", author).await.expect("an author");
            for (key, message) in new {
                assert!(
                    message > last_seq,
                    "round {round}: {key} got {message}, but {last_seq} was reached before"
                );
                assert!(acked.insert(key, message).is_none());
            }
        }
        let reached = acked.values().copied().max().expect("messages");
        team.server.restart();
        let seq = team.ada.get("/api/session").await.expect(200)["seq"].as_i64().expect("seq");
        assert!(seq >= reached && seq >= last_seq, "round {round}: seq {seq} after {reached} and {last_seq}");
        last_seq = seq;
        check(&team.ada, team.room, &acked).await;
        // New messages have ids beyond all earlier ones.
        let said = team.ada.say(team.room, "between the rounds").await;
        assert!(id(&said) > last_seq);
        last_seq = id(&said);
        assert_indexed(&team.ada, round, &acked).await;
    }
    // The database is consistent.
    assert!(team.server.terminate().success());
    let database = rusqlite::Connection::open(team.server.database()).expect("the database");
    let verdict: String =
        database.query_row("pragma integrity_check", [], |row| row.get(0)).expect("a verdict");
    assert_eq!(verdict, "ok");
    let wrong: i64 = database
        .query_row("select count(*) from pragma_foreign_key_check", [], |row| row.get(0))
        .expect("a count");
    assert_eq!(wrong, 0);
}

/// Asserts that every acknowledged message has its id, and that no client id is there twice.
async fn check(person: &Person, room: i64, acked: &Acked) {
    let all = everything(person, room).await;
    let mut seen = HashSet::new();
    for message in all.values() {
        if let Some(key) = message["client_message_id"].as_str() {
            assert!(seen.insert(key.to_owned()), "{key} is there twice");
        }
    }
    for (key, message) in acked {
        let found =
            all.get(message).unwrap_or_else(|| panic!("{key} was acknowledged as {message} and is lost"));
        assert_eq!(found["client_message_id"], key.as_str());
    }
}

/// Asserts that search finds each acknowledged message of the round by a unique word.
async fn assert_indexed(person: &Person, round: usize, acked: &Acked) {
    let of_round: Vec<_> = acked.iter().filter(|(key, _)| key.starts_with(&format!("r{round}s"))).collect();
    assert!(!of_round.is_empty());
    for (key, message) in of_round {
        let (author, n) = key.split_once('s').and_then(|(_, rest)| rest.split_once('n')).expect("a key");
        let found = person.get(&format!("/api/search?q=%22word{round}x{author}x{n}%22")).await.expect(200);
        let found: Vec<i64> =
            found["results"].as_array().unwrap().iter().map(|it| id(&it["message"])).collect();
        assert!(found.contains(message), "{key} ({message}) is not in the index: {found:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn retries_after_a_crash_create_no_duplicates() {
    let mut team = Team::start().await;
    for round in 0..5 {
        let keys: Vec<String> = (0..40).map(|n| format!("r{round}-{n}")).collect();
        let body = |key: &str| json!({"room_id": team.room, "content": key, "client_message_id": key});
        let mut tries = Vec::new();
        for key in &keys {
            let (ada, body) = (team.ada.clone(), body(key));
            tries.push(tokio::spawn(async move {
                ada.request("POST", "/api/messages")
                    .json(body)
                    .try_send()
                    .await
                    .is_ok_and(|it| it.status == 201)
            }));
        }
        within("some to get through", async {
            while !tries.iter().any(tokio::task::JoinHandle::is_finished) {
                tokio::task::yield_now().await;
            }
        })
        .await;
        team.server.kill();
        let mut through = Vec::new();
        for attempt in tries {
            through.push(within("a try to end", attempt).await.expect("a try"));
        }
        team.server.restart();
        for (key, was_acked) in keys.iter().zip(through) {
            let body = json!({"room_id": team.room, "content": key, "client_message_id": key});
            let reply = team.ada.post("/api/messages", body).await;
            assert!(matches!(reply.status, 200 | 201), "{}", reply.text());
            assert!(!was_acked || reply.status == 200, "{key} was acknowledged and posted anew");
        }
    }
    let all = everything(&team.ada, team.room).await;
    assert_eq!(all.len(), 200);
}

#[tokio::test]
async fn edits_deletes_and_rooms_survive_a_crash() {
    let mut team = Team::start().await;
    let grace = team.join("Grace").await;
    let kept = team.ada.say(team.room, "kept").await;
    let gone = team.ada.say(team.room, "gone").await;
    let edited = team
        .ada
        .patch(&format!("/api/messages/{}", id(&kept)), json!({"content": "rewritten"}))
        .await
        .expect(200);
    team.ada.delete(&format!("/api/messages/{}", id(&gone))).await.expect(204);
    let room = team.closed_room("Made just before", &[&team.ada, &grace]).await;
    team.ada.put(&format!("/api/rooms/{room}/members"), json!({"user_ids": [team.ada.id]})).await.expect(200);
    let phone = grace.sign_in_again().await;
    phone.delete("/api/session").await.expect(204);
    team.server.kill();
    team.server.restart();
    let page = team.ada.get(&format!("/api/rooms/{}/messages", team.room)).await.expect(200);
    assert_eq!(page["messages"], json!([edited]));
    assert_eq!(team.ada.my_room(room).await["name"], "Made just before");
    grace.get(&format!("/api/rooms/{room}")).await.problem(404, "not_found");
    phone.get("/api/session").await.problem(401, "not_signed_in");
    assert_eq!(team.ada.get("/api/search?q=gone").await.expect(200)["results"], json!([]));
    let found = team.ada.get("/api/search?q=rewritten").await.expect(200);
    assert_eq!(found["results"].as_array().map(Vec::len), Some(1));
}
