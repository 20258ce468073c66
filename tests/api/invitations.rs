//! Invitations: links by which people join, as members or as guests of some rooms. And accounts of people who were imported:
//! only an invitation by an administrator lets somebody take one over.

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
        self.team.nobody().post(&format!("/api/invitations/{token}"), form).await
    }

    /// Asserts that an invitation does not work.
    async fn assert_dead(&self, token: &str) {
        let nobody = self.team.nobody();
        nobody.get(&format!("/api/invitations/{token}")).await.problem(404, "not_found");
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
    let invited = team.nobody().get(&format!("/api/invitations/{token}")).await;
    let shown = invited.expect(200);
    assert_keys(&shown, &["account", "inviter", "role", "rooms", "expires_at", "name", "email"]);
    assert_eq!(
        (&shown["name"], &shown["email"], &shown["inviter"]),
        (&json!("Imre Kovács"), &json!("imre@old.example"), &json!("Ada"))
    );
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
    let invited = moved.team.nobody().get(&format!("/api/invitations/{token}")).await.expect(200);
    assert_eq!((&invited["name"], &invited["email"]), (&json!("Somebody who left"), &json!(null)));
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
    team.nobody().post(&format!("/api/invitations/{token}"), short).await.invalid(&["password"]);
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
    team.nobody().get(&format!("/api/invitations/{second}")).await.expect(200);
    let (lucia, imre) = (format!("/api/users/{}", moved.lucia), format!("/api/users/{}", moved.imre));
    team.ada.post(&format!("{lucia}/ban"), json!({})).await.expect(204);
    moved.assert_dead(&second).await;
    team.ada.post(&format!("{lucia}/invitation"), json!({})).await.problem(409, "conflict");
    team.ada.delete(&format!("{lucia}/ban")).await.expect(204);
    moved.assert_dead(&second).await;
    let third = moved.invite(moved.lucia).await;
    Connection::open(team.server.database())
        .unwrap()
        .execute("update invitations set expires_at = expires_at - 7 * 24 * 3600 * 1000", ())
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
    moved.team.nobody().get(&format!("/api/invitations/{token}")).await.expect(200);
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
        last = nobody.get(&format!("/api/invitations/guess{n}")).await.status;
        if last != 404 {
            break;
        }
    }
    assert_eq!(last, 429);
}

#[tokio::test]
async fn invitation_makes_a_member_of_the_open_rooms_and_of_those_that_it_names() {
    let team = Team::start().await;
    let closed = team.closed_room("Board", &[&team.ada]).await;
    let other = team.closed_room("Elsewhere", &[&team.ada]).await;
    let fields = json!({"room_ids": [closed], "note": "for the auditors", "max_uses": 2, "days": 3});
    let made = team.ada.post("/api/invitations", fields).await.expect(201);
    assert_keys(
        &made,
        &[
            "id",
            "creator_id",
            "user_id",
            "role",
            "room_ids",
            "note",
            "uses",
            "max_uses",
            "created_at",
            "expires_at",
            "revoked_at",
            "is_open",
            "url",
            "token",
            "qr_svg",
        ],
    );
    let token = made["token"].as_str().unwrap();
    assert_eq!(made["url"], format!("{}/invite/{token}", team.ada.origin()));
    let expires: jiff::Timestamp = made["expires_at"].as_str().unwrap().parse().unwrap();
    let days = expires.duration_since(jiff::Timestamp::now()).as_secs_f64() / 86_400.0;
    assert!((2.99..=3.0).contains(&days), "{days} days");
    let invited = team.nobody().get(&format!("/api/invitations/{token}")).await.expect(200);
    assert_eq!(
        (&invited["account"]["name"], &invited["inviter"], &invited["role"], &invited["rooms"]),
        (&json!("Kontor"), &json!("Ada"), &json!("member"), &json!(["Board"]))
    );
    assert_eq!((&invited["name"], &invited["email"]), (&json!(null), &json!(null)));
    let mut socket = team.ada.socket().await;
    let vera = team.come(token, "Vera").await;
    socket.expect_where("user.updated", |it| it["user"]["id"] == vera.id).await;
    assert_eq!(vera.get("/api/session").await.expect(200)["user"]["role"], "member");
    assert_eq!(ids(&vera.get("/api/rooms").await.expect(200)["rooms"]), [team.room, closed]);
    vera.get(&format!("/api/rooms/{other}")).await.problem(404, "not_found");
    vera.say(closed, "I am here").await;
    // The second use is the last.
    let taken = json!({"name": "Twin", "email": "VERA@example.com", "password": PASSWORD});
    team.nobody().post(&format!("/api/invitations/{token}"), taken).await.problem(409, "conflict");
    team.come(token, "Wanda").await;
    let late = json!({"name": "Late", "email": "late@example.com", "password": PASSWORD});
    team.nobody().post(&format!("/api/invitations/{token}"), late).await.problem(404, "not_found");
    let listed = team.ada.get("/api/invitations").await;
    assert!(!listed.text().contains(token), "the link is shown once");
    let line = &listed.expect(200)["invitations"][0];
    assert_eq!(
        (&line["uses"], &line["is_open"], &line["note"]),
        (&json!(2), &json!(false), &json!("for the auditors"))
    );
    let stored = std::fs::read(team.server.database()).unwrap();
    assert!(!stored.windows(token.len()).any(|window| window == token.as_bytes()), "only its hash is stored");
    let audit = team.ada.get("/api/audit").await.expect(200);
    let of = |action: &str| -> Vec<Value> {
        let lines = audit["entries"].as_array().unwrap().iter().filter(|it| it["action"] == action);
        lines.map(|it| it["actor_id"].clone()).collect()
    };
    assert_eq!(of("invitation.use").len(), 2);
    assert!(of("invitation.use").contains(&json!(vera.id)));
    assert_eq!(of("invitation.create"), [json!(team.ada.id)]);
    let made =
        audit["entries"].as_array().unwrap().iter().find(|it| it["action"] == "invitation.create").unwrap();
    assert_eq!(made["subject"], format!("invitation {}", line["id"]));
    assert!(!audit.to_string().contains(token));
}

