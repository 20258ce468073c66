//! Lines: paragraphs, quotes, lists, headings, tables and code.

use super::{Dialect, MAX_DEPTH, inlines::inlines};
use crate::text::{Block, Inline, Table};

/// Bytes of a language behind a fence.
const MAX_LANGUAGE: usize = 30;

/// Splits at pairs of three backticks, wherever they stand.
pub(super) fn with_fences_anywhere(text: &str, dialect: &mut dyn Dialect) -> Vec<Block> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("```")
        && let Some((code, behind)) = after.split_once("```")
        && !code.trim().is_empty()
    {
        found.extend(blocks(before, dialect, 0));
        let (first, others) = code.split_once('\n').unwrap_or((code, ""));
        let is_language = !others.trim().is_empty()
            && first.len() <= MAX_LANGUAGE
            && first.trim_end().chars().all(|c| c.is_ascii_alphanumeric() || "+-_.#".contains(c));
        let (language, code) =
            if is_language { (first.trim(), others) } else { ("", code.trim_start_matches('\n')) };
        found.push(Block::Code { language: language.to_owned(), text: code.trim_end().to_owned() });
        rest = behind;
    }
    found.extend(blocks(rest, dialect, 0));
    found
}

pub(super) fn blocks(text: &str, dialect: &mut dyn Dialect, depth: usize) -> Vec<Block> {
    let lines: Vec<&str> = text.split('\n').collect();
    let rules = dialect.rules();
    let mut found = Vec::new();
    let mut paragraph: Vec<&str> = Vec::new();
    let mut at = 0;
    let mut no_fence_from = usize::MAX;
    while let Some(line) = lines.get(at).copied() {
        let start = at;
        let is_deep = depth >= MAX_DEPTH;
        let block = match () {
            () if line.trim().is_empty() => {
                at += 1;
                Vec::new()
            }
            () if is_deep => Vec::new(),
            () if !rules.fences_anywhere
                && at < no_fence_from
                && fence(line, rules.named_fences).is_some() =>
            {
                match fenced(&lines[at..], rules.named_fences) {
                    Some((info, inner, length)) => {
                        at += length;
                        of_fence(info, &inner, dialect, depth)
                    }
                    None => {
                        no_fence_from = at;
                        Vec::new()
                    }
                }
            }
            () if rules.discord && line.starts_with(">>> ") => {
                at = lines.len();
                let inner = lines[start..].join("\n");
                vec![Block::Quote(blocks(&inner[4..], dialect, depth + 1))]
            }
            () if quoted(line, rules.discord).is_some() => {
                let mut inner = Vec::new();
                while let Some(line) = lines.get(at).and_then(|line| quoted(line, rules.discord)) {
                    inner.push(line);
                    at += 1;
                }
                vec![Block::Quote(blocks(&inner.join("\n"), dialect, depth + 1))]
            }
            () if let Some((level, words)) = heading(line, rules.headings) => {
                at += 1;
                vec![Block::Heading(level, inlines(words, dialect, depth + 1))]
            }
            () if let Some(small) = line.strip_prefix("-# ").filter(|_| rules.discord) => {
                at += 1;
                vec![Block::Paragraph(vec![Inline::Emphasis(inlines(small, dialect, depth + 1))])]
            }
            () if item(line).is_some() && (paragraph.is_empty() || rules.discord) => {
                let (list, length) = list(&lines[at..], dialect, depth);
                at += length;
                vec![list]
            }
            () if rules.tables
                && line.contains('|')
                && lines.get(at + 1).is_some_and(|next| is_rule_of_table(next)) =>
            {
                let (table, length) = table(&lines[at..], dialect, depth);
                at += length;
                vec![table]
            }
            () => Vec::new(),
        };
        if at == start {
            paragraph.push(line);
            at += 1;
        } else {
            end(&mut paragraph, &mut found, dialect, depth);
            found.extend(block);
        }
    }
    end(&mut paragraph, &mut found, dialect, depth);
    found
}

fn end(paragraph: &mut Vec<&str>, found: &mut Vec<Block>, dialect: &mut dyn Dialect, depth: usize) {
    let text = std::mem::take(paragraph).join("\n");
    if !text.is_empty() {
        found.push(Block::Paragraph(inlines(text.trim(), dialect, depth)));
    }
}

/// The sign and the length of a fence, and what stands behind it.
fn fence(line: &str, tildes: bool) -> Option<(char, usize, &str)> {
    let line = line.trim_start();
    let sign = line.chars().next().filter(|sign| *sign == '`' || tildes && *sign == '~')?;
    let rest = line.trim_start_matches(sign);
    let length = line.len() - rest.len();
    (length >= 3 && !rest.contains('`')).then_some((sign, length, rest.trim()))
}

