//! Moves the write-ahead log into the database off the writer's path.

use std::{
    sync::mpsc::{RecvTimeoutError, Sender, channel},
    thread::JoinHandle,
    time::Duration,
};

use rusqlite::Connection;

use super::schema::{DataDir, OpenError};

const INTERVAL: Duration = Duration::from_secs(2);

/// After so many quiet intervals the log is cut off, so that it does not keep the size of the busiest hour.
const QUIET_BEFORE_TRUNCATE: u32 = 15;

/// The checkpointer's thread; it stops when the value is dropped.
#[derive(Debug)]
pub struct Checkpointer {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpointer {
    pub fn start(data: &DataDir) -> Result<Self, OpenError> {
        let db = data.writable()?;
        let (stop, stopped) = channel();
        let thread = std::thread::Builder::new()
            .name("checkpointer".into())
            .spawn(move || {
                let mut seen = 0_i64;
                let mut quiet = QUIET_BEFORE_TRUNCATE;
                while stopped.recv_timeout(INTERVAL) == Err(RecvTimeoutError::Timeout) {
                    // Changes whenever another connection has committed.
                    let version = db.query_row("PRAGMA data_version", (), |row| row.get(0)).unwrap_or(seen);
                    if version != seen {
                        seen = version;
                        quiet = 0;
                        checkpoint(&db, "passive");
                    } else if quiet < QUIET_BEFORE_TRUNCATE {
                        quiet += 1;
                        if quiet == QUIET_BEFORE_TRUNCATE {
                            checkpoint(&db, "truncate");
                        }
                    }
                }
                checkpoint(&db, "truncate");
            })
            .map_err(|error| OpenError::Unwritable(data.path().to_owned(), error))?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn checkpoint(db: &Connection, mode: &str) {
    // Readers may hold a passive one up; the next round goes on where it stopped.
    let outcome = db.query_row(&format!("PRAGMA wal_checkpoint({mode})"), (), |row| row.get::<_, i64>(1));
    match outcome {
        Ok(pages) => tracing::debug!(mode, pages, "checkpoint"),
        Err(error) => tracing::debug!(mode, %error, "checkpoint"),
    }
}
