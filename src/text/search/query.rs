//! The words of a search as FTS5 expressions.

use std::ops::Range;

use super::{
    Analyzer,
    fold::Class,
    forms, quotes, signs,
    stems::Stems,
    words::{self, Chunk},
};

/// Terms of a query; further ones are ignored.
const MAX_TERMS: usize = 16;

/// Particles that Korean writes as one with a noun, the longer ones first.
const PARTICLES: [&str; 24] = [
    "에서는",
    "으로는",
    "에게서",
    "까지",
    "부터",
    "에서",
    "에게",
    "한테",
    "으로",
    "처럼",
    "보다",
    "이나",
    "은",
    "는",
    "이",
    "가",
    "을",
    "를",
    "의",
    "에",
    "와",
    "과",
    "도",
    "로",
];

/// How well a message has to match. Exact hits are found first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rank {
    /// It has the words as they were typed, but for case, accents and the like.
    Exact,
    /// It has them, or other forms of them: inflected, longer, as a part of another word.
    Any,
}

/// The words of a search. Any input is safe: all tokens are quoted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    pub(super) terms: Vec<Term>,
}

/// A word or a phrase. A message has to have one form of each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Term {
    pub(super) exact: Vec<Form>,
    pub(super) similar: Vec<Form>,
}

/// A column of the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    Words,
    More,
    Both,
}

/// One way in which a text may have a term: tokens in a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Form {
    pub(super) column: Column,
    pub(super) tokens: Vec<String>,
    /// The last token may be the beginning of a longer one.
    pub(super) is_prefix: bool,
}

impl Form {
    fn one(column: Column, token: impl Into<String>) -> Self {
        Self { column, tokens: vec![token.into()], is_prefix: false }
    }

    fn row(column: Column, tokens: Vec<String>) -> Self {
        Self { column, tokens, is_prefix: false }
    }

    fn prefix(self) -> Self {
        Self { is_prefix: true, ..self }
    }
}

impl Query {
    /// Parses words, prefixes (`wor*`) and phrases (`"two words"`, in quotes of any kind). None if there are none.
    pub fn parse(typed: &str, analyzer: &Analyzer) -> Option<Self> {
        let stems = &mut *analyzer.stems.borrow_mut();
        let typed = quotes::straight(typed);
        let mut terms = Vec::new();
        let mut parts = typed.split('"').enumerate().peekable();
        while let Some((place, part)) = parts.next() {
            if place % 2 == 1 {
                phrase(part, &mut terms);
                continue;
            }
            let is_end = parts.peek().is_none();
            let mut all = part.split_whitespace().peekable();
            while let Some(word) = all.next() {
                // The last word may be one that is still being typed.
                let is_last = is_end && all.peek().is_none();
                self::word(word, is_last, stems, &mut terms);
            }
        }
        terms.retain(|term| !term.exact.is_empty());
        terms.truncate(MAX_TERMS);
        (!terms.is_empty()).then_some(Self { terms })
    }

    /// Whether messages may match that have not the words as they were typed.
    pub fn has_similar(&self) -> bool {
        self.terms.iter().any(|term| !term.similar.is_empty())
    }

    /// As an FTS5 expression over the columns `words` and `more`. `beginning_with` returns the index's tokens with a prefix,
    /// or None if there are many: searching for each of a few tokens is far faster than FTS5's prefix query.
    pub fn expression<E>(
        &self,
        rank: Rank,
        mut beginning_with: impl FnMut(&str) -> Result<Option<Vec<String>>, E>,
    ) -> Result<String, E> {
        match rank {
            Rank::Exact => self.all(|term| term.exact.iter().collect(), &mut beginning_with),
            Rank::Any => {
                self.all(|term| term.exact.iter().chain(&term.similar).collect(), &mut beginning_with)
            }
        }
    }

