//! Slack's mrkdwn: lines, quotes, lists and blocks of code. Within lines see [`inline`](super::inline).

use super::{
    emoji::emojified,
    inline::{self, Marks, decoded},
};
use crate::text::document::{Block, Inline, push_prose};

/// Reads a text.
pub(super) fn read(text: &str, marks: Marks<'_>) -> Vec<Block> {
    let mut reader = Reader { marks, blocks: Vec::new(), lines: Vec::new() };
    reader.read(text, true);
    reader.end_paragraph();
    reader.blocks
}

/// Reads a text as one line.
pub(super) fn read_line(text: &str, marks: Marks<'_>) -> Vec<Inline> {
    let mut out = Vec::new();
    for (number, line) in text.trim().lines().enumerate() {
        if number > 0 {
            out.push(Inline::Text(" ".into()));
        }
        out.extend(inline::read(line, marks));
    }
    out
}

/// Text without marks: only emoji are read, and bare addresses.
pub(super) fn plain(text: &str) -> Vec<Inline> {
    let mut out = Vec::new();
    push_prose(&mut out, &emojified(&decoded(text.trim())));
    out
}

struct Reader<'r> {
    marks: Marks<'r>,
    blocks: Vec<Block>,
    /// The lines of the open paragraph.
    lines: Vec<Vec<Inline>>,
}

const FENCE: &str = "```";

impl Reader<'_> {
    fn read(&mut self, text: &str, quotes: bool) {
        let mut rest = text;
        let mut may_have_code = true;
        while !rest.is_empty() {
            if quotes && let Some(quoted) = quote_mark(rest) {
                rest = self.quote(rest, quoted);
                continue;
            }
            let line_end = rest.find('\n').unwrap_or(rest.len());
            let fence = rest[..line_end].find(FENCE).filter(|_| may_have_code);
            if let Some(start) = fence {
                let after = &rest[start + FENCE.len()..];
                let end = after.find(FENCE);
                may_have_code = end.is_some();
                if let Some(end) = end.filter(|end| !after[..*end].trim().is_empty()) {
                    self.part_of_line(&rest[..start]);
                    self.code(&after[..end]);
                    let behind = &after[end + FENCE.len()..];
                    rest =
                        behind.strip_prefix("\r\n").or_else(|| behind.strip_prefix('\n')).unwrap_or(behind);
                    continue;
                }
            }
            let line = &rest[..line_end];
            self.line(line.strip_suffix('\r').unwrap_or(line));
            rest = rest.get(line_end + 1..).unwrap_or_default();
        }
    }

    /// What stands before a block of code in its line.
    fn part_of_line(&mut self, text: &str) {
        if !text.trim().is_empty() {
            self.line(text);
        }
    }

    fn code(&mut self, code: &str) {
        self.end_paragraph();
        let code = decoded(code).replace("\r\n", "\n");
        let text = code.trim_start_matches('\n').trim_end().to_owned();
        self.blocks.push(Block::Code { language: String::new(), text });
    }

    /// A quote is one line, or with `>>>` the rest. Lines of quotes that follow one another are one quote.
    fn quote<'t>(&mut self, text: &'t str, mark: usize) -> &'t str {
        self.end_paragraph();
        let mut inner = Self { marks: self.marks, blocks: Vec::new(), lines: Vec::new() };
        let rest = if let Some(whole) = rest_quote(text) {
            inner.read(whole, false);
            ""
        } else {
            let mut rest = text;
            let mut mark = Some(mark);
            let mut lines = String::new();
            while let Some(length) = mark {
                let quoted = &rest[length..];
                let end = quoted.find('\n').unwrap_or(quoted.len());
                lines.push_str(quoted[..end].strip_prefix(' ').unwrap_or(&quoted[..end]));
                lines.push('\n');
                rest = quoted.get(end + 1..).unwrap_or_default();
                mark = quote_mark(rest).filter(|_| rest_quote(rest).is_none());
            }
            inner.read(&lines, false);
            rest
        };
        inner.end_paragraph();
        if !inner.blocks.is_empty() {
            self.blocks.push(Block::Quote(inner.blocks));
        }
        rest
    }

    fn line(&mut self, line: &str) {
        if line.trim().is_empty() {
            return self.end_paragraph();
        }
        let words = line.trim_start_matches([' ', '\t']);
        let indent: usize =
            line[..line.len() - words.len()].chars().map(|c| if c == '\t' { 4 } else { 1 }).sum();
        if let Some(item) = bullet(words) {
            self.end_paragraph();
            let inlines = inline::read(item.trim(), self.marks);
            return push_item(&mut self.blocks, indent / 2, inlines);
        }
        // A line that stands under the words of an item belongs to it.
        if self.lines.is_empty() && indent >= 2 && !self.ends_with_gap() && self.continue_item(words) {
            return;
        }
        let mut inlines = Vec::new();
        if indent > 1 {
            // HTML folds blanks. Those that indent a line mean something.
            inlines.push(Inline::Text("\u{A0}".repeat(indent.min(32))));
        }
        inlines.extend(inline::read(words.trim_end(), self.marks));
        self.lines.push(inlines);
    }

    fn ends_with_gap(&self) -> bool {
        !matches!(self.blocks.last(), Some(Block::List { .. }))
    }

    fn continue_item(&mut self, words: &str) -> bool {
        let inlines = inline::read(words.trim_end(), self.marks);
        match last_words(&mut self.blocks) {
            Some(item) => {
                item.push(Inline::Break);
                item.extend(inlines);
                true
            }
            None => false,
        }
    }

    fn end_paragraph(&mut self) {
        let lines = std::mem::take(&mut self.lines);
        let mut inlines = Vec::new();
        for (number, line) in lines.into_iter().enumerate() {
            if number > 0 {
                inlines.push(Inline::Break);
            }
            inlines.extend(line);
        }
        if !inlines.is_empty() {
            self.blocks.push(Block::Paragraph(inlines));
        }
    }
}

/// The bytes of the mark of a quote at the start of a text.
fn quote_mark(text: &str) -> Option<usize> {
    ["&gt;", ">"].into_iter().find(|mark| text.starts_with(mark)).map(str::len)
}

/// What `>>>` quotes.
fn rest_quote(text: &str) -> Option<&str> {
    text.strip_prefix("&gt;&gt;&gt;").or_else(|| text.strip_prefix(">>>"))
}

/// What stands behind the mark of an item.
fn bullet(line: &str) -> Option<&str> {
    let item = line.strip_prefix("- ").or_else(|| line.strip_prefix("* "))?;
    (!item.trim().is_empty()).then_some(item)
}

/// Appends an item to the list at the end, or to one within its last item if it is indented.
fn push_item(blocks: &mut Vec<Block>, depth: usize, inlines: Vec<Inline>) {
    if let Some(Block::List { items, .. }) = blocks.last_mut() {
        let has_words = items.last().is_some_and(|item| !item.is_empty());
        if depth > 0
            && has_words
            && let Some(item) = items.last_mut()
        {
            return push_item(item, (depth - 1).min(4), inlines);
        }
        return items.push(vec![Block::Paragraph(inlines)]);
    }
    blocks.push(Block::List { first: None, items: vec![vec![Block::Paragraph(inlines)]] });
}

/// The words of the last item.
fn last_words(blocks: &mut [Block]) -> Option<&mut Vec<Inline>> {
    match blocks.last_mut()? {
        Block::Paragraph(inlines) => Some(inlines),
        Block::List { items, .. } => last_words(items.last_mut()?),
        _ => None,
    }
}
