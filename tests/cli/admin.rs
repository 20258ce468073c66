//! `campfire admin`, beside a running server and without one.

use super::start::{run, text};
use crate::support::http::Credentials;
use crate::support::*;

fn create(data: &str, name: &str, email: &str, password: &str) -> std::process::Output {
    run(
        &["admin", "create", "--data", data, "--name", name, "--email", email, "--password-stdin"],
        &[],
        &format!("{password}\n"),
    )
}

#[tokio::test]
async fn admin_create_works_beside_a_running_server() {
    let team = Team::start().await;
    let data = team.server.data().to_str().unwrap().to_owned();
    let made = create(&data, "Root", "root@example.com", "kindling and sparks");
    assert!(made.status.success(), "{}", text(&made.stderr));
    let nobody = team.nobody();
    let sign_in = json!({"email": "root@example.com", "password": "kindling and sparks"});
    let reply = nobody.post("/api/session", sign_in).await;
    assert_eq!(reply.expect(201)["user"]["role"], "admin");
    let root = Person::from_reply(&nobody, &reply, "root@example.com");
    assert_eq!(ids(&root.get("/api/rooms").await.expect(200)["rooms"]), [team.room], "in every open room");
    root.say(team.room, "Hello from the host").await;
    team.ada.get(&format!("/api/users/{}", root.id)).await.expect(200);
}

/// B17.
#[tokio::test]
async fn newer_binary_does_not_migrate_under_a_running_server() {
    let team = Team::start().await;
    let data = team.server.data().to_str().unwrap().to_owned();
    // As an older server has it.
    let db = rusqlite::Connection::open(team.server.database()).unwrap();
    db.pragma_update(None, "user_version", 4).unwrap();
    for command in [&["admin", "list", "--data", &data][..], &["export", "--data", &data]] {
        let refused = run(command, &[], "");
        let said = text(&refused.stderr);
        assert_eq!(refused.status.code(), Some(1), "{said}");
        assert!(said.contains("the running server is an older campfire than this one"), "{said}");
        assert_eq!(said.trim().lines().count(), 1, "{said}");
    }
    let made = create(&data, "Root", "root@example.com", "kindling and sparks");
    assert!(text(&made.stderr).contains("is an older campfire"), "{}", text(&made.stderr));
    let version: i64 = db.query_row("PRAGMA user_version", (), |row| row.get(0)).unwrap();
    assert_eq!(version, 4);
    team.ada.say(team.room, "The server goes on").await;
}

#[tokio::test]
async fn admin_create_before_the_first_start_replaces_setup() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let made = create(data.to_str().unwrap(), "Root", "root@example.com", "kindling and sparks");
    assert!(made.status.success(), "{}", text(&made.stderr));
    let server = Server::on(&data, &[]);
    let nobody = Client::new(server.address(), Credentials::None);
    assert_eq!(nobody.get("/api/setup").await.expect(200), json!({"needed": false}));
    let sign_in = json!({"email": "root@example.com", "password": "kindling and sparks"});
    let reply = nobody.post("/api/session", sign_in).await;
    reply.expect(201);
    let root = Person::from_reply(&nobody, &reply, "root@example.com");
    let rooms = root.get("/api/rooms").await.expect(200);
    assert_eq!(rooms["rooms"][0]["name"], "All Talk");
    assert!(root.get("/api/account").await.expect(200)["join_code"].is_string());
    nobody.post("/api/setup", crate::support::team::setup_form()).await.problem(409, "conflict");
}

#[tokio::test]
async fn admin_create_refuses_bad_input_with_one_sentence() {
    let team = Team::start().await;
    let data = team.server.data().to_str().unwrap().to_owned();
    for (name, email, password) in [
        ("Root", "ADA@example.com", PASSWORD),
        ("Root", "nobody", PASSWORD),
        ("", "root@example.com", PASSWORD),
        ("Root", "root@example.com", "short"),
        ("Root", "root@example.com", ""),
    ] {
        let output = create(&data, name, email, password);
        let said = text(&output.stderr);
        assert!(matches!(output.status.code(), Some(1 | 2)), "{name} {email}: {said}");
        assert_eq!(said.trim().lines().count(), 1, "{said}");
    }
    assert_eq!(team.ada.get("/api/users").await.expect(200)["users"].as_array().map(Vec::len), Some(1));
    let missing = run(&["admin", "create", "--data", &data, "--name", "Root"], &[], "");
    assert_eq!(missing.status.code(), Some(2), "{}", text(&missing.stderr));
}

