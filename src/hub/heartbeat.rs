//! Once a second: pings, and the end of sockets that are silent or too slow.

use std::time::{Duration, Instant};

use super::{Hub, closing::TOO_SLOW, socket::CLOSE_WITHIN};
use crate::{
    types::{RoomId, UserId},
    wire::frame,
};

/// A client pings, or is pinged, within so many seconds; after twice that in silence its socket is closed.
pub(crate) const HEARTBEAT_S: u32 = 30;

/// A socket that has not drained for so long after it was left behind is closed.
const DRAIN_WITHIN: Duration = Duration::from_secs(30);

impl Hub {
    /// Once a second: pings a thirtieth of the sockets, ends the silent and the slow. Answers who has been gone long enough.
    pub(crate) fn tick(&mut self, clock: u32) -> Vec<(UserId, Vec<RoomId>)> {
        self.clock = clock;
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
                if now.duration_since(since) > CLOSE_WITHIN {
                    socket.dead = true;
                    socket.wake();
                    continue;
                }
            } else if socket
                .queue
                .lagging_since()
                .is_some_and(|since| now.duration_since(since) > DRAIN_WITHIN)
            {
                self.metrics.slow_closes.add(1);
                self.close(id, TOO_SLOW, "too slow");
            } else if socket.queue.lagging_since().is_none() {
                continue;
            }
            self.slow.push(id);
        }
        let mut gone = Vec::new();
        while let Some(departed) = self.presence.departed(now) {
            gone.push(departed);
        }
        gone
    }
}
