//! The writer: the one door through which changes go. It takes all that waits, applies it in one transaction with a
//! savepoint per command, commits once, then hands the events to the workers and the answers to the callers.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::{
    checkpointer::Checkpointer,
    command::{Command, Refusal, Tx, WriteError},
    index::Index,
    schema::{DataDir, OpenError},
};
use crate::{
    types::event::{Batch, Change, Event},
    types::{Seq, Timestamp},
};

/// Commands in one transaction at most: bounds how long the first of a batch waits for its commit.
const MAX_BATCH: usize = 1024;

/// Commands on the queue beside which none is put that nobody waits for.
const LATER: usize = 256;

/// How often an idle writer looks whether another process has written (the `admin` commands do).
const IDLE_CHECK: Duration = Duration::from_millis(500);

/// How long the writer rests before it tries again to begin while another process holds the database.
const BUSY_REST: Duration = Duration::from_millis(20);

/// Statistics of the tables are renewed this often, and at close.
const OPTIMIZE_EVERY: Duration = Duration::from_secs(6 * 3600);

/// Who gets to know: the workers of this process, or one day other nodes.
pub trait Fanout: Send {
    /// Hands a commit's events to everybody. Returns when each would see them before anything that it does next.
    fn events(&self, batch: &Batch, at: Instant);
    /// Hands answers back to the worker that asked.
    fn completions(&self, worker: usize, completions: Vec<Box<dyn Completion>>);
    /// Wakes them all.
    fn notify(&self);
}

/// Where a command came from, and so where its answer is completed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplyTo {
    Worker(usize),
    /// A thread that waits for itself.
    Caller,
}

/// What the writer counts for `/metrics`.
#[derive(Debug, Default)]
pub struct WriterMetrics {
    pub batches: AtomicU64,
    pub commands: AtomicU64,
    pub refused: AtomicU64,
    pub failed_commits: AtomicU64,
    pub overloaded: AtomicU64,
    pub commit_nanos: AtomicU64,
    pub batch_nanos: AtomicU64,
    /// Moves on as long as the writer lives and works: with each batch, and each try to begin one.
    turns: AtomicU64,
}

/// A finished command that waits for its worker to take the answer to the caller.
pub trait Completion: Send {
    fn complete(self: Box<Self>);
}

struct Envelope {
    reply_to: ReplyTo,
    work: Box<dyn Work>,
}

