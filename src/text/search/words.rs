//! Cuts a text into the tokens that the index has of it.
//!
//! A text has *words*, in their order, for phrases; and *more*: other forms of them that are searched for as well.

use std::ops::Range;

use super::{
    fold::{self, Class},
    forms::{each_part, each_spelling},
    signs,
    stems::Stems,
};

/// Bytes of a token at most. Longer words are cut: nobody searches for more of them.
pub(super) const MAX_TOKEN: usize = 96;

/// Bytes of a text whose words have stems: they take time, and logs of a thousand lines need none.
const STEMMED: usize = 4 << 10;

/// Words that are also found when they are written as one: `e-mail` and `get_user_name`.
pub(super) const MAX_JOINED: usize = 6;

/// Receives the tokens of a text with their places in it.
pub(super) trait Sink {
    fn word(&mut self, token: &str, source: Range<usize>);
    fn more(&mut self, token: &str, source: Range<usize>);
    /// Whether a word of ASCII that begins with this small letter may be passed over, with its stems.
    fn passes_over(&self, _first: u8) -> bool {
        false
    }
    /// Whether stems of a word are wanted.
    fn wants_stems(&self, _token: &str) -> bool {
        true
    }
    /// Whether nothing more is wanted.
    fn is_full(&self) -> bool {
        false
    }
}

/// A word, a run of letters without spaces, or a symbol.
#[derive(Clone, Debug)]
pub(super) struct Word {
    pub(super) source: Range<usize>,
    /// In the folded text.
    pub(super) folded: Range<usize>,
    pub(super) class: Class,
    /// Of runs: where in the list of units its own begin.
    units: usize,
}

/// A letter with its marks, within a run: where it ends in the folded text and in the source.
#[derive(Clone, Copy, Debug)]
struct Unit {
    folded: usize,
    source: usize,
}

/// The words between two spaces.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    folded: String,
    words: Vec<Word>,
    units: Vec<Unit>,
    /// A symbol is joined with the next one.
    is_joining: bool,
    token: String,
}

/// Whether a character ends a chunk: spaces, brackets, quotes, commas, and punctuation of scripts without spaces.
fn is_boundary(c: char) -> bool {
    match c {
        '(' | ')' | '[' | ']' | '{' | '}' | '<' | '>' | '"' | '`' | ',' | ';' | '|' => true,
        '’' | 'ʼ' | 'ʻ' | 'ʹ' | '‐' | '‑' | '·' | '״' | '׳' => false,
        _ if c.is_ascii() => c.is_ascii_whitespace() || c.is_ascii_control(),
        _ => fold::class(c) == Class::Separator,
    }
}

fn is_hebrew(c: Option<char>) -> bool {
    matches!(c, Some('\u{5D0}'..='\u{5EA}'))
}

/// Whether a quote is a part of a Hebrew abbreviation, as in צה״ל.
pub(super) fn is_within_hebrew(text: &str, place: usize, quote: char) -> bool {
    matches!(quote, '"' | '\'' | '״' | '׳')
        && is_hebrew(text[..place].chars().next_back())
        && is_hebrew(text[place + quote.len_utf8()..].chars().next())
}

/// Cuts a text into tokens.
pub(super) fn analyse(text: &str, stems: &mut Stems, sink: &mut impl Sink) {
    let mut chunk = Chunk::default();
    each_chunk(text, |range| {
        // Most chunks are a word of ASCII, perhaps at the end of a sentence.
        let word = text[range.clone()].trim_end_matches(['.', '?', '!', ':']);
        if word.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            if !word.is_empty() {
                chunk.emit_plain(word, range.start, stems, sink);
            }
        } else {
            chunk.read(text, range.clone());
            chunk.emit(text, range, stems, sink);
        }
        !sink.is_full()
    });
}

/// Calls back with the chunks of a text, until it returns false.
pub(super) fn each_chunk(text: &str, mut each: impl FnMut(Range<usize>) -> bool) {
    let mut start = None;
    for (place, c) in text.char_indices() {
        // The first is what most are, and quick.
        if !c.is_ascii_alphanumeric() && is_boundary(c) && !is_within_hebrew(text, place, c) {
            if let Some(start) = start.take()
                && !each(start..place)
            {
                return;
            }
        } else if start.is_none() {
            start = Some(place);
        }
    }
    if let Some(start) = start {
        each(start..text.len());
    }
}

