//! Alerts: when response times, memory, CPU or errors exceed a threshold for a while, a warning is logged, and posted to a room
//! if one is configured. They are computed from counters that exist anyway, so requests do no extra work.

use std::{
    collections::VecDeque,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use crate::{
    chat::messages::{self, Draft},
    config::Config,
    metrics::{ProcessFigures, Served},
    store::State,
    store::{JoinSystemUser, WriterHandle},
    types::{RoomId, RoomKind},
    worker::Shared,
};

/// How often the figures are sampled.
const SAMPLE_EVERY: Duration = Duration::from_secs(5);

/// Samples in a minute, over which figures are computed.
const SAMPLES: usize = 12;

/// Samples in a row above the threshold before an alert is raised, and below it before the alert is over. The difference is a
/// hysteresis: a figure near the threshold does not alternate.
const BAD_IN_A_ROW: u32 = 3;
const GOOD_IN_A_ROW: u32 = 5;

/// The shortest time between two alerts on the same topic. That an alert is over is always reported.
const MIN_INTERVAL: Duration = Duration::from_secs(15 * 60);

/// Requests in a minute below which response times and errors are not judged.
const MIN_REQUESTS: u64 = 20;

/// The figures that have thresholds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Topic {
    Response,
    Memory,
    Cpu,
    Errors,
    Backup,
}

impl Topic {
    const ALL: [Self; 5] = [Self::Response, Self::Memory, Self::Cpu, Self::Errors, Self::Backup];

    /// The threshold, in the unit of the setting; None if there is none.
    fn threshold(self, config: &Config) -> Option<u64> {
        let value = match self {
            Self::Response => config.alert_response_ms,
            Self::Memory => config.alert_memory_mb,
            Self::Cpu => config.alert_cpu_percent,
            Self::Errors => config.alert_error_percent,
            // Each failure is one too many.
            Self::Backup => return config.backup_dir.is_some().then_some(0),
        };
        (value > 0).then_some(value as u64)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Response => "response",
            Self::Memory => "memory",
            Self::Cpu => "cpu",
            Self::Errors => "errors",
            Self::Backup => "backup",
        }
    }

    fn raised(self, value: u64, threshold: u64) -> String {
        match self {
            Self::Response => format!(
                "Responses are slow: the 95th percentile of the last minute is about {value} ms (threshold: {threshold} ms)."
            ),
            Self::Memory => {
                format!("Memory use is high: {value} MB (threshold: {threshold} MB).")
            }
            Self::Cpu => format!("CPU use is high: {value} % in the last minute (threshold: {threshold} %)."),
            Self::Errors => format!(
                "Requests fail: {value} % of the last minute were answered with a server error (threshold: {threshold} %)."
            ),
            Self::Backup => {
                "The scheduled backup fails: the log says why. It is tried again by itself.".into()
            }
        }
    }

    fn over(self, value: Option<u64>) -> String {
        let (what, unit) = match self {
            Self::Response => ("Responses are fast again", "ms in the 95th percentile"),
            Self::Memory => ("Memory use is normal again", "MB"),
            Self::Cpu => ("CPU use is normal again", "%"),
            Self::Errors => ("Requests succeed again", "% errors"),
            Self::Backup => return "The scheduled backup was made.".into(),
        };
        match value {
            Some(value) => format!("{what}: {value} {unit}."),
            None => format!("{what}."),
        }
    }
}

/// A change of an alert that is to be reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Transition {
    Raised,
    Over,
}

/// The state of the alert on one topic.
#[derive(Debug, Default)]
struct Alert {
    /// Samples in a row above the threshold, or not above it.
    bad: u32,
    good: u32,
    is_raised: bool,
    /// Whether it was reported as raised, and not yet as over.
    is_reported: bool,
    /// When it was last reported as raised, since the start.
    reported_at: Option<Duration>,
}

impl Alert {
    /// Takes in one sample; `now` is the time since the start.
    fn update(&mut self, now: Duration, is_bad: bool) -> Option<Transition> {
        if is_bad {
            (self.bad, self.good) = (self.bad.saturating_add(1), 0);
        } else {
            (self.bad, self.good) = (0, self.good.saturating_add(1));
        }
        self.is_raised = match self.is_raised {
            false => self.bad >= BAD_IN_A_ROW,
            true => self.good < GOOD_IN_A_ROW,
        };
        let may_report = self.reported_at.is_none_or(|at| now.saturating_sub(at) >= MIN_INTERVAL);
        match (self.is_raised, self.is_reported) {
            (true, false) if may_report => {
                self.is_reported = true;
                self.reported_at = Some(now);
                Some(Transition::Raised)
            }
            (false, true) => {
                self.is_reported = false;
                Some(Transition::Over)
            }
            _ => None,
        }
    }
}

