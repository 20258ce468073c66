//! Files: how they are named, recognised and put in their place; a message's file is posted or removed with it.

use std::{io, io::Write, os::unix::fs::FileExt};

use bytes::BytesMut;
use sha2::{Digest, Sha256};

use super::{RoomAccess, messages};
use crate::{
    media::picture,
    store::{Folder, Incoming, NewFile, Posted},
    types::{RoomId, UserId},
    wire::Problem,
    worker::Worker,
};

/// Bytes gathered before they are written.
const WRITE_FROM: usize = 256 << 10;

/// Characters of a file's name.
const MAX_FILENAME: usize = 255;

/// Bytes of a picture; larger ones are kept as they are, without a thumbnail.
const MAX_PICTURE: u64 = 64 << 20;

/// A file that comes in, in pieces.
pub(crate) struct Upload {
    folder: Folder,
    filename: String,
    limit: u64,
    size: u64,
    gathered: BytesMut,
    /// None only while a piece is being written.
    open: Option<(Incoming, Sha256)>,
}

impl Upload {
    /// Begins a file of at most `limit` bytes; `name` is what its sender calls it.
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
        // A write that failed leaves nothing to go on with.
        let (mut incoming, mut hash) = self.open.take().ok_or_else(Problem::internal)?;
        let open = run_blocking(move || {
            hash.update(&bytes);
            incoming.file.write_all(&bytes).map(|()| (incoming, hash))
        });
        self.open = Some(open.await?);
        Ok(())
    }

    /// Puts it in its place once it is whole.
    pub(crate) async fn finish(mut self, worker: &Worker) -> Result<NewFile, Problem> {
        self.flush().await?;
        if self.size == 0 {
            return Err(Problem::invalid_field("file", "is empty"));
        }
        let (incoming, hash) = self.open.take().ok_or_else(Problem::internal)?;
        // Decoding takes memory and a core: a few at a time. The semaphore is never closed.
        let _turn = worker.shared.imaging.acquire().await;
        run_blocking(move || keep(&self.folder, incoming, self.filename, self.size, hash.finalize().into()))
            .await
    }
}

/// Posts a file that lies in its place already. Refused, or posted before, the file is removed again.
pub(crate) async fn post(
    worker: &Worker,
    user: UserId,
    room: RoomId,
    file: NewFile,
    draft: impl FnOnce() -> Result<messages::Draft, Problem>,
) -> Result<Posted, Problem> {
    let keys: Vec<String> = [Some(&file.key), file.thumbnail.as_ref().map(|(key, _)| key)]
        .into_iter()
        .flatten()
        .cloned()
        .collect();
    let posted = async {
        let draft = draft()?;
        worker.catch_up();
        RoomAccess::of(worker, room, user)?;
        Ok(worker.writer.write(messages::post_file(worker, user, room, draft, file)).await?)
    };
    let posted: Result<_, Problem> = posted.await;
    if posted.as_ref().map_or(true, |posted| !posted.fresh) {
        let folder = worker.shared.folder.clone();
        tokio::task::spawn_blocking(move || keys.iter().try_for_each(|key| folder.remove(key)));
    }
    posted
}

/// Puts bytes that are in memory where uploads lie.
pub(crate) fn keep_bytes(folder: &Folder, bytes: &[u8], name: &str) -> io::Result<NewFile> {
    let mut incoming = folder.begin()?;
    incoming.file.write_all(bytes)?;
    keep(folder, incoming, filename(name), bytes.len() as u64, Sha256::digest(bytes).into())
}

/// Finds out what a file is, makes its thumbnail, and puts both in their places.
fn keep(
    folder: &Folder,
    incoming: Incoming,
    filename: String,
    size: u64,
    sha256: [u8; 32],
) -> io::Result<NewFile> {
    let mut head = vec![0; picture::SNIFFED.min(size as usize)];
    incoming.file.read_exact_at(&mut head, 0)?;
    let content_type = picture::sniff(&head);
    let mut looked = picture::Looked::default();
    if content_type.starts_with("image/") && size <= MAX_PICTURE {
        let mut bytes = vec![0; size as usize];
        incoming.file.read_exact_at(&mut bytes, 0)?;
        // A decoder that trips over a hostile picture takes nobody else down.
        looked = std::panic::catch_unwind(|| picture::look(&bytes)).unwrap_or_default();
    }
    let thumbnail = match looked.thumbnail {
        Some(picture) => {
            let mut small = folder.begin()?;
            small.file.write_all(&picture.bytes)?;
            Some((folder.keep(small)?, picture.content_type))
        }
        None => None,
    };
    Ok(NewFile {
        key: folder.keep(incoming)?,
        filename,
        content_type: content_type.to_owned(),
        byte_size: size,
        sha256,
        width: looked.width,
        height: looked.height,
        duration_s: None,
        thumbnail,
    })
}

/// A name without the folders that some clients put before it, and without what no file system likes.
fn filename(given: &str) -> String {
    let name = given.rsplit(['/', '\\']).next().unwrap_or_default();
    let name: String = name.chars().filter(|c| !c.is_control()).take(MAX_FILENAME).collect();
    let name = name.trim().trim_matches('\u{202e}');
    if name.is_empty() || name.bytes().all(|byte| byte == b'.') { "file".to_owned() } else { name.to_owned() }
}

/// Work on the disk or on pictures, off the worker's thread.
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
