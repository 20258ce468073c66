//! Which events a socket receives.

use crate::support::*;

#[tokio::test]
async fn message_reaches_joined_sockets_once_and_is_acked_to_its_author() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    let mut of_ada = team.ada.socket_in(team.room).await;
    let mut of_grace = grace.socket_in(team.room).await;
    let ack = of_ada.say(team.room, "Hello *all*", "c-1").await;
    assert_keys(&ack, &["type", "client_message_id", "message"]);
    assert_eq!(ack["message"]["html"].as_str().map(str::trim), Some("<p>Hello <em>all</em></p>"));
    let heard = of_grace.expect("message.created").await;
    assert_keys(&heard, &["type", "seq", "message"]);
    assert_eq!((&heard["message"], &heard["seq"]), (&ack["message"], &ack["message"]["id"]));
    assert_eq!(
        grace.get(&format!("/api/messages/{}", id(&ack["message"]))).await.expect(200),
        ack["message"]
    );
    of_grace.round_trip().await;
    of_grace.assert_not_received("message.created");
    // A retry is acknowledged again and not broadcast.
    let again = of_ada.say(team.room, "Hello *all*", "c-1").await;
    assert_eq!(again["message"], ack["message"]);
    team.ada.say(team.room, "After").await;
    assert_eq!(of_grace.next_content().await, "After");
}

#[tokio::test]
async fn edits_and_deletes_are_broadcast() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    let mut socket = grace.socket_in(team.room).await;
    let said = team.ada.say(team.room, "Draft").await;
    let path = format!("/api/messages/{}", id(&said));
    let edited = team.ada.patch(&path, json!({"content": "Final"})).await.expect(200);
    let heard = socket.expect("message.updated").await;
    assert_eq!(heard["message"], edited);
    assert!(heard["seq"].as_i64() > said["id"].as_i64());
    team.ada.delete(&path).await.expect(204);
    let gone = socket.expect("message.deleted").await;
    assert_keys(&gone, &["type", "seq", "room_id", "message_id", "mentions", "everyone"]);
    assert_eq!((&gone["mentions"], &gone["everyone"]), (&json!([]), &json!(false)));
    assert_eq!((&gone["room_id"], &gone["message_id"]), (&json!(team.room), &said["id"]));
    assert!(gone["seq"].as_i64() > heard["seq"].as_i64());
}

#[tokio::test]
async fn message_without_a_room_goes_to_the_one_joined_last() {
    let team = Team::start().await;
    let other = team.closed_room("Other", &[&team.ada]).await;
    let mut socket = team.ada.socket_in(team.room).await;
    socket.join(other).await;
    socket.send(json!({"type": "message", "content": "Where am I?", "client_message_id": "w"})).await;
    assert_eq!(socket.expect("ack").await["message"]["room_id"], other);
    let mut homeless = team.ada.socket().await;
    homeless.send(json!({"type": "message", "content": "Nowhere", "client_message_id": "n"})).await;
    let error = homeless.expect("error").await;
    assert_eq!(error["client_message_id"], "n");
    // Posting does not require having joined the room.
    assert_eq!(homeless.say(team.room, "From outside", "o").await["message"]["room_id"], team.room);
}

