//! Checkpoints the write-ahead log on a thread of its own, and bounds the log's length.
//!
//! Reads are slow with a long log: SQLite finds a page in it by one hash table for each 4,096 frames, and the pages that
//! every commit rewrites are in each table hundreds of times, in one chain. A passive checkpoint never catches up with a
//! busy writer, so the log would never restart. So this thread checkpoints most of the log while the writer goes on; then
//! the writer checkpoints the few frames that came meanwhile, between two batches, and restarts the log.

use std::{
    cell::Cell,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
        mpsc::{RecvTimeoutError, SyncSender, sync_channel},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use rusqlite::Connection;

use super::schema::{DataDir, OpenError};

/// How often the thread checks for commits without being notified.
const INTERVAL: Duration = Duration::from_secs(2);

/// Intervals without a commit after which the log's file is truncated, so that it does not stay at its greatest size.
const QUIET_BEFORE_TRUNCATE: u32 = 15;

/// Frames in the log from which on it is checkpointed. A frame is a page of 4 KiB.
const LONG_LOG: u32 = 2_000;

/// Frames from which on the writer checkpoints them all, since the thread cannot keep up.
const MAX_LOG: u32 = 16_384;

/// How long a checkpoint waits for readers of the log before it gives up.
const RESTART_WITHIN: Duration = Duration::from_millis(5);

/// How long no restart is tried after one that readers blocked: a backup reads for as long as it copies the database, and
/// each commit would wait for it anew. The log grows meanwhile.
const RETRY_DELAY: Duration = Duration::from_secs(2);

/// The checkpointer's thread; it stops when the value is dropped.
#[derive(Debug)]
pub(super) struct Checkpointer {
    notify: Option<SyncSender<()>>,
    log: Arc<Log>,
    thread: Option<JoinHandle<()>>,
    /// Set after readers blocked a restart: none is tried before this moment.
    retry_at: Cell<Option<Instant>>,
}

/// The log's state, shared by the writer and the thread.
#[derive(Debug, Default)]
struct Log {
    frames: AtomicU32,
    /// A passive checkpoint has run: the writer checkpoints what is left.
    moved: AtomicBool,
}

impl Checkpointer {
    /// Starts the thread, and counts the frames that `writer` commits.
    pub(super) fn start(data: &DataDir, writer: &mut Connection) -> Result<Self, OpenError> {
        let db = data.writable()?;
        // A truncating checkpoint holds the writer's lock while it waits for readers, and a backup reads for longer than
        // any timeout.
        db.busy_timeout(RESTART_WITHIN).map_err(|error| OpenError::Database(data.database(), error))?;
        let log = Arc::new(Log::default());
        let counted = Arc::clone(&log);
        writer
            .wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, frames: i32| {
                counted.frames.store(frames.unsigned_abs(), Ordering::Relaxed);
                Ok(())
            }))
            .map_err(|error| OpenError::Database(data.database(), error))?;
        let (notify, notified) = sync_channel(1);
        let shared = Arc::clone(&log);
        let thread = std::thread::Builder::new()
            .name("checkpointer".into())
            .spawn(move || {
                let mut seen = 0_i64;
                let mut quiet = QUIET_BEFORE_TRUNCATE;
                loop {
                    match notified.recv_timeout(INTERVAL) {
                        Ok(()) => {}
                        Err(RecvTimeoutError::Timeout) => {}
                        Err(RecvTimeoutError::Disconnected) => break,
                    }
                    // Changes whenever another connection has committed.
                    let version = db.query_row("PRAGMA data_version", (), |row| row.get(0)).unwrap_or(seen);
                    if version != seen {
                        seen = version;
                        quiet = 0;
                        checkpoint(&db, "passive");
                        shared.moved.store(true, Ordering::Release);
                    } else if quiet < QUIET_BEFORE_TRUNCATE {
                        quiet += 1;
                        if quiet == QUIET_BEFORE_TRUNCATE && checkpoint(&db, "truncate") {
                            quiet -= 1;
                        }
                    }
                }
                checkpoint(&db, "truncate");
            })
            .map_err(|error| OpenError::Unwritable(data.path().to_owned(), error))?;
        Ok(Self { notify: Some(notify), log, thread: Some(thread), retry_at: Cell::default() })
    }

    /// Called by the writer between two batches.
    pub(super) fn after_commit(&self, writer: &Connection) {
        let frames = self.log.frames.load(Ordering::Relaxed);
        if frames < LONG_LOG || self.retry_at.get().is_some_and(|end| Instant::now() < end) {
            return;
        }
        if self.log.moved.swap(false, Ordering::Acquire) || frames >= MAX_LOG {
            // Readers that begin after a complete checkpoint do not use the log, and earlier ones end soon. If one does
            // not, the log goes on and a later call tries again.
            let outcome = writer.busy_timeout(RESTART_WITHIN);
            let is_held_up = checkpoint(writer, "restart");
            self.retry_at.set(is_held_up.then(|| Instant::now() + RETRY_DELAY));
            if let Err(error) = outcome.and_then(|()| writer.busy_timeout(super::schema::BUSY_TIMEOUT)) {
                tracing::warn!(%error, "could not set the busy timeout");
            }
            self.log.frames.store(0, Ordering::Relaxed);
        } else if let Some(notify) = &self.notify {
            // Full if the thread has been notified already.
            let _ = notify.try_send(());
        }
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.notify = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Runs a checkpoint. True if readers or writers blocked it. A passive one that readers cut short does not report it, and
/// the next one goes on where it stopped.
fn checkpoint(db: &Connection, mode: &str) -> bool {
    let outcome = db.query_row(&format!("PRAGMA wal_checkpoint({mode})"), (), |row| {
        Ok((row.get::<_, i64>(0)? != 0, row.get::<_, i64>(1)?))
    });
    match outcome {
        Ok((is_held_up, pages)) => {
            tracing::debug!(mode, pages, is_held_up, "checkpoint");
            is_held_up
        }
        Err(error) => {
            tracing::debug!(mode, %error, "checkpoint");
            false
        }
    }
}
