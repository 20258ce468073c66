//! Notifications to systemd, if it started the server (sd_notify(3)): ready, alive, or stopping. Without `NOTIFY_SOCKET` in
//! the environment they do nothing.

use std::{
    fmt,
    sync::{
        atomic::{AtomicU64, Ordering},
        mpsc::{RecvTimeoutError, channel},
    },
    time::{Duration, Instant},
};

use sd_notify::NotifyState;

use crate::store::WriterHandle;

/// How much more time the service manager is asked for while the database is migrated.
const MORE_TIME: Duration = Duration::from_secs(30);

/// How often it is asked.
const ASK_EVERY: Duration = Duration::from_secs(5);

/// How long it is asked; a start that takes longer is stuck.
const LONGEST_START: Duration = Duration::from_secs(3600);

fn notify(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "cannot notify the service manager");
    }
}

/// Reports that requests are answered from now on.
pub(super) fn ready(status: &str) {
    notify(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// Reports that the server stops.
pub(super) fn stopping() {
    notify(&[NotifyState::Stopping, NotifyState::Status("Finishing requests")]);
}

/// Runs work that may take long before the server is ready, and asks for more time meanwhile.
pub(super) fn starting<T>(work: impl FnOnce() -> T) -> T {
    let (done, waiting) = channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let began = Instant::now();
            // Ends when `done` is dropped.
            while began.elapsed() < LONGEST_START
                && waiting.recv_timeout(ASK_EVERY) == Err(RecvTimeoutError::Timeout)
            {
                let more = u32::try_from(MORE_TIME.as_micros()).unwrap_or(u32::MAX);
                let status = NotifyState::Status("Migrating the database");
                notify(&[NotifyState::ExtendTimeoutUsec(more), status]);
            }
        });
        let result = work();
        drop(done);
        result
    })
}

/// The last heartbeat of each worker, in milliseconds since the start. Each worker writes its own.
#[derive(Debug)]
pub(super) struct Watchdog {
    started: Instant,
    heartbeats: Box<[AtomicU64]>,
}

impl Watchdog {
    pub(super) fn new(started: Instant, workers: usize) -> Self {
        let watchdog = Self { started, heartbeats: (0..workers).map(|_| AtomicU64::new(0)).collect() };
        (0..workers).for_each(|worker| watchdog.heartbeat(worker));
        watchdog
    }

    /// Records that a worker is alive.
    pub(super) fn heartbeat(&self, worker: usize) {
        self.heartbeats[worker].store(self.started.elapsed().as_millis() as u64, Ordering::Relaxed);
    }

    /// The worker with the oldest heartbeat, and the age of that; `now` is the time since the start.
    fn oldest_heartbeat(&self, now: Duration) -> Option<(usize, Duration)> {
        let heartbeats = self.heartbeats.iter().map(|at| Duration::from_millis(at.load(Ordering::Relaxed)));
        heartbeats
            .enumerate()
            .map(|(worker, at)| (worker, now.saturating_sub(at)))
            .max_by_key(|(_, age)| *age)
    }
}

/// What makes no progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stuck {
    Worker(usize),
    Writer,
}

impl fmt::Display for Stuck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Worker(worker) => write!(f, "worker {worker}"),
            Self::Writer => f.write_str("the writer"),
        }
    }
}

/// Checks whether every worker and the writer make progress.
struct Liveness {
    /// What makes no progress for longer is stuck.
    patience: Duration,
    /// The writer's turns, and when they were last seen to change or its queue to be empty.
    writer: (u64, Duration),
}

impl Liveness {
    /// `now` is the time since the start, `waiting` the length of the writer's queue, `turns` a count that grows while it works.
    fn check(&mut self, now: Duration, watchdog: &Watchdog, waiting: usize, turns: u64) -> Option<Stuck> {
        if waiting == 0 || turns != self.writer.0 {
            self.writer = (turns, now);
        }
        match watchdog.oldest_heartbeat(now) {
            Some((worker, age)) if age > self.patience => Some(Stuck::Worker(worker)),
            _ => (now.saturating_sub(self.writer.1) > self.patience).then_some(Stuck::Writer),
        }
    }
}

