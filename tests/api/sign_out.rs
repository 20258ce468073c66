//! What ends with a session, a password or a ban, and what a token or a bot's key cannot make.

use crate::support::{http::Credentials, receiver::response, server::campfire, *};

const ALLOW_LOOPBACK: (&str, &str) = ("CAMPFIRE_OUTGOING_ALLOW", "127.0.0.1/32");

/// The point and the secret of some browser: pushes to it need not be read here.
fn subscription(endpoint: &str) -> Value {
    json!({"endpoint": endpoint, "keys": {
        "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
        "auth": "BTBZMqHH6r4Tts7J_aSIgg"}})
}

async fn subscribe(device: &Client, service: &Receiver, path: &str) {
    device.post("/api/push/subscriptions", subscription(&service.url(path))).await.expect(201);
}

async fn devices(person: &Client) -> usize {
    person.get("/api/push/subscriptions").await.expect(200)["subscriptions"].as_array().unwrap().len()
}

async fn push_service() -> Receiver {
    Receiver::start(|_, _| response(201, "text/plain", "")).await
}

/// The id of the session that this device uses.
async fn session_of(device: &Client) -> i64 {
    let sessions = device.get("/api/sessions").await.expect(200);
    id(sessions["sessions"].as_array().unwrap().iter().find(|it| it["current"] == true).unwrap())
}

fn token(made: &Value) -> Credentials {
    Credentials::Bearer(made["token"].as_str().unwrap().to_owned())
}

/// B2, F2
#[tokio::test]
async fn push_subscriptions_end_with_their_session_however_it_ends() {
    let team = Team::with(&[ALLOW_LOOPBACK]).await;
    let service = push_service().await;
    let grace = team.join("Grace").await;
    subscribe(&grace, &service, "/desk").await;
    // Signed out from elsewhere.
    let phone = grace.sign_in_again().await;
    subscribe(&phone, &service, "/phone").await;
    assert_eq!(devices(&grace).await, 2);
    grace.delete(&format!("/api/sessions/{}", session_of(&phone).await)).await.expect(204);
    assert_eq!(devices(&grace).await, 1);
    // By itself.
    let phone = grace.sign_in_again().await;
    subscribe(&phone, &service, "/phone").await;
    phone.delete("/api/session").await.expect(204);
    assert_eq!(devices(&grace).await, 1);
    // With all others.
    let phone = grace.sign_in_again().await;
    subscribe(&phone, &service, "/phone").await;
    grace.delete("/api/sessions").await.expect(204);
    assert_eq!(devices(&grace).await, 1);
    // By a new password.
    let phone = grace.sign_in_again().await;
    subscribe(&phone, &service, "/phone").await;
    let change = json!({"password": "something else entirely", "current_password": PASSWORD});
    grace.patch(&format!("/api/users/{}", grace.id), change).await.expect(200);
    assert_eq!(devices(&grace).await, 1);
    // The desk still hears of a mention, and the phone does not.
    team.ada.say(team.room, &format!("@[Grace](user:{}) are you there?", grace.id)).await;
    let calls = service.wait_for_calls(1).await;
    assert_eq!(calls.iter().map(|call| call.path.as_str()).collect::<Vec<_>>(), ["/desk"]);
    // By a ban.
    team.ada.post(&format!("/api/users/{}/ban", grace.id), json!({})).await.expect(204);
    team.ada.delete(&format!("/api/users/{}/ban", grace.id)).await.expect(204);
    let again = json!({"email": grace.email, "password": "something else entirely"});
    let reply = team.nobody().post("/api/session", again).await;
    assert_eq!(devices(&Person::from_reply(&team.nobody(), &reply, &grace.email)).await, 0);
}

