//! Messages: posting, editing, deleting, and pages of them.

use bytes::Bytes;
use rusqlite::OptionalExtension;
use smallvec::SmallVec;

use super::{
    Reader,
    command::{Audience, Command, Entry, Indexing, NewJob, Refusal, Tx},
    files::{Image, NewFile, add_file, put_image, remove_files},
};
use crate::{
    types::event::Change,
    types::{Embed, Message, MessageId, MessageKind, RoomId, Timestamp, UserId},
    wire::{
        self,
        message::{Unfinished, finished},
    },
};

/// How many messages of a deleted room go in one command: small enough that the writer is never held up for long.
const PURGE_STEP: usize = 500;

/// The same where each one is announced.
const REMOVE_STEP: usize = 100;

/// A message's text with all that follows from it, made before it reaches the writer.
#[derive(Debug, Default)]
pub struct Text {
    pub content: String,
    pub html: String,
    pub plain: String,
    /// Its kinds, as words of the index.
    pub tags: String,
    pub mentions: SmallVec<[UserId; 4]>,
    pub everyone: bool,
    pub is_emoji_only: bool,
}

/// Posts a message. The same `client_message_id` of the same person in the same room posts nothing again.
#[derive(Debug)]
pub struct PostMessage {
    room: RoomId,
    creator: UserId,
    client_message_id: Option<String>,
    reply_to: Option<MessageId>,
    kind: MessageKind,
    /// The finished object but for its id and time, which only the writer knows.
    rest: Vec<u8>,
    plain: String,
    mentions: SmallVec<[UserId; 4]>,
    everyone: bool,
    tags: String,
    file: Option<NewFile>,
    jobs: SmallVec<[NewJob; 1]>,
    at: Option<Timestamp>,
}

impl PostMessage {
    pub fn new(
        room: RoomId,
        creator: UserId,
        client_message_id: Option<String>,
        reply_to: Option<MessageId>,
        kind: MessageKind,
        text: Text,
    ) -> Self {
        let rest = Unfinished {
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
        let rest = rest.json();
        let Text { plain, tags, mentions, everyone, .. } = text;
        Self {
            room,
            creator,
            client_message_id,
            reply_to,
            kind,
            rest,
            plain,
            mentions,
            everyone,
            tags,
            file: None,
            jobs: SmallVec::new(),
            at: None,
        }
    }

    /// With a file that lies in its place already.
    pub fn with_file(mut self, file: NewFile) -> Self {
        self.tags = if self.tags.is_empty() { file.tags() } else { format!("{} {}", self.tags, file.tags()) };
        // Its name can be searched for like a word of the message.
        if !self.plain.is_empty() {
            self.plain.push(' ');
        }
        self.plain.push_str(&file.filename);
        self.file = Some(file);
        self
    }

    /// With something to do once it is posted.
    pub fn with_job(mut self, job: NewJob) -> Self {
        self.jobs.push(job);
        self
    }

    /// For talk that was had elsewhere, or is made up.
    pub fn at(mut self, moment: Timestamp) -> Self {
        self.at = Some(moment);
        self
    }
}

#[derive(Debug)]
pub struct Posted {
    pub id: MessageId,
    pub json: Bytes,
    /// False if it had been posted before.
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
            Some(file) => Some(add_file(tx, file, id, self.room)?),
            None => None,
        };
        let created_at = self.at.unwrap_or(tx.now);
        let json = finished(&self.rest, id, created_at, attachment.as_ref());
        tx.statement(
            "insert into messages (id, room_id, creator_id, client_message_id, kind, created_at, json, plain, tags)
             values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
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
        ))?;
        mention(tx, self.room, id, &self.mentions, self.everyone)?;
        for job in &self.jobs {
            tx.add_job(job, Some(id))?;
        }
        tx.indexing.push(Indexing::Add(Entry {
            message: id,
            room: self.room,
            creator: self.creator,
            plain: self.plain,
            tags: self.tags,
        }));
        let change = Change::MessageCreated {
            room: self.room,
            message: id,
            creator: self.creator,
            mentions: self.mentions,
            everyone: self.everyone,
            json: json.clone(),
        };
        // No row in `events`: the message's own row is the record.
        tx.events.push(crate::types::event::Event { seq: *tx.seq, change });
        Ok(Posted { id, json, fresh: true })
    }
}

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

