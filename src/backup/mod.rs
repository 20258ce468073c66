//! Backups: one archive with the database, the files and the certificates, and a manifest of it all.
//!
//! A backup is a `.tar.zst` that other tools open too: `campfire.db`, `files/…`, `certificates/…`, and last
//! `manifest.json`, which names every other entry in its order with its size and SHA-256.

mod archive;
mod keep;
mod make;
mod manifest;
mod restore;

use std::{
    fmt, io,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

pub use keep::{Schedule, newest, prune, scheduled_name};
pub use make::{Aside, Made, Target, copy_aside, make};
pub use restore::{Restored, restore, verify};

use crate::{
    config::Config,
    store::{self, OpenError},
};

/// What the name of a backup ends with.
pub const ENDING: &str = ".tar.zst";

/// Where a backup puts things aside, within the data directory: the copy of the database, and second names of the files.
const ASIDE: &str = ".backup";

/// Work between two rests.
const SLICE: u64 = 1 << 20;

/// A rest is as long as the work before it, up to this: who posts meanwhile gets half of the disk and a core at least.
const LONGEST_REST: Duration = Duration::from_millis(50);

/// The niceness of a thread that makes a backup: others come first.
const NICENESS: i32 = 19;

/// What is left free of a disk, whatever is asked of it.
const LEFT_FREE: u64 = 16 << 20;

/// Why a backup was not made, or not restored. Displays as one sentence that says what to do.
#[derive(Debug)]
pub enum BackupError {
    Open(OpenError),
    Database(rusqlite::Error),
    Read(PathBuf, io::Error),
    Write(PathBuf, io::Error),
    NoRoom {
        at: PathBuf,
        needed: u64,
        free: u64,
    },
    /// Another backup is being made of the same data.
    UnderWay(PathBuf),
    Exists(PathBuf),
    Ending(PathBuf),
    NotEmpty(PathBuf),
    /// The archive is not what was once written, or is no backup.
    Broken(String),
    Newer {
        found: i64,
        known: i64,
    },
    /// It was told to stop.
    Stopped,
}

impl fmt::Display for BackupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open(error) => error.fmt(f),
            Self::Database(error) => write!(
                f,
                "the database could not be copied ({error}); `campfire check` tells what is wrong with it"
            ),
            Self::Read(path, error) => write!(f, "cannot read {} ({error})", path.display()),
            Self::Write(path, error) if is_full(error) => {
                write!(
                    f,
                    "the disk is full: {} could not be written; make room, or choose another place",
                    path.display()
                )
            }
            Self::Write(path, error) => {
                write!(
                    f,
                    "cannot write {} ({error}); choose another place or give this user access to it",
                    path.display()
                )
            }
            Self::NoRoom { at, needed, free } => write!(
                f,
                "{} has {} MB free and {} MB are needed; make room, or choose another place",
                at.display(),
                free >> 20,
                needed.div_ceil(1 << 20)
            ),
            Self::UnderWay(path) => {
                write!(f, "another backup of {} is being made; wait for it to end", path.display())
            }
            Self::Exists(path) => {
                write!(
                    f,
                    "{} exists already; choose another name, or replace it with --force",
                    path.display()
                )
            }
            Self::Ending(path) => write!(
                f,
                "{} has to end with {ENDING}, which is what a backup is; or give - for standard input or output",
                path.display()
            ),
            Self::NotEmpty(path) => write!(
                f,
                "{} is not empty; a backup is restored into an empty or a new directory, so choose one with --data",
                path.display()
            ),
            Self::Broken(why) => {
                write!(
                    f,
                    "this is no backup that can be restored: {why}; nothing was changed, try another backup"
                )
            }
            Self::Newer { found, known } => write!(
                f,
                "the backup was made by a newer campfire (its version is {found}, this binary knows {known}); install that version or a later one"
            ),
            Self::Stopped => f.write_str("stopped before the end; nothing is left of it"),
        }
    }
}

