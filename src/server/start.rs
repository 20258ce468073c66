//! Start: opens the data directory, starts the writer and the workers, waits for a signal, and stops them.

use std::{
    io,
    net::SocketAddr,
    ops::RangeInclusive,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc,
    },
    time::Instant,
};

use hyper::header::HeaderValue;
use tokio::sync::{Notify, Semaphore, watch};

use super::{
    NoWorkers, ServeError, alerts,
    fanout::Workers,
    listener::{self, Inherited, REDIRECT},
    security::Security,
    service::{self, Watchdog},
    signals::Signals,
    worker_thread::WorkerThread,
};
use crate::{
    admission::{Admission, Bounds},
    config::Config,
    http, jobs,
    memory::{self, Budget},
    metrics::{BackupMetrics, WorkerMetrics},
    outbound::{Policy, oidc, push::VapidKey},
    store::{BeginEpoch, DataDir, Folder, Import, KeepSecret, OpenError, Reader, Reserve, Writer},
    types::Timestamp,
    worker::{Shared, departures::Departures, inbox::Inbox, limits::Limits, second_steps::SecondSteps},
};

/// Memory for each connection that is open, and for each that is no WebSocket: a head and a chunk of a body of 32 KiB each,
/// in the buffers of hyper and of TLS. Most of the memory is for everything else.
const MEMORY_OF_CONNECTION: u64 = 64 << 10;
const MEMORY_OF_HTTP: u64 = 1 << 20;

/// Open files that are left for everything but connections.
const OTHER_FILES: u64 = 256;

/// Connections that are always allowed.
const FEWEST_CONNECTIONS: u64 = 64;

/// The part of memory that may hold requests whose bodies are still arriving, and the same for responses that wait for their
/// clients; each with bounds in bytes.
const BODIES_PART: u64 = 8;
const BODIES: RangeInclusive<usize> = 8 << 20..=1 << 30;
const RESPONSES_PART: u64 = 16;
const RESPONSES: RangeInclusive<usize> = 4 << 20..=1 << 30;

/// Memory for each password that is hashed at once: four times what a hash takes.
const MEMORY_OF_HASHING: u64 = 4 * (19 << 20);

/// Serves until SIGTERM or SIGINT.
pub fn serve(config: Config) -> Result<(), ServeError> {
    let data = service::starting(|| DataDir::claim(&config.data, config.durability))?;
    if let Some(source) = Import::unfinished(&data)? {
        return Err(ServeError::HalfImported(config.data, source));
    }
    let scheme = if config.has_tls() { "https" } else { "http" };
    serve_from(config, &data, None, |address| say_where(scheme, address))
}

/// Prints the address on standard error, for people and for programs that start the server.
pub fn say_where(scheme: &str, address: SocketAddr) {
    eprintln!("listening on {scheme}://{address}");
}

/// Serves from a directory that is claimed already. With `visitor`, the token of a session, the first visitor from loopback
/// is signed in. `ready` is called once requests are answered.
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
            "listening on {address}, the socket of the service manager, instead of {} from the settings",
            config.listen
        );
    }
    let config = Config { listen: address, ..config };
    let mut security = Security::prepare(&config)?;
    let (providers, provider_thread) = providers(&config).unzip();
    let shared = Arc::new(Shared {
        limits: Limits::new(config.post_limit),
        admission: Arc::new(Admission::new(bounds(&config))),
        bodies: Budget::of_memory(BODIES_PART, *BODIES.start(), *BODIES.end()),
        responses: Budget::of_memory(RESPONSES_PART, *RESPONSES.start(), *RESPONSES.end()),
        inboxes: (0..count).map(|_| Inbox::default()).collect(),
        metrics: (0..count).map(|_| Arc::new(WorkerMetrics::new(http::route_count()))).collect(),
        started,
        boot: Timestamp::now().0 as u64,
        draining: AtomicBool::new(false),
        hashing: Arc::new(Semaphore::new(count.min((memory::limit() / MEMORY_OF_HASHING) as usize).max(1))),
        hashing_waiting: AtomicUsize::new(0),
        folder: Folder::open(data.path())
            .map_err(|error| OpenError::Unwritable(data.path().to_owned(), error))?,
        reserve: Reserve::open(data.path()),
        imaging: Semaphore::new(1),
        icons: Mutex::default(),
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
        providers,
        departures: Departures::default(),
        second_steps: SecondSteps::default(),
        config,
    });
    let fanout = Box::new(Workers(Arc::clone(&shared)));
    data.search_in(&shared.config.search_languages)?;
    let (writer, handle) = Writer::start(data, shared.config.writer_queue, fanout)?;
    if let Err(error) = handle.write_blocking(BeginEpoch) {
        // A full disk: reading goes on.
        tracing::warn!(?error, "could not begin an epoch of the history");
    }
    let state = Reader::open(data)?.state().map_err(|error| OpenError::Database(data.database(), error))?;
    let (stop, stopped) = watch::channel(false);
    let mut redirects = security.redirects(&shared.config, redirected)?;
    let certificate_manager = security.certificate_manager(&shared.config, !redirects.is_empty())?;
    let watchdog = Arc::new(Watchdog::new(started, count));
    let (open, opened) = watch::channel(());
    let (starting, all_started) = mpsc::channel();
    let ended = Arc::new(Notify::new());
    let mut threads = Vec::new();
    for (id, sockets) in sockets.into_iter().enumerate() {
        let reader = Reader::open(data)?;
        let worker = WorkerThread {
            id,
            shared: Arc::clone(&shared),
            handle: handle.clone(),
            state: state.clone(),
            sockets,
            tls: security.tls.clone(),
            // One worker is enough for redirects.
            redirects: std::mem::take(&mut redirects),
            watchdog: Arc::clone(&watchdog),
            starting: starting.clone(),
            opened: opened.clone(),
            stopped: stopped.clone(),
        };
        let guard = EndGuard(Arc::clone(&ended));
        let thread = std::thread::Builder::new().name(format!("worker-{id}")).spawn(move || {
            let _guard = guard;
            worker.run(reader);
        });
        threads.push(thread.map_err(ServeError::Runtime)?);
    }
    let alerts = alerts::Alerts::new(Arc::clone(&shared), handle.clone(), &state);
    drop(state);
    let jobs = jobs::start(Arc::clone(&shared), handle.clone(), Reader::open(data)?, stopped.clone());
    threads.push(jobs.map_err(ServeError::Runtime)?);
    if let Some(thread) = provider_thread {
        threads.push(thread.start(stopped.clone()).map_err(ServeError::Runtime)?);
    }
    if let Some(certificate_manager) = certificate_manager {
        threads.push(certificate_manager.start(stopped.clone()).map_err(ServeError::Runtime)?);
    }
    // Before readiness is reported, because a signal may follow at once.
    let mut signals = Signals::listen().map_err(ServeError::Runtime)?;
    // No worker accepts before all can, or the first would get all waiting connections.
    drop(starting);
    all_started.iter().for_each(drop);
    let _ = open.send(());
    ready(address);
    service::ready(&format!("Serving on {address}"));
    let fault = std::cell::Cell::new(None);
    signals.wait_while(async {
        let watching = async { tokio::join!(service::run_watchdog(&watchdog, &handle), alerts.run()) };
        tokio::select! {
            _ = watching => {}
            () = handle.died() => fault.set(Some("the writer")),
            () = ended.notified() => fault.set(Some("a worker")),
        }
    });
    // Before it is said: whoever reads that it stops gets no answer without `connection: close`.
    shared.draining.store(true, Ordering::SeqCst);
    service::stopping();
    tracing::info!("stopping");
    let _ = stop.send(true);
    signals.wait_for(move || {
        for thread in threads {
            // A panic was logged by the thread.
            let _ = thread.join();
        }
        // The writer commits its queue and checkpoints the WAL.
        drop(writer);
    })?;
    fault.get().map_or(Ok(()), |who| Err(ServeError::Ended(who)))
}

