//! Proofs of what somebody may do. A function that needs one takes it as an argument, so that none can forget to ask.

use std::net::IpAddr;

use crate::{
    store::Act,
    types::{Involvement, RoomId, RoomKind, SessionId, SessionKind, UserId},
    wire::Problem,
    worker::Worker,
};

/// Proof that somebody is signed in.
#[derive(Clone, Debug)]
pub(crate) struct Viewer {
    pub(crate) user: UserId,
    pub(crate) is_admin: bool,
    pub(crate) session: SessionId,
    /// A browser's cookie, or a token.
    pub(crate) kind: SessionKind,
    /// Where the request comes from.
    pub(crate) address: IpAddr,
}

impl Viewer {
    /// A line for the audit log.
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
    pub(crate) fn of(viewer: Viewer) -> Result<Self, Problem> {
        if viewer.is_admin {
            Ok(Self(viewer))
        } else {
            Err(Problem::forbidden("Only administrators may do this."))
        }
    }

    /// A line for the audit log.
    pub(crate) fn act(&self, action: &'static str, subject: impl std::fmt::Display) -> Act {
        self.0.act(action, subject)
    }
}

/// Proof that somebody is a member of a room.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RoomAccess {
    pub(crate) room: RoomId,
    pub(crate) kind: RoomKind,
    pub(crate) creator: UserId,
    pub(crate) involvement: Involvement,
}

impl RoomAccess {
    /// 404 for a room that does not exist as for one that the person is not in.
    pub(crate) fn of(worker: &Worker, room: RoomId, user: UserId) -> Result<Self, Problem> {
        let state = worker.state.borrow();
        let found = state.rooms.get(&room).ok_or_else(Problem::not_found)?;
        let involvement = *found.members.get(&user).ok_or_else(Problem::not_found)?;
        Ok(Self { room, kind: found.room.kind, creator: found.room.creator_id, involvement })
    }

    /// Whether the viewer may rename, change or delete the room: its creator and administrators; in a direct room
    /// everybody who is in it.
    pub(crate) fn may_change(&self, viewer: &Viewer) -> Result<(), Problem> {
        if viewer.is_admin || self.creator == viewer.user || self.kind == RoomKind::Direct {
            Ok(())
        } else {
            Err(Problem::forbidden("Only the room's creator or an administrator may do this."))
        }
    }
}
