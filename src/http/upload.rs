//! Uploads: multipart bodies (RFC 7578), streamed to the disk.

use bytes::BytesMut;

use super::{
    incoming::{RequestBody, reserve},
    multipart::{Multipart, Part},
    request::Call,
    response::Reply,
    router::ResponseFuture,
};
use crate::{
    chat::{
        RoomAccess, Viewer, bots, disk,
        files::{self, Stored, Upload},
        messages::Draft,
    },
    store::Posted,
    types::{RoomId, UserId},
    wire::{Form, Problem},
};

/// Bytes of each field beside the file; the text of a message is the longest.
const MAX_FIELD: usize = 128 << 10;

/// Bytes of all fields together that are not known.
const MAX_OTHERS: usize = 256 << 10;

/// Bytes that multipart and the other fields add to a file, at most.
const MAX_FRAMING: u64 = 1 << 20;

/// Memory that an upload takes: what is gathered for one write, a frame of the body, the texts.
const MEMORY: usize = 512 << 10;

/// A received form: the stored file, and the other fields.
struct Received {
    file: Stored,
    texts: serde_json::Map<String, serde_json::Value>,
}

pub(crate) fn create(call: Call, viewer: Viewer, body: RequestBody) -> ResponseFuture {
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
    body: RequestBody,
) -> Result<Posted, Problem> {
    disk::check_room(&call.worker)?;
    bots::count_post(&call.worker, user)?;
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

async fn receive(call: &Call, body: RequestBody) -> Result<Received, Problem> {
    let (limit, timeout) = (call.worker.config().upload_limit, call.worker.config().body_timeout);
    let claimed = body.claimed();
    let mut form = Multipart::new(body, call.content_type(), timeout)?;
    if claimed > limit + MAX_FRAMING {
        return Err(Problem::file_too_large(limit));
    }
    let _memory = reserve(call, MEMORY)?;
    let mut file = None;
    let mut poster: Option<(Vec<u8>, _)> = None;
    let mut texts = serde_json::Map::new();
    let mut others = 0;
    while let Some(Part { name, filename }) = form.next_part().await? {
        match name.as_str() {
            "file" | "attachment" => {
                if file.is_some() {
                    return Err(Problem::invalid_field("file", "is there twice; a message has one file"));
                }
                let mut upload =
                    Upload::begin(&call.worker, filename.as_deref().unwrap_or_default(), limit).await?;
                while let Some(chunk) = form.chunk().await? {
                    upload.write(&chunk).await?;
                }
                file = Some(upload.finish(&call.worker).await?);
            }
            "content" | "client_message_id" | "reply_to_id" => {
                let mut text = BytesMut::new();
                while let Some(chunk) = form.chunk().await? {
                    if text.len() + chunk.len() > MAX_FIELD {
                        return Err(Problem::part_too_large("a text field", MAX_FIELD));
                    }
                    text.extend_from_slice(&chunk);
                }
                let text = String::from_utf8(text.to_vec())
                    .map_err(|_| Problem::malformed(format!("`{name}` is not UTF-8.")))?;
                texts.insert(name, text.into());
            }
            "poster" => {
                if poster.is_some() {
                    return Err(Problem::invalid_field("poster", "is there twice"));
                }
                let mut held = reserve(call, 0)?;
                let mut bytes = Vec::new();
                while let Some(chunk) = form.chunk().await? {
                    if bytes.len() + chunk.len() > files::MAX_POSTER {
                        return Err(Problem::part_too_large("a poster", files::MAX_POSTER));
                    }
                    held.grow(chunk.len()).map_err(|_| Problem::overloaded())?;
                    bytes.extend_from_slice(&chunk);
                }
                poster = Some((bytes, held));
            }
            // Unknown fields are ignored, as in JSON.
            _ => {
                while let Some(chunk) = form.chunk().await? {
                    others += chunk.len();
                    if others > MAX_OTHERS {
                        return Err(Problem::part_too_large("what is in unknown fields", MAX_OTHERS));
                    }
                }
            }
        }
    }
    let mut file = file.ok_or_else(|| Problem::invalid_field("file", "is missing"))?;
    if let Some((poster, _held)) = poster {
        file = files::add_poster(&call.worker, file, poster).await?;
    }
    Ok(Received { file, texts })
}
