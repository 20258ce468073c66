//! Posting, reading, editing and deleting messages.

use std::collections::HashSet;

use futures_util::future::join_all;

use crate::support::*;

const MESSAGE: &[&str] = &[
    "id",
    "room_id",
    "creator_id",
    "client_message_id",
    "kind",
    "content",
    "html",
    "created_at",
    "edited_at",
    "reply_to_id",
    "mentions",
    "boosts",
    "attachment",
    "embeds",
];

#[tokio::test]
async fn message_is_the_same_in_every_answer() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    let form =
        json!({"room_id": team.room, "content": "\n  Hello, **world**  \n", "client_message_id": "c-1"});
    let said = grace.post("/api/messages", form).await.expect(201);
    assert_keys(&said, MESSAGE);
    assert_eq!((&said["room_id"], &said["creator_id"]), (&json!(team.room), &json!(grace.id)));
    assert_eq!((&said["kind"], &said["client_message_id"]), (&json!("text"), &json!("c-1")));
    assert_eq!(said["content"], "  Hello, **world**", "as it was written, without empty lines around it");
    assert_eq!(said["html"].as_str().map(str::trim), Some("<p>Hello, <strong>world</strong></p>"));
    assert_time(&said["created_at"]);
    for empty in ["edited_at", "reply_to_id", "attachment"] {
        assert_eq!(said[empty], Value::Null, "{empty}");
    }
    for empty in ["mentions", "boosts", "embeds"] {
        assert_eq!(said[empty], json!([]), "{empty}");
    }
    assert_eq!(team.ada.get(&format!("/api/messages/{}", id(&said))).await.expect(200), said);
    let page = team.ada.get(&format!("/api/rooms/{}/messages", team.room)).await.expect(200);
    assert_eq!(page, json!({"messages": [said], "has_before": false, "has_after": false}));
    assert_eq!(grace.my_room(team.room).await["last_message_id"], said["id"]);
    let found = team.ada.get("/api/search?q=hello").await.expect(200);
    assert_eq!(found["results"][0]["message"], said);
}

#[tokio::test]
async fn message_content_is_one_byte_to_64_kib_without_empty_lines_around_it() {
    let team = Team::start().await;
    let post =
        |content: String| team.ada.post("/api/messages", json!({"room_id": team.room, "content": content}));
    for empty in ["", " ", "\n\t \r\n", "\u{a0}\u{2003}"] {
        post(empty.into()).await.invalid(&["content"]);
    }
    let longest = "x".repeat(64 * 1024);
    assert_eq!(post(longest.clone()).await.expect(201)["content"], longest.as_str());
    post(format!("\n \n{longest} \n")).await.expect(201);
    post(format!("{longest}y")).await.invalid(&["content"]);
    // The limit is in bytes, not characters: these have 4 bytes each.
    let wide = "🔥".repeat(16 * 1024);
    assert_eq!(post(wide.clone()).await.expect(201)["content"], wide.as_str());
    post(format!("{wide}!")).await.invalid(&["content"]);
    let path = format!("/api/messages/{}", id(&post("short".into()).await.expect(201)));
    team.ada.patch(&path, json!({"content": format!("{longest}y")})).await.invalid(&["content"]);
    team.ada.patch(&path, json!({"content": " "})).await.invalid(&["content"]);
    team.ada.patch(&path, json!({})).await.invalid(&["content"]);
    assert_eq!(team.ada.get(&path).await.expect(200)["content"], "short");
    assert_eq!(team.ada.get(&path).await.expect(200)["edited_at"], Value::Null);
}

