//! Alerts: when the server is slow, large, busy or failing for a while, it says so in its log, and in a room if one is
//! named. It reads what is counted anyway, so requests do not notice.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use crate::{
    chat::messages::{self, Draft},
    config::Config,
    metrics::{ProcessFigures, Served},
    store::State,
    store::{JoinSystemUser, WriterHandle},
    types::{RoomId, RoomKind},
    worker::Shared,
};

/// How often it looks.
const EVERY: Duration = Duration::from_secs(5);

/// What it looks at is the last minute: so many looks, and the one before.
const LOOKS: usize = 12;

/// So many looks in a row have to be bad before it says so, and so many good before it says that it is over: a figure that
/// lies at the threshold would have it talk all day.
const BAD_IN_A_ROW: u32 = 3;
const GOOD_IN_A_ROW: u32 = 5;

/// Of the same thing it speaks so often at most; that it is over belongs to that.
const SILENCE: Duration = Duration::from_secs(15 * 60);

/// Of fewer requests in a minute nothing is concluded: one slow one of five is no news.
const ENOUGH_REQUESTS: u64 = 20;

/// What can be too high.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Topic {
    Response,
    Memory,
    Cpu,
    Errors,
}

impl Topic {
    const ALL: [Self; 4] = [Self::Response, Self::Memory, Self::Cpu, Self::Errors];