fn mention(
    tx: &Tx<'_>,
    room: RoomId,
    message: MessageId,
    mentions: &[UserId],
    everyone: bool,
) -> rusqlite::Result<()> {
    if mentions.is_empty() && !everyone {
        return Ok(());
    }
    let mut insert =
        tx.statement("insert or ignore into mentions (user_id, room_id, message_id) values (?, ?, ?)")?;
    for user in mentions.iter().copied().chain(everyone.then_some(UserId(0))) {
        insert.execute((user, room, message))?;
    }
    Ok(())
}

fn unmention(tx: &Tx<'_>, message: &Message) -> rusqlite::Result<()> {
    let mut delete =
        tx.statement("delete from mentions where user_id = ? and room_id = ? and message_id = ?")?;
    for user in message.mentions.iter().copied().chain([UserId(0)]) {
        delete.execute((user, message.room_id, message.id))?;
    }
    Ok(())
}

/// A message with what the index knows of it.
pub(super) fn stored(tx: &Tx<'_>, id: MessageId) -> Result<(Message, Entry), Refusal> {
    let (json, plain, tags) = tx
        .statement("select json, plain, tags from messages where id = ?")?
        .query_row((id,), |row| Ok((bytes(row, 0)?, row.get(1)?, row.get(2)?)))?;
    let message: Message = serde_json::from_slice(&json).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Blob, Box::new(error))
    })?;
    let (room, creator) = (message.room_id, message.creator_id);
    Ok((message, Entry { message: id, room, creator, plain, tags }))
}

/// Writes a changed message over what was stored.
pub(super) fn rewrite(tx: &Tx<'_>, message: &Message) -> rusqlite::Result<Bytes> {
    let json = Bytes::from(serde_json::to_vec(message).expect("a message has nothing that JSON cannot say"));
    tx.statement("update messages set json = ? where id = ?")?.execute((&*json, message.id))?;
    Ok(json)
}

/// Its author, or an administrator, may change a message.
fn authorise(message: &Message, editor: UserId, is_admin: bool) -> Result<(), Refusal> {
    if message.creator_id == editor || is_admin {
        Ok(())
    } else {
        Err(Refusal::Forbidden("Only its author or an administrator may change a message."))
    }
}

#[derive(Debug)]
pub struct EditMessage {
    pub message: MessageId,
    pub editor: UserId,
    pub is_admin: bool,
    pub text: Text,
    /// Looks for the pages behind its links.
    pub preview: Option<NewJob>,
}

impl Command for EditMessage {
    type Output = Bytes;

    fn apply(self, tx: &mut Tx<'_>) -> Result<Bytes, Refusal> {
        let (mut message, before) = stored(tx, self.message)?;
        authorise(&message, self.editor, self.is_admin)?;
        if message.kind == MessageKind::Sound || message.kind == MessageKind::System {
            return Err(Refusal::Conflict("Only what somebody wrote can be edited."));
        }
        unmention(tx, &message)?;
        message.content = self.text.content;
        message.html = self.text.html;
        message.mentions = self.text.mentions.to_vec();
        message.everyone = self.text.everyone;
        message.is_emoji_only = self.text.is_emoji_only;
        message.edited_at = Some(tx.now);
        mention(tx, message.room_id, message.id, &message.mentions, self.text.everyone)?;
        let (mut plain, mut tags) = (self.text.plain, self.text.tags);
        if let Some(attachment) = &message.attachment {
            plain = [&*plain, &attachment.filename].join(" ").trim_start().to_owned();
            tags =
                [&*tags, &super::files::tags_of(&attachment.content_type)].join(" ").trim_start().to_owned();
        }
        // Previews are of the links that it has; they are looked for anew.
        message.embeds.clear();
        tx.statement("delete from images where message_id = ?")?.execute((message.id,))?;
        if let Some(job) = &self.preview {
            tx.add_job(job, Some(message.id))?;
        }
        let json = rewrite(tx, &message)?;
        tx.statement("update messages set plain = ?, tags = ? where id = ?")?
            .execute((&plain, &tags, message.id))?;
        let (room, creator) = (message.room_id, message.creator_id);
        tx.indexing.push(Indexing::Remove(before));
        tx.indexing.push(Indexing::Add(Entry { message: message.id, room, creator, plain, tags }));
        tx.record_update(room, message.id, json.clone())?;
        Ok(json)
    }
}