/// B3
#[tokio::test]
async fn transfer_link_ends_with_the_session_that_made_it() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    let link = async |device: &Client| {
        let made = device.post("/api/session/transfer", json!({})).await.expect(201);
        format!("/api/session/transfer/{}", made["token"].as_str().unwrap())
    };
    let nobody = team.nobody();
    let thief = grace.sign_in_again().await;
    let of_thief = link(&thief).await;
    grace.delete("/api/sessions").await.expect(204);
    nobody.post(&of_thief, json!({})).await.problem(404, "not_found");
    // One's own link stays when others are signed out, and ends with the password.
    let of_grace = link(&grace).await;
    grace.delete("/api/sessions").await.expect(204);
    nobody.post(&of_grace, json!({})).await.expect(201);
    let of_grace = link(&grace).await;
    let change = json!({"password": "something else entirely", "current_password": PASSWORD});
    grace.patch(&format!("/api/users/{}", grace.id), change).await.expect(200);
    nobody.post(&of_grace, json!({})).await.problem(404, "not_found");
    let of_grace = link(&grace).await;
    grace.delete("/api/session").await.expect(204);
    nobody.post(&of_grace, json!({})).await.problem(404, "not_found");
}

/// B3
#[tokio::test]
async fn reset_by_a_link_ends_sessions_links_tokens_and_pushes() {
    let team = Team::with(&[ALLOW_LOOPBACK]).await;
    let service = push_service().await;
    let grace = team.join("Grace").await;
    let thief = grace.sign_in_again().await;
    subscribe(&thief, &service, "/thief").await;
    let link = thief.post("/api/session/transfer", json!({})).await.expect(201);
    let script = thief.post("/api/tokens", json!({"name": "mine now"})).await.expect(201);
    let script = grace.with(token(&script));
    script.get("/api/session").await.expect(200);
    let mut socket = Socket::connect(&script).await;
    let output = campfire()
        .args(["admin", "reset-password", &grace.email, "--data"])
        .arg(team.server.data())
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let reset = said.split_whitespace().find_map(|word| word.split_once("/reset/")).expect("a link").1;
    let nobody = team.nobody();
    let password = json!({"password": "something else entirely"});
    let reply = nobody.post(&format!("/api/session/reset/{reset}"), password.clone()).await;
    let grace = Person::from_reply(&nobody, &reply, &grace.email);
    thief.get("/api/session").await.problem(401, "not_signed_in");
    script.get("/api/session").await.problem(401, "not_signed_in");
    assert_eq!(socket.closed().await, Some(4001));
    let link = format!("/api/session/transfer/{}", link["token"].as_str().unwrap());
    nobody.post(&link, json!({})).await.problem(404, "not_found");
    assert_eq!(devices(&grace).await, 0);
    nobody.post(&format!("/api/session/reset/{reset}"), password).await.problem(404, "not_found");
}

/// B3
#[tokio::test]
async fn tokens_and_bot_keys_make_no_sessions_tokens_or_links() {
    let team = Team::start().await;
    let script = team.ada.post("/api/tokens", json!({"name": "script"})).await.expect(201);
    let script = team.ada.with(token(&script));
    let bot = team.ada.post("/api/bots", json!({"name": "Robot"})).await.expect(201);
    let bot = team.ada.with(Credentials::Bearer(bot["key"].as_str().unwrap().to_owned()));
    for secret in [&script, &bot] {
        secret.get("/api/session").await.expect(200);
        secret.post("/api/session/transfer", json!({})).await.problem(403, "forbidden");
        secret.post("/api/tokens", json!({"name": "another"})).await.problem(403, "forbidden");
    }
    // What tokens could do before, they still can.
    assert_eq!(script.get("/api/export").await.status, 200);
    script.post("/api/bots", json!({"name": "Another"})).await.expect(201);
    let password = json!({"password": "something else entirely", "current_password": PASSWORD});
    team.ada.patch(&format!("/api/users/{}", team.ada.id), password).await.expect(200);
    script.get("/api/session").await.problem(401, "not_signed_in");
    bot.get("/api/session").await.expect(200);
    // Nor does a token outlive the password that it changes.
    let made = team.ada.post("/api/tokens", json!({"name": "thief"})).await.expect(201);
    let thief = team.ada.with(token(&made));
    let password = json!({"password": "a third one entirely", "current_password": "something else entirely"});
    thief.patch(&format!("/api/users/{}", team.ada.id), password).await.expect(200);
    thief.get("/api/session").await.problem(401, "not_signed_in");
    team.ada.get("/api/session").await.problem(401, "not_signed_in");
}

