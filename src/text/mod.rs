//! What people write: Markdown to safe HTML once, when it is written; plain text for the index; and what they search for.

mod asked;
mod clean;
mod emoji;
mod escape;
mod fast;
mod html;
mod links;
mod markdown;
mod mention;
mod query;
mod slack;
mod snippet;
#[cfg(test)]
mod tests;

use smallvec::SmallVec;

use crate::types::UserId;

pub use asked::Asked;
pub use html::from_html;
pub use mention::Everyone;
pub use query::Query;
pub use slack::{SlackMessage, from_slack};
pub use snippet::{HIT_END, HIT_START, snippet_html};

/// A message as it is stripped: shown, indexed, and who is meant by it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rendered {
    /// Safe to put into a page as it is.
    pub html: String,
    /// The words alone, for the index and for notifications.
    pub plain: String,
    /// Members of the room that are mentioned, each once, in order.
    pub mentions: SmallVec<[UserId; 4]>,
    /// Whether all who are here, or all of the room, are meant.
    pub everyone: Option<Everyone>,
}

/// Renders Markdown. `name_of` answers a member's current name, and None for who is not in the room: such a mention stays text.
pub fn render<'a>(source: &str, name_of: impl Fn(UserId) -> Option<&'a str>) -> Rendered {
    if let Some(rendered) = emoji::render(source) {
        return rendered;
    }
    if let Some(rendered) = fast::render(source) {
        return rendered;
    }
    render_in_full(source, &name_of)
}

/// The same text without the mentions of one person (or bot).
pub fn without_mention(source: &str, user: UserId) -> String {
    let end = format!("](user:{user})");
    let mut rest = source;
    let mut stripped = String::with_capacity(source.len());
    while let Some(place) = rest.find(&end) {
        match rest[..place].rfind("@[") {
            Some(start) => stripped.push_str(&rest[..start]),
            None => stripped.push_str(&rest[..place + end.len()]),
        }
        rest = &rest[place + end.len()..];
    }
    stripped.push_str(rest);
    stripped
}

/// The way that anything may take: Markdown, then the sanitiser.
fn render_in_full<'a>(source: &str, name_of: &dyn Fn(UserId) -> Option<&'a str>) -> Rendered {
    let mut rendered = markdown::render(source, name_of);
    rendered.html = clean::clean(&rendered.html);
    rendered
}