#[derive(Debug)]
pub struct DeleteMessage {
    pub message: MessageId,
    pub editor: UserId,
    pub is_admin: bool,
}

impl Command for DeleteMessage {
    type Output = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), Refusal> {
        let (message, entry) = stored(tx, self.message)?;
        authorise(&message, self.editor, self.is_admin)?;
        delete(tx, &message, entry)
    }
}

/// Takes a message out of its room, and tells everybody there.
pub(super) fn delete(tx: &mut Tx<'_>, message: &Message, entry: Entry) -> Result<(), Refusal> {
    remove(tx, message, entry)?;
    let (room, id) = (message.room_id, message.id);
    let last_message = tx
        .statement("select max(id) from messages where room_id = ?")?
        .query_row((room,), |row| row.get(0))?;
    let event = wire::Event::MessageDeleted { room_id: room, message_id: id };
    Ok(tx.record(Audience::Room(room), Some(id), &event, |json| Change::MessageDeleted {
        room,
        message: id,
        last_message,
        json,
    })?)
}

fn remove(tx: &mut Tx<'_>, message: &Message, entry: Entry) -> rusqlite::Result<()> {
    unmention(tx, message)?;
    if !message.boosts.is_empty() {
        tx.statement("delete from boosts where message_id = ?")?.execute((message.id,))?;
    }
    if message.attachment.is_some() {
        remove_files(tx, message.id)?;
    }
    if !message.embeds.is_empty() {
        tx.statement("delete from images where message_id = ?")?.execute((message.id,))?;
    }
    tx.statement("delete from messages where id = ?")?.execute((message.id,))?;
    tx.indexing.push(Indexing::Remove(entry));
    Ok(())
}

/// Removes some of the messages of deleted rooms; true if there may be more.
#[derive(Debug)]
pub struct PurgeRooms;

impl Command for PurgeRooms {
    type Output = bool;

    fn apply(self, tx: &mut Tx<'_>) -> Result<bool, Refusal> {
        let ids: Vec<MessageId> = tx
            .statement(
                "select messages.id from rooms join messages on messages.room_id = rooms.id
                 where rooms.deleted_at is not null limit ?",
            )?
            .query_map((PURGE_STEP,), |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        for id in &ids {
            let (message, entry) = stored(tx, *id)?;
            remove(tx, &message, entry)?;
        }
        Ok(ids.len() == PURGE_STEP)
    }
}

/// A message's row, with its finished object.
#[derive(Debug)]
pub struct MessageRow {
    pub id: MessageId,
    pub room: RoomId,
    pub creator: UserId,
    pub kind: MessageKind,
    pub created_at: Timestamp,
    pub json: Bytes,
}

/// What a message says, as it was written and as it is shown.
#[derive(Debug)]
pub struct MessageWords {
    pub content: String,
    pub html: String,
}

/// Which part of a room's history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Select {
    Newest,
    Before(MessageId),
    After(MessageId),
    Around(MessageId),
}

/// Finished objects, oldest first.
#[derive(Debug, Default)]
pub struct Page {
    pub messages: Vec<(MessageId, Bytes)>,
    pub has_before: bool,
    pub has_after: bool,
}