impl Chunk {
    pub(super) fn words(&self) -> &[Word] {
        &self.words
    }

    pub(super) fn folded(&self, word: &Word) -> &str {
        cut(&self.folded[word.folded.clone()])
    }

    /// Finds the words of a chunk.
    pub(super) fn read(&mut self, text: &str, range: Range<usize>) {
        self.folded.clear();
        self.words.clear();
        self.units.clear();
        self.is_joining = false;
        let chunk = &text[range.clone()];
        let mut is_open = false;
        for (place, c) in chunk.char_indices() {
            let source = range.start + place..range.start + place + c.len_utf8();
            let class = match c {
                // Half-width marks of kana, which Unicode has among the letters.
                'ﾞ' | 'ﾟ' => Class::Mark,
                // Between Persian word parts it is a hyphen that is not seen.
                '\u{200C}' => Class::Separator,
                _ => fold::class(c),
            };
            match class {
                Class::Separator if is_within_hebrew(text, source.start, c) => {}
                Class::Separator => is_open = false,
                Class::Nothing => {}
                Class::Joiner => {
                    if is_open && self.words.last().is_some_and(|word| word.class == Class::Symbol) {
                        self.is_joining = c == '\u{200D}';
                        self.extend(source.end);
                    }
                }
                Class::Mark => self.mark(c, source, &mut is_open),
                _ => {
                    let goes_on = is_open && self.goes_on(class, c);
                    if !goes_on {
                        self.begin(class, source.clone());
                    }
                    is_open = true;
                    self.push(class, c, source);
                }
            }
        }
        self.words.retain(|word| !word.folded.is_empty());
    }

    /// Whether a character goes on with the last word.
    fn goes_on(&mut self, class: Class, c: char) -> bool {
        let Some(last) = self.words.last() else { return false };
        if class != Class::Symbol || last.class != Class::Symbol {
            return class == last.class;
        }
        // A flag is two letters.
        let is_flag = |c: char| ('\u{1F1E6}'..='\u{1F1FF}').contains(&c);
        let letters = self.folded[last.folded.clone()].chars().filter(|c| is_flag(*c)).count();
        std::mem::take(&mut self.is_joining) || is_flag(c) && letters == 1
    }

    fn begin(&mut self, class: Class, source: Range<usize>) {
        let folded = self.folded.len()..self.folded.len();
        self.words.push(Word { source, folded, class, units: self.units.len() });
    }

    /// Ends the last word behind what was read.
    fn extend(&mut self, source: usize) {
        if let Some(word) = self.words.last_mut() {
            word.source.end = source;
            word.folded.end = self.folded.len();
        }
    }

    fn push(&mut self, class: Class, c: char, source: Range<usize>) {
        match (class, c) {
            (Class::Symbol, _) => self.folded.push(c),
            // Sara am: the ring belongs to the letter before, whatever tone stands between.
            (Class::Cluster, 'ำ' | 'ຳ') => {
                self.folded.push(if c == 'ำ' { '\u{E4D}' } else { '\u{ECD}' });
                if self.has_unit() {
                    self.end_unit(source.start);
                }
                self.folded.push(if c == 'ำ' { 'า' } else { 'າ' });
            }
            _ => fold::fold(c, &mut self.folded),
        }
        match class {
            Class::Letter | Class::Hangul => self.add_unit(source.end),
            // A consonant below another belongs to it.
            Class::Cluster if self.is_stacked() => self.end_unit(source.end),
            Class::Cluster => self.add_unit(source.end),
            _ => {}
        }
        self.extend(source.end);
    }

    /// Whether the last character is written below the one before it.
    fn is_stacked(&self) -> bool {
        let mut last = self.folded.chars().rev();
        last.next();
        matches!(last.next(), Some('\u{17D2}' | '\u{1039}' | '\u{1A60}' | '\u{A9C0}' | '\u{1B44}'))
            && self.has_unit()
    }

