//! Hostile input. The checker here is independent of the sanitiser: it parses the finished HTML by itself.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::name_of;
use crate::text::{clean, fast, markdown, render, render_in_full};

/// Parses HTML strictly, and returns what in it is not allowed.
fn fault(html: &str) -> Option<String> {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = html;
    while let Some(place) = rest.find(['<', '>']) {
        let Some(tag) = rest[place..].strip_prefix('<') else {
            return Some(format!("an unmatched > in {html}"));
        };
        let Some(end) = tag.find('>') else { return Some(format!("an open tag in {html}")) };
        let (tag, after) = (&tag[..end], &tag[end + 1..]);
        rest = after;
        if let Some(name) = tag.strip_prefix('/') {
            if open.pop() != Some(name) {
                return Some(format!("</{name}> closes something else in {html}"));
            }
            continue;
        }
        let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        match name {
            "br" | "hr" | "input" => {}
            "a" | "blockquote" | "code" | "del" | "em" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "li"
            | "ol" | "p" | "pre" | "span" | "strong" | "table" | "tbody" | "td" | "th" | "thead" | "tr"
            | "ul" => open.push(name),
            _ => return Some(format!("<{name}> in {html}")),
        }
        if let Some(fault) = attribute_fault(name, attributes) {
            return Some(format!("{fault} in {html}"));
        }
    }
    (!open.is_empty()).then(|| format!("{open:?} left open in {html}"))
}

fn attribute_fault(element: &str, mut attributes: &str) -> Option<String> {
    while !attributes.is_empty() {
        let Some((name, rest)) = attributes.split_once("=\"") else {
            return Some(format!("odd attribute {attributes}"));
        };
        let Some((value, rest)) = rest.split_once('"') else { return Some(format!("open value {rest}")) };
        attributes = rest.trim_start();
        let is_number = value.parse::<u64>().is_ok();
        let is_fine = match (element, name) {
            ("a", "href") => ["http://", "https://", "mailto:"]
                .iter()
                .any(|scheme| value.to_lowercase().starts_with(scheme)),
            ("a", "rel") => value == "noopener noreferrer",
            ("a", "target") => value == "_blank",
            ("code", "class") => {
                value.starts_with("language-") && !value.contains(|c: char| c.is_whitespace() || c == '&')
            }
            ("input", "type") => value == "checkbox",
            ("input", "disabled" | "checked") => value.is_empty(),
            ("a", "title") => true,
            ("ol", "start") | ("li", "value") | ("span", "data-user-id") => is_number,
            ("p", "class") => value == "jumbo",
            ("span", "class") => value == "mention",
            ("td" | "th", "align") => ["left", "center", "right"].contains(&value),
            _ => false,
        };
        if !is_fine {
            return Some(format!("<{element} {name}=\"{value}\">"));
        }
    }
    None
}

fn words(words: &'static [&'static str]) -> BoxedStrategy<String> {
    proptest::sample::select(words).prop_map(str::to_owned).boxed()
}

