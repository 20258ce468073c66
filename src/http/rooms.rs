//! Rooms and who is in them.

use bytes::Bytes;
use hyper::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    account::NAME_LENGTH,
    form::Form,
    problem::Problem,
    request::{Call, RoomAccess, Viewer},
    response::{Reply, to_json},
    router::{Answer, Later},
};
use crate::{
    state::State,
    store::{Audited, ChangeRoom, CreateRoom, DeleteRoom, MarkRead, ReplaceMembers, SetInvolvement},
    types::{Involvement, Membership, MessageId, RoomId, RoomKind, RoomView, UserId, UserView},
    worker::Worker,
};

/// People named in one request.
const MAX_PEOPLE: usize = 10_000;

/// A direct room is a conversation, not an assembly.
const MAX_DIRECT: usize = 50;

fn view(state: &State, room: RoomId, membership: Option<Membership>) -> Option<RoomView<'_>> {
    let found = state.rooms.get(&room)?;
    let member_ids = (found.room.kind == RoomKind::Direct).then(|| {
        let mut ids: Vec<_> = found.members.keys().copied().collect();
        ids.sort_unstable();
        ids
    });
    Some(RoomView {
        room: &found.room,
        last_message_id: found.last_message,
        member_count: found.members.len(),
        member_ids,
        membership,
    })
}

/// A room, with the membership of the person for whom it is.
pub(crate) fn room_value(worker: &Worker, room: RoomId, viewer: Option<UserId>) -> Result<Value, Problem> {
    let membership = match viewer {
        Some(user) => worker.reader.membership(room, user)?,
        None => None,
    };
    let state = worker.state.borrow();
    view(&state, room, membership).map(|view| json!(view)).ok_or_else(Problem::not_found)
}

/// All the rooms of a person, each with the membership.
pub(crate) fn my_rooms<'a>(
    worker: &Worker,
    state: &'a State,
    user: UserId,
) -> Result<Vec<RoomView<'a>>, Problem> {
    let memberships = worker.reader.memberships(user, |room, message| state.has_after(room, message))?;
    let mut rooms = state.rooms_of(user).to_vec();
    rooms.sort_unstable();
    Ok(rooms.into_iter().filter_map(|room| view(state, room, memberships.get(&room).copied())).collect())
}

/// Who is in a room now: with a socket in it, or, in a direct room, with a socket at all.
pub(crate) fn present(worker: &Worker, room: RoomId) -> Vec<UserId> {
    worker.hub.borrow().present(&worker.state.borrow(), room)
}

pub(crate) fn list(call: &Call, viewer: &Viewer) -> Answer {
    #[derive(Serialize)]
    struct Rooms<'a> {
        rooms: Vec<RoomView<'a>>,
    }
    let state = call.worker.state.borrow();
    Ok(Reply::json(&Rooms { rooms: my_rooms(&call.worker, &state, viewer.user)? }))
}

fn people(form: &mut Form) -> Option<Vec<UserId>> {
    Some(form.ids("user_ids", MAX_PEOPLE)?.into_iter().map(UserId).collect())
}

fn kind(form: &mut Form) -> Option<RoomKind> {
    form.word("kind")
}

pub(crate) fn create(call: Call, viewer: Viewer) -> Later {
    Box::pin(async move {
        let mut form = call.form()?;
        let kind = if form.has("kind") { kind(&mut form) } else { Some(RoomKind::Open) };
        let members = people(&mut form).unwrap_or_default();
        let name = match kind {
            Some(RoomKind::Direct) => {
                if members.len() > MAX_DIRECT {
                    form.refuse(
                        "user_ids",
                        format!("has to have {MAX_DIRECT} ids or fewer in a direct room"),
                    );
                }
                None
            }
            _ => Some(form.required_line("name", NAME_LENGTH)),
        };
        form.finish()?;
        let Some(kind) = kind else { return Err(Problem::invalid_field("kind", "is missing")) };
        let restricted = call
            .worker
            .state
            .borrow()
            .account
            .as_ref()
            .is_some_and(|account| account.settings.restrict_room_creation);
        if restricted && kind != RoomKind::Direct && !viewer.is_admin {
            return Err(Problem::forbidden("Only administrators make rooms here."));
        }
        let made = call.worker.writer.write(CreateRoom { creator: viewer.user, kind, name, members }).await?;
        let status = if made.fresh { StatusCode::CREATED } else { StatusCode::OK };
        Ok(Reply::written(status, &room_value(&call.worker, made.room, Some(viewer.user))?))
    })
}

fn access(call: &Call, viewer: &Viewer) -> Result<RoomAccess, Problem> {
    RoomAccess::of(&call.worker, RoomId(call.id(0)?), viewer.user)
}

