//! One run: starts the users, takes figures every second, and waits for the last responses and deliveries.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::{Duration, Instant},
};

use tokio::{
    signal::unix::Signal,
    sync::Semaphore,
    task::{JoinHandle, spawn_local},
};

use super::{
    pace::{Pacer, Plan},
    people::People,
    scenario::Scenario,
    server::Metrics,
    tally::{Second, Tally},
    target::Target,
    terminal::Terminal,
    user,
};
use crate::metrics::ProcessFigures;

/// The timeout of a request.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);
/// How long deliveries may take at the end before they count as missing.
const GRACE: Duration = Duration::from_secs(5);
/// Connections that are opened at the same time, to stay within the backlog of the server.
const OPENING: usize = 128;
/// The size of the read buffer that all sockets share, in bytes.
const SCRATCH: usize = 64 << 10;

/// The state that all users share.
pub(super) struct Run {
    pub(super) id: u32,
    pub(super) scenario: Scenario,
    pub(super) users: usize,
    pub(super) target: Target,
    pub(super) people: People,
    pub(super) pacer: Pacer,
    pub(super) tally: RefCell<Tally>,
    pub(super) scratch: RefCell<Vec<u8>>,
    pub(super) opening: Semaphore,
    /// Requests in progress.
    pub(super) busy: Cell<usize>,
    pub(super) connected: Gauge,
    pub(super) sockets: Gauge,
    pub(super) interrupted: Cell<bool>,
}

/// A number and its highest value.
#[derive(Default)]
pub(super) struct Gauge {
    now: Cell<usize>,
    peak: Cell<usize>,
}

impl Gauge {
    pub(super) fn add(&self) {
        self.now.set(self.now.get() + 1);
        self.peak.set(self.peak.get().max(self.now.get()));
    }

    pub(super) fn remove(&self) {
        self.now.set(self.now.get() - 1);
    }

    pub(super) fn now(&self) -> usize {
        self.now.get()
    }

    pub(super) fn peak(&self) -> usize {
        self.peak.get()
    }
}

/// The results besides the tally.
pub(super) struct Ran {
    /// Seconds after the ramp, up to the end or Ctrl+C.
    pub(super) judged: f64,
    /// Cores that the bench used in that time.
    pub(super) own_cpu: f64,
    /// Why the figures of the server are missing, if they are.
    pub(super) blind: Option<String>,
}

impl Run {
    pub(super) fn new(
        scenario: Scenario,
        users: usize,
        plan: Plan,
        target: Target,
        people: People,
    ) -> std::io::Result<Rc<Self>> {
        let id = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |since| since.as_millis() as u32);
        Ok(Rc::new(Self {
            id,
            scenario,
            users,
            tally: RefCell::new(Tally::new(people.rooms.len())),
            target,
            people,
            pacer: Pacer::new(plan, Instant::now())?,
            scratch: RefCell::new(vec![0; SCRATCH]),
            opening: Semaphore::new(OPENING),
            busy: Cell::new(0),
            connected: Gauge::default(),
            sockets: Gauge::default(),
            interrupted: Cell::new(false),
        }))
    }

    /// Runs until the time is over or Ctrl+C.
    pub(super) async fn drive(
        self: &Rc<Self>,
        interrupts: Signal,
        metrics_token: &str,
        terminal: &mut Terminal,
    ) -> Ran {
        let mut tasks = Vec::with_capacity(self.users * 2 + 1);
        let run = Rc::clone(self);
        tasks.push(spawn_local(async move { run.pacer.run().await }));
        for user in 0..self.users {
            if self.scenario.has_http() {
                tasks.push(spawn_local(user::visit(Rc::clone(self), user)));
            }
            if self.scenario.has_sockets() {
                tasks.push(spawn_local(user::hold(Rc::clone(self), user)));
            }
        }
        let interrupts = spawn_local(Rc::clone(self).stop_when_interrupted(interrupts));
        let ran = self.observe(metrics_token, terminal).await;
        self.finish().await;
        interrupts.abort();
        tasks.iter().for_each(JoinHandle::abort);
        ran
    }

    /// Removes what was created, and returns what remains, in sentences.
    pub(super) async fn clear_away(&self) -> Vec<String> {
        self.people.remove(&self.target).await
    }

    /// Ends the run early on Ctrl+C.
    async fn stop_when_interrupted(self: Rc<Self>, mut interrupts: Signal) {
        if interrupts.recv().await.is_some() {
            self.interrupted.set(true);
            self.pacer.stop();
        }
    }

    /// Takes the figures of every second.
    async fn observe(&self, metrics_token: &str, terminal: &mut Terminal) -> Ran {
        let mut metrics = Metrics::new(&self.target, metrics_token);
        let ramp = self.pacer.plan.ramp;
        let first_cpu = ProcessFigures::cpu_seconds_now();
        let mut last = (0.0_f64, first_cpu);
        let mut judged_from = (ramp == 0.0).then_some((0.0_f64, first_cpu));
        metrics.read().await;
        loop {
            let wake =
                (self.pacer.start + Duration::from_secs_f64(last.0.floor() + 1.0)).min(self.pacer.end());
            // Short sleeps, so that a stop does not wait for the end of the second.
            while Instant::now() < wake && Instant::now() < self.pacer.end() {
                tokio::time::sleep((wake - Instant::now()).min(Duration::from_millis(50))).await;
            }
            let at = self.pacer.start.elapsed().as_secs_f64();
            let is_over = Instant::now() >= self.pacer.end();
            let cpu = ProcessFigures::cpu_seconds_now();
            if judged_from.is_none() && at >= ramp {
                judged_from = Some((at, cpu));
            }
            let second = Second {
                at,
                wanted_per_second: self.pacer.plan.rate_at(at),
                users: if self.scenario.has_http() { self.connected.now() } else { self.sockets.now() },
                sockets: self.sockets.now(),
                own_cpu: (cpu - last.1) / (at - last.0).max(1e-3),
                server: metrics.read().await,
                ..Second::default()
            };
            // Rates of a very short last interval are meaningless.
            if !is_over || at - last.0 > 0.2 || last.0 == 0.0 {
                self.tally.borrow_mut().end_second(second);
                terminal.progress(&self.tally.borrow(), &self.pacer.plan);
                last = (at, cpu);
            }
            if is_over {
                let (from, before) = judged_from.unwrap_or((0.0, first_cpu));
                let own_cpu = (cpu - before) / (at - from).max(0.1);
                let end = (self.pacer.end() - self.pacer.start).as_secs_f64();
                return Ran { judged: (end - ramp).max(0.0), own_cpu, blind: metrics.refusal };
            }
        }
    }

    /// Waits for requests in progress and late deliveries, and counts requests that were never sent.
    async fn finish(&self) {
        let tick = Duration::from_millis(20);
        let end = Instant::now() + PATIENCE + Duration::from_secs(1);
        while self.busy.get() > 0 && Instant::now() < end {
            tokio::time::sleep(tick).await;
        }
        {
            let mut tally = self.tally.borrow_mut();
            let end = self.pacer.end();
            for (number, due) in self.pacer.unsent() {
                let kind = self.scenario.kind(number);
                tally.record_unsent(kind, end.saturating_duration_since(due), self.pacer.is_judged(due));
            }
        }
        let end = Instant::now() + GRACE;
        while self.tally.borrow_mut().deliveries.count() > 0 && Instant::now() < end {
            tokio::time::sleep(tick).await;
        }
    }
}