    /// From what on it is too high; None if nobody wants to know.
    fn threshold(self, config: &Config) -> Option<u64> {
        let value = match self {
            Self::Response => config.alert_response_ms,
            Self::Memory => config.alert_memory_mb,
            Self::Cpu => config.alert_cpu_percent,
            Self::Errors => config.alert_error_percent,
        };
        (value > 0).then_some(value as u64)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Response => "response",
            Self::Memory => "memory",
            Self::Cpu => "cpu",
            Self::Errors => "errors",
        }
    }

    fn raised(self, value: u64, threshold: u64) -> String {
        match self {
            Self::Response => format!(
                "Answers are slow: in the last minute one in twenty took about {value} ms or longer (the alert is set to {threshold} ms)."
            ),
            Self::Memory => {
                format!("Memory is high: {value} MB are in use (the alert is set to {threshold} MB).")
            }
            Self::Cpu => format!(
                "The processor is busy: {value} % of what this server may use in the last minute (the alert is set to {threshold} %)."
            ),
            Self::Errors => format!(
                "Requests fail: {value} % of the last minute were answered with an error of the server (the alert is set to {threshold} %)."
            ),
        }
    }

    fn over(self, value: Option<u64>) -> String {
        let (what, unit) = match self {
            Self::Response => ("Answers are fast again", "ms for 19 in 20"),
            Self::Memory => ("Memory is fine again", "MB"),
            Self::Cpu => ("The processor has time again", "% busy"),
            Self::Errors => ("Requests are answered again", "% errors"),
        };
        match value {
            Some(value) => format!("{what}: {value} {unit}."),
            None => format!("{what}."),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum News {
    Raised,
    Over,
}

/// Whether one thing has been too high for long enough, and what was said of it.
#[derive(Debug, Default)]
struct Alert {
    bad: u32,
    good: u32,
    is_raised: bool,
    /// Whether anybody was told of this time.
    is_told: bool,
    told_at: Option<Duration>,
}

impl Alert {
    /// Takes in one look; `now` is the time since the start.
    fn judge(&mut self, now: Duration, is_bad: bool) -> Option<News> {
        if is_bad {
            (self.bad, self.good) = (self.bad.saturating_add(1), 0);
        } else {
            (self.bad, self.good) = (0, self.good.saturating_add(1));
        }
        self.is_raised = match self.is_raised {
            false => self.bad >= BAD_IN_A_ROW,
            true => self.good < GOOD_IN_A_ROW,
        };
        let may_speak = self.told_at.is_none_or(|at| now.saturating_sub(at) >= SILENCE);
        match (self.is_raised, self.is_told) {
            (true, false) if may_speak => {
                self.is_told = true;
                self.told_at = Some(now);
                Some(News::Raised)
            }
            (false, true) => {
                self.is_told = false;
                Some(News::Over)
            }
            _ => None,
        }
    }
}

/// What was counted at one look, since the start.
#[derive(Clone, Debug)]
struct Look {
    at: Duration,
    served: Served,
    cpu_seconds: f64,
}

/// The looks of the last minute, and how much memory there is in use at the last.
#[derive(Debug, Default)]
struct Minute {
    looks: VecDeque<Look>,
    memory_mb: u64,
}

impl Minute {
    fn take(&mut self, look: Look, memory_mb: u64) {
        self.looks.push_back(look);
        if self.looks.len() > LOOKS + 1 {
            self.looks.pop_front();
        }
        self.memory_mb = memory_mb;
    }

    /// How it stands with something; None if there is too little to tell.
    fn value(&self, topic: Topic, cores: f64) -> Option<u64> {
        let (first, last) = (self.looks.front()?, self.looks.back()?);
        let served = last.served.since(&first.served);
        let is_enough = served.requests() >= ENOUGH_REQUESTS;
        match topic {
            Topic::Memory => Some(self.memory_mb),
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

/// The room that the settings name, if it can be spoken in. If not, that is said once, here.
fn room(config: &Config, state: &State) -> Option<RoomId> {
    let room = RoomId(i64::try_from(config.alert_room).ok().filter(|id| *id > 0)?);
    let why = match state.rooms.get(&room).map(|found| found.room.kind) {
        None => "there is no such room",
        Some(RoomKind::Direct) => "that is a direct room, which belongs to its members",
        Some(_) => return Some(room),
    };
    tracing::warn!("alerts are only logged, not posted to room {room}, which alert_room names: {why}");
    None
}

/// Looks after what the settings name.
pub(super) struct Watch {
    shared: Arc<Shared>,
    writer: WriterHandle,
    room: Option<RoomId>,
    cores: f64,
}

impl Watch {
    pub(super) fn new(shared: Arc<Shared>, writer: WriterHandle, state: &State) -> Self {
        let room = room(&shared.config, state);
        let cores = std::thread::available_parallelism().map_or(1.0, |count| count.get() as f64);
        Self { shared, writer, room, cores }
    }

    /// For ever; does nothing if nobody wants to know anything.
    pub(super) async fn keep(self) {
        let wanted: Vec<(Topic, u64)> = Topic::ALL
            .into_iter()
            .filter_map(|topic| Some((topic, topic.threshold(&self.shared.config)?)))
            .collect();
        if wanted.is_empty() {
            return std::future::pending().await;
        }
        let mut alerts: Vec<Alert> = wanted.iter().map(|_| Alert::default()).collect();
        let mut minute = Minute::default();
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let now = self.shared.started.elapsed();
            let mut served = Served::default();
            self.shared.metrics.iter().for_each(|worker| served.add(worker));
            let cpu_seconds = ProcessFigures::cpu_seconds_now();
            let memory_mb = ProcessFigures::resident_bytes_now() >> 20;
            minute.take(Look { at: now, served, cpu_seconds }, memory_mb);
            for ((topic, threshold), alert) in wanted.iter().zip(&mut alerts) {
                let value = minute.value(*topic, self.cores);
                let sentence = match alert.judge(now, value.is_some_and(|value| value > *threshold)) {
                    None => continue,
                    Some(News::Raised) => {
                        let value = value.unwrap_or_default();
                        let sentence = topic.raised(value, *threshold);
                        tracing::warn!(alert = topic.name(), value, threshold, "{sentence}");
                        sentence
                    }
                    Some(News::Over) => {
                        let sentence = topic.over(value);
                        tracing::info!(alert = topic.name(), value, threshold, "{sentence}");
                        sentence
                    }
                };
                self.say(sentence).await;
            }
        }
    }

    /// Says it in the room.
    async fn say(&self, sentence: String) {
        let Some(room) = self.room else { return };
        let system_user = match self.writer.write(JoinSystemUser { room }).await {
            Ok(system_user) => system_user,
            Err(error) => {
                return tracing::warn!(?error, "an alert could not be posted to room {room}");
            }
        };
        // A worker renders it and knows who is to be told, as with any other message.
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

    /// What an alert says to a run of looks, one each five seconds from a time on.
    fn judged(alert: &mut Alert, from: u64, looks: &str) -> Vec<Option<News>> {
        let times = (0..).map(|place| Duration::from_secs(from + 5 * place));
        looks.chars().zip(times).map(|(look, at)| alert.judge(at, look == '!')).collect()
    }

    #[test]
    fn it_speaks_after_three_bad_looks_in_a_row_and_again_after_five_good_ones() {
        let mut alert = Alert::default();
        assert_eq!(judged(&mut alert, 0, "!!.!!.!!"), [None; 8]);
        assert_eq!(judged(&mut alert, 40, "!"), [Some(News::Raised)]);
        assert_eq!(judged(&mut alert, 45, "!!!....!...."), [None; 12]);
        assert_eq!(judged(&mut alert, 105, "."), [Some(News::Over)]);
        assert_eq!(judged(&mut alert, 110, "......"), [None; 6]);
    }

    #[test]
    fn of_the_same_thing_it_speaks_once_in_a_quarter_of_an_hour() {
        let mut alert = Alert::default();
        assert_eq!(judged(&mut alert, 0, "!!!").last(), Some(&Some(News::Raised)));
        assert_eq!(judged(&mut alert, 15, ".....").last(), Some(&Some(News::Over)));
        // It comes and goes, and nobody is told of either.
        assert_eq!(judged(&mut alert, 40, "!!!!.....!!!!"), [None; 13]);
        // It has lasted until somebody may be told again: fifteen minutes after the first time.
        assert_eq!(judged(&mut alert, 909, "!"), [None]);
        assert_eq!(judged(&mut alert, 910, "!"), [Some(News::Raised)]);
        assert_eq!(judged(&mut alert, 915, ".....").last(), Some(&Some(News::Over)));
    }

    fn look(at: u64, worker: &WorkerMetrics, cpu_seconds: f64) -> Look {
        let mut served = Served::default();
        served.add(worker);
        Look { at: Duration::from_secs(at), served, cpu_seconds }
    }

    #[test]
    fn the_minute_slides() {
        let worker = WorkerMetrics::new(1);
        let mut minute = Minute::default();
        assert_eq!(minute.value(Topic::Cpu, 1.0), None);
        minute.take(look(0, &worker, 10.0), 64);
        assert_eq!(minute.value(Topic::Cpu, 1.0), None, "no time has passed");
        assert_eq!(minute.value(Topic::Memory, 1.0), Some(64));
        (0..10).for_each(|_| worker.routes[0].record(500, Duration::from_millis(400)));
        minute.take(look(5, &worker, 15.0), 65);
        assert_eq!(minute.value(Topic::Cpu, 2.0), Some(50), "of two cores");
        assert_eq!(minute.value(Topic::Errors, 2.0), None, "ten requests tell nothing");
        (0..30).for_each(|_| worker.routes[1].record(200, Duration::from_millis(2)));
        minute.take(look(10, &worker, 15.0), 66);
        assert_eq!(minute.value(Topic::Errors, 2.0), Some(25));
        let slow = minute.value(Topic::Response, 2.0).expect("enough requests");
        assert!((100..=500).contains(&slow), "{slow}");
        for at in 3..=14 {
            (0..2).for_each(|_| worker.routes[1].record(503, Duration::from_millis(2)));
            minute.take(look(5 * at, &worker, 15.0), 67);
        }
        // What came before the last minute is forgotten.
        assert_eq!(minute.value(Topic::Errors, 2.0), Some(100));
        let fast = minute.value(Topic::Response, 2.0).expect("enough requests");
        assert!((1..=3).contains(&fast), "{fast}");
        assert_eq!(minute.value(Topic::Cpu, 2.0), Some(0));
        assert_eq!(minute.looks.len(), LOOKS + 1);
    }
}
