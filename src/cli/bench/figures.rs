//! The figures of a run, for the terminal, the page and the JSON, whose field names are stable.

use serde::Serialize;

use super::{
    Options,
    delivery::Counts,
    run::{Ran, Run},
    tally::{FailureCount, Kind, Percentiles, Second},
    verdict::{MIB, Measured, Outcome, Row, number},
};

/// Above this share of its one core, the bench may be the bottleneck.
const BUSY: f64 = 0.9;
/// So may it be if the 95th percentile of its lateness is above this, in ms.
const LATE_MS: f64 = 10.0;
/// The percentiles of the latency curve.
const CURVE: [f64; 14] =
    [0.0, 25.0, 50.0, 75.0, 90.0, 95.0, 97.5, 99.0, 99.5, 99.75, 99.9, 99.95, 99.99, 99.999];

#[derive(Serialize)]
pub(super) struct Figures {
    pub(super) campfire_version: &'static str,
    pub(super) started_at: String,
    pub(super) target: String,
    pub(super) scenario: &'static str,
    pub(super) what: &'static str,
    pub(super) users: usize,
    pub(super) accounts: usize,
    pub(super) rooms: usize,
    pub(super) ramp_s: f64,
    pub(super) duration_s: f64,
    /// Requests per second; null for as fast as possible.
    pub(super) rate: Option<f64>,
    pub(super) interrupted: bool,
    pub(super) passed: bool,
    /// The verdict in a sentence.
    pub(super) verdict: String,
    pub(super) tier: Option<&'static str>,
    pub(super) tier_rows: Vec<Row>,
    pub(super) notes: Vec<String>,
    pub(super) left_behind: Vec<String>,
    pub(super) requests: Requests,
    /// Null in scenarios without sockets.
    pub(super) deliveries: Option<Heard>,
    pub(super) people_peak: usize,
    pub(super) sockets_peak: usize,
    pub(super) server: ServerFigures,
    pub(super) bench: BenchFigures,
    pub(super) seconds: Vec<Second>,
}

#[derive(Serialize)]
pub(super) struct Requests {
    pub(super) done: u64,
    pub(super) failed: u64,
    pub(super) wrong: u64,
    pub(super) unsent: u64,
    /// Answered per second, after the ramp.
    pub(super) per_second: f64,
    pub(super) latency_ms: Percentiles,
    pub(super) curve_ms: Vec<(f64, f64)>,
    pub(super) kinds: Vec<KindFigures>,
    pub(super) failures: std::collections::BTreeMap<String, FailureCount>,
}

#[derive(Serialize)]
pub(super) struct KindFigures {
    pub(super) kind: &'static str,
    pub(super) done: u64,
    pub(super) failed: u64,
    pub(super) latency_ms: Percentiles,
}

#[derive(Serialize)]
pub(super) struct Heard {
    #[serde(flatten)]
    pub(super) counts: Counts,
    pub(super) per_second: f64,
    pub(super) latency_ms: Percentiles,
    pub(super) curve_ms: Vec<(f64, f64)>,
}

#[derive(Serialize)]
pub(super) struct ServerFigures {
    /// Null unless it is this machine or was given.
    pub(super) cores: Option<usize>,
    pub(super) memory_peak_bytes: Option<f64>,
    /// Mean cores used after the ramp.
    pub(super) cpu_cores: Option<f64>,
    /// The same as a share of the machine.
    pub(super) cpu_percent: Option<f64>,
    pub(super) queue_peak: Option<f64>,
}

#[derive(Serialize)]
pub(super) struct BenchFigures {
    /// Of the one core that it can use.
    pub(super) cpu_percent: f64,
    /// How late it started requests for which a user was free.
    pub(super) late_ms: Percentiles,
    pub(super) was_the_bottleneck: bool,
}