/// Held by a thread without which the server cannot go on: notifies when the thread ends.
struct EndGuard(Arc<Notify>);

impl Drop for EndGuard {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

/// The settings; by default as many connections as memory and open files allow.
fn bounds(config: &Config) -> Bounds {
    let files = rustix::process::getrlimit(rustix::process::Resource::Nofile).current.unwrap_or(u64::MAX);
    let most =
        |each: u64| (memory::limit() / each).min(files.saturating_sub(OTHER_FILES)).max(FEWEST_CONNECTIONS);
    let count = |most| usize::try_from(most).unwrap_or(usize::MAX);
    let in_all = match config.max_connections {
        0 => count(most(MEMORY_OF_CONNECTION)),
        most => most,
    };
    let http = count(most(MEMORY_OF_HTTP)).min(in_all);
    // On a small machine fewer than the default are all there are. 0 is no bound.
    let of_network = config.max_per_address.min((http / 4 * 3).max(1));
    Bounds { in_all, http, of_network }
}

/// What calls identity providers, if there are any in the settings.
fn providers(config: &Config) -> Option<(oidc::Handle, oidc::Runner)> {
    let policy = Policy { name_servers: config.name_servers.clone(), allowed: config.outgoing_allow.clone() };
    (!config.oidc.is_empty()).then(|| oidc::channel(config.oidc.clone(), policy))
}

/// The key that signs pushes; it is generated at the first start, before the writer starts.
fn vapid_key(data: &DataDir) -> Result<Arc<VapidKey>, ServeError> {
    let failed = |why: String| OpenError::Unwritable(data.path().to_owned(), io::Error::other(why));
    let stored =
        Reader::open(data)?.secret("vapid").map_err(|error| OpenError::Database(data.database(), error))?;
    let bytes = match stored {
        Some(bytes) => bytes,
        None => {
            let value = VapidKey::generate().to_bytes();
            let (_writer, handle) = Writer::start(data, 1, Box::new(NoWorkers))?;
            handle
                .write_blocking(KeepSecret { name: "vapid", value })
                .map_err(|error| failed(format!("{error:?}")))?
        }
    };
    VapidKey::from_bytes(&bytes).map(Arc::new).map_err(|_| failed("its VAPID key is invalid".into()).into())
}

/// Disables transparent huge pages, which took 10 of 17 MB of an idle server because each thread's heap fills several, and
/// raises the limit of open files to the hard limit.
pub fn adapt_process() {
    if let Err(error) = rustix::thread::disable_transparent_huge_pages(true) {
        tracing::debug!(%error, "cannot disable huge pages");
    }
    let mut files = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    files.current = files.maximum;
    if let Err(error) = rustix::process::setrlimit(rustix::process::Resource::Nofile, files) {
        tracing::debug!(%error, "cannot raise the limit of open files");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// B23.
    #[test]
    fn end_of_a_thread_is_noticed_when_it_panics() {
        let ended = Arc::new(Notify::new());
        let guard = EndGuard(Arc::clone(&ended));
        let thread = std::thread::spawn(move || {
            let _guard = guard;
            panic!("a fault");
        });
        assert!(thread.join().is_err());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(ended.notified());
    }
}
