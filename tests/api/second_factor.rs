//! The second step of signing in: turning it on and off, codes and recovery codes, and where it is required.

use futures_util::future::join_all;

use crate::support::http::Credentials;
use crate::support::totp::{code, code_in, key_of, recovery_codes, wrong_code};
use crate::support::*;

/// The codes of the present count as new again: the clock of a test does not wait for the next ones.
fn forget_steps(team: &Team) {
    let db = rusqlite::Connection::open(team.server.database()).unwrap();
    db.busy_timeout(DEADLINE).unwrap();
    db.execute("update second_factors set last_step = 0", ()).unwrap();
}

/// Turns somebody's second step on, and returns its key and the recovery codes.
async fn turn_on(team: &Team, who: &Person) -> (String, Vec<String>) {
    let begun = who.post("/api/second_factor", json!({"current_password": PASSWORD})).await.expect(201);
    let key = key_of(&begun);
    let body = json!({"token": begun["token"], "code": code(&key)});
    let codes = recovery_codes(&who.put("/api/second_factor", body).await.expect(200));
    forget_steps(team);
    (key, codes)
}

async fn password(team: &Team, who: &Person) -> Reply {
    team.nobody().post("/api/session", json!({"email": who.email, "password": PASSWORD})).await
}

/// The token that belongs to the code, after the right password.
async fn asked(team: &Team, who: &Person) -> Value {
    let reply = password(team, who).await;
    let body = reply.expect(202);
    assert!(!reply.headers.contains_key("set-cookie"));
    assert_keys(&body, &["second_factor"]);
    assert_keys(&body["second_factor"], &["token", "expires_at"]);
    assert_time(&body["second_factor"]["expires_at"]);
    body["second_factor"]["token"].clone()
}

async fn give(team: &Team, token: &Value, code: &str) -> Reply {
    team.nobody().post("/api/session/second_factor", json!({"token": token, "code": code})).await
}

/// How somebody signs in, in the list for administrators.
fn row_of(list: &Value, user: i64) -> &Value {
    let rows = list["people"].as_array().unwrap();
    rows.iter().find(|row| row["user_id"] == user).unwrap()
}

async fn actions(team: &Team) -> Vec<String> {
    let entries = team.ada.get("/api/audit").await.expect(200);
    let entries = entries["entries"].as_array().unwrap().clone();
    entries
        .iter()
        .map(|entry| format!("{} {}", entry["action"].as_str().unwrap(), entry["subject"].as_str().unwrap()))
        .collect()
}

#[tokio::test]
async fn second_factor_is_asked_for_after_the_password() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    let off = json!({"is_on": false, "since": null, "recovery_codes": 0, "is_required": false, "has_password": true});
    assert_eq!(grace.get("/api/second_factor").await.expect(200), off);
    let begun = grace.post("/api/second_factor", json!({"current_password": PASSWORD})).await.expect(201);
    assert_keys(&begun, &["token", "expires_at", "set_up"]);
    let set_up = &begun["set_up"];
    assert_keys(set_up, &["key", "uri", "qr_svg"]);
    let (key, uri) = (key_of(&begun), set_up["uri"].as_str().unwrap());
    assert!(
        key.len() == 39 && key.split(' ').all(|group| group.len() == 4),
        "160 bits in groups of four: {key}"
    );
    let secret = key.replace(' ', "");
    assert!(uri.starts_with("otpauth://totp/Kontor:grace%40example%2Ecom?"), "{uri}");
    assert!(uri.contains(&format!("secret={secret}&issuer=Kontor&")), "{uri}");
    assert!(set_up["qr_svg"].as_str().unwrap().starts_with("<svg"));
    // It is not on yet.
    password(&team, &grace).await.expect(201);
    let put = |code: String| grace.put("/api/second_factor", json!({"token": begun["token"], "code": code}));
    put(wrong_code(&key)).await.invalid(&["code"]);
    let codes = recovery_codes(&put(code(&key)).await.expect(200));
    assert_eq!(codes.len(), 10);
    put(code(&key)).await.problem(410, "gone");
    let on = grace.get("/api/second_factor").await.expect(200);
    assert_eq!((&on["is_on"], &on["recovery_codes"]), (&json!(true), &json!(10)));
    assert_time(&on["since"]);
    grace.get("/api/rooms").await.expect(200);

    forget_steps(&team);
    let token = asked(&team, &grace).await;
    let reply = give(&team, &token, &code(&key)).await;
    assert_keys(&reply.expect(201), &["user", "token"]);
    let again = Person::from_reply(&team.nobody(), &reply, &grace.email);
    assert_eq!(again.id, grace.id);
    again.get("/api/rooms").await.expect(200);
    // Administrators see who has one, and how the device was signed in.
    let people = team.ada.get("/api/sign_ins").await.expect(200);
    let row = |user: i64| row_of(&people, user);
    assert_eq!(
        (&row(grace.id)["has_second_factor"], &row(grace.id)["method"]),
        (&json!(true), &json!("password"))
    );
    assert_eq!(row(team.ada.id)["has_second_factor"], json!(false));
    assert!(actions(&team).await.contains(&format!("second_factor.on user {}", grace.id)));
    // A wrong password is told before the second step.
    let wrong = json!({"email": grace.email, "password": "not the password"});
    team.nobody().post("/api/session", wrong).await.problem(401, "not_signed_in");
}

