//! Markdown in payloads: telling it from mrkdwn, and reading it.

use super::emoji::emojified;
use crate::{
    text::{
        Everyone,
        document::{Block, Document, Inline, each_inlines, push_text},
        html::from_html,
        render,
    },
    types::UserId,
};

/// Bytes of Markdown that are parsed.
const MAX_SOURCE: usize = 96 << 10;

/// Stand for `<!here>` and `<!channel>` while the text is parsed: what is typed as `@here` mentions nobody by itself.
const HERE: char = '\u{E011}';
const ROOM: char = '\u{E012}';

/// Whether a text is Markdown, by marks that mrkdwn has not: `**bold**`, `~~struck~~`, `## headings`, tables, pictures.
pub(super) fn is_markdown(text: &str) -> bool {
    let mut in_code = false;
    text.lines().any(|line| {
        if line.trim_start().starts_with("```") {
            // Closed in the same line, it opens nothing.
            in_code ^= line.matches("```").count() % 2 == 1;
            return false;
        }
        !in_code
            && (has_pair(line, "**")
                || has_pair(line, "~~")
                || is_heading(line)
                || is_table_rule(line)
                || line.contains("![") && line.contains("](http"))
    })
}

/// Whether a mark of two signs opens and closes in a line, around words rather than in a path (`src/**/*.rs`).
fn has_pair(line: &str, mark: &str) -> bool {
    let sign = mark.as_bytes()[0] as char;
    let mut is_open = false;
    let mut rest = line;
    let mut before = None;
    while let Some(place) = rest.find(mark) {
        let left = rest[..place].chars().next_back().or(before);
        rest = &rest[place + mark.len()..];
        let right = rest.chars().next();
        before = Some(sign);
        if left == Some(sign) || right == Some(sign) {
            continue;
        }
        let joins = |c: Option<char>| c.is_some_and(|c| !c.is_whitespace() && !matches!(c, '/' | '\\' | '.'));
        if is_open && joins(left) && right != Some('/') {
            return true;
        }
        is_open |= joins(right) && !matches!(left, Some('/' | '\\'));
    }
    false
}

fn is_heading(line: &str) -> bool {
    let level = line.bytes().take_while(|byte| *byte == b'#').count();
    (2..=6).contains(&level) && line[level..].starts_with(' ') && !line[level..].trim().is_empty()
}

/// The line below the head of a table.
fn is_table_rule(line: &str) -> bool {
    let line = line.trim();
    line.contains('|')
        && line.contains("--")
        && line.bytes().all(|byte| matches!(byte, b'|' | b'-' | b':' | b' '))
}

/// Reads Markdown. With `mentions` it is taken as a message's: `@[Name](user:5)`, `@here` and `@room` mention, and so do
/// Mattermost's `@channel` and `@all`.
pub(super) fn read<'a>(
    text: &str,
    mentions: bool,
    name_of: &dyn Fn(UserId) -> Option<&'a str>,
) -> Vec<Block> {
    // Beyond that it is cut in any case.
    let text = &text[..text.floor_char_boundary(MAX_SOURCE)];
    let source = prepared(text);
    let rendered = render(&source, |id| if mentions { name_of(id) } else { None });
    let Document { mut blocks } = from_html(&rendered.html);
    each_inlines(&mut blocks, &mut |inlines| {
        for inline in std::mem::take(inlines) {
            match inline {
                Inline::Text(text) => push_words(inlines, &emojified(&text), mentions),
                Inline::Everyone(everyone) if !mentions => push_text(inlines, everyone.word()),
                Inline::Code(code) => inlines.push(Inline::Code(without_stands(&code))),
                inline => inlines.push(inline),
            }
        }
    });
    for block in &mut blocks {
        if let Block::Code { text, .. } = block {
            *text = without_stands(text);
        }
    }
    blocks
}

/// What stands for a mention where it is none.
fn without_stands(text: &str) -> String {
    text.replace(HERE, "<!here>").replace(ROOM, "<!channel>")
}

fn push_words(inlines: &mut Vec<Inline>, text: &str, mentions: bool) {
    let mut written = 0;
    for (place, sign) in text.match_indices([HERE, ROOM, '@']) {
        let found = if sign.starts_with(HERE) {
            Some((Everyone::Here, sign.len()))
        } else if sign.starts_with(ROOM) {
            Some((Everyone::Room, sign.len()))
        } else {
            of_mattermost(text, place).filter(|_| mentions).map(|length| (Everyone::Room, length))
        };
        if let Some((everyone, length)) = found {
            push_text(inlines, &text[written..place]);
            inlines.push(Inline::Everyone(everyone));
            written = place + length;
        }
    }
    push_text(inlines, &text[written..]);
}

