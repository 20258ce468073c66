//! What a socket has missed is replayed in pieces, whatever its size.

use crate::support::*;

/// Posts messages of about so many bytes, and returns their ids in order.
async fn post_many(who: &Person, room: i64, count: usize, bytes: usize) -> Vec<i64> {
    let mut socket = who.socket().await;
    let words = "lorem ipsum ".repeat(bytes / 12);
    let mut said = Vec::new();
    for n in 0..count {
        let (content, id) = (format!("{n} {words}"), n.to_string());
        socket
            .send(json!({"type": "message", "room_id": room, "content": content, "client_message_id": id}))
            .await;
        if n % 50 == 49 || n + 1 == count {
            while said.len() <= n {
                said.push(crate::support::id(&socket.expect("ack").await["message"]));
            }
        }
    }
    assert!(said.is_sorted(), "acknowledged in the order of the posts");
    said
}

async fn now(who: &Person) -> i64 {
    who.get("/api/session").await.expect(200)["seq"].as_i64().expect("seq")
}

/// The ids of new messages up to this one. Fails on a `resync`.
async fn created_up_to(socket: &mut Socket, last: i64) -> Vec<i64> {
    let mut heard = Vec::new();
    while heard.last() != Some(&last) {
        let event = socket.event().await;
        assert_ne!(event["type"], "resync", "after {} messages", heard.len());
        if event["type"] == "message.created" {
            heard.push(id(&event["message"]));
        }
    }
    heard
}

/// Fewer messages than were missed have come, and no more follow.
async fn assert_replay_has_stopped(socket: &mut Socket, missed: usize) {
    let replayed = socket.skipped.iter().filter(|it| it["type"] == "message.created").count();
    assert!(replayed < missed, "all of it was replayed");
    socket.skipped.clear();
    socket.round_trip().await;
    socket.assert_not_received("message.created");
}

/// B6: more than the bound of a queue is missed.
#[tokio::test]
async fn replay_of_many_messages_comes_between_joined_and_what_happens_next() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    let since = now(&grace).await;
    let mut said = post_many(&team.ada, team.room, 1_500, 1_000).await;
    for mut socket in [grace.socket().await, Socket::connect_msgpack(&grace).await] {
        socket.join_since(team.room, since).await;
        said.push(id(&team.ada.say(team.room, "Live again").await));
        assert!(created_up_to(&mut socket, said[said.len() - 1]).await == said, "out of order");
        socket.round_trip().await;
        socket.assert_not_received("resync");
        socket.assert_not_received("message.created");
    }
}

/// B6: the client takes its time, and events happen meanwhile.
#[tokio::test]
async fn replay_to_a_slow_client_comes_before_what_happens_meanwhile() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    let since = now(&grace).await;
    let mut said = post_many(&team.ada, team.room, 400, 16_000).await;
    let mut socket = Socket::connect_with_small_buffer(&grace).await;
    socket.join_since(team.room, since).await;
    for n in 0..50 {
        said.push(id(&team.ada.say(team.room, &format!("Meanwhile {n}")).await));
    }
    assert!(created_up_to(&mut socket, said[said.len() - 1]).await == said, "out of order");
    assert_eq!(team.metric("campfire_resyncs_total").await, 0.0);
}

/// B6.
#[tokio::test]
async fn replay_ends_when_the_room_is_left() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    let since = now(&grace).await;
    let said = post_many(&team.ada, team.room, 600, 16_000).await;
    let mut socket = Socket::connect_with_small_buffer(&grace).await;
    socket.join_since(team.room, since).await;
    socket.leave(team.room).await;
    assert_replay_has_stopped(&mut socket, said.len()).await;
}

/// B6.
#[tokio::test]
async fn replay_ends_when_the_member_is_removed() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    let room = team.closed_room("Closed", &[&team.ada, &grace]).await;
    let since = now(&grace).await;
    let said = post_many(&team.ada, room, 600, 16_000).await;
    let mut socket = Socket::connect_with_small_buffer(&grace).await;
    socket.join_since(room, since).await;
    team.ada.put(&format!("/api/rooms/{room}/members"), json!({"user_ids": [team.ada.id]})).await.expect(200);
    let lost = socket.expect("membership.updated").await;
    assert_eq!((&lost["room_id"], &lost["membership"]), (&json!(room), &Value::Null));
    assert_replay_has_stopped(&mut socket, said.len()).await;
}

/// Events are replayed up to 2,000; a client that has missed more loads them by pages.
#[tokio::test]
async fn replay_of_too_many_messages_is_a_resync_after_joined() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    let since = now(&grace).await;
    let said = post_many(&team.ada, team.room, 2_001, 20).await;
    let mut socket = grace.socket().await;
    let joined = socket.join_since(team.room, since).await;
    assert_eq!(socket.expect("resync").await["seq"], joined["seq"]);
    let live = id(&team.ada.say(team.room, "Live again").await);
    assert_eq!(created_up_to(&mut socket, live).await, [live]);
    // As many as are replayed.
    let mut other = grace.socket().await;
    other.join_since(team.room, said[1]).await;
    assert_eq!(created_up_to(&mut other, live).await.len(), 2_000);
}

/// B12: a client of a server that was restored from a backup knows a later position than the server.
#[tokio::test]
async fn join_since_a_position_that_is_not_reached_is_told_to_resync() {
    let team = Team::start().await;
    let said = id(&team.ada.say(team.room, "Hello").await);
    for since in [said + 1, said + 1_000_000, i64::MAX] {
        let mut socket = team.ada.socket().await;
        let joined = socket.join_since(team.room, since).await;
        assert_eq!(socket.expect("resync").await["seq"], joined["seq"]);
        team.ada.say(team.room, "Live").await;
        assert_eq!(socket.next_content().await, "Live");
    }
    let mut socket = team.ada.socket().await;
    let now = now(&team.ada).await;
    socket.join_since(team.room, now).await;
    socket.round_trip().await;
    socket.assert_not_received("resync");
}
