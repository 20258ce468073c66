//! Start and stop: the data directory, the writer, the workers, and the signals that end them.

mod acme;
pub(crate) mod certificate;
mod connection;
mod listener;
mod redirect;
mod tls;

use std::{
    fmt, io,
    net::SocketAddr,
    rc::Rc,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use hyper::header::HeaderValue;
use tokio::{
    net::TcpListener,
    runtime::{Builder, LocalRuntime},
    signal::unix::{Signal, SignalKind, signal},
    sync::{Notify, Semaphore, watch},
    task::spawn_local,
};
use tokio_rustls::rustls::ServerConfig;

pub use self::{acme::AcmeError, tls::TlsError};
use self::{
    redirect::Redirect,
    tls::{Certificates, HttpChallenges},
};
use crate::{
    config::{Config, HttpListen},
    event::{Batch, Change, Whisper},
    http,
    inbox::{Completion, Inbox, Parcel},
    jobs,
    limits::Limits,
    metrics::WorkerMetrics,
    outside::push::VapidKey,
    state::State,
    store::{
        DataDir, Fanout, Folder, Home, KeepSecret, OpenError, PruneEvents, Reader, Writer, WriterHandle,
    },
    types::Timestamp,
    worker::{Shared, Worker, purge_deleted_rooms},
};

/// How long requests and sockets get to finish once the server is told to stop.
const DRAIN: Duration = Duration::from_secs(8);

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
    Runtime(io::Error),
    Tls(TlsError),
    Acme(AcmeError),
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
            Self::Runtime(error) => {
                write!(f, "cannot start a worker ({error}); check the limits of this system")
            }
            Self::Tls(error) => write!(f, "{error}; name others with --tls-cert and --tls-key"),
            Self::Acme(error) => error.fmt(f),
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
    let data = DataDir::claim(&config.data, config.durability)?;
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
    let (address, listeners) = listener::bind(config.listen, count)?;
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
        errands: Mutex::default(),
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
    let mut redirect = security.redirect(&shared.config)?;
    let caretaker = security.caretaker(&shared.config, redirect.is_some())?;
    let mut workers = Vec::new();
    for (id, listener) in listeners.into_iter().enumerate() {
        let reader = Reader::open(data)?;
        let part = Part {
            id,
            shared: Arc::clone(&shared),
            handle: handle.clone(),
            state: state.clone(),
            listener,
            tls: security.tls.clone(),
            // One thread is enough for those who are sent away.
            redirect: redirect.take(),
            stopped: stopped.clone(),
        };
        let thread = std::thread::Builder::new().name(format!("worker-{id}")).spawn(move || part.run(reader));
        workers.push(thread.map_err(ServeError::Runtime)?);
    }
    drop(state);
    let jobs = jobs::start(Arc::clone(&shared), handle.clone(), Reader::open(data)?, stopped.clone());
    let jobs = jobs.map_err(ServeError::Runtime)?;
    let caretaker = caretaker.map(|caretaker| caretaker.start(stopped.clone()));
    let caretaker = caretaker.transpose().map_err(ServeError::Runtime)?;
    // Before anybody is told that we are here: whoever knows may stop us at once.
    let signals = Signals::listen().map_err(ServeError::Runtime)?;
    ready(address);
    signals.wait();
    tracing::info!("stopping");
    shared.draining.store(true, Ordering::Relaxed);
    let _ = stop.send(true);
    for worker in workers {
        // A worker that panicked has said so itself.
        let _ = worker.join();
    }
    let _ = jobs.join();
    if let Some(caretaker) = caretaker {
        let _ = caretaker.join();
    }
    // Whoever was answered is on the disk: the writer finishes its queue, the log goes into the database.
    drop(writer);
    Ok(())
}

/// What HTTPS is served with, and who looks after it; nothing of it if there is none.
struct Security {
    tls: Option<Arc<ServerConfig>>,
    certificates: Arc<Certificates>,
    challenges: Arc<HttpChallenges>,
    files: Option<tls::Files>,
}

impl Security {
    fn prepare(config: &Config) -> Result<Self, ServeError> {
        let certificates = Arc::new(Certificates::default());
        let files = match (&config.tls_cert, &config.tls_key) {
            (Some(certificate), Some(key)) => Some(tls::Files::load(certificate, key, &certificates)?),
            _ => None,
        };
        let tls = config.has_tls().then(|| tls::server_config(Arc::clone(&certificates)));
        Ok(Self { tls, certificates, challenges: Arc::default(), files })
    }

