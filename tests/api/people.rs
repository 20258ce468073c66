//! The account and its users.

use futures_util::future::join_all;

use crate::support::*;

#[tokio::test]
async fn account_is_changed_by_administrators_who_alone_see_its_join_code() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    let account = grace.get("/api/account").await.expect(200);
    assert_keys(&account, &["name", "custom_css", "logo_url", "emoji_version", "settings"]);
    assert_eq!(
        account["settings"],
        json!({"restrict_room_creation": false, "retention_days": null, "members_may_invite": false, "members_see_join_link": false, "second_factor": "nobody"})
    );
    let account = team.ada.get("/api/account").await.expect(200);
    let link = format!("/join/{}", account["join_code"].as_str().unwrap());
    assert!(account["join_url"].as_str().unwrap().ends_with(&link), "{account}");
    assert!(account["qr_svg"].as_str().unwrap().starts_with("<svg"));
    grace.patch("/api/account", json!({"name": "Mine now"})).await.problem(403, "forbidden");
    let changed = team
        .ada
        .patch("/api/account", json!({"name": "Kontor Nord", "custom_css": "p { color: red }"}))
        .await;
    assert_eq!(changed.expect(200)["name"], "Kontor Nord");
    let account = grace.get("/api/account").await.expect(200);
    assert_eq!(
        (&account["name"], &account["custom_css"]),
        (&json!("Kontor Nord"), &json!("p { color: red }"))
    );
}

#[tokio::test]
async fn account_settings_change_one_by_one() {
    let team = Team::start().await;
    let change = |settings: Value| team.ada.patch("/api/account", json!({"settings": settings}));
    let settings = |restricted: bool, days: Value| {
        json!({
            "restrict_room_creation": restricted, "retention_days": days,
            "members_may_invite": false, "members_see_join_link": false, "second_factor": "nobody",
        })
    };
    let account = change(json!({"retention_days": 30})).await.expect(200);
    assert_eq!(account["settings"], settings(false, json!(30)));
    let account = change(json!({"restrict_room_creation": true})).await.expect(200);
    assert_eq!(account["settings"], settings(true, json!(30)));
    let account = change(json!({"retention_days": null})).await.expect(200);
    assert_eq!(account["settings"], settings(true, json!(null)));
    for bad in [
        json!({"retention_days": 0}),
        json!({"retention_days": -1}),
        json!({"retention_days": "30"}),
        json!({"restrict_room_creation": "yes"}),
        json!([]),
        json!("x"),
    ] {
        change(bad).await.refused(422);
    }
    team.ada.patch("/api/account", json!({"name": ""})).await.invalid(&["name"]);
    team.ada
        .patch("/api/account", json!({"name": 5, "custom_css": 5}))
        .await
        .invalid(&["name", "custom_css"]);
    assert_eq!(team.ada.get("/api/account").await.expect(200)["name"], "Kontor");
}

#[tokio::test]
async fn users_are_listed_and_found_by_any_word_of_their_name() {
    let team = Team::start().await;
    for (n, name) in
        ["Grace Hopper", "Edsger Dijkstra", "Łukasz Żółć", "100% Bot_Fan"].into_iter().enumerate()
    {
        let form = json!({"name": name, "email": format!("{n}@example.com"), "password": PASSWORD});
        team.nobody().post(&format!("/api/join/{}", team.join_code), form).await.expect(201);
    }
    let names = async |q: &str| -> Vec<String> {
        let found = team.ada.get(&format!("/api/users?q={q}")).await.expect(200);
        found["users"].as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names("").await.len(), 5);
    assert_eq!(names("gra").await, ["Grace Hopper"]);
    assert_eq!(names("HOPP").await, ["Grace Hopper"]);
    assert_eq!(names("%C5%BC%C3%B3").await, ["Łukasz Żółć"], "case folds beyond ASCII");
    assert_eq!(names("zzz").await, [""; 0]);
    assert_eq!(names("%25").await, [""; 0], "no wildcard from outside");
    assert_eq!(names("_").await, [""; 0]);
    names("%27%22%3B--").await;
    team.ada.get("/api/users?q=%ff").await;
    let all = team.ada.get("/api/users").await.expect(200);
    assert!(
        all["users"].as_array().unwrap().iter().all(|it| it["email"].is_string()),
        "an administrator sees addresses"
    );
}