/// Texts made of what has broken other renderers.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "[a-z ]{1,6}".boxed(),
        1 => "\\PC{1,4}".boxed(),
        4 => words(&[
            "*", "**", "_", "~~", "`", "```", "\n", "\n\n", "    ", "\t", "> ", "- ", "1. ", "# ", "---\n", "|", "|-|\n", "[", "](", "]",
            ")", "![", "<", ">", "\\", "&", "&#58;", "&colon;", "&Tab;", "&lt;", "&quot;", "\"", "'", "=", "\0", "\r", "\u{A0}", "\u{E000}", "\u{FEFF}", "\u{FDE0}", "\u{FDD0}", "&#xFDE0;&#xFDD0;&#xFDE1;", "。", "「", "語", "는",
        ]),
        3 => words(&[
            "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "javascript:alert(1)", "java\tscript:", "data:text/html,", "<svg/onload=x>",
            "<a href=\"javascript:x\">", "<!--", "-->", "<![CDATA[", "]]>", "<?php", "</p>", "</code>", "<style>", "<math>", "<table><td>",
            "https://a.b/", "http://\"onmouseover=x", "www.a.b", "<https://a.b>", "<javascript:x>", "mailto:", "user:5", "@[A](user:5)", "@here", "@room",
            "[x](javascript:x)", "[x](https://a.b \"t\")", "[x]: javascript:x\n", "[x]", "![i](data:x)", "- [x] ", "```html\n", "👍", "1️⃣", "a_b@c.de", "\\*", "C:\\_", "```a b\n", "a```\n", "7. ", "--\n", "[x](y)",
        ]),
    ];
    proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn messages_never_make_active_content(source in hostile()) {
        let rendered = render(&source, name_of);
        prop_assert_eq!(fault(&rendered.html), None);
        let is_foreign = rendered.plain.contains('\0');
        prop_assert!(!is_foreign);
        prop_assert!(rendered.plain.is_empty() == rendered.plain.trim().is_empty());
    }

    #[test]
    fn renderer_is_safe_without_the_sanitiser(source in hostile()) {
        let ours = markdown::render(&source, &name_of).html;
        prop_assert_eq!(fault(&ours), None);
        // The sanitiser would change nothing in what skips it.
        if !ours.contains('=') {
            prop_assert_eq!(clean::with_ammonia(&ours), ours.replace("\r\n", "\n").replace('\r', "\n"));
        }
    }

    #[test]
    fn fast_path_equals_the_full_renderer(source in "(\\PC|[a-zA-Z ]{1,8}|[0-9]{1,3}|[!-/:-@\\[-`{-~]|[-+.)#=:w/ ]|\n|\u{A0}|\u{2028}|\u{3000}){0,20}") {
        if let Some(quick) = fast::render(&source) {
            prop_assert_eq!(quick, render_in_full(&source, &name_of));
        }
    }

    #[test]
    fn fast_path_takes_ordinary_sentences(source in "[A-Z][a-z,' ]{0,60}[a-z][.?!]") {
        let quick = fast::render(&source);
        prop_assert_eq!(quick, Some(render_in_full(&source, &name_of)));
    }
}

