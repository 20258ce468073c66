//! People who are away at an identity provider to sign in: what has to fit when they come back.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use crate::types::{SessionId, TokenHash, UserId};

/// How long a sign-in at a provider may take.
pub const MAX_AWAY: Duration = Duration::from_secs(600);

/// People who are away at once; beyond it, whoever left first has to begin again. Each takes less than 4 KB.
const MAX_DEPARTURES: usize = 10_000;

/// Somebody who was sent to a provider.
#[derive(Clone, Debug)]
pub struct Departure {
    /// The place of the provider in the settings.
    pub provider: usize,
    /// The cookie of the browser that was sent: another one is not let in by its answer.
    pub browser: TokenHash,
    pub nonce: String,
    pub verifier: String,
    pub redirect_uri: String,
    /// The path of this server where they wanted to go.
    pub to: String,
    /// Whose account it is to be linked to, and in which session that began; None to sign in.
    pub link: Option<(UserId, SessionId)>,
}

/// Departures by the hash of `state`, the secret that comes back with the answer. Each is taken once.
#[derive(Debug, Default)]
pub struct Departures(Mutex<HashMap<TokenHash, (Instant, Departure)>>);

impl Departures {
    pub fn add(&self, state: TokenHash, departure: Departure, now: Instant) {
        let mut all = self.lock();
        if all.len() >= MAX_DEPARTURES {
            all.retain(|_, (since, _)| now.duration_since(*since) < MAX_AWAY);
        }
        if all.len() >= MAX_DEPARTURES
            && let Some(first) = all.iter().min_by_key(|(_, (since, _))| *since).map(|(state, _)| *state)
        {
            all.remove(&first);
        }
        all.insert(state, (now, departure));
    }

    /// None if it is unknown, was taken before, took too long, or was begun by another browser. In the last case it stays: who
    /// has found out the `state` of another cannot end that one's sign-in.
    pub fn take(&self, state: &TokenHash, browser: &TokenHash, now: Instant) -> Option<Departure> {
        let mut all = self.lock();
        let (since, departure) = all.get(state)?;
        if departure.browser != *browser {
            return None;
        }
        let is_late = now.duration_since(*since) >= MAX_AWAY;
        let (_, departure) = all.remove(state)?;
        (!is_late).then_some(departure)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<TokenHash, (Instant, Departure)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn departure(browser: &str) -> Departure {
        Departure {
            provider: 0,
            browser: TokenHash::of(browser),
            nonce: String::new(),
            verifier: String::new(),
            redirect_uri: String::new(),
            to: "/".into(),
            link: None,
        }
    }

    #[test]
    fn departure_is_taken_once_by_its_browser_and_in_time() {
        let (departures, now) = (Departures::default(), Instant::now());
        let take = |state: &str, browser: &str, after: Duration| {
            departures.take(&TokenHash::of(state), &TokenHash::of(browser), now + after).is_some()
        };
        departures.add(TokenHash::of("a"), departure("mine"), now);
        departures.add(TokenHash::of("b"), departure("mine"), now);
        assert!(!take("c", "mine", Duration::ZERO));
        assert!(!take("a", "another's", Duration::ZERO));
        assert!(take("a", "mine", MAX_AWAY - Duration::from_secs(1)));
        assert!(!take("a", "mine", Duration::ZERO), "once");
        assert!(!take("b", "mine", MAX_AWAY));
    }

    #[test]
    fn so_many_are_away_and_no_more() {
        let (departures, now) = (Departures::default(), Instant::now());
        for number in 0..MAX_DEPARTURES + 5 {
            let at = now + Duration::from_millis(number as u64);
            departures.add(TokenHash::of(&number.to_string()), departure("mine"), at);
        }
        assert_eq!(departures.lock().len(), MAX_DEPARTURES);
        let take = |number: usize| {
            departures.take(&TokenHash::of(&number.to_string()), &TokenHash::of("mine"), now).is_some()
        };
        assert!(!take(0) && !take(4) && take(5) && take(MAX_DEPARTURES + 4));
        departures.add(TokenHash::of("late"), departure("mine"), now + 2 * MAX_AWAY);
        departures.add(TokenHash::of("later"), departure("mine"), now + 2 * MAX_AWAY);
        departures.add(TokenHash::of("last"), departure("mine"), now + 2 * MAX_AWAY);
        assert_eq!(departures.lock().len(), 3, "those who took too long are forgotten at the bound");
    }
}
