//! The export: all data of the account as newline-delimited JSON, one object per line with its `type` first.

use std::{
    io,
    time::{Duration, Instant},
};

use bytes::Bytes;
use hyper::{
    StatusCode,
    header::{self, HeaderValue},
};
use serde_json::json;
use tokio::sync::{
    Semaphore,
    mpsc::{self, OwnedPermit, Receiver, Sender, error::TrySendError},
};

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

/// Lines, or why there are no more.
type Chunk = io::Result<Bytes>;

/// How long a client may take to receive one of them; then the export is broken off.
const CHUNK_WITHIN: Duration = Duration::from_secs(60);

/// Between two attempts to queue a chunk; it doubles up to the other one.
const RETRY_FROM: Duration = Duration::from_millis(1);
const RETRY_UP_TO: Duration = Duration::from_millis(50);

/// Exports at once, each with a thread and a database connection of its own; 503 beyond.
static EXPORTS: Semaphore = Semaphore::const_new(2);

/// Messages read in one query.
const BATCH: usize = 500;

pub(crate) fn show(call: &Call, _: &Admin) -> Response {
    let permit = EXPORTS.try_acquire().map_err(|_| Problem::overloaded())?;
    // It only reads, so it needs no migration: the server has made it.
    let data = DataDir::look(&call.worker.config().data).map_err(|error| {
        tracing::error!(%error, "an export could not begin");
        Problem::internal()
    })?;
    let (chunks, last, body) = channel().ok_or_else(Problem::internal)?;
    // It takes as long as the client takes to receive it.
    let thread = std::thread::Builder::new().name("export".into()).spawn(move || {
        let _permit = permit;
        let mut buffer = Vec::with_capacity(2 * CHUNK);
        let mut send = |line: &[u8]| {
            buffer.extend_from_slice(line);
            if buffer.len() < CHUNK && !line.is_empty() {
                return Ok(());
            }
            queue(&chunks, Bytes::from(std::mem::take(&mut buffer)))
        };
        let written =
            Reader::open(&data).map_err(io::Error::other).and_then(|reader| write(&reader, &mut send));
        if let Err(error) = written {
            tracing::warn!(%error, "an export ended early");
            // Breaks the response off, so that it does not look complete.
            last.send(Err(error));
        }
    });
    thread.map_err(Problem::from)?;
    let kind = HeaderValue::from_static("application/x-ndjson");
    Ok(Reply::streamed(StatusCode::OK, Body::Lines(body), kind).with(
        header::CONTENT_DISPOSITION,
        HeaderValue::from_static("attachment; filename=\"campfire-export.ndjson\""),
    ))
}

/// A channel of chunks, with a place in it for the error at the end: a client that takes nothing leaves no other one.
fn channel() -> Option<(Sender<Chunk>, OwnedPermit<Chunk>, Receiver<Chunk>)> {
    let (chunks, body) = mpsc::channel(MAX_QUEUED + 1);
    let last = chunks.clone().try_reserve_owned().ok()?;
    Some((chunks, last, body))
}

/// Queues a chunk for the client. An error if it disconnects, or is too slow.
fn queue(chunks: &Sender<Chunk>, chunk: Bytes) -> io::Result<()> {
    let (began, mut pause, mut chunk) = (Instant::now(), RETRY_FROM, Ok(chunk));
    loop {
        chunk = match chunks.try_send(chunk) {
            Ok(()) => return Ok(()),
            Err(TrySendError::Closed(_)) => return Err(io::ErrorKind::BrokenPipe.into()),
            Err(TrySendError::Full(_)) if began.elapsed() > CHUNK_WITHIN => {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "the client is too slow"));
            }
            Err(TrySendError::Full(chunk)) => chunk,
        };
        std::thread::sleep(pause);
        pause = (2 * pause).min(RETRY_UP_TO);
    }
}

/// Sends an export line by line. The last line has the number of those before it; an empty slice follows, which stands for
/// the end.
pub(crate) fn write(reader: &Reader, send: &mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
    let mut lines: u64 = 0;
    let mut line = |kind: &str, object: &[u8], file: Option<&str>| {
        lines += 1;
        send(&export_line(kind, object, file))
    };
    let state = reader.state().map_err(io::Error::other)?;
    if let Some(account) = &state.account {
        line("account", json!(account.private()).to_string().as_bytes(), None)?;
    }
    let mut users: Vec<_> = state.users.values().collect();
    users.sort_unstable_by_key(|user| user.id);
    for user in users {
        line("user", json!(user.private()).to_string().as_bytes(), None)?;
    }
    for room in rooms(&state) {
        line("room", json!(room).to_string().as_bytes(), None)?;
    }
    let mut after = MessageId(0);
    loop {
        let messages = reader.messages_after(after, BATCH).map_err(io::Error::other)?;
        for (id, json, key) in &messages {
            after = *id;
            // The path of its file in the data directory.
            let file = key.as_ref().map(|key| format!("files/{}/{key}", &key[..2]));
            line("message", json, file.as_deref())?;
        }
        if messages.is_empty() {
            break;
        }
    }
    let end = json!({ "lines": lines }).to_string();
    send(&export_line("end", end.as_bytes(), None))?;
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Over HTTP/2 the connection of a client that takes nothing stays open.
    #[test]
    fn error_is_sent_to_a_client_that_takes_nothing() {
        let (chunks, last, mut body) = channel().unwrap();
        for _ in 0..MAX_QUEUED {
            queue(&chunks, Bytes::from_static(b"{}\n")).unwrap();
        }
        assert!(matches!(chunks.try_send(Ok(Bytes::new())), Err(TrySendError::Full(_))));
        last.send(Err(io::ErrorKind::TimedOut.into()));
        drop(chunks);
        for _ in 0..MAX_QUEUED {
            assert!(body.blocking_recv().unwrap().is_ok());
        }
        assert!(body.blocking_recv().unwrap().is_err());
        assert!(body.blocking_recv().is_none());
    }
}
