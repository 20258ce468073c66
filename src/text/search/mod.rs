//! Search: the tokens that the index has of a text, queries for them, and snippets of what is found.
//!
//! SQLite's own tokenizers know neither words in scripts without spaces, nor code, nor most languages. So the index gets
//! tokens that are made here, and queries are made of the same.

mod addresses;
mod asked;
mod fold;
mod forms;
mod query;
mod quotes;
mod signs;
mod snippet;
mod stems;
#[cfg(test)]
mod tests;
mod words;

use std::{cell::RefCell, collections::HashSet, ops::Range};

pub use addresses::addresses;
pub use asked::Asked;
pub use query::{Query, Rank};
pub use snippet::{Snippets, beginning};
pub use stems::Languages;

use stems::Stems;

/// Changes whenever the same text gets other tokens: the index is then built anew.
pub const INDEX_VERSION: u32 = 2;

/// Makes tokens of texts and queries, for some languages.
pub struct Analyzer {
    stems: RefCell<Stems>,
}

/// What the index has of a text, each separated by spaces.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Tokens {
    /// The words in their order.
    pub words: String,
    /// Other forms of them: stems, parts, compounds, strings with signs.
    pub more: String,
}

impl Analyzer {
    pub fn new(languages: &Languages) -> Self {
        Self { stems: RefCell::new(Stems::new(languages)) }
    }

    /// The tokens of a text: always the same of the same text.
    pub fn tokens(&self, text: &str) -> Tokens {
        let mut collected = Collected::default();
        collected.tokens.words.reserve(text.len() + 8);
        collected.tokens.more.reserve(text.len() / 2);
        words::analyse(text, &mut self.stems.borrow_mut(), &mut collected);
        collected.tokens
    }
}

#[derive(Default)]
struct Collected {
    tokens: Tokens,
    known: Known,
}

/// Hashes of tokens: each is of use once, but for pairs of letters, which have an order.
#[derive(Default)]
struct Known {
    /// Of a short text, where looking at all is quicker than a set.
    first: Vec<u64>,
    more: HashSet<u64>,
}

impl Known {
    /// False if it is known already.
    fn insert(&mut self, token: &str) -> bool {
        // FNV-1a. Who makes two tokens collide only loses one of them.
        let hash = token.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        if self.first.contains(&hash) {
            return false;
        }
        if self.first.len() < 64 {
            self.first.push(hash);
            return true;
        }
        self.more.insert(hash)
    }
}

impl words::Sink for Collected {
    fn word(&mut self, token: &str, _: Range<usize>) {
        push(&mut self.tokens.words, token);
    }

    fn more(&mut self, token: &str, _: Range<usize>) {
        let is_pair = token.starts_with(|c: char| ('\u{AC00}'..='\u{D7A3}').contains(&c));
        if is_pair || self.known.insert(token) {
            push(&mut self.tokens.more, token);
        }
    }
}

fn push(tokens: &mut String, token: &str) {
    if !tokens.is_empty() {
        tokens.push(' ');
    }
    tokens.push_str(token);
}
