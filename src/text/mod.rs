//! From what a person typed to what everybody sees: Markdown to safe HTML, once, when it is written; mentions;
//! plain text for the index; and what to ask the index for.

mod emoji;
mod markdown;
mod query;

use smallvec::SmallVec;

pub use self::query::{HIT_END, HIT_START, Query, snippet_html};
use crate::types::UserId;

/// A text in all the forms that are needed of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rendered {
    pub html: String,
    /// The words alone, for the index.
    pub plain: String,
    pub mentions: SmallVec<[UserId; 4]>,
    pub everyone: Option<Everyone>,
}

/// A mention of more than one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Everyone {
    Here,
    Room,
}

/// Renders Markdown. `name_of` answers a member's name; whoever is no member of the room is not mentioned.
pub fn render<'a>(source: &str, name_of: impl Fn(UserId) -> Option<&'a str>) -> Rendered {
    if is_plain(source) {
        return Rendered { html: format!("<p>{source}</p>"), plain: source.to_owned(), ..Rendered::default() };
    }
    // NUL has no place in HTML, and the marks of search hits must not come from a message.
    let source: String = source.chars().filter(|c| *c != '\0' && !HIT_START.contains(*c) && !HIT_END.contains(*c)).collect();
    if emoji::is_only_emoji(source.trim()) {
        let source = source.trim();
        return Rendered { html: format!("<p class=\"jumbo\">{source}</p>"), plain: source.to_owned(), ..Rendered::default() };
    }
    markdown::render(&source, &name_of)
}

/// One line of words, of which Markdown makes a paragraph with nothing in it: most of what is ever said.
fn is_plain(source: &str) -> bool {
    let bytes = source.as_bytes();
    let starts_plainly = bytes.first().is_some_and(|first| first.is_ascii_alphabetic());
    starts_plainly
        && !source.ends_with(' ')
        && !source.contains("  ")
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b" .,;?!'()%$-".contains(byte))
        && !contains_ignoring_case(bytes, b"www.")
}

fn contains_ignoring_case(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window.eq_ignore_ascii_case(wanted))
}

/// Appends a text so that it is nothing but text.
fn escape(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests;
