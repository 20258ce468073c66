//! Bots and their webhooks. The bot API of ONCE Campfire is in `once`.

use crate::support::{
    http::Credentials,
    receiver::{redirect, response},
    *,
};

async fn bot(team: &Team, name: &str, webhook: Option<String>) -> Value {
    team.ada.post("/api/bots", json!({"name": name, "webhook_url": webhook})).await.expect(201)
}

fn mention(bot: &Value) -> String {
    format!("@[{}](user:{})", bot["name"].as_str().unwrap(), id(bot))
}

#[tokio::test]
async fn bot_is_created_changed_and_deleted_by_administrators() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    grace.get("/api/bots").await.problem(403, "forbidden");
    let made = bot(&team, "Builder", None).await;
    assert_keys(&made, &["id", "name", "avatar_url", "webhook_url", "key"]);
    let key = made["key"].as_str().unwrap();
    assert!(key.starts_with(&format!("{}-", id(&made))));
    let path = format!("/api/bots/{}", id(&made));
    let shown = team.ada.get(&path).await.expect(200);
    assert_keys(&shown, &["id", "name", "avatar_url", "webhook_url"]);
    let by_key = team.ada.with(Credentials::Bearer(key.to_owned()));
    assert_eq!(by_key.get("/api/session").await.expect(200)["user"]["role"], "bot");
    by_key.post("/api/messages", json!({"room_id": team.room, "content": "built"})).await.expect(201);
    let changed =
        team.ada.patch(&path, json!({"name": "Mason", "webhook_url": "http://bot.example/x"})).await;
    assert_eq!(changed.expect(200)["webhook_url"], "http://bot.example/x");
    assert_eq!(
        team.ada.patch(&path, json!({"webhook_url": null})).await.expect(200)["webhook_url"],
        Value::Null
    );
    team.ada.patch(&path, json!({"webhook_url": "ftp://x"})).await.invalid(&["webhook_url"]);
    let fresh = team.ada.post(&format!("{path}/key"), json!({})).await.expect(201);
    by_key.get("/api/session").await.problem(401, "not_signed_in");
    let by_key = team.ada.with(Credentials::Bearer(fresh["key"].as_str().unwrap().to_owned()));
    by_key.delete("/api/session").await.problem(403, "forbidden");
    team.ada.delete(&path).await.expect(204);
    by_key.get("/api/session").await.problem(401, "not_signed_in");
    team.ada.get(&path).await.problem(404, "not_found");
    team.ada.get(&format!("/api/bots/{}", grace.id)).await.problem(404, "not_found");
}

#[tokio::test]
async fn webhook_is_called_for_a_mention_and_its_answer_is_posted() {
    let team = Team::start().await;
    let receiver = Receiver::start(|_, _| response(200, "text/plain", "at your service")).await;
    let made = bot(&team, "Helper", Some(receiver.url("/hook"))).await;
    let mut socket = team.ada.socket_in(team.room).await;
    team.ada.say(team.room, "nobody is meant").await;
    let message = id(&team.ada.say(team.room, &format!("{} what is *new*?", mention(&made))).await);
    let call = &receiver.wait_for_calls(1).await[0];
    assert_eq!((call.method.as_str(), call.path.as_str()), ("POST", "/hook"));
    assert!(call.header("idempotency-key").is_some());
    let payload = call.json();
    assert_eq!(payload["user"], json!({"id": team.ada.id, "name": "Ada"}));
    let path = format!("/rooms/{}/{}/messages", team.room, made["key"].as_str().unwrap());
    assert_eq!(payload["room"], json!({"id": team.room, "name": "All Talk", "path": path}));
    assert_eq!(payload["message"]["body"]["plain"], "what is new?");
    assert_eq!(
        (&payload["message"]["id"], &payload["message"]["path"]),
        (&json!(message), &json!(format!("/rooms/{}/@{message}", team.room)))
    );
    let reply = socket.expect_where("message.created", |it| it["message"]["creator_id"] == made["id"]).await;
    assert_eq!(reply["message"]["content"], "at your service");
    assert_eq!(receiver.calls().len(), 1, "its own answer is not told to it");
}

#[tokio::test]
async fn webhook_gets_every_message_of_a_direct_room_and_may_answer_with_a_file() {
    let team = Team::start().await;
    let receiver =
        Receiver::start(|_, _| response(200, "image/png", b"\x89PNG\r\n\x1a\nnot much of one")).await;
    let made = bot(&team, "Painter", Some(receiver.url("/"))).await;
    let direct = id(&team
        .ada
        .post("/api/rooms", json!({"kind": "direct", "user_ids": [id(&made)]}))
        .await
        .expect(201));
    let mut socket = team.ada.socket_in(direct).await;
    team.ada.say(direct, "paint").await;
    let reply = socket.expect_where("message.created", |it| it["message"]["creator_id"] == made["id"]).await;
    assert_eq!(reply["message"]["attachment"]["content_type"], "image/png");
}

