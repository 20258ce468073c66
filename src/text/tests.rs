use proptest::prelude::*;

use super::*;

fn names(id: UserId) -> Option<&'static str> {
    match id.0 {
        5 => Some("Ana Silva"),
        6 => Some("<b>Bo</b>"),
        _ => None,
    }
}

fn html(source: &str) -> String {
    render(source, names).html
}

#[test]
fn markdown_becomes_html() {
    assert_eq!(html("plain words"), "<p>plain words</p>");
    assert_eq!(html("*a* **b** ~~c~~ `d`"), "<p><em>a</em> <strong>b</strong> <del>c</del> <code>d</code></p>");
    assert_eq!(html("one\ntwo"), "<p>one<br>\ntwo</p>");
    assert_eq!(html("```rust\nlet a = 1 < 2;\n```"), "<pre><code class=\"language-rust\">let a = 1 &lt; 2;\n</code></pre>");
    assert!(html("- [x] done").contains("checked"));
    assert!(html("|a|b|\n|-|-|\n|1|2|").contains("<td>1</td>"));
    assert_eq!(html("🎉🎉"), "<p class=\"jumbo\">🎉🎉</p>");
    assert_eq!(html("1. a\n2. b"), "<ol>\n<li>a</li>\n<li>b</li>\n</ol>");
}

#[test]
fn links_open_elsewhere_and_only_with_harmless_schemes() {
    assert_eq!(
        html("see https://example.org/a_b_(c)."),
        "<p>see <a href=\"https://example.org/a_b_(c)\" target=\"_blank\" rel=\"noopener noreferrer\">https://example.org/a_b_(c)</a>.</p>"
    );
    assert!(html("[x](https://example.org)").contains("href=\"https://example.org\""));
    assert!(html("www.example.org").contains("href=\"https://www.example.org\""));
    assert!(html("![cat](https://example.org/c.png)").contains(">cat</a>"));
    for bad in ["[x](javascript:alert(1))", "[x](data:text/html,x)", "[x](//evil)", "[x](JaVaScRiPt:x)", "[x](java\nscript:x)", "<javascript:x>"] {
        assert!(!html(bad).contains("href"), "{bad}");
    }
    assert!(!html("`https://example.org`").contains("href"));
}

#[test]
fn raw_html_is_text() {
    assert_eq!(html("<script>alert(1)</script>"), "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>");
    assert_eq!(html("a <img src=x onerror=y> b"), "<p>a &lt;img src=x onerror=y&gt; b</p>");
}

#[test]
fn members_are_mentioned_by_their_name_of_today() {
    let rendered = render("hi @[Old Name](user:5) and @[X](user:6), not @[Stranger](user:9)", names);
    assert_eq!(rendered.mentions.as_slice(), [UserId(5), UserId(6)]);
    assert_eq!(
        rendered.html,
        "<p>hi <span class=\"mention\" data-user-id=\"5\">@Ana Silva</span> and \
         <span class=\"mention\" data-user-id=\"6\">@&lt;b&gt;Bo&lt;/b&gt;</span>, not @Stranger</p>"
    );
    assert_eq!(rendered.plain, "hi Ana Silva and <b>Bo</b>, not @Stranger");
    assert!(render("`@[A](user:5)`", names).mentions.is_empty());
    assert_eq!(render("@room now", names).everyone, Some(Everyone::Room));
    assert_eq!(render("`@room` @roomy a@here", names).everyone, None);
}

#[test]
fn plain_text_has_a_space_between_blocks() {
    assert_eq!(render("# Head\n\ntext *in* parts\n\n- one\n- two", names).plain, "Head text in parts one two");
}

#[test]
fn hostile_floods_take_no_time() {
    let size = 64 << 10;
    for unit in [">", "[", "*", "_", "`", "<", "![", "- ", "> - ", "|", "a|", "~~", "**a ", "*a_ ", "[a](", "<a ", "&", "\\", "1. ", "#", "@", "http://", "[a]: b\n", "`` ` ", "|-\n", "a\n> ", "(", "]("] {
        let source = unit.repeat(size / unit.len());
        let started = std::time::Instant::now();
        render(&source, names);
        // Some milliseconds in a release build; the bound leaves room for a slow machine and a debug build.
        assert!(started.elapsed().as_millis() < 2_000, "{unit:?} took {:?}", started.elapsed());
    }
}

