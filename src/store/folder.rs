//! Where uploaded files lie: `files/ab/abcdef…` in the data directory, each under a random name.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use super::Reader;
use crate::types::random_token;

/// The folder of uploaded files. A file is written under `incoming/`, synced, then moved to its place: what lies in
/// a place is whole.
#[derive(Clone, Debug)]
pub struct Folder {
    root: PathBuf,
}

/// A file on its way in. Gone again with the value, unless it is is_stored.
#[derive(Debug)]
pub struct Incoming {
    pub file: File,
    path: PathBuf,
    key: String,
    is_stored: bool,
}

impl Folder {
    /// Makes the folder if need be, and clears away what a crash left half-written.
    pub fn open(data: &Path) -> io::Result<Self> {
        let root = data.join("files");
        let incoming = root.join("incoming");
        fs::create_dir_all(&incoming)?;
        for entry in fs::read_dir(&incoming)? {
            fs::remove_file(entry?.path())?;
        }
        Ok(Self { root })
    }

    /// The folder of a data directory that is only looked at.
    pub fn of(data: &Path) -> Self {
        Self { root: data.join("files") }
    }

    pub fn begin(&self) -> io::Result<Incoming> {
        let key = random_token();
        let path = self.root.join("incoming").join(&key);
        let file = File::options().read(true).write(true).create_new(true).open(&path)?;
        Ok(Incoming { file, path, key, is_stored: false })
    }

    /// Syncs a file, moves it to its place, and answers the key that it is found by. Nothing is left of it if that fails.
    pub fn keep(&self, mut incoming: Incoming) -> io::Result<String> {
        incoming.file.sync_all()?;
        let place = self.place(&incoming.key);
        let parent = place.parent().unwrap_or(&self.root);
        fs::create_dir_all(parent)?;
        fs::rename(&incoming.path, &place)?;
        incoming.is_stored = true;
        // The name has to last as well, and the folder's, if it is new.
        File::open(parent)?.sync_all()?;
        File::open(&self.root)?.sync_all()?;
        Ok(incoming.key.clone())
    }

    pub fn file(&self, key: &str) -> io::Result<File> {
        File::open(self.place(key))
    }

    /// Takes a file away; one that is gone already is no error.
    pub fn remove(&self, key: &str) -> io::Result<()> {
        match fs::remove_file(self.place(key)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Takes files away that no row knows: what was in its place when a crash came before the commit. Answers how many.
    pub fn remove_orphans(&self, reader: &Reader, before: SystemTime) -> io::Result<usize> {
        let mut removed = 0;
        // One that came since the start has its row in a moment.
        self.each(before, |key| {
            if !reader.knows_file(key).map_err(io::Error::other)? {
                self.remove(key)?;
                removed += 1;
            }
            Ok(())
        })?;
        Ok(removed)
    }

    /// Tells the name of each file that lies in a place and is older than `before`.
    pub fn each(&self, before: SystemTime, mut visit: impl FnMut(&str) -> io::Result<()>) -> io::Result<()> {
        for folder in fs::read_dir(&self.root)? {
            let folder = folder?;
            if folder.file_name() == "incoming" || !folder.file_type()?.is_dir() {
                continue;
            }
            for file in fs::read_dir(folder.path())? {
                let file = file?;
                // One that was deleted meanwhile is none.
                if file.metadata().and_then(|it| it.modified()).is_ok_and(|at| at < before) {
                    visit(&file.file_name().to_string_lossy())?;
                }
            }
        }
        Ok(())
    }

    /// The place of a file.
    pub fn place(&self, key: &str) -> PathBuf {
        // Keys are our own: letters, digits, `-` and `_`.
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