#[tokio::test]
async fn webhook_is_retried_with_the_same_key_on_failure_but_not_on_refusal() {
    let team = Team::start().await;
    let receiver = Receiver::start(|_, before| match before {
        0 => response(503, "text/plain", "not now"),
        _ => response(204, "text/plain", ""),
    })
    .await;
    let flaky = bot(&team, "Flaky", Some(receiver.url("/"))).await;
    team.ada.say(team.room, &mention(&flaky)).await;
    let calls = receiver.wait_for_calls(2).await;
    assert_eq!(calls[0].header("idempotency-key"), calls[1].header("idempotency-key"));
    let refusing = Receiver::start(|_, _| response(403, "text/plain", "go away")).await;
    let away = Receiver::start(|_, _| response(200, "text/plain", "stolen")).await;
    let elsewhere = away.url("/");
    let redirecting = Receiver::start(move |_, _| redirect(&elsewhere)).await;
    for (name, url) in [("Refusing", refusing.url("/")), ("Redirecting", redirecting.url("/"))] {
        let bot = bot(&team, name, Some(url)).await;
        team.ada.say(team.room, &mention(&bot)).await;
    }
    let dead = within("two dead jobs", async {
        loop {
            let jobs = team.ada.get("/api/jobs").await.expect(200);
            if jobs["jobs"].as_array().unwrap().len() == 2 {
                break jobs["jobs"].clone();
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    })
    .await;
    let mut errors: Vec<_> =
        dead.as_array().unwrap().iter().map(|it| it["error"].as_str().unwrap()).collect();
    errors.sort_unstable();
    assert_eq!(errors, ["it answered 403", "it redirects to another host"]);
    assert!(away.calls().is_empty(), "nobody is sent to another host");
    let refused = dead.as_array().unwrap().iter().find(|it| it["error"] == "it answered 403").unwrap();
    team.ada.post(&format!("/api/jobs/{}/retry", id(refused)), json!({})).await.expect(204);
    refusing.wait_for_calls(2).await;
    let other = dead.as_array().unwrap().iter().find(|it| id(it) != id(refused)).unwrap();
    team.ada.delete(&format!("/api/jobs/{}", id(other))).await.expect(204);
    team.ada.delete(&format!("/api/jobs/{}", id(other))).await.problem(404, "not_found");
    team.join("Grace").await.get("/api/jobs").await.problem(403, "forbidden");
}

#[tokio::test]
async fn webhook_that_is_slow_or_endless_holds_up_no_other() {
    let team = Team::start().await;
    let endless = Receiver::start(|_, _| {
        let mut all = b"HTTP/1.1 200 X\r\ncontent-type: text/plain\r\n\r\n".to_vec();
        all.resize(12 << 20, b'x');
        all
    })
    .await;
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent_url = format!("http://{}/", silent.local_addr().unwrap());
    let quick = Receiver::start(|_, _| response(200, "text/html", "<b>quick</b>")).await;
    let bots = [
        bot(&team, "Endless", Some(endless.url("/"))).await,
        bot(&team, "Silent", Some(silent_url)).await,
        bot(&team, "Quick", Some(quick.url("/"))).await,
    ];
    let mut socket = team.ada.socket_in(team.room).await;
    for bot in &bots {
        team.ada.say(team.room, &mention(bot)).await;
    }
    let reply =
        socket.expect_where("message.created", |it| it["message"]["creator_id"] == bots[2]["id"]).await;
    assert_eq!(reply["message"]["html"], "<p><strong>quick</strong></p>");
    team.ada.say(team.room, "still here").await;
}

#[tokio::test]
async fn jobs_survive_a_crash() {
    let receiver = Receiver::start(|_, _| response(204, "text/plain", "")).await;
    let mut team = Team::start().await;
    let made = bot(&team, "Later", Some("http://127.0.0.1:1/".into())).await;
    for n in 0..20 {
        team.ada.say(team.room, &format!("{} {n}", mention(&made))).await;
    }
    team.server.kill();
    team.server.restart();
    let change = json!({"webhook_url": receiver.url("/")});
    team.ada.patch(&format!("/api/bots/{}", id(&made)), change).await.expect(200);
    let calls = receiver.wait_for_calls(20).await;
    let mut keys: Vec<_> = calls.iter().map(|it| it.header("idempotency-key").unwrap()).collect();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), 20, "none is lost");
}
