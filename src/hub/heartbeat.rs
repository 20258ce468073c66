//! Heartbeat: pings, and closing sockets that are silent or too slow.

use std::time::Instant;

use super::{Hub, closing::TOO_SLOW, socket::CLOSE_TIMEOUT};
use crate::{
    types::{RoomId, UserId},
    wire::frame,
};

/// Seconds between pings to a socket; after twice that without anything received its connection is closed.
pub(crate) const HEARTBEAT_S: u32 = 30;

/// A socket that lags for more seconds is closed.
const LAG_TIMEOUT_S: u32 = 30;

impl Hub {
    /// Runs once a second: pings a thirtieth of the sockets, ends the silent and the slow ones. Returns each user of
    /// whom a socket has been gone for the grace period, with the rooms that it had joined.
    pub(crate) fn tick(&mut self, clock: u32) -> Vec<(UserId, Vec<RoomId>)> {
        self.clock = clock;
        // A second later is no longer the same burst.
        self.turn = self.turn.wrapping_add(1);
        let mut slot = (clock % HEARTBEAT_S) as usize;
        while slot < self.sockets.len() {
            if let Some(socket) = self.sockets[slot].as_mut() {
                if clock.saturating_sub(socket.heard) > 2 * HEARTBEAT_S {
                    socket.dead = true;
                    socket.wake();
                } else {
                    self.push(slot as u32, frame::ping());
                }
            }
            slot += HEARTBEAT_S as usize;
        }
        let now = Instant::now();
        for id in std::mem::take(&mut self.slow) {
            let Some(socket) = self.socket(id) else { continue };
            if let Some(since) = socket.closing {
                if now.duration_since(since) > CLOSE_TIMEOUT {
                    socket.dead = true;
                    socket.wake();
                    continue;
                }
            } else if let Some(since) = socket.queue.lagging_since() {
                if clock.saturating_sub(since) > LAG_TIMEOUT_S {
                    self.metrics.slow_closes.add(1);
                    self.close(id, TOO_SLOW, "too slow");
                }
            } else {
                continue;
            }
            self.slow.push(id);
        }
        let mut users = Vec::new();
        while let Some(departed) = self.presence.departed(now) {
            users.push(departed);
        }
        users
    }
}
