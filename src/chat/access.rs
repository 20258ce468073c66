//! Proofs of permissions. A function that requires a permission takes the proof as an argument, so that the check
//! cannot be forgotten.

use std::net::IpAddr;

use crate::{
    store::Act,
    types::{Involvement, RoomId, RoomKind, SessionId, SessionKind, UserId},
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
    pub(crate) is_admin: bool,
    pub(crate) session: SessionId,
    /// What the secret belongs to: a device, a personal API token or a bot.
    pub(crate) kind: SessionKind,
    /// The address of the client.
    pub(crate) address: IpAddr,
}

impl Viewer {
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

/// Proof that a user is a member of a room.
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
        Ok(Self { room, kind: found.room.kind, creator: found.room.creator_id, involvement })
    }

    /// 403 unless the viewer may change or delete the room: its creator and administrators; in a direct room, every
    /// member.
    pub(crate) fn may_change(&self, viewer: &Viewer) -> Result<(), Problem> {
        if viewer.is_admin || self.creator == viewer.user || self.kind == RoomKind::Direct {
            Ok(())
        } else {
            Err(Problem::forbidden("Only the room's creator or an administrator may do this."))
        }
    }
}
