//! Text of messages: Markdown to safe HTML and to plain text, once when a message is written. Also parses searches.

mod anchors;
mod chars;
mod charset;
mod clean;
mod document;
mod emoji;
mod escape;
mod fast;
mod html;
mod links;
mod markdown;
mod mention;
mod names;
mod previewed;
mod rails;
mod renamed;
mod search;
mod slack;
#[cfg(test)]
mod tests;

use smallvec::SmallVec;

use crate::types::UserId;

pub use chars::has_visible;
pub use charset::{UnknownCharset, decoded, decoded_as};
pub use document::{Alignment, Block, Document, Inline, Table, Written};
pub use html::{Preview, from_html, is_html, previews};
pub use mention::Everyone;
pub use names::{is_emoji_boost, is_emoji_name, line_fault, same_boost};
pub use previewed::previewed_links;
pub(crate) use rails::signed_value;
pub use renamed::with_name;
pub use search::{
    Analyzer, Asked, INDEX_VERSION, Languages, Query, Rank, Snippets, Tokens, addresses, beginning,
};
pub use slack::{Ids, SlackMessage, emoji_named, from_slack, from_slack_export};

/// A rendered message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rendered {
    /// Sanitised: safe to put into a page as it is.
    pub html: String,
    /// The text alone, for the index and for notifications.
    pub plain: String,
    /// Members of the room that are mentioned, each once, in order.
    pub mentions: SmallVec<[UserId; 4]>,
    /// Whether `@here` or `@room` is mentioned.
    pub everyone: Option<Everyone>,
    /// Whether it is nothing but a few emoji, which are shown large.
    pub is_emoji_only: bool,
}

/// Renders Markdown. `name_of` returns a member's current name, and None for somebody who is not in the room: such a
/// mention stays text.
pub fn render<'a>(source: &str, name_of: impl Fn(UserId) -> Option<&'a str>) -> Rendered {
    if let Some(rendered) = emoji::render(source) {
        return rendered;
    }
    if let Some(rendered) = fast::render(source) {
        return rendered;
    }
    render_in_full(source, &name_of)
}

/// Renders any text: the Markdown renderer, then the sanitiser.
fn render_in_full<'a>(source: &str, name_of: &dyn Fn(UserId) -> Option<&'a str>) -> Rendered {
    let mut rendered = markdown::render(source, name_of);
    rendered.html = clean::clean(&rendered.html);
    rendered
}
