//! Markdown: what is rendered, and that nothing active is.

use crate::support::*;

async fn html(team: &Team, content: &str) -> String {
    let said = team.ada.say(team.room, content).await;
    assert_eq!(said["content"], content.trim());
    said["html"].as_str().expect("html").to_owned()
}

#[tokio::test]
async fn markdown_is_rendered_to_html() {
    let team = Team::start().await;
    for (content, wanted) in [
        ("**bold** and *italic*", "<strong>bold</strong> and <em>italic</em>"),
        ("~~gone~~", "<del>gone</del>"),
        ("- one\n- two", "<li>two</li>"),
        ("> quoted", "<blockquote>"),
        ("| a | b |\n|---|---|\n| 1 | 2 |", "<td>2</td>"),
        ("```rust\nfn main() {}\n```", "<pre><code class=\"language-rust\">"),
        ("- [x] done", "<input"),
        ("`a < b`", "<code>a &lt; b</code>"),
        ("🎉🎉", "<p class=\"jumbo\">"),
    ] {
        let html = html(&team, content).await;
        assert!(html.contains(wanted), "{content:?} became {html:?}");
    }
}

#[tokio::test]
async fn links_open_in_a_new_tab_without_opener_or_referrer() {
    let team = Team::start().await;
    for content in [
        "[here](https://example.com/?a=1&b=2)",
        "see https://example.com/x",
        "<https://example.com>",
        "[m](mailto:a@example.com)",
    ] {
        let html = html(&team, content).await;
        assert!(html.contains("<a "), "{content}: {html}");
        assert!(html.contains("target=\"_blank\"") && html.contains("rel=\"noopener noreferrer\""), "{html}");
    }
}

#[tokio::test]
async fn markdown_never_renders_active_content() {
    let team = Team::start().await;
    for content in [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<svg/onload=alert(1)>",
        "<a href=\"javascript:alert(1)\">x</a>",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](java\tscript:alert(1))",
        "[x](&#106;avascript:alert(1))",
        "[x](data:text/html,<script>alert(1)</script>)",
        "[x](vbscript:x)",
        "[x](file:///etc/passwd)",
        "![x](javascript:alert(1))",
        "![x](https://example.com/track.gif)",
        "<javascript:alert(1)>",
        "<style>*{display:none}</style>",
        "<iframe src=https://example.com></iframe>",
        "<form action=https://example.com><input name=password></form>",
        "[x](https://example.com \"onmouseover=alert(1)\")",
        "[x](https://example.com\"onmouseover=\"alert(1))",
        "```\"onload=\"alert(1)\n<script>\n```",
        "@[<script>alert(1)</script>](user:1)",
        "@[\" onmouseover=\"alert(1)](user:1)",
        "<div style=\"position:fixed\">x</div>",
        "<details open ontoggle=alert(1)>",
        "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror=alert(1)&gt;\">",
        "| <img src=x onerror=alert(1)> |\n|---|\n| x |",
        "<!-- --!><script>alert(1)</script> -->",
    ] {
        let html = html(&team, content).await;
        assert_inert(content, &html);
    }
}

/// Asserts that the output has only allowed tags, attributes and link schemes.
fn assert_inert(content: &str, html: &str) {
    const TAGS: &[&str] = &[
        "p",
        "br",
        "strong",
        "em",
        "del",
        "code",
        "pre",
        "a",
        "ul",
        "ol",
        "li",
        "blockquote",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "span",
        "input",
        "s",
        "sup",
    ];
    const ATTRIBUTES: &[&str] = &[
        "href",
        "rel",
        "target",
        "class",
        "data-user-id",
        "type",
        "disabled",
        "checked",
        "start",
        "align",
        "title",
    ];
    let mut rest = html;
    while let Some((_, after)) = rest.split_once('<') {
        let (tag, more) =
            after.split_once('>').unwrap_or_else(|| panic!("{content:?}: an open tag in {html:?}"));
        rest = more;
        let tag = tag.trim_start_matches('/').trim_end_matches('/');
        let (name, mut attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        assert!(TAGS.contains(&name), "{content:?}: <{name}> in {html:?}");
        while let Some((attribute, value)) = attributes.split_once("=\"") {
            let (value, more) = value.split_once('"').expect("a closing quote");
            let attribute = attribute.trim();
            assert!(ATTRIBUTES.contains(&attribute), "{content:?}: {attribute} in {html:?}");
            if attribute == "href" {
                let safe = ["http://", "https://", "mailto:"].iter().any(|it| value.starts_with(it));
                assert!(safe, "{content:?}: href {value:?}");
            }
            attributes = more;
        }
    }
}

#[tokio::test]
async fn deep_nesting_is_rendered_in_time() {
    let team = Team::start().await;
    let started = std::time::Instant::now();
    for piece in [
        "> ", "- ", "*", "[", "![", "`", "<", "&", "**a ", "(", "@[", "| ", "#", "~~", "[a](", "<a ", "1. ",
        "_a_ ",
    ] {
        let content = format!("x{}", piece.repeat(64 * 1024 / piece.len() - 1));
        let reply = team.ada.post("/api/messages", json!({"room_id": team.room, "content": content})).await;
        let message = reply.expect(201);
        assert_inert(piece, message["html"].as_str().unwrap());
        let content = format!("{}x", piece.repeat(64 * 1024 / piece.len() - 1));
        team.ada.post("/api/messages", json!({"room_id": team.room, "content": content})).await.expect(201);
    }
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}

#[tokio::test]
async fn mention_uses_the_current_name_escaped() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    let said = html(&team, &format!("@[Grace](user:{}) hello", grace.id)).await;
    assert!(said.contains(">@Grace</span>"), "{said}");
    grace
        .patch(&format!("/api/users/{}", grace.id), json!({"name": "Amazing <b>Grace</b>"}))
        .await
        .expect(200);
    let said = html(&team, &format!("@[Grace](user:{}) hello again", grace.id)).await;
    assert!(said.contains(">@Amazing &lt;b&gt;Grace&lt;/b&gt;</span>"), "{said}");
}

