//! Set-up, signing in and out, sessions, joining.

use std::collections::HashSet;

use futures_util::future::join_all;

use crate::support::http::Credentials;
use crate::support::team::setup_form;
use crate::support::*;

#[tokio::test]
async fn setup_is_needed_on_a_fresh_healthy_server() {
    let server = Server::start();
    let nobody = Client::new(server.address(), Credentials::None);
    let health = nobody.get("/health").await.expect(200);
    assert_eq!(health["status"], "ok");
    assert_eq!(health["version"], env!("CARGO_PKG_VERSION"));
    assert!(health["uptime_s"].as_f64().is_some_and(|it| it >= 0.0), "{health}");
    assert_eq!(nobody.get("/api/setup").await.expect(200), json!({"needed": true}));
    nobody.get("/api/rooms").await.problem(401, "not_signed_in");
    nobody
        .post("/api/session", json!({"email": "a@b.c", "password": PASSWORD}))
        .await
        .problem(401, "not_signed_in");
}

#[tokio::test]
async fn setup_creates_an_account_an_administrator_and_the_first_room() {
    let server = Server::start();
    let nobody = Client::new(server.address(), Credentials::None);
    let reply = nobody.post("/api/setup", setup_form()).await;
    let body = reply.expect(201);
    assert_eq!(body["account"]["name"], "Kontor");
    let user = &body["user"];
    assert_keys(
        user,
        &["id", "name", "bio", "role", "status", "avatar_url", "initials", "color", "created_at", "email"],
    );
    assert_eq!(
        (&user["name"], &user["role"], &user["status"]),
        (&json!("Ada"), &json!("admin"), &json!("active"))
    );
    assert_eq!((&user["email"], &user["avatar_url"]), (&json!("ada@example.com"), &Value::Null));
    let room = &body["room"];
    assert_eq!((&room["name"], &room["kind"]), (&json!("All Talk"), &json!("open")));
    assert_eq!((&room["creator_id"], &room["member_count"]), (&user["id"], &json!(1)));
    assert_time(&room["created_at"]);
    let line = reply.cookie_line();
    let attributes: Vec<String> = line.split(';').skip(1).map(|it| it.trim().to_lowercase()).collect();
    for attribute in ["httponly", "samesite=lax", "path=/"] {
        assert!(attributes.iter().any(|it| it == attribute), "{line}");
    }
    assert!(!attributes.iter().any(|it| it == "secure" || it.starts_with("domain")), "{line}");
    assert!(reply.cookie().len() >= 43, "256 bits");
    let ada = Person::from_reply(&nobody, &reply, "ada@example.com");
    let session = ada.get("/api/session").await.expect(200);
    assert_eq!(session["user"], *user);
    assert_eq!(ids(&session["rooms"]), [id(room)]);
    assert_eq!(ada.bearer().get("/api/session").await.expect(200), session);
    assert_eq!(nobody.get("/api/setup").await.expect(200), json!({"needed": false}));
}

#[tokio::test]
async fn setup_with_account_shows_the_account_and_whether_one_is_signed_in() {
    let server = Server::start();
    let nobody = Client::new(server.address(), Credentials::None);
    let welcome = json!({"needed": true, "signed_in": false, "account": null});
    assert_eq!(nobody.get("/api/setup?with=account").await.expect(200), welcome);
    let team = Team::on(server).await;
    let seen = |signed_in: bool, logo_url: &Value| json!({"needed": false, "signed_in": signed_in, "account": {"name": "Kontor", "logo_url": logo_url}});
    assert_eq!(nobody.get("/api/setup?with=account").await.expect(200), seen(false, &Value::Null));
    assert_eq!(team.ada.get("/api/setup?with=account").await.expect(200), seen(true, &Value::Null));
    let forged = nobody.with(Credentials::Cookie("forged".into()));
    assert_eq!(forged.get("/api/setup?with=account").await.expect(200), seen(false, &Value::Null));
}

