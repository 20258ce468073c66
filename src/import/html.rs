//! Bodies of ONCE Campfire's messages, which are HTML in one way or another.

use crate::{
    chat::messages::{sound, text_of},
    store::Text,
    text,
    types::{Embed, MessageKind, UserId},
};

/// The sounds of ONCE Campfire. Those that are not here stay readable.
const SOUNDS: &str = "56k ballmer bell bezos bueller butts clowntown cottoneyejoe crickets curb dadgummit dangerzone danielsan deeper donotwant drama flawless glados gogogo greatjob greyjoy guarantee heygirl honk horn horror inconceivable letitgo live loggins makeitso noooo nyan ohmy ohyeah pushit rimshot rollout rumble sax secret sexyback story tada tmyk totes trololo trombone unix vuvuzela what whoomp wups yay yeah yodel";

/// The text of a body.
pub(super) fn text<'a>(html: &str, name_of: &impl Fn(UserId) -> Option<&'a str>) -> (MessageKind, Text) {
    let document = text::from_html(html);
    if html.contains("/play ")
        && let Some(played) = played(document.plain_lines(|_| None).trim())
    {
        return played;
    }
    // `@here` and `@room` meant nothing there.
    let written = document.with_links(false).write(name_of);
    let (text, _) = text_of(written.content, written.rendered);
    (MessageKind::Text, text)
}

/// A sound, if it is the whole text.
fn played(plain: &str) -> Option<(MessageKind, Text)> {
    let name = plain.strip_prefix("/play ")?;
    if !SOUNDS.split(' ').any(|known| known == name) {
        return None;
    }
    Some(match sound(plain) {
        Some(text) => (MessageKind::Sound, text),
        None => {
            let content = format!("🔊 /play {name}");
            let rendered = text::render(&content, |_| None);
            (MessageKind::Text, text_of(content, rendered).0)
        }
    })
}

/// The plain text of a body, with its lines.
pub(super) fn plain(html: &str) -> String {
    text::from_html(html).plain_lines(|_| None)
}

/// The previews of links in a body. Their pictures are on other servers and are left there.
pub(super) fn embeds(html: &str) -> Vec<Embed> {
    if !html.contains("opengraph-embed") {
        return Vec::new();
    }
    let preview = |preview: text::Preview| Embed {
        url: preview.address,
        title: Some(preview.title).filter(|title| !title.is_empty()),
        description: Some(preview.description).filter(|text| !text.is_empty()),
        image_url: None,
        site_name: None,
    };
    text::previews(html).into_iter().map(preview).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(html: &str) -> (MessageKind, String) {
        let (kind, text) = text(html, &|_| None);
        (kind, text.content)
    }

    /// Trap 24, and the sounds that are not here.
    #[test]
    fn sound_is_a_whole_text_with_a_known_name() {
        for html in ["/play tada", "<div>/play tada</div>", "<div>/play tada<br></div>", "<p>/play tada</p>"]
        {
            assert_eq!(read(html).0, MessageKind::Sound, "{html}");
        }
        assert_eq!(read("<div>/play ballmer</div>"), (MessageKind::Text, "🔊 /play ballmer".into()));
        for html in ["<div>Try /play tada</div>", "/play nothing", "<div>/play tada now</div>"] {
            assert_eq!(read(html).0, MessageKind::Text, "{html}");
        }
    }

    /// Trap 1.
    #[test]
    fn letters_of_a_body_do_not_become_marks() {
        for (html, content) in [
            ("a < b, Tom & Jerry", "a < b, Tom & Jerry"),
            ("two\nlines  fold", "two lines fold"),
            ("<div>one<br>two</div>", "one\ntwo"),
            ("*x* and # x", r"\*x\* and # x"),
            ("<div># no heading<br>1. no list</div>", "\\# no heading\n1\\. no list"),
            ("<div>@here and @room</div>", r"\@here and \@room"),
            (
                "<strong>Build failed</strong><br><a href=\"https://ci.example/7\">#7</a>",
                "**Build failed**\n[#7](<https://ci.example/7>)",
            ),
            ("<pre>code\n  more</pre>", "```\ncode\n  more\n```"),
            ("<pre data-language=\"ruby\">a<br>b</pre>", "```ruby\na\nb\n```"),
        ] {
            assert_eq!(read(html), (MessageKind::Text, content.to_owned()), "{html}");
        }
    }

    #[test]
    fn previews_of_links_come_along_without_their_pictures() {
        let html = r#"<div><a href="https://a.example/x">https://a.example/x</a><action-text-attachment content-type="application/vnd.actiontext.opengraph-embed" href="https://a.example/x" url="https://a.example/p.png" filename="A &amp; B" caption="About"></action-text-attachment></div>"#;
        let found = embeds(html);
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].url.as_str(), found[0].title.as_deref(), found[0].description.as_deref()),
            ("https://a.example/x", Some("A & B"), Some("About"))
        );
        assert!(found[0].image_url.is_none());
        assert_eq!(read(html).1, "<https://a.example/x>");
    }
}
