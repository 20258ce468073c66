//! Making a backup, of a server that runs or not.

use std::{
    fs::{self, File, TryLockError},
    io::{self, BufWriter, Write},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    ASIDE, BackupError, Pace, archive,
    archive::Archive,
    manifest::{CERTIFICATES, DATABASE, Entry, FILES, FORMAT, Head, NAME, is_key, is_part, is_place},
    require_room,
};
use crate::{
    store::{self, DataDir, Folder, Reader, Snapshot},
    types::Timestamp,
};

/// The copy of the database is brought to the disk after so many bytes, so that no commit waits for a mountain of them.
const SYNC_EVERY: u64 = 4 << 20;

/// A write-ahead log of this size is reason enough to copy without rests: it grows for as long as the copy takes.
const LONG_LOG: u64 = 64 << 20;

/// Moments that are tried when files of one are gone before they could be put aside.
const TRIES: usize = 3;

/// How often it is looked whether another backup has ended.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// How deep `certificates/` is searched.
const MAX_DEPTH: usize = 4;

/// Where a backup goes.
pub enum Target<'a> {
    File { path: &'a Path, replace: bool },
    Stream(Box<dyn Write + 'a>),
}

/// What was made.
#[derive(Debug)]
pub struct Made {
    /// Bytes of the archive; 0 for a stream.
    pub size: u64,
    /// Bytes of the database, and how many uploaded files there are.
    pub database: u64,
    pub files: u64,
    /// Files that the database knows and that are not there.
    pub missing: u64,
}

/// Makes a backup of a data directory.
///
/// The database is copied first, within the data directory: that takes a read transaction for as long as the copy lasts,
/// and as much room on that disk as the database. Everything else is done from the copy.
pub fn make(data: &Path, target: Target<'_>, pace: &mut Pace<'_>) -> Result<Made, BackupError> {
    let data = DataDir::look(data)?;
    let aside = Aside::begin(data.path(), pace)?;
    // Before the long part: a name that is taken should be told at once.
    let mut archive = Archive::begin(target)?;
    require_room(data.path(), room_needed(&data)?)?;
    let made_at = Timestamp::now();
    let (snapshot, file_bytes) = put_files_aside(&data, &aside)?;
    let database = aside.copy(snapshot, file_bytes, pace)?;

    let mut manifest = Listing::begin(&aside.path.join(NAME))?;
    let copy = Reader::open(&DataDir::look(&aside.path)?)?;
    let schema = copy.schema_version()?;
    manifest.head(&Head {
        format: FORMAT,
        version: env!("CARGO_PKG_VERSION").into(),
        schema,
        made_at: made_at.to_string(),
    })?;
    let place = aside.database();
    let file = open(&place)?;
    manifest.entry(&archive.add(DATABASE, &place, &file, pace)?)?;
    let (mut files, mut missing) = (0, Vec::new());
    let folder = Folder::of(data.path());
    copy.each_file(|known| {
        let path = format!("{FILES}{}/{}", known.key.get(..2).unwrap_or_default(), known.key);
        let place = folder.place(&known.key);
        match File::open(aside.link(&known.key)).or_else(|_| File::open(&place)) {
            Ok(file) if is_place(&path) => {
                files += 1;
                manifest.entry(&archive.add(&path, &place, &file, pace)?)
            }
            Ok(_) => Err(BackupError::Read(place, io::Error::other("its name is none of ours"))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                missing.push(path);
                Ok(())
            }
            Err(error) => Err(BackupError::Read(place, error)),
        }
    })?;
    add_certificates(data.path(), &mut |path, place| {
        let file = open(place)?;
        manifest.entry(&archive.add(path, place, &file, pace)?)
    })?;
    let manifest = manifest.finish(&missing)?;
    archive.add(NAME, &manifest, &open(&manifest)?, pace)?;
    if pace.is_stopped() {
        return Err(BackupError::Stopped);
    }
    let size = archive.finish()?;
    Ok(Made { size, database, files, missing: missing.len() as u64 })
}

/// Copies the database within the data directory, to be looked at there. The copy is gone with the value.
pub fn copy_aside(data: &DataDir, pace: &mut Pace<'_>) -> Result<Aside, BackupError> {
    let aside = Aside::begin(data.path(), pace)?;
    require_room(data.path(), room_needed(data)?)?;
    aside.copy(Snapshot::take(data)?, 0, pace)?;
    Ok(aside)
}

/// Bytes that a copy of the database takes. Its own file is not opened for it: closing that would let go of the locks that
/// SQLite holds for this process.
fn room_needed(data: &DataDir) -> Result<u64, BackupError> {
    let path = data.database();
    let size = |path: &Path| path.metadata().map(|it| it.len());
    let database = size(&path).map_err(|error| BackupError::Read(path.clone(), error))?;
    // What is in the log may lengthen it.
    Ok(database + size(&path.with_extension("db-wal")).unwrap_or(0))
}

fn open(path: &Path) -> Result<File, BackupError> {
    File::open(path).map_err(|error| BackupError::Read(path.to_owned(), error))
}

/// Takes a moment at which all files of the database can be put aside. Answers it, and how large the files are.
///
/// A file of the moment may be deleted before it has a second name. Then a later moment does not know it any more; one that
/// the third does know is not there at all, and is written down as missing.
fn put_files_aside(data: &DataDir, aside: &Aside) -> Result<(Snapshot, u64), BackupError> {
    let folder = Folder::of(data.path());
    for last in (0..TRIES).map(|round| round + 1 == TRIES) {
        let snapshot = Snapshot::take(data)?;
        let (mut bytes, mut gone) = (0, 0);
        snapshot.reader().each_file(|known| {
            bytes += known.byte_size.unwrap_or(0);
            if is_key(&known.key) {
                match fs::hard_link(folder.place(&known.key), aside.link(&known.key)) {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => gone += 1,
                    // There from the round before; or this file system has no second names, and then a file that goes
                    // while the backup is made is missing.
                    _ => {}
                }
            }
            Ok::<_, BackupError>(())
        })?;
        if gone == 0 || last {
            return Ok((snapshot, bytes));
        }
    }
    unreachable!("the last round returns")
}

/// Regular files below `certificates/`, with their names in the archive.
fn add_certificates(
    data: &Path,
    add: &mut impl FnMut(&str, &Path) -> Result<(), BackupError>,
) -> Result<(), BackupError> {
    fn walk(
        folder: &Path,
        prefix: &str,
        depth: usize,
        add: &mut impl FnMut(&str, &Path) -> Result<(), BackupError>,
    ) -> Result<(), BackupError> {
        let unreadable = |error| BackupError::Read(folder.to_owned(), error);
        let entries = match fs::read_dir(folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => entries.map_err(unreadable)?,
        };
        for entry in entries {
            let entry = entry.map_err(unreadable)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let kind = entry.file_type().map_err(unreadable)?;
            // What begins with a dot is somebody's temporary file.
            if !is_part(&name) {
                continue;
            }
            if kind.is_dir() && depth > 1 {
                walk(&entry.path(), &format!("{prefix}{name}/"), depth - 1, add)?;
            } else if kind.is_file() {
                add(&format!("{prefix}{name}"), &entry.path())?;
            }
        }
        Ok(())
    }
    walk(&data.join(store::CERTIFICATES), CERTIFICATES, MAX_DEPTH, add)
}

/// The folder in which a backup puts things aside. There is one of it, held by a lock on the data directory itself (a file
/// for it might belong to somebody else), and it goes with the value.
pub struct Aside {
    pub path: PathBuf,
    _lock: File,
}

impl Aside {
    fn begin(data: &Path, pace: &mut Pace<'_>) -> Result<Self, BackupError> {
        let lock = open(data)?;
        let mut is_told = false;
        loop {
            match (lock.try_lock(), &mut pace.tell_waiting) {
                (Ok(()), _) => break,
                (Err(TryLockError::Error(error)), _) => {
                    return Err(BackupError::Read(data.to_owned(), error));
                }
                (Err(TryLockError::WouldBlock), None) => return Err(BackupError::UnderWay(data.to_owned())),
                (Err(TryLockError::WouldBlock), Some(tell)) => {
                    if !std::mem::replace(&mut is_told, true) {
                        tell();
                    }
                }
            }
            if pace.is_stopped() {
                return Err(BackupError::Stopped);
            }
            std::thread::sleep(LOOK_AGAIN);
        }
        let path = data.join(ASIDE);
        let make = || {
            match fs::remove_dir_all(&path) {
                // One that was killed has left it.
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            fs::DirBuilder::new().mode(0o700).create(&path)?;
            fs::create_dir(path.join("files"))
        };
        make().map_err(|error| BackupError::Write(path.clone(), error))?;
        Ok(Self { path, _lock: lock })
    }

    /// The copy of the database.
    pub fn database(&self) -> PathBuf {
        self.path.join(DATABASE)
    }

    fn link(&self, key: &str) -> PathBuf {
        self.path.join("files").join(key)
    }

    /// Copies the database here. Answers its size.
    fn copy(&self, snapshot: Snapshot, more_to_come: u64, pace: &mut Pace<'_>) -> Result<u64, BackupError> {
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
                pace.in_haste = log.metadata().is_ok_and(|log| log.len() > LONG_LOG);
            }
            pace.worked(bytes - copied)?;
            copied = bytes;
            Ok(())
        });
        pace.in_haste = false;
        Pace::give_way();
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

impl Drop for Aside {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.path) {
            tracing::warn!(%error, path = %self.path.display(), "could not clear up after a backup");
        }
    }
}

