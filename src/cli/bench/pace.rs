//! When each request is due, and a timer that is precise enough for that.
//!
//! Requests are due by a schedule that does not depend on responses (an open loop). A slow response does not delay the next
//! request; its wait for a free user counts as latency, so there is no coordinated omission.

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

/// The load over time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    /// Seconds in which users and rate increase linearly.
    pub(super) ramp: f64,
    /// Seconds after the ramp.
    pub(super) duration: f64,
    /// Requests per second; None to send each as soon as the last is answered.
    pub(super) rate: Option<f64>,
}

impl Plan {
    /// When the request of a number is due, in seconds since the start.
    fn due(&self, number: u64, rate: f64) -> f64 {
        let in_ramp = rate * self.ramp / 2.0;
        let number = number as f64;
        if number < in_ramp {
            (2.0 * self.ramp * number / rate).sqrt()
        } else {
            self.ramp + (number - in_ramp) / rate
        }
    }

    /// The number of requests due in the first `seconds`.
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

    /// The scheduled rate after `seconds`.
    pub(super) fn rate_at(&self, seconds: f64) -> Option<f64> {
        Some(self.rate? * if seconds < self.ramp { seconds / self.ramp } else { 1.0 })
    }
}

/// The waker of a user who waits for a turn.
type Alarm = Rc<Cell<Option<Waker>>>;

/// Assigns the requests of a plan, each to the first free user.
pub(super) struct Pacer {
    pub(super) plan: Plan,
    pub(super) start: Instant,
    end: Cell<Instant>,
    next: Cell<u64>,
    /// The turns that are not due yet, in order.
    waiting: RefCell<VecDeque<(Instant, Alarm)>>,
    /// tokio's timers have a resolution of 1 ms, and many responses take less.
    timer: AsyncFd<OwnedFd>,
}

/// A request that a user is to send.
pub(super) struct Turn {
    pub(super) number: u64,
    pub(super) due: Instant,
    /// A user was free before it was due, so a late start is caused by the bench.
    pub(super) is_early: bool,
    waker: Alarm,
}

impl Pacer {
    // Sound because the descriptor is owned and never replaced; the constructors that succeed these are `unsafe`.
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

    /// The next request, or None after the end.
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

    /// Wakes users whose turns are due; never returns.
    pub(super) async fn run(&self) {
        loop {
            let Ok(mut ready) = self.timer.readable().await else { return };
            let mut expirations = [0; 8];
            // The number of expirations does not matter, nor an error because the timer was set again meanwhile.
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
        // Zero would disarm it.
        let wait = due.saturating_duration_since(Instant::now()).max(Duration::from_nanos(1));
        let value = Itimerspec {
            it_interval: Timespec { tv_sec: 0, tv_nsec: 0 },
            it_value: Timespec { tv_sec: wait.as_secs() as i64, tv_nsec: i64::from(wait.subsec_nanos()) },
        };
        timerfd_settime(self.timer.get_ref(), TimerfdTimerFlags::empty(), &value)
            .expect("the timer is valid");
    }

    /// Ends the run early.
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

    /// Whether a request due at this time counts for the figures: after the ramp.
    pub(super) fn is_judged(&self, due: Instant) -> bool {
        due >= self.start + Duration::from_secs_f64(self.plan.ramp)
    }

    /// Requests that were due and never sent, because no user was free: number and time.
    pub(super) fn unsent(&self) -> impl Iterator<Item = (u64, Instant)> {
        let ran = self.end.get().saturating_duration_since(self.start).as_secs_f64();
        let (rate, first) = (self.plan.rate.unwrap_or(1.0), self.next.get());
        let last = if self.plan.rate.is_some() { self.plan.due_within(ran, rate) } else { first };
        (first..last)
            .map(move |number| (number, self.start + Duration::from_secs_f64(self.plan.due(number, rate))))
    }
}

impl Turn {
    /// Ready when it is due or the run has ended; the caller checks which.
    pub(super) fn poll(&self, pacer: &Pacer, cx: &Context<'_>) -> Poll<()> {
        let now = Instant::now();
        if now >= self.due || now >= pacer.end() {
            return Poll::Ready(());
        }
        self.waker.set(Some(cx.waker().clone()));
        Poll::Pending
    }

    /// Waits until it is due. False if the run ended before.
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
    fn rate_increases_linearly_and_then_stays() {
        assert_eq!(PLAN.due(0, 100.0), 0.0);
        // The first half of the ramp has a quarter of its requests.
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
    async fn turn_is_due_by_the_plan_even_if_it_is_taken_late() {
        // The start is in the past: no user was free.
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
    async fn turns_are_in_order_and_not_early() {
        let plan = Plan { ramp: 0.0, duration: 60.0, rate: Some(1000.0) };
        let pacer = Rc::new(Pacer::new(plan, Instant::now()).unwrap());
        let turns: Vec<_> = (0..20).filter_map(|_| pacer.take()).collect();
        tokio::select! {
            () = pacer.run() => {}
            () = async {
                for (index, turn) in turns.iter().enumerate() {
                    assert!(turn.comes(&pacer).await && turn.number == index as u64);
                    assert!(Instant::now() >= turn.due);
                }
            } => {}
        }
    }

    #[tokio::test]
    async fn stop_wakes_waiting_users() {
        let plan = Plan { ramp: 0.0, duration: 600.0, rate: Some(0.01) };
        let pacer = Pacer::new(plan, Instant::now()).unwrap();
        drop(pacer.take());
        let turn = pacer.take().unwrap();
        let (came, ()) = tokio::join!(turn.comes(&pacer), async { pacer.stop() });
        assert!(!came);
    }
}
