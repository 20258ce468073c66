//! Telegram Desktop's export in JSON, of one chat or of a whole account.

mod attached;
mod repair;
#[cfg(test)]
mod tests;
mod text;

use std::{cell::Cell, collections::HashSet};

use serde_json::Value;

use self::repair::Repaired;
use super::{
    Error, Progress,
    archive::Archive,
    json::{self, End, Flow, Step, Taker},
    markup,
    model::{Member, Message, Person, Room},
    report::Kind,
    staging::Staging,
    times,
};
use crate::{
    text::{Block, Document},
    types::{Role, RoomKind, Status, UserId},
};

/// Messages between two reports of the progress.
const WATCHED: u64 = 4_096;

const SYSTEM: &str = "lines of the system: who came and left, calls, pins, new names";

pub(super) fn read(
    archive: &Archive,
    staging: &mut Staging<'_>,
    watch: &mut dyn FnMut(Progress),
) -> Result<(), Error> {
    let files = exports(archive);
    if files.is_empty() {
        let is_html = archive.files().any(|(name, _)| name.ends_with("messages.html"));
        return Err(Error(match is_html {
            true => "this export is in HTML; export again with the format \"Machine-readable JSON\"".into(),
            false => "there is no result.json in it".into(),
        }));
    }
    let repairs = Cell::new(0);
    let mut reader = Reader::new(archive, staging, watch);
    for name in files {
        reader.folder = name.rfind('/').map_or_else(String::new, |slash| name[..=slash].to_owned());
        reader.file = name.clone();
        reader.chat = Head::default();
        let end = archive.read(&name, |input| json::each(Repaired::new(input, &repairs), &mut reader))?;
        reader.end_of_file(end)?;
    }
    if repairs.get() > 0 {
        reader.staging.report.remark(format!(
            "{} places of the export were not JSON, as Telegram Desktop writes control characters and some names of files; they were repaired.",
            repairs.get()
        ));
    }
    match reader.chats {
        0 => Err(Error("there is no chat of Telegram in it".into())),
        _ => {
            staging.report.remark(
                "Telegram's people come without e-mail addresses and passwords: invite them in the settings, or with `campfire admin invite NAME`.",
            );
            Ok(())
        }
    }
}

/// Each `result.json`, but not one that was sent as a file; or the only file.
fn exports(archive: &Archive) -> Vec<String> {
    let all: Vec<&str> = archive
        .files()
        .map(|(name, _)| name)
        .filter(|name| name.rsplit('/').next() == Some("result.json"))
        .collect();
    let folder = |name: &str| name[..name.len() - "result.json".len()].to_owned();
    let is_sent = |name: &str| all.iter().any(|other| *other != name && name.starts_with(&folder(other)));
    let found: Vec<String> =
        all.iter().filter(|name| !is_sent(name)).map(|name| (*name).to_owned()).collect();
    match found.is_empty() {
        true => archive
            .files()
            .map(|(name, _)| name.to_owned())
            .filter(|name| name.ends_with(".json") && !name.contains('/'))
            .collect(),
        false => found,
    }
}

/// What stands before the messages of a chat.
#[derive(Default)]
struct Head {
    name: Option<String>,
    kind: Option<String>,
    id: Option<i64>,
    /// The key of its room, once it is made.
    room: Option<String>,
    authors: HashSet<String>,
}

struct Reader<'a, 'b> {
    archive: &'a Archive,
    staging: &'a mut Staging<'b>,
    watch: &'a mut dyn FnMut(Progress),
    file: String,
    folder: String,
    chat: Head,
    /// The key of the account's owner, in an export of a whole account.
    owner: Option<String>,
    /// Keys of people whose names are known.
    named: HashSet<String>,
    emoji: HashSet<String>,
    chats: u64,
    messages: u64,
}

impl Taker for Reader<'_, '_> {
    fn step(&self, path: &str) -> Step {
        let path = path.strip_prefix("/left_chats").or_else(|| path.strip_prefix("/chats")).unwrap_or(path);
        let of_chat = path.strip_prefix("/list[]").unwrap_or(path);
        match (path, of_chat) {
            ("" | "/list", _) | (_, "" | "/messages") => Step::Enter,
            ("/personal_information", _) | (_, "/name" | "/type" | "/id" | "/messages[]") => Step::Record,
            _ => Step::Skip,
        }
    }

