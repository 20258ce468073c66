//! What administrators see of sign-ins: who signs in how, who failed to, everybody's sessions, and links for who lost a password.

use rusqlite::Connection;

use crate::support::{http::Credentials, *};

async fn row(team: &Team, user: i64) -> Value {
    let people = team.ada.get("/api/sign_ins").await.expect(200);
    let rows = people["people"].as_array().unwrap();
    rows.iter().find(|it| it["user_id"] == user).unwrap_or_else(|| panic!("no {user} in {people}")).clone()
}

#[tokio::test]
async fn administrators_see_how_everybody_signs_in_and_when_they_were_last_seen() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    let vera = team.come(&team.invitation(json!({})).await, "Vera").await;
    team.ada.post("/api/bots", json!({"name": "Builder"})).await.expect(201);
    let ada = row(&team, team.ada.id).await;
    assert_keys(
        &ada,
        &["user_id", "has_password", "has_second_factor", "last_seen_at", "method", "devices", "tokens"],
    );
    assert_time(&ada["last_seen_at"]);
    assert_eq!((&ada["method"], &ada["devices"], &ada["tokens"]), (&json!("setup"), &json!(1), &json!(0)));
    assert_eq!(row(&team, grace.id).await["method"], "join");
    assert_eq!(row(&team, vera.id).await["method"], "invitation");
    assert_eq!(
        team.ada.get("/api/sign_ins").await.expect(200)["people"].as_array().unwrap().len(),
        3,
        "no bots"
    );
    let desk = grace.sign_in_again().await;
    let link = grace.post("/api/session/transfer", json!({})).await.expect(201);
    let path = format!("/api/session/transfer/{}", link["token"].as_str().unwrap());
    team.nobody().post(&path, json!({})).await.expect(201);
    grace.post("/api/tokens", json!({"name": "script"})).await.expect(201);
    let sessions = team.ada.get(&format!("/api/users/{}/sessions", grace.id)).await.expect(200);
    let sessions = sessions["sessions"].as_array().unwrap();
    assert_keys(
        &sessions[0],
        &[
            "id",
            "kind",
            "scope",
            "name",
            "user_agent",
            "ip_address",
            "method",
            "created_at",
            "last_active_at",
        ],
    );
    let mut ways: Vec<String> =
        sessions.iter().map(|it| format!("{} {}", it["kind"], it["method"])).collect();
    ways.sort_unstable();
    assert_eq!(
        ways,
        ["\"device\" \"join\"", "\"device\" \"password\"", "\"device\" \"transfer\"", "\"token\" null"]
    );
    let counted = row(&team, grace.id).await;
    assert_eq!((&counted["devices"], &counted["tokens"]), (&json!(3), &json!(1)));
    // It is known also after they have signed out everywhere.
    desk.delete("/api/sessions").await.expect(204);
    desk.delete("/api/session").await.expect(204);
    let gone = row(&team, grace.id).await;
    assert_eq!((&gone["devices"], &gone["method"]), (&json!(0), &json!(null)));
    assert_time(&gone["last_seen_at"]);
    for path in ["/api/sign_ins", "/api/sign_ins/failed", &format!("/api/users/{}/sessions", team.ada.id)] {
        vera.get(path).await.problem(403, "forbidden");
        team.nobody().get(path).await.problem(401, "not_signed_in");
    }
}

