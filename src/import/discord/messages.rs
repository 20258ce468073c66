//! Messages of one channel.

use std::collections::HashSet;

use serde_json::Value;

use super::{
    super::{
        Error, Progress,
        archive::Archive,
        json::{self, Flow, Step, Taker},
        markup,
        model::{Boost, FileRef, Member, Message, Person, Place},
        report::Kind,
        staging::Staging,
        times,
    },
    Channel, Seen, Thread,
    text::{self, Mentioned},
};
use crate::{
    text::{Block, Document, Inline},
    types::{Embed, Role, Status},
};

/// Messages between two reports of the progress.
const WATCHED: u64 = 4_096;

/// Names of roles that are remembered.
const MAX_ROLES: usize = 10_000;

/// All deleted accounts are this one.
const DELETED: &str = "456226577798135808";

/// The first moment of Discord's ids, in milliseconds.
const EPOCH: i64 = 1_420_070_400_000;

const SYSTEM: &str = "lines of the system: who came and left, calls, pins, new names, boosts";

pub(super) struct Messages<'a, 'b> {
    archive: &'a Archive,
    pub(super) staging: &'a mut Staging<'b>,
    watch: &'a mut dyn FnMut(Progress),
    folder: String,
    room: String,
    thread: Option<Thread>,
    seen: Seen,
    named: HashSet<String>,
    messages: u64,
    /// Names stand where ids were typed.
    pub(super) is_written_out: bool,
}

impl Taker for Messages<'_, '_> {
    fn step(&self, path: &str) -> Step {
        match path {
            "" | "/messages" => Step::Enter,
            "/messages[]" => Step::Record,
            _ => Step::Skip,
        }
    }

    fn record(&mut self, _path: &str, record: Option<Value>) -> Result<Flow, Error> {
        match record {
            Some(record) => self.message(&record)?,
            None => self.staging.leave_out(Kind::Messages, "records that are not valid JSON", ""),
        }
        Ok(Flow::Continue)
    }
}

/// The kind of a message: a word, or a number of those that the exporter has no word for.
fn kind(record: &Value) -> String {
    json::id(&record["type"]).unwrap_or_default()
}

/// The empty line with which a thread refers to the message that it began with.
pub(super) fn is_starter(record: &Value) -> bool {
    matches!(kind(record).as_str(), "21" | "ThreadStarterMessage")
}

impl<'a, 'b> Messages<'a, 'b> {
    pub(super) fn new(
        archive: &'a Archive,
        staging: &'a mut Staging<'b>,
        watch: &'a mut dyn FnMut(Progress),
    ) -> Self {
        Self {
            archive,
            staging,
            watch,
            folder: String::new(),
            room: String::new(),
            thread: None,
            seen: Seen::default(),
            named: HashSet::new(),
            messages: 0,
            is_written_out: false,
        }
    }

    pub(super) fn begin(&mut self, channel: &Channel) {
        let file = &channel.file;
        self.folder = file.rfind('/').map_or_else(String::new, |slash| file[..=slash].to_owned());
        self.room.clone_from(&channel.room);
        self.thread.clone_from(&channel.thread);
    }

    pub(super) fn end(&mut self) -> Result<(), Error> {
        let mut members: Vec<String> = self.seen.members.drain().collect();
        members.sort_unstable();
        for member in members {
            self.staging.add_member(&self.room, &Member::of(member))?;
        }
        Ok(())
    }

    /// Takes a person and returns the key.
    fn person(&mut self, record: &Value) -> Result<String, Error> {
        let Some(id) = json::id(&record["id"]) else {
            self.staging.person_or("unknown", || "Somebody".into())?;
            return Ok("unknown".into());
        };
        for role in json::list(&record["roles"]) {
            if let (Some(id), Some(name)) = (json::id(&role["id"]), json::text(&role["name"]))
                && self.seen.roles.len() < MAX_ROLES
            {
                self.seen.roles.insert(id, name.to_owned());
            }
        }
        if !self.named.insert(id.clone()) {
            return Ok(id);
        }
        let name =
            json::text(&record["nickname"]).or_else(|| json::text(&record["name"])).unwrap_or("Somebody");
        let is_bot = record["isBot"] == true;
        let path = Archive::beside(&self.folder, record["avatarUrl"].as_str().unwrap_or_default());
        let avatar =
            self.archive.has(&path).then(|| FileRef { place: Place::Archive(path), name: String::new() });
        self.staging.person(Person {
            role: if is_bot { Role::Bot } else { Role::Member },
            // Bots speak to Discord, so that none could answer here.
            status: if is_bot || id == DELETED { Status::Deactivated } else { Status::Active },
            avatar,
            ..Person::named(id.clone(), name)
        })?;
        Ok(id)
    }

