//! Accounts of people who were imported: only an invitation by an administrator lets somebody take one over.

use rusqlite::Connection;

use crate::support::{http::Credentials, *};

/// A team with people who came from another chat.
struct Moved {
    team: Team,
    /// Active, with an e-mail address and no password.
    imre: i64,
    /// Active, with neither.
    lucia: i64,
    /// Deactivated there.
    left: i64,
}

async fn moved() -> Moved {
    let mut team = Team::start().await;
    team.server.terminate();
    let db = Connection::open(team.server.database()).unwrap();
    let mut ids = Vec::new();
    for (name, email, status) in [
        ("Imre Kovács", Some("imre@old.example"), "active"),
        ("Lucía", None, "active"),
        ("Somebody who left", None, "deactivated"),
    ] {
        db.execute(
            "insert into users (name, email, role, status, created_at) values (?, ?, 'member', ?, 1500000000000)",
            (name, email, status),
        )
        .unwrap();
        let id = db.last_insert_rowid();
        db.execute(
            "insert into import_origins (source, kind, key, id) values ('slack', 'person', ?, ?)",
            (name, id),
        )
        .unwrap();
        if status == "active" {
            db.execute(
                "insert into memberships (room_id, user_id, involvement) values (?, ?, 'mentions')",
                (team.room, id),
            )
            .unwrap();
        }
        ids.push(id);
    }
    drop(db);
    team.server.restart();
    Moved { team, imre: ids[0], lucia: ids[1], left: ids[2] }
}

impl Moved {
    async fn user(&self, id: i64) -> Value {
        self.team.ada.get(&format!("/api/users/{id}")).await.expect(200)
    }

    /// The token of a new invitation.
    async fn invite(&self, id: i64) -> String {
        let made = self.team.ada.post(&format!("/api/users/{id}/invitation"), json!({})).await.expect(201);
        made["token"].as_str().unwrap().to_owned()
    }

    async fn claim(&self, token: &str, email: &str) -> Reply {
        let form = json!({"email": email, "password": PASSWORD});
        self.team.nobody().post(&format!("/api/session/invitation/{token}"), form).await
    }

    /// Asserts that an invitation does not work.
    async fn assert_dead(&self, token: &str) {
        let nobody = self.team.nobody();
        nobody.get(&format!("/api/session/invitation/{token}")).await.problem(404, "not_found");
        self.claim(token, "late@example.com").await.problem(404, "not_found");
    }
}

#[tokio::test]
async fn invitation_gives_an_imported_account_to_whoever_opens_it_once() {
    let moved = moved().await;
    let (team, imre) = (&moved.team, moved.imre);
    assert_eq!(moved.user(imre).await["is_unclaimed"], true);
    let made = team.ada.post(&format!("/api/users/{imre}/invitation"), json!({})).await.expect(201);
    assert_keys(&made, &["url", "token", "qr_svg", "expires_at"]);
    let token = made["token"].as_str().unwrap();
    assert_eq!(made["url"], format!("{}/invite/{token}", team.ada.origin()));
    let expires: jiff::Timestamp = made["expires_at"].as_str().unwrap().parse().unwrap();
    let hours = expires.duration_since(jiff::Timestamp::now()).as_secs_f64() / 3600.0;
    assert!((167.9..=168.0).contains(&hours), "seven days, not {hours} hours");
    let page = team.nobody().get(&format!("/invite/{token}")).await;
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    let invited = team.nobody().get(&format!("/api/session/invitation/{token}")).await;
    assert_eq!(invited.expect(200), json!({"name": "Imre Kovács", "email": "imre@old.example"}));
    assert_eq!(invited.header("cache-control"), Some("no-store"));
    let mut socket = team.ada.socket().await;
    let claimed = moved.claim(token, " Imre@New.example ").await;
    assert_eq!(claimed.expect(201)["user"]["email"], "Imre@New.example");
    let imre = Person::from_reply(&team.nobody(), &claimed, "Imre@New.example");
    assert_eq!(imre.id, moved.imre, "the account that was moved");
    let event = socket.expect("user.updated").await;
    assert_eq!((&event["user"]["id"], event["user"].get("is_unclaimed")), (&json!(imre.id), None));
    imre.say(team.room, "I am back").await;
    imre.sign_in_again().await;
    assert_eq!(moved.user(imre.id).await.get("is_unclaimed"), None);
    moved.assert_dead(token).await;
    let audit = team.ada.get("/api/audit").await.expect(200);
    let line = audit["entries"].as_array().unwrap().iter().find(|it| it["action"] == "user.invite").unwrap();
    assert_eq!(
        (&line["actor_id"], &line["subject"]),
        (&json!(team.ada.id), &json!(format!("user {}", imre.id)))
    );
    assert!(!audit.to_string().contains(token), "the link is a secret");
    let refused = team.ada.post(&format!("/api/users/{}/invitation", imre.id), json!({})).await;
    refused.problem(409, "conflict");
}

