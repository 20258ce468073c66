//! Rooms, their members, and involvement.

use std::collections::HashSet;

use futures_util::future::join_all;

use crate::support::*;

const ROOM: &[&str] =
    &["id", "name", "kind", "creator_id", "created_at", "updated_at", "last_message_id", "member_count"];

fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    ROOM.iter().chain(more).copied().collect()
}

#[tokio::test]
async fn open_room_has_everybody_and_a_closed_one_its_named_members() {
    let team = Team::start().await;
    let (grace, linus) = (team.join("Grace").await, team.join("Linus").await);
    let open = grace.post("/api/rooms", json!({"name": "  Tea  ", "kind": "open"})).await.expect(201);
    assert_keys(&open, &with(&["membership"]));
    assert_eq!(
        (&open["name"], &open["kind"], &open["member_count"]),
        (&json!("Tea"), &json!("open"), &json!(3))
    );
    assert_eq!((&open["creator_id"], &open["last_message_id"]), (&json!(grace.id), &Value::Null));
    linus.say(id(&open), "Earl Grey").await;

    let form = json!({"name": "Surprise", "kind": "closed", "user_ids": [linus.id]});
    let closed = grace.post("/api/rooms", form).await.expect(201);
    assert_eq!(closed["member_count"], 2, "its maker is in it");
    let path = format!("/api/rooms/{}", id(&closed));
    assert_eq!(linus.get(&path).await.expect(200)["name"], "Surprise");
    team.ada.get(&path).await.problem(404, "not_found");
    let members = linus.get(&format!("{path}/members")).await.expect(200);
    let found: HashSet<i64> = ids(&members["members"]).into_iter().collect();
    assert_eq!(found, HashSet::from([grace.id, linus.id]));
    assert!(members["members"][0].get("email").is_none());
    let listed = linus.my_room(id(&closed)).await;
    assert_keys(&listed, &with(&["membership"]));
    assert_eq!(
        listed["membership"],
        json!({"involvement": "mentions", "unread_count": 0, "mention_count": 0, "last_read_message_id": null})
    );
}

