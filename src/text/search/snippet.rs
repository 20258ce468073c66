//! Snippets of what was found, as HTML.

use std::{
    collections::{HashMap, VecDeque},
    ops::Range,
};

use unicode_segmentation::GraphemeCursor;

use super::{
    Analyzer,
    query::{Column, Form, Query, Rank},
    words::{self, Sink},
};
use crate::text::escape;

/// Words in a snippet.
const WORDS: usize = 24;

/// Bytes of a snippet, at most, and bytes of it before the first hit.
const MAX_BYTES: usize = 1_000;
const MAX_BYTES_BEFORE: usize = MAX_BYTES / 3;

impl Query {
    /// Makes snippets of the texts that are found.
    pub fn snippets<'a>(&'a self, analyzer: &'a Analyzer) -> Snippets<'a> {
        Snippets { finder: Finder::new(self), analyzer }
    }
}

/// Makes snippets of texts that a query has found.
pub struct Snippets<'a> {
    finder: Finder<'a>,
    analyzer: &'a Analyzer,
}

impl Snippets<'_> {
    /// The surroundings of the first hit in a message, as HTML with all hits in `<mark>`; of its addresses if its text has
    /// none, and its beginning if they have none. It takes time in proportion to the length of the text before.
    pub fn of(&mut self, plain: &str, addresses: &str) -> String {
        self.finder.begin();
        self.read(plain).or_else(|| self.read(addresses)).unwrap_or_else(|| beginning(plain))
    }

    /// The same of a message that the index was not asked about, and how well it matches; None if it does not. It takes time
    /// in proportion to all of its text.
    pub fn ranked(&mut self, plain: &str, addresses: &str) -> Option<(String, Rank)> {
        self.finder.begin();
        (self.finder.exact, self.finder.any) = (self.finder.terms, self.finder.terms);
        let of_plain = self.read(plain);
        let of_addresses = if self.finder.exact == 0 { None } else { self.read(addresses) };
        let rank = if self.finder.exact == 0 { Rank::Exact } else { Rank::Any };
        let is_hit = self.finder.any == 0;
        is_hit.then(|| (of_plain.or(of_addresses).unwrap_or_else(|| beginning(plain)), rank))
    }

    /// Goes on with a text: a row of words may have begun in the one before, as in the index.
    fn read(&mut self, text: &str) -> Option<String> {
        self.finder.go_on();
        words::analyse(text, &mut self.analyzer.stems.borrow_mut(), &mut self.finder);
        let hits = self.finder.hits();
        (!hits.is_empty()).then(|| html(text, &hits))
    }
}

/// The beginning of a text without a hit, as HTML.
pub fn beginning(text: &str) -> String {
    html(text, &[])
}

/// One bit for each term of a query.
type Bits = u32;

/// A form, the bit of its term if it is as it was typed, and the bit of its term in any case.
type Known<'a> = (&'a Form, Bits, Bits);

/// Finds the forms of a query's terms among the tokens of a text.
struct Finder<'a> {
    /// By their last token.
    forms: HashMap<&'a str, Vec<Known<'a>>>,
    prefixes: Vec<Known<'a>>,
    /// The bits of all terms; of those that were not found yet as they were typed; of those not found in any form.
    terms: Bits,
    exact: Bits,
    any: Bits,
    /// First bytes of last tokens: most words of a text begin with none of them.
    first_bytes: [bool; 256],
    /// The first two bytes of tokens that may be stems.
    beginnings: Vec<&'a [u8]>,
    /// The last tokens of each column, for rows of tokens; as many as the longest row has.
    recent: [VecDeque<(String, usize)>; 2],
    longest: usize,
    found: Vec<Range<usize>>,
    /// Where the text that a snippet may have ends.
    until: usize,
    place: usize,
}

impl<'a> Finder<'a> {
    fn new(query: &'a Query) -> Self {
        let mut finder = Self {
            forms: HashMap::new(),
            prefixes: Vec::new(),
            terms: (1 << query.terms.len()) - 1,
            exact: 0,
            any: 0,
            first_bytes: [false; 256],
            beginnings: Vec::new(),
            recent: Default::default(),
            longest: 0,
            found: Vec::new(),
            until: usize::MAX,
            place: 0,
        };
        let forms = query.terms.iter().enumerate().flat_map(|(place, term)| {
            let exact = term.exact.iter().map(move |form| (form, 1 << place, 1 << place));
            exact.chain(term.similar.iter().map(move |form| (form, 0, 1 << place)))
        });
        for (form, exact, any) in forms {
            let Some(last) = form.tokens.last() else { continue };
            finder.first_bytes[usize::from(last.bytes().next().unwrap_or_default())] = true;
            finder.longest = finder.longest.max(form.tokens.len());
            if let ([token], Column::Both) = (&form.tokens[..], form.column) {
                finder.beginnings.push(&token.as_bytes()[..token.len().min(2)]);
            }
            match form.is_prefix {
                true => finder.prefixes.push((form, exact, any)),
                false => finder.forms.entry(last).or_default().push((form, exact, any)),
            }
        }
        finder
    }

