//! Bodies of ONCE Campfire's messages, which are HTML in one way or another.

use crate::{
    chat::messages::text_of,
    store::Text,
    text,
    types::{MessageKind, UserId},
};

/// The text of a body.
pub(super) fn text<'a>(html: &str, name_of: &impl Fn(UserId) -> Option<&'a str>) -> (MessageKind, Text) {
    let document = text::from_html(html).with_links(false);
    let written = document.write(name_of);
    let (text, _) = text_of(written.content, written.rendered);
    (MessageKind::Text, text)
}

/// The plain text of a body, with its lines.
pub(super) fn plain(html: &str) -> String {
    text::from_html(html).plain_lines(|_| None)
}
