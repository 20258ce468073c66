//! Writes a document as lines of text, by the rules of Action Text: blocks end with a line break, items have bullets or
//! numbers, quotes are in quotation marks, mentions have an `@`.

use std::fmt::Write;

use super::{Block, Inline};
use crate::types::UserId;

type NameOf<'w, 'a> = &'w dyn Fn(UserId) -> Option<&'a str>;

pub(super) fn write<'a>(blocks: &[Block], name_of: &dyn Fn(UserId) -> Option<&'a str>) -> String {
    let mut out = String::new();
    write_blocks(&mut out, blocks, name_of, 0);
    out.truncate(out.trim_end().len());
    out
}

fn write_blocks(out: &mut String, blocks: &[Block], name_of: NameOf<'_, '_>, depth: usize) {
    for (place, block) in blocks.iter().enumerate() {
        if place > 0 && !out.ends_with('\n') {
            out.push('\n');
        }
        write_block(out, block, name_of, depth);
    }
}

fn write_block(out: &mut String, block: &Block, name_of: NameOf<'_, '_>, depth: usize) {
    match block {
        Block::Paragraph(inlines) | Block::Heading(_, inlines) => write_inlines(out, inlines, name_of),
        Block::Code { text, .. } => out.push_str(text.trim_end_matches('\n')),
        Block::Quote(blocks) => {
            out.push('“');
            write_blocks(out, blocks, name_of, depth);
            out.push('”');
        }
        Block::List { first, items } => {
            for (place, item) in items.iter().enumerate() {
                if place > 0 && !out.ends_with('\n') {
                    out.push('\n');
                }
                (0..depth).for_each(|_| out.push_str("  "));
                match first {
                    // Writing to a string cannot fail.
                    Some(first) => {
                        let _ = write!(out, "{}. ", first.saturating_add(place as u64));
                    }
                    None => out.push_str("• "),
                }
                write_blocks(out, item, name_of, depth + 1);
            }
        }
        Block::Table(table) => {
            for (place, row) in table.rows.iter().enumerate() {
                if place > 0 {
                    out.push('\n');
                }
                for (column, cell) in row.iter().enumerate() {
                    if column > 0 {
                        out.push('\t');
                    }
                    write_inlines(out, cell, name_of);
                }
            }
        }
        Block::Rule => out.push_str("---"),
    }
}

fn write_inlines(out: &mut String, inlines: &[Inline], name_of: NameOf<'_, '_>) {
    for inline in inlines {
        match inline {
            Inline::Text(text) | Inline::Code(text) => out.push_str(text),
            Inline::Break => out.push('\n'),
            Inline::Strong(inner)
            | Inline::Emphasis(inner)
            | Inline::Struck(inner)
            | Inline::Link { label: inner, .. } => write_inlines(out, inner, name_of),
            Inline::Checkbox(is_checked) => out.push_str(if *is_checked { "[x] " } else { "[ ] " }),
            Inline::Everyone(everyone) => out.push_str(everyone.word()),
            Inline::User { id, name } => {
                let known = Some(&**name).filter(|name| !name.is_empty());
                if let Some(name) = name_of(*id).or(known) {
                    out.push('@');
                    out.push_str(name);
                }
            }
        }
    }
}
