//! Incoming webhooks: what senders send is shown, and refused in the words that they know.

use std::io::Write;

use flate2::{Compression, write::GzEncoder};

use crate::support::{http::multipart, *};

/// A webhook into "All Talk", and the path that is posted to.
async fn hook(team: &Team, format: &str) -> (Value, String) {
    let form = json!({"name": "Alerts", "room_id": team.room, "format": format});
    let made = team.ada.post("/api/hooks", form).await.expect(201);
    let (_, token) = made["url"].as_str().unwrap().split_once("/hooks/").unwrap();
    let path = format!("/hooks/{token}");
    (made, path)
}

#[tokio::test]
async fn incoming_webhook_posts_slack_payloads() {
    let team = Team::start().await;
    let made = team.ada.post("/api/hooks", json!({"name": "Alerts", "room_id": team.room})).await.expect(201);
    assert_keys(&made, &["id", "name", "room_id", "format", "url"]);
    let (_, token) = made["url"].as_str().unwrap().split_once("/hooks/").unwrap();
    let path = format!("/hooks/{token}");
    let mut socket = team.ada.socket_in(team.room).await;
    let nobody = team.nobody();
    let said = nobody.post(&path, json!({"text": "*disk* is <https://a.example|full> <!here>"})).await;
    assert_eq!(
        (said.status, said.text(), said.header("content-type")),
        (200, "ok".to_owned(), Some("text/plain; charset=utf-8"))
    );
    let message = socket.expect("message.created").await["message"].clone();
    assert_eq!(
        message["html"],
        "<p><strong>disk</strong> is <a href=\"https://a.example\" rel=\"noopener noreferrer\" target=\"_blank\">full</a> <span class=\"mention\">@here</span></p>"
    );
    assert_eq!(message["content"], "**disk** is [full](<https://a.example>) @here");
    assert_eq!(message["everyone"], true);
    let list = team.ada.get("/api/hooks").await.expect(200);
    assert_eq!((&list["hooks"][0]["name"], &list["hooks"][0]["format"]), (&json!("Alerts"), &json!("auto")));
    team.ada.post("/api/hooks", json!({"name": "x", "room_id": 999})).await.invalid(&["room_id"]);
    team.ada
        .post("/api/hooks", json!({"name": "x", "room_id": team.room, "format": "html"}))
        .await
        .invalid(&["format"]);
    team.join("Grace").await.get("/api/hooks").await.problem(403, "forbidden");
    team.ada.delete(&format!("/api/hooks/{}", id(&made))).await.expect(204);
    let refused = nobody.post(&path, json!({"text": "x"})).await;
    assert_eq!((refused.status, refused.text()), (403, "invalid_token".to_owned()));
}

#[tokio::test]
async fn format_of_a_webhook_decides_how_texts_are_read() {
    let team = Team::start().await;
    let mut socket = team.ada.socket_in(team.room).await;
    let nobody = team.nobody();
    let text = json!({"text": "**a** *b*"});
    let mut html = async |path: &str| {
        nobody.post(path, text.clone()).await.expect_text(200, "ok");
        socket.expect("message.created").await["message"]["html"].clone()
    };
    let (made, path) = hook(&team, "slack").await;
    assert_eq!(html(&path).await, "<p>**a** <strong>b</strong></p>");
    let change = format!("/api/hooks/{}", id(&made));
    let changed = team.ada.patch(&change, json!({"format": "markdown", "name": "CI"})).await.expect(200);
    assert_eq!((&changed["format"], &changed["name"]), (&json!("markdown"), &json!("CI")));
    assert_eq!(html(&path).await, "<p><strong>a</strong> <em>b</em></p>");
    team.ada.patch(&change, json!({"format": "auto"})).await.expect(200);
    assert_eq!(html(&path).await, "<p><strong>a</strong> <em>b</em></p>");
    team.ada.patch(&change, json!({"format": "x"})).await.invalid(&["format"]);
    team.ada.patch("/api/hooks/999", json!({})).await.problem(404, "not_found");
    let grace = team.join("Grace").await;
    grace.patch(&change, json!({"format": "slack"})).await.problem(403, "forbidden");
    let audit = team.ada.get("/api/audit").await.expect(200);
    assert!(audit.to_string().contains("hook.change"));
}

