//! Telling people by mail of mentions and direct messages that they have not read.

use super::relay::*;
use crate::support::*;

/// Waits until a sentinel, who is told after all others, is told. Returns the mails before that one.
async fn before_sentinel(relay: &Relay, by: &Person, room: i64, sentinel: &Person) -> Vec<Value> {
    mention(by, room, sentinel, "the last one").await;
    within("the sentinel's mail", async {
        loop {
            let mails = relay.mails();
            if let Some(place) = mails.iter().position(|mail| to(mail) == sentinel.email) {
                return mails[..place].to_vec();
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    })
    .await
}

#[tokio::test]
async fn mention_is_mailed_once_with_all_that_a_mail_needs() {
    let relay = Relay::start();
    let team = relay.team().await;
    let ben = team.join("Ben").await;
    let said = mention(&ben, team.room, &team.ada, "is the *kettle* on?").await;
    let mails = relay.take(1).await;
    let mail = &mails[0];
    assert_eq!((to(mail), &mail["hello"]), ("ada@example.com", &json!("chat.example")));
    let headers = &mail["headers"];
    assert_eq!(headers["subject"], "Ben mentioned you in All Talk");
    assert_eq!(headers["auto-submitted"], "auto-generated");
    assert_eq!(headers["content-language"], "en");
    assert_eq!(headers["list-unsubscribe-post"], "List-Unsubscribe=One-Click");
    assert!(headers["list-unsubscribe"].as_str().unwrap().starts_with(&format!("<{URL}/unsubscribe/")));
    assert!(headers["message-id"].as_str().unwrap().ends_with("@example.org>"));
    assert!(headers["date"].is_string() && headers.get("reply-to").is_none(), "{headers}");
    let link = format!("{URL}/rooms/{}/@{}", team.room, said["id"]);
    let text = mail["text"].as_str().unwrap();
    assert!(text.contains(&format!("Ben in All Talk\n> Ada is the kettle on?\n{link}")), "{text}");
    let html = mail["html"].as_str().unwrap();
    assert!(html.contains(&format!("href=\"{link}\"")) && html.contains("lang=\"en\""), "{html}");
    assert_eq!((&mail["defects"], &mail["is_ascii"]), (&json!([]), &json!(true)));
    // Another one tells only of what is new.
    mention(&ben, team.room, &team.ada, "it boils").await;
    let mails = relay.take(2).await;
    let text = mails[1]["text"].as_str().unwrap();
    assert!(text.contains("it boils") && !text.contains("kettle"), "{text}");
    assert_ne!(mails[1]["headers"]["message-id"], mails[0]["headers"]["message-id"]);
    jobs_done(&team).await;
    assert_eq!(relay.mails().len(), 2);
    assert_discreet(&team, &["kettle", &token(&mails[0], "unsubscribe")]);
}

#[tokio::test]
async fn what_came_within_the_time_is_in_one_mail() {
    let relay = Relay::start();
    let team = relay.team_with(&[("CAMPFIRE_MAIL_AFTER", "4")]).await;
    let ben = team.join("Ben").await;
    let direct = ben.direct_with(&[&team.ada]).await;
    ben.say(direct, "first in private").await;
    mention(&ben, team.room, &team.ada, "then for all").await;
    ben.say(team.room, "of no interest to anybody in particular").await;
    for number in 0..25 {
        ben.say(direct, &format!("number {number} of many")).await;
    }
    let mails = relay.take(1).await;
    assert_eq!(mails[0]["headers"]["subject"], "27 unread messages for you in Kontor");
    let text = mails[0]["text"].as_str().unwrap();
    assert!(text.contains("then for all") && text.contains("first in private"), "{text}");
    assert!(text.contains("And 7 more.") && !text.contains("in particular"), "{text}");
    jobs_done(&team).await;
    assert_eq!(relay.mails().len(), 1);
}

#[tokio::test]
async fn nothing_is_mailed_of_what_was_read_deleted_or_edited_away() {
    let relay = Relay::start();
    let team = relay.team_with(&[("CAMPFIRE_MAIL_AFTER", "3")]).await;
    let (ben, cleo) = (team.join("Ben").await, team.join("Cleo").await);
    let (dora, emil) = (team.join("Dora").await, team.join("Emil").await);
    // Ada reads hers, Cleo's is deleted, Dora's is edited.
    let read = mention(&ben, team.room, &team.ada, "to be read").await;
    team.ada
        .post(&format!("/api/rooms/{}/read", team.room), json!({"message_id": read["id"]}))
        .await
        .expect(204);
    let deleted = mention(&ben, team.room, &cleo, "to be deleted").await;
    ben.delete(&format!("/api/messages/{}", deleted["id"])).await.expect(204);
    let edited = mention(&ben, team.room, &dora, "to be edited").await;
    ben.patch(&format!("/api/messages/{}", edited["id"]), json!({"content": "nobody is meant"}))
        .await
        .expect(200);
    assert_eq!(before_sentinel(&relay, &ben, team.room, &emil).await, [Value::Null; 0]);
    jobs_done(&team).await;
    assert_eq!(relay.mails().len(), 1);
}

#[tokio::test]
async fn who_was_here_in_the_meantime_gets_no_mail() {
    let relay = Relay::start();
    let team = relay.team_with(&[("CAMPFIRE_MAIL_AFTER", "3")]).await;
    let (ben, cleo) = (team.join("Ben").await, team.join("Cleo").await);
    mention(&ben, team.room, &team.ada, "while nobody looks").await;
    let looking = team.ada.socket().await;
    drop(looking);
    assert_eq!(before_sentinel(&relay, &ben, team.room, &cleo).await, [Value::Null; 0]);
    jobs_done(&team).await;
    assert_eq!(relay.mails().len(), 1);
}

#[tokio::test]
async fn involvement_membership_and_authorship_are_respected() {
    let relay = Relay::start();
    let team = relay.team().await;
    let (ben, cleo) = (team.join("Ben").await, team.join("Cleo").await);
    let (dora, emil) = (team.join("Dora").await, team.join("Emil").await);
    let secret = team.closed_room("Secret", &[&ben, &dora]).await;
    // Ada wants nothing of the room; Cleo is not in it; Dora is removed before the mail; Ben mentions himself.
    let nothing = json!({"involvement": "nothing"});
    team.ada.put(&format!("/api/rooms/{}/involvement", team.room), nothing).await.expect(200);
    mention(&ben, team.room, &team.ada, "hello").await;
    mention(&ben, secret, &cleo, "hello").await;
    mention(&ben, secret, &dora, "hello").await;
    ben.delete(&format!("/api/rooms/{secret}/members/{}", dora.id)).await.expect(204);
    mention(&ben, team.room, &ben, "hello").await;
    assert_eq!(before_sentinel(&relay, &ben, team.room, &emil).await, [Value::Null; 0]);
    // Who wants to hear everything of a room is still told only of what is for them; `@room` is for all.
    let everything = json!({"involvement": "everything"});
    cleo.put(&format!("/api/rooms/{}/involvement", team.room), everything).await.expect(200);
    ben.say(team.room, "for nobody").await;
    ben.say(team.room, "@room for everybody").await;
    let mails = relay.take(4).await;
    let mut told: Vec<&str> = mails[1..].iter().map(to).collect();
    told.sort_unstable();
    assert_eq!(told, ["cleo@example.com", "dora@example.com", "emil@example.com"]);
    assert!(mails.iter().all(|mail| !mail["text"].as_str().unwrap().contains("for nobody")));
}

#[tokio::test]
async fn who_wants_no_mail_gets_none() {
    let relay = Relay::start();
    let team = relay.team().await;
    let (ben, cleo) = (team.join("Ben").await, team.join("Cleo").await);
    let default = team.ada.get("/api/mail").await.expect(200);
    assert_eq!(
        default,
        json!({"wish": "away", "after_s": 1, "daily_at": "07:00", "email": "ada@example.com", "refusal": null})
    );
    let never = team.ada.put("/api/mail", json!({"wish": "never"})).await.expect(200);
    assert_eq!(never["wish"], "never");
    team.ada.put("/api/mail", json!({"wish": "often"})).await.problem(422, "invalid");
    team.ada.put("/api/mail", json!({})).await.problem(422, "invalid");
    mention(&ben, team.room, &team.ada, "hello").await;
    assert_eq!(before_sentinel(&relay, &ben, team.room, &cleo).await, [Value::Null; 0]);
}

/// What waits survives a crash, is mailed once, and so does the time of the daily mail.
#[tokio::test]
async fn what_waits_survives_a_crash() {
    let relay = Relay::start();
    let mut team = relay.team_with(&[("CAMPFIRE_MAIL_AFTER", "5")]).await;
    let (ben, cleo) = (team.join("Ben").await, team.join("Cleo").await);
    cleo.put("/api/mail", json!({"wish": "daily"})).await.expect(200);
    mention(&ben, team.room, &team.ada, "before the crash").await;
    mention(&ben, team.room, &cleo, "for tomorrow").await;
    jobs_done(&team).await;
    team.server.kill();
    let db = rusqlite::Connection::open(team.server.database()).unwrap();
    let due = |user: i64| -> String {
        let sql = "select strftime('%H:%M:%S', due_at / 1000, 'unixepoch') from mail where user_id = ?";
        db.query_row(sql, [user], |row| row.get(0)).unwrap()
    };
    assert_eq!(due(cleo.id), "07:00:00");
    team.server.restart();
    let mails = relay.take(1).await;
    assert!(
        to(&mails[0]) == "ada@example.com" && mails[0]["text"].as_str().unwrap().contains("before the crash")
    );
    jobs_done(&team).await;
    team.server.kill();
    db.execute("update mail set due_at = unixepoch() * 1000 - 1 where due_at is not null", []).unwrap();
    team.server.restart();
    let mails = relay.take(2).await;
    assert!(
        to(&mails[1]) == "cleo@example.com" && mails[1]["text"].as_str().unwrap().contains("for tomorrow")
    );
    jobs_done(&team).await;
    assert_eq!(relay.mails().len(), 2);
}

#[tokio::test]
async fn mails_are_in_the_language_of_the_page() {
    let relay = Relay::start();
    let team = relay.team().await;
    let ben = team.join("Ben").await;
    let page =
        team.ada.request("GET", "/api/session").header("accept-language", "de-CH,de;q=0.9").send().await;
    page.expect(200);
    mention(&ben, team.room, &team.ada, "hallo").await;
    let mails = relay.take(1).await;
    assert_eq!(mails[0]["headers"]["subject"], "Ben hat dich in All Talk erwähnt");
    assert!(mails[0]["html"].as_str().unwrap().contains("lang=\"de\""));
    // Nobody knows the language of somebody who is not signed in, but their browser says it.
    let body = json!({"email": "ben@example.com"}).to_string();
    let asked = team.nobody();
    let asked = asked.request("POST", "/api/session/reset").header("accept-language", "de");
    assert_eq!(asked.body("application/json", body).send().await.status, 202);
    assert_eq!(relay.take(2).await[1]["headers"]["subject"], "Ein neues Passwort für Kontor");
}

#[tokio::test]
async fn names_are_right_in_every_script() {
    let relay = Relay::start();
    let team = relay.team().await;
    let names = [
        "Ångström, \"Bär\" \\ <x@y.example>",
        "王小明",
        "نور الهدى",
        "שרה לוי",
        "नमिता शर्मा",
        "👩‍🚀 Zoë 🇩🇪",
        "=?utf-8?q?Eve?=",
    ];
    let long = "Ħ".repeat(100);
    for (number, name) in names.iter().copied().chain([long.as_str()]).enumerate() {
        let changed = team.ada.patch(&format!("/api/users/{}", team.ada.id), json!({ "name": name })).await;
        changed.expect(200);
        let reader = team.join(&format!("Reader {number}")).await;
        let said = mention(&team.ada, team.room, &reader, "**für** 王 🎉").await;
        assert!(said["id"].is_i64());
        let mails = relay.take(number + 1).await;
        let mail = &mails[number];
        // Between the first two signs of an encoded word there is a character that nobody sees.
        let subject = mail["headers"]["subject"].as_str().unwrap().replace('\u{2060}', "");
        let shown = if name.chars().count() > 60 { "ĦĦĦ" } else { name };
        assert!(subject.starts_with(shown) && subject.ends_with("mentioned you in All Talk"), "{subject}");
        assert!(mail["text"].as_str().unwrap().contains(&format!("{name} in All Talk")), "{mail}");
        assert!(mail["text"].as_str().unwrap().contains("für 王 🎉"), "{mail}");
        assert!(mail["longest"].as_u64().unwrap() <= 998 && mail["is_ascii"] == true, "{mail}");
        assert_eq!(mail["defects"], json!([]), "{mail}");
    }
    let changed = team.ada.patch("/api/account", json!({"name": "Café \"Zur Sonne\", 東京"})).await;
    changed.expect(200);
    team.ada.post("/api/mail/test", json!({})).await;
    let mails = relay.take(names.len() + 2).await;
    let mail = mails.last().unwrap();
    assert_eq!(mail["from_name"], "Café \"Zur Sonne\", 東京");
    // Python 3.11 puts a space where a name goes on in a second encoded word (against RFC 2047, section 6.2).
    assert_eq!(mail["to_name"].as_str().unwrap().replace(' ', ""), "Ħ".repeat(60) + "…");
}