/// Repetitions that make some parsers slow, each 64 KiB long.
fn floods() -> Vec<String> {
    const SIZE: usize = 64 << 10;
    let pieces = [
        "a",
        "*",
        "**",
        "* ",
        "*a ",
        "*a_ ",
        "_a ",
        "a_",
        "**a *b ",
        "~~",
        "~~a ",
        "`",
        "`a ",
        "``a`",
        "> ",
        ">",
        ">a\n",
        "> a\n\n",
        "- ",
        "-\n",
        "- a\n",
        "* * ",
        "1. ",
        "1) a\n",
        "+ a\n\n",
        "#",
        "# \n",
        "[",
        "]",
        "[]",
        "[a](",
        "[a][",
        "![",
        "![a](",
        "[a]: b\n",
        "[a]:",
        "[a](<",
        "[a](<b",
        "[\\",
        "<",
        "<a ",
        "<a b=\"",
        "<!--",
        "<!-- a ",
        "<?",
        "<![CDATA[",
        "<!A ",
        "</",
        "<a@",
        "<https:",
        "&",
        "&a",
        "&#1",
        "&amp;",
        "\\",
        "\\\\",
        "\n",
        " \n",
        "a\n",
        "\t",
        "    a\n",
        "\0",
        "\r",
        "|",
        "|a",
        "|a|\n|-|\n",
        "a|b\n-|-\n",
        "|-|-|\n",
        "@",
        "@[",
        "@[a](user:5)",
        "@here",
        "@here ",
        "http://",
        "http://a ",
        "(http://(",
        "https://a.b/)",
        "www.",
        "www.a(",
        "www.a.b ",
        "http://a))))",
        "👍",
        "\u{A0}",
        "```\n",
        "~~~\n",
        "```a\n",
        "- [ ] a\n",
        "- > ",
        "> - ",
        "1. - > ",
        "==\n",
        "a\n=\n",
        "---\n",
        "[a](http://b)",
        "*[a](http://b)*",
        "![a![",
        "<p>\n\n",
        "<div>\n",
        "*_~~",
        "[^a]",
        "[^a]: b\n",
        "a**b",
        "\u{E000}",
        "<b>*",
        ":",
        ".",
        "@room.",
        "\\",
        "\\*",
        "\\\\a",
        "a\\_b",
        "\\* ",
        "\\@here",
        "[a]: b\n\n",
        "[a]:\n",
        "~~~ a b\n",
        "```a b\n",
        "a ```\n",
        "a```\n",
        "a ``` b\n",
        "a@b.de ",
        "a@",
        "a@b.",
        "a.a@",
        "a@a@",
        "@[a",
        "@[a]",
        "@[a](user:",
        "@[\\]",
        "http://a/(",
        "http://a/[(",
        "http://a/\"",
        "http://a/'a",
        "http://a/{a",
        "http://a:b@",
        "http://[::",
        "http://a.",
        "http://a/!",
        "http://a/.",
        "<http://a",
        "](http://a",
        "]: http://a",
        "*http://a*",
        "*http://a_*",
        "_*~http://a",
        "語*「",
        "語**。",
        "1*1",
        "^_",
        "&#xFDD0;",
        "7. a\n",
        "|a|\n|-|\n|b|c|\n",
        "a\n--\n",
        "a\n---\n",
        "`a ``b ",
        "C:\\*",
    ];
    let mut floods: Vec<String> = pieces.iter().map(|piece| piece.repeat(SIZE / piece.len())).collect();
    let half = |piece: &str| piece.repeat(SIZE / 2 / piece.len());
    for (first, second) in [
        ("[", "]"),
        ("*", "a*"),
        ("**a ", " b**"),
        ("> ", "\na"),
        ("- ", "\n"),
        (" - ", "\n\n"),
        ("![", "](http://a)"),
        ("[", "](http://a)"),
        ("<", ">"),
        ("`", "a`"),
        ("_a", "b_"),
        ("*a **b ", "c** d* "),
        ("(", ")"),
        ("http://a", "))"),
        ("[a]: http://b\n", "[a]"),
        ("[a]: http://b\n", "[a] *"),
        ("> > - ", "\n x"),
        ("~~a", "b~~"),
    ] {
        floods.push(half(first) + &half(second));
    }
    // Marks of growing number, nested lists step by step, a wide table with narrow rows.
    floods.push((1..360).map(|n| "`".repeat(n) + "a").collect());
    floods.push((1..250).map(|n| " ".repeat(2 * (n - 1)) + "- a\n").collect());
    floods.push((0..31).map(|n| "> ".repeat(n) + "a\n").collect::<String>().repeat(60));
    floods.push("- ".repeat(31) + "a\n" + &"\n".repeat(SIZE - 64));
    floods.push("- ".repeat(31) + "a\n" + &(" ".repeat(62) + "b\n").repeat(1000));
    floods.push(format!("{}\n{}\n{}", "|a".repeat(SIZE / 8), "|-".repeat(SIZE / 8), "|b\n".repeat(SIZE / 6)));
    floods.push((0..400).map(|n| format!("[{}]: http://b\n", "a".repeat(n % 150))).collect());
    floods.push(format!("[a]: http://b/{}\n\n{}", half("x"), half("[a]")));
    floods
}

#[test]
fn floods_take_little_time_and_space() {
    // A few milliseconds in a release build; the bound leaves room for an unoptimised one on a busy machine, and still
    // tells linear work from quadratic, which takes seconds.
    let bound = Duration::from_millis(if cfg!(debug_assertions) { 2_000 } else { 200 });
    let mut slowest = Vec::new();
    for flood in floods() {
        let start = Instant::now();
        let rendered = render(&flood, name_of);
        let took = start.elapsed();
        let name: String = flood.chars().take(24).collect();
        assert_eq!(
            fault(&rendered.html).map(|fault| fault.chars().take(200).collect::<String>()),
            None,
            "{name:?}"
        );
        assert!(rendered.html.len() <= 400 << 10, "{name:?} grew to {} bytes", rendered.html.len());
        slowest.push((took, name, rendered.html.len()));
    }
    slowest.sort_unstable_by(|a, b| b.cmp(a));
    for (took, name, size) in &slowest[..12] {
        println!("{took:?} {size} {name:?}");
    }
    assert!(slowest[0].0 < bound, "{slowest:?}");
}
