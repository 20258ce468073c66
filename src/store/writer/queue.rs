//! The writer's queue, and the handle that submits commands to it.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
};

use tokio::sync::{Notify, oneshot};

use super::{Completion, ReplyTo, WriterMetrics};
use crate::{
    store::command::{Command, NotCommitted, Refusal, Tx, WriteError},
    types::Seq,
};

/// Queued commands from which on unawaited ones are dropped.
const MAX_DEPTH_UNAWAITED: usize = 256;

pub(super) struct QueuedCommand {
    pub(super) reply_to: ReplyTo,
    pub(super) command: Box<dyn ErasedCommand>,
}

/// A command with its answer, its type erased.
pub(super) trait ErasedCommand: Send {
    fn checks_first(&self) -> bool;
    /// Applies the command. Unless it is done, the caller undoes what it has written.
    fn run(&mut self, tx: &mut Tx<'_>) -> Outcome;
    /// Replaces the answer, since the batch was not committed.
    fn fail(&mut self, why: NotCommitted);
    fn into_completion(self: Box<Self>) -> Box<dyn Completion>;
}

#[derive(PartialEq, Eq)]
pub(super) enum Outcome {
    Done,
    Refused,
    /// The database failed, or the command panicked.
    Failed(NotCommitted),
}

struct Pending<C: Command> {
    command: Option<C>,
    answer: Option<Result<C::Output, WriteError>>,
    reply: oneshot::Sender<Result<C::Output, WriteError>>,
}

impl<C: Command> ErasedCommand for Pending<C> {
    fn checks_first(&self) -> bool {
        C::CHECKS_FIRST
    }

    fn run(&mut self, tx: &mut Tx<'_>) -> Outcome {
        let Some(command) = self.command.take() else { return Outcome::Refused };
        // A panic in one command must not end the writer.
        let outcome = catch_unwind(AssertUnwindSafe(|| command.apply(tx)))
            .unwrap_or_else(|_| Err(Refusal::Database(rusqlite::Error::UnwindingPanic)));
        let ran = match &outcome {
            Ok(_) => Outcome::Done,
            Err(Refusal::Database(error)) => {
                tracing::error!(%error, command = std::any::type_name::<C>(), "a write failed");
                Outcome::Failed(error.into())
            }
            Err(_) => Outcome::Refused,
        };
        self.answer = Some(outcome.map_err(WriteError::Refused));
        ran
    }

    fn fail(&mut self, why: NotCommitted) {
        self.answer = Some(Err(WriteError::NotCommitted(why)));
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

pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    pub(super) arrived: Condvar,
    /// Notified if the thread panics.
    died: Notify,
    /// The last position of the history that is committed.
    pub(super) seq: AtomicI64,
    /// Whether older messages are still to be indexed.
    pub(super) is_indexing: AtomicBool,
    capacity: usize,
    pub(super) metrics: WriterMetrics,
}

#[derive(Default)]
pub(super) struct Waiting {
    pub(super) commands: Vec<QueuedCommand>,
    /// Commands taken by the writer and not yet answered. They count against the capacity.
    pub(super) under_way: usize,
    pub(super) asleep: bool,
    pub(super) closed: bool,
}

impl Queue {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            waiting: Mutex::default(),
            arrived: Condvar::new(),
            died: Notify::new(),
            seq: AtomicI64::new(0),
            is_indexing: AtomicBool::new(false),
            capacity,
            metrics: WriterMetrics::default(),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Waiting> {
        // The lock is held for moves of whole values only, so a panic leaves nothing half-done.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Held by the writer's thread. If it panics, nobody must wait for an answer any longer.
pub(super) struct PanicGuard(pub(super) Arc<Queue>);

impl Drop for PanicGuard {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let mut waiting = self.0.lock();
            waiting.closed = true;
            waiting.under_way = 0;
            let commands = std::mem::take(&mut waiting.commands);
            drop(waiting);
            // Callers whose command is dropped get `Stopped`.
            drop(commands);
            self.0.died.notify_one();
        }
    }
}

/// Submits commands to the writer. Cheap to clone.
#[derive(Clone)]
pub struct WriterHandle {
    pub(super) queue: Arc<Queue>,
    pub(super) reply_to: ReplyTo,
}

impl WriterHandle {
    /// A handle to the same writer, with answers completed on another thread.
    pub fn replying_to(&self, reply_to: ReplyTo) -> Self {
        Self { queue: Arc::clone(&self.queue), reply_to }
    }

    /// Queues a command, in the order of the calls. The answer comes after its commit. `Overloaded` if the queue is full,
    /// `Stopped` after the writer's end.
    pub fn submit<C: Command>(
        &self,
        command: C,
    ) -> Result<oneshot::Receiver<Result<C::Output, WriteError>>, WriteError> {
        self.enqueue(command, true)
    }

    /// Queues a command that nobody waits for. It does not wake the writer, so it goes with the next batch, or within half a
    /// second. On a long queue it is dropped: only for what is submitted again.
    pub fn submit_later<C: Command>(&self, command: C) {
        drop(self.enqueue(command, false));
    }

    fn enqueue<C: Command>(
        &self,
        command: C,
        is_awaited: bool,
    ) -> Result<oneshot::Receiver<Result<C::Output, WriteError>>, WriteError> {
        let (reply, answer) = oneshot::channel();
        let command = Box::new(Pending { command: Some(command), answer: None, reply });
        let mut waiting = self.queue.lock();
        if waiting.closed {
            return Err(WriteError::Stopped);
        }
        let depth = waiting.commands.len() + waiting.under_way;
        if depth >= self.queue.capacity || !is_awaited && depth >= MAX_DEPTH_UNAWAITED {
            if is_awaited {
                self.queue.metrics.overloaded.fetch_add(1, Ordering::Relaxed);
            }
            return Err(WriteError::Overloaded);
        }
        waiting.commands.push(QueuedCommand { reply_to: self.reply_to, command });
        let wake = is_awaited && std::mem::take(&mut waiting.asleep);
        drop(waiting);
        if wake {
            self.queue.arrived.notify_one();
        }
        Ok(answer)
    }

    /// Queues a command and waits for its answer.
    pub async fn write<C: Command>(&self, command: C) -> Result<C::Output, WriteError> {
        self.submit(command)?.await.unwrap_or(Err(WriteError::Stopped))
    }

    /// The same, blocking the calling thread. Not for workers.
    pub fn write_blocking<C: Command>(&self, command: C) -> Result<C::Output, WriteError> {
        self.replying_to(ReplyTo::Caller).submit(command)?.blocking_recv().unwrap_or(Err(WriteError::Stopped))
    }

    /// Waits until the writer's thread panics. For one caller.
    pub async fn died(&self) {
        self.queue.died.notified().await;
    }

    /// Commands that are queued or under way.
    pub fn depth(&self) -> usize {
        let waiting = self.queue.lock();
        waiting.commands.len() + waiting.under_way
    }

    /// The writer's heartbeat: a count that grows while it works. If it does not grow while commands are queued, the writer
    /// is stuck.
    pub fn turns(&self) -> u64 {
        self.queue.metrics.turns.load(Ordering::Relaxed)
    }

    /// The last committed position of the history. Workers may not have applied it yet.
    pub fn seq(&self) -> Seq {
        Seq(self.queue.seq.load(Ordering::Acquire))
    }

    /// Whether the search index is being made: older messages may not be in it yet.
    pub fn is_indexing(&self) -> bool {
        self.queue.is_indexing.load(Ordering::Acquire)
    }

    /// The writer's counters.
    pub fn metrics(&self) -> &WriterMetrics {
        &self.queue.metrics
    }
}
