//! Files on their way in: multipart bodies, streamed to the disk as they come.

use std::{io::Write, time::Duration};

use bytes::{Bytes, BytesMut};
use http_body_util::BodyStream;
use hyper::{
    StatusCode,
    body::{Body as _, Incoming},
    header,
};
use multer::{Field, Multipart};
use sha2::{Digest, Sha256};

use super::{
    form::Form,
    messages::{Draft, post_file},
    problem::Problem,
    request::{Call, RoomAccess, Viewer},
    response::Reply,
    router::Later,
};
use crate::{
    picture,
    store::{Folder, NewFile},
    types::{RoomId, UserId},
    worker::Worker,
};

/// Bytes gathered before they are written.
const WRITE_FROM: usize = 256 << 10;

/// The fields beside the file, in bytes each: the longest text, and then some.
const MAX_FIELD: usize = 128 << 10;

/// What multipart itself adds to a file and its fields.
const MAX_FRAMING: u64 = 1 << 20;

/// Characters of a file's name.
const MAX_FILENAME: usize = 255;

/// Pictures larger than this are kept as they are, without a thumbnail.
const MAX_PICTURE: u64 = 64 << 20;

/// What came with a form: the file, and the texts beside it.
struct Received {
    file: NewFile,
    texts: serde_json::Map<String, serde_json::Value>,
}

pub(crate) fn create(call: Call, viewer: Viewer, body: Incoming) -> Later {
    Box::pin(async move {
        let room = RoomId(call.id(0)?);
        RoomAccess::of(&call.worker, room, viewer.user)?;
        let (status, json) = receive_message(&call, viewer.user, room, body).await?;
        Ok(Reply::written_bytes(status, json))
    })
}

/// Takes a file in and posts it.
pub(crate) async fn receive_message(
    call: &Call,
    user: UserId,
    room: RoomId,
    body: Incoming,
) -> Result<(StatusCode, Bytes), Problem> {
    let worker = &call.worker;
    worker.shared.limits.post(user).map_err(Problem::rate_limited)?;
    let Received { file, mut texts } = receive(call, body).await?;
    let keys: Vec<String> = [Some(&file.key), file.thumbnail.as_ref().map(|(key, _)| key)]
        .into_iter()
        .flatten()
        .cloned()
        .collect();
    let posted = async {
        if let Some(id) = texts.get("reply_to_id").and_then(|id| id.as_str()?.parse::<i64>().ok()) {
            texts.insert("reply_to_id".into(), id.into());
        }
        let mut form = Form::of(texts);
        let draft = Draft::beside_a_file(&mut form);
        form.finish()?;
        worker.catch_up();
        RoomAccess::of(worker, room, user)?;
        Ok(worker.writer.write(post_file(worker, user, room, draft, file)).await?)
    };
    let posted: Result<_, Problem> = posted.await;
    // Refused, or there already: the file is nobody's.
    if posted.as_ref().map_or(true, |posted| !posted.fresh) {
        let folder = worker.shared.folder.clone();
        tokio::task::spawn_blocking(move || keys.iter().try_for_each(|key| folder.remove(key)));
    }
    let posted = posted?;
    Ok((if posted.fresh { StatusCode::CREATED } else { StatusCode::OK }, posted.json))
}

async fn receive(call: &Call, body: Incoming) -> Result<Received, Problem> {
    let content_type =
        call.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let boundary = multer::parse_boundary(content_type).map_err(|_| Problem::not_multipart())?;
    let limit = call.worker.config().upload_limit;
    if body.size_hint().lower() > limit + MAX_FRAMING {
        return Err(Problem::file_too_large(limit));
    }
    let stream = BodyStream::new(body);
    let mut form = Multipart::new(FramesOf(stream), boundary);
    let mut file = None;
    let mut texts = serde_json::Map::new();
    let patience = call.worker.config().body_timeout;
    while let Some(mut field) = next_field(&mut form, patience).await? {
        let name = field.name().unwrap_or_default().to_owned();
        match name.as_str() {
            "file" | "attachment" if file.is_none() => {
                file = Some(receive_file(&call.worker, &mut field, limit, patience).await?);
            }
            "content" | "client_message_id" | "reply_to_id" => {
                let mut text = BytesMut::new();
                while let Some(chunk) = next_chunk(&mut field, patience).await? {
                    if text.len() + chunk.len() > MAX_FIELD {
                        return Err(Problem::too_large(MAX_FIELD));
                    }
                    text.extend_from_slice(&chunk);
                }
                let text = String::from_utf8(text.to_vec())
                    .map_err(|_| Problem::malformed(format!("`{name}` is not UTF-8.")))?;
                texts.insert(name, text.into());
            }
            // Unknown fields are ignored, like anywhere.
            _ => while next_chunk(&mut field, patience).await?.is_some() {},
        }
    }
    let file = file.ok_or_else(|| Problem::invalid_field("file", "is missing"))?;
    Ok(Received { file, texts })
}

