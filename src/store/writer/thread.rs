//! The writer's thread: takes batches from the queue, applies and commits them.

use std::{
    sync::{Arc, PoisonError, atomic::Ordering},
    time::{Duration, Instant},
};

use rusqlite::Connection;

use super::{
    Completion, Fanout, ReplyTo,
    queue::{Outcome, Queue, QueuedCommand},
};
use crate::{
    store::{
        checkpointer::Checkpointer,
        command::{NotCommitted, Tx},
        index::Index,
        schema::{DataDir, OpenError},
    },
    types::event::{Batch, Change, Event},
    types::{Seq, Timestamp},
};

/// Commands in one transaction at most: bounds how long the first of a batch waits for its commit.
const MAX_BATCH: usize = 1024;

/// Batches with a savepoint for every command, after one without failed a batch: the next time it fails alone.
const SAVEPOINT_BATCHES: u32 = 1_000;

/// How often an idle writer checks whether another process has written (`campfire admin` does).
const IDLE_CHECK: Duration = Duration::from_millis(500);

/// The delay between attempts to begin while another process has locked the database.
const BUSY_DELAY: Duration = Duration::from_millis(20);

/// How often the statistics for SQLite's query planner are updated. They are also updated at close.
const OPTIMIZE_EVERY: Duration = Duration::from_secs(6 * 3600);

/// The state of the writer's thread.
pub(super) struct WriterThread {
    db: Connection,
    checkpointer: Checkpointer,
    index: Index,
    seq: Seq,
    /// Changes when another connection commits.
    data_version: i64,
    fanout: Box<dyn Fanout>,
    queue: Arc<Queue>,
    optimized: Instant,
    /// For so many batches every command gets a savepoint.
    savepoint_batches: u32,
    /// How long to wait for commands: `IDLE_CHECK`, or less while there are messages to index.
    idle_for: Duration,
}

/// A batch that was not committed.
struct Aborted {
    why: NotCommitted,
    /// The command that failed, which has its answer.
    failed: Option<usize>,
}

impl From<rusqlite::Error> for Aborted {
    fn from(error: rusqlite::Error) -> Self {
        tracing::error!(%error, "a commit failed");
        Self { why: (&error).into(), failed: None }
    }
}

impl WriterThread {
    pub(super) fn new(data: &DataDir, fanout: Box<dyn Fanout>, queue: Arc<Queue>) -> Result<Self, OpenError> {
        let mut db = data.writable()?;
        let checkpointer = Checkpointer::start(data, &mut db)?;
        let failed = |error| OpenError::Database(data.database(), error);
        let seq = last_seq(&db).map_err(failed)?;
        let data_version = data_version(&db).map_err(failed)?;
        queue.seq.store(seq.0, Ordering::Release);
        let index = Index::open(&db, data.durability()).map_err(failed)?;
        queue.is_indexing.store(index.is_incomplete(), Ordering::Release);
        Ok(Self {
            index,
            db,
            checkpointer,
            seq,
            data_version,
            fanout,
            queue,
            optimized: Instant::now(),
            savepoint_batches: 0,
            idle_for: IDLE_CHECK,
        })
    }

    pub(super) fn work(&mut self) {
        while let Some(batch) = self.next_batch() {
            if batch.is_empty() {
                self.idle();
            } else {
                self.apply(batch);
            }
            if self.index.can_catch_up() {
                self.index_older();
            }
        }
        if let Err(error) = self.db.execute_batch("PRAGMA optimize") {
            tracing::warn!(%error, "could not update the statistics at close");
        }
    }

