//! The thread of one worker: its loops, and how it drains.

use std::{
    cell::Cell,
    rc::Rc,
    sync::{Arc, mpsc},
    time::{Duration, Instant},
};

use tokio::{
    net::TcpListener,
    runtime::{Builder, LocalRuntime},
    sync::watch,
    task::{JoinSet, spawn_local},
};
use tokio_rustls::rustls::ServerConfig;

use super::{
    connection,
    connections::Connections,
    listener::{Listener, Sockets},
    redirect::{self, Redirect},
    service::Watchdog,
};
use crate::{
    chat::rooms,
    store::{PruneEvents, Reader, ReplyTo, State, WriterHandle},
    types::event::EphemeralEvent,
    worker::{Shared, Worker},
};

/// How long requests in progress may take once the server stops.
const REQUESTS_WITHIN: Duration = Duration::from_secs(8);

/// How long a new connection may take to send its first request once the server stops.
const FIRST_REQUEST_WITHIN: Duration = Duration::from_secs(1);

/// How often draining checks whether all connections are closed.
const DRAIN_STEP: Duration = Duration::from_millis(5);

/// Sockets that are flushed before other tasks run.
const FLUSH_SLICE: usize = 128;

/// Pieces of replays that are read before other tasks run.
const REPLAY_SLICE: usize = 8;

/// Changes of presence are collected for this long before they are sent.
const PRESENCE_DELAY: Duration = Duration::from_millis(100);

/// How long a task that panicked waits before it begins again.
const RESTART_DELAY: Duration = Duration::from_millis(100);

/// How often old events are pruned.
const PRUNE_EVERY: Duration = Duration::from_secs(3600);

/// What the thread of a worker is started with.
pub(super) struct WorkerThread {
    pub(super) id: usize,
    pub(super) shared: Arc<Shared>,
    pub(super) handle: WriterHandle,
    pub(super) state: State,
    pub(super) sockets: Sockets,
    pub(super) tls: Option<Arc<ServerConfig>>,
    pub(super) redirects: Vec<(std::net::TcpListener, Redirect)>,
    pub(super) watchdog: Arc<Watchdog>,
    /// Dropped once this worker can accept.
    pub(super) starting: mpsc::Sender<()>,
    /// Notified once all workers can accept.
    pub(super) opened: watch::Receiver<()>,
    pub(super) stopped: watch::Receiver<bool>,
}

impl WorkerThread {
    pub(super) fn run(self, reader: Reader) {
        // Its blocking threads hash passwords and read files; idle ones end.
        let runtime = Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(8)
            .thread_keep_alive(Duration::from_secs(1))
            .build_local(Default::default());
        match runtime {
            Ok(runtime) => self.run_on(&runtime, reader),
            Err(error) => tracing::error!(%error, "a worker did not start"),
        }
    }

    fn run_on(self, runtime: &LocalRuntime, reader: Reader) {
        let handle = self.handle.replying_to(ReplyTo::Worker(self.id));
        let worker = Worker::new(self.id, self.shared, handle, reader, self.state);
        let (sockets, watchdog, starting, mut opened) =
            (self.sockets, self.watchdog, self.starting, self.opened);
        let stopped = self.stopped;
        runtime.block_on(async move {
            let listener = match Listener::new(sockets, stopped) {
                Ok(listener) => listener,
                Err(error) => return tracing::error!(%error, "a worker cannot listen"),
            };
            let heartbeats = Rc::new(TaskHeartbeats::default());
            let connections = Rc::new(Connections::default());
            let (of, beats) = (Rc::clone(&worker), Rc::clone(&heartbeats));
            spawn_local(keep_alive("inbox", move || receive_messages(Rc::clone(&of), Rc::clone(&beats))));
            let (of, beats) = (Rc::clone(&worker), Rc::clone(&heartbeats));
            spawn_local(keep_alive("flush", move || flush(Rc::clone(&of), Rc::clone(&beats))));
            let (of, open) = (Rc::clone(&worker), Rc::clone(&connections));
            spawn_local(keep_alive("tick", move || {
                tick(Rc::clone(&of), Rc::clone(&open), Rc::clone(&heartbeats), Arc::clone(&watchdog))
            }));
            if worker.id == 0 {
                rooms::purge_deleted(&worker);
                spawn_local(prune(Rc::clone(&worker)));
            }
            let mut redirects = JoinSet::new();
            for (socket, redirect) in self.redirects {
                match TcpListener::from_std(socket) {
                    Ok(socket) => drop(redirects.spawn_local(redirect::serve(socket, redirect))),
                    Err(error) => tracing::error!(%error, "cannot redirect from HTTP to HTTPS"),
                }
            }
            drop(starting);
            let _ = opened.changed().await;
            // Drops the listener when it returns.
            connection::accept(&worker, listener, &connections, self.tls).await;
            drop(redirects);
            drain(&worker, &connections).await;
        });
    }
}

/// Runs a task that never ends, and begins it again if it panics.
async fn keep_alive<F: Future<Output = ()> + 'static>(name: &str, task: impl Fn() -> F) {
    while let Err(error) = spawn_local(task()).await {
        tracing::error!(%error, "the task {name} of a worker ended, and begins again");
        tokio::time::sleep(RESTART_DELAY).await;
    }
}

