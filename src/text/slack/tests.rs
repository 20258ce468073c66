use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::text::{Rendered, Written, render};

mod blocks;
mod ids;
mod senders;

fn name_of(id: UserId) -> Option<&'static str> {
    (id.0 == 5).then_some("Ann")
}

fn written_in(format: HookFormat, payload: &Value) -> Option<Written> {
    from_slack(payload, format, name_of).map(|message| message.document.write(name_of))
}

fn html_in(format: HookFormat, payload: &Value) -> String {
    written_in(format, payload).map(|written| written.rendered.html).unwrap_or_default()
}

fn html(payload: &Value) -> String {
    html_in(HookFormat::Auto, payload)
}

/// The HTML of a text, without the paragraph around it.
fn inline(text: &str) -> String {
    let html = html(&json!({ "text": text }));
    html.strip_prefix("<p>").and_then(|html| html.strip_suffix("</p>")).unwrap_or(&html).to_owned()
}

fn link(address: &str, label: &str) -> String {
    format!("<a href=\"{address}\" rel=\"noopener noreferrer\" target=\"_blank\">{label}</a>")
}

#[test]
fn marks_become_elements() {
    for (text, html) in [
        ("*bold* and _thin_ and ~gone~", "<strong>bold</strong> and <em>thin</em> and <del>gone</del>"),
        ("_*both*_ (*x*), *y*.", "<em><strong>both</strong></em> (<strong>x</strong>), <strong>y</strong>."),
        ("2 &lt; 3 &amp; 5", "2 &lt; 3 &amp; 5"),
        ("&amp;lt;", "&amp;lt;"),
        ("snake_case_name and 2*3*4", "snake_case_name and 2*3*4"),
        ("`a*b*` stays", "<code>a*b*</code> stays"),
        ("*see `x` here*", "<strong>see <code>x</code> here</strong>"),
        ("*重要*です", "<strong>重要</strong>です"),
        ("# no heading", "# no heading"),
        ("1. no list\n2. either", "1. no list<br>2. either"),
        ("a\\_b \\*c\\*", "a\\_b \\*c\\*"),
        // A mark without an end is a sign.
        ("copied ~/a to ~/b", "copied ~/a to ~/b"),
        ("*/5 * * * *", "*/5 * * * *"),
        ("rm *.log *.txt", "rm *.log *.txt"),
        ("***", "***"),
        ("__init__", "__init__"),
        ("a ` b", "a ` b"),
        ("*a _b* c_", "<strong>a _b</strong> c_"),
        // U+200B beside marks.
        (
            "\u{200b}*api:*\u{200b} handle \u{200b}*init*\u{200b} x",
            "<strong>api:</strong> handle <strong>init</strong> x",
        ),
        ("\u{200b}_x_\u{200b}", "<em>x</em>"),
        ("a\u{200b}b", "a\u{200b}b"),
    ] {
        assert_eq!(inline(text), html, "{text}");
    }
}

