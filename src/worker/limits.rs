//! Rate limits. They are shared by all workers, behind locks that are held for nanoseconds.

use std::{
    collections::{HashMap, VecDeque},
    hash::Hash,
    mem,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::bots::{Chains, HookQueues};
use crate::types::{UserId, network_of};

/// Keys stored at most, of about 300 bytes each with ten events.
const MAX_KEYS: usize = 100_000;

/// A sliding-window log: at most `limit` events of a key within any `window`. It is exact, since it stores the time of
/// each event, unless more than `MAX_KEYS` keys are used within two windows; then those used longest ago are dropped.
///
/// The governor crate takes no event back, and its GCRA lets nearly twice the limit through within one window.
///
/// The keys are in two generations. A key moves to the recent one when it is used. When a window is over, or the recent
/// one is full, the older one is dropped and the recent one becomes the older. So keys expire without a search, and a
/// key that is dropped after a whole window has no event that counts.
pub struct SlidingWindow<K> {
    limit: usize,
    window: Duration,
    keys: Mutex<Generations<K>>,
}

type Events<K> = HashMap<K, VecDeque<Instant>>;

struct Generations<K> {
    recent: Events<K>,
    older: Events<K>,
    /// When the recent one began.
    since: Option<Instant>,
}

impl<K: Hash + Eq> SlidingWindow<K> {
    pub fn new(limit: usize, window: Duration) -> Self {
        let keys = Generations { recent: HashMap::new(), older: HashMap::new(), since: None };
        Self { limit, window, keys: Mutex::new(keys) }
    }

    /// Counts an event, or returns how long to wait until one is allowed.
    pub fn take(&self, key: K, now: Instant) -> Result<(), Duration> {
        let mut keys = self.lock();
        let since = *keys.since.get_or_insert(now);
        let mut forgotten = Events::new();
        if keys.recent.len() >= MAX_KEYS / 2 || now.duration_since(since) >= self.window {
            let recent = mem::take(&mut keys.recent);
            forgotten = mem::replace(&mut keys.older, recent);
            keys.since = Some(now);
        }
        let known = keys.older.remove(&key);
        let events = keys.recent.entry(key).or_insert_with(|| known.unwrap_or_default());
        while events.front().is_some_and(|first| now.duration_since(*first) >= self.window) {
            events.pop_front();
        }
        let taken = match events.front() {
            Some(first) if events.len() >= self.limit => {
                Err(self.window.saturating_sub(now.duration_since(*first)))
            }
            _ => {
                events.push_back(now);
                Ok(())
            }
        };
        // Freeing thousands of keys takes a while, and others wait for the lock.
        drop(keys);
        drop(forgotten);
        taken
    }

    /// Removes the newest event of a key.
    pub fn give_back(&self, key: &K) {
        let keys = &mut *self.lock();
        for generation in [&mut keys.recent, &mut keys.older] {
            if let Some(events) = generation.get_mut(key) {
                events.pop_back();
                if events.is_empty() {
                    generation.remove(key);
                }
                return;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Generations<K>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The limits of one server.
pub struct Limits {
    posts: Option<SlidingWindow<UserId>>,
    posts_of_programs: Option<SlidingWindow<UserId>>,
    pub hooks: Arc<HookQueues>,
    pub chains: Chains,
    sign_ins_by_address: SlidingWindow<IpAddr>,
    sign_ins_by_account: SlidingWindow<String>,
    codes: SlidingWindow<UserId>,
    guesses: SlidingWindow<IpAddr>,
    joins: SlidingWindow<IpAddr>,
    provider_sign_ins: SlidingWindow<IpAddr>,
    test_pushes: SlidingWindow<UserId>,
    resets_by_address: SlidingWindow<IpAddr>,
    resets_by_account: SlidingWindow<String>,
}

/// Failed attempts to sign in, by address and by account, within three minutes.
const SIGN_INS: usize = 10;
const SIGN_IN_WINDOW: Duration = Duration::from_secs(180);
const POST_WINDOW: Duration = Duration::from_secs(10);

/// How many times a person's messages a bot or an incoming webhook may post: monitors report all that happened at once,
/// and few of them try again.
const TIMES_OF_PROGRAMS: usize = 50;

/// Wrong codes of the second step, by account: of a million, three are right at a time. Only who knows the password can try them.
const CODES: usize = 10;
const CODE_WINDOW: Duration = Duration::from_secs(3600);

/// Wrong join codes, and links that do not work, by address.
const GUESSES: usize = 30;
const GUESS_WINDOW: Duration = Duration::from_secs(180);

/// People who join, by address: each hashes a password. A whole office may be behind one.
const JOINS: usize = 100;
const JOIN_WINDOW: Duration = Duration::from_secs(600);

/// Sign-ins by an identity provider that are begun, by address: each may call the provider. A whole office may be behind one.
const PROVIDER_SIGN_INS: usize = 100;
const PROVIDER_SIGN_IN_WINDOW: Duration = Duration::from_secs(600);

/// Test pushes of a user, each of which calls an address of their choice.
const TEST_PUSHES: usize = 10;
const TEST_PUSH_WINDOW: Duration = Duration::from_secs(60);

/// Links to choose a new password that are asked for, by address and by account, known or not.
const RESETS_BY_ADDRESS: usize = 10;
const RESETS_BY_ACCOUNT: usize = 3;
const RESET_WINDOW: Duration = Duration::from_secs(3600);

impl Limits {
    /// `posts` messages of a person in ten seconds, and 50 times as many of a program; 0 for no limit.
    pub fn new(posts: u32) -> Self {
        Self {
            posts: (posts > 0).then(|| SlidingWindow::new(posts as usize, POST_WINDOW)),
            posts_of_programs: (posts > 0)
                .then(|| SlidingWindow::new(posts as usize * TIMES_OF_PROGRAMS, POST_WINDOW)),
            hooks: Arc::default(),
            chains: Chains::default(),
            sign_ins_by_address: SlidingWindow::new(SIGN_INS, SIGN_IN_WINDOW),
            sign_ins_by_account: SlidingWindow::new(SIGN_INS, SIGN_IN_WINDOW),
            codes: SlidingWindow::new(CODES, CODE_WINDOW),
            guesses: SlidingWindow::new(GUESSES, GUESS_WINDOW),
            joins: SlidingWindow::new(JOINS, JOIN_WINDOW),
            provider_sign_ins: SlidingWindow::new(PROVIDER_SIGN_INS, PROVIDER_SIGN_IN_WINDOW),
            test_pushes: SlidingWindow::new(TEST_PUSHES, TEST_PUSH_WINDOW),
            resets_by_address: SlidingWindow::new(RESETS_BY_ADDRESS, RESET_WINDOW),
            resets_by_account: SlidingWindow::new(RESETS_BY_ACCOUNT, RESET_WINDOW),
        }
    }

    pub fn post(&self, user: UserId) -> Result<(), Duration> {
        self.posts.as_ref().map_or(Ok(()), |posts| posts.take(user, Instant::now()))
    }

    /// Counts a post of a bot or an incoming webhook.
    pub fn post_by_program(&self, user: UserId) -> Result<(), Duration> {
        self.posts_of_programs.as_ref().map_or(Ok(()), |posts| posts.take(user, Instant::now()))
    }

    /// Counts an attempt to sign in. `give_back` removes it again, so that many people behind one address can sign in.
    /// An IPv6 address counts as its /64, since a client has all of them.
    pub fn try_sign_in(&self, address: IpAddr, email: &str) -> Result<(), Duration> {
        let now = Instant::now();
        self.sign_ins_by_address.take(network_of(address), now)?;
        self.sign_ins_by_account.take(email.to_lowercase(), now)
    }

    /// Counts a code of somebody's second step, by address as a sign-in. `give_code_back` removes it again.
    pub fn try_code(&self, address: IpAddr, user: UserId) -> Result<(), Duration> {
        let now = Instant::now();
        self.sign_ins_by_address.take(network_of(address), now)?;
        self.codes.take(user, now)
    }

    /// Removes a code that was right, or was not looked at.
    pub fn give_code_back(&self, address: IpAddr, user: UserId) {
        self.sign_ins_by_address.give_back(&network_of(address));
        self.codes.give_back(&user);
    }

    /// Counts the use of a join code or of a link, unless `is_right` says that it works.
    pub fn guess(&self, address: IpAddr, is_right: impl FnOnce() -> bool) -> Result<bool, Duration> {
        let network = network_of(address);
        self.guesses.take(network, Instant::now())?;
        let is_right = is_right();
        if is_right {
            self.guesses.give_back(&network);
        }
        Ok(is_right)
    }

    /// Counts somebody who joins.
    pub fn join(&self, address: IpAddr) -> Result<(), Duration> {
        self.joins.take(network_of(address), Instant::now())
    }

    /// Counts a sign-in by an identity provider that is begun.
    pub fn begin_at_provider(&self, address: IpAddr) -> Result<(), Duration> {
        self.provider_sign_ins.take(network_of(address), Instant::now())
    }

    pub fn test_push(&self, user: UserId) -> Result<(), Duration> {
        self.test_pushes.take(user, Instant::now())
    }

    /// Counts somebody who asks for a link to choose a new password.
    pub fn reset(&self, address: IpAddr, email: &str) -> Result<(), Duration> {
        let now = Instant::now();
        self.resets_by_address.take(network_of(address), now)?;
        self.resets_by_account.take(email.to_lowercase(), now)
    }

    /// Removes an attempt that succeeded, or was not made.
    pub fn give_back(&self, address: IpAddr, email: &str) {
        self.sign_ins_by_address.give_back(&network_of(address));
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
    fn the_window_slides_over_the_change_of_generations() {
        let window = SlidingWindow::new(2, Duration::from_secs(10));
        let start = Instant::now();
        let at = |second| start + Duration::from_secs(second);
        // A new generation begins with the first event at or after 10 s, and again 10 s later.
        assert!(window.take("other", at(0)).is_ok());
        assert!(window.take("a", at(8)).is_ok() && window.take("a", at(9)).is_ok());
        assert_eq!(
            window.take("a", at(11)),
            Err(Duration::from_secs(7)),
            "they count from the older generation"
        );
        assert!(window.take("other", at(12)).is_ok());
        assert_eq!(window.take("a", at(18)), Ok(()));
        assert!(window.take("other", at(22)).is_ok());
        window.give_back(&"a");
        assert!(window.take("a", at(23)).is_ok() && window.take("a", at(23)).is_ok());
        assert_eq!(window.take("a", at(24)), Err(Duration::from_secs(9)));
    }

    #[test]
    fn so_many_keys_are_remembered_and_no_more() {
        let window = SlidingWindow::new(1, Duration::from_secs(10));
        let now = Instant::now();
        for key in 0..3 * MAX_KEYS {
            assert!(window.take(key, now).is_ok());
        }
        let keys = window.lock();
        assert!(keys.recent.len() + keys.older.len() <= MAX_KEYS);
        drop(keys);
        assert!(window.take(3 * MAX_KEYS - 1, now).is_err(), "the last ones are still known");
        assert!(window.take(3 * MAX_KEYS - MAX_KEYS / 2, now).is_err());
    }

    /// B14.
    #[test]
    fn addresses_of_one_ipv6_network_share_their_limits() {
        let limits = Limits::new(0);
        let address = |last: usize| format!("2001:db8:1:2::{last:x}").parse().unwrap();
        for attempt in 0..SIGN_INS {
            assert_eq!(limits.try_sign_in(address(attempt), &format!("{attempt}@a.example")), Ok(()));
        }
        assert!(limits.try_sign_in(address(77), "other@a.example").is_err());
        for attempt in 0..GUESSES {
            assert_eq!(limits.guess(address(attempt), || true), Ok(true), "what works does not count");
            assert_eq!(limits.guess(address(attempt), || false), Ok(false));
        }
        assert!(limits.guess(address(77), || true).is_err());
        for attempt in 0..JOINS {
            assert_eq!(limits.join(address(attempt)), Ok(()));
        }
        assert!(limits.join(address(77)).is_err());
        for attempt in 0..PROVIDER_SIGN_INS {
            assert_eq!(limits.begin_at_provider(address(attempt)), Ok(()));
        }
        assert!(limits.begin_at_provider(address(77)).is_err());
        let other = "2001:db8:1:3::1".parse().unwrap();
        assert_eq!(limits.try_sign_in(other, "third@a.example"), Ok(()));
        assert_eq!((limits.guess(other, || false), limits.join(other)), (Ok(false), Ok(())));
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
