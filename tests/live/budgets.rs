//! What one socket may cause.

use std::time::Instant;

use tokio_tungstenite::tungstenite::protocol::Message;

use futures_util::SinkExt;

use crate::support::*;

/// B10: however many marks there are, they take one place in the writer's queue, and the newest is written.
#[tokio::test]
async fn read_marks_in_a_flood_do_not_fill_the_queue_and_end_in_the_newest() {
    let team = Team::with(&[("CAMPFIRE_WRITER_QUEUE", "8")]).await;
    let grace = team.join("Grace").await;
    let other = team.closed_room("Other", &[&team.ada, &grace]).await;
    let mut said = Vec::new();
    for n in 0..20 {
        said.push((team.room, id(&team.ada.say(team.room, &format!("{n}")).await)));
        said.push((other, id(&team.ada.say(other, &format!("{n}")).await)));
    }
    let mut socket = grace.socket().await;
    let lock = team.hold_writes();
    for (room, message) in said.iter().cycle().take(2_000) {
        let read = json!({"type": "read", "room_id": room, "message_id": message});
        socket.stream.feed(Message::text(read.to_string())).await.expect("the socket takes a frame");
    }
    socket.stream.flush().await.expect("the socket takes frames");
    socket.round_trip().await;
    team.queued(1).await;
    let ada = team.ada.clone();
    let post = tokio::spawn(async move {
        ada.post("/api/messages", json!({"room_id": team.room, "content": "Is there room?"})).await.status
    });
    drop(lock);
    assert_eq!(post.await.expect("an answer"), 201);
    for (room, newest) in [said[38], said[39]] {
        socket
            .expect_where("read", |it| (&it["room_id"], &it["message_id"]) == (&json!(room), &json!(newest)))
            .await;
        assert_eq!(grace.my_room(room).await["membership"]["last_read_message_id"], newest);
    }
    socket.assert_not_received("error");
}

/// B10: marks wait for room in the writer's queue, also if the socket is gone by then.
#[tokio::test]
async fn read_mark_on_a_full_queue_is_written_later() {
    let team = Team::with(&[("CAMPFIRE_WRITER_QUEUE", "2")]).await;
    let grace = team.join("Grace").await;
    let said = id(&team.ada.say(team.room, "Hello").await);
    let mut socket = grace.socket().await;
    let lock = team.hold_writes();
    let posts: Vec<_> = ["a", "b"]
        .map(|content| {
            let ada = team.ada.clone();
            tokio::spawn(async move { ada.say(team.room, content).await })
        })
        .into();
    team.queued(2).await;
    socket.send(json!({"type": "read", "room_id": team.room, "message_id": said})).await;
    socket.round_trip().await;
    socket.assert_not_received("error");
    socket.disconnect();
    drop(lock);
    for post in posts {
        post.await.expect("a post");
    }
    within("the mark to be written", async {
        while grace.my_room(team.room).await["membership"]["last_read_message_id"] != said {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

/// B10: changing between typing and not typing is not broadcast more often than typing is.
#[tokio::test]
async fn typing_in_a_flood_is_told_twice_a_second() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    let mut of_ada = team.ada.socket_in(team.room).await;
    let mut of_grace = grace.socket_in(team.room).await;
    let began = Instant::now();
    for n in 0..1_000 {
        let typing = json!({"type": "typing", "room_id": team.room, "active": n % 2 == 0});
        of_grace.stream.feed(Message::text(typing.to_string())).await.expect("the socket takes a frame");
    }
    of_grace.stream.flush().await.expect("the socket takes frames");
    of_grace.say(team.room, "Done", "d").await;
    let seconds = began.elapsed().as_secs() as usize + 2;
    assert_eq!(of_ada.next_content().await, "Done");
    let told = of_ada.skipped.iter().filter(|it| it["type"] == "typing").count();
    assert!((2..=2 * seconds).contains(&told), "{told} times in {seconds} s");
}

/// B10: a socket may join 1,000 rooms at once, and then 50 in each second.
#[tokio::test]
async fn joins_in_a_flood_are_limited_and_say_when_to_try_again() {
    const COUNT: usize = 3_000;
    let team = Team::start().await;
    let mut socket = team.ada.socket().await;
    let began = Instant::now();
    for _ in 0..COUNT {
        for kind in ["join_room", "leave_room"] {
            let message = json!({"type": kind, "room_id": team.room}).to_string();
            socket.stream.feed(Message::text(message)).await.expect("the socket takes a frame");
        }
    }
    socket.stream.flush().await.expect("the socket takes frames");
    socket.round_trip().await;
    let seconds = began.elapsed().as_secs() as usize + 1;
    let count = |kind: &str| socket.skipped.iter().filter(|it| it["type"] == kind).count();
    let (joined, refused) = (count("joined"), count("error"));
    assert_eq!((joined + refused, count("left")), (COUNT, COUNT), "every message has its answer");
    assert!((1_000..=1_000 + 50 * seconds).contains(&joined), "{joined} in {seconds} s");
    let error = socket.skipped.iter().find(|it| it["type"] == "error").expect("an error");
    assert_eq!((&error["code"], &error["retry_after_ms"]), (&json!("rate_limited"), &json!(1_000)));
    // It can join again when it was told to.
    socket.skipped.clear();
    within("a join", async {
        loop {
            socket.send(json!({"type": "join_room", "room_id": team.room})).await;
            if socket.event().await["type"] == "joined" {
                break;
            }
        }
    })
    .await;
}

/// B10: a client that takes no answers is not read from, so that they do not fill the memory.
#[tokio::test]
async fn client_that_takes_no_answers_is_not_read_from() {
    let team = Team::start().await;
    let mut slow = Socket::connect_with_small_buffer(&team.ada).await;
    let t = "x".repeat(100_000);
    let mut sent = 0;
    // The buffers of the kernel and the bound are some megabytes.
    while sent < 600 {
        let ping = slow.stream.send(Message::text(json!({"type": "ping", "t": t}).to_string()));
        if tokio::time::timeout(std::time::Duration::from_secs(2), ping).await.is_err() {
            break;
        }
        sent += 1;
    }
    assert!(sent < 600, "it reads whatever is sent");
    for _ in 0..sent {
        assert_eq!(slow.expect("pong").await["t"], t);
    }
}
