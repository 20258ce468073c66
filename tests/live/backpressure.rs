//! Slow consumers, and a writer that is blocked.

use std::time::{Duration, Instant};

use futures_util::future::join_all;

use crate::support::ws::Received;
use crate::support::*;

/// About 16 KiB of text; frames are not compressed.
fn bulky(n: usize) -> String {
    format!("{n} {}", "lorem ipsum ".repeat(1365))
}

/// Posts this many large messages, far more than a socket's queue holds.
async fn flood(team: &Team, who: &Person, count: usize) -> Vec<i64> {
    let mut said = Vec::new();
    for n in 0..count {
        said.push(id(&who.say(team.room, &bulky(n)).await));
    }
    said
}

#[tokio::test]
async fn slow_consumer_holds_up_nobody_and_is_told_to_resync() {
    let team = Team::start().await;
    let (grace, linus) = (team.join("Grace").await, team.join("Linus").await);
    let mut slow = Socket::connect_with_small_buffer(&grace).await;
    slow.join(team.room).await;
    let mut fast = linus.socket_in(team.room).await;
    let reading = async {
        let mut heard = Vec::new();
        while heard.len() < 600 {
            heard.push(fast.expect("message.created").await["seq"].as_i64().expect("seq"));
        }
        heard
    };
    let (said, heard) = tokio::join!(flood(&team, &team.ada, 600), reading);
    assert_eq!(heard, said);
    fast.assert_not_received("resync");
    // It reads again: events are in order and without duplicates up to the resync.
    let mut last = 0;
    let resync = loop {
        let event = slow.event().await;
        if event["type"] == "resync" {
            break event;
        }
        if let Some(seq) = event["seq"].as_i64() {
            assert!(seq > last, "{seq} after {last}");
            last = seq;
        }
    };
    assert!(resync["seq"].is_i64(), "{resync}");
    // It catches up by sync, and then receives events as before.
    let (missed, mut since) = (said.iter().filter(|it| **it > last).count(), last);
    assert!(missed > 0, "it was not slow at all");
    let mut caught_up = 0;
    loop {
        let body = grace.get(&format!("/api/sync?since={since}")).await.expect(200);
        let events = body["events"].as_array().unwrap();
        caught_up += events.iter().filter(|it| it["type"] == "message.created").count();
        let next = body["seq"].as_i64().unwrap();
        if events.is_empty() || next == since {
            break;
        }
        since = next;
    }
    assert_eq!(caught_up, missed);
    team.ada.say(team.room, "Are you back?").await;
    slow.expect_where("message.created", |it| it["message"]["content"] == "Are you back?").await;
}

#[tokio::test]
async fn slow_consumer_that_never_reads_again_is_closed() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    let mut slow = Socket::connect_with_small_buffer(&grace).await;
    slow.join(team.room).await;
    flood(&team, &team.ada, 600).await;
    let full = Instant::now();
    // The server must close it by itself; its metrics show when.
    loop {
        if team.metric("campfire_sockets").await == 0.0 {
            break;
        }
        assert!(full.elapsed() < Duration::from_secs(90), "it is still there");
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    assert!(full.elapsed() > Duration::from_secs(15), "that was no 30 s: {:?}", full.elapsed());
    let code = loop {
        if let Received::Closed(code) = slow.next().await {
            break code;
        }
    };
    assert!(matches!(code, Some(4008) | None), "{code:?}");
}

/// B6: `resync` replaces events only.
#[tokio::test]
async fn answers_reach_a_client_that_lags() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    let mut slow = Socket::connect_with_small_buffer(&grace).await;
    slow.join(team.room).await;
    flood(&team, &team.ada, 600).await;
    assert_eq!(team.metric("campfire_resyncs_total").await, 1.0);
    let other = team.closed_room("Other", &[&grace]).await;
    slow.send(json!({"type": "ping", "t": "while it lags"})).await;
    slow.send(json!({"type": "join_room", "room_id": other, "since": 0})).await;
    slow.send(json!({"type": "message", "room_id": other, "content": "Hello", "client_message_id": "a"}))
        .await;
    slow.send(json!({"type": "leave_room", "room_id": other})).await;
    slow.send(json!({"type": "dance"})).await;
    let mut answers = Vec::new();
    while answers.len() < 6 {
        let event = slow.event().await;
        let kind = event["type"].as_str().expect("a type").to_owned();
        if !matches!(&*kind, "message.created" | "presence" | "room.created" | "read") {
            answers.push(kind);
        }
    }
    answers.sort_unstable();
    assert_eq!(answers, ["ack", "error", "joined", "left", "pong", "resync"]);
    slow.round_trip().await;
}

/// B6: far more than a queue holds is committed at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_batch_reaches_quick_readers_without_a_resync() {
    const COUNT: usize = 200;
    let team = Team::with(&[("CAMPFIRE_DURABILITY", "full")]).await;
    let grace = team.join("Grace").await;
    let mut sockets = Vec::new();
    for _ in 0..3 {
        sockets.push(grace.socket_in(team.room).await);
        let mut packed = Socket::connect_msgpack(&grace).await;
        packed.join(team.room).await;
        sockets.push(packed);
    }
    let lock = team.hold_writes();
    let posts = (0..COUNT).map(|n| {
        let ada = team.ada.clone();
        tokio::spawn(async move { id(&ada.say(team.room, &bulky(n)).await) })
    });
    let posts: Vec<_> = posts.collect();
    team.queued(COUNT).await;
    drop(lock);
    let mut said: Vec<i64> = join_all(posts).await.into_iter().map(|it| it.expect("a post")).collect();
    said.sort_unstable();
    for mut socket in sockets {
        let mut heard = Vec::new();
        while heard.len() < COUNT {
            heard.push(id(&socket.expect("message.created").await["message"]));
        }
        assert_eq!(heard, said);
        socket.assert_not_received("resync");
    }
    assert_eq!(team.metric("campfire_resyncs_total").await, 0.0);
}

