//! The durable events after a position.

use serde::Serialize;

use super::{READ_DEADLINE, request::Call, response::Reply, router::Response};
use crate::{
    chat::{
        Viewer, rooms,
        sync::{self, AsOf},
    },
    types::{Seq, UserId},
    wire::{Problem, RoomView, sync_json},
};

/// What no event tells: what is unread, which other devices may have read, and who is online.
#[derive(Serialize)]
struct Present<'a> {
    rooms: Vec<RoomView<'a>>,
    online: Vec<UserId>,
}

pub(crate) fn show(call: &Call, viewer: &Viewer) -> Response {
    let since = call.query().number("since")?.ok_or_else(|| Problem::malformed("`since` is missing."))?;
    let since = Seq(since);
    if since.0 < 0 {
        return Err(Problem::malformed("`since` must be 0 or more."));
    }
    let query = call.query();
    let worker = &call.worker;
    let now = AsOf::now(worker)?;
    let missed = sync::events(worker, viewer, &now, since, query.text("history"), READ_DEADLINE)?;
    let events = missed.events.iter().map(|(seq, change)| change.json(*seq));
    let state = worker.state.borrow();
    // Only the last page of events is up to date.
    let wants_rooms = query.text("with") == Some("rooms") && missed.seq >= now.seq;
    let present = match wants_rooms {
        true => Some(Present {
            rooms: rooms::rooms_of(worker, &state, viewer.user)?,
            online: worker.hub.borrow().online_partners(&state, viewer.user),
        }),
        false => None,
    };
    Ok(Reply::json_bytes(sync_json(events, missed.seq, state.epochs.current(), present.as_ref())))
}
