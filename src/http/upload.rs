//! Uploads: multipart bodies (RFC 7578), streamed to the disk.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyStream;
use hyper::body::{Body as _, Incoming};
use multer::{Field, Multipart};

use super::{request::Call, response::Reply, router::ResponseFuture};
use crate::{
    chat::{
        RoomAccess, Viewer,
        files::{self, Upload},
        messages::Draft,
    },
    store::{NewFile, Posted},
    types::{RoomId, UserId},
    wire::{Form, Problem},
};

/// Bytes of each field beside the file; the text of a message is the longest.
const MAX_FIELD: usize = 128 << 10;

/// Bytes that multipart adds to a file, at most.
const MAX_FRAMING: u64 = 1 << 20;

/// A received form: the stored file, and the other fields.
struct Received {
    file: NewFile,
    texts: serde_json::Map<String, serde_json::Value>,
}

pub(crate) fn create(call: Call, viewer: Viewer, body: Incoming) -> ResponseFuture {
    Box::pin(async move {
        let room = RoomId(call.id(0)?);
        RoomAccess::of(&call.worker, room, viewer.user)?;
        Ok(Reply::posted(receive_message(&call, viewer.user, room, body).await?))
    })
}

/// Receives a file and posts it as a message. 408, 413, 415, 422, 429 or 507 on errors.
pub(crate) async fn receive_message(
    call: &Call,
    user: UserId,
    room: RoomId,
    body: Incoming,
) -> Result<Posted, Problem> {
    call.worker.shared.limits.post(user).map_err(Problem::rate_limited)?;
    let Received { file, mut texts } = receive(call, body).await?;
    files::post(&call.worker, user, room, file, || {
        if let Some(id) = texts.get("reply_to_id").and_then(|id| id.as_str()?.parse::<i64>().ok()) {
            texts.insert("reply_to_id".into(), id.into());
        }
        let mut form = Form::of(texts);
        let draft = Draft::take_beside_file(&mut form);
        form.finish()?;
        Ok(draft)
    })
    .await
}

async fn receive(call: &Call, body: Incoming) -> Result<Received, Problem> {
    let boundary = multer::parse_boundary(call.content_type()).map_err(|_| Problem::not_multipart())?;
    let limit = call.worker.config().upload_limit;
    if body.size_hint().lower() > limit + MAX_FRAMING {
        return Err(Problem::file_too_large(limit));
    }
    let stream = BodyStream::new(body);
    let mut form = Multipart::new(FramesOf(stream), boundary);
    let mut file = None;
    let mut texts = serde_json::Map::new();
    let timeout = call.worker.config().body_timeout;
    while let Some(mut field) = next_field(&mut form, timeout).await? {
        let name = field.name().unwrap_or_default().to_owned();
        match name.as_str() {
            "file" | "attachment" if file.is_none() => {
                let name = field.file_name().unwrap_or_default().to_owned();
                let mut upload = Upload::begin(&call.worker, &name, limit).await?;
                while let Some(chunk) = next_chunk(&mut field, timeout).await? {
                    upload.write(&chunk).await?;
                }
                file = Some(upload.finish(&call.worker).await?);
            }
            "content" | "client_message_id" | "reply_to_id" => {
                let mut text = BytesMut::new();
                while let Some(chunk) = next_chunk(&mut field, timeout).await? {
                    if text.len() + chunk.len() > MAX_FIELD {
                        return Err(Problem::too_large(MAX_FIELD));
                    }
                    text.extend_from_slice(&chunk);
                }
                let text = String::from_utf8(text.to_vec())
                    .map_err(|_| Problem::malformed(format!("`{name}` is not UTF-8.")))?;
                texts.insert(name, text.into());
            }
            // Unknown fields are ignored, as in JSON.
            _ => while next_chunk(&mut field, timeout).await?.is_some() {},
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

/// Bounds the time of each read, not of the whole body: a slow upload continues, a stalled one ends with 408.
async fn with_timeout<T>(
    timeout: Duration,
    next: impl Future<Output = multer::Result<T>>,
) -> Result<T, Problem> {
    match tokio::time::timeout(timeout, next).await {
        Err(_) => Err(Problem::timeout()),
        Ok(next) => {
            next.map_err(|error| Problem::malformed(format!("The multipart body is not valid: {error}.")))
        }
    }
}

async fn next_field<'a>(form: &mut Multipart<'a>, timeout: Duration) -> Result<Option<Field<'a>>, Problem> {
    with_timeout(timeout, form.next_field()).await
}

async fn next_chunk(field: &mut Field<'_>, timeout: Duration) -> Result<Option<Bytes>, Problem> {
    with_timeout(timeout, field.chunk()).await
}
