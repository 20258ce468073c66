//! Rooms: making, changing and leaving them, who is in them, and how a person sees them.

use super::{RoomAccess, Viewer};
use crate::{
    store::{
        Audited, ChangeRoom, CreateRoom, DeleteRoom, MarkRead, PurgeRooms, ReplaceMembers, RoomMade,
        SetInvolvement, State,
    },
    types::{Involvement, MessageId, RoomId, RoomKind, UserId},
    wire::{Membership, Problem, RoomView},
    worker::Worker,
};

/// People named in one request.
pub(crate) const MAX_PEOPLE: usize = 10_000;

/// People in a direct room, besides its creator.
pub(crate) const MAX_DIRECT: usize = 50;

/// A room as one sees it who has this membership of it.
pub(crate) fn view(state: &State, room: RoomId, membership: Option<Membership>) -> Option<RoomView<'_>> {
    let found = state.rooms.get(&room)?;
    let member_ids = (found.room.kind == RoomKind::Direct).then(|| found.member_ids());
    Some(RoomView {
        room: &found.room,
        last_message_id: found.last_message,
        member_count: found.members.len(),
        member_ids,
        membership,
    })
}

/// All the rooms of a person, each with the membership, in the order of their ids.
pub(crate) fn rooms_of<'a>(
    worker: &Worker,
    state: &'a State,
    user: UserId,
) -> rusqlite::Result<Vec<RoomView<'a>>> {
    let memberships = worker.reader.memberships(user, |room, message| state.has_after(room, message))?;
    let mut rooms = state.rooms_of(user).to_vec();
    rooms.sort_unstable();
    Ok(rooms.into_iter().filter_map(|room| view(state, room, memberships.get(&room).copied())).collect())
}

/// Who is in a room now: with a socket in it, or, in a direct room, with a socket at all.
pub(crate) fn present(worker: &Worker, room: RoomId) -> Vec<UserId> {
    worker.hub.borrow().present(&worker.state.borrow(), room)
}

/// Makes a room, or finds the direct room of the same people.
pub(crate) async fn create(
    worker: &Worker,
    viewer: &Viewer,
    kind: RoomKind,
    name: Option<String>,
    members: Vec<UserId>,
) -> Result<RoomMade, Problem> {
    let is_restricted =
        worker.state.borrow().account.as_ref().is_some_and(|account| account.settings.restrict_room_creation);
    if is_restricted && kind != RoomKind::Direct && !viewer.is_admin {
        return Err(Problem::forbidden("Only administrators make rooms here."));
    }
    Ok(worker.writer.write(CreateRoom { creator: viewer.user, kind, name, members }).await?)
}

/// Whether the viewer may change the room. An administrator need not be a member of a room to look after it, but a direct
/// room is its members' own.
pub(crate) fn check_change(worker: &Worker, viewer: &Viewer, room: RoomId) -> Result<(), Problem> {
    match RoomAccess::of(worker, room, viewer.user) {
        Ok(access) => access.may_change(viewer),
        Err(problem) => {
            let state = worker.state.borrow();
            let found =
                state.rooms.get(&room).filter(|found| viewer.is_admin && found.room.kind != RoomKind::Direct);
            found.map(drop).ok_or(problem)
        }
    }
}

/// Renames a room, makes it open or closed, sets its members: what is given, in a room that the viewer may change.
pub(crate) async fn change(
    worker: &Worker,
    room: RoomId,
    name: Option<String>,
    kind: Option<RoomKind>,
    members: Option<Vec<UserId>>,
) -> Result<(), Problem> {
    worker.writer.write(ChangeRoom { room, name, kind }).await?;
    if let Some(members) = members {
        worker.writer.write(ReplaceMembers { room, members }).await?;
    }
    Ok(())
}

/// Ends a room that the viewer may change. Its messages go in the background.
pub(crate) async fn delete(
    worker: &std::rc::Rc<Worker>,
    viewer: &Viewer,
    room: RoomId,
) -> Result<(), Problem> {
    let act = viewer.act("room.delete", format_args!("room {room}"));
    worker.writer.write(Audited { command: DeleteRoom { room }, act }).await?;
    purge_deleted(worker);
    Ok(())
}

/// Removes the messages of deleted rooms, a few at a time, so that no post waits for it.
pub(crate) fn purge_deleted(worker: &std::rc::Rc<Worker>) {
    let worker = std::rc::Rc::clone(worker);
    tokio::task::spawn_local(async move {
        // What is left over when the queue is full goes at the next start.
        while let Ok(true) = worker.writer.write(PurgeRooms).await {
            tokio::task::yield_now().await;
        }
    });
}

/// Sets who is in a closed room. Everybody may leave it: the same list without oneself.
pub(crate) async fn replace_members(
    worker: &Worker,
    viewer: &Viewer,
    room: RoomId,
    mut members: Vec<UserId>,
) -> Result<(), Problem> {
    members.sort_unstable();
    members.dedup();
    match check_change(worker, viewer, room) {
        Err(problem) if problem.status == 403 => {
            RoomAccess::of(worker, room, viewer.user)?;
            let leaves = {
                let state = worker.state.borrow();
                let found = state.rooms.get(&room).ok_or_else(Problem::not_found)?;
                members.len() + 1 == found.members.len()
                    && members
                        .iter()
                        .all(|member| *member != viewer.user && found.members.contains_key(member))
            };
            if !leaves {
                return Err(problem);
            }
        }
        checked => checked?,
    }
    Ok(worker.writer.write(ReplaceMembers { room, members }).await?)
}

pub(crate) async fn set_involvement(
    worker: &Worker,
    viewer: &Viewer,
    access: RoomAccess,
    involvement: Involvement,
) -> Result<Membership, Problem> {
    let command = SetInvolvement { room: access.room, user: viewer.user, involvement };
    Ok(worker.writer.write(command).await?)
}

/// Marks a room read up to a message, once it is durable.
pub(crate) async fn mark_read(
    worker: &Worker,
    viewer: &Viewer,
    access: RoomAccess,
    message: MessageId,
) -> Result<(), Problem> {
    Ok(worker.writer.write(MarkRead { room: access.room, user: viewer.user, message }).await?)
}