#[test]
fn a_query_is_always_an_expression() {
    let query = |typed: &str| Query::parse(typed).map(|query| (query.exact, query.prefix));
    assert_eq!(query("red fox"), Some(("\"red\" AND \"fox\"".into(), Some("\"red\" AND \"fox\" *".into()))));
    assert_eq!(query("say \"red fox\""), Some(("\"say\" AND \"red fox\"".into(), None)));
    assert_eq!(query("re*"), Some(("\"re\" *".into(), None)));
    assert_eq!(query("\" OR * NEAR( ) ^ : - \""), Some(("\" OR * NEAR( ) ^ : - \"".into(), None)));
    assert_eq!(query("* ( \" "), None);
}

#[test]
fn snippets_are_escaped_and_their_marks_balanced() {
    assert_eq!(snippet_html("a <b> \u{E000}hit\u{E001} &"), "a &lt;b&gt; <mark>hit</mark> &amp;");
    assert_eq!(snippet_html("\u{E001}x\u{E000}y"), "x<mark>y</mark>");
}

/// Holds HTML against the rules, by other means than the sanitiser's: every `<` begins a tag that we know, with
/// attributes that we know.
fn assert_inert(html: &str) {
    const TAGS: [&str; 27] = [
        "p", "br", "strong", "em", "del", "code", "pre", "blockquote", "ul", "ol", "li", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "table",
        "thead", "tbody", "tr", "th", "td", "a", "span", "input",
    ];
    for (place, _) in html.match_indices('<') {
        let tag = &html[place + 1..];
        let end = tag.find('>').unwrap_or_else(|| panic!("a tag has no end in {html}"));
        let mut tag = tag[..end].trim_start_matches('/').trim_end_matches('/');
        let name = tag.split(' ').next().unwrap();
        assert!(TAGS.contains(&name), "{name} in {html}");
        tag = tag[name.len()..].trim();
        while !tag.is_empty() {
            let (attribute, rest) = tag.split_once("=\"").unwrap_or_else(|| panic!("{tag} in {html}"));
            let (value, rest) = rest.split_once('"').unwrap_or_else(|| panic!("{tag} in {html}"));
            match attribute {
                "href" => assert!(["http:", "https:", "mailto:"].iter().any(|scheme| value.to_ascii_lowercase().starts_with(scheme)), "{html}"),
                "class" => assert!(value == "mention" || value == "jumbo" || value.starts_with("language-"), "{html}"),
                "rel" | "target" | "type" | "disabled" | "checked" | "start" | "data-user-id" => {}
                other => panic!("{other} in {html}"),
            }
            tag = rest.trim();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_text_makes_active_content(source in "[a-z <>\"'=:/()\\[\\]!@#*_`~|&;\\n.-]{0,200}") {
        assert_inert(&html(&source));
    }

    #[test]
    fn no_pieces_of_attacks_make_active_content(parts in prop::collection::vec(prop::sample::select(vec![
        "<script>", "</script>", "<img src=x onerror=alert(1)>", "javascript:", "[x](", ")", "![", "](", "\"", "'", "<a href=", ">", "`", "```\n",
        "<svg onload=", "&#x6A;avascript:", "&lt;", "\u{0}", "\u{1}", "@[", "](user:5)", "<!--", "-->", "<![CDATA[", "https://", "\" onclick=\"", "\n", " ", "<style>",
    ]), 0..30)) {
        assert_inert(&html(&parts.concat()));
    }

    #[test]
    fn any_text_renders(source in any::<String>()) {
        let rendered = render(&source, names);
        assert_inert(&rendered.html);
        assert!(!rendered.html.contains('\0') && !rendered.html.contains(HIT_START));
    }

    #[test]
    fn the_short_way_is_the_long_way(source in "[a-zA-Z][a-zA-Z0-9 .,;?!'()%$-]{0,80}") {
        if is_plain(&source) {
            assert_eq!(render(&source, names), markdown::render(&source, &names));
        }
    }

    #[test]
    fn any_query_parses(typed in any::<String>()) {
        if let Some(query) = Query::parse(&typed) {
            assert_eq!(query.exact.matches('"').count() % 2, 0);
        }
    }
}
