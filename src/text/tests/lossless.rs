//! Nothing that somebody typed vanishes, but for marks that did their work.

use proptest::prelude::*;

use super::{html, name_of, plain};
use crate::text::{chars::is_visible, render};

/// A text's visible characters but those that may be marks, in order.
fn letters(text: &str) -> String {
    text.chars().filter(|c| is_visible(*c) && !c.is_ascii_punctuation()).collect()
}

/// Texts in which no letter belongs to a mark: all have to be shown.
fn typed() -> impl Strategy<Value = String> {
    let select =
        |words: &'static [&'static str]| proptest::sample::select(words).prop_map(str::to_owned).boxed();
    let piece = prop_oneof![
        6 => "[a-z]{1,6} ?".boxed(),
        3 => select(&["重要", "。", "「", "」", "です", "，", "请看", "한국어", "는", "ไทย", "שלום", "مرحبا", "، ", "é", "👍🏽", "Ω", "…", "„", "“", " ", "\u{3000}"]),
        6 => select(&["*", "**", "_", "__", "~~", "`", "``", "```", "~~~", "\n", "\n\n", "    ", "  ", "\t", "> ", "- ", "+ ", "# ", "## ", "---\n", "--\n", "=\n", "==\n", "|", "|a|b|\n|-|-|\n", "\\", "\\\\", "\\*", "\\\n"]),
        4 => select(&["[", "]", "(", ")", "](", "][", "]: ", "\n[ana]: ", "\n[^x]: ", "[x]", "![", "<", ">", "<b>", "</b>", "<!-- ", " -->", "<div>\n", "<?", "&", "&amp", "&#", "\"", "'", ":", ";", "=", ".", ",", "!", "?", "@", "@here", "\r\n"]),
        2 => select(&["```a b\n", "\n```\n", "x```\n", "```js x", "~~~ a b ~~~\n", "\n~~~\n", "C:\\a\\_b", "\\\\srv\\x", "a_b@c.de", "2*3*4", "www.a.b", "https://a.b/c_d_e", "http://例え.jp/。", "[x](y z)", "[x](y)", "[](a)", "[a]: b\n"]),
    ];
    proptest::collection::vec(piece, 0..28).prop_map(|pieces| pieces.concat())
}

/// The text of HTML as a page shows it, with what links show when they are pointed at or followed.
fn shown(html: &str) -> String {
    let mut text = String::new();
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        text.push_str(&rest[..start]);
        let end = rest[start..].find('>').map_or(rest.len(), |end| start + end + 1);
        text.push_str(&rest[start..end].replace("rel=\"noopener noreferrer\" target=\"_blank\"", ""));
        rest = &rest[end..];
    }
    text.push_str(rest);
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&nbsp;", "\u{A0}")
        .replace("&quot;", "\"")
        .replace("&amp;", "&")
}

/// Whether all letters of a text stand in another, in order.
fn stand_in(letters: &str, text: &str) -> bool {
    let mut rest = text.chars();
    letters.chars().all(|letter| rest.any(|c| c == letter))
}

/// Whether entities may stand in a text: they are marks with letters.
fn has_entity(text: &str) -> bool {
    text.split('&').skip(1).any(|rest| {
        rest.split_once(';')
            .is_some_and(|(name, _)| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'#'))
    })
}