impl std::error::Error for BackupError {}

impl From<OpenError> for BackupError {
    fn from(error: OpenError) -> Self {
        Self::Open(error)
    }
}

impl From<rusqlite::Error> for BackupError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error)
    }
}

/// Backups may lie within the data directory, where they are not backed up themselves; but not among what is.
pub fn check_directory(config: &Config) -> Result<(), String> {
    let Some(directory) = &config.backup_dir else { return Ok(()) };
    let whole = |path: &Path| path.canonicalize().or_else(|_| std::path::absolute(path));
    let (Ok(directory), Ok(data)) = (whole(directory), whole(&config.data)) else { return Ok(()) };
    let own = ["files", store::CERTIFICATES, ASIDE].map(|name| data.join(name));
    if directory == data || own.iter().any(|own| directory.starts_with(own)) {
        return Err(format!(
            "--backup-dir is {}, where the data itself lies; choose another directory, best on another disk",
            directory.display()
        ));
    }
    Ok(())
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// What it takes to be a background: rests between slices of work, ends when told to, and says how far it is.
pub struct Pace<'a> {
    stop: &'a AtomicBool,
    tell: Box<dyn FnMut(u64, u64) + 'a>,
    tell_waiting: Option<Box<dyn FnMut() + 'a>>,
    done: u64,
    total: u64,
    since: u64,
    slice_began: Instant,
    /// No rests: others pay more for waiting.
    in_haste: bool,
}

impl<'a> Pace<'a> {
    /// `tell` hears how many bytes are done, of how many as far as is known.
    pub fn new(stop: &'a AtomicBool, tell: impl FnMut(u64, u64) + 'a) -> Self {
        Self {
            stop,
            tell: Box::new(tell),
            tell_waiting: None,
            done: 0,
            total: 0,
            since: 0,
            slice_began: Instant::now(),
            in_haste: false,
        }
    }

    /// Waits for another backup of the same data to end, and says so first.
    pub fn patient(self, tell: impl FnMut() + 'a) -> Self {
        Self { tell_waiting: Some(Box::new(tell)), ..self }
    }

    /// Puts the calling thread behind all others. There is no way back for who is not root, so it should end with the work.
    /// Not while the log is held: on a busy machine that would be for long.
    fn give_way() {
        if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
            tracing::debug!(%error, "the priority stays as it is");
        }
    }

    fn expect(&mut self, bytes: u64) {
        self.total = self.done + bytes;
    }

    /// So much more is done.
    fn worked(&mut self, bytes: u64) -> Result<(), BackupError> {
        self.done += bytes;
        self.since += bytes;
        if self.since >= SLICE {
            self.since = 0;
            (self.tell)(self.done, self.total);
            if self.stop.load(Ordering::Relaxed) {
                return Err(BackupError::Stopped);
            }
            if !self.in_haste {
                std::thread::sleep(self.slice_began.elapsed().min(LONGEST_REST));
            }
            self.slice_began = Instant::now();
        }
        Ok(())
    }

    /// As an error of reading or writing, for where only such a one can be returned.
    pub(crate) fn worked_io(&mut self, bytes: u64) -> io::Result<()> {
        self.worked(bytes).map_err(io::Error::other)
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// Fails unless so many bytes can be written at a path that exists.
fn require_room(at: &Path, needed: u64) -> Result<(), BackupError> {
    let disk = rustix::fs::statvfs(at).map_err(|error| BackupError::Read(at.to_owned(), error.into()))?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize).saturating_sub(LEFT_FREE);
    if needed > free {
        return Err(BackupError::NoRoom { at: at.to_owned(), needed, free });
    }
    Ok(())
}

/// Makes what a directory says last.
fn sync_directory(path: &Path) -> Result<(), BackupError> {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    std::fs::File::open(path)
        .and_then(|directory| directory.sync_all())
        .map_err(|error| BackupError::Write(path.to_owned(), error))
}
