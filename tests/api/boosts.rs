//! Boosts.

use crate::support::*;

#[tokio::test]
async fn boost_is_created_broadcast_and_deleted() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    let message = id(&team.ada.say(team.room, "done").await);
    let mut socket = team.ada.socket_in(team.room).await;
    let path = format!("/api/messages/{message}/boosts");
    let boost = grace.post(&path, json!({"content": "👍"})).await.expect(201);
    assert_keys(&boost, &["id", "user_id", "content"]);
    let event = socket.expect("boost.created").await;
    assert_eq!(
        (&event["boost"], &event["message_id"], &event["room_id"]),
        (&boost, &json!(message), &json!(team.room))
    );
    let again = grace.post(&path, json!({"content": "👍"})).await.expect(200);
    assert_eq!(again, boost, "the same once more is the same");
    let page = team.ada.get(&format!("/api/rooms/{}/messages", team.room)).await.expect(200);
    assert_eq!(find(&page["messages"], message)["boosts"], json!([boost]));
    let own = format!("/api/boosts/{}", id(&boost));
    team.ada.delete(&own).await.problem(403, "forbidden");
    grace.delete(&own).await.expect(204);
    assert_eq!(socket.expect("boost.deleted").await["boost_id"], boost["id"]);
    grace.delete(&own).await.problem(404, "not_found");
    let sync = team.ada.get("/api/sync?since=0").await.expect(200);
    let kinds: Vec<_> =
        sync["events"].as_array().unwrap().iter().map(|it| it["type"].as_str().unwrap()).collect();
    assert!(kinds.contains(&"boost.created") && kinds.contains(&"boost.deleted"), "{kinds:?}");
}

#[tokio::test]
async fn boost_is_short_and_its_message_must_be_visible() {
    let team = Team::start().await;
    let eve = team.join("Eve").await;
    let room = team.closed_room("Quiet", &[&team.ada]).await;
    let message = id(&team.ada.say(room, "x").await);
    let path = format!("/api/messages/{message}/boosts");
    eve.post(&path, json!({"content": "👍"})).await.problem(404, "not_found");
    for bad in
        [json!({}), json!({"content": ""}), json!({"content": 5}), json!({"content": "seventeen letters"})]
    {
        team.ada.post(&path, bad).await.invalid(&["content"]);
    }
    let boost = team.ada.post(&path, json!({"content": "👨‍👩‍👧‍👦 sixteen char"})).await.expect(201);
    eve.delete(&format!("/api/boosts/{}", id(&boost))).await.problem(404, "not_found");
    team.ada.delete(&format!("/api/messages/{message}")).await.expect(204);
    team.ada.delete(&format!("/api/boosts/{}", id(&boost))).await.problem(404, "not_found");
}

#[tokio::test]
async fn boosts_created_at_once_are_all_kept() {
    let team = Team::start().await;
    let message = id(&team.ada.say(team.room, "x").await);
    let path = format!("/api/messages/{message}/boosts");
    let all = (0..40).map(|n| team.ada.post(&path, json!({"content": format!("n{n}")})));
    for reply in futures_util::future::join_all(all).await {
        reply.expect(201);
    }
    let message = team.ada.get(&format!("/api/messages/{message}")).await.expect(200);
    assert_eq!(message["boosts"].as_array().unwrap().len(), 40);
}