#[tokio::test]
async fn admin_list_shows_users_with_their_roles() {
    let team = Team::start().await;
    team.join("Grace").await;
    let list = run(&["admin", "list", "--data", team.server.data().to_str().unwrap()], &[], "");
    assert!(list.status.success(), "{}", text(&list.stderr));
    let said = text(&list.stdout);
    let line_of =
        |email: &str| said.lines().find(|line| line.contains(email)).unwrap_or_else(|| panic!("{said}"));
    assert!(
        line_of("ada@example.com").contains("admin") && line_of("ada@example.com").contains("Ada"),
        "{said}"
    );
    assert!(line_of("grace@example.com").contains("member"), "{said}");
}

#[tokio::test]
async fn admin_reset_password_prints_a_link_that_works_once() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    let data = team.server.data().to_str().unwrap().to_owned();
    let output = run(&["admin", "reset-password", "GRACE@example.com", "--data", &data], &[], "");
    assert!(output.status.success(), "{}", text(&output.stderr));
    let said = text(&output.stdout);
    let token =
        said.split("/reset/").nth(1).expect("a link").split_whitespace().next().expect("a token").to_owned();
    assert!(token.len() >= 43, "{token}");
    let nobody = team.nobody();
    let reset = |token: &str, password: &str| {
        let (nobody, path) = (nobody.clone(), format!("/api/session/reset/{token}"));
        let body = json!({"password": password});
        async move { nobody.post(&path, body).await }
    };
    reset(&token, "short").await.invalid(&["password"]);
    reset("nonsense", "a brand new password").await.problem(404, "not_found");
    let reply = reset(&token, "a brand new password").await;
    assert_eq!(reply.expect(201)["user"]["id"], grace.id);
    let back = Person::from_reply(&nobody, &reply, &grace.email);
    back.get("/api/session").await.expect(200);
    grace.get("/api/session").await.problem(401, "not_signed_in");
    reset(&token, "and another password").await.problem(404, "not_found");
    let sign_in =
        |password: &str| nobody.post("/api/session", json!({"email": grace.email, "password": password}));
    sign_in(PASSWORD).await.problem(401, "not_signed_in");
    sign_in("a brand new password").await.expect(201);
    let unknown = run(&["admin", "reset-password", "who@example.com", "--data", &data], &[], "");
    assert_eq!(unknown.status.code(), Some(1), "{}", text(&unknown.stderr));
    assert_eq!(text(&unknown.stderr).trim().lines().count(), 1, "{}", text(&unknown.stderr));
}

#[tokio::test]
async fn admin_create_beside_a_server_without_setup_sets_it_up() {
    let server = Server::start();
    let made = create(server.data().to_str().unwrap(), "Root", "root@example.com", "kindling and sparks");
    assert!(made.status.success(), "{}", text(&made.stderr));
    let nobody = Client::new(server.address(), Credentials::None);
    within("the server to notice", async {
        while nobody.get("/api/setup").await.expect(200)["needed"] == true {
            tokio::task::yield_now().await;
        }
    })
    .await;
    nobody.post("/api/setup", crate::support::team::setup_form()).await.problem(409, "conflict");
    let sign_in = json!({"email": "root@example.com", "password": "kindling and sparks"});
    assert_eq!(nobody.post("/api/session", sign_in).await.expect(201)["user"]["role"], "admin");
}

#[tokio::test]
async fn reset_link_is_invalid_after_a_password_change() {
    let team = Team::start().await;
    let data = team.server.data().to_str().unwrap().to_owned();
    let output = run(&["admin", "reset-password", &team.ada.email, "--data", &data], &[], "");
    let said = String::from_utf8(output.stdout).unwrap();
    let token =
        said.split("/reset/").nth(1).expect("a link").split_whitespace().next().expect("a token").to_owned();
    let change = json!({ "password": "a brand new password", "current_password": PASSWORD });
    team.ada.patch(&format!("/api/users/{}", team.ada.id), change).await.expect(200);
    let late = json!({ "password": "and another password" });
    team.nobody().post(&format!("/api/session/reset/{token}"), late).await.problem(404, "not_found");
}

