//! Where a worker gets its mail: committed events, finished commands and whispers from other workers.

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
    types::event::{Batch, Whisper},
};

pub enum Parcel {
    /// The events of one commit, and when it was done.
    Events(Batch, Instant),
    Completions(Vec<Box<dyn Completion>>),
    Whisper(Whisper),
}

/// A worker's mailbox. Unbounded in type, bounded in fact: the writer's queue bounds what can be under way.
#[derive(Default)]
pub struct Inbox {
    parcels: Mutex<Vec<Parcel>>,
    waiting: AtomicBool,
    bell: Notify,
}

impl Inbox {
    /// Puts a parcel in without waking the worker. It is seen by every request that begins from now on.
    pub fn put(&self, parcel: Parcel) {
        self.lock().push(parcel);
        self.waiting.store(true, Ordering::Release);
    }

    /// Wakes the worker for what has been put in.
    pub fn ring(&self) {
        self.bell.notify_one();
    }

    /// Takes all that waits, into `taken`, which must be empty. Costs one load when there is nothing.
    pub fn take(&self, taken: &mut Vec<Parcel>) {
        debug_assert!(taken.is_empty());
        if self.waiting.load(Ordering::Acquire) {
            let mut parcels = self.lock();
            self.waiting.store(false, Ordering::Release);
            std::mem::swap(&mut *parcels, taken);
        }
    }

    /// Returns when the worker has been rung for.
    pub async fn rung(&self) {
        self.bell.notified().await;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Parcel>> {
        // Nothing that holds this lock can panic half-way through a change.
        self.parcels.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
