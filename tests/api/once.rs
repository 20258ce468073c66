//! The bot API of ONCE Campfire, by what its own clients rely on.

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::support::{
    http::{Client, Credentials, Reply, multipart},
    receiver::response,
    *,
};

struct Bot {
    made: Value,
    /// `/rooms/R/KEY/messages`.
    base: String,
    nobody: Client,
}

async fn bot_with(team: &Team, name: &str, webhook: Option<String>) -> Bot {
    let made = team.ada.post("/api/bots", json!({"name": name, "webhook_url": webhook})).await.expect(201);
    let base = format!("/rooms/{}/{}/messages", team.room, made["key"].as_str().unwrap());
    Bot { made, base, nobody: team.nobody() }
}

async fn bot(team: &Team) -> Bot {
    bot_with(team, "Builder", None).await
}

impl Bot {
    async fn send(&self, method: &str, path: &str, kind: &str, body: impl Into<Vec<u8>>) -> Reply {
        self.nobody.request(method, path).body(kind, body.into()).send().await
    }

    /// Posts a raw body as curl does.
    async fn post(&self, body: &str) -> Value {
        self.send("POST", &self.base, "application/x-www-form-urlencoded", body).await.expect(201)
    }
}

/// A mention as Action Text has it, by a signed global id of Rails 8.
fn attachment(user: i64, name: &str) -> String {
    let payload =
        format!(r#"{{"_rails":{{"data":"gid://campfire/User/{user}?expires_in","pur":"attachable"}}}}"#);
    let sgid = format!("{}--{}", STANDARD.encode(payload), "0".repeat(40));
    format!(
        "<action-text-attachment sgid=\"{sgid}\" content-type=\"application/vnd.campfire.mention\" content=\"&lt;div class=&quot;mention&quot;&gt;{name}&lt;/div&gt;\"></action-text-attachment>"
    )
}

#[tokio::test]
async fn message_is_posted_edited_and_deleted() {
    let team = Team::start().await;
    let bot = bot(&team).await;
    let posted = bot.send("POST", &bot.base, "text/plain", "Hello 👋!").await;
    let message = posted.expect(201);
    assert_keys(&message, &["id", "created_at", "body", "creator", "room", "url"]);
    assert_eq!(message["body"], json!({"plain_text": "Hello 👋!", "html": "<p>Hello 👋!</p>"}));
    assert_eq!(posted.header("location"), message["url"].as_str());
    let address = format!("/messages/{}", id(&message));
    assert!(message["url"].as_str().unwrap().ends_with(&address), "{}", message["url"]);
    assert_keys(&message["creator"], &["id", "name", "role", "avatar_url"]);
    assert_eq!(
        (&message["creator"]["name"], &message["creator"]["role"]),
        (&json!("Builder"), &json!("bot"))
    );
    let avatar = message["creator"]["avatar_url"].as_str().unwrap();
    let path = avatar.strip_prefix(&team.ada.origin()).expect("an absolute address");
    assert_eq!(team.ada.get(path).await.status, 200);
    assert_eq!(message["room"], json!({"id": team.room}));
    // The address leads people to the message.
    let led = team.ada.get(&address).await;
    assert_eq!(
        (led.status, led.header("location")),
        (302, Some(&*format!("/rooms/{}/@{}", team.room, id(&message))))
    );
    let to_sign_in = format!("/signin?to=/messages/{}", id(&message));
    assert_eq!(team.nobody().get(&address).await.header("location"), Some(&*to_sign_in));
    team.ada.get("/messages/999999").await.problem(404, "not_found");
    let path = format!("{}/{}", bot.base, id(&message));
    for (method, text) in [("PUT", "red"), ("PATCH", "green")] {
        let edited = bot.send(method, &path, "text/plain", text).await.expect(200);
        assert_eq!(edited["body"]["plain_text"], text);
    }
    assert_eq!(bot.send("DELETE", &path, "", "").await.status, 204);
    bot.send("DELETE", &path, "", "").await.problem(404, "not_found");
    let (kind, body) = multipart(&[], &[("attachment", "log.txt", b"all is well")]);
    let file = bot.send("POST", &bot.base, &kind, body).await.expect(201);
    assert_eq!(file["body"], json!({"plain_text": "log.txt", "html": ""}));
    let played = bot.post("/play tada").await;
    assert_eq!(played["body"]["plain_text"], "/play tada");
    bot.post("<div>/play tada<br></div>").await;
    let newest = team.ada.get(&format!("/api/rooms/{}/messages?limit=1", team.room)).await.expect(200);
    assert_eq!(newest["messages"][0]["kind"], "sound");
    for empty in ["", " \n", "<div><br></div>"] {
        bot.send("POST", &bot.base, "text/html", empty).await.refused(422);
    }
}

#[tokio::test]
async fn html_becomes_what_it_means_and_markdown_stays_markdown() {
    let team = Team::start().await;
    let bot = bot(&team).await;
    let html = async |kind: &str, body: &[u8]| {
        let reply = bot.send("POST", &bot.base, kind, body).await;
        reply.expect(201)["body"].clone()
    };
    let form = "application/x-www-form-urlencoded";
    assert_eq!(
        html(
            form,
            b"<strong>Build failed</strong><br>*two*\nwords &amp; <a href=\"https://ci.example/7\">#7</a>"
        )
        .await,
        json!({
            "html": "<p><strong>Build failed</strong><br>*two* words &amp; <a href=\"https://ci.example/7\" rel=\"noopener noreferrer\" target=\"_blank\">#7</a></p>",
            "plain_text": "Build failed\n*two* words & #7",
        })
    );
    assert_eq!(html(form, b"<ul><li>a</li></ul><blockquote>b</blockquote>").await["plain_text"], "• a\n“b”");
    assert_eq!(
        html(form, b"the *build* is `a<b>`").await["html"],
        "<p>the <em>build</em> is <code>a&lt;b&gt;</code></p>"
    );
    assert_eq!(html("text/html", b"*x* < y").await["html"], "<p>*x* &lt; y</p>");
    assert_eq!(
        html("text/markdown", b"*x* <b>y</b>").await["html"],
        "<p><em>x</em> &lt;b&gt;y&lt;/b&gt;</p>"
    );
    assert_eq!(html("text/plain; charset=ISO-8859-1", b"Gr\xFC\xDFe").await["plain_text"], "Grüße");
    bot.send("POST", &bot.base, "text/plain", b"Gr\xFC\xDFe".to_vec()).await.problem(400, "malformed");
    bot.send("POST", &bot.base, "text/plain; charset=klingon", "x").await.problem(400, "malformed");
}

#[tokio::test]
async fn people_are_mentioned_by_attachments_of_action_text() {
    let team = Team::start().await;
    let bot = bot(&team).await;
    let grace = team.join("Grace").await;
    let body =
        format!("<div>Hey {} and {}</div>", attachment(grace.id, "Old Name"), attachment(9_999, "Somebody"));
    let posted = bot.post(&body).await;
    assert_eq!(
        posted["body"],
        json!({
            "plain_text": "Hey @Grace and @Somebody",
            "html": format!("<p>Hey <span class=\"mention\" data-user-id=\"{}\">@Grace</span> and @Somebody</p>", grace.id),
        })
    );
    let message = team.ada.get(&format!("/api/messages/{}", id(&posted))).await.expect(200);
    assert_eq!(message["mentions"], json!([grace.id]));
}

#[tokio::test]
async fn messages_are_listed_forty_at_a_time() {
    let team = Team::start().await;
    let bot = bot(&team).await;
    let first = bot.post("first").await;
    for n in 0..45 {
        team.ada.say(team.room, &format!("m{n}")).await;
    }
    let page = bot.nobody.get(&bot.base).await;
    assert_eq!(page.header("x-total-count"), Some("46"));
    let messages = page.expect(200);
    assert_eq!(messages.as_array().unwrap().len(), 40);
    assert_eq!(
        (&messages[0]["body"]["plain_text"], &messages[0]["creator"]["role"]),
        (&json!("m5"), &json!("administrator"))
    );
    let link = page.header("link").unwrap();
    let oldest = ids(&messages)[0];
    assert!(link.ends_with(&format!("{}?before={oldest}>; rel=\"next\"", bot.base)), "{link}");
    let older = bot.nobody.get(&format!("{}?before={oldest}", bot.base)).await;
    assert_eq!((older.expect(200).as_array().unwrap().len(), older.header("link")), (6, None));
    let newer = bot.nobody.get(&format!("{}?after={}", bot.base, id(&first))).await;
    assert_eq!(newer.expect(200)[0]["body"]["plain_text"], "m0");
    // Of both, `before` counts.
    let both = bot.nobody.get(&format!("{}?before={oldest}&after={oldest}", bot.base)).await.expect(200);
    assert_eq!(ids(&both).last(), ids(&older.expect(200)).last());
}

#[tokio::test]
async fn boost_is_answered_with_who_and_where() {
    let team = Team::start().await;
    let bot = bot(&team).await;
    let message = team.ada.say(team.room, "well done").await;
    let path = format!("{}/{}/boosts", bot.base, id(&message));
    let boost = bot.send("POST", &path, "text/plain", "👀").await.expect(201);
    assert_keys(&boost, &["id", "content", "created_at", "booster", "message"]);
    assert_eq!((&boost["content"], &boost["booster"]["id"]), (&json!("👀"), &bot.made["id"]));
    assert_eq!(boost["message"]["id"], message["id"]);
    assert!(boost["message"]["url"].as_str().unwrap().ends_with(&format!("/messages/{}", id(&message))));
    let again = bot.send("POST", &path, "text/plain", "👀").await.expect(201);
    assert_eq!((&again["id"], &again["created_at"]), (&boost["id"], &boost["created_at"]));
    for empty in ["", "   "] {
        bot.send("POST", &path, "text/plain", empty).await.refused(422);
    }
    assert_eq!(bot.send("DELETE", &format!("{path}/{}", id(&boost)), "", "").await.status, 204);
}

#[tokio::test]
async fn nobody_else_is_let_in() {
    let team = Team::start().await;
    let bot = bot(&team).await;
    let ada = team.ada.say(team.room, "mine").await;
    bot.send("PUT", &format!("{}/{}", bot.base, id(&ada)), "", "x").await.problem(403, "forbidden");
    let closed = team.closed_room("Secret", &[&team.ada]).await;
    let elsewhere = bot.base.replacen(&format!("/rooms/{}", team.room), &format!("/rooms/{closed}"), 1);
    bot.send("POST", &elsewhere, "text/plain", "x").await.problem(404, "not_found");
    bot.nobody.get(&elsewhere).await.problem(404, "not_found");
    for key in ["1-wrong", &format!("{}-", team.ada.id), &team.ada.token, "invalid-bot-key"] {
        let path = format!("/rooms/{}/{key}/messages", team.room);
        bot.send("POST", &path, "text/plain", "x").await.problem(401, "not_signed_in");
        bot.nobody.get(&path).await.problem(401, "not_signed_in");
    }
    // The key is good for the whole API as well.
    let by_key = team.ada.with(Credentials::Bearer(bot.made["key"].as_str().unwrap().to_owned()));
    by_key.get("/api/session").await.expect(200);
}

#[tokio::test]
async fn many_posts_of_a_bot_are_taken() {
    let team = Team::with(&[("CAMPFIRE_POST_LIMIT", "1")]).await;
    let bot = bot(&team).await;
    for n in 0..50 {
        bot.post(&format!("m{n}")).await;
    }
    let refused = bot.send("POST", &bot.base, "text/plain", "one more").await;
    refused.problem(429, "rate_limited");
    assert!(refused.header("retry-after").is_some());
}

fn mention(bot: &Bot) -> String {
    format!("@[{}](user:{})", bot.made["name"].as_str().unwrap(), id(&bot.made))
}

#[tokio::test]
async fn answers_of_a_webhook_are_posted_by_status_and_type() {
    let team = Team::start().await;
    let receiver = Receiver::start(|call, _| {
        let plain = call.json()["message"]["body"]["plain"].as_str().unwrap().to_owned();
        match plain.as_str() {
            "html" => response(200, "text/html; charset=utf-8", "<div>Hello <b>back</b><br>*you*</div>"),
            "latin" => response(200, "text/plain; charset=ISO-8859-1", b"Gr\xFC\xDFe"),
            "file" => response(200, "image/jpeg", b"no real picture"),
            "teapot" => response(418, "application/json", br#"{"error":"teapot"}"#),
            "empty" => response(200, "text/plain", ""),
            "made" => response(201, "text/plain", "not shown"),
            _ => response(500, "text/plain", "not shown"),
        }
    })
    .await;
    let helper = bot_with(&team, "Helper", Some(receiver.url("/"))).await;
    let mut socket = team.ada.socket_in(team.room).await;
    let mut answer = async |asked: &str| {
        team.ada.say(team.room, &format!("{} {asked}", mention(&helper))).await;
        let answer = socket
            .expect_where("message.created", |it| it["message"]["creator_id"] == helper.made["id"])
            .await;
        answer["message"].clone()
    };
    assert_eq!(answer("html").await["html"], "<p>Hello <strong>back</strong><br>*you*</p>");
    assert_eq!(answer("latin").await["html"], "<p>Grüße</p>");
    assert_eq!(answer("file").await["attachment"]["filename"], "attachment.jpeg");
    for silent in ["empty", "made", "wrong"] {
        team.ada.say(team.room, &format!("{} {silent}", mention(&helper))).await;
    }
    assert_eq!(answer("teapot").await["attachment"]["filename"], "attachment.json");
    let page = team.ada.get(&format!("/api/rooms/{}/messages", team.room)).await.expect(200);
    assert!(!page.to_string().contains("not shown"));
}

#[tokio::test]
async fn webhook_that_is_silent_for_seven_seconds_is_told_of_in_the_room() {
    let team = Team::start().await;
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", silent.local_addr().unwrap());
    let slow = bot_with(&team, "Slow", Some(url)).await;
    let mut socket = team.ada.socket_in(team.room).await;
    let asked = std::time::Instant::now();
    team.ada.say(team.room, &mention(&slow)).await;
    let told =
        socket.expect_where("message.created", |it| it["message"]["creator_id"] == slow.made["id"]).await;
    assert_eq!(told["message"]["content"], "Failed to respond within 7 seconds");
    assert!(asked.elapsed().as_secs() >= 6, "{:?}", asked.elapsed());
    // It is not tried again, nor given up.
    within("no job", async {
        while team.ada.get("/api/jobs?state=waiting").await.expect(200)["jobs"] != json!([]) {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    })
    .await;
    assert_eq!(team.ada.get("/api/jobs").await.expect(200)["jobs"], json!([]));
}

/// Each asks the other, by its answers and by the API: they come to an end.
#[tokio::test]
async fn two_bots_do_not_answer_one_another_without_end() {
    let team = Team::start().await;
    let answers = Receiver::start(|_, _| response(200, "text/plain", "indeed")).await;
    let one = bot_with(&team, "One", Some(answers.url("/one"))).await;
    let two = bot_with(&team, "Two", Some(answers.url("/two"))).await;
    let all = json!({"kind": "direct", "user_ids": [id(&one.made), id(&two.made)]});
    let direct = id(&team.ada.post("/api/rooms", all).await.expect(201));
    let mut socket = team.ada.socket_in(direct).await;
    team.ada.say(direct, "what do you think?").await;
    for _ in 0..3 {
        socket.expect("message.created").await;
    }
    answers.wait_for_calls(2).await;
    // By the API a bot may call another, for a few messages in a row.
    let in_direct = one.base.replacen(&format!("/rooms/{}", team.room), &format!("/rooms/{direct}"), 1);
    for n in 0..6 {
        one.send("POST", &in_direct, "text/plain", format!("and {n}?")).await.expect(201);
    }
    answers.wait_for_calls(5).await;
    // A person begins anew.
    team.ada.say(direct, "go on").await;
    answers.wait_for_calls(7).await;
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    let calls: Vec<_> = answers.calls().iter().map(|call| call.path.clone()).collect();
    assert_eq!(calls.iter().filter(|path| *path == "/one").count(), 2, "{calls:?}");
    assert_eq!(calls.iter().filter(|path| *path == "/two").count(), 2 + 3, "{calls:?}");
}