#[test]
fn brackets_become_links_mentions_and_dates() {
    let link_of = |address: &str, label: &str| link(address, label);
    for (text, html) in [
        ("<https://a.b/x?y=1&amp;z=2|the page>", link_of("https://a.b/x?y=1&amp;z=2", "the page")),
        ("<https://a.b>", link_of("https://a.b", "https://a.b")),
        (
            "see https://a.b/__x__/a*b*c.",
            format!("see {}.", link_of("https://a.b/__x__/a*b*c", "https://a.b/__x__/a*b*c")),
        ),
        ("<https://a.example/1|Fix `foo`>", link_of("https://a.example/1", "Fix <code>foo</code>")),
        ("*<https://a.b|o/r>* 2", format!("<strong>{}</strong> 2", link_of("https://a.b", "o/r"))),
        (
            "*https://a.b/c* _https://a.b_ (ana@a.example)",
            format!(
                "<strong>{}</strong> <em>{}</em> ({})",
                link_of("https://a.b/c", "https://a.b/c"),
                link_of("https://a.b", "https://a.b"),
                link_of("mailto:ana@a.example", "ana@a.example")
            ),
        ),
        ("<mailto:a@b.example>", link_of("mailto:a@b.example", "a@b.example")),
        ("<mailto:ana@roomservice.example|mail>", link_of("mailto:ana@roomservice.example", "mail")),
        ("<https://social.example/@hereford|x>", link_of("https://social.example/@hereford", "x")),
        (
            "<!here> <!channel>",
            "<span class=\"mention\">@here</span> <span class=\"mention\">@room</span>".into(),
        ),
        ("<!everyone|everyone>", "<span class=\"mention\">@room</span>".into()),
        ("@here is text", "@here is text".into()),
        ("<@U1|ana> <#C2|talk> <@W3>", "@ana #talk @W3".into()),
        ("<!subteam^S1|@ops> <!subteam^S1>", "@ops @S1".into()),
        ("<!date^1392734382^{date} at {time}|Feb 18>", "Feb 18".into()),
        ("<!date^1392734382^{date_num} {time_secs}>", "2014-02-18 14:39:42 UTC".into()),
        ("<!date^1392734382^{date_short}^https://a.b/>", link_of("https://a.b/", "Feb 18, 2014")),
        ("<tel:+4930123|call us>", "call us (tel:+4930123)".into()),
        ("if a <b> c, List<String>", "if a &lt;b&gt; c, List&lt;String&gt;".into()),
        ("<javascript:alert(1)|x>", "x (javascript:alert(1))".into()),
        (
            "[#12 x](https://a.b/12) by *ana*",
            format!("{} by <strong>ana</strong>", link_of("https://a.b/12", "#12 x")),
        ),
        ("[[a] b](https://a.b/(1))", link_of("https://a.b/(1)", "[a] b")),
        ("[x](y)", "[x](y)".into()),
    ] {
        assert_eq!(inline(text), html, "{text}");
    }
    let everyone =
        |text: &str| written_in(HookFormat::Auto, &json!({ "text": text })).unwrap().rendered.everyone;
    assert!(everyone("<!here>").is_some() && everyone("**x** <!channel>").is_some());
    assert!(everyone("@here @room **x** @here").is_none());
}

#[test]
fn emoji_are_known_by_the_names_of_slack_and_github() {
    for (text, shown) in [
        (":fire: 12:30: :nothing:", "🔥 12:30: :nothing:"),
        (":sparkles::question::memo:", "✨❓📝"),
        (":large_orange_circle: :no_entry_sign: :clapper:", "🟠 🚫 🎬"),
        (":thumbsup::skin-tone-3: :+1::skin-tone-6:", "👍🏼 👍🏿"),
        (":flag-de: :de: :flag-zz:", "🇩🇪 🇩🇪 :flag-zz:"),
        (":male-technologist: :satellite:", "👨‍💻 🛰️"),
        (":skin-tone-2:", "🏻"),
        ("a:b:c https://a.b", "a:b:c"),
    ] {
        let html = inline(text);
        assert!(html.contains(shown), "{text}: {html}");
    }
    let icon = |name: &str| {
        from_slack(&json!({ "text": "x", "icon_emoji": name }), HookFormat::Auto, name_of).unwrap().icon_emoji
    };
    assert_eq!(icon(":fire:").as_deref(), Some("🔥"));
    assert_eq!(icon("fire").as_deref(), Some("🔥"));
    assert_eq!(icon(":wave::skin-tone-4:").as_deref(), Some("👋🏽"));
    assert_eq!(icon("🤖").as_deref(), Some("🤖"));
    assert_eq!(icon("ours"), None);
}

