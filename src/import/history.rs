//! Writes messages in the order of their ids: a thread reads them, some render them and store their files, one inserts.

use std::{
    collections::{HashMap, HashSet},
    fs::File,
    io,
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
};

use rusqlite::Connection;

use super::{
    Error, Progress,
    archive::Archive,
    html,
    model::{Body, FileRef, Message, Person, Place},
    report::{Kind, Report},
    staging::Staged,
    write::{MISSING, client_id, parsed},
};
use crate::{
    chat::{files, messages::text_of},
    store::{DataDir, Folder, Import, NewFile, NewMessage},
    text,
    types::{MessageId, MessageKind, RoomId, Timestamp, UserId},
};

/// Messages that are rendered at a time, and batches that wait for each renderer.
const BATCH: usize = 256;
const WAITING: usize = 2;

/// Batches in one transaction.
const COMMITTED_AT_ONCE: usize = 32;

/// More renderers would only wait for the writer.
const MAX_RENDERERS: usize = 4;

/// Rooms whose members a renderer remembers.
const MAX_ROOMS: usize = 256;

/// Characters of a boost, and bytes of it.
const MAX_BOOST: usize = 16;
const MAX_BOOST_BYTES: usize = 1_024;

/// The messages that were staged and have an id.
pub(super) struct History<'a> {
    pub(super) staged: &'a mut Connection,
    pub(super) data: &'a DataDir,
    pub(super) archive: &'a Archive,
    pub(super) people: &'a [Staged<Person, UserId>],
    pub(super) authors: &'a HashMap<&'a str, UserId>,
    pub(super) total: u64,
}

/// A message with its ids, before it is rendered.
struct Read {
    id: MessageId,
    room: RoomId,
    creator: UserId,
    thread: Option<MessageId>,
    reply_to: Option<MessageId>,
    message: Message,
}

/// What a renderer made of a batch.
#[derive(Default)]
struct Rendered {
    messages: Vec<NewMessage>,
    report: Report,
}

impl History<'_> {
    /// One thread reads and looks ids up, some render, and this one inserts, all in the same order.
    pub(super) fn write(
        self,
        target: &Import,
        report: &mut Report,
        watch: &mut dyn FnMut(Progress),
    ) -> Result<(), Error> {
        let renderers = thread::available_parallelism().map_or(1, usize::from).min(MAX_RENDERERS);
        let folder = Folder::open(self.data.path())?;
        let names: HashMap<UserId, &str> =
            self.people.iter().map(|person| (person.id, &*person.value.name)).collect();
        thread::scope(|scope| {
            let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
            for _ in 0..renderers {
                let (input, batches) = sync_channel::<Vec<Read>>(WAITING);
                let (results, output) = sync_channel::<Result<Rendered, Error>>(WAITING);
                let renderer = Renderer {
                    target: Import::look(self.data, "")?,
                    archive: self.archive.clone(),
                    folder: folder.clone(),
                    names: &names,
                    people: self.authors,
                    rooms: HashMap::new(),
                };
                scope.spawn(move || renderer.run(&batches, &results));
                inputs.push(input);
                outputs.push(output);
            }
            let source = Source { staged: self.staged, authors: self.authors };
            let source = scope.spawn(move || source.feed(&inputs));
            insert(&outputs, target, self.total, report, watch)?;
            // Whatever is still sent to the renderers fails now.
            drop(outputs);
            source.join().map_err(|_| stopped())?
        })
    }
}

fn stopped() -> Error {
    Error("a thread of the import has stopped".into())
}

/// Inserts what the renderers return in turn, until they have ended.
fn insert(
    outputs: &[Receiver<Result<Rendered, Error>>],
    target: &Import,
    total: u64,
    report: &mut Report,
    watch: &mut dyn FnMut(Progress),
) -> Result<(), Error> {
    let mut done = 0_u64;
    let mut in_turn = outputs.iter().cycle();
    let mut is_last = false;
    while !is_last {
        target.transaction(|target| -> Result<(), Error> {
            for output in in_turn.by_ref().take(COMMITTED_AT_ONCE) {
                let Ok(rendered) = output.recv() else {
                    is_last = true;
                    break;
                };
                let rendered = rendered?;
                done += rendered.messages.len() as u64;
                report.add(rendered.report);
                for message in rendered.messages {
                    target.put_message(message)?;
                }
                watch(Progress { stage: "writing", done, total });
            }
            Ok(())
        })?;
    }
    Ok(())
}

/// Reads messages that were staged.
struct Source<'a> {
    staged: &'a mut Connection,
    authors: &'a HashMap<&'a str, UserId>,
}

