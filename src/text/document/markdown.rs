//! Writes a document as Markdown, which is what a message's `content` is. It reads well and means the same; only what would
//! be a mark is escaped.

use std::fmt::Write;

use super::{Alignment, Block, Inline, Table, html::allowed, is_bare};

pub(super) fn write(blocks: &[Block]) -> String {
    let mut out = String::new();
    write_blocks(&mut out, blocks);
    out.truncate(out.trim_end().len());
    out
}

fn write_blocks(out: &mut String, blocks: &[Block]) {
    for (place, block) in blocks.iter().enumerate() {
        if place > 0 {
            out.push_str("\n\n");
        }
        write_block(out, block);
    }
}

fn write_block(out: &mut String, block: &Block) {
    match block {
        Block::Paragraph(inlines) => out.push_str(&lines(inlines)),
        Block::Heading(level, inlines) => {
            (0..*level).for_each(|_| out.push('#'));
            out.push(' ');
            out.push_str(&lines(inlines).replace('\n', " "));
        }
        Block::Code { language, text } => {
            let fence = "`".repeat(longest_run(text).max(2) + 1);
            let end = if text.ends_with('\n') { "" } else { "\n" };
            let _ = write!(out, "{fence}{language}\n{}{end}{fence}", allowed(text));
        }
        Block::Quote(blocks) => {
            let mut inner = String::new();
            write_blocks(&mut inner, blocks);
            prefixed(out, &inner, "> ", "> ");
        }
        Block::List { first, items } => {
            for (place, item) in items.iter().enumerate() {
                if place > 0 {
                    out.push('\n');
                }
                let mark = match first {
                    Some(first) => format!("{}. ", first.saturating_add(place as u64)),
                    None => "- ".to_owned(),
                };
                let mut inner = String::new();
                write_item(&mut inner, item);
                prefixed(out, &inner, &mark, &" ".repeat(mark.len()));
            }
        }
        Block::Table(table) => write_table(out, table),
        Block::Rule => out.push_str("---"),
    }
}

/// An item: a list within it follows its words at once.
fn write_item(out: &mut String, blocks: &[Block]) {
    for (place, block) in blocks.iter().enumerate() {
        if place > 0 {
            out.push_str(if matches!(block, Block::List { .. }) { "\n" } else { "\n\n" });
        }
        write_block(out, block);
    }
}

/// Writes lines, each behind a prefix. Empty lines get none of its blanks.
fn prefixed(out: &mut String, text: &str, first: &str, others: &str) {
    for (number, line) in text.split('\n').enumerate() {
        let prefix = if number == 0 { first } else { others };
        if number > 0 {
            out.push('\n');
        }
        out.push_str(if line.is_empty() { prefix.trim_end() } else { prefix });
        out.push_str(line);
    }
}

fn write_table(out: &mut String, table: &Table) {
    let width = table.rows.iter().map(Vec::len).max().unwrap_or_default();
    let row = |out: &mut String, cells: &[Vec<Inline>]| {
        out.push('|');
        for column in 0..cells.len().min(MAX_COLUMNS) {
            let cell = cells.get(column).map(|cell| lines(cell)).unwrap_or_default();
            let _ = write!(out, " {} |", cell.replace('\n', " ").replace('|', "\\|"));
        }
        out.push('\n');
    };
    let (head, body) = match &table.rows[..] {
        [head, body @ ..] if table.has_head => (head.as_slice(), body),
        rows => (&[][..], rows),
    };
    // The head decides how many columns there are.
    let mut padded = head.to_vec();
    padded.resize(width.min(MAX_COLUMNS), Vec::new());
    row(out, &padded);
    out.push('|');
    for column in 0..padded.len() {
        out.push_str(match table.alignments.get(column).copied().unwrap_or(Alignment::None) {
            Alignment::None => " --- |",
            Alignment::Left => " :-- |",
            Alignment::Center => " :-: |",
            Alignment::Right => " --: |",
        });
    }
    out.push('\n');
    body.iter().for_each(|cells| row(out, cells));
    out.truncate(out.trim_end().len());
}

/// Columns of a table, by Slack's limit and HTML's use.
const MAX_COLUMNS: usize = 64;

fn lines(inlines: &[Inline]) -> String {
    let mut out = String::new();
    write_inlines(&mut out, inlines);
    out.trim().to_owned()
}

