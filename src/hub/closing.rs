//! Closing sockets: a close frame (RFC 6455, section 5.5.1), then the end of the connection.

use std::time::Instant;

use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::{Hub, SocketId, audience::Run};
use crate::{
    store::State,
    types::{SessionId, event::SessionEnd},
    wire::frame,
};

pub(crate) const SIGNED_OUT: u16 = 4001;
const BANNED: u16 = 4003;
/// "Unexpected condition" (RFC 6455, section 7.4.1).
const BROKEN: u16 = 1011;
pub(super) const TOO_SLOW: u16 = 4008;

impl Hub {
    /// Sends what is queued, then a close frame, then ends the connection. Nothing more is queued.
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

    /// Keeps the connection of a closing socket open until the client ends it. Closing it while bytes of the client
    /// are unread would send a reset, and the client could lose the close frame.
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

    /// Drops what is queued, which the user may no longer see.
    fn close_at_once(&mut self, id: SocketId, code: u16, reason: &str) {
        if let Some(socket) = self.socket(id) {
            socket.queue.drop_unwritten();
            self.close(id, code, reason);
        }
    }

    /// Closes every socket, since it is not known what each has received.
    pub(crate) fn close_broken(&mut self) {
        self.run = Run::default();
        for id in self.ids(|_| true) {
            self.close_at_once(id, BROKEN, "internal error");
        }
    }

    pub(crate) fn close_ended_sessions(&mut self, state: &State) {
        for id in self.ids(|socket| !state.has_session(socket.session)) {
            self.close_at_once(id, SIGNED_OUT, "signed out");
        }
    }
}
