//! Writes a document as Markdown, which is what a message's `content` is. It reads well and means the same; only what would
//! be a mark is escaped.

use std::fmt::Write;

use super::{Alignment, Block, Inline, Table, html::allowed, is_bare};

/// Which signs are escaped: stars, underscores, others.
type Escapes = u8;

const STARS: Escapes = 1;
const UNDERSCORES: Escapes = 2;
const OTHERS: Escapes = 4;
const ALL: Escapes = STARS | UNDERSCORES | OTHERS;

/// What is tried before all are. A backslash that is not needed would be shown.
const TRIED: [Escapes; 4] = [0, STARS, UNDERSCORES, OTHERS];

/// Bytes of a block for which it is tried whether it needs escapes.
const MAX_TRIED: usize = 4 << 10;

/// Writes blocks. `means_the_same` says whether Markdown is rendered as a block; one that is so without escapes has none.
pub(super) fn write(blocks: &[Block], means_the_same: impl Fn(&str, &Block) -> bool) -> String {
    let one = |block: &Block| {
        let all = written(block, ALL);
        let tried = if all.len() <= MAX_TRIED { TRIED.as_slice() } else { &[] };
        let fewer = tried.iter().map(|escapes| written(block, *escapes));
        // Where nothing is escaped, there is nothing to try.
        fewer.into_iter().find(|fewer| *fewer == all || means_the_same(fewer, block)).unwrap_or(all)
    };
    let blocks: Vec<String> = blocks.iter().map(one).collect();
    blocks.join("\n\n").trim_end().to_owned()
}

fn written(block: &Block, escapes: Escapes) -> String {
    let mut out = String::new();
    write_block(&mut out, block, escapes);
    out
}

fn write_blocks(out: &mut String, blocks: &[Block], escapes: Escapes) {
    for (place, block) in blocks.iter().enumerate() {
        if place > 0 {
            out.push_str("\n\n");
        }
        write_block(out, block, escapes);
    }
}

fn write_block(out: &mut String, block: &Block, escapes: Escapes) {
    match block {
        Block::Paragraph(inlines) => out.push_str(&lines(inlines, escapes)),
        Block::Heading(level, inlines) => {
            (0..*level).for_each(|_| out.push('#'));
            out.push(' ');
            out.push_str(&lines(inlines, escapes).replace('\n', " "));
        }
        Block::Code { language, text } => {
            let fence = "`".repeat(longest_run(text).max(2) + 1);
            let end = if text.ends_with('\n') { "" } else { "\n" };
            let _ = write!(out, "{fence}{language}\n{}{end}{fence}", allowed(text));
        }
        Block::Quote(blocks) => {
            let mut inner = String::new();
            write_blocks(&mut inner, blocks, escapes);
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
                write_item(&mut inner, item, escapes);
                prefixed(out, &inner, &mark, &" ".repeat(mark.len()));
            }
        }
        Block::Table(table) => write_table(out, table, escapes),
        Block::Rule => out.push_str("---"),
    }
}

/// An item: a list within it follows its words at once.
fn write_item(out: &mut String, blocks: &[Block], escapes: Escapes) {
    for (place, block) in blocks.iter().enumerate() {
        if place > 0 {
            out.push_str(if matches!(block, Block::List { .. }) { "\n" } else { "\n\n" });
        }
        write_block(out, block, escapes);
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

fn write_table(out: &mut String, table: &Table, escapes: Escapes) {
    let width = table.rows.iter().map(Vec::len).max().unwrap_or_default();
    let row = |out: &mut String, cells: &[Vec<Inline>]| {
        out.push('|');
        for column in 0..cells.len().min(MAX_COLUMNS) {
            let cell = cells.get(column).map(|cell| lines(cell, escapes)).unwrap_or_default();
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

fn lines(inlines: &[Inline], escapes: Escapes) -> String {
    let mut out = String::new();
    write_inlines(&mut out, inlines, escapes);
    out.trim().to_owned()
}

fn write_inlines(out: &mut String, inlines: &[Inline], escapes: Escapes) {
    for (place, inline) in inlines.iter().enumerate() {
        match inline {
            Inline::Text(text) => {
                if escapes != 0 {
                    escape(out, &allowed(text), escapes);
                } else {
                    out.push_str(&allowed(text));
                }
                if escapes & OTHERS != 0
                    && text.ends_with('!')
                    && matches!(inlines.get(place + 1), Some(Inline::Link { .. }))
                {
                    // Not an image.
                    out.insert(out.len() - 1, '\\');
                }
            }
            Inline::Break => out.push('\n'),
            Inline::Code(code) => write_code(out, &allowed(code)),
            Inline::Strong(inner) => marked(out, "**", inner, escapes),
            Inline::Emphasis(inner) => marked(out, "*", inner, escapes),
            Inline::Struck(inner) => marked(out, "~~", inner, escapes),
            Inline::Link { address, label } if !super::is_allowed(address) => {
                write_inlines(out, label, escapes)
            }
            Inline::Link { address, label } => {
                let target = target(address);
                if is_bare(address, label) {
                    let _ = write!(out, "<{}>", target.strip_prefix("mailto:").unwrap_or(&target));
                } else {
                    let _ = write!(out, "[{}](<{target}>)", lines(label, escapes).replace('\n', " "));
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
fn marked(out: &mut String, mark: &str, inner: &[Inline], escapes: Escapes) {
    let mut text = String::new();
    write_inlines(&mut text, inner, escapes);
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

/// Whether what stands behind a `<` would make it an address.
fn is_address(rest: &str) -> bool {
    let inside = &rest[..rest.floor_char_boundary(256)];
    let inside = inside.split_once('>').map(|(inside, _)| inside);
    inside.is_some_and(|inside| inside.contains([':', '@']) && !inside.contains(char::is_whitespace))
}

/// The longest run of backticks.
fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or_default()
}

/// Escapes what would be a mark.
fn escape(out: &mut String, text: &str, escapes: Escapes) {
    let has_link = text.contains("](") || text.contains("][") || text.contains("]:");
    let mut before = out.chars().next_back();
    let mut chars = text.char_indices().peekable();
    let mut starts_line = out.is_empty() || before == Some('\n');
    while let Some((place, c)) = chars.next() {
        let rest = &text[place + c.len_utf8()..];
        let after = rest.chars().next();
        let is_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        let is_blank = |c: Option<char>| c.is_none_or(char::is_whitespace);
        let is_alone = is_blank(before) && is_blank(after);
        let is_mark = match c {
            '\\' => after.is_some_and(|c| c.is_ascii_punctuation()),
            '`' => true,
            '*' => !is_alone || starts_line,
            '_' => !(is_alone || is_word(before) && is_word(after)),
            '~' => before == Some('~') || after == Some('~'),
            '[' => has_link,
            '<' => is_address(rest),
            '&' => after.is_some_and(|c| c.is_ascii_alphabetic() || c == '#'),
            '@' => rest.starts_with("here") || rest.starts_with("room"),
            '>' => starts_line,
            '#' => starts_line && matches!(rest.trim_start_matches('#').chars().next(), None | Some(' ')),
            '-' | '+' => starts_line && (is_blank(after) || after == Some(c)),
            '|' => starts_line,
            _ => false,
        };
        // `1.` at a line's start.
        let is_number = starts_line && c.is_ascii_digit();
        let class = match c {
            '*' => STARS,
            '_' => UNDERSCORES,
            _ => OTHERS,
        };
        if is_mark && escapes & class != 0 {
            out.push('\\');
        }
        out.push(c);
        if is_number && escapes & OTHERS != 0 {
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
