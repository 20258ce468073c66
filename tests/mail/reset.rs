//! Choosing a new password by a link that was mailed.

use super::relay::*;
use crate::support::{http::Credentials, *};

async fn ask(team: &Team, email: &str) -> Reply {
    team.nobody().post("/api/session/reset", json!({ "email": email })).await
}

#[tokio::test]
async fn forgotten_password_is_replaced_by_a_mailed_link() {
    let relay = Relay::start();
    let team = relay.team().await;
    let ben = team.join("Ben").await;
    let reply = ask(&team, "BEN@example.com").await;
    assert_eq!((reply.status, reply.text().as_str()), (202, ""));
    let mails = relay.take(1).await;
    assert_eq!((to(&mails[0]), &mails[0]["to_name"]), ("ben@example.com", &json!("Ben")));
    assert_eq!(mails[0]["headers"]["subject"], "A new password for Kontor");
    assert_eq!((&mails[0]["from"], &mails[0]["from_name"]), (&json!("chat@example.org"), &json!("Kontor")));
    assert_eq!(mails[0]["headers"]["list-unsubscribe"], Value::Null, "it was asked for");
    let token = token(&mails[0], "reset");
    let link = format!("/api/session/reset/{token}");
    let nobody = team.nobody();
    let chosen = nobody.post(&link, json!({"password": "another quiet evening"})).await;
    assert_eq!(chosen.expect(201)["user"]["id"], ben.id);
    nobody.post(&link, json!({"password": "a third quiet evening"})).await.problem(404, "not_found");
    // Whoever knew the old password is out.
    ben.get("/api/session").await.problem(401, "not_signed_in");
    let old = json!({"email": "ben@example.com", "password": PASSWORD});
    nobody.post("/api/session", old).await.refused(401);
    let audit = team.ada.get("/api/audit").await.expect(200);
    let line =
        audit["entries"].as_array().unwrap().iter().find(|it| it["action"] == "user.mail_reset").unwrap();
    assert_eq!((&line["actor_id"], &line["subject"]), (&Value::Null, &json!(format!("user {}", ben.id))));
    assert!(!audit.to_string().contains(&token));
    assert_discreet(&team, &[&token]);
}

#[tokio::test]
async fn mailed_link_works_for_an_hour_and_a_later_one_replaces_it() {
    let relay = Relay::start();
    let team = relay.team().await;
    ask(&team, "ada@example.com").await;
    let first = token(&relay.take(1).await[0], "reset");
    ask(&team, "ada@example.com").await;
    let second = token(&relay.take(2).await[1], "reset");
    let nobody = team.nobody();
    let choose = json!({"password": "another quiet evening"});
    nobody.post(&format!("/api/session/reset/{first}"), choose.clone()).await.refused(404);
    let db = rusqlite::Connection::open(team.server.database()).unwrap();
    let left: i64 = db
        .query_row(
            "select expires_at - unixepoch() * 1000 from one_time_tokens where purpose = 'reset'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert!((3_500_000..=3_601_000).contains(&left), "{left} ms");
    db.execute("update one_time_tokens set expires_at = unixepoch() * 1000 - 1 where purpose = 'reset'", [])
        .unwrap();
    nobody.post(&format!("/api/session/reset/{second}"), choose).await.refused(404);
}

/// Whoever asks learns nothing, neither from the answer nor from what is done for it: one job is queued in each case.
#[tokio::test]
async fn unknown_addresses_get_the_same_answer_and_no_mail() {
    let relay = Relay::start();
    let team = relay.team().await;
    let gone = team.join("Gone").await;
    team.ada.delete(&format!("/api/users/{}", gone.id)).await.expect(204);
    let known = ask(&team, "ada@example.com").await;
    relay.take(1).await;
    for email in ["nobody@example.com", "gone@example.com"] {
        let unknown = ask(&team, email).await;
        assert_eq!((unknown.status, &unknown.body), (known.status, &known.body), "{email}");
        let names = |reply: &Reply| {
            let mut names: Vec<String> = reply.headers.keys().map(ToString::to_string).collect();
            names.sort();
            names
        };
        assert_eq!(names(&unknown), names(&known));
    }
    jobs_done(&team).await;
    assert_eq!(relay.mails().len(), 1);
    assert_eq!(team.ada.get("/api/jobs").await.expect(200)["jobs"], json!([]));
    ask(&team, "no address").await.problem(422, "invalid");
}

#[tokio::test]
async fn asking_for_links_is_limited_whether_anybody_has_the_address() {
    let relay = Relay::start();
    let team = relay.team().await;
    for email in ["ada@example.com", "nobody@example.com"] {
        for _ in 0..3 {
            assert_eq!(ask(&team, email).await.status, 202);
        }
        let refused = ask(&team, &email.to_uppercase()).await;
        refused.problem(429, "rate_limited");
        assert!(refused.header("retry-after").is_some());
    }
    // 6 and 2 were counted for this network.
    for number in 0..2 {
        assert_eq!(ask(&team, &format!("{number}@example.com")).await.status, 202);
    }
    ask(&team, "3@example.com").await.problem(429, "rate_limited");
}

#[tokio::test]
async fn nothing_is_offered_where_no_mail_is_sent() {
    let team = Team::start().await;
    ask(&team, "ada@example.com").await.problem(409, "conflict");
    team.ada.get("/api/mail").await.problem(409, "conflict");
    team.ada.put("/api/mail", json!({"wish": "daily"})).await.problem(409, "conflict");
    team.ada.post("/api/mail/test", json!({})).await.problem(409, "conflict");
    let setup = team.nobody().get("/api/setup?with=account").await.expect(200);
    assert_eq!(setup.get("sends_mail"), None);
    assert_eq!(team.ada.get("/api/session").await.expect(200)["limits"].get("sends_mail"), None);
    let ben = team.join("Ben").await;
    mention(&ben, team.room, &team.ada, "nobody is told").await;
    let db = rusqlite::Connection::open(team.server.database()).unwrap();
    let rows: i64 = db
        .query_row("select (select count(*) from mail) + (select count(*) from jobs)", [], |row| row.get(0))
        .unwrap();
    assert_eq!(rows, 0, "a message costs nothing more");
}

#[tokio::test]
async fn page_is_told_that_a_password_can_be_replaced_by_mail() {
    let relay = Relay::start();
    let team = relay.team().await;
    let nobody = team.ada.with(Credentials::None);
    assert_eq!(nobody.get("/api/setup?with=account").await.expect(200)["sends_mail"], true);
    assert_eq!(team.ada.get("/api/session").await.expect(200)["limits"]["sends_mail"], true);
}
