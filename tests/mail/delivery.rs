//! Handing mails over: encryption, signing in, greylisting, refusals, silence, limits.

use std::path::Path;
use std::time::{Duration, Instant};

use super::relay::*;
use crate::support::{tls::Authority, *};

async fn ask(team: &Team, email: &str) {
    let reply = team.nobody().post("/api/session/reset", json!({ "email": email })).await;
    assert_eq!(reply.status, 202, "{}", reply.text());
}

/// A relay with a certificate, and the settings that trust it.
struct Encrypted {
    relay: Relay,
    dir: tempfile::TempDir,
}

fn encrypted(more: Value) -> Encrypted {
    let dir = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let (certificate, key) = authority.issue_into(dir.path());
    std::fs::write(dir.path().join("roots.pem"), &authority.pem).unwrap();
    std::fs::write(dir.path().join("password"), "s3cret word\n").unwrap();
    let mut config = json!({"certificate": certificate, "key": key, "auth": true});
    config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    Encrypted { relay: Relay::with(config), dir }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path")
}

#[tokio::test]
async fn mail_is_sent_by_starttls_with_a_password_from_a_file() {
    let Encrypted { relay, dir } = encrypted(json!({}));
    let url = format!("smtp://ana%40relay.example@127.0.0.1:{}?tls=required", relay.port);
    let (roots, password) = (dir.path().join("roots.pem"), dir.path().join("password"));
    let team = relay
        .team_with(&[
            ("CAMPFIRE_SMTP_URL", &url),
            ("CAMPFIRE_SMTP_CA", text(&roots)),
            ("CAMPFIRE_SMTP_PASSWORD_FILE", text(&password)),
        ])
        .await;
    team.ada.post("/api/mail/test", json!({})).await;
    let mails = relay.take(1).await;
    assert_eq!((&mails[0]["tls"], &mails[0]["user"]), (&json!(true), &json!("ana@relay.example")));
    assert_eq!(mails[0]["headers"]["subject"], "Mails from Kontor reach you");
    assert_discreet(&team, &[]);
}

#[tokio::test]
async fn mail_is_sent_by_implicit_tls_and_by_login() {
    let Encrypted { relay, dir } = encrypted(json!({"implicit": true, "exclude": ["PLAIN"]}));
    let url = format!("smtps://ana%40relay.example:s3cret%20word@127.0.0.1:{}", relay.port);
    let roots = dir.path().join("roots.pem");
    let team = relay.team_with(&[("CAMPFIRE_SMTP_URL", &url), ("CAMPFIRE_SMTP_CA", text(&roots))]).await;
    team.ada.post("/api/mail/test", json!({})).await;
    assert_eq!(relay.take(1).await[0]["user"], "ana@relay.example");
    assert_discreet(&team, &["s3cret", "czNjcmV0"]);
}

#[tokio::test]
async fn wrong_password_is_told_to_administrators_and_never_shown() {
    let Encrypted { relay, dir } = encrypted(json!({}));
    let url = format!("smtp://ana%40relay.example:wr0ng@127.0.0.1:{}?tls=required", relay.port);
    let roots = dir.path().join("roots.pem");
    let team = relay.team_with(&[("CAMPFIRE_SMTP_URL", &url), ("CAMPFIRE_SMTP_CA", text(&roots))]).await;
    team.ada.post("/api/mail/test", json!({})).await;
    let job = given_up(&team).await;
    assert_eq!(
        (&job["kind"], &job["attempts"], &job["error"]),
        (
            &json!("mail"),
            &json!(1),
            &json!(
                "the mail server does not let us in: it answered 535 5.7.8 (address) not with this password"
            )
        )
    );
    assert_eq!(team.ada.get("/api/mail").await.expect(200)["refusal"], Value::Null, "it is not Ada's fault");
    assert_discreet(&team, &["wr0ng", "ana@relay"]);
}

