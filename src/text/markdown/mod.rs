//! Markdown's events to HTML and to plain words, in one pass. Raw HTML comes out as the text that it is.

mod prose;
mod writer;

use pulldown_cmark::{Options, Parser};

use super::{Rendered, escape};
use crate::types::UserId;

use writer::Writer;

/// Quote and list marks at the start of one line; a line with more is nobody's quote, and parsing it takes time that
/// grows with the square of its length. Such a message is shown as it was typed.
const MAX_MARKS: usize = 32;

/// Bytes of HTML for a byte of Markdown, but for the first KiB, and in all. A table with a wide head has a cell for each of its
/// columns in every row, however short; a text of nothing but `&` takes five bytes for each.
const MAX_GROWTH: usize = 16;
const MAX_HTML: usize = 384 << 10;

const OPTIONS: Options =
    Options::ENABLE_TABLES.union(Options::ENABLE_STRIKETHROUGH).union(Options::ENABLE_TASKLISTS);

pub(super) fn render<'a>(source: &str, name_of: &dyn Fn(UserId) -> Option<&'a str>) -> Rendered {
    let owned;
    let source = if source.contains(escape::is_foreign) {
        owned = source.replace(escape::is_foreign, "");
        &owned
    } else {
        source
    };
    let mut writer = Writer::new(source.len(), name_of);
    let mut is_flood = !has_few_marks(source);
    if !is_flood {
        let max = (source.len() * MAX_GROWTH + 1024).min(MAX_HTML);
        for event in Parser::new_ext(source, OPTIONS) {
            writer.event(event);
            if writer.rendered.html.len() > max {
                is_flood = true;
                break;
            }
        }
        writer.flush();
    }
    // Nothing to see (a lone `#`, a link definition), or too much: then what was typed is what was meant.
    if is_flood || !writer.shows {
        writer = Writer::new(source.len(), name_of);
        // Not even links then.
        writer.links = usize::from(is_flood);
        writer.literal(source);
    }
    let mut rendered = writer.finish();
    // An entity spells what may not stand in a text as well.
    if rendered.plain.contains(escape::is_foreign) {
        rendered.plain.retain(|c| !escape::is_foreign(c));
        rendered.html.retain(|c| !escape::is_foreign(c));
    }
    rendered
}

/// Whether no line starts with a flood of quote and list marks.
fn has_few_marks(source: &str) -> bool {
    source.lines().all(|line| {
        let line = line.as_bytes();
        let mut marks = 0;
        for (place, byte) in line.iter().enumerate() {
            match byte {
                b'>' => marks += 1,
                // A list mark has white space behind it; otherwise it is a rule, or strong text.
                b'-' | b'+' | b'*' | b'.' | b')' => {
                    marks += usize::from(matches!(line.get(place + 1), None | Some(b' ' | b'\t')))
                }
                b' ' | b'\t' | b'0'..=b'9' => {}
                _ => break,
            }
        }
        marks <= MAX_MARKS
    })
}
