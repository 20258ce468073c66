//! Start and stop: the data directory, the writer, the workers, and the signals that end them.

mod acme;
mod alerts;
pub(crate) mod certificate;
mod connection;
mod listener;
mod redirect;
mod security;
mod service;
mod tls;

use std::{
    fmt, io,
    net::SocketAddr,
    rc::Rc,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc,
    },
    time::{Duration, Instant},
};

use hyper::header::HeaderValue;
use tokio::{
    net::TcpListener,
    runtime::{Builder, LocalRuntime},
    signal::unix::{Signal, SignalKind, signal},
    sync::{Notify, Semaphore, watch},
    task::{JoinSet, spawn_local},
};
use tokio_rustls::rustls::ServerConfig;

pub use self::{acme::AcmeError, tls::TlsError};
use self::{
    listener::{Inherited, Listener, REDIRECT, Sockets},
    redirect::Redirect,
    security::Security,
    service::Watchdog,
};
use crate::{
    chat::rooms,
    config::Config,
    http, jobs,
    metrics::{BackupMetrics, WorkerMetrics},
    outbound::push::VapidKey,
    store::{
        Completion, DataDir, Fanout, Folder, KeepSecret, OpenError, PruneEvents, Reader, ReplyTo, State,
        Writer, WriterHandle,
    },
    types::Timestamp,
    types::event::{Batch, Change, EphemeralEvent},
    worker::inbox::{Inbox, Message},
    worker::limits::Limits,
    worker::{Shared, Worker},
};

/// How long requests under way get to finish once the server is told to stop.
const REQUESTS_WITHIN: Duration = Duration::from_secs(8);

/// Connections that have just come get so long to say what they want.
const FIRST_REQUEST_WITHIN: Duration = Duration::from_secs(1);

/// The whole of stopping takes so long at most; what is not done then is done at the next start, or was never promised.
const STOP_WITHIN: Duration = Duration::from_secs(10);

/// Whether all have gone is looked at this often.
const DRAIN_STEP: Duration = Duration::from_millis(5);

/// Sockets written to before others get their turn.
const FLUSH_SLICE: usize = 128;

/// Who came and went is gathered for so long before it is told.
const PRESENCE_DELAY: Duration = Duration::from_millis(100);

/// Old events are looked for this often.
const PRUNE_EVERY: Duration = Duration::from_secs(3600);

/// Why the server did not start. Displays as one sentence that says what to do.
#[derive(Debug)]
pub enum ServeError {
    Open(OpenError),
    PortInUse(SocketAddr),
    Listen(SocketAddr, io::Error),
    /// A socket that whoever started us holds open.
    Inherited(String, io::Error),
    Runtime(io::Error),
    Tls(TlsError),
    Acme(AcmeError),
    /// It was told to stop again while it was stopping.
    CutShort,
}

impl fmt::Display for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open(error) => error.fmt(f),
            Self::PortInUse(address) => {
                write!(
                    f,
                    "something listens on {address} already; stop it, or choose another address with --listen"
                )
            }
            Self::Listen(address, error) => {
                write!(f, "cannot listen on {address} ({error}); choose another address with --listen")
            }
            Self::Inherited(name, error) => {
                write!(
                    f,
                    "cannot accept from the socket {name:?} that was passed on ({error}); its unit has to have ListenStream= with an address and a port"
                )
            }
            Self::Runtime(error) => {
                write!(f, "cannot start a worker ({error}); check the limits of this system")
            }
            Self::Tls(error) => write!(f, "{error}; name others with --tls-cert and --tls-key"),
            Self::Acme(error) => error.fmt(f),
            Self::CutShort => f.write_str(
                "told to stop twice: stopped before every request was answered; what was answered is kept",
            ),
        }
    }
}

impl std::error::Error for ServeError {}

impl From<OpenError> for ServeError {
    fn from(error: OpenError) -> Self {
        Self::Open(error)
    }
}

impl From<TlsError> for ServeError {
    fn from(error: TlsError) -> Self {
        Self::Tls(error)
    }
}

impl From<AcmeError> for ServeError {
    fn from(error: AcmeError) -> Self {
        Self::Acme(error)
    }
}

/// Serves until SIGTERM or SIGINT.
pub fn serve(config: Config) -> Result<(), ServeError> {
    let data = service::starting(|| DataDir::claim(&config.data, config.durability))?;
    let scheme = if config.has_tls() { "https" } else { "http" };
    serve_from(config, &data, None, |address| say_where(scheme, address))
}

