//! Where the writer's events and completions go.

use std::{sync::Arc, time::Instant};

use crate::{
    store::{Completion, Fanout},
    types::event::{Batch, Change},
    worker::{
        Shared,
        inbox::{Inbox, Message},
    },
};

/// The workers of this process, as the writer knows them.
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

/// For a writer whose events nobody waits for.
pub(crate) struct Nobody;

impl Fanout for Nobody {
    fn events(&self, _: &Batch, _: Instant) {}

    fn completions(&self, _: usize, completions: Vec<Box<dyn Completion>>) {
        completions.into_iter().for_each(|completion| completion.complete());
    }

    fn notify(&self) {}
}