    fn all<'a, E>(
        &'a self,
        forms: impl Fn(&'a Term) -> Vec<&'a Form>,
        beginning_with: &mut impl FnMut(&str) -> Result<Option<Vec<String>>, E>,
    ) -> Result<String, E> {
        let mut all = Vec::with_capacity(self.terms.len());
        for term in &self.terms {
            let forms = forms(term);
            let mut any = Vec::new();
            for (column, name) in
                [(Column::Words, "words"), (Column::More, "more"), (Column::Both, "{words more}")]
            {
                let mut phrases = Vec::new();
                // What is looked for in both columns is not looked for in one.
                let is_elsewhere = |form: &Form| {
                    let is_wider =
                        |other: &&Form| other.column == Column::Both && other.tokens == form.tokens;
                    column != Column::Both && form.tokens.len() == 1 && forms.iter().any(is_wider)
                };
                for form in forms.iter().filter(|form| form.column == column && !is_elsewhere(form)) {
                    write(form, beginning_with, &mut phrases)?;
                }
                phrases.sort_unstable();
                phrases.dedup();
                if !phrases.is_empty() {
                    any.push(format!("{name} : ({})", phrases.join(" OR ")));
                }
            }
            all.push(format!("({})", any.join(" OR ")));
        }
        Ok(all.join(" AND "))
    }
}

/// Appends the phrases of a form.
fn write<E>(
    form: &Form,
    beginning_with: &mut impl FnMut(&str) -> Result<Option<Vec<String>>, E>,
    phrases: &mut Vec<String>,
) -> Result<(), E> {
    let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    let phrase = quoted(&form.tokens.join(" "));
    match &form.tokens[..] {
        [beginning] if form.is_prefix => match beginning_with(beginning)? {
            // Without any, itself: an expression has to have a phrase.
            Some(tokens) if !tokens.is_empty() => phrases.extend(tokens.iter().map(|token| quoted(token))),
            Some(_) => phrases.push(phrase),
            None => phrases.push(format!("{phrase} *")),
        },
        _ if form.is_prefix => phrases.push(format!("{phrase} *")),
        _ => phrases.push(phrase),
    }
    Ok(())
}

/// The tokens of a phrase, and those of its strings with signs. Nothing is left out of it and nothing else is found.
fn phrase(text: &str, terms: &mut Vec<Term>) {
    let mut read = Parts::of(text);
    for sign in read.signs.drain(..) {
        terms.push(Term { exact: vec![Form::one(Column::More, sign)], ..Term::default() });
    }
    read.add_exact(terms);
}

/// The terms of a word: mostly one.
fn word(typed: &str, is_last: bool, stems: &mut Stems, terms: &mut Vec<Term>) {
    let text = typed.trim_end_matches('*');
    let is_prefix = typed.ends_with('*') && text != typed;
    let mut read = Parts::of(text);
    let first = terms.len();
    let sign = match (read.chunks, read.signs.len()) {
        (1, 1) => read.signs.pop(),
        _ => None,
    };
    let (classes, joined) = (read.classes.clone(), read.joined.take());
    // Without the punctuation around it.
    let source = &text[read.source.clone()];
    read.add_exact(terms);
    let [term] = &mut terms[first..] else { return };
    let Some(base) = term.exact.first().cloned() else { return };
    let similar = &mut term.similar;
    if let [token] = &base.tokens[..]
        && classes[0] == Class::Word
    {
        similar.push(Form::one(Column::Both, token));
        for stem in stems.of(source, token) {
            similar.push(Form::one(Column::Both, &**stem));
        }
        if !source.is_ascii() {
            forms::each_spelling(source, token, |other| similar.push(Form::one(Column::Both, other)));
        }
    }
    if let Some(joined) = joined {
        similar.push(Form::one(Column::Both, joined));
    }
    if let [token] = &base.tokens[..]
        && classes[0] == Class::Hangul
    {
        hangul(token, similar);
    }
    let goes_on = is_prefix || is_last && text.chars().nth(1).is_some();
    let is_run = classes.iter().any(|class| matches!(class, Class::Letter | Class::Cluster | Class::Symbol));
    // `C++` is not the beginning of everything with a C.
    let is_letter = sign.is_some() && base.tokens.len() == 1 && base.tokens[0].chars().nth(1).is_none();
    if goes_on && !is_run && !is_letter {
        let column = if base.tokens.len() == 1 { Column::Both } else { Column::Words };
        let longer = Form { column, ..base.clone() }.prefix();
        if is_prefix { term.exact.push(longer) } else { term.similar.push(longer) }
    }
    if let Some(sign) = sign {
        term.similar.extend(std::mem::replace(&mut term.exact, vec![Form::one(Column::More, &*sign)]));
        if let Some(number) = signs::number_of(&sign) {
            term.similar.push(Form::one(Column::More, number));
        }
        if goes_on {
            let longer = Form::one(Column::More, sign).prefix();
            if is_prefix { term.exact.push(longer) } else { term.similar.push(longer) }
        }
    }
    term.similar.retain(|form| !term.exact.contains(form));
}

