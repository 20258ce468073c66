//! What holds for every route: authentication, methods, bodies, errors, request ids, conditional and compressed responses.

use std::io::Read;

use crate::support::*;

/// Routes that need authentication.
const PRIVATE: &[(&str, &str)] = &[
    ("GET", "/api/session"),
    ("DELETE", "/api/session"),
    ("GET", "/api/sessions"),
    ("DELETE", "/api/sessions/1"),
    ("GET", "/api/account"),
    ("PATCH", "/api/account"),
    ("POST", "/api/account/join_code"),
    ("GET", "/api/users"),
    ("GET", "/api/users/1"),
    ("PATCH", "/api/users/1"),
    ("DELETE", "/api/users/1"),
    ("GET", "/api/rooms"),
    ("POST", "/api/rooms"),
    ("GET", "/api/rooms/1"),
    ("PATCH", "/api/rooms/1"),
    ("DELETE", "/api/rooms/1"),
    ("GET", "/api/rooms/1/members"),
    ("PUT", "/api/rooms/1/members"),
    ("PUT", "/api/rooms/1/involvement"),
    ("POST", "/api/rooms/1/read"),
    ("GET", "/api/rooms/1/messages"),
    ("POST", "/api/messages"),
    ("GET", "/api/messages/1"),
    ("PATCH", "/api/messages/1"),
    ("DELETE", "/api/messages/1"),
    ("GET", "/api/search?q=fire"),
    ("GET", "/api/searches"),
    ("DELETE", "/api/searches"),
    ("GET", "/api/sync?since=0"),
];

#[tokio::test]
async fn unauthenticated_requests_get_401_on_every_private_route() {
    let team = Team::start().await;
    let strangers = [
        team.nobody(),
        team.nobody().with(http::Credentials::Cookie("forged".into())),
        team.nobody().with(http::Credentials::Bearer("forged".into())),
        team.nobody().with(http::Credentials::Bearer(String::new())),
    ];
    for (method, path) in PRIVATE {
        for stranger in &strangers {
            let draft = stranger.request(method, path);
            let draft = if *method == "GET" { draft } else { draft.json(json!({})) };
            draft.send().await.problem(401, "not_signed_in");
        }
    }
}

#[tokio::test]
async fn wrong_method_is_405_with_an_allow_header() {
    let team = Team::start().await;
    let routes: &[(&str, &[&str], &str)] = &[
        ("/health", &["GET"], "POST"),
        ("/metrics", &["GET"], "DELETE"),
        ("/api/setup", &["GET", "POST"], "PUT"),
        ("/api/session", &["GET", "POST", "DELETE"], "PATCH"),
        ("/api/sessions", &["GET"], "POST"),
        ("/api/sessions/1", &["DELETE"], "GET"),
        ("/api/join/abcd-efgh-ijkl", &["POST"], "DELETE"),
        ("/api/account", &["GET", "PATCH"], "DELETE"),
        ("/api/account/join_code", &["POST"], "GET"),
        ("/api/users", &["GET"], "POST"),
        ("/api/users/1", &["GET", "PATCH", "DELETE"], "PUT"),
        ("/api/rooms", &["GET", "POST"], "DELETE"),
        ("/api/rooms/1", &["GET", "PATCH", "DELETE"], "PUT"),
        ("/api/rooms/1/members", &["GET", "PUT"], "POST"),
        ("/api/rooms/1/involvement", &["PUT"], "GET"),
        ("/api/rooms/1/read", &["POST"], "GET"),
        ("/api/rooms/1/messages", &["GET"], "POST"),
        ("/api/messages", &["POST"], "GET"),
        ("/api/messages/1", &["GET", "PATCH", "DELETE"], "PUT"),
        ("/api/search", &["GET"], "POST"),
        ("/api/searches", &["GET", "DELETE"], "PUT"),
        ("/api/sync", &["GET"], "POST"),
    ];
    for (path, allowed, wrong) in routes {
        let reply = team.ada.request(wrong, path).json(json!({})).send().await;
        reply.problem(405, "method_not_allowed");
        let allow = reply.header("allow").unwrap_or_else(|| panic!("{path}: no Allow"));
        let named: Vec<&str> = allow.split(',').map(str::trim).collect();
        assert!(allowed.iter().all(|method| named.contains(method)), "{path}: {allow}");
        assert!(!named.contains(wrong), "{path}: {allow}");
    }
    // An unknown method is refused too.
    team.ada.request("BREW", "/api/rooms").send().await.refused(405);
}

