//! Reads payloads of Slack's incoming webhooks and messages of its exports into documents: mrkdwn or Markdown, attachments
//! and blocks. Mattermost's and Rocket.Chat's are nearly the same.

mod attachments;
mod blocks;
mod bracket;
mod elements;
mod emoji;
mod inline;
mod markdown;
mod mrkdwn;
mod rich_text;
mod tables;
#[cfg(test)]
mod tests;
mod walk;

use serde_json::Value;

use super::document::{Block, Document, Inline};
use crate::types::{HookFormat, UserId};

use inline::Marks;

/// A payload that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlackMessage {
    pub document: Document,
    /// One line, 80 characters at most.
    pub username: Option<String>,
    /// The emoji itself.
    pub icon_emoji: Option<String>,
}

impl SlackMessage {
    /// The document below the name that the sender goes by, unless it is the one that readers see anyway.
    pub fn under_name(self, known_as: &str) -> Document {
        let Self { document, username, icon_emoji } = self;
        let username = username.filter(|name| name != known_as);
        let name = match (username, &icon_emoji) {
            (Some(name), _) => name,
            (None, Some(_)) => known_as.to_owned(),
            (None, None) => return document,
        };
        let mut inlines: Vec<Inline> =
            icon_emoji.map(|icon| Inline::Text(format!("{icon} "))).into_iter().collect();
        inlines.push(Inline::Strong(vec![Inline::Text(name)]));
        document.with_first(inlines)
    }
}

/// The emoji of a name (`fire`, `:fire:`, `wave::skin-tone-3`), as GitHub, Slack and most chats have it; None of others.
pub fn emoji_named(name: &str) -> Option<String> {
    emoji::icon(name)
}

/// Reads a payload. None if there is no text in it. `name_of` returns the names of members, whom only the format `markdown`
/// can mention.
pub fn from_slack<'a>(
    payload: &Value,
    format: HookFormat,
    name_of: impl Fn(UserId) -> Option<&'a str>,
) -> Option<SlackMessage> {
    Reader { format, name_of: &name_of, ids: None }.message(payload)
}

/// Reads a message of an export in the same way. `ids` knows the people and channels that it names.
pub fn from_slack_export(message: &Value, ids: &dyn Ids) -> Option<SlackMessage> {
    Reader { format: HookFormat::Slack, name_of: &|_| None, ids: Some(ids) }.message(message)
}

/// What ids in texts of Slack stand for. With None, what the text says is shown.
pub trait Ids {
    /// A person. `label` is a name that the text has beside the id.
    fn user(&self, id: &str, label: Option<&str>) -> Option<Inline>;
    fn channel(&self, id: &str, label: Option<&str>) -> Option<Inline>;
    /// The handle of a group of people.
    fn group(&self, id: &str) -> Option<String>;
}

/// How the texts of a payload are read.
struct Reader<'r, 'a> {
    format: HookFormat,
    name_of: &'r dyn Fn(UserId) -> Option<&'a str>,
    ids: Option<&'r dyn Ids>,
}

impl Reader<'_, '_> {
    fn message(&self, payload: &Value) -> Option<SlackMessage> {
        let mut blocks = self.blocks(&payload["blocks"]);
        // With blocks, the text is only a fallback.
        if Document::of(blocks.clone()).is_empty() {
            blocks = match text_of(&payload["text"]) {
                Some(text) if payload["mrkdwn"] == false => vec![Block::Paragraph(mrkdwn::plain(&text))],
                Some(text) => self.text(&text),
                None => Vec::new(),
            };
        }
        // Mattermost has further ones among its properties.
        for attachments in [&payload["attachments"], &payload["props"]["attachments"]] {
            for attachment in list(attachments).iter() {
                blocks.extend(self.attachment(attachment));
            }
        }
        let document = Document::of(blocks);
        let line = |name: &str| {
            let text = payload[name].as_str()?.split_whitespace().collect::<Vec<_>>().join(" ");
            let text: String = text.chars().filter(|c| !c.is_control()).take(80).collect();
            (!text.is_empty()).then_some(text)
        };
        let icon = ["icon_emoji", "emoji"].into_iter().find_map(|name| emoji::icon(payload[name].as_str()?));
        let username = line("username").or_else(|| line("alias"));
        (!document.is_empty()).then_some(SlackMessage { document, username, icon_emoji: icon })
    }

    fn marks(&self) -> Marks<'_> {
        Marks { of_markdown: self.format != HookFormat::Slack, links: true, ids: self.ids }
    }

    /// Reads a text with marks.
    fn text(&self, text: &str) -> Vec<Block> {
        match self.format {
            HookFormat::Markdown => self.markdown(text),
            HookFormat::Auto if markdown::is_markdown(text) => self.markdown(text),
            HookFormat::Auto | HookFormat::Slack => mrkdwn::read(text, self.marks()),
        }
    }

    /// The same as one line.
    fn line(&self, text: &str) -> Vec<Inline> {
        if self.format == HookFormat::Slack
            || !markdown::is_markdown(text) && self.format != HookFormat::Markdown
        {
            return mrkdwn::read_line(text, self.marks());
        }
        let mut blocks = self.markdown(&text.split_whitespace().collect::<Vec<_>>().join(" "));
        match blocks.pop() {
            Some(Block::Paragraph(inlines)) if blocks.is_empty() => inlines,
            _ => mrkdwn::read_line(text, self.marks()),
        }
    }

    fn markdown(&self, text: &str) -> Vec<Block> {
        markdown::read(text, self.format == HookFormat::Markdown, self.name_of)
    }
}

/// The elements of a list. Some senders write the list as a string of JSON, and some a single element.
fn list(value: &Value) -> std::borrow::Cow<'_, [Value]> {
    match value {
        Value::Array(values) => values.as_slice().into(),
        Value::String(text) if text.trim_start().starts_with('[') => match serde_json::from_str(text) {
            Ok(Value::Array(values)) => values.into(),
            _ => Vec::new().into(),
        },
        Value::Object(_) => std::slice::from_ref(value).into(),
        _ => Vec::new().into(),
    }
}

/// A value as text: a string, a number, or a flag. None for white space.
fn text_of(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        _ => return None,
    };
    (!text.trim().is_empty()).then_some(text)
}

/// A paragraph, unless there is nothing in it.
fn paragraph(inlines: Vec<Inline>) -> Option<Block> {
    (!super::document::are_blank(&inlines)).then_some(Block::Paragraph(inlines))
}
