//! The messages that a client sends on a socket, and their answers.

use std::{rc::Rc, time::Duration};

use serde_json::{Map, Value};

use super::{acks, reads};
use crate::{
    chat::{
        RoomAccess,
        messages::{self, Draft},
        rooms,
    },
    hub::{Replay, SocketId},
    types::{MessageId, RoomId, Seq, UserId, event::EphemeralEvent},
    wire::{Event, Form, Problem, frame::Encoding, parse_json},
    worker::{PendingPost, Worker},
};

/// Events replayed to a client that reconnects; one that has missed more gets `resync`.
const MAX_REPLAY: usize = 2_000;

/// Depth of nesting in a MessagePack message; the protocol needs two.
const MAX_DEPTH: usize = 64;

/// Who speaks on a socket.
#[derive(Clone, Copy)]
pub(super) struct Client {
    pub(super) user: UserId,
    /// False for a token that may only read.
    pub(super) may_write: bool,
}

/// Handles one message. An error is answered with an `error` event; the connection stays open.
pub(super) fn handle(worker: &Rc<Worker>, id: SocketId, client: Client, encoding: Encoding, payload: &[u8]) {
    worker.catch_up();
    let parsed = match encoding {
        Encoding::Json => parse_json(payload).map_err(|error| error.to_string()),
        Encoding::MessagePack => from_message_pack(payload).map_err(|error| error.to_string()),
    };
    let fields = match parsed {
        Ok(Value::Object(fields)) => fields,
        Ok(_) => return refuse(worker, id, &Problem::malformed("A message must be a map."), None),
        Err(error) => return refuse(worker, id, &Problem::malformed(error), None),
    };
    let client_id = fields.get("client_message_id").and_then(Value::as_str).map(str::to_owned);
    if let Err(problem) = dispatch(worker, id, client, fields) {
        refuse(worker, id, &problem, client_id.as_deref());
    }
}

/// rmp's own bound on nesting is 1024, and parsing so deep a value overflows a worker's stack.
fn from_message_pack(payload: &[u8]) -> Result<Value, rmp_serde::decode::Error> {
    let mut deserializer = rmp_serde::Deserializer::from_read_ref(payload);
    deserializer.set_max_depth(MAX_DEPTH);
    serde::Deserialize::deserialize(&mut deserializer)
}

pub(super) fn refuse(worker: &Worker, id: SocketId, problem: &Problem, client_id: Option<&str>) {
    let event = Event::Error {
        code: problem.code,
        detail: &problem.detail,
        client_message_id: client_id,
        limit: problem.limit,
        retry_after_ms: problem.retry_after_ms(),
    };
    worker.hub.borrow_mut().answer(id, &event.json());
}

fn dispatch(
    worker: &Rc<Worker>,
    id: SocketId,
    Client { user, may_write }: Client,
    fields: Map<String, Value>,
) -> Result<(), Problem> {
    let kind = fields.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
    let t = fields.get("t").cloned();
    let mut form = Form::of(fields);
    match kind.as_str() {
        "message" | "typing" | "read" if !may_write => Err(Problem::read_only()),
        "join_room" => {
            let room = RoomId(form.required_id("room_id"));
            let since = form.count("since").map(Seq);
            let history = form.text("history");
            form.finish()?;
            join(worker, id, user, room, since, history.as_deref())
        }
        "leave_room" => {
            let room = RoomId(form.required_id("room_id"));
            form.finish()?;
            if worker.hub.borrow_mut().leave(id, room) {
                worker.broadcast(EphemeralEvent::Present { room, user, change: -1 });
            }
            worker.hub.borrow_mut().answer(id, &Event::Left { room_id: room }.json());
            Ok(())
        }
        "message" => post(worker, id, user, form),
        "typing" => {
            let room = RoomId(form.required_id("room_id"));
            let active = form.flag("active").unwrap_or(true);
            form.finish()?;
            RoomAccess::of(worker, room, user)?;
            typing(worker, id, user, room, active);
            Ok(())
        }
        "read" => {
            let room = RoomId(form.required_id("room_id"));
            let message = MessageId(form.required_id("message_id"));
            form.finish()?;
            RoomAccess::of(worker, room, user)?;
            reads::mark(worker, id, user, room, message);
            Ok(())
        }
        "ping" => {
            worker.hub.borrow_mut().answer(id, &Event::Pong { t }.json());
            Ok(())
        }
        _ => Err(Problem::malformed("This type of message does not exist.")),
    }
}

