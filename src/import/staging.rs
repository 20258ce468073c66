//! What was read, before it is written: a database of its own, so that a history of any size is put into order with little
//! memory.

use std::{
    collections::HashMap,
    fs::File,
    path::{Path, PathBuf},
};

use rusqlite::Connection;

use super::{
    Error,
    model::{Body, FileRef, Member, Message, Person, Place, Room},
    names,
    report::{Kind, Report},
    rows::{Row, Rows},
};
use crate::{
    store,
    types::{RoomId, RoomKind, Status, UserId},
};

/// Bytes of a text; a longer one also becomes a file.
const MAX_TEXT: usize = 60 << 10;

/// Bytes of the beginning of such a text that stay in the message.
const BEGINNING: usize = 4 << 10;

/// The people, rooms and messages of an export.
pub(super) struct Staging<'a> {
    rows: Rows,
    folder: PathBuf,
    target: Option<&'a store::Import>,
    people: HashMap<String, Staged<Person, UserId>>,
    rooms: HashMap<String, Staged<Room, RoomId>>,
    next_person: i64,
    next_room: i64,
    messages: u64,
    files: u64,
    /// The name of the account, if there is none here yet.
    pub(super) account: Option<String>,
    pub(super) report: Report,
    pub(super) emoji: super::emoji::Emoji,
    pub(super) extra: super::once::Extra,
}

pub(super) struct Staged<T, Id> {
    pub(super) id: Id,
    pub(super) is_new: bool,
    pub(super) value: T,
    /// It was met before it was read, or never read.
    is_made_up: bool,
}

impl<'a> Staging<'a> {
    pub(super) fn new(folder: &Path, target: Option<&'a store::Import>) -> Result<Self, Error> {
        let (next_person, next_room) = target.map_or(Ok((1, 1)), store::Import::next_ids)?;
        Ok(Self {
            rows: Rows::new(folder)?,
            folder: folder.to_owned(),
            target,
            people: HashMap::new(),
            rooms: HashMap::new(),
            next_person,
            next_room,
            messages: 0,
            files: 0,
            account: None,
            report: Report::default(),
            emoji: super::emoji::Emoji::new(),
            extra: super::once::Extra::default(),
        })
    }

    /// Counts something that is left out.
    pub(super) fn leave_out(&mut self, kind: Kind, reason: &'static str, example: &str) {
        self.leave_out_some(kind, 1, reason, example);
    }

    /// Counts several that are left out for one reason.
    pub(super) fn leave_out_some(&mut self, kind: Kind, count: u64, reason: &'static str, example: &str) {
        self.report.found(kind, count);
        self.report.left_out_some(kind, count, reason, example);
    }

    /// Counts the boosts of a kind that are more than the people whom the export names.
    pub(super) fn leave_out_unnamed(&mut self, count: u64, named: usize, content: &str) {
        let unnamed = count.saturating_sub(named as u64);
        if unnamed > 0 {
            self.leave_out_some(Kind::Boosts, unnamed, "of people whom the export does not name", content);
        }
    }

    /// Takes a person. One with the e-mail address of somebody here is that person.
    pub(super) fn person(&mut self, mut person: Person) -> Result<UserId, Error> {
        if let Some(known) = self.people.get(&person.key)
            && !known.is_made_up
        {
            self.leave_out(Kind::People, "twice in the export", &person.name);
            return Ok(self.people[&person.key].id);
        }
        names::tidy(&mut person, &mut self.report);
        let found = self.found_person(&person)?;
        let known = self.people.remove(&person.key);
        match &known {
            // It was counted when it was met.
            Some(_) => {}
            None => self.report.found(Kind::People, 1),
        }
        let (id, is_new) = match (known, found) {
            (Some(known), _) => (known.id, known.is_new),
            (None, Some(id)) => (id, false),
            (None, None) => (self.new_person_id(person.id), true),
        };
        self.people.insert(person.key.clone(), Staged { id, is_new, value: person, is_made_up: false });
        Ok(id)
    }

    fn found_person(&self, person: &Person) -> Result<Option<UserId>, Error> {
        let Some(target) = self.target else { return Ok(None) };
        if let Some(id) = target.origin("person", &person.key)? {
            return Ok(Some(UserId(id)));
        }
        match (&person.email, person.id) {
            (Some(email), None) => Ok(target.user_by_email(email)?),
            _ => Ok(None),
        }
    }

    fn new_person_id(&mut self, wanted: Option<UserId>) -> UserId {
        let id = wanted.unwrap_or(UserId(self.next_person));
        self.next_person = self.next_person.max(id.0 + 1);
        id
    }