#[tokio::test]
async fn unread_event_is_sent_for_rooms_that_are_not_joined() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    let mut socket = grace.socket().await;
    let said = team.ada.say(team.room, "Psst").await;
    let unread = socket.expect("unread").await;
    assert_eq!(
        unread,
        json!({"type": "unread", "room_id": team.room, "message_id": said["id"], "mention": false})
    );
    let said = team.ada.say(team.room, &format!("@[Grace](user:{})", grace.id)).await;
    let unread = socket.expect("unread").await;
    assert_eq!(
        unread,
        json!({"type": "unread", "room_id": team.room, "message_id": said["id"], "mention": true})
    );
    socket.assert_not_received("message.created");
    socket.join(team.room).await;
    team.ada.say(team.room, "Now you hear me").await;
    assert_eq!(socket.next_content().await, "Now you hear me");
    socket.round_trip().await;
    socket.assert_not_received("unread");
    socket.leave(team.room).await;
    team.ada.say(team.room, "And now you do not").await;
    socket.expect("unread").await;
    socket.assert_not_received("message.created");
    // An invisible room sends nothing.
    let path = format!("/api/rooms/{}/involvement", team.room);
    grace.put(&path, json!({"involvement": "invisible"})).await.expect(200);
    team.ada.say(team.room, "Silence").await;
    let direct = team.ada.direct_with(&[&grace]).await;
    team.ada.say(direct, "Directly").await;
    assert_eq!(socket.expect("unread").await["room_id"], direct);
}

#[tokio::test]
async fn read_event_reaches_the_other_devices_of_the_user() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    let said = team.ada.say(team.room, "Read me").await;
    let (mut phone, mut desk) = (grace.socket().await, grace.socket().await);
    let mut of_ada = team.ada.socket_in(team.room).await;
    phone.send(json!({"type": "read", "room_id": team.room, "message_id": said["id"]})).await;
    let read = desk.expect("read").await;
    assert_eq!(read, json!({"type": "read", "room_id": team.room, "message_id": said["id"]}));
    assert_eq!(grace.unread(team.room).await, (0, 0));
    let said = team.ada.say(team.room, "And me").await;
    grace.post(&format!("/api/rooms/{}/read", team.room), json!({"message_id": id(&said)})).await.expect(204);
    desk.expect_where("read", |it| it["message_id"] == said["id"]).await;
    phone.expect_where("read", |it| it["message_id"] == said["id"]).await;
    of_ada.round_trip().await;
    of_ada.assert_not_received("read");
}

#[tokio::test]
async fn room_events_tell_of_creation_change_and_deletion() {
    let team = Team::start().await;
    let (grace, linus) = (team.join("Grace").await, team.join("Linus").await);
    let (mut of_grace, mut of_linus) = (grace.socket().await, linus.socket().await);
    let form = json!({"name": "Closed", "kind": "closed", "user_ids": [grace.id]});
    let room = id(&team.ada.post("/api/rooms", form).await.expect(201));
    let path = format!("/api/rooms/{room}");
    // A member learns of the room by one of two events, and either has the whole room.
    let created = loop {
        let event = of_grace.event().await;
        if matches!(event["type"].as_str(), Some("room.created" | "membership.updated"))
            && event["room"].is_object()
        {
            break event;
        }
    };
    assert_eq!((&created["room"]["id"], &created["room"]["name"]), (&json!(room), &json!("Closed")));
    team.ada.patch(&path, json!({"name": "Renamed"})).await.expect(200);
    let updated = of_grace.expect("room.updated").await;
    assert_eq!(updated["room"]["name"], "Renamed");
    team.ada
        .put(&format!("{path}/members"), json!({"user_ids": [team.ada.id, grace.id, linus.id]}))
        .await
        .expect(200);
    let added = of_linus.expect("membership.updated").await;
    assert_keys(&added, &["type", "seq", "room_id", "user_id", "membership", "room"]);
    assert_eq!((&added["user_id"], &added["room"]["name"]), (&json!(linus.id), &json!("Renamed")));
    assert_keys(
        &added["membership"],
        &["involvement", "unread_count", "mention_count", "last_read_message_id"],
    );
    of_linus.assert_not_received("room.updated");
    team.ada.delete(&path).await.expect(204);
    for socket in [&mut of_grace, &mut of_linus] {
        let gone = socket.expect("room.deleted").await;
        assert_eq!(gone["room_id"], room);
        assert!(gone["seq"].is_i64());
    }
}