#[tokio::test]
async fn unknown_path_or_id_is_404() {
    let team = Team::start().await;
    for path in [
        "/api",
        "/api/",
        "/api/nothing",
        "/api/rooms/",
        "/api/rooms/1/nothing",
        "/api/rooms/one",
        "/api/rooms/0",
        "/api/rooms/-1",
        "/api/rooms/1.0",
        "/api/rooms/+1",
        "/api/rooms/%31%00",
        "/api/rooms/99999999999999999999999999",
        "/api/rooms/9223372036854775807",
        "/api/rooms/-9223372036854775808",
        "/api/messages/0",
        "/api/messages/9223372036854775807",
        "/api/messages/-5",
        "/api/users/9223372036854775807",
        "/api/users/0",
        "/api//rooms",
        "/api/rooms/1/messages/../messages",
        "/assets/nothing-12345678.js",
    ] {
        team.ada.get(path).await.problem(404, "not_found");
    }
}

#[tokio::test]
async fn json_body_that_is_malformed_is_400_and_one_that_is_no_object_is_refused() {
    let team = Team::start().await;
    let deep = "[".repeat(100_000);
    let broken =
        ["", "{", "{\"room_id\":1,}", "nonsense", "{\"room_id\":1}trailing", "\u{feff}{", &deep, "{'a':1}"];
    for body in broken {
        let reply =
            team.ada.request("POST", "/api/messages").body("application/json", body.to_owned()).send().await;
        reply.refused(400);
    }
    let reply =
        team.ada.request("POST", "/api/messages").body("application/json", &b"{\"content\":\"\xff\"}"[..]);
    reply.send().await.refused(400);
    for body in ["[]", "1", "null", "\"text\"", "true"] {
        let reply = team.ada.request("POST", "/api/messages").body("application/json", body).send().await;
        assert!(matches!(reply.status, 400 | 422), "{body}: {}", reply.status);
        reply.refused(reply.status);
    }
}

#[tokio::test]
async fn content_type_other_than_json_is_415() {
    let team = Team::start().await;
    let body = json!({"room_id": team.room, "content": "Hello"}).to_string();
    for kind in
        ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonp"]
    {
        let reply = team.ada.request("POST", "/api/messages").body(kind, body.clone()).send().await;
        reply.problem(415, "unsupported_media_type");
    }
    for kind in ["application/json", "application/json; charset=utf-8", "Application/JSON;charset=UTF-8"] {
        team.ada.request("POST", "/api/messages").body(kind, body.clone()).send().await.expect(201);
    }
}

#[tokio::test]
async fn unknown_fields_are_ignored_and_wrong_types_are_422() {
    let team = Team::start().await;
    let message =
        team.ada.post("/api/messages", json!({"room_id": team.room, "content": "Hi", "colour": [1]})).await;
    message.expect(201);
    let wrong: &[(Value, &[&str])] = &[
        (json!({}), &["room_id", "content"]),
        (json!({"room_id": "1", "content": "Hi"}), &["room_id"]),
        (json!({"room_id": 1.5, "content": "Hi"}), &["room_id"]),
        (json!({"room_id": [], "content": {}}), &["room_id", "content"]),
        (json!({"room_id": team.room, "content": 5}), &["content"]),
        (json!({"room_id": team.room, "content": null}), &["content"]),
        (json!({"room_id": team.room, "content": "Hi", "client_message_id": 7}), &["client_message_id"]),
        (json!({"room_id": team.room, "content": "Hi", "reply_to_id": "7"}), &["reply_to_id"]),
        (json!({"room_id": team.room, "content": "Hi", "reply_to_id": true}), &["reply_to_id"]),
    ];
    for (body, fields) in wrong {
        team.ada.post("/api/messages", body.clone()).await.invalid(fields);
    }
}

