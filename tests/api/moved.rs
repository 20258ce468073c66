//! What goes on after a move from ONCE Campfire to the same host: addresses, and who is signed in.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use rusqlite::Connection;

use crate::support::{http::Credentials, *};

/// A token as ONCE Campfire makes them.
const TOKEN: &str = "q8Rk2mZx7Lp4Wn9Tc5Vb3Hs6";

/// ONCE Campfire's cookie with a token. The signature is by a secret that nobody here knows.
fn once_cookie(token: &str) -> String {
    let message = STANDARD.encode(format!("\"{token}\""));
    let json = format!(
        r#"{{"_rails":{{"message":"{message}","exp":"2046-08-01T10:00:00.000Z","pur":"cookie.session_token"}}}}"#
    );
    format!("session_token={}--{}", STANDARD.encode(json).replace('=', "%3D"), "ab".repeat(20))
}

/// A team whose Grace has a session that was imported, with this token.
async fn moved() -> (Team, Person) {
    let mut team = Team::start().await;
    let grace = team.join("Grace").await;
    let db = Connection::open(team.server.database()).unwrap();
    let hash: Vec<u8> = {
        use sha2::{Digest, Sha256};
        Sha256::digest(TOKEN).to_vec()
    };
    db.execute(
        "insert into sessions (token_hash, user_id, user_agent, ip_address, created_at, last_active_at, kind)
         values (?, ?, 'Firefox', '', 1700000000000, 1700000000000, 'device')",
        (hash, grace.id),
    )
    .unwrap();
    drop(db);
    team.server.terminate();
    team.server.restart();
    (team, grace)
}

fn cookies_of(reply: &Reply) -> Vec<String> {
    reply.headers.get_all("set-cookie").iter().map(|line| line.to_str().unwrap().to_owned()).collect()
}