#[tokio::test]
async fn profile_is_changed_by_its_owner_and_administrators() {
    let team = Team::start().await;
    let (grace, linus) = (team.join("Grace").await, team.join("Linus").await);
    let path = format!("/api/users/{}", grace.id);
    let changed =
        grace.patch(&path, json!({"name": "  Rear Admiral  ", "bio": "COBOL & compilers"})).await.expect(200);
    assert_eq!((&changed["name"], &changed["bio"]), (&json!("Rear Admiral"), &json!("COBOL & compilers")));
    assert_eq!(changed["email"], "grace@example.com");
    assert!(linus.get(&path).await.expect(200).get("email").is_none());
    linus.patch(&path, json!({"name": "Oops"})).await.problem(403, "forbidden");
    linus.delete(&path).await.problem(403, "forbidden");
    assert_eq!(team.ada.patch(&path, json!({"name": "Grace H."})).await.expect(200)["name"], "Grace H.");
    assert_eq!(linus.get(&path).await.expect(200)["name"], "Grace H.");
    grace.patch(&path, json!({"name": " "})).await.invalid(&["name"]);
    grace.patch(&path, json!({"name": null, "bio": null})).await;
    grace.patch(&path, json!({"name": 1, "bio": []})).await.invalid(&["name", "bio"]);
    grace.patch(&path, json!({"name": "two\nlines"})).await.invalid(&["name"]);
    grace.patch(&path, json!({"name": "nul\u{0}"})).await.invalid(&["name"]);
    grace.patch(&path, json!({"name": "x".repeat(5000)})).await.invalid(&["name"]);
    grace.patch(&path, json!({"bio": "x".repeat(100_000)})).await.invalid(&["bio"]);
    team.ada.get("/api/users/999999").await.problem(404, "not_found");
    team.ada.patch("/api/users/999999", json!({"name": "X"})).await.problem(404, "not_found");
    team.ada.delete("/api/users/999999").await.problem(404, "not_found");
}

#[tokio::test]
async fn email_and_password_change_with_the_current_password_only() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    let path = format!("/api/users/{}", grace.id);
    for secret in [json!({"password": "a new one, longer"}), json!({"email": "new@example.com"})] {
        let mut wrong = secret.clone();
        wrong["current_password"] = "not mine".into();
        grace.patch(&path, secret).await.invalid(&["current_password"]);
        grace.patch(&path, wrong).await.invalid(&["current_password"]);
    }
    let taken = json!({"email": "ADA@example.com", "current_password": PASSWORD});
    grace.patch(&path, taken).await.problem(409, "conflict");
    grace
        .patch(&path, json!({"password": "short", "current_password": PASSWORD}))
        .await
        .invalid(&["password"]);
    grace.patch(&path, json!({"email": "nowhere", "current_password": PASSWORD})).await.invalid(&["email"]);
    let both =
        json!({"password": "a new one, longer", "email": "new@example.com", "current_password": PASSWORD});
    assert_eq!(grace.patch(&path, both).await.expect(200)["email"], "new@example.com");
    let nobody = team.nobody();
    let sign_in = |email: &str, password: &str| {
        nobody.post("/api/session", json!({"email": email, "password": password}))
    };
    sign_in("grace@example.com", PASSWORD).await.problem(401, "not_signed_in");
    sign_in("new@example.com", PASSWORD).await.problem(401, "not_signed_in");
    sign_in("new@example.com", "a new one, longer").await.expect(201);
}

#[tokio::test]
async fn roles_are_given_by_administrators_and_one_always_remains() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    let (of_ada, of_grace) = (format!("/api/users/{}", team.ada.id), format!("/api/users/{}", grace.id));
    grace.patch(&of_grace, json!({"role": "admin"})).await.problem(403, "forbidden");
    for role in ["owner", "", "ADMIN"] {
        team.ada.patch(&of_grace, json!({"role": role})).await.invalid(&["role"]);
    }
    let lone = team.ada.patch(&of_ada, json!({"role": "member"})).await;
    assert!(matches!(lone.status, 403 | 409 | 422), "{}", lone.text());
    lone.refused(lone.status);
    let lone = team.ada.delete(&of_ada).await;
    assert!(matches!(lone.status, 403 | 409 | 422), "{}", lone.text());
    assert_eq!(team.ada.get("/api/session").await.expect(200)["user"]["role"], "admin");

    assert_eq!(team.ada.patch(&of_grace, json!({"role": "admin"})).await.expect(200)["role"], "admin");
    assert!(grace.get("/api/account").await.expect(200)["join_code"].is_string(), "at once");
    assert_eq!(grace.patch(&of_ada, json!({"role": "member"})).await.expect(200)["role"], "member");
    team.ada.patch("/api/account", json!({"name": "X"})).await.problem(403, "forbidden");
    assert!(team.ada.get("/api/account").await.expect(200).get("join_code").is_none());
}