/// The counters since the start, at one time.
#[derive(Clone, Debug)]
struct Sample {
    at: Duration,
    served: Served,
    cpu_seconds: f64,
}

/// The samples of the last minute, and the memory in use at the last.
#[derive(Debug, Default)]
struct Minute {
    samples: VecDeque<Sample>,
    memory_mb: u64,
    /// Backups that failed since the last one that was made.
    failed_backups: u64,
}

impl Minute {
    fn add(&mut self, sample: Sample, memory_mb: u64) {
        self.samples.push_back(sample);
        if self.samples.len() > SAMPLES + 1 {
            self.samples.pop_front();
        }
        self.memory_mb = memory_mb;
    }

    /// A figure, in the unit of its threshold; None if there are too few samples or requests.
    fn value(&self, topic: Topic, cores: f64) -> Option<u64> {
        let (first, last) = (self.samples.front()?, self.samples.back()?);
        let served = last.served.since(&first.served);
        let is_enough = served.requests() >= MIN_REQUESTS;
        match topic {
            Topic::Memory => Some(self.memory_mb),
            Topic::Backup => Some(self.failed_backups),
            Topic::Response => {
                served.percentile(95).filter(|_| is_enough).map(|took| took.as_millis() as u64)
            }
            Topic::Errors => is_enough.then(|| served.errors * 100 / served.requests()),
            Topic::Cpu => {
                let passed = last.at.saturating_sub(first.at).as_secs_f64();
                let share = (last.cpu_seconds - first.cpu_seconds) / (passed * cores) * 100.0;
                (passed > 0.0).then_some(share.round() as u64)
            }
        }
    }
}

/// The room that `alert_room` names. If alerts cannot be posted there, a warning is logged.
fn room(config: &Config, state: &State) -> Option<RoomId> {
    let room = RoomId(i64::try_from(config.alert_room).ok().filter(|id| *id > 0)?);
    let why = match state.rooms.get(&room).map(|found| found.room.kind) {
        None => "there is no such room",
        Some(RoomKind::Direct) => "that is a direct room",
        Some(_) => return Some(room),
    };
    tracing::warn!("alerts are only logged, not posted to room {room}, which alert_room names: {why}");
    None
}

/// Samples the figures and reports alerts.
pub(super) struct Alerts {
    shared: Arc<Shared>,
    writer: WriterHandle,
    room: Option<RoomId>,
    cores: f64,
}

impl Alerts {
    pub(super) fn new(shared: Arc<Shared>, writer: WriterHandle, state: &State) -> Self {
        let room = room(&shared.config, state);
        let cores = std::thread::available_parallelism().map_or(1.0, |count| count.get() as f64);
        Self { shared, writer, room, cores }
    }

    /// Never ends; does nothing without thresholds or scheduled backups.
    pub(super) async fn run(self) {
        let thresholds: Vec<(Topic, u64)> = Topic::ALL
            .into_iter()
            .filter_map(|topic| Some((topic, topic.threshold(&self.shared.config)?)))
            .collect();
        if thresholds.is_empty() {
            return std::future::pending().await;
        }
        let mut alerts: Vec<Alert> = thresholds.iter().map(|_| Alert::default()).collect();
        let mut minute = Minute::default();
        let mut ticks = tokio::time::interval(SAMPLE_EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let now = self.shared.started.elapsed();
            let mut served = Served::default();
            self.shared.metrics.iter().for_each(|worker| served.add(worker));
            let cpu_seconds = ProcessFigures::cpu_seconds_now();
            let memory_mb = ProcessFigures::resident_bytes_now() >> 20;
            minute.add(Sample { at: now, served, cpu_seconds }, memory_mb);
            minute.failed_backups = self.shared.backups.failing.load(Ordering::Relaxed);
            for ((topic, threshold), alert) in thresholds.iter().zip(&mut alerts) {
                let value = minute.value(*topic, self.cores);
                let sentence = match alert.update(now, value.is_some_and(|value| value > *threshold)) {
                    None => continue,
                    Some(Transition::Raised) => {
                        let value = value.unwrap_or_default();
                        let sentence = topic.raised(value, *threshold);
                        tracing::warn!(alert = topic.name(), value, threshold, "{sentence}");
                        sentence
                    }
                    Some(Transition::Over) => {
                        let sentence = topic.over(value);
                        tracing::info!(alert = topic.name(), value, threshold, "{sentence}");
                        sentence
                    }
                };
                self.post(sentence).await;
            }
        }
    }

