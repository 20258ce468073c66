//! Rate limits. They are shared by all workers, behind locks that are held for nanoseconds.

use std::{
    collections::{HashMap, VecDeque},
    hash::Hash,
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use crate::types::UserId;

/// Keys stored; beyond it, those without an event within the window are dropped.
const MAX_KEYS: usize = 100_000;

/// A sliding-window log: at most `limit` events of a key within any `window`, exactly, since it stores the time of
/// each.
pub struct SlidingWindow<K> {
    limit: usize,
    window: Duration,
    events: Mutex<HashMap<K, VecDeque<Instant>>>,
}

impl<K: Hash + Eq> SlidingWindow<K> {
    pub fn new(limit: usize, window: Duration) -> Self {
        Self { limit, window, events: Mutex::default() }
    }

    /// Counts an event, or returns how long to wait until one is allowed.
    pub fn take(&self, key: K, now: Instant) -> Result<(), Duration> {
        let mut all = self.lock();
        if all.len() >= MAX_KEYS {
            all.retain(|_, events| events.back().is_some_and(|last| now.duration_since(*last) < self.window));
        }
        let events = all.entry(key).or_default();
        while events.front().is_some_and(|first| now.duration_since(*first) >= self.window) {
            events.pop_front();
        }
        if events.len() >= self.limit {
            let first = events.front().copied().unwrap_or(now);
            return Err(self.window.saturating_sub(now.duration_since(first)));
        }
        events.push_back(now);
        Ok(())
    }

    /// Removes the newest event of a key.
    pub fn give_back(&self, key: &K) {
        let mut all = self.lock();
        if let Some(events) = all.get_mut(key) {
            events.pop_back();
            if events.is_empty() {
                all.remove(key);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, VecDeque<Instant>>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The limits of one server.
pub struct Limits {
    posts: Option<SlidingWindow<UserId>>,
    sign_ins_by_address: SlidingWindow<IpAddr>,
    sign_ins_by_account: SlidingWindow<String>,
}

/// Failed attempts to sign in, by address and by account, within three minutes.
const SIGN_INS: usize = 10;
const SIGN_IN_WINDOW: Duration = Duration::from_secs(180);
const POST_WINDOW: Duration = Duration::from_secs(10);

impl Limits {
    /// `posts` messages of a user in ten seconds; 0 for no limit.
    pub fn new(posts: u32) -> Self {
        Self {
            posts: (posts > 0).then(|| SlidingWindow::new(posts as usize, POST_WINDOW)),
            sign_ins_by_address: SlidingWindow::new(SIGN_INS, SIGN_IN_WINDOW),
            sign_ins_by_account: SlidingWindow::new(SIGN_INS, SIGN_IN_WINDOW),
        }
    }

    pub fn post(&self, user: UserId) -> Result<(), Duration> {
        self.posts.as_ref().map_or(Ok(()), |posts| posts.take(user, Instant::now()))
    }

    /// Counts an attempt to sign in. `signed_in` removes it again, so that many people behind one address can sign in.
    pub fn try_sign_in(&self, address: IpAddr, email: &str) -> Result<(), Duration> {
        let now = Instant::now();
        self.sign_ins_by_address.take(address, now)?;
        self.sign_ins_by_account.take(email.to_lowercase(), now)
    }

    pub fn signed_in(&self, address: IpAddr, email: &str) {
        self.sign_ins_by_address.give_back(&address);
        self.sign_ins_by_account.give_back(&email.to_lowercase());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_lets_so_many_through_and_says_how_long_to_wait() {
        let window = SlidingWindow::new(3, Duration::from_secs(10));
        let start = Instant::now();
        for second in 0..3 {
            assert_eq!(window.take("a", start + Duration::from_secs(second)), Ok(()));
        }
        assert_eq!(window.take("a", start + Duration::from_secs(4)), Err(Duration::from_secs(6)));
        assert_eq!(window.take("b", start + Duration::from_secs(4)), Ok(()));
        assert_eq!(window.take("a", start + Duration::from_secs(10)), Ok(()));
        assert!(window.take("a", start + Duration::from_secs(10)).is_err());
    }

    #[test]
    fn what_is_given_back_does_not_count() {
        let window = SlidingWindow::new(1, Duration::from_secs(10));
        let now = Instant::now();
        assert!(window.take(1, now).is_ok());
        window.give_back(&1);
        assert!(window.take(1, now).is_ok());
        assert!(window.take(1, now).is_err());
    }
}
