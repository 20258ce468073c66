//! What one worker thread works with: its reader, its copy of the state, its sockets, its caches. Nothing of it is
//! behind a lock, and no borrow of it is held across an `.await`.

pub mod cache;
pub mod inbox;
pub mod limits;

use std::{
    cell::{Cell, RefCell},
    fmt::Write,
    rc::Rc,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;

use crate::{
    config::Config,
    hub::Hub,
    metrics::{BackupMetrics, WorkerMetrics},
    outbound::push::VapidKey,
    store::{Folder, Reader, State, WriterHandle},
    types::event::{Change, EphemeralEvent, Event},
    types::{IdMap, UserId},
    worker::cache::{BodyCache, CachedBody, Key},
    worker::inbox::{Inbox, Message},
    worker::limits::Limits,
};

/// Ids of requests that are made in one piece of memory.
const IDS_AT_ONCE: usize = 64;

/// How old the read behind `/health` may be.
const HEALTH_AGE: Duration = Duration::from_secs(1);

/// What all workers of a process share. Locks in it are held for nanoseconds.
pub struct Shared {
    pub config: Config,
    pub limits: Limits,
    pub inboxes: Vec<Inbox>,
    pub metrics: Vec<Arc<WorkerMetrics>>,
    pub started: Instant,
    /// Milliseconds of the Unix epoch at the start, for the ids of requests.
    pub boot: u64,
    /// Set once the server is going away.
    pub draining: AtomicBool,
    /// Hashing passwords takes a core for tens of milliseconds: so many at once.
    pub hashing: tokio::sync::Semaphore,
    pub hashing_waiting: AtomicUsize,
    pub folder: Folder,
    /// Decoding pictures takes a core and up to 256 MB: one at a time.
    pub imaging: tokio::sync::Semaphore,
    /// Rung when there is something to do in the background.
    pub jobs: tokio::sync::Notify,
    /// Rung when the account keeps messages for another time than before.
    pub retention_changed: tokio::sync::Notify,
    /// What the job runner has the first worker do.
    pub tasks: Mutex<Vec<Task>>,
    pub backups: BackupMetrics,
    /// Made at the first start, kept for ever: subscriptions are to it.
    pub vapid: Arc<VapidKey>,
    /// What everybody searched for last, as a hash: asked again, it need not be remembered again.
    pub last_searches: Mutex<IdMap<UserId, u64>>,
    /// `Strict-Transport-Security`, for answers over TLS.
    pub hsts: Option<hyper::header::HeaderValue>,
    /// With this the first visitor from loopback is signed in. Only `campfire demo` sets it.
    pub demo_token: Mutex<Option<String>>,
}

/// Something that another thread wants done with all that a worker knows.
pub type Task = Box<dyn FnOnce(&Rc<Worker>) + Send>;

impl Shared {
    /// Has the first worker do something.
    pub fn send_task(&self, task: Task) {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).push(task);
        self.inboxes[0].notify();
    }

    /// Whether this is another search than the person's last one. Takes it for the last one from now on.
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

pub struct Worker {
    pub id: usize,
    pub shared: Arc<Shared>,
    pub writer: WriterHandle,
    pub reader: Reader,
    pub state: RefCell<State>,
    pub hub: RefCell<Hub>,
    pub bodies: RefCell<BodyCache>,
    pub metrics: Arc<WorkerMetrics>,
    /// Where sockets read into; what is left of a message moves to a buffer of the socket's own.
    pub scratch: RefCell<Box<[u8]>>,
    /// Rung when the hub has frames to flush.
    pub flush: tokio::sync::Notify,
    taken: RefCell<Vec<Message>>,
    healthy_at: Cell<Option<Instant>>,
    requests: Cell<u64>,
    /// The ids of the next requests, one after the other.
    request_ids: RefCell<Bytes>,
    sampled_at: Cell<Option<Instant>>,
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
            state: RefCell::new(state),
            hub: RefCell::new(Hub::new(Arc::clone(&metrics))),
            bodies: RefCell::default(),
            metrics,
            scratch: RefCell::new(vec![0; 64 << 10].into_boxed_slice()),
            flush: tokio::sync::Notify::new(),
            taken: RefCell::default(),
            healthy_at: Cell::new(None),
            requests: Cell::new(0),
            request_ids: RefCell::default(),
            sampled_at: Cell::new(None),
            shared,
        })
    }

    pub fn config(&self) -> &Config {
        &self.shared.config
    }

    /// Takes in all that the writer and the other workers have sent. Done before each request, so that whoever
    /// has heard an answer sees what it told, whichever worker is asked next.
    pub fn catch_up(&self) {
        let mut taken = self.taken.take();
        self.shared.inboxes[self.id].take(&mut taken);
        for message in taken.drain(..) {
            match message {
                Message::Events(batch, _) => self.apply(&batch),
                Message::Completions(completions) => {
                    completions.into_iter().for_each(|answer| answer.complete())
                }
                Message::Ephemeral(event) => self.hub.borrow_mut().receive(event, &self.state.borrow()),
            }
        }
        self.taken.replace(taken);
        self.send_ephemeral_events();
        self.flush_if_needed();
    }

    /// Does what other threads want done here.
    pub fn run_tasks(self: &Rc<Self>) {
        if self.id == 0 {
            let tasks =
                std::mem::take(&mut *self.shared.tasks.lock().unwrap_or_else(PoisonError::into_inner));
            tasks.into_iter().for_each(|task| task(self));
        }
    }

    /// Has the flusher run if there are frames to flush.
    pub fn flush_if_needed(&self) {
        if self.hub.borrow().has_frames() {
            self.flush.notify_one();
        }
    }

    fn apply(&self, batch: &[Event]) {
        let mut state = self.state.borrow_mut();
        let mut hub = self.hub.borrow_mut();
        for event in batch {
            match &event.change {
                Change::Reloaded => match self.reader.state() {
                    Ok(read) => {
                        *state = read;
                        hub.close_ended_sessions(&state);
                    }
                    Err(error) => tracing::error!(%error, "could not read the state anew"),
                },
                // Its members are still needed to tell them.
                Change::RoomDeleted { room, .. } => {
                    hub.deliver(event, &state);
                    state.apply(event);
                    self.bodies.borrow_mut().remove(&Key::Newest(*room));
                }
                _ => {
                    state.apply(event);
                    hub.deliver(event, &state);
                }
            }
        }
        hub.end_of_batch(&state);
    }

    /// Passes on what the hub has to say to the others.
    pub fn send_ephemeral_events(&self) {
        let outbox = std::mem::take(&mut self.hub.borrow_mut().outbox);
        for event in outbox {
            self.broadcast(event);
        }
    }

    /// Tells every worker, this one at once.
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

    /// True for one request a second.
    pub fn is_sampled(&self, now: Instant) -> bool {
        let due = self.sampled_at.get().is_none_or(|at| now.duration_since(at) >= Duration::from_secs(1));
        if due {
            self.sampled_at.set(Some(now));
        }
        due
    }

    /// Caches a finished answer.
    pub fn cache(&self, key: Key, body: CachedBody) {
        let mut bodies = self.bodies.borrow_mut();
        bodies.put(key, body);
        self.metrics.body_bytes.set(bodies.bytes() as u64);
    }

    /// A request's id: when the process started and which worker, then the worker's count, so never twice the same.
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

    pub fn is_admin(&self, user: UserId) -> bool {
        self.state.borrow().users.get(&user).is_some_and(|user| user.is_admin())
    }
}
