//! Rooms: creating, changing, leaving and deleting them, their members, and their views.

use super::{RoomAccess, RoomChange, Viewer, disk};
use crate::{
    store::{
        Act, AddMember, Audited, ChangeRoom, Command, CreateRoom, DeleteRoom, MarkRead, PurgeRooms,
        RemoveMember, RoomMade, SetInvolvement, State,
    },
    types::{Involvement, MessageId, RoomId, RoomKind, UserId},
    wire::{Membership, Problem, RoomView},
    worker::Worker,
};

/// Users named in one request.
pub(crate) const MAX_PEOPLE: usize = 10_000;

/// Users in a direct room besides its creator.
pub(crate) const MAX_DIRECT: usize = 50;

/// A room as the user with this membership sees it.
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

/// The rooms of a user with the memberships, by id.
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

/// Users with a socket in a room; in a direct room, its members with any socket.
pub(crate) fn present(worker: &Worker, room: RoomId) -> Vec<UserId> {
    worker.hub.borrow().present(&worker.state.borrow(), room)
}

/// Creates a room, or finds the direct room of the same users. 403 if only administrators may create rooms, and for guests.
pub(crate) async fn create(
    worker: &Worker,
    viewer: &Viewer,
    kind: RoomKind,
    name: Option<String>,
    members: Vec<UserId>,
) -> Result<RoomMade, Problem> {
    let is_restricted =
        worker.state.borrow().account.as_ref().is_some_and(|account| account.settings.restrict_room_creation);
    if viewer.is_guest {
        check_guest_may_create(worker, viewer, kind, &members)?;
    }
    if is_restricted && kind != RoomKind::Direct && !viewer.is_admin {
        return Err(Problem::forbidden("Only administrators may create rooms."));
    }
    Ok(worker.writer.write(CreateRoom { creator: viewer.user, kind, name, members }).await?)
}

/// 403 unless it is a direct room, 422 with somebody whom the guest does not see, as with somebody who does not exist.
fn check_guest_may_create(
    worker: &Worker,
    viewer: &Viewer,
    kind: RoomKind,
    members: &[UserId],
) -> Result<(), Problem> {
    if kind != RoomKind::Direct {
        return Err(Problem::forbidden("Guests create no rooms but direct ones."));
    }
    let state = worker.state.borrow();
    match members.iter().all(|member| state.sees(viewer.user, *member)) {
        true => Ok(()),
        false => Err(Problem::invalid_field("user_ids", "contains somebody who is not an active user")),
    }
}

/// Changes the given fields of a room: all of them, or none if one is refused.
pub(crate) async fn change(
    worker: &Worker,
    viewer: &Viewer,
    RoomChange(room): RoomChange,
    name: Option<String>,
    kind: Option<RoomKind>,
    members: Option<Vec<UserId>>,
) -> Result<(), Problem> {
    let before = worker.state.borrow().rooms.get(&room).map(|found| found.room.kind);
    // Opening a room shows its history to everybody.
    let detail = match (before, kind) {
        (Some(before), Some(kind)) if before != kind => {
            format!("{} to {}", before.into_str(), kind.into_str())
        }
        _ => String::new(),
    };
    audited(worker, viewer, room, detail, ChangeRoom { room, name, kind, members }).await
}

/// Writes a command; with an entry in the audit log if there is something to tell, or if it is by somebody who has not made
/// the room.
async fn audited<C: Command>(
    worker: &Worker,
    viewer: &Viewer,
    room: RoomId,
    detail: String,
    command: C,
) -> Result<C::Output, Problem> {
    let creator = worker.state.borrow().rooms.get(&room).map(|found| found.room.creator_id);
    if creator == Some(viewer.user) && detail.is_empty() {
        return Ok(worker.writer.write(command).await?);
    }
    let act = Act { detail, ..viewer.act("room.change", format_args!("room {room}")) };
    Ok(worker.writer.write(Audited { command, act }).await?)
}

/// Deletes a room. Its messages are deleted in the background.
pub(crate) async fn delete(
    worker: &std::rc::Rc<Worker>,
    viewer: &Viewer,
    RoomChange(room): RoomChange,
) -> Result<(), Problem> {
    let act = viewer.act("room.delete", format_args!("room {room}"));
    let deletion = || Audited { command: DeleteRoom { room }, act: act.clone() };
    disk::write_deletion(&worker.writer, &worker.shared, deletion).await?;
    purge_deleted(worker);
    Ok(())
}

/// Deletes the messages of deleted rooms, in small transactions so that posts do not wait.
pub(crate) fn purge_deleted(worker: &std::rc::Rc<Worker>) {
    let worker = std::rc::Rc::clone(worker);
    tokio::task::spawn_local(async move {
        // If the queue is full, the rest is deleted at the next start.
        while let Ok(true) = disk::write_deletion(&worker.writer, &worker.shared, || PurgeRooms).await {
            tokio::task::yield_now().await;
        }
    });
}

/// Sets the members of a closed room. A member who may not change the room may still leave it, by sending the present
/// list without themselves.
pub(crate) async fn replace_members(
    worker: &Worker,
    viewer: &Viewer,
    room: RoomId,
    mut members: Vec<UserId>,
) -> Result<(), Problem> {
    members.sort_unstable();
    members.dedup();
    match RoomChange::of(worker, room, viewer) {
        Ok(_) => {
            let command = ChangeRoom { room, name: None, kind: None, members: Some(members) };
            audited(worker, viewer, room, String::new(), command).await
        }
        Err(problem) if problem.status == 403 => {
            let access = RoomAccess::of(worker, room, viewer.user)?;
            let leaves = {
                let state = worker.state.borrow();
                let found = state.rooms.get(&room).ok_or_else(Problem::not_found)?;
                members.len() + 1 == found.members.len()
                    && members
                        .iter()
                        .all(|member| *member != viewer.user && found.members.contains_key(member))
            };
            if leaves { leave(worker, viewer, access).await } else { Err(problem) }
        }
        Err(problem) => Err(problem),
    }
}

/// Makes somebody a member of a closed room; false if they were one already.
pub(crate) async fn add_member(
    worker: &Worker,
    viewer: &Viewer,
    RoomChange(room): RoomChange,
    user: UserId,
) -> Result<bool, Problem> {
    audited(worker, viewer, room, String::new(), AddMember { room, user }).await
}

/// Removes a member of a closed room. 404 for somebody who is none.
pub(crate) async fn remove_member(
    worker: &Worker,
    viewer: &Viewer,
    RoomChange(room): RoomChange,
    user: UserId,
) -> Result<(), Problem> {
    audited(worker, viewer, room, String::new(), RemoveMember { room, user }).await
}

/// Ends the viewer's own membership of a closed room.
pub(crate) async fn leave(worker: &Worker, viewer: &Viewer, access: RoomAccess) -> Result<(), Problem> {
    Ok(worker.writer.write(RemoveMember { room: access.room, user: viewer.user }).await?)
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

/// Marks a room as read up to a message; returns once that is durable.
pub(crate) async fn mark_read(
    worker: &Worker,
    viewer: &Viewer,
    access: RoomAccess,
    message: MessageId,
) -> Result<(), Problem> {
    let marks = vec![(access.room, message)];
    Ok(worker.writer.write(MarkRead { user: viewer.user, marks }).await?)
}
