//! The connections of one worker, and their timeouts, kept by the worker's own clock instead of a timer per request.

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

/// How the worker reaches a connection.
pub(super) struct Watch {
    pub(super) progress: Arc<Progress>,
    /// To be closed as soon as what it does is done; at once if it does nothing.
    pub(super) draining: Cell<bool>,
    /// The same if nothing has been heard of it since it came.
    pub(super) hurried: Cell<bool>,
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

    /// Once a second: closes what has taken too long.
    pub(super) fn tick(&self, clock: u32, config: &Config) {
        self.clock.store(clock, Ordering::Relaxed);
        self.watches.borrow_mut().retain(|watch| {
            let Some(watch) = watch.upgrade() else { return false };
            let limit = match watch.progress.phase() {
                Phase::Fresh | Phase::Idle => config.idle_timeout,
                Phase::Head => config.header_timeout,
                Phase::Busy => return true,
            };
            if Duration::from_secs(u64::from(watch.progress.age())) > limit {
                watch.expired.set(true);
                watch.wake();
            }
            true
        });
    }

    /// Begins to watch a connection that has just been accepted.
    pub(super) fn watch(&self, first: Phase, is_draining: bool) -> Rc<Watch> {
        let watch = Rc::new(Watch {
            progress: Arc::new(Progress::new(Arc::clone(&self.clock), first)),
            // It may be one of those that are let in before the door closes.
            draining: Cell::new(is_draining),
            hurried: Cell::new(false),
            expired: Cell::new(false),
            waker: RefCell::default(),
        });
        self.watches.borrow_mut().push(Rc::downgrade(&watch));
        watch
    }

    pub(super) fn drain(&self) {
        for watch in self.watches.borrow().iter().filter_map(Weak::upgrade) {
            watch.draining.set(true);
            watch.wake();
        }
    }

    /// Closes those as well that came and said nothing.
    pub(super) fn hurry(&self) {
        for watch in self.watches.borrow().iter().filter_map(Weak::upgrade) {
            watch.hurried.set(true);
            watch.wake();
        }
    }
}

/// Drives something until it is done, or its connection has taken too long.
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

/// Counts a connection as long as it is open.
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
