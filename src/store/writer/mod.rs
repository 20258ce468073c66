//! The writer: the one thread that changes the database. It takes all queued commands, applies them in one transaction
//! with a savepoint for each, commits once, then sends the events to the workers and the answers to the callers. A
//! command is acknowledged only after its commit.

mod queue;
#[cfg(test)]
mod tests;
mod thread;

use std::{
    sync::{Arc, atomic::AtomicU64},
    thread::JoinHandle,
    time::Instant,
};

use super::{
    command::{Command, Refusal, Tx},
    schema::{DataDir, OpenError},
};
use crate::types::event::Batch;

#[cfg(test)]
pub(super) use tests::NoFanout;

pub use queue::WriterHandle;
pub(super) use thread::last_seq;

use queue::{PanicGuard, Queue};
use thread::WriterThread;

/// Receives events and answers from the writer: the workers of this process.
pub trait Fanout: Send {
    /// Sends a commit's events to every worker. Once it returns, each worker sees them before anything it does next.
    fn events(&self, batch: &Batch, at: Instant);
    /// Sends completed commands to the worker that submitted them.
    fn completions(&self, worker: usize, completions: Vec<Box<dyn Completion>>);
    /// Wakes all workers.
    fn notify(&self);
}

/// The thread on which a command's answer is completed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplyTo {
    Worker(usize),
    /// The writer's own, for a caller that blocks.
    Caller,
}

/// The writer's counters for `/metrics`. Times are in nanoseconds.
#[derive(Debug, Default)]
pub struct WriterMetrics {
    pub batches: AtomicU64,
    pub commands: AtomicU64,
    pub refused: AtomicU64,
    pub failed_commits: AtomicU64,
    pub overloaded: AtomicU64,
    pub commit_nanos: AtomicU64,
    pub batch_nanos: AtomicU64,
    /// Grows with each attempt to begin a batch: the writer's heartbeat.
    turns: AtomicU64,
}

/// A finished command, whose worker passes the answer to the caller.
pub trait Completion: Send {
    fn complete(self: Box<Self>);
}

/// Does nothing. When it is answered, all commands queued before it are done.
#[derive(Debug)]
pub struct Barrier;

impl Command for Barrier {
    type Output = ();

    fn apply(self, _: &mut Tx<'_>) -> Result<(), Refusal> {
        Ok(())
    }
}

/// The writer's thread. Dropping this finishes the queued commands and stops the thread.
pub struct Writer {
    queue: Arc<Queue>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread. At most `capacity` commands are queued or under way.
    pub fn start(
        data: &DataDir,
        capacity: usize,
        fanout: Box<dyn Fanout>,
    ) -> Result<(Self, WriterHandle), OpenError> {
        let queue = Arc::new(Queue::new(capacity));
        let mut thread = WriterThread::new(data, fanout, Arc::clone(&queue))?;
        let thread = std::thread::Builder::new()
            .name("writer".into())
            .spawn({
                let guard = PanicGuard(Arc::clone(&queue));
                move || {
                    let _guard = guard;
                    thread.work();
                }
            })
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
