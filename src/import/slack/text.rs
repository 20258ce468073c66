//! Texts of messages: what their ids stand for, links between messages, and addresses without their tokens.

use std::cell::RefCell;

use serde_json::Value;

use super::{
    people::{NOBODY, People},
    rooms::Rooms,
};
use crate::{
    import::{Error, model::link_to, staging::Staging},
    text::{Document, Ids, Inline},
    types::{Embed, RoomId, RoomKind},
};

/// Characters of a preview's parts, as for those that this server makes, and previews of a message.
const MAX_TITLE: usize = 200;
const MAX_DESCRIPTION: usize = 500;
const MAX_SITE: usize = 100;
const MAX_EMBEDS: usize = 3;

/// Knows the people and rooms that a message names. Strangers are made up on the way.
pub(super) struct Names<'n, 's> {
    pub(super) inner: RefCell<(&'n mut Staging<'s>, &'n mut People)>,
    pub(super) rooms: &'n Rooms,
    /// The room of the message.
    pub(super) here: RoomId,
    pub(super) failed: RefCell<Option<Error>>,
}

impl Ids for Names<'_, '_> {
    fn user(&self, id: &str, label: Option<&str>) -> Option<Inline> {
        if !id.starts_with(['U', 'W', 'B']) || id.len() < 2 || id == NOBODY {
            return None;
        }
        let (staging, people) = &mut *self.inner.borrow_mut();
        let key = match people.key(staging, id, label) {
            Ok(key) => key,
            Err(error) => {
                *self.failed.borrow_mut() = Some(error);
                return None;
            }
        };
        let (id, name) = staging.known_person(&key)?;
        Some(Inline::User { id, name: name.to_owned() })
    }

    fn channel(&self, id: &str, label: Option<&str>) -> Option<Inline> {
        let address = |room: RoomId| format!("/rooms/{room}");
        let text = |text: &str| vec![Inline::Text(text.to_owned())];
        match self.rooms.of(id) {
            // The name of a closed room is for its members.
            Some(channel) if channel.kind == RoomKind::Open || channel.room == self.here => {
                let label = text(&format!("#{}", channel.name));
                Some(Inline::Link { address: address(channel.room), label })
            }
            Some(channel) => {
                Some(Inline::Link { address: address(channel.room), label: text("a private room") })
            }
            None if label.is_none() => Some(Inline::Text("a private room".into())),
            None => None,
        }
    }

    fn group(&self, _: &str) -> Option<String> {
        None
    }
}

/// Writes a document as Markdown. Links to messages and channels in Slack lead to those here.
pub(super) fn markdown(document: Document, rooms: &Rooms) -> String {
    let links = RefCell::new(Vec::new());
    let document = document.with_addresses(|address| {
        let (channel, digits) = archived(address)?;
        let found = rooms.of(channel)?;
        let mut here = format!("/rooms/{}", found.room);
        if let Some(at) = digits.and_then(|digits| digits.parse().ok()) {
            here.push_str(&format!("/@{at}"));
            links.borrow_mut().push((here.clone(), link_to(found.room, &message_key(channel, at))));
        }
        Some(here)
    });
    let mut content = document.write(|_| None).content;
    for (here, link) in links.into_inner() {
        content = content.replace(&format!("<{here}>"), &format!("<{link}>"));
    }
    content
}

/// The channel of an address like `https://acme.slack.com/archives/C0G1/p1767340800000100`, and the microseconds of the
/// message.
fn archived(address: &str) -> Option<(&str, Option<&str>)> {
    let (host, rest) = address.strip_prefix("https://")?.split_once("/archives/")?;
    if !host.ends_with(".slack.com") || host.contains('/') {
        return None;
    }
    let path = rest.split(['?', '#']).next().unwrap_or_default();
    let (channel, message) =
        path.split_once('/').map_or((path, None), |(channel, rest)| (channel, Some(rest)));
    let digits = message.and_then(|message| message.strip_prefix('p'));
    Some((
        channel,
        digits.filter(|digits| digits.len() == 16 && digits.bytes().all(|it| it.is_ascii_digit())),
    ))
}

/// The key of a message: its channel, and its time in microseconds.
pub(super) fn message_key(channel: &str, at: i64) -> String {
    format!("{channel}-{}.{:06}", at / 1_000_000, at % 1_000_000)
}

/// Takes the tokens out of all addresses of a record: they open every file of a workspace.
pub(super) fn remove_tokens(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Some(without) = without_tokens(text) {
                *text = without;
            }
        }
        Value::Array(values) => values.iter_mut().for_each(remove_tokens),
        Value::Object(fields) => fields.values_mut().for_each(remove_tokens),
        _ => {}
    }
}

