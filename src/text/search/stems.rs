//! Stems of words, by the languages that the server searches in.

use std::{borrow::Cow, collections::HashMap, fmt};

use rust_stemmers::{Algorithm, Stemmer};

use super::fold;

/// Languages with a stemmer, by ISO 639-1.
const KNOWN: [(&str, Algorithm); 18] = [
    ("ar", Algorithm::Arabic),
    ("da", Algorithm::Danish),
    ("de", Algorithm::German),
    ("el", Algorithm::Greek),
    ("en", Algorithm::English),
    ("es", Algorithm::Spanish),
    ("fi", Algorithm::Finnish),
    ("fr", Algorithm::French),
    ("hu", Algorithm::Hungarian),
    ("it", Algorithm::Italian),
    ("nl", Algorithm::Dutch),
    ("no", Algorithm::Norwegian),
    ("pt", Algorithm::Portuguese),
    ("ro", Algorithm::Romanian),
    ("ru", Algorithm::Russian),
    ("sv", Algorithm::Swedish),
    ("ta", Algorithm::Tamil),
    ("tr", Algorithm::Turkish),
];

/// Stands for no language.
const NONE: &str = "none";

/// Letters of words that have a stem. Shorter ones have none, and longer ones are no words.
const LETTERS: std::ops::RangeInclusive<usize> = 3..=32;

/// Words whose stems are kept. Words repeat, and eight languages take 9 µs.
const MAX_CACHED: usize = 8_192;

/// The languages whose words are found in their other forms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Languages(Vec<&'static str>);

impl Default for Languages {
    fn default() -> Self {
        Self(vec!["ar", "de", "el", "en", "es", "fr", "it", "nl", "pt", "ru", "sv", "ta"])
    }
}

impl Languages {
    /// Parses codes that are separated by commas or spaces, or `none`. An error names those that may be given.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut codes = Vec::new();
        if text == NONE {
            return Ok(Self(codes));
        }
        for code in text.split([',', ' ']).filter(|code| !code.is_empty()) {
            let Some((known, _)) = KNOWN.iter().find(|(known, _)| code.eq_ignore_ascii_case(known)) else {
                let all: Vec<&str> = KNOWN.iter().map(|(known, _)| *known).collect();
                return Err(format!(
                    "has to be codes of these languages: {}; not \"{code}\"",
                    all.join(", ")
                ));
            };
            codes.push(*known);
        }
        codes.sort_unstable();
        codes.dedup();
        if codes.is_empty() {
            return Err(format!("has to be codes of languages, or {NONE}"));
        }
        Ok(Self(codes))
    }
}

impl fmt::Display for Languages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&if self.0.is_empty() { NONE.to_owned() } else { self.0.join(",") })
    }
}

/// The stemmers of some languages, and the stems of the words that were looked up last.
pub(super) struct Stems {
    latin: Vec<Stemmer>,
    others: Vec<(std::ops::RangeInclusive<char>, Stemmer)>,
    /// Places in `lists`.
    cached: HashMap<Box<str>, usize>,
    lists: Vec<Box<[Box<str>]>>,
}

impl Stems {
    pub(super) fn new(languages: &Languages) -> Self {
        let mut stems =
            Self { latin: Vec::new(), others: Vec::new(), cached: HashMap::new(), lists: Vec::new() };
        for code in &languages.0 {
            let Some((_, algorithm)) = KNOWN.iter().find(|(known, _)| known == code) else { continue };
            let letters = match algorithm {
                Algorithm::Arabic => '\u{600}'..='\u{6FF}',
                Algorithm::Greek => '\u{370}'..='\u{3FF}',
                Algorithm::Russian => '\u{400}'..='\u{52F}',
                Algorithm::Tamil => '\u{B80}'..='\u{BFF}',
                _ => {
                    stems.latin.push(Stemmer::create(*algorithm));
                    continue;
                }
            };
            stems.others.push((letters, Stemmer::create(*algorithm)));
        }
        stems
    }

    /// The stems of a word, folded, without the folded word itself.
    pub(super) fn of(&mut self, source: &str, folded: &str) -> &[Box<str>] {
        let first = folded.chars().next().unwrap_or('0');
        let is_latin = first.is_ascii_alphabetic();
        let has_stemmer = is_latin || self.others.iter().any(|(letters, _)| letters.contains(&first));
        let letters = if folded.is_ascii() { folded.len() } else { folded.chars().count() };
        if !has_stemmer || !LETTERS.contains(&letters) || folded.bytes().any(|byte| byte.is_ascii_digit()) {
            return &[];
        }
        // Stemmers go by accents, which are often left out: both forms have stems.
        let lower = match source.is_ascii() {
            true => Cow::Borrowed(folded),
            false => Cow::Owned(fold::lower(source)),
        };
        let place = match self.cached.get(&*lower) {
            Some(place) => *place,
            None => {
                let stems = self.stem(&lower, folded, first);
                if self.lists.len() >= MAX_CACHED {
                    self.cached.clear();
                    self.lists.clear();
                }
                self.lists.push(stems.into());
                self.cached.insert((&*lower).into(), self.lists.len() - 1);
                self.lists.len() - 1
            }
        };
        &self.lists[place]
    }

    /// Asks the stemmers of the first letter's script.
    fn stem(&self, lower: &str, folded: &str, first: char) -> Vec<Box<str>> {
        let mut stems: Vec<Box<str>> = Vec::new();
        let mut stem = |stemmer: &Stemmer, word: &str| {
            let stem = fold_text(&stemmer.stem(word));
            if stem != folded && stem.chars().nth(1).is_some() && !stems.iter().any(|known| **known == *stem)
            {
                stems.push(stem.into());
            }
        };
        let others = self.others.iter().filter(|(letters, _)| letters.contains(&first));
        let latin = self.latin.iter().filter(|_| first.is_ascii_alphabetic());
        for stemmer in latin.chain(others.map(|(_, stemmer)| stemmer)) {
            stem(stemmer, lower);
            if lower != folded {
                stem(stemmer, folded);
            }
        }
        stems
    }
}

/// The folded form of a text that is one word.
fn fold_text(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for c in text.chars() {
        match fold::class(c) {
            fold::Class::Mark => fold::mark(c, &mut folded),
            fold::Class::Separator | fold::Class::Nothing | fold::Class::Joiner => {}
            _ => fold::fold(c, &mut folded),
        }
    }
    folded
}