    fn message(&mut self, record: &Value) -> Result<(), Error> {
        self.messages += 1;
        if self.messages.is_multiple_of(WATCHED) {
            (self.watch)(Progress { stage: "reading", done: self.messages, total: 0 });
        }
        let id = json::id(&record["id"]).unwrap_or_default();
        let number = id.parse::<i64>().ok();
        let by_id = number.and_then(|id| times::of_milliseconds((id >> 22) + EPOCH));
        let (Some(order), Some(at)) = (number, times::of_text(record["timestamp"].as_str()).or(by_id)) else {
            self.staging.leave_out(Kind::Messages, "without an id or a time", &id);
            return Ok(());
        };
        if is_starter(record) {
            self.staging.leave_out(Kind::Messages, "empty first lines of threads", &id);
            return Ok(());
        }
        let kind = kind(record);
        // Commands have numbers; what has another is taken if there is something in it.
        let is_content = ["Default", "Reply", "0", "19", "20", "23", ""].contains(&kind.as_str());
        let is_known = kind.parse::<u32>().is_err() || (1..=18).any(|number: u32| kind == number.to_string());
        if !is_content && is_known {
            let what = record["content"].as_str().unwrap_or(&kind);
            self.staging.leave_out(Kind::Messages, SYSTEM, what);
            return Ok(());
        }
        let author = self.person(&record["author"])?;
        let mentioned = self.mentioned(record)?;
        let typed = text::unsigned(record["content"].as_str().unwrap_or_default());
        let mut blocks = text::blocks(&typed, self.staging, &mentioned, &self.seen.roles);
        let mut files = self.files(record);
        let embeds = self.embeds(record, &typed, &mentioned, &mut blocks);
        self.forwarded(record, &mentioned, &mut blocks, &mut files);
        if files.is_empty() && embeds.is_empty() && Document::of(blocks.clone()).is_empty() {
            self.staging.leave_out(Kind::Messages, "without a content", &id);
            return Ok(());
        }
        self.seen.members.insert(author.clone());
        self.introduce(record, &author, &mut blocks)?;
        let (mut root, mut title) = (None, None);
        if let Some(thread) = &self.thread {
            match thread.root == id {
                true => title.clone_from(&thread.title),
                false => root = Some(thread.root.clone()),
            }
        }
        if let Some(title) = title {
            blocks
                .insert(0, Block::Paragraph(vec![Inline::Strong(vec![Inline::Text(markup::tidy(&title))])]));
        }
        let reference = &record["reference"];
        let is_forward = reference["type"] == "Forward";
        let reply_to = json::id(&reference["messageId"]).filter(|_| !is_forward && is_content);
        let boosts = self.boosts(record)?;
        self.emoji(json::list(&record["inlineEmojis"]).iter());
        self.staging.message(Message {
            key: id,
            room: self.room.clone(),
            author,
            at,
            order,
            body: markup::body(blocks, &typed),
            edited_at: times::of_text(record["timestampEdited"].as_str()).map(|at| at / 1_000),
            thread: root,
            reply_to,
            files,
            boosts,
            embeds,
            ..Message::default()
        })
    }

    /// Whom a message mentions, by the names that the exporter writes.
    fn mentioned(&mut self, record: &Value) -> Result<Mentioned, Error> {
        let content = record["content"].as_str().unwrap_or_default();
        let mut found = Mentioned::new();
        for person in json::list(&record["mentions"]) {
            let key = self.person(person)?;
            let name = json::text(&person["nickname"]).or_else(|| json::text(&person["name"]));
            let is_raw = content.contains(&format!("<@{key}>")) || content.contains(&format!("<@!{key}>"));
            if let (Some(name), false, Some((id, shown))) = (name, is_raw, self.staging.known_person(&key)) {
                self.is_written_out |= content.contains(&format!("@{name}"));
                found.push((name.to_owned(), id, shown.to_owned()));
            }
        }
        Ok(found)
    }

    /// Says what a reader would not see: the name that a hook goes by, and the command that a bot answers.
    fn introduce(&mut self, record: &Value, author: &str, blocks: &mut Vec<Block>) -> Result<(), Error> {
        let author_name =
            json::text(&record["author"]["nickname"]).or_else(|| json::text(&record["author"]["name"]));
        let known = self.staging.known_person(author).map(|(_, name)| name.to_owned());
        if let Some(command) = json::text(&record["interaction"]["name"]) {
            let user = self.person(&record["interaction"]["user"])?;
            let name = self.staging.known_person(&user).map_or("Somebody", |(_, name)| name);
            blocks.insert(0, markup::note(format!("{name} used /{command}")));
        }
        if record["author"]["isBot"] == true
            && let Some(name) = author_name
            && known.is_some_and(|known| known != name.trim())
        {
            blocks.insert(0, Block::Paragraph(vec![Inline::Strong(markup::plain(name))]));
        }
        Ok(())
    }

