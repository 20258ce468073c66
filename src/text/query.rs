//! The words of a search as an FTS5 expression.

use super::escape;

/// Terms of a query; further ones are ignored.
const MAX_TERMS: usize = 16;

/// The words of a search. Any input is safe: all terms are quoted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    terms: Vec<Term>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Term {
    text: String,
    /// Written with a `*` at its end.
    is_prefix: bool,
    is_phrase: bool,
}

impl Query {
    /// Parses words, prefixes (`wor*`) and phrases (`"two words"`). None if there are none.
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

    /// Whether the last word can be searched for as a prefix, for when the whole words find nothing.
    pub fn may_go_on(&self) -> bool {
        self.terms
            .last()
            .is_some_and(|last| !last.is_prefix && !last.is_phrase && last.text.chars().count() > 1)
    }

    /// As an FTS5 expression. With `goes_on` the last word is a prefix. `beginning_with` returns the index's words with a
    /// prefix, or None if there are many: searching for each of a few words is far faster than FTS5's prefix query.
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
            // The tokenizer leaves ASCII words as they are, so that they can be compared with words of the index.
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
    /// None for text without words: as a phrase it would match nothing.
    fn new(text: &str, is_prefix: bool, is_phrase: bool) -> Option<Self> {
        let text: String = text.chars().filter(|c| !escape::is_foreign(*c)).collect();
        text.chars().any(char::is_alphanumeric).then_some(Self { text, is_prefix, is_phrase })
    }
}
