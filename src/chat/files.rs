//! Uploaded files: receiving, naming, detecting the type, making thumbnails, and posting them as messages.

use std::{io, io::Write, os::unix::fs::FileExt, rc::Rc};

use bytes::BytesMut;
use sha2::{Digest, Sha256};

use super::{RoomAccess, messages};
use crate::{
    media::{
        duration,
        picture::{self, Thumbnail},
    },
    store::{Folder, Incoming, NewFile, PostMessage, Posted, WriteError, WriterHandle},
    types::{RoomId, UserId},
    wire::Problem,
    worker::Worker,
};

/// Bytes buffered before they are written.
const WRITE_FROM: usize = 256 << 10;

/// Bytes that are read of a picture at once.
const READ_AT_ONCE: usize = 64 << 10;

/// Characters of a file's name; a longer one is truncated.
const MAX_FILENAME: usize = 255;

/// Bytes of a poster.
pub(crate) const MAX_POSTER: usize = 2 << 20;

/// A file that is being received.
pub(crate) struct Upload {
    folder: Folder,
    filename: String,
    limit: u64,
    size: u64,
    gathered: BytesMut,
    /// None while a write is running or after it failed.
    open: Option<(Incoming, Sha256)>,
}

impl Upload {
    /// Begins a file of at most `limit` bytes; `name` is as the client sent it.
    pub(crate) async fn begin(worker: &Worker, name: &str, limit: u64) -> Result<Self, Problem> {
        let folder = worker.shared.folder.clone();
        let incoming = run_blocking({
            let folder = folder.clone();
            move || folder.begin()
        })
        .await?;
        Ok(Self {
            folder,
            filename: filename(name),
            limit,
            size: 0,
            gathered: BytesMut::new(),
            open: Some((incoming, Sha256::new())),
        })
    }

    /// 413 beyond the limit; 507 if the disk is full.
    pub(crate) async fn write(&mut self, piece: &[u8]) -> Result<(), Problem> {
        self.size += piece.len() as u64;
        if self.size > self.limit {
            return Err(Problem::file_too_large(self.limit));
        }
        self.gathered.extend_from_slice(piece);
        if self.gathered.len() >= WRITE_FROM { self.flush().await } else { Ok(()) }
    }

    async fn flush(&mut self) -> Result<(), Problem> {
        let bytes = self.gathered.split().freeze();
        // None after a failed write: the upload cannot continue.
        let (mut incoming, mut hash) = self.open.take().ok_or_else(Problem::internal)?;
        let open = run_blocking(move || {
            hash.update(&bytes);
            incoming.file.write_all(&bytes).map(|()| (incoming, hash))
        });
        self.open = Some(open.await?);
        Ok(())
    }

    /// Stores the complete file. 422 if it is empty.
    pub(crate) async fn finish(mut self, worker: &Worker) -> Result<Stored, Problem> {
        self.flush().await?;
        if self.size == 0 {
            return Err(Problem::invalid_field("file", "is empty"));
        }
        let (incoming, hash) = self.open.take().ok_or_else(Problem::internal)?;
        // Decoding a picture takes a core and much memory. The semaphore is never closed.
        let _turn = worker.shared.imaging.acquire().await;
        run_blocking(move || store(&self.folder, incoming, self.filename, self.size, hash.finalize().into()))
            .await
    }
}

/// Files that are in their place, and that no row refers to yet. Dropping this removes them: the request was refused, or it
/// was cancelled.
#[derive(Debug)]
pub(crate) struct Kept {
    folder: Folder,
    keys: Vec<String>,
}

impl Kept {
    fn keep(&mut self, incoming: Incoming) -> io::Result<String> {
        let key = self.folder.keep(incoming)?;
        self.keys.push(key.clone());
        Ok(key)
    }

    fn keep_bytes(&mut self, bytes: &[u8]) -> io::Result<String> {
        let mut incoming = self.folder.begin()?;
        incoming.file.write_all(bytes)?;
        self.keep(incoming)
    }

