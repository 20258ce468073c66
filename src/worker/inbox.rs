//! The inbox of a worker: committed events and finished commands from the writer thread, ephemeral events from other
//! workers.

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
    /// The events of one commit, and when it was committed.
    Events(Batch, Instant),
    Completions(Vec<Box<dyn Completion>>),
    Ephemeral(EphemeralEvent),
}

/// The inbox of one worker. It has no bound of its own: the writer's queue bounds the commands in progress.
#[derive(Default)]
pub struct Inbox {
    messages: Mutex<Vec<Message>>,
    waiting: AtomicBool,
    notify: Notify,
}

impl Inbox {
    /// Adds a message without waking the worker. Every request that begins afterwards sees it: see `Worker::catch_up`.
    pub fn put(&self, message: Message) {
        self.lock().push(message);
        self.waiting.store(true, Ordering::Release);
    }

    /// Wakes the worker.
    pub fn notify(&self) {
        self.notify.notify_one();
    }

    /// Moves all messages into `taken`, which must be empty. Costs one atomic load when there are none.
    pub fn take(&self, taken: &mut Vec<Message>) {
        debug_assert!(taken.is_empty());
        if self.waiting.load(Ordering::Acquire) {
            let mut messages = self.lock();
            self.waiting.store(false, Ordering::Release);
            std::mem::swap(&mut *messages, taken);
        }
    }

    /// Waits for [`Self::notify`].
    pub async fn notified(&self) {
        self.notify.notified().await;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Message>> {
        // No holder of this lock can panic in the middle of a change.
        self.messages.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
