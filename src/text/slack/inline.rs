//! Slack's marks within a line: `*bold*`, `_italic_`, `~struck~`, `` `code` ``, `<links>`, `:emoji:`. A mark counts only
//! once its end is found. Takes time in proportion to the text.

use std::borrow::Cow;

use super::{Ids, bracket, emoji};
use crate::text::document::{Inline, bare_around, bare_link, is_allowed, is_invisible, push_text};

/// Which marks are read.
#[derive(Clone, Copy)]
pub(super) struct Marks<'r> {
    /// Those of Markdown too: `**bold**`, `~~struck~~`, `[links](https://…)`.
    pub(super) of_markdown: bool,
    /// False within the label of a link.
    pub(super) links: bool,
    /// What ids stand for, where somebody knows.
    pub(super) ids: Option<&'r dyn Ids>,
}

impl Marks<'_> {
    pub(super) fn without_links(self) -> Self {
        Self { links: false, ..self }
    }
}

/// Bytes of the address of a link of Markdown.
const MAX_ADDRESS: usize = 2_048;

/// How it begins.
const SCHEMES: [&str; 3] = ["http://", "https://", "mailto:"];

/// Where the bracket is that closes an address, before any white space.
fn closing_bracket(address: &[u8]) -> Option<usize> {
    let mut depth = 0;
    for (place, byte) in address.iter().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' if depth == 0 => return Some(place),
            b')' => depth -= 1,
            byte if byte.is_ascii_whitespace() => return None,
            _ => {}
        }
    }
    None
}

/// Decodes the three characters that Slack encodes.
pub(super) fn decoded(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return text.into();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(place) = rest.find('&') {
        out.push_str(&rest[..place]);
        rest = &rest[place..];
        let known = [("&lt;", '<'), ("&gt;", '>'), ("&amp;", '&')];
        let found = known.into_iter().find(|(name, _)| rest.starts_with(name)).unwrap_or(("&", '&'));
        out.push(found.1);
        rest = &rest[found.0.len()..];
    }
    out.push_str(rest);
    out.into()
}

/// A mark that is open, and what stands in it so far.
struct Open {
    mark: &'static str,
    inlines: Vec<Inline>,
}

struct Line<'t> {
    text: &'t str,
    marks: Marks<'t>,
    /// The first is the line itself. No mark is open twice, so there are few.
    open: Vec<Open>,
    /// Where text begins that is not written yet.
    written: usize,
    /// For each `[` the place of its `]`, in order of places.
    pairs: Vec<(usize, usize)>,
    /// No backtick follows from here on.
    no_code: bool,
}

/// Reads one line.
pub(super) fn read<'t>(text: &'t str, marks: Marks<'t>) -> Vec<Inline> {
    let pairs =
        if marks.of_markdown && marks.links && text.contains("](") { pairs(text) } else { Vec::new() };
    let open = vec![Open { mark: "", inlines: Vec::new() }];
    Line { text, marks, open, written: 0, pairs, no_code: false }.read()
}

/// The brackets that belong together.
fn pairs(text: &str) -> Vec<(usize, usize)> {
    let mut open = Vec::new();
    let mut pairs = Vec::new();
    for (place, byte) in text.bytes().enumerate() {
        match byte {
            b'[' => open.push(place),
            b']' => pairs.extend(open.pop().map(|start| (start, place))),
            _ => {}
        }
    }
    pairs.sort_unstable();
    pairs
}

