//! The connections of one worker. Their timeouts are checked by the worker's clock, instead of a timer per request.

use std::{
    cell::{Cell, RefCell},
    pin::pin,
    rc::{Rc, Weak},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    task::{Poll, Waker},
    time::Duration,
};

use crate::{
    config::Config,
    transport::{Phase, Progress},
    worker::Worker,
};

/// What a worker and one of its connections share.
pub(super) struct Watch {
    pub(super) progress: Arc<Progress>,
    /// The connection is to close once its request is answered, at once if there is none.
    pub(super) draining: Cell<bool>,
    /// It is to close even if it has sent nothing yet.
    pub(super) hurried: Cell<bool>,
    /// It has exceeded a timeout.
    pub(super) expired: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

impl Watch {
    fn wake(&self) {
        if let Some(waker) = &*self.waker.borrow() {
            waker.wake_by_ref();
        }
    }
}

/// The connections of one worker.
#[derive(Default)]
pub(super) struct Connections {
    watches: RefCell<Vec<Weak<Watch>>>,
    clock: Arc<AtomicU32>,
    pub(super) open: Rc<Cell<usize>>,
}

impl Connections {
    pub(super) fn is_empty(&self) -> bool {
        self.open.get() == 0
    }

    /// Closes connections that have exceeded a timeout; called every second.
    pub(super) fn tick(&self, clock: u32, config: &Config) {
        self.clock.store(clock, Ordering::Relaxed);
        self.watches.borrow_mut().retain(|watch| {
            let Some(watch) = watch.upgrade() else { return false };
            let limit = match watch.progress.phase() {
                Phase::Fresh | Phase::Idle => config.idle_timeout,
                Phase::Head => config.header_timeout,
                Phase::Busy | Phase::Discarding => return true,
            };
            if Duration::from_secs(u64::from(watch.progress.age())) > limit {
                watch.expired.set(true);
                watch.wake();
            }
            true
        });
    }

    /// Adds a connection that was accepted.
    pub(super) fn watch(&self, first: Phase, is_draining: bool) -> Rc<Watch> {
        let watch = Rc::new(Watch {
            progress: Arc::new(Progress::new(Arc::clone(&self.clock), first)),
            // It may be one of the last that are accepted before the listener closes.
            draining: Cell::new(is_draining),
            hurried: Cell::new(false),
            expired: Cell::new(false),
            waker: RefCell::default(),
        });
        self.watches.borrow_mut().push(Rc::downgrade(&watch));
        watch
    }

    /// Closes connections as soon as their requests are answered.
    pub(super) fn drain(&self) {
        for watch in self.watches.borrow().iter().filter_map(Weak::upgrade) {
            watch.draining.set(true);
            watch.wake();
        }
    }

    /// Closes connections that have sent nothing yet as well.
    pub(super) fn hurry(&self) {
        for watch in self.watches.borrow().iter().filter_map(Weak::upgrade) {
            watch.hurried.set(true);
            watch.wake();
        }
    }
}

/// Polls a future until it is done, or its connection has exceeded a timeout.
pub(super) async fn unless_expired<F: Future>(watch: &Watch, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    std::future::poll_fn(|cx| {
        if watch.expired.get() {
            return Poll::Ready(None);
        }
        let known = watch.waker.borrow().as_ref().is_some_and(|waker| waker.will_wake(cx.waker()));
        if !known {
            watch.waker.replace(Some(cx.waker().clone()));
        }
        future.as_mut().poll(cx).map(Some)
    })
    .await
}

/// Counts a connection while it is open.
pub(super) struct Open {
    count: Rc<Cell<usize>>,
    worker: Rc<Worker>,
}

impl Open {
    pub(super) fn new(count: Rc<Cell<usize>>, worker: Rc<Worker>) -> Self {
        count.set(count.get() + 1);
        worker.metrics.connections.add(1);
        Self { count, worker }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.count.set(self.count.get() - 1);
        self.worker.metrics.connections.set(self.worker.metrics.connections.get() - 1);
    }
}
