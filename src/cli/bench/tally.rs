//! The measurements: latencies and failures, in total and for every second.

use std::{collections::BTreeMap, time::Duration};

use hdrhistogram::Histogram;
use serde::Serialize;

use super::delivery::Deliveries;

/// A kind of request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Health,
    List,
    Search,
    /// A message over HTTP, up to its response.
    Send,
    /// A message over a socket, up to its acknowledgement.
    Message,
}

impl Kind {
    pub(super) const ALL: [Self; 5] = [Self::Health, Self::List, Self::Search, Self::Send, Self::Message];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Health => "health",
            Self::List => "list",
            Self::Search => "search",
            Self::Send => "send",
            Self::Message => "message",
        }
    }
}

/// Why a request failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    Status(u16),
    /// An error event with this code.
    Refused(String),
    Timeout,
    Connection(String),
    /// The response is wrong.
    Wrong(&'static str),
}

impl Failure {
    /// The class by which it is counted.
    fn class(&self) -> String {
        match self {
            Self::Status(status) => format!("status {status}"),
            Self::Refused(code) => format!("error {code}"),
            Self::Timeout => "timeout".into(),
            Self::Connection(_) => "connection".into(),
            Self::Wrong(_) => "wrong answer".into(),
        }
    }

    fn example(&self) -> String {
        match self {
            Self::Connection(why) => why.clone(),
            Self::Wrong(why) => (*why).into(),
            _ => String::new(),
        }
    }
}

/// A histogram of latencies in microseconds, with three significant digits.
pub(super) struct Latencies(Histogram<u64>);

impl Default for Latencies {
    fn default() -> Self {
        Self(Histogram::new(3).expect("three digits are allowed"))
    }
}

/// Percentiles in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(super) struct Percentiles {
    pub(super) count: u64,
    pub(super) mean: f64,
    pub(super) p50: f64,
    pub(super) p90: f64,
    pub(super) p95: f64,
    pub(super) p99: f64,
    pub(super) p999: f64,
    pub(super) max: f64,
}

impl Latencies {
    pub(super) fn record(&mut self, latency: Duration) {
        // It grows as needed; values out of its range are left out.
        let _ = self.0.record((latency.as_nanos().div_ceil(1000) as u64).max(1));
    }

    pub(super) fn percentile(&self, percent: f64) -> f64 {
        self.0.value_at_quantile(percent / 100.0) as f64 / 1e3
    }

    pub(super) fn percentiles(&self) -> Percentiles {
        Percentiles {
            count: self.0.len(),
            mean: (self.0.mean() / 1e3 * 1e3).round() / 1e3,
            p50: self.percentile(50.0),
            p90: self.percentile(90.0),
            p95: self.percentile(95.0),
            p99: self.percentile(99.0),
            p999: self.percentile(99.9),
            max: self.0.max() as f64 / 1e3,
        }
    }
}

/// The requests of one kind.
#[derive(Default)]
pub(super) struct Asked {
    /// Correct responses, in total and after the ramp.
    pub(super) done: u64,
    pub(super) judged: u64,
    pub(super) failed: u64,
    pub(super) latencies: Latencies,
}

#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct FailureCount {
    pub(super) count: u64,
    pub(super) example: String,
}

/// One second of the run.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Second {
    /// The time of its end, in seconds since the start.
    pub(super) at: f64,
    pub(super) wanted_per_second: Option<f64>,
    pub(super) requests_per_second: f64,
    pub(super) failed: u64,
    pub(super) latency_ms: Percentiles,
    pub(super) deliveries_per_second: f64,
    pub(super) delivery_ms: Percentiles,
    pub(super) users: usize,
    pub(super) sockets: usize,
    /// CPU of the bench itself, in cores.
    pub(super) own_cpu: f64,
    pub(super) server: Option<super::server::Sample>,
}

#[derive(Default)]
struct Current {
    failed: u64,
    latencies: Latencies,
    deliveries: Latencies,
}

/// All figures of a run.
pub(super) struct Tally {
    asked: [Asked; Kind::ALL.len()],
    pub(super) all: Latencies,
    pub(super) deliveries: Deliveries,
    pub(super) delivery: Latencies,
    pub(super) failures: BTreeMap<String, FailureCount>,
    pub(super) wrong: u64,
    pub(super) unsent: u64,
    /// How late requests were started although a user was free.
    pub(super) lateness: Latencies,
    pub(super) seconds: Vec<Second>,
    current: Current,
}

impl Tally {
    pub(super) fn new(rooms: usize) -> Self {
        Self {
            asked: Default::default(),
            all: Latencies::default(),
            deliveries: Deliveries::new(rooms),
            delivery: Latencies::default(),
            failures: BTreeMap::new(),
            wrong: 0,
            unsent: 0,
            lateness: Latencies::default(),
            seconds: Vec::new(),
            current: Current::default(),
        }
    }