#[tokio::test]
async fn admin_invite_prints_a_link_for_somebody_imported_by_id_name_or_email() {
    let mut team = Team::start().await;
    team.server.terminate();
    let db = rusqlite::Connection::open(team.server.database()).unwrap();
    let add = "insert into users (name, email, role, created_at) values (?, ?, 'member', 1500000000000)";
    for (name, email) in [("Zoë Ñandú", Some("zoe@old.example")), ("Sam", None), ("sam", None)] {
        db.execute(add, (name, email)).unwrap();
    }
    let last = db.last_insert_rowid();
    drop(db);
    team.server.restart();
    let data = team.server.data().to_str().unwrap().to_owned();
    let invite = |who: &str| run(&["admin", "invite", who, "--data", &data], &[], "");
    for who in ["zoë ñandú", "ZOE@old.example", &last.to_string()] {
        let output = invite(who);
        assert!(output.status.success(), "{who}: {}", text(&output.stderr));
        let said = text(&output.stdout);
        let token = said.trim().split("/invite/").nth(1).expect("a link").to_owned();
        let path = format!("/api/invitations/{token}");
        let invited = team.nobody().get(&path).await.expect(200);
        assert!(["Zoë Ñandú", "sam"].contains(&invited["name"].as_str().unwrap()), "{invited}");
    }
    let audit = team.ada.get("/api/audit").await.expect(200);
    assert_eq!(audit["entries"][0]["action"], "user.invite");
    super::start::refused(&invite("Sam"), 1, &["several", &(last - 1).to_string(), &last.to_string()]);
    super::start::refused(&invite("Nobody"), 1, &["nobody called", "campfire admin list"]);
    super::start::refused(&invite("Ada"), 1, &["has a password"]);
    super::start::refused(&run(&["admin", "invite", "--data", &data], &[], ""), 2, &["NAME|ID"]);
    let made = create(&data, "Zoë", "zoe@old.example", "kindling and sparks");
    super::start::refused(&made, 1, &["campfire admin invite"]);
}

#[tokio::test]
async fn admin_reset_second_factor_lets_somebody_in_who_lost_it() {
    use crate::support::totp::{code, key_of};
    let team = Team::start().await;
    let data = team.server.data().to_str().unwrap().to_owned();
    let reset = |who: &str| run(&["admin", "reset-second-factor", who, "--data", &data], &[], "");
    let none = reset("ADA@example.com");
    assert_eq!(none.status.code(), Some(1));
    assert!(text(&none.stderr).contains("no second step"), "{}", text(&none.stderr));
    let begun = team.ada.post("/api/second_factor", json!({"current_password": PASSWORD})).await.expect(201);
    let body = json!({"token": begun["token"], "code": code(&key_of(&begun))});
    team.ada.put("/api/second_factor", body).await.expect(200);
    let nobody = team.nobody();
    let password = json!({"email": "ada@example.com", "password": PASSWORD});
    nobody.post("/api/session", password.clone()).await.expect(202);
    let done = reset("ADA@example.com");
    assert!(done.status.success(), "{}", text(&done.stderr));
    within("the server sees it", async {
        while team.ada.get("/api/rooms").await.status != 401 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let reply = nobody.post("/api/session", password).await;
    let ada = Person::from_reply(&nobody, &reply, "ada@example.com");
    let entries = ada.get("/api/audit").await.expect(200);
    let actions = entries["entries"].to_string();
    assert!(actions.contains("second_factor.reset") && actions.contains("on the host"), "{actions}");
    for (arguments, status) in
        [(vec!["admin", "reset-second-factor"], 2), (vec!["admin", "reset-second-factor", "x@y.z", "z"], 2)]
    {
        let wrong = run(&arguments, &[], "");
        assert_eq!(wrong.status.code(), Some(status), "{}", text(&wrong.stderr));
    }
    assert!(text(&reset("nobody@example.com").stderr).contains("there is nobody"));
}
