//! How fast a backup works, so that it does not hold the server up.

use std::{
    io,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use super::BackupError;

/// Work between two rests.
const SLICE: u64 = 1 << 20;

/// A rest is as long as the work before it, up to this: who posts meanwhile gets half of the disk and a core at least.
const MAX_PAUSE: Duration = Duration::from_millis(50);

/// The niceness of a thread that makes a backup: others come first.
const NICENESS: i32 = 19;

/// What it takes to be a background: rests between slices of work, ends when told to, and says how far it is.
pub struct Pace<'a> {
    stop: &'a AtomicBool,
    report: Box<dyn FnMut(u64, u64) + 'a>,
    pub(super) report_waiting: Option<Box<dyn FnMut() + 'a>>,
    done: u64,
    total: u64,
    since: u64,
    slice_began: Instant,
    /// No rests: others pay more for waiting.
    pub(super) is_unthrottled: bool,
}

impl<'a> Pace<'a> {
    /// `tell` hears how many bytes are done, of how many as far as is known.
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

    /// Waits for another backup of the same data to end, and says so first.
    pub fn patient(self, report: impl FnMut() + 'a) -> Self {
        Self { report_waiting: Some(Box::new(report)), ..self }
    }

    /// Puts the calling thread behind all others. There is no way back for who is not root, so it should end with the work.
    /// Not while the log is held: on a busy machine that would be for long.
    pub(super) fn lower_priority() {
        if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
            tracing::debug!(%error, "the priority stays as it is");
        }
    }

    pub(super) fn expect(&mut self, bytes: u64) {
        self.total = self.done + bytes;
    }

    /// So much more is done.
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

    /// As an error of reading or writing, for where only such a one can be returned.
    pub(crate) fn worked_io(&mut self, bytes: u64) -> io::Result<()> {
        self.worked(bytes).map_err(io::Error::other)
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}
