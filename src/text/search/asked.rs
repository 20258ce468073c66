//! Parses what was typed into the search field: words and filters.

use super::{Analyzer, query::Query, quotes};

/// Values of the filter `has:`.
const KINDS: [&str; 6] = ["file", "image", "video", "audio", "link", "sound"];

/// A parsed search: words, and filters like `in:kitchen` or `before:2026-11-24`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    pub words: Option<Query>,
    /// Names of rooms: messages in any of them.
    pub rooms: Vec<String>,
    /// Names of people: messages by any of them.
    pub people: Vec<String>,
    /// What a message has to contain, all of it.
    pub has: Vec<&'static str>,
    /// Only messages from before this time, in milliseconds since the Unix epoch.
    pub before: Option<i64>,
    /// Only messages from this time on, in milliseconds since the Unix epoch.
    pub from: Option<i64>,
}

impl Asked {
    /// Whether there is nothing to search for.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Parses a search. An unknown filter is a word, and a phrase contains no filters.
    pub fn parse(typed: &str, analyzer: &Analyzer) -> Self {
        let mut asked = Self::default();
        let mut words = Vec::new();
        let typed = quotes::straight(typed);
        for part in parts(&typed) {
            if part.starts_with('"') || !asked.take(part) {
                words.push(part);
            }
        }
        asked.words = Query::parse(&words.join(" "), analyzer);
        asked
    }

    /// Adds a part if it is a filter; false if it is not.
    fn take(&mut self, part: &str) -> bool {
        let Some((key, value)) = part.split_once(':') else { return false };
        let value = value.trim_matches('"').trim();
        if value.is_empty() {
            return false;
        }
        match key.to_ascii_lowercase().as_str() {
            "in" => self.rooms.push(value.trim_start_matches('#').to_owned()),
            "from" => self.people.push(value.trim_start_matches('@').to_owned()),
            "has" => {
                let Some(kind) = KINDS.iter().find(|kind| value.eq_ignore_ascii_case(kind)) else {
                    return false;
                };
                self.has.push(kind);
            }
            "before" => match day(value) {
                Some((start, _)) => self.before = Some(self.before.map_or(start, |before| before.min(start))),
                None => return false,
            },
            "after" => match day(value) {
                Some((_, end)) => self.from = Some(self.from.map_or(end, |from| from.max(end))),
                None => return false,
            },
            "on" => match day(value) {
                Some((start, end)) => (self.from, self.before) = (Some(start), Some(end)),
                None => return false,
            },
            _ => return false,
        }
        true
    }
}

/// Splits at white space outside quotes: `in:"two words"` is one part, and so is `"a phrase"`.
fn parts(typed: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut quoted) = (None, false);
    for (place, c) in typed.char_indices() {
        if c == '"' {
            quoted = !quoted;
        }
        if c.is_whitespace() && !quoted {
            parts.extend(start.take().map(|start| &typed[start..place]));
        } else if start.is_none() {
            start = Some(place);
        }
    }
    parts.extend(start.map(|start| &typed[start..]));
    parts
}

const DAY_MS: i64 = 24 * 3_600_000;

/// The start and the end of a day in UTC, in milliseconds since the Unix epoch. None if it is not a date.
fn day(text: &str) -> Option<(i64, i64)> {
    if text.len() != "2026-11-24".len() {
        return None;
    }
    let start: jiff::Timestamp = format!("{text}T00:00:00Z").parse().ok()?;
    Some((start.as_millisecond(), start.as_millisecond() + DAY_MS))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::text::search::Languages;

    fn analyzer() -> Analyzer {
        Analyzer::new(&Languages::default())
    }

    #[test]
    fn filters_are_separated_from_words() {
        let asked = Asked::parse(
            "big in:„All Talk“ plan from:@ana HAS:File before:2026-11-24 after:2026-11-01 x:y «in:here»",
            &analyzer(),
        );
        assert_eq!(asked.words, Query::parse("big plan x:y \"in:here\"", &analyzer()));
        assert_eq!(
            (asked.rooms, asked.people, asked.has),
            (vec!["All Talk".into()], vec!["ana".into()], vec!["file"])
        );
        assert_eq!((asked.from, asked.before), (Some(1_793_577_600_000), Some(1_795_478_400_000)));
        for word in ["in:", "has:nothing", "before:yesterday", "after:2026-13-01", "on:24"] {
            let words = Query::parse(word, &analyzer());
            assert_eq!(Asked::parse(word, &analyzer()), Asked { words, ..Asked::default() }, "{word}");
        }
        assert!(Asked::parse("  ", &analyzer()).is_empty());
    }

    proptest! {
        #[test]
        fn parsing_accepts_any_text(typed in "\\PC{0,60}") {
            Asked::parse(&typed, &analyzer());
        }

        #[test]
        fn parsing_accepts_any_filter(typed in "((in|from|has|before|after|on):\"?|[a-z\" :0-9-]){0,20}") {
            Asked::parse(&typed, &analyzer());
        }
    }
}
