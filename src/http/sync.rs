//! Every durable event after a position.

use super::{
    problem::Problem,
    request::{Call, Viewer},
    response::Reply,
    router::Answer,
};
use crate::{
    frame,
    store::SyncChange,
    types::{RoomId, Seq},
};

/// Events in one answer; whoever wants more asks again from its `seq`.
const MAX_EVENTS: usize = 1_000;

pub(crate) fn show(call: &Call, viewer: &Viewer) -> Answer {
    let since = call.query().number("since")?.ok_or_else(|| Problem::malformed("`since` is missing."))?;
    let since = Seq(since);
    if since.0 < 0 {
        return Err(Problem::malformed("`since` has to be 0 or more."));
    }
    let (rooms, until) = {
        let state = call.worker.state.borrow();
        let is_newer = |room: &&RoomId| state.rooms.get(room).is_some_and(|found| found.version > since);
        let rooms: Vec<RoomId> = state.rooms_of(viewer.user).iter().filter(is_newer).copied().collect();
        (rooms, state.seq)
    };
    let events = call.worker.reader.within(super::READ_DEADLINE, |reader| {
        if since < reader.pruned_up_to()? {
            return Ok(None);
        }
        reader.sync(viewer.user, &rooms, since, until, MAX_EVENTS).map(Some)
    })?;
    let Some(events) = events else {
        return Err(Problem::gone("Events that old are no longer kept: start afresh."));
    };
    // A full answer ends where its last event is; a short one reaches the present.
    let seq = if events.len() == MAX_EVENTS { events.last().map_or(until, |(seq, _)| *seq) } else { until };
    let mut body = b"{\"events\":[".to_vec();
    for (place, (seq, change)) in events.iter().enumerate() {
        if place > 0 {
            body.push(b',');
        }
        body.extend_from_slice(&event_json(*seq, change));
    }
    body.extend_from_slice(format!("],\"seq\":{seq}}}").as_bytes());
    Ok(Reply::json_bytes(body.into()))
}

pub(crate) fn event_json(seq: Seq, change: &SyncChange) -> Vec<u8> {
    match change {
        SyncChange::MessageCreated(json) => frame::message_json("message.created", seq, json),
        SyncChange::MessageUpdated(json) => frame::message_json("message.updated", seq, json),
        SyncChange::Other(kind, payload) => frame::payload_json(kind, seq, payload.as_bytes()),
    }
}