/// The manifest as it grows, on the disk: a team may have many files.
struct Listing {
    path: PathBuf,
    file: BufWriter<File>,
    is_first: bool,
}

impl Listing {
    fn begin(path: &Path) -> Result<Self, BackupError> {
        let file = File::create(path).map_err(|error| BackupError::Write(path.to_owned(), error))?;
        Ok(Self { path: path.to_owned(), file: BufWriter::new(file), is_first: true })
    }

    fn write(&mut self, text: &str) -> Result<(), BackupError> {
        self.file.write_all(text.as_bytes()).map_err(|error| BackupError::Write(self.path.clone(), error))
    }

    fn head(&mut self, head: &Head) -> Result<(), BackupError> {
        let json = json(head)?;
        self.write(json.trim_end_matches('}'))?;
        self.write(",\"files\":[\n")
    }

    fn entry(&mut self, entry: &Entry) -> Result<(), BackupError> {
        let comma = if std::mem::take(&mut self.is_first) { "" } else { ",\n" };
        let json = json(entry)?;
        self.write(comma)?;
        self.write(&json)
    }

    fn finish(mut self, missing: &[String]) -> Result<PathBuf, BackupError> {
        let missing = json(&missing)?;
        self.write(&format!("\n],\"missing\":{missing}}}\n"))?;
        self.file.flush().map_err(|error| BackupError::Write(self.path.clone(), error))?;
        Ok(self.path)
    }
}

fn json(value: &impl serde::Serialize) -> Result<String, BackupError> {
    serde_json::to_string(value).map_err(|error| BackupError::Broken(error.to_string()))
}
