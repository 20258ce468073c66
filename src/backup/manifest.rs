//! The manifest: by which version and when a backup was made, and its entries.

use std::{
    fs::File,
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::BackupError;

/// The version of the archive's layout that this binary writes, and the newest that it reads.
pub(super) const FORMAT: i64 = 1;

pub(super) const NAME: &str = "manifest.json";
pub(super) const DATABASE: &str = "campfire.db";
pub(super) const FILES: &str = "files/";
pub(super) const CERTIFICATES: &str = "certificates/";

/// Bytes of the longest manifest that is read: about two million files.
pub(super) const MAX_BYTES: u64 = 384 << 20;

/// Parts of a path below `certificates/`, and characters of each, at most.
const MAX_DEPTH: usize = 4;
const MAX_PART: usize = 80;

/// The first members of the manifest, on one line. The files follow, a line each.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Head {
    pub format: i64,
    /// The version of campfire that made it.
    pub version: String,
    pub schema: i64,
    /// When the snapshot was taken, by RFC 3339.
    pub made_at: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Manifest {
    #[serde(flatten)]
    pub head: Head,
    pub files: Vec<Entry>,
    /// Files that have a row and did not exist.
    pub missing: Vec<String>,
}

#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Entry {
    pub path: String,
    pub size: u64,
    /// In hexadecimal.
    pub sha256: String,
}

impl Entry {
    pub(super) fn new(path: &str, size: u64, sha256: &[u8; 32]) -> Self {
        Self { path: path.to_owned(), size, sha256: crate::types::hex(sha256) }
    }

    /// A hash of the entry, so that entries can be compared with the manifest without having all of them in memory.
    pub(super) fn digest(&self) -> [u8; 32] {
        Sha256::digest(format!("{} {} {}", self.sha256, self.size, self.path)).into()
    }
}

/// Writes a manifest to a file, entry by entry: there may be too many for memory.
pub(super) struct Listing {
    path: PathBuf,
    file: BufWriter<File>,
    is_first: bool,
}

impl Listing {
    pub(super) fn begin(path: &Path) -> Result<Self, BackupError> {
        let file = File::create(path).map_err(|error| BackupError::Write(path.to_owned(), error))?;
        Ok(Self { path: path.to_owned(), file: BufWriter::new(file), is_first: true })
    }

    fn write(&mut self, text: &str) -> Result<(), BackupError> {
        self.file.write_all(text.as_bytes()).map_err(|error| BackupError::Write(self.path.clone(), error))
    }

    pub(super) fn head(&mut self, head: &Head) -> Result<(), BackupError> {
        let json = json(head)?;
        self.write(json.trim_end_matches('}'))?;
        self.write(",\"files\":[\n")
    }

    pub(super) fn entry(&mut self, entry: &Entry) -> Result<(), BackupError> {
        let comma = if std::mem::take(&mut self.is_first) { "" } else { ",\n" };
        let json = json(entry)?;
        self.write(comma)?;
        self.write(&json)
    }

    pub(super) fn finish(mut self, missing: &[String]) -> Result<PathBuf, BackupError> {
        let missing = json(&missing)?;
        self.write(&format!("\n],\"missing\":{missing}}}\n"))?;
        self.file.flush().map_err(|error| BackupError::Write(self.path.clone(), error))?;
        Ok(self.path)
    }
}

fn json(value: &impl serde::Serialize) -> Result<String, BackupError> {
    serde_json::to_string(value).map_err(|error| BackupError::Broken(error.to_string()))
}

/// Whether an entry of this name may be in a backup. No such name leads out of the directory.
pub(super) fn is_place(path: &str) -> bool {
    if let Some(file) = path.strip_prefix(FILES) {
        let Some((folder, key)) = file.split_once('/') else { return false };
        return is_key(key) && key.get(..2) == Some(folder);
    }
    if let Some(below) = path.strip_prefix(CERTIFICATES) {
        let parts: Vec<&str> = below.split('/').collect();
        return parts.len() <= MAX_DEPTH && parts.iter().all(|part| is_part(part));
    }
    path == DATABASE || path == NAME
}

/// Whether an uploaded file may have this key.
pub(super) fn is_key(key: &str) -> bool {
    (3..=64).contains(&key.len()) && key.bytes().all(|it| it.is_ascii_alphanumeric() || b"-_".contains(&it))
}

/// Whether a file of this name below `certificates/` can be taken into a backup.
pub(super) fn is_part(part: &str) -> bool {
    (1..=MAX_PART).contains(&part.len())
        && !part.starts_with('.')
        && part.bytes().all(|it| it.is_ascii_alphanumeric() || b"-_.@+=*".contains(&it))
}

#[cfg(test)]
mod tests {
    use super::is_place;

    #[test]
    fn entry_names_are_limited_to_those_of_a_backup() {
        for good in [
            "campfire.db",
            "manifest.json",
            "files/ab/abcdef",
            "files/-_/-_x",
            "certificates/chat.example.org/key.pem",
            "certificates/account.json",
        ] {
            assert!(is_place(good), "{good}");
        }
        for bad in [
            "",
            "/campfire.db",
            "./campfire.db",
            "campfire.db/",
            "campfire.db-wal",
            "../campfire.db",
            "files/",
            "files/ab",
            "files/ab/",
            "files/ab/abcdef/more",
            "files/cd/abcdef",
            "files/ab/ab",
            "files/../..cdef",
            "files/ab/ab/../../x",
            "certificates/",
            "certificates/../campfire.db",
            "certificates//key",
            "certificates/.hidden",
            "certificates/a/b/c/d/e",
            "certificates/a\0b",
            "campfire.lock",
            "manifest.json\n",
        ] {
            assert!(!is_place(bad), "{bad:?}");
        }
    }
}