/// The length of `@channel` or `@all` at a place, if it is a word of its own.
fn of_mattermost(text: &str, place: usize) -> Option<usize> {
    let word = ["@channel", "@all"].into_iter().find(|word| text[place..].starts_with(word))?;
    let joins = |c: char| c.is_alphanumeric() || matches!(c, '_' | '@' | '-' | '.');
    let before = text[..place].chars().next_back().is_some_and(joins);
    let after = text[place + word.len()..].chars().next().is_some_and(|c| joins(c) && c != '.');
    (!before && !after).then_some(word.len())
}

/// Slack's links in Markdown's form, and a blank line behind lists and quotes, which end with their lines here: monitors
/// write `Labels:`, a list, `Annotations:`, a list.
fn prepared(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 64);
    let mut in_code = false;
    let mut before = Line::Other;
    for line in text.split('\n') {
        let line = line.strip_suffix('\r').unwrap_or(line);
        let words = line.trim_start();
        if words.starts_with("```") || words.starts_with("~~~") {
            in_code = !in_code || words.trim_end().len() > 3 && words[3..].contains("```");
            if words.starts_with("```") && words[3..].contains("```") {
                in_code = false;
            }
            out.push_str(line);
            out.push('\n');
            before = Line::Other;
            continue;
        }
        if in_code {
            out.push_str(line);
            out.push('\n');
            continue;
        }
        let kind = Line::of(line);
        if kind == Line::Other && before != Line::Other && !words.is_empty() && words.len() == line.len() {
            out.push('\n');
        }
        push_line(&mut out, line);
        out.push('\n');
        before = if words.is_empty() {
            Line::Other
        } else if words.len() < line.len() && kind == Line::Other {
            before
        } else {
            kind
        };
    }
    out.truncate(out.len() - 1);
    out
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Line {
    Item,
    Quote,
    Other,
}

impl Line {
    fn of(line: &str) -> Self {
        let words = line.trim_start();
        if words.starts_with('>') {
            return Self::Quote;
        }
        let digits = words.bytes().take_while(u8::is_ascii_digit).count();
        let mark = if digits > 0 { &words[digits..] } else { words };
        let is_item = match digits {
            0 => ["- ", "* ", "+ "].iter().any(|start| mark.starts_with(start)),
            1..=9 => mark.starts_with(". ") || mark.starts_with(") "),
            _ => false,
        };
        if is_item { Self::Item } else { Self::Other }
    }
}

/// Writes a line with `<https://…|label>` as a link of Markdown, and `<!here>` as its stand-in. Code is left as it is.
fn push_line(out: &mut String, line: &str) {
    let mut rest = line;
    while let Some(place) = rest.find(['<', '`', HERE, ROOM]) {
        out.push_str(&rest[..place]);
        rest = &rest[place..];
        let length = match rest.as_bytes()[0] {
            b'`' => {
                let run = rest.bytes().take_while(|byte| *byte == b'`').count();
                let end = rest[run..].find(&rest[..run]).map_or(run, |end| run + end + run);
                out.push_str(&rest[..end]);
                end
            }
            b'<' => match rest[1..].find(['<', '>']).filter(|end| rest.as_bytes()[end + 1] == b'>') {
                Some(end) if push_bracket(out, &rest[1..=end]) => end + 2,
                _ => {
                    out.push('<');
                    1
                }
            },
            // Characters of private use that were typed would be taken for ours.
            _ => HERE.len_utf8(),
        };
        rest = &rest[length..];
    }
    out.push_str(rest);
}

/// Whether every bracket has its other one.
fn has_pairs(label: &str) -> bool {
    let mut depth = 0_usize;
    label.bytes().all(|byte| match byte {
        b'[' => {
            depth += 1;
            true
        }
        b']' => {
            let is_open = depth > 0;
            depth = depth.saturating_sub(1);
            is_open
        }
        _ => true,
    }) && depth == 0
}

fn push_bracket(out: &mut String, inside: &str) -> bool {
    let (target, label) =
        inside.split_once('|').map_or((inside, None), |(target, label)| (target, Some(label)));
    match target {
        "!here" => out.push(HERE),
        "!channel" | "!everyone" => out.push(ROOM),
        _ if target.starts_with("http://")
            || target.starts_with("https://")
            || target.starts_with("mailto:") =>
        {
            match label.filter(|label| !label.trim().is_empty()) {
                Some(label) => {
                    out.push('[');
                    if has_pairs(label) {
                        out.push_str(label);
                    } else {
                        out.push_str(&label.replace('[', "&#91;").replace(']', "&#93;"));
                    }
                    out.push_str("](<");
                    out.push_str(target);
                    out.push_str(">)");
                }
                None => {
                    out.push('<');
                    out.push_str(target);
                    out.push('>');
                }
            }
        }
        _ if target.starts_with('@') || target.starts_with('#') => {
            let sign = &target[..1];
            let id = &target[1..];
            if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                return false;
            }
            let name = label.unwrap_or(id);
            out.push_str(if name.starts_with(sign) { "" } else { sign });
            out.push_str(name);
        }
        _ => return false,
    }
    true
}