#[tokio::test]
async fn code_works_once_and_a_sign_in_of_two_lets_one_in() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    let (key, _) = turn_on(&team, &grace).await;
    // Two sign-ins with the same code at the same time, and two with the same sign-in.
    let (one, other) = (asked(&team, &grace).await, asked(&team, &grace).await);
    let now = code(&key);
    let replies =
        join_all([give(&team, &one, &now), give(&team, &other, &now), give(&team, &one, &now)]).await;
    let statuses: Vec<u16> = replies.iter().map(|reply| reply.status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| [201, 410, 422].contains(status)), "{statuses:?}");
    // Nor later, nor one that is older.
    let token = asked(&team, &grace).await;
    give(&team, &token, &now).await.invalid(&["code"]);
    give(&team, &token, &code_in(&key, -1)).await.invalid(&["code"]);
    forget_steps(&team);
    give(&team, &token, &format!(" {} {} ", &code(&key)[..3], &code(&key)[3..])).await.expect(201);
    give(&team, &token, &code(&key)).await.problem(410, "gone");
}

#[tokio::test]
async fn sign_in_ends_after_five_wrong_codes_and_ten_an_hour_are_the_limit() {
    let team = Team::with(&[("CAMPFIRE_TRUSTED_PROXY", "127.0.0.1")]).await;
    let grace = team.join("Grace").await;
    let (key, codes) = turn_on(&team, &grace).await;
    let token = asked(&team, &grace).await;
    for text in [&wrong_code(&key), "12345", "no code", "aaaa-bbbb-cccc"] {
        give(&team, &token, text).await.invalid(&["code"]);
    }
    give(&team, &token, &wrong_code(&key)).await.problem(410, "gone");
    give(&team, &token, &code(&key)).await.problem(410, "gone");
    for body in [
        json!({}),
        json!({"token": token}),
        json!({"token": 1, "code": 2}),
        json!({"token": "x".repeat(65), "code": "1"}),
    ] {
        let reply = team.nobody().post("/api/session/second_factor", body).await;
        assert_eq!(reply.status, 422, "{}", reply.text());
    }
    give(&team, &json!("unknown"), &code(&key)).await.problem(410, "gone");
    // Many at once are no more than one after the other.
    let token = asked(&team, &grace).await;
    let wrong = wrong_code(&key);
    let replies = join_all((0..9).map(|_| give(&team, &token, &wrong))).await;
    assert_eq!(replies.iter().filter(|reply| reply.status == 422).count(), 4);
    assert_eq!(replies.iter().filter(|reply| reply.status == 410).count(), 5);
    // The address has had its ten, and from any other the account has.
    password(&team, &grace).await.problem(429, "rate_limited");
    let nobody = team.nobody();
    let elsewhere = |path: &str, body: Value| {
        nobody.request("POST", path).header("x-forwarded-for", "203.0.113.7").json(body).send()
    };
    let sign_in = json!({"email": grace.email, "password": PASSWORD});
    let token = elsewhere("/api/session", sign_in).await.expect(202)["second_factor"]["token"].clone();
    let body = json!({"token": token, "code": codes[0]});
    elsewhere("/api/session/second_factor", body).await.problem(429, "rate_limited");
    let failed = team.ada.get("/api/sign_ins/failed").await.expect(200);
    let row = failed["failed"].as_array().unwrap().iter().find(|row| row["method"] == "code").unwrap();
    assert_eq!((&row["user_id"], &row["attempts"]), (&json!(grace.id), &json!(10)));
}

