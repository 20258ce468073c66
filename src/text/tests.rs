use super::*;

mod addresses;
mod lossless;
mod safety;
mod suites;

fn name_of(id: UserId) -> Option<&'static str> {
    match id.0 {
        5 => Some("Ann <b> & Co"),
        7 => Some("Zoë"),
        _ => None,
    }
}

fn html(source: &str) -> String {
    render(source, name_of).html
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn plain(source: &str) -> String {
    render(source, name_of).plain
}

#[test]
fn line_ends_break_lines_and_empty_lines_break_paragraphs() {
    assert_eq!(html("one\ntwo"), "<p>one<br>two</p>");
    assert_eq!(html("one\n\ntwo *three*"), "<p>one</p><p>two <em>three</em></p>");
    assert_eq!(plain("one\n\ntwo *three*"), "one two three");
}

#[test]
fn markdown_follows_commonmark_and_gfm() {
    assert_eq!(
        html("**a** *b* ~~c~~ `d<e`"),
        "<p><strong>a</strong> <em>b</em> <del>c</del> <code>d&lt;e</code></p>"
    );
    assert_eq!(html("# T\n> q"), "<h1>T</h1><blockquote><p>q</p></blockquote>");
    assert_eq!(html("3. x\n4. y"), "<ol start=\"3\"><li>x</li><li>y</li></ol>");
    assert_eq!(
        html("- [x] done\n- [ ] open"),
        "<ul><li><input type=\"checkbox\" disabled=\"\" checked=\"\"> done</li>\
         <li><input type=\"checkbox\" disabled=\"\"> open</li></ul>"
    );
    assert_eq!(
        html("|a|b|\n|-|-:|\n|1|2|"),
        "<table><thead><tr><th>a</th><th align=\"right\">b</th></tr></thead>\
         <tbody><tr><td>1</td><td align=\"right\">2</td></tr></tbody></table>"
    );
    assert_eq!(plain("|a|b|\n|-|-:|\n|1|2|\n\n- x\n  - y"), "a b 1 2 x y");
}

#[test]
fn code_keeps_its_lines_and_names_its_language() {
    assert_eq!(
        html("```rust\nlet a = 1;\n\nb()\n```"),
        "<pre><code class=\"language-rust\">let a = 1;\n\nb()\n</code></pre>"
    );
    assert_eq!(html("```\" onx=\"\nx\n```"), "<pre><code>\" onx=\"\nx\n</code></pre>");
    assert_eq!(plain("a `b c` d\n```\ne\nf\n```\ng"), "a b c d e f g");
}

#[test]
fn raw_html_is_text() {
    assert_eq!(html("a <b>c</b>"), "<p>a &lt;b&gt;c&lt;/b&gt;</p>");
    assert_eq!(html("<script>\nalert(1)\n</script>"), "<p>&lt;script&gt;<br>alert(1)<br>&lt;/script&gt;</p>");
    assert_eq!(plain("a <b>c</b>"), "a <b>c</b>");
}

#[test]
fn links_have_only_web_and_mail_addresses() {
    let rest = "rel=\"noopener noreferrer\" target=\"_blank\"";
    assert_eq!(
        html("[x](https://a.b/?c=d&e=f)"),
        format!("<p><a href=\"https://a.b/?c=d&amp;e=f\" {rest}>x</a></p>")
    );
    assert_eq!(
        html("[x](https://a.b/c_\\(d\\))"),
        format!("<p><a href=\"https://a.b/c_(d)\" {rest}>x</a></p>")
    );
    assert_eq!(html("<a@b.de>"), format!("<p><a href=\"mailto:a@b.de\" {rest}>a@b.de</a></p>"));
    for address in [
        "javascript:alert(1)",
        "JaVaScript:x",
        "data:text/html,x",
        "/rooms",
        "/rooms/1/../../api",
        "/api/rooms/1",
        "//evil",
        "vbscript:x",
        "user:5",
        "java\tscript:x",
    ] {
        let typed = escaped(address);
        let shown = format!("<p>[<strong>x</strong>](&lt;{typed}&gt;)</p>");
        assert_eq!(html(&format!("[**x**](<{address}>)")), shown, "{address}");
    }
    for address in ["/rooms/1", "/rooms/1/@7"] {
        assert_eq!(html(&format!("[x]({address})")), format!("<p><a href=\"{address}\">x</a></p>"));
    }
    assert_eq!(
        html("![a cat](https://a.b/c.png)"),
        format!("<p><a href=\"https://a.b/c.png\" {rest}>a cat</a></p>")
    );
    assert_eq!(
        html("[![alt](https://x.y/z)](https://a.b)"),
        format!("<p><a href=\"https://a.b\" {rest}>alt</a></p>")
    );
}

#[test]
fn bare_addresses_become_links_without_punctuation_around_them() {
    let link = |href: &str, text: &str| {
        format!("<a href=\"{href}\" rel=\"noopener noreferrer\" target=\"_blank\">{text}</a>")
    };
    assert_eq!(
        html("see https://a.b/c_d_e?f=1&g, ok"),
        format!("<p>see {}, ok</p>", link("https://a.b/c_d_e?f=1&amp;g", "https://a.b/c_d_e?f=1&amp;g"))
    );
    assert_eq!(
        html("(http://a.b/c_(d))."),
        format!("<p>({}).</p>", link("http://a.b/c_(d)", "http://a.b/c_(d)"))
    );
    assert_eq!(html("www.a.b!"), format!("<p>{}!</p>", link("https://www.a.b", "www.a.b")));
    assert_eq!(html("HTTPS://A.B"), format!("<p>{}</p>", link("HTTPS://A.B", "HTTPS://A.B")));
    for text in ["`https://a.b`", "xhttps://a.b", "https://", "http:// a", "www.", "www.a", "awww.a.b"] {
        assert!(!html(text).contains("<a"), "{text}");
    }
    assert_eq!(
        html("[see https://x.y](https://a.b)"),
        format!("<p>{}</p>", link("https://a.b", "see https://x.y"))
    );
}

#[test]
fn mentions_show_the_current_name() {
    let rendered = render("hi @[Old *Name*](user:7), @[Ann](user:5) and @[Zoë](user:7)!", name_of);
    assert_eq!(
        rendered.html,
        "<p>hi <span class=\"mention\" data-user-id=\"7\">@Zoë</span>, \
         <span class=\"mention\" data-user-id=\"5\">@Ann &lt;b&gt; &amp; Co</span> and \
         <span class=\"mention\" data-user-id=\"7\">@Zoë</span>!</p>"
    );
    assert_eq!(rendered.plain, "hi Zoë, Ann <b> & Co and Zoë!");
    assert_eq!(rendered.mentions.as_slice(), [UserId(7), UserId(5)]);
}

#[test]
fn mentions_of_non_members_stay_text() {
    let stranger = render("@[Bob \\[x\\] \\*](user:9)", name_of);
    assert_eq!((&*stranger.html, &*stranger.plain), ("<p>@Bob [x] *</p>", "@Bob [x] *"));
    assert!(stranger.mentions.is_empty());
    for source in
        ["@[Bob](user:+7)", "@[Bob](user:)", "@[Bob](user:99999999999999999999)", "\\@[Bob](user:7)"]
    {
        let rendered = render(source, name_of);
        assert_eq!(rendered.plain, source.trim_start_matches('\\'), "nothing is lost");
        assert!(rendered.mentions.is_empty());
    }
    assert!(render("`@[Zoë](user:7)`", name_of).mentions.is_empty());
    assert!(render("[Zoë](user:7)", name_of).mentions.is_empty());
}

#[test]
fn mention_of_a_name_with_any_signs_is_one() {
    for name in [
        "A]b",
        "A)b(",
        "*a*",
        "a`b",
        "a\\\\b",
        "\\[a\\]",
        "[ops] x",
        "a_b_",
        "<b>",
        "|x|",
        "a](b",
        "https://a.b",
    ] {
        for source in [
            format!("hi @[{name}](user:7)!"),
            format!("**@[{name}](user:7)**。"),
            format!("|x|\n|-|\n|@[{name}](user:7)|"),
        ] {
            let rendered = render(&source, name_of);
            assert_eq!(rendered.mentions.as_slice(), [UserId(7)], "{source}: {}", rendered.html);
            assert!(rendered.html.contains("data-user-id=\"7\">@Zoë</span>"), "{source}");
        }
    }
    // Not within code, an address or a link.
    for source in [
        "`@[a](user:7)`",
        "```\n@[a](user:7)\n```",
        "[x @[a](user:7)](https://a.b)",
        "https://a.b/@[a](user:7)",
    ] {
        assert!(render(source, name_of).mentions.is_empty(), "{source}");
    }
}

#[test]
fn everyone_is_mentioned_by_a_separate_word() {
    let everyone = |source: &str| render(source, name_of).everyone;
    assert_eq!(everyone("@here, lunch?"), Some(Everyone::Here));
    assert_eq!(everyone("hey @room and @here"), Some(Everyone::Room));
    assert_eq!(html("*@room*!"), "<p><em><span class=\"mention\">@room</span></em>!</p>");
    for source in ["@hereさん", "请@here看", "สวัสดี@hereครับ", "여러분@here님", "всем@here", "（@here）"]
    {
        assert_eq!(everyone(source), Some(Everyone::Here), "{source}");
    }
    for source in [
        "\\@here",
        "é@here",
        "https://a.b/@here",
        "https://a.b/?x=@room&y",
        "a@here.example",
        "mailto:a@here.example",
        "C:\\@here",
        "@hereby",
        "me@here",
        "`@room`",
        "```\n@room\n```",
        "@Here",
        "me@room.org",
        "[@room](https://a.b)",
        "x/@room",
    ] {
        assert_eq!(everyone(source), None, "{source}");
    }
}

#[test]
fn emoji_are_shown_large_up_to_twelve() {
    for source in ["👍", "👍🏽", "👩‍👩‍👧‍👦 🎉", "🇩🇪🇫🇷", "1️⃣", "*️⃣", "❤️", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "❤️‍🔥", "☝🏽", "🏳️‍🌈", &"🎉".repeat(12)]
    {
        assert_eq!(html(source), format!("<p class=\"jumbo\">{source}</p>"));
        assert_eq!(
            render_in_full(source, &name_of).html.replace("<p>", "<p class=\"jumbo\">"),
            html(source),
            "the sanitiser agrees"
        );
    }
    for source in [&*"🎉".repeat(13), "👍 ok", "1", "12", "❤", "🇩", "👍\u{200D}", "©", "#", "*", "—", "。"]
    {
        assert!(!html(source).contains("jumbo"), "{source}");
    }
}

#[test]
fn invisible_markdown_is_shown_as_it_was_typed() {
    for source in ["#", "-", "1.", "[a]: http://b.c", "+"] {
        assert!(plain(source).contains(source), "{source}: {}", html(source));
    }
    assert_eq!(html(">"), "<p>&gt;</p>");
    assert_eq!(html("---"), "<hr>");
}

#[test]
fn deep_quotes_lose_no_text() {
    let rendered = render(&format!("{} deep", ">".repeat(30)), name_of);
    assert_eq!(rendered.html.matches("<blockquote>").count(), 16);
    assert_eq!(rendered.plain, "deep");
    let flood = format!("{}deep", "> ".repeat(300));
    assert_eq!(plain(&flood), flood);
}

#[test]
fn endless_emoji_sequence_is_not_shown_large() {
    assert!(html("👨\u{200D}👩\u{200D}👧\u{200D}👦").contains("jumbo"));
    let endless = format!("👨{}", "\u{200D}👨".repeat(100));
    assert!(!html(&endless).contains("jumbo"));
}
