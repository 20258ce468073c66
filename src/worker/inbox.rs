//! Where a worker gets its mail: committed events, finished commands and ephemeral events from other workers.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use tokio::sync::Notify;

use crate::{
    store::Completion,
    types::event::{Batch, EphemeralEvent},
};

pub enum Message {
    /// The events of one commit, and when it was done.
    Events(Batch, Instant),
    Completions(Vec<Box<dyn Completion>>),
    Ephemeral(EphemeralEvent),
}

/// A worker's mailbox. Unbounded in type, bounded in fact: the writer's queue bounds what can be under way.
#[derive(Default)]
pub struct Inbox {
    messages: Mutex<Vec<Message>>,
    waiting: AtomicBool,
    notify: Notify,
}

impl Inbox {
    /// Puts a message in without waking the worker. It is seen by every request that begins from now on.
    pub fn put(&self, message: Message) {
        self.lock().push(message);
        self.waiting.store(true, Ordering::Release);
    }

    /// Wakes the worker for what has been put in.
    pub fn notify(&self) {
        self.notify.notify_one();
    }

    /// Takes all that waits, into `taken`, which must be empty. Costs one load when there is nothing.
    pub fn take(&self, taken: &mut Vec<Message>) {
        debug_assert!(taken.is_empty());
        if self.waiting.load(Ordering::Acquire) {
            let mut messages = self.lock();
            self.waiting.store(false, Ordering::Release);
            std::mem::swap(&mut *messages, taken);
        }
    }

    /// Returns when the worker has been rung for.
    pub async fn notified(&self) {
        self.notify.notified().await;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Message>> {
        // Nothing that holds this lock can panic half-way through a change.
        self.messages.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
