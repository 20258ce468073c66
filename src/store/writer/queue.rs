//! The queue before the writer, and the handle by which commands are put on it.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, atomic::Ordering},
};

use tokio::sync::oneshot;

use super::{Completion, ReplyTo, WriterMetrics};
use crate::store::command::{Command, Refusal, Tx, WriteError};

/// Commands on the queue beside which none is put that nobody waits for.
const MAX_DEPTH_UNAWAITED: usize = 256;

pub(super) struct QueuedCommand {
    pub(super) reply_to: ReplyTo,
    pub(super) command: Box<dyn ErasedCommand>,
}

/// A command with its answer, its type erased.
pub(super) trait ErasedCommand: Send {
    fn checks_first(&self) -> bool;
    /// Applies the command; unless that is done it must leave no trace.
    fn run(&mut self, tx: &mut Tx<'_>) -> Outcome;
    /// The batch was not committed.
    fn fail(&mut self, why: &str);
    fn into_completion(self: Box<Self>) -> Box<dyn Completion>;
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
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

impl<C: Command> ErasedCommand for Pending<C> {
    fn checks_first(&self) -> bool {
        C::CHECKS_FIRST
    }

    fn run(&mut self, tx: &mut Tx<'_>) -> Outcome {
        let Some(command) = self.command.take() else { return Outcome::Refused };
        // One command's bug must not take the writer, and with it every other, down.
        let outcome = catch_unwind(AssertUnwindSafe(|| command.apply(tx)))
            .unwrap_or_else(|_| Err(Refusal::Database(rusqlite::Error::UnwindingPanic)));
        let ran = match outcome {
            Ok(_) => Outcome::Done,
            Err(Refusal::Database(_)) => Outcome::Failed,
            Err(_) => Outcome::Refused,
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

pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    pub(super) arrived: Condvar,
    capacity: usize,
    pub(super) metrics: WriterMetrics,
}

#[derive(Default)]
pub(super) struct Waiting {
    pub(super) commands: Vec<QueuedCommand>,
    /// Taken by the writer but not yet answered: they count against the bound too.
    pub(super) under_way: usize,
    pub(super) asleep: bool,
    pub(super) closed: bool,
}

impl Queue {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            waiting: Mutex::default(),
            arrived: Condvar::new(),
            capacity,
            metrics: WriterMetrics::default(),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Waiting> {
        // The lock is held for moves of whole values only, so a panic leaves nothing half-done.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The way to the writer. Cheap to clone.
#[derive(Clone)]
pub struct WriterHandle {
    pub(super) queue: Arc<Queue>,
    pub(super) reply_to: ReplyTo,
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
        waiting.commands.len() + waiting.under_way
    }

    /// A count that moves on while the writer works. One that stands still while something waits is stuck.
    pub fn turns(&self) -> u64 {
        self.queue.metrics.turns.load(Ordering::Relaxed)
    }

    pub fn metrics(&self) -> &WriterMetrics {
        &self.queue.metrics
    }
}
