//! The files of an export: a folder, a ZIP, a tar.gz or one file. It is only read. Names that lead elsewhere, links, and
//! sizes that no export has are errors.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom, Write},
    os::unix::fs::FileExt,
    path::{Component, Path, PathBuf},
    sync::Arc,
};

use icu_normalizer::ComposingNormalizerBorrowed;
use zip::ZipArchive;

use super::Error;

/// Files of an archive.
const MAX_ENTRIES: usize = 2_000_000;

/// Bytes of a name with its folders.
const MAX_NAME: usize = 1_024;

/// Beyond this size an archive must not grow to more than so many times its own when it is unpacked. Exports grow to about
/// fifteen times.
const ALWAYS_FINE: u64 = 1 << 30;
const MAX_GROWTH: u64 = 100;

/// Bytes that stay free on the disk when an archive is unpacked.
const SPARE: u64 = 256 << 20;

/// The files of an export, by their paths with `/` between folders, in composed Unicode (NFC).
#[derive(Clone, Debug)]
pub(super) struct Archive {
    source: Source,
    entries: Arc<BTreeMap<String, Entry>>,
}

#[derive(Clone, Debug)]
enum Source {
    Folder(PathBuf),
    Zip(ZipArchive<At>),
    File(PathBuf),
}

#[derive(Clone, Debug)]
struct Entry {
    size: u64,
    /// In a folder: its path below it, as the disk spells it.
    path: PathBuf,
    /// In a ZIP.
    index: usize,
}

impl Archive {
    /// Opens an export. A tar.gz is unpacked below `scratch` first.
    pub(super) fn open(path: &Path, scratch: &Path) -> Result<Self, Error> {
        let shown = path.display();
        let metadata = fs::metadata(path).map_err(|error| Error(format!("cannot read {shown} ({error})")))?;
        if metadata.is_dir() {
            return Self::folder(path);
        }
        let mut head = [0; 4];
        let file = File::open(path).map_err(|error| Error(format!("cannot read {shown} ({error})")))?;
        let length = file.read_at(&mut head, 0)?;
        match &head[..length] {
            [b'P', b'K', 3 | 5, ..] => Self::zip(file, path, metadata.len()),
            [0x1f, 0x8b, ..] => {
                let folder = scratch.join("unpacked");
                unpack(file, metadata.len(), &folder)
                    .map_err(|error| Error(format!("cannot unpack {shown}: {}", error.0)))?;
                Self::folder(&folder)
            }
            _ => {
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                let entry = Entry { size: metadata.len(), path: PathBuf::new(), index: 0 };
                Ok(Self {
                    source: Source::File(path.to_owned()),
                    entries: Arc::new(BTreeMap::from([(name, entry)])),
                })
            }
        }
    }

    fn folder(root: &Path) -> Result<Self, Error> {
        let mut entries = BTreeMap::new();
        let mut folders = vec![PathBuf::new()];
        while let Some(folder) = folders.pop() {
            let listed = fs::read_dir(root.join(&folder))
                .map_err(|error| Error(format!("cannot read {} ({error})", root.join(&folder).display())))?;
            for found in listed {
                let found = found?;
                let path = folder.join(found.file_name());
                let kind = found.file_type()?;
                // Links may lead anywhere, so that they are not followed.
                if kind.is_dir() {
                    folders.push(path);
                } else if kind.is_file() {
                    let name = composed(&path.to_string_lossy());
                    entries.insert(name, Entry { size: found.metadata()?.len(), path, index: 0 });
                    bounded(entries.len())?;
                }
            }
        }
        Ok(Self { source: Source::Folder(root.to_owned()), entries: Arc::new(entries) })
    }

