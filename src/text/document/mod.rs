//! Formatted text as a tree: what Slack's payloads and HTML are read into, and what a message's HTML, plain text and
//! Markdown are written from. None of them goes through another's syntax, so no sign of the text becomes a mark by accident.

mod cut;
mod html;
mod markdown;
mod plain;
#[cfg(test)]
mod tests;

use crate::types::UserId;

use super::{Everyone, Rendered, emoji, links, mention};

/// Elements within one another. Readers leave deeper ones out, but not their text.
pub(super) const MAX_DEPTH: usize = 12;

/// What a text takes of a message, in bytes of its Markdown, roughly: the rest is cut off.
pub(super) const MAX_SIZE: usize = 60 << 10;

/// A formatted text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Document {
    pub(super) blocks: Vec<Block>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    Paragraph(Vec<Inline>),
    /// Its level, 1 to 6.
    Heading(u8, Vec<Inline>),
    Code {
        language: String,
        text: String,
    },
    Quote(Vec<Block>),
    List {
        /// The number of the first item; None for bullets.
        first: Option<u64>,
        items: Vec<Vec<Block>>,
    },
    Table(Table),
    Rule,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// Of each column; further ones have none.
    pub alignments: Vec<Alignment>,
    pub has_head: bool,
    pub rows: Vec<Vec<Vec<Inline>>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alignment {
    None,
    Left,
    Center,
    Right,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inline {
    Text(String),
    Break,
    Code(String),
    Strong(Vec<Inline>),
    Emphasis(Vec<Inline>),
    Struck(Vec<Inline>),
    Link {
        address: String,
        label: Vec<Inline>,
    },
    Checkbox(bool),
    Everyone(Everyone),
    /// A person, and the name that the sender knows.
    User {
        id: UserId,
        name: String,
    },
}

/// A document as a message has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Markdown with the same meaning.
    pub content: String,
    pub rendered: Rendered,
}

impl Document {
    pub fn of(blocks: Vec<Block>) -> Self {
        Self { blocks }
    }

    /// Whether there is nothing to see in it.
    pub fn is_empty(&self) -> bool {
        self.blocks.iter().all(|block| *block == Block::Rule || is_blank(block))
    }

    /// Writes it as a message. `name_of` is as for [`render`](super::render). What is beyond [`MAX_SIZE`] is cut off, with
    /// an ellipsis in its place.
    pub fn write<'a>(mut self, name_of: impl Fn(UserId) -> Option<&'a str>) -> Written {
        cut::cut(&mut self.blocks, MAX_SIZE);
        let rendered = html::write(&self.blocks, &name_of);
        let content = markdown::write(&self.blocks, |markdown, block| {
            super::render(markdown, &name_of).html == html::write(std::slice::from_ref(block), &name_of).html
        });
        // A few emoji and nothing else are shown large.
        let is_plain = matches!(&self.blocks[..], [Block::Paragraph(inlines)] if matches!(&inlines[..], [Inline::Text(_)]));
        let rendered = Some(&rendered.plain)
            .filter(|_| is_plain)
            .and_then(|plain| emoji::render(plain))
            .unwrap_or(rendered);
        Written { content, rendered }
    }

    /// Writes it with the names that it has itself, where it is not known yet who is a member.
    pub fn write_as_named(mut self) -> Written {
        let mut names = std::collections::HashMap::new();
        each_inlines(&mut self.blocks, &mut |inlines| {
            for inline in inlines {
                if let Inline::User { id, name } = inline {
                    names.insert(*id, name.clone());
                }
            }
        });
        self.write(|id| names.get(&id).map(String::as_str))
    }

    /// Its text with line breaks, bullets and `@` before names, as ONCE Campfire's bots get it.
    pub fn plain_lines<'a>(&self, name_of: impl Fn(UserId) -> Option<&'a str>) -> String {
        plain::write(&self.blocks, &name_of)
    }

    /// Removes the mentions of one user.
    pub fn without_mention(mut self, user: UserId) -> Self {
        each_inlines(&mut self.blocks, &mut |inlines| {
            inlines.retain(|inline| !matches!(inline, Inline::User { id, .. } if *id == user));
        });
        self
    }

    /// Puts its paragraphs into italics, as an action of somebody is shown.
    pub fn emphasized(mut self) -> Self {
        for block in &mut self.blocks {
            if let Block::Paragraph(inlines) = block {
                *inlines = vec![Inline::Emphasis(std::mem::take(inlines))];
            }
        }
        self
    }

    /// Gives links other addresses, where `change` has one.
    pub fn with_addresses(mut self, change: impl Fn(&str) -> Option<String>) -> Self {
        each_inlines(&mut self.blocks, &mut |inlines| {
            for inline in inlines {
                if let Inline::Link { address, .. } = inline
                    && let Some(other) = change(address)
                {
                    *address = other;
                }
            }
        });
        self
    }

    /// Makes links of bare addresses in its text, and with `everyone` mentions of `@here` and `@room`, as in any message.
    pub fn with_links(mut self, everyone: bool) -> Self {
        for block in &mut self.blocks {
            link_block(block, everyone);
        }
        self
    }

    /// Puts a first paragraph before the rest.
    pub(super) fn with_first(mut self, inlines: Vec<Inline>) -> Self {
        self.blocks.insert(0, Block::Paragraph(inlines));
        self
    }
}

