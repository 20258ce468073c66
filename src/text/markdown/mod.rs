//! Renders Markdown to HTML and to plain text. Raw HTML is shown as text, and nothing that was typed is lost.
//!
//! Before the parser: code is put between fences of its own (`fences`), what is no markup is masked (`scan`, `masked`), and
//! what the parser would swallow is changed so that it stays (`repair`). Behind it: events become HTML and text (`writer`, `prose`).

mod fences;
mod kept;
mod masked;
mod prose;
mod repair;
mod scan;
mod writer;

use std::collections::HashSet;

use pulldown_cmark::{Options, Parser};

use super::{Rendered, escape};
use crate::types::UserId;

use masked::{Masked, Pieces};
use scan::Escapes;
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

/// How often a text is changed so that the parser takes nothing away. Each time but the first mends what came of the
/// time before; a message that needs more is shown as it was typed.
const MAX_REPAIRS: usize = 4;

/// Renders Markdown without sanitising the HTML.
pub(super) fn render<'a>(source: &str, name_of: &dyn Fn(UserId) -> Option<&'a str>) -> Rendered {
    let owned;
    let source = if source.contains(escape::is_foreign) {
        owned = source.replace(escape::is_foreign, "");
        &owned
    } else {
        source
    };
    let written = has_few_marks(source).then(|| parsed(source, name_of)).flatten();
    let is_flood = written.is_none();
    let mut rendered = match written {
        Some(output) if output.shows && output.is_whole => output.rendered,
        // Nothing visible (a lone `#`), too much, or less than was typed: shown as it was typed.
        _ => {
            let pieces = Pieces::default();
            let mut writer = Writer::new(source.len(), name_of, &pieces);
            // Without links if it is too much.
            writer.links = usize::from(is_flood);
            writer.literal(source);
            writer.finish()
        }
    };
    // Entities can spell characters that are not allowed.
    if rendered.plain.contains(escape::is_foreign) {
        rendered.plain.retain(|c| !escape::is_foreign(c));
        rendered.html.retain(|c| !escape::is_foreign(c));
    }
    rendered
}

struct Output {
    rendered: Rendered,
    shows: bool,
    /// Whether it has all that was typed.
    is_whole: bool,
}

/// None if there is too much of it.
fn parsed<'a>(typed: &str, name_of: &dyn Fn(UserId) -> Option<&'a str>) -> Option<Output> {
    let source = fences::normalised(typed);
    let Masked { mut text, pieces } = masked(&source);
    let mut repairs = 0;
    loop {
        let fixes = repair::fixes(&text).ok()?;
        if fixes.is_empty() {
            break;
        }
        text = repair::apply(&text, &fixes);
        repairs += 1;
        if repairs > MAX_REPAIRS {
            return None;
        }
    }
    let mut writer = Writer::new(source.len(), name_of, &pieces);
    let max = (source.len() * MAX_GROWTH + 1024).min(MAX_HTML);
    let parser = Parser::new_ext(&text, OPTIONS);
    // All definitions that are left are used.
    let defines_links = parser.reference_definitions().iter().next().is_some();
    for (event, range) in parser.into_offset_iter() {
        writer.event(event, &text, range);
        if writer.rendered.html.len() > max {
            return None;
        }
    }
    writer.flush();
    let (shows, leaves_out) = (writer.shows, writer.leaves_out);
    let rendered = writer.finish();
    let is_whole = defines_links || leaves_out || kept::keeps_all(typed, &rendered.html);
    Some(Output { rendered, shows, is_whole })
}

/// Masks a text. What a backslash does is tried where that is not clear.
fn masked(source: &str) -> Masked<'_> {
    let mut effective = HashSet::new();
    if source.contains('\\') {
        let mut signs = Vec::new();
        let tried = scan::mask(source, Escapes::Tried(&mut signs));
        if !signs.is_empty() {
            effective = repair::markup(&tried.text, &signs);
        }
    }
    scan::mask(source, Escapes::Known(&effective))
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
