//! Sockets end when what they stand on ends.

use crate::support::*;

#[tokio::test]
async fn sign_out_closes_its_own_sockets_with_4001() {
    let camp = Camp::start().await;
    let phone = camp.ada.sign_in_again().await;
    let (mut of_phone, mut also_of_phone) = (phone.socket_in(camp.room).await, phone.bearer_socket().await);
    let mut of_desk = camp.ada.socket_in(camp.room).await;
    phone.delete("/api/session").await.expect(204);
    assert_eq!(of_phone.closed().await, Some(4001));
    assert_eq!(also_of_phone.closed().await, Some(4001));
    camp.ada.say(camp.room, "Still here").await;
    assert_eq!(of_desk.hear().await, "Still here");
}

#[tokio::test]
async fn session_ended_from_another_device_closes_its_socket_with_4001() {
    let camp = Camp::start().await;
    let phone = camp.ada.sign_in_again().await;
    let mut socket = phone.socket_in(camp.room).await;
    let sessions = camp.ada.get("/api/sessions").await.expect(200);
    let other =
        sessions["sessions"].as_array().unwrap().iter().find(|it| it["current"] == false).unwrap().clone();
    camp.ada.delete(&format!("/api/sessions/{}", id(&other))).await.expect(204);
    assert_eq!(socket.closed().await, Some(4001));
}

#[tokio::test]
async fn deactivation_closes_sockets_at_once() {
    let camp = Camp::start().await;
    let (grace, linus) = (camp.join("Grace").await, camp.join("Linus").await);
    let mut of_grace = grace.socket_in(camp.room).await;
    let mut of_linus = linus.socket_in(camp.room).await;
    camp.ada.delete(&format!("/api/users/{}", grace.id)).await.expect(204);
    camp.ada.say(camp.room, "Not for her").await;
    assert_eq!(of_grace.closed().await, Some(4001));
    of_grace.never_heard("message.created");
    assert_eq!(of_linus.hear().await, "Not for her");
    let told = of_linus.skipped.iter().find(|it| it["type"] == "user.updated").expect("user.updated");
    assert_eq!(told["user"]["status"], "deactivated");
}

#[tokio::test]
async fn password_change_signs_the_other_devices_out() {
    let camp = Camp::start().await;
    let grace = camp.join("Grace").await;
    let thief = grace.sign_in_again().await;
    let mut of_thief = thief.socket_in(camp.room).await;
    let change = json!({"password": "something else entirely", "current_password": PASSWORD});
    grace.patch(&format!("/api/users/{}", grace.id), change).await.expect(200);
    assert_eq!(of_thief.closed().await, Some(4001));
    thief.get("/api/session").await.problem(401, "not_signed_in");
    grace.get("/api/session").await.expect(200);
}

#[tokio::test]
async fn stop_closes_sockets_with_1001_and_exits_with_0() {
    let mut camp = Camp::start().await;
    let grace = camp.join("Grace").await;
    let mut sockets = Vec::new();
    for _ in 0..20 {
        sockets.push(grace.socket_in(camp.room).await);
    }
    camp.server.signal("TERM");
    for socket in &mut sockets {
        assert_eq!(socket.closed().await, Some(1001));
    }
    assert_eq!(camp.server.wait().code(), Some(0), "{}", camp.server.log());
    assert!(!camp.server.log().contains("panic"), "{}", camp.server.log());
    camp.server.restart();
    camp.ada.get("/api/session").await.expect(200);
    camp.server.signal("INT");
    assert_eq!(camp.server.wait().code(), Some(0));
}

#[tokio::test]
async fn seq_goes_on_after_a_restart_and_since_bridges_it() {
    let mut camp = Camp::start().await;
    let grace = camp.join("Grace").await;
    let mut socket = grace.socket_in(camp.room).await;
    let first = id(&camp.ada.say(camp.room, "Before").await);
    assert_eq!(socket.hear().await, "Before");
    assert!(camp.server.terminate().success());
    camp.server.restart();
    let second = id(&camp.ada.say(camp.room, "After").await);
    assert!(second > first);
    let mut socket = grace.socket().await;
    assert!(socket.hello["seq"].as_i64().unwrap() >= second);
    socket.join_since(camp.room, first).await;
    assert_eq!(socket.hear().await, "After");
}
