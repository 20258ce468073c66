//! Closing sockets: a close frame, then the end of the connection.

use std::{collections::HashSet, time::Instant};

use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::{Hub, SocketId};
use crate::{
    store::State,
    types::{SessionId, event::SessionEnd},
    wire::frame,
};

pub(crate) const SIGNED_OUT: u16 = 4001;
const BANNED: u16 = 4003;
pub(super) const TOO_SLOW: u16 = 4008;

impl Hub {
    /// Nothing more is queued; what is goes out, then a close frame, then the connection ends.
    pub(crate) fn close(&mut self, id: SocketId, code: u16, reason: &str) {
        let Some(socket) = self.socket(id) else { return };
        if socket.closing.is_some() {
            return;
        }
        let frame = frame::close(CloseCode::from(code), reason);
        socket.queue.push_last(frame);
        socket.closing = Some(Instant::now());
        let blocked = socket.blocked;
        self.slow.push(id);
        if !blocked {
            self.write(id.slot);
        }
    }

    /// The connection of a socket that is being closed stays open until its client ends it, so that what was written last
    /// is read: to close while something comes from the client would be a reset, which takes that away.
    pub(crate) fn linger(&mut self, id: SocketId) {
        if let Some(socket) = self.socket(id) {
            socket.lingers = true;
        }
    }

    pub(super) fn close_session(&mut self, session: SessionId, why: SessionEnd) {
        let (code, reason) = match why {
            SessionEnd::SignedOut => (SIGNED_OUT, "signed out"),
            SessionEnd::Deactivated => (SIGNED_OUT, "deactivated"),
            SessionEnd::Banned => (BANNED, "banned"),
        };
        for id in self.ids(|socket| socket.session == session) {
            self.close_at_once(id, code, reason);
        }
    }

    /// Drops what is queued: it is no longer for them.
    fn close_at_once(&mut self, id: SocketId, code: u16, reason: &str) {
        if let Some(socket) = self.socket(id) {
            socket.queue.drop_unwritten();
            self.close(id, code, reason);
        }
    }

    pub(crate) fn close_ended_sessions(&mut self, state: &State) {
        let open: HashSet<SessionId> = state.session_ids().collect();
        for id in self.ids(|socket| !open.contains(&socket.session)) {
            self.close_at_once(id, SIGNED_OUT, "signed out");
        }
    }
}
