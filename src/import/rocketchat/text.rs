//! Rocket.Chat's marks: its own `*bold*`, `_italic_` and `~struck~`, and those of Markdown.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::super::{
    json::{list, text},
    markup::{self, Dialect, Rules, Style},
    staging::Staging,
};
use crate::{
    text::{Block, Everyone, Inline, emoji_named, from_slack},
    types::HookFormat,
};

static RULES: Rules = Rules {
    marks: &[
        ("**", Style::Strong),
        ("*", Style::Strong),
        ("__", Style::Emphasis),
        ("_", Style::Emphasis),
        ("~~", Style::Struck),
        ("~", Style::Struck),
    ],
    headings: 4,
    fences_anywhere: true,
    named_fences: false,
    tables: false,
    discord: false,
};

/// Bytes of a handle, a room's name or an emoji's name.
const MAX_NAME: usize = 120;

/// Whom a message mentions and which rooms, by the names in its text.
#[derive(Default)]
pub(super) struct Mentioned {
    pub(super) people: HashMap<String, String>,
    pub(super) rooms: HashMap<String, String>,
}

struct Reader<'a, 'b> {
    staging: &'a Staging<'b>,
    mentioned: &'a Mentioned,
    /// Ids of people by their handles in lower case.
    handles: &'a HashMap<String, String>,
}

pub(super) fn blocks(
    typed: &str,
    staging: &Staging<'_>,
    mentioned: &Mentioned,
    handles: &HashMap<String, String>,
) -> Vec<Block> {
    markup::parse(typed, &mut Reader { staging, mentioned, handles })
}

impl Dialect for Reader<'_, '_> {
    fn rules(&self) -> &'static Rules {
        &RULES
    }

    fn token(&mut self, before: Option<char>, text: &str) -> Option<(Vec<Inline>, usize)> {
        if before.is_some_and(char::is_alphanumeric) {
            return None;
        }
        match text.as_bytes().first()? {
            b'@' => self.mention(text),
            b'#' => self.room(text),
            b':' => {
                let (name, _) = text[1..text.floor_char_boundary(MAX_NAME)].split_once(':')?;
                Some((vec![Inline::Text(emoji(name)?)], name.len() + 2))
            }
            b'<' => {
                // `<https://example.org|label>`
                let (inner, _) = text[1..text.floor_char_boundary(2_048)].split_once('>')?;
                let (address, label) = inner.split_once('|')?;
                let is_link = markup::is_address(address) && !address.contains(char::is_whitespace);
                is_link
                    .then(|| (markup::link(address, vec![Inline::Text(label.to_owned())]), inner.len() + 2))
            }
            _ => None,
        }
    }
}

/// The longest name that begins a text.
fn name(text: &str) -> &str {
    let end = text
        .char_indices()
        .find(|(_, c)| !(c.is_alphanumeric() || matches!(c, '.' | '_' | '-')))
        .map_or(text.len(), |(place, _)| place);
    &text[..text.floor_char_boundary(end.min(MAX_NAME))]
}

impl Reader<'_, '_> {
    fn mention(&self, text: &str) -> Option<(Vec<Inline>, usize)> {
        let mut name = name(&text[1..]);
        loop {
            let everyone = match name {
                "all" => Some(Everyone::Room),
                "here" => Some(Everyone::Here),
                _ => None,
            };
            if let Some(everyone) = everyone {
                return Some((vec![Inline::Everyone(everyone)], 1 + name.len()));
            }
            let key = self.mentioned.people.get(name).or_else(|| self.handles.get(&name.to_lowercase()));
            if let Some((id, shown)) = key.and_then(|key| self.staging.known_person(key)) {
                return Some((vec![Inline::User { id, name: shown.to_owned() }], 1 + name.len()));
            }
            // The full stop of a sentence is none of a name's.
            name = name.strip_suffix(['.', '_', '-'])?;
        }
    }

    fn room(&self, text: &str) -> Option<(Vec<Inline>, usize)> {
        let mut name = name(&text[1..]);
        loop {
            if let Some(key) = self.mentioned.rooms.get(name)
                && let Some(id) = self.staging.known_room(key)
            {
                let shown = self.staging.room_name(key).unwrap_or(name);
                let label = vec![Inline::Text(format!("#{shown}"))];
                return Some((vec![Inline::Link { address: format!("/rooms/{id}"), label }], 1 + name.len()));
            }
            name = name.strip_suffix(['.', '_', '-'])?;
        }
    }
}

/// The emoji of a name without its colons; tones stand behind it (`thumbsup_tone3`).
pub(super) fn emoji(name: &str) -> Option<String> {
    let is_name = |name: &str| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-+".contains(&byte))
    };
    if !is_name(name) {
        return None;
    }
    if let Some((name, tone)) = name.rsplit_once("_tone")
        && let Some(tone) = tone.parse::<u8>().ok().filter(|tone| (1..=5).contains(tone))
    {
        return emoji_named(&format!("{name}::skin-tone-{}", tone + 1));
    }
    emoji_named(name)
}

/// The attachments of a bot's message, which are like Slack's.
pub(super) fn attachment(attachment: &Value) -> Option<String> {
    let payload = json!({"attachments": [attachment]});
    let content = from_slack(&payload, HookFormat::Markdown, |_| None)?.document.write_as_named().content;
    Some(content).filter(|content| !content.trim().is_empty())
}

/// A quoted message of another room.
pub(super) fn quote(attachment: &Value, blocks: Vec<Block>) -> Block {
    let mut inner = Vec::new();
    if let Some(author) = text(&attachment["author_name"]) {
        inner.push(Block::Paragraph(vec![Inline::Strong(markup::plain(author))]));
    }
    inner.extend(blocks);
    Block::Quote(inner)
}

/// The addresses in front of a text whose label is blank: they quote messages. Returns the rest.
pub(super) fn without_quotes(typed: &str) -> (Vec<&str>, &str) {
    let mut found = Vec::new();
    let mut rest = typed;
    while let Some(after) =
        rest.trim_start().strip_prefix("[ ](").or_else(|| rest.trim_start().strip_prefix("[]("))
    {
        let Some((address, behind)) = after.split_once(')') else { break };
        found.push(address);
        rest = behind;
    }
    match found.is_empty() {
        true => (found, typed),
        false => (found, rest.trim_start()),
    }
}

/// The room's name or id, and the message, of an address like `https://chat.example/channel/general?msg=ID`.
pub(super) fn quoted(address: &str) -> Option<(String, String)> {
    let url = url::Url::parse(address).ok()?;
    let message = url.query_pairs().find(|(name, _)| name == "msg")?.1.into_owned();
    let room = url.path_segments()?.nth(1)?.to_owned();
    let room = percent_encoding::percent_decode_str(&room).decode_utf8_lossy().into_owned();
    (!message.is_empty()).then_some((room, message))
}

/// Whom a message mentions.
pub(super) fn mentioned(record: &Value) -> Mentioned {
    let pairs = |member: &str, name: &str| {
        list(&record[member])
            .iter()
            .filter_map(|it| Some((text(&it[name])?.to_owned(), text(&it["_id"])?.to_owned())))
            .collect::<HashMap<_, _>>()
    };
    let mut rooms = pairs("channels", "name");
    rooms.extend(pairs("channels", "fname"));
    Mentioned { people: pairs("mentions", "username"), rooms }
}