impl Line<'_> {
    fn read(mut self) -> Vec<Inline> {
        let mut place = 0;
        while let Some(found) =
            self.text[place..].find(['<', '`', ':', '.', '@', '*', '_', '~', '[', '\u{200B}'])
        {
            place += found;
            place = self.sign(place);
        }
        self.write_to(self.text.len());
        while self.open.len() > 1 {
            self.unopen();
        }
        self.open.pop().map(|line| line.inlines).unwrap_or_default()
    }

    fn current(&mut self) -> &mut Vec<Inline> {
        &mut self.open.last_mut().expect("the line itself is never closed").inlines
    }

    /// Writes the text up to a place.
    fn write_to(&mut self, place: usize) {
        let text = decoded(&self.text[self.written..place]);
        self.written = place;
        push_text(self.current(), &text);
    }

    /// Writes elements that stand for the text between two places.
    fn put(&mut self, start: usize, end: usize, inlines: Vec<Inline>) -> usize {
        self.write_to(start);
        self.current().extend(inlines);
        self.written = end;
        end
    }

    /// Reads the sign at a place. Returns where to go on.
    fn sign(&mut self, place: usize) -> usize {
        let rest = &self.text[place..];
        match rest.as_bytes()[0] {
            b'<' => {
                let end =
                    rest[1..].find(['<', '>']).map(|end| end + 1).filter(|end| rest.as_bytes()[*end] == b'>');
                let inlines =
                    end.filter(|_| self.marks.links).and_then(|end| bracket::read(&rest[1..end], self.marks));
                match (end, inlines) {
                    (Some(end), Some(inlines)) => self.put(place, place + end + 1, inlines),
                    _ => place + 1,
                }
            }
            b'`' => self.code(place),
            sign @ (b':' | b'.' | b'@') => {
                let bare = self.bare(place).filter(|_| self.marks.links);
                if let Some((start, end)) = bare {
                    let address = decoded(&self.text[start..end]).into_owned();
                    return self.put(start, end, vec![bare_link(&address)]);
                }
                let emoji = (sign == b':').then(|| emoji::at(rest)).flatten();
                // Within a word, as in an address of IPv6, it is none.
                let within = |length: usize| {
                    self.text[..place].ends_with(char::is_alphanumeric)
                        && rest[length..].starts_with(char::is_alphanumeric)
                };
                match emoji.filter(|(_, length)| !within(*length)) {
                    Some((emoji, length)) => {
                        self.write_to(place);
                        push_text(self.current(), &emoji);
                        self.written = place + length;
                        self.written
                    }
                    None => place + 1,
                }
            }
            b'[' => match self.link(place) {
                Some((end, link)) => self.put(place, end, vec![link]),
                None => place + 1,
            },
            byte @ (b'*' | b'_' | b'~') => self.mark(place, char::from(byte)),
            // U+200B, which some senders put around marks so that Slack sees them.
            _ => {
                let end = place + '\u{200B}'.len_utf8();
                let is_sign = |c: char| matches!(c, '*' | '_' | '~' | '`');
                if self.text[..place].ends_with(is_sign) || self.text[end..].starts_with(is_sign) {
                    self.put(place, end, Vec::new());
                }
                end
            }
        }
    }

    /// The bare address around a sign. A mark that is open may close behind it, and is then no part of it.
    fn bare(&self, place: usize) -> Option<(usize, usize)> {
        let is_open = |c: char| self.open.iter().any(|open| open.mark.starts_with(c));
        let found = bare_around(self.text, self.written, place);
        if self.open.len() == 1 {
            return found;
        }
        if let Some((start, end)) = found {
            let address = self.text[start..end].trim_end_matches(is_open);
            return (!address.is_empty()).then_some((start, start + address.len()));
        }
        let rest = &self.text[place..];
        let length =
            rest.bytes().take(MAX_ADDRESS).position(|byte| byte.is_ascii_whitespace()).unwrap_or(rest.len());
        let end = rest[..rest.floor_char_boundary(length.min(MAX_ADDRESS))].rfind(is_open)?;
        bare_around(&self.text[..place + end], self.written, place)
    }

    fn code(&mut self, place: usize) -> usize {
        let after = &self.text[place + 1..];
        let end = if self.no_code { None } else { after.find('`') };
        match end {
            Some(0) => place + 1 + after.bytes().take_while(|byte| *byte == b'`').count(),
            Some(end) => {
                let code = decoded(&after[..end]).into_owned();
                self.put(place, place + end + 2, vec![Inline::Code(code)])
            }
            None => {
                self.no_code = true;
                place + 1
            }
        }
    }

    /// A link of Markdown whose `[` stands at a place.
    fn link(&self, place: usize) -> Option<(usize, Inline)> {
        let found = self.pairs.binary_search_by_key(&place, |(start, _)| *start).ok()?;
        let end = self.pairs[found].1;
        let target = self.text[end + 1..].strip_prefix('(')?;
        if !SCHEMES.iter().any(|scheme| target.trim_start_matches('<').starts_with(scheme)) {
            return None;
        }
        let length = closing_bracket(&target.as_bytes()[..target.len().min(MAX_ADDRESS)])?;
        let address = target[..length].trim_matches(['<', '>']);
        let address = decoded(address.split('|').next().unwrap_or_default()).into_owned();
        if !is_allowed(&address) {
            return None;
        }
        let label = read(&self.text[place + 1..end], self.marks.without_links());
        Some((end + 1 + 1 + length + 1, Inline::Link { address, label }))
    }

    /// A mark, or a run of its sign.
    fn mark(&mut self, place: usize, sign: char) -> usize {
        let run = self.text[place..].bytes().take_while(|byte| *byte == sign as u8).count();
        let end = place + run;
        let mark = match (sign, run) {
            ('*', 1) => "*",
            ('_', 1) => "_",
            ('~', 1) => "~",
            ('*', 2) if self.marks.of_markdown => "**",
            ('~', 2) if self.marks.of_markdown => "~~",
            // A run is not a mark: `***`, `__init__`.
            _ => return end,
        };
        let before = self.text[..place].chars().rev().find(|c| !is_invisible(*c));
        let after = self.text[end..].chars().find(|c| !is_invisible(*c));
        let has_zero_width_after = self.text[end..].starts_with(is_invisible);
        let has_zero_width_before = self.text[..place].ends_with(is_invisible);
        let opens = (has_zero_width_before || !before.is_some_and(is_word))
            && after.is_some_and(|c| !c.is_whitespace());
        let closes = (has_zero_width_after || !after.is_some_and(is_word))
            && before.is_some_and(|c| !c.is_whitespace());
        let opened = self.open.iter().rposition(|open| open.mark == mark);
        // Slack has no escapes, but who writes one means the sign.
        if before == Some('\\') {
            return end;
        }
        if let Some(opened) = opened.filter(|_| closes) {
            self.write_to(place);
            while self.open.len() > opened + 1 {
                self.unopen();
            }
            // Something stands between the marks.
            if self.open[opened].inlines.is_empty() {
                return end;
            }
            let inner = self.open.pop().map(|open| open.inlines).unwrap_or_default();
            self.current().push(match mark {
                "_" => Inline::Emphasis(inner),
                "~" | "~~" => Inline::Struck(inner),
                _ => Inline::Strong(inner),
            });
            self.written = end;
        } else if opens && opened.is_none() {
            self.write_to(place);
            self.open.push(Open { mark, inlines: Vec::new() });
            self.written = end;
        }
        end
    }

    /// The innermost mark has no end, so it is a sign of the text.
    fn unopen(&mut self) {
        let Some(Open { mark, inlines }) = self.open.pop() else { return };
        let outer = self.current();
        push_text(outer, mark);
        for inline in inlines {
            match inline {
                Inline::Text(text) => push_text(outer, &text),
                inline => outer.push(inline),
            }
        }
    }
}

/// Letters and digits that join a mark. Scripts without blanks between words have none.
fn is_word(c: char) -> bool {
    c.is_alphanumeric() && u32::from(c) < 0x2E80
}
