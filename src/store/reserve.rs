//! A file of a few megabytes that is given up when the disk is full, so that something can be deleted: a deletion writes to
//! the log first, and frees its room later.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

/// The size of the file. A deletion writes 20 pages of 4 KiB to the log, which is used from its start again once a
/// checkpoint has moved them.
const SIZE: u64 = 8 << 20;

/// Free space from which on the file is made again, besides its own size.
const SPARE: u64 = 8 << 20;

const NAME: &str = "campfire.reserve";

/// The reserve of one data directory.
#[derive(Debug)]
pub struct Reserve {
    path: PathBuf,
    is_spent: AtomicBool,
}

impl Reserve {
    /// Makes the file, if there is room for it. An empty one was given up by an earlier run.
    pub fn open(data: &Path) -> Self {
        let path = data.join(NAME);
        let is_spent = path.metadata().is_ok_and(|file| file.len() == 0);
        let reserve = Self { path, is_spent: AtomicBool::new(is_spent) };
        reserve.restore();
        reserve
    }

    /// Whether it was given up: what is free is for deletions, and nothing is to be added.
    pub fn is_spent(&self) -> bool {
        self.is_spent.load(Ordering::Relaxed)
    }

    /// Gives the room back to the disk. True if there was any.
    pub fn release(&self) -> bool {
        let release = || -> io::Result<bool> {
            let file = OpenOptions::new().write(true).open(&self.path)?;
            let had_any = file.metadata()?.len() > 0;
            file.set_len(0)?;
            Ok(had_any)
        };
        let had_any = release().unwrap_or(false);
        if had_any {
            self.is_spent.store(true, Ordering::Relaxed);
            tracing::warn!(
                "the disk is full: its reserve is used for deletions, and nothing can be posted meanwhile"
            );
        }
        had_any
    }

    /// Makes the file if it is not there and there is room for it.
    pub fn restore(&self) {
        match self.make() {
            Ok(true) => self.is_spent.store(false, Ordering::Relaxed),
            Ok(false) => {}
            Err(error) => {
                // Then there is none, and a full disk is found out by the database alone.
                self.is_spent.store(false, Ordering::Relaxed);
                tracing::debug!(%error, "the reserve could not be made");
            }
        }
    }

    fn make(&self) -> io::Result<bool> {
        let mut file =
            OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&self.path)?;
        if file.metadata()?.len() >= SIZE {
            return Ok(true);
        }
        if !has_room(&file)? {
            return Ok(false);
        }
        use rustix::{fs::FallocateFlags, io::Errno};
        match rustix::fs::fallocate(&file, FallocateFlags::empty(), 0, SIZE) {
            Ok(()) => Ok(true),
            // Some file systems only know what is written.
            Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => {
                file.set_len(0)?;
                let zeros = vec![0; 64 << 10];
                (0..SIZE / zeros.len() as u64).try_for_each(|_| file.write_all(&zeros))?;
                Ok(true)
            }
            Err(error) => Err(error.into()),
        }
    }
}

fn has_room(file: &File) -> io::Result<bool> {
    let disk = rustix::fs::fstatvfs(file)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize) >= SIZE + SPARE)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    /// 41.
    #[test]
    fn reserve_takes_room_until_it_is_released_and_is_made_again() {
        let dir = tempfile::tempdir().unwrap();
        let reserve = Reserve::open(dir.path());
        let blocks = || std::fs::metadata(dir.path().join(NAME)).unwrap().blocks() * 512;
        assert!(!reserve.is_spent() && blocks() >= SIZE);
        assert!(reserve.release() && reserve.is_spent());
        assert_eq!(blocks(), 0);
        assert!(!reserve.release(), "it is given up once");
        reserve.restore();
        assert!(!reserve.is_spent() && blocks() >= SIZE);
        assert!(!Reserve::open(dir.path()).is_spent(), "the next start finds it");
    }
}