#[tokio::test]
async fn user_and_account_changes_are_broadcast() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    let (mut of_ada, mut of_grace) = (team.ada.socket().await, grace.socket().await);
    let linus = team.join("Linus").await;
    let new = of_grace.expect_where("user.updated", |it| it["user"]["id"] == linus.id).await;
    assert!(new["user"].get("email").is_none(), "{new}");
    linus.patch(&format!("/api/users/{}", linus.id), json!({"name": "Linus T."})).await.expect(200);
    of_ada.expect_where("user.updated", |it| it["user"]["name"] == "Linus T.").await;
    team.ada.patch("/api/account", json!({"name": "Renamed"})).await.expect(200);
    let changed = of_grace.expect("account.updated").await;
    assert_eq!(changed["account"]["name"], "Renamed");
    assert!(changed["account"].get("join_code").is_none(), "{changed}");
    grace
        .put(&format!("/api/rooms/{}/involvement", team.room), json!({"involvement": "nothing"}))
        .await
        .expect(200);
    let mine = of_grace.expect("membership.updated").await;
    assert_eq!(
        (&mine["room_id"], &mine["membership"]["involvement"]),
        (&json!(team.room), &json!("nothing"))
    );
    of_ada.round_trip().await;
    of_ada.assert_not_received("membership.updated");
}

#[tokio::test]
async fn removed_member_stops_receiving_events_at_once() {
    let team = Team::start().await;
    let (grace, linus) = (team.join("Grace").await, team.join("Linus").await);
    let room = team.closed_room("Closed", &[&team.ada, &grace, &linus]).await;
    let mut of_grace = grace.socket_in(room).await;
    let mut of_linus = linus.socket_in(room).await;
    team.ada.say(room, "All three").await;
    assert_eq!(of_grace.next_content().await, "All three");
    team.ada
        .put(&format!("/api/rooms/{room}/members"), json!({"user_ids": [team.ada.id, linus.id]}))
        .await
        .expect(200);
    // Once the removal is acknowledged, no later message reaches her.
    for n in 0..20 {
        team.ada.say(room, &format!("Secret {n}")).await;
    }
    let lost = of_grace.expect("membership.updated").await;
    assert_eq!((&lost["membership"], &lost["room_id"]), (&Value::Null, &json!(room)));
    of_linus.expect_where("message.created", |it| it["message"]["content"] == "Secret 19").await;
    of_grace.round_trip().await;
    of_grace.assert_not_received("message.created");
    of_grace.assert_not_received("unread");
    of_grace
        .send(json!({"type": "message", "room_id": room, "content": "Hello?", "client_message_id": "h"}))
        .await;
    let error = of_grace.expect("error").await;
    assert_eq!((&error["code"], &error["client_message_id"]), (&json!("not_found"), &json!("h")));
    of_grace.send(json!({"type": "join_room", "room_id": room, "since": 0})).await;
    assert_eq!(of_grace.expect("error").await["code"], "not_found");
    of_grace.send(json!({"type": "typing", "room_id": room, "active": true})).await;
    of_grace.round_trip().await;
    of_linus.round_trip().await;
    of_linus.assert_not_received("typing");
    of_grace.assert_not_received("message.created");
    assert!(!format!("{:?}", of_grace.skipped).contains("Secret"));
}