/// Code between fences: what stands behind the first, the lines, and how many there are with the fences. Named fences
/// hold others of the same sign.
fn fenced<'a>(lines: &[&'a str], named: bool) -> Option<(&'a str, String, usize)> {
    let (sign, length, info) = fence(lines[0], named)?;
    let mut open = 1_usize;
    let holds_others = named && (info == "quote" || info.starts_with("spoiler"));
    for (place, line) in lines.iter().enumerate().skip(1) {
        match fence(line, named) {
            Some((other, others, "")) if other == sign && others >= length => open -= 1,
            Some((other, others, _)) if holds_others && other == sign && others == length => open += 1,
            _ => {}
        }
        if open == 0 {
            return Some((info, lines[1..place].join("\n"), place + 1));
        }
    }
    None
}

fn of_fence(info: &str, inner: &str, dialect: &mut dyn Dialect, depth: usize) -> Vec<Block> {
    if dialect.rules().named_fences {
        if info == "quote" {
            return vec![Block::Quote(blocks(inner, dialect, depth + 1))];
        }
        if let Some(header) = info.strip_prefix("spoiler") {
            let header = inlines(header.trim(), dialect, depth + 1);
            let mut found = Vec::new();
            if !header.is_empty() {
                found.push(Block::Paragraph(vec![Inline::Strong(header)]));
            }
            found.push(Block::Quote(blocks(inner, dialect, depth + 1)));
            return found;
        }
    }
    let language = info.split_whitespace().next().unwrap_or_default();
    let language = if language.len() <= MAX_LANGUAGE { language } else { "" };
    vec![Block::Code { language: language.trim_matches(['{', '}', '.']).to_owned(), text: inner.to_owned() }]
}

fn quoted(line: &str, with_blank: bool) -> Option<&str> {
    let rest = line.strip_prefix('>')?;
    match rest.strip_prefix(' ') {
        Some(rest) => Some(rest),
        None if with_blank && !rest.is_empty() => None,
        None => Some(rest),
    }
}

fn heading(line: &str, most: usize) -> Option<(u8, &str)> {
    let words = line.trim_start_matches('#');
    let level = line.len() - words.len();
    let words = words.strip_prefix(' ')?.trim();
    ((1..=most).contains(&level) && !words.is_empty()).then_some((level as u8, words))
}

/// The blanks before an item of a list, its number, and its words.
fn item(line: &str) -> Option<(usize, Option<u64>, &str)> {
    let rest = line.trim_start_matches(' ');
    let indent = line.len() - rest.len();
    if let Some(words) = rest.strip_prefix(['-', '*', '+']).and_then(|rest| rest.strip_prefix(' ')) {
        return Some((indent, None, words.trim())).filter(|_| !words.trim().is_empty());
    }
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let number = rest[..digits].parse().ok().filter(|_| digits <= 9)?;
    let words = rest[digits..].strip_prefix(['.', ')'])?.strip_prefix(' ')?;
    Some((indent, Some(number), words.trim())).filter(|_| !words.trim().is_empty())
}

/// A list, and how many lines it has. What is indented further belongs to the item before.
fn list(lines: &[&str], dialect: &mut dyn Dialect, depth: usize) -> (Block, usize) {
    let Some((base, first, _)) = item(lines[0]) else { return (Block::Rule, 0) };
    let mut items: Vec<(String, Vec<&str>)> = Vec::new();
    let mut taken = 0;
    for line in lines {
        let indent = line.len() - line.trim_start_matches(' ').len();
        match item(line) {
            Some((found, number, words)) if found < base + 2 => {
                if number.is_some() != first.is_some() || found + 1 < base {
                    break;
                }
                items.push((words.to_owned(), Vec::new()));
            }
            _ if !line.trim().is_empty() && indent >= base + 2 => {
                if let Some((_, inner)) = items.last_mut() {
                    inner.push(line);
                }
            }
            _ => break,
        }
        taken += 1;
    }
    let items = items
        .into_iter()
        .map(|(words, inner)| {
            let mut item = vec![Block::Paragraph(inlines(&words, dialect, depth + 1))];
            let least = inner.iter().map(|line| line.len() - line.trim_start_matches(' ').len()).min();
            let inner: Vec<&str> = inner.iter().map(|line| &line[least.unwrap_or_default()..]).collect();
            item.extend(blocks(&inner.join("\n"), dialect, depth + 1));
            item
        })
        .collect();
    (Block::List { first, items }, taken)
}

fn is_rule_of_table(line: &str) -> bool {
    line.contains('-') && line.contains('|') && line.chars().all(|c| matches!(c, '|' | '-' | ':' | ' '))
}

fn table(lines: &[&str], dialect: &mut dyn Dialect, depth: usize) -> (Block, usize) {
    let mut rows = Vec::new();
    let mut taken = 0;
    for line in lines.iter().take_while(|line| line.contains('|')) {
        taken += 1;
        if taken == 2 {
            continue;
        }
        let line = line.trim();
        let line = line.strip_prefix('|').unwrap_or(line);
        let line = line.strip_suffix('|').unwrap_or(line);
        rows.push(line.split('|').map(|cell| inlines(cell.trim(), dialect, depth + 1)).collect());
    }
    (Block::Table(Table { alignments: Vec::new(), has_head: true, rows }), taken)
}