/// Whether it may define a link that is used: then the definition is a mark.
fn may_define(text: &str) -> bool {
    text.split("]:").skip(1).any(|rest| rest.trim_start_matches(['<', '>']).trim_start().starts_with("http"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn every_letter_that_was_typed_is_shown(source in typed()) {
        prop_assume!(!has_entity(&source) && !may_define(&source));
        let rendered = render(&source, name_of);
        let shown = shown(&rendered.html);
        prop_assert!(stand_in(&letters(&source), &shown), "{:?}\n{}", source, rendered.html);
        // Addresses of links and languages of code are not for the index.
        if !rendered.html.contains('=') {
            let (typed, plain) = (letters(&source), letters(&rendered.plain));
            prop_assert_eq!(typed, plain, "{}", rendered.html);
        }
    }
}

#[test]
fn definitions_that_are_no_links_stay() {
    assert_eq!(
        plain("Plan for today\n\n[ana]: backend\n[bob]: frontend"),
        "Plan for today [ana]: backend [bob]: frontend"
    );
    assert_eq!(plain("[10:42]: hello\n[10:43]: bye\n\nand so on"), "[10:42]: hello [10:43]: bye and so on");
    assert_eq!(plain("log:\n\n[ERROR]: disk"), "log: [ERROR]: disk");
    assert_eq!(plain("[^1]: x\na[^1]"), "[^1]: x a[^1]");
    assert_eq!(plain("[a]: http://b.c\n[a]: http://d.e\n\n[a]"), "[a]: http://d.e a");
    assert_eq!(plain("> [a]: b\n\n- [c]: d"), "[a]: b [c]: d");
    assert_eq!(plain("[a]: /b\n\n[a] [x][a]"), "[a]: /b [a] [x][a]");
    assert_eq!(plain("[a]: /b\n[c]: http://d.e\n\n[c]"), "[a]: /b c");
    assert_eq!(plain("> [a]: /b\n> [c]: http://d.e\n>\n> [c]"), "[a]: /b c");
    assert_eq!(plain("[ẞ]\n\n[SS]: http://d.e"), "ẞ");
    let link = "rel=\"noopener noreferrer\" target=\"_blank\"";
    assert_eq!(
        html("[a]: http://b.c 't'\n\n[a], [x][a]"),
        format!(
            "<p><a href=\"http://b.c\" title=\"t\" {link}>a</a>, <a href=\"http://b.c\" title=\"t\" {link}>x</a></p>"
        )
    );
}

#[test]
fn what_cannot_be_shown_whole_is_shown_as_typed() {
    for source in ["\t```a b\n```重要a", "\t```---\n```a重要a", "<div>\na\n~~~\n\n```重要a"] {
        let (typed, shown) = (letters(source), letters(&plain(source)));
        assert_eq!(typed, shown, "{}", html(source));
    }
}

#[test]
fn code_of_other_programs_users_is_whole() {
    let code = |code: &str| format!("<pre><code>{code}\n</code></pre>");
    assert_eq!(html("```SELECT *\nFROM t```"), code("SELECT *\nFROM t"));
    assert_eq!(html("```ls -la\ntotal 0```"), code("ls -la\ntotal 0"));
    assert_eq!(
        html("```Error: disk full\n at main```\nany idea?"),
        code("Error: disk full\n at main") + "<p>any idea?</p>"
    );
    assert_eq!(html("```\nx\n``` and more"), code("x") + "<p>and more</p>");
    assert_eq!(html("look: ```a(\n  b\n)```\nok"), format!("<p>look:</p>{}<p>ok</p>", code("a(\n  b\n)")));
    assert_eq!(
        html("> ```x y\n> z```\n\nafter"),
        format!("<blockquote>{}</blockquote><p>after</p>", code("x y\nz"))
    );
    assert_eq!(html("- ```x y\n  z```"), format!("<ul><li>{}</li></ul>", code("x y\nz")));
    assert_eq!(html("```hello\nworld```"), code("hello\nworld"), "no language");
    assert_eq!(html("```js\nx```"), "<pre><code class=\"language-js\">x\n</code></pre>");
    assert_eq!(html("```foo\nx\n```"), "<pre><code class=\"language-foo\">x\n</code></pre>");
    assert_eq!(html("```\nuse ```x``` here\n```\ny"), code("use ```x``` here") + "<p>y</p>");
    assert_eq!(html("````\n```\nx y\n```\n````"), code("```\nx y\n```"));
    assert_eq!(html("~~~ offers ~~~\nx"), "<p>~~~ offers ~~~<br>x</p>");
    assert_eq!(html("use ``` for code\n\n```\nx\n```"), format!("<p>use ``` for code</p>{}", code("x")));
}

#[test]
fn backslash_stays_where_it_did_nothing() {
    for source in [
        "\\\\server\\share\\_Documentation",
        "C:\\Users\\me\\.config\\x",
        "C:\\a\\_b_c\\_d",
        "(C:\\*.txt)",
        "%TEMP%\\_x",
        ".\\_a_\\b",
        "¯\\_(ツ)_/¯",
        "¯\\\\_(ツ)_/¯",
        "\\o/",
        "a \\* b",
        "snake\\_case",
        "\\d+\\.\\d+",
        "5 \\> 3",
        "\\#1",
        "x\\!",
        "\\\\",
        "\\\\.\\pipe\\x",
        "\\(x\\)",
        "a\\",
        "\\?",
        "«C:\\_a_»",
        "a\\_b\\_c",
    ] {
        assert_eq!(plain(source), source, "{}", html(source));
    }
    assert_eq!(html("cd x \\\nls"), "<p>cd x \\<br>ls</p>");
    for (source, shown) in [
        ("\\*not\\* bold", "*not* bold"),
        ("1\\. x", "1. x"),
        ("\\# x", "# x"),
        ("\\- x", "- x"),
        ("\\[a](https://b.c)", "[a](https://b.c)"),
        ("\\`a\\`", "`a`"),
        ("\\\\*a*", "\\a"),
        ("\\> q", "> q"),
        ("\\~~x~~", "~~x~~"),
        ("这是\\*强调\\*的", "这是*强调*的"),
        ("\\&amp;", "&amp;"),
        ("*\\**", "*"),
        ("**a\\***", "a*"),
        ("[x](https://a.b/c_\\(d\\))", "x"),
        ("|a\\|b|\n|-|\n|c|", "a|b c"),
    ] {
        assert_eq!(plain(source), shown, "{source}: {}", html(source));
    }
}

#[test]
fn what_marks_would_swallow_is_shown() {
    assert_eq!(html("Thanks!\n--\nAna"), "<p>Thanks!<br>--<br>Ana</p>");
    assert_eq!(html("yes\n-"), "<p>yes<br>-</p>");
    assert_eq!(html("> ok\n> ="), "<blockquote><p>ok<br>=</p></blockquote>");
    assert_eq!(html("a\n---\nb"), "<p>a</p><hr><p>b</p>");
    assert_eq!(html("- a\n-\n- b"), "<ul><li>a</li><li></li><li>b</li></ul>");
    assert!(html("|a|b|\n|-|-|\n|1|2|3|").contains("<td>2|3</td>"));
    assert_eq!(html("x[0](y) ![a](b) <user:5>"), "<p>x[0](y) ![a](b) &lt;user:5&gt;</p>");
    assert!(html("[](https://a.b)").contains(">https://a.b</a>"));
    assert!(html("![](https://a.b/c)").contains(">https://a.b/c</a>"));
    assert_eq!(html("3. x\n7. y\n8. z"), "<ol start=\"3\"><li>x</li><li value=\"7\">y</li><li>z</li></ol>");
    assert_eq!(html("1. x\n1. y"), "<ol><li>x</li><li>y</li></ol>");
    for source in ["2*3*4=24", "a ^_^ b ^_^", "-_- x -_-", "2**3**2"] {
        assert_eq!(html(source), format!("<p>{source}</p>"));
    }
    assert_eq!(html("  - a\n  - b\n    - c"), "<ul><li>a</li><li>b<ul><li>c</li></ul></li></ul>");
    assert_eq!(html("    def f():\n        return 1"), "<pre><code>def f():\n    return 1</code></pre>");
}

#[test]
fn emphasis_works_beside_letters_without_spaces() {
    for (source, shown) in [
        ("**重要。**次", "<strong>重要。</strong>次"),
        ("**「強調」**です", "<strong>「強調」</strong>です"),
        ("これは*「a」*です", "これは<em>「a」</em>です"),
        ("**한국어(영어)**는", "<strong>한국어(영어)</strong>는"),
        ("~~削除。~~次", "<del>削除。</del>次"),
        ("请看**[a](x)**。", "请看<strong>[a](x)</strong>。"),
        ("你好**`x`**吧", "你好<strong><code>x</code></strong>吧"),
        ("**สวัสดี!**ครับ", "<strong>สวัสดี!</strong>ครับ"),
        ("**“重要”**的", "<strong>“重要”</strong>的"),
        // As everywhere else.
        ("**\"foo\"**bar", "**\"foo\"**bar"),
        ("a**b**c 语_a_语", "a<strong>b</strong>c 语_a_语"),
    ] {
        assert_eq!(html(source), format!("<p>{shown}</p>"), "{source}");
    }
}
