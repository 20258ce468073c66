//! People who are asked for a second step: to sign in, or to turn it on.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use crate::types::{SessionId, SignInMethod, TokenHash, UserId};

/// How long a code may take.
pub const MAX_STEP: Duration = Duration::from_secs(300);

/// Codes that may be tried; then one has to begin again.
pub const MAX_TRIES: u32 = 5;

/// People who are asked at once; beyond it, whoever began first has to begin again. Each takes less than 500 bytes.
const MAX_WAITING: usize = 10_000;

/// What the code is for.
#[derive(Clone, Debug)]
pub enum Purpose {
    SignIn {
        /// The hash of the password by which it began.
        verified_hash: String,
        method: SignInMethod,
        /// The secret that is to be set up; None for somebody who has one.
        new_secret: Option<Vec<u8>>,
    },
    TurnOn {
        session: SessionId,
        secret: Vec<u8>,
        replaces: bool,
    },
}

/// Somebody who is asked for a code.
#[derive(Clone, Debug)]
pub struct Asked {
    pub user: UserId,
    pub purpose: Purpose,
}

struct Waiting {
    since: Instant,
    tries: u32,
    asked: Asked,
}

/// Those who are asked, by the hash of a secret that they were given.
#[derive(Default)]
pub struct SecondSteps(Mutex<HashMap<TokenHash, Waiting>>);

impl SecondSteps {
    pub fn add(&self, token: TokenHash, asked: Asked, now: Instant) {
        let mut all = self.lock();
        if all.len() >= MAX_WAITING {
            all.retain(|_, waiting| now.duration_since(waiting.since) < MAX_STEP);
        }
        if all.len() >= MAX_WAITING
            && let Some(first) = all.iter().min_by_key(|(_, waiting)| waiting.since).map(|(token, _)| *token)
        {
            all.remove(&first);
        }
        all.insert(token, Waiting { since: now, tries: 0, asked });
    }

    /// Counts a try before it is looked at, so that many at once are no more than one after the other. Returns who is asked,
    /// and how many tries are left; None for an unknown secret, after too long and after too many tries.
    pub fn attempt(&self, token: &TokenHash, now: Instant) -> Option<(Asked, u32)> {
        let mut all = self.lock();
        let waiting = all.get_mut(token)?;
        if now.duration_since(waiting.since) >= MAX_STEP || waiting.tries >= MAX_TRIES {
            all.remove(token);
            return None;
        }
        waiting.tries += 1;
        Some((waiting.asked.clone(), MAX_TRIES - waiting.tries))
    }

    /// Ends what was done.
    pub fn remove(&self, token: &TokenHash) {
        self.lock().remove(token);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<TokenHash, Waiting>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked() -> Asked {
        let purpose = Purpose::TurnOn { session: SessionId(1), secret: vec![1], replaces: false };
        Asked { user: UserId(1), purpose }
    }

    #[test]
    fn second_step_ends_after_five_tries_and_five_minutes() {
        let (steps, now) = (SecondSteps::default(), Instant::now());
        let (one, other) = (TokenHash::of("one"), TokenHash::of("other"));
        steps.add(one, asked(), now);
        steps.add(other, asked(), now);
        for left in (0..MAX_TRIES).rev() {
            assert_eq!(steps.attempt(&one, now).map(|(_, left)| left), Some(left));
        }
        assert!(steps.attempt(&one, now).is_none());
        assert!(steps.attempt(&other, now + MAX_STEP - Duration::from_secs(1)).is_some());
        assert!(steps.attempt(&other, now + MAX_STEP).is_none());
        assert!(steps.attempt(&TokenHash::of("unknown"), now).is_none());
        assert!(steps.lock().is_empty(), "what has ended is forgotten");
    }

    #[test]
    fn so_many_are_asked_and_no_more() {
        let (steps, now) = (SecondSteps::default(), Instant::now());
        for number in 0..MAX_WAITING + 3 {
            let at = now + Duration::from_millis(number as u64);
            steps.add(TokenHash::of(&number.to_string()), asked(), at);
        }
        assert_eq!(steps.lock().len(), MAX_WAITING);
        let is_there = |number: usize| steps.attempt(&TokenHash::of(&number.to_string()), now).is_some();
        assert!(!is_there(0) && !is_there(2) && is_there(3) && is_there(MAX_WAITING + 2));
    }
}
