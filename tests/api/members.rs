//! Members of rooms, one by one: leaving, adding, removing, and who stays where.

use futures_util::future::join_all;

use crate::support::*;

async fn members(who: &Client, room: i64) -> Vec<i64> {
    let mut found = ids(&who.get(&format!("/api/rooms/{room}/members")).await.expect(200)["members"]);
    found.sort_unstable();
    found
}

fn member(room: i64, user: impl std::fmt::Display) -> String {
    format!("/api/rooms/{room}/members/{user}")
}

/// B7
#[tokio::test]
async fn closed_room_with_a_banned_member_can_be_left_and_edited() {
    let team = Team::start().await;
    let (grace, eve, linus) = (team.join("Grace").await, team.join("Eve").await, team.join("Linus").await);
    let room = team.closed_room("Closed", &[&grace, &eve, &linus]).await;
    let gone = team.closed_room("With somebody gone", &[&grace, &linus]).await;
    team.ada.post(&format!("/api/users/{}/ban", eve.id), json!({})).await.expect(204);
    linus.delete(&member(room, "me")).await.expect(204);
    linus.get(&format!("/api/rooms/{room}")).await.problem(404, "not_found");
    linus.delete(&member(room, "me")).await.problem(404, "not_found");
    assert_eq!(members(&grace, room).await, [grace.id, eve.id]);
    // By the whole list, which names the banned member.
    let path = format!("/api/rooms/{room}/members");
    let with = |people: &[&Person]| json!({"user_ids": people.iter().map(|it| it.id).collect::<Vec<_>>()});
    grace.put(&path, with(&[&grace, &eve, &linus])).await.expect(200);
    linus.put(&path, with(&[&grace, &eve])).await.expect(200);
    assert_eq!(members(&grace, room).await, [grace.id, eve.id]);
    grace.delete(&member(room, eve.id)).await.expect(204);
    grace.post(&member(room, eve.id), json!({})).await.invalid(&["user_ids"]);
    grace.put(&path, with(&[&grace, &eve])).await.invalid(&["user_ids"]);
    assert_eq!(members(&grace, room).await, [grace.id]);
    team.ada.delete(&format!("/api/users/{}", linus.id)).await.expect(204);
    grace.delete(&member(gone, "me")).await.expect(204);
}

/// B15
#[tokio::test]
async fn members_are_added_and_removed_one_by_one() {
    let team = Team::start().await;
    let (grace, linus) = (team.join("Grace").await, team.join("Linus").await);
    let people = [team.join("A").await, team.join("B").await, team.join("C").await, team.join("D").await];
    let room = team.closed_room("Closed", &[&grace, &linus]).await;
    let mut socket = people[0].socket().await;
    let added = grace.post(&member(room, people[0].id), json!({})).await.expect(201);
    assert_eq!(added["id"], people[0].id);
    let event = socket.expect("membership.updated").await;
    assert_eq!((&event["room"]["id"], &event["room"]["member_count"]), (&json!(room), &json!(3)));
    grace.post(&member(room, people[0].id), json!({})).await.expect(200);
    linus.post(&member(room, people[1].id), json!({})).await.problem(403, "forbidden");
    linus.delete(&member(room, people[0].id)).await.problem(403, "forbidden");
    people[1].post(&member(room, people[1].id), json!({})).await.problem(404, "not_found");
    people[1].delete(&member(room, "me")).await.problem(404, "not_found");
    grace.post(&member(room, 99_999), json!({})).await.invalid(&["user_ids"]);
    grace.delete(&member(room, people[1].id)).await.problem(404, "not_found");
    grace.delete(&member(room, people[0].id)).await.expect(204);
    assert_eq!(socket.expect("membership.updated").await["membership"], Value::Null);
    // Two who add at once, and one who leaves meanwhile, lose nothing of one another.
    let adds = people.iter().enumerate().map(|(place, person)| {
        let manager = if place % 2 == 0 { &grace } else { &team.ada };
        let path = member(room, person.id);
        async move { manager.post(&path, json!({})).await }
    });
    let leave = member(room, "me");
    let (added, left) = tokio::join!(join_all(adds), linus.delete(&leave));
    added.iter().for_each(|reply| drop(reply.expect(201)));
    left.expect(204);
    let mut wanted: Vec<i64> = people.iter().map(|it| it.id).chain([grace.id]).collect();
    wanted.sort_unstable();
    assert_eq!(members(&grace, room).await, wanted);
}