/// Our cookie for the same session, and the end of theirs.
#[track_caller]
fn assert_exchanged(reply: &Reply) {
    let lines = cookies_of(reply);
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(
        lines[0].starts_with(&format!("campfire_session={TOKEN}; Path=/; HttpOnly; SameSite=Lax")),
        "{lines:?}"
    );
    assert!(lines[1].starts_with("session_token=; Path=/") && lines[1].contains("Max-Age=0"), "{lines:?}");
    assert_eq!(reply.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn once_cookie_is_exchanged_for_ours_at_the_page_and_at_the_session() {
    let (team, grace) = moved().await;
    let nobody = team.nobody();
    for path in ["/", "/rooms/1", "/api/session"] {
        let reply = nobody.request("GET", path).header("cookie", &once_cookie(TOKEN)).send().await;
        assert_eq!(reply.status, 200, "{path}");
        assert_exchanged(&reply);
    }
    let reply = nobody.request("GET", "/api/session").header("cookie", &once_cookie(TOKEN)).send().await;
    assert_eq!(reply.expect(200)["user"]["id"], grace.id);
    let exchanged = nobody.with(Credentials::Cookie(reply.cookie()));
    let devices = exchanged.get("/api/sessions").await.expect(200);
    let current = devices["sessions"].as_array().unwrap().iter().find(|it| it["current"] == true).unwrap();
    assert_eq!(current["user_agent"], "Firefox", "it is the session that was moved");
    assert_eq!(cookies_of(&exchanged.get("/").await), [""; 0], "ours is good");
    // Everything else takes it as well, without an exchange.
    let rooms = nobody.request("GET", "/api/rooms").header("cookie", &once_cookie(TOKEN)).send().await;
    rooms.expect(200);
    assert_eq!(cookies_of(&rooms), [""; 0]);
}

#[tokio::test]
async fn once_cookie_counts_where_ours_is_missing_or_no_longer_good() {
    let (team, grace) = moved().await;
    let asked = async |cookies: String| {
        team.nobody().request("GET", "/api/session").header("cookie", &cookies).send().await
    };
    let stale = asked(format!("campfire_session=stale; {}", once_cookie(TOKEN))).await;
    assert_eq!(stale.expect(200)["user"]["id"], grace.id);
    assert_exchanged(&stale);
    let ours = asked(format!("{}; campfire_session={}", once_cookie(TOKEN), team.ada.token)).await;
    assert_eq!(ours.expect(200)["user"]["id"], team.ada.id, "ours comes first");
    assert_eq!(cookies_of(&ours), [""; 0]);
    let other = TOKEN.to_lowercase();
    for wrong in
        [&*once_cookie(&other), &format!("session_token={TOKEN}"), "session_token=", "session_token=%--%"]
    {
        let refused = asked(wrong.to_owned()).await;
        refused.problem(401, "not_signed_in");
        assert_eq!(cookies_of(&refused), [""; 0], "{wrong}");
        let page = team.nobody().request("GET", "/").header("cookie", wrong).send().await;
        assert_eq!((page.status, cookies_of(&page)), (200, vec![]), "{wrong}");
    }
    // A bot's key in it signs nobody in: browsers have sessions of devices.
    let bot = team.ada.post("/api/bots", json!({"name": "Builder"})).await.expect(201);
    asked(once_cookie(bot["key"].as_str().unwrap())).await.problem(401, "not_signed_in");
}

#[tokio::test]
async fn once_cookie_opens_a_socket_and_writes_but_not_from_another_site() {
    let (team, grace) = moved().await;
    // As a browser sends both.
    let browser = team.nobody().with(Credentials::Cookie(format!("stale; {}", once_cookie(TOKEN))));
    let mut socket = Socket::connect(&browser).await;
    socket.join(team.room).await;
    let said = browser.post("/api/messages", json!({"room_id": team.room, "content": "Still here"})).await;
    assert_eq!(said.expect(201)["creator_id"], grace.id);
    let forged = browser.request("POST", "/api/messages").header("origin", "https://evil.example");
    let forged = forged.json(json!({"room_id": team.room, "content": "Not me"})).send().await;
    forged.problem(403, "cross_site_request");
}

#[tokio::test]
async fn signing_out_ends_a_session_that_was_moved() {
    let (team, _) = moved().await;
    let nobody = team.nobody();
    let out = nobody.request("DELETE", "/api/session").header("cookie", &once_cookie(TOKEN)).send().await;
    assert_eq!(out.status, 204);
    let lines = cookies_of(&out);
    for name in ["campfire_session=;", "session_token=;"] {
        let is_removed = |line: &String| line.starts_with(name) && line.contains("Max-Age=0");
        assert!(lines.iter().any(is_removed), "{name} {lines:?}");
    }
    let again = nobody.request("GET", "/api/session").header("cookie", &once_cookie(TOKEN)).send().await;
    again.problem(401, "not_signed_in");
    nobody.with(Credentials::Cookie(TOKEN.into())).get("/api/session").await.problem(401, "not_signed_in");
}

#[tokio::test]
async fn addresses_of_once_lead_to_their_counterparts() {
    let team = Team::start().await;
    let nobody = team.nobody();
    let signed = |json: String| format!("{}--{}", URL_SAFE_NO_PAD.encode(json), "0a".repeat(32));
    let rails_8 = signed(r#"{"_rails":{"data":12,"pur":"avatar"}}"#.into());
    let rails_7 = signed(format!(
        r#"{{"_rails":{{"message":"{}","exp":null,"pur":"avatar"}}}}"#,
        STANDARD.encode("12")
    ));
    for (path, target) in [
        ("/session/new", "/signin"),
        ("/session/transfers/abc--def", "/signin"),
        ("/first_run", "/setup"),
        ("/searches", "/search"),
        ("/searches?q=caf%C3%A9+ole", "/search?q=caf%C3%A9+ole"),
        ("/users/12", "/"),
        ("/users/me/profile", "/settings/profile"),
        ("/users/me/push_subscriptions", "/settings/notifications"),
        ("/users/me/sidebar", "/"),
        ("/users/12/avatar?v=3", "/avatars/12"),
        (&format!("/users/{rails_8}/avatar"), "/avatars/12"),
        (&format!("/users/{rails_7}/avatar"), "/avatars/12"),
        ("/rooms/3/messages/77", "/rooms/3/@77"),
        ("/rooms/closeds/3/edit", "/rooms/3"),
        ("/account", "/settings/account"),
        ("/account/edit", "/settings/account"),
        ("/account/users", "/settings/people"),
        ("/account/bots", "/settings/bots"),
        ("/account/bots/new", "/settings/bots"),
        ("/account/bots/4/edit", "/settings/bots"),
        ("/account/custom_styles/edit", "/settings/css"),
        ("/account/logo", "/api/account/logo"),
    ] {
        for method in ["GET", "HEAD"] {
            let led = nobody.request(method, path).send().await;
            assert_eq!((led.status, led.header("location")), (302, Some(target)), "{method} {path}");
            assert_eq!(led.header("cache-control"), Some("no-store"), "a proxy keeps nothing of it");
        }
    }
    for path in [
        "/users/nobody/avatar",
        "/users/--/avatar",
        "/users/-3/avatar",
        "/users/me/password",
        "/rooms/a/messages/7",
        "/rooms/3/messages/b",
        "/rooms/opens/x/edit",
        "/account/nothing",
    ] {
        nobody.get(path).await.problem(404, "not_found");
    }
    for path in [format!("/rooms/{}/@77", team.room), format!("/join/{}", team.join_code)] {
        let page = nobody.get(&path).await;
        assert_eq!(
            (page.status, page.header("content-type")),
            (200, Some("text/html; charset=utf-8")),
            "{path}"
        );
    }
    nobody.post("/account/edit", json!({})).await.problem(405, "method_not_allowed");
}

#[tokio::test]
async fn up_is_a_green_page_before_the_first_run_and_after_it() {
    let server = Server::start();
    let nobody = Client::new(server.address(), Credentials::None);
    for method in ["GET", "HEAD"] {
        let up = nobody.request(method, "/up").send().await;
        assert_eq!((up.status, up.header("content-type")), (200, Some("text/html; charset=utf-8")));
        assert_eq!(up.text().contains("background-color: green"), method == "GET");
    }
    let team = Team::on(server).await;
    assert_eq!(team.nobody().get("/up").await.status, 200);
}

#[tokio::test]
async fn worker_and_manifest_are_ours_at_the_paths_of_once() {
    let team = Team::start().await;
    let nobody = team.nobody();
    for (theirs, ours) in [
        ("/service-worker.js", "/sw.js"),
        ("/service-worker", "/sw.js"),
        ("/webmanifest", "/manifest.webmanifest"),
        ("/webmanifest.json", "/manifest.webmanifest"),
    ] {
        let (one, other) = (nobody.get(theirs).await, nobody.get(ours).await);
        assert_eq!((one.status, other.status), (200, 200), "{theirs}");
        assert_eq!(one.body, other.body, "{theirs}");
        for header in ["content-type", "cache-control", "etag"] {
            assert_eq!(one.header(header), other.header(header), "{theirs} {header}");
        }
        assert_eq!(one.header("cache-control"), Some("no-cache"), "a browser looks each time");
    }
    let manifest = nobody.get("/webmanifest").await.json();
    assert_eq!(manifest["name"], "Kontor");
}