    /// Leaves the files as they are, and names them.
    pub(crate) fn stay(mut self) -> (Folder, Vec<String>) {
        (self.folder.clone(), std::mem::take(&mut self.keys))
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let (folder, keys) = (self.folder.clone(), std::mem::take(&mut self.keys));
        if keys.is_empty() {
            return;
        }
        let remove = move || {
            if let Err(error) = keys.iter().try_for_each(|key| folder.remove(key)) {
                tracing::warn!(%error, "could not remove the file of a message that was not posted");
            }
        };
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn_blocking(remove)),
            Err(_) => remove(),
        }
    }
}

/// A stored file for a message.
pub(crate) type Stored = (NewFile, Kept);

/// Posts a message with a stored file. The file is removed again if the post fails or its `client_message_id` was used
/// before. Membership is checked here, since it may have changed during the upload.
pub(crate) async fn post(
    worker: &Rc<Worker>,
    user: UserId,
    room: RoomId,
    (file, kept): Stored,
    draft: impl FnOnce() -> Result<messages::Draft, Problem>,
) -> Result<Posted, Problem> {
    let draft = draft()?;
    worker.catch_up();
    RoomAccess::of(worker, room, user)?;
    let command = messages::post_file(worker, user, room, draft, file);
    Ok(commit(worker.writer.clone(), command, kept).await?)
}

/// Writes the message of a stored file, which is removed unless the message is posted. In a task of its own: if the caller is
/// cancelled meanwhile, only the writer's answer says whether the file is wanted.
pub(crate) async fn commit(
    writer: WriterHandle,
    command: PostMessage,
    kept: Kept,
) -> Result<Posted, WriteError> {
    let posting = tokio::task::spawn_local(async move {
        // Not removed when this task is dropped at a stop: the writer may commit the message all the same. A file without a
        // message is removed at the next start.
        let (folder, keys) = kept.stay();
        let posted = writer.write(command).await;
        let is_wanted = match &posted {
            Ok(posted) => posted.fresh,
            Err(error) => matches!(error, WriteError::Stopped),
        };
        if !is_wanted {
            drop(Kept { folder, keys });
        }
        posted
    });
    posting.await.unwrap_or(Err(WriteError::Stopped))
}

/// Stores a file of bytes in memory.
pub(crate) fn keep_bytes(folder: &Folder, bytes: &[u8], name: &str) -> io::Result<Stored> {
    let mut incoming = folder.begin()?;
    incoming.file.write_all(bytes)?;
    store(folder, incoming, filename(name), bytes.len() as u64, Sha256::digest(bytes).into())
}

/// Stores a file that is read, while no server runs.
/// `preview` reads a picture of it, for a format of which no thumbnail can be made.
pub(crate) fn keep(
    folder: &Folder,
    reader: &mut (impl io::Read + ?Sized),
    name: &str,
    preview: impl FnOnce() -> Option<Vec<u8>>,
) -> io::Result<Stored> {
    let mut incoming = folder.begin()?;
    let (mut hash, mut size) = (Sha256::new(), 0);
    let mut buffer = vec![0; WRITE_FROM];
    loop {
        let read = match reader.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        hash.update(&buffer[..read]);
        incoming.file.write_all(&buffer[..read])?;
        size += read as u64;
    }
    let (mut file, mut kept) = store(folder, incoming, filename(name), size, hash.finalize().into())?;
    if file.thumbnail.is_none()
        && !file.is_own_thumbnail
        && let Some(preview) = preview()
        && let Some((picture, size)) = std::panic::catch_unwind(|| picture::poster(&preview)).ok().flatten()
    {
        file.thumbnail = Some((kept.keep_bytes(&picture.bytes)?, picture.content_type));
        (file.width, file.height) = (file.width.or(Some(size.0)), file.height.or(Some(size.1)));
    }
    Ok((file, kept))
}

