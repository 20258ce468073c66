//! The thread of one worker: its loops, and how it drains.

use std::{
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

/// How long requests under way get to finish once the server is told to stop.
const REQUESTS_WITHIN: Duration = Duration::from_secs(8);

/// Connections that have just come get so long to say what they want.
const FIRST_REQUEST_WITHIN: Duration = Duration::from_secs(1);

/// Whether all have gone is looked at this often.
const DRAIN_STEP: Duration = Duration::from_millis(5);

/// Sockets written to before others get their turn.
const FLUSH_SLICE: usize = 128;

/// Who came and went is gathered for so long before it is told.
const PRESENCE_DELAY: Duration = Duration::from_millis(100);

/// Old events are looked for this often.
const PRUNE_EVERY: Duration = Duration::from_secs(3600);

/// What a worker's thread is started with.
pub(super) struct Part {
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
    /// Rung once all can.
    pub(super) opened: watch::Receiver<()>,
    pub(super) stopped: watch::Receiver<bool>,
}

impl Part {
    pub(super) fn run(self, reader: Reader) {
        // Threads of its own for hashing passwords and for the disk, gone again when idle.
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
            spawn_local(receive_messages(Rc::clone(&worker)));
            spawn_local(flush(Rc::clone(&worker)));
            let connections = Rc::new(Connections::default());
            spawn_local(tick(Rc::clone(&worker), Rc::clone(&connections), watchdog));
            if worker.id == 0 {
                rooms::purge_deleted(&worker);
                spawn_local(prune(Rc::clone(&worker)));
            }
            let mut sending_on = JoinSet::new();
            for (socket, redirect) in self.redirects {
                match TcpListener::from_std(socket) {
                    Ok(socket) => drop(sending_on.spawn_local(redirect::serve(socket, redirect))),
                    Err(error) => tracing::error!(%error, "nobody is sent from HTTP to HTTPS"),
                }
            }
            drop(starting);
            let _ = opened.changed().await;
            // The listener goes with it.
            connection::accept(&worker, listener, &connections, self.tls).await;
            drop(sending_on);
            drain(&worker, &connections).await;
        });
    }
}

/// Takes in what the writer and the other workers send, as it comes.
async fn receive_messages(worker: Rc<Worker>) {
    loop {
        worker.shared.inboxes[worker.id].notified().await;
        worker.catch_up();
        worker.run_tasks();
    }
}

/// Writes frames to sockets, some at a time, so that requests get their turn between.
async fn flush(worker: Rc<Worker>) {
    loop {
        worker.flush.notified().await;
        loop {
            let more = worker.hub.borrow_mut().flush_some(FLUSH_SLICE);
            if !more {
                break;
            }
            tokio::task::yield_now().await;
            // What was committed meanwhile joins the frames of those whose turn is still to come.
            worker.catch_up();
        }
    }
}

/// Once a second: the clock, the pings, the silent and the slow; who came and went more often.
async fn tick(worker: Rc<Worker>, connections: Rc<Connections>, watchdog: Arc<Watchdog>) {
    let mut last = 0;
    loop {
        tokio::time::sleep(PRESENCE_DELAY).await;
        watchdog.beat(worker.id);
        if worker.hub.borrow().presence_changed() {
            worker.hub.borrow_mut().tell_presence(&worker.state.borrow());
        }
        let clock = worker.shared.started.elapsed().as_secs() as u32;
        if clock != last {
            last = clock;
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

async fn prune(worker: Rc<Worker>) {
    loop {
        while let Ok(true) = worker.writer.write(PruneEvents).await {}
        tokio::time::sleep(PRUNE_EVERY).await;
    }
}

/// Lets requests finish and tells sockets to come back, for as long as there is time.
async fn drain(worker: &Rc<Worker>, connections: &Rc<Connections>) {
    let began = Instant::now();
    let sockets = worker.shared.metrics.iter().map(|metrics| metrics.sockets.get()).sum();
    tracing::debug!(
        worker = worker.id,
        sockets = worker.metrics.sockets.get(),
        "a worker sees its sockets off"
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
