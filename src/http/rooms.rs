//! Rooms and their members.

use bytes::Bytes;
use hyper::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    request::Call,
    response::Reply,
    router::{Response, ResponseFuture},
};
use crate::{
    chat::{
        NAME_LENGTH, RoomAccess, RoomChange, Viewer, people,
        rooms::{self, MAX_DIRECT, MAX_PEOPLE},
    },
    types::{Involvement, MessageId, RoomId, RoomKind, UserId},
    wire::{Form, Problem, RoomView, UserView, to_json},
    worker::Worker,
};

/// A room with the viewer's membership.
pub(crate) fn room_value(worker: &Worker, room: RoomId, viewer: UserId) -> Result<Value, Problem> {
    let membership = worker.reader.membership(room, viewer)?;
    let state = worker.state.borrow();
    rooms::view(&state, room, membership).map(|view| json!(view)).ok_or_else(Problem::not_found)
}

pub(crate) fn list(call: &Call, viewer: &Viewer) -> Response {
    #[derive(Serialize)]
    struct Rooms<'a> {
        rooms: Vec<RoomView<'a>>,
    }
    let state = call.worker.state.borrow();
    Ok(Reply::json(&Rooms { rooms: rooms::rooms_of(&call.worker, &state, viewer.user)? }))
}

fn user_ids(form: &mut Form) -> Option<Vec<UserId>> {
    Some(form.ids("user_ids", MAX_PEOPLE)?.into_iter().map(UserId).collect())
}

fn kind(form: &mut Form) -> Option<RoomKind> {
    form.word("kind")
}

pub(crate) fn create(call: Call, viewer: Viewer) -> ResponseFuture {
    Box::pin(async move {
        let mut form = call.form()?;
        let kind = if form.has("kind") { kind(&mut form) } else { Some(RoomKind::Open) };
        let members = user_ids(&mut form).unwrap_or_default();
        let name = match kind {
            Some(RoomKind::Direct) => {
                if members.len() > MAX_DIRECT {
                    form.refuse("user_ids", format!("must have at most {MAX_DIRECT} ids in a direct room"));
                }
                None
            }
            _ => Some(form.required_line("name", NAME_LENGTH)),
        };
        form.finish()?;
        let Some(kind) = kind else { return Err(Problem::invalid_field("kind", "is missing")) };
        let made = rooms::create(&call.worker, &viewer, kind, name, members).await?;
        let status = if made.fresh { StatusCode::CREATED } else { StatusCode::OK };
        Ok(Reply::written(status, &room_value(&call.worker, made.room, viewer.user)?))
    })
}

fn access(call: &Call, viewer: &Viewer) -> Result<RoomAccess, Problem> {
    RoomAccess::of(&call.worker, RoomId(call.id(0)?), viewer.user)
}

pub(crate) fn show(call: &Call, viewer: &Viewer) -> Response {
    let access = access(call, viewer)?;
    Ok(Reply::json(&room_value(&call.worker, access.room, viewer.user)?))
}

pub(crate) fn change(call: Call, viewer: Viewer) -> ResponseFuture {
    Box::pin(async move {
        let room = RoomChange::of(&call.worker, RoomId(call.id(0)?), &viewer)?;
        let mut form = call.form()?;
        let name = form.line("name", NAME_LENGTH);
        let kind = kind(&mut form);
        let members = user_ids(&mut form);
        form.finish()?;
        rooms::change(&call.worker, &viewer, room, name, kind, members).await?;
        Ok(Reply::written(StatusCode::OK, &room_value(&call.worker, room.room(), viewer.user)?))
    })
}

pub(crate) fn destroy(call: Call, viewer: Viewer) -> ResponseFuture {
    Box::pin(async move {
        let room = RoomChange::of(&call.worker, RoomId(call.id(0)?), &viewer)?;
        rooms::delete(&call.worker, &viewer, room).await?;
        Ok(Reply::no_content())
    })
}

fn members_json(worker: &Worker, viewer: &Viewer, room: RoomId) -> Result<Bytes, Problem> {
    #[derive(Serialize)]
    struct Members<'a> {
        members: Vec<UserView<'a>>,
    }
    let state = worker.state.borrow();
    let found = state.rooms.get(&room).ok_or_else(Problem::not_found)?;
    let mut users: Vec<_> = found.members.keys().filter_map(|id| state.users.get(id)).collect();
    users.sort_unstable_by_key(|user| user.id);
    let members = users.into_iter().map(|user| user.view(viewer.is_admin)).collect();
    Ok(to_json(&Members { members }).into())
}

pub(crate) fn members(call: &Call, viewer: &Viewer) -> Response {
    let access = access(call, viewer)?;
    Ok(Reply::json_bytes(members_json(&call.worker, viewer, access.room)?))
}

pub(crate) fn replace_members(call: Call, viewer: Viewer) -> ResponseFuture {
    Box::pin(async move {
        let mut form = call.form()?;
        let members = user_ids(&mut form);
        if members.is_none() {
            form.refuse("user_ids", "is missing");
        }
        form.finish()?;
        let room = RoomId(call.id(0)?);
        rooms::replace_members(&call.worker, &viewer, room, members.unwrap_or_default()).await?;
        Ok(Reply::written_bytes(StatusCode::OK, members_json(&call.worker, &viewer, room)?))
    })
}

/// The member in the path, who may be `me`.
fn member(call: &Call, viewer: &Viewer) -> Result<UserId, Problem> {
    if call.param(1) == "me" { Ok(viewer.user) } else { Ok(UserId(call.id(1)?)) }
}

pub(crate) fn add_member(call: Call, viewer: Viewer) -> ResponseFuture {
    Box::pin(async move {
        let room = RoomChange::of(&call.worker, RoomId(call.id(0)?), &viewer)?;
        let user = member(&call, &viewer)?;
        let is_new = rooms::add_member(&call.worker, &viewer, room, user).await?;
        let user = people::find(&call.worker, &viewer, user)?;
        let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
        Ok(Reply::written(status, &people::view(&viewer, &user)))
    })
}

/// Removes a member; anybody may leave.
pub(crate) fn remove_member(call: Call, viewer: Viewer) -> ResponseFuture {
    Box::pin(async move {
        let (room, user) = (RoomId(call.id(0)?), member(&call, &viewer)?);
        if user == viewer.user {
            rooms::leave(&call.worker, &viewer, access(&call, &viewer)?).await?;
        } else {
            let room = RoomChange::of(&call.worker, room, &viewer)?;
            rooms::remove_member(&call.worker, &viewer, room, user).await?;
        }
        Ok(Reply::no_content())
    })
}

pub(crate) fn involve(call: Call, viewer: Viewer) -> ResponseFuture {
    Box::pin(async move {
        let access = access(&call, &viewer)?;
        let mut form = call.form()?;
        let involvement: Option<Involvement> = form.word("involvement");
        if involvement.is_none() && !form.is_wrong() {
            form.refuse("involvement", "is missing");
        }
        form.finish()?;
        let involvement = involvement.unwrap_or(access.involvement);
        let membership = rooms::set_involvement(&call.worker, &viewer, access, involvement).await?;
        Ok(Reply::written(StatusCode::OK, &membership))
    })
}

pub(crate) fn mark_read(call: Call, viewer: Viewer) -> ResponseFuture {
    Box::pin(async move {
        let access = access(&call, &viewer)?;
        let mut form = call.form()?;
        let message = MessageId(form.required_id("message_id"));
        form.finish()?;
        rooms::mark_read(&call.worker, &viewer, access, message).await?;
        Ok(Reply::no_content())
    })
}
