//! The export: all data of the account as newline-delimited JSON, one object per line with its `type` first.

use std::io;

use bytes::Bytes;
use hyper::{
    StatusCode,
    header::{self, HeaderValue},
};
use serde_json::json;
use tokio::sync::mpsc;

use super::{body::Body, request::Call, response::Reply, router::Response};
use crate::{
    chat::Admin,
    store::{DataDir, Reader, RoomState, State},
    types::MessageId,
    wire::{Problem, RoomView, export_line},
};

/// Lines are sent in chunks of about so many bytes, of which [`MAX_QUEUED`] may wait for a slow client.
const CHUNK: usize = 64 << 10;
const MAX_QUEUED: usize = 4;

/// Messages read in one query.
const BATCH: usize = 500;

pub(crate) fn show(call: &Call, _: &Admin) -> Response {
    let data = DataDir::visit(&call.worker.config().data).map_err(|error| {
        tracing::error!(%error, "an export could not begin");
        Problem::internal()
    })?;
    let (chunks, body) = mpsc::channel(MAX_QUEUED);
    // A thread and a database connection of its own, since it takes as long as the client takes to receive it.
    let thread = std::thread::Builder::new().name("export".into()).spawn(move || {
        let reader = match Reader::open(&data) {
            Ok(reader) => reader,
            Err(error) => return tracing::error!(%error, "an export could not begin"),
        };
        let mut buffer = Vec::with_capacity(2 * CHUNK);
        let mut send = |line: &[u8]| {
            buffer.extend_from_slice(line);
            if buffer.len() < CHUNK && !line.is_empty() {
                return Ok(());
            }
            // Fails when the client has disconnected.
            chunks.blocking_send(Bytes::from(std::mem::take(&mut buffer))).map_err(io::Error::other)
        };
        if let Err(error) = write(&reader, &mut send) {
            tracing::info!(%error, "an export ended early");
        }
    });
    thread.map_err(Problem::from)?;
    let kind = HeaderValue::from_static("application/x-ndjson");
    Ok(Reply::streamed(StatusCode::OK, Body::Lines(body), kind).with(
        header::CONTENT_DISPOSITION,
        HeaderValue::from_static("attachment; filename=\"campfire-export.ndjson\""),
    ))
}

/// Sends an export line by line, then an empty slice, which stands for the end.
pub(crate) fn write(reader: &Reader, send: &mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
    let state = reader.state().map_err(io::Error::other)?;
    if let Some(account) = &state.account {
        send(&export_line("account", json!(account.private()).to_string().as_bytes(), None))?;
    }
    let mut users: Vec<_> = state.users.values().collect();
    users.sort_unstable_by_key(|user| user.id);
    for user in users {
        send(&export_line("user", json!(user.private()).to_string().as_bytes(), None))?;
    }
    for room in rooms(&state) {
        send(&export_line("room", json!(room).to_string().as_bytes(), None))?;
    }
    let mut after = MessageId(0);
    loop {
        let messages = reader.messages_after(after, BATCH).map_err(io::Error::other)?;
        for (id, json, key) in &messages {
            after = *id;
            // The path of its file in the data directory.
            let file = key.as_ref().map(|key| format!("files/{}/{key}", &key[..2]));
            send(&export_line("message", json, file.as_deref()))?;
        }
        if messages.len() < BATCH {
            break;
        }
    }
    send(b"")
}

/// All rooms, with the ids of their members.
fn rooms(state: &State) -> Vec<RoomView<'_>> {
    let mut rooms: Vec<_> = state.rooms.values().collect();
    rooms.sort_unstable_by_key(|found| found.room.id);
    let view = |found| {
        let RoomState { room, last_message, members, .. }: &RoomState = found;
        RoomView {
            room,
            last_message_id: *last_message,
            member_count: members.len(),
            member_ids: Some(found.member_ids()),
            membership: None,
        }
    };
    rooms.into_iter().map(view).collect()
}
