//! What the server works out so that no client has to: initials and colours, for whom a message is, limits, when to come
//! back.

use crate::support::*;

#[tokio::test]
async fn user_has_initials_and_a_color_wherever_it_is_shown() {
    let team = Team::start().await;
    let ben = team.join("Ben").await;
    let start = ben.get("/api/session").await.expect(200);
    let own = &start["user"];
    assert_eq!(own["initials"], "BE");
    let color = own["color"].as_str().expect("a color");
    assert!(color.len() == 7 && color.starts_with('#'), "{color}");
    let avatar = team.ada.get(&format!("/avatars/{}", ben.id)).await.text();
    assert!(avatar.contains(">BE<") && avatar.contains(color), "the picture says the same: {avatar}");
    let members = ben.get(&format!("/api/rooms/{}/members", team.room)).await.expect(200);
    for user in [find(&start["users"], ben.id), find(&members["members"], ben.id)] {
        assert_eq!((&user["initials"], &user["color"]), (&own["initials"], &own["color"]));
    }
    let mut socket = ben.socket().await;
    ben.patch(&format!("/api/users/{}", ben.id), json!({"name": "Łucja Øst"})).await.expect(200);
    let event = socket.expect("user.updated").await;
    assert_eq!((&event["user"]["initials"], &event["user"]["color"]), (&json!("ŁØ"), &own["color"]));
}

#[tokio::test]
async fn message_flags_are_there_only_when_they_are_true() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    let mut socket = grace.socket_in(team.room).await;
    let flags = |message: &Value| {
        ["everyone", "is_emoji_only"]
            .map(|name| message.get(name).map(|flag| flag.as_bool().expect("a flag")))
    };
    for (content, expected) in [
        ("Good morning", [None, None]),
        ("@here lunch", [Some(true), None]),
        ("@room lunch", [Some(true), None]),
        ("🎉 🎉", [None, Some(true)]),
        ("🎉 done", [None, None]),
    ] {
        let said = team.ada.say(team.room, content).await;
        assert_eq!(flags(&said), expected, "{content}");
        let heard = socket.expect("message.created").await;
        assert_eq!(heard["message"], said, "the event is the answer");
        let found = grace.get(&format!("/api/messages/{}", id(&said))).await.expect(200);
        assert_eq!(found, said);
    }
    let said = team.ada.say(team.room, "@here 1").await;
    let path = format!("/api/messages/{}", id(&said));
    let edited = team.ada.patch(&path, json!({"content": "🎉"})).await.expect(200);
    assert_eq!(flags(&edited), [None, Some(true)], "an edit counts anew");
    let boosted = team.ada.post(&format!("{path}/boosts"), json!({"content": "👍"})).await;
    boosted.expect(201);
    let page = grace.get(&format!("/api/rooms/{}/messages", team.room)).await.expect(200);
    assert_eq!(flags(find(&page["messages"], id(&said))), [None, Some(true)], "and stays as it is");
}

#[tokio::test]
async fn limits_come_with_the_session_and_with_what_was_too_large() {
    let team = Team::with(&[("CAMPFIRE_UPLOAD_LIMIT", "1")]).await;
    let start = team.ada.get("/api/session").await.expect(200);
    assert_eq!(start["limits"], json!({"upload_limit": 1 << 20, "content_limit": 64 << 10}));
    let content = "x".repeat(start["limits"]["content_limit"].as_u64().unwrap() as usize + 1);
    team.ada
        .post("/api/messages", json!({"room_id": team.room, "content": content}))
        .await
        .invalid(&["content"]);
    let file = vec![7; (1 << 20) + 1];
    let refused = team.ada.upload(team.room, &[], "large.bin", &file).await.problem(413, "too_large");
    assert_eq!(refused["limit"], 1 << 20);
    let body = json!({"room_id": team.room, "content": "x".repeat(2 << 20)});
    let refused = team.ada.post("/api/messages", body).await.problem(413, "too_large");
    assert_eq!(refused["limit"], 1 << 20);
    assert!(team.ada.get("/api/nothing").await.problem(404, "not_found").get("limit").is_none());
}

#[tokio::test]
async fn retry_after_ms_says_when_another_try_makes_sense() {
    let team = Team::with(&[("CAMPFIRE_POST_LIMIT", "1")]).await;
    let mut socket = team.ada.socket_in(team.room).await;
    team.ada.say(team.room, "One").await;
    let again = team.ada.post("/api/messages", json!({"room_id": team.room, "content": "Two"})).await;
    let wait_ms = again.problem(429, "rate_limited")["retry_after_ms"].as_u64().expect("milliseconds");
    let wait_s: u64 = again.header("retry-after").expect("Retry-After").parse().unwrap();
    assert!((1..=10_000).contains(&wait_ms) && wait_s == wait_ms.div_ceil(1000), "{wait_ms} ms, {wait_s} s");
    socket.send(json!({"type": "message", "room_id": team.room, "content": "Three"})).await;
    let error = socket.expect("error").await;
    assert_eq!(error["code"], "rate_limited");
    assert!((1..=10_000).contains(&error["retry_after_ms"].as_u64().expect("milliseconds")), "{error}");
}
