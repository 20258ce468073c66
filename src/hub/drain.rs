//! Draining: closes a hub's sockets when the server stops. Each gets its queued frames, then a close frame with a
//! delay of its own, so that the clients do not reconnect all at once.

use std::time::{Duration, Instant};

use super::{Hub, SocketId};
use crate::wire::event::going_away_json;

/// "Service restart or going away" (RFC 6455, section 7.4.1).
const GOING_AWAY: u16 = 1001;

/// Milliseconds until a client reconnects: the least, how many more for each socket of the server, and the most.
const EARLIEST_MS: u32 = 200;
const MS_PER_SOCKET: f32 = 2.0;
const LATEST_MS: u32 = 3_000;

/// How long a socket waits for the answers to its posts; the client posts again after reconnecting.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(1);

/// How long a client may take to receive what is queued.
const WRITE_TIMEOUT: Duration = Duration::from_secs(2);

/// How long a client may take to end the connection once everything is written: see [`Hub::linger`].
const LINGER_TIMEOUT: Duration = Duration::from_millis(500);

/// Since when the hub drains, and the upper bound of the reconnect delay.
#[derive(Clone, Copy)]
pub(super) struct Draining {
    since: Instant,
    latest_ms: u32,
}

impl Draining {
    /// The reason in the close frame: JSON with a random delay.
    fn reason(&self) -> String {
        let mut bytes = [0; 4];
        // Without randomness all clients reconnect after the same delay, which does no harm.
        let _ = getrandom::fill(&mut bytes);
        let ms = EARLIEST_MS + u32::from_ne_bytes(bytes) % (self.latest_ms - EARLIEST_MS + 1);
        going_away_json(ms)
    }
}

/// The upper bound of the reconnect delay for so many sockets.
fn latest_ms(sockets: u64) -> u32 {
    // Saturates, and the bound comes after.
    let jitter = (sockets as f32 * MS_PER_SOCKET) as u32;
    EARLIEST_MS.saturating_add(jitter).min(LATEST_MS)
}

impl Hub {
    /// Starts draining: nothing more is read, and `close_all` closes every socket. `sockets` counts those of all
    /// workers.
    pub(crate) fn drain(&mut self, sockets: u64) {
        self.draining = Some(Draining { since: Instant::now(), latest_ms: latest_ms(sockets) });
        self.close_all();
    }

    /// Closes a socket that was added while the hub drains.
    pub(crate) fn close_going_away(&mut self, id: SocketId) {
        if let Some(draining) = self.draining {
            self.close(id, GOING_AWAY, &draining.reason());
            self.linger(id);
        }
    }

    /// Called every few milliseconds while draining: closes sockets that have their answers, and drops those whose
    /// time is up.
    pub(crate) fn close_all(&mut self) {
        let Some(draining) = self.draining else { return };
        let no_answers = draining.since.elapsed() > ANSWER_TIMEOUT;
        for id in self.ids(|socket| socket.closing.is_none() && (no_answers || socket.under_way == 0)) {
            self.close_going_away(id);
        }
        for socket in self.sockets.iter_mut().flatten() {
            let bound = if socket.queue.is_empty() { LINGER_TIMEOUT } else { WRITE_TIMEOUT };
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
    fn latest_reconnect_grows_with_the_sockets_up_to_a_bound() {
        assert_eq!(latest_ms(0), EARLIEST_MS);
        assert_eq!(latest_ms(100), 400);
        assert_eq!(latest_ms(1_000), 2_200);
        assert_eq!(latest_ms(u64::MAX), LATEST_MS);
    }

    #[test]
    fn close_reason_says_when_to_reconnect_in_at_most_123_bytes() {
        let draining = Draining { since: Instant::now(), latest_ms: LATEST_MS };
        let mut seen = std::collections::HashSet::new();
        for _ in 0..200 {
            let reason = draining.reason();
            assert!(reason.len() <= 123, "{reason}");
            let value: serde_json::Value = serde_json::from_str(&reason).expect("JSON");
            let ms = value["retry_after_ms"].as_u64().expect("a number of milliseconds") as u32;
            assert!((EARLIEST_MS..=LATEST_MS).contains(&ms), "{reason}");
            seen.insert(ms);
        }
        assert!(seen.len() > 100, "spread: {seen:?}");
    }
}
