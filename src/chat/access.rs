//! Proofs of permissions. A function that requires a permission takes the proof as an argument, so that the check
//! cannot be forgotten.

use std::net::IpAddr;

use crate::{
    store::{Act, MessageRow, RoomState},
    types::{Involvement, MessageId, RoomId, RoomKind, SessionId, SessionKind, User, UserId},
    wire::Problem,
    worker::Worker,
};

/// 403 for an address that a banned user wrote from. It applies to everybody there.
pub(crate) fn check_address(worker: &Worker, address: IpAddr) -> Result<(), Problem> {
    if worker.state.borrow().is_blocked(address) {
        return Err(Problem::forbidden("Writing from this address is blocked."));
    }
    Ok(())
}

/// Proof that the caller is signed in.
#[derive(Clone, Debug)]
pub(crate) struct Viewer {
    pub(crate) user: UserId,
    /// An administrator, by a secret that may act as one.
    pub(crate) is_admin: bool,
    pub(crate) is_guest: bool,
    /// False for a token that may only read.
    pub(crate) may_write: bool,
    pub(crate) session: SessionId,
    /// What the secret belongs to: a device, a personal API token or a bot.
    pub(crate) kind: SessionKind,
    /// The address of the client.
    pub(crate) address: IpAddr,
}

impl Viewer {
    /// 403 for a token that may only read.
    pub(crate) fn check_may_write(&self) -> Result<(), Problem> {
        if self.may_write { Ok(()) } else { Err(Problem::read_only()) }
    }

    /// An entry for the audit log.
    pub(crate) fn act(&self, action: &'static str, subject: impl std::fmt::Display) -> Act {
        Act {
            actor: Some(self.user),
            ip_address: Some(self.address.to_string()),
            action,
            subject: subject.to_string(),
            detail: String::new(),
        }
    }
}

/// Proof that the viewer is an administrator.
#[derive(Clone, Debug)]
pub(crate) struct Admin(pub(crate) Viewer);

impl Admin {
    /// 403 unless the viewer is an administrator.
    pub(crate) fn of(viewer: Viewer) -> Result<Self, Problem> {
        if viewer.is_admin {
            Ok(Self(viewer))
        } else {
            Err(Problem::forbidden("Only administrators may do this."))
        }
    }

    /// An entry for the audit log.
    pub(crate) fn act(&self, action: &'static str, subject: impl std::fmt::Display) -> Act {
        self.0.act(action, subject)
    }
}

/// Proof that an active user is a member of a room.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RoomAccess {
    pub(crate) room: RoomId,
    pub(crate) kind: RoomKind,
    pub(crate) creator: UserId,
    pub(crate) involvement: Involvement,
}

impl RoomAccess {
    /// 404 if the room does not exist or the user is not a member: the two are not told apart.
    pub(crate) fn of(worker: &Worker, room: RoomId, user: UserId) -> Result<Self, Problem> {
        let state = worker.state.borrow();
        let found = state.rooms.get(&room).ok_or_else(Problem::not_found)?;
        let involvement = *found.members.get(&user).ok_or_else(Problem::not_found)?;
        // Direct rooms keep the deactivated, and every room the banned.
        state.users.get(&user).filter(|user| user.is_active()).ok_or_else(Problem::not_found)?;
        Ok(Self { room, kind: found.room.kind, creator: found.room.creator_id, involvement })
    }

    /// 403 unless the viewer may change or delete the room: its creator, unless they have become a guest, and administrators; in
    /// a direct room, every member.
    pub(crate) fn may_change(&self, viewer: &Viewer) -> Result<(), Problem> {
        let has_made_it = self.creator == viewer.user && !viewer.is_guest;
        if viewer.is_admin || has_made_it || self.kind == RoomKind::Direct {
            Ok(())
        } else {
            Err(Problem::forbidden("Only the room's creator or an administrator may do this."))
        }
    }
}

/// Proof that somebody may see a message, being a member of its room.
#[derive(Debug)]
pub(crate) struct MessageAccess(pub(super) MessageRow);

impl MessageAccess {
    /// 404 for a message that does not exist as for one in a room that the user is not in.
    pub(crate) fn of(worker: &Worker, message: MessageId, user: UserId) -> Result<Self, Problem> {
        let row = worker.reader.message(message)?.ok_or_else(Problem::not_found)?;
        RoomAccess::of(worker, row.room, user)?;
        Ok(Self(row))
    }

    pub(crate) fn row(&self) -> &MessageRow {
        &self.0
    }
}

/// Proof that the viewer may change a room: see [`RoomAccess::may_change`]. An administrator need not be a member, except of
/// a direct room.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RoomChange(pub(super) RoomId);

impl RoomChange {
    pub(crate) fn of(worker: &Worker, room: RoomId, viewer: &Viewer) -> Result<Self, Problem> {
        match RoomAccess::of(worker, room, viewer.user) {
            Ok(access) => access.may_change(viewer)?,
            Err(problem) => {
                let state = worker.state.borrow();
                let is_ours = |found: &&RoomState| viewer.is_admin && found.room.kind != RoomKind::Direct;
                state.rooms.get(&room).filter(is_ours).map(drop).ok_or(problem)?;
            }
        }
        Ok(Self(room))
    }

    pub(crate) fn room(self) -> RoomId {
        self.0
    }
}

/// Proof that the viewer may change a user: themselves, or as an administrator.
#[derive(Debug)]
pub(crate) struct UserChange(pub(super) User);

impl UserChange {
    pub(crate) fn of(worker: &Worker, user: UserId, viewer: &Viewer) -> Result<Self, Problem> {
        let user = super::people::find(worker, viewer, user)?;
        if viewer.is_admin || viewer.user == user.id {
            Ok(Self(user))
        } else {
            Err(Problem::forbidden("Only the user or an administrator may change this."))
        }
    }
}