/// Which tasks of a worker have run since its last heartbeat. One that is stuck must be noticed by the watchdog.
#[derive(Default)]
struct TaskHeartbeats {
    inbox: Cell<bool>,
    flush: Cell<bool>,
}

impl TaskHeartbeats {
    /// True if every task has run since the last time that this was true.
    fn take(&self) -> bool {
        let have_all = self.inbox.get() && self.flush.get();
        if have_all {
            self.inbox.set(false);
            self.flush.set(false);
        }
        have_all
    }
}

/// Processes what the writer and the other workers send.
async fn receive_messages(worker: Rc<Worker>, heartbeats: Rc<TaskHeartbeats>) {
    loop {
        worker.shared.inboxes[worker.id].notified().await;
        heartbeats.inbox.set(true);
        worker.catch_up();
        worker.run_tasks();
    }
}

/// Writes frames to sockets, in slices, so that requests are served in between.
async fn flush(worker: Rc<Worker>, heartbeats: Rc<TaskHeartbeats>) {
    loop {
        worker.flush.notified().await;
        loop {
            heartbeats.flush.set(true);
            worker.hub.borrow_mut().flush_some(FLUSH_SLICE);
            worker.read_replays(REPLAY_SLICE);
            if !worker.hub.borrow().has_frames() {
                break;
            }
            tokio::task::yield_now().await;
            // Sockets that are not flushed yet get what was committed meanwhile in the same write.
            worker.catch_up();
        }
    }
}

/// Every 100 ms: the heartbeat, for which the other tasks are woken, and changes of presence. Every second: timeouts of connections, pings, and sockets that are
/// silent or too slow.
async fn tick(
    worker: Rc<Worker>,
    connections: Rc<Connections>,
    heartbeats: Rc<TaskHeartbeats>,
    watchdog: Arc<Watchdog>,
) {
    let mut last = 0;
    loop {
        tokio::time::sleep(PRESENCE_DELAY).await;
        if heartbeats.take() {
            watchdog.heartbeat(worker.id);
        }
        worker.shared.inboxes[worker.id].notify();
        worker.flush.notify_one();
        if worker.hub.borrow().presence_changed() {
            worker.hub.borrow_mut().tell_presence(&worker.state.borrow());
        }
        let clock = worker.shared.started.elapsed().as_secs() as u32;
        if clock != last {
            last = clock;
            if worker.is_stale() {
                worker.reload(None);
            }
            connections.tick(clock, worker.config());
            let gone = worker.hub.borrow_mut().tick(clock);
            for (user, rooms) in gone {
                for room in rooms {
                    worker.broadcast(EphemeralEvent::Present { room, user, change: -1 });
                }
                worker.broadcast(EphemeralEvent::Online { user, change: -1 });
            }
        }
        worker.flush_if_needed();
    }
}

/// Deletes old events, once an hour.
async fn prune(worker: Rc<Worker>) {
    loop {
        while let Ok(true) = worker.writer.write(PruneEvents).await {}
        tokio::time::sleep(PRUNE_EVERY).await;
    }
}

/// Lets requests finish and closes sockets, which then reconnect, within `REQUESTS_WITHIN`.
async fn drain(worker: &Rc<Worker>, connections: &Rc<Connections>) {
    let began = Instant::now();
    let sockets = worker.shared.metrics.iter().map(|metrics| metrics.sockets.get()).sum();
    tracing::debug!(
        worker = worker.id,
        sockets = worker.metrics.sockets.get(),
        "a worker drains its sockets"
    );
    worker.hub.borrow_mut().drain(sockets);
    connections.drain();
    let mut hurried = false;
    while began.elapsed() < REQUESTS_WITHIN && !(connections.is_empty() && worker.hub.borrow().is_empty()) {
        tokio::time::sleep(DRAIN_STEP).await;
        worker.hub.borrow_mut().close_all();
        if !hurried && began.elapsed() > FIRST_REQUEST_WITHIN {
            hurried = true;
            connections.hurry();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// B23.
    #[test]
    fn heartbeat_needs_every_task_of_the_worker() {
        let heartbeats = TaskHeartbeats::default();
        assert!(!heartbeats.take());
        heartbeats.inbox.set(true);
        assert!(!heartbeats.take(), "the flush task is dead");
        heartbeats.flush.set(true);
        assert!(heartbeats.take());
        heartbeats.flush.set(true);
        assert!(!heartbeats.take(), "the inbox task is dead");
    }

    /// B23.
    #[test]
    fn task_of_a_worker_begins_again_after_a_panic() {
        let runtime = Builder::new_current_thread().enable_all().build_local(Default::default()).unwrap();
        let begun = Rc::new(Cell::new(0));
        let count = Rc::clone(&begun);
        runtime.block_on(keep_alive("test", move || {
            let count = Rc::clone(&count);
            async move {
                count.set(count.get() + 1);
                assert!(count.get() > 2, "a fault");
            }
        }));
        assert_eq!(begun.get(), 3);
    }
}
