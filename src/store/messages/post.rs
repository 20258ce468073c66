//! Posting a message.

use bytes::Bytes;
use rusqlite::OptionalExtension;
use smallvec::SmallVec;

use super::{Text, bytes, mention};
use crate::{
    store::{
        command::{Command, Entry, Indexing, NewJob, Refusal, Tx},
        files::{NewFile, add_file},
    },
    text,
    types::event::{Change, Event, Mentions},
    types::{MessageId, MessageKind, RoomId, Timestamp, UserId},
    wire::message::{Unfinished, finished},
};

/// Posts a message, once for each `client_message_id` of a person in a room. Refused with `NotFound` unless the author is a
/// member, and with `Invalid` unless the message it replies to is in the room.
#[derive(Debug)]
pub struct PostMessage {
    room: RoomId,
    creator: UserId,
    client_message_id: Option<String>,
    reply_to: Option<MessageId>,
    kind: MessageKind,
    /// The message's JSON without its id and time, which only the writer knows.
    unfinished: Vec<u8>,
    plain: String,
    addresses: String,
    mentions: SmallVec<[UserId; 4]>,
    everyone: bool,
    tags: String,
    file: Option<NewFile>,
    jobs: SmallVec<[NewJob; 1]>,
    at: Option<Timestamp>,
}

impl PostMessage {
    /// A message with the time of its commit, without a file and jobs.
    pub fn new(
        room: RoomId,
        creator: UserId,
        client_message_id: Option<String>,
        reply_to: Option<MessageId>,
        kind: MessageKind,
        text: Text,
    ) -> Self {
        let unfinished = Unfinished {
            room_id: room,
            creator_id: creator,
            client_message_id: client_message_id.as_deref(),
            kind,
            content: &text.content,
            html: &text.html,
            reply_to_id: reply_to,
            mentions: &text.mentions,
            everyone: text.everyone,
            is_emoji_only: text.is_emoji_only,
        };
        let unfinished = unfinished.json();
        let addresses = text::addresses(&text.html);
        let Text { plain, tags, mentions, everyone, .. } = text;
        Self {
            room,
            creator,
            client_message_id,
            reply_to,
            kind,
            unfinished,
            plain,
            addresses,
            mentions,
            everyone,
            tags,
            file: None,
            jobs: SmallVec::new(),
            at: None,
        }
    }

    /// Attaches a stored file.
    pub fn with_file(mut self, file: NewFile) -> Self {
        self.tags = if self.tags.is_empty() { file.tags() } else { format!("{} {}", self.tags, file.tags()) };
        // Its name can be searched for like the message's words.
        if !self.plain.is_empty() {
            self.plain.push(' ');
        }
        self.plain.push_str(&file.filename);
        self.file = Some(file);
        self
    }

    /// Queues a job with the message.
    pub fn with_job(mut self, job: NewJob) -> Self {
        self.jobs.push(job);
        self
    }

    /// Sets the time, for imported and generated messages. The default is the time of the commit.
    pub fn at(mut self, moment: Timestamp) -> Self {
        self.at = Some(moment);
        self
    }
}

/// A message, new or found.
#[derive(Debug)]
pub struct Posted {
    pub id: MessageId,
    pub json: Bytes,
    /// False if it was posted before.
    pub fresh: bool,
}

impl Command for PostMessage {
    type Output = Posted;

    const CHECKS_FIRST: bool = true;

    fn apply(self, tx: &mut Tx<'_>) -> Result<Posted, Refusal> {
        if let Some(client_id) = &self.client_message_id
            && let Some((id, json)) = posted_before(tx, self.room, self.creator, client_id)?
        {
            return Ok(Posted { id, json, fresh: false });
        }
        if let Some(reply_to) = self.reply_to {
            tx.statement("select 1 from messages where id = ? and room_id = ?")?
                .query_row((reply_to, self.room), |_| Ok(()))
                .optional()?
                .ok_or(Refusal::Invalid("reply_to_id", "is not a message of this room"))?;
        }
        let id = MessageId(tx.next_seq().0);
        // Marks the room read for its author, and proves in the same step that the author is a member.
        let member = tx
            .statement("update memberships set last_read_message_id = ? where room_id = ? and user_id = ?")?
            .execute((id, self.room, self.creator))?;
        if member == 0 {
            return Err(Refusal::NotFound);
        }
        let attachment = match &self.file {
            Some(file) => Some(add_file(tx.db, file, id, self.room)?),
            None => None,
        };
        let created_at = self.at.unwrap_or(tx.now);
        let json = finished(&self.unfinished, id, created_at, attachment.as_ref());
        tx.statement(
            "insert into messages (id, room_id, creator_id, client_message_id, kind, created_at, json, plain, tags, addresses)
             values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute((
            id,
            self.room,
            self.creator,
            &self.client_message_id,
            self.kind,
            created_at,
            &*json,
            &self.plain,
            &self.tags,
            &self.addresses,
        ))?;
        mention(tx.db, self.room, id, &self.mentions, self.everyone)?;
        for job in &self.jobs {
            tx.add_job(job, Some(id))?;
        }
        tx.indexing.push(Indexing::Add(Entry {
            message: id,
            room: self.room,
            creator: self.creator,
            plain: self.plain,
            addresses: self.addresses,
            tags: self.tags,
        }));
        let change = Change::MessageCreated {
            room: self.room,
            message: id,
            creator: self.creator,
            mentions: Mentions { users: self.mentions, everyone: self.everyone },
            json: json.clone(),
        };
        // No row in `events`: the message's own row is the record.
        tx.events.push(Event { seq: *tx.seq, change });
        Ok(Posted { id, json, fresh: true })
    }
}

/// The message that was posted with this `client_message_id`.
fn posted_before(
    tx: &Tx<'_>,
    room: RoomId,
    creator: UserId,
    client_id: &str,
) -> rusqlite::Result<Option<(MessageId, Bytes)>> {
    tx.statement(
        "select id, json from messages where room_id = ? and creator_id = ? and client_message_id = ?",
    )?
    .query_row((room, creator, client_id), |row| Ok((row.get(0)?, bytes(row, 1)?)))
    .optional()
}