#[test]
fn lines_quotes_lists_and_code_are_what_they_are_in_slack() {
    for (text, expected) in [
        ("a\nb\n\nc", "<p>a<br>b</p><p>c</p>"),
        (">q\nnot quoted", "<blockquote><p>q</p></blockquote><p>not quoted</p>"),
        ("&gt; a\n&gt; b\nc", "<blockquote><p>a<br>b</p></blockquote><p>c</p>"),
        ("x\n>>>all\n\nof it", "<p>x</p><blockquote><p>all</p><p>of it</p></blockquote>"),
        ("> ```x```\ny", "<blockquote><pre><code>x\n</code></pre></blockquote><p>y</p>"),
        ("- one\nafter", "<ul><li>one</li></ul><p>after</p>"),
        (
            "Labels:\n - a = b\nAnnotations:\n - c = d\nSource: x",
            "<p>Labels:</p><ul><li>a = b</li></ul><p>Annotations:</p><ul><li>c = d</li></ul><p>Source: x</p>",
        ),
        ("- a\n  - b\n- c", "<ul><li>a<ul><li>b</li></ul></li><li>c</li></ul>"),
        ("Trace:\n\n    at foo_bar", "<p>Trace:</p><p>&nbsp;&nbsp;&nbsp;&nbsp;at foo_bar</p>"),
        ("```\r\nls\r\n```\r\ndone", "<pre><code>ls\n</code></pre><p>done</p>"),
        ("see ```a\n> b``` then", "<p>see</p><pre><code>a\n&gt; b\n</code></pre><p>then</p>"),
        ("``` never closed", "<p>``` never closed</p>"),
        ("```&lt;b&gt; *x*```", "<pre><code>&lt;b&gt; *x*\n</code></pre>"),
    ] {
        let found = html(&json!({ "text": text }));
        assert_eq!(found, expected, "{text:?}");
    }
}

#[test]
fn markdown_is_known_by_its_marks_or_by_the_format() {
    let bold_link = json!({ "text": "**Firing** [x](https://a.b) *thin*" });
    assert_eq!(
        html(&bold_link),
        format!("<p><strong>Firing</strong> {} <em>thin</em></p>", link("https://a.b", "x"))
    );
    assert_eq!(
        html_in(HookFormat::Slack, &bold_link),
        "<p>**Firing** [x](<a href=\"https://a.b\" rel=\"noopener noreferrer\" target=\"_blank\">https://a.b</a>) <strong>thin</strong></p>"
    );
    for (text, expected) in [
        (
            "## Notes\n\n* **api:** x\n* y\nafter",
            "<h2>Notes</h2><ul><li><strong>api:</strong> x</li><li>y</li></ul><p>after</p>",
        ),
        (
            "|a|b|\n|---|---|\n|1|:fire:|",
            "<table><thead><tr><th>a</th><th>b</th></tr></thead><tbody><tr><td>1</td><td>🔥</td></tr></tbody></table>",
        ),
        (
            "~~old~~ <https://a.b|new [1]>",
            &format!("<p><del>old</del> {}</p>", link("https://a.b", "new [1]")),
        ),
        (
            "**a** `<https://a.b|x> :fire:`",
            "<p><strong>a</strong> <code>&lt;https://a.b|x&gt; :fire:</code></p>",
        ),
        ("**a** <https://a.b|b] c>", &format!("<p><strong>a</strong> {}</p>", link("https://a.b", "b] c"))),
        ("**a** <@U1> <!here>", "<p><strong>a</strong> @U1 <span class=\"mention\">@here</span></p>"),
        ("> **q**\nnot quoted", "<blockquote><p><strong>q</strong></p></blockquote><p>not quoted</p>"),
    ] {
        assert_eq!(html(&json!({ "text": text })), expected, "{text:?}");
    }
    // Paths and schedules are no Markdown.
    for text in ["src/**/*.rs and test/**", "**/5 * * * **", "a ** b ** c", "x **", "`**x**`x", "# one"] {
        assert!(!markdown::is_markdown(text) || text.starts_with('`'), "{text}");
    }
    let mattermost = json!({ "text": "@channel: @[Ann](user:5) and @[Bob](user:9), @all-hands # *x*" });
    let written = written_in(HookFormat::Markdown, &mattermost).unwrap();
    assert_eq!(
        written.rendered.html,
        "<p><span class=\"mention\">@room</span>: <span class=\"mention\" data-user-id=\"5\">@Ann</span> and @Bob, @all-hands # <em>x</em></p>"
    );
    assert_eq!(written.rendered.mentions.to_vec(), [UserId(5)]);
    assert!(written_in(HookFormat::Auto, &mattermost).unwrap().rendered.mentions.is_empty());
}

#[test]
fn payload_without_text_is_none() {
    for payload in [
        json!({}),
        json!({"text": " "}),
        json!({"text": "\u{200b}"}),
        json!([]),
        json!("x"),
        json!({"blocks": [{"type": "divider"}]}),
        json!({"attachments": [{"color": "good", "fields": []}]}),
    ] {
        assert_eq!(from_slack(&payload, HookFormat::Auto, name_of), None, "{payload}");
    }
}