fn write_inlines(out: &mut String, inlines: &[Inline]) {
    for (place, inline) in inlines.iter().enumerate() {
        match inline {
            Inline::Text(text) => {
                escape(out, &allowed(text));
                if text.ends_with('!') && matches!(inlines.get(place + 1), Some(Inline::Link { .. })) {
                    // Not an image.
                    out.insert(out.len() - 1, '\\');
                }
            }
            Inline::Break => out.push('\n'),
            Inline::Code(code) => write_code(out, &allowed(code)),
            Inline::Strong(inner) => marked(out, "**", inner),
            Inline::Emphasis(inner) => marked(out, "*", inner),
            Inline::Struck(inner) => marked(out, "~~", inner),
            Inline::Link { address, label } if !super::is_allowed(address) => write_inlines(out, label),
            Inline::Link { address, label } => {
                let target = target(address);
                if is_bare(address, label) {
                    let _ = write!(out, "<{}>", target.strip_prefix("mailto:").unwrap_or(&target));
                } else {
                    let _ = write!(out, "[{}](<{target}>)", lines(label).replace('\n', " "));
                }
            }
            Inline::Checkbox(is_checked) => out.push_str(if *is_checked { "[x] " } else { "[ ] " }),
            Inline::Everyone(everyone) => out.push_str(everyone.word()),
            Inline::User { id, name } => {
                out.push_str("@[");
                for c in allowed(name).chars() {
                    if matches!(c, '[' | ']' | '\\') {
                        out.push('\\');
                    }
                    out.push(c);
                }
                let _ = write!(out, "](user:{id})");
            }
        }
    }
}

/// An address between angle brackets.
fn target(address: &str) -> String {
    address.chars().filter(|c| !c.is_control()).fold(String::with_capacity(address.len()), |mut out, c| {
        match c {
            '<' => out.push_str("%3C"),
            '>' => out.push_str("%3E"),
            '\\' => out.push_str("%5C"),
            ' ' => out.push_str("%20"),
            c => out.push(c),
        }
        out
    })
}

/// Marks do not stand beside blanks.
fn marked(out: &mut String, mark: &str, inner: &[Inline]) {
    let mut text = String::new();
    write_inlines(&mut text, inner);
    let core = text.trim();
    if core.is_empty() {
        return out.push_str(&text);
    }
    let before = text.len() - text.trim_start().len();
    out.push_str(&text[..before]);
    // A mark ends with its line.
    for (number, line) in core.split('\n').enumerate() {
        if number > 0 {
            out.push('\n');
        }
        let line = line.trim();
        if !line.is_empty() {
            let _ = write!(out, "{mark}{line}{mark}");
        }
    }
    out.push_str(&text[before + core.len()..]);
}

fn write_code(out: &mut String, code: &str) {
    let code = code.replace('\n', " ");
    let fence = "`".repeat(if code.contains('`') { longest_run(&code) + 1 } else { 1 });
    let pad = if code.starts_with('`') || code.ends_with('`') { " " } else { "" };
    let _ = write!(out, "{fence}{pad}{code}{pad}{fence}");
}

/// The longest run of backticks.
fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or_default()
}

/// Escapes what would be a mark.
fn escape(out: &mut String, text: &str) {
    let has_link = text.contains("](") || text.contains("][") || text.contains("]:");
    let mut before = out.chars().next_back();
    let mut chars = text.char_indices().peekable();
    let mut starts_line = out.is_empty() || before == Some('\n');
    while let Some((place, c)) = chars.next() {
        let rest = &text[place + c.len_utf8()..];
        let after = rest.chars().next();
        let is_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        let is_blank = |c: Option<char>| c.is_none_or(char::is_whitespace);
        let is_mark = match c {
            '\\' => after.is_some_and(|c| c.is_ascii_punctuation()),
            '`' => true,
            '*' => !(is_blank(before) && is_blank(after)) || starts_line,
            '_' => !(is_word(before) && is_word(after)),
            '~' => !(is_blank(before) && is_blank(after)),
            '[' => has_link,
            '<' => after.is_some_and(|c| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?')),
            '&' => after.is_some_and(|c| c.is_ascii_alphabetic() || c == '#'),
            '@' => rest.starts_with("here") || rest.starts_with("room"),
            '>' | '=' => starts_line,
            '#' => starts_line && matches!(rest.trim_start_matches('#').chars().next(), None | Some(' ')),
            '-' | '+' => starts_line && (is_blank(after) || after == Some(c)),
            '|' => starts_line,
            _ => false,
        };
        // `1.` at a line's start.
        let is_number = starts_line && c.is_ascii_digit();
        if is_mark {
            out.push('\\');
        }
        out.push(c);
        if is_number {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let mark = rest[digits..].chars().next();
            if matches!(mark, Some('.' | ')')) && is_blank(rest[digits + 1..].chars().next()) {
                out.push_str(&rest[..digits]);
                out.push('\\');
                if digits > 0 {
                    chars.nth(digits - 1);
                }
            }
        }
        starts_line = c == '\n' || starts_line && c == ' ';
        before = Some(c);
    }
}
