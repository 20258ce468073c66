//! The messages of the demo: `messages.txt` has one per line, `room: author: content`.
//!
//! - An empty line is a night between two messages.
//! - `Room` is an open room, `#Room` a closed room of all its authors, `@Ana+Mara` the direct room of these people.
//! - Content that begins with `> ` replies to the last message of the room.
//! - Content that begins with `[name.jpg]` has this file attached.
//! - `~` is a line break.
//! - Content that ends with ` (edited)` was edited after it was posted.
//! - ` {👍 Mara Jonas; yes!! Leo}` at the end of the line are boosts.
//! - `-- Room` is how far the visitor has read in this room; other rooms are read to the end.

pub(super) const MESSAGES: &str = include_str!("messages.txt");

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Entry<'a> {
    Night,
    /// The visitor has read this room up to here.
    ReadUpTo(&'a str),
    Message(Message<'a>),
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Message<'a> {
    pub(super) room: &'a str,
    pub(super) author: &'a str,
    /// May be empty if there is a file.
    pub(super) content: &'a str,
    pub(super) is_reply: bool,
    pub(super) is_edited: bool,
    pub(super) file: Option<&'a str>,
    /// The content of each boost and who gave it, in order.
    pub(super) boosts: Vec<(&'a str, Vec<&'a str>)>,
}

/// The entries in order. Malformed lines are skipped; a test asserts that there are none.
pub(super) fn entries(lines: &str) -> impl Iterator<Item = Entry<'_>> {
    lines.lines().filter_map(entry)
}

fn entry(line: &str) -> Option<Entry<'_>> {
    if line.is_empty() {
        return Some(Entry::Night);
    }
    if let Some(room) = line.strip_prefix("-- ") {
        return Some(Entry::ReadUpTo(room));
    }
    let (room, rest) = line.split_once(": ")?;
    let (author, content) = rest.split_once(": ")?;
    let (content, boosts) = with_boosts(content);
    let (content, is_edited) =
        content.strip_suffix(" (edited)").map_or((content, false), |content| (content, true));
    let (content, is_reply) = content.strip_prefix("> ").map_or((content, false), |content| (content, true));
    let (content, file) = with_file(content);
    (!content.is_empty() || file.is_some()).then_some(Entry::Message(Message {
        room,
        author,
        content,
        is_reply,
        is_edited,
        file,
        boosts,
    }))
}

fn with_file(content: &str) -> (&str, Option<&str>) {
    let found = content.strip_prefix('[').and_then(|content| content.split_once(']'));
    match found {
        Some((name, content)) if name.contains('.') => (content.trim_start(), Some(name)),
        _ => (content, None),
    }
}

type Boosts<'a> = Vec<(&'a str, Vec<&'a str>)>;

fn with_boosts(content: &str) -> (&str, Boosts<'_>) {
    let found = content.strip_suffix('}').and_then(|content| content.rsplit_once(" {"));
    let Some((content, boosts)) = found else { return (content, Vec::new()) };
    (content, boosts.split("; ").map(boost).collect())
}

/// Names begin with a capital letter and come last.
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
    use crate::cli::demo::{files::PAGE, paint::PICTURES, people};

    fn messages() -> Vec<Message<'static>> {
        let message = |entry| if let Entry::Message(message) = entry { Some(message) } else { None };
        entries(MESSAGES).filter_map(message).collect()
    }

    #[test]
    fn line_is_parsed_with_reply_file_edit_and_boosts() {
        let line = "Deploys: Deploy bot: > [a.png] Look:~`x: {y}` (edited) {👍 Mara Jonas; yes!! Leo; so good Priya}";
        let Some(Entry::Message(line)) = entry(line) else { panic!("no message") };
        assert_eq!((line.room, line.author, line.content), ("Deploys", "Deploy bot", "Look:~`x: {y}`"));
        assert!(line.is_reply && line.is_edited);
        assert_eq!(line.file, Some("a.png"));
        let boosts = [("👍", vec!["Mara", "Jonas"]), ("yes!!", vec!["Leo"]), ("so good", vec!["Priya"])];
        assert_eq!(line.boosts, boosts);
    }

    #[test]
    fn markup_that_is_no_mark_stays_content() {
        let Some(Entry::Message(line)) = entry("A: B: - [x] done~```rust~loop {}~```") else {
            panic!("no message")
        };
        assert_eq!((line.content, line.file, line.boosts.len()), ("- [x] done~```rust~loop {}~```", None, 0));
        assert_eq!(entry(""), Some(Entry::Night));
        assert_eq!(entry("-- Launch week"), Some(Entry::ReadUpTo("Launch week")));
        assert_eq!(entry("nothing at all"), None);
    }

    #[test]
    fn every_line_of_the_messages_is_well_formed() {
        assert_eq!(entries(MESSAGES).count(), MESSAGES.lines().count());
        let lines = messages();
        assert!(lines.len() >= 250, "{}", lines.len());
        let known: Vec<&str> = people::profiles().map(|(name, _)| people::first_name(name)).collect();
        for line in &lines {
            let bots = [people::BOT, people::HOOK.0];
            assert!(known.contains(&line.author) || bots.contains(&line.author), "{line:?}");
            let mut given = HashSet::new();
            for (content, names) in &line.boosts {
                assert!(!content.is_empty() && content.chars().count() <= 16, "{line:?}");
                assert!(!names.is_empty() && given.insert(content), "{line:?}");
                assert!(names.iter().all(|name| known.contains(name)), "{line:?}");
            }
        }
        let rooms: HashSet<&str> = lines.iter().map(|line| line.room).collect();
        for entry in entries(MESSAGES) {
            assert!(!matches!(entry, Entry::ReadUpTo(room) if !rooms.contains(room)), "{entry:?}");
        }
    }

    #[test]
    fn messages_show_every_kind_of_content() {
        let lines = messages();
        let boosted = lines.iter().filter(|line| !line.boosts.is_empty()).count();
        assert!((lines.len() / 8..lines.len() / 4).contains(&boosted), "{boosted} of {}", lines.len());
        for picture in &PICTURES {
            assert!(lines.iter().any(|line| line.file == Some(picture.name)), "{}", picture.name);
        }
        for name in ["release-notes-4.0.txt", "spring-plan.pdf", "standup-jingle.wav"] {
            assert!(lines.iter().any(|line| line.file == Some(name)), "{name}");
        }
        for part in [PAGE.url, "/play ", "@room", "@Ana", "```diff", "```sql", "| ---", "- [ ] "] {
            assert!(lines.iter().any(|line| line.content.contains(part)), "{part}");
        }
        assert!(lines.iter().any(|line| line.is_edited));
    }
}