impl Figures {
    pub(super) fn of(run: &Run, ran: &Ran, options: &Options, started_at: String) -> Self {
        let tally = run.tally.borrow();
        let plan = run.pacer.plan;
        let judged: Vec<&Second> = tally.seconds.iter().filter(|second| second.at > plan.ramp).collect();
        let samples: Vec<_> = judged.iter().filter_map(|second| second.server.as_ref()).collect();
        let highest = |values: Vec<f64>| values.into_iter().reduce(f64::max);
        let here = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let cores = options.server_cores.or_else(|| run.target.is_loopback.then(here));
        let cpu_cores = (!samples.is_empty())
            .then(|| samples.iter().map(|sample| sample.cpu).sum::<f64>() / samples.len() as f64);
        let server = ServerFigures {
            cores,
            memory_peak_bytes: highest(samples.iter().map(|sample| sample.memory_bytes).collect()),
            cpu_cores,
            cpu_percent: cpu_cores.zip(cores).map(|(used, cores)| used * 100.0 / cores as f64),
            queue_peak: highest(samples.iter().map(|sample| sample.queue).collect()),
        };
        let late_ms = tally.lateness.percentiles();
        let bench = BenchFigures {
            cpu_percent: ran.own_cpu * 100.0,
            late_ms,
            was_the_bottleneck: ran.own_cpu > BUSY || late_ms.p95 > LATE_MS,
        };
        let per_second = |count: u64| count as f64 / ran.judged.max(1e-3);
        let kinds = Kind::ALL.into_iter().map(|kind| (kind, tally.asked(kind)));
        let kinds: Vec<_> = kinds
            .filter(|(_, asked)| asked.done + asked.failed > 0)
            .map(|(kind, asked)| KindFigures {
                kind: kind.name(),
                done: asked.done,
                failed: asked.failed,
                latency_ms: asked.latencies.percentiles(),
            })
            .collect();
        let curve = |latencies: &super::tally::Latencies| {
            CURVE.iter().map(|percent| (*percent, latencies.percentile(*percent))).collect()
        };
        let requests = Requests {
            done: tally.sum(|asked| asked.done),
            failed: tally.failures.values().map(|failure| failure.count).sum(),
            wrong: tally.wrong,
            unsent: tally.unsent,
            per_second: per_second(tally.sum(|asked| asked.judged)),
            latency_ms: tally.all.percentiles(),
            curve_ms: curve(&tally.all),
            kinds,
            failures: tally.failures.clone(),
        };
        let deliveries = run.scenario.has_sockets().then(|| Heard {
            counts: tally.deliveries.counts.clone(),
            per_second: per_second(tally.delivery.percentiles().count),
            latency_ms: tally.delivery.percentiles(),
            curve_ms: curve(&tally.delivery),
        });
        let (http, sockets) = (run.scenario.has_http(), run.scenario.has_sockets());
        let people_peak = if http { run.connected.peak() } else { run.sockets.peak() };
        let measured = Measured {
            p95_ms: (requests.latency_ms.count > 0).then_some(requests.latency_ms.p95),
            rate: requests.per_second,
            aimed: plan.rate,
            people: people_peak,
            sockets: run.sockets.peak(),
            meant_people: run.users,
            meant_sockets: if sockets { run.users } else { 0 },
            memory_mb: server.memory_peak_bytes.map(|bytes| bytes / MIB),
            cpu: server.cpu_percent,
        };
        let mut figures = Self {
            campfire_version: env!("CARGO_PKG_VERSION"),
            started_at,
            target: run.target.url.clone(),
            scenario: run.scenario.name(),
            what: run.scenario.describe(),
            users: run.users,
            accounts: run.people.tokens.len(),
            rooms: run.people.rooms.len(),
            ramp_s: plan.ramp,
            duration_s: plan.duration,
            rate: plan.rate,
            interrupted: run.interrupted.get(),
            passed: false,
            verdict: String::new(),
            tier: options.tier.map(|tier| tier.name),
            tier_rows: options.tier.map(|tier| tier.judge(&measured)).unwrap_or_default(),
            notes: Vec::new(),
            left_behind: Vec::new(),
            requests,
            deliveries,
            people_peak,
            sockets_peak: run.sockets.peak(),
            server,
            bench,
            seconds: tally.seconds.clone(),
        };
        figures.judge();
        figures.note(ran);
        figures
    }

    fn judge(&mut self) {
        let wrong = self.deliveries.as_ref().map_or(0, |heard| heard.counts.wrong());
        let failed = self.requests.failed;
        let rows = |outcome| self.tier_rows.iter().filter(|row| row.outcome == outcome).count();
        let (missed, unseen) = (rows(Outcome::Missed), rows(Outcome::NotExercised));
        let tier = self.tier.unwrap_or_default();
        let (passed, verdict) = if wrong > 0 {
            (false, format!("Failed: {} deliveries were wrong.", number(wrong as f64)))
        } else if failed > 0 {
            (false, format!("Failed: {} requests or connections failed.", number(failed as f64)))
        } else if self.requests.done == 0 {
            (false, "Failed: no request was answered.".into())
        } else if missed > 0 {
            (false, format!("Tier {tier} is missed in {missed} of 6 points."))
        } else if self.tier.is_none() {
            (true, "Every answer and every delivery was right.".into())
        } else if unseen > 0 {
            (true, format!("No point of tier {tier} is missed, but this run did not exercise {unseen} of 6."))
        } else {
            (true, format!("Tier {tier} is met in all points."))
        };
        (self.passed, self.verdict) = (passed, verdict);
    }

    fn note(&mut self, ran: &Ran) {
        let mut notes = Vec::new();
        if self.interrupted {
            notes.push("It was interrupted: the figures are those up to then.".to_owned());
        }
        if self.bench.was_the_bottleneck {
            notes.push(format!(
                "The bench itself was the bottleneck: it used {} % of the one core that it can use, and started its \
                 requests {} ms late in the 95th percentile. The server may do more.",
                number(self.bench.cpu_percent),
                number(self.bench.late_ms.p95)
            ));
        }
        let limited: u64 = ["status 429", "error rate_limited"]
            .iter()
            .filter_map(|class| self.requests.failures.get(*class))
            .map(|failure| failure.count)
            .sum();
        if limited > 0 {
            notes.push(format!(
                "{} messages exceeded the post limit of a user. To measure without it, start the server with \
                 CAMPFIRE_POST_LIMIT=0.",
                number(limited as f64)
            ));
        }
        if self.rate.is_none() {
            notes.push(
                "The rate was unlimited (--rate max): latencies are service times, without waiting."
                    .to_owned(),
            );
        }
        if self.requests.unsent > 0 {
            notes.push(format!(
                "{} requests were due and never sent, because all users were busy; they count with the time that they \
                 waited.",
                number(self.requests.unsent as f64)
            ));
        }
        if let Some(why) = &ran.blind {
            notes.push(format!(
                "The figures of the server are missing or have gaps ({why}); on another machine they need --metrics-token."
            ));
        }
        if self.accounts > 0 && self.accounts < self.users {
            notes.push(format!(
                "{} users share {} accounts; each user has its own connections.",
                number(self.users as f64),
                number(self.accounts as f64)
            ));
        }
        self.notes = notes;
    }
}
