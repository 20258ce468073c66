//! When each request is due, and a clock fine enough to keep to that.
//!
//! Requests are due by a timetable that knows nothing of answers: one that is slow does not put off the next, which
//! waits, and whose wait counts (an open loop; this is how coordinated omission is accounted for).

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    io,
    os::fd::OwnedFd,
    rc::Rc,
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};
use tokio::io::unix::AsyncFd;

/// How load comes up and how much of it there is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    /// Seconds in which users and rate come up evenly.
    pub(super) ramp: f64,
    /// Seconds after the ramp.
    pub(super) duration: f64,
    /// Requests a second; without, each as soon as the last is answered.
    pub(super) rate: Option<f64>,
}

impl Plan {
    /// Seconds after the start at which the request of a number is due.
    fn due(&self, number: u64, rate: f64) -> f64 {
        let in_ramp = rate * self.ramp / 2.0;
        let number = number as f64;
        if number < in_ramp {
            (2.0 * self.ramp * number / rate).sqrt()
        } else {
            self.ramp + (number - in_ramp) / rate
        }
    }

    /// Requests due within so many seconds.
    pub(super) fn due_within(&self, seconds: f64, rate: f64) -> u64 {
        let in_ramp = rate * self.ramp / 2.0;
        let count = if seconds < self.ramp {
            rate * seconds * seconds / (2.0 * self.ramp)
        } else {
            in_ramp + (seconds - self.ramp) * rate
        };
        count.ceil().max(0.0) as u64
    }

    pub(super) fn total(&self) -> f64 {
        self.ramp + self.duration
    }

    /// The rate that is aimed at after so many seconds.
    pub(super) fn rate_at(&self, seconds: f64) -> Option<f64> {
        Some(self.rate? * if seconds < self.ramp { seconds / self.ramp } else { 1.0 })
    }
}

/// Whom to wake, if somebody waits already.
type Alarm = Rc<Cell<Option<Waker>>>;

/// Hands out the requests of a plan, each to the first user who is free.
pub(super) struct Pacer {
    pub(super) plan: Plan,
    pub(super) start: Instant,
    end: Cell<Instant>,
    next: Cell<u64>,
    /// Those whose time has not come, in the order in which it will.
    waiting: RefCell<VecDeque<(Instant, Alarm)>>,
    /// tokio's timers tick in milliseconds; many an answer takes less.
    timer: AsyncFd<OwnedFd>,
}

/// One request's turn.
pub(super) struct Turn {
    pub(super) number: u64,
    pub(super) due: Instant,
    /// Somebody was free before it was due, so what it starts late is our own fault.
    pub(super) is_early: bool,
    waker: Alarm,
}

impl Pacer {
    // Sound here, where the descriptor is owned and never exchanged; what is to come instead is `unsafe` to call.
    #[expect(deprecated, reason = "the other constructors are unsafe, which this crate is not")]
    pub(super) fn new(plan: Plan, start: Instant) -> io::Result<Self> {
        let timer =
            timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
        Ok(Self {
            plan,
            start,
            end: Cell::new(start + Duration::from_secs_f64(plan.total())),
            next: Cell::new(0),
            waiting: RefCell::default(),
            timer: AsyncFd::new(timer)?,
        })
    }

    /// The next request that nobody has taken yet, or none if the time is over.
    pub(super) fn take(&self) -> Option<Turn> {
        let number = self.next.get();
        let due = match self.plan.rate {
            Some(rate) => self.start + Duration::from_secs_f64(self.plan.due(number, rate)),
            None => Instant::now(),
        };
        if due >= self.end.get() || Instant::now() >= self.end.get() {
            return None;
        }
        self.next.set(number + 1);
        let waker = Alarm::default();
        let is_early = due > Instant::now();
        if is_early {
            let mut waiting = self.waiting.borrow_mut();
            waiting.push_back((due, Rc::clone(&waker)));
            if waiting.len() == 1 {
                self.arm(due);
            }
        }
        Some(Turn { number, due, is_early, waker })
    }

    /// Wakes those whose time has come, for ever.
    pub(super) async fn run(&self) {
        loop {
            let Ok(mut ready) = self.timer.readable().await else { return };
            let mut expirations = [0; 8];
            // What it says does not matter, and neither does that somebody armed it anew in between.
            let _ = rustix::io::read(self.timer.get_ref(), &mut expirations);
            ready.clear_ready();
            let now = Instant::now();
            let mut waiting = self.waiting.borrow_mut();
            while waiting.front().is_some_and(|(due, _)| *due <= now) {
                if let Some(waker) = waiting.pop_front().and_then(|(_, waker)| waker.take()) {
                    waker.wake();
                }
            }
            if let Some((due, _)) = waiting.front() {
                self.arm(*due);
            }
        }
    }

    fn arm(&self, due: Instant) {
        // Zero would switch it off.
        let wait = due.saturating_duration_since(Instant::now()).max(Duration::from_nanos(1));
        let value = Itimerspec {
            it_interval: Timespec { tv_sec: 0, tv_nsec: 0 },
            it_value: Timespec { tv_sec: wait.as_secs() as i64, tv_nsec: i64::from(wait.subsec_nanos()) },
        };
        timerfd_settime(self.timer.get_ref(), TimerfdTimerFlags::empty(), &value)
            .expect("a timer of our own");
    }