#[tokio::test]
async fn administrators_who_demote_each_other_at_once_leave_one() {
    for _ in 0..5 {
        let team = Team::start().await;
        let grace = team.join("Grace").await;
        let (of_ada, of_grace) = (format!("/api/users/{}", team.ada.id), format!("/api/users/{}", grace.id));
        team.ada.patch(&of_grace, json!({"role": "admin"})).await.expect(200);
        let replies = join_all([
            team.ada.patch(&of_grace, json!({"role": "member"})),
            grace.patch(&of_ada, json!({"role": "member"})),
        ])
        .await;
        assert_eq!(replies.iter().filter(|it| it.status == 200).count(), 1);
        let users = team.ada.get("/api/users").await.expect(200);
        let admins = users["users"].as_array().unwrap().iter().filter(|it| it["role"] == "admin").count();
        assert_eq!(admins, 1);
    }
}

#[tokio::test]
async fn deactivation_signs_out_everywhere_keeps_messages_and_frees_the_email() {
    let team = Team::start().await;
    let (grace, linus) = (team.join("Grace").await, team.join("Linus").await);
    let phone = grace.sign_in_again().await;
    let room = team.closed_room("Closed", &[&team.ada, &grace]).await;
    let direct = grace.direct_with(&[&linus]).await;
    let said = grace.say(team.room, "Remember me").await;
    team.ada.delete(&format!("/api/users/{}", grace.id)).await.expect(204);
    for device in [&grace, &phone] {
        device.get("/api/session").await.problem(401, "not_signed_in");
        device.bearer().get("/api/rooms").await.problem(401, "not_signed_in");
        let post = device.post("/api/messages", json!({"room_id": team.room, "content": "Still here?"}));
        post.await.problem(401, "not_signed_in");
    }
    let nobody = team.nobody();
    nobody
        .post("/api/session", json!({"email": grace.email, "password": PASSWORD}))
        .await
        .problem(401, "not_signed_in");
    assert_eq!(linus.get(&format!("/api/users/{}", grace.id)).await.expect(200)["status"], "deactivated");
    assert_eq!(
        linus.get(&format!("/api/messages/{}", id(&said))).await.expect(200)["content"],
        "Remember me"
    );
    let members = team.ada.get(&format!("/api/rooms/{room}/members")).await.expect(200);
    assert_eq!(ids(&members["members"]), [team.ada.id]);
    let direct = linus.get(&format!("/api/rooms/{direct}")).await.expect(200);
    assert_eq!(direct["member_ids"], json!([grace.id, linus.id]), "B8: it is not his notes to himself now");
    let again = linus.post("/api/rooms", json!({"kind": "direct", "user_ids": [grace.id]})).await;
    assert_eq!(id(&again.expect(200)), id(&direct), "and is found by its members as before");
    linus.say(id(&direct), "Did you get this?").await;
    // The email is free for a new user, who is in the open rooms only.
    let again = team.join("Grace").await;
    assert_ne!(again.id, grace.id);
    assert_eq!(ids(&again.get("/api/rooms").await.expect(200)["rooms"]), [team.room]);
}

#[tokio::test]
async fn user_may_deactivate_themselves_with_their_password() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    // 33: an unlocked screen is not enough.
    let path = format!("/api/users/{}", grace.id);
    grace.delete(&path).await.invalid(&["current_password"]);
    let with = |password: &str| {
        let body = json!({ "current_password": password });
        let request = grace.request("DELETE", &path).json(body);
        request.send()
    };
    with("a guess that is wrong").await.invalid(&["current_password"]);
    grace.get("/api/session").await.expect(200);
    with(PASSWORD).await.expect(204);
    grace.get("/api/session").await.problem(401, "not_signed_in");
    let gone = team.ada.delete(&format!("/api/users/{}", grace.id)).await;
    assert!(matches!(gone.status, 204 | 404 | 409), "{}", gone.text());
}

#[tokio::test]
async fn current_password_guesses_are_limited_like_signing_in() {
    let team = Team::start().await;
    let path = format!("/api/users/{}", team.ada.id);
    let guess = json!({ "password": "another password", "current_password": "not this one" });
    for _ in 0..10 {
        team.ada.patch(&path, guess.clone()).await.invalid(&["current_password"]);
    }
    team.ada.patch(&path, guess).await.problem(429, "rate_limited");
}
