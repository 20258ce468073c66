//! Bounds for programs: how many messages wait for an incoming webhook, and how often bots may call one another.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use crate::types::{HookId, RoomId};

/// Messages of one incoming webhook that wait to be stored.
pub const MAX_WAITING: usize = 1_000;

/// The messages of incoming webhooks that wait for the writer, by webhook.
#[derive(Debug, Default)]
pub struct HookQueues(Mutex<HashMap<HookId, usize>>);

/// A message that waits. It counts until this is dropped.
#[derive(Debug)]
pub struct Waiting {
    queues: Arc<HookQueues>,
    hook: HookId,
}

impl HookQueues {
    /// Takes a place in the queue of a webhook; None if it is full.
    pub fn enter(self: &Arc<Self>, hook: HookId) -> Option<Waiting> {
        let mut queues = self.lock();
        let count = queues.entry(hook).or_default();
        if *count >= MAX_WAITING {
            return None;
        }
        *count += 1;
        drop(queues);
        Some(Waiting { queues: Arc::clone(self), hook })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<HookId, usize>> {
        // The lock is held for a change of one number.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut queues = self.queues.lock();
        if let Some(count) = queues.get_mut(&self.hook) {
            *count -= 1;
            if *count == 0 {
                queues.remove(&self.hook);
            }
        }
    }
}

/// Messages of bots in a row, in one room, that call the webhooks of other bots.
pub const MAX_CHAIN: u32 = 3;

/// After so long without such a message a new chain begins.
const CHAIN_ENDS_AFTER: Duration = Duration::from_secs(600);

/// Chains that are remembered.
const MAX_CHAINS: usize = 10_000;

/// Chains of messages of bots, by room: two bots that call one another would go on without end. A person's message begins
/// anew.
#[derive(Debug, Default)]
pub struct Chains(Mutex<HashMap<RoomId, Chain>>);

#[derive(Debug)]
struct Chain {
    length: u32,
    last: Instant,
}

impl Chains {
    /// Counts a message of a bot that would call others; whether it may.
    pub fn take(&self, room: RoomId, now: Instant) -> bool {
        let mut chains = self.lock();
        if chains.len() >= MAX_CHAINS {
            chains.retain(|_, chain| now.duration_since(chain.last) < CHAIN_ENDS_AFTER);
        }
        if chains.len() >= MAX_CHAINS && !chains.contains_key(&room) {
            return false;
        }
        let chain = chains.entry(room).or_insert(Chain { length: 0, last: now });
        if now.duration_since(chain.last) >= CHAIN_ENDS_AFTER {
            chain.length = 0;
        }
        chain.last = now;
        chain.length = chain.length.saturating_add(1);
        chain.length <= MAX_CHAIN
    }

    /// A person has spoken.
    pub fn end(&self, room: RoomId) {
        self.lock().remove(&room);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<RoomId, Chain>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queue_of_a_webhook_has_so_many_places_and_frees_them() {
        let queues = Arc::new(HookQueues::default());
        let mut waiting: Vec<_> = (0..MAX_WAITING).map(|_| queues.enter(HookId(1)).unwrap()).collect();
        assert!(queues.enter(HookId(1)).is_none());
        assert!(queues.enter(HookId(2)).is_some(), "each has its own");
        waiting.pop();
        assert!(queues.enter(HookId(1)).is_some());
        drop(waiting);
        assert!(queues.lock().is_empty());
    }

    #[test]
    fn chain_of_bots_ends_until_a_person_speaks_or_time_passes() {
        let chains = Chains::default();
        let start = Instant::now();
        let taken = |room, at| chains.take(RoomId(room), start + Duration::from_secs(at));
        assert!((0..MAX_CHAIN).all(|second| taken(1, second.into())));
        assert!(!taken(1, 10) && !taken(1, 20), "each try counts");
        assert!(taken(2, 20), "each room has its own");
        chains.end(RoomId(1));
        assert!(taken(1, 30));
        assert!(taken(1, 31) && taken(1, 32) && !taken(1, 33));
        assert!(taken(1, 33 + 600));
    }
}
