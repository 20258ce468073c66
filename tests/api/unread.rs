//! Unread and mention counts.

use crate::support::*;

fn mention(person: &Person) -> String {
    format!("@[{}](user:{})", person.name, person.id)
}

#[tokio::test]
async fn unread_counts_messages_of_others_until_they_are_read() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    let first = team.ada.say(team.room, "One").await;
    let second = team.ada.say(team.room, "Two").await;
    team.ada.say(team.room, "Three").await;
    assert_eq!(grace.unread(team.room).await, (3, 0));
    assert_eq!(team.ada.unread(team.room).await, (0, 0), "what I write, I have read");
    let read = format!("/api/rooms/{}/read", team.room);
    grace.post(&read, json!({"message_id": id(&second)})).await.expect(204);
    assert_eq!(grace.unread(team.room).await, (1, 0));
    assert_eq!(grace.my_room(team.room).await["membership"]["last_read_message_id"], second["id"]);
    // An older message does not move the mark back.
    grace.post(&read, json!({"message_id": id(&first)})).await.expect(204);
    assert_eq!(grace.my_room(team.room).await["membership"]["last_read_message_id"], second["id"]);
    let mine = grace.say(team.room, "Four").await;
    assert_eq!(grace.unread(team.room).await, (0, 0), "who writes has read what was there");
    assert_eq!(grace.my_room(team.room).await["membership"]["last_read_message_id"], mine["id"]);
    assert_eq!(team.ada.unread(team.room).await, (1, 0));
}

#[tokio::test]
async fn read_mark_that_is_invalid_is_refused() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    let said = team.ada.say(team.room, "One").await;
    let read = format!("/api/rooms/{}/read", team.room);
    for bad in [json!({}), json!({"message_id": "1"}), json!({"message_id": 0}), json!({"message_id": -1})] {
        grace.post(&read, bad).await.invalid(&["message_id"]);
    }
    let closed = team.closed_room("Closed", &[&team.ada]).await;
    let elsewhere = grace.post(&format!("/api/rooms/{closed}/read"), json!({"message_id": id(&said)})).await;
    elsewhere.problem(404, "not_found");
    // A mark beyond the newest message does not cover later ones.
    let future = grace.post(&read, json!({"message_id": i64::MAX})).await;
    assert!(matches!(future.status, 204 | 404 | 422), "{}", future.text());
    team.ada.say(team.room, "Two").await;
    assert!(grace.unread(team.room).await.0 >= 1);
}

#[tokio::test]
async fn mention_counts_once_per_message_for_those_it_names() {
    let team = Team::start().await;
    let (grace, linus) = (team.join("Grace").await, team.join("Linus").await);
    let said = team.ada.say(team.room, &format!("{} could you look?", mention(&grace))).await;
    assert_eq!(said["mentions"], json!([grace.id]));
    assert!(said["html"].as_str().unwrap().contains(&format!("data-user-id=\"{}\"", grace.id)), "{said}");
    assert_eq!(grace.unread(team.room).await, (1, 1));
    assert_eq!(linus.unread(team.room).await, (1, 0));
    team.ada.say(team.room, &format!("{0} {0} and {1}", mention(&grace), mention(&linus))).await;
    assert_eq!(grace.unread(team.room).await, (2, 2), "one message is one mention");
    assert_eq!(linus.unread(team.room).await, (2, 1));
    grace.post(&format!("/api/rooms/{}/read", team.room), json!({"message_id": id(&said)})).await.expect(204);
    assert_eq!(grace.unread(team.room).await, (1, 1));
    for everybody in ["@here", "@room"] {
        team.ada.say(team.room, &format!("{everybody} lunch!")).await;
    }
    assert_eq!(grace.unread(team.room).await, (3, 3));
    assert_eq!(team.ada.unread(team.room).await, (0, 0));
    team.ada.say(team.room, &format!("@here, and above all {}", mention(&grace))).await;
    assert_eq!(grace.unread(team.room).await, (4, 4), "meant twice, counted once");
}

#[tokio::test]
async fn mention_names_members_of_the_room_only() {
    let team = Team::start().await;
    let (grace, linus) = (team.join("Grace").await, team.join("Linus").await);
    let room = team.closed_room("Two", &[&team.ada, &grace]).await;
    let said =
        team.ada.say(room, &format!("{} {} @[Nobody](user:99999)", mention(&grace), mention(&linus))).await;
    assert_eq!(said["mentions"], json!([grace.id]));
    for nonsense in
        ["@[X](user:)", "@[X](user:-1)", "@[X](user:99999999999999999999)", "@[](user:1)", "@[X](user:1"]
    {
        assert_eq!(team.ada.say(room, nonsense).await["content"], nonsense);
    }
    // A mention inside code is only text.
    let code = team.ada.say(room, &format!("`{}` and `@here`", mention(&grace))).await;
    assert_eq!(code["mentions"], json!([]));
}

