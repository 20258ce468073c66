//! Typing and presence.

use crate::support::*;

#[tokio::test]
async fn typing_is_sent_to_the_others_in_the_room() {
    let team = Team::start().await;
    let (grace, linus) = (team.join("Grace").await, team.join("Linus").await);
    let mut of_ada = team.ada.socket_in(team.room).await;
    let mut of_grace = grace.socket_in(team.room).await;
    let mut outside = linus.socket().await;
    for active in [true, false] {
        of_ada.send(json!({"type": "typing", "room_id": team.room, "active": active})).await;
        let typing = of_grace.expect("typing").await;
        assert_eq!(
            typing,
            json!({"type": "typing", "room_id": team.room, "user_id": team.ada.id, "active": active})
        );
    }
    of_ada.round_trip().await;
    of_ada.assert_not_received("typing");
    outside.round_trip().await;
    outside.assert_not_received("typing");
}

#[tokio::test]
async fn presence_tells_who_has_joined_a_room() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    let mut of_ada = team.ada.socket().await;
    let joined = of_ada.join(team.room).await;
    assert_eq!(joined["present"], json!([team.ada.id]));
    let mut of_grace = grace.socket().await;
    let joined = of_grace.join(team.room).await;
    let mut present: Vec<i64> =
        joined["present"].as_array().unwrap().iter().map(|it| it.as_i64().unwrap()).collect();
    present.sort_unstable();
    assert_eq!(present, [team.ada.id, grace.id]);
    let came = of_ada.expect_where("presence", |it| it["user_id"] == grace.id).await;
    assert_eq!(came, json!({"type": "presence", "room_id": team.room, "user_id": grace.id, "online": true}));
    // A second socket of the same user sends no presence event.
    let mut second = grace.socket_in(team.room).await;
    second.leave(team.room).await;
    of_ada.round_trip().await;
    let news = of_ada.skipped.iter().filter(|it| it["type"] == "presence" && it["user_id"] == grace.id);
    assert_eq!(news.count(), 0, "{:?}", of_ada.skipped);
}

#[tokio::test]
async fn presence_in_a_direct_room_tells_who_is_online() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    let direct = team.ada.direct_with(&[&grace]).await;
    let mut of_ada = team.ada.socket().await;
    assert_eq!(team.ada.get("/api/session").await.expect(200)["online"], json!([]));
    let _of_grace = grace.socket().await;
    let came = of_ada.expect_where("presence", |it| it["user_id"] == grace.id).await;
    assert_eq!((&came["room_id"], &came["online"]), (&json!(direct), &json!(true)));
    assert_eq!(team.ada.get("/api/session").await.expect(200)["online"], json!([grace.id]));
}

#[tokio::test]
async fn presence_outlasts_a_short_disconnect() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    let mut of_ada = team.ada.socket_in(team.room).await;
    let of_grace = grace.socket_in(team.room).await;
    of_ada.expect_where("presence", |it| it["user_id"] == grace.id).await;
    of_grace.disconnect();
    // She reconnects, as on a reload: no absence is sent.
    let mut back = grace.socket().await;
    back.join(team.room).await;
    back.say(team.room, "Back", "b").await;
    of_ada.next_content().await;
    let gone = of_ada.skipped.iter().find(|it| it["type"] == "presence" && it["online"] == false);
    assert!(gone.is_none(), "{gone:?}");
}
