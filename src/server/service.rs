//! What systemd is told, if it started us (sd_notify(3)): that we are ready, well, or going. Without `NOTIFY_SOCKET` in
//! the environment all of it does nothing.

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

/// While the database is brought up to date, the service manager is asked for so much more time …
const MORE_TIME: Duration = Duration::from_secs(30);

/// … this often …
const ASK_EVERY: Duration = Duration::from_secs(5);

/// … until so much has passed: then something is wrong.
const LONGEST_START: Duration = Duration::from_secs(3600);

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "could not tell the service manager how we are");
    }
}

/// Requests are answered from now on.
pub(super) fn ready(status: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// We were told to stop.
pub(super) fn stopping() {
    tell(&[NotifyState::Stopping, NotifyState::Status("Letting requests finish")]);
}

/// Does what may take long before we are ready, and asks for more time as long as it does.
pub(super) fn starting<T>(work: impl FnOnce() -> T) -> T {
    let (done, waiting) = channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let began = Instant::now();
            // Ends when the other side is dropped.
            while began.elapsed() < LONGEST_START
                && waiting.recv_timeout(ASK_EVERY) == Err(RecvTimeoutError::Timeout)
            {
                let more = u32::try_from(MORE_TIME.as_micros()).unwrap_or(u32::MAX);
                let status = NotifyState::Status("Bringing the database up to date");
                tell(&[NotifyState::ExtendTimeoutUsec(more), status]);
            }
        });
        let result = work();
        drop(done);
        result
    })
}

/// When each worker's clock last ticked. Written by the workers, each its own, read by the watch.
#[derive(Debug)]
pub(super) struct Watchdog {
    started: Instant,
    /// Milliseconds since the start.
    beats: Box<[AtomicU64]>,
}

impl Watchdog {
    pub(super) fn new(started: Instant, workers: usize) -> Self {
        let watchdog = Self { started, beats: (0..workers).map(|_| AtomicU64::new(0)).collect() };
        (0..workers).for_each(|worker| watchdog.beat(worker));
        watchdog
    }

    pub(super) fn beat(&self, worker: usize) {
        self.beats[worker].store(self.started.elapsed().as_millis() as u64, Ordering::Relaxed);
    }

    /// The worker that has been still for longest, and for how long at this time since the start.
    fn stillest(&self, now: Duration) -> Option<(usize, Duration)> {
        let beats = self.beats.iter().map(|beat| Duration::from_millis(beat.load(Ordering::Relaxed)));
        beats
            .enumerate()
            .map(|(worker, beat)| (worker, now.saturating_sub(beat)))
            .max_by_key(|(_, still)| *still)
    }
}

/// Who does not move.
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

/// Looks whether every worker and the writer are alive.
struct Watch {
    /// Who has not moved for longer is stuck.
    patience: Duration,
    /// How far the writer was, and when it was seen to get there or to have nothing to do.
    writer: (u64, Duration),
}

impl Watch {
    /// `now` is the time since the start; of the writer: how much waits for it, and a count that moves while it works.
    fn look(&mut self, now: Duration, watchdog: &Watchdog, waiting: usize, turns: u64) -> Option<Stuck> {
        if waiting == 0 || turns != self.writer.0 {
            self.writer = (turns, now);
        }
        match watchdog.stillest(now) {
            Some((worker, still)) if still > self.patience => Some(Stuck::Worker(worker)),
            _ => (now.saturating_sub(self.writer.1) > self.patience).then_some(Stuck::Writer),
        }
    }
}

/// Tells the service manager twice in each of its intervals (`WatchdogSec=`) that we are alive, as long as all of us are;
/// if we are not, it starts us afresh. For ever; does nothing if nobody watches.
pub(super) async fn keep_watch(watchdog: &Watchdog, writer: &WriterHandle) {
    let Some(interval) = sd_notify::watchdog_enabled().filter(|interval| !interval.is_zero()) else {
        return std::future::pending().await;
    };
    let mut watch = Watch { patience: interval / 2, writer: (0, watchdog.started.elapsed()) };
    let mut ticks = tokio::time::interval(interval / 2);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match watch.look(watchdog.started.elapsed(), watchdog, writer.depth(), writer.turns()) {
            None => tell(&[NotifyState::Watchdog]),
            Some(stuck) => {
                tracing::error!(
                    "{stuck} has not moved for {:?}: the watchdog is not told that all is well",
                    watch.patience
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn watchdog(beats: &[u64]) -> Watchdog {
        Watchdog {
            started: Instant::now(),
            beats: beats.iter().map(|beat| AtomicU64::new(beat * 1_000)).collect(),
        }
    }

    fn watch() -> Watch {
        Watch { patience: 10 * SECOND, writer: (0, Duration::ZERO) }
    }

    #[test]
    fn a_worker_whose_clock_stands_still_is_stuck_and_no_longer_so_when_it_ticks_again() {
        let (mut watch, watchdog) = (watch(), watchdog(&[100, 95, 100]));
        assert_eq!(watch.look(105 * SECOND, &watchdog, 0, 0), None);
        assert_eq!(watch.look(106 * SECOND, &watchdog, 0, 0), Some(Stuck::Worker(1)));
        for beat in &watchdog.beats {
            beat.store(107_000, Ordering::Relaxed);
        }
        assert_eq!(watch.look(110 * SECOND, &watchdog, 0, 0), None);
    }

    #[test]
    fn a_writer_is_stuck_if_something_waits_and_it_takes_no_turn() {
        let (mut watch, watchdog) = (watch(), watchdog(&[1_000]));
        // Nothing to do, for however long.
        assert_eq!(watch.look(50 * SECOND, &watchdog, 0, 7), None);
        assert_eq!(watch.look(500 * SECOND, &watchdog, 0, 7), None);
        // Much to do, and done.
        assert_eq!(watch.look(520 * SECOND, &watchdog, 40, 8), None);
        assert_eq!(watch.look(540 * SECOND, &watchdog, 40, 9), None);
        // Still at the same.
        assert_eq!(watch.look(550 * SECOND, &watchdog, 40, 9), None);
        assert_eq!(watch.look(551 * SECOND, &watchdog, 40, 9), Some(Stuck::Writer));
        assert_eq!(watch.look(552 * SECOND, &watchdog, 40, 10), None);
    }

    #[test]
    fn a_pulse_beats_for_each_worker() {
        let watchdog = Watchdog::new(Instant::now() - 60 * SECOND, 2);
        let beats = || watchdog.beats.iter().map(|beat| beat.load(Ordering::Relaxed)).collect::<Vec<_>>();
        assert!(beats().iter().all(|beat| *beat >= 60_000), "{:?}", beats());
        watchdog.beats[1].store(0, Ordering::Relaxed);
        assert_eq!(watchdog.stillest(61 * SECOND), Some((1, 61 * SECOND)));
        watchdog.beat(1);
        assert!(beats()[1] >= 60_000, "{:?}", beats());
    }
}
