//! Code between three backticks as people write it elsewhere: with code behind the first marks, with the last marks at the end of
//! a line, or in the midst of one. It is written anew with the marks on lines of their own, as the parser wants it.

use std::borrow::Cow;

use super::masked::JOINER;
use crate::text::clean;

/// Languages that a word behind the first marks names if the last marks stand at the end of a line. Marks on lines of
/// their own have any word for a language.
const LANGUAGES: [&str; 56] = [
    "ada",
    "asm",
    "awk",
    "bash",
    "c",
    "clojure",
    "cmake",
    "cpp",
    "cs",
    "csharp",
    "css",
    "csv",
    "dart",
    "diff",
    "dockerfile",
    "elixir",
    "elm",
    "erlang",
    "go",
    "graphql",
    "haskell",
    "html",
    "http",
    "ini",
    "java",
    "javascript",
    "js",
    "json",
    "jsx",
    "julia",
    "kotlin",
    "kt",
    "latex",
    "lua",
    "makefile",
    "markdown",
    "md",
    "nix",
    "perl",
    "php",
    "powershell",
    "py",
    "python",
    "ruby",
    "rust",
    "scala",
    "sh",
    "sql",
    "swift",
    "toml",
    "ts",
    "tsx",
    "typescript",
    "xml",
    "yaml",
    "zig",
];

/// The length of what stands before the text of a line: white space, marks of quotes and of list items.
pub(super) fn container_end(line: &str) -> usize {
    let bytes = line.as_bytes();
    let mut place = 0;
    loop {
        match bytes.get(place) {
            Some(b' ' | b'\t' | b'>') => place += 1,
            Some(b'-' | b'+' | b'*') if is_blank(bytes.get(place + 1)) => place += 1,
            Some(b'0'..=b'9') => {
                let digits = bytes[place..].iter().take(10).take_while(|byte| byte.is_ascii_digit()).count();
                let has_mark = matches!(bytes.get(place + digits), Some(b'.' | b')'));
                if digits > 9 || !has_mark || !is_blank(bytes.get(place + digits + 1)) {
                    return place;
                }
                place += digits + 1;
            }
            _ => return place,
        }
    }
}

fn is_blank(byte: Option<&u8>) -> bool {
    matches!(byte, Some(b' ' | b'\t'))
}

/// The mark and the length of the fence that a line's text starts with.
pub(super) fn fence_of(text: &str) -> Option<(char, usize)> {
    let mark = text.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let length = run(text, mark);
    (length >= 3 && (mark == '~' || !text[length..].contains('`'))).then_some((mark, length))
}

/// Whether a line is the end of a fence, with nothing else on it.
pub(super) fn closes(line: &str, (mark, length): (char, usize)) -> bool {
    let text = line.trim_start_matches([' ', '\t', '>']).trim_end();
    run(text, mark) >= length && text.trim_start_matches(mark).is_empty()
}

fn run(text: &str, mark: char) -> usize {
    text.bytes().take_while(|byte| char::from(*byte) == mark).count()
}

/// Runs of at least `least` backticks in a line: where each starts and ends.
fn runs(line: &str, least: usize) -> impl Iterator<Item = (usize, usize)> {
    let mut place = 0;
    std::iter::from_fn(move || {
        while let Some(start) = line[place..].find('`').map(|found| place + found) {
            place = start + run(&line[start..], '`');
            if place - start >= least {
                return Some((start, place));
            }
        }
        None
    })
}

/// The end of a fence, found in a line.
enum Close<'l> {
    /// A line of its own, with nothing to change.
    Own,
    /// Behind the last line of code.
    Behind(&'l str),
    /// Before text.
    Before(&'l str),
}

fn close_of(line: &str, length: usize) -> Option<Close<'_>> {
    if closes(line, ('`', length)) {
        return Some(Close::Own);
    }
    let trimmed = line.trim_end();
    let mut count = 0;
    let (mut first, mut last) = (None, (0, 0));
    for found in runs(trimmed, length) {
        first = first.or(Some(found));
        last = found;
        count += 1;
    }
    let first = first?;
    // What is opened within a line is closed within it.
    if count % 2 == 1 && last.1 == trimmed.len() {
        return Some(Close::Behind(&line[..last.0]));
    }
    let text = &line[first.1..];
    let is_first = line[..first.0].chars().all(|c| matches!(c, ' ' | '\t' | '>'));
    (count == 1 && is_first && text.split_whitespace().nth(1).is_some()).then_some(Close::Before(text))
}

/// Whether all that stands behind the first marks is the name of a language, maybe with details.
fn is_info(info: &str) -> bool {
    let info = info.trim();
    // `rust,no_run` and `js{1,3}`.
    let name = info.split([',', '{']).next().unwrap_or_default();
    let is_detail = |c: char| c.is_ascii_alphanumeric() || matches!(c, ',' | '_' | '-' | '{' | '}');
    info.is_empty() || clean::is_language(name) && info[name.len()..].chars().all(is_detail)
}

struct Writing<'s> {
    lines: Vec<&'s str>,
    written: String,
    /// The number of lines that are written.
    place: usize,
    changed: bool,
    /// Marks of this length and longer have no end in the rest: backticks and tildes. So that each search for one to the
    /// end of the text is the only one.
    endless: [usize; 2],
}