#[tokio::test]
async fn invitation_activates_somebody_who_was_deactivated_elsewhere() {
    let moved = moved().await;
    let user = moved.user(moved.left).await;
    assert_eq!((&user["status"], &user["is_unclaimed"]), (&json!("deactivated"), &json!(true)));
    let token = moved.invite(moved.left).await;
    let invited = moved.team.nobody().get(&format!("/api/session/invitation/{token}")).await.expect(200);
    assert_eq!(invited, json!({"name": "Somebody who left", "email": null}));
    let claimed = moved.claim(&token, "back@example.com").await;
    let back = Person::from_reply(&moved.team.nobody(), &claimed, "back@example.com");
    assert_eq!(moved.user(back.id).await["status"], "active");
    assert_eq!(ids(&back.get("/api/rooms").await.expect(200)["rooms"]), [moved.team.room], "every open room");
    back.say(moved.team.room, "Here again").await;
    // Deactivated here, without having come from another chat: no invitation.
    let grace = moved.team.join("Grace").await;
    moved.team.ada.delete(&format!("/api/users/{}", grace.id)).await.expect(204);
    assert_eq!(moved.user(grace.id).await.get("is_unclaimed"), None);
    let path = format!("/api/users/{}/invitation", grace.id);
    moved.team.ada.post(&path, json!({})).await.problem(409, "conflict");
}

#[tokio::test]
async fn email_address_alone_takes_no_account_over() {
    let moved = moved().await;
    let team = &moved.team;
    let join = |email: &str| {
        let form = json!({"name": "Mallory", "email": email, "password": PASSWORD});
        let nobody = team.nobody();
        let path = format!("/api/join/{}", team.join_code);
        async move { nobody.post(&path, form).await }
    };
    let refused = join("IMRE@old.example").await.problem(409, "unclaimed");
    assert!(
        refused["detail"].as_str().unwrap().contains("ask an administrator for an invitation"),
        "{refused}"
    );
    join("ada@example.com").await.problem(409, "conflict");
    let sign_in = json!({"email": "imre@old.example", "password": ""});
    team.nobody().post("/api/session", sign_in).await.problem(401, "not_signed_in");
    // Nor does an invitation give the address of somebody else.
    let token = moved.invite(moved.lucia).await;
    for email in ["Ada@Example.com", "imre@old.example"] {
        let taken = moved.claim(&token, email).await;
        taken.invalid(&["email"]);
        assert!(taken.text().contains("somebody else"), "{}", taken.text());
    }
    moved.claim(&token, "nobody").await.invalid(&["email"]);
    let short = json!({"email": "lucia@example.com", "password": "1234567"});
    team.nobody().post(&format!("/api/session/invitation/{token}"), short).await.invalid(&["password"]);
    // None of these has used it up.
    moved.claim(&token, "lucia@example.com").await.expect(201);
}