    /// Takes the queued commands, up to `MAX_BATCH`. Empty if none came within `idle_for`; None once the queue is closed
    /// and empty.
    fn next_batch(&self) -> Option<Vec<QueuedCommand>> {
        let mut waiting = self.queue.lock();
        if waiting.commands.is_empty() {
            if waiting.closed {
                return None;
            }
            waiting.asleep = true;
            let (guard, _) = self
                .queue
                .arrived
                .wait_timeout(waiting, self.idle_for)
                .unwrap_or_else(PoisonError::into_inner);
            waiting = guard;
            waiting.asleep = false;
        }
        let count = waiting.commands.len().min(MAX_BATCH);
        let rest = waiting.commands.split_off(count);
        let batch = std::mem::replace(&mut waiting.commands, rest);
        waiting.under_way = batch.len();
        Some(batch)
    }

    /// Indexes some messages that are not in the index yet. Then commands have at least as long.
    fn index_older(&mut self) {
        let began = Instant::now();
        self.index.catch_up(&self.db);
        self.checkpointer.after_commit(&self.db);
        self.queue.is_indexing.store(self.index.is_incomplete(), Ordering::Release);
        self.idle_for = if self.index.can_catch_up() { began.elapsed() } else { IDLE_CHECK };
    }

    fn idle(&mut self) {
        if self.optimized.elapsed() > OPTIMIZE_EVERY {
            self.optimized = Instant::now();
            if let Err(error) = self.db.execute_batch("PRAGMA optimize") {
                tracing::warn!(%error, "could not update the statistics");
            }
        }
        if data_version(&self.db).is_ok_and(|version| version != self.data_version)
            && let Err(error) = self.catch_up_with_others()
        {
            tracing::warn!(%error, "could not read what another process wrote");
        }
    }

    /// Takes over the position in the history after another process has committed, and has the workers reload their state.
    fn catch_up_with_others(&mut self) -> rusqlite::Result<()> {
        self.data_version = data_version(&self.db)?;
        let seq = last_seq(&self.db)?;
        if seq > self.seq {
            self.seq = seq;
            self.publish(vec![Event { seq, change: Change::Reloaded }]);
        }
        Ok(())
    }

    fn apply(&mut self, mut batch: Vec<QueuedCommand>) {
        let started = Instant::now();
        let metrics = &self.queue.metrics;
        metrics.batches.fetch_add(1, Ordering::Relaxed);
        metrics.commands.fetch_add(batch.len() as u64, Ordering::Relaxed);
        match self.transact(&mut batch) {
            Ok(events) => self.publish(events),
            Err(Aborted { why, failed }) => {
                self.queue.metrics.failed_commits.fetch_add(1, Ordering::Relaxed);
                tracing::error!(commands = batch.len(), "a batch was not committed");
                if !self.db.is_autocommit() {
                    let _ = self.db.execute_batch("ROLLBACK");
                }
                for (place, queued) in batch.iter_mut().enumerate() {
                    if failed != Some(place) {
                        queued.command.fail(why.clone());
                    }
                }
            }
        }
        let nanos = u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.queue.metrics.batch_nanos.fetch_add(nanos, Ordering::Relaxed);
        self.queue.lock().under_way = 0;
        self.answer(batch);
        self.index.optimize(&self.db);
        self.checkpointer.after_commit(&self.db);
    }