    /// Posts a sentence to the room, if there is one.
    async fn post(&self, sentence: String) {
        let Some(room) = self.room else { return };
        let system_user = match self.writer.write(JoinSystemUser { room }).await {
            Ok(system_user) => system_user,
            Err(error) => {
                return tracing::warn!(?error, "an alert could not be posted to room {room}");
            }
        };
        // A worker renders and posts it, as any other message.
        self.shared.send_task(Box::new(move |worker| {
            worker.catch_up();
            let draft = Draft { content: sentence, client_message_id: None, reply_to: None };
            let message = messages::post(worker, system_user, room, draft);
            let writer = worker.writer.clone();
            tokio::task::spawn_local(async move {
                if let Err(error) = writer.write(message).await {
                    tracing::warn!(?error, "an alert could not be posted to room {room}");
                }
            });
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::WorkerMetrics;

    /// The transitions of an alert for a sample every five seconds; `!` is above the threshold.
    fn transitions(alert: &mut Alert, from: u64, samples: &str) -> Vec<Option<Transition>> {
        let times = (0..).map(|index| Duration::from_secs(from + 5 * index));
        samples.chars().zip(times).map(|(sample, at)| alert.update(at, sample == '!')).collect()
    }

    #[test]
    fn alert_is_raised_after_three_bad_samples_and_over_after_five_good_ones() {
        let mut alert = Alert::default();
        assert_eq!(transitions(&mut alert, 0, "!!.!!.!!"), [None; 8]);
        assert_eq!(transitions(&mut alert, 40, "!"), [Some(Transition::Raised)]);
        assert_eq!(transitions(&mut alert, 45, "!!!....!...."), [None; 12]);
        assert_eq!(transitions(&mut alert, 105, "."), [Some(Transition::Over)]);
        assert_eq!(transitions(&mut alert, 110, "......"), [None; 6]);
    }

    #[test]
    fn alert_is_reported_once_in_a_quarter_of_an_hour() {
        let mut alert = Alert::default();
        assert_eq!(transitions(&mut alert, 0, "!!!").last(), Some(&Some(Transition::Raised)));
        assert_eq!(transitions(&mut alert, 15, ".....").last(), Some(&Some(Transition::Over)));
        // Another one within the interval is not reported.
        assert_eq!(transitions(&mut alert, 40, "!!!!.....!!!!"), [None; 13]);
        // It is reported once the interval is over.
        assert_eq!(transitions(&mut alert, 909, "!"), [None]);
        assert_eq!(transitions(&mut alert, 910, "!"), [Some(Transition::Raised)]);
        assert_eq!(transitions(&mut alert, 915, ".....").last(), Some(&Some(Transition::Over)));
    }

    fn sample(at: u64, worker: &WorkerMetrics, cpu_seconds: f64) -> Sample {
        let mut served = Served::default();
        served.add(worker);
        Sample { at: Duration::from_secs(at), served, cpu_seconds }
    }

    #[test]
    fn figures_are_those_of_the_last_minute() {
        let worker = WorkerMetrics::new(1);
        let mut minute = Minute::default();
        assert_eq!(minute.value(Topic::Cpu, 1.0), None);
        minute.add(sample(0, &worker, 10.0), 64);
        assert_eq!(minute.value(Topic::Cpu, 1.0), None, "no time has passed");
        assert_eq!(minute.value(Topic::Memory, 1.0), Some(64));
        (0..10).for_each(|_| worker.routes[0].record(500, Duration::from_millis(400)));
        minute.add(sample(5, &worker, 15.0), 65);
        assert_eq!(minute.value(Topic::Cpu, 2.0), Some(50), "of two cores");
        assert_eq!(minute.value(Topic::Errors, 2.0), None, "ten requests are too few");
        (0..30).for_each(|_| worker.routes[1].record(200, Duration::from_millis(2)));
        minute.add(sample(10, &worker, 15.0), 66);
        assert_eq!(minute.value(Topic::Errors, 2.0), Some(25));
        let slow = minute.value(Topic::Response, 2.0).expect("enough requests");
        assert!((100..=500).contains(&slow), "{slow}");
        for at in 3..=14 {
            (0..2).for_each(|_| worker.routes[1].record(503, Duration::from_millis(2)));
            minute.add(sample(5 * at, &worker, 15.0), 67);
        }
        // Earlier requests do not count.
        assert_eq!(minute.value(Topic::Errors, 2.0), Some(100));
        let fast = minute.value(Topic::Response, 2.0).expect("enough requests");
        assert!((1..=3).contains(&fast), "{fast}");
        assert_eq!(minute.value(Topic::Cpu, 2.0), Some(0));
        assert_eq!(minute.samples.len(), SAMPLES + 1);
    }
}
