//! Messages, a day of a channel at a time.

use std::cell::RefCell;

use serde_json::{Value, json};

use super::{
    each,
    files::Files,
    note_damage,
    people::{NOBODY, People},
    rooms::{Channel, Rooms},
    text::{Names, markdown, message_key, remove_tokens, take_previews},
};
use crate::{
    import::{
        Error,
        archive::Archive,
        json,
        model::{Body, Boost, Message},
        report::Kind,
        staging::Staging,
    },
    text::{Block, Document, Inline, emoji_named, from_slack_export, same_boost},
};

/// Subtypes of lines that Slack writes about a channel, beside those that begin with its word.
const LINES: [&str; 16] = [
    "bot_add",
    "bot_remove",
    "bot_enable",
    "bot_disable",
    "pinned_item",
    "unpinned_item",
    "sh_room_created",
    "sh_room_shared",
    "app_conversation_join",
    "app_conversation_leave",
    "joiner_notification",
    "joiner_notification_for_inviter",
    "tabbed_canvas_updated",
    "document_mention",
    "message_replied",
    "mpim_added",
];
const BEGINNINGS: [&str; 4] = ["channel_", "group_", "added_to_", "conversation_"];

/// Bytes of a text that is read for its marks. A longer one is kept as it was typed: marks are cut off beyond this.
const MAX_MARKED: usize = 56 << 10;

/// Names of a huddle's participants.
const MAX_PARTICIPANTS: usize = 20;

/// The last second of the year 9999.
const LAST_SECOND: i64 = 253_402_300_799;

pub(super) struct Reader<'r> {
    pub(super) archive: &'r Archive,
    pub(super) roots: &'r [String],
    pub(super) people: People,
    pub(super) rooms: &'r Rooms,
}

