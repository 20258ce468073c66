//! From what was typed into the search field to an FTS5 expression, and from a snippet to HTML.

use super::escape;

/// Stand around the hits in a snippet: private-use characters, which no message keeps.
pub const HIT_START: &str = "\u{E000}";
pub const HIT_END: &str = "\u{E001}";

/// Words beyond this many narrow nothing down.
const MAX_TERMS: usize = 16;

/// What to look for in the column of words. Any input is safe: everything is quoted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// The words as they stand, and those with a `*` as prefixes.
    pub exact: String,
    /// The same with the last word as a prefix, for when that finds nothing: merging all the words that begin alike
    /// costs far more than following one.
    pub prefix: Option<String>,
}

impl Query {
    /// None if there is nothing to look for in it.
    pub fn parse(typed: &str) -> Option<Self> {
        let mut terms: Vec<(String, bool, bool)> = Vec::new();
        for (place, part) in typed.split('"').enumerate() {
            let is_phrase = place % 2 == 1;
            if is_phrase {
                push(&mut terms, part, false, true);
            } else {
                for word in part.split_whitespace() {
                    push(&mut terms, word.trim_end_matches('*'), word.ends_with('*'), false);
                }
            }
        }
        terms.truncate(MAX_TERMS);
        let expression = |last_is_prefix: bool| {
            let last = terms.len() - 1;
            let quoted = terms.iter().enumerate().map(|(place, (term, is_prefix, _))| {
                let star = if *is_prefix || last_is_prefix && place == last { " *" } else { "" };
                format!("\"{term}\"{star}")
            });
            quoted.collect::<Vec<_>>().join(" AND ")
        };
        let (last, is_prefix, is_phrase) = terms.last()?;
        let worth_a_prefix = !is_prefix && !is_phrase && last.chars().count() > 1;
        Some(Self { exact: expression(false), prefix: worth_a_prefix.then(|| expression(true)) })
    }
}

fn push(terms: &mut Vec<(String, bool, bool)>, text: &str, is_prefix: bool, is_phrase: bool) {
    // What the tokenizer sees nothing in would be a phrase without words, which matches nothing.
    if text.chars().any(char::is_alphanumeric) {
        let text = text.chars().filter(|c| !escape::is_foreign(*c)).collect();
        terms.push((text, is_prefix, is_phrase));
    }
}

/// A snippet as HTML: text, with the hits in `<mark>`.
pub fn snippet_html(snippet: &str) -> String {
    let mut html = String::with_capacity(snippet.len() + 32);
    let mut open = false;
    for part in snippet
        .split_inclusive([HIT_START.chars().next().unwrap_or('\0'), HIT_END.chars().next().unwrap_or('\0')])
    {
        let (text, mark) = match (part.strip_suffix(HIT_START), part.strip_suffix(HIT_END)) {
            (Some(text), _) => (text, Some(true)),
            (None, Some(text)) => (text, Some(false)),
            (None, None) => (part, None),
        };
        escape::text(&mut html, text);
        match mark {
            Some(true) if !open => html.push_str("<mark>"),
            Some(false) if open => html.push_str("</mark>"),
            _ => continue,
        }
        open = !open;
    }
    if open {
        html.push_str("</mark>");
    }
    html
}
