//! How the writer's events and completions reach the workers.

use std::{sync::Arc, time::Instant};

use crate::{
    store::{Completion, Fanout},
    types::event::{Batch, Change},
    worker::{
        Shared,
        inbox::{Inbox, Message},
    },
};

/// Sends events and completions to the workers of this process.
pub(super) struct Workers(pub(super) Arc<Shared>);

impl Fanout for Workers {
    fn events(&self, batch: &Batch, at: Instant) {
        for inbox in &self.0.inboxes {
            inbox.put(Message::Events(Arc::clone(batch), at));
        }
        if batch.iter().any(|event| matches!(event.change, Change::JobsWaiting)) {
            self.0.jobs.notify_one();
        }
    }

    fn completions(&self, worker: usize, completions: Vec<Box<dyn Completion>>) {
        self.0.inboxes[worker].put(Message::Completions(completions));
    }

    fn notify(&self) {
        self.0.inboxes.iter().for_each(Inbox::notify);
    }
}

/// For a writer in a process without workers: events are dropped, and completions run at once.
pub(crate) struct NoWorkers;

impl Fanout for NoWorkers {
    fn events(&self, _: &Batch, _: Instant) {}

    fn completions(&self, _: usize, completions: Vec<Box<dyn Completion>>) {
        completions.into_iter().for_each(|completion| completion.complete());
    }

    fn notify(&self) {}
}