/// A command with its answer, its type erased.
trait Work: Send {
    fn checks_first(&self) -> bool;
    /// Applies the command; unless that is done it must leave no trace.
    fn run(&mut self, tx: &mut Tx<'_>) -> Ran;
    /// The batch was not committed.
    fn fail(&mut self, why: &str);
    fn into_completion(self: Box<Self>) -> Box<dyn Completion>;
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Ran {
    Done,
    Refused,
    /// By the database, or by a bug.
    Failed,
}

struct Pending<C: Command> {
    command: Option<C>,
    answer: Option<Result<C::Output, WriteError>>,
    reply: oneshot::Sender<Result<C::Output, WriteError>>,
}

impl<C: Command> Work for Pending<C> {
    fn checks_first(&self) -> bool {
        C::CHECKS_FIRST
    }

    fn run(&mut self, tx: &mut Tx<'_>) -> Ran {
        let Some(command) = self.command.take() else { return Ran::Refused };
        // One command's bug must not take the writer, and with it every other, down.
        let outcome = catch_unwind(AssertUnwindSafe(|| command.apply(tx)))
            .unwrap_or_else(|_| Err(Refusal::Database(rusqlite::Error::UnwindingPanic)));
        let ran = match outcome {
            Ok(_) => Ran::Done,
            Err(Refusal::Database(_)) => Ran::Failed,
            Err(_) => Ran::Refused,
        };
        self.answer = Some(outcome.map_err(WriteError::Refused));
        ran
    }

    fn fail(&mut self, why: &str) {
        self.answer = Some(Err(WriteError::NotCommitted(why.to_owned())));
    }

    fn into_completion(self: Box<Self>) -> Box<dyn Completion> {
        self
    }
}

impl<C: Command> Completion for Pending<C> {
    fn complete(self: Box<Self>) {
        let answer = self.answer.unwrap_or(Err(WriteError::Stopped));
        // A caller that has gone away needs no answer.
        let _ = self.reply.send(answer);
    }
}

/// Does nothing: once it is answered, all that was put on the queue before is done.
#[derive(Debug)]
pub struct Barrier;

impl Command for Barrier {
    type Output = ();

    fn apply(self, _: &mut Tx<'_>) -> Result<(), Refusal> {
        Ok(())
    }
}

struct Queue {
    waiting: Mutex<Waiting>,
    arrived: Condvar,
    capacity: usize,
    metrics: WriterMetrics,
}

#[derive(Default)]
struct Waiting {
    envelopes: Vec<Envelope>,
    /// Taken by the writer but not yet answered: they count against the bound too.
    under_way: usize,
    asleep: bool,
    closed: bool,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // The lock is held for moves of whole values only, so a panic leaves nothing half-done.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The way to the writer. Cheap to clone.
#[derive(Clone)]
pub struct WriterHandle {
    queue: Arc<Queue>,
    reply_to: ReplyTo,
}

impl WriterHandle {
    /// The same writer, with answers completed on that worker's thread.
    pub fn replying_to(&self, reply_to: ReplyTo) -> Self {
        Self { queue: Arc::clone(&self.queue), reply_to }
    }

    /// Puts a command on the queue, in the order of the calls. The answer comes once it is durable.
    pub fn submit<C: Command>(
        &self,
        command: C,
    ) -> Result<oneshot::Receiver<Result<C::Output, WriteError>>, WriteError> {
        self.enqueue(command, true)
    }

    /// The same for what nobody waits for: it goes with the next batch, or within half a second, and causes no commit
    /// of its own.
    pub fn submit_later<C: Command>(&self, command: C) {
        // Where much waits already it is dropped: whoever has something like that to say will say it again.
        drop(self.enqueue(command, false));
    }

    fn enqueue<C: Command>(
        &self,
        command: C,
        is_awaited: bool,
    ) -> Result<oneshot::Receiver<Result<C::Output, WriteError>>, WriteError> {
        let (reply, answer) = oneshot::channel();
        let work = Box::new(Pending { command: Some(command), answer: None, reply });
        let mut waiting = self.queue.lock();
        if waiting.closed {
            return Err(WriteError::Stopped);
        }
        let depth = waiting.envelopes.len() + waiting.under_way;
        if depth >= self.queue.capacity || !is_awaited && depth >= LATER {
            if is_awaited {
                self.queue.metrics.overloaded.fetch_add(1, Ordering::Relaxed);
            }
            return Err(WriteError::Overloaded);
        }
        waiting.envelopes.push(Envelope { reply_to: self.reply_to, work });
        let wake = is_awaited && std::mem::take(&mut waiting.asleep);
        drop(waiting);
        if wake {
            self.queue.arrived.notify_one();
        }
        Ok(answer)
    }

    /// Applies a command and returns its answer once it is durable.
    pub async fn write<C: Command>(&self, command: C) -> Result<C::Output, WriteError> {
        self.submit(command)?.await.unwrap_or(Err(WriteError::Stopped))
    }

    /// The same for a thread that has nothing else to do. Not for workers.
    pub fn write_blocking<C: Command>(&self, command: C) -> Result<C::Output, WriteError> {
        self.replying_to(ReplyTo::Caller).submit(command)?.blocking_recv().unwrap_or(Err(WriteError::Stopped))
    }

    /// Commands that wait or are under way.
    pub fn depth(&self) -> usize {
        let waiting = self.queue.lock();
        waiting.envelopes.len() + waiting.under_way
    }

    /// A count that moves on while the writer works. One that stands still while something waits is stuck.
    pub fn turns(&self) -> u64 {
        self.queue.metrics.turns.load(Ordering::Relaxed)
    }

    pub fn metrics(&self) -> &WriterMetrics {
        &self.queue.metrics
    }
}

/// The writer's thread. Dropping the value finishes what waits and stops it.
pub struct Writer {
    queue: Arc<Queue>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub fn start(
        data: &DataDir,
        capacity: usize,
        fanout: Box<dyn Fanout>,
    ) -> Result<(Self, WriterHandle), OpenError> {
        let mut db = data.writable()?;
        let checkpointer = Checkpointer::start(data, &mut db)?;
        let queue = Arc::new(Queue {
            waiting: Mutex::default(),
            arrived: Condvar::new(),
            capacity,
            metrics: WriterMetrics::default(),
        });
        let failed = |error| OpenError::Database(data.database(), error);
        let seq = last_seq(&db).map_err(failed)?;
        let data_version = data_version(&db).map_err(failed)?;
        let mut thread = WriterThread {
            db,
            checkpointer,
            index: Index::new(data.durability()),
            seq,
            data_version,
            fanout,
            queue: Arc::clone(&queue),
            optimized: Instant::now(),
        };
        let thread = std::thread::Builder::new()
            .name("writer".into())
            .spawn(move || thread.work())
            .map_err(|error| OpenError::Unwritable(data.path().to_owned(), error))?;
        let handle = WriterHandle { queue: Arc::clone(&queue), reply_to: ReplyTo::Caller };
        Ok((Self { queue, thread: Some(thread) }, handle))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue.lock().closed = true;
        self.queue.arrived.notify_one();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// All that the writer's thread works with.
struct WriterThread {
    db: Connection,
    checkpointer: Checkpointer,
    index: Index,
    seq: Seq,
    /// Changes when another connection commits.
    data_version: i64,
    fanout: Box<dyn Fanout>,
    queue: Arc<Queue>,
    optimized: Instant,
}

impl WriterThread {
    fn work(&mut self) {
        while let Some(batch) = self.next_batch() {
            if batch.is_empty() {
                self.idle();
            } else {
                self.apply(batch);
            }
        }
        if let Err(error) = self.db.execute_batch("PRAGMA optimize") {
            tracing::warn!(%error, "could not renew the statistics at close");
        }
    }

    /// All that waits, up to the bound; empty after a while of nothing; None when it is time to stop.
    fn next_batch(&self) -> Option<Vec<Envelope>> {
        let mut waiting = self.queue.lock();
        if waiting.envelopes.is_empty() {
            if waiting.closed {
                return None;
            }
            waiting.asleep = true;
            let (guard, _) =
                self.queue.arrived.wait_timeout(waiting, IDLE_CHECK).unwrap_or_else(PoisonError::into_inner);
            waiting = guard;
            waiting.asleep = false;
        }
        let count = waiting.envelopes.len().min(MAX_BATCH);
        let rest = waiting.envelopes.split_off(count);
        let batch = std::mem::replace(&mut waiting.envelopes, rest);
        waiting.under_way = batch.len();
        Some(batch)
    }

    fn idle(&mut self) {
        if self.optimized.elapsed() > OPTIMIZE_EVERY {
            self.optimized = Instant::now();
            if let Err(error) = self.db.execute_batch("PRAGMA optimize") {
                tracing::warn!(%error, "could not renew the statistics");
            }
        }
        if data_version(&self.db).is_ok_and(|version| version != self.data_version)
            && let Err(error) = self.catch_up_with_others()
        {
            tracing::warn!(%error, "could not read what another process wrote");
        }
    }

    /// Another process committed: its events have numbers of their own, and the small tables may differ.
    fn catch_up_with_others(&mut self) -> rusqlite::Result<()> {
        self.data_version = data_version(&self.db)?;
        let seq = last_seq(&self.db)?;
        if seq > self.seq {
            self.seq = seq;
            self.publish(vec![Event { seq, change: Change::Reloaded }]);
        }
        Ok(())
    }

    fn apply(&mut self, mut batch: Vec<Envelope>) {
        let started = Instant::now();
        let metrics = &self.queue.metrics;
        metrics.batches.fetch_add(1, Ordering::Relaxed);
        metrics.commands.fetch_add(batch.len() as u64, Ordering::Relaxed);
        match self.transact(&mut batch) {
            Ok(events) => self.publish(events),
            Err(error) => {
                self.queue.metrics.failed_commits.fetch_add(1, Ordering::Relaxed);
                tracing::error!(%error, commands = batch.len(), "a batch was not committed");
                if !self.db.is_autocommit() {
                    let _ = self.db.execute_batch("ROLLBACK");
                }
                let why = error.to_string();
                for envelope in &mut batch {
                    envelope.work.fail(&why);
                }
            }
        }
        let nanos = u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.queue.metrics.batch_nanos.fetch_add(nanos, Ordering::Relaxed);
        self.queue.lock().under_way = 0;
        self.answer(batch);
        self.index.tidy(&self.db);
        self.checkpointer.after_commit(&self.db);
    }

    /// Begins, however long another process holds the database: what waits is bounded by the queue, so this is
    /// where an overload becomes a 503 for those who come later.
    fn begin(&mut self) -> rusqlite::Result<()> {
        loop {
            self.queue.metrics.turns.fetch_add(1, Ordering::Relaxed);
            match self.db.prepare_cached("BEGIN IMMEDIATE")?.execute(()) {
                Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy) => {
                    if self.queue.lock().closed {
                        // Told to stop: whoever holds the database may never let go.
                        return Err(error);
                    }
                    tracing::warn!("another process holds the database; waiting");
                    std::thread::sleep(BUSY_REST);
                }
                begun => return begun.map(drop),
            }
        }
    }

    /// Applies a batch and commits it. Only a commit that succeeded gives events.
    fn transact(&mut self, batch: &mut [Envelope]) -> rusqlite::Result<Vec<Event>> {
        self.begin()?;
        if data_version(&self.db)? != self.data_version {
            self.catch_up_with_others()?;
        }
        let mut events = Vec::with_capacity(batch.len());
        let mut indexing = Vec::with_capacity(batch.len());
        let mut seq = self.seq;
        for envelope in batch.iter_mut() {
            let mark = (seq, events.len(), indexing.len());
            let checks_first = envelope.work.checks_first();
            if !checks_first {
                self.db.prepare_cached("SAVEPOINT command")?.execute(())?;
            }
            let mut tx = Tx {
                db: &self.db,
                now: Timestamp::now(),
                seq: &mut seq,
                events: &mut events,
                indexing: &mut indexing,
            };
            let ran = envelope.work.run(&mut tx);
            if ran != Ran::Done {
                self.queue.metrics.refused.fetch_add(1, Ordering::Relaxed);
                if !checks_first {
                    self.db.prepare_cached("ROLLBACK TO command")?.execute(())?;
                } else if ran == Ran::Failed {
                    // What it has written cannot be told from the rest.
                    return Err(rusqlite::Error::SqliteFailure(
                        rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_ABORT),
                        Some("a command of the batch failed".into()),
                    ));
                }
                seq = mark.0;
                events.truncate(mark.1);
                indexing.truncate(mark.2);
            }
            if !checks_first {
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
            self.fanout.events(&Batch::from(events), Instant::now());
        }
    }

    /// One message of answers for each worker, after every worker has the events: whoever hears an answer and asks
    /// again, of any worker, sees what was written.
    fn answer(&self, batch: Vec<Envelope>) {
        let mut replies: Vec<(usize, Vec<Box<dyn Completion>>)> = Vec::new();
        for Envelope { reply_to, work } in batch {
            let completion = work.into_completion();
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
pub(super) fn last_seq(db: &Connection) -> rusqlite::Result<Seq> {
    db.query_row(
        "select max(ifnull((select max(id) from messages), 0), ifnull((select max(seq) from events), 0))",
        (),
        |row| row.get(0),
    )
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;
    use crate::{config::Durability, store::KeepSecret};

    struct Nobody;

    impl Fanout for Nobody {
        fn events(&self, _: &Batch, _: Instant) {}
        fn completions(&self, _: usize, _: Vec<Box<dyn Completion>>) {}
        fn notify(&self) {}
    }

    /// Holds the writer up, so that what comes meanwhile is one batch.
    struct Hold(Sender<()>, Receiver<()>);

    impl Command for Hold {
        type Output = ();

        fn apply(self, _: &mut Tx<'_>) -> Result<(), Refusal> {
            let _ = self.0.send(());
            let _ = self.1.recv();
            Ok(())
        }
    }

    /// Writes, and then says no.
    struct Half<const FIRST: bool>(Option<Refusal>);

    impl<const FIRST: bool> Command for Half<FIRST> {
        type Output = ();

        const CHECKS_FIRST: bool = FIRST;

        fn apply(self, tx: &mut Tx<'_>) -> Result<(), Refusal> {
            tx.statement("insert into secrets (name, value) values ('half', x'00')")?.execute(())?;
            Err(self.0.expect("this one has a bug"))
        }
    }

    /// Whether a secret that came in the same batch was kept, and whether half a command was.
    fn beside<C: Command>(command: C) -> (bool, bool) {
        let dir = tempfile::tempdir().unwrap();
        let data = DataDir::claim(dir.path(), Durability::Normal).unwrap();
        let (_writer, handle) = Writer::start(&data, 16, Box::new(Nobody)).unwrap();
        let (begun, has_begun) = channel();
        let (go, held) = channel();
        let keep = |name| KeepSecret { name, value: vec![1] };
        let first = handle.submit(Hold(begun, held)).unwrap();
        has_begun.recv().unwrap();
        let good = handle.submit(keep("good")).unwrap();
        let bad = handle.submit(command).unwrap();
        go.send(()).unwrap();
        first.blocking_recv().unwrap().unwrap();
        let good = good.blocking_recv().unwrap().is_ok();
        assert!(bad.blocking_recv().unwrap().is_err());
        handle.write_blocking(keep("later")).expect("the writer goes on");
        let reader = crate::store::Reader::open(&data).unwrap();
        let kept = |name| reader.secret(name).unwrap().is_some();
        assert_eq!(kept("good"), good, "the answer is what happened");
        (good, kept("half"))
    }

    #[test]
    fn a_bad_command_spoils_no_other() {
        assert_eq!(beside(Half::<false>(Some(Refusal::NotFound))), (true, false));
        assert_eq!(beside(Half::<false>(None)), (true, false), "a bug neither");
    }

    #[test]
    fn a_command_without_a_savepoint_that_fails_takes_its_batch_along() {
        assert_eq!(
            beside(Half::<true>(Some(Refusal::Database(rusqlite::Error::InvalidQuery)))),
            (false, false)
        );
        assert_eq!(beside(Half::<true>(None)), (false, false));
    }
}