#[tokio::test]
async fn administrator_ends_sessions_and_tokens_of_others() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    let phone = grace.sign_in_again().await;
    let made = grace.post("/api/tokens", json!({"name": "script"})).await.expect(201);
    let script = grace.with(Credentials::Bearer(made["token"].as_str().unwrap().to_owned()));
    let path = format!("/api/users/{}/sessions", grace.id);
    let mut socket = phone.socket().await;
    let listed = phone.get("/api/sessions").await.expect(200);
    let mine = listed["sessions"].as_array().unwrap().iter().find(|it| it["current"] == true).unwrap();
    phone.delete(&format!("{path}/{}", id(mine))).await.problem(403, "forbidden");
    team.ada.delete(&format!("{path}/{}", id(mine))).await.expect(204);
    assert_eq!(socket.closed().await, Some(4001));
    phone.get("/api/session").await.problem(401, "not_signed_in");
    grace.get("/api/session").await.expect(200);
    team.ada.delete(&format!("{path}/{}", id(mine))).await.problem(404, "not_found");
    team.ada.delete(&format!("{path}/{}", id(&made))).await.expect(204);
    script.get("/api/session").await.problem(401, "not_signed_in");
    // One of somebody else is none of theirs.
    let of_ada = team.ada.get("/api/sessions").await.expect(200);
    team.ada.delete(&format!("{path}/{}", id(&of_ada["sessions"][0]))).await.problem(404, "not_found");
    team.ada.delete("/api/users/999999/sessions").await.problem(404, "not_found");
    let again = grace.post("/api/tokens", json!({"name": "script"})).await.expect(201);
    let script = grace.with(Credentials::Bearer(again["token"].as_str().unwrap().to_owned()));
    let link = grace.post("/api/session/transfer", json!({})).await.expect(201);
    grace.delete(&path).await.problem(403, "forbidden");
    team.ada.delete(&path).await.expect(204);
    for who in [&grace.client, &script] {
        who.get("/api/session").await.problem(401, "not_signed_in");
    }
    let link = format!("/api/session/transfer/{}", link["token"].as_str().unwrap());
    team.nobody().post(&link, json!({})).await.problem(404, "not_found");
    grace.sign_in_again().await;
    let bot = team.ada.post("/api/bots", json!({"name": "Builder"})).await.expect(201);
    team.ada.delete(&format!("/api/users/{}/sessions", id(&bot))).await.problem(409, "conflict");
    let audit = team.ada.get("/api/audit").await.expect(200);
    let acts: Vec<&str> =
        audit["entries"].as_array().unwrap().iter().map(|it| it["action"].as_str().unwrap()).collect();
    for action in ["user.end_session", "user.end_sessions"] {
        assert!(acts.contains(&action), "{acts:?}");
    }
}