/// Tells people, and whoever started us, where we are.
pub fn say_where(scheme: &str, address: SocketAddr) {
    eprintln!("listening on {scheme}://{address}");
}

/// The same from a directory that is claimed already; with `visitor`, the token of a session, the first visitor from
/// loopback is signed in. `ready` is called once requests are answered.
pub fn serve_from(
    config: Config,
    data: &DataDir,
    visitor: Option<String>,
    ready: impl FnOnce(SocketAddr),
) -> Result<(), ServeError> {
    let started = Instant::now();
    let count = match config.workers {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        count => count,
    };
    let mut inherited = Inherited::from_environment()?;
    let redirected = inherited.take(REDIRECT);
    let (address, sockets) = listener::sockets(&mut inherited, config.listen, count)?;
    if config.listen.port() != 0 && address != config.listen {
        tracing::info!(
            "the service manager listens on {address}; where the settings say {} nobody does",
            config.listen
        );
    }
    let config = Config { listen: address, ..config };
    let mut security = Security::prepare(&config)?;
    let shared = Arc::new(Shared {
        limits: Limits::new(config.post_limit),
        inboxes: (0..count).map(|_| Inbox::default()).collect(),
        metrics: (0..count).map(|_| Arc::new(WorkerMetrics::new(http::route_count()))).collect(),
        started,
        boot: Timestamp::now().0 as u64,
        draining: AtomicBool::new(false),
        hashing: Semaphore::new(count),
        hashing_waiting: AtomicUsize::new(0),
        folder: Folder::open(data.path())
            .map_err(|error| OpenError::Unwritable(data.path().to_owned(), error))?,
        imaging: Semaphore::new(1),
        jobs: Notify::new(),
        retention_changed: Notify::new(),
        tasks: Mutex::default(),
        backups: BackupMetrics::default(),
        vapid: vapid_key(data)?,
        last_searches: Mutex::default(),
        hsts: (config.hsts > 0).then(|| {
            HeaderValue::try_from(format!("max-age={}", config.hsts)).expect("digits are printable")
        }),
        demo_token: Mutex::new(visitor),
        config,
    });
    let fanout = Box::new(Workers(Arc::clone(&shared)));
    let (writer, handle) = Writer::start(data, shared.config.writer_queue, fanout)?;
    let state = Reader::open(data)?.state().map_err(|error| OpenError::Database(data.database(), error))?;
    let (stop, stopped) = watch::channel(false);
    let mut redirects = security.redirects(&shared.config, redirected)?;
    let certificate_manager = security.certificate_manager(&shared.config, !redirects.is_empty())?;
    let watchdog = Arc::new(Watchdog::new(started, count));
    let (open, opened) = watch::channel(());
    let (starting, all_started) = mpsc::channel();
    let mut threads = Vec::new();
    for (id, sockets) in sockets.into_iter().enumerate() {
        let reader = Reader::open(data)?;
        let part = Part {
            id,
            shared: Arc::clone(&shared),
            handle: handle.clone(),
            state: state.clone(),
            sockets,
            tls: security.tls.clone(),
            // One thread is enough for those who are sent away.
            redirects: std::mem::take(&mut redirects),
            watchdog: Arc::clone(&watchdog),
            starting: starting.clone(),
            opened: opened.clone(),
            stopped: stopped.clone(),
        };
        let thread = std::thread::Builder::new().name(format!("worker-{id}")).spawn(move || part.run(reader));
        threads.push(thread.map_err(ServeError::Runtime)?);
    }
    let alerts = alerts::Watch::new(Arc::clone(&shared), handle.clone(), &state);
    drop(state);
    let jobs = jobs::start(Arc::clone(&shared), handle.clone(), Reader::open(data)?, stopped.clone());
    threads.push(jobs.map_err(ServeError::Runtime)?);
    if let Some(certificate_manager) = certificate_manager {
        threads.push(certificate_manager.start(stopped.clone()).map_err(ServeError::Runtime)?);
    }
    // Before anybody is told that we are here: whoever knows may stop us at once.
    let mut signals = Signals::listen().map_err(ServeError::Runtime)?;
    // None accepts before all can: the first would have all who waited for us.
    drop(starting);
    all_started.iter().for_each(drop);
    let _ = open.send(());
    ready(address);
    service::ready(&format!("Serving on {address}"));
    signals.wait_while(async {
        tokio::join!(service::keep_watch(&watchdog, &handle), alerts.keep());
    });
    service::stopping();
    tracing::info!("stopping");
    shared.draining.store(true, Ordering::Relaxed);
    let _ = stop.send(true);
    signals.wait_for(move || {
        for thread in threads {
            // One that panicked has said so itself.
            let _ = thread.join();
        }
        // Whoever was answered is on the disk: the writer finishes its queue, the log goes into the database.
        drop(writer);
    })
}

