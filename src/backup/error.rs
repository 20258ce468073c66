//! Why a backup was not made, or not restored.

use std::{fmt, io, path::PathBuf};

use super::ENDING;
use crate::store::OpenError;

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
    /// The backup directory does not exist.
    NoPlace(PathBuf),
    /// It has not the marker of earlier backups.
    OtherPlace {
        directory: PathBuf,
        marker: PathBuf,
    },
    /// Another backup is being made of the same data.
    UnderWay(PathBuf),
    Exists(PathBuf),
    Ending(PathBuf),
    NotEmpty(PathBuf),
    /// The archive is damaged, or is not a backup.
    Broken(String),
    Newer {
        found: i64,
        known: i64,
    },
    /// It was stopped on request.
    Stopped,
}

impl fmt::Display for BackupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open(error) => error.fmt(f),
            Self::Database(error) => write!(
                f,
                "the database could not be copied ({error}); `campfire check` reports what is wrong with it"
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
            Self::NoPlace(path) => write!(
                f,
                "there is no directory {0}; mount its disk, or make it: mkdir -p {0}",
                path.display()
            ),
            Self::OtherPlace { directory, marker } => write!(
                f,
                "{} is not the directory of the backups before; mount its disk, or if it is a new one: touch {}",
                directory.display(),
                marker.display()
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
                "{} has to end with {ENDING}; or give - for standard input or output",
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
            Self::Stopped => f.write_str("stopped before the end; what was written has been removed"),
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

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}
