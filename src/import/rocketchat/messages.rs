//! Messages.

use serde_json::Value;

use super::{
    super::{
        Error, Progress,
        archive::Archive,
        json, markup,
        model::{Body, Boost, FileRef, Message, Person},
        report::Kind,
        staging::Staging,
        times,
    },
    Known,
    files::Files,
    people::{self, ensure},
    text,
};
use crate::{
    text::Document,
    types::{Role, Status},
};

/// Messages between two reports of the progress.
const WATCHED: u64 = 4_096;

const SYSTEM: &str = "lines of the system: who came and left, calls, pins, new names";

pub(super) struct Messages<'a> {
    archive: &'a Archive,
    files: &'a Files,
    known: &'a mut Known,
    watch: &'a mut dyn FnMut(Progress),
    messages: u64,
}

impl<'a> Messages<'a> {
    pub(super) fn new(
        archive: &'a Archive,
        files: &'a Files,
        known: &'a mut Known,
        watch: &'a mut dyn FnMut(Progress),
    ) -> Self {
        Self { archive, files, known, watch, messages: 0 }
    }

    pub(super) fn take(&mut self, staging: &mut Staging<'_>, record: &Value) -> Result<(), Error> {
        self.messages += 1;
        if self.messages.is_multiple_of(WATCHED) {
            (self.watch)(Progress { stage: "reading", done: self.messages, total: 0 });
        }
        let id = json::id(&record["_id"]).unwrap_or_default();
        let room = json::id(&record["rid"]).unwrap_or_default();
        if let Some(reason) = self.left_out(record, &room) {
            let example = record["t"].as_str().unwrap_or(&id);
            staging.leave_out(Kind::Messages, reason, example);
            return Ok(());
        }
        let Some(at) = json::number(&record["ts"]).and_then(times::of_milliseconds) else {
            staging.leave_out(Kind::Messages, "without a time", &id);
            return Ok(());
        };
        if staging.known_room(&room).is_none() {
            staging.leave_out(Kind::Messages, "in a room that the export does not have", &id);
            return Ok(());
        }
        let author = self.author(staging, record)?;
        let typed = record["msg"].as_str().unwrap_or_default();
        let (quotes, typed) = text::without_quotes(typed);
        let mentioned = text::mentioned(record);
        let handles = &self.known.handles;
        let mut blocks = text::blocks(typed, staging, &mentioned, handles);
        let mut reply_to = None;
        for address in quotes {
            let Some((of, message)) = text::quoted(address) else { continue };
            if of == room || self.known.addressed.get(&room) == Some(&of) {
                reply_to.get_or_insert(message);
            }
        }
        let mut written = Vec::new();
        for attachment in json::list(&record["attachments"]) {
            if let Some(link) = json::text(&attachment["message_link"]) {
                // The answer shows what it answers, if that is in the same room.
                let is_shown = text::quoted(link).is_some_and(|(_, message)| reply_to == Some(message));
                if !is_shown {
                    let quoted = attachment["text"].as_str().unwrap_or_default();
                    blocks.insert(
                        0,
                        text::quote(attachment, text::blocks(quoted, staging, &mentioned, handles)),
                    );
                }
            } else if attachment["title_link"].as_str().is_some_and(|link| link.contains("/file-upload/")) {
                if let Some(description) = json::text(&attachment["description"]) {
                    blocks.extend(text::blocks(description, staging, &mentioned, handles));
                }
            } else {
                written.extend(text::attachment(attachment));
            }
        }
        let files = self.attached(staging, record)?;
        if files.is_empty() && written.is_empty() && Document::of(blocks.clone()).is_empty() {
            staging.leave_out(Kind::Messages, "without a content", &id);
            return Ok(());
        }
        let (reactions, unknown) = people::reactions(record, handles);
        for handle in unknown {
            staging.leave_out(Kind::Boosts, "of people whom the export does not name", &handle);
        }
        let Body::Markdown(mut content) = markup::body(blocks, typed) else { return Ok(()) };
        for attachment in written {
            if !content.is_empty() {
                content.push_str("\n\n");
            }
            content.push_str(&attachment);
        }
        let edited_at =
            json::number(&record["editedAt"]).and_then(times::of_milliseconds).map(|at| at / 1_000);
        staging.message(Message {
            key: id,
            room,
            author,
            at,
            body: Body::Markdown(content),
            edited_at,
            thread: json::id(&record["tmid"]),
            reply_to,
            files,
            boosts: reactions
                .into_iter()
                .map(|(person, content)| Boost { person, content, at: None })
                .collect(),
            ..Message::default()
        })
    }

    /// Why a message is none to take.
    fn left_out(&self, record: &Value, room: &str) -> Option<&'static str> {
        match record["t"].as_str() {
            Some("e2e" | "otr" | "otr-ack") => Some("end-to-end encrypted: nobody else can read them"),
            _ if self.known.left_out.contains_key(room) => Some("in rooms that were left out"),
            Some("rm") => Some("deleted"),
            Some("" | "e2e-plain") | None if record["_hidden"] == true => Some("former versions of messages"),
            Some("") | None => None,
            Some(_) => Some(SYSTEM),
        }
    }

    /// The key of who wrote. An integration goes by a name of its own.
    fn author(&self, staging: &mut Staging<'_>, record: &Value) -> Result<String, Error> {
        let user = &record["u"];
        let key = json::id(&user["_id"]).unwrap_or_else(|| "unknown".into());
        let is_bot = record["bot"].is_object() || self.known.bots.contains_key(&key);
        if let Some(alias) = json::text(&record["alias"]).filter(|_| is_bot) {
            let key = format!("alias {}", alias.trim());
            if staging.known_person(&key).is_none() {
                staging.person(Person {
                    role: Role::Bot,
                    status: Status::Deactivated,
                    ..Person::named(key.clone(), alias)
                })?;
            }
            return Ok(key);
        }
        ensure(
            staging,
            self.known,
            &key,
            json::text(&user["name"]).or_else(|| json::text(&user["username"])),
        )?;
        Ok(key)
    }

    fn attached(&self, staging: &mut Staging<'_>, record: &Value) -> Result<Vec<FileRef>, Error> {
        let listed = json::list(&record["files"]);
        // Before version 3.8 there was one.
        let listed = if listed.is_empty() && record["file"].is_object() {
            std::slice::from_ref(&record["file"])
        } else {
            listed
        };
        let mut files = Vec::new();
        for file in listed.iter().filter(|file| file["typeGroup"] != "thumb") {
            let Some(id) = json::id(&file["_id"]) else { continue };
            let name = json::text(&file["name"]).unwrap_or("file").to_owned();
            files.push(FileRef { place: self.files.place(&id, self.archive, staging)?, name });
        }
        Ok(files)
    }
}
