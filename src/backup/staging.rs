//! The staging directory of a backup: a copy of the database, and hard links to the files.

use std::{
    fs::{self, File, TryLockError},
    io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{BackupError, Pace, STAGING, archive, make::open, manifest::DATABASE, require_room};
use crate::store::{DataDir, Snapshot};

/// Bytes after which the copy of the database is synced, so that no commit has to wait for many of them.
const SYNC_EVERY: u64 = 4 << 20;

/// Bytes of the write-ahead log from which on the copy is made without pauses: the log grows until it is complete.
const MAX_LOG: u64 = 64 << 20;

/// How often it is checked whether another backup has ended.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// The staging directory. There is one at a time, by a lock on the data directory itself (a lock file might belong to
/// another user). Dropping this removes it.
pub struct Staging {
    pub path: PathBuf,
    _lock: File,
}

impl Staging {
    pub(super) fn begin(data: &Path, pace: &mut Pace<'_>) -> Result<Self, BackupError> {
        let lock = open(data)?;
        let mut has_reported = false;
        loop {
            match (lock.try_lock(), &mut pace.report_waiting) {
                (Ok(()), _) => break,
                (Err(TryLockError::Error(error)), _) => {
                    return Err(BackupError::Read(data.to_owned(), error));
                }
                (Err(TryLockError::WouldBlock), None) => return Err(BackupError::UnderWay(data.to_owned())),
                (Err(TryLockError::WouldBlock), Some(report)) => {
                    if !std::mem::replace(&mut has_reported, true) {
                        report();
                    }
                }
            }
            if pace.is_stopped() {
                return Err(BackupError::Stopped);
            }
            std::thread::sleep(POLL_INTERVAL);
        }
        let path = data.join(STAGING);
        let make = || {
            match fs::remove_dir_all(&path) {
                // A backup that was killed has left it.
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            fs::DirBuilder::new().mode(0o700).create(&path)?;
            fs::create_dir(path.join("files"))
        };
        make().map_err(|error| BackupError::Write(path.clone(), error))?;
        Ok(Self { path, _lock: lock })
    }

    /// The path of the database's copy.
    pub fn database(&self) -> PathBuf {
        self.path.join(DATABASE)
    }

    pub(super) fn link(&self, key: &str) -> PathBuf {
        self.path.join("files").join(key)
    }

    /// Copies the database here. Returns its size in bytes.
    pub(super) fn copy(
        &self,
        snapshot: Snapshot,
        more_to_come: u64,
        pace: &mut Pace<'_>,
    ) -> Result<u64, BackupError> {
        let path = self.database();
        let size = u64::try_from(snapshot.reader().size()?).unwrap_or(0);
        pace.expect(2 * size + more_to_come);
        let page = size.checked_div(snapshot.reader().page_count()?).unwrap_or(0);
        let file = File::create(&path).map_err(|error| BackupError::Write(path.clone(), error))?;
        let log = self.path.with_file_name("campfire.db-wal");
        let (mut copied, mut synced) = (0, 0);
        let outcome = snapshot.copy_to(&path, |pages, _| {
            let bytes = pages * page;
            if bytes >= synced + SYNC_EVERY {
                synced = bytes;
                archive::sync_and_forget(&file).map_err(|error| BackupError::Write(path.clone(), error))?;
                pace.is_unthrottled = log.metadata().is_ok_and(|log| log.len() > MAX_LOG);
            }
            pace.worked(bytes - copied)?;
            copied = bytes;
            Ok(())
        });
        pace.is_unthrottled = false;
        Pace::lower_priority();
        match outcome {
            Err(BackupError::Database(error))
                if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull) =>
            {
                Err(BackupError::Write(path, io::ErrorKind::StorageFull.into()))
            }
            Err(error) => Err(error),
            Ok(()) => {
                archive::sync_and_forget(&file).map_err(|error| BackupError::Write(path.clone(), error))?;
                Ok(size)
            }
        }
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.path) {
            tracing::warn!(%error, path = %self.path.display(), "could not remove the staging directory of a backup");
        }
    }
}

/// Copies the database to the staging directory, to be checked there. Dropping the value removes the copy.
pub fn copy_aside(data: &DataDir, pace: &mut Pace<'_>) -> Result<Staging, BackupError> {
    let staging = Staging::begin(data.path(), pace)?;
    require_room(data.path(), room_needed(data)?)?;
    staging.copy(Snapshot::take(data)?, 0, pace)?;
    Ok(staging)
}

/// Bytes that a copy of the database takes. The database's file is not opened for it: closing it would release the locks
/// that SQLite has for this process.
pub(super) fn room_needed(data: &DataDir) -> Result<u64, BackupError> {
    let path = data.database();
    let size = |path: &Path| path.metadata().map(|it| it.len());
    let database = size(&path).map_err(|error| BackupError::Read(path.clone(), error))?;
    // The pages in the log may lengthen it.
    Ok(database + size(&path.with_extension("db-wal")).unwrap_or(0))
}