#[tokio::test]
async fn certificate_of_nobody_known_stops_the_mail_before_the_password() {
    let Encrypted { relay, .. } = encrypted(json!({}));
    let url = format!("smtp://ana%40relay.example:s3cret%20word@127.0.0.1:{}?tls=required", relay.port);
    let team = relay.team_with(&[("CAMPFIRE_SMTP_URL", &url)]).await;
    team.ada.post("/api/mail/test", json!({})).await;
    let waiting = within("an attempt", async {
        loop {
            let jobs = team.ada.get("/api/jobs?state=waiting").await.expect(200);
            if jobs["jobs"][0]["error"].is_string() {
                return jobs["jobs"][0].clone();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    let error = waiting["error"].as_str().unwrap();
    assert!(error.starts_with("the connection to the mail server cannot be encrypted"), "{error}");
    assert_eq!(relay.attempts("ada@example.com"), 0);
}

#[tokio::test]
async fn greylisted_mail_is_tried_again_and_arrives_once() {
    let relay = Relay::start();
    relay.rules(json!({"greylist": 1}));
    let team = relay.team().await;
    ask(&team, "ada@example.com").await;
    let mails = relay.take(1).await;
    assert_eq!(relay.attempts("ada@example.com"), 2);
    jobs_done(&team).await;
    assert_eq!(relay.mails().len(), 1);
    // Nothing was held against the address, and the link is the one that works.
    assert_eq!(team.ada.get("/api/mail").await.expect(200)["refusal"], Value::Null);
    let link = format!("/api/session/reset/{}", token(&mails[0], "reset"));
    team.nobody().post(&link, json!({"password": "another quiet evening"})).await.expect(201);
    assert_discreet(&team, &[]);
}

#[tokio::test]
async fn relay_that_comes_back_gets_what_waited_for_it() {
    let mut relay = Relay::start();
    let team = relay.team().await;
    let port = relay.port;
    drop(std::mem::replace(&mut relay, Relay::start()));
    ask(&team, "ada@example.com").await;
    within("an attempt", async {
        loop {
            let jobs = team.ada.get("/api/jobs?state=waiting").await.expect(200);
            if jobs["jobs"][0]["error"].as_str().is_some_and(|error| error.contains("cannot be reached")) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    let relay = Relay::with(json!({ "port": port }));
    assert_eq!(to(&relay.take(1).await[0]), "ada@example.com");
}

#[tokio::test]
async fn refused_address_gets_nothing_more_until_its_owner_says_so() {
    let relay = Relay::start();
    relay.rules(json!({"recipients": {"ada@example.com": "550 5.1.1 <ada@example.com>: no such mailbox"}}));
    let team = relay.team().await;
    let (ben, cleo) = (team.join("Ben").await, team.join("Cleo").await);
    mention(&ben, team.room, &team.ada, "one").await;
    let job = given_up(&team).await;
    assert_eq!(job["kind"], "mail_unread");
    assert_eq!(
        job["error"],
        "the mail server refuses the recipient: it answered 550 5.1.1 (address) no such mailbox"
    );
    let refusal = team.ada.get("/api/mail").await.expect(200)["refusal"].clone();
    assert_eq!(refusal["reason"], "550 5.1.1 <ada@example.com>: no such mailbox");
    assert_time(&refusal["at"]);
    // Nothing of any kind.
    mention(&ben, team.room, &team.ada, "two").await;
    ask(&team, "ada@example.com").await;
    team.ada.post("/api/mail/test", json!({})).await.problem(409, "conflict");
    mention(&ben, team.room, &cleo, "the last one").await;
    relay.take(1).await;
    jobs_done(&team).await;
    assert_eq!((relay.attempts("ada@example.com"), relay.mails().len()), (1, 1));
    // It was mended at the other end.
    relay.rules(json!({}));
    team.ada.delete("/api/mail/refusal").await.expect(204);
    assert_eq!(team.ada.get("/api/mail").await.expect(200)["refusal"], Value::Null);
    team.ada.post("/api/mail/test", json!({})).await;
    assert_eq!(to(&relay.take(2).await[1]), "ada@example.com");
    assert_discreet(&team, &[]);
}

#[tokio::test]
async fn another_address_has_a_clean_record() {
    let relay = Relay::start();
    relay.rules(json!({"recipients": {"ada@example.com": "550 no"}}));
    let team = relay.team().await;
    team.ada.post("/api/mail/test", json!({})).await;
    given_up(&team).await;
    assert_eq!(team.ada.get("/api/mail").await.expect(200)["refusal"]["reason"], "550 no");
    let moved = json!({"email": "ada@other.example", "current_password": PASSWORD});
    team.ada.patch(&format!("/api/users/{}", team.ada.id), moved).await.expect(200);
    assert_eq!(team.ada.get("/api/mail").await.expect(200)["refusal"], Value::Null);
    team.ada.post("/api/mail/test", json!({})).await;
    assert_eq!(to(&relay.take(1).await[0]), "ada@other.example");
    // Nothing is kept of an address that somebody had, or of somebody who has left.
    let ben = team.join("Ben").await;
    ben.put("/api/mail", json!({"wish": "daily"})).await.expect(200);
    team.ada.delete(&format!("/api/users/{}", ben.id)).await.expect(204);
    let db = rusqlite::Connection::open(team.server.database()).unwrap();
    let mut rows = db.prepare("select user_id, refused_address from mail").unwrap();
    let rows: Vec<(i64, Option<String>)> =
        rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect();
    assert_eq!(rows, [(team.ada.id, None)]);
}

#[tokio::test]
async fn refusal_that_means_us_is_not_held_against_the_address() {
    let relay = Relay::start();
    relay.rules(
        json!({"recipients": {"ada@example.com": "554 5.7.1 <ada@example.com>: Relay access denied"}}),
    );
    let team = relay.team().await;
    let ben = team.join("Ben").await;
    team.ada.post("/api/mail/test", json!({})).await;
    given_up(&team).await;
    assert_eq!(team.ada.get("/api/mail").await.expect(200)["refusal"], Value::Null);
    // The same of a mail whose content is refused: it ends, and what is said later is mailed.
    relay.rules(json!({"data": "554 5.7.1 looks like spam"}));
    mention(&ben, team.room, &team.ada, "one").await;
    within("it to be given up", async {
        while team.ada.get("/api/jobs").await.expect(200)["jobs"].as_array().unwrap().len() < 2 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    relay.rules(json!({}));
    mention(&ben, team.room, &team.ada, "two").await;
    let mails = relay.take(1).await;
    let words = mails[0]["text"].as_str().unwrap();
    assert!(words.contains("two") && !words.contains("one"), "{words}");
}

#[tokio::test]
async fn silent_relay_delays_nobody_and_is_given_up_in_time() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("smtp://127.0.0.1:{}", silent.local_addr().unwrap().port());
    let relay = Relay::start();
    let team = relay.team_with(&[("CAMPFIRE_SMTP_URL", &url), ("CAMPFIRE_SMTP_TIMEOUT", "1")]).await;
    ask(&team, "ada@example.com").await;
    let (connection, _) = silent.accept().unwrap();
    let began = Instant::now();
    team.ada.say(team.room, "Nobody waits for the mail server").await;
    team.nobody().get("/health").await.expect(200);
    let error = within("an attempt", async {
        loop {
            let jobs = team.ada.get("/api/jobs?state=waiting").await.expect(200);
            if let Some(error) = jobs["jobs"][0]["error"].as_str() {
                return error.to_owned();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    assert_eq!(error, "the mail server cannot be reached: it took too long");
    assert!(began.elapsed() < DEADLINE);
    drop(connection);
}

#[tokio::test]
async fn address_beyond_ascii_needs_a_relay_that_says_it_takes_such() {
    let relay = Relay::with(json!({"utf8": false}));
    let team = relay.team().await;
    let moved = json!({"email": "ádá@bücher.example", "current_password": PASSWORD});
    team.ada.patch(&format!("/api/users/{}", team.ada.id), moved.clone()).await.expect(200);
    team.ada.post("/api/mail/test", json!({})).await;
    given_up(&team).await;
    let refusal = team.ada.get("/api/mail").await.expect(200)["refusal"].clone();
    assert_eq!(refusal["reason"], "it does not support SMTPUTF8, which this address needs");
    assert_eq!(relay.attempts("ádá@xn--bcher-kva.example"), 0);
    // A name of a host beyond ASCII alone needs no such relay.
    let ascii = json!({"email": "ada@bücher.example", "current_password": PASSWORD});
    team.ada.patch(&format!("/api/users/{}", team.ada.id), ascii).await.expect(200);
    team.ada.post("/api/mail/test", json!({})).await;
    assert_eq!(to(&relay.take(1).await[0]), "ada@xn--bcher-kva.example");
    drop(team);
    let relay = Relay::start();
    let team = relay.team().await;
    team.ada.patch(&format!("/api/users/{}", team.ada.id), moved).await.expect(200);
    team.ada.post("/api/mail/test", json!({})).await;
    let mails = relay.take(1).await;
    assert_eq!(to(&mails[0]), "ádá@xn--bcher-kva.example");
    let options: Vec<&str> =
        mails[0]["options"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(options.contains(&"SMTPUTF8") && options.contains(&"BODY=8BITMIME"), "{options:?}");
}

#[tokio::test]
async fn address_that_is_none_is_never_sent_to() {
    let relay = Relay::start();
    let team = relay.team().await;
    let odd = json!({"email": "ada@intranet", "current_password": PASSWORD});
    team.ada.patch(&format!("/api/users/{}", team.ada.id), odd).await.expect(200);
    team.ada.post("/api/mail/test", json!({})).await;
    let job = given_up(&team).await;
    assert_eq!(job["error"], "the address is not one to send to");
    let refusal = team.ada.get("/api/mail").await.expect(200)["refusal"].clone();
    assert_eq!(refusal["reason"], "what is behind the @ is not a name like example.org");
}

#[tokio::test]
async fn mails_beyond_the_hourly_limit_wait() {
    let relay = Relay::start();
    let team = relay.team_with(&[("CAMPFIRE_MAIL_PER_HOUR", "2")]).await;
    let (ben, cleo) = (team.join("Ben").await, team.join("Cleo").await);
    for person in [&team.ada, &ben] {
        ask(&team, &person.email).await;
    }
    relay.take(2).await;
    ask(&team, &cleo.email).await;
    mention(&ben, team.room, &team.ada, "first").await;
    let later = within("both to wait", async {
        loop {
            let jobs = team.ada.get("/api/jobs?state=waiting").await.expect(200)["jobs"].clone();
            let waits = |job: &Value| job["attempts"] == 0 && job["kind"] != "await_mail";
            if jobs.as_array().is_some_and(|jobs| jobs.len() == 2 && jobs.iter().all(waits)) {
                return jobs;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    assert!(later.as_array().unwrap().iter().all(|job| job["error"] == Value::Null), "{later}");
    // What comes while it waits is told in the same mail.
    mention(&ben, team.room, &team.ada, "second").await;
    let db = rusqlite::Connection::open(team.server.database()).unwrap();
    db.execute_batch("delete from mail_sent; update jobs set run_at = 0").unwrap();
    // A new job has all of them looked at.
    ask(&team, "nobody@example.com").await;
    let mails = relay.take(4).await;
    let told = mails.iter().find(|mail| mail["headers"].get("list-unsubscribe").is_some()).unwrap();
    let words = told["text"].as_str().unwrap();
    assert!(words.contains("first") && words.contains("second"), "{words}");
    assert!(mails.iter().any(|mail| to(mail) == cleo.email));
    drop(db);
}

#[tokio::test]
async fn one_person_gets_only_so_many_mails_an_hour() {
    let relay = Relay::start();
    let team = relay.team().await;
    let ben = team.join("Ben").await;
    for number in 1..=10 {
        team.ada.post("/api/mail/test", json!({})).await;
        relay.take(number).await;
    }
    // The limit of tests is ten a minute, that of mails twelve an hour.
    team.ada.post("/api/mail/test", json!({})).await.problem(429, "rate_limited");
    for number in 11..=12 {
        ask(&team, "ada@example.com").await;
        relay.take(number).await;
    }
    ask(&team, "ada@example.com").await;
    ask(&team, "ben@example.com").await;
    let mails = relay.take(13).await;
    assert_eq!(to(&mails[12]), ben.email);
    let jobs = team.ada.get("/api/jobs?state=waiting").await.expect(200)["jobs"].clone();
    assert_eq!(jobs.as_array().unwrap().len(), 1, "{jobs}");
}