impl Reader {
    /// A page of a room. `limit` messages at most.
    pub fn page(&self, room: RoomId, select: Select, limit: usize) -> rusqlite::Result<Page> {
        match select {
            Select::Newest => {
                let (messages, has_before) = self.older(room, MessageId(i64::MAX), limit)?;
                Ok(Page { messages, has_before, has_after: false })
            }
            Select::Before(id) => {
                let (messages, has_before) = self.older(room, id, limit)?;
                let has_after = self.exists_from(room, id)?;
                Ok(Page { messages, has_before, has_after })
            }
            Select::After(id) => {
                let (messages, has_after) = self.newer(room, id, limit)?;
                let has_before = self.exists_up_to(room, id)?;
                Ok(Page { messages, has_before, has_after })
            }
            Select::Around(id) => {
                // The message itself counts to the older half.
                let half = limit.div_ceil(2);
                let (mut messages, has_before) = self.older(room, MessageId(id.0.saturating_add(1)), half)?;
                let (newer, has_after) = self.newer(room, id, limit - half)?;
                messages.extend(newer);
                Ok(Page { messages, has_before, has_after })
            }
        }
    }

    fn older(
        &self,
        room: RoomId,
        before: MessageId,
        limit: usize,
    ) -> rusqlite::Result<(Vec<(MessageId, Bytes)>, bool)> {
        let sql = "select id, json from messages where room_id = ? and id < ? order by id desc limit ?";
        let (mut messages, more) = self.some(sql, room, before, limit)?;
        messages.reverse();
        Ok((messages, more))
    }

    fn newer(
        &self,
        room: RoomId,
        after: MessageId,
        limit: usize,
    ) -> rusqlite::Result<(Vec<(MessageId, Bytes)>, bool)> {
        let sql = "select id, json from messages where room_id = ? and id > ? order by id limit ?";
        self.some(sql, room, after, limit)
    }

    /// Up to `limit` rows, and whether there is one more.
    fn some(
        &self,
        sql: &str,
        room: RoomId,
        edge: MessageId,
        limit: usize,
    ) -> rusqlite::Result<(Vec<(MessageId, Bytes)>, bool)> {
        let mut statement = self.statement(sql)?;
        let mut rows = statement.query((room, edge, limit + 1))?;
        let mut messages = Vec::with_capacity(limit);
        while let Some(row) = rows.next()? {
            if messages.len() == limit {
                return Ok((messages, true));
            }
            messages.push((row.get(0)?, bytes(row, 1)?));
        }
        Ok((messages, false))
    }

    fn exists_from(&self, room: RoomId, id: MessageId) -> rusqlite::Result<bool> {
        self.statement("select exists (select 1 from messages where room_id = ? and id >= ?)")?
            .query_row((room, id), |row| row.get(0))
    }

    fn exists_up_to(&self, room: RoomId, id: MessageId) -> rusqlite::Result<bool> {
        self.statement("select exists (select 1 from messages where room_id = ? and id <= ?)")?
            .query_row((room, id), |row| row.get(0))
    }

    /// Messages of all rooms in order, with the name that a file lies under.
    pub fn messages_after(
        &self,
        after: MessageId,
        limit: usize,
    ) -> rusqlite::Result<Vec<(MessageId, Bytes, Option<String>)>> {
        self.statement(
            "select messages.id, json, attachments.key from messages
             join rooms on rooms.id = messages.room_id and rooms.deleted_at is null
             left join attachments on attachments.message_id = messages.id
             where messages.id > ? order by messages.id limit ?",
        )?
        .query_map((after, limit), |row| Ok((row.get(0)?, bytes(row, 1)?, row.get(2)?)))?
        .collect()
    }

    pub fn message_count(&self, room: RoomId) -> rusqlite::Result<i64> {
        self.statement("select count(*) from messages where room_id = ?")?
            .query_row((room,), |row| row.get(0))
    }

    /// A message's words, as the index has them.
    pub fn plain(&self, id: MessageId) -> rusqlite::Result<Option<String>> {
        self.statement("select plain from messages where id = ?")?
            .query_row((id,), |row| row.get(0))
            .optional()
    }