#[tokio::test]
async fn unread_counts_follow_edits_and_deletes() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    let plain = team.ada.say(team.room, "Nobody in particular").await;
    let meant = team.ada.say(team.room, &mention(&grace)).await;
    assert_eq!(grace.unread(team.room).await, (2, 1));
    let path = |message: &Value| format!("/api/messages/{}", id(message));
    let edited = team
        .ada
        .patch(&path(&plain), json!({"content": format!("I mean {}", mention(&grace))}))
        .await
        .expect(200);
    assert_eq!(edited["mentions"], json!([grace.id]));
    assert_eq!(grace.unread(team.room).await, (2, 2));
    team.ada.patch(&path(&plain), json!({"content": "Never mind"})).await.expect(200);
    assert_eq!(grace.unread(team.room).await, (2, 1));
    team.ada.delete(&path(&meant)).await.expect(204);
    assert_eq!(grace.unread(team.room).await, (1, 0));
    team.ada.delete(&path(&plain)).await.expect(204);
    assert_eq!(grace.unread(team.room).await, (0, 0));
}

#[tokio::test]
async fn read_mark_on_a_deleted_message_holds() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    team.ada.say(team.room, "One").await;
    let second = team.ada.say(team.room, "Two").await;
    grace
        .post(&format!("/api/rooms/{}/read", team.room), json!({"message_id": id(&second)}))
        .await
        .expect(204);
    team.ada.delete(&format!("/api/messages/{}", id(&second))).await.expect(204);
    assert_eq!(grace.unread(team.room).await, (0, 0));
    team.ada.say(team.room, "Three").await;
    assert_eq!(grace.unread(team.room).await, (1, 0));
}

#[tokio::test]
async fn read_mark_applies_to_all_devices() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    let phone = grace.sign_in_again().await;
    let said = team.ada.say(team.room, &mention(&grace)).await;
    assert_eq!((grace.unread(team.room).await, phone.unread(team.room).await), ((1, 1), (1, 1)));
    phone.post(&format!("/api/rooms/{}/read", team.room), json!({"message_id": id(&said)})).await.expect(204);
    assert_eq!((grace.unread(team.room).await, phone.unread(team.room).await), ((0, 0), (0, 0)));
}

#[tokio::test]
async fn invisible_room_has_nothing_unread() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    let path = format!("/api/rooms/{}/involvement", team.room);
    grace.put(&path, json!({"involvement": "invisible"})).await.expect(200);
    team.ada.say(team.room, "Anybody?").await;
    assert_eq!(grace.unread(team.room).await.0, 0);
}

#[tokio::test]
async fn unread_count_of_a_new_member_starts_at_zero() {
    let team = Team::start().await;
    team.ada.say(team.room, "Long ago").await;
    let grace = team.join("Grace").await;
    assert_eq!(grace.unread(team.room).await, (0, 0));
    let room = team.closed_room("Closed", &[&team.ada]).await;
    team.ada.say(room, "Before you").await;
    team.ada
        .put(&format!("/api/rooms/{room}/members"), json!({"user_ids": [team.ada.id, grace.id]}))
        .await
        .expect(200);
    assert_eq!(grace.unread(room).await, (0, 0));
    team.ada.say(room, "After you").await;
    assert_eq!(grace.unread(room).await, (1, 0));
}

#[tokio::test]
async fn unread_counts_survive_a_restart() {
    let mut team = Team::start().await;
    let grace = team.join("Grace").await;
    team.ada.say(team.room, &mention(&grace)).await;
    team.ada.say(team.room, "and more").await;
    team.server.kill();
    team.server.restart();
    assert_eq!(grace.unread(team.room).await, (2, 1));
}

/// B5: what a session counts is what happened up to its position, also while others write.
#[tokio::test]
async fn session_counts_what_is_up_to_its_position_and_no_more() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    let before = grace.get("/api/session").await.expect(200)["seq"].as_i64().unwrap();
    // Connections of their own, so that all workers are asked.
    let posts = futures_util::future::join_all((0..8).map(|_| async {
        for _ in 0..100 {
            team.ada.say(team.room, "One of many").await;
        }
    }));
    let reads = async {
        loop {
            for path in ["/api/session".to_owned(), format!("/api/sync?since={before}&with=rooms")] {
                let answer = grace.get(&path).await.expect(200);
                let seq = answer["seq"].as_i64().unwrap();
                if let Some(rooms) = answer.get("rooms") {
                    let unread = &find(rooms, team.room)["membership"]["unread_count"];
                    assert_eq!(*unread, seq - before, "{path}: each message is one event");
                }
                if seq == before + 800 {
                    return;
                }
            }
        }
    };
    tokio::join!(posts, reads);
}
