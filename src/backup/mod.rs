//! Backups: one archive with the database, the files and the certificates, and a manifest of it all.
//!
//! A backup is a `.tar.zst` that other tools open too: `campfire.db`, `files/…`, `certificates/…`, and last
//! `manifest.json`, which names every other entry in its order with its size and SHA-256.

mod archive;
mod error;
mod make;
mod manifest;
mod pace;
mod place;
mod restore;
mod retain;
mod staging;

use std::path::Path;

pub use error::BackupError;
pub use make::{Made, Target, make};
pub use pace::Pace;
pub use place::{check_place, mark_place};
pub use restore::{Restored, restore, verify};
pub use retain::{Schedule, newest, prune, scheduled_name};
pub use staging::{Staging, copy_aside};

use crate::{config::Config, store};

/// The end of a backup's file name.
pub const ENDING: &str = ".tar.zst";

/// The name of the staging directory, within the data directory.
const STAGING: &str = ".backup";

/// Bytes that are always left free on a disk.
const LEFT_FREE: u64 = 16 << 20;

/// Fails if the backup directory is the data directory itself, or is within a part of it that is backed up.
pub fn check_directory(config: &Config) -> Result<(), String> {
    let Some(directory) = &config.backup_dir else { return Ok(()) };
    let whole = |path: &Path| path.canonicalize().or_else(|_| std::path::absolute(path));
    let (Ok(directory), Ok(data)) = (whole(directory), whole(&config.data)) else { return Ok(()) };
    let own = ["files", store::CERTIFICATES, STAGING].map(|name| data.join(name));
    if directory == data || own.iter().any(|own| directory.starts_with(own)) {
        return Err(format!(
            "--backup-dir is {}, which contains the data itself; choose another directory, best on another disk",
            directory.display()
        ));
    }
    Ok(())
}

/// Fails with `NoRoom` unless `needed` bytes can be written at a path that exists.
fn require_room(at: &Path, needed: u64) -> Result<(), BackupError> {
    let disk = rustix::fs::statvfs(at).map_err(|error| BackupError::Read(at.to_owned(), error.into()))?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize).saturating_sub(LEFT_FREE);
    if needed > free {
        return Err(BackupError::NoRoom { at: at.to_owned(), needed, free });
    }
    Ok(())
}

/// Makes the entries of a directory durable.
fn sync_directory(path: &Path) -> Result<(), BackupError> {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    std::fs::File::open(path)
        .and_then(|directory| directory.sync_all())
        .map_err(|error| BackupError::Write(path.to_owned(), error))
}
