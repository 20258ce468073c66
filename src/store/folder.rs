//! The folder of uploaded files: `files/ab/abcdef…` in the data directory, each under a random name, its key.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use super::Reader;
use crate::types::random_token;

/// The folder of uploaded files. A file is written below `incoming/`, synced, then renamed to its place, so every file in
/// its place is complete.
#[derive(Clone, Debug)]
pub struct Folder {
    root: PathBuf,
}

/// A file that is being received. Dropping it removes the file, unless it was stored.
#[derive(Debug)]
pub struct Incoming {
    pub file: File,
    path: PathBuf,
    key: String,
    is_stored: bool,
}

impl Folder {
    /// Makes the folder if it does not exist, and removes partial files that a crash left.
    pub fn open(data: &Path) -> io::Result<Self> {
        let root = data.join("files");
        let incoming = root.join("incoming");
        fs::create_dir_all(&incoming)?;
        for entry in fs::read_dir(&incoming)? {
            fs::remove_file(entry?.path())?;
        }
        Ok(Self { root })
    }

    /// The folder of a data directory, for reading: nothing is made or removed.
    pub fn of(data: &Path) -> Self {
        Self { root: data.join("files") }
    }

    /// Begins a file, open for reading and writing.
    pub fn begin(&self) -> io::Result<Incoming> {
        let key = random_token();
        let path = self.root.join("incoming").join(&key);
        let file = File::options().read(true).write(true).create_new(true).open(&path)?;
        Ok(Incoming { file, path, key, is_stored: false })
    }

    /// Syncs a file, moves it to its place, and returns its key. After an error the file is removed, or at the latest by
    /// [`Self::remove_orphans`].
    pub fn keep(&self, mut incoming: Incoming) -> io::Result<String> {
        incoming.file.sync_all()?;
        let place = self.place(&incoming.key);
        let parent = place.parent().unwrap_or(&self.root);
        fs::create_dir_all(parent)?;
        fs::rename(&incoming.path, &place)?;
        incoming.is_stored = true;
        // The directory entries have to be durable too: the file's, and its directory's, which may be new.
        File::open(parent)?.sync_all()?;
        File::open(&self.root)?.sync_all()?;
        Ok(incoming.key.clone())
    }

    /// Opens a stored file for reading.
    pub fn file(&self, key: &str) -> io::Result<File> {
        File::open(self.place(key))
    }

    /// Removes a file. A file that does not exist is no error.
    pub fn remove(&self, key: &str) -> io::Result<()> {
        match fs::remove_file(self.place(key)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Removes files without a row, which are left if a crash comes between storing a file and its commit. Files from
    /// `before` on stay: their rows may not be committed yet. Returns how many were removed.
    pub fn remove_orphans(&self, reader: &Reader, before: SystemTime) -> io::Result<usize> {
        let mut removed = 0;
        self.each(before, |key| {
            if !reader.knows_file(key).map_err(io::Error::other)? {
                self.remove(key)?;
                removed += 1;
            }
            Ok(())
        })?;
        Ok(removed)
    }

    /// Calls `visit` with the key of each stored file that is older than `before`.
    pub fn each(&self, before: SystemTime, mut visit: impl FnMut(&str) -> io::Result<()>) -> io::Result<()> {
        for folder in fs::read_dir(&self.root)? {
            let folder = folder?;
            if folder.file_name() == "incoming" || !folder.file_type()?.is_dir() {
                continue;
            }
            for file in fs::read_dir(folder.path())? {
                let file = file?;
                // A file that was deleted meanwhile has no metadata.
                if file.metadata().and_then(|it| it.modified()).is_ok_and(|at| at < before) {
                    visit(&file.file_name().to_string_lossy())?;
                }
            }
        }
        Ok(())
    }

    /// The path of a stored file.
    pub fn place(&self, key: &str) -> PathBuf {
        // Keys are random tokens: letters, digits, `-` and `_`.
        self.root.join(key.get(..2).unwrap_or(key)).join(key)
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        if !self.is_stored {
            let _ = fs::remove_file(&self.path);
        }
    }
}