    pub fn message(&self, id: MessageId) -> rusqlite::Result<Option<MessageRow>> {
        self.statement("select room_id, creator_id, kind, created_at, json from messages where id = ?")?
            .query_row((id,), |row| {
                Ok(MessageRow {
                    id,
                    room: row.get(0)?,
                    creator: row.get(1)?,
                    kind: row.get(2)?,
                    created_at: row.get(3)?,
                    json: bytes(row, 4)?,
                })
            })
            .optional()
    }

    /// What a message says. The finished object alone has it: a second copy would double the row.
    pub fn words(&self, id: MessageId) -> rusqlite::Result<Option<MessageWords>> {
        self.statement(
            "select cast(json as text) ->> '$.content', cast(json as text) ->> '$.html' from messages where id = ?",
        )?
        .query_row((id,), |row| Ok(MessageWords { content: row.get(0)?, html: row.get(1)? }))
        .optional()
    }

    /// The names of those whom a message mentions and who are still in its room.
    pub fn mentioned_names(&self, id: MessageId) -> rusqlite::Result<Vec<(UserId, String)>> {
        self.statement(
            "select users.id, users.name from mentions
             join memberships using (room_id, user_id) join users on users.id = mentions.user_id
             where message_id = ?",
        )?
        .query_map((id,), |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
    }

    pub fn newest_message(&self, room: RoomId) -> rusqlite::Result<Option<MessageId>> {
        self.statement("select max(id) from messages where room_id = ?")?.query_row((room,), |row| row.get(0))
    }
}

pub(super) fn bytes(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<Bytes> {
    Ok(Bytes::copy_from_slice(row.get_ref(column)?.as_blob()?))
}

/// Removes some of what a person said, each announced; true if there may be more.
#[derive(Debug)]
pub struct RemoveMessagesOf {
    pub user: UserId,
}

impl Command for RemoveMessagesOf {
    type Output = bool;

    fn apply(self, tx: &mut Tx<'_>) -> Result<bool, Refusal> {
        let ids: Vec<MessageId> = tx
            .statement("select id from messages where creator_id = ? order by id desc limit ?")?
            .query_map((self.user, REMOVE_STEP), |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        for id in &ids {
            let (message, entry) = stored(tx, *id)?;
            delete(tx, &message, entry)?;
        }
        Ok(ids.len() == REMOVE_STEP)
    }
}

/// Removes some of what is older than the account keeps, each announced; true if there may be more.
#[derive(Debug)]
pub struct RetireMessages;

impl Command for RetireMessages {
    type Output = bool;

    fn apply(self, tx: &mut Tx<'_>) -> Result<bool, Refusal> {
        let Some(days) = super::account::retention_days(tx)? else { return Ok(false) };
        let horizon = tx.now.hours_ago(i64::from(days) * 24);
        let ids: Vec<MessageId> = tx
            .statement("select id from messages order by id limit ?")?
            .query_map((REMOVE_STEP,), |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        for id in &ids {
            let (message, entry) = stored(tx, *id)?;
            // Messages are in the order of their time, so the first that stays is followed by others that do.
            if message.created_at >= horizon {
                return Ok(false);
            }
            delete(tx, &message, entry)?;
        }
        Ok(ids.len() == REMOVE_STEP)
    }
}

/// Adds what was found behind a message's links, if it still says the same.
#[derive(Debug)]
pub struct SetEmbeds {
    pub message: MessageId,
    /// What it said when its links were looked at.
    pub html: String,
    pub embeds: Vec<Embed>,
    pub images: Vec<(String, Image)>,
}

impl Command for SetEmbeds {
    type Output = ();

    fn apply(self, tx: &mut Tx<'_>) -> Result<(), Refusal> {
        let (mut message, _) = match stored(tx, self.message) {
            Err(Refusal::NotFound) => return Ok(()),
            found => found?,
        };
        if message.html != self.html {
            return Ok(());
        }
        tx.statement("delete from images where message_id = ?")?.execute((message.id,))?;
        for (key, image) in &self.images {
            put_image(tx, key, Some(message.id), Some(image))?;
        }
        message.embeds = self.embeds;
        let json = rewrite(tx, &message)?;
        Ok(tx.record_update(message.room_id, message.id, json)?)
    }
}