/// The same for changing the room. An administrator needs not be a member of a room to tidy it up, but a direct
/// room is its members' own.
fn change_access(call: &Call, viewer: &Viewer) -> Result<RoomId, Problem> {
    match access(call, viewer) {
        Ok(access) => access.may_change(viewer).map(|()| access.room),
        Err(problem) => {
            let room = RoomId(call.id(0)?);
            let state = call.worker.state.borrow();
            let found =
                state.rooms.get(&room).filter(|found| viewer.is_admin && found.room.kind != RoomKind::Direct);
            found.map(|_| room).ok_or(problem)
        }
    }
}

pub(crate) fn show(call: &Call, viewer: &Viewer) -> Answer {
    let access = access(call, viewer)?;
    Ok(Reply::json(&room_value(&call.worker, access.room, Some(viewer.user))?))
}

pub(crate) fn change(call: Call, viewer: Viewer) -> Later {
    Box::pin(async move {
        let room = change_access(&call, &viewer)?;
        let mut form = call.form()?;
        let name = form.line("name", NAME_LENGTH);
        let kind = kind(&mut form);
        let members = people(&mut form);
        form.finish()?;
        call.worker.writer.write(ChangeRoom { room, name, kind }).await?;
        if let Some(members) = members {
            call.worker.writer.write(ReplaceMembers { room, members }).await?;
        }
        Ok(Reply::written(StatusCode::OK, &room_value(&call.worker, room, Some(viewer.user))?))
    })
}

pub(crate) fn destroy(call: Call, viewer: Viewer) -> Later {
    Box::pin(async move {
        let room = change_access(&call, &viewer)?;
        let act = viewer.act(&call, "room.delete", format_args!("room {room}"));
        call.worker.writer.write(Audited { command: DeleteRoom { room }, act }).await?;
        crate::worker::purge_deleted_rooms(&call.worker);
        Ok(Reply::no_content())
    })
}

fn members_body(call: &Call, viewer: &Viewer, room: RoomId) -> Result<Bytes, Problem> {
    #[derive(Serialize)]
    struct Members<'a> {
        members: Vec<UserView<'a>>,
    }
    let state = call.worker.state.borrow();
    let found = state.rooms.get(&room).ok_or_else(Problem::not_found)?;
    let mut users: Vec<_> = found.members.keys().filter_map(|id| state.users.get(id)).collect();
    users.sort_unstable_by_key(|user| user.id);
    let members = users.into_iter().map(|user| user.seen_by_admin(viewer.is_admin)).collect();
    Ok(to_json(&Members { members }).into())
}

pub(crate) fn members(call: &Call, viewer: &Viewer) -> Answer {
    let access = access(call, viewer)?;
    Ok(Reply::json_bytes(members_body(call, viewer, access.room)?))
}

pub(crate) fn replace_members(call: Call, viewer: Viewer) -> Later {
    Box::pin(async move {
        let mut form = call.form()?;
        let members = people(&mut form);
        if members.is_none() {
            form.refuse("user_ids", "is missing");
        }
        form.finish()?;
        let mut members = members.unwrap_or_default();
        members.sort_unstable();
        members.dedup();
        // Leaving is everybody's own affair: the same list but for oneself.
        let room = match change_access(&call, &viewer) {
            Err(problem) if problem.status == 403 => {
                let room = access(&call, &viewer)?.room;
                let leaves = {
                    let state = call.worker.state.borrow();
                    let found = state.rooms.get(&room).ok_or_else(Problem::not_found)?;
                    members.len() + 1 == found.members.len()
                        && members
                            .iter()
                            .all(|member| *member != viewer.user && found.members.contains_key(member))
                };
                if !leaves {
                    return Err(problem);
                }
                room
            }
            found => found?,
        };
        call.worker.writer.write(ReplaceMembers { room, members }).await?;
        Ok(Reply::written_bytes(StatusCode::OK, members_body(&call, &viewer, room)?))
    })
}

pub(crate) fn involve(call: Call, viewer: Viewer) -> Later {
    Box::pin(async move {
        let access = access(&call, &viewer)?;
        let mut form = call.form()?;
        let involvement: Option<Involvement> = form.word("involvement");
        if involvement.is_none() && !form.is_wrong() {
            form.refuse("involvement", "is missing");
        }
        form.finish()?;
        let involvement = involvement.unwrap_or(access.involvement);
        let command = SetInvolvement { room: access.room, user: viewer.user, involvement };
        let membership = call.worker.writer.write(command).await?;
        Ok(Reply::written(StatusCode::OK, &membership))
    })
}

pub(crate) fn mark_read(call: Call, viewer: Viewer) -> Later {
    Box::pin(async move {
        let access = access(&call, &viewer)?;
        let mut form = call.form()?;
        let message = MessageId(form.required_id("message_id"));
        form.finish()?;
        call.worker.writer.write(MarkRead { room: access.room, user: viewer.user, message }).await?;
        Ok(Reply::no_content())
    })
}