#[tokio::test]
async fn recovery_codes_work_once_each_and_can_be_made_anew() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    let (key, codes) = turn_on(&team, &grace).await;
    let token = asked(&team, &grace).await;
    give(&team, &token, &codes[0].to_uppercase().replace('-', " ")).await.expect(201);
    let token = asked(&team, &grace).await;
    give(&team, &token, &codes[0]).await.invalid(&["code"]);
    let both = join_all([give(&team, &token, &codes[1]), give(&team, &token, &codes[1])]).await;
    assert_eq!(both.iter().filter(|reply| reply.status == 201).count(), 1);
    assert_eq!(grace.get("/api/second_factor").await.expect(200)["recovery_codes"], 8);
    // They are nowhere in clear text.
    let db = rusqlite::Connection::open(team.server.database()).unwrap();
    let stored: Vec<Vec<u8>> = db
        .prepare("select code_hash from recovery_codes")
        .unwrap()
        .query_map((), |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert!(stored.len() == 8 && stored.iter().all(|hash| hash.len() == 32));
    let renew = |body: Value| grace.post("/api/second_factor/recovery_codes", body);
    renew(json!({})).await.invalid(&["current_password"]);
    renew(json!({"current_password": "wrong", "code": code(&key)})).await.invalid(&["current_password"]);
    renew(json!({"current_password": PASSWORD})).await.invalid(&["code"]);
    renew(json!({"current_password": PASSWORD, "code": wrong_code(&key)})).await.invalid(&["code"]);
    let new =
        recovery_codes(&renew(json!({"current_password": PASSWORD, "code": code(&key)})).await.expect(201));
    assert!(new.len() == 10 && !new.contains(&codes[2]));
    let token = asked(&team, &grace).await;
    give(&team, &token, &codes[2]).await.invalid(&["code"]);
    give(&team, &token, &new[9]).await.expect(201);
}

#[tokio::test]
async fn second_factor_is_turned_off_or_set_up_anew_by_password_and_code() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    let begin = |body: Value| grace.post("/api/second_factor", body);
    begin(json!({})).await.invalid(&["current_password"]);
    begin(json!({"current_password": "wrong"})).await.invalid(&["current_password"]);
    let off = |body: Value| grace.request("DELETE", "/api/second_factor").json(body).send();
    off(json!({"current_password": PASSWORD, "code": "123456"})).await.problem(409, "conflict");
    // By a device only: a token would be a way around it.
    let made = grace.post("/api/tokens", json!({"name": "script", "scope": "write"})).await.expect(201);
    let script = grace.with(Credentials::Bearer(made["token"].as_str().unwrap().to_owned()));
    script.post("/api/second_factor", json!({"current_password": PASSWORD})).await.problem(403, "forbidden");
    let (key, codes) = turn_on(&team, &grace).await;
    // Another device of the same person cannot finish what this one began.
    let token = asked(&team, &grace).await;
    let other = give(&team, &token, &codes[0]).await;
    let other = Person::from_reply(&team.nobody(), &other, &grace.email);
    begin(json!({"current_password": PASSWORD})).await.invalid(&["code"]);
    let anew = begin(json!({"current_password": PASSWORD, "code": code(&key)})).await.expect(201);
    let new_key = key_of(&anew);
    assert_ne!(new_key, key);
    let first = json!({"token": anew["token"], "code": code(&new_key)});
    other.put("/api/second_factor", first.clone()).await.problem(410, "gone");
    // A sign-in cannot be finished by it either.
    give(&team, &anew["token"], &code(&new_key)).await.problem(410, "gone");
    let new_codes = recovery_codes(&grace.put("/api/second_factor", first).await.expect(200));
    forget_steps(&team);
    let token = asked(&team, &grace).await;
    give(&team, &token, &code(&key)).await.invalid(&["code"]);
    give(&team, &token, &codes[1]).await.invalid(&["code"]);
    give(&team, &token, &code(&new_key)).await.expect(201);
    off(json!({"current_password": PASSWORD, "code": wrong_code(&new_key)})).await.invalid(&["code"]);
    script
        .request("DELETE", "/api/second_factor")
        .json(json!({"current_password": PASSWORD, "code": new_codes[0]}))
        .send()
        .await
        .problem(403, "forbidden");
    off(json!({"current_password": PASSWORD, "code": new_codes[0]})).await.expect(204);
    password(&team, &grace).await.expect(201);
    // Other devices stay signed in.
    other.get("/api/rooms").await.expect(200);
    let wanted = format!("second_factor.off user {}", grace.id);
    assert!(actions(&team).await.contains(&wanted));
}

#[tokio::test]
async fn link_to_choose_a_password_asks_for_the_second_step_and_that_of_a_device_does_not() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    let (key, _) = turn_on(&team, &grace).await;
    let transfer = grace.post("/api/session/transfer", json!({})).await.expect(201);
    let path = format!("/api/session/transfer/{}", transfer["token"].as_str().unwrap());
    team.nobody().post(&path, json!({})).await.expect(201);
    let waiting = asked(&team, &grace).await;
    let link = team.ada.post(&format!("/api/users/{}/sign_in_link", grace.id), json!({})).await.expect(201);
    let path = format!("/api/session/reset/{}", link["token"].as_str().unwrap());
    let reply = team.nobody().post(&path, json!({"password": "another fire for tonight"})).await;
    let token = reply.expect(202)["second_factor"]["token"].clone();
    assert!(!reply.headers.contains_key("set-cookie"));
    // The password is new, and all that was signed in has ended.
    grace.get("/api/rooms").await.problem(401, "not_signed_in");
    password(&team, &grace).await.problem(401, "not_signed_in");
    // So has what began with the password of before.
    give(&team, &waiting, &code(&key)).await.problem(410, "gone");
    give(&team, &token, &wrong_code(&key)).await.invalid(&["code"]);
    let reply = give(&team, &token, &code(&key)).await;
    Person::from_reply(&team.nobody(), &reply, &grace.email).get("/api/rooms").await.expect(200);
    let people = team.ada.get("/api/sign_ins").await.expect(200);
    assert_eq!(row_of(&people, grace.id)["method"], json!("reset"));
}

