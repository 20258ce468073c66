//! Cuts off what is too long, with an ellipsis in its place. What is open there is closed, as the tree is.

use super::{Block, Inline, Table};

const ELLIPSIS: char = '…';

/// What elements take beside their text, in HTML a few times that.
const OF_BLOCK: usize = 8;
const OF_MARK: usize = 6;
const OF_LINK: usize = 32;

struct Cutter {
    left: usize,
    is_full: bool,
    /// Bytes before each line, by the quotes and lists around it.
    prefix: usize,
}

/// Cuts blocks to so many bytes of Markdown, roughly.
pub(super) fn cut(blocks: &mut Vec<Block>, most: usize) {
    Cutter { left: most, is_full: false, prefix: 0 }.blocks(blocks);
}

impl Cutter {
    /// Whether there is room for an element. The first without is full.
    fn takes(&mut self, size: usize) -> bool {
        match self.left.checked_sub(size) {
            Some(left) if !self.is_full => {
                self.left = left;
                true
            }
            _ => {
                self.is_full = true;
                false
            }
        }
    }

    /// Cuts a list at the first element without room. `cut_one` returns whether its element is kept.
    fn list<T>(&mut self, list: &mut Vec<T>, cut_one: fn(&mut Self, &mut T) -> bool) {
        let mut kept = 0;
        for one in list.iter_mut() {
            if self.is_full || !cut_one(self, one) {
                break;
            }
            kept += 1;
        }
        list.truncate(kept);
    }

    fn blocks(&mut self, blocks: &mut Vec<Block>) {
        let was_full = self.is_full;
        self.list(blocks, Self::block);
        if !was_full && self.is_full && !blocks.last().is_some_and(ends_cut) {
            blocks.push(Block::Paragraph(vec![Inline::Text(ELLIPSIS.into())]));
        }
    }

    fn block(&mut self, block: &mut Block) -> bool {
        if !self.takes(OF_BLOCK + self.prefix) {
            return false;
        }
        let prefix = self.prefix;
        self.prefix += match block {
            Block::Quote(_) | Block::List { first: None, .. } => 2,
            Block::List { .. } => "123456789. ".len(),
            _ => 0,
        };
        match block {
            Block::Paragraph(inlines) | Block::Heading(_, inlines) => self.inlines(inlines),
            Block::Code { text, .. } => self.text(text),
            Block::Quote(blocks) => self.blocks(blocks),
            Block::List { items, .. } => self.list(items, |cutter, item| {
                cutter.takes(OF_BLOCK + cutter.prefix) && {
                    cutter.blocks(item);
                    true
                }
            }),
            Block::Table(table) => self.table(table),
            Block::Rule => {}
        }
        self.prefix = prefix;
        true
    }

    fn table(&mut self, table: &mut Table) {
        self.list(&mut table.rows, |cutter, row| {
            cutter.takes(OF_BLOCK) && {
                cutter.list(row, |cutter, cell| {
                    cutter.takes(OF_BLOCK) && {
                        cutter.inlines(cell);
                        true
                    }
                });
                true
            }
        });
    }

    fn inlines(&mut self, inlines: &mut Vec<Inline>) {
        let was_full = self.is_full;
        self.list(inlines, Self::inline);
        if !was_full && self.is_full && !text_ends(inlines) {
            super::push_text(inlines, "…");
        }
    }

    fn inline(&mut self, inline: &mut Inline) -> bool {
        match inline {
            Inline::Text(text) => {
                self.text(text);
                true
            }
            Inline::Code(code) => {
                self.takes(OF_MARK) && {
                    self.text(code);
                    true
                }
            }
            Inline::Strong(inner) | Inline::Emphasis(inner) | Inline::Struck(inner) => {
                self.takes(OF_MARK) && {
                    self.inlines(inner);
                    true
                }
            }
            Inline::Link { address, label } => {
                self.takes(OF_LINK + address.len()) && {
                    self.inlines(label);
                    true
                }
            }
            Inline::Break => self.takes(2 + self.prefix),
            Inline::Checkbox(_) | Inline::Everyone(_) => self.takes(2 * OF_BLOCK),
            Inline::User { name, .. } => self.takes(OF_LINK + name.len()),
        }
    }

    fn text(&mut self, text: &mut String) {
        let mut left = self.left;
        for (place, c) in text.char_indices() {
            let escape = if c == '\n' { self.prefix } else { usize::from(c.is_ascii_punctuation()) };
            match left.checked_sub(c.len_utf8() + escape) {
                Some(rest) => left = rest,
                None => {
                    text.truncate(place);
                    text.push(ELLIPSIS);
                    self.is_full = true;
                    break;
                }
            }
        }
        self.left = left;
    }
}

/// Whether a text ends with the ellipsis.
fn text_ends(inlines: &[Inline]) -> bool {
    match inlines.last() {
        Some(Inline::Text(text) | Inline::Code(text)) => text.ends_with(ELLIPSIS),
        Some(
            Inline::Strong(inner)
            | Inline::Emphasis(inner)
            | Inline::Struck(inner)
            | Inline::Link { label: inner, .. },
        ) => text_ends(inner),
        _ => false,
    }
}

/// Whether a block does.
fn ends_cut(block: &Block) -> bool {
    match block {
        Block::Paragraph(inlines) | Block::Heading(_, inlines) => text_ends(inlines),
        Block::Code { text, .. } => text.ends_with(ELLIPSIS),
        Block::Quote(blocks) => blocks.last().is_some_and(ends_cut),
        Block::List { items, .. } => items.last().and_then(|item| item.last()).is_some_and(ends_cut),
        Block::Table(_) | Block::Rule => false,
    }
}