    fn record(&mut self, path: &str, record: Option<Value>) -> Result<Flow, Error> {
        let Some(record) = record else {
            self.staging.leave_out(Kind::Messages, "records that are not valid JSON", path);
            return Ok(Flow::Continue);
        };
        let member = path.rsplit_once('/').map_or("", |(_, member)| member);
        match member {
            "name" => self.chat.name = json::text(&record).map(str::to_owned),
            "type" => self.chat.kind = json::text(&record).map(str::to_owned),
            "id" => self.chat.id = json::number(&record),
            "personal_information" => self.owner(&record)?,
            _ => self.message(&record)?,
        }
        Ok(Flow::Continue)
    }

    fn left(&mut self, path: &str) -> Result<(), Error> {
        // A chat ends with its object.
        match path.is_empty() || path.ends_with("/list[]") {
            true => self.end_of_chat(),
            false => Ok(()),
        }
    }
}

impl<'a, 'b> Reader<'a, 'b> {
    fn new(archive: &'a Archive, staging: &'a mut Staging<'b>, watch: &'a mut dyn FnMut(Progress)) -> Self {
        Self {
            archive,
            staging,
            watch,
            file: String::new(),
            folder: String::new(),
            chat: Head::default(),
            owner: None,
            named: HashSet::new(),
            emoji: HashSet::new(),
            chats: 0,
            messages: 0,
        }
    }

    fn end_of_file(&mut self, end: End) -> Result<(), Error> {
        if let End::Damaged(why) = end {
            self.end_of_chat()?;
            self.staging.leave_out(
                Kind::Others,
                "files that are damaged: what stood before the place was taken",
                &self.file,
            );
            self.staging.report.remark(format!("{} cannot be read to its end: {why}.", self.file));
        }
        Ok(())
    }

    fn owner(&mut self, record: &Value) -> Result<(), Error> {
        let Some(id) = json::number(&record["user_id"]) else { return Ok(()) };
        let key = format!("user{id}");
        let name =
            ["first_name", "last_name"].map(|part| json::text(&record[part]).unwrap_or_default()).join(" ");
        self.person(&key, json::text(&name.into()))?;
        self.owner = Some(key);
        Ok(())
    }

    fn end_of_chat(&mut self) -> Result<(), Error> {
        if self.chat.id.is_some() {
            self.room()?;
        }
        let chat = std::mem::take(&mut self.chat);
        let Some(room) = chat.room else { return Ok(()) };
        let mut authors: Vec<String> = chat.authors.into_iter().collect();
        authors.sort_unstable();
        for author in authors {
            self.staging.add_member(&room, &Member::of(author))?;
        }
        Ok(())
    }

    /// The room of the chat, which is made when it is needed first.
    fn room(&mut self) -> Result<String, Error> {
        if let Some(room) = &self.chat.room {
            return Ok(room.clone());
        }
        self.chats += 1;
        let (class, kind) = match self.chat.kind.as_deref().unwrap_or_default() {
            "personal_chat" | "bot_chat" | "saved_messages" | "replies" | "verification_codes" => {
                ("user", RoomKind::Direct)
            }
            "private_group" => ("chat", RoomKind::Closed),
            "public_supergroup" | "public_channel" => ("channel", RoomKind::Open),
            "private_supergroup" | "private_channel" => ("channel", RoomKind::Closed),
            _ => ("unknown", RoomKind::Closed),
        };
        let key = match self.chat.id {
            Some(id) => format!("{class}{id}"),
            None => format!("{}/{}", self.file, self.chats),
        };
        if kind == RoomKind::Direct {
            let is_own = self.chat.kind.as_deref() == Some("saved_messages");
            if self.chat.kind.as_deref() == Some("bot_chat") && self.named.insert(key.clone()) {
                let name = self.chat.name.clone().unwrap_or_default();
                let bot =
                    Person { role: Role::Bot, status: Status::Deactivated, ..Person::named(&*key, name) };
                self.staging.person(bot)?;
            } else if !is_own {
                let name = self.chat.name.clone();
                self.person(&key, name.as_deref())?;
            }
            self.chat.authors.extend((!is_own).then(|| key.clone()));
            self.chat.authors.extend(self.owner.clone());
        }
        // A chat may stand in several exports, each with a part of it.
        if self.staging.known_room(&key).is_none() {
            self.staging.room(Room {
                key: key.clone(),
                id: None,
                name: (kind != RoomKind::Direct)
                    .then(|| self.chat.name.clone().unwrap_or_else(|| "Telegram".into())),
                kind,
                creator: None,
                created_at: None,
                members: Vec::new(),
                is_archived: false,
            })?;
        }
        self.chat.room = Some(key.clone());
        Ok(key)
    }