    fn zip(file: File, path: &Path, packed: u64) -> Result<Self, Error> {
        let shown = path.display();
        let wrong = |error: zip::result::ZipError| Error(format!("cannot read {shown} as a ZIP ({error})"));
        let mut zip = ZipArchive::new(At { file: Arc::new(file), place: 0 }).map_err(wrong)?;
        bounded(zip.len())?;
        let (mut entries, mut total) = (BTreeMap::new(), 0_u64);
        for index in 0..zip.len() {
            let entry = zip.by_index_raw(index).map_err(wrong)?;
            // Slack writes UTF-8 and does not say so.
            let name = match std::str::from_utf8(entry.name_raw()) {
                Ok(name) => name.to_owned(),
                Err(_) => entry.name().map_err(wrong)?.into_owned(),
            };
            let name = composed(&safe_name(&name).map_err(|why| Error(format!("{shown} {}", why.0)))?);
            if entry.is_symlink() {
                return Err(Error(format!("{shown} contains a link ({name}); an export has none")));
            }
            if entry.is_dir() {
                continue;
            }
            total = total.saturating_add(entry.size());
            if total > ALWAYS_FINE && total / MAX_GROWTH > packed {
                return Err(Error(format!(
                    "{shown} would be more than {MAX_GROWTH} times as large when it is unpacked; an export is not"
                )));
            }
            entries.insert(name, Entry { size: entry.size(), path: PathBuf::new(), index });
        }
        Ok(Self { source: Source::Zip(zip), entries: Arc::new(entries) })
    }

    /// The paths of all files, in order, with their sizes.
    pub(super) fn files(&self) -> impl Iterator<Item = (&str, u64)> {
        self.entries.iter().map(|(name, entry)| (name.as_str(), entry.size))
    }

    /// The files of a folder (`users/`, with its slash), and of those below it.
    pub(super) fn files_below<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = (&'a str, u64)> {
        let from = self.entries.range(folder.to_owned()..);
        from.take_while(move |(name, _)| name.starts_with(folder))
            .map(|(name, entry)| (name.as_str(), entry.size))
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.entries.contains_key(name)
    }

    pub(super) fn size(&self, name: &str) -> Option<u64> {
        self.entries.get(name).map(|entry| entry.size)
    }

    /// The path of a file on the disk; None within a ZIP.
    pub(super) fn path(&self, name: &str) -> Option<PathBuf> {
        match &self.source {
            Source::Folder(root) => Some(root.join(&self.entries.get(name)?.path)),
            Source::File(path) => Some(path.clone()),
            Source::Zip(_) => None,
        }
    }

    /// The path of a file that another file of this archive names from its folder (`chats/`, with its slash, or nothing),
    /// as Windows or others write it. Nothing may be there.
    pub(super) fn beside(folder: &str, path: &str) -> String {
        let path = path.replace('\\', "/");
        composed(&format!("{folder}{}", path.trim_start_matches("./")))
    }

    /// Reads a file.
    pub(super) fn read<T>(
        &self,
        name: &str,
        read: impl FnOnce(&mut dyn Read) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let entry =
            self.entries.get(name).ok_or_else(|| Error(format!("there is no {name} in the export")))?;
        let failed = |error: io::Error| Error(format!("cannot read {name} ({error})"));
        match &self.source {
            Source::Zip(zip) => {
                let mut zip = zip.clone();
                let file = zip.by_index(entry.index).map_err(|error| failed(error.into()))?;
                read(&mut Declared { inner: file, left: entry.size })
            }
            _ => {
                let path = self.path(name).unwrap_or_default();
                read(&mut File::open(path).map_err(failed)?)
            }
        }
    }

    /// A whole file of at most so many bytes.
    pub(super) fn bytes(&self, name: &str, most: u64) -> Result<Vec<u8>, Error> {
        let size = self.size(name).unwrap_or_default();
        if size > most {
            return Err(Error(format!("{name} has {size} bytes; at most {most} are read")));
        }
        self.read(name, |reader| {
            let mut bytes = Vec::with_capacity(size as usize);
            reader.take(most).read_to_end(&mut bytes)?;
            Ok(bytes)
        })
        .map_err(|error| Error(format!("cannot read {name} ({})", error.0)))
    }
}

/// In Unicode's composed form: macOS writes names decomposed.
fn composed(name: &str) -> String {
    ComposingNormalizerBorrowed::new_nfc().normalize(name).into_owned()
}