#[tokio::test]
async fn setup_happens_once_even_if_twenty_ask_at_once() {
    let server = Server::start();
    let nobody = Client::new(server.address(), Credentials::None);
    let tries = (0..20).map(|n| {
        let form = json!({"account_name": "A", "name": "Ada", "email": format!("ada{n}@example.com"), "password": PASSWORD});
        nobody.post("/api/setup", form)
    });
    let replies = join_all(tries).await;
    assert_eq!(replies.iter().filter(|it| it.status == 201).count(), 1);
    let winner = replies.iter().find(|it| it.status == 201).unwrap();
    for reply in replies.iter().filter(|it| it.status != 201) {
        reply.problem(409, "conflict");
        assert!(!reply.headers.contains_key("set-cookie"));
    }
    let ada = nobody.with(Credentials::Cookie(winner.cookie()));
    assert_eq!(ada.get("/api/users").await.expect(200)["users"].as_array().map(Vec::len), Some(1));
    assert_eq!(ada.get("/api/rooms").await.expect(200)["rooms"].as_array().map(Vec::len), Some(1));
    nobody.post("/api/setup", setup_form()).await.problem(409, "conflict");
}

#[tokio::test]
async fn setup_form_with_faults_is_422_with_all_of_them() {
    let server = Server::start();
    let nobody = Client::new(server.address(), Credentials::None);
    nobody.post("/api/setup", json!({})).await.invalid(&["account_name", "name", "email", "password"]);
    let bad = json!({"account_name": "  ", "name": "", "email": "nobody", "password": "1234567"});
    nobody.post("/api/setup", bad).await.invalid(&["account_name", "name", "email", "password"]);
    let bad = json!({"account_name": 1, "name": [], "email": {}, "password": false});
    nobody.post("/api/setup", bad).await.invalid(&["account_name", "name", "email", "password"]);
    let null = json!({"account_name": null, "name": null, "email": null, "password": null});
    nobody.post("/api/setup", null).await.invalid(&["account_name", "name", "email", "password"]);
    let mut long = setup_form();
    long["name"] = "x".repeat(10_000).into();
    nobody.post("/api/setup", long).await.invalid(&["name"]);
    // Nothing was stored.
    assert_eq!(nobody.get("/api/setup").await.expect(200), json!({"needed": true}));
    nobody.post("/api/setup", setup_form()).await.expect(201);
}

#[tokio::test]
async fn sign_in_ignores_the_case_of_the_email_but_not_of_the_password() {
    let team = Team::start().await;
    let nobody = team.nobody();
    for email in ["ada@example.com", "ADA@example.COM", "  ada@example.com "] {
        let reply = nobody.post("/api/session", json!({"email": email, "password": PASSWORD})).await;
        assert_eq!(reply.expect(201)["user"]["id"], team.ada.id, "{email}");
        let again = nobody.with(Credentials::Cookie(reply.cookie())).get("/api/session").await.expect(200);
        assert_eq!(again["user"]["id"], team.ada.id);
    }
    for password in [&PASSWORD.to_uppercase(), &format!("{PASSWORD} "), "", &"x".repeat(50_000)] {
        let reply =
            nobody.post("/api/session", json!({"email": "ada@example.com", "password": password})).await;
        assert!(matches!(reply.status, 401 | 422), "{}", reply.text());
    }
    nobody.post("/api/session", json!({})).await.invalid(&["email", "password"]);
    nobody.post("/api/session", json!({"email": 1, "password": null})).await.refused(422);
}

#[tokio::test]
async fn session_has_all_that_a_client_needs_to_start() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    let direct = grace.direct_with(&[&team.ada]).await;
    team.closed_room("Not for Grace", &[&team.ada]).await;
    let said = team.ada.say(team.room, "Good morning").await;
    let session = grace.get("/api/session").await.expect(200);
    assert_keys(&session, &["user", "account", "rooms", "users", "seq", "history", "online", "limits"]);
    assert_eq!(session["user"]["email"], "grace@example.com");
    assert!(session["account"].get("join_code").is_none(), "that is for administrators");
    let mut rooms = ids(&session["rooms"]);
    rooms.sort_unstable();
    assert_eq!(rooms, [team.room, direct]);
    assert!(session["rooms"].as_array().unwrap().iter().all(|it| it["membership"].is_object()));
    let people: HashSet<i64> = ids(&session["users"]).into_iter().collect();
    assert_eq!(people, HashSet::from([team.ada.id, grace.id]));
    assert!(
        find(&session["users"], team.ada.id).get("email").is_none(),
        "others' addresses are not hers to see"
    );
    assert!(session["seq"].as_i64() >= said["id"].as_i64());
    assert_eq!(session["online"], json!([]));
}