    /// Somebody by key, with the name if the export has one: it has none of accounts that were deleted.
    fn person(&mut self, key: &str, name: Option<&str>) -> Result<UserId, Error> {
        let Some(name) = name else { return self.staging.person_or(key, || "Deleted Account".into()) };
        if self.named.contains(key) {
            return self.staging.person_or(key, String::new);
        }
        self.named.insert(key.to_owned());
        // Channels and groups that write as such are nobody who could sign in.
        let status = if key.starts_with("user") { Status::Active } else { Status::Deactivated };
        self.staging.person(Person { status, ..Person::named(key, name) })
    }

    /// The key of who wrote, or reacted.
    fn who(&mut self, record: &Value) -> Result<String, Error> {
        let name = json::text(&record["from"]);
        let key = match (json::id(&record["from_id"]), name) {
            // Before 2021 it was a number.
            (Some(id), _) if id.bytes().all(|byte| byte.is_ascii_digit()) => format!("user{id}"),
            (Some(id), _) => id,
            (None, Some(name)) => format!("name {name}"),
            (None, None) => "unknown".into(),
        };
        self.person(&key, name)?;
        Ok(key)
    }

    fn message(&mut self, record: &Value) -> Result<(), Error> {
        self.messages += 1;
        if self.messages.is_multiple_of(WATCHED) {
            (self.watch)(Progress { stage: "reading", done: self.messages, total: 0 });
        }
        let room = self.room()?;
        let id = json::number(&record["id"]);
        let example = id.map_or_else(String::new, |id| id.to_string());
        match record["type"].as_str() {
            Some("message") => {}
            Some("service") => {
                self.staging.leave_out(Kind::Messages, SYSTEM, record["action"].as_str().unwrap_or_default());
                return Ok(());
            }
            _ => {
                self.staging.leave_out(Kind::Messages, "of a kind that Telegram did not export", &example);
                return Ok(());
            }
        }
        let (Some(id), Some(at)) = (id, self.at(record)) else {
            self.staging.leave_out(Kind::Messages, "without an id or a time", &example);
            return Ok(());
        };
        let files = self.files(record);
        let blocks = self.blocks(record, files.is_empty())?;
        if files.is_empty() && Document::of(blocks.clone()).is_empty() {
            self.staging.leave_out(Kind::Messages, "without a content that can be read", &example);
            return Ok(());
        }
        let author = self.who(record)?;
        self.chat.authors.insert(author.clone());
        let is_elsewhere = !record["reply_to_peer_id"].is_null();
        let reply_to = json::id(&record["reply_to_message_id"]).filter(|_| !is_elsewhere);
        let edited_at =
            json::number(&record["edited_unixtime"]).and_then(times::of_seconds).map(|at| at / 1_000);
        let boosts = self.boosts(record)?;
        self.staging.message(Message {
            key: id.to_string(),
            room,
            author,
            at,
            // Many share a second.
            order: id,
            body: markup::body(blocks, &text::typed(record)),
            edited_at,
            reply_to,
            files,
            boosts,
            ..Message::default()
        })
    }

    fn at(&mut self, record: &Value) -> Option<i64> {
        if let Some(seconds) = json::number(&record["date_unixtime"]) {
            return times::of_seconds(seconds);
        }
        let moment: jiff::Timestamp = format!("{}Z", record["date"].as_str()?).parse().ok()?;
        self.staging
            .report
            .changed("times without a zone, of exports before 2021: they are taken as UTC", "");
        times::of_seconds(moment.as_second())
    }

    fn blocks(&mut self, record: &Value, has_no_file: bool) -> Result<Vec<Block>, Error> {
        let mut failed = None;
        let mut blocks = text::blocks(record, |id, name| {
            let key = format!("user{id}");
            if let Err(error) = self.staging.person_or(&key, || name.to_owned()) {
                failed = Some(error);
            }
            self.staging.known_person(&key).map(|(id, name)| (id, name.to_owned()))
        });
        if let Some(error) = failed {
            return Err(error);
        }
        for piece in json::list(&record["text_entities"]) {
            if piece["type"] == "custom_emoji" {
                self.custom_emoji(piece);
            }
        }
        blocks.extend(text::extras(record));
        if let Some(emoji) = json::text(&record["sticker_emoji"]).filter(|_| has_no_file || blocks.is_empty())
        {
            blocks.insert(0, Block::Paragraph(markup::plain(emoji)));
        }
        // The member is there also where the name is not known.
        if record.get("forwarded_from").is_some() {
            let from = json::text(&record["forwarded_from"]).unwrap_or("somebody");
            blocks.insert(0, markup::note(format!("Forwarded from {from}")));
        }
        if let Some(author) = json::text(&record["author"]) {
            blocks.push(markup::note(format!("— {author}")));
        }
        Ok(blocks)
    }
}
