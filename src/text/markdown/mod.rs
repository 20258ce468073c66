//! Renders Markdown to HTML and to plain text, in one pass. Raw HTML is shown as text.

mod prose;
mod writer;

use pulldown_cmark::{Options, Parser};

use super::{Rendered, escape};
use crate::types::UserId;

use writer::Writer;

/// Quote and list marks at the start of one line. The time to parse more grows with the square of their number, so a
/// message with more is shown as it was typed.
const MAX_MARKS: usize = 32;

/// Bytes of HTML for each byte of Markdown, after a first KiB, and bytes of HTML in all. A table with a wide head has all its
/// columns in every row, however short, and each `&` takes five bytes. A message with more is shown as it was typed.
const MAX_GROWTH: usize = 16;
const MAX_HTML: usize = 384 << 10;

const OPTIONS: Options =
    Options::ENABLE_TABLES.union(Options::ENABLE_STRIKETHROUGH).union(Options::ENABLE_TASKLISTS);

/// Renders Markdown without sanitising the HTML.
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
    // Nothing visible (a lone `#`, a link definition), or too much: shown as it was typed.
    if is_flood || !writer.shows {
        writer = Writer::new(source.len(), name_of);
        // Without links if it is too much.
        writer.links = usize::from(is_flood);
        writer.literal(source);
    }
    let mut rendered = writer.finish();
    // Entities can spell characters that are not allowed.
    if rendered.plain.contains(escape::is_foreign) {
        rendered.plain.retain(|c| !escape::is_foreign(c));
        rendered.html.retain(|c| !escape::is_foreign(c));
    }
    rendered
}

/// Whether no line starts with more than `MAX_MARKS` quote and list marks.
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