/// Detects the type of a file, makes its thumbnail, and stores both.
fn store(
    folder: &Folder,
    incoming: Incoming,
    filename: String,
    size: u64,
    sha256: [u8; 32],
) -> io::Result<Stored> {
    let mut head = vec![0; picture::SNIFFED.min(size as usize)];
    incoming.file.read_exact_at(&mut head, 0)?;
    let mut content_type = picture::sniff(&head);
    let mut input = io::BufReader::with_capacity(READ_AT_ONCE, &incoming.file);
    io::Seek::rewind(&mut input)?;
    let mut looked = picture::Looked::default();
    let mut duration_s = None;
    if content_type.starts_with("image/") {
        looked = picture::look(&mut input, size, content_type);
    } else if content_type.starts_with("video/") || content_type.starts_with("audio/") {
        let film = duration::film(&mut input, size, content_type);
        duration_s = film.duration_s;
        (looked.width, looked.height) = film.size.unzip();
        content_type = match content_type {
            "video/mp4" if film.is_sound_only => "audio/mp4",
            "video/webm" if film.is_sound_only => "audio/webm",
            other => other,
        };
    }
    let mut kept = Kept { folder: folder.clone(), keys: Vec::new() };
    let is_own_thumbnail = matches!(looked.thumbnail, Thumbnail::Itself);
    let thumbnail = match looked.thumbnail {
        Thumbnail::Made(picture) => Some((kept.keep_bytes(&picture.bytes)?, picture.content_type)),
        Thumbnail::Itself | Thumbnail::None => None,
    };
    let file = NewFile {
        key: kept.keep(incoming)?,
        filename,
        content_type: content_type.to_owned(),
        byte_size: size,
        sha256,
        width: looked.width,
        height: looked.height,
        duration_s,
        is_animated: looked.is_animated,
        thumbnail,
        is_own_thumbnail,
    };
    Ok((file, kept))
}

/// Makes the thumbnail of a film from a picture that the client took of it. 422 if it is none; other files than films are left
/// as they are.
pub(crate) async fn add_poster(worker: &Worker, stored: Stored, poster: Vec<u8>) -> Result<Stored, Problem> {
    let (mut file, mut kept) = stored;
    if !file.content_type.starts_with("video/") {
        return Ok((file, kept));
    }
    // The semaphore is never closed.
    let _turn = worker.shared.imaging.acquire().await;
    let made = move || {
        let Some((picture, size)) = std::panic::catch_unwind(|| picture::poster(&poster)).ok().flatten()
        else {
            return Ok(None);
        };
        file.thumbnail = Some((kept.keep_bytes(&picture.bytes)?, picture.content_type));
        (file.width, file.height) = (file.width.or(Some(size.0)), file.height.or(Some(size.1)));
        Ok(Some((file, kept)))
    };
    run_blocking(made).await?.ok_or_else(|| Problem::invalid_field("poster", "is no PNG, JPEG, GIF or WebP"))
}

/// A file name without directories, control characters and surrounding white space; `file` if nothing is left.
fn filename(given: &str) -> String {
    let name = given.rsplit(['/', '\\']).next().unwrap_or_default();
    let name: String = name.chars().filter(|c| !c.is_control()).take(MAX_FILENAME).collect();
    let name = name.trim().trim_matches('\u{202e}');
    if name.is_empty() || name.bytes().all(|byte| byte == b'.') { "file".to_owned() } else { name.to_owned() }
}

/// Runs work on the disk or on pictures on a thread of the blocking pool.
pub(crate) async fn run_blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, Problem> {
    match tokio::task::spawn_blocking(work).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err(error.into()),
        Err(_) => Err(Problem::internal()),
    }
}

#[cfg(test)]
mod tests {
    use super::filename;

    #[test]
    fn filename_loses_its_folders_and_nothing_else() {
        assert_eq!(filename("C:\\Users\\ana\\Grüße aus Łódź.png"), "Grüße aus Łódź.png");
        assert_eq!(filename("../../etc/passwd"), "passwd");
        assert_eq!(filename(".."), "file");
        assert_eq!(filename("a\r\nb\0.txt"), "ab.txt");
        assert_eq!(filename(""), "file");
    }
}