#[tokio::test]
async fn invitation_ends_by_time_by_being_revoked_and_with_whoever_made_it() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    let path = |token: &str| format!("/api/invitations/{token}");
    let works = async |token: &str| team.nobody().get(&path(token)).await.status == 200;
    let old = team.invitation(json!({})).await;
    assert!(works(&old).await);
    let db = Connection::open(team.server.database()).unwrap();
    db.execute("update invitations set expires_at = expires_at - 7 * 24 * 3600 * 1000", ()).unwrap();
    assert!(!works(&old).await, "after a week");
    let revoked = team.ada.post("/api/invitations", json!({})).await.expect(201);
    let token = revoked["token"].as_str().unwrap();
    team.ada.delete(&path(&id(&revoked).to_string())).await.expect(204);
    team.ada.delete(&path(&id(&revoked).to_string())).await.expect(204);
    assert!(!works(token).await, "revoked");
    team.ada.delete(&path("999999")).await.problem(404, "not_found");
    team.nobody().delete(&path("1")).await.problem(401, "not_signed_in");
    let audit = team.ada.get("/api/audit").await.expect(200);
    assert!(audit["entries"].as_array().unwrap().iter().any(|it| it["action"] == "invitation.revoke"));
    // A second administrator, whose invitations end when they are no longer one.
    let of_grace = format!("/api/users/{}", grace.id);
    team.ada.patch(&of_grace, json!({"role": "admin"})).await.expect(200);
    let made = grace.post("/api/invitations", json!({})).await.expect(201);
    let token = made["token"].as_str().unwrap();
    assert!(works(token).await);
    team.ada.patch(&of_grace, json!({"role": "member"})).await.expect(200);
    assert!(!works(token).await, "a member may invite nobody");
    team.ada.patch("/api/account", json!({"members_may_invite": true})).await.expect(200);
    assert!(works(token).await);
    team.ada.delete(&of_grace).await.expect(204);
    assert!(!works(token).await, "deactivated");
    // A guest's rooms are gone.
    let board = team.closed_room("Board", &[&team.ada]).await;
    let token = team.invitation(json!({"role": "guest", "room_ids": [board]})).await;
    assert!(works(&token).await);
    team.ada.delete(&format!("/api/rooms/{board}")).await.expect(204);
    assert!(!works(&token).await);
}