fn bounded(entries: usize) -> Result<(), Error> {
    match entries > MAX_ENTRIES {
        true => Err(Error(format!("it has more than {MAX_ENTRIES} files"))),
        false => Ok(()),
    }
}

/// A name within an archive, with `/` between folders, if it stays within it.
fn safe_name(name: &str) -> Result<String, Error> {
    let name = name.replace('\\', "/");
    let trimmed = name.trim_start_matches("./");
    let leads_out =
        Path::new(trimmed).components().any(|part| !matches!(part, Component::Normal(_) | Component::CurDir));
    let has_drive = trimmed.as_bytes().get(1) == Some(&b':') && trimmed.as_bytes()[0].is_ascii_alphabetic();
    let shown: String = name.chars().filter(|c| !c.is_control()).take(100).collect();
    if leads_out || has_drive || trimmed.contains('\0') {
        return Err(Error(format!("contains a name that leads out of it ({shown}); nothing was read")));
    }
    if trimmed.len() > MAX_NAME {
        return Err(Error(format!("contains a name of more than {MAX_NAME} bytes ({shown}…)")));
    }
    Ok(trimmed.to_owned())
}

/// Unpacks a tar.gz into a folder that did not exist.
fn unpack(file: File, packed: u64, folder: &Path) -> Result<(), Error> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir_all(folder)?;
    let mut archive = tar::Archive::new(flate2::read::MultiGzDecoder::new(io::BufReader::new(file)));
    let (mut total, mut count) = (0_u64, 0);
    for entry in archive.entries()? {
        let mut entry = entry?;
        let name = safe_name(&entry.path()?.to_string_lossy())?;
        let kind = entry.header().entry_type();
        if kind.is_dir() || kind.is_pax_global_extensions() {
            continue;
        }
        if !kind.is_file() {
            return Err(Error(format!("it contains something else than files and folders ({name})")));
        }
        count += 1;
        bounded(count)?;
        total = total.saturating_add(entry.size());
        if total > ALWAYS_FINE && total / MAX_GROWTH > packed {
            return Err(Error(format!("it grows to more than {MAX_GROWTH} times its size")));
        }
        has_room_for(folder, entry.size())?;
        let place = folder.join(&name);
        fs::create_dir_all(place.parent().unwrap_or(folder))?;
        let mut output = File::options()
            .write(true)
            .create_new(true)
            .open(&place)
            .map_err(|error| Error(format!("{name} is in it twice, or cannot be written ({error})")))?;
        io::copy(&mut entry, &mut output)?;
        output.flush()?;
    }
    Ok(())
}

fn has_room_for(folder: &Path, bytes: u64) -> Result<(), Error> {
    let disk = rustix::fs::statvfs(folder).map_err(io::Error::from)?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    match free < bytes.saturating_add(SPARE) {
        true => Err(Error(format!(
            "the disk of {} has no room for it; make some, or unpack it elsewhere and name its folder",
            folder.display()
        ))),
        false => Ok(()),
    }
}

/// A file with a place of its own in it, so that several readers share it.
#[derive(Clone, Debug)]
struct At {
    file: Arc<File>,
    place: u64,
}

impl Read for At {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(buffer, self.place)?;
        self.place += read as u64;
        Ok(read)
    }
}

impl Seek for At {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let base = match to {
            SeekFrom::Start(place) => {
                self.place = place;
                return Ok(place);
            }
            SeekFrom::Current(by) => (self.place, by),
            SeekFrom::End(by) => (self.file.metadata()?.len(), by),
        };
        self.place = base
            .0
            .checked_add_signed(base.1)
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "a place before the beginning"))?;
        Ok(self.place)
    }
}

/// Fails beyond the size that the archive's directory declares.
struct Declared<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Declared<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.left = self.left.checked_sub(read as u64).ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidData, "it is larger than the archive says")
        })?;
        Ok(read)
    }
}

#[cfg(test)]
mod tests;