#[tokio::test]
async fn invitation_ends_with_the_next_one_a_ban_a_password_and_after_seven_days() {
    let moved = moved().await;
    let team = &moved.team;
    let first = moved.invite(moved.lucia).await;
    let second = moved.invite(moved.lucia).await;
    moved.assert_dead(&first).await;
    team.nobody().get(&format!("/api/session/invitation/{second}")).await.expect(200);
    let (lucia, imre) = (format!("/api/users/{}", moved.lucia), format!("/api/users/{}", moved.imre));
    team.ada.post(&format!("{lucia}/ban"), json!({})).await.expect(204);
    moved.assert_dead(&second).await;
    team.ada.post(&format!("{lucia}/invitation"), json!({})).await.problem(409, "conflict");
    team.ada.delete(&format!("{lucia}/ban")).await.expect(204);
    moved.assert_dead(&second).await;
    let third = moved.invite(moved.lucia).await;
    Connection::open(team.server.database())
        .unwrap()
        .execute("update one_time_tokens set expires_at = expires_at - 7 * 24 * 3600 * 1000", ())
        .unwrap();
    moved.assert_dead(&third).await;
    let fourth = moved.invite(moved.imre).await;
    team.ada.patch(&imre, json!({"password": PASSWORD})).await.expect(200);
    moved.assert_dead(&fourth).await;
    assert_eq!(moved.user(moved.imre).await.get("is_unclaimed"), None);
}

#[tokio::test]
async fn invitation_ends_when_the_person_signs_in_otherwise() {
    let mut moved = moved().await;
    let token = moved.invite(moved.imre).await;
    // A session that was imported makes a link for another device.
    let secret = "q8Rk2mZx7Lp4Wn9Tc5Vb3Hs6";
    let hash: Vec<u8> = {
        use sha2::{Digest, Sha256};
        Sha256::digest(secret).to_vec()
    };
    moved.team.server.terminate();
    Connection::open(moved.team.server.database())
        .unwrap()
        .execute(
            "insert into sessions (token_hash, user_id, user_agent, ip_address, created_at, last_active_at)
             values (?, ?, '', '', 1, 1)",
            (hash, moved.imre),
        )
        .unwrap();
    moved.team.server.restart();
    moved.team.nobody().get(&format!("/api/session/invitation/{token}")).await.expect(200);
    let imre = moved.team.nobody().with(Credentials::Cookie(secret.into()));
    let link = imre.post("/api/session/transfer", json!({})).await.expect(201);
    let path = format!("/api/session/transfer/{}", link["token"].as_str().unwrap());
    moved.team.nobody().post(&path, json!({})).await.expect(201);
    moved.assert_dead(&token).await;
}

#[tokio::test]
async fn only_administrators_invite_and_only_people() {
    let moved = moved().await;
    let team = &moved.team;
    let grace = team.join("Grace").await;
    let path = format!("/api/users/{}/invitation", moved.imre);
    grace.post(&path, json!({})).await.problem(403, "forbidden");
    team.nobody().post(&path, json!({})).await.problem(401, "not_signed_in");
    team.ada.post("/api/users/999999/invitation", json!({})).await.problem(404, "not_found");
    let bot = team.ada.post("/api/bots", json!({"name": "Builder"})).await.expect(201);
    team.ada.post(&format!("/api/users/{}/invitation", id(&bot)), json!({})).await.problem(409, "conflict");
    // Everybody sees who has not come yet; addresses are for administrators.
    let seen = grace.get(&format!("/api/users/{}", moved.imre)).await.expect(200);
    assert_eq!((&seen["is_unclaimed"], seen.get("email")), (&json!(true), None));
}

#[tokio::test]
async fn wrong_invitations_are_counted_as_guesses() {
    let moved = moved().await;
    let nobody = moved.team.nobody();
    let mut last = 404;
    for n in 0..200 {
        last = nobody.get(&format!("/api/session/invitation/guess{n}")).await.status;
        if last != 404 {
            break;
        }
    }
    assert_eq!(last, 429);
}
