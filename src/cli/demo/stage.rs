//! Lets the cast say what is in the talk.

use super::{
    cast::{Cast, HOOK},
    talk::{Entry, Line, TALK, entries},
    things::{PAGE, Things},
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

pub(super) struct Stage<'a> {
    writer: &'a WriterHandle,
    cast: &'a Cast,
    things: Things,
    rooms: Vec<Place>,
}

/// A room, and how far it has come.
struct Place {
    name: &'static str,
    id: RoomId,
    last: Option<MessageId>,
    /// Up to where the visitor has read; None is all of it.
    read: Option<MessageId>,
}

/// Makes the rooms, in the order in which they are first spoken in.
pub(super) fn rooms(
    writer: &WriterHandle,
    reader: &Reader,
    cast: &mut Cast,
) -> Result<Vec<(&'static str, RoomId)>, WriteError> {
    let said: Vec<Line<'static>> = entries(TALK)
        .filter_map(|entry| if let Entry::Said(line) = entry { Some(line) } else { None })
        .collect();
    let mut rooms = vec![("All Talk", cast.first_room)];
    for line in &said {
        if rooms.iter().all(|(known, _)| *known != line.room) {
            let creator = cast.named(line.speaker);
            let (kind, name, members) = if let Some(people) = line.room.strip_prefix('@') {
                (RoomKind::Direct, None, people.split('+').map(|name| cast.named(name)).collect())
            } else if let Some(name) = line.room.strip_prefix('#') {
                let speakers = said.iter().filter(|other| other.room == line.room);
                let members: Vec<UserId> = speakers.map(|line| cast.named(line.speaker)).collect();
                (RoomKind::Closed, Some(name.to_owned()), members)
            } else {
                (RoomKind::Open, Some(line.room.to_owned()), Vec::new())
            };
            let made = writer.write_blocking(CreateRoom { creator, kind, name, members })?;
            rooms.push((line.room, made.room));
        }
    }
    if let Some((_, room)) = rooms.iter().find(|(name, _)| *name == HOOK.1) {
        cast.hook(writer, reader, *room)?;
    }
    Ok(rooms)
}

impl<'a> Stage<'a> {
    pub(super) fn new(
        writer: &'a WriterHandle,
        cast: &'a Cast,
        things: Things,
        rooms: Vec<(&'static str, RoomId)>,
    ) -> Self {
        let place = |(name, id)| Place { name, id, last: None, read: None };
        Self { writer, cast, things, rooms: rooms.into_iter().map(place).collect() }
    }

    pub(super) fn play(mut self) -> Result<(), WriteError> {
        // The last word was said a few minutes ago; nights lie between the paragraphs.
        let total: i64 = entries(TALK).map(|entry| pause(&entry)).sum();
        let mut at = Timestamp::now().0 - total - 4 * MINUTE;
        for entry in entries(TALK) {
            at += pause(&entry);
            match entry {
                Entry::Night => {}
                Entry::ReadUpTo(room) => {
                    let place = self.place(room)?;
                    self.rooms[place].read = self.rooms[place].last;
                }
                Entry::Said(line) => self.say(&line, Timestamp(at))?,
            }
        }
        self.mark_read()
    }

    fn place(&self, room: &str) -> Result<usize, Refusal> {
        self.rooms.iter().position(|place| place.name == room).ok_or(Refusal::NotFound)
    }

    fn say(&mut self, line: &Line<'_>, at: Timestamp) -> Result<(), WriteError> {
        let (writer, place) = (self.writer, self.place(line.room)?);
        let (room, speaker) = (self.rooms[place].id, self.cast.named(line.speaker));
        let reply_to = self.rooms[place].last.filter(|_| line.is_reply);
        let file = line.file.and_then(|name| self.things.file(name));
        let (kind, text) = match sound(line.words) {
            Some(text) => (MessageKind::Sound, text),
            None if file.is_some() => (MessageKind::Attachment, self.text(line.words)),
            None => (MessageKind::Text, self.text(line.words)),
        };
        let html = text.html.clone();
        let message = PostMessage::new(room, speaker, None, reply_to, kind, text).at(at);
        let message = match file {
            Some(file) => message.with_file(file),
            None => message,
        };
        let id = writer.write_blocking(message)?.id;
        self.rooms[place].last = Some(id);
        if line.is_edited {
            let text = self.text(line.words);
            let edit = EditMessage { message: id, editor: speaker, is_admin: false, text, preview: None };
            writer.write_blocking(edit)?;
        }
        if html.contains(PAGE.url) {
            self.embed(id, html)?;
        }
        for (content, names) in &line.boosts {
            for name in names {
                let (user, content) = (self.cast.named(name), (*content).to_owned());
                writer.write_blocking(AddBoost { message: id, user, content })?;
            }
        }
        Ok(())
    }

    fn text(&self, words: &str) -> Text {
        if words.is_empty() {
            return Text::default();
        }
        let content = self.cast.with_mentions(words).replace('~', "\n");
        render_with(content, |id| self.cast.name_of(id)).0
    }

    /// What would have been found behind the link.
    fn embed(&mut self, message: MessageId, html: String) -> Result<(), WriteError> {
        let key = format!("embed-{}", random_token());
        let image = self.things.preview.take();
        let embed = Embed {
            url: PAGE.url.to_owned(),
            title: Some(PAGE.title.to_owned()),
            description: Some(PAGE.description.to_owned()),
            image_url: image.is_some().then(|| format!("/embeds/{key}")),
            site_name: Some(PAGE.site_name.to_owned()),
        };
        let images = image.map(|image| (key, image)).into_iter().collect();
        self.writer.write_blocking(SetEmbeds { message, html, embeds: vec![embed], images })
    }

    /// The visitor has read most of it; the rest shows what unread looks like.
    fn mark_read(&self) -> Result<(), WriteError> {
        for place in &self.rooms {
            if let Some(message) = place.read.or(place.last) {
                let user = self.cast.visitor();
                self.writer.write_blocking(MarkRead { room: place.id, user, message })?;
            }
        }
        Ok(())
    }
}

/// Time before something was said. After a night it is about the same hour again: now's, whenever the demo runs.
fn pause(entry: &Entry<'_>) -> i64 {
    match entry {
        Entry::Night => 23 * 60 * MINUTE,
        Entry::ReadUpTo(_) => 0,
        Entry::Said(line) => MINUTE + (line.words.len() as i64 % 7) * 25_000,
    }
}
