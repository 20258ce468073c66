//! Every durable event after a position.

use super::{request::Call, response::Reply, router::Response};
use crate::{
    chat::Viewer,
    types::{RoomId, Seq},
    wire::{Problem, sync_json},
};

/// Events in one answer; whoever wants more asks again from its `seq`.
const MAX_EVENTS: usize = 1_000;

pub(crate) fn show(call: &Call, viewer: &Viewer) -> Response {
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
    let events = events.iter().map(|(seq, change)| change.json(*seq));
    Ok(Reply::json_bytes(sync_json(events, seq)))
}
