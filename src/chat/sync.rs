//! Catching up: the durable events after a position.

use std::time::Duration;

use super::Viewer;
use crate::{
    store::Missed,
    types::{RoomId, Seq},
    wire::Problem,
    worker::Worker,
};

/// Events in one answer; a client that needs more asks again from its `seq`.
const MAX_EVENTS: usize = 1_000;

/// Bytes of events in one answer, which ends with the event that reaches them.
const MAX_BYTES: usize = 4 << 20;

/// The events after `since` that the viewer may see. 410 if events after `since` are no longer kept, or if `since` was
/// reached in another history than this: see [`Epochs`](crate::store::Epochs). 503 after `deadline`.
pub(crate) fn events(
    worker: &Worker,
    viewer: &Viewer,
    since: Seq,
    history: Option<&str>,
    deadline: Duration,
) -> Result<Missed, Problem> {
    let (rooms, until) = {
        let state = worker.state.borrow();
        // Another worker may have told the client of an event before this one has it.
        if since > worker.writer.seq() || history.is_some_and(|epoch| !state.epochs.contain(epoch, since)) {
            return Err(Problem::gone(
                "The history was put back to an earlier state: load everything again.",
            ));
        }
        let is_newer = |room: &&RoomId| state.rooms.get(room).is_some_and(|found| found.version > since);
        let rooms: Vec<RoomId> = state.rooms_of(viewer.user).iter().filter(is_newer).copied().collect();
        (rooms, state.seq.max(since))
    };
    let missed = worker.reader.within(deadline, |reader| {
        if since < reader.pruned_up_to()? {
            return Ok(None);
        }
        reader.missed_by(viewer.user, &rooms, (since, until), MAX_EVENTS, MAX_BYTES).map(Some)
    })?;
    missed.ok_or_else(|| Problem::gone("Events that old are no longer stored: load everything again."))
}
