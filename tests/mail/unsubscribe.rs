//! Ending mails with one click (RFC 8058).

use super::relay::*;
use crate::support::*;

#[tokio::test]
async fn one_click_ends_mails_whoever_sends_it_and_however_often() {
    let relay = Relay::start();
    let team = relay.team().await;
    let (ben, cleo) = (team.join("Ben").await, team.join("Cleo").await);
    mention(&ben, team.room, &team.ada, "hello").await;
    let mails = relay.take(1).await;
    let path = format!("/unsubscribe/{}", token(&mails[0], "unsubscribe"));
    let nobody = team.nobody();
    // A program that opens links in advance changes nothing.
    let page = nobody.get(&path).await;
    assert_eq!((page.status, page.header("cache-control")), (200, Some("no-store")));
    assert!(page.text().contains("<form method=\"post\"><button>") && !page.text().contains("Ada"));
    assert!(page.header("content-security-policy").unwrap().starts_with("default-src 'none'"));
    nobody.request("HEAD", &path).send().await;
    assert_eq!(team.ada.get("/api/mail").await.expect(200)["wish"], "away");
    // A mail program sends what the mail says, without a cookie, and a web mail of another site maybe with an origin.
    let multipart =
        "--x\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--x--\r\n";
    for (kind, body) in [
        ("application/x-www-form-urlencoded", "List-Unsubscribe=One-Click"),
        ("multipart/form-data; boundary=x", multipart),
        ("application/x-www-form-urlencoded", ""),
        ("", ""),
    ] {
        team.ada.put("/api/mail", json!({"wish": "at_once"})).await.expect(200);
        for _ in 0..2 {
            let sent = nobody
                .request("POST", &path)
                .header("origin", "https://mail.example")
                .header("sec-fetch-site", "cross-site")
                .body(kind, body)
                .send()
                .await;
            assert_eq!((sent.status, sent.header("location")), (200, None), "{kind}: {}", sent.text());
            assert_eq!(team.ada.get("/api/mail").await.expect(200)["wish"], "never", "{kind}");
        }
    }
    assert_eq!(cleo.get("/api/mail").await.expect(200)["wish"], "away", "nobody else's");
    mention(&ben, team.room, &team.ada, "hello again").await;
    mention(&ben, team.room, &cleo, "the last one").await;
    let mails = relay.take(2).await;
    assert_eq!(to(&mails[1]), "cleo@example.com");
    assert_ne!(token(&mails[1], "unsubscribe"), token(&mails[0], "unsubscribe"));
}

#[tokio::test]
async fn unknown_and_large_unsubscriptions_are_refused() {
    let relay = Relay::start();
    let team = relay.team().await;
    let ben = team.join("Ben").await;
    let nobody = team.nobody();
    let form = "application/x-www-form-urlencoded";
    for path in ["/unsubscribe/x", "/unsubscribe/%27%20or%201"] {
        nobody.get(path).await.problem(404, "not_found");
        let sent = nobody.request("POST", path).body(form, "List-Unsubscribe=One-Click").send().await;
        sent.problem(404, "not_found");
    }
    mention(&ben, team.room, &team.ada, "hello").await;
    let path = format!("/unsubscribe/{}", token(&relay.take(1).await[0], "unsubscribe"));
    nobody.request("POST", &path).body(form, "x".repeat(100_000)).send().await.problem(413, "too_large");
    nobody.request("PUT", &path).send().await.problem(405, "method_not_allowed");
    assert_eq!(team.ada.get("/api/mail").await.expect(200)["wish"], "away");
}

#[tokio::test]
async fn page_is_in_the_language_of_its_person() {
    let relay = Relay::start();
    let team = relay.team().await;
    let ben = team.join("Ben").await;
    team.ada.request("GET", "/api/session").header("accept-language", "de").send().await;
    mention(&ben, team.room, &team.ada, "hallo").await;
    let path = format!("/unsubscribe/{}", token(&relay.take(1).await[0], "unsubscribe"));
    let page = team.nobody().get(&path).await;
    assert!(
        page.text().contains("Keine Mails mehr?") && page.text().contains("lang=\"de\""),
        "{}",
        page.text()
    );
}
