//! The staging database. A thread of its own fills it, so that an export is read on while its rows are written.

use std::{
    path::Path,
    sync::mpsc::{SyncSender, sync_channel},
    thread::JoinHandle,
};

use rusqlite::Connection;

use super::{
    Error,
    model::Message,
    report::{Kind, Report},
};
use crate::types::{Involvement, RoomId, UserId};

/// Rows that are passed on at a time, and batches that wait.
const BATCH: usize = 32;
const WAITING: usize = 4;

/// Batches in one transaction.
const COMMITTED_AT_ONCE: u64 = 600;

pub(super) enum Row {
    Message { room: RoomId, message: Box<Message> },
    Member { room: RoomId, person: UserId, involvement: Involvement, unread_from: Option<i64> },
}

type Filled = Result<(Connection, Report), Error>;

pub(super) struct Rows {
    batch: Vec<Row>,
    /// None once the thread has failed.
    thread: Option<(SyncSender<Vec<Row>>, JoinHandle<Filled>)>,
}

impl Rows {
    pub(super) fn new(folder: &Path) -> Result<Self, Error> {
        let db = Connection::open(folder.join("staging.db"))?;
        // It is made anew after a crash.
        db.execute_batch(
            "pragma journal_mode = off; pragma synchronous = off; pragma locking_mode = exclusive;
             pragma cache_size = -16384; pragma temp_store = file;
             create table messages (
               n integer primary key, room integer not null, key text not null,
               at integer not null, ord integer not null, id integer, json text not null
             ) strict;
             create table memberships (
               room integer not null, person integer not null, involvement text, unread_from integer,
               primary key (room, person)
             ) strict, without rowid;
             begin;",
        )?;
        let (sender, batches) = sync_channel::<Vec<Row>>(WAITING);
        let thread = std::thread::Builder::new().name("staging".into()).spawn(move || {
            let mut report = Report::default();
            for (place, batch) in (1_u64..).zip(batches) {
                for row in &batch {
                    insert(&db, row, &mut report)?;
                }
                if place.is_multiple_of(COMMITTED_AT_ONCE) {
                    db.execute_batch("commit; begin")?;
                }
            }
            db.execute_batch("commit")?;
            Ok((db, report))
        })?;
        Ok(Self { batch: Vec::with_capacity(BATCH), thread: Some((sender, thread)) })
    }

    pub(super) fn put(&mut self, row: Row) -> Result<(), Error> {
        self.batch.push(row);
        if self.batch.len() < BATCH { Ok(()) } else { self.pass_on() }
    }

    fn pass_on(&mut self) -> Result<(), Error> {
        let batch = std::mem::replace(&mut self.batch, Vec::with_capacity(BATCH));
        let is_taken = self.thread.as_ref().is_some_and(|(sender, _)| sender.send(batch).is_ok());
        // The thread ends before its time for an error only.
        if is_taken { Ok(()) } else { self.join().map(drop) }
    }

    fn join(&mut self) -> Filled {
        let stopped = || Error("a thread of the import has stopped".into());
        let (sender, thread) = self.thread.take().ok_or_else(stopped)?;
        drop(sender);
        thread.join().map_err(|_| stopped())?
    }

    /// Waits until all rows are written. The database, and counts of what was left out.
    pub(super) fn finish(&mut self) -> Filled {
        self.pass_on()?;
        self.join()
    }
}

fn insert(db: &Connection, row: &Row, report: &mut Report) -> Result<(), Error> {
    match row {
        Row::Message { room, message } => {
            let json = serde_json::to_string(message).map_err(|error| Error(error.to_string()))?;
            db.prepare_cached(
                "insert into messages (room, key, at, ord, id, json) values (?, ?, ?, ?, ?, ?)",
            )?
            .execute((room, &message.key, message.at, message.order, message.id, json))?;
        }
        Row::Member { room, person, involvement, unread_from } => {
            let inserted = db
                .prepare_cached(
                    "insert or ignore into memberships (room, person, involvement, unread_from) values (?, ?, ?, ?)",
                )?
                .execute((room, person, involvement, unread_from))?;
            if inserted == 0 {
                report.left_out(Kind::Memberships, "twice in the export", "");
            }
        }
    }
    Ok(())
}