#[tokio::test]
async fn sign_out_ends_this_session_and_no_other() {
    let team = Team::start().await;
    let phone = team.ada.sign_in_again().await;
    let reply = phone.delete("/api/session").await;
    reply.expect(204);
    let line = reply.cookie_line().to_lowercase();
    assert!(
        line.contains("max-age=0") || line.contains("expires=thu, 01 jan 1970"),
        "it clears the cookie: {line}"
    );
    phone.get("/api/session").await.problem(401, "not_signed_in");
    phone.bearer().get("/api/session").await.problem(401, "not_signed_in");
    team.ada.get("/api/session").await.expect(200);
}

#[tokio::test]
async fn sessions_are_listed_and_can_be_ended_one_by_one() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    let nobody = team.nobody();
    let form = json!({"email": team.ada.email, "password": PASSWORD});
    let reply =
        nobody.request("POST", "/api/session").header("user-agent", "Phone/1.0").json(form).send().await;
    let phone = Person::from_reply(&nobody, &reply, &team.ada.email);
    let sessions = team.ada.get("/api/sessions").await.expect(200)["sessions"].clone();
    let sessions = sessions.as_array().unwrap();
    assert_eq!(sessions.len(), 2);
    for session in sessions {
        assert_keys(session, &["id", "user_agent", "ip_address", "created_at", "last_active_at", "current"]);
        assert_time(&session["created_at"]);
        assert_time(&session["last_active_at"]);
        assert_eq!(session["ip_address"], "127.0.0.1");
    }
    let others: Vec<&Value> = sessions.iter().filter(|it| it["current"] == false).collect();
    assert_eq!(others.len(), 1, "one of the two is this one");
    assert_eq!(others[0]["user_agent"], "Phone/1.0");
    let of_phone = id(others[0]);
    // Another user's session is not found.
    grace.delete(&format!("/api/sessions/{of_phone}")).await.problem(404, "not_found");
    phone.get("/api/session").await.expect(200);
    team.ada.delete(&format!("/api/sessions/{of_phone}")).await.expect(204);
    phone.get("/api/session").await.problem(401, "not_signed_in");
    team.ada.delete(&format!("/api/sessions/{of_phone}")).await.problem(404, "not_found");
    assert_eq!(team.ada.get("/api/sessions").await.expect(200)["sessions"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn sessions_survive_a_restart_and_no_secret_is_stored_in_the_clear() {
    let mut team = Team::start().await;
    let grace = team.join("Grace").await;
    assert!(team.server.terminate().success());
    for entry in std::fs::read_dir(team.server.data()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap_or_default();
        for secret in [&grace.token, PASSWORD] {
            assert!(!bytes.windows(secret.len()).any(|it| it == secret.as_bytes()), "a secret in the clear");
        }
    }
    team.server.restart();
    assert_eq!(grace.get("/api/session").await.expect(200)["user"]["id"], grace.id);
    assert_eq!(team.ada.get("/api/session").await.expect(200)["user"]["id"], team.ada.id);
}

#[tokio::test]
async fn invitation_tells_whether_it_works_and_wrong_ones_count_as_guesses() {
    let team = Team::start().await;
    let nobody = team.nobody();
    let found = nobody.get(&format!("/api/join/{}", team.join_code)).await;
    assert_eq!(found.header("cache-control"), Some("no-store"));
    let account = team.ada.get("/api/account").await.expect(200);
    assert_eq!(found.expect(200), json!({ "account": { "name": account["name"], "logo_url": null } }));
    nobody.get("/api/join/aaaa-bbbb-cccc").await.problem(404, "not_found");
    let mut last = 404;
    for number in 0..200 {
        last = nobody.get(&format!("/api/join/aaaa-bbbb-{number:04}")).await.status;
        if last == 429 {
            break;
        }
    }
    assert_eq!(last, 429, "guessing is not free");
}

#[tokio::test]
async fn join_adds_the_user_to_every_open_room() {
    let team = Team::start().await;
    let open = team.ada.post("/api/rooms", json!({"name": "Open too", "kind": "open"})).await.expect(201);
    team.closed_room("Closed", &[&team.ada]).await;
    let nobody = team.nobody();
    let form = json!({"name": "Grace Hopper", "email": "Grace@Example.com", "password": PASSWORD});
    let reply = nobody.post(&format!("/api/join/{}", team.join_code), form.clone()).await;
    let body = reply.expect(201);
    assert_eq!((&body["user"]["name"], &body["user"]["role"]), (&json!("Grace Hopper"), &json!("member")));
    let grace = Person::from_reply(&nobody, &reply, "grace@example.com");
    let mut rooms = ids(&grace.get("/api/rooms").await.expect(200)["rooms"]);
    rooms.sort_unstable();
    assert_eq!(rooms, [team.room, id(&open)]);
    grace.say(id(&open), "Here I am").await;

    let mut taken = form.clone();
    taken["email"] = "gRACE@eXAMPLE.cOM".into();
    nobody.post(&format!("/api/join/{}", team.join_code), taken).await.problem(409, "conflict");
    for code in ["abcd-efgh-ijkl", "x", "%00", "..%2f..", &team.join_code.replace('-', "")[..11]] {
        nobody.post(&format!("/api/join/{code}"), form.clone()).await.problem(404, "not_found");
    }
    let faults = json!({"name": " ", "email": "x", "password": "short"});
    nobody
        .post(&format!("/api/join/{}", team.join_code), faults)
        .await
        .invalid(&["name", "email", "password"]);
}

#[tokio::test]
async fn join_with_one_email_twenty_times_at_once_creates_one_user() {
    let team = Team::start().await;
    let nobody = team.nobody();
    let path = format!("/api/join/{}", team.join_code);
    let tries = (0..20).map(|n| {
        nobody.post(
            &path,
            json!({"name": format!("Grace {n}"), "email": "grace@example.com", "password": PASSWORD}),
        )
    });
    let replies = join_all(tries).await;
    assert_eq!(replies.iter().filter(|it| it.status == 201).count(), 1);
    replies.iter().filter(|it| it.status != 201).for_each(|it| drop(it.problem(409, "conflict")));
    assert_eq!(team.ada.get("/api/users").await.expect(200)["users"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn join_code_renewal_invalidates_the_old_code() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    grace.post("/api/account/join_code", json!({})).await.problem(403, "forbidden");
    let renewed = team.ada.post("/api/account/join_code", json!({})).await.expect(201);
    assert_keys(&renewed, &["join_code", "url", "qr_svg"]);
    let code = renewed["join_code"].as_str().unwrap();
    assert_ne!(code, team.join_code);
    let shape: Vec<usize> =
        code.split('-').map(|it| it.chars().filter(char::is_ascii_alphanumeric).count()).collect();
    assert_eq!((shape, code.len()), (vec![4, 4, 4], 14), "{code}");
    assert!(renewed["url"].as_str().unwrap().ends_with(&format!("/join/{code}")), "{renewed}");
    assert!(renewed["qr_svg"].as_str().unwrap().starts_with("<svg"), "{renewed}");
    let nobody = team.nobody();
    let form = json!({"name": "Linus", "email": "linus@example.com", "password": PASSWORD});
    nobody.post(&format!("/api/join/{}", team.join_code), form.clone()).await.problem(404, "not_found");
    nobody.post(&format!("/api/join/{code}"), form).await.expect(201);
    assert_eq!(team.ada.get("/api/account").await.expect(200)["join_code"], code);
}