#[tokio::test]
async fn join_since_replays_exactly_what_was_missed() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    let socket = grace.socket_in(team.room).await;
    let since = id(&team.ada.say(team.room, "Before").await);
    socket.disconnect();
    let kept = team.ada.say(team.room, "Missed").await;
    let edited = team.ada.say(team.room, "To be edited").await;
    let gone = team.ada.say(team.room, "To be deleted").await;
    let edited = team
        .ada
        .patch(&format!("/api/messages/{}", id(&edited)), json!({"content": "Edited"}))
        .await
        .expect(200);
    team.ada.delete(&format!("/api/messages/{}", id(&gone))).await.expect(204);
    let other = team.closed_room("Other", &[&team.ada, &grace]).await;
    team.ada.say(other, "In another room").await;

    let mut socket = grace.socket().await;
    let joined = socket.join_since(team.room, since).await;
    team.ada.say(team.room, "Live again").await;
    let mut page = std::collections::BTreeMap::new();
    let mut last = since;
    loop {
        let event = socket.event().await;
        let Some(seq) = event["seq"].as_i64() else { continue };
        assert!(seq > last, "{event} after {last}");
        last = seq;
        match event["type"].as_str().unwrap() {
            "message.created" | "message.updated" => {
                let message = event["message"].clone();
                assert_eq!(message["room_id"], team.room, "only of that room");
                let content = message["content"].clone();
                page.insert(id(&message), message);
                if content == "Live again" {
                    break;
                }
            }
            "message.deleted" => drop(page.remove(&event["message_id"].as_i64().unwrap())),
            _ => {}
        }
    }
    assert!(joined["seq"].as_i64().unwrap() < last, "live events come after what `joined` names");
    assert_eq!(page.get(&id(&kept)), Some(&kept));
    assert_eq!(page.get(&id(&edited)), Some(&edited));
    assert_eq!(page.len(), 3, "{page:?}");
    // Nothing was missed since, so nothing is replayed.
    let mut again = grace.socket().await;
    again.join_since(team.room, last).await;
    again.round_trip().await;
    assert!(again.skipped.iter().all(|it| it["seq"].is_null()), "{:?}", again.skipped);
}

/// Case 31: what happens within one commit happens in its order.
#[tokio::test]
async fn member_added_within_a_batch_hears_only_of_what_follows() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    let room = team.closed_room("Closed", &[&team.ada]).await;
    let mut of_grace = grace.socket().await;
    let lock = team.hold_writes();
    let mut answers = Vec::new();
    let members = (format!("/api/rooms/{room}/members"), json!({"user_ids": [team.ada.id, grace.id]}));
    let post = |content: &str| ("/api/messages".to_owned(), json!({"room_id": room, "content": content}));
    // The first is a batch of its own.
    for (path, body) in [post("First"), post("Before"), members, post("After")] {
        let ada = team.ada.clone();
        let method = if path == "/api/messages" { "POST" } else { "PUT" };
        answers.push(tokio::spawn(async move { ada.request(method, &path).json(body).send().await }));
        team.queued(answers.len()).await;
    }
    drop(lock);
    let mut replies = Vec::new();
    for answer in answers {
        replies.push(answer.await.expect("an answer"));
    }
    assert_eq!(replies.iter().map(|it| it.status).collect::<Vec<_>>(), [201, 201, 200, 201]);
    let unread = of_grace.expect("unread").await;
    assert_eq!(unread["message_id"], replies[3].json()["id"], "{unread}");
    assert_eq!(grace.unread(room).await, (1, 0));
}

/// Case 26.
#[tokio::test]
async fn user_made_on_the_host_appears_on_open_sockets() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    let mut sockets = [grace.socket_in(team.room).await, team.ada.socket().await];
    let mut command = crate::support::server::campfire();
    command.args([
        "admin",
        "create",
        "--name",
        "Root",
        "--email",
        "root@example.com",
        "--password-stdin",
        "--data",
    ]);
    let mut admin = command
        .arg(team.server.data())
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::null())
        .spawn()
        .expect("campfire admin");
    std::io::Write::write_all(&mut admin.stdin.take().expect("its input"), b"kindling and sparks")
        .expect("a pipe");
    assert!(admin.wait().expect("an end").success());
    for socket in &mut sockets {
        let made = socket.expect_where("user.updated", |it| it["user"]["name"] == "Root").await;
        assert!(made["seq"].as_i64() > socket.hello["seq"].as_i64(), "{made}");
        assert!(made["user"].get("email").is_none(), "{made}");
        socket.assert_not_received("resync");
    }
    let said = team.ada.say(team.room, "Welcome").await;
    let heard = sockets[0].expect("message.created").await;
    assert_eq!(heard["message"], said);
}