/// B8, B15
#[tokio::test]
async fn open_and_direct_rooms_keep_their_members() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    let direct = grace.direct_with(&[&team.ada]).await;
    for room in [team.room, direct] {
        grace.delete(&member(room, "me")).await.problem(409, "conflict");
        team.ada.post(&member(room, grace.id), json!({})).await.problem(409, "conflict");
    }
    assert_eq!(members(&grace, direct).await, [team.ada.id, grace.id]);
}

/// B15
#[tokio::test]
async fn room_change_that_is_refused_changes_nothing() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    let room = team.closed_room("Closed", &[&grace]).await;
    let before = grace.get(&format!("/api/rooms/{room}")).await.expect(200);
    let path = format!("/api/rooms/{room}");
    let unknown = json!({"name": "Renamed", "user_ids": [grace.id, 99_999]});
    grace.patch(&path, unknown).await.invalid(&["user_ids"]);
    let both = json!({"name": "Renamed", "kind": "open", "user_ids": [grace.id]});
    grace.patch(&path, both).await.problem(409, "conflict");
    assert_eq!(grace.get(&path).await.expect(200), before);
    let all = json!({"name": "Renamed", "user_ids": [grace.id, team.ada.id]});
    assert_eq!(grace.patch(&path, all).await.expect(200)["name"], "Renamed");
    assert_eq!(members(&grace, room).await, [team.ada.id, grace.id]);
}

/// F3
#[tokio::test]
async fn opening_a_closed_room_is_in_the_audit_log() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    let room = team.closed_room("Closed", &[&grace]).await;
    grace.patch(&format!("/api/rooms/{room}"), json!({"name": "Still closed"})).await.expect(200);
    grace.patch(&format!("/api/rooms/{room}"), json!({"kind": "open"})).await.expect(200);
    let log = team.ada.get("/api/audit").await.expect(200);
    let acts: Vec<_> =
        log["entries"].as_array().unwrap().iter().filter(|line| line["action"] == "room.change").collect();
    assert_eq!(acts.len(), 1, "{log}");
    assert_eq!(
        (&acts[0]["actor_id"], &acts[0]["subject"]),
        (&json!(grace.id), &json!(format!("room {room}")))
    );
    assert_eq!(acts[0]["detail"], "closed to open");
    // So is an administrator who enters a closed room that somebody else has made; what its creator does is not.
    let room = team.closed_room("Another", &[&grace]).await;
    let eve = team.join("Eve").await;
    grace.post(&member(room, eve.id), json!({})).await.expect(201);
    team.ada.post(&member(room, "me"), json!({})).await.expect(201);
    let log = team.ada.get("/api/audit").await.expect(200);
    let newest = &log["entries"][0];
    assert_eq!(
        (&newest["action"], &newest["subject"]),
        (&json!("room.change"), &json!(format!("room {room}")))
    );
    assert_eq!(newest["actor_id"], team.ada.id);
    assert_eq!(log["entries"].as_array().unwrap().len(), 2, "{log}");
}

/// 25
#[tokio::test]
async fn incoming_webhook_is_a_member_of_its_own_room_only() {
    let team = Team::start().await;
    let hook =
        team.ada.post("/api/hooks", json!({"name": "Monitor", "room_id": team.room})).await.expect(201);
    let bot = team.ada.post("/api/bots", json!({"name": "Robot"})).await.expect(201);
    let open = team.ada.post("/api/rooms", json!({"name": "New", "kind": "open"})).await.expect(201);
    let closed = team.closed_room("Opened later", &[&team.ada]).await;
    team.ada.patch(&format!("/api/rooms/{closed}"), json!({"kind": "open"})).await.expect(200);
    for room in [id(&open), closed] {
        assert_eq!(members(&team.ada, room).await, [team.ada.id, id(&bot)]);
    }
    // A hook goes with its room, and its address is good for nothing then.
    let other = team.ada.post("/api/hooks", json!({"name": "Other", "room_id": id(&open)})).await.expect(201);
    team.ada.delete(&format!("/api/rooms/{}", id(&open))).await.expect(204);
    assert_eq!(ids(&team.ada.get("/api/hooks").await.expect(200)["hooks"]), [id(&hook)]);
    let url = other["url"].as_str().unwrap();
    let path = &url[url.find("/hooks/").unwrap()..];
    team.nobody().post(path, json!({"text": "hello"})).await.expect_text(403, "invalid_token");
}