    /// Whether the last word has a unit yet.
    fn has_unit(&self) -> bool {
        self.words.last().is_some_and(|word| self.units.len() > word.units)
    }

    fn add_unit(&mut self, source: usize) {
        let start = self.units.last().map_or(0, |unit| unit.folded);
        // A jamo that was composed with the unit before it.
        if self.folded.len() > start {
            self.units.push(Unit { folded: self.folded.len(), source });
        } else {
            self.end_unit(source);
        }
    }

    /// Moves the end of the last unit behind what was read.
    fn end_unit(&mut self, source: usize) {
        if let Some(unit) = self.units.last_mut() {
            *unit = Unit { folded: self.folded.len(), source };
        }
    }

    fn mark(&mut self, c: char, source: Range<usize>, is_open: &mut bool) {
        if !*is_open {
            // A mark without a letter: nothing is lost if it is a letter itself.
            self.begin(Class::Word, source.clone());
            *is_open = true;
        }
        match c {
            'ﾞ' => fold::mark('\u{3099}', &mut self.folded),
            'ﾟ' => fold::mark('\u{309A}', &mut self.folded),
            _ => fold::mark(c, &mut self.folded),
        }
        let class = self.words.last().map(|word| word.class);
        if matches!(class, Some(Class::Letter | Class::Cluster | Class::Hangul)) {
            self.end_unit(source.end);
        }
        self.extend(source.end);
    }

    /// The ends of the units of a word.
    fn units(&self, place: usize) -> &[Unit] {
        let end = self.words.get(place + 1).map_or(self.units.len(), |word| word.units);
        &self.units[self.words[place].units..end]
    }

    /// Sorts the marks of each unit: the same letter is typed in several orders in scripts with many.
    fn sort_marks(&mut self, place: usize) {
        if self.words[place].class != Class::Cluster {
            return;
        }
        let mut start = self.words[place].folded.start;
        let ends: Vec<usize> = self.units(place).iter().map(|unit| unit.folded).collect();
        for end in ends {
            let unit = &self.folded[start..end];
            if unit.chars().count() > 2 {
                let mut chars: Vec<char> = unit.chars().collect();
                chars[1..].sort_unstable();
                let sorted: String = chars.into_iter().collect();
                self.folded.replace_range(start..end, &sorted);
            }
            start = end;
        }
    }

    /// Passes on all tokens of the chunk that was read.
    fn emit(&mut self, text: &str, range: Range<usize>, stems: &mut Stems, sink: &mut impl Sink) {
        for place in 0..self.words.len() {
            self.sort_marks(place);
            let word = self.words[place].clone();
            match word.class {
                Class::Letter | Class::Cluster => self.emit_run(place, sink),
                Class::Hangul => {
                    sink.word(self.folded(&word), word.source.clone());
                    if self.units(place).len() > 2 {
                        self.each_unit(place, 2, |token, source| sink.more(token, source));
                    }
                }
                Class::Symbol => sink.word(self.folded(&word), word.source.clone()),
                _ => self.emit_word(text, &word, stems, sink),
            }
            if sink.is_full() {
                return;
            }
        }
        self.emit_joined(text, sink);
        // In a text of nothing but letters and digits there are no signs.
        if self.words.iter().any(|word| word.class == Class::Word) {
            signs::each(text, range, &mut self.token, |token, source| sink.more(token, source));
        }
    }

    /// Calls back with so many units at a time, overlapping.
    fn each_unit(&self, place: usize, count: usize, mut each: impl FnMut(&str, Range<usize>)) {
        let word = &self.words[place];
        let units = self.units(place);
        for (at, last) in units.iter().enumerate().skip(count - 1) {
            let first = match at.checked_sub(count) {
                Some(before) => units[before],
                None => Unit { folded: word.folded.start, source: word.source.start },
            };
            each(cut(&self.folded[first.folded..last.folded]), first.source..last.source);
        }
    }

    fn emit_run(&self, place: usize, sink: &mut impl Sink) {
        if self.units(place).len() < 2 {
            return self.each_unit(place, 1, |token, source| sink.word(token, source));
        }
        self.each_unit(place, 2, |token, source| sink.word(token, source));
        self.each_unit(place, 1, |token, source| sink.more(token, source));
    }