/// Other forms of a word in Hangul: within a longer one, and without its particle.
fn hangul(token: &str, similar: &mut Vec<Form>) {
    let within = |word: &str| {
        let mut chunk = Chunk::default();
        chunk.read(word, 0..word.len());
        Form::row(Column::More, chunk.pairs(0))
    };
    let is_syllable = |word: &str| word.chars().nth(1).is_none();
    match is_syllable(token) {
        true => similar.push(Form::one(Column::Words, token).prefix()),
        false => similar.push(within(token)),
    }
    let noun = PARTICLES.iter().find_map(|particle| token.strip_suffix(particle));
    if let Some(noun) = noun.filter(|noun| !noun.is_empty()) {
        similar.push(Form::one(Column::Words, noun).prefix());
        if !is_syllable(noun) {
            similar.push(within(noun));
        }
    }
}

/// What a part of a query consists of.
#[derive(Default)]
struct Parts {
    /// The tokens of each word, and whether it is a single letter of a script without spaces: within a run it is not among
    /// the words.
    words: Vec<(Vec<String>, bool)>,
    classes: Vec<Class>,
    /// Where the last of them stands.
    source: Range<usize>,
    chunks: usize,
    signs: Vec<String>,
    /// All words as one, if they are joined.
    joined: Option<String>,
}

impl Parts {
    fn of(text: &str) -> Self {
        let mut parts = Self::default();
        let mut chunk = Chunk::default();
        words::each_chunk(text, |range| {
            chunk.read(text, range.clone());
            if chunk.words().is_empty() {
                return true;
            }
            parts.chunks += 1;
            parts.joined = if parts.chunks == 1 { chunk.joined(text) } else { None };
            for place in 0..chunk.words().len() {
                let class = chunk.words()[place].class;
                parts.classes.push(class);
                parts.source = chunk.words()[place].source.clone();
                parts.words.push(match class {
                    Class::Letter | Class::Cluster => {
                        let is_single = chunk.unit_count(place) == 1;
                        (chunk.pairs(place), is_single)
                    }
                    _ => (vec![chunk.folded(&chunk.words()[place]).to_owned()], false),
                });
            }
            if chunk.words().iter().any(|word| word.class == Class::Word) {
                parts.signs.extend(signs::of(&text[range]));
            }
            true
        });
        parts
    }

    /// Appends a term for all words in a row; with single letters one for each word, since a run of two letters or more has
    /// single ones elsewhere.
    fn add_exact(self, terms: &mut Vec<Term>) {
        let form = |tokens: Vec<String>, is_single| {
            let column = if is_single { Column::Both } else { Column::Words };
            Term { exact: vec![Form::row(column, tokens)], ..Term::default() }
        };
        if self.words.iter().any(|(_, is_single)| *is_single) {
            terms.extend(self.words.into_iter().map(|(tokens, is_single)| form(tokens, is_single)));
        } else if !self.words.is_empty() {
            terms.push(form(self.words.into_iter().flat_map(|(tokens, _)| tokens).collect(), false));
        }
    }
}