#[tokio::test]
async fn request_id_is_on_every_answer_and_a_printable_one_is_kept() {
    let team = Team::start().await;
    let longest = "x".repeat(128);
    for own in ["a", "7f3a-22", "tab~!@#$%^&*()", &longest] {
        let reply = team.ada.request("GET", "/api/rooms").header("x-request-id", own).send().await;
        assert_eq!(reply.header("x-request-id"), Some(own));
        let reply = team.ada.request("GET", "/api/nothing").header("x-request-id", own).send().await;
        assert_eq!(reply.header("x-request-id"), Some(own));
    }
    let too_long = "x".repeat(129);
    for bad in ["", "with\ttab", "ünï", &too_long] {
        let reply = team.ada.request("GET", "/api/rooms").header("x-request-id", bad).send().await;
        let given = reply.header("x-request-id").expect("an id");
        assert_ne!(given, bad);
        assert!((1..=128).contains(&given.len()) && given.bytes().all(|b| b.is_ascii_graphic()), "{given}");
    }
    let mut seen = std::collections::HashSet::new();
    for (method, path) in
        [("GET", "/health"), ("GET", "/"), ("GET", "/nothing"), ("PUT", "/api/rooms"), ("GET", "/api/rooms")]
    {
        let reply = team.ada.request(method, path).send().await;
        let given = reply.header("x-request-id").unwrap_or_else(|| panic!("{path}: none")).to_owned();
        assert!(seen.insert(given.clone()), "{given} twice");
    }
}

#[tokio::test]
async fn etag_that_still_matches_is_304() {
    let team = Team::start().await;
    team.ada.say(team.room, "First").await;
    let page = format!("/api/rooms/{}/messages", team.room);
    let message = format!("/api/messages/{}", id(&team.ada.say(team.room, "Second").await));
    for path in ["/api/rooms", "/api/users", "/api/account", "/api/session", &page, &message] {
        let fresh = team.ada.get(path).await;
        fresh.expect(200);
        let tag = fresh.header("etag").unwrap_or_else(|| panic!("{path}: no ETag")).to_owned();
        assert!(
            tag.starts_with('"') && tag.ends_with('"') && tag.len() > 2,
            "{path}: {tag} is no strong tag"
        );
        for known in [tag.clone(), format!("\"other\", {tag}"), format!("W/{tag}"), "*".to_owned()] {
            let again = team.ada.request("GET", path).header("if-none-match", &known).send().await;
            assert_eq!(again.status, 304, "{path} {known}");
            assert!(again.body.is_empty());
            assert_eq!(again.header("etag"), Some(tag.as_str()), "{path}");
            assert!(again.header("x-request-id").is_some(), "{path}");
        }
        let other = team.ada.request("GET", path).header("if-none-match", "\"other\"").send().await;
        assert_eq!(other.body, fresh.body, "{path}");
        other.expect(200);
    }
    let tag = team.ada.get(&page).await.header("etag").unwrap().to_owned();
    team.ada.say(team.room, "Third").await;
    let changed = team.ada.request("GET", &page).header("if-none-match", &tag).send().await;
    assert_eq!(changed.expect(200)["messages"].as_array().map(Vec::len), Some(3));
    assert_ne!(changed.header("etag"), Some(tag.as_str()));
}

#[tokio::test]
async fn etag_survives_a_restart_while_its_events_are_kept() {
    let mut team = Team::start().await;
    let page = format!("/api/rooms/{}/messages", team.room);
    let said = team.ada.say(team.room, "First thoughts").await;
    let before = team.ada.get(&page).await.header("etag").unwrap().to_owned();
    team.ada
        .patch(&format!("/api/messages/{}", id(&said)), json!({"content": "Second thoughts"}))
        .await
        .expect(200);
    let after = team.ada.get(&page).await.header("etag").unwrap().to_owned();
    team.ada.say(team.closed_room("Elsewhere", &[&team.ada]).await, "Something else").await;
    team.server.kill();
    team.server.restart();
    assert_eq!(team.ada.get(&page).await.header("etag"), Some(after.as_str()));
    team.server.kill();
    // Prunes the event of the edit.
    let db = rusqlite::Connection::open(team.server.database()).unwrap();
    db.execute_batch("insert into pruned (id, seq) select 1, max(seq) from events; delete from events")
        .unwrap();
    drop(db);
    team.server.restart();
    let known = team.ada.request("GET", &page).header("if-none-match", &before).send().await;
    assert_eq!(known.expect(200)["messages"][0]["content"], "Second thoughts");
}

