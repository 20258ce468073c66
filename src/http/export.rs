//! Everything that the account has, as newline-delimited JSON: one object a line, its `type` first.

use std::io;

use bytes::Bytes;
use hyper::{
    StatusCode,
    header::{self, HeaderValue},
};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::{
    body::Body,
    problem::Problem,
    request::{Admin, Call},
    response::Reply,
    router::Answer,
};
use crate::{
    state::State,
    store::{DataDir, Reader},
    types::{MessageId, RoomView},
};

/// Lines are handed on in pieces of about this size, so many of which may wait for a slow reader.
const PIECE: usize = 64 << 10;
const WAITING: usize = 4;

/// Messages read at once.
const STEP: usize = 500;

pub(crate) fn show(call: &Call, _: &Admin) -> Answer {
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
    let mut line = |kind: &str, value: Value| {
        let mut line = format!(r#"{{"type":"{kind}","{kind}":{value}"#).into_bytes();
        line.extend_from_slice(b"}\n");
        pass_on(&line)
    };
    if let Some(account) = &state.account {
        line("account", json!(account.private()))?;
    }
    let mut users: Vec<_> = state.users.values().collect();
    users.sort_unstable_by_key(|user| user.id);
    for user in users {
        line("user", json!(user.private()))?;
    }
    for room in rooms(&state) {
        line("room", room)?;
    }
    let mut after = MessageId(0);
    loop {
        let messages = reader.messages_after(after, STEP).map_err(io::Error::other)?;
        for (id, json, key) in &messages {
            after = *id;
            let mut line = br#"{"type":"message","message":"#.to_vec();
            line.extend_from_slice(json);
            if let Some(key) = key {
                // Where its file lies in the data directory.
                line.extend_from_slice(format!(r#","file":"files/{}/{key}""#, &key[..2]).as_bytes());
            }
            line.extend_from_slice(b"}\n");
            pass_on(&line)?;
        }
        if messages.len() < STEP {
            break;
        }
    }
    pass_on(b"")
}

/// Rooms with who is in them.
fn rooms(state: &State) -> Vec<Value> {
    let mut rooms: Vec<_> = state.rooms.values().collect();
    rooms.sort_unstable_by_key(|found| found.room.id);
    let view = |found: &&crate::state::RoomState| {
        let mut member_ids: Vec<_> = found.members.keys().copied().collect();
        member_ids.sort_unstable();
        json!(RoomView {
            room: &found.room,
            last_message_id: found.last_message,
            member_count: member_ids.len(),
            member_ids: Some(member_ids),
            membership: None,
        })
    };
    rooms.iter().map(view).collect()
}