#[tokio::test]
async fn failed_sign_ins_are_counted_by_account_and_network_without_what_was_typed() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    let attempt = async |email: &str, password: &str| {
        let form = json!({"email": email, "password": password});
        team.nobody().post("/api/session", form).await.problem(401, "not_signed_in");
    };
    attempt("GRACE@example.com", "not it").await;
    attempt("grace@example.com", "nor this").await;
    attempt("typed-my-passphrase", "x").await;
    attempt("nobody@example.com", "x").await;
    let wrong = json!({"password": "another long one", "current_password": "guess"});
    grace.patch(&format!("/api/users/{}", grace.id), wrong).await.invalid(&["current_password"]);
    let failed = within("the attempts to be counted", async {
        loop {
            let failed = team.ada.get("/api/sign_ins/failed").await.expect(200);
            let attempts =
                failed["failed"].as_array().unwrap().iter().map(|it| it["attempts"].as_i64().unwrap());
            if attempts.sum::<i64>() == 5 {
                return failed;
            }
        }
    })
    .await;
    let rows = failed["failed"].as_array().unwrap();
    assert_eq!((rows.len(), &failed["has_before"]), (2, &json!(false)));
    assert_keys(&rows[0], &["id", "user_id", "network", "method", "attempts", "last_at"]);
    assert_eq!((&rows[0]["user_id"], &rows[0]["attempts"]), (&json!(null), &json!(2)));
    assert_eq!((&rows[1]["user_id"], &rows[1]["attempts"]), (&json!(grace.id), &json!(3)));
    assert_eq!((&rows[1]["network"], &rows[1]["method"]), (&json!("127.0.0.1"), &json!("password")));
    let stored = std::fs::read(team.server.database().with_extension("db-wal")).unwrap_or_default();
    assert!(
        !stored.windows(19).any(|window| window == b"typed-my-passphrase"),
        "what was typed is not stored"
    );
    let page = team.ada.get("/api/sign_ins/failed?limit=1").await.expect(200);
    assert_eq!(page["has_before"], true);
    let rest = format!("/api/sign_ins/failed?before={}", rows[0]["id"]);
    assert_eq!(ids(&team.ada.get(&rest).await.expect(200)["failed"]), [id(&rows[1])]);
    // Ten thousand lines are kept.
    let db = Connection::open(team.server.database()).unwrap();
    db.execute(
        "update sqlite_sequence set seq = ? where name = 'failed_sign_ins'",
        (10_000 + id(&rows[1]) - 1,),
    )
    .unwrap();
    db.execute("update failed_sign_ins set network = '192.0.2.1' where user_id = 0", ()).unwrap();
    attempt("nobody@example.com", "x").await;
    within("the oldest to go", async {
        loop {
            let kept = ids(&team.ada.get("/api/sign_ins/failed").await.expect(200)["failed"]);
            if kept == [10_000 + id(&rows[1]), id(&rows[0])] {
                return;
            }
        }
    })
    .await;
    // After a month they are gone.
    db.execute("update failed_sign_ins set day = day - 31", ()).unwrap();
    attempt("grace@example.com", "once more").await;
    within("the old ones to go", async {
        while ids(&team.ada.get("/api/sign_ins/failed").await.expect(200)["failed"]).len() != 1 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn administrator_makes_a_link_for_somebody_who_lost_the_password() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    let path = format!("/api/users/{}/sign_in_link", grace.id);
    grace.post(&path, json!({})).await.problem(403, "forbidden");
    let made = team.ada.post(&path, json!({})).await.expect(201);
    assert_keys(&made, &["url", "token", "qr_svg", "expires_at"]);
    let token = made["token"].as_str().unwrap();
    assert_eq!(made["url"], format!("{}/reset/{token}", team.ada.origin()));
    let expires: jiff::Timestamp = made["expires_at"].as_str().unwrap().parse().unwrap();
    let minutes = expires.duration_since(jiff::Timestamp::now()).as_secs_f64() / 60.0;
    assert!((59.0..=60.0).contains(&minutes), "an hour, not {minutes} minutes");
    let reset = |token: &str| {
        let (nobody, path) = (team.nobody(), format!("/api/session/reset/{token}"));
        async move { nobody.post(&path, json!({"password": "something to remember"})).await }
    };
    // A newer one takes its place, and works once.
    let newer = team.ada.post(&path, json!({})).await.expect(201);
    let newer = newer["token"].as_str().unwrap();
    reset(token).await.problem(404, "not_found");
    let back = Person::from_reply(&team.nobody(), &reset(newer).await, &grace.email);
    assert_eq!((back.id, row(&team, grace.id).await["method"].clone()), (grace.id, json!("reset")));
    reset(newer).await.problem(404, "not_found");
    let sign_in = json!({"email": grace.email, "password": "something to remember"});
    team.nobody().post("/api/session", sign_in).await.expect(201);
    let audit = team.ada.get("/api/audit").await.expect(200);
    let line =
        audit["entries"].as_array().unwrap().iter().find(|it| it["action"] == "user.sign_in_link").unwrap();
    assert_eq!(line["subject"], format!("user {}", grace.id));
    assert!(!audit.to_string().contains(newer), "the link is a secret");
    // No token makes one.
    let script = team.ada.post("/api/tokens", json!({"name": "script", "scope": "admin"})).await.expect(201);
    let script = team.ada.with(Credentials::Bearer(script["token"].as_str().unwrap().to_owned()));
    script.post(&path, json!({})).await.problem(403, "forbidden");
    // After an hour it is over.
    let late = team.ada.post(&path, json!({})).await.expect(201);
    let db = Connection::open(team.server.database()).unwrap();
    db.execute("update one_time_tokens set expires_at = expires_at - 3600 * 1000", ()).unwrap();
    reset(late["token"].as_str().unwrap()).await.problem(404, "not_found");
    // Not for those who may not sign in, and a ban ends one that was made.
    let open = team.ada.post(&path, json!({})).await.expect(201);
    team.ada.post(&format!("/api/users/{}/ban", grace.id), json!({})).await.expect(204);
    reset(open["token"].as_str().unwrap()).await.problem(404, "not_found");
    team.ada.post(&path, json!({})).await.problem(409, "conflict");
    team.ada.delete(&format!("/api/users/{}/ban", grace.id)).await.expect(204);
    team.ada.delete(&format!("/api/users/{}", grace.id)).await.expect(204);
    team.ada.post(&path, json!({})).await.problem(409, "conflict");
    let bot = team.ada.post("/api/bots", json!({"name": "Builder"})).await.expect(201);
    team.ada.post(&format!("/api/users/{}/sign_in_link", id(&bot)), json!({})).await.problem(409, "conflict");
    team.ada.post("/api/users/999999/sign_in_link", json!({})).await.problem(404, "not_found");
}
