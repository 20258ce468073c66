//! The durable events after a position.

use super::{READ_DEADLINE, request::Call, response::Reply, router::Response};
use crate::{
    chat::{Viewer, sync},
    types::Seq,
    wire::{Problem, sync_json},
};

pub(crate) fn show(call: &Call, viewer: &Viewer) -> Response {
    let since = call.query().number("since")?.ok_or_else(|| Problem::malformed("`since` is missing."))?;
    let since = Seq(since);
    if since.0 < 0 {
        return Err(Problem::malformed("`since` must be 0 or more."));
    }
    let query = call.query();
    let missed = sync::events(&call.worker, viewer, since, query.text("history"), READ_DEADLINE)?;
    let events = missed.events.iter().map(|(seq, change)| change.json(*seq));
    Ok(Reply::json_bytes(sync_json(events, missed.seq, call.worker.state.borrow().epochs.current())))
}
