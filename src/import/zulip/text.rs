//! Zulip's Markdown.

use std::collections::HashMap;

use super::super::{
    archive::Archive,
    markup::{self, Dialect, Rules, Style},
    model::{FileRef, Place, link_to},
    staging::Staging,
    times,
};
use crate::{
    text::{Block, Everyone, Inline, emoji_named},
    types::RoomId,
};

static RULES: Rules = Rules {
    // An underscore marks nothing.
    marks: &[
        ("***", Style::StrongEmphasis),
        ("**", Style::Strong),
        ("*", Style::Emphasis),
        ("~~", Style::Struck),
    ],
    headings: 6,
    fences_anywhere: false,
    named_fences: true,
    tables: true,
    discord: false,
};

/// Bytes of what stands between the stars of a mention or a link.
const MAX_NAME: usize = 400;

/// What texts refer to.
#[derive(Default)]
pub(super) struct Names {
    /// Keys of people by their names; None if several have one.
    pub(super) people: HashMap<String, Option<String>>,
    /// Ids of streams.
    pub(super) streams: HashMap<String, i64>,
}

/// A text that was read.
pub(super) struct Read {
    pub(super) blocks: Vec<Block>,
    pub(super) files: Vec<FileRef>,
    /// The message that it quotes first, by the link that Zulip puts before.
    pub(super) quotes: Option<String>,
    /// Addresses that stand for those of messages, which have no ids yet, and what to put in their places.
    pub(super) links: Vec<(String, String)>,
}

struct Reader<'a, 'b> {
    staging: &'a Staging<'b>,
    names: &'a Names,
    prefix: &'a str,
    files: Vec<FileRef>,
    quotes: Option<String>,
    links: Vec<(String, String)>,
}

pub(super) fn read(typed: &str, staging: &Staging<'_>, names: &Names, prefix: &str, author: &str) -> Read {
    let mut reader = Reader { staging, names, prefix, files: Vec::new(), quotes: None, links: Vec::new() };
    let mut blocks = markup::parse(typed, &mut reader);
    let Reader { files, quotes, links, .. } = reader;
    // A message of nothing but a file has no text beside it.
    if let ([file], [Block::Paragraph(inlines)]) = (&files[..], &blocks[..])
        && matches!(&inlines[..], [Inline::Text(text)] if *text == file.name)
    {
        blocks.clear();
    }
    for block in &mut blocks {
        if let Block::Paragraph(inlines) = block {
            act(inlines, author);
        }
    }
    let quotes = quotes.filter(|_| typed.trim_start().starts_with("@_**"));
    Read { blocks, files, quotes, links }
}

/// `/me nods` says that the author nods.
fn act(inlines: &mut Vec<Inline>, author: &str) {
    let Some(Inline::Text(text)) = inlines.first_mut() else { return };
    let Some(action) = text.strip_prefix("/me ") else { return };
    *text = format!("{author} {action}");
    let inner = std::mem::take(inlines);
    // A mark does not go over the end of a line.
    let is_one_line = !inner.contains(&Inline::Break);
    match is_one_line {
        true => inlines.push(Inline::Emphasis(inner)),
        false => *inlines = inner,
    }
}

impl Dialect for Reader<'_, '_> {
    fn rules(&self) -> &'static Rules {
        &RULES
    }

    fn token(&mut self, before: Option<char>, text: &str) -> Option<(Vec<Inline>, usize)> {
        let plain = |text: String, length: usize| Some((vec![Inline::Text(text)], length));
        match text.as_bytes().first()? {
            b'@' => {
                let is_silent = text[1..].starts_with('_');
                let start = if is_silent { 2 } else { 1 };
                if let Some((name, length)) = between(&text[start..], "**") {
                    return Some((self.mention(name, is_silent), start + length));
                }
                let (group, length) = between(&text[start..], "*")?;
                plain(format!("@{group}"), start + length)
            }
            b'#' => {
                let (name, length) = between(&text[1..], "**")?;
                Some((self.stream(name)?, 1 + length))
            }
            b'<' => {
                let inner = text.strip_prefix("<time:")?;
                let (moment, _) = inner[..inner.floor_char_boundary(100)].split_once('>')?;
                let length = "<time:>".len() + moment.len();
                let shown = match (moment.parse::<jiff::Timestamp>(), moment.parse::<i64>()) {
                    (Ok(at), _) => times::shown(at.as_microsecond()),
                    (_, Ok(seconds)) => times::shown(times::of_seconds(seconds)?),
                    _ => moment.to_owned(),
                };
                plain(shown, length)
            }
            b'$' => {
                let (formula, length) = between(text, "$$")?;
                Some((vec![Inline::Code(formula.trim().to_owned())], length))
            }
            b':' if !before.is_some_and(char::is_alphanumeric) => {
                let (name, _) = text[1..text.floor_char_boundary(100)].split_once(':')?;
                let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-+".contains(&byte));
                let emoji = Some(name).filter(|_| is_name).and_then(emoji_named)?;
                plain(emoji, name.len() + 2)
            }
            _ => None,
        }
    }

    fn link(&mut self, label: &str, address: &str) -> Option<Vec<Inline>> {
        if let Some((_, path)) = address.split_once("/user_uploads/") {
            return Some(self.upload(label, path));
        }
        let (_, place) = address.split_once("#narrow/")?;
        let target = self.narrow(place)?;
        let label = if label.trim().is_empty() { "message" } else { label.trim() };
        Some(vec![Inline::Link { address: target, label: vec![Inline::Text(label.to_owned())] }])
    }
}

