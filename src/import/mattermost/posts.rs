//! Posts with their replies.

use serde_json::{Value, json};

use super::{
    attached,
    people::person_key,
    rooms::{Rooms, direct_room, names, room_key},
    text::Texts,
};
use crate::{
    import::{
        Error,
        archive::Archive,
        history::missing,
        json,
        model::{Body, Boost, FileRef, Member, Message, Place},
        report::Kind,
        staging::Staging,
        write::MISSING,
    },
    text::{Block, Document, Inline, emoji_named, from_slack, same_boost},
    types::{HookFormat, TokenHash, hex},
};

/// The last millisecond of the year 9999.
const LAST_MILLISECOND: i64 = 253_402_300_799_999;

/// What tones of skin are called at the end of an emoji's name.
const TONES: [&str; 5] = [
    "_light_skin_tone",
    "_medium_light_skin_tone",
    "_medium_skin_tone",
    "_medium_dark_skin_tone",
    "_dark_skin_tone",
];

pub(super) struct Posts<'a> {
    pub(super) archive: &'a Archive,
    /// That of the lines.
    pub(super) path: &'a str,
    pub(super) rooms: &'a Rooms,
}

impl Posts<'_> {
    /// A post of a channel.
    pub(super) fn post(&mut self, record: &Value, staging: &mut Staging<'_>) -> Result<(), Error> {
        let team = json::text(&record["team"]).unwrap_or_default();
        let room = room_key(team, json::text(&record["channel"]).unwrap_or_default());
        self.thread(record, &room, team, staging)
    }

    /// A post of a direct channel, for which no other line may have told of the channel.
    pub(super) fn direct_post(&mut self, record: &Value, staging: &mut Staging<'_>) -> Result<(), Error> {
        let people = names(&record["channel_members"]);
        if people.is_empty() {
            staging.leave_out(Kind::Messages, "in a direct room of nobody", "");
            return Ok(());
        }
        let members = people.iter().map(Member::of).collect();
        let room = direct_room(&people, members, staging)?;
        self.thread(record, &room, "", staging)
    }

    fn thread(
        &mut self,
        record: &Value,
        room: &str,
        team: &str,
        staging: &mut Staging<'_>,
    ) -> Result<(), Error> {
        let first = self.message(record, room, team, None, staging)?;
        for reply in json::list(&record["replies"]) {
            self.message(reply, room, team, first.as_deref(), staging)?;
        }
        Ok(())
    }

    /// Takes a message. Returns its key; None if it is left out.
    fn message(
        &mut self,
        record: &Value,
        room: &str,
        team: &str,
        thread: Option<&str>,
        staging: &mut Staging<'_>,
    ) -> Result<Option<String>, Error> {
        let kind = record["type"].as_str().unwrap_or_default();
        let handle = json::text(&record["user"]).unwrap_or_default();
        let created = json::number(&record["create_at"]).filter(|at| (1..=LAST_MILLISECOND).contains(at));
        let (Some(at), false) = (created, handle.is_empty()) else {
            staging.leave_out(Kind::Messages, "without an author or a time", room);
            return Ok(None);
        };
        if kind.starts_with("system_") && kind != "system_auto_responder" {
            staging.leave_out(
                Kind::Messages,
                "lines of Mattermost about joining, leaving and settings of rooms",
                kind,
            );
            return Ok(None);
        }
        let author = person_key(handle);
        staging.person_or(&author, || handle.to_owned())?;
        let typed = record["message"].as_str().unwrap_or_default();
        let props = properties(&record["props"]);
        let mut parts = Vec::new();
        if let Some(name) = json::text(&props["override_username"])
            && staging.known_person(&author).is_none_or(|(_, known)| known != name.trim())
        {
            // A webhook chooses its name for each message. Its posts are those of who has made it.
            let words = vec![Inline::Strong(vec![Inline::Text(name.trim().to_owned())])];
            parts.push(Document::of(vec![Block::Paragraph(words)]).write(|_| None).content);
        }
        let named = parts.len();
        if !typed.trim().is_empty() {
            parts.push(Texts { staging, rooms: self.rooms, team }.markdown(typed));
        }
        let payload = json!({ "attachments": props["attachments"] });
        let attachments = from_slack(&payload, HookFormat::Markdown, |_| None);
        parts.extend(attachments.map(|message| message.document.write(|_| None).content));
        let (files, lost) = self.files(record, staging);
        if parts.len() == named && files.is_empty() && lost.is_empty() {
            staging.leave_out(Kind::Messages, "without anything in them", kind);
            return Ok(None);
        }
        let mut content = parts.join("\n\n");
        lost.iter().for_each(|name| missing(&mut content, name));
        if record["is_pinned"] == true {
            staging.leave_out(Kind::Others, "pins: messages here cannot be pinned", room);
        }
        for name in json::list(&record["flagged_by"]).iter().filter_map(json::text) {
            staging.leave_out(Kind::Others, "saved messages: messages here cannot be saved", name);
        }
        let key = format!("{at}-{author}-{}", &hex(&TokenHash::of(typed).0)[..8]);
        let boosts = boosts(record, staging)?;
        staging.message(Message {
            key: key.clone(),
            room: room.to_owned(),
            author,
            at: at * 1_000,
            body: Body::Markdown(content),
            edited_at: json::number(&record["edit_at"]).filter(|at| (1..=LAST_MILLISECOND).contains(at)),
            thread: thread.map(str::to_owned),
            files,
            boosts,
            ..Message::default()
        })?;
        Ok(Some(key))
    }

    /// The files of a message, and the names of those that are not in the export.
    fn files(&self, record: &Value, staging: &mut Staging<'_>) -> (Vec<FileRef>, Vec<String>) {
        let (mut files, mut lost) = (Vec::new(), Vec::new());
        for path in json::list(&record["attachments"]).iter().filter_map(|one| json::text(&one["path"])) {
            let name = path.rsplit(['/', '\\']).next().unwrap_or(path).to_owned();
            match attached(self.archive, self.path, path) {
                Some(place) => files.push(FileRef { place: Place::Archive(place), name }),
                None => {
                    staging.leave_out(Kind::Files, MISSING, &name);
                    lost.push(name);
                }
            }
        }
        (files, lost)
    }
}

/// Properties, which some servers write as a text with JSON in it.
fn properties(props: &Value) -> Value {
    match props {
        Value::String(text) => serde_json::from_str(text).unwrap_or_default(),
        props => props.clone(),
    }
}

/// The reactions, in any tone of skin once of a person.
fn boosts(record: &Value, staging: &mut Staging<'_>) -> Result<Vec<Boost>, Error> {
    let mut boosts: Vec<Boost> = Vec::new();
    for reaction in json::list(&record["reactions"]) {
        let (Some(handle), Some(name)) = (json::text(&reaction["user"]), json::text(&reaction["emoji_name"]))
        else {
            staging.leave_out(Kind::Boosts, "without a person or an emoji", "");
            continue;
        };
        let base = TONES.iter().find_map(|tone| name.strip_suffix(tone)).unwrap_or(name);
        let content = emoji_named(base).map_or_else(|| format!(":{name}:"), |emoji| same_boost(&emoji));
        let person = person_key(handle);
        staging.person_or(&person, || handle.to_owned())?;
        let at = json::number(&reaction["create_at"]).filter(|at| (1..=LAST_MILLISECOND).contains(at));
        if !boosts.iter().any(|boost| boost.person == person && boost.content == content) {
            boosts.push(Boost { person, content, at });
        }
    }
    Ok(boosts)
}