/// Notifies the service manager twice in each interval (`WatchdogSec=`) as long as all workers and the writer make progress;
/// otherwise it restarts the server. Never ends; without a watchdog it does nothing.
pub(super) async fn run_watchdog(watchdog: &Watchdog, writer: &WriterHandle) {
    let Some(interval) = sd_notify::watchdog_enabled().filter(|interval| !interval.is_zero()) else {
        return std::future::pending().await;
    };
    let mut liveness = Liveness { patience: interval / 2, writer: (0, watchdog.started.elapsed()) };
    let mut ticks = tokio::time::interval(interval / 2);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match liveness.check(watchdog.started.elapsed(), watchdog, writer.depth(), writer.turns()) {
            None => notify(&[NotifyState::Watchdog]),
            Some(stuck) => {
                tracing::error!(
                    "{stuck} has made no progress for {:?}: the watchdog is not notified",
                    liveness.patience
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn watchdog(heartbeats: &[u64]) -> Watchdog {
        Watchdog {
            started: Instant::now(),
            heartbeats: heartbeats.iter().map(|at| AtomicU64::new(at * 1_000)).collect(),
        }
    }

    fn liveness() -> Liveness {
        Liveness { patience: 10 * SECOND, writer: (0, Duration::ZERO) }
    }

    #[test]
    fn worker_without_a_heartbeat_is_stuck_until_the_next_one() {
        let (mut liveness, watchdog) = (liveness(), watchdog(&[100, 95, 100]));
        assert_eq!(liveness.check(105 * SECOND, &watchdog, 0, 0), None);
        assert_eq!(liveness.check(106 * SECOND, &watchdog, 0, 0), Some(Stuck::Worker(1)));
        for heartbeat in &watchdog.heartbeats {
            heartbeat.store(107_000, Ordering::Relaxed);
        }
        assert_eq!(liveness.check(110 * SECOND, &watchdog, 0, 0), None);
    }

    #[test]
    fn writer_with_a_queue_and_no_turn_is_stuck() {
        let (mut liveness, watchdog) = (liveness(), watchdog(&[1_000]));
        // An idle writer is never stuck.
        assert_eq!(liveness.check(50 * SECOND, &watchdog, 0, 7), None);
        assert_eq!(liveness.check(500 * SECOND, &watchdog, 0, 7), None);
        // It works on its queue.
        assert_eq!(liveness.check(520 * SECOND, &watchdog, 40, 8), None);
        assert_eq!(liveness.check(540 * SECOND, &watchdog, 40, 9), None);
        // It makes no progress.
        assert_eq!(liveness.check(550 * SECOND, &watchdog, 40, 9), None);
        assert_eq!(liveness.check(551 * SECOND, &watchdog, 40, 9), Some(Stuck::Writer));
        assert_eq!(liveness.check(552 * SECOND, &watchdog, 40, 10), None);
    }

    #[test]
    fn watchdog_has_the_heartbeat_of_each_worker() {
        let watchdog = Watchdog::new(Instant::now() - 60 * SECOND, 2);
        let heartbeats =
            || watchdog.heartbeats.iter().map(|at| at.load(Ordering::Relaxed)).collect::<Vec<_>>();
        assert!(heartbeats().iter().all(|at| *at >= 60_000), "{:?}", heartbeats());
        watchdog.heartbeats[1].store(0, Ordering::Relaxed);
        assert_eq!(watchdog.oldest_heartbeat(61 * SECOND), Some((1, 61 * SECOND)));
        watchdog.heartbeat(1);
        assert!(heartbeats()[1] >= 60_000, "{:?}", heartbeats());
    }
}
