//! Catching up: the durable events after a position.

use std::time::{Duration, Instant};

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
const MAX_BYTES: usize = 2 << 20;

/// How long the state may be behind the database: more may be committed all the time, and what another process has committed
/// is not known yet.
const CATCH_UP_WITHIN: Duration = Duration::from_millis(20);

/// The database as of one position of the history, which the state has reached as well. The counts of rooms are read from
/// the database, which may be a commit ahead of the state: a client would count again what follows the state's position.
pub(crate) struct AsOf<'a> {
    pub(crate) seq: Seq,
    _transaction: rusqlite::Transaction<'a>,
}

impl<'a> AsOf<'a> {
    pub(crate) fn now(worker: &'a Worker) -> rusqlite::Result<Self> {
        let deadline = Instant::now() + CATCH_UP_WITHIN;
        loop {
            let (transaction, seq) = worker.reader.begin()?;
            let reached = worker.state.borrow().seq;
            if reached >= seq || Instant::now() >= deadline {
                // A message that is counted twice is a smaller fault than an event that is lost.
                return Ok(Self { seq: seq.min(reached), _transaction: transaction });
            }
            // Outside of the transaction, since the state may have to be read anew.
            drop(transaction);
            worker.catch_up_to(seq, deadline);
        }
    }
}

/// The events after `since` that the viewer may see. 410 if events after `since` are no longer kept, or if `since` was
/// reached in another history than this: see [`Epochs`](crate::store::Epochs). 503 after `deadline`.
pub(crate) fn events(
    worker: &Worker,
    viewer: &Viewer,
    now: &AsOf<'_>,
    since: Seq,
    history: Option<&str>,
    deadline: Duration,
) -> Result<Missed, Problem> {
    let rooms: Vec<RoomId> = {
        let state = worker.state.borrow();
        if since > now.seq || history.is_some_and(|epoch| !state.epochs.contain(epoch, since)) {
            return Err(Problem::gone(
                "The history was put back to an earlier state: load everything again.",
            ));
        }
        let is_newer = |room: &&RoomId| state.rooms.get(room).is_some_and(|found| found.version > since);
        state.rooms_of(viewer.user).iter().filter(is_newer).copied().collect()
    };
    let missed = worker.reader.within(deadline, |reader| {
        if since < reader.pruned_up_to()? {
            return Ok(None);
        }
        reader.missed_by(viewer.user, &rooms, (since, now.seq), MAX_EVENTS, MAX_BYTES).map(Some)
    })?;
    let mut missed = missed
        .ok_or_else(|| Problem::gone("Events that old are no longer stored: load everything again."))?;
    if viewer.is_guest {
        let state = worker.state.borrow();
        missed.events.retain(|(_, change)| change.user().is_none_or(|user| state.sees(viewer.user, user)));
    }
    Ok(missed)
}
