//! Reads a message before the parser does, and masks what must not be taken for Markdown: addresses, mentions, backslashes
//! that do nothing, and signs between digits or in faces. Also makes emphasis work beside letters without spaces.

use std::collections::HashSet;

use super::{
    fences::{closes, container_end, fence_of},
    masked::{JOINER, Masked, Piece},
};
use crate::text::{
    chars::{is_mark, is_of_word, is_unspaced},
    escape, links, mention,
};

/// What is done with backslashes whose effect is not known from what stands around them.
pub(super) enum Escapes<'e> {
    /// They are left out, to see whether the sign behind them is markup. Notes where each sign is: its place in the source
    /// and in the masked text.
    Tried(&'e mut Vec<(usize, usize)>),
    /// Those at these places of the source escape the sign behind them; the others are kept.
    Known(&'e HashSet<usize>),
}

struct Scanner<'a, 'e> {
    source: &'a str,
    masked: Masked<'a>,
    escapes: Escapes<'e>,
    /// Up to where the source is written.
    written: usize,
    /// The fence that is open, and the start of a line that is not looked at yet.
    fence: Option<(char, usize)>,
    /// The length of the last run of each mark of emphasis that may still be closed; 0 if there is none.
    open: [usize; 3],
    /// The last run of backticks of each length in the current paragraph, and where that ends.
    runs: Vec<(usize, usize)>,
    runs_until: usize,
    /// The word that was looked at last for being a path: where it starts and ends.
    word: (usize, usize, bool),
}

/// Masks a text of which `escapes` says what its backslashes do.
pub(super) fn mask<'a>(source: &'a str, escapes: Escapes<'_>) -> Masked<'a> {
    let mut scanner = Scanner {
        source,
        masked: Masked { text: String::with_capacity(source.len() + source.len() / 8), ..Masked::default() },
        escapes,
        written: 0,
        fence: None,
        open: [0; 3],
        runs: Vec::new(),
        runs_until: 0,
        word: (0, 0, false),
    };
    scanner.scan();
    scanner.masked
}

const MARKS: [u8; 3] = *b"*_~";

/// Whether the scanner has to look at a byte.
const WATCHED: [bool; 256] = {
    let mut watched = [false; 256];
    let bytes = b"\n`\\*_~@&hHwWmM";
    let mut place = 0;
    while place < bytes.len() {
        watched[bytes[place] as usize] = true;
        place += 1;
    }
    watched
};

impl<'a> Scanner<'a, '_> {
    fn scan(&mut self) {
        let bytes = self.source.as_bytes();
        let mut place = self.line(0);
        while place < bytes.len() {
            let byte = bytes[place];
            place = match byte {
                _ if !WATCHED[usize::from(byte)] => place + 1,
                b'\n' => self.line(place + 1),
                b'`' => self.backticks(place),
                b'\\' => self.backslash(place),
                b'*' | b'_' | b'~' => self.marks(place),
                b'@' => self.at_sign(place),
                b'&' => self.entity(place),
                _ => self.address(place),
            };
        }
        self.write_to(bytes.len());
    }

    /// Appends the source up to a place as it is.
    fn write_to(&mut self, place: usize) {
        self.masked.text.push_str(&self.source[self.written..place]);
        self.written = place;
    }

    /// Appends a piece that ends at a place of the source.
    fn push(&mut self, start: usize, end: usize, piece: Piece<'a>) -> usize {
        self.write_to(start);
        self.masked.push(piece);
        self.written = end;
        end
    }

    fn literal(&mut self, start: usize, end: usize) -> usize {
        self.push(start, end, Piece::Literal(&self.source[start..end]))
    }

    fn before(&self, place: usize) -> Option<char> {
        self.source[..place].chars().next_back()
    }

    fn after(&self, place: usize) -> Option<char> {
        self.source[place..].chars().next()
    }

    /// Starts a line; returns where to go on. Code between fences is passed over.
    fn line(&mut self, start: usize) -> usize {
        let mut start = start;
        while start < self.source.len() {
            let end = self.source[start..].find('\n').map_or(self.source.len(), |found| start + found);
            let line = &self.source[start..end];
            if let Some(fence) = self.fence {
                if closes(line, fence) {
                    self.fence = None;
                }
            } else {
                let text = start + container_end(line);
                if text >= end {
                    self.open = [0; 3];
                }
                match fence_of(&self.source[text.min(end)..end]) {
                    None => return text.min(end),
                    fence => self.fence = fence,
                }
            }
            start = end + 1;
        }
        self.source.len()
    }

    /// A run of backticks. What is between two of the same length is code.
    fn backticks(&mut self, place: usize) -> usize {
        let length = run(&self.source[place..], b'`');
        let end = place + length;
        if place >= self.runs_until {
            self.note_runs(place);
        }
        if !self.runs.iter().any(|(of, last)| *of == length && *last > place) {
            return end;
        }
        let mut next = end;
        while let Some(start) = self.source[next..].find('`').map(|found| next + found) {
            let found = run(&self.source[start..], b'`');
            next = start + found;
            if found == length {
                return next;
            }
        }
        end
    }

    /// Notes the last run of each length in the paragraph.
    fn note_runs(&mut self, place: usize) {
        self.runs.clear();
        let mut line = place;
        loop {
            let end = self.source[line..].find('\n').map_or(self.source.len(), |found| line + found);
            let mut at = line;
            while let Some(start) = self.source[at..end].find('`').map(|found| at + found) {
                let length = run(&self.source[start..end], b'`');
                at = start + length;
                match self.runs.iter_mut().find(|(of, _)| *of == length) {
                    Some(known) => known.1 = start,
                    None => self.runs.push((length, start)),
                }
            }
            line = end + 1;
            let ends = line >= self.source.len() || {
                let next = self.source[line..].lines().next().unwrap_or_default();
                let text = container_end(next);
                text == next.len()
                    || next[..text].contains(['-', '+', '*', '.', ')'])
                    || next[text..].starts_with("# ")
            };
            if ends {
                self.runs_until = end.max(place + 1);
                return;
            }
        }
    }

    fn at_sign(&mut self, place: usize) -> usize {
        if let Some(mention) = mention::at(&self.source[place..]) {
            let piece = Piece::Mention { user: mention.user, label: mention.label, source: mention.source };
            return self.push(place, place + mention.source.len(), piece);
        }
        match links::mail_at(self.source, self.written, place) {
            // `<a@b.example>` is left to the parser.
            Some((start, end))
                if self.source[..start].ends_with('<') && self.source[end..].starts_with('>') =>
            {
                end
            }
            Some((start, end)) => {
                let end = self.without_close(start, end, |text, _| {
                    links::mail_at(text, start, place).map(|found| found.1)
                });
                self.push(start, end, Piece::Mail(&self.source[start..end]))
            }
            None => place + 1,
        }
    }

    fn entity(&mut self, place: usize) -> usize {
        match escape::foreign_entity(&self.source[place..]) {
            Some(length) => self.literal(place, place + length),
            None => place + 1,
        }
    }

    /// An address, if one starts here. Those that the parser reads itself are left to it: `](address`, `<address>`, and that of
    /// a definition.
    fn address(&mut self, place: usize) -> usize {
        let before = self.source.as_bytes()[..place].last();
        if before.is_some_and(u8::is_ascii_alphanumeric) {
            return place + 1;
        }
        let Some(end) = links::bare_at(self.source, place) else { return place + 1 };
        let line = &self.source[self.source.floor_char_boundary(place.saturating_sub(8))..place];
        let line = line.rsplit('\n').next().unwrap_or_default();
        let lead = line.strip_suffix('<').unwrap_or(line);
        let is_angled = lead.len() < line.len()
            && self.source[place..]
                .find(['>', '<', ' ', '\n'])
                .is_some_and(|found| self.source[place + found..].starts_with('>'));
        if is_angled || lead.ends_with("](") || lead.trim_end_matches([' ', '\t']).ends_with("]:") {
            let rest = &self.source[end..];
            let stop = if is_angled { rest.find('>') } else { rest.find([' ', '\t', '\n', ')']) };
            return end + stop.unwrap_or(rest.len());
        }
        let end = self.without_close(place, end, links::bare_at);
        self.push(place, end, Piece::Address(&self.source[place..end]))
    }

    /// Cuts off the marks that close an emphasis that was opened before. `again` reads the address anew in a text that ends
    /// before them.
    fn without_close(&self, start: usize, end: usize, again: impl Fn(&str, usize) -> Option<usize>) -> usize {
        let address = &self.source[start..end];
        let mut cut = end;
        for (mark, open) in MARKS.into_iter().zip(self.open) {
            if open == 0 {
                continue;
            }
            let mut at = 0;
            while let Some(found) = address.as_bytes()[at..].iter().position(|byte| *byte == mark) {
                let place = at + found;
                let length = run(&address[place..], mark);
                at = place + length;
                let goes_on =
                    |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '-' | '=' | '&' | '%');
                if length == open && (at == address.len() || !address[at..].starts_with(goes_on)) {
                    cut = cut.min(start + place);
                    break;
                }
            }
        }
        if cut == end { end } else { again(&self.source[..cut], start).unwrap_or(end) }
    }

    /// A run of marks of emphasis.
    fn marks(&mut self, place: usize) -> usize {
        let mark = self.source.as_bytes()[place];
        let end = place + run(&self.source[place..], mark);
        let (before, after) = (self.before(place), self.after(end));
        // A backslash that is left out is not there.
        let before = match self.escapes {
            Escapes::Tried(_) if self.written == place && before == Some('\\') => self.before(place - 1),
            _ => before,
        };
        let (Some(before), Some(after)) = (before, after) else {
            self.note(mark, end - place, before.is_none(), after.is_none());
            return end;
        };
        let is_calculation = mark == b'*' && before.is_ascii_digit() && after.is_ascii_digit();
        let is_face = mark == b'_'
            && before == after
            && before.is_ascii_punctuation()
            && !"*~|\\`([{<".contains(before);
        if is_calculation || is_face {
            return self.literal(place, end);
        }
        if before.is_whitespace() || after.is_whitespace() {
            self.note(mark, end - place, before.is_whitespace(), after.is_whitespace());
            return end;
        }
        let is_within = mark != b'_' && (is_unspaced(after) || self.is_unspaced_before(place));
        let (before, after) = (is_mark(before), is_mark(after));
        if mark != b'_' || before || after {
            self.note(mark, end - place, before && !after, after && !before);
        }
        if is_within && (before || after) && !self.source[..place].ends_with('\\') {
            // Both sides become letters: then the marks can open and close.
            self.write_to(place);
            if before {
                self.masked.text.push(JOINER);
            }
            self.write_to(end);
            if after {
                self.masked.text.push(JOINER);
            }
        }
        end
    }

    /// Notes a run of marks for `without_close`.
    fn note(&mut self, mark: u8, length: usize, opens: bool, closes: bool) {
        let Some(place) = MARKS.iter().position(|one| *one == mark) else { return };
        let open = &mut self.open[place];
        if *open == length && !opens {
            *open = 0;
        } else if !closes {
            *open = length;
        }
    }

    /// Whether the character before a place is of a script without spaces. One that only chooses a shape is passed over.
    fn is_unspaced_before(&self, place: usize) -> bool {
        let mut before = self.source[..place].chars().rev();
        match before.next() {
            // Ideographs only, and “ ” ‘ ’ in the wide shape that they have among them.
            Some('\u{E0100}'..='\u{E01EF}') => true,
            Some(shape @ '\u{FE00}'..='\u{FE0E}') => before
                .next()
                .is_some_and(|c| is_unspaced(c) || shape == '\u{FE01}' && matches!(c, '‘' | '’' | '“' | '”')),
            Some(c) => is_unspaced(c),
            None => false,
        }
    }

    /// A backslash. It is kept unless the sign behind it would be markup without it.
    fn backslash(&mut self, place: usize) -> usize {
        let Some(sign) = self.after(place + 1) else { return place + 1 };
        if sign == '\n' {
            // Every line end is a line break.
            self.literal(place, place + 1);
            return place + 1;
        }
        let end = place + 1 + sign.len_utf8();
        if !sign.is_ascii_punctuation() {
            return place + 1;
        }
        if self.before(place) == Some('¯') {
            // ¯\_(ツ)_/¯
            let strokes = run(&self.source[place..], b'\\');
            return self.literal(
                place,
                place + strokes + usize::from(self.source[place + strokes..].starts_with('_')),
            );
        }
        // `*\**`: a mark beside other ones.
        let is_beside = |c: Option<char>| matches!(sign, '*' | '_' | '~') && c == Some(sign);
        if is_beside(self.after(end)) || is_beside(self.before(place)) {
            return end;
        }
        if self.is_in_path(place) || self.is_in_word(place, sign, end) {
            return self.literal(place, end);
        }
        if sign == '@' {
            let escapes = mention::at(&self.source[place + 1..]).is_some()
                || mention::everyone_at(self.source, place + 1).is_some();
            return match escapes {
                true => self.push(place, end, Piece::Unescaped(&self.source[place..end])),
                false => self.literal(place, end),
            };
        }
        match &mut self.escapes {
            Escapes::Known(effective) if effective.contains(&place) => end,
            Escapes::Known(_) => self.literal(place, end),
            // Without it the row would have another cell, and the table might be none.
            Escapes::Tried(signs) if sign == '|' => {
                self.masked.text.push_str(&self.source[self.written..end]);
                self.written = end;
                signs.push((place, self.masked.text.len() - 1));
                end
            }
            Escapes::Tried(signs) => {
                self.masked.text.push_str(&self.source[self.written..place]);
                self.written = place + 1;
                signs.push((place, self.masked.text.len()));
                match sign {
                    // A backslash escapes what follows; a backtick is looked at by the parser.
                    '\\' => end + self.after(end).filter(|c| *c != '\n').map_or(0, char::len_utf8),
                    '`' => end,
                    _ => place + 1,
                }
            }
        }
    }

    /// Whether a backslash stands within a word.
    fn is_in_word(&self, place: usize, sign: char, end: usize) -> bool {
        sign != '|'
            && self.before(place).is_some_and(is_of_word)
            && self.after(end).is_some_and(|c| is_of_word(c) || c == '(')
    }

    /// Whether a backslash stands in a word that is a path, or a pattern: `\\server\_x`, `C:\_x`, `.\_x`, `%TEMP%\_x`, `\d\.\d`.
    fn is_in_path(&mut self, place: usize) -> bool {
        if place >= self.word.1 {
            let known = self.word.1;
            let word = self.source[known..place].rsplit(char::is_whitespace).next().unwrap_or_default();
            let start = place - word.len();
            let end = self.source[place..]
                .find(char::is_whitespace)
                .map_or(self.source.len(), |found| place + found);
            self.word = (start, end, is_path(&self.source[start..end]));
        }
        self.word.2
    }
}

fn is_path(word: &str) -> bool {
    let opening = |c: char| {
        matches!(c, '(' | '[' | '{' | '<' | '"' | '\'' | '*' | '_' | '~') || !c.is_ascii() && is_mark(c)
    };
    let word = word.trim_start_matches(opening);
    let bytes = word.as_bytes();
    let is_drive = bytes.len() > 2 && bytes[0].is_ascii_alphabetic() && bytes[1..].starts_with(b":\\");
    let is_share = word.strip_prefix("\\\\").is_some_and(|rest| {
        rest.starts_with(char::is_alphanumeric) || rest.starts_with(".\\") || rest.starts_with("?\\")
    });
    let is_variable = bytes.first() == Some(&b'%') && word.contains("%\\");
    let is_relative = [".\\", "..\\", "~\\"].iter().any(|start| word.starts_with(start));
    let has_name =
        || word.match_indices('\\').any(|(place, _)| word[place + 1..].starts_with(char::is_alphanumeric));
    is_drive || is_share || is_variable || is_relative || has_name()
}

fn run(text: &str, mark: u8) -> usize {
    text.bytes().take_while(|byte| *byte == mark).count()
}
