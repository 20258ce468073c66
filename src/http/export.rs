//! Everything that the account has, as newline-delimited JSON: one object a line, its `type` first.

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

/// Lines are handed on in pieces of about this size, so many of which may wait for a slow reader.
const PIECE: usize = 64 << 10;
const WAITING: usize = 4;

/// Messages read at once.
const STEP: usize = 500;

pub(crate) fn show(call: &Call, _: &Admin) -> Response {
    let data = DataDir::visit(&call.worker.config().data).map_err(|error| {
        tracing::error!(%error, "an export could not begin");
        Problem::internal()
    })?;
    let (pieces, body) = mpsc::channel(WAITING);
    // A thread of its own with a connection of its own: it takes as long as its reader does, and holds up nobody.
    let thread = std::thread::Builder::new().name("export".into()).spawn(move || {
        let reader = match Reader::open(&data) {
            Ok(reader) => reader,
            Err(error) => return tracing::error!(%error, "an export could not begin"),
        };
        let mut gathered = Vec::with_capacity(2 * PIECE);
        let mut pass_on = |line: &[u8]| {
            gathered.extend_from_slice(line);
            if gathered.len() < PIECE && !line.is_empty() {
                return Ok(());
            }
            // An error: the reader has gone away.
            pieces.blocking_send(Bytes::from(std::mem::take(&mut gathered))).map_err(io::Error::other)
        };
        if let Err(error) = write(&reader, &mut pass_on) {
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

/// Writes an export line by line; an empty line at the end says that all is said.
pub(crate) fn write(reader: &Reader, pass_on: &mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
    let state = reader.state().map_err(io::Error::other)?;
    if let Some(account) = &state.account {
        pass_on(&export_line("account", json!(account.private()).to_string().as_bytes(), None))?;
    }
    let mut users: Vec<_> = state.users.values().collect();
    users.sort_unstable_by_key(|user| user.id);
    for user in users {
        pass_on(&export_line("user", json!(user.private()).to_string().as_bytes(), None))?;
    }
    for room in rooms(&state) {
        pass_on(&export_line("room", json!(room).to_string().as_bytes(), None))?;
    }
    let mut after = MessageId(0);
    loop {
        let messages = reader.messages_after(after, STEP).map_err(io::Error::other)?;
        for (id, json, key) in &messages {
            after = *id;
            // Where its file lies in the data directory.
            let file = key.as_ref().map(|key| format!("files/{}/{key}", &key[..2]));
            pass_on(&export_line("message", json, file.as_deref()))?;
        }
        if messages.len() < STEP {
            break;
        }
    }
    pass_on(b"")
}

/// Rooms with who is in them.
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