#[test]
fn sender_is_named_above_its_words() {
    let shown = |payload: Value| {
        let document = from_slack(&payload, HookFormat::Auto, name_of).unwrap().under_name("Alerts");
        document.write(name_of).rendered.html
    };
    assert_eq!(
        shown(json!({"text": "x", "username": "my_bot [prod]"})),
        "<p><strong>my_bot [prod]</strong></p><p>x</p>"
    );
    assert_eq!(
        shown(json!({"text": "x", "alias": "Rocket", "emoji": ":rocket:"})),
        "<p>🚀 <strong>Rocket</strong></p><p>x</p>"
    );
    assert_eq!(
        shown(json!({"text": "x", "icon_emoji": ":fire:"})),
        "<p>🔥 <strong>Alerts</strong></p><p>x</p>"
    );
    assert_eq!(shown(json!({"text": "x", "username": "Alerts"})), "<p>x</p>");
    assert_eq!(shown(json!({"text": "🎉"})), "<p class=\"jumbo\">🎉</p>");
}

#[test]
fn legacy_attachments_are_read_whole() {
    let payload = json!({"attachments": [{
        "pretext": "New *ticket*", "color": "warning", "author_name": "Ana", "author_link": "https://a.example/ana",
        "author_subname": "ops", "title": "#7 `db`", "title_link": "https://a.example/7", "text": "It is _slow_",
        "fields": [{"title": "p", "value": "*high*"}, {"title": "none", "value": null}, {"title": "all", "value": ["a", 2]},
            {"title": "flag", "value": true}, {"value": {"text": "inner"}}, {}],
        "image_url": "https://a.example/i.png", "thumb_url": "https://a.example/t.png",
        "actions": [{"type": "button", "text": "Open", "url": "https://a.example/o"}],
        "footer": "by host", "ts": "1392734382.000", "fallback": "not shown",
    }, {"fallback": "only this"}, {"text": "Report", "blocks": [{"type": "table", "rows": [[{"type": "raw_text", "text": "x"}]]}]}]});
    let expected = [
        "<p>New <strong>ticket</strong></p>",
        &format!("<p>{} ops</p>", link("https://a.example/ana", "Ana")),
        &format!("<p>🟡 <strong>{}</strong></p>", link("https://a.example/7", "#7 <code>db</code>")),
        "<p>It is <em>slow</em></p>",
        "<ul><li><strong>p</strong>: <strong>high</strong></li><li><strong>none</strong></li><li><strong>all</strong>: a, 2</li><li><strong>flag</strong>: true</li><li>inner</li></ul>",
        &format!("<p>{}</p>", link("https://a.example/i.png", "https://a.example/i.png")),
        &format!("<p>{}</p>", link("https://a.example/t.png", "https://a.example/t.png")),
        &format!("<p>{}</p>", link("https://a.example/o", "Open")),
        "<p><em>by host · 2014-02-18 14:39 UTC</em></p>",
        "<p>only this</p>",
        "<p>Report</p>",
        "<table><thead><tr><th>x</th></tr></thead></table>",
    ];
    assert_eq!(html(&payload), expected.concat());
}

#[test]
fn long_messages_are_cut_with_a_sign_and_closed_marks() {
    let text = format!("*{}x* end", "word & ".repeat(20_000));
    let Written { content, rendered } = written_in(HookFormat::Auto, &json!({ "text": text })).unwrap();
    assert!(content.len() <= 64 << 10 && content.ends_with("…**"), "{}", &content[content.len() - 20..]);
    assert!(rendered.html.ends_with("…</strong></p>"));
    let fields: Vec<Value> = (0..50_000).map(|n| json!({"title": n, "value": "&"})).collect();
    let Written { content, rendered } =
        written_in(HookFormat::Auto, &json!({"attachments": [{ "fields": fields }]})).unwrap();
    assert!(content.len() <= 64 << 10, "{}", content.len());
    assert!(
        rendered.html.len() <= 400 << 10
            && (rendered.html.ends_with("<p>…</p>") || rendered.html.ends_with("…</li></ul>")),
        "{}",
        rendered.html.len()
    );
    let deep: Vec<Value> = (0..2_000)
        .map(|n| json!({"type": "rich_text_list", "indent": n % 9, "style": "ordered", "elements": [
            {"type": "rich_text_section", "elements": [{"type": "text", "text": "x\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\ny"}]}]}))
        .collect();
    let written =
        written_in(HookFormat::Auto, &json!({"blocks": [{"type": "rich_text", "elements": deep}]})).unwrap();
    assert!(written.content.len() <= 70 << 10, "{}", written.content.len());
    let table: Vec<Value> = (0..5_000).map(|_| json!([{"type": "raw_text", "text": "x"}])).collect();
    let written =
        written_in(HookFormat::Auto, &json!({"blocks": [{"type": "table", "rows": table}]})).unwrap();
    assert!(written.rendered.html.ends_with("</table><p>…</p>"));
}