impl Source<'_> {
    /// Gives batches to the renderers in turn.
    fn feed(&self, inputs: &[SyncSender<Vec<Read>>]) -> Result<(), Error> {
        let mut after = MessageId(0);
        for input in inputs.iter().cycle() {
            let batch = self.next(after)?;
            let Some(last) = batch.last() else { break };
            after = last.id;
            input.send(batch).map_err(|_| stopped())?;
        }
        Ok(())
    }

    /// The next messages in the order of their ids.
    fn next(&self, after: MessageId) -> Result<Vec<Read>, Error> {
        let mut select = self.staged.prepare_cached(
            "select ids.id, messages.room, messages.json from ids join messages using (n)
             where is_new and ids.id > ? order by ids.id limit ?",
        )?;
        let mut rows = select.query((after, BATCH))?;
        let mut batch = Vec::with_capacity(BATCH);
        while let Some(row) = rows.next()? {
            let (id, room) = (row.get(0)?, row.get(1)?);
            let mut message = parsed(row.get_ref(2)?.as_str().unwrap_or_default())?;
            let creator = self.authors.get(message.author.as_str()).copied().unwrap_or(UserId(0));
            let thread = self.id_of(room, message.thread.as_deref())?.filter(|root| *root != id);
            let reply_to = self.id_of(room, message.reply_to.as_deref())?.filter(|other| *other != id);
            self.link(&mut message)?;
            // Until threads have a view of their own, what is in one is a reply to its first message.
            batch.push(Read { id, room, creator, thread, reply_to: reply_to.or(thread), message });
        }
        Ok(batch)
    }

    fn id_of(&self, room: RoomId, key: Option<&str>) -> Result<Option<MessageId>, Error> {
        let Some(key) = key else { return Ok(None) };
        let mut select = self
            .staged
            .prepare_cached("select ids.id from messages join ids using (n) where room = ? and key = ?")?;
        let mut rows = select.query((room, key))?;
        Ok(rows.next()?.map(|row| row.get(0)).transpose()?)
    }

    /// Gives links to messages their ids. One to a message that is not there leads to its room.
    fn link(&self, message: &mut Message) -> Result<(), Error> {
        const MARK: &str = "/@key:";
        let Body::Markdown(text) = &mut message.body else { return Ok(()) };
        let mut from = 0;
        while let Some(place) = text[from..].find(MARK).map(|place| from + place) {
            let room: String = text[..place]
                .chars()
                .rev()
                .take_while(char::is_ascii_digit)
                .collect::<Vec<_>>()
                .into_iter()
                .rev()
                .collect();
            let key = &text[place + MARK.len()..];
            let length = key.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'%').count();
            let key = percent_encoding::percent_decode_str(&key[..length]).decode_utf8_lossy().into_owned();
            let found = match room.parse() {
                Ok(room) => self.id_of(RoomId(room), Some(&key))?,
                Err(_) => None,
            };
            let address = found.map_or_else(String::new, |id| format!("/@{id}"));
            text.replace_range(place..place + MARK.len() + length, &address);
            from = place + address.len();
        }
        Ok(())
    }
}

/// Makes messages out of what was read.
struct Renderer<'a> {
    target: Import,
    archive: Archive,
    folder: Folder,
    names: &'a HashMap<UserId, &'a str>,
    people: &'a HashMap<&'a str, UserId>,
    rooms: HashMap<RoomId, Arc<HashSet<UserId>>>,
}

