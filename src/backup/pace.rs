//! Limits how fast a backup works, so that the server stays responsive.

use std::{
    io,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use super::BackupError;

/// Bytes of work between two pauses.
const SLICE: u64 = 1 << 20;

/// A pause is as long as the work before it, up to this: the server gets at least half of the disk's and the core's time.
const MAX_PAUSE: Duration = Duration::from_millis(50);

/// The niceness of a thread that makes a backup.
const NICENESS: i32 = 19;

/// Paces work in the background: pauses between slices of it, stops on request, and reports progress.
pub struct Pace<'a> {
    stop: &'a AtomicBool,
    report: Box<dyn FnMut(u64, u64) + 'a>,
    pub(super) report_waiting: Option<Box<dyn FnMut() + 'a>>,
    done: u64,
    total: u64,
    since: u64,
    slice_began: Instant,
    /// Without pauses, while slow work would cost the server more.
    pub(super) is_unthrottled: bool,
}

impl<'a> Pace<'a> {
    /// `report` gets the bytes that are done, and the total as far as it is known.
    pub fn new(stop: &'a AtomicBool, report: impl FnMut(u64, u64) + 'a) -> Self {
        Self {
            stop,
            report: Box::new(report),
            report_waiting: None,
            done: 0,
            total: 0,
            since: 0,
            slice_began: Instant::now(),
            is_unthrottled: false,
        }
    }

    /// Waits for another backup of the same data to end, instead of failing. Calls `report` once if it has to wait.
    pub fn patient(self, report: impl FnMut() + 'a) -> Self {
        Self { report_waiting: Some(Box::new(report)), ..self }
    }

    /// Gives the calling thread the lowest priority. Only root can raise it again, so the thread should end with the work.
    /// Not to be called while a snapshot holds the write-ahead log, which would take too long on a busy machine.
    pub(super) fn lower_priority() {
        if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
            tracing::debug!(%error, "could not lower the priority");
        }
    }

    pub(super) fn expect(&mut self, bytes: u64) {
        self.total = self.done + bytes;
    }

    /// Counts bytes as done, and pauses after each slice. Fails with `Stopped` on request.
    pub(super) fn worked(&mut self, bytes: u64) -> Result<(), BackupError> {
        self.done += bytes;
        self.since += bytes;
        if self.since >= SLICE {
            self.since = 0;
            (self.report)(self.done, self.total);
            if self.stop.load(Ordering::Relaxed) {
                return Err(BackupError::Stopped);
            }
            if !self.is_unthrottled {
                std::thread::sleep(self.slice_began.elapsed().min(MAX_PAUSE));
            }
            self.slice_began = Instant::now();
        }
        Ok(())
    }

    /// The same with an `io::Error`, for readers and writers.
    pub(crate) fn worked_io(&mut self, bytes: u64) -> io::Result<()> {
        self.worked(bytes).map_err(io::Error::other)
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}
