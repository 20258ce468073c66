//! What a socket hears, and what it does not.

use crate::support::*;

#[tokio::test]
async fn message_reaches_joined_sockets_once_and_is_acked_to_its_author() {
    let camp = Camp::start().await;
    let grace = camp.join("Grace").await;
    let mut of_ada = camp.ada.socket_in(camp.room).await;
    let mut of_grace = grace.socket_in(camp.room).await;
    let ack = of_ada.say(camp.room, "Hello *all*", "c-1").await;
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
    of_grace.never_heard("message.created");
    // A retry is acknowledged again and heard by nobody.
    let again = of_ada.say(camp.room, "Hello *all*", "c-1").await;
    assert_eq!(again["message"], ack["message"]);
    camp.ada.say(camp.room, "After").await;
    assert_eq!(of_grace.hear().await, "After");
}

#[tokio::test]
async fn edits_and_deletes_are_broadcast() {
    let camp = Camp::start().await;
    let grace = camp.join("Grace").await;
    let mut socket = grace.socket_in(camp.room).await;
    let said = camp.ada.say(camp.room, "Draft").await;
    let path = format!("/api/messages/{}", id(&said));
    let edited = camp.ada.patch(&path, json!({"content": "Final"})).await.expect(200);
    let heard = socket.expect("message.updated").await;
    assert_eq!(heard["message"], edited);
    assert!(heard["seq"].as_i64() > said["id"].as_i64());
    camp.ada.delete(&path).await.expect(204);
    let gone = socket.expect("message.deleted").await;
    assert_keys(&gone, &["type", "seq", "room_id", "message_id"]);
    assert_eq!((&gone["room_id"], &gone["message_id"]), (&json!(camp.room), &said["id"]));
    assert!(gone["seq"].as_i64() > heard["seq"].as_i64());
}

#[tokio::test]
async fn message_without_a_room_goes_to_the_one_joined_last() {
    let camp = Camp::start().await;
    let other = camp.closed_room("Other", &[&camp.ada]).await;
    let mut socket = camp.ada.socket_in(camp.room).await;
    socket.join(other).await;
    socket.send(json!({"type": "message", "content": "Where am I?", "client_message_id": "w"})).await;
    assert_eq!(socket.expect("ack").await["message"]["room_id"], other);
    let mut homeless = camp.ada.socket().await;
    homeless.send(json!({"type": "message", "content": "Nowhere", "client_message_id": "n"})).await;
    let error = homeless.expect("error").await;
    assert_eq!(error["client_message_id"], "n");
    // A room need not be joined to be spoken in.
    assert_eq!(homeless.say(camp.room, "From outside", "o").await["message"]["room_id"], camp.room);
}

#[tokio::test]
async fn unread_event_is_sent_for_rooms_that_are_not_joined() {
    let camp = Camp::start().await;
    let grace = camp.join("Grace").await;
    let mut socket = grace.socket().await;
    let said = camp.ada.say(camp.room, "Psst").await;
    let unread = socket.expect("unread").await;
    assert_eq!(
        unread,
        json!({"type": "unread", "room_id": camp.room, "message_id": said["id"], "mention": false})
    );
    let said = camp.ada.say(camp.room, &format!("@[Grace](user:{})", grace.id)).await;
    let unread = socket.expect("unread").await;
    assert_eq!(
        unread,
        json!({"type": "unread", "room_id": camp.room, "message_id": said["id"], "mention": true})
    );
    socket.never_heard("message.created");
    socket.join(camp.room).await;
    camp.ada.say(camp.room, "Now you hear me").await;
    assert_eq!(socket.hear().await, "Now you hear me");
    socket.round_trip().await;
    socket.never_heard("unread");
    socket.leave(camp.room).await;
    camp.ada.say(camp.room, "And now you do not").await;
    socket.expect("unread").await;
    socket.never_heard("message.created");
    // An invisible room says nothing.
    let path = format!("/api/rooms/{}/involvement", camp.room);
    grace.put(&path, json!({"involvement": "invisible"})).await.expect(200);
    camp.ada.say(camp.room, "Silence").await;
    let direct = camp.ada.direct_with(&[&grace]).await;
    camp.ada.say(direct, "Directly").await;
    assert_eq!(socket.expect("unread").await["room_id"], direct);
}

#[tokio::test]
async fn read_event_reaches_the_other_devices_of_the_user() {
    let camp = Camp::start().await;
    let grace = camp.join("Grace").await;
    let said = camp.ada.say(camp.room, "Read me").await;
    let (mut phone, mut desk) = (grace.socket().await, grace.socket().await);
    let mut of_ada = camp.ada.socket_in(camp.room).await;
    phone.send(json!({"type": "read", "room_id": camp.room, "message_id": said["id"]})).await;
    let read = desk.expect("read").await;
    assert_eq!(read, json!({"type": "read", "room_id": camp.room, "message_id": said["id"]}));
    assert_eq!(grace.unread(camp.room).await, (0, 0));
    let said = camp.ada.say(camp.room, "And me").await;
    grace.post(&format!("/api/rooms/{}/read", camp.room), json!({"message_id": id(&said)})).await.expect(204);
    desk.expect_where("read", |it| it["message_id"] == said["id"]).await;
    phone.expect_where("read", |it| it["message_id"] == said["id"]).await;
    of_ada.round_trip().await;
    of_ada.never_heard("read");
}