#[tokio::test]
async fn token_does_what_its_scope_says() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    let of_grace = id(&grace.say(team.room, "Mine").await);
    let mut scripts = Vec::new();
    for scope in ["read", "write", "admin"] {
        let made = team.ada.post("/api/tokens", json!({"name": scope, "scope": scope})).await.expect(201);
        assert_eq!(made["scope"], scope);
        scripts.push(team.ada.with(token(&made)));
    }
    let [read, write, admin] = &scripts[..] else { unreachable!() };
    team.ada.post("/api/tokens", json!({"name": "x", "scope": "root"})).await.invalid(&["scope"]);
    let listed = team.ada.get("/api/tokens").await.expect(200);
    let scopes: Vec<_> = listed["tokens"].as_array().unwrap().iter().map(|it| it["scope"].clone()).collect();
    assert_eq!(scopes, ["admin", "write", "read"]);
    let post = json!({"room_id": team.room, "content": "by script"});
    for script in [write, admin] {
        script.post("/api/messages", post.clone()).await.expect(201);
    }
    let refused = read.post("/api/messages", post).await.problem(403, "forbidden");
    assert!(refused["detail"].as_str().unwrap().contains("read"), "{refused}");
    read.upload(team.room, &[], "a.txt", b"text").await.problem(403, "forbidden");
    read.get(&format!("/api/rooms/{}/messages", team.room)).await.expect(200);
    for script in [read, write] {
        script.get("/api/audit").await.problem(403, "forbidden");
        script.get("/api/bots").await.problem(403, "forbidden");
        script.get("/api/export").await.problem(403, "forbidden");
        let people = script.get("/api/users").await.expect(200);
        assert_eq!(find(&people["users"], grace.id).get("email"), None, "an administrator's sight");
    }
    write.delete(&format!("/api/messages/{of_grace}")).await.problem(403, "forbidden");
    admin.delete(&format!("/api/messages/{of_grace}")).await.expect(204);
    admin.get("/api/audit").await.expect(200);
}

/// B21
#[tokio::test]
async fn authorization_for_a_proxy_does_not_hide_the_cookie() {
    let team = Team::start().await;
    let cookie = format!("campfire_session={}", team.ada.token);
    let nobody = team.nobody();
    let ask = |method: &str, path: &str, authorization: &str| {
        nobody.request(method, path).header("cookie", &cookie).header("authorization", authorization)
    };
    for of_proxy in [
        "Basic YWRhOnNlY3JldA==",
        "Digest username=\"ada\"",
        "Bearer eyJhbGciOiJSUzI1NiJ9.e30.AA",
        "Negotiate YII=",
    ] {
        let session = ask("GET", "/api/session", of_proxy).send().await.expect(200);
        assert_eq!(session["user"]["id"], team.ada.id, "{of_proxy}");
        // The cookie is what counts, so another site cannot use it.
        let post = ask("POST", "/api/messages", of_proxy)
            .header("sec-fetch-site", "cross-site")
            .json(json!({"room_id": team.room, "content": "forged"}));
        post.send().await.problem(403, "cross_site_request");
    }
    let of_other = team.join("Grace").await;
    let both = ask("GET", "/api/session", &format!("bearer {}", of_other.token)).send().await.expect(200);
    assert_eq!(both["user"]["id"], of_other.id, "a token of ours comes first");
    nobody
        .request("GET", "/api/session")
        .header("authorization", "Basic YTpi")
        .send()
        .await
        .problem(401, "not_signed_in");
}