#[tokio::test]
async fn message_text_survives_the_round_trip() {
    let team = Team::start().await;
    let texts = [
        "plain",
        "quotes \" ' ` and \\ backslashes \\u0041 \\n",
        "🏳️‍🌈 👩‍👩‍👧‍👦 e\u{301} ﷽ \u{202e}rtl\u{202c} 中文 ไทย",
        "zero\u{200b}width\u{feff} \u{2028}line\u{2029}para",
        "tab\tand\nnewline\r\nand\rcr",
        "\u{1}\u{7f}\u{85}control",
        "</script><!--<![CDATA[",
        "\u{10ffff}\u{fffd}\u{e000}",
        "{\"id\":1,\"seq\":2}",
        "'; drop table messages; --",
        "%00%0a$(id)`id`{{7*7}}",
    ];
    for text in texts {
        let said = team.ada.say(team.room, text).await;
        let kept = team.ada.get(&format!("/api/messages/{}", id(&said))).await.expect(200);
        assert_eq!(kept, said, "{text:?}");
        assert_eq!(kept["content"].as_str().map(|it| it.replace('\r', "")), Some(text.replace('\r', "")));
    }
}

#[tokio::test]
async fn nul_byte_or_lone_surrogate_does_no_harm() {
    let team = Team::start().await;
    let nul =
        team.ada.post("/api/messages", json!({"room_id": team.room, "content": "a\u{0}b needle"})).await;
    assert!(matches!(nul.status, 201 | 422), "{}", nul.text());
    if nul.status == 201 {
        let kept = team.ada.get(&format!("/api/messages/{}", id(&nul.json()))).await.expect(200);
        assert_eq!(kept, nul.json());
    }
    let lone = format!(r#"{{"room_id":{},"content":"\ud800"}}"#, team.room);
    let reply = team.ada.request("POST", "/api/messages").body("application/json", lone).send().await;
    assert_eq!(reply.expect(201)["content"], "\u{FFFD}");
    let twice = format!(r#"{{"room_id":999,"content":"first","room_id":{},"content":"last"}}"#, team.room);
    let reply = team.ada.request("POST", "/api/messages").body("application/json", twice).send().await;
    assert!(matches!(reply.status, 201 | 400), "{}", reply.text());
    team.ada.get("/health").await.expect(200);
    team.ada.get(&format!("/api/rooms/{}/messages", team.room)).await.expect(200);
}

#[tokio::test]
async fn closed_room_is_404_for_non_members_and_administrators() {
    let team = Team::start().await;
    let (grace, linus) = (team.join("Grace").await, team.join("Linus").await);
    let room = team.closed_room("Closed", &[&grace]).await;
    let said = grace.say(room, "Between us").await;
    let path = format!("/api/messages/{}", id(&said));
    // Administrators have no access to closed rooms that they are not in.
    for other in [&linus, &team.ada] {
        other
            .post("/api/messages", json!({"room_id": room, "content": "Hi"}))
            .await
            .problem(404, "not_found");
        other.get(&format!("/api/rooms/{room}/messages")).await.problem(404, "not_found");
        other
            .get(&format!("/api/rooms/{room}/messages?around={}", id(&said)))
            .await
            .problem(404, "not_found");
        other.get(&path).await.problem(404, "not_found");
    }
    linus.patch(&path, json!({"content": "Mine"})).await.problem(404, "not_found");
    linus.delete(&path).await.problem(404, "not_found");
    for room in [0, -1, 999, i64::MAX, i64::MIN] {
        let reply = linus.post("/api/messages", json!({"room_id": room, "content": "Hi"})).await;
        assert!(matches!(reply.status, 404 | 422), "{room}: {}", reply.text());
    }
    assert_eq!(grace.get(&path).await.expect(200), said);
}

#[tokio::test]
async fn client_message_id_sent_fifty_times_at_once_is_one_message() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    let body = json!({"room_id": team.room, "content": "Only once", "client_message_id": "dup-1"});
    let replies = join_all((0..50).map(|_| grace.post("/api/messages", body.clone()))).await;
    assert_eq!(replies.iter().filter(|it| it.status == 201).count(), 1);
    assert_eq!(replies.iter().filter(|it| it.status == 200).count(), 49);
    let one = replies[0].json();
    assert!(replies.iter().all(|it| it.json() == one));
    let page = team.ada.get(&format!("/api/rooms/{}/messages", team.room)).await.expect(200);
    assert_eq!(page["messages"], json!([one]));
    // Another text does not change it; in another room it is another message.
    let mut other = body.clone();
    other["content"] = "Changed my mind".into();
    assert_eq!(grace.post("/api/messages", other).await.expect(200), one);
    let room = team.closed_room("Closed", &[&grace]).await;
    let mut elsewhere = body.clone();
    elsewhere["room_id"] = room.into();
    grace.post("/api/messages", elsewhere).await.expect(201);
    // The same id from another user is a message of theirs.
    let theirs = team.ada.post("/api/messages", body).await.expect(201);
    assert_eq!(theirs["creator_id"], team.ada.id);
}

#[tokio::test]
async fn client_message_id_is_a_short_text() {
    let team = Team::start().await;
    let post = |given: Value| {
        team.ada
            .post("/api/messages", json!({"room_id": team.room, "content": "Hi", "client_message_id": given}))
    };
    assert_eq!(post(Value::Null).await.expect(201)["client_message_id"], Value::Null);
    let uuid = "0190c0de-0000-7000-8000-000000000000";
    assert_eq!(post(uuid.into()).await.expect(201)["client_message_id"], uuid);
    post("x".repeat(10_000).into()).await.invalid(&["client_message_id"]);
    post(json!(["x"])).await.invalid(&["client_message_id"]);
}

#[tokio::test]
async fn client_message_id_may_be_reused_after_deletion() {
    let team = Team::start().await;
    let body = json!({"room_id": team.room, "content": "Oops", "client_message_id": "again"});
    let first = team.ada.post("/api/messages", body.clone()).await.expect(201);
    team.ada.delete(&format!("/api/messages/{}", id(&first))).await.expect(204);
    let second = team.ada.post("/api/messages", body).await.expect(201);
    assert!(id(&second) > id(&first), "ids are never reused");
}

#[tokio::test]
async fn reply_refers_to_a_message_of_the_same_room() {
    let team = Team::start().await;
    let question = team.ada.say(team.room, "Tea or coffee?").await;
    let reply = |to: Value| {
        team.ada.post("/api/messages", json!({"room_id": team.room, "content": "Tea", "reply_to_id": to}))
    };
    let answer = reply(question["id"].clone()).await.expect(201);
    assert_eq!(answer["reply_to_id"], question["id"]);
    assert_eq!(team.ada.get(&format!("/api/messages/{}", id(&answer))).await.expect(200), answer);
    let room = team.closed_room("Elsewhere", &[&team.ada]).await;
    let other = team.ada.say(room, "Not here").await;
    reply(other["id"].clone()).await.invalid(&["reply_to_id"]);
    reply(json!(i64::MAX)).await.invalid(&["reply_to_id"]);
    reply(json!(-1)).await.invalid(&["reply_to_id"]);
    reply(json!(0)).await.invalid(&["reply_to_id"]);
    assert_eq!(reply(Value::Null).await.expect(201)["reply_to_id"], Value::Null);
    // A reply outlives its message.
    team.ada.delete(&format!("/api/messages/{}", id(&question))).await.expect(204);
    assert_eq!(team.ada.get(&format!("/api/messages/{}", id(&answer))).await.expect(200)["content"], "Tea");
}

#[tokio::test]
async fn edit_is_for_authors_only() {
    let team = Team::start().await;
    let (grace, linus) = (team.join("Grace").await, team.join("Linus").await);
    let said = grace.say(team.room, "Teh typo").await;
    let path = format!("/api/messages/{}", id(&said));
    linus.patch(&path, json!({"content": "Mine"})).await.problem(403, "forbidden");
    let edited = grace.patch(&path, json!({"content": "The *typo*"})).await.expect(200);
    assert_eq!(edited["content"], "The *typo*");
    assert_eq!(edited["html"].as_str().map(str::trim), Some("<p>The <em>typo</em></p>"));
    assert_time(&edited["edited_at"]);
    for kept in ["id", "created_at", "creator_id", "client_message_id", "room_id"] {
        assert_eq!(edited[kept], said[kept], "{kept}");
    }
    assert_eq!(linus.get(&path).await.expect(200), edited);
    let page = linus.get(&format!("/api/rooms/{}/messages", team.room)).await.expect(200);
    assert_eq!(page["messages"], json!([edited]));
    // F4: nobody puts words into another's mouth.
    team.ada.patch(&path, json!({"content": "I resign"})).await.problem(403, "forbidden");
    assert_eq!(linus.get(&path).await.expect(200), edited);
    grace.patch("/api/messages/999999", json!({"content": "x"})).await.problem(404, "not_found");
}

#[tokio::test]
async fn delete_is_for_authors_and_administrators() {
    let team = Team::start().await;
    let (grace, linus) = (team.join("Grace").await, team.join("Linus").await);
    let first = grace.say(team.room, "First").await;
    let second = grace.say(team.room, "Second").await;
    let third = team.ada.say(team.room, "Third").await;
    let path = |message: &Value| format!("/api/messages/{}", id(message));
    linus.delete(&path(&first)).await.problem(403, "forbidden");
    grace.delete(&path(&third)).await.problem(403, "forbidden");
    grace.delete(&path(&first)).await.expect(204);
    team.ada.delete(&path(&second)).await.expect(204);
    for gone in [&first, &second] {
        grace.get(&path(gone)).await.problem(404, "not_found");
        grace.delete(&path(gone)).await.problem(404, "not_found");
        grace.patch(&path(gone), json!({"content": "back"})).await.problem(404, "not_found");
    }
    let page = grace.get(&format!("/api/rooms/{}/messages", team.room)).await.expect(200);
    assert_eq!(ids(&page["messages"]), [id(&third)]);
    team.ada.delete(&path(&third)).await.expect(204);
    assert_eq!(grace.my_room(team.room).await["last_message_id"], Value::Null);
}

#[tokio::test]
async fn delete_by_twenty_at_once_succeeds_once() {
    let team = Team::start().await;
    for _ in 0..5 {
        let path = format!("/api/messages/{}", id(&team.ada.say(team.room, "Popular").await));
        let replies = join_all((0..20).map(|_| team.ada.delete(&path))).await;
        assert_eq!(replies.iter().filter(|it| it.status == 204).count(), 1);
        replies.iter().filter(|it| it.status != 204).for_each(|it| drop(it.problem(404, "not_found")));
    }
}

#[tokio::test]
async fn edits_that_race_a_delete_end_in_one_state() {
    let team = Team::start().await;
    let path = format!("/api/messages/{}", id(&team.ada.say(team.room, "Contested").await));
    let (edits, gone) = tokio::join!(
        join_all((0..20).map(|n| team.ada.patch(&path, json!({"content": format!("Edit {n}")})))),
        team.ada.delete(&path)
    );
    gone.expect(204);
    for edit in edits {
        assert!(matches!(edit.status, 200 | 404), "{}", edit.text());
    }
    team.ada.get(&path).await.problem(404, "not_found");
    assert_eq!(team.ada.get("/api/search?q=edit").await.expect(200)["results"], json!([]));
    assert_eq!(team.ada.get("/api/search?q=contested").await.expect(200)["results"], json!([]));
}

#[tokio::test]
async fn message_ids_grow_in_the_order_of_the_answers() {
    let team = Team::start().await;
    let mut last = 0;
    for n in 0..20 {
        let said = team.ada.say(team.room, &format!("{n}")).await;
        assert!(id(&said) > last);
        last = id(&said);
    }
    let posted = join_all((0..100).map(|_| team.ada.say(team.room, "burst"))).await;
    let found: HashSet<i64> = posted.iter().map(id).collect();
    assert_eq!(found.len(), 100);
    assert!(found.iter().all(|it| *it > last));
}