/// A text without parameters like `?t=xoxe-…` and `&pub_secret=…`; None if it has none.
fn without_tokens(text: &str) -> Option<String> {
    const MARKS: [&str; 2] = ["=xox", "pub_secret="];
    // Most texts have no parameters.
    if !text.contains('=') {
        return None;
    }
    let is_of_value = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.%~".contains(&byte);
    let mut out = text.to_owned();
    let mut from = 0;
    while let Some(found) = MARKS.iter().filter_map(|mark| out[from..].find(mark)).min() {
        let sign = from + found;
        let value = sign + out[sign..].find('=').unwrap_or_default() + 1;
        let name =
            out[..value - 1].bytes().rev().take_while(|it| it.is_ascii_alphanumeric() || *it == b'_').count();
        let start = value - 1 - name;
        let end = value + out[value..].bytes().take_while(|byte| is_of_value(*byte)).count();
        // In texts of Slack `&` is written `&amp;`.
        let joins = ["&amp;", "&", "?"].into_iter().find(|sign| out[..start].ends_with(sign));
        match joins {
            Some("?") => {
                let next = ["&amp;", "&"].into_iter().find(|sign| out[end..].starts_with(sign));
                let (start, end) = match next {
                    Some(next) => (start, end + next.len()),
                    None => (start - 1, end),
                };
                out.replace_range(start..end, "");
                from = start;
            }
            Some(sign) => {
                out.replace_range(start - sign.len()..end, "");
                from = start - sign.len();
            }
            None => from = end,
        }
    }
    (out != text).then_some(out)
}

/// Takes the previews of linked pages out of a record. What is left in `attachments` is content.
pub(super) fn take_previews(record: &mut Value) -> Vec<Embed> {
    let has_words = ["text", "blocks"].into_iter().any(|name| match &record[name] {
        Value::String(text) => !text.trim().is_empty(),
        Value::Array(blocks) => !blocks.is_empty(),
        _ => false,
    });
    let Some(Value::Array(attachments)) = record.get_mut("attachments").filter(|_| has_words) else {
        return Vec::new();
    };
    let mut embeds = Vec::new();
    attachments.retain(|attachment| {
        let url = ["original_url", "from_url"].into_iter().find_map(|name| attachment[name].as_str());
        // A message that somebody shares is content.
        let Some(url) = url.filter(|_| attachment["is_share"] != true) else { return true };
        let cut = |name: &str, most: usize| -> Option<String> {
            let text =
                attachment[name].as_str()?.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
            let text: String =
                text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(most).collect();
            (!text.is_empty()).then_some(text)
        };
        let is_web = url.starts_with("https://") || url.starts_with("http://");
        if let Some(title) = cut("title", MAX_TITLE)
            && is_web
            && embeds.len() < MAX_EMBEDS
        {
            embeds.push(Embed {
                url: url.to_owned(),
                title: Some(title),
                description: cut("text", MAX_DESCRIPTION),
                image_url: None,
                site_name: cut("service_name", MAX_SITE),
            });
        }
        false
    });
    embeds
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::without_tokens;

    proptest! {
        #[test]
        fn any_text_loses_its_tokens_and_nothing_else(text in "(https://x.é/|\\?|&|&amp;|t=xoxe-1|token=xoxp-2%|pub_secret=0|=xox|a=1| |é){0,12}") {
            let without = without_tokens(&text).unwrap_or_else(|| text.clone());
            for mark in ["?t=xox", "&t=xox", ";token=xox", "?token=xox", "?pub_secret=", "&pub_secret="] {
                prop_assert!(!without.contains(mark), "{text} {without}");
            }
            prop_assert_eq!(without.matches('é').count(), text.matches('é').count());
            prop_assert!(without_tokens(&without).is_none());
        }
    }
}
