//! One worker thread: its reader, its copy of the state, its hub of sockets, its caches. None of it is behind a lock,
//! and no borrow of it is held across an `.await`. What all workers share is [`Shared`].

pub mod bots;
pub mod cache;
pub mod departures;
pub mod inbox;
pub mod limits;
mod replay;
pub mod second_steps;

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    fmt::Write,
    rc::Rc,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use tokio::sync::oneshot;

pub(crate) use self::inbox::survive_each;
use self::{
    cache::{BodyCache, CachedBody, Key},
    departures::Departures,
    inbox::{Inbox, Message},
    limits::Limits,
    second_steps::SecondSteps,
};
use crate::{
    admission::Admission,
    config::Config,
    hub::{Hub, SocketId},
    memory::Budget,
    metrics::{BackupMetrics, WorkerMetrics},
    outbound::{oidc, push::VapidKey},
    store::{Folder, Posted, Reader, Reserve, State, WriteError, WriterHandle},
    text::Analyzer,
    types::{
        IdMap, MessageId, RoomId, Seq, UserId,
        event::{Change, EphemeralEvent, Event},
    },
};

/// Request ids made in one allocation.
const IDS_AT_ONCE: usize = 64;

/// Events of another process that every socket gets; for more there is a `resync`.
const MAX_GENERAL: usize = 100;

/// How long the result of the read behind `/health` is reused.
const HEALTH_AGE: Duration = Duration::from_secs(1);

/// What all workers of a process share. Locks in it are held for nanoseconds.
pub struct Shared {
    pub config: Config,
    pub limits: Limits,
    /// Bounds the open connections.
    pub admission: Arc<Admission>,
    /// Bounds the bytes of requests whose bodies are still arriving.
    pub bodies: Arc<Budget>,
    /// Bounds the bytes of large responses, and of chunks of files, that wait for their clients.
    pub responses: Arc<Budget>,
    pub inboxes: Vec<Inbox>,
    pub metrics: Vec<Arc<WorkerMetrics>>,
    pub started: Instant,
    /// When the process started, in milliseconds since the Unix epoch; part of the request ids.
    pub boot: u64,
    /// Set while the server stops.
    pub draining: AtomicBool,
    /// Bounds how many passwords are hashed at once: each takes a core for tens of milliseconds.
    pub hashing: Arc<tokio::sync::Semaphore>,
    pub hashing_waiting: AtomicUsize,
    pub folder: Folder,
    /// Room on the disk for deletions.
    pub reserve: Reserve,
    /// Bounds decoding of pictures to one at a time: it takes a core and up to 256 MB.
    pub imaging: tokio::sync::Semaphore,
    /// The icons of the app that were made of the logo: its version and a PNG each, in an order of `http::icons`.
    pub icons: Mutex<[Option<(i64, bytes::Bytes)>; 4]>,
    /// Notified when jobs are queued.
    pub jobs: tokio::sync::Notify,
    /// Notified when the retention time of messages changes.
    pub retention_changed: tokio::sync::Notify,
    /// Tasks for the first worker: see [`Self::send_task`].
    pub tasks: Mutex<Vec<Task>>,
    pub backups: BackupMetrics,
    /// Made at the first start and never changed, since subscriptions are bound to it (RFC 8292, section 4).
    pub vapid: Arc<VapidKey>,
    /// A hash of each user's last search, which is not stored again when repeated.
    pub last_searches: Mutex<IdMap<UserId, u64>>,
    /// `Strict-Transport-Security`, for responses over TLS.
    pub hsts: Option<hyper::header::HeaderValue>,
    /// A session token that the first visitor from loopback gets. Only `campfire demo` sets it.
    pub demo_token: Mutex<Option<String>>,
    /// Calls identity providers; None without any in the settings.
    pub providers: Option<oidc::Handle>,
    /// Who is away at one of them.
    pub departures: Departures,
    /// Who is asked for a code.
    pub second_steps: SecondSteps,
}

/// A function that another thread runs on a worker.
pub type Task = Box<dyn FnOnce(&Rc<Worker>) + Send>;

impl Shared {
    /// Runs a task on the first worker.
    pub fn send_task(&self, task: Task) {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).push(task);
        self.inboxes[0].notify();
    }

    /// Records a user's search as the last one; true if it differs from the one before.
    pub fn is_new_search(&self, user: UserId, query: &str) -> bool {
        use std::hash::{DefaultHasher, Hasher};
        let mut hasher = DefaultHasher::new();
        hasher.write(query.as_bytes());
        let hash = hasher.finish();
        self.lock_searches().insert(user, hash) != Some(hash)
    }

    pub fn forget_last_search(&self, user: UserId) {
        self.lock_searches().remove(&user);
    }

    fn lock_searches(&self) -> std::sync::MutexGuard<'_, IdMap<UserId, u64>> {
        self.last_searches.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }
}