#[tokio::test]
async fn etag_does_not_bypass_authorization() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    let room = team.closed_room("Secret", &[&team.ada]).await;
    let page = format!("/api/rooms/{room}/messages");
    let tag = team.ada.get(&page).await.header("etag").unwrap().to_owned();
    grace.request("GET", &page).header("if-none-match", &tag).send().await.problem(404, "not_found");
    team.nobody()
        .request("GET", &page)
        .header("if-none-match", "*")
        .send()
        .await
        .problem(401, "not_signed_in");
}

#[tokio::test]
async fn compression_of_long_answers_follows_accept_encoding() {
    let team = Team::start().await;
    for n in 0..20 {
        team.ada.say(team.room, &format!("Message {n}, which says much the same as all the others do")).await;
    }
    let page = format!("/api/rooms/{}/messages", team.room);
    let plain = team.ada.get(&page).await;
    assert_eq!(plain.header("content-encoding"), None);
    let takes = [
        ("gzip", "gzip"),
        ("br", "br"),
        ("gzip;q=0.5, identity;q=0.1", "gzip"),
        ("br;q=0, gzip", "gzip"),
        ("GZIP", "gzip"),
    ];
    for (accepted, encoding) in takes {
        let reply = team.ada.request("GET", &page).header("accept-encoding", accepted).send().await;
        assert_eq!(reply.status, 200);
        assert_eq!(reply.header("content-encoding"), Some(encoding), "{accepted}");
        assert!(reply.header("vary").is_some_and(|it| it.to_lowercase().contains("accept-encoding")));
        assert!(reply.body.len() < plain.body.len() / 2);
        assert_eq!(unpacked(encoding, &reply.body), plain.body, "{accepted}");
        assert_ne!(reply.header("etag"), plain.header("etag"), "two representations, one strong tag");
        let tag = reply.header("etag").unwrap().to_owned();
        let again = team.ada.request("GET", &page).header("accept-encoding", accepted);
        assert_eq!(again.header("if-none-match", &tag).send().await.status, 304);
    }
    for accepted in ["", "identity", "gzip;q=0", "deflate", "br;q=0.0, gzip;q=0.000"] {
        let reply = team.ada.request("GET", &page).header("accept-encoding", accepted).send().await;
        assert_eq!((reply.header("content-encoding"), &reply.body), (None, &plain.body), "{accepted:?}");
    }
    let short = team.ada.request("GET", "/health").header("accept-encoding", "gzip, br").send().await;
    assert_eq!(short.header("content-encoding"), None, "nothing to win under 1 KiB");
    short.expect(200);
}

fn unpacked(encoding: &str, bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    match encoding {
        "gzip" => flate2::read::GzDecoder::new(bytes).read_to_end(&mut plain).expect("gzip"),
        _ => brotli::Decompressor::new(bytes, 4096).read_to_end(&mut plain).expect("br"),
    };
    plain
}

#[tokio::test]
async fn head_answers_like_get_without_a_body() {
    let team = Team::start().await;
    for path in ["/health", "/", "/api/rooms"] {
        let get = team.ada.get(path).await;
        let head = team.ada.request("HEAD", path).send().await;
        assert_eq!((head.status, head.body.len()), (get.status, 0), "{path}");
        assert_eq!(head.header("content-type"), get.header("content-type"), "{path}");
        assert_eq!(head.header("etag"), get.header("etag"), "{path}");
    }
}

#[tokio::test]
async fn openapi_document_is_served_and_printed() {
    let server = Server::start();
    let nobody = Client::new(server.address(), Default::default());
    let document = nobody.get("/api/openapi.json").await.expect(200);
    assert_eq!(document["openapi"], "3.1.0");
    assert!(document["paths"]["/api/messages"]["post"]["requestBody"].is_object());
    let printed = crate::support::server::campfire().arg("openapi").output().unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&printed.stdout).unwrap(), document);
}
