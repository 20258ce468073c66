//! What was said, as `talk.txt` has it: a line for each message, `room: name: words`.
//!
//! - An empty line is a night.
//! - A room is open; `#Room` is a closed one of all who speak in it; `@Ana+Mara` is the direct room of those.
//! - Words that begin with `> ` answer what was said last in that room.
//! - Words that begin with `[name.jpg]` have that file with them.
//! - `~` is a new line within the words.
//! - Words that end with ` (edited)` were changed after they were said.
//! - ` {👍 Mara Jonas; yes!! Leo}` at the very end are boosts.
//! - `-- Room` is how far the visitor has read in that room; others are read to their ends.

pub(super) const TALK: &str = include_str!("talk.txt");

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Entry<'t> {
    Night,
    ReadUpTo(&'t str),
    Said(Line<'t>),
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line<'t> {
    pub(super) room: &'t str,
    pub(super) speaker: &'t str,
    /// May be empty if there is a file.
    pub(super) words: &'t str,
    pub(super) is_reply: bool,
    pub(super) is_edited: bool,
    pub(super) file: Option<&'t str>,
    /// What, and by whom, in order.
    pub(super) boosts: Vec<(&'t str, Vec<&'t str>)>,
}

/// All that was said. Lines that make no sense are left out; a test sees to it that there are none.
pub(super) fn entries(talk: &str) -> impl Iterator<Item = Entry<'_>> {
    talk.lines().filter_map(entry)
}

fn entry(line: &str) -> Option<Entry<'_>> {
    if line.is_empty() {
        return Some(Entry::Night);
    }
    if let Some(room) = line.strip_prefix("-- ") {
        return Some(Entry::ReadUpTo(room));
    }
    let (room, rest) = line.split_once(": ")?;
    let (speaker, words) = rest.split_once(": ")?;
    let (words, boosts) = with_boosts(words);
    let (words, is_edited) = words.strip_suffix(" (edited)").map_or((words, false), |words| (words, true));
    let (words, is_reply) = words.strip_prefix("> ").map_or((words, false), |words| (words, true));
    let (words, file) = with_file(words);
    (!words.is_empty() || file.is_some()).then_some(Entry::Said(Line {
        room,
        speaker,
        words,
        is_reply,
        is_edited,
        file,
        boosts,
    }))
}

fn with_file(words: &str) -> (&str, Option<&str>) {
    let found = words.strip_prefix('[').and_then(|words| words.split_once(']'));
    match found {
        Some((name, words)) if name.contains('.') => (words.trim_start(), Some(name)),
        _ => (words, None),
    }
}

type Boosts<'t> = Vec<(&'t str, Vec<&'t str>)>;

fn with_boosts(words: &str) -> (&str, Boosts<'_>) {
    let found = words.strip_suffix('}').and_then(|words| words.rsplit_once(" {"));
    let Some((words, boosts)) = found else { return (words, Vec::new()) };
    (words, boosts.split("; ").map(boost).collect())
}

/// Names begin with a capital and come last.
fn boost(text: &str) -> (&str, Vec<&str>) {
    let is_name = |word: &&str| word.starts_with(|c: char| c.is_ascii_uppercase());
    let names: Vec<&str> = text.rsplit(' ').take_while(is_name).collect();
    let length: usize = names.iter().map(|name| name.len() + 1).sum();
    let content = text.get(..text.len().saturating_sub(length)).unwrap_or_default();
    (content, names.into_iter().rev().collect())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::cli::demo::{cast, paint::PICTURES, things::PAGE};

    fn said() -> Vec<Line<'static>> {
        let said = |entry| if let Entry::Said(line) = entry { Some(line) } else { None };
        entries(TALK).filter_map(said).collect()
    }

    #[test]
    fn a_line_is_read_with_all_that_is_on_it() {
        let line = "Deploys: Deploy bot: > [a.png] Look:~`x: {y}` (edited) {👍 Mara Jonas; yes!! Leo; so good Priya}";
        let Some(Entry::Said(line)) = entry(line) else { panic!("not said") };
        assert_eq!((line.room, line.speaker, line.words), ("Deploys", "Deploy bot", "Look:~`x: {y}`"));
        assert!(line.is_reply && line.is_edited);
        assert_eq!(line.file, Some("a.png"));
        let boosts = [("👍", vec!["Mara", "Jonas"]), ("yes!!", vec!["Leo"]), ("so good", vec!["Priya"])];
        assert_eq!(line.boosts, boosts);
    }

    #[test]
    fn what_looks_like_a_mark_but_is_none_stays_a_word() {
        let Some(Entry::Said(line)) = entry("A: B: - [x] done~```rust~loop {}~```") else {
            panic!("not said")
        };
        assert_eq!((line.words, line.file, line.boosts.len()), ("- [x] done~```rust~loop {}~```", None, 0));
        assert_eq!(entry(""), Some(Entry::Night));
        assert_eq!(entry("-- Launch week"), Some(Entry::ReadUpTo("Launch week")));
        assert_eq!(entry("nothing at all"), None);
    }

    #[test]
    fn every_line_of_the_talk_makes_sense() {
        assert_eq!(entries(TALK).count(), TALK.lines().count());
        let lines = said();
        assert!(lines.len() >= 250, "{}", lines.len());
        let people: Vec<&str> = cast::people().map(|(name, _)| cast::first_name(name)).collect();
        for line in &lines {
            let bots = [cast::BOT, cast::HOOK.0];
            assert!(people.contains(&line.speaker) || bots.contains(&line.speaker), "{line:?}");
            let mut given = HashSet::new();
            for (content, names) in &line.boosts {
                assert!(!content.is_empty() && content.chars().count() <= 16, "{line:?}");
                assert!(!names.is_empty() && given.insert(content), "{line:?}");
                assert!(names.iter().all(|name| people.contains(name)), "{line:?}");
            }
        }
        let rooms: HashSet<&str> = lines.iter().map(|line| line.room).collect();
        for entry in entries(TALK) {
            assert!(!matches!(entry, Entry::ReadUpTo(room) if !rooms.contains(room)), "{entry:?}");
        }
    }

    #[test]
    fn it_shows_what_there_is() {
        let lines = said();
        let boosted = lines.iter().filter(|line| !line.boosts.is_empty()).count();
        assert!((lines.len() / 8..lines.len() / 4).contains(&boosted), "{boosted} of {}", lines.len());
        for picture in &PICTURES {
            assert!(lines.iter().any(|line| line.file == Some(picture.name)), "{}", picture.name);
        }
        for name in ["release-notes-4.0.txt", "spring-plan.pdf", "standup-jingle.wav"] {
            assert!(lines.iter().any(|line| line.file == Some(name)), "{name}");
        }
        for part in [PAGE.url, "/play ", "@room", "@Ana", "```diff", "```sql", "| ---", "- [ ] "] {
            assert!(lines.iter().any(|line| line.words.contains(part)), "{part}");
        }
        assert!(lines.iter().any(|line| line.is_edited));
    }
}