    /// Ends it before its time.
    pub(super) fn stop(&self) {
        self.end.set(Instant::now().min(self.end.get()));
        for (_, waker) in self.waiting.borrow_mut().drain(..) {
            if let Some(waker) = waker.take() {
                waker.wake();
            }
        }
    }

    pub(super) fn end(&self) -> Instant {
        self.end.get()
    }

    /// Whether latencies and counts of this moment are judged: once the ramp is over.
    pub(super) fn is_judged(&self, due: Instant) -> bool {
        due >= self.start + Duration::from_secs_f64(self.plan.ramp)
    }

    /// Requests that were due and that nobody was free to send: number and time.
    pub(super) fn unsent(&self) -> impl Iterator<Item = (u64, Instant)> {
        let ran = self.end.get().saturating_duration_since(self.start).as_secs_f64();
        let (rate, first) = (self.plan.rate.unwrap_or(1.0), self.next.get());
        let last = if self.plan.rate.is_some() { self.plan.due_within(ran, rate) } else { first };
        (first..last)
            .map(move |number| (number, self.start + Duration::from_secs_f64(self.plan.due(number, rate))))
    }
}

impl Turn {
    /// Ready when it is time, or when there will be no more time: the caller looks.
    pub(super) fn poll(&self, pacer: &Pacer, cx: &Context<'_>) -> Poll<()> {
        let now = Instant::now();
        if now >= self.due || now >= pacer.end() {
            return Poll::Ready(());
        }
        self.waker.set(Some(cx.waker().clone()));
        Poll::Pending
    }

    /// Waits for its time. False if the run ended before.
    pub(super) async fn comes(&self, pacer: &Pacer) -> bool {
        std::future::poll_fn(|cx| self.poll(pacer, cx)).await;
        self.due < pacer.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: Plan = Plan { ramp: 10.0, duration: 20.0, rate: Some(100.0) };

    #[test]
    fn the_rate_comes_up_evenly_and_then_stays() {
        assert_eq!(PLAN.due(0, 100.0), 0.0);
        // Half a ramp has a quarter of its requests.
        assert!((PLAN.due(125, 100.0) - 5.0).abs() < 1e-9);
        assert!((PLAN.due(500, 100.0) - 10.0).abs() < 1e-9);
        assert!((PLAN.due(501, 100.0) - 10.01).abs() < 1e-9);
        assert_eq!((PLAN.due_within(5.0, 100.0), PLAN.due_within(30.0, 100.0)), (125, 2500));
        assert_eq!((PLAN.rate_at(5.0), PLAN.rate_at(15.0)), (Some(50.0), Some(100.0)));
        for number in 1..3000 {
            assert!(PLAN.due(number, 100.0) > PLAN.due(number - 1, 100.0), "{number}");
        }
        let at_once = Plan { ramp: 0.0, ..PLAN };
        assert_eq!((at_once.due(0, 100.0), at_once.due(100, 100.0)), (0.0, 1.0));
    }

    #[tokio::test]
    async fn a_turn_is_due_by_the_plan_however_late_it_is_taken() {
        // All of it lies in the past: nobody was free for it.
        let start = Instant::now() - Duration::from_secs(5);
        let pacer = Pacer::new(Plan { ramp: 0.0, duration: 10.0, rate: Some(2.0) }, start).unwrap();
        for number in 0..3 {
            let turn = pacer.take().unwrap();
            assert_eq!(turn.due, start + Duration::from_millis(500) * number);
            assert!(turn.comes(&pacer).await);
        }
        pacer.stop();
        assert!(pacer.take().is_none());
        let unsent: Vec<u64> = pacer.unsent().map(|(number, _)| number).collect();
        assert!(unsent.len() >= 7 && unsent[0] == 3, "{unsent:?}");
    }

    #[tokio::test]
    async fn turns_come_in_order_and_not_before_their_time() {
        let plan = Plan { ramp: 0.0, duration: 60.0, rate: Some(1000.0) };
        let pacer = Rc::new(Pacer::new(plan, Instant::now()).unwrap());
        let turns: Vec<_> = (0..20).filter_map(|_| pacer.take()).collect();
        tokio::select! {
            () = pacer.run() => {}
            () = async {
                for (place, turn) in turns.iter().enumerate() {
                    assert!(turn.comes(&pacer).await && turn.number == place as u64);
                    assert!(Instant::now() >= turn.due);
                }
            } => {}
        }
    }

    #[tokio::test]
    async fn a_stop_wakes_those_who_wait() {
        let plan = Plan { ramp: 0.0, duration: 600.0, rate: Some(0.01) };
        let pacer = Pacer::new(plan, Instant::now()).unwrap();
        drop(pacer.take());
        let turn = pacer.take().unwrap();
        let (came, ()) = tokio::join!(turn.comes(&pacer), async { pacer.stop() });
        assert!(!came);
    }
}
