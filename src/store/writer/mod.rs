//! The writer: the one door through which changes go. It takes all that waits, applies it in one transaction with a
//! savepoint per command, commits once, then hands the events to the workers and the answers to the callers.

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

pub use queue::WriterHandle;
pub(super) use thread::last_seq;

use queue::Queue;
use thread::WriterThread;

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

/// Does nothing: once it is answered, all that was put on the queue before is done.
#[derive(Debug)]
pub struct Barrier;

impl Command for Barrier {
    type Output = ();

    fn apply(self, _: &mut Tx<'_>) -> Result<(), Refusal> {
        Ok(())
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
        let queue = Arc::new(Queue::new(capacity));
        let mut thread = WriterThread::new(data, fanout, Arc::clone(&queue))?;
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
