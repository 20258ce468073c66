//! Bare addresses: where they start and end. What is here was compared with linkify-it.

use super::html;

/// The links of a text.
fn links(source: &str) -> Vec<String> {
    let html = html(source);
    html.split("</a>")
        .filter_map(|part| Some(part.rsplit_once("target=\"_blank\">")?.1.replace("&amp;", "&")))
        .collect()
}

#[test]
fn address_is_read_before_emphasis() {
    for address in [
        "https://example.org/pkg/__init__.py",
        "https://a.b/c*d*e",
        "https://a.b/~x~~y~~",
        "https://a.b/_x_/y_",
        "https://a.b/a\\_b",
        "www.a.b/c_d_e",
    ] {
        assert_eq!(links(address), [address]);
        assert_eq!(links(&format!("see {address} and *this* _x_")), [address]);
    }
    for (source, address) in [
        ("**https://a.b/c**", "https://a.b/c"),
        ("*see https://a.b/c*d*", "https://a.b/c*d"),
        ("_https://a.b/c_d_, x", "https://a.b/c_d"),
        ("~~https://a.b/c~~", "https://a.b/c"),
        ("**https://a.b/c**和b", "https://a.b/c"),
        ("**see https://a.b/c.**", "https://a.b/c"),
        ("*a@b.de*", "a@b.de"),
    ] {
        assert_eq!(links(source), [address], "{source}");
        assert!(!html(source).contains(['*', '~']) || address.contains('*'), "{source}: {}", html(source));
    }
}

#[test]
fn address_ends_where_people_see_its_end() {
    for (source, address) in [
        ("（https://example.org/a）", "https://example.org/a"),
        ("「https://a.b/c」", "https://a.b/c"),
        ("【https://a.b/c】です", "https://a.b/c"),
        ("https://a.b/c。次", "https://a.b/c"),
        ("https://a.b/c，谢谢", "https://a.b/c"),
        ("https://a.b/c！", "https://a.b/c"),
        ("„https://a.b/c“", "https://a.b/c"),
        ("«https://a.b/c»", "https://a.b/c"),
        ("‚https://a.b/c‘ ‹x›", "https://a.b/c"),
        ("{https://a.b/c}", "https://a.b/c"),
        ("|https://a.b/c|", "https://a.b/c"),
        ("(https://a.b/c_(d)).", "https://a.b/c_(d)"),
        ("https://a.b/c، x", "https://a.b/c"),
        ("https://a.b/c؟", "https://a.b/c"),
        ("https://a.b/c।", "https://a.b/c"),
        ("https://a.b/c…", "https://a.b/c"),
        ("https://a.b/it's", "https://a.b/it's"),
        ("https://a.b/?x={y}&z=[1]", "https://a.b/?x={y}&z=[1]"),
        ("https://a.b/a;b,c!d?e", "https://a.b/a;b,c!d?e"),
        ("https://a.b/c; x", "https://a.b/c"),
        ("https://a.b/...x", "https://a.b/...x"),
        ("https://a.b/c... x", "https://a.b/c"),
        ("https://a.b/請看#é", "https://a.b/請看#é"),
        ("https://例え.jp/x", "https://例え.jp/x"),
        ("http://[::1]:8080/x", "http://[::1]:8080/x"),
        ("https://me:secret@a.b/c", "https://me:secret@a.b/c"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("https://a.b/c`x`", "https://a.b/c"),
        ("https://a.b/c\u{3000}x", "https://a.b/c"),
    ] {
        assert_eq!(links(source), [address], "{source}");
    }
    assert_eq!(links("https://a.b/c、https://d.e/f"), ["https://a.b/c", "https://d.e/f"]);
    for source in
        ["http://a.b:99999/x", "https://a.b-", "https://a_b.c/x", "https://-a.b", "https://", "https://。"]
    {
        assert_eq!(links(source), [""; 0], "{source}");
    }
}

#[test]
fn address_starts_behind_letters_that_are_not_ascii() {
    for before in ["詳細は", "请看", "한국어", "สวัสดี", "смотри:", "é", "=", "(", "url=", "-", "、"]
    {
        assert_eq!(links(&format!("{before}https://example.org/a")), ["https://example.org/a"], "{before}");
        assert_eq!(links(&format!("{before}https://example.org/a")), ["https://example.org/a"], "{before}");
    }
    for source in ["xhttps://a.b", "1http://a.b", "awww.a.b.c", "x.www.a.b", "user@www.a.b.c:x"] {
        assert_eq!(links(source), [""; 0], "{source}");
    }
}

#[test]
fn mail_addresses_are_links() {
    for (source, address) in [
        ("write a_b.c+d@e-f.example!", "a_b.c+d@e-f.example"),
        ("邮箱：a@b.com。", "a@b.com"),
        ("邮箱a@b.com", "a@b.com"),
        ("(a@b.de)", "a@b.de"),
        ("'a@b.de'", "a@b.de"),
        ("_a_@b.de", "a_@b.de"),
        ("<a@b.de>", "a@b.de"),
        ("a@пример.рф", "a@пример.рф"),
    ] {
        assert_eq!(links(source), [address], "{source}");
        assert!(html(source).contains(&format!("href=\"mailto:{address}\"")), "{source}");
    }
    assert_eq!(links("mailto:a@b.de"), ["mailto:a@b.de"]);
    for source in [
        "a@b",
        "@a.b",
        "a@@b.de",
        "git@github.com:o/r.git",
        "@ana@mastodon.example",
        "a..b@c.de",
        "éa@b.de",
        "`a@b.de`",
    ] {
        assert_eq!(links(source), [""; 0], "{source}");
    }
}