    /// The id of somebody; a deactivated person of this name is made up if the export has not told of them yet.
    pub(super) fn person_or(&mut self, key: &str, name: impl FnOnce() -> String) -> Result<UserId, Error> {
        if let Some(known) = self.people.get(key) {
            return Ok(known.id);
        }
        let mut person = Person { status: Status::Deactivated, ..Person::named(key, name()) };
        names::tidy(&mut person, &mut self.report);
        self.report.found(Kind::People, 1);
        let found = self.found_person(&person)?;
        let (id, is_new) = match found {
            Some(id) => (id, false),
            None => (self.new_person_id(None), true),
        };
        if is_new {
            self.report.changed(
                "people whom the export names and does not describe: they are deactivated",
                &person.name,
            );
        }
        self.people.insert(key.to_owned(), Staged { id, is_new, value: person, is_made_up: true });
        Ok(id)
    }

    /// The id and the name of somebody who was read.
    pub(super) fn known_person(&self, key: &str) -> Option<(UserId, &str)> {
        self.people.get(key).map(|known| (known.id, known.value.name.as_str()))
    }

    /// Whether somebody who was read is active.
    pub(super) fn is_active(&self, key: &str) -> bool {
        self.people.get(key).is_some_and(|known| known.value.status == Status::Active)
    }

    /// A mention in Markdown; None of somebody who is not known.
    pub(super) fn mention(&self, key: &str) -> Option<String> {
        let (id, name) = self.known_person(key)?;
        let mut label = String::with_capacity(name.len());
        for c in name.chars() {
            if c.is_ascii_punctuation() {
                label.push('\\');
            }
            label.push(c);
        }
        Some(format!("@[{label}](user:{id})"))
    }

    /// Takes a room.
    pub(super) fn room(&mut self, mut room: Room) -> Result<RoomId, Error> {
        self.report.found(Kind::Rooms, 1);
        if let Some(known) = self.rooms.get(&room.key) {
            let id = known.id;
            self.report.left_out(
                Kind::Rooms,
                "twice in the export",
                room.name.as_deref().unwrap_or(&room.key),
            );
            return Ok(id);
        }
        names::tidy_room(&mut room, &mut self.report);
        let found = match self.target {
            Some(target) => target.origin("room", &room.key)?.map(RoomId),
            None => None,
        };
        let is_new = found.is_none();
        let id = found.or(room.id).unwrap_or(RoomId(self.next_room));
        self.next_room = self.next_room.max(id.0 + 1);
        for member in std::mem::take(&mut room.members) {
            self.member(id, room.kind, &member)?;
        }
        self.rooms.insert(room.key.clone(), Staged { id, is_new, value: room, is_made_up: false });
        Ok(id)
    }

    /// Makes somebody a member of a room that was taken, for exports whose lists of members come apart from their rooms.
    pub(super) fn add_member(&mut self, room: &str, member: &Member) -> Result<(), Error> {
        let Some(known) = self.rooms.get(room) else { return Ok(()) };
        let (id, kind) = (known.id, known.value.kind);
        self.member(id, kind, member)
    }

    /// A database for what a reader has to look up and is too much for memory. It goes with the staging folder.
    pub(super) fn scratch_db(&mut self) -> Result<Connection, Error> {
        self.files += 1;
        let db = Connection::open(self.folder.join(format!("scratch-{}.db", self.files)))?;
        db.execute_batch(
            "pragma journal_mode = off; pragma synchronous = off; pragma locking_mode = exclusive;
             pragma cache_size = -8192; pragma temp_store = file; begin;",
        )?;
        Ok(db)
    }

    fn member(&mut self, room: RoomId, kind: RoomKind, member: &Member) -> Result<(), Error> {
        let person = self.person_or(&member.person, || "Somebody who left".into())?;
        self.report.found(Kind::Memberships, 1);
        let involvement = member.involvement.unwrap_or_else(|| kind.default_involvement());
        let unread_from = member.unread_from;
        self.rows.put(Row::Member { room, person, involvement, unread_from })
    }

    pub(super) fn known_room(&self, key: &str) -> Option<RoomId> {
        self.rooms.get(key).map(|known| known.id)
    }

    /// The name of a room that was taken; None of direct ones.
    pub(super) fn room_name(&self, key: &str) -> Option<&str> {
        self.rooms.get(key)?.value.name.as_deref()
    }

    /// Takes a message. Its room has to be known; an author who is not is made up.
    pub(super) fn message(&mut self, mut message: Message) -> Result<(), Error> {
        self.report.found(Kind::Messages, 1);
        let Some(room) = self.known_room(&message.room) else {
            self.report.left_out(Kind::Messages, "in a room that the export does not have", &message.room);
            return Ok(());
        };
        self.person_or(&message.author, || "Somebody who left".into())?;
        for boost in &message.boosts {
            self.report.found(Kind::Boosts, 1);
            if !self.people.contains_key(&boost.person) {
                let person = boost.person.clone();
                self.person_or(&person, || "Somebody who left".into())?;
            }
        }
        self.report.found(Kind::Files, message.files.len() as u64);
        self.shorten(&mut message)?;
        // A message has one file: further ones follow it.
        let more = match message.files.len() {
            0 | 1 => Vec::new(),
            _ => message.files.split_off(1),
        };
        let further = more.into_iter().enumerate().map(|(place, file)| Message {
            key: format!("{}/{}", message.key, place + 2),
            order: message.order + 1 + place as i64,
            room: message.room.clone(),
            author: message.author.clone(),
            at: message.at,
            thread: message.thread.clone(),
            files: vec![file],
            ..Message::default()
        });
        let further: Vec<Message> = further.collect();
        self.put(room, message)?;
        for message in further {
            self.report.found(Kind::Messages, 1);
            self.report.changed("files beside the first of a message: each is a message of its own", "");
            self.put(room, message)?;
        }
        Ok(())
    }