#[tokio::test]
async fn room_events_tell_of_creation_change_and_deletion() {
    let camp = Camp::start().await;
    let (grace, linus) = (camp.join("Grace").await, camp.join("Linus").await);
    let (mut of_grace, mut of_linus) = (grace.socket().await, linus.socket().await);
    let form = json!({"name": "Closed", "kind": "closed", "user_ids": [grace.id]});
    let room = id(&camp.ada.post("/api/rooms", form).await.expect(201));
    let path = format!("/api/rooms/{room}");
    // How a member learns of a new room, by its creation or their membership, it comes whole.
    let told = loop {
        let event = of_grace.event().await;
        if matches!(event["type"].as_str(), Some("room.created" | "membership.updated"))
            && event["room"].is_object()
        {
            break event;
        }
    };
    assert_eq!((&told["room"]["id"], &told["room"]["name"]), (&json!(room), &json!("Closed")));
    camp.ada.patch(&path, json!({"name": "Renamed"})).await.expect(200);
    let updated = of_grace.expect("room.updated").await;
    assert_eq!(updated["room"]["name"], "Renamed");
    camp.ada
        .put(&format!("{path}/members"), json!({"user_ids": [camp.ada.id, grace.id, linus.id]}))
        .await
        .expect(200);
    let added = of_linus.expect("membership.updated").await;
    assert_keys(&added, &["type", "seq", "room_id", "user_id", "membership", "room"]);
    assert_eq!((&added["user_id"], &added["room"]["name"]), (&json!(linus.id), &json!("Renamed")));
    assert_keys(
        &added["membership"],
        &["involvement", "unread_count", "mention_count", "last_read_message_id"],
    );
    of_linus.never_heard("room.updated");
    camp.ada.delete(&path).await.expect(204);
    for socket in [&mut of_grace, &mut of_linus] {
        let gone = socket.expect("room.deleted").await;
        assert_eq!(gone["room_id"], room);
        assert!(gone["seq"].is_i64());
    }
}

#[tokio::test]
async fn user_and_account_changes_are_broadcast() {
    let camp = Camp::start().await;
    let grace = camp.join("Grace").await;
    let (mut of_ada, mut of_grace) = (camp.ada.socket().await, grace.socket().await);
    let linus = camp.join("Linus").await;
    let new = of_grace.expect_where("user.updated", |it| it["user"]["id"] == linus.id).await;
    assert!(new["user"].get("email").is_none(), "{new}");
    linus.patch(&format!("/api/users/{}", linus.id), json!({"name": "Linus T."})).await.expect(200);
    of_ada.expect_where("user.updated", |it| it["user"]["name"] == "Linus T.").await;
    camp.ada.patch("/api/account", json!({"name": "Renamed"})).await.expect(200);
    let changed = of_grace.expect("account.updated").await;
    assert_eq!(changed["account"]["name"], "Renamed");
    assert!(changed["account"].get("join_code").is_none(), "{changed}");
    grace
        .put(&format!("/api/rooms/{}/involvement", camp.room), json!({"involvement": "nothing"}))
        .await
        .expect(200);
    let mine = of_grace.expect("membership.updated").await;
    assert_eq!(
        (&mine["room_id"], &mine["membership"]["involvement"]),
        (&json!(camp.room), &json!("nothing"))
    );
    of_ada.round_trip().await;
    of_ada.never_heard("membership.updated");
}

#[tokio::test]
async fn removed_member_stops_receiving_events_at_once() {
    let camp = Camp::start().await;
    let (grace, linus) = (camp.join("Grace").await, camp.join("Linus").await);
    let room = camp.closed_room("Closed", &[&camp.ada, &grace, &linus]).await;
    let mut of_grace = grace.socket_in(room).await;
    let mut of_linus = linus.socket_in(room).await;
    camp.ada.say(room, "All three").await;
    assert_eq!(of_grace.hear().await, "All three");
    camp.ada
        .put(&format!("/api/rooms/{room}/members"), json!({"user_ids": [camp.ada.id, linus.id]}))
        .await
        .expect(200);
    // The answer means that it has happened: nothing said after it reaches her.
    for n in 0..20 {
        camp.ada.say(room, &format!("Secret {n}")).await;
    }
    let lost = of_grace.expect("membership.updated").await;
    assert_eq!((&lost["membership"], &lost["room_id"]), (&Value::Null, &json!(room)));
    of_linus.expect_where("message.created", |it| it["message"]["content"] == "Secret 19").await;
    of_grace.round_trip().await;
    of_grace.never_heard("message.created");
    of_grace.never_heard("unread");
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
    of_linus.never_heard("typing");
    of_grace.never_heard("message.created");
    assert!(!format!("{:?}", of_grace.skipped).contains("Secret"));
}

#[tokio::test]
async fn join_since_replays_exactly_what_was_missed() {
    let camp = Camp::start().await;
    let grace = camp.join("Grace").await;
    let socket = grace.socket_in(camp.room).await;
    let since = id(&camp.ada.say(camp.room, "Before").await);
    socket.drop_dead();
    let kept = camp.ada.say(camp.room, "Missed").await;
    let edited = camp.ada.say(camp.room, "To be edited").await;
    let gone = camp.ada.say(camp.room, "To be deleted").await;
    let edited = camp
        .ada
        .patch(&format!("/api/messages/{}", id(&edited)), json!({"content": "Edited"}))
        .await
        .expect(200);
    camp.ada.delete(&format!("/api/messages/{}", id(&gone))).await.expect(204);
    let other = camp.closed_room("Other", &[&camp.ada, &grace]).await;
    camp.ada.say(other, "In another room").await;

    let mut socket = grace.socket().await;
    let joined = socket.join_since(camp.room, since).await;
    camp.ada.say(camp.room, "Live again").await;
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
                assert_eq!(message["room_id"], camp.room, "only of that room");
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
    // Nothing was missed since then: nothing is replayed.
    let mut again = grace.socket().await;
    again.join_since(camp.room, last).await;
    again.round_trip().await;
    assert!(again.skipped.iter().all(|it| it["seq"].is_null()), "{:?}", again.skipped);
}
