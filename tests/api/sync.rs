//! Catching up over HTTP (`/api/sync`).

use crate::support::*;

async fn sync(who: &Client, since: i64) -> (Vec<Value>, i64) {
    let body = who.get(&format!("/api/sync?since={since}")).await.expect(200);
    assert_keys(&body, &["events", "seq", "history"]);
    let events = body["events"].as_array().expect("events").clone();
    let seqs: Vec<i64> = events.iter().map(|it| it["seq"].as_i64().expect("seq")).collect();
    assert!(seqs.windows(2).all(|it| it[0] < it[1]), "strictly increasing: {seqs:?}");
    assert!(seqs.iter().all(|it| *it > since), "{seqs:?} after {since}");
    let seq = body["seq"].as_i64().expect("seq");
    assert!(seqs.last().is_none_or(|it| *it <= seq));
    (events, seq)
}

async fn now(who: &Client) -> i64 {
    who.get("/api/session").await.expect(200)["seq"].as_i64().expect("seq")
}

fn kinds(events: &[Value]) -> Vec<&str> {
    events.iter().map(|it| it["type"].as_str().expect("type")).collect()
}

#[tokio::test]
async fn sync_returns_events_since_a_seq_in_order() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    let since = now(&grace).await;
    assert_eq!(sync(&grace, since).await, (vec![], since));
    let said = team.ada.say(team.room, "Hello").await;
    let path = format!("/api/messages/{}", id(&said));
    let mention = format!("Hello @[Grace](user:{})!", grace.id);
    let edited = team.ada.patch(&path, json!({"content": mention})).await.expect(200);
    team.ada.delete(&path).await.expect(204);
    let room = team.ada.post("/api/rooms", json!({"name": "New", "kind": "open"})).await.expect(201);
    team.ada.patch(&format!("/api/rooms/{}", id(&room)), json!({"name": "Newer"})).await.expect(200);
    team.ada.delete(&format!("/api/rooms/{}", id(&room))).await.expect(204);
    team.ada.patch(&format!("/api/users/{}", team.ada.id), json!({"bio": "At the fire"})).await.expect(200);
    team.ada.patch("/api/account", json!({"name": "Kontor Süd"})).await.expect(200);
    let (events, seq) = sync(&grace, since).await;
    let kinds = kinds(&events);
    // The events before a deletion may be omitted; the deletion itself may not.
    let deleted = events.iter().find(|it| it["type"] == "message.deleted").expect("message.deleted");
    assert_eq!((&deleted["room_id"], &deleted["message_id"]), (&json!(team.room), &said["id"]));
    assert_eq!((&deleted["mentions"], &deleted["everyone"]), (&json!([grace.id]), &json!(false)));
    if let Some(updated) = events.iter().find(|it| it["type"] == "message.updated") {
        assert_eq!(updated["message"]["id"], edited["id"]);
    }
    for kind in ["room.deleted", "user.updated", "account.updated"] {
        assert_eq!(kinds.iter().filter(|it| **it == kind).count(), 1, "{kind} in {kinds:?}");
    }
    let user = events.iter().find(|it| it["type"] == "user.updated").unwrap();
    assert_eq!(user["user"]["bio"], "At the fire");
    assert!(user["user"].get("email").is_none(), "{user}");
    let account = events.iter().find(|it| it["type"] == "account.updated").unwrap();
    assert_eq!(account["account"]["name"], "Kontor Süd");
    assert!(account["account"].get("join_code").is_none(), "{account}");
    assert_eq!(sync(&grace, seq).await, (vec![], seq));
}

#[tokio::test]
async fn sync_returns_whole_messages_with_the_id_as_seq() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    let since = now(&grace).await;
    let mut said = Vec::new();
    for n in 0..5 {
        said.push(team.ada.say(team.room, &format!("{n}")).await);
    }
    let (events, _) = sync(&grace, since).await;
    let created: Vec<Value> =
        events.iter().filter(|it| it["type"] == "message.created").map(|it| it["message"].clone()).collect();
    assert_eq!(created, said);
    assert!(events.iter().all(|it| it["seq"] == it["message"]["id"]));
    let (events, _) = sync(&grace, id(&said[2])).await;
    assert_eq!(
        events.iter().map(|it| it["seq"].as_i64().unwrap()).collect::<Vec<_>>(),
        [id(&said[3]), id(&said[4])]
    );
}

#[tokio::test]
async fn sync_omits_rooms_that_one_is_not_in() {
    let team = Team::start().await;
    let (grace, linus) = (team.join("Grace").await, team.join("Linus").await);
    let since = now(&linus).await;
    let room = team.closed_room("Closed", &[&team.ada, &grace]).await;
    let said = team.ada.say(room, "Between us").await;
    team.ada
        .patch(&format!("/api/messages/{}", id(&said)), json!({"content": "Between us two"}))
        .await
        .expect(200);
    let direct = team.ada.direct_with(&[&grace]).await;
    team.ada.say(direct, "Even more so").await;
    let (events, _) = sync(&linus, since).await;
    assert_eq!(events, [] as [Value; 0]);
    let (events, _) = sync(&grace, since).await;
    let kinds = kinds(&events);
    assert!(kinds.contains(&"message.created"), "{kinds:?}");
    let text = serde_json::to_string(&events).unwrap();
    assert!(text.contains("Between us two") && text.contains("Even more so"), "{text}");
}

