//! Writes the archive. It gets its name only once all of it is synced.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use sha2::{Digest, Sha256};
use zstd::stream::write::Encoder;

use super::{BackupError, Pace, Target, manifest::Entry, sync_directory};

/// zstd's default level: about 300 MB/s on one core; a database shrinks to a third.
const LEVEL: i32 = 3;

/// Bytes buffered before a write.
const BUFFER: usize = 256 << 10;

/// Bytes after which the archive is synced, so that no commit of the server has to wait for many of them.
const SYNC_EVERY: u64 = 8 << 20;

/// The end of an incomplete archive's name.
pub(super) const PART: &str = ".part";

/// The archive's destination. Dropping it removes an incomplete file.
enum Sink<'a> {
    File { file: File, part: PathBuf, path: PathBuf, unsynced: u64 },
    Stream(Box<dyn Write + 'a>),
}

impl Write for Sink<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stream(stream) => stream.write(bytes),
            Self::File { file, unsynced, .. } => {
                let count = file.write(bytes)?;
                *unsynced += count as u64;
                if *unsynced >= SYNC_EVERY {
                    *unsynced = 0;
                    sync_and_forget(file)?;
                }
                Ok(count)
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stream(stream) => stream.flush(),
            Self::File { .. } => Ok(()),
        }
    }
}

impl Drop for Sink<'_> {
    fn drop(&mut self) {
        if let Self::File { part, .. } = self {
            // A complete one was renamed, and is not found.
            let _ = fs::remove_file(part);
        }
    }
}

/// Syncs a file and drops it from the page cache: it is not read again soon, and memory may be small.
pub(super) fn sync_and_forget(file: &File) -> io::Result<()> {
    file.sync_data()?;
    // Only advice, which some file systems do not support.
    let _ = rustix::fs::fadvise(file, 0, None, rustix::fs::Advice::DontNeed);
    Ok(())
}

/// An archive that is being written.
pub(super) struct Archive<'a> {
    tar: tar::Builder<Encoder<'static, BufWriter<Sink<'a>>>>,
    name: PathBuf,
}

impl<'a> Archive<'a> {
    /// Begins an archive. `Exists` if there is a file that may not be replaced.
    pub(super) fn begin(target: Target<'a>) -> Result<Self, BackupError> {
        let (sink, name) = match target {
            Target::Stream(stream) => (Sink::Stream(stream), PathBuf::from("standard output")),
            Target::File { path, replace } => {
                if !replace && path.symlink_metadata().is_ok() {
                    return Err(BackupError::Exists(path.to_owned()));
                }
                let mut part = path.as_os_str().to_owned();
                part.push(PART);
                let part = PathBuf::from(part);
                // The archive contains keys, and a leftover may belong to another user: so it is replaced, not overwritten.
                let begin = || {
                    match fs::remove_file(&part) {
                        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                        _ => {}
                    }
                    File::options().write(true).create_new(true).mode(0o600).open(&part)
                };
                let file = begin().map_err(|error| BackupError::Write(path.to_owned(), error))?;
                (Sink::File { file, part, path: path.to_owned(), unsynced: 0 }, path.to_owned())
            }
        };
        let encoder = Encoder::new(BufWriter::with_capacity(BUFFER, sink), LEVEL).and_then(|mut encoder| {
            encoder.include_checksum(true)?;
            Ok(encoder)
        });
        let encoder = encoder.map_err(|error| BackupError::Write(name.clone(), error))?;
        Ok(Self { tar: tar::Builder::new(encoder), name })
    }

    /// Adds a file under a path, and returns its entry for the manifest. `place` is the file's name in errors.
    pub(super) fn add(
        &mut self,
        path: &str,
        place: &Path,
        file: &File,
        pace: &mut Pace<'_>,
    ) -> Result<Entry, BackupError> {
        let unreadable = |error| BackupError::Read(place.to_owned(), error);
        let metadata = file.metadata().map_err(unreadable)?;
        let modified = metadata.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        let mut header = tar::Header::new_gnu();
        header.set_size(metadata.len());
        header.set_mode(0o600);
        header.set_mtime(modified.map_or(0, |since| since.as_secs()));
        let mut source = Source { file, left: metadata.len(), hash: Sha256::new(), failure: None, pace };
        let written = self.tar.append_data(&mut header, path, &mut source);
        let (left, hash, failure) = (source.left, source.hash, source.failure);
        match failure {
            Some(error) if error.get_ref().is_some_and(|it| it.is::<BackupError>()) => {
                return Err(BackupError::Stopped);
            }
            Some(error) => return Err(unreadable(error)),
            None => {}
        }
        written.map_err(|error| BackupError::Write(self.name.clone(), error))?;
        if left > 0 {
            return Err(unreadable(io::Error::other("it became shorter while it was read")));
        }
        Ok(Entry::new(path, metadata.len(), &hash.finalize().into()))
    }

    /// Completes the archive, and gives it its name. Returns its size in bytes; 0 for a stream.
    pub(super) fn finish(self) -> Result<u64, BackupError> {
        let failed = |error| BackupError::Write(self.name.clone(), error);
        let encoder = self.tar.into_inner().map_err(failed)?;
        let buffer = encoder.finish().map_err(failed)?;
        let mut sink = buffer.into_inner().map_err(|error| failed(error.into_error()))?;
        sink.flush().map_err(failed)?;
        match &sink {
            Sink::Stream(_) => Ok(0),
            Sink::File { file, part, path, .. } => {
                let size = file.metadata().map_err(failed)?.len();
                file.sync_all().map_err(failed)?;
                let _ = rustix::fs::fadvise(file, 0, None, rustix::fs::Advice::DontNeed);
                fs::rename(part, path).map_err(failed)?;
                sync_directory(path.parent().unwrap_or(Path::new(".")))?;
                Ok(size)
            }
        }
    }
}

/// Reads a file into the archive: hashes it, and ends at the size in its header.
struct Source<'a, 'b> {
    file: &'a File,
    left: u64,
    hash: Sha256,
    /// Why reading failed: the archive's error could be of writing too.
    failure: Option<io::Error>,
    pace: &'a mut Pace<'b>,
}

impl Read for Source<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let max = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let read = self.file.read(&mut buffer[..max]).and_then(|count| {
            self.pace.worked_io(count as u64)?;
            Ok(count)
        });
        match read {
            Ok(count) => {
                self.hash.update(&buffer[..count]);
                self.left -= count as u64;
                Ok(count)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(error),
            Err(error) => {
                let copy = io::Error::other(error.to_string());
                self.failure = Some(error);
                Err(copy)
            }
        }
    }
}