/// B6: a frame of more than a queue holds.
#[tokio::test]
async fn frame_above_the_bound_reaches_its_readers_and_silences_nobody() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    let mut socket = grace.socket_in(team.room).await;
    // Characters that JSON escapes six-fold, in the content and in the HTML; and a table with a wide head, whose rows all
    // have its columns.
    let table = format!("{}\n{}\n{}", "|a".repeat(200), "|-".repeat(200), "|b\n".repeat(165));
    let content = format!("{table}\n{}", "\u{1}".repeat(62 << 10));
    let said = team.ada.say(team.room, &content).await;
    assert!(said.to_string().len() > 1 << 20, "a frame of {} bytes", said.to_string().len());
    let heard = socket.expect("message.created").await;
    assert_eq!(heard["message"], said);
    socket.round_trip().await;
    team.ada.say(team.room, "And a small one").await;
    assert_eq!(socket.next_content().await, "And a small one");
    socket.assert_not_received("resync");
}

#[tokio::test]
async fn writer_queue_that_is_full_is_503_and_recovers() {
    let team = Team::with(&[("CAMPFIRE_WRITER_QUEUE", "8")]).await;
    let mut other = rusqlite::Connection::open(team.server.database()).expect("the database");
    let lock =
        other.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).expect("the write lock");
    let count = 100;
    let tries = (0..count).map(|n| {
        let ada = &team.ada;
        async move {
            let body = json!({"room_id": team.room, "content": format!("m{n}"), "client_message_id": format!("m{n}")});
            ada.post("/api/messages", body).await
        }
    });
    let release = async {
        // Reads work while nothing can be written.
        let rooms = team.ada.get("/api/rooms").await;
        rooms.expect(200);
        team.nobody().get("/health").await.expect(200);
        // At least one request must be refused before the lock is released.
        loop {
            let body = json!({"room_id": team.room, "content": "probe", "client_message_id": "probe"});
            let probe = team.ada.request("POST", "/api/messages").json(body).try_send();
            match tokio::time::timeout(Duration::from_millis(300), probe).await {
                Ok(Ok(reply)) if reply.status == 503 => break,
                _ => {}
            }
        }
        drop(lock);
    };
    let (replies, ()) = tokio::join!(join_all(tries), release);
    let (done, refused): (Vec<&Reply>, Vec<&Reply>) = replies.iter().partition(|it| it.status == 201);
    assert!(!refused.is_empty() && !done.is_empty(), "{} done, {} refused", done.len(), refused.len());
    for reply in refused {
        reply.problem(503, "overloaded");
        let wait: u64 = reply.header("retry-after").expect("Retry-After").parse().expect("seconds");
        assert!(wait >= 1);
    }
    // Refused requests succeed when retried, and no message is there twice.
    for n in 0..count {
        let body =
            json!({"room_id": team.room, "content": format!("m{n}"), "client_message_id": format!("m{n}")});
        let reply = team.ada.post("/api/messages", body).await;
        assert!(matches!(reply.status, 200 | 201), "{}", reply.text());
    }
    let page = team.ada.get(&format!("/api/rooms/{}/messages?limit=200", team.room)).await.expect(200);
    let mut contents: Vec<&str> =
        page["messages"].as_array().unwrap().iter().filter_map(|it| it["content"].as_str()).collect();
    contents.retain(|it| *it != "probe");
    assert_eq!(contents.len(), count);
    contents.sort_unstable();
    contents.dedup();
    assert_eq!(contents.len(), count);
}

#[tokio::test]
async fn stop_works_while_the_database_is_locked() {
    let mut team = Team::start().await;
    let mut other = rusqlite::Connection::open(team.server.database()).expect("the database");
    let lock =
        other.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).expect("the write lock");
    let (ada, room) = (team.ada.clone(), team.room);
    let stuck = tokio::spawn(async move {
        let body = json!({"room_id": room, "content": "Never mind"});
        ada.request("POST", "/api/messages").json(body).try_send().await.map(|it| it.status)
    });
    // Waits until the message is in the writer's queue.
    within("the message to wait", async {
        while !team
            .nobody()
            .get("/metrics")
            .await
            .text()
            .lines()
            .any(|it| it.contains("queue") && it.ends_with(" 1"))
        {
            tokio::task::yield_now().await;
        }
    })
    .await;
    team.server.signal("TERM");
    let ended = tokio::task::spawn_blocking(move || team.server.wait()).await.expect("an end");
    assert_eq!(ended.code(), Some(0));
    drop(lock);
    let answer = within("an answer or none", stuck).await.expect("a try");
    assert!(!matches!(answer, Ok(200 | 201)), "acknowledged, but never written: {answer:?}");
}
