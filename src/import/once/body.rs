//! Bodies of messages of ONCE Campfire: raw, Trix's or Lexxy's HTML.

use std::borrow::Cow;

/// A body without the reply and with links that lead here.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Read<'a> {
    pub(super) html: Cow<'a, str>,
    /// The message that it answers, as the quote before it says.
    pub(super) reply_to: Option<i64>,
}

/// Reads a body. `is_in` says whether a message is in a room of the database (with None: whether the room is there).
pub(super) fn read<'a>(html: &'a str, room: i64, is_in: &dyn Fn(i64, Option<i64>) -> bool) -> Read<'a> {
    let (rest, reply_to) = match reply(html) {
        Some(found) if found.room == room && is_in(room, Some(found.message)) => {
            (Cow::Owned(found.rest), Some(found.message))
        }
        _ => (Cow::Borrowed(html), None),
    };
    let html = match rest.contains("/rooms/") {
        true => Cow::Owned(with_links_here(&rest, is_in)),
        false => rest,
    };
    Read { html, reply_to }
}

struct Reply {
    room: i64,
    message: i64,
    rest: String,
}

/// The quote and the source that the composer writes before an answer: `<blockquote>…</blockquote><cite>NAME <a
/// href="https://HOST/rooms/R/@M">#</a></cite><br>`, perhaps within a `<div>`.
fn reply(html: &str) -> Option<Reply> {
    let trimmed = html.trim_start();
    let (wrapper, inner) = ["<div>", "<p>"]
        .into_iter()
        .find_map(|tag| Some((tag, trimmed.strip_prefix(tag)?.trim_start())))
        .unwrap_or(("", trimmed));
    if !inner.starts_with("<blockquote") {
        return None;
    }
    // The first end of a quote that a source follows: quotes within the quote have none.
    let cite = inner
        .match_indices("<cite>")
        .find(|(place, _)| inner[..*place].trim_end().ends_with("</blockquote>"))?
        .0;
    let end = cite + inner[cite..].find("</cite>")?;
    let href = inner[cite..end].rsplit_once("href=\"")?.1;
    let (room, message) = place_of(&href[..href.find('"')?])?;
    let mut rest = &inner[end + "</cite>".len()..];
    // The line break behind it, or an empty paragraph.
    loop {
        let blank = rest.trim_start();
        let shorter = ["<br>", "<br/>", "<br />", "<p><br></p>", "</p>"]
            .into_iter()
            .filter(|tag| *tag != "</p>" || wrapper == "<p>")
            .find_map(|tag| blank.strip_prefix(tag));
        match shorter {
            Some(shorter) => rest = shorter,
            None => break,
        }
    }
    let opening = if wrapper == "<div>" { wrapper } else { "" };
    Some(Reply { room, message: message?, rest: format!("{opening}{rest}") })
}

/// The room and the message of an address: `/rooms/R`, `/rooms/R/@M`, `/rooms/R/messages/M`, on any host.
fn place_of(address: &str) -> Option<(i64, Option<i64>)> {
    let path = match address.split_once("://") {
        Some(("http" | "https", rest)) => &rest[rest.find('/')?..],
        Some(_) => return None,
        None => address,
    };
    let path = path.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    let rest = path.strip_prefix("/rooms/")?;
    let Some((room, message)) = rest.split_once('/') else { return Some((rest.parse().ok()?, None)) };
    let message = message.strip_prefix('@').or_else(|| message.strip_prefix("messages/"))?;
    Some((room.parse().ok()?, Some(message.parse().ok()?)))
}

/// Lets links to rooms and messages of this database lead here. The host is the one that the writer had open, which may be
/// an old one, so that only the path counts.
fn with_links_here(html: &str, is_in: &dyn Fn(i64, Option<i64>) -> bool) -> String {
    const HREF: &str = "href=\"";
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(place) = rest.find(HREF) {
        let (before, after) = rest.split_at(place + HREF.len());
        out.push_str(before);
        let length = after.find('"').unwrap_or(after.len());
        let address = &after[..length];
        match place_of(address) {
            Some((room, message)) if is_in(room, message) => {
                out.push_str(&format!("/rooms/{room}"));
                if let Some(message) = message {
                    out.push_str(&format!("/@{message}"));
                }
            }
            _ => out.push_str(address),
        }
        rest = &after[length..];
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_in(html: &str) -> (String, Option<i64>) {
        let read = read(html, 5, &|room, message| {
            matches!((room, message), (5, None | Some(7 | 8)) | (6, None | Some(9)))
        });
        (read.html.into_owned(), read.reply_to)
    }

    #[test]
    fn quote_with_a_source_is_a_reply() {
        let cite = r#"<cite>Mira Ö <a href="https://old.example/rooms/5/@7">#</a></cite>"#;
        for (html, rest) in [
            (format!("<blockquote>What?</blockquote>{cite}<br>That."), "That."),
            (format!("<div><blockquote>What?</blockquote>{cite}<br>That.</div>"), "<div>That.</div>"),
            (
                format!(
                    "<div><blockquote>a<blockquote>b</blockquote>c</blockquote>{cite}<br><br>That.</div>"
                ),
                "<div>That.</div>",
            ),
            (format!("<blockquote><p>What?</p></blockquote>{cite}<p><br></p><p>That.</p>"), "<p>That.</p>"),
            (format!("<blockquote>What?</blockquote> {cite}"), ""),
        ] {
            assert_eq!(read_in(&html), (rest.to_owned(), Some(7)), "{html}");
        }
    }

    #[test]
    fn quote_without_a_message_that_is_here_stays_a_quote() {
        for html in [
            "<blockquote>What?</blockquote><div>That.</div>",
            r#"<blockquote>What?</blockquote><cite>Mira <a href="https://old.example/rooms/5/@70">#</a></cite><br>That."#,
            r#"<div>See <blockquote>What?</blockquote><cite>Mira <a href="https://x.example/">#</a></cite></div>"#,
            "<blockquote>",
            "<blockquote></blockquote><cite>",
        ] {
            assert_eq!(read_in(html), (html.to_owned(), None));
        }
        // Of another room: no reply, but the link leads there.
        let html =
            r#"<blockquote>x</blockquote><cite>Mira <a href="https://old.example/rooms/6/@9">#</a></cite>"#;
        assert_eq!(read_in(html), (html.replace("https://old.example", ""), None));
    }

    /// Trap 23.
    #[test]
    fn links_to_rooms_and_messages_that_are_here_lead_here() {
        for (address, here) in [
            ("https://old.example/rooms/5/@7", "/rooms/5/@7"),
            ("http://localhost:3000/rooms/5/messages/8", "/rooms/5/@8"),
            ("https://old.example/rooms/6", "/rooms/6"),
            ("https://old.example/rooms/6/?x=1#y", "/rooms/6"),
            ("https://old.example/rooms/7", "https://old.example/rooms/7"),
            ("https://old.example/rooms/5/@9", "https://old.example/rooms/5/@9"),
            ("https://old.example/rooms/5/settings", "https://old.example/rooms/5/settings"),
            ("ftp://old.example/rooms/5", "ftp://old.example/rooms/5"),
        ] {
            let html = |address: &str| format!("<div>a <a href=\"{address}\">b</a> c</div>");
            assert_eq!(read_in(&html(address)).0, html(here));
        }
    }
}
