//! From the words that were typed into the search field to an FTS5 expression.

use super::escape;

/// Words beyond this many narrow nothing down.
const MAX_TERMS: usize = 16;

/// What to look for in the column of words. Any input is safe: everything is quoted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    terms: Vec<Term>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Term {
    text: String,
    /// Written with a `*` after it.
    is_prefix: bool,
    is_phrase: bool,
}

impl Query {
    /// None if there is nothing to look for in it.
    pub fn parse(typed: &str) -> Option<Self> {
        let mut terms = Vec::new();
        for (place, part) in typed.split('"').enumerate() {
            let is_phrase = place % 2 == 1;
            if is_phrase {
                terms.extend(Term::new(part, false, true));
            } else {
                let words = part.split_whitespace();
                terms
                    .extend(words.filter_map(|word| {
                        Term::new(word.trim_end_matches('*'), word.ends_with('*'), false)
                    }));
            }
        }
        terms.truncate(MAX_TERMS);
        (!terms.is_empty()).then_some(Self { terms })
    }

    /// Whether the last word may be the beginning of a longer one, for when the words as they stand find nothing.
    pub fn may_go_on(&self) -> bool {
        self.terms
            .last()
            .is_some_and(|last| !last.is_prefix && !last.is_phrase && last.text.chars().count() > 1)
    }

    /// As an FTS5 expression; with `goes_on`, the last word is the beginning of one. `beginning_with` answers the index's
    /// words that begin so, if they are few: following each of them costs far less than having FTS5 merge them all.
    pub fn expression<E>(
        &self,
        goes_on: bool,
        mut beginning_with: impl FnMut(&str) -> Result<Option<Vec<String>>, E>,
    ) -> Result<String, E> {
        let mut parts = Vec::with_capacity(self.terms.len());
        for (place, term) in self.terms.iter().enumerate() {
            let text = &term.text;
            let is_whole = !term.is_prefix && (!goes_on || place + 1 < self.terms.len());
            if is_whole {
                parts.push(format!("\"{text}\""));
                continue;
            }
            // Only what the tokenizer leaves as it is can be compared with what it made.
            let is_plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric());
            let words = if is_plain { beginning_with(&text.to_ascii_lowercase())? } else { None };
            parts.push(match words {
                // The word itself too: the index has its stem, which may be shorter.
                Some(words) => {
                    let longer = words.iter().map(|word| format!(" OR \"{word}\"")).collect::<String>();
                    format!("(\"{text}\"{longer})")
                }
                None => format!("\"{text}\" *"),
            });
        }
        Ok(parts.join(" AND "))
    }
}

impl Term {
    /// None for what the tokenizer sees nothing in: it would be a phrase without words, which matches nothing.
    fn new(text: &str, is_prefix: bool, is_phrase: bool) -> Option<Self> {
        let text: String = text.chars().filter(|c| !escape::is_foreign(*c)).collect();
        text.chars().any(char::is_alphanumeric).then_some(Self { text, is_prefix, is_phrase })
    }
}