    fn put(&mut self, room: RoomId, message: Message) -> Result<(), Error> {
        self.messages += 1;
        self.rows.put(Row::Message { room, message: Box::new(message) })
    }

    /// Puts a text that is too long for a message into a file beside its beginning.
    fn shorten(&mut self, message: &mut Message) -> Result<(), Error> {
        let (Body::Markdown(text) | Body::Html(text)) = &mut message.body;
        if text.len() <= MAX_TEXT {
            return Ok(());
        }
        self.report
            .changed("texts of more than 60 KiB: the whole is a file beside its beginning", &message.key);
        self.report.found(Kind::Files, 1);
        let (name, beginning) = match &message.body {
            Body::Markdown(text) => ("message.txt", text.clone()),
            Body::Html(html) => ("message.txt", super::html::plain(html)),
        };
        let place = self.scratch_file(|file| std::io::Write::write_all(file, beginning.as_bytes()))?;
        message.files.insert(0, FileRef { place, name: name.into() });
        let cut = beginning.floor_char_boundary(BEGINNING);
        let beginning = match message.body {
            Body::Markdown(_) => beginning[..cut].to_owned(),
            Body::Html(_) => format!("```\n{}\n```\n", beginning[..cut].replace("```", "'''")),
        };
        message.body = Body::Markdown(format!("{beginning}…"));
        Ok(())
    }

    /// Makes a file that the export only has in parts.
    pub(super) fn scratch_file(
        &mut self,
        write: impl FnOnce(&mut File) -> std::io::Result<()>,
    ) -> Result<Place, Error> {
        self.files += 1;
        let path = self.folder.join(format!("file-{}", self.files));
        write(&mut File::create(&path)?)?;
        Ok(Place::Staged(path.to_string_lossy().into_owned()))
    }

    /// Leaves out messages whose key another one of their room had before them: a record that stands in two files.
    fn drop_doubles(&mut self, db: &Connection) -> Result<(), Error> {
        let mut doubles = db.prepare(
            "select n, key, json from messages as later where exists (
               select 1 from messages as earlier
               where earlier.room = later.room and earlier.key = later.key and earlier.n < later.n)",
        )?;
        let mut dropped = Vec::new();
        let mut rows = doubles.query(())?;
        while let Some(row) = rows.next()? {
            const TWICE: &str = "twice in the export";
            let message = super::write::parsed(row.get_ref(2)?.as_str().unwrap_or_default())?;
            self.report.left_out(Kind::Messages, TWICE, &row.get::<_, String>(1)?);
            for (kind, count) in [(Kind::Files, message.files.len()), (Kind::Boosts, message.boosts.len())] {
                if count > 0 {
                    self.report.left_out_some(kind, count as u64, TWICE, "");
                }
            }
            dropped.push(row.get::<_, i64>(0)?);
        }
        let mut delete = db.prepare("delete from messages where n = ?")?;
        for n in &dropped {
            delete.execute((n,))?;
        }
        self.messages -= dropped.len() as u64;
        Ok(())
    }

    /// Ends the reading. What was taken is in the parts.
    pub(super) fn finish(mut self) -> Result<Parts, Error> {
        let (db, report) = self.rows.finish()?;
        self.report.add(report);
        // An index is faster made at once.
        db.execute_batch("create index messages_by_key on messages (room, key)")?;
        self.drop_doubles(&db)?;
        db.execute_batch("create index messages_by_time on messages (at, ord, n)")?;
        let mut people: Vec<_> = self.people.into_values().collect();
        people.sort_unstable_by_key(|person| person.id);
        let mut rooms: Vec<_> = self.rooms.into_values().collect();
        rooms.sort_unstable_by_key(|room| room.id);
        Ok(Parts {
            db,
            people,
            rooms,
            messages: self.messages,
            account: self.account,
            report: self.report,
            emoji: self.emoji,
            extra: self.extra,
        })
    }
}

/// All that was read.
pub(super) struct Parts {
    /// Tables `messages` and `memberships`.
    pub(super) db: Connection,
    pub(super) people: Vec<Staged<Person, UserId>>,
    pub(super) rooms: Vec<Staged<Room, RoomId>>,
    pub(super) messages: u64,
    pub(super) account: Option<String>,
    pub(super) report: Report,
    pub(super) emoji: super::emoji::Emoji,
    pub(super) extra: super::once::Extra,
}