#[test]
fn reading_takes_time_in_proportion_to_the_text() {
    for text in [
        "*a ",
        "_a*b~c ",
        "<",
        "<a ",
        "`",
        "` ",
        ":a:",
        "[",
        "[a](",
        "[a](http://x ",
        "```",
        "> ",
        "- ",
        "\u{200b}*",
        "**a",
        "http://",
        "&lt;",
        "~~~",
        "\n> ```",
    ] {
        let started = std::time::Instant::now();
        for format in [HookFormat::Slack, HookFormat::Auto] {
            html_in(format, &json!({ "text": text.repeat((128 << 10) / text.len()) }));
        }
        assert!(started.elapsed().as_secs() < 10, "{text:?} took {:?}", started.elapsed());
    }
}

/// What the Markdown of a message says when it is rendered, which its author's client may do.
#[test]
fn content_is_markdown_with_the_same_meaning() {
    for text in [
        "*bold* _thin_ ~gone~ `code` <https://a.b/?x=1&amp;y=2|page> <https://a.b>",
        "a * b, 2*3*4, snake_case, _ _, ~/a ~/b, [x] {y} (z), a|b, # c",
        "- one\n- two\n\n&gt; quote\n&gt; more\nafter",
        "```a\nb```\n# no heading\n+ no item\n1. no item\n= no heading",
        "[x](y) ![x](y) &amp;amp; &amp;lt; a &lt;b&gt; c",
        "*see `x` here*, __init__, f(**args)",
    ] {
        let payload = json!({ "text": text });
        let Written { content, rendered } = written_in(HookFormat::Slack, &payload).unwrap();
        let again: Rendered = render(&content, name_of);
        let visible = |plain: &str| plain.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(visible(&again.plain), visible(&rendered.plain), "{content}");
    }
}

proptest! {
    #[test]
    fn plain_text_never_mentions_anybody(text in "[@a-z*_~`<>|#! \\[\\]\\n\\\\&:()0-9-]{0,60}") {
        let text = format!("{text} @here @[x](user:5)").replace("<!", "<");
        for payload in [
            json!({"blocks": [{"type": "section", "text": {"type": "plain_text", "text": text}}]}),
            json!({"text": text}),
        ] {
            let rendered = written_in(HookFormat::Auto, &payload).unwrap().rendered;
            prop_assert!(rendered.everyone.is_none() && rendered.mentions.is_empty(), "{}", rendered.html);
        }
    }

    /// Nothing that a sender wrote is lost, but for marks.
    #[test]
    fn letters_are_kept(text in "[a-z*_~`>|# \\[\\]\\n;().@!-]{0,80}") {
        let letters = |text: &str| text.chars().filter(char::is_ascii_lowercase).collect::<String>();
        let payload = json!({ "text": text });
        let found = written_in(HookFormat::Slack, &payload).map(|written| written.rendered.plain).unwrap_or_default();
        prop_assert_eq!(letters(&found), letters(&text));
    }

    #[test]
    fn conversion_accepts_any_text(text in "\\PC{0,80}", name in "[a-z_]{1,12}") {
        let payload = json!({"text": &text, "attachments": [{"title": &text, "title_link": &text, "text": &text}], "blocks": [
            {"type": &name, "text": &text, "elements": [{"type": &text, "text": &text}], "rows": [[&text]]}, &text]});
        for format in [HookFormat::Auto, HookFormat::Slack, HookFormat::Markdown] {
            written_in(format, &payload);
        }
    }
}
