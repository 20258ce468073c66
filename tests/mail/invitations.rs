//! Invitations by mail.

use rusqlite::Connection;

use super::relay::*;
use crate::support::*;

/// A team with somebody who came from another chat.
async fn moved(relay: &Relay, email: Option<&str>) -> (Team, i64) {
    let mut team = relay.team().await;
    team.server.terminate();
    let db = Connection::open(team.server.database()).unwrap();
    db.execute(
        "insert into users (name, email, role, status, created_at) values ('Imre Kovács', ?, 'member', 'active', 0)",
        [email],
    )
    .unwrap();
    let id = db.last_insert_rowid();
    drop(db);
    team.server.restart();
    (team, id)
}

#[tokio::test]
async fn somebody_who_was_imported_is_invited_by_mail() {
    let relay = Relay::start();
    let (team, imre) = moved(&relay, Some("imre@old.example")).await;
    let path = format!("/api/users/{imre}/invitation/mail");
    let invited = team.ada.post(&path, json!({})).await.expect(202);
    assert_time(&invited["expires_at"]);
    assert_eq!(invited.as_object().unwrap().len(), 1, "the link is for its owner alone");
    let mails = relay.take(1).await;
    assert_eq!((to(&mails[0]), &mails[0]["to_name"]), ("imre@old.example", &json!("Imre Kovács")));
    assert_eq!(mails[0]["headers"]["subject"], "Invitation to Kontor");
    assert!(mails[0]["text"].as_str().unwrap().contains("Ada invites you to Kontor"));
    let token = token(&mails[0], "invite");
    jobs_done(&team).await;
    let claim = json!({"email": "imre@new.example", "password": PASSWORD});
    let claimed = team.nobody().post(&format!("/api/invitations/{token}"), claim).await;
    assert_eq!(claimed.expect(201)["user"]["id"], imre);
    team.ada.post(&path, json!({})).await.problem(409, "conflict");
    assert_discreet(&team, &[&token, "@old.example"]);
}

#[tokio::test]
async fn invitation_by_mail_needs_an_administrator_an_address_and_somebody_to_invite() {
    let relay = Relay::start();
    let (team, imre) = moved(&relay, None).await;
    let ben = team.join("Ben").await;
    let invite = |id: i64| format!("/api/users/{id}/invitation/mail");
    let refused = team.ada.post(&invite(imre), json!({})).await.problem(409, "conflict");
    assert!(refused["detail"].as_str().unwrap().contains("no e-mail address"), "{refused}");
    ben.post(&invite(imre), json!({})).await.problem(403, "forbidden");
    team.ada.post(&invite(ben.id), json!({})).await.problem(409, "conflict");
    team.ada.post(&invite(999), json!({})).await.problem(404, "not_found");
    jobs_done(&team).await;
    assert!(relay.mails().is_empty());
}

#[tokio::test]
async fn invitation_that_is_refused_is_given_up_without_its_link() {
    let relay = Relay::start();
    relay.rules(json!({"recipients": {"imre@old.example": "550 5.1.1 unknown"}}));
    let (team, imre) = moved(&relay, Some("imre@old.example")).await;
    let path = format!("/api/users/{imre}/invitation/mail");
    team.ada.post(&path, json!({})).await.expect(202);
    let job = given_up(&team).await;
    let db = Connection::open(team.server.database()).unwrap();
    let payload: Option<String> = db.query_row("select payload from jobs", [], |row| row.get(0)).unwrap();
    assert_eq!(payload, None, "the link is in no table");
    // To try it again is to invite again.
    team.ada.post(&format!("/api/jobs/{}/retry", job["id"]), json!({})).await.expect(204);
    within("the sentence", async {
        while given_up(&team).await["error"] != "its content is gone: have it sent again" {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    })
    .await;
    team.ada.post(&path, json!({})).await.problem(409, "conflict");
}

/// The link in a mail goes to the address that the import knew, so whoever follows it is the one it was imported for.
#[tokio::test]
async fn somebody_who_was_imported_can_have_a_password_by_mail() {
    let relay = Relay::start();
    let (team, imre) = moved(&relay, Some("imre@old.example")).await;
    let asked = team.nobody().post("/api/session/reset", json!({"email": "imre@old.example"})).await;
    assert_eq!(asked.status, 202);
    let link = format!("/api/session/reset/{}", token(&relay.take(1).await[0], "reset"));
    let mut socket = team.ada.socket().await;
    team.nobody().post(&link, json!({"password": "another quiet evening"})).await.expect(201);
    let event = socket.expect("user.updated").await;
    assert_eq!((&event["user"]["id"], event["user"].get("is_unclaimed")), (&json!(imre), None));
}

#[tokio::test]
async fn somebody_new_is_invited_by_mail() {
    let relay = Relay::start();
    let team = relay.team().await;
    let room = team.ada.post("/api/rooms", json!({"name": "Offsite", "kind": "closed"})).await.expect(201);
    let wanted = json!({"role": "guest", "room_ids": [room["id"]], "email": "gast@out.example"});
    let made = team.ada.post("/api/invitations", wanted).await.expect(201);
    let mails = relay.take(1).await;
    assert_eq!(to(&mails[0]), "gast@out.example");
    let token = token(&mails[0], "invite");
    assert_eq!(made["token"], token);
    let joining = json!({"name": "Gast", "email": "gast@out.example", "password": PASSWORD});
    let joined = team.nobody().post(&format!("/api/invitations/{token}"), joining).await.expect(201);
    assert_eq!(joined["user"]["role"], "guest");
    jobs_done(&team).await;
    assert_discreet(&team, &[&token, "@out.example"]);
    let wrong = json!({"email": "nowhere"});
    team.ada.post("/api/invitations", wrong).await.problem(422, "invalid");
}

#[tokio::test]
async fn nobody_new_is_invited_by_mail_where_none_is_sent() {
    let team = Team::start().await;
    let wanted = json!({"email": "gast@out.example"});
    team.ada.post("/api/invitations", wanted).await.problem(409, "conflict");
    let all = team.ada.get("/api/invitations").await.expect(200);
    assert_eq!(all["invitations"], json!([]), "none was made that nobody knows of");
}
