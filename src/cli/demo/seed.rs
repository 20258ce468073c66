//! Writes the rooms and messages of the demo, with times in the past.

use super::{
    files::{Files, PAGE},
    messages::{Entry, MESSAGES, Message, entries},
    people::{HOOK, People},
};
use crate::{
    chat::messages::{render_with, sound},
    store::{
        AddBoost, CreateRoom, EditMessage, MarkRead, PostMessage, Reader, Refusal, SetEmbeds, Text,
        WriteError, WriterHandle,
    },
    types::{Embed, MessageId, MessageKind, RoomId, RoomKind, Timestamp, UserId, random_token},
};

const MINUTE: i64 = 60_000;

/// The writer of the messages, and what they refer to.
pub(super) struct Seed<'a> {
    writer: &'a WriterHandle,
    people: &'a People,
    files: Files,
    rooms: Vec<SeedRoom>,
}

/// A room, and its last message so far.
struct SeedRoom {
    name: &'static str,
    id: RoomId,
    last: Option<MessageId>,
    /// The last message that the visitor has read; None for all of them.
    read: Option<MessageId>,
}

/// Creates the rooms, in the order of their first messages.
pub(super) fn create_rooms(
    writer: &WriterHandle,
    reader: &Reader,
    people: &mut People,
) -> Result<Vec<(&'static str, RoomId)>, WriteError> {
    let messages: Vec<Message<'static>> = entries(MESSAGES)
        .filter_map(|entry| if let Entry::Message(message) = entry { Some(message) } else { None })
        .collect();
    let mut rooms = vec![("All Talk", people.first_room)];
    for message in &messages {
        if rooms.iter().all(|(known, _)| *known != message.room) {
            let creator = people.id_of(message.author);
            let (kind, name, members) = if let Some(names) = message.room.strip_prefix('@') {
                (RoomKind::Direct, None, names.split('+').map(|name| people.id_of(name)).collect())
            } else if let Some(name) = message.room.strip_prefix('#') {
                let in_room = messages.iter().filter(|other| other.room == message.room);
                let members: Vec<UserId> = in_room.map(|message| people.id_of(message.author)).collect();
                (RoomKind::Closed, Some(name.to_owned()), members)
            } else {
                (RoomKind::Open, Some(message.room.to_owned()), Vec::new())
            };
            let made = writer.write_blocking(CreateRoom { creator, kind, name, members })?;
            rooms.push((message.room, made.room));
        }
    }
    if let Some((_, room)) = rooms.iter().find(|(name, _)| *name == HOOK.1) {
        people.create_hook(writer, reader, *room)?;
    }
    Ok(rooms)
}

impl<'a> Seed<'a> {
    pub(super) fn new(
        writer: &'a WriterHandle,
        people: &'a People,
        files: Files,
        rooms: Vec<(&'static str, RoomId)>,
    ) -> Self {
        let room = |(name, id)| SeedRoom { name, id, last: None, read: None };
        Self { writer, people, files, rooms: rooms.into_iter().map(room).collect() }
    }

    /// Posts all messages.
    pub(super) fn run(mut self) -> Result<(), WriteError> {
        // The last message is four minutes old.
        let total: i64 = entries(MESSAGES).map(|entry| pause(&entry)).sum();
        let mut at = Timestamp::now().0 - total - 4 * MINUTE;
        for entry in entries(MESSAGES) {
            at += pause(&entry);
            match entry {
                Entry::Night => {}
                Entry::ReadUpTo(room) => {
                    let index = self.index_of(room)?;
                    self.rooms[index].read = self.rooms[index].last;
                }
                Entry::Message(message) => self.post(&message, Timestamp(at))?,
            }
        }
        self.mark_read()
    }

    fn index_of(&self, name: &str) -> Result<usize, Refusal> {
        self.rooms.iter().position(|room| room.name == name).ok_or(Refusal::NotFound)
    }

    fn post(&mut self, message: &Message<'_>, at: Timestamp) -> Result<(), WriteError> {
        let (writer, index) = (self.writer, self.index_of(message.room)?);
        let (room, author) = (self.rooms[index].id, self.people.id_of(message.author));
        let reply_to = self.rooms[index].last.filter(|_| message.is_reply);
        let file = message.file.and_then(|name| self.files.file(name));
        let (kind, text) = match sound(message.content) {
            Some(text) => (MessageKind::Sound, text),
            None if file.is_some() => (MessageKind::Attachment, self.text(message.content)),
            None => (MessageKind::Text, self.text(message.content)),
        };
        let html = text.html.clone();
        let command = PostMessage::new(room, author, None, reply_to, kind, text).at(at);
        let command = match file {
            Some(file) => command.with_file(file),
            None => command,
        };
        let id = writer.write_blocking(command)?.id;
        self.rooms[index].last = Some(id);
        if message.is_edited {
            let text = self.text(message.content);
            let edit = EditMessage { message: id, editor: author, text, preview: None };
            writer.write_blocking(edit)?;
        }
        if html.contains(PAGE.url) {
            self.embed(id, &html)?;
        }
        for (content, names) in &message.boosts {
            for name in names {
                let (user, content) = (self.people.id_of(name), (*content).to_owned());
                writer.write_blocking(AddBoost { message: id, user, content })?;
            }
        }
        Ok(())
    }

    fn text(&self, content: &str) -> Text {
        if content.is_empty() {
            return Text::default();
        }
        let content = self.people.with_mentions(content).replace('~', "\n");
        render_with(content, |id| self.people.name_of(id)).0
    }

    /// Stores the preview of the linked page.
    fn embed(&mut self, message: MessageId, html: &str) -> Result<(), WriteError> {
        let key = format!("embed-{}", random_token());
        let image = self.files.preview.take();
        let embed = Embed {
            url: PAGE.url.to_owned(),
            title: Some(PAGE.title.to_owned()),
            description: Some(PAGE.description.to_owned()),
            image_url: image.is_some().then(|| format!("/embeds/{key}")),
            site_name: Some(PAGE.site_name.to_owned()),
        };
        let images = image.map(|image| (key, image)).into_iter().collect();
        let links = crate::text::previewed_links(html);
        self.writer.write_blocking(SetEmbeds { message, links, embeds: vec![embed], images })
    }

    /// Marks most rooms as read by the visitor; the others show what unread looks like.
    fn mark_read(&self) -> Result<(), WriteError> {
        for room in &self.rooms {
            if let Some(message) = room.read.or(room.last) {
                let user = self.people.visitor();
                self.writer.write_blocking(MarkRead { user, marks: vec![(room.id, message)] })?;
            }
        }
        Ok(())
    }
}

/// Milliseconds before an entry. Nights are nearly whole days, so the messages of every day are of about this hour.
fn pause(entry: &Entry<'_>) -> i64 {
    match entry {
        Entry::Night => 23 * 60 * MINUTE,
        Entry::ReadUpTo(_) => 0,
        Entry::Message(message) => MINUTE + (message.content.len() as i64 % 7) * 25_000,
    }
}