    /// Begins a transaction, and retries for as long as another process has locked the database. Commands wait in the queue
    /// meanwhile; once it is full, further ones are refused as `Overloaded`.
    fn begin(&mut self) -> rusqlite::Result<()> {
        loop {
            self.queue.metrics.turns.fetch_add(1, Ordering::Relaxed);
            match self.db.prepare_cached("BEGIN IMMEDIATE")?.execute(()) {
                Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy) => {
                    if self.queue.lock().closed {
                        // The other process may never release its lock.
                        return Err(error);
                    }
                    tracing::warn!("another process has locked the database; waiting");
                    std::thread::sleep(BUSY_DELAY);
                }
                begun => return begun.map(drop),
            }
        }
    }

    /// Applies a batch and commits it. Returns its events, or an error if nothing was committed.
    fn transact(&mut self, batch: &mut [QueuedCommand]) -> Result<Vec<Event>, Aborted> {
        self.begin()?;
        if data_version(&self.db)? != self.data_version {
            self.catch_up_with_others()?;
        }
        let mut events = Vec::with_capacity(batch.len());
        let mut indexing = Vec::with_capacity(batch.len());
        let mut seq = self.seq;
        let all_have_savepoints = self.savepoint_batches > 0;
        self.savepoint_batches = self.savepoint_batches.saturating_sub(1);
        for (place, queued) in batch.iter_mut().enumerate() {
            let mark = (seq, events.len(), indexing.len());
            let has_savepoint = all_have_savepoints || !queued.command.checks_first();
            if has_savepoint {
                self.db.prepare_cached("SAVEPOINT command")?.execute(())?;
            }
            let mut tx = Tx {
                db: &self.db,
                now: Timestamp::now(),
                seq: &mut seq,
                events: &mut events,
                indexing: &mut indexing,
            };
            let ran = queued.command.run(&mut tx);
            if ran != Outcome::Done {
                self.queue.metrics.refused.fetch_add(1, Ordering::Relaxed);
                if let Outcome::Failed(why) = ran
                    && (!has_savepoint || self.db.is_autocommit())
                {
                    // Without a savepoint, what it has written cannot be undone alone; and some errors (a full disk)
                    // make SQLite undo the whole transaction.
                    let why = if why == NotCommitted::Full { why } else { NotCommitted::OtherFailed };
                    self.savepoint_batches = SAVEPOINT_BATCHES;
                    return Err(Aborted { why, failed: Some(place) });
                }
                if has_savepoint {
                    self.db.prepare_cached("ROLLBACK TO command")?.execute(())?;
                }
                seq = mark.0;
                events.truncate(mark.1);
                indexing.truncate(mark.2);
            }
            if has_savepoint {
                self.db.prepare_cached("RELEASE command")?.execute(())?;
            }
        }
        self.index.write(&self.db, &indexing)?;
        let committing = Instant::now();
        self.db.prepare_cached("COMMIT")?.execute(())?;
        let nanos = u64::try_from(committing.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.queue.metrics.commit_nanos.fetch_add(nanos, Ordering::Relaxed);
        self.seq = seq;
        Ok(events)
    }

    fn publish(&self, events: Vec<Event>) {
        if !events.is_empty() {
            // Before a client can learn of it.
            self.queue.seq.store(self.seq.0, Ordering::Release);
            self.fanout.events(&Batch::from(events), Instant::now());
        }
    }

    /// Sends the answers, in one message to each worker. Every worker has the events by then: a client that gets an answer
    /// and then asks any worker sees what was written.
    fn answer(&self, batch: Vec<QueuedCommand>) {
        let mut replies: Vec<(usize, Vec<Box<dyn Completion>>)> = Vec::new();
        for QueuedCommand { reply_to, command } in batch {
            let completion = command.into_completion();
            match reply_to {
                ReplyTo::Caller => completion.complete(),
                ReplyTo::Worker(worker) => match replies.iter_mut().find(|(id, _)| *id == worker) {
                    Some((_, completions)) => completions.push(completion),
                    None => replies.push((worker, vec![completion])),
                },
            }
        }
        for (worker, completions) in replies {
            self.fanout.completions(worker, completions);
        }
        self.fanout.notify();
    }
}

fn data_version(db: &Connection) -> rusqlite::Result<i64> {
    db.prepare_cached("PRAGMA data_version")?.query_row((), |row| row.get(0))
}

/// The last position in the history: that of the newest message or of the newest other event.
pub(in crate::store) fn last_seq(db: &Connection) -> rusqlite::Result<Seq> {
    db.prepare_cached(
        "select max(ifnull((select max(id) from messages), 0), ifnull((select max(seq) from events), 0))",
    )?
    .query_row((), |row| row.get(0))
}
