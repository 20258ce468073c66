//! Finds what the parser would take out of a message without showing it, and changes the text so that it stays: link
//! definitions that nothing uses, underlines that make headings, cells beyond the last column.

use std::{collections::HashSet, ops::Range};

use pulldown_cmark::{Event, LinkType, Parser, Tag, TagEnd};

use super::{OPTIONS, fences::container_end, masked::JOINER};
use crate::text::links;

/// A change of the text: what stands in a range of it is replaced.
pub(super) struct Fix {
    range: Range<usize>,
    by: String,
}

/// Whether the parser makes so much of a text that it is not read to its end: a table with a wide head has all its columns
/// in every row.
pub(super) struct Flood;

fn most_events(text: &str) -> usize {
    text.len() * 4 + 256
}

/// What has to be changed.
pub(super) fn fixes(text: &str) -> Result<Vec<Fix>, Flood> {
    let definitions = definitions(text);
    if definitions.is_empty() && !text.contains('|') && !text.lines().any(is_underline) {
        return Ok(Vec::new());
    }
    let mut fixes = Vec::new();
    let mut shown = Vec::new();
    let mut used = HashSet::new();
    let mut cells_end = 0;
    let mut events = Parser::new_ext(text, OPTIONS).into_offset_iter();
    let mut count = 0;
    while let Some((event, range)) = events.next() {
        count += 1;
        if count > most_events(text) {
            return Err(Flood);
        }
        match event {
            Event::Start(Tag::Link { link_type, id, .. } | Tag::Image { link_type, id, .. }) => {
                shown.push(range);
                if matches!(link_type, LinkType::Reference | LinkType::Collapsed | LinkType::Shortcut)
                    && let Some(definition) = events.reference_definitions().get(&id)
                    && links::is_allowed(&definition.dest)
                {
                    used.insert(definition.span.start);
                }
            }
            Event::Start(Tag::Heading { .. }) if !text[range.clone()].starts_with('#') => {
                fixes.extend(underline(text, range));
            }
            Event::Text(_) | Event::Code(_) | Event::Html(_) | Event::InlineHtml(_) => shown.push(range),
            Event::Start(Tag::CodeBlock(_)) => shown.push(range),
            Event::End(TagEnd::TableCell) => cells_end = range.end,
            Event::End(TagEnd::TableRow) => fixes.extend(surplus(text, cells_end..range.end)),
            _ => {}
        }
    }
    shown.sort_unstable_by_key(|range| range.start);
    let mut last_shown = None;
    for place in definitions {
        let before = shown.partition_point(|range| range.start <= place);
        // Ranges lie within one another; the one that starts last may be over already.
        let is_shown = shown[before.saturating_sub(8)..before].iter().any(|range| range.contains(&place));
        if used.contains(&place) {
            // Behind text it would be text as well: an empty line goes between.
            let line = text[..place].rfind('\n').map_or(0, |found| found + 1);
            let same = |c: char| if c == '>' { c } else { ' ' };
            if last_shown.is_some_and(|last| !has_empty_line(&text[last..line])) {
                let container: String = text[line..place].chars().map(same).collect();
                fixes.push(Fix { range: line..line, by: format!("{container}\n") });
            }
            last_shown = None;
        } else if !is_shown {
            // Neither a definition nor a use of another one.
            fixes.push(Fix { range: place..place + 1, by: format!("{JOINER}[{JOINER}") });
            last_shown = Some(place);
        }
    }
    fixes.sort_by_key(|fix| fix.range.start);
    Ok(fixes)
}

/// The text with its changes, which are in order.
pub(super) fn apply(text: &str, fixes: &[Fix]) -> String {
    let mut fixed = String::with_capacity(text.len() + 4 * fixes.len());
    let mut written = 0;
    for fix in fixes {
        if fix.range.start < written {
            continue;
        }
        fixed.push_str(&text[written..fix.range.start]);
        fixed.push_str(&fix.by);
        written = fix.range.end;
    }
    fixed.push_str(&text[written..]);
    fixed
}

/// Where lines start that could be link definitions.
fn definitions(text: &str) -> Vec<usize> {
    if !text.contains("]:") {
        return Vec::new();
    }
    let mut starts = Vec::new();
    let mut place = 0;
    for line in text.split_inclusive('\n') {
        let start = container_end(line);
        if line[start..].starts_with('[') {
            starts.push(place + start);
        }
        place += line.len();
    }
    starts
}

fn has_empty_line(text: &str) -> bool {
    text.lines().any(|line| line.trim_matches([' ', '\t', '>']).is_empty())
}

fn is_underline(line: &str) -> bool {
    let line = line.trim_start_matches([' ', '\t', '>']).trim_end();
    !line.is_empty() && (line.bytes().all(|byte| byte == b'=') || line.bytes().all(|byte| byte == b'-'))
}

/// The underline of a heading is text, or a rule if it is a long line.
fn underline(text: &str, heading: Range<usize>) -> Option<Fix> {
    let whole = text[heading.clone()].trim_end();
    let line = whole.rfind('\n')? + 1;
    let start = heading.start + line + whole[line..].find(['=', '-'])?;
    let end = heading.start + whole.len();
    let is_rule = end - start >= 3 && text[start..end].starts_with('-');
    Some(match is_rule {
        true => Fix { range: start..end, by: "*".repeat(end - start) },
        false => Fix { range: start..start, by: JOINER.into() },
    })
}

/// What stands behind the last column of a row belongs to its last cell.
fn surplus(text: &str, rest: Range<usize>) -> Option<Fix> {
    let cells = &text[rest.clone()];
    let trimmed = cells.trim_end();
    let trimmed = trimmed.strip_suffix('|').unwrap_or(trimmed);
    if !trimmed.contains(|c: char| !matches!(c, '|' | ' ' | '\t')) {
        return None;
    }
    Some(Fix {
        range: rest.start..rest.start + trimmed.len(),
        by: trimmed.replace('|', "\\|").replace("\\\\|", "\\|"),
    })
}

/// Which signs of a text are markup: those whose places are not within text that is shown as it stands there. All are, if
/// it is a flood.
pub(super) fn markup(text: &str, signs: &[(usize, usize)]) -> HashSet<usize> {
    let mut shown: Vec<Range<usize>> = Vec::new();
    let mut tables: Vec<Range<usize>> = Vec::new();
    for (count, (event, range)) in Parser::new_ext(text, OPTIONS).into_offset_iter().enumerate() {
        if count > most_events(text) {
            shown.clear();
            break;
        }
        let is_same = |shown: &str| text[range.clone()] == *shown;
        match &event {
            Event::Text(shown_text) | Event::Html(shown_text) | Event::InlineHtml(shown_text)
                if is_same(shown_text) =>
            {
                shown.push(range);
            }
            Event::Start(Tag::Table(_)) => tables.push(range),
            _ => {}
        }
    }
    shown.sort_unstable_by_key(|range| range.start);
    let is_in = |ranges: &[Range<usize>], place: usize| {
        let before = ranges.partition_point(|range| range.start <= place);
        before > 0 && ranges[before - 1].contains(&place)
    };
    // The strokes are still escaped: they are cells' in tables, and nothing elsewhere.
    let is_markup = |place: usize| match text[place..].starts_with('|') {
        true => is_in(&tables, place),
        false => !is_in(&shown, place),
    };
    signs.iter().filter(|(_, place)| is_markup(*place)).map(|(source, _)| *source).collect()
}
