//! Odd corners where one construct meets another.

use super::{UserId, html, name_of, plain};
use crate::text::render;

fn link(address: &str) -> String {
    format!("<a href=\"{address}\" rel=\"noopener noreferrer\" target=\"_blank\">{address}</a>")
}

#[test]
fn an_image_is_never_a_mention() {
    let rendered = render("@![x](user:5) hello\n\nand [a](http://b) more", name_of);
    assert!(rendered.mentions.is_empty());
    assert_eq!(rendered.plain, "@x hello and a more");
    assert!(rendered.html.starts_with("<p>@x hello</p><p>and <a href"), "{}", rendered.html);
    // One within the other, in both orders.
    assert_eq!(plain("@![@[x](user:5)](user:7) after"), "@@x after");
    let rendered = render("@[![x](user:7)](user:5) after", name_of);
    assert_eq!(rendered.mentions.as_slice(), [UserId(5)]);
    assert_eq!(rendered.plain, "Ann <b> & Co after");
}

#[test]
fn marks_around_hits_cannot_be_spelled_as_entities_either() {
    for source in ["a&#xE000;b&#xE001;", "`a`b&#57344;", "[a](http://c 'd')b&#xe001;", "a b&#0;"] {
        assert!(!plain(source).contains(['\u{E000}', '\u{E001}', '\0']), "{source}");
    }
    let named = render("@[A](user:5)", |_| Some("a\u{E000}b"));
    assert_eq!(named.plain, "ab");
}

#[test]
fn emoji_without_end_are_not_shown_large() {
    for source in ["👍\u{200D}".repeat(100) + "👍", format!("🏴{}", "\u{E0067}".repeat(100))] {
        assert!(!html(&source).contains("jumbo"));
    }
    assert!(html("👨🏻‍❤️‍💋‍👨🏿").contains("jumbo"));
}

#[test]
fn an_image_without_words_shows_its_address() {
    assert_eq!(html("see ![](http://a.b/c.png)"), format!("<p>see {}</p>", link("http://a.b/c.png")));
}

#[test]
fn marks_within_a_bare_address_belong_to_it() {
    for address in [
        "https://a.b/x/__init__.py",
        "https://a.b/_c_/d",
        "https://a.b/~c/~d",
        "https://a.b/*c*",
        "www.a.b/_c_/_d_",
    ] {
        let href = if address.starts_with("www") { format!("https://{address}") } else { address.to_owned() };
        let rendered = html(&format!("see {address}, ok"));
        assert_eq!(rendered.matches("<a ").count(), 1, "{rendered}");
        assert!(rendered.contains(&format!("href=\"{href}\"")), "{rendered}");
        assert!(rendered.ends_with(&format!("{address}</a>, ok</p>")), "{rendered}");
    }
    assert_eq!(html("**http://a.b/**"), format!("<p><strong>{}</strong></p>", link("http://a.b/")));
    assert_eq!(html("*see http://a.b*"), format!("<p><em>see {}</em></p>", link("http://a.b")));
    assert_eq!(html("http://a.b *c*"), format!("<p>{} <em>c</em></p>", link("http://a.b")));
    // Words in bold that only follow without a space.
    assert_eq!(html("http://a.b,*c d*"), format!("<p>{},<em>c d</em></p>", link("http://a.b")));
}