#[tokio::test]
async fn members_invite_where_a_setting_lets_them_and_only_to_rooms_of_theirs() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    grace.post("/api/invitations", json!({})).await.problem(403, "forbidden");
    grace.get("/api/invitations").await.problem(403, "forbidden");
    team.ada.patch("/api/account", json!({"settings": {"members_may_invite": true}})).await.expect(200);
    let made = team.closed_room("Mine", &[&grace]).await;
    let of_ada = team.closed_room("Of Ada", &[&team.ada, &grace]).await;
    let foreign = team.closed_room("Foreign", &[&team.ada]).await;
    let direct = grace.direct_with(&[&team.ada]).await;
    for room in [of_ada, foreign, direct, 999_999] {
        for role in ["member", "guest"] {
            let refused = grace.post("/api/invitations", json!({"role": role, "room_ids": [room]})).await;
            refused.invalid(&["room_ids"]);
        }
    }
    team.ada
        .post("/api/invitations", json!({"role": "guest", "room_ids": [direct]}))
        .await
        .invalid(&["room_ids"]);
    for bad in [json!({"role": "guest"}), json!({"role": "guest", "room_ids": []})] {
        grace.post("/api/invitations", bad).await.invalid(&["room_ids"]);
    }
    let one = grace.post("/api/invitations", json!({"role": "guest", "room_ids": [made, team.room]})).await;
    let one = one.expect(201);
    let gus = team.come(one["token"].as_str().unwrap(), "Gus").await;
    assert_eq!(ids(&gus.get("/api/rooms").await.expect(200)["rooms"]), [team.room, made]);
    let other = team.ada.post("/api/invitations", json!({})).await.expect(201);
    assert_eq!(ids(&grace.get("/api/invitations").await.expect(200)["invitations"]), [id(&one)]);
    assert_eq!(
        ids(&team.ada.get("/api/invitations").await.expect(200)["invitations"]),
        [id(&other), id(&one)]
    );
    grace.delete(&format!("/api/invitations/{}", id(&other))).await.problem(404, "not_found");
    // Guests, bots and tokens invite nobody.
    gus.post("/api/invitations", json!({})).await.problem(403, "forbidden");
    gus.get("/api/invitations").await.problem(403, "forbidden");
    let token = team.ada.post("/api/tokens", json!({"name": "script", "scope": "admin"})).await.expect(201);
    let script = team.ada.with(Credentials::Bearer(token["token"].as_str().unwrap().to_owned()));
    script.post("/api/invitations", json!({})).await.problem(403, "forbidden");
    // At the limit of one member.
    for _ in 0..50 {
        grace.post("/api/invitations", json!({})).await.expect(201);
    }
    let full = grace.post("/api/invitations", json!({})).await;
    full.problem(409, "conflict");
}

#[tokio::test]
async fn invitation_that_many_open_at_once_is_used_as_often_as_it_may_be() {
    let team = Team::start().await;
    let token = team.invitation(json!({"max_uses": 3})).await;
    let tries = (0..8).map(|n| {
        let form =
            json!({"name": format!("No {n}"), "email": format!("{n}@example.com"), "password": PASSWORD});
        let (nobody, path) = (team.nobody(), format!("/api/invitations/{token}"));
        async move { nobody.post(&path, form).await.status }
    });
    let mut statuses = futures_util::future::join_all(tries).await;
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 201, 201, 404, 404, 404, 404, 404]);
}

#[tokio::test]
async fn join_link_is_shown_to_members_by_a_setting_and_never_to_guests() {
    let team = Team::start().await;
    let (grace, gus) = (team.join("Grace").await, team.guest("Gus", &[team.room]).await);
    let token = grace.post("/api/tokens", json!({"name": "script", "scope": "read"})).await.expect(201);
    let script = grace.with(Credentials::Bearer(token["token"].as_str().unwrap().to_owned()));
    let sees = async |client: &crate::support::Client| {
        let account = client.get("/api/account").await.expect(200);
        let session = client.get("/api/session").await.expect(200);
        assert_eq!(account["join_code"], session["account"]["join_code"]);
        account["join_url"].is_string()
    };
    assert!(sees(&team.ada).await && !sees(&grace).await && !sees(&gus).await);
    team.ada.patch("/api/account", json!({"members_see_join_link": true})).await.expect(200);
    assert!(sees(&team.ada).await && sees(&grace).await);
    assert!(!sees(&gus).await && !sees(&script).await);
    team.ada
        .patch("/api/account", json!({"members_see_join_link": 1}))
        .await
        .invalid(&["members_see_join_link"]);
    grace.post("/api/account/join_code", json!({})).await.problem(403, "forbidden");
}

#[tokio::test]
async fn a_thousand_invitations_work_at_a_time() {
    let team = Team::start().await;
    let first = team.ada.post("/api/invitations", json!({})).await.expect(201);
    let db = Connection::open(team.server.database()).unwrap();
    let copies = "with recursive n(i) as (select 2 union all select i + 1 from n where i < 1000)
        insert into invitations (token_hash, creator_id, role, max_uses, created_at, expires_at)
        select randomblob(32), creator_id, role, 1, created_at, expires_at from invitations, n where id = ?";
    assert_eq!(db.execute(copies, (id(&first),)).unwrap(), 999);
    team.ada.post("/api/invitations", json!({})).await.problem(409, "conflict");
    team.ada.delete(&format!("/api/invitations/{}", id(&first))).await.expect(204);
    team.ada.post("/api/invitations", json!({})).await.expect(201);
}