    /// Forgets the message before.
    fn begin(&mut self) {
        self.recent.iter_mut().for_each(VecDeque::clear);
        (self.exact, self.any) = (0, 0);
    }

    /// Forgets what was found. Rows that began in the text before are found from the beginning of this one.
    fn go_on(&mut self) {
        self.recent.iter_mut().flatten().for_each(|(_, start)| *start = 0);
        self.found.clear();
        self.until = usize::MAX;
        self.place = 0;
    }

    fn token(&mut self, column: Column, token: &str, source: Range<usize>) {
        self.place = source.start;
        let is_in = |form: &Form| form.column == Column::Both || form.column == column;
        let recent = &self.recent[usize::from(column == Column::More)];
        // Where a row of tokens begins that ends with this one.
        let begin = |form: &Form| {
            let before = form.tokens.len() - 1;
            let start = recent.len().checked_sub(before)?;
            let rows = recent.range(start..).zip(&form.tokens);
            rows.clone()
                .all(|((token, _), wanted)| token == wanted)
                .then(|| rows.clone().next().map_or(source.start, |((_, start), _)| *start))
        };
        if self.first_bytes[usize::from(token.bytes().next().unwrap_or_default())] {
            let whole = self.forms.get(token).into_iter().flatten();
            let longer = self.prefixes.iter().filter(|(form, ..)| {
                form.tokens.last().is_some_and(|beginning| token.starts_with(beginning.as_str()))
            });
            let mut start = None;
            for (form, exact, any) in whole.chain(longer).filter(|(form, ..)| is_in(form)) {
                if let Some(from) = begin(form) {
                    start = Some(start.map_or(from, |start: usize| start.min(from)));
                    self.exact &= !exact;
                    self.any &= !any;
                }
            }
            if let Some(start) = start {
                if self.found.is_empty() {
                    self.until = start + MAX_BYTES;
                }
                self.found.push(start..source.end);
            }
        }
        if self.longest > 1 {
            let recent = &mut self.recent[usize::from(column == Column::More)];
            let mut kept = match recent.len() + 1 < self.longest {
                true => String::new(),
                false => recent.pop_front().map(|(token, _)| token).unwrap_or_default(),
            };
            kept.clear();
            kept.push_str(token);
            recent.push_back((kept, source.start));
        }
    }

    /// The places of the hits in order, none within another.
    fn hits(&mut self) -> Vec<Range<usize>> {
        self.found.sort_unstable_by_key(|hit| (hit.start, hit.end));
        let mut hits: Vec<Range<usize>> = Vec::with_capacity(self.found.len());
        for hit in self.found.drain(..) {
            match hits.last_mut() {
                Some(last) if hit.start <= last.end => last.end = last.end.max(hit.end),
                _ => hits.push(hit),
            }
        }
        hits
    }
}

impl Sink for Finder<'_> {
    fn word(&mut self, token: &str, source: Range<usize>) {
        self.token(Column::Words, token, source);
    }

    fn more(&mut self, token: &str, source: Range<usize>) {
        self.token(Column::More, token, source);
    }

    fn passes_over(&self, first: u8) -> bool {
        // A row of tokens is not interrupted unseen.
        self.longest == 1 && !self.first_bytes[usize::from(first)]
    }

    fn wants_stems(&self, token: &str) -> bool {
        // Stems begin as their words do, but for some of scripts that prefix articles.
        let first = token.as_bytes();
        if first[0].is_ascii() && !self.first_bytes[usize::from(first[0])] {
            return false;
        }
        self.beginnings.iter().any(|beginning| match first[0].is_ascii() {
            true => first.starts_with(beginning),
            false => !beginning[0].is_ascii(),
        })
    }

    fn is_full(&self) -> bool {
        self.place > self.until && self.exact == 0
    }
}

