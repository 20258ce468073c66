//! Discord's Markdown: as it was typed (`--markdown false`), or with mentions written out, as DiscordChatExporter does by
//! default.

use std::collections::HashMap;

use super::super::{
    json,
    markup::{self, Dialect, Rules, Style},
    staging::Staging,
    times,
};
use crate::{
    text::{Block, Everyone, Inline},
    types::UserId,
};

static RULES: Rules = Rules {
    marks: &[
        ("***", Style::StrongEmphasis),
        ("**", Style::Strong),
        ("*", Style::Emphasis),
        // Underlined.
        ("__", Style::Emphasis),
        ("_", Style::Emphasis),
        ("~~", Style::Struck),
    ],
    headings: 3,
    fences_anywhere: true,
    named_fences: false,
    tables: false,
    discord: true,
};

/// Bytes of a tag between `<` and `>`.
const MAX_TAG: usize = 200;

/// Whom a message mentions: nickname, id here, name here.
pub(super) type Mentioned = Vec<(String, UserId, String)>;

struct Reader<'a, 'b> {
    staging: &'a Staging<'b>,
    mentioned: &'a Mentioned,
    roles: &'a HashMap<String, String>,
}

/// Reads a text.
pub(super) fn blocks(
    typed: &str,
    staging: &Staging<'_>,
    mentioned: &Mentioned,
    roles: &HashMap<String, String>,
) -> Vec<Block> {
    markup::parse(typed, &mut Reader { staging, mentioned, roles })
}

impl Dialect for Reader<'_, '_> {
    fn rules(&self) -> &'static Rules {
        &RULES
    }

    fn token(&mut self, before: Option<char>, text: &str) -> Option<(Vec<Inline>, usize)> {
        match text.as_bytes().first()? {
            b'<' => {
                let window = &text[1..text.floor_char_boundary(MAX_TAG)];
                let (tag, _) = window.split_once('>')?;
                Some((self.tag(tag)?, tag.len() + 2))
            }
            b'@' if !before.is_some_and(char::is_alphanumeric) => self.at(text),
            _ => None,
        }
    }
}

impl Reader<'_, '_> {
    fn tag(&self, tag: &str) -> Option<Vec<Inline>> {
        let plain = |text: String| Some(vec![Inline::Text(text)]);
        let is_id = |id: &str| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
        if let Some(role) = tag.strip_prefix("@&").filter(|id| is_id(id)) {
            return plain(format!("@{}", self.roles.get(role).map_or("deleted-role", String::as_str)));
        }
        if let Some(person) = tag.strip_prefix("@!").or_else(|| tag.strip_prefix('@')).filter(|id| is_id(id))
        {
            return match self.staging.known_person(person) {
                Some((id, name)) => Some(vec![Inline::User { id, name: name.to_owned() }]),
                None => plain("@Somebody".into()),
            };
        }
        if let Some(room) = tag.strip_prefix('#').filter(|id| is_id(id)) {
            return match self.staging.known_room(room) {
                Some(id) => {
                    let name = self.staging.room_name(room).unwrap_or("room");
                    let address = format!("/rooms/{id}");
                    Some(vec![Inline::Link { address, label: vec![Inline::Text(format!("#{name}"))] }])
                }
                None => plain("#deleted-channel".into()),
            };
        }
        if let Some(moment) = tag.strip_prefix("t:") {
            let seconds = moment.split(':').next()?.parse().ok()?;
            return plain(times::shown(times::of_seconds(seconds)?));
        }
        if let Some(command) = tag.strip_prefix('/') {
            let (name, id) = command.rsplit_once(':')?;
            return is_id(id).then(|| vec![Inline::Text(format!("/{name}"))]);
        }
        let emoji = tag.strip_prefix("a:").or_else(|| tag.strip_prefix(':'))?;
        let (name, id) = emoji.split_once(':')?;
        is_id(id).then(|| vec![Inline::Text(format!(":{name}:"))])
    }

    /// `@everyone`, and names that were written out, where the message mentions exactly one person of that name.
    fn at(&self, text: &str) -> Option<(Vec<Inline>, usize)> {
        for (word, everyone) in [("@everyone", Everyone::Room), ("@here", Everyone::Here)] {
            if text.starts_with(word) && !text[word.len()..].starts_with(char::is_alphanumeric) {
                return Some((vec![Inline::Everyone(everyone)], word.len()));
            }
        }
        let fits = |name: &str| !name.is_empty() && text[1..].starts_with(name);
        let (name, ..) =
            self.mentioned.iter().filter(|(name, ..)| fits(name)).max_by_key(|(name, ..)| name.len())?;
        let mut same = self.mentioned.iter().filter(|(other, ..)| other == name);
        match (same.next(), same.next()) {
            (Some((name, id, shown)), None) => {
                Some((vec![Inline::User { id: *id, name: shown.clone() }], 1 + name.len()))
            }
            _ => None,
        }
    }
}

/// A text without what signs the links to Discord's files: they have expired, and are nobody's business.
pub(super) fn unsigned(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(place) =
        ["cdn.discordapp.com/", "media.discordapp.net/"].iter().filter_map(|host| rest.find(host)).min()
    {
        let end = rest[place..]
            .find(|c: char| c.is_whitespace() || matches!(c, '>' | ')' | '"' | '<' | '`'))
            .map_or(rest.len(), |length| place + length);
        let address = &rest[..end];
        match address[place..].find('?').map(|query| place + query) {
            Some(query) => {
                out.push_str(&address[..query]);
                let kept: Vec<&str> = address[query + 1..]
                    .split('&')
                    .filter(|pair| !["ex", "is", "hm"].contains(&pair.split('=').next().unwrap_or_default()))
                    .filter(|pair| !pair.is_empty())
                    .collect();
                if !kept.is_empty() {
                    out.push('?');
                    out.push_str(&kept.join("&"));
                }
            }
            None => out.push_str(address),
        }
        rest = &rest[end..];
    }
    out.push_str(rest);
    out
}

/// Embeds of bots and hooks as blocks. One of a link that stands in the text is a preview, and no content.
pub(super) fn embed(embed: &serde_json::Value, mut blocks_of: impl FnMut(&str) -> Vec<Block>) -> Vec<Block> {
    const MAX_FIELDS: usize = 25;
    let mut found = Vec::new();
    let words = |value: &serde_json::Value| json::text(value).map(|text| markup::tidy(&unsigned(text)));
    if let Some(author) = words(&embed["author"]["name"]) {
        found.push(Block::Paragraph(markup::plain(&author)));
    }
    if let Some(title) = words(&embed["title"]) {
        let title = title.split_whitespace().collect::<Vec<_>>().join(" ");
        let address = unsigned(embed["url"].as_str().unwrap_or_default());
        let label = markup::link(&address, vec![Inline::Text(title)]);
        found.push(Block::Paragraph(vec![Inline::Strong(label)]));
    }
    if let Some(description) = json::text(&embed["description"]) {
        found.extend(blocks_of(description));
    }
    for field in json::list(&embed["fields"]).iter().take(MAX_FIELDS) {
        if let Some(name) = words(&field["name"]) {
            let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
            found.push(Block::Paragraph(vec![Inline::Strong(vec![Inline::Text(name)])]));
        }
        found.extend(json::text(&field["value"]).map(&mut blocks_of).unwrap_or_default());
    }
    if let Some(footer) = words(&embed["footer"]["text"]) {
        found.push(markup::note(footer));
    }
    match found.is_empty() {
        true => found,
        false => vec![Block::Quote(found)],
    }
}