/// The text with each block of code between lines of its own.
pub(super) fn normalised(source: &str) -> Cow<'_, str> {
    if !source.contains("```") && !source.contains("~~~") {
        return Cow::Borrowed(source);
    }
    let mut writing = Writing {
        lines: source.split('\n').collect(),
        written: String::with_capacity(source.len() + 64),
        place: 0,
        changed: false,
        endless: [usize::MAX; 2],
    };
    let mut marks: usize = writing.lines.iter().map(|line| runs(line, 3).count()).sum();
    while let Some(line) = writing.lines.get(writing.place).copied() {
        let from = writing.place;
        let start = container_end(line);
        match fence_of(&line[start..]) {
            Some(fence @ ('`', _)) => writing.backticks(start, fence.1),
            Some(fence) => writing.tildes(start, fence),
            None if !writing.within(line, start, marks) => writing.line(line),
            None => {}
        }
        for line in &writing.lines[from..writing.place] {
            marks -= runs(line, 3).count();
        }
    }
    if !writing.changed {
        return Cow::Borrowed(source);
    }
    writing.written.pop();
    Cow::Owned(writing.written)
}

impl Writing<'_> {
    fn line(&mut self, line: &str) {
        self.push(line);
        self.place += 1;
    }

    /// A line whose marks start no code.
    fn text(&mut self, line: &str, start: usize) {
        self.changed = true;
        self.line(&format!("{}{JOINER}{}", &line[..start], &line[start..]));
    }

    fn push(&mut self, line: &str) {
        self.written.push_str(line);
        self.written.push('\n');
    }

    /// A line that continues the containers of another.
    fn push_within(&mut self, container: &str, text: &str) {
        let same: String = container.chars().map(|c| if matches!(c, '>' | '\t') { c } else { ' ' }).collect();
        self.written.push_str(&same);
        self.push(text);
    }

    /// Writes the lines up to the next end of a fence, and that.
    fn code(&mut self, container: &str, length: usize) {
        let marks = "`".repeat(length);
        while let Some(line) = self.lines.get(self.place).copied() {
            self.place += 1;
            match close_of(line, length) {
                None => self.push(line),
                Some(Close::Own) => return self.push(line),
                Some(Close::Behind(code)) => {
                    self.changed = true;
                    if !code.trim_matches([' ', '\t', '>']).is_empty() {
                        self.push(code);
                    }
                    return self.push_within(container, &marks);
                }
                Some(Close::Before(text)) => {
                    self.changed = true;
                    self.push_within(container, &marks);
                    return self.push_within(container, text.trim_start());
                }
            }
        }
    }

    /// Whether the next end of a fence from a line on stands on a line of its own, or there is none.
    fn ends_regularly(&self, from: usize, length: usize) -> bool {
        let next = self.lines[from..].iter().find_map(|line| close_of(line, length));
        matches!(next, None | Some(Close::Own | Close::Before(_)))
    }

    fn backticks(&mut self, start: usize, length: usize) {
        let line = self.lines[self.place];
        let info = &line[start + length..];
        if self.lines[self.place + 1..].iter().all(|line| line[container_end(line)..].is_empty()) {
            return self.text(line, start);
        }
        let is_language = is_info(info)
            && (LANGUAGES.contains(&info.trim())
                || info.trim().is_empty()
                || self.ends_regularly(self.place + 1, length));
        if is_language {
            self.line(line);
        } else {
            self.changed = true;
            self.push(&line[..start + length]);
            self.push_within(&line[..start], info);
            self.place += 1;
        }
        self.code(&line[..start], length);
    }

    fn tildes(&mut self, start: usize, fence: (char, usize)) {
        let line = self.lines[self.place];
        let info = &line[start + fence.1..];
        let end = match fence.1 < self.endless[1] {
            true => self.lines[self.place + 1..].iter().position(|line| closes(line, fence)),
            false => None,
        };
        if end.is_none() {
            self.endless[1] = self.endless[1].min(fence.1);
        }
        if is_info(info) {
            self.line(line);
        } else if end.is_some() {
            self.changed = true;
            self.push(&line[..start + fence.1]);
            self.push_within(&line[..start], info);
            self.place += 1;
        } else {
            // Nobody ends it: an ornament.
            return self.text(line, start);
        }
        let end = end.map_or(self.lines.len(), |end| self.place + end + 1);
        while self.place < end {
            self.line(self.lines[self.place]);
        }
    }

    /// Code that starts behind text and ends in another line. `marks` is the number of runs from this line on: of an odd
    /// one, this is the one too many.
    fn within(&mut self, line: &str, start: usize, marks: usize) -> bool {
        let mut found = runs(line, 3);
        let (Some((open, end)), None) = (found.next(), found.next()) else { return false };
        let before = line[..open].trim_end();
        let is_alone = before.len() > start
            && before.len() < open
            && !line[..open].contains('`')
            && !line[end..].contains('`');
        if !is_alone || marks % 2 == 1 {
            return false;
        }
        let length = end - open;
        if length >= self.endless[0]
            || !self.lines[self.place + 1..].iter().any(|line| close_of(line, length).is_some())
        {
            self.endless[0] = self.endless[0].min(length);
            return false;
        }
        self.changed = true;
        let (container, code) = (&line[..start], &line[end..]);
        let is_language = LANGUAGES.contains(&code.trim());
        self.push(before);
        self.push_within(container, &format!("{}{}", &line[open..end], if is_language { code } else { "" }));
        if !is_language && !code.trim().is_empty() {
            self.push_within(container, code);
        }
        self.place += 1;
        self.code(container, length);
        true
    }
}
