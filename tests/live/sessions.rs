//! Sockets end with their session, and with the server.

use crate::support::{http::Credentials, *};

#[tokio::test]
async fn sign_out_closes_its_own_sockets_with_4001() {
    let team = Team::start().await;
    let phone = team.ada.sign_in_again().await;
    let (mut of_phone, mut also_of_phone) = (phone.socket_in(team.room).await, phone.bearer_socket().await);
    let mut of_desk = team.ada.socket_in(team.room).await;
    phone.delete("/api/session").await.expect(204);
    assert_eq!(of_phone.closed().await, Some(4001));
    assert_eq!(also_of_phone.closed().await, Some(4001));
    team.ada.say(team.room, "Still here").await;
    assert_eq!(of_desk.next_content().await, "Still here");
}

#[tokio::test]
async fn session_ended_from_another_device_closes_its_socket_with_4001() {
    let team = Team::start().await;
    let phone = team.ada.sign_in_again().await;
    let mut socket = phone.socket_in(team.room).await;
    let sessions = team.ada.get("/api/sessions").await.expect(200);
    let other =
        sessions["sessions"].as_array().unwrap().iter().find(|it| it["current"] == false).unwrap().clone();
    team.ada.delete(&format!("/api/sessions/{}", id(&other))).await.expect(204);
    assert_eq!(socket.closed().await, Some(4001));
}

#[tokio::test]
async fn deactivation_closes_sockets_at_once() {
    let team = Team::start().await;
    let (grace, linus) = (team.join("Grace").await, team.join("Linus").await);
    let mut of_grace = grace.socket_in(team.room).await;
    let mut of_linus = linus.socket_in(team.room).await;
    team.ada.delete(&format!("/api/users/{}", grace.id)).await.expect(204);
    team.ada.say(team.room, "Not for her").await;
    assert_eq!(of_grace.closed().await, Some(4001));
    of_grace.assert_not_received("message.created");
    assert_eq!(of_linus.next_content().await, "Not for her");
    let updated = of_linus.skipped.iter().find(|it| it["type"] == "user.updated").expect("user.updated");
    assert_eq!(updated["user"]["status"], "deactivated");
}

#[tokio::test]
async fn password_change_signs_the_other_devices_out() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    let thief = grace.sign_in_again().await;
    let mut of_thief = thief.socket_in(team.room).await;
    let change = json!({"password": "something else entirely", "current_password": PASSWORD});
    grace.patch(&format!("/api/users/{}", grace.id), change).await.expect(200);
    assert_eq!(of_thief.closed().await, Some(4001));
    thief.get("/api/session").await.problem(401, "not_signed_in");
    grace.get("/api/session").await.expect(200);
}

#[tokio::test]
async fn stop_closes_sockets_with_1001_and_exits_with_0() {
    let mut team = Team::start().await;
    let grace = team.join("Grace").await;
    let mut sockets = Vec::new();
    for _ in 0..20 {
        sockets.push(grace.socket_in(team.room).await);
    }
    team.server.signal("TERM");
    for socket in &mut sockets {
        assert_eq!(socket.closed().await, Some(1001));
    }
    assert_eq!(team.server.wait().code(), Some(0), "{}", team.server.log());
    assert!(!team.server.log().contains("panic"), "{}", team.server.log());
    team.server.restart();
    team.ada.get("/api/session").await.expect(200);
    team.server.signal("INT");
    assert_eq!(team.server.wait().code(), Some(0));
}

#[tokio::test]
async fn seq_goes_on_after_a_restart_and_since_bridges_it() {
    let mut team = Team::start().await;
    let grace = team.join("Grace").await;
    let mut socket = grace.socket_in(team.room).await;
    let first = id(&team.ada.say(team.room, "Before").await);
    assert_eq!(socket.next_content().await, "Before");
    assert!(team.server.terminate().success());
    team.server.restart();
    let second = id(&team.ada.say(team.room, "After").await);
    assert!(second > first);
    let mut socket = grace.socket().await;
    assert!(socket.hello["seq"].as_i64().unwrap() >= second);
    socket.join_since(team.room, first).await;
    assert_eq!(socket.next_content().await, "After");
}

#[tokio::test]
async fn token_that_may_only_read_listens_and_says_nothing() {
    let team = Team::start().await;
    let made = team.ada.post("/api/tokens", json!({"name": "reader", "scope": "read"})).await.expect(201);
    let reader = team.ada.with(Credentials::Bearer(made["token"].as_str().unwrap().to_owned()));
    let mut socket = Socket::connect(&reader).await;
    socket.join(team.room).await;
    let said = id(&team.ada.say(team.room, "Hello").await);
    assert_eq!(socket.next_content().await, "Hello");
    for refused in [
        json!({"type": "message", "room_id": team.room, "content": "no", "client_message_id": "1"}),
        json!({"type": "read", "room_id": team.room, "message_id": said}),
        json!({"type": "typing", "room_id": team.room, "active": true}),
    ] {
        socket.send(refused.clone()).await;
        let error = socket.expect("error").await;
        assert_eq!(error["code"], "forbidden", "{refused}");
        assert_eq!(error.get("client_message_id"), refused.get("client_message_id"));
    }
    socket.round_trip().await;
    assert_eq!(team.ada.get(&format!("/api/rooms/{}", team.room)).await.expect(200)["last_message_id"], said);
}