#[tokio::test]
async fn room_form_with_faults_is_422() {
    let team = Team::start().await;
    let make = |form: Value| team.ada.post("/api/rooms", form);
    make(json!({"kind": "open"})).await.invalid(&["name"]);
    make(json!({"name": "X", "kind": "secret"})).await.invalid(&["kind"]);
    make(json!({"name": "   ", "kind": "closed"})).await.invalid(&["name"]);
    make(json!({"name": "x".repeat(5000), "kind": "closed"})).await.invalid(&["name"]);
    make(json!({"name": "a\u{0}b", "kind": "closed"})).await.invalid(&["name"]);
    make(json!({"name": "X", "kind": "closed", "user_ids": "all"})).await.invalid(&["user_ids"]);
    make(json!({"name": "X", "kind": "closed", "user_ids": [1, "2"]})).await.invalid(&["user_ids"]);
    make(json!({"name": "X", "kind": "closed", "user_ids": [-1]})).await.invalid(&["user_ids"]);
    make(json!({"name": "X", "kind": "closed", "user_ids": [i64::MAX]})).await.refused(422);
    make(json!({"kind": "direct", "user_ids": [424_242]})).await.refused(422);
    assert_eq!(team.ada.get("/api/rooms").await.expect(200)["rooms"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn direct_room_is_the_same_for_the_same_people() {
    let team = Team::start().await;
    let (grace, linus) = (team.join("Grace").await, team.join("Linus").await);
    let make = |who: &Person, people: Vec<i64>| {
        let who = who.clone();
        async move { who.post("/api/rooms", json!({"kind": "direct", "user_ids": people})).await }
    };
    let room = make(&grace, vec![team.ada.id]).await.expect(201);
    assert_keys(&room, &with(&["membership", "member_ids"]));
    assert_eq!((&room["name"], &room["kind"]), (&Value::Null, &json!("direct")));
    let members: HashSet<i64> =
        room["member_ids"].as_array().unwrap().iter().map(|it| it.as_i64().unwrap()).collect();
    assert_eq!(members, HashSet::from([grace.id, team.ada.id]));
    assert_eq!(room["membership"]["involvement"], "everything");
    for (who, people) in [
        (&grace, vec![team.ada.id]),
        (&grace, vec![team.ada.id, grace.id]),
        (&grace, vec![team.ada.id, team.ada.id, grace.id]),
        (&team.ada, vec![grace.id]),
    ] {
        assert_eq!(make(who, people).await.expect(200)["id"], room["id"]);
    }
    let three = make(&grace, vec![linus.id, team.ada.id]).await.expect(201);
    assert_ne!(three["id"], room["id"]);
    assert_eq!(make(&linus, vec![team.ada.id, grace.id]).await.expect(200)["id"], three["id"]);
    let alone = make(&linus, vec![linus.id]).await.expect(201);
    assert_eq!(alone["member_count"], 1);
    assert_eq!(make(&linus, vec![]).await.expect(200)["id"], alone["id"]);
    linus.say(id(&alone), "A note to myself").await;
}

#[tokio::test]
async fn direct_room_created_fifty_times_at_once_is_one() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    let tries = (0..50).map(|n| {
        let (who, other) = if n % 2 == 0 { (&grace, team.ada.id) } else { (&team.ada, grace.id) };
        who.post("/api/rooms", json!({"kind": "direct", "user_ids": [other]}))
    });
    let replies = join_all(tries).await;
    let rooms: HashSet<i64> = replies.iter().map(|it| id(&it.json())).collect();
    assert_eq!(rooms.len(), 1);
    assert_eq!(replies.iter().filter(|it| it.status == 201).count(), 1);
    assert_eq!(replies.iter().filter(|it| it.status == 200).count(), 49);
    assert_eq!(grace.get("/api/rooms").await.expect(200)["rooms"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn room_is_changed_by_its_creator_and_administrators_only() {
    let team = Team::start().await;
    let (grace, linus) = (team.join("Grace").await, team.join("Linus").await);
    let room = team.closed_room("Plans", &[&grace, &linus, &team.ada]).await;
    let path = format!("/api/rooms/{room}");
    let renamed = grace.patch(&path, json!({"name": "Big plans"})).await.expect(200);
    assert_eq!(renamed["name"], "Big plans");
    assert_time(&renamed["updated_at"]);
    linus.patch(&path, json!({"name": "No"})).await.problem(403, "forbidden");
    linus.delete(&path).await.problem(403, "forbidden");
    linus.put(&format!("{path}/members"), json!({"user_ids": [linus.id]})).await.problem(403, "forbidden");
    team.ada.patch(&path, json!({"name": "Bigger plans"})).await.expect(200);
    assert_eq!(linus.get(&path).await.expect(200)["name"], "Bigger plans");
    grace.patch(&path, json!({"name": ""})).await.invalid(&["name"]);
    grace.patch(&path, json!({"kind": "direct"})).await.refused(422);
    grace.patch(&path, json!({"kind": "house"})).await.invalid(&["kind"]);
    grace.patch("/api/rooms/999", json!({"name": "X"})).await.problem(404, "not_found");
    grace.delete(&path).await.expect(204);
    for who in [&grace, &linus, &team.ada] {
        who.get(&path).await.problem(404, "not_found");
        who.get(&format!("{path}/messages")).await.problem(404, "not_found");
        who.post("/api/messages", json!({"room_id": room, "content": "Hello?"}))
            .await
            .problem(404, "not_found");
    }
    grace.delete(&path).await.problem(404, "not_found");
}

#[tokio::test]
async fn deleted_room_takes_its_messages_along() {
    let team = Team::start().await;
    let room = team.closed_room("Doomed", &[&team.ada]).await;
    let said = team.ada.say(room, "ephemeral thoughts").await;
    team.ada.delete(&format!("/api/rooms/{room}")).await.expect(204);
    team.ada.get(&format!("/api/messages/{}", id(&said))).await.problem(404, "not_found");
    team.ada
        .patch(&format!("/api/messages/{}", id(&said)), json!({"content": "x"}))
        .await
        .problem(404, "not_found");
    assert_eq!(team.ada.get("/api/search?q=ephemeral").await.expect(200)["results"], json!([]));
}

#[tokio::test]
async fn room_kind_changes_between_open_and_closed_but_not_direct() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    let room = team.closed_room("Workshop", &[&team.ada]).await;
    let path = format!("/api/rooms/{room}");
    grace.get(&path).await.problem(404, "not_found");
    let opened = team.ada.patch(&path, json!({"kind": "open"})).await.expect(200);
    assert_eq!((&opened["kind"], &opened["member_count"]), (&json!("open"), &json!(2)));
    grace.say(room, "I can come in").await;
    let linus = team.join("Linus").await;
    linus.say(room, "And so can I").await;
    let closed = team.ada.patch(&path, json!({"kind": "closed"})).await.expect(200);
    assert_eq!((&closed["kind"], &closed["member_count"]), (&json!("closed"), &json!(3)));
    linus.say(room, "Who was in stays in").await;
    let late = team.join("Late").await;
    late.get(&path).await.problem(404, "not_found");

    let direct = format!("/api/rooms/{}", grace.direct_with(&[&team.ada]).await);
    for change in [json!({"kind": "open"}), json!({"kind": "closed"}), json!({"name": "Named"})] {
        let reply = team.ada.patch(&direct, change).await;
        assert!(matches!(reply.status, 403 | 409 | 422), "{}", reply.text());
        reply.refused(reply.status);
    }
    let reply = team.ada.put(&format!("{direct}/members"), json!({"user_ids": [linus.id]})).await;
    assert!(matches!(reply.status, 403 | 409 | 422), "{}", reply.text());
    grace.delete(&direct).await.expect(204);
    team.ada.get(&direct).await.problem(404, "not_found");
    assert_eq!(
        grace.post("/api/rooms", json!({"kind": "direct", "user_ids": [team.ada.id]})).await.status,
        201
    );
}

#[tokio::test]
async fn members_of_a_closed_room_are_replaced_as_a_whole() {
    let team = Team::start().await;
    let (grace, linus) = (team.join("Grace").await, team.join("Linus").await);
    let room = team.closed_room("Rotating", &[&team.ada, &grace]).await;
    team.ada.say(room, "Welcome, Grace").await;
    let path = format!("/api/rooms/{room}/members");
    let members =
        team.ada.put(&path, json!({"user_ids": [team.ada.id, linus.id, linus.id]})).await.expect(200);
    let found: HashSet<i64> = ids(&members["members"]).into_iter().collect();
    assert_eq!(found, HashSet::from([team.ada.id, linus.id]));
    linus.say(room, "New here").await;
    for private in ["", "/members", "/messages"] {
        grace.get(&format!("/api/rooms/{room}{private}")).await.problem(404, "not_found");
    }
    grace
        .post("/api/messages", json!({"room_id": room, "content": "Let me in"}))
        .await
        .problem(404, "not_found");
    grace.put(&path, json!({"user_ids": [grace.id]})).await.problem(404, "not_found");
    assert_eq!(ids(&grace.get("/api/rooms").await.expect(200)["rooms"]), [team.room]);
    team.ada.put(&path, json!({})).await.invalid(&["user_ids"]);
    team.ada.put(&path, json!({"user_ids": "x"})).await.invalid(&["user_ids"]);
    team.ada.put(&path, json!({"user_ids": [team.ada.id, 999_999]})).await.invalid(&["user_ids"]);
    let open =
        team.ada.put(&format!("/api/rooms/{}/members", team.room), json!({"user_ids": [team.ada.id]})).await;
    assert!(matches!(open.status, 403 | 409 | 422), "{}", open.text());
    grace.say(team.room, "Still in the open room").await;
}

#[tokio::test]
async fn leaving_a_closed_room_is_naming_all_other_members() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    let room = team.closed_room("Leaving", &[&team.ada, &grace]).await;
    team.ada.put(&format!("/api/rooms/{room}/members"), json!({"user_ids": [grace.id]})).await.expect(200);
    team.ada.get(&format!("/api/rooms/{room}")).await.problem(404, "not_found");
    grace.say(room, "Alone at last").await;
}

#[tokio::test]
async fn room_creation_can_be_restricted_to_administrators() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    team.ada.patch("/api/account", json!({"settings": {"restrict_room_creation": true}})).await.expect(200);
    for kind in ["open", "closed"] {
        grace.post("/api/rooms", json!({"name": "Mine", "kind": kind})).await.problem(403, "forbidden");
        team.ada.post("/api/rooms", json!({"name": "Ours", "kind": kind})).await.expect(201);
    }
    grace.post("/api/rooms", json!({"kind": "direct", "user_ids": [team.ada.id]})).await.expect(201);
}

#[tokio::test]
async fn involvement_is_per_member() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    let path = format!("/api/rooms/{}/involvement", team.room);
    for word in ["invisible", "nothing", "everything", "mentions"] {
        grace.put(&path, json!({"involvement": word})).await.expect(200);
        assert_eq!(grace.my_room(team.room).await["membership"]["involvement"], word);
        assert_eq!(team.ada.my_room(team.room).await["membership"]["involvement"], "mentions");
    }
    for bad in
        [json!({}), json!({"involvement": "all"}), json!({"involvement": 1}), json!({"involvement": null})]
    {
        grace.put(&path, bad).await.invalid(&["involvement"]);
    }
    let closed = team.closed_room("Closed", &[&team.ada]).await;
    let path = format!("/api/rooms/{closed}/involvement");
    grace.put(&path, json!({"involvement": "everything"})).await.problem(404, "not_found");
}

#[tokio::test]
async fn leaving_a_room_cannot_remove_other_members() {
    let team = Team::start().await;
    let (grace, linus) = (team.join("Grace").await, team.join("Linus").await);
    let room = team.closed_room("Three", &[&team.ada, &grace, &linus]).await;
    let path = format!("/api/rooms/{room}/members");
    for trick in [
        json!([team.ada.id, team.ada.id]),
        json!([team.ada.id]),
        json!([]),
        json!([team.ada.id, grace.id]),
        json!([team.ada.id, 999_999]),
    ] {
        grace.put(&path, json!({"user_ids": trick})).await.problem(403, "forbidden");
    }
    let left = grace.put(&path, json!({"user_ids": [linus.id, team.ada.id]})).await;
    assert_eq!(left.status, 200, "{}", left.text());
    grace.get(&path).await.problem(404, "not_found");
    let members = linus.get(&path).await.expect(200);
    assert_eq!(ids(&members["members"]), [team.ada.id, linus.id]);
}

/// 38.
#[tokio::test]
async fn deleted_room_leaves_no_row_behind() {
    let team = Team::start().await;
    let room = id(&team.ada.post("/api/rooms", json!({"name": "Attic", "kind": "open"})).await.expect(201));
    for n in 0..20 {
        team.ada.say(room, &format!("box {n}")).await;
    }
    team.ada.upload(room, &[], "old.txt", b"dusty").await.expect(201);
    team.ada.post("/api/hooks", json!({"name": "CI", "room_id": room})).await.expect(201);
    team.ada.delete(&format!("/api/rooms/{room}")).await.expect(204);
    let db = rusqlite::Connection::open(team.server.database()).unwrap();
    let count = |sql: &str| db.query_row(sql, (room,), |row| row.get::<_, i64>(0)).unwrap();
    within("the rows to go", async {
        while count("select count(*) from rooms where id = ?") > 0 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    })
    .await;
    for table in ["messages", "memberships", "attachments", "mentions", "hooks"] {
        assert_eq!(count(&format!("select count(*) from {table} where room_id = ?")), 0, "{table}");
    }
    team.ada.get(&format!("/api/rooms/{room}")).await.problem(404, "not_found");
    assert_eq!(ids(&team.ada.get("/api/rooms").await.expect(200)["rooms"]), [team.room]);
    let next = team.ada.post("/api/rooms", json!({"name": "Cellar", "kind": "open"})).await.expect(201);
    assert!(id(&next) > room, "its number is not given again");
}