/// What stands between two marks on one line, and the bytes with the marks.
fn between<'a>(text: &'a str, mark: &str) -> Option<(&'a str, usize)> {
    let rest = text.strip_prefix(mark)?;
    let window = &rest[..rest.floor_char_boundary(MAX_NAME)];
    let (inner, _) = window.split_once(mark)?;
    let is_name = !inner.trim().is_empty() && !inner.contains(['\n', '*']) && !inner.starts_with(' ');
    is_name.then_some((inner, inner.len() + 2 * mark.len()))
}

impl Reader<'_, '_> {
    fn mention(&self, inner: &str, is_silent: bool) -> Vec<Inline> {
        let (name, id) = match inner.rsplit_once('|') {
            Some((name, id)) if id.bytes().all(|byte| byte.is_ascii_digit()) => (name, Some(id)),
            _ => (inner, None),
        };
        if ["all", "everyone", "channel", "stream", "topic"].contains(&name) && id.is_none() && !is_silent {
            return vec![Inline::Everyone(Everyone::Room)];
        }
        let key = id.or_else(|| self.names.people.get(name)?.as_deref());
        match key.and_then(|key| self.staging.known_person(key)) {
            Some((id, name)) if !is_silent => vec![Inline::User { id, name: name.to_owned() }],
            // Nobody is notified of a silent one.
            Some((_, name)) => vec![Inline::Text(format!("@{name}"))],
            None => vec![Inline::Text(format!("@{name}"))],
        }
    }

    /// `stream`, `stream>topic` or `stream>topic@message`.
    fn stream(&mut self, inner: &str) -> Option<Vec<Inline>> {
        let (name, topic) = match inner.split_once('>') {
            Some((name, topic)) => (name, Some(topic)),
            None => (inner, None),
        };
        let id = self.names.streams.get(name)?;
        let room = self.staging.known_room(&super::stream_key(*id))?;
        let (topic, message) = match topic.and_then(|topic| topic.rsplit_once('@')) {
            Some((topic, id)) if !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()) => {
                (Some(topic), Some(id))
            }
            _ => (topic, None),
        };
        let address = match message {
            Some(message) => self.message(room, message),
            None => format!("/rooms/{room}"),
        };
        let label = match topic {
            Some(topic) => format!("#{name} > {topic}"),
            None => format!("#{name}"),
        };
        Some(vec![Inline::Link { address, label: vec![Inline::Text(label)] }])
    }

    /// A place of Zulip's own page, such as `channel/21-general/topic/x/near/101`.
    fn narrow(&mut self, place: &str) -> Option<String> {
        let parts: Vec<&str> = place.split('/').collect();
        let [kind, stream, ..] = parts[..] else { return None };
        if !["stream", "channel"].contains(&kind) {
            return None;
        }
        let id: i64 = stream.split('-').next()?.parse().ok()?;
        let room = self.staging.known_room(&super::stream_key(id))?;
        let near = parts
            .iter()
            .position(|part| ["near", "with"].contains(part))
            .and_then(|place| parts.get(place + 1));
        let message = near.filter(|id| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()));
        if let Some(message) = message {
            self.quotes.get_or_insert_with(|| (*message).to_owned());
        }
        Some(match message {
            Some(message) => self.message(room, message),
            None => format!("/rooms/{room}"),
        })
    }

    /// An address for a message until it has an id.
    fn message(&mut self, room: RoomId, key: &str) -> String {
        let address = format!("/rooms/{room}/@{key}");
        self.links.push((format!("(<{address}>)"), format!("(<{}>)", link_to(room, key))));
        address
    }

    /// A link to a file becomes the file, and its label stays in the text.
    fn upload(&mut self, label: &str, path: &str) -> Vec<Inline> {
        let path = path.split(['?', '#']).next().unwrap_or_default();
        let path = percent_encoding::percent_decode_str(path).decode_utf8_lossy();
        let last = path.rsplit('/').next().unwrap_or_default();
        let ending = |name: &str| name.rsplit_once('.').map(|(_, ending)| ending.to_lowercase());
        // A label is the file's name, unless somebody wrote another.
        let is_name = !label.trim().is_empty() && !label.contains('/') && ending(label) == ending(last);
        let name = if is_name { label.trim() } else { last };
        let place = Place::Archive(Archive::beside(self.prefix, &format!("uploads/{path}")));
        if !self.files.iter().any(|file| file.place == place) {
            self.files.push(FileRef { place, name: name.to_owned() });
        }
        vec![Inline::Text(if label.trim().is_empty() { name } else { label.trim() }.to_owned())]
    }
}