    /// Records the end of a request and its latency since it was due. Timeouts count with the time waited, or a slow server
    /// would look fast.
    pub(super) fn record(
        &mut self,
        kind: Kind,
        latency: Duration,
        result: Result<(), Failure>,
        is_judged: bool,
    ) {
        let asked = &mut self.asked[kind as usize];
        let counts = match &result {
            Ok(()) => {
                asked.done += 1;
                asked.judged += u64::from(is_judged);
                true
            }
            Err(failure) => {
                asked.failed += 1;
                *failure == Failure::Timeout
            }
        };
        if let Err(failure) = &result {
            self.fail(failure);
        }
        let asked = &mut self.asked[kind as usize];
        if counts {
            self.current.latencies.record(latency);
            if is_judged {
                asked.latencies.record(latency);
                self.all.record(latency);
            }
        }
    }

    /// Records a failure, which may be of a connection.
    pub(super) fn fail(&mut self, failure: &Failure) {
        self.current.failed += 1;
        self.wrong += u64::from(matches!(failure, Failure::Wrong(_)));
        let entry = self.failures.entry(failure.class()).or_default();
        entry.count += 1;
        if entry.example.is_empty() {
            entry.example = failure.example();
        }
    }

    /// Records a request that was due and never sent, because no user was free.
    pub(super) fn record_unsent(&mut self, kind: Kind, waited: Duration, is_judged: bool) {
        self.unsent += 1;
        if is_judged {
            self.asked[kind as usize].latencies.record(waited);
            self.all.record(waited);
        }
    }

    pub(super) fn record_delivery(&mut self, latency: Duration, is_judged: bool) {
        self.current.deliveries.record(latency);
        if is_judged {
            self.delivery.record(latency);
        }
    }

    pub(super) fn asked(&self, kind: Kind) -> &Asked {
        &self.asked[kind as usize]
    }

    pub(super) fn sum(&self, pick: impl Fn(&Asked) -> u64) -> u64 {
        self.asked.iter().map(pick).sum()
    }

    /// Ends a second; the caller gives the figures that are not in this tally.
    pub(super) fn end_second(&mut self, second: Second) {
        let length = second.at - self.seconds.last().map_or(0.0, |last| last.at);
        let Current { failed, latencies, deliveries } = &mut self.current;
        self.seconds.push(Second {
            requests_per_second: latencies.0.len() as f64 / length.max(1e-3),
            failed: std::mem::take(failed),
            latency_ms: latencies.percentiles(),
            deliveries_per_second: deliveries.0.len() as f64 / length.max(1e-3),
            delivery_ms: deliveries.percentiles(),
            ..second
        });
        latencies.0.reset();
        deliveries.0.reset();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_in_milliseconds() {
        let mut latencies = Latencies::default();
        (1..=1000).for_each(|millis| latencies.record(Duration::from_millis(millis)));
        let found = latencies.percentiles();
        assert_eq!(found.count, 1000);
        for (value, wanted) in
            [(found.p50, 500.0), (found.p95, 950.0), (found.p999, 999.0), (found.max, 1000.0)]
        {
            assert!((value - wanted).abs() / wanted < 0.002, "{value} for {wanted}");
        }
    }

    #[test]
    fn failures_are_counted_by_class_and_only_timeouts_have_latencies() {
        let mut tally = Tally::new(1);
        let quick = Duration::from_micros(10);
        tally.record(Kind::List, Duration::from_millis(4), Ok(()), true);
        tally.record(Kind::List, quick, Err(Failure::Status(500)), true);
        tally.record(Kind::List, quick, Err(Failure::Wrong("no messages")), true);
        tally.record(Kind::List, Duration::from_secs(10), Err(Failure::Timeout), true);
        tally.record(Kind::Health, quick, Ok(()), false);
        assert_eq!(tally.all.percentiles().count, 2, "the answer and the timeout");
        assert!((tally.all.percentiles().max - 10_000.0).abs() < 20.0);
        assert_eq!((tally.sum(|asked| asked.done), tally.sum(|asked| asked.judged), tally.wrong), (2, 1, 1));
        let classes: Vec<_> = tally.failures.keys().map(String::as_str).collect();
        assert_eq!(classes, ["status 500", "timeout", "wrong answer"]);
        tally.record_unsent(Kind::List, Duration::from_secs(20), true);
        assert!(tally.all.percentiles().max > 19_000.0 && tally.unsent == 1);
    }

    #[test]
    fn figures_of_each_second_start_at_zero() {
        let mut tally = Tally::new(1);
        tally.record(Kind::Health, Duration::from_millis(1), Ok(()), false);
        tally.record(Kind::Health, Duration::from_millis(1), Err(Failure::Status(503)), false);
        tally.end_second(Second { at: 0.5, ..Second::default() });
        tally.end_second(Second { at: 1.0, ..Second::default() });
        let rates: Vec<_> =
            tally.seconds.iter().map(|second| (second.requests_per_second, second.failed)).collect();
        assert_eq!(rates, [(2.0, 1), (0.0, 0)]);
    }
}