/// What a body may be: every program writes it in its own way.
#[tokio::test]
async fn bodies_are_read_in_every_form_that_programs_send() {
    let team = Team::start().await;
    let (_, path) = hook(&team, "auto").await;
    let mut socket = team.ada.socket_in(team.room).await;
    let nobody = team.nobody();
    let gzip = |bytes: &[u8]| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let form = "application/x-www-form-urlencoded";
    let (multipart_type, multipart_body) = multipart(&[("payload", r#"{"text":"by multipart"}"#)], &[]);
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("", br#"{"text":"without a type"}"#.to_vec(), "without a type"),
        ("text/plain", br#"{"text":"as text"}"#.to_vec(), "as text"),
        (form, b"payload=%7B%22text%22%3A%22by+form%22%7D".to_vec(), "by form"),
        (form, br#"{"text":"JSON & 100% in a form"}"#.to_vec(), "JSON & 100% in a form"),
        (form, br#"payload={"text":"a & b"}"#.to_vec(), "a & b"),
        (&multipart_type, multipart_body, "by multipart"),
        ("application/json", b"\xEF\xBB\xBF{\"text\":\"behind a BOM\"}".to_vec(), "behind a BOM"),
        ("application/json", br#"{"text":"half of a rocket \ud83d"}"#.to_vec(), "half of a rocket \u{FFFD}"),
        ("application/json; charset=ISO-8859-1", b"{\"text\":\"Gr\xFC\xDFe\"}".to_vec(), "Grüße"),
        ("application/json", b"{\"text\":\"Gr\xFC\xDFe undeclared\"}".to_vec(), "Grüße undeclared"),
        ("gzip", gzip(br#"{"text":"gzipped"}"#), "gzipped"),
    ];
    for (kind, body, plain) in cases {
        let request = nobody.request("POST", &path);
        let request = match kind {
            "gzip" => request.header("content-encoding", "gzip").body("application/json", body),
            kind => request.body(kind, body),
        };
        request.send().await.expect_text(200, "ok");
        assert_eq!(socket.next_content().await, plain);
    }
}

#[tokio::test]
async fn refusals_are_the_words_that_senders_know() {
    let team = Team::start().await;
    let (_, path) = hook(&team, "auto").await;
    let nobody = team.nobody();
    let post =
        async |kind: &str, body: &[u8]| nobody.request("POST", &path).body(kind, body.to_vec()).send().await;
    nobody.post(&path, json!({})).await.expect_text(400, "no_text");
    nobody
        .post(&path, json!({"text": "", "blocks": [{"type": "divider"}]}))
        .await
        .expect_text(400, "no_text");
    post("application/json", b"{").await.expect_text(400, "invalid_payload");
    post("application/x-www-form-urlencoded", b"text=x").await.expect_text(400, "no_text");
    post("application/x-www-form-urlencoded", b"payload={").await.expect_text(400, "invalid_payload");
    post("multipart/form-data; boundary=b", b"--b--").await.expect_text(400, "no_text");
    let coded = |coding: &'static str| nobody.request("POST", &path).header("content-encoding", coding);
    coded("gzip")
        .body("application/json", b"no gzip".to_vec())
        .send()
        .await
        .expect_text(400, "invalid_payload");
    coded("br").body("application/json", b"{}".to_vec()).send().await.expect_text(400, "invalid_payload");
    nobody.post("/hooks/wrong", json!({"text": "x"})).await.expect_text(403, "invalid_token");
    let large = vec![b' '; (1 << 20) + 1];
    post("application/json", &large).await.expect_text(413, "too_large");
    // As many bytes once they are unpacked.
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&large).unwrap();
    let bomb = encoder.finish().unwrap();
    coded("gzip").body("application/json", bomb).send().await.expect_text(413, "too_large");
    assert_eq!(
        team.ada.get(&format!("/api/rooms/{}/messages", team.room)).await.expect(200)["messages"],
        json!([])
    );
}

/// Alertmanager sends all of its groups at once, and takes 429 for final.
#[tokio::test]
async fn burst_of_alerts_is_taken_and_more_is_503_with_retry_after() {
    let team = Team::with(&[("CAMPFIRE_POST_LIMIT", "20")]).await;
    let (_, path) = hook(&team, "auto").await;
    let send = async |n: usize| {
        let nobody = team.nobody();
        let payload =
            json!({"attachments": [{"title": format!("alert {n}"), "text": "*firing*", "color": "danger"}]});
        nobody.post(&path, payload).await
    };
    let replies = futures_util::future::join_all((0..500).map(send)).await;
    assert!(
        replies.iter().all(|reply| reply.status == 200),
        "{:?}",
        replies.iter().find(|reply| reply.status != 200)
    );
    let mut refused = 0;
    for batch in 0..6 {
        let replies = futures_util::future::join_all((0..100).map(|n| send(1_000 * batch + n))).await;
        for reply in replies.iter().filter(|reply| reply.status != 200) {
            reply.expect_text(503, "overloaded");
            let wait: u64 = reply.header("retry-after").unwrap().parse().unwrap();
            assert!((1..=10).contains(&wait), "{wait}");
            refused += 1;
        }
    }
    // 1,000 in 10 s, which a slow machine may take for all.
    assert!((0..=100).contains(&refused), "{refused}");
    let mut titles = std::collections::HashSet::new();
    let mut before = String::new();
    loop {
        let page =
            team.ada.get(&format!("/api/rooms/{}/messages?limit=200{before}", team.room)).await.expect(200);
        let messages = page["messages"].as_array().unwrap();
        titles.extend(messages.iter().map(|it| it["html"].as_str().unwrap().to_owned()));
        match page["has_before"] == true {
            true => before = format!("&before={}", id(&messages[0])),
            false => break,
        }
    }
    assert!(
        (0..500).all(|n| titles.iter().any(|html| html.contains(&format!("<strong>alert {n}</strong>"))))
    );
}
