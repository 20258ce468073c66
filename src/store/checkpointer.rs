//! Moves the write-ahead log into the database off the writer's path, and keeps the log short.
//!
//! A long log is slow to read by: SQLite finds a page in it by a hash table for each 4,096 frames, in which the pages that
//! every commit writes anew stand hundreds of times, one behind the other. A passive checkpoint never catches up with a
//! busy writer, so the log would never start over. So the bulk is moved here, while the writer goes on, and then the
//! writer moves the little that came meanwhile and starts the log over, between two batches.

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

const INTERVAL: Duration = Duration::from_secs(2);

/// After so many quiet intervals the log is cut off, so that it does not keep the size of the busiest hour.
const QUIET_BEFORE_TRUNCATE: u32 = 15;

/// Frames in the log from which on it is moved. A frame is a page of 4 KiB.
const LONG_LOG: u32 = 2_000;

/// Frames from which on the writer moves them itself: the checkpointer cannot keep up.
const MAX_LOG: u32 = 16_384;

/// How long writers wait for readers of the old log, so that it can start over.
const RESTART_WITHIN: Duration = Duration::from_millis(5);

/// How long it leaves the log alone once it has waited in vain: a backup reads for as long as it copies the database, and
/// each commit would wait for it anew. The log grows meanwhile, by what is written while the copy is made.
const RETRY_DELAY: Duration = Duration::from_secs(2);

/// The checkpointer's thread; it stops when the value is dropped.
#[derive(Debug)]
pub(super) struct Checkpointer {
    notify: Option<SyncSender<()>>,
    log: Arc<Log>,
    thread: Option<JoinHandle<()>>,
    /// A reader did not let go: until then the log is left alone.
    retry_at: Cell<Option<Instant>>,
}

/// What writer and checkpointer know of the log.
#[derive(Debug, Default)]
struct Log {
    frames: AtomicU32,
    /// The bulk is moved: the rest is the writer's.
    moved: AtomicBool,
}

impl Checkpointer {
    /// Starts the thread, and counts what `writer` commits.
    pub(super) fn start(data: &DataDir, writer: &mut Connection) -> Result<Self, OpenError> {
        let db = data.writable()?;
        // A checkpoint that cuts the log off holds the writer's lock while it waits for readers: for a backup, up to the
        // whole of a timeout.
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

    /// The writer is between two batches.
    pub(super) fn after_commit(&self, writer: &Connection) {
        let frames = self.log.frames.load(Ordering::Relaxed);
        if frames < LONG_LOG || self.retry_at.get().is_some_and(|end| Instant::now() < end) {
            return;
        }
        if self.log.moved.swap(false, Ordering::Acquire) || frames >= MAX_LOG {
            // Readers that begin once all is moved do not look at the log, those from before are soon done. If one is
            // not, the log goes on and a later round tries again.
            let outcome = writer.busy_timeout(RESTART_WITHIN);
            let is_held_up = checkpoint(writer, "restart");
            self.retry_at.set(is_held_up.then(|| Instant::now() + RETRY_DELAY));
            if let Err(error) = outcome.and_then(|()| writer.busy_timeout(super::schema::BUSY_TIMEOUT)) {
                tracing::warn!(%error, "a timeout could not be set");
            }
            self.log.frames.store(0, Ordering::Relaxed);
        } else if let Some(notify) = &self.notify {
            // Full when it has been notified already.
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

/// Whether somebody held it up. Readers may do so to a passive one as well, without a word; the next round goes on where
/// it stopped.
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