    /// Passes on the tokens of a word of ASCII letters and digits.
    fn emit_plain(&mut self, word: &str, start: usize, stems: &mut Stems, sink: &mut impl Sink) {
        let first = word.as_bytes()[0];
        if !sink.passes_over(first.to_ascii_lowercase()) {
            let source = start..start + word.len();
            self.token.clear();
            self.token.push_str(word);
            self.token.make_ascii_lowercase();
            let token = cut(&self.token);
            sink.word(token, source.clone());
            if start < STEMMED && sink.wants_stems(token) {
                for stem in stems.of(word, token) {
                    sink.more(stem, source.clone());
                }
            }
        }
        each_part(word, &mut self.token, |token, part| {
            sink.more(token, start + part.start..start + part.end);
        });
    }

    fn emit_word(&mut self, text: &str, word: &Word, stems: &mut Stems, sink: &mut impl Sink) {
        let folded = cut(&self.folded[word.folded.clone()]);
        let source = &text[word.source.clone()];
        sink.word(folded, word.source.clone());
        if word.source.start < STEMMED && sink.wants_stems(folded) {
            for stem in stems.of(source, folded) {
                sink.more(stem, word.source.clone());
            }
        }
        if !source.is_ascii() {
            each_spelling(source, folded, |token| sink.more(token, word.source.clone()));
        }
        each_part(source, &mut self.token, |token, part| {
            sink.more(token, word.source.start + part.start..word.source.start + part.end);
        });
    }

    /// Words with a hyphen, an apostrophe or the like between them, as one; and what of them is at the end.
    fn emit_joined(&mut self, text: &str, sink: &mut impl Sink) {
        let mut first = 0;
        for place in 1..=self.words.len() {
            let goes_on = place < self.words.len()
                && self.words[place].class == Class::Word
                && self.words[place - 1].class == Class::Word
                && is_joint(&text[self.words[place - 1].source.end..self.words[place].source.start]);
            if goes_on {
                continue;
            }
            if (2..=MAX_JOINED).contains(&(place - first)) {
                for from in first..place - 1 {
                    self.token.clear();
                    for word in &self.words[from..place] {
                        self.token.push_str(&self.folded[word.folded.clone()]);
                    }
                    sink.more(
                        cut(&self.token),
                        self.words[from].source.start..self.words[place - 1].source.end,
                    );
                }
            }
            first = place;
        }
    }

    /// The words of the chunk as one, if they are joined. For queries.
    pub(super) fn joined(&self, text: &str) -> Option<String> {
        let (words, rest) = (&self.words, self.words.get(1..)?);
        let is_joined = (2..=MAX_JOINED).contains(&words.len())
            && words.iter().all(|word| word.class == Class::Word)
            && words.iter().zip(rest).all(|(word, next)| is_joint(&text[word.source.end..next.source.start]));
        is_joined.then(|| words.iter().map(|word| &self.folded[word.folded.clone()]).collect())
    }

    pub(super) fn unit_count(&self, place: usize) -> usize {
        self.units(place).len()
    }

    /// The overlapping pairs of a run, or its only unit. For queries.
    pub(super) fn pairs(&mut self, place: usize) -> Vec<String> {
        self.sort_marks(place);
        let mut pairs = Vec::new();
        let count = self.units(place).len().min(2);
        if count > 0 {
            self.each_unit(place, count, |token, _| pairs.push(token.to_owned()));
        }
        pairs
    }
}

/// Whether words with this between them may also be written as one.
fn is_joint(between: &str) -> bool {
    let mut chars = between.chars();
    let joint = chars.next();
    chars.next().is_none()
        && matches!(joint, Some('-' | '_' | '\'' | '’' | 'ʼ' | 'ʻ' | '‐' | '‑' | '·' | '\u{200C}'))
}

/// A token of at most [`MAX_TOKEN`] bytes.
pub(super) fn cut(token: &str) -> &str {
    &token[..token.floor_char_boundary(MAX_TOKEN)]
}