/// What a client has missed in a room.
enum Missed {
    Nothing,
    Events(Replay),
    /// More than are replayed, or no longer kept, or of another history than this server has.
    TooMuch,
}

impl Missed {
    fn since(worker: &Worker, room: RoomId, since: Seq, history: Option<&str>) -> rusqlite::Result<Self> {
        let (now, newest) = {
            let state = worker.state.borrow();
            (state.seq, state.rooms.get(&room).map_or(state.seq, |found| found.version))
        };
        let is_of_another = history.is_some_and(|epoch| !worker.state.borrow().epochs.contain(epoch, since));
        if since > worker.writer.seq() || is_of_another {
            return Ok(Self::TooMuch);
        }
        if since >= newest {
            return Ok(Self::Nothing);
        }
        let is_too_much = since < worker.reader.pruned_up_to()?
            || worker.reader.count_missed(room, since, now, MAX_REPLAY + 1)? > MAX_REPLAY;
        Ok(if is_too_much { Self::TooMuch } else { Self::Events(Replay { room, since, until: now }) })
    }
}

/// Joins a room: sends `joined`, then the events after `since`, or `resync` if there are too many, or if they are no
/// longer kept. From then on the socket gets the room's events, after those that it has missed. Nothing is awaited in
/// between, so no event is lost or sent twice.
fn join(
    worker: &Rc<Worker>,
    id: SocketId,
    user: UserId,
    room: RoomId,
    since: Option<Seq>,
    history: Option<&str>,
) -> Result<(), Problem> {
    RoomAccess::of(worker, room, user)?;
    {
        let mut hub = worker.hub.borrow_mut();
        let clock = hub.clock;
        if hub.socket(id).is_none_or(|socket| !socket.joins.take(clock)) {
            return Err(Problem::rate_limited(Duration::from_secs(1)));
        }
    }
    let missed = since.map_or(Ok(Missed::Nothing), |since| Missed::since(worker, room, since, history))?;
    if worker.hub.borrow_mut().join(id, room) {
        worker.broadcast(EphemeralEvent::Present { room, user, change: 1 });
    }
    let seq = worker.state.borrow().seq;
    let joined = Event::Joined { room_id: room, seq, present: &rooms::present(worker, room) };
    let mut hub = worker.hub.borrow_mut();
    hub.answer(id, &joined.json());
    match missed {
        Missed::Nothing => {}
        Missed::Events(replay) => hub.replay(id, replay),
        Missed::TooMuch => hub.answer(id, &Event::Resync { seq }.json()),
    }
    Ok(())
}

fn post(worker: &Rc<Worker>, id: SocketId, user: UserId, mut form: Form) -> Result<(), Problem> {
    let last_joined = worker.hub.borrow_mut().socket(id).and_then(|socket| socket.joined.last().copied());
    let room = form.id("room_id").map(RoomId).or(last_joined);
    if room.is_none() {
        form.refuse("room_id", "is missing, and no room is joined");
    }
    let draft = Draft::take(&mut form);
    form.finish()?;
    let Some(room) = room else { return Err(Problem::not_found()) };
    let client_message_id = draft.client_message_id.clone();
    let command = messages::checked_post(worker, user, room, draft)?;
    // Queued before the next message is read, so that posts keep their order.
    let answer = worker.writer.submit(command)?;
    acks::answer_later(worker, PendingPost { socket: id, client_message_id, answer });
    Ok(())
}

/// Broadcasts `typing`, about once a second at most.
fn typing(worker: &Worker, id: SocketId, user: UserId, room: RoomId, active: bool) {
    {
        let mut hub = worker.hub.borrow_mut();
        let clock = hub.clock;
        let Some(socket) = hub.socket(id) else { return };
        if !socket.types(room, active, clock) {
            return;
        }
    }
    worker.broadcast(EphemeralEvent::Typing { room, user, active });
}