/// A post on a socket, and the writer's answer to come.
pub(crate) struct PendingPost {
    pub(crate) socket: SocketId,
    pub(crate) client_message_id: Option<String>,
    pub(crate) answer: oneshot::Receiver<Result<Posted, WriteError>>,
}

/// The posts on this worker's sockets, in their order.
#[derive(Default)]
pub(crate) struct Posts {
    pub(crate) waiting: VecDeque<PendingPost>,
    /// A task passes on the answers.
    pub(crate) are_answered: bool,
}

pub struct Worker {
    pub id: usize,
    pub shared: Arc<Shared>,
    pub writer: WriterHandle,
    pub reader: Reader,
    /// Makes tokens of searches, in the languages of the index.
    pub analyzer: Analyzer,
    pub state: RefCell<State>,
    pub hub: RefCell<Hub>,
    pub bodies: RefCell<BodyCache>,
    pub(crate) posts: RefCell<Posts>,
    /// Read marks from sockets that wait to be written, of each user with a command under way.
    pub reads: RefCell<IdMap<UserId, Vec<(RoomId, MessageId)>>>,
    pub metrics: Arc<WorkerMetrics>,
    /// The buffer that sockets read into. A socket copies only an incomplete frame to a buffer of its own.
    pub scratch: RefCell<Box<[u8]>>,
    /// Notified when the hub has frames to write.
    pub flush: tokio::sync::Notify,
    taken: RefCell<Vec<Message>>,
    healthy_at: Cell<Option<Instant>>,
    requests: Cell<u64>,
    /// The ids of the next requests, concatenated.
    request_ids: RefCell<Bytes>,
    sampled_at: Cell<Option<Instant>>,
    /// The state could not be read again.
    is_stale: Cell<bool>,
}

impl Worker {
    pub fn new(
        id: usize,
        shared: Arc<Shared>,
        writer: WriterHandle,
        reader: Reader,
        state: State,
    ) -> Rc<Self> {
        let metrics = Arc::clone(&shared.metrics[id]);
        Rc::new(Self {
            id,
            writer,
            reader,
            analyzer: Analyzer::new(&shared.config.search_languages),
            state: RefCell::new(state),
            hub: RefCell::new(Hub::new(Arc::clone(&metrics))),
            bodies: RefCell::default(),
            posts: RefCell::default(),
            reads: RefCell::default(),
            metrics,
            scratch: RefCell::new(vec![0; 64 << 10].into_boxed_slice()),
            flush: tokio::sync::Notify::new(),
            taken: RefCell::default(),
            healthy_at: Cell::new(None),
            requests: Cell::new(0),
            request_ids: RefCell::default(),
            sampled_at: Cell::new(None),
            is_stale: Cell::new(false),
            shared,
        })
    }

    pub fn config(&self) -> &Config {
        &self.shared.config
    }

    /// Applies everything in the inbox. Called before each request, so that a client that has got an answer sees its
    /// effect on every worker.
    pub fn catch_up(&self) {
        let mut taken = self.taken.take();
        self.shared.inboxes[self.id].take(&mut taken);
        if !taken.is_empty() {
            self.hub.borrow_mut().turn += 1;
            let panics = survive_each(taken.drain(..), |message| match message {
                Message::Events(batch, _) => self.apply(&batch),
                Message::Completions(completions) => {
                    survive_each(completions, |completion| completion.complete());
                }
                Message::Ephemeral(event) => self.hub.borrow_mut().receive(event, &self.state.borrow()),
            });
            if panics > 0 {
                // The state and the hub may have half of a change: begin afresh, and let the clients reconnect.
                self.metrics.panics.add(panics);
                self.hub.borrow_mut().close_broken();
                self.reload(None);
            }
        }
        self.taken.replace(taken);
        self.send_ephemeral_events();
        self.flush_if_needed();
    }

    /// Reads the state again, and tells the sockets what has changed `until` then, or to ask for everything. It has to
    /// be called again if it fails: see [`Self::is_stale`].
    pub fn reload(&self, until: Option<Seq>) {
        let known = self.state.borrow().seq;
        let read = self.reader.state().and_then(|state| {
            let events = until.map(|until| self.reader.general(known, until, MAX_GENERAL));
            Ok((state, events.transpose()?.flatten()))
        });
        self.is_stale.set(read.is_err());
        match read {
            Ok((state, events)) => {
                let mut hub = self.hub.borrow_mut();
                hub.close_ended_sessions(&state);
                let events: Option<Vec<_>> =
                    events.map(|events| events.iter().map(|(seq, event)| event.json(*seq)).collect());
                hub.catch_up(events.as_deref(), until.unwrap_or(state.seq), &state);
                self.state.replace(state);
            }
            Err(error) => tracing::error!(%error, "could not read the state again"),
        }
    }