impl Renderer<'_> {
    fn run(mut self, batches: &Receiver<Vec<Read>>, results: &SyncSender<Result<Rendered, Error>>) {
        while let Ok(batch) = batches.recv() {
            let mut rendered = Rendered::default();
            let made: Result<Vec<NewMessage>, Error> =
                batch.into_iter().map(|read| self.render(read, &mut rendered.report)).collect();
            let result = made.map(|messages| Rendered { messages, ..rendered });
            if results.send(result).is_err() {
                return;
            }
        }
    }

    fn members(&mut self, room: RoomId) -> Result<Arc<HashSet<UserId>>, Error> {
        if let Some(members) = self.rooms.get(&room) {
            return Ok(Arc::clone(members));
        }
        if self.rooms.len() >= MAX_ROOMS {
            self.rooms.clear();
        }
        let members = Arc::new(self.target.members_of(room)?.into_iter().collect());
        self.rooms.insert(room, Arc::clone(&members));
        Ok(members)
    }

    fn render(&mut self, read: Read, report: &mut Report) -> Result<NewMessage, Error> {
        let Read { id, room, creator, thread, reply_to, message } = read;
        let members = self.members(room)?;
        let name_of =
            |user: UserId| members.contains(&user).then(|| self.names.get(&user).copied()).flatten();
        let mut file = None;
        if let Some(found) = message.files.first() {
            file = self.store(found, message.preview.as_deref(), report)?;
        }
        let of_markdown = |content: String| {
            let rendered = text::render(&content, name_of);
            (MessageKind::Text, text_of(content, rendered).0)
        };
        let mut embeds = message.embeds;
        let (mut kind, mut text) = match message.body {
            Body::Html(html) => {
                embeds.extend(html::embeds(&html));
                html::text(&html, &name_of)
            }
            Body::Markdown(content) => of_markdown(content),
        };
        match (&file, message.files.first()) {
            (Some(_), _) => kind = MessageKind::Attachment,
            (None, Some(lost)) => {
                missing(&mut text.content, &lost.name);
                (kind, text) = of_markdown(text.content);
            }
            (None, None) => {}
        }
        let at = Timestamp(message.at.div_euclid(1_000));
        let boosts = self.boosts(message.boosts, at, report);
        report.taken(Kind::Messages, 1);
        Ok(NewMessage {
            id,
            room,
            creator,
            client_message_id: message.id.is_none().then(|| client_id(&message.key)),
            kind,
            created_at: at,
            edited_at: message.edited_at.map(Timestamp),
            reply_to,
            thread_root: thread,
            addresses: text::addresses(&text.html),
            text,
            file,
            boosts,
            embeds,
        })
    }

    /// The boosts that this server can have: each once of a person, and short.
    fn boosts(
        &self,
        boosts: Vec<super::model::Boost>,
        at: Timestamp,
        report: &mut Report,
    ) -> Vec<(UserId, String, Timestamp)> {
        let mut kept: Vec<(UserId, String, Timestamp)> = Vec::with_capacity(boosts.len());
        for boost in boosts {
            let Some(person) = self.people.get(boost.person.as_str()).copied() else {
                report.left_out(Kind::Boosts, "of nobody", &boost.content);
                continue;
            };
            let content = boost.content.trim();
            let short = short(content);
            if short.len() < content.len() {
                report.changed("boosts of more than 16 characters: they are cut", content);
            }
            if short.is_empty() {
                report.left_out(Kind::Boosts, "without a content", "");
            } else if kept.iter().any(|(other, text, _)| *other == person && text == short) {
                report.left_out(Kind::Boosts, "twice by the same person", short);
            } else {
                kept.push((person, short.to_owned(), boost.at.map_or(at, Timestamp)));
                report.taken(Kind::Boosts, 1);
            }
        }
        kept
    }

    /// Stores a file; None if the export does not have it.
    fn store(
        &self,
        file: &FileRef,
        preview: Option<&str>,
        report: &mut Report,
    ) -> Result<Option<NewFile>, Error> {
        let preview = || self.archive.bytes(preview?, files::MAX_POSTER as u64).ok();
        let stored = match &file.place {
            Place::Archive(path) if !self.archive.has(path) => None,
            Place::Archive(path) if self.archive.size(path) == Some(0) => None,
            Place::Archive(path) => Some(
                self.archive
                    .read(path, |reader| Ok(files::keep(&self.folder, reader, &file.name, preview)?))?,
            ),
            Place::Staged(path) => {
                let mut input = io::BufReader::new(File::open(path)?);
                Some(files::keep(&self.folder, &mut input, &file.name, || None)?)
            }
        };
        match stored {
            Some((file, kept)) => {
                // The message is written with this transaction; after a crash, files without one are removed.
                kept.stay();
                report.taken(Kind::Files, 1);
                Ok(Some(file))
            }
            None => {
                report.left_out(Kind::Files, MISSING, &file.name);
                Ok(None)
            }
        }
    }
}

/// Says in a text that a file of it is not here.
pub(super) fn missing(text: &mut String, name: &str) {
    if !text.trim().is_empty() {
        text.push_str("\n\n");
    }
    let name: String = name.chars().filter(|c| !c.is_control() && *c != '`').collect();
    text.push_str(&format!("📎 `{name}` *(not in the export)*"));
}

/// The first 16 characters of a boost. The name of an emoji is whole.
fn short(content: &str) -> &str {
    use unicode_segmentation::UnicodeSegmentation;
    if crate::text::is_emoji_boost(content) {
        return content;
    }
    let end = content.grapheme_indices(true).nth(MAX_BOOST).map_or(content.len(), |(end, _)| end);
    let mut end = end.min(content.floor_char_boundary(MAX_BOOST_BYTES));
    while !content.is_char_boundary(end) {
        end -= 1;
    }
    &content[..end]
}
