//! Commands to the writer, how they are refused, and the transaction that they see.

use bytes::Bytes;

use crate::{
    types::event::{Change, ChangedMentions, Event},
    types::{JobKind, MessageId, RoomId, Seq, Timestamp, UserId},
    wire,
};

/// A change to the database. It is applied completely or not at all.
pub trait Command: Send + 'static {
    type Output: Send + 'static;

    /// True if the command refuses only before it has written anything. It then needs no savepoint, which costs as much as
    /// a small command (SQLite copies each page that is changed). If the database fails it, its whole batch fails, and the
    /// next ones have savepoints.
    const CHECKS_FIRST: bool = false;

    /// Applies the change within the transaction of its batch.
    fn apply(self, tx: &mut Tx<'_>) -> Result<Self::Output, Refusal>;
}

/// Why a command was refused. It has changed nothing.
#[derive(Debug)]
pub enum Refusal {
    /// A row that the command needs does not exist.
    NotFound,
    /// A sentence for the user.
    Forbidden(&'static str),
    /// A sentence for the user.
    Conflict(&'static str),
    /// The e-mail address is that of somebody who was imported and has not signed in yet.
    Unclaimed,
    /// A field, and what is wrong with it.
    Invalid(&'static str, &'static str),
    Database(rusqlite::Error),
}

impl From<rusqlite::Error> for Refusal {
    fn from(error: rusqlite::Error) -> Self {
        match error {
            rusqlite::Error::QueryReturnedNoRows => Self::NotFound,
            error => Self::Database(error),
        }
    }
}

/// Why a command was not applied.
#[derive(Debug)]
pub enum WriteError {
    Refused(Refusal),
    /// The queue is full: nothing was tried.
    Overloaded,
    /// The batch could not be committed: nothing of it was applied.
    NotCommitted(NotCommitted),
    /// The writer has stopped.
    Stopped,
}

impl WriteError {
    /// Whether the disk is full.
    pub fn is_full(&self) -> bool {
        match self {
            Self::Refused(Refusal::Database(error)) => NotCommitted::from(error) == NotCommitted::Full,
            Self::NotCommitted(why) => *why == NotCommitted::Full,
            _ => false,
        }
    }
}

/// Why a batch was not committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotCommitted {
    /// The disk is full.
    Full,
    /// Another command of the batch failed. This one may be tried again at once.
    OtherFailed,
    /// The database failed, in its words.
    Database(String),
}

impl From<&rusqlite::Error> for NotCommitted {
    fn from(error: &rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => Self::Full,
            _ => Self::Database(error.to_string()),
        }
    }
}

impl From<Refusal> for WriteError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// A change to the full-text index, written at the end of the batch: a savepoint makes FTS5 write what it has buffered as
/// a segment of its own, and most commands have a savepoint.
#[derive(Debug)]
pub(super) enum Indexing {
    Add(Entry),
    Remove(Entry),
}

/// What the index has of a message.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) message: MessageId,
    pub(super) room: RoomId,
    pub(super) creator: UserId,
    pub(super) plain: String,
    pub(super) addresses: String,
    pub(super) tags: String,
}

/// A background job, queued in the transaction of what it belongs to.
#[derive(Clone, Debug)]
pub struct NewJob {
    pub kind: JobKind,
    /// The id of the bot, the subscription or the person that it is about.
    pub target: Option<i64>,
    pub payload: Option<String>,
}

/// The open transaction, as a command sees it.
pub struct Tx<'a> {
    pub(super) db: &'a rusqlite::Connection,
    pub(super) now: Timestamp,
    pub(super) seq: &'a mut Seq,
    pub(super) events: &'a mut Vec<Event>,
    pub(super) indexing: &'a mut Vec<Indexing>,
}

/// Who may see an event later, by `/api/sync` or a replay.
#[derive(Clone, Copy)]
pub(super) enum Audience<'a> {
    Everybody,
    Room(RoomId),
    Person(UserId),
    /// The former members of a deleted room.
    Those(&'a [UserId]),
}

impl Tx<'_> {
    pub(super) fn statement(&self, sql: &str) -> rusqlite::Result<rusqlite::CachedStatement<'_>> {
        self.db.prepare_cached(sql)
    }

    /// Queues a job. It runs at least once after the commit.
    pub(super) fn add_job(&mut self, job: &NewJob, message: Option<MessageId>) -> rusqlite::Result<()> {
        self.statement(
            "insert into jobs (kind, message_id, target_id, payload, key, run_at, created_at) values (?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute((
            job.kind,
            message,
            job.target,
            &job.payload,
            crate::types::random_token(),
            self.now,
            self.now,
        ))?;
        self.notify(Change::JobsWaiting);
        Ok(())
    }

    /// Takes the next position of the history.
    pub(super) fn next_seq(&mut self) -> Seq {
        self.seq.0 += 1;
        *self.seq
    }

    /// Sends a change to the workers after the commit. It is not part of the durable history.
    pub(super) fn notify(&mut self, change: Change) {
        self.events.push(Event { seq: Seq(0), change });
    }

    /// Writes an event to the durable history, and sends it to the workers after the commit. `change` gets the members of
    /// the event's JSON after `type` and `seq`.
    pub(super) fn record(
        &mut self,
        audience: Audience<'_>,
        message: Option<MessageId>,
        event: &wire::Event<'_>,
        change: impl FnOnce(Bytes) -> Change,
    ) -> rusqlite::Result<()> {
        let (kind, members) = event.stored();
        let seq = self.insert_event(audience, message, &kind, Some(&members))?;
        self.events.push(Event { seq, change: change(members.into()) });
        Ok(())
    }

    /// The same for a changed message. The event has no payload: it is replayed from the message's row.
    pub(super) fn record_update(
        &mut self,
        room: RoomId,
        message: MessageId,
        mentions: Option<Box<ChangedMentions>>,
        json: Bytes,
    ) -> rusqlite::Result<()> {
        let seq = self.insert_event(Audience::Room(room), Some(message), "message.updated", None)?;
        self.events.push(Event { seq, change: Change::MessageUpdated { room, message, mentions, json } });
        Ok(())
    }

    fn insert_event(
        &mut self,
        audience: Audience<'_>,
        message: Option<MessageId>,
        kind: &str,
        members: Option<&str>,
    ) -> rusqlite::Result<Seq> {
        let seq = self.next_seq();
        let (room, user) = match audience {
            Audience::Everybody => (None, None),
            Audience::Room(room) => (Some(room), None),
            Audience::Person(user) => (None, Some(user)),
            // User 0 is nobody: only those listed see it.
            Audience::Those(_) => (None, Some(UserId(0))),
        };
        self.statement(
            "insert into events (seq, at, kind, room_id, user_id, message_id, payload) values (?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute((seq, self.now, kind, room, user, message, members))?;
        if let Audience::Those(people) = audience {
            let mut insert = self.statement("insert into event_audience (seq, user_id) values (?, ?)")?;
            for person in people {
                insert.execute((seq, person))?;
            }
        }
        Ok(seq)
    }
}