fn is_blank(block: &Block) -> bool {
    match block {
        Block::Paragraph(inlines) | Block::Heading(_, inlines) => are_blank(inlines),
        Block::Code { text, .. } => text.trim().is_empty(),
        Block::Quote(blocks) => blocks.iter().all(is_blank),
        Block::List { items, .. } => items.iter().flatten().all(is_blank),
        Block::Table(table) => table.rows.iter().flatten().all(|cell| are_blank(cell)),
        Block::Rule => false,
    }
}

/// Whether nothing of these can be seen.
pub(super) fn are_blank(inlines: &[Inline]) -> bool {
    inlines.iter().all(|inline| match inline {
        Inline::Text(text) | Inline::Code(text) => text.chars().all(|c| c.is_whitespace() || is_invisible(c)),
        Inline::Break => true,
        Inline::Strong(inner) | Inline::Emphasis(inner) | Inline::Struck(inner) => are_blank(inner),
        Inline::Link { label, .. } => are_blank(label),
        Inline::Checkbox(_) | Inline::Everyone(_) | Inline::User { .. } => false,
    })
}

/// Their text alone, with its line ends.
pub(super) fn text_of(inlines: &[Inline]) -> String {
    fn write(out: &mut String, inlines: &[Inline]) {
        for inline in inlines {
            match inline {
                Inline::Text(text) | Inline::Code(text) => out.push_str(text),
                Inline::Break => out.push('\n'),
                Inline::Strong(inner)
                | Inline::Emphasis(inner)
                | Inline::Struck(inner)
                | Inline::Link { label: inner, .. } => write(out, inner),
                Inline::Checkbox(_) => {}
                Inline::Everyone(everyone) => out.push_str(everyone.word()),
                Inline::User { name, .. } => {
                    out.push('@');
                    out.push_str(name);
                }
            }
        }
    }
    let mut out = String::new();
    write(&mut out, inlines);
    out
}

/// Characters without width that senders put beside marks.
pub(super) fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200B}' | '\u{2060}' | '\u{FEFF}' | '\u{AD}')
}

/// Calls `change` with every list of inline elements, the innermost first.
pub(super) fn each_inlines(blocks: &mut [Block], change: &mut dyn FnMut(&mut Vec<Inline>)) {
    fn of_inlines(inlines: &mut Vec<Inline>, change: &mut dyn FnMut(&mut Vec<Inline>)) {
        for inline in inlines.iter_mut() {
            match inline {
                Inline::Strong(inner)
                | Inline::Emphasis(inner)
                | Inline::Struck(inner)
                | Inline::Link { label: inner, .. } => of_inlines(inner, change),
                _ => {}
            }
        }
        change(inlines);
    }
    for block in blocks {
        match block {
            Block::Paragraph(inlines) | Block::Heading(_, inlines) => of_inlines(inlines, change),
            Block::Quote(blocks) => each_inlines(blocks, change),
            Block::List { items, .. } => items.iter_mut().for_each(|item| each_inlines(item, change)),
            Block::Table(table) => {
                table.rows.iter_mut().flatten().for_each(|cell| of_inlines(cell, change));
            }
            Block::Code { .. } | Block::Rule => {}
        }
    }
}

/// Whether a link may have this address.
pub(super) fn is_allowed(address: &str) -> bool {
    links::is_allowed(address)
}