impl Reader<'_> {
    /// Takes the messages of a file.
    pub(super) fn day(
        &mut self,
        path: &str,
        root: usize,
        folder: &str,
        staging: &mut Staging<'_>,
    ) -> Result<(), Error> {
        let Some((id, channel)) = self.rooms.of_folder(root, folder) else {
            staging.leave_out(Kind::Others, "days of a channel that is in no list", path);
            return Ok(());
        };
        let is_whole = each(self.archive, path, staging, &mut |staging, record| match record {
            Some(record) => self.message(record, path, id, channel, staging),
            None => {
                staging.leave_out(Kind::Messages, "that cannot be read", path);
                Ok(())
            }
        })?;
        if !is_whole {
            note_damage(path, staging);
        }
        Ok(())
    }

    fn message(
        &mut self,
        mut record: Value,
        path: &str,
        id: &str,
        channel: &Channel,
        staging: &mut Staging<'_>,
    ) -> Result<(), Error> {
        let subtype = record["subtype"].as_str().unwrap_or_default().to_owned();
        let kind = record["type"].as_str().unwrap_or("message");
        let Some(at) = moment(&record["ts"]) else {
            staging.leave_out(Kind::Messages, "without a time", path);
            return Ok(());
        };
        if kind != "message" {
            staging.leave_out(Kind::Messages, "that are other records", kind);
            return Ok(());
        }
        if LINES.contains(&subtype.as_str()) || BEGINNINGS.iter().any(|word| subtype.starts_with(word)) {
            staging.leave_out(
                Kind::Messages,
                "lines of Slack about joining, leaving and settings of rooms",
                &subtype,
            );
            return Ok(());
        }
        let Some(author) = self.people.author(staging, &record)? else {
            staging.leave_out(Kind::Messages, "of nobody", path);
            return Ok(());
        };
        remove_tokens(&mut record);
        let embeds = take_previews(&mut record);
        let root = self.roots.iter().rev().find(|root| path.starts_with(root.as_str()));
        let folder = path.rfind('/').map_or("", |place| &path[..=place]);
        let folders = [root.map_or("", String::as_str), self.roots[0].as_str(), folder];
        let files = Files::of(&record, self.archive, &folders, staging);
        let document = self.document(&record, &subtype, &author, channel, staging)?;
        let mut content = match document {
            Some(document) => markdown(document, self.rooms),
            None => long_text(&record).unwrap_or_default(),
        };
        if !files.words.is_empty() {
            let words = markdown(Document::of(files.words), self.rooms);
            content = if content.is_empty() { words } else { format!("{content}\n\n{words}") };
        }
        if content.is_empty() && files.there.is_empty() {
            staging.leave_out(Kind::Messages, "without anything in them", path);
            return Ok(());
        }
        let thread = moment(&record["thread_ts"]).filter(|thread| *thread != at);
        let boosts = self.boosts(&record, staging)?;
        staging.message(Message {
            key: message_key(id, at),
            room: channel.key.clone(),
            author,
            at,
            body: Body::Markdown(content),
            edited_at: moment(&record["edited"]["ts"]).map(|at| at / 1_000),
            thread: thread.map(|thread| message_key(id, thread)),
            files: files.there,
            boosts,
            embeds,
            ..Message::default()
        })
    }

    /// The text of a message; None if it has none, or a very long one.
    fn document(
        &mut self,
        record: &Value,
        subtype: &str,
        author: &str,
        channel: &Channel,
        staging: &mut Staging<'_>,
    ) -> Result<Option<Document>, Error> {
        match subtype {
            "tombstone" => {
                let words = vec![Inline::Text("This message was deleted.".into())];
                return Ok(Some(Document::of(vec![Block::Paragraph(vec![Inline::Emphasis(words)])])));
            }
            "huddle_thread" => return self.huddle(&record["room"], staging).map(Some),
            _ => {}
        }
        let of_file = &record["file"]["initial_comment"]["comment"];
        let single = match subtype {
            "file_comment" => Some(json!({ "text": record["comment"]["comment"] })),
            // Before 2018 the text says in English who has uploaded what.
            "file_share" if record["file"].is_object() && record["upload"] != false => {
                Some(json!({ "text": of_file }))
            }
            _ => None,
        };
        let read = single.as_ref().unwrap_or(record);
        if single.is_none() && long_text(record).is_some() {
            return Ok(None);
        }
        let bot = self.people.is_bot(author).then(|| staging.known_person(author)).flatten();
        let known_as = bot.map(|(_, name)| name.to_owned());
        let names = Names {
            inner: RefCell::new((staging, &mut self.people)),
            rooms: self.rooms,
            here: channel.room,
            failed: RefCell::default(),
        };
        let message = from_slack_export(read, &names);
        if let Some(error) = names.failed.into_inner() {
            return Err(error);
        }
        Ok(message.map(|message| match known_as {
            Some(name) => message.under_name(&name),
            None if subtype == "me_message" => message.document.emphasized(),
            None => message.document,
        }))
    }

    /// A call: who was in it, and how long.
    fn huddle(&mut self, room: &Value, staging: &mut Staging<'_>) -> Result<Document, Error> {
        let mut words = "Huddle".to_owned();
        let times = (json::number(&room["date_start"]), json::number(&room["date_end"]));
        if let (Some(start), Some(end)) = times
            && let minutes = end.saturating_sub(start).saturating_add(59) / 60
            && minutes > 0
        {
            words.push_str(&format!(", {minutes} {}", if minutes == 1 { "minute" } else { "minutes" }));
        }
        let mut names = Vec::new();
        let history = json::list(&room["participant_history"]);
        for id in history.iter().filter_map(json::text).take(MAX_PARTICIPANTS) {
            let key = self.people.key(staging, id, None)?;
            names.extend(staging.known_person(&key).map(|(_, name)| name.to_owned()));
        }
        if history.len() > names.len() && !names.is_empty() {
            names.push("…".into());
        }
        if !names.is_empty() {
            words.push_str(&format!(": {}", names.join(", ")));
        }
        Ok(Document::of(vec![Block::Paragraph(vec![
            Inline::Text("🎧 ".into()),
            Inline::Emphasis(vec![Inline::Text(words)]),
        ])]))
    }

    /// The reactions, in any tone of skin once of a person.
    fn boosts(&mut self, record: &Value, staging: &mut Staging<'_>) -> Result<Vec<Boost>, Error> {
        let mut boosts: Vec<Boost> = Vec::new();
        for reaction in json::list(&record["reactions"]) {
            let Some(name) = json::text(&reaction["name"]) else { continue };
            let name = name.split("::").next().unwrap_or_default();
            let content = emoji_named(name).map_or_else(|| format!(":{name}:"), |emoji| same_boost(&emoji));
            let users = json::list(&reaction["users"]);
            if reaction["count"].as_u64().is_some_and(|count| count > users.len() as u64) {
                staging.report.changed("boosts of which the export does not name all people", &content);
            }
            for id in users.iter().filter_map(json::text).filter(|id| *id != NOBODY) {
                let person = self.people.key(staging, id, None)?;
                let boost = Boost { person, content: content.clone(), at: None };
                if !boosts.contains(&boost) {
                    boosts.push(boost);
                }
            }
        }
        Ok(boosts)
    }
}

/// A text that is too long to be read for its marks.
fn long_text(record: &Value) -> Option<String> {
    let text = record["text"].as_str().filter(|text| text.len() > MAX_MARKED)?;
    Some(text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
}

/// A time like `1767340800.000100`, in microseconds.
fn moment(value: &Value) -> Option<i64> {
    let text = json::id(value)?;
    let (seconds, fraction) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(fraction) || !is_number(seconds) {
        return None;
    }
    let seconds: i64 = seconds.parse().ok().filter(|seconds| (1..=LAST_SECOND).contains(seconds))?;
    let digits: String = fraction.chars().chain("000000".chars()).take(6).collect();
    Some(seconds * 1_000_000 + digits.parse::<i64>().ok()?)
}