    fn forwarded(
        &mut self,
        record: &Value,
        mentioned: &Mentioned,
        blocks: &mut Vec<Block>,
        files: &mut Vec<FileRef>,
    ) {
        let inner = &record["forwardedMessage"];
        if record["reference"]["type"] != "Forward" && !inner.is_object() {
            return;
        }
        let typed = text::unsigned(inner["content"].as_str().unwrap_or_default());
        let mut quoted = text::blocks(&typed, self.staging, mentioned, &self.seen.roles);
        for embed in json::list(&inner["embeds"]) {
            quoted.extend(text::embed(embed, |text| {
                text::blocks(&text::unsigned(text), self.staging, mentioned, &self.seen.roles)
            }));
        }
        files.extend(self.files(inner));
        blocks.push(markup::note("Forwarded"));
        if !quoted.is_empty() {
            blocks.push(Block::Quote(quoted));
        }
    }

    /// Files and stickers. Links to Discord have expired, and are not kept.
    fn files(&mut self, record: &Value) -> Vec<FileRef> {
        let mut files = Vec::new();
        for (list, address, name) in [("attachments", "url", "fileName"), ("stickers", "sourceUrl", "name")] {
            for file in json::list(&record[list]) {
                let address = file[address].as_str().unwrap_or_default();
                let is_link = markup::is_address(address);
                let path = if is_link { String::new() } else { Archive::beside(&self.folder, address) };
                let ending = path.rsplit_once('.').map_or("", |(_, ending)| ending);
                let name = match json::text(&file[name]) {
                    Some(name) if list == "stickers" && !is_link => format!("{name}.{ending}"),
                    Some(name) if list == "stickers" => format!("sticker {name}"),
                    Some(name) => name.to_owned(),
                    None => "file".to_owned(),
                };
                files.push(FileRef { place: Place::Archive(path), name });
            }
        }
        files
    }

    fn embeds(
        &self,
        record: &Value,
        typed: &str,
        mentioned: &Mentioned,
        blocks: &mut Vec<Block>,
    ) -> Vec<Embed> {
        let mut previews = Vec::new();
        for embed in json::list(&record["embeds"]) {
            let address = text::unsigned(embed["url"].as_str().unwrap_or_default());
            if !address.is_empty() && typed.contains(&address) {
                let words = |value: &Value| json::text(value).map(text::unsigned);
                let preview = Embed {
                    url: address,
                    title: words(&embed["title"]),
                    description: words(&embed["description"]),
                    image_url: None,
                    site_name: words(&embed["author"]["name"]),
                };
                if preview.title.is_some() && markup::is_address(&preview.url) {
                    previews.push(preview);
                }
                continue;
            }
            blocks.extend(text::embed(embed, |text| {
                text::blocks(&text::unsigned(text), self.staging, mentioned, &self.seen.roles)
            }));
        }
        previews
    }

    /// Takes the pictures of custom emoji, if they were downloaded.
    fn emoji<'c>(&mut self, found: impl Iterator<Item = &'c Value>) {
        for emoji in found {
            if let (Some(id), Some(name)) = (json::id(&emoji["id"]), json::text(&emoji["name"]))
                && self.seen.emoji.insert(id)
            {
                let address = emoji["imageUrl"].as_str().unwrap_or_default();
                let path = match markup::is_address(address) {
                    true => String::new(),
                    false => Archive::beside(&self.folder, address),
                };
                self.staging.emoji(name, Place::Archive(path));
            }
        }
    }

    /// Reactions of people whom the export names.
    fn boosts(&mut self, record: &Value) -> Result<Vec<Boost>, Error> {
        const MOST: u64 = 10_000_000;
        let mut boosts = Vec::new();
        for reaction in json::list(&record["reactions"]) {
            let emoji = &reaction["emoji"];
            let name = json::text(&emoji["name"]).unwrap_or_default();
            // A standard one has no id.
            let content = match json::id(&emoji["id"]) {
                Some(_) => format!(":{name}:"),
                None => name.to_owned(),
            };
            self.emoji(std::iter::once(emoji));
            let users = json::list(&reaction["users"]);
            for user in users {
                let person = self.person(user)?;
                self.seen.members.insert(person.clone());
                boosts.push(Boost { person, content: content.clone(), at: None });
            }
            let count =
                json::number(&reaction["count"]).and_then(|count| u64::try_from(count).ok()).unwrap_or(0);
            self.staging.leave_out_unnamed(count.min(MOST), users.len(), &content);
        }
        Ok(boosts)
    }
}