/// Some words before the first hit, and [`WORDS`] in all, with an ellipsis where something is left out.
fn html(text: &str, hits: &[Range<usize>]) -> String {
    let window = window(text, hits);
    let mut html = String::with_capacity(window.len() + 64);
    if window.start > 0 {
        html.push('…');
    }
    let mut written = window.start;
    for hit in hits.iter().filter(|hit| hit.start >= window.start && hit.start < window.end) {
        let end = hit.end.min(window.end);
        escape::text(&mut html, &text[written..hit.start]);
        html.push_str("<mark>");
        escape::text(&mut html, &text[hit.start..end]);
        html.push_str("</mark>");
        written = end;
    }
    escape::text(&mut html, &text[written..window.end]);
    if window.end < text.len() {
        html.push('…');
    }
    html
}

fn window(text: &str, hits: &[Range<usize>]) -> Range<usize> {
    let first = hits.first().map_or(0, |hit| hit.start);
    let mut start = first;
    for _ in 0..WORDS / 3 {
        let before = text[..start].trim_end();
        let space = before.char_indices().rev().find(|(_, c)| c.is_whitespace());
        start = space.map_or(0, |(at, c)| at + c.len_utf8());
        if first - start > MAX_BYTES_BEFORE {
            break;
        }
    }
    // Words may be long, and some scripts have no spaces.
    start = start.max(border(text, first.saturating_sub(MAX_BYTES_BEFORE)));
    let mut end = start;
    for _ in 0..WORDS {
        let word = text.len() - text[end..].trim_start().len();
        end = text[word..].find(char::is_whitespace).map_or(text.len(), |space| word + space);
        if end - start > MAX_BYTES {
            break;
        }
    }
    // A hit of several words is not torn apart.
    end = hits.iter().find(|hit| hit.start < end && hit.end > end).map_or(end, |hit| hit.end);
    start..border(text, end.min(start + MAX_BYTES)).max(start)
}

/// The last border of a character as people see it, at or before a place.
fn border(text: &str, place: usize) -> usize {
    let place = text.floor_char_boundary(place);
    let mut cursor = GraphemeCursor::new(place, text.len(), true);
    match cursor.is_boundary(text, 0) {
        Ok(false) => cursor.prev_boundary(text, 0).ok().flatten().unwrap_or(0),
        _ => place,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The snippet of a text in which `[` and `]` stand around hits.
    fn cut(marked: &str) -> String {
        let (mut text, mut hits) = (String::new(), Vec::new());
        for c in marked.chars() {
            match c {
                '[' => hits.push(text.len()..text.len()),
                ']' => hits.last_mut().unwrap().end = text.len(),
                _ => text.push(c),
            }
        }
        html(&text, &hits).replace("<mark>", "[").replace("</mark>", "]")
    }

    #[test]
    fn snippet_has_some_words_around_the_first_hit() {
        let row = |from: u32, to: u32| (from..=to).map(|n| n.to_string()).collect::<Vec<_>>().join(" ");
        assert_eq!(
            cut(&format!("{} [f] {} [f] end", row(1, 20), row(21, 60))),
            format!("…{} [f] {}…", row(13, 20), row(21, 35))
        );
        assert_eq!(cut(&format!("[f] {}", row(1, 60))), format!("[f] {}…", row(1, 23)));
        assert_eq!(cut("a [f] b"), "a [f] b");
        assert_eq!(cut(&format!("a [{}] k", row(1, 40))), format!("a [{}]…", row(1, 40)));
        assert_eq!(cut(&row(1, 30)), format!("{}…", row(1, 24)));
        assert_eq!(cut(&format!("{} [f]", "x".repeat(100))), format!("{} [f]", "x".repeat(100)));
        assert_eq!(cut("ü  ü\n\tü [ü] <ü>"), "ü  ü\n\tü [ü] &lt;ü&gt;");
        assert_eq!(cut(""), "");
        let long = cut(&format!("{}[木]{}", "字".repeat(5_000), "字".repeat(5_000)));
        assert!(long.contains("字[木]字") && long.len() < MAX_BYTES + 10, "{} bytes", long.len());
    }

    #[test]
    fn snippet_is_cut_between_characters_as_people_see_them() {
        let family = "👨\u{200D}👩\u{200D}👧";
        for (many, hit) in [(family, family), ("हिं", "हिं"), ("e\u{301}\u{302}", "e\u{301}")] {
            let snippet = cut(&format!("{}[{hit}]{}", many.repeat(500), many.repeat(500)));
            let inner = snippet.trim_matches('…').replace(['[', ']'], "");
            assert!(inner.len() < MAX_BYTES + 10 && inner.starts_with(many), "{snippet}");
            assert!(
                inner.replace(hit, "").is_empty() || inner.replace(many, "").len() < many.len(),
                "{snippet}"
            );
        }
    }
}
