//! The inbox of a worker: committed events and finished commands from the writer thread, ephemeral events from other
//! workers.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
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

/// Calls `take` with each of these. One at which it panics is logged, and does not keep the others from it. Returns the
/// number of panics.
pub(crate) fn survive_each<T>(items: impl IntoIterator<Item = T>, mut take: impl FnMut(T)) -> u64 {
    let mut panics = 0;
    for item in items {
        if catch_unwind(AssertUnwindSafe(|| take(item))).is_err() {
            panics += 1;
            tracing::error!("a message was not handled because of a fault of the server");
        }
    }
    panics
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use super::*;

    /// Counts that it was completed, and then panics if it is a faulty one.
    struct Counted(Arc<AtomicUsize>, bool);

    impl Completion for Counted {
        fn complete(self: Box<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
            assert!(!self.1, "a fault");
        }
    }

    /// B23.
    #[test]
    fn message_that_panics_does_not_keep_back_those_after_it() {
        let (inbox, count) = (Inbox::default(), Arc::new(AtomicUsize::new(0)));
        for is_faulty in [false, true, false] {
            inbox.put(Message::Completions(vec![Box::new(Counted(Arc::clone(&count), is_faulty))]));
        }
        let mut taken = Vec::new();
        inbox.take(&mut taken);
        let panics = survive_each(taken.drain(..), |message| {
            let Message::Completions(completions) = message else { panic!("another message") };
            completions.into_iter().for_each(|completion| completion.complete());
        });
        assert_eq!((panics, count.load(Ordering::Relaxed)), (1, 3));
    }
}