#[tokio::test]
async fn sync_tells_a_removed_member_only_of_the_removal() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    let room = team.closed_room("Closed", &[&team.ada, &grace]).await;
    let since = now(&grace).await;
    team.ada.put(&format!("/api/rooms/{room}/members"), json!({"user_ids": [team.ada.id]})).await.expect(200);
    team.ada.say(room, "Now that she is gone").await;
    let (events, _) = sync(&grace, since).await;
    assert!(!serde_json::to_string(&events).unwrap().contains("Now that she is gone"), "{events:?}");
    let lost = events.iter().find(|it| it["type"] == "membership.updated").expect("membership.updated");
    assert_eq!((&lost["room_id"], &lost["user_id"]), (&json!(room), &json!(grace.id)));
    assert_eq!(lost["membership"], Value::Null);
    let (events, _) = sync(&team.ada, since).await;
    assert!(
        events.iter().all(|it| it["type"] != "membership.updated" || it["user_id"] == team.ada.id),
        "{events:?}"
    );
}

#[tokio::test]
async fn sync_without_a_valid_since_is_refused() {
    let team = Team::start().await;
    for query in ["", "?since=", "?since=x", "?since=1.5", "?since=99999999999999999999"] {
        team.ada.get(&format!("/api/sync{query}")).await.refused(400);
    }
    for query in ["?since=-1", "?since=-9223372036854775808"] {
        let reply = team.ada.get(&format!("/api/sync{query}")).await;
        assert!(matches!(reply.status, 200 | 400 | 410), "{}", reply.text());
    }
    let ahead = team.ada.get("/api/sync?since=9223372036854775807").await;
    assert!(matches!(ahead.status, 200 | 400 | 410), "{}", ahead.text());
    if ahead.status == 200 {
        assert_eq!(ahead.json()["events"], json!([]));
    }
}

#[tokio::test]
async fn sync_page_of_superseded_events_hides_none_that_follow() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    let since = now(&grace).await;
    let doomed = format!("/api/messages/{}", id(&team.ada.say(team.room, "Restless").await));
    for _ in 0..25 {
        let edits = (0..50).map(|n| team.ada.patch(&doomed, json!({"content": format!("{n}")})));
        for edit in futures_util::future::join_all(edits).await {
            edit.expect(200);
        }
    }
    team.ada.delete(&doomed).await.expect(204);
    let kept = team.ada.say(team.room, "Calm").await;
    let kept = team
        .ada
        .patch(&format!("/api/messages/{}", id(&kept)), json!({"content": "Calm again"}))
        .await
        .expect(200);
    let mut events_so_far = Vec::new();
    let mut from = since;
    loop {
        let (events, seq) = sync(&grace, from).await;
        events_so_far.extend(events);
        if seq == from {
            break;
        }
        from = seq;
    }
    assert_eq!(kinds(&events_so_far), ["message.deleted", "message.created", "message.updated"]);
    assert_eq!(events_so_far[2]["message"], kept);
    let mut socket = grace.socket().await;
    socket.join_since(team.room, since).await;
    assert_eq!(socket.expect("message.deleted").await["seq"], events_so_far[0]["seq"]);
    assert_eq!(socket.expect("message.updated").await["message"], kept);
}

#[tokio::test]
async fn sync_in_several_pages_has_no_gap_or_duplicate() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    let since = now(&grace).await;
    let direct = team.ada.direct_with(&[&grace]).await;
    let mut said = Vec::new();
    for n in 0..25 {
        let room = if n % 2 == 0 { team.room } else { direct };
        said.extend(
            futures_util::future::join_all((0..100).map(|_| team.ada.say(room, "One of many")))
                .await
                .iter()
                .map(id),
        );
    }
    said.sort_unstable();
    let mut received = Vec::new();
    let mut from = since;
    loop {
        let (events, seq) = sync(&grace, from).await;
        let created = events.iter().filter(|it| it["type"] == "message.created");
        received.extend(created.map(|it| it["seq"].as_i64().unwrap()));
        if seq == from {
            break;
        }
        from = seq;
    }
    assert_eq!(received, said);
}

/// B5: a read mark is no event, so the answer can have the counts.
#[tokio::test]
async fn sync_with_rooms_has_what_the_session_has_after_the_last_event() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    let since = now(&grace).await;
    let said = team.ada.say(team.room, "Hello").await;
    team.ada.say(team.room, "Hello again").await;
    let path = format!("/api/sync?since={since}&with=rooms");
    let unread = |body: &Value| body["rooms"][0]["membership"]["unread_count"].clone();
    assert_eq!(unread(&grace.get(&path).await.expect(200)), 2);
    grace
        .post(&format!("/api/rooms/{}/read", team.room), json!({"message_id": said["id"]}))
        .await
        .expect(204);
    let body = grace.get(&path).await.expect(200);
    let session = grace.get("/api/session").await.expect(200);
    assert_eq!(unread(&body), 1);
    for field in ["rooms", "online", "seq", "history"] {
        assert_eq!(body[field], session[field], "{field}");
    }
    assert_eq!(body["events"].as_array().map(Vec::len), Some(2));
}

/// More events than one answer has: the rooms would be ahead of them.
#[tokio::test]
async fn sync_with_rooms_leaves_them_out_while_there_are_more_events() {
    let team = Team::start().await;
    let since = now(&team.ada).await;
    for number in 0..1_001 {
        team.ada.say(team.room, &format!("{number}")).await;
    }
    let first = team.ada.get(&format!("/api/sync?since={since}&with=rooms")).await.expect(200);
    assert!(first.get("rooms").is_none() && first["events"].as_array().map(Vec::len) == Some(1_000));
    let last = team.ada.get(&format!("/api/sync?since={}&with=rooms", first["seq"])).await.expect(200);
    assert_eq!(last["rooms"].as_array().map(Vec::len), Some(1));
}
