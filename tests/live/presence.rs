//! Who types, who is here.

use crate::support::*;

#[tokio::test]
async fn typing_is_sent_to_the_others_in_the_room() {
    let camp = Camp::start().await;
    let (grace, linus) = (camp.join("Grace").await, camp.join("Linus").await);
    let mut of_ada = camp.ada.socket_in(camp.room).await;
    let mut of_grace = grace.socket_in(camp.room).await;
    let mut outside = linus.socket().await;
    for active in [true, false] {
        of_ada.send(json!({"type": "typing", "room_id": camp.room, "active": active})).await;
        let typing = of_grace.expect("typing").await;
        assert_eq!(
            typing,
            json!({"type": "typing", "room_id": camp.room, "user_id": camp.ada.id, "active": active})
        );
    }
    of_ada.round_trip().await;
    of_ada.never_heard("typing");
    outside.round_trip().await;
    outside.never_heard("typing");
}

#[tokio::test]
async fn presence_tells_who_has_joined_a_room() {
    let camp = Camp::start().await;
    let grace = camp.join("Grace").await;
    let mut of_ada = camp.ada.socket().await;
    let joined = of_ada.join(camp.room).await;
    assert_eq!(joined["present"], json!([camp.ada.id]));
    let mut of_grace = grace.socket().await;
    let joined = of_grace.join(camp.room).await;
    let mut present: Vec<i64> =
        joined["present"].as_array().unwrap().iter().map(|it| it.as_i64().unwrap()).collect();
    present.sort_unstable();
    assert_eq!(present, [camp.ada.id, grace.id]);
    let came = of_ada.expect_where("presence", |it| it["user_id"] == grace.id).await;
    assert_eq!(came, json!({"type": "presence", "room_id": camp.room, "user_id": grace.id, "online": true}));
    // A second window of hers is no news.
    let mut second = grace.socket_in(camp.room).await;
    second.leave(camp.room).await;
    of_ada.round_trip().await;
    let news = of_ada.skipped.iter().filter(|it| it["type"] == "presence" && it["user_id"] == grace.id);
    assert_eq!(news.count(), 0, "{:?}", of_ada.skipped);
}

#[tokio::test]
async fn presence_in_a_direct_room_tells_who_is_online() {
    let camp = Camp::start().await;
    let grace = camp.join("Grace").await;
    let direct = camp.ada.direct_with(&[&grace]).await;
    let mut of_ada = camp.ada.socket().await;
    assert_eq!(camp.ada.get("/api/session").await.expect(200)["online"], json!([]));
    let _of_grace = grace.socket().await;
    let came = of_ada.expect_where("presence", |it| it["user_id"] == grace.id).await;
    assert_eq!((&came["room_id"], &came["online"]), (&json!(direct), &json!(true)));
    assert_eq!(camp.ada.get("/api/session").await.expect(200)["online"], json!([grace.id]));
}

#[tokio::test]
async fn presence_outlasts_a_short_disconnect() {
    let camp = Camp::start().await;
    let grace = camp.join("Grace").await;
    let mut of_ada = camp.ada.socket_in(camp.room).await;
    let of_grace = grace.socket_in(camp.room).await;
    of_ada.expect_where("presence", |it| it["user_id"] == grace.id).await;
    of_grace.drop_dead();
    // She reloads: nobody saw her go.
    let mut back = grace.socket().await;
    back.join(camp.room).await;
    back.say(camp.room, "Back", "b").await;
    of_ada.hear().await;
    let gone = of_ada.skipped.iter().find(|it| it["type"] == "presence" && it["online"] == false);
    assert!(gone.is_none(), "{gone:?}");
}