    /// Whether [`Self::reload`] failed.
    pub fn is_stale(&self) -> bool {
        self.is_stale.get()
    }

    /// Applies what is committed up to a position. The writer puts events into the inbox right after their commit, so there is
    /// next to nothing to wait for.
    pub fn catch_up_to(&self, seq: Seq, deadline: Instant) {
        while self.state.borrow().seq < seq && Instant::now() < deadline {
            std::thread::yield_now();
            self.catch_up();
        }
    }

    /// Runs the tasks that other threads have sent.
    pub fn run_tasks(self: &Rc<Self>) {
        if self.id == 0 {
            let tasks =
                std::mem::take(&mut *self.shared.tasks.lock().unwrap_or_else(PoisonError::into_inner));
            tasks.into_iter().for_each(|task| task(self));
        }
    }

    /// Wakes the task that writes frames, if there are any.
    pub fn flush_if_needed(&self) {
        if self.hub.borrow().has_frames() {
            self.flush.notify_one();
        }
    }

    fn apply(&self, batch: &[Event]) {
        for event in batch {
            if matches!(event.change, Change::Reloaded) {
                self.hub.borrow_mut().end_run(&self.state.borrow());
                self.reload(Some(event.seq));
                continue;
            }
            let (mut state, mut hub) = (self.state.borrow_mut(), self.hub.borrow_mut());
            if !event.change.is_of_message() {
                hub.end_run(&state);
            }
            if let Change::RoomDeleted { room, .. } = &event.change {
                // Delivered first, while the state still has the members.
                hub.deliver(event, &state);
                state.apply(event);
                self.bodies.borrow_mut().remove(&Key::Newest(*room));
            } else {
                state.apply(event);
                hub.deliver(event, &state);
            }
        }
        self.hub.borrow_mut().end_run(&self.state.borrow());
    }

    /// Broadcasts the events in the hub's outbox.
    fn send_ephemeral_events(&self) {
        let outbox = std::mem::take(&mut self.hub.borrow_mut().outbox);
        for event in outbox {
            self.broadcast(event);
        }
    }

    /// Sends an ephemeral event to all workers; this one handles it at once.
    pub fn broadcast(&self, event: EphemeralEvent) {
        for (id, inbox) in self.shared.inboxes.iter().enumerate() {
            if id != self.id {
                inbox.put(Message::Ephemeral(event));
                inbox.notify();
            }
        }
        self.hub.borrow_mut().receive(event, &self.state.borrow());
        self.flush_if_needed();
    }

    /// Whether the database has answered within the last second.
    pub fn is_healthy(&self) -> bool {
        let now = Instant::now();
        if self.healthy_at.get().is_some_and(|at| now.duration_since(at) < HEALTH_AGE) {
            return true;
        }
        let healthy = self.reader.ping().is_ok();
        if healthy {
            self.healthy_at.set(Some(now));
        }
        healthy
    }

    /// True for one request a second, which is traced.
    pub fn is_sampled(&self, now: Instant) -> bool {
        let due = self.sampled_at.get().is_none_or(|at| now.duration_since(at) >= Duration::from_secs(1));
        if due {
            self.sampled_at.set(Some(now));
        }
        due
    }

    /// Caches a response body.
    pub fn cache(&self, key: Key, body: CachedBody) {
        let mut bodies = self.bodies.borrow_mut();
        bodies.put(key, body);
        self.metrics.body_bytes.set(bodies.bytes() as u64);
    }

    /// A unique request id: the start of the process and the worker, then the worker's count, in hexadecimal.
    pub fn next_request_id(&self) -> Bytes {
        const LENGTH: usize = 33;
        let mut ids = self.request_ids.borrow_mut();
        if ids.is_empty() {
            let mut made = String::with_capacity(IDS_AT_ONCE * LENGTH);
            let start = self.shared.boot << 8 | self.id as u64 & 0xFF;
            let first = self.requests.get();
            self.requests.set(first + IDS_AT_ONCE as u64);
            for number in first..self.requests.get() {
                let _ = write!(made, "{start:016x}-{number:016x}");
            }
            *ids = made.into();
        }
        ids.split_to(LENGTH)
    }
}