/// The key that pushes are signed with, made at the first start. Before the writer is there: nobody else writes yet.
fn vapid_key(data: &DataDir) -> Result<Arc<VapidKey>, ServeError> {
    let failed = |why: String| OpenError::Unwritable(data.path().to_owned(), io::Error::other(why));
    let stored =
        Reader::open(data)?.secret("vapid").map_err(|error| OpenError::Database(data.database(), error))?;
    let bytes = match stored {
        Some(bytes) => bytes,
        None => {
            let value = VapidKey::generate().to_bytes();
            let (_writer, handle) = Writer::start(data, 1, Box::new(Nobody))?;
            handle
                .write_blocking(KeepSecret { name: "vapid", value })
                .map_err(|error| failed(format!("{error:?}")))?
        }
    };
    VapidKey::from_bytes(&bytes).map(Arc::new).map_err(|_| failed("its VAPID key is none".into()).into())
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

/// Makes the process fit for many small things: without huge pages, of which each thread's heap would take several for
/// a few KiB of use (10 of 17 MB at rest were that), and with as many open files as it may have.
pub fn adapt_process() {
    if let Err(error) = rustix::thread::disable_transparent_huge_pages(true) {
        tracing::debug!(%error, "huge pages stay on");
    }
    let mut files = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    files.current = files.maximum;
    if let Err(error) = rustix::process::setrlimit(rustix::process::Resource::Nofile, files) {
        tracing::debug!(%error, "the limit of open files stays as it is");
    }
}

/// SIGTERM and SIGINT, noticed from the moment that this exists.
struct Signals {
    runtime: tokio::runtime::Runtime,
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn listen() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (terminate, interrupt) = {
            let _inside = runtime.enter();
            (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?)
        };
        Ok(Self { runtime, terminate, interrupt })
    }

    /// Returns when one comes; does something else meanwhile.
    fn wait_while(&mut self, work: impl Future<Output = ()>) {
        let Self { runtime, terminate, interrupt } = self;
        runtime.block_on(async {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
                () = work => {}
            }
        });
    }

    /// Waits for what ends the server, but not for ever, and not if another signal comes.
    fn wait_for(self, ending: impl FnOnce() + Send + 'static) -> Result<(), ServeError> {
        let Self { runtime, mut terminate, mut interrupt } = self;
        let (ended, end) = tokio::sync::oneshot::channel::<()>();
        let ending = std::thread::Builder::new().name("ending".into()).spawn(move || {
            ending();
            drop(ended);
        });
        ending.map_err(ServeError::Runtime)?;
        runtime.block_on(async {
            tokio::select! {
                _ = end => Ok(()),
                () = tokio::time::sleep(STOP_WITHIN) => {
                    tracing::warn!("not all was finished within {STOP_WITHIN:?}; what was answered is kept");
                    Ok(())
                }
                _ = terminate.recv() => Err(ServeError::CutShort),
                _ = interrupt.recv() => Err(ServeError::CutShort),
            }
        })
    }
}

/// The workers of this process, as the writer knows them.
struct Workers(Arc<Shared>);

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

/// What a worker's thread is started with.
struct Part {
    id: usize,
    shared: Arc<Shared>,
    handle: WriterHandle,
    state: State,
    sockets: Sockets,
    tls: Option<Arc<ServerConfig>>,
    redirects: Vec<(std::net::TcpListener, Redirect)>,
    watchdog: Arc<Watchdog>,
    /// Dropped once this worker can accept.
    starting: mpsc::Sender<()>,
    /// Rung once all can.
    opened: watch::Receiver<()>,
    stopped: watch::Receiver<bool>,
}

impl Part {
    fn run(self, reader: Reader) {
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
            let connections = Rc::new(connection::Connections::default());
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
async fn tick(worker: Rc<Worker>, connections: Rc<connection::Connections>, watchdog: Arc<Watchdog>) {
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
async fn drain(worker: &Rc<Worker>, connections: &Rc<connection::Connections>) {
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
