//! Files on their way in: multipart bodies, streamed to the disk as they come.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyStream;
use hyper::{
    body::{Body as _, Incoming},
    header,
};
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

/// The fields beside the file, in bytes each: the longest text, and then some.
const MAX_FIELD: usize = 128 << 10;

/// What multipart itself adds to a file and its fields.
const MAX_FRAMING: u64 = 1 << 20;

/// What came with a form: the file, and the texts beside it.
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

/// Takes a file in and posts it.
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
                let name = field.file_name().unwrap_or_default().to_owned();
                let mut upload = Upload::begin(&call.worker, &name, limit).await?;
                while let Some(chunk) = next_chunk(&mut field, patience).await? {
                    upload.write(&chunk).await?;
                }
                file = Some(upload.finish(&call.worker).await?);
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