#[tokio::test]
async fn rename_reaches_old_messages_their_quotes_and_the_search() {
    let team = Team::start().await;
    let grace = team.join("Grace").await;
    let mention = |label: &str| format!("ask @[{label}](user:{}) about Grace", grace.id);
    let mut said = Vec::new();
    for _ in 0..60 {
        said.push(id(&team.ada.say(team.room, &mention("Grace")).await));
    }
    let mut socket = team.ada.socket_in(team.room).await;
    grace.patch(&format!("/api/users/{}", grace.id), json!({"name": "Amazing <G>"})).await.expect(200);
    let shown = format!("<span class=\"mention\" data-user-id=\"{}\">@Amazing &lt;G&gt;</span>", grace.id);
    let event = socket.expect_where("message.updated", |event| event["message"]["id"] == said[0]).await;
    assert!(event["message"]["html"].as_str().unwrap().contains(&shown), "{event}");
    assert!(event["message"]["edited_at"].is_null(), "it was not edited");
    assert_eq!(event["message"]["content"], mention("Grace"), "the source stays as it was written");
    for message in said {
        let now = team.ada.get(&format!("/api/messages/{message}")).await.expect(200);
        let html = now["html"].as_str().unwrap();
        assert_eq!(html, format!("<p>ask {shown} about Grace</p>"));
    }
    let found = team.ada.get("/api/search?q=Amazing").await.expect(200);
    let first = &found["results"][0];
    assert!(
        first["snippet"].as_str().unwrap().contains("<mark>Amazing</mark> &lt;G&gt; about Grace"),
        "{first}"
    );
}

#[tokio::test]
async fn what_shows_nothing_is_refused() {
    let team = Team::start().await;
    for nothing in ["", " \n", "\u{200B}", "\u{2800}", "\u{3164}", "\u{FE0F}\u{200D}", "\u{AD}", "\u{301}"] {
        let post = json!({"room_id": team.room, "content": nothing});
        team.ada.post("/api/messages", post).await.invalid(&["content"]);
        team.ada.post("/api/rooms", json!({"name": nothing, "kind": "open"})).await.invalid(&["name"]);
        team.ada
            .patch(&format!("/api/users/{}", team.ada.id), json!({"name": nothing}))
            .await
            .invalid(&["name"]);
        team.ada.patch("/api/account", json!({"name": nothing})).await.invalid(&["name"]);
        team.ada.post("/api/bots", json!({"name": nothing})).await.invalid(&["name"]);
    }
    let piled = format!("e{}", "\u{301}".repeat(50));
    for name in ["Ada\u{202E}nimda", "A\u{200B}da", &piled] {
        team.ada
            .patch(&format!("/api/users/{}", team.ada.id), json!({"name": name}))
            .await
            .invalid(&["name"]);
    }
    let message = id(&team.ada.say(team.room, "    indented\nmore").await);
    let kept = team.ada.get(&format!("/api/messages/{message}")).await.expect(200);
    assert_eq!(kept["content"], "    indented\nmore", "the first line keeps its indent");
    let path = format!("/api/messages/{message}/boosts");
    for nothing in ["\u{200D}", "\u{FE0F}", "\u{200B}"] {
        team.ada.post(&path, json!({"content": nothing})).await.invalid(&["content"]);
    }
    let heart = team.ada.post(&path, json!({"content": "❤"})).await.expect(201);
    assert_eq!(heart["content"], "❤️");
    for same in ["❤️", "❤︎"] {
        assert_eq!(team.ada.post(&path, json!({"content": same})).await.expect(200), heart, "{same}");
    }
    team.ada.post(&path, json!({"content": "👨‍👩‍👧‍👦".repeat(16)})).await.expect(201);
}
