//! How a hub's sockets are sent away when the server stops: each is told when to come back, so that they do not all come
//! at once, and what was said to it before still arrives.

use std::time::{Duration, Instant};

use super::{Hub, SocketId};
use crate::wire::event::going_away_json;

/// "Service restart or going away" (RFC 6455, section 7.4.1).
const GOING_AWAY: u16 = 1001;

/// When to come back, in milliseconds: at the soonest, how far the moments lie apart for each socket of the server, and at
/// the latest.
const SOONEST_MS: u32 = 200;
const MS_PER_SOCKET: f32 = 2.0;
const LATEST_MS: u32 = 3_000;

/// A socket waits so long for the answers to what it has posted; it will ask again after that.
const ANSWERS_WITHIN: Duration = Duration::from_secs(1);

/// And so long for what is queued to be taken.
const TAKEN_WITHIN: Duration = Duration::from_secs(2);

/// Once all is said, its client gets so long to say goodbye. To close at once on what has just come from it would be a
/// reset, which takes what it has not read yet away.
const LINGER: Duration = Duration::from_millis(500);

/// Since when the hub sees its sockets off, and when they are to come back.
#[derive(Clone, Copy)]
pub(super) struct Draining {
    since: Instant,
    latest_ms: u32,
}

impl Draining {
    /// What the close frame says.
    fn reason(&self) -> String {
        let mut bytes = [0; 4];
        // Without randomness they all come back at once, which is no harm to speak of.
        let _ = getrandom::fill(&mut bytes);
        let ms = SOONEST_MS + u32::from_ne_bytes(bytes) % (self.latest_ms - SOONEST_MS + 1);
        going_away_json(ms)
    }
}

/// The last moment to come back for one of so many.
fn latest_ms(sockets: u64) -> u32 {
    // Saturates, and the bound comes after.
    let jitter = (sockets as f32 * MS_PER_SOCKET) as u32;
    SOONEST_MS.saturating_add(jitter).min(LATEST_MS)
}

impl Hub {
    /// The server goes away: from now on nothing more is read, and `close_all` sends everybody home. `sockets` is how many
    /// all workers have together.
    pub(crate) fn drain(&mut self, sockets: u64) {
        self.draining = Some(Draining { since: Instant::now(), latest_ms: latest_ms(sockets) });
        self.close_all();
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.is_some()
    }

    /// A socket that came when the door was about to close.
    pub(crate) fn close_going_away(&mut self, id: SocketId) {
        if let Some(draining) = self.draining {
            self.close(id, GOING_AWAY, &draining.reason());
            self.linger(id);
        }
    }

    /// Every few milliseconds while the server goes away: closes whoever has its answers, lets go of whoever has had its
    /// time.
    pub(crate) fn close_all(&mut self) {
        let Some(draining) = self.draining else { return };
        let no_answers = draining.since.elapsed() > ANSWERS_WITHIN;
        for id in self.ids(|socket| socket.closing.is_none() && (no_answers || socket.under_way == 0)) {
            self.close_going_away(id);
        }
        for socket in self.sockets.iter_mut().flatten() {
            let bound = if socket.queue.is_empty() { LINGER } else { TAKEN_WITHIN };
            if socket.closing.is_some_and(|since| since.elapsed() > bound) && !socket.dead {
                socket.dead = true;
                socket.wake();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_more_sockets_the_longer_they_take_to_come_back_up_to_a_bound() {
        assert_eq!(latest_ms(0), SOONEST_MS);
        assert_eq!(latest_ms(100), 400);
        assert_eq!(latest_ms(1_000), 2_200);
        assert_eq!(latest_ms(u64::MAX), LATEST_MS);
    }

    #[test]
    fn a_close_frame_says_when_to_come_back_within_the_125_bytes_that_it_may_have() {
        let draining = Draining { since: Instant::now(), latest_ms: LATEST_MS };
        let mut seen = std::collections::HashSet::new();
        for _ in 0..200 {
            let reason = draining.reason();
            assert!(reason.len() <= 123, "{reason}");
            let value: serde_json::Value = serde_json::from_str(&reason).expect("JSON");
            let ms = value["retry_after_ms"].as_u64().expect("a number of milliseconds") as u32;
            assert!((SOONEST_MS..=LATEST_MS).contains(&ms), "{reason}");
            seen.insert(ms);
        }
        assert!(seen.len() > 100, "spread: {seen:?}");
    }
}