/// Appends text, which joins the text before it.
pub(super) fn push_text(inlines: &mut Vec<Inline>, text: &str) {
    match inlines.last_mut() {
        _ if text.is_empty() => {}
        Some(Inline::Text(before)) => before.push_str(text),
        _ => inlines.push(Inline::Text(text.to_owned())),
    }
}

/// Appends text with its line ends and its bare addresses.
pub(super) fn push_prose(inlines: &mut Vec<Inline>, text: &str) {
    for (number, line) in text.split('\n').enumerate() {
        if number > 0 {
            inlines.push(Inline::Break);
        }
        push_with_addresses(inlines, line.strip_suffix('\r').unwrap_or(line));
    }
}

fn push_with_addresses(inlines: &mut Vec<Inline>, text: &str) {
    let mut written = 0;
    let mut from = 0;
    while let Some(place) = text[from..].find(['@', ':', '.']).map(|found| from + found) {
        from = place + 1;
        let Some((start, end)) = bare_around(text, written, place) else { continue };
        push_text(inlines, &text[written..start]);
        inlines.push(bare_link(&text[start..end]));
        (written, from) = (end, end);
    }
    push_text(inlines, &text[written..]);
}

fn link_block(block: &mut Block, everyone: bool) {
    match block {
        Block::Paragraph(inlines) | Block::Heading(_, inlines) => link_inlines(inlines, everyone),
        Block::Quote(blocks) => blocks.iter_mut().for_each(|block| link_block(block, everyone)),
        Block::List { items, .. } => {
            items.iter_mut().flatten().for_each(|block| link_block(block, everyone));
        }
        Block::Table(table) => {
            table.rows.iter_mut().flatten().for_each(|cell| link_inlines(cell, everyone));
        }
        Block::Code { .. } | Block::Rule => {}
    }
}

fn link_inlines(inlines: &mut Vec<Inline>, everyone: bool) {
    for inline in std::mem::take(inlines) {
        match inline {
            Inline::Text(text) => push_linked(inlines, &text, everyone),
            Inline::Strong(mut inner) => {
                link_inlines(&mut inner, everyone);
                inlines.push(Inline::Strong(inner));
            }
            Inline::Emphasis(mut inner) => {
                link_inlines(&mut inner, everyone);
                inlines.push(Inline::Emphasis(inner));
            }
            Inline::Struck(mut inner) => {
                link_inlines(&mut inner, everyone);
                inlines.push(Inline::Struck(inner));
            }
            inline => inlines.push(inline),
        }
    }
}

fn push_linked(inlines: &mut Vec<Inline>, text: &str, everyone: bool) {
    let mut written = 0;
    for (place, _) in text.match_indices('@').filter(|_| everyone) {
        let Some(found) = mention::everyone_at(text, place) else { continue };
        push_with_addresses(inlines, &text[written..place]);
        inlines.push(Inline::Everyone(found));
        written = place + found.word().len();
    }
    push_with_addresses(inlines, &text[written..]);
}

/// The bare address whose `:`, first `.` or `@` stands at `place`, if it starts at `written` or later.
pub(super) fn bare_around(text: &str, written: usize, place: usize) -> Option<(usize, usize)> {
    let lengths: &[usize] = match text.as_bytes()[place] {
        b'@' => return links::mail_at(text, written, place),
        b':' => &["https".len(), "http".len(), "mailto".len()],
        _ => &["www".len()],
    };
    lengths.iter().find_map(|length| {
        let start =
            place.checked_sub(*length).filter(|start| *start >= written && text.is_char_boundary(*start))?;
        Some((start, links::bare_at(text, start)?))
    })
}

/// The link of an address that stands for itself.
pub(super) fn bare_link(text: &str) -> Inline {
    let address = match () {
        () if links::has_scheme(text) => text.to_owned(),
        () if text.contains('@') && !text.contains(['/', ':']) => format!("mailto:{text}"),
        () => format!("https://{text}"),
    };
    Inline::Link { address, label: vec![Inline::Text(text.to_owned())] }
}

/// Whether a link shows its address and nothing else.
pub(super) fn is_bare(address: &str, label: &[Inline]) -> bool {
    match label {
        [Inline::Text(text)] => {
            address == text || address.strip_prefix("mailto:") == Some(text) && text.contains('@')
        }
        _ => false,
    }
}