#[tokio::test]
async fn required_second_factor_is_set_up_at_the_next_sign_in() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    let require = |of: &str| team.ada.patch("/api/account", json!({"settings": {"second_factor": of}}));
    require("sometimes").await.invalid(&["second_factor"]);
    grace.patch("/api/account", json!({"second_factor": "everybody"})).await.problem(403, "forbidden");
    assert_eq!(require("administrators").await.expect(200)["settings"]["second_factor"], "administrators");
    password(&team, &grace).await.expect(201);
    assert_eq!(grace.get("/api/second_factor").await.expect(200)["is_required"], false);
    let reply = password(&team, &team.ada).await;
    let first = reply.expect(202)["second_factor"].clone();
    assert_keys(&first, &["token", "expires_at", "set_up"]);
    // Who is signed in stays so.
    require("everybody").await.expect(200);
    let bot = team.ada.post("/api/bots", json!({"name": "Weather"})).await.expect(201);
    let made = grace.post("/api/tokens", json!({"name": "script", "scope": "read"})).await.expect(201);
    let begun = password(&team, &grace).await.expect(202)["second_factor"].clone();
    let also = password(&team, &grace).await.expect(202)["second_factor"].clone();
    let key = key_of(&begun);
    assert_ne!(key, key_of(&also));
    give(&team, &begun["token"], &wrong_code(&key)).await.invalid(&["code"]);
    let reply = give(&team, &begun["token"], &code(&key)).await;
    let body = reply.expect(201);
    assert_keys(&body, &["user", "token", "recovery_codes"]);
    assert_eq!(recovery_codes(&body).len(), 10);
    // The other sign-in began before there was one: it cannot replace it.
    give(&team, &also["token"], &code(&key_of(&also))).await.problem(410, "gone");
    let again = Person::from_reply(&team.nobody(), &reply, &grace.email);
    assert_eq!(again.get("/api/second_factor").await.expect(200)["is_required"], true);
    forget_steps(&team);
    let proofs = json!({"current_password": PASSWORD, "code": code(&key)});
    again.request("DELETE", "/api/second_factor").json(proofs).send().await.problem(403, "forbidden");
    asked(&team, &grace).await;
    // Tokens and bots have no second step.
    let script = grace.with(Credentials::Bearer(made["token"].as_str().unwrap().to_owned()));
    script.get("/api/rooms").await.expect(200);
    let bot = grace.with(Credentials::Bearer(bot["key"].as_str().unwrap().to_owned()));
    bot.get("/api/rooms").await.expect(200);
}

#[tokio::test]
async fn administrator_removes_the_second_step_of_somebody_who_lost_it() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    let path = format!("/api/users/{}/second_factor", grace.id);
    team.ada.delete(&path).await.problem(409, "conflict");
    turn_on(&team, &grace).await;
    let transfer = grace.post("/api/session/transfer", json!({})).await.expect(201);
    grace.delete(&path).await.problem(403, "forbidden");
    team.ada.delete("/api/users/999/second_factor").await.problem(404, "not_found");
    team.ada.delete(&path).await.expect(204);
    grace.get("/api/rooms").await.problem(401, "not_signed_in");
    let link = format!("/api/session/transfer/{}", transfer["token"].as_str().unwrap());
    team.nobody().post(&link, json!({})).await.problem(404, "not_found");
    password(&team, &grace).await.expect(201);
    assert!(actions(&team).await.contains(&format!("second_factor.reset user {}", grace.id)));
}

#[tokio::test]
async fn second_factor_leaves_the_server_by_no_export_and_no_log() {
    let team = Team::start().await;
    let (key, codes) = turn_on(&team, &team.ada).await;
    let token = asked(&team, &team.ada).await;
    let used = code(&key);
    give(&team, &token, &used).await.expect(201);
    let secret = key.replace(' ', "");
    let export = team.ada.get("/api/export").await.text();
    let people = team.ada.get("/api/users").await.text();
    for text in [export, people, team.server.log()] {
        for hidden in [secret.as_str(), codes[0].as_str(), token.as_str().unwrap()] {
            assert!(!text.contains(hidden), "{hidden} in {text}");
        }
    }
}
