//! Makes a backup, of a server that runs or not.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
};

use super::{
    BackupError, Pace,
    archive::Archive,
    manifest::{CERTIFICATES, DATABASE, FILES, FORMAT, Head, Listing, NAME, is_key, is_part, is_place},
    require_room,
    staging::{Staging, room_needed},
};
use crate::{
    store::{self, DataDir, Folder, Reader, Snapshot},
    types::Timestamp,
};

/// Snapshots taken at most, if files are deleted before they are linked.
const TRIES: usize = 3;

/// How deep `certificates/` is searched.
const MAX_DEPTH: usize = 4;

/// The destination of a backup.
pub enum Target<'a> {
    File { path: &'a Path, replace: bool },
    Stream(Box<dyn Write + 'a>),
}

/// What a backup contains.
#[derive(Debug)]
pub struct Made {
    /// Bytes of the archive; 0 for a stream.
    pub size: u64,
    /// Bytes of the database, and how many uploaded files there are.
    pub database: u64,
    pub files: u64,
    /// Files that have a row and do not exist.
    pub missing: u64,
}

/// Makes a backup of a data directory.
///
/// The database is copied first, within the data directory: that takes a read transaction for as long as it lasts, and as
/// much room on that disk as the database. Everything else is done from the copy.
pub fn make(data: &Path, target: Target<'_>, pace: &mut Pace<'_>) -> Result<Made, BackupError> {
    let data = DataDir::look(data)?;
    let staging = Staging::begin(data.path(), pace)?;
    // Before the long part, so that an existing name is reported at once.
    let mut archive = Archive::begin(target)?;
    require_room(data.path(), room_needed(&data)?)?;
    let made_at = Timestamp::now();
    let (snapshot, file_bytes) = link_files(&data, &staging)?;
    let database = staging.copy(snapshot, file_bytes, pace)?;

    let mut manifest = Listing::begin(&staging.path.join(NAME))?;
    let copy = Reader::open(&DataDir::look(&staging.path)?)?;
    let schema = copy.schema_version()?;
    manifest.head(&Head {
        format: FORMAT,
        version: env!("CARGO_PKG_VERSION").into(),
        schema,
        made_at: made_at.to_string(),
    })?;
    let place = staging.database();
    let file = open(&place)?;
    manifest.entry(&archive.add(DATABASE, &place, &file, pace)?)?;
    let (mut files, mut missing) = (0, Vec::new());
    let folder = Folder::of(data.path());
    copy.each_file(|known| {
        let path = format!("{FILES}{}/{}", known.key.get(..2).unwrap_or_default(), known.key);
        let place = folder.place(&known.key);
        match File::open(staging.link(&known.key)).or_else(|_| File::open(&place)) {
            Ok(file) if is_place(&path) => {
                files += 1;
                manifest.entry(&archive.add(&path, &place, &file, pace)?)
            }
            Ok(_) => Err(BackupError::Read(place, io::Error::other("its name is not a valid key"))),
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

pub(super) fn open(path: &Path) -> Result<File, BackupError> {
    File::open(path).map_err(|error| BackupError::Read(path.to_owned(), error))
}

/// Takes a snapshot, and links its files into the staging directory. Returns it with the files' size in bytes.
///
/// A file may be deleted after the snapshot and before it is linked. A later snapshot does not have its row any more. A file
/// that cannot be linked for the third one does not exist, and is listed as missing.
fn link_files(data: &DataDir, staging: &Staging) -> Result<(Snapshot, u64), BackupError> {
    let folder = Folder::of(data.path());
    for last in (0..TRIES).map(|round| round + 1 == TRIES) {
        let snapshot = Snapshot::take(data)?;
        let (mut bytes, mut gone) = (0, 0);
        snapshot.reader().each_file(|known| {
            bytes += known.byte_size.unwrap_or(0);
            if is_key(&known.key) {
                match fs::hard_link(folder.place(&known.key), staging.link(&known.key)) {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => gone += 1,
                    // Linked in an earlier round; or the file system has no hard links, and then a file that is deleted
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

/// Calls `add` with the name in the archive and the path of each regular file below `certificates/`.
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
            // Names that begin with a dot are those of temporary files.
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