/// The data frames of a body as a stream of chunks.
struct FramesOf(BodyStream<Incoming>);

impl futures_core::Stream for FramesOf {
    type Item = Result<Bytes, hyper::Error>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        use std::task::Poll;
        loop {
            match std::task::ready!(std::pin::Pin::new(&mut self.0).poll_next(cx)) {
                None => return Poll::Ready(None),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        return Poll::Ready(Some(Ok(data)));
                    }
                }
            }
        }
    }
}

/// A body that stalls is given up; one that comes slowly but steadily is not.
async fn patiently<T>(
    patience: Duration,
    next: impl Future<Output = multer::Result<T>>,
) -> Result<T, Problem> {
    match tokio::time::timeout(patience, next).await {
        Err(_) => Err(Problem::timeout()),
        Ok(next) => {
            next.map_err(|error| Problem::malformed(format!("The multipart body is broken: {error}.")))
        }
    }
}

async fn next_field<'a>(form: &mut Multipart<'a>, patience: Duration) -> Result<Option<Field<'a>>, Problem> {
    patiently(patience, form.next_field()).await
}

async fn next_chunk(field: &mut Field<'_>, patience: Duration) -> Result<Option<Bytes>, Problem> {
    patiently(patience, field.chunk()).await
}

async fn receive_file(
    worker: &Worker,
    field: &mut Field<'_>,
    limit: u64,
    patience: Duration,
) -> Result<NewFile, Problem> {
    let filename = filename(field.file_name().unwrap_or_default());
    let folder = worker.shared.folder.clone();
    let mut incoming = aside({
        let folder = folder.clone();
        move || folder.begin()
    })
    .await?;
    let (mut size, mut gathered) = (0_u64, BytesMut::new());
    let mut hash = Sha256::new();
    loop {
        let chunk = next_chunk(field, patience).await?;
        if let Some(chunk) = &chunk {
            size += chunk.len() as u64;
            if size > limit {
                return Err(Problem::file_too_large(limit));
            }
            gathered.extend_from_slice(chunk);
        }
        if gathered.len() >= WRITE_FROM || chunk.is_none() {
            let bytes = gathered.split().freeze();
            (incoming, hash) = aside(move || {
                hash.update(&bytes);
                incoming.file.write_all(&bytes).map(|()| (incoming, hash))
            })
            .await?;
        }
        if chunk.is_none() {
            break;
        }
    }
    if size == 0 {
        return Err(Problem::invalid_field("file", "is empty"));
    }
    // Decoding takes memory and a core: a few at a time. The semaphore is never closed.
    let _turn = worker.shared.imaging.acquire().await;
    aside(move || settle(&folder, incoming, filename, size, hash.finalize().into())).await
}

/// Puts bytes that we have in memory where uploads lie.
pub(crate) fn keep_file(folder: &Folder, bytes: &[u8], name: &str) -> std::io::Result<NewFile> {
    let mut incoming = folder.begin()?;
    incoming.file.write_all(bytes)?;
    settle(folder, incoming, filename(name), bytes.len() as u64, Sha256::digest(bytes).into())
}

/// Finds out what a file is, makes its thumbnail, and puts both in their places.
fn settle(
    folder: &Folder,
    incoming: crate::store::Incoming,
    filename: String,
    size: u64,
    sha256: [u8; 32],
) -> std::io::Result<NewFile> {
    use std::os::unix::fs::FileExt;
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

/// Work on the disk, off the worker.
pub(crate) async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
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
    fn a_name_loses_its_folders_and_nothing_else() {
        assert_eq!(filename("C:\\Users\\ana\\Grüße aus Łódź.png"), "Grüße aus Łódź.png");
        assert_eq!(filename("../../etc/passwd"), "passwd");
        assert_eq!(filename(".."), "file");
        assert_eq!(filename("a\r\nb\0.txt"), "ab.txt");
        assert_eq!(filename(""), "file");
    }
}
