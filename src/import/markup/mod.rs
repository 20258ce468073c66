//! Texts of other chats, whose marks are not ours, as documents: one reader, which each chat gives its rules.

mod blocks;
mod inlines;
#[cfg(test)]
mod tests;

use super::model::Body;
use crate::text::{Block, Document, Inline};

/// Bytes of a text that is read for its marks. A longer one is passed on as it was typed: a document would cut it off.
pub(super) const MAX_PARSED: usize = 32 << 10;

/// Quotes, lists and marks within one another. Deeper ones stay as they were typed.
const MAX_DEPTH: usize = 8;

/// How a chat marks its texts.
#[derive(Debug)]
pub(super) struct Rules {
    /// The first that fits is taken, so that longer ones stand before shorter ones.
    pub(super) marks: &'static [(&'static str, Style)],
    /// Headings have so many signs at most.
    pub(super) headings: usize,
    /// Code between three backticks may begin and end within a line.
    pub(super) fences_anywhere: bool,
    /// ```` ```quote ````, ```` ```spoiler ```` and ```` ```math ````, and fences of `~`.
    pub(super) named_fences: bool,
    pub(super) tables: bool,
    /// `>>> ` quotes all that follows, `-# ` is small print, and a `>` quotes with a blank behind it only.
    pub(super) discord: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    Strong,
    Emphasis,
    StrongEmphasis,
    Struck,
}

impl Style {
    fn of(self, inner: Vec<Inline>) -> Inline {
        match self {
            Self::Strong => Inline::Strong(inner),
            Self::Emphasis => Inline::Emphasis(inner),
            Self::StrongEmphasis => Inline::Strong(vec![Inline::Emphasis(inner)]),
            Self::Struck => Inline::Struck(inner),
        }
    }
}

/// What is special in the texts of a chat.
pub(super) trait Dialect {
    fn rules(&self) -> &'static Rules;

    /// What begins a text and is no mark, such as a mention, and how many bytes it has.
    fn token(&mut self, before: Option<char>, text: &str) -> Option<(Vec<Inline>, usize)>;

    /// What a link becomes; None for a link.
    fn link(&mut self, _label: &str, _address: &str) -> Option<Vec<Inline>> {
        None
    }
}

/// Reads a text.
pub(super) fn parse(text: &str, dialect: &mut dyn Dialect) -> Vec<Block> {
    let text = tidy(text);
    match dialect.rules().fences_anywhere {
        true => blocks::with_fences_anywhere(&text, dialect),
        false => blocks::blocks(&text, dialect, 0),
    }
}

/// A text with the line ends that we have, and without control characters, which would stick its words together.
pub(super) fn tidy(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    text.chars().map(|c| if c.is_control() && c != '\n' && c != '\t' { ' ' } else { c }).collect()
}

/// A document as the body of a message. `typed` stands for it if it is too long.
pub(super) fn body(blocks: Vec<Block>, typed: &str) -> Body {
    match typed.len() > MAX_PARSED {
        true => Body::Markdown(tidy(typed)),
        false => Body::Markdown(Document::of(blocks).with_links(false).write_as_named().content),
    }
}

/// A paragraph of plain text with its lines.
pub(super) fn plain(text: &str) -> Vec<Inline> {
    let mut inlines = Vec::new();
    for (number, line) in tidy(text).split('\n').enumerate() {
        if number > 0 {
            inlines.push(Inline::Break);
        }
        if !line.is_empty() {
            inlines.push(Inline::Text(line.to_owned()));
        }
    }
    inlines
}

/// Appends text, which joins the text before it.
pub(super) fn push_text(inlines: &mut Vec<Inline>, text: &str) {
    match inlines.last_mut() {
        _ if text.is_empty() => {}
        Some(Inline::Text(before)) => before.push_str(text),
        _ => inlines.push(Inline::Text(text.to_owned())),
    }
}

/// A paragraph that says about a message what its author did not write.
pub(super) fn note(text: impl Into<String>) -> Block {
    Block::Paragraph(vec![Inline::Emphasis(vec![Inline::Text(tidy(&text.into()))])])
}

/// A link, or its text if it leads nowhere.
pub(super) fn link(address: &str, label: Vec<Inline>) -> Vec<Inline> {
    match is_address(address) {
        true => vec![Inline::Link { address: address.to_owned(), label }],
        false => label,
    }
}

pub(super) fn is_address(address: &str) -> bool {
    let has =
        |scheme: &str| address.get(..scheme.len()).is_some_and(|head| head.eq_ignore_ascii_case(scheme));
    has("https://") || has("http://") || has("mailto:")
}

/// Paragraphs of inline elements, which end where a line is empty.
pub(super) fn paragraphs(inlines: Vec<Inline>) -> Vec<Block> {
    let mut found: Vec<Vec<Inline>> = vec![Vec::new()];
    let mut breaks = 0;
    for inline in inlines {
        if inline == Inline::Break {
            breaks += 1;
            continue;
        }
        let Some(last) = found.last_mut() else { continue };
        match breaks {
            _ if last.is_empty() => last.push(inline),
            0 => last.push(inline),
            1 => last.extend([Inline::Break, inline]),
            _ => found.push(vec![inline]),
        }
        breaks = 0;
    }
    found.into_iter().filter(|inlines| !inlines.is_empty()).map(Block::Paragraph).collect()
}