    /// The listener that sends people from HTTP to HTTPS. If nobody asked for it, it can fail.
    fn redirect(&self, config: &Config) -> Result<Option<(std::net::TcpListener, Redirect)>, ServeError> {
        let Some(address) = config.redirect_from() else { return Ok(None) };
        match listener::bind(address, 1) {
            Ok((address, mut listeners)) => {
                tracing::info!("http://{address} sends everybody on to HTTPS");
                let redirect = Redirect::new(config, Arc::clone(&self.challenges));
                Ok(listeners.pop().map(|listener| (listener, redirect)))
            }
            Err(error) if config.http_listen == HttpListen::Auto => {
                tracing::warn!("nobody is sent from HTTP to HTTPS: {error}");
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Who keeps the certificate fresh, if there is one.
    fn caretaker(&mut self, config: &Config, answers_http: bool) -> Result<Option<Caretaker>, ServeError> {
        let certificates = Arc::clone(&self.certificates);
        if let Some(files) = self.files.take() {
            return Ok(Some(Caretaker::Files(files, certificates)));
        }
        if config.domain.is_empty() {
            return Ok(None);
        }
        let challenges = Arc::clone(&self.challenges);
        let caretaker = acme::Caretaker::prepare(config, certificates, challenges, answers_http)?;
        Ok(Some(Caretaker::Acme(Box::new(caretaker))))
    }
}

/// Whoever keeps the certificate fresh.
enum Caretaker {
    Files(tls::Files, Arc<Certificates>),
    Acme(Box<acme::Caretaker>),
}

impl Caretaker {
    /// Starts the thread that it does so on.
    fn start(self, stopped: watch::Receiver<bool>) -> io::Result<JoinHandle<()>> {
        let thread = std::thread::Builder::new().name("certificate".into());
        let runtime = Builder::new_current_thread().enable_all().build()?;
        thread.spawn(move || match self {
            Self::Files(files, certificates) => runtime.block_on(files.watch(certificates, stopped)),
            Self::Acme(caretaker) => runtime.block_on(caretaker.run(stopped)),
        })
    }
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

    fn ring(&self) {}
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
        let runtime = Builder::new_current_thread().enable_io().build()?;
        let (terminate, interrupt) = {
            let _inside = runtime.enter();
            (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?)
        };
        Ok(Self { runtime, terminate, interrupt })
    }

    fn wait(mut self) {
        self.runtime.block_on(async {
            tokio::select! {
                _ = self.terminate.recv() => {}
                _ = self.interrupt.recv() => {}
            }
        });
    }
}

/// The workers of this process, as the writer knows them.
struct Workers(Arc<Shared>);

impl Fanout for Workers {
    fn events(&self, batch: &Batch, at: Instant) {
        for inbox in &self.0.inboxes {
            inbox.put(Parcel::Events(Arc::clone(batch), at));
        }
        if batch.iter().any(|event| matches!(event.change, Change::JobsWaiting)) {
            self.0.jobs.notify_one();
        }
    }

    fn completions(&self, worker: usize, completions: Vec<Box<dyn Completion>>) {
        self.0.inboxes[worker].put(Parcel::Completions(completions));
    }

    fn ring(&self) {
        self.0.inboxes.iter().for_each(Inbox::ring);
    }
}

/// What a worker's thread is started with.
struct Part {
    id: usize,
    shared: Arc<Shared>,
    handle: WriterHandle,
    state: State,
    listener: std::net::TcpListener,
    tls: Option<Arc<ServerConfig>>,
    redirect: Option<(std::net::TcpListener, Redirect)>,
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
        let handle = self.handle.at_home(Home::Worker(self.id));
        let worker = Worker::new(self.id, self.shared, handle, reader, self.state);
        let mut stopped = self.stopped;
        runtime.block_on(async move {
            let listener = match TcpListener::from_std(self.listener) {
                Ok(listener) => listener,
                Err(error) => return tracing::error!(%error, "a worker cannot listen"),
            };
            spawn_local(take_mail(Rc::clone(&worker)));
            spawn_local(flush(Rc::clone(&worker)));
            let connections = Rc::new(connection::Connections::default());
            spawn_local(tick(Rc::clone(&worker), Rc::clone(&connections)));
            if worker.id == 0 {
                purge_deleted_rooms(&worker);
                spawn_local(prune(Rc::clone(&worker)));
            }
            let mut sending_on = None;
            if let Some((listener, redirect)) = self.redirect {
                match TcpListener::from_std(listener) {
                    Ok(listener) => sending_on = Some(spawn_local(redirect::serve(listener, redirect))),
                    Err(error) => tracing::error!(%error, "nobody is sent from HTTP to HTTPS"),
                }
            }
            tokio::select! {
                () = connection::accept(&worker, &listener, &connections, self.tls) => {}
                _ = stopped.changed() => {}
            }
            drop(listener);
            if let Some(sending_on) = sending_on {
                sending_on.abort();
            }
            drain(&worker, &connections).await;
        });
    }
}

/// Takes in what the writer and the other workers send, as it comes.
async fn take_mail(worker: Rc<Worker>) {
    loop {
        worker.shared.inboxes[worker.id].rung().await;
        worker.catch_up();
        worker.run_errands();
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
async fn tick(worker: Rc<Worker>, connections: Rc<connection::Connections>) {
    let mut last = 0;
    loop {
        tokio::time::sleep(PRESENCE_DELAY).await;
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
                    worker.whisper(Whisper::Present { room, user, change: -1 });
                }
                worker.whisper(Whisper::Online { user, change: -1 });
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
    worker.hub.borrow_mut().close_all();
    connections.drain();
    let ended = Instant::now() + DRAIN;
    while Instant::now() < ended && !(connections.is_empty() && worker.hub.borrow().is_empty()) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
