//! Reads a backup: all of it is verified before any of it is in its place. An archive may come from anybody and is not
//! trusted: only names that a backup has, only regular files, no more than there is room for.

use std::{
    fs::{self, File},
    io::{self, BufReader, Read, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};
use zstd::stream::read::Decoder;

use super::{
    BackupError, LEFT_FREE, Pace,
    manifest::{DATABASE, Entry, FORMAT, MAX_BYTES, Manifest, NAME, is_place},
    require_room, sync_directory,
};
use crate::store::{Ended, Ending, Examined, SCHEMA_VERSION, end_access};

/// The memory that an archive may need for decompression, as a power of two in bytes. Archives that were compressed again
/// at a higher level need more than ours.
const MAX_WINDOW_LOG: u32 = 25;

/// Bytes read at a time.
const BUFFER: usize = 256 << 10;

/// Entries of an archive, at most. Each takes 32 bytes of memory until the manifest is read.
const MAX_ENTRIES: usize = 2_000_000;

/// Bytes that may follow the last entry: the end of a tar file, and its padding.
const MAX_TRAILER: u64 = 1 << 20;

/// Bytes written between two checks of the room that is left.
const CHECK_EVERY: u64 = 64 << 20;

/// What was restored, or verified.
#[derive(Debug)]
pub struct Restored {
    /// When the backup was made, and by which version.
    pub made_at: String,
    pub version: String,
    pub files: u64,
    pub bytes: u64,
    /// Files that were missing already when it was made.
    pub missing: u64,
    /// What was ended of what worked when it was made.
    pub ended: Ended,
}

/// Restores into a directory that is empty or does not exist. After an error it is as before. `ending` says which sessions
/// and the like do not work any more.
pub fn restore(
    source: impl Read,
    target: &Path,
    ending: Ending,
    pace: &mut Pace<'_>,
) -> Result<Restored, BackupError> {
    let unwritable = |error| BackupError::Write(target.to_owned(), error);
    let exists = match fs::read_dir(target) {
        Ok(mut entries) => {
            if entries.next().is_some() {
                return Err(BackupError::NotEmpty(target.to_owned()));
            }
            true
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => false,
        Err(error) => return Err(BackupError::Read(target.to_owned(), error)),
    };
    let parent = match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    if !exists {
        fs::create_dir_all(parent).map_err(unwritable)?;
    }
    // Beside a directory that does not exist; within one that does, which may be a mount point.
    let mut name = std::ffi::OsString::from(".");
    name.push(target.file_name().unwrap_or_default());
    name.push(".restoring");
    let scratch = Scratch::make(if exists { target.join(".restoring") } else { parent.join(name) })?;
    let mut restored = read(source, &scratch.0, true, pace)?;
    restored.ended = end_access(&scratch.0.join(DATABASE), ending)?;
    give_to_owner_of(if exists { target } else { parent }, &scratch.0).map_err(unwritable)?;
    let whole = File::open(&scratch.0).map_err(unwritable)?;
    // One call for thousands of files.
    rustix::fs::syncfs(&whole).map_err(|error| unwritable(error.into()))?;
    if exists {
        // The database last: without it there is no data directory.
        let mut names: Vec<_> = fs::read_dir(&scratch.0)
            .and_then(|entries| entries.map(|entry| entry.map(|it| it.file_name())).collect())
            .map_err(unwritable)?;
        names.sort_by_key(|name| name == DATABASE);
        for name in names {
            fs::rename(scratch.0.join(&name), target.join(&name)).map_err(unwritable)?;
        }
        sync_directory(target)?;
    } else {
        fs::rename(&scratch.0, target).map_err(unwritable)?;
        sync_directory(parent)?;
    }
    Ok(restored)
}

/// Verifies a backup like [`restore`], without restoring it. The database is unpacked below `scratch` for that.
pub fn verify(source: impl Read, scratch: &Path, pace: &mut Pace<'_>) -> Result<Restored, BackupError> {
    let scratch = Scratch::make(scratch.join(format!("campfire-verify-{}", crate::types::random_token())))?;
    read(source, &scratch.0, false, pace)
}

/// A temporary directory. Dropping it removes the directory, unless it was renamed.
struct Scratch(PathBuf);

impl Scratch {
    fn make(path: PathBuf) -> Result<Self, BackupError> {
        let make = || {
            match fs::remove_dir_all(&path) {
                // A restore that was killed has left it.
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            fs::DirBuilder::new().mode(0o700).create(&path)
        };
        match make() {
            Ok(()) => Ok(Self(path)),
            Err(error) => Err(BackupError::Write(path, error)),
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        match fs::remove_dir_all(&self.0) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(%error, path = %self.0.display(), "could not remove a temporary directory");
            }
            _ => {}
        }
    }
}

/// Reads an archive to its end and checks everything about it. `write_files` writes the files down; the database always is.
fn read(
    source: impl Read,
    into: &Path,
    write_files: bool,
    pace: &mut Pace<'_>,
) -> Result<Restored, BackupError> {
    let mut decoder = Decoder::with_buffer(BufReader::with_capacity(BUFFER, source)).map_err(broken)?;
    decoder.window_log_max(MAX_WINDOW_LOG).map_err(broken)?;
    let mut archive = tar::Archive::new(decoder);
    let mut unpacking =
        Unpacking { into, write_files, unchecked: CHECK_EVERY, buffer: vec![0; BUFFER], pace };
    let (mut seen, mut manifest, mut bytes) = (Vec::new(), None, 0);
    // Raw: long names and other extensions are entries that a backup does not have, and would take memory as the archive
    // says.
    for entry in archive.entries().map_err(broken)?.raw(true) {
        let mut entry = entry.map_err(broken)?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if manifest.is_some() {
            return Err(BackupError::Broken(format!("{name:?} follows its manifest")));
        }
        if !entry.header().entry_type().is_file() || !is_place(&name) {
            return Err(BackupError::Broken(format!("{name:?} cannot be in a backup")));
        }
        let size = entry.header().entry_size().map_err(broken)?;
        if name == NAME {
            if size > MAX_BYTES {
                return Err(BackupError::Broken("its manifest is too long".into()));
            }
            let mut text = Vec::new();
            entry.read_to_end(&mut text).map_err(broken)?;
            manifest =
                Some(serde_json::from_slice::<Manifest>(&text).map_err(|error| {
                    BackupError::Broken(format!("its manifest cannot be read ({error})"))
                })?);
            continue;
        }
        if seen.len() == MAX_ENTRIES {
            return Err(BackupError::Broken(format!("it has more than {MAX_ENTRIES} entries")));
        }
        let sha256 = unpacking.unpack(&mut entry, &name, size)?;
        seen.push(Entry::new(&name, size, &sha256).digest());
        bytes += size;
    }
    let mut decoder = archive.into_inner();
    let trailer = io::copy(&mut (&mut decoder).take(MAX_TRAILER + 1), &mut io::sink()).map_err(broken)?;
    if trailer > MAX_TRAILER {
        return Err(BackupError::Broken("there is data after its end".into()));
    }
    let manifest = manifest.ok_or_else(|| BackupError::Broken("its end is missing".into()))?;
    compare_with_manifest(&manifest, &seen)?;
    examine(&into.join(DATABASE), &manifest)?;
    let files = seen.len() as u64 - 1;
    Ok(Restored {
        made_at: manifest.head.made_at,
        version: manifest.head.version,
        files,
        bytes,
        missing: manifest.missing.len() as u64,
        ended: Ended::default(),
    })
}

fn broken(error: io::Error) -> BackupError {
    BackupError::Broken(match error.kind() {
        io::ErrorKind::UnexpectedEof => "its end is missing".into(),
        _ => format!("it is damaged, or not a backup ({error})"),
    })
}

struct Unpacking<'a, 'b> {
    into: &'a Path,
    write_files: bool,
    /// Bytes written since the room was checked.
    unchecked: u64,
    buffer: Vec<u8>,
    pace: &'a mut Pace<'b>,
}

impl Unpacking<'_, '_> {
    fn unpack(&mut self, entry: &mut impl Read, name: &str, size: u64) -> Result<[u8; 32], BackupError> {
        let path = self.into.join(name);
        let mut file = None;
        if self.write_files || name == DATABASE {
            // A file that does not fit is not begun.
            if size > LEFT_FREE || self.unchecked + size > CHECK_EVERY {
                self.unchecked = 0;
                require_room(self.into, size)?;
            }
            self.unchecked += size;
            let begin = || {
                if let Some(parent) = path.parent() {
                    fs::create_dir_all(parent)?;
                }
                File::options().write(true).create_new(true).mode(0o600).open(&path)
            };
            file = Some(begin().map_err(|error| match error.kind() {
                io::ErrorKind::AlreadyExists => BackupError::Broken(format!("{name:?} is in it twice")),
                _ => BackupError::Write(path.clone(), error),
            })?);
        }
        let (mut left, mut hash) = (size, Sha256::new());
        while left > 0 {
            let max = self.buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            let count = match entry.read(&mut self.buffer[..max]) {
                Ok(0) => return Err(BackupError::Broken("its end is missing".into())),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(broken(error)),
            };
            hash.update(&self.buffer[..count]);
            if let Some(file) = &mut file {
                file.write_all(&self.buffer[..count])
                    .map_err(|error| BackupError::Write(path.clone(), error))?;
            }
            left -= count as u64;
            self.pace.worked(count as u64)?;
        }
        Ok(hash.finalize().into())
    }
}

/// Fails unless the archive's entries are those of the manifest, in the same order.
fn compare_with_manifest(manifest: &Manifest, seen: &[[u8; 32]]) -> Result<(), BackupError> {
    if manifest.head.format > FORMAT {
        return Err(BackupError::Newer { found: manifest.head.format, known: FORMAT });
    }
    if manifest.head.format < 1 {
        return Err(BackupError::Broken("its manifest has an invalid format".into()));
    }
    for (entry, digest) in manifest.files.iter().zip(seen) {
        if entry.digest() != *digest {
            return Err(BackupError::Broken(format!("{:?} is not what the manifest says", entry.path)));
        }
    }
    if manifest.files.len() != seen.len() {
        let (listed, there) = (manifest.files.len(), seen.len());
        return Err(BackupError::Broken(format!("its manifest lists {listed} files and it has {there}")));
    }
    if !manifest.files.iter().any(|entry| entry.path == DATABASE) {
        return Err(BackupError::Broken("it has no database".into()));
    }
    Ok(())
}

/// Fails unless the database is one of campfire's, intact, and of a known schema.
fn examine(path: &Path, manifest: &Manifest) -> Result<(), BackupError> {
    let unreadable = |error| BackupError::Broken(format!("its database cannot be read ({error})"));
    let database = Examined::open(path).map_err(unreadable)?;
    let schema = database.schema_version().map_err(unreadable)?;
    let known = SCHEMA_VERSION as i64;
    if schema > known || manifest.head.schema > known {
        return Err(BackupError::Newer { found: schema.max(manifest.head.schema), known });
    }
    if schema != manifest.head.schema || schema < 1 || !database.is_ours().map_err(unreadable)? {
        return Err(BackupError::Broken("its database is not one of campfire's".into()));
    }
    match database.faults().map_err(unreadable)?.first() {
        Some(fault) => Err(BackupError::Broken(format!("its database is damaged ({})", fault.trim()))),
        None => Ok(()),
    }
}

/// If root restores, gives the files to the owner of the place, who has to be able to write there.
fn give_to_owner_of(place: &Path, restored: &Path) -> io::Result<()> {
    let owner = fs::metadata(place)?;
    if !rustix::process::geteuid().is_root() || owner.uid() == 0 {
        return Ok(());
    }
    fn give(path: &Path, user: u32, group: u32) -> io::Result<()> {
        std::os::unix::fs::lchown(path, Some(user), Some(group))?;
        if path.symlink_metadata()?.is_dir() {
            for entry in fs::read_dir(path)? {
                give(&entry?.path(), user, group)?;
            }
        }
        Ok(())
    }
    give(restored, owner.uid(), owner.gid())
}
