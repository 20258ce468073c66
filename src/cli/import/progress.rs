//! The progress of an import on standard error: one line that is overwritten on a terminal, else a line now and then.

use std::{
    io::{IsTerminal, Write},
    time::{Duration, Instant},
};

use crate::import::{Progress, grouped};

const LIVE_EVERY: Duration = Duration::from_millis(200);
const PLAIN_EVERY: Duration = Duration::from_secs(10);

/// Characters of the bar.
const BAR: u64 = 24;

pub(super) struct Line {
    began: Instant,
    stage: &'static str,
    stage_began: Instant,
    shown: Option<Instant>,
    is_live: bool,
    /// The stages that are over, and how long they took.
    over: Vec<(&'static str, Duration)>,
}

impl Line {
    pub(super) fn new() -> Self {
        let now = Instant::now();
        Self {
            began: now,
            stage: "",
            stage_began: now,
            shown: None,
            is_live: std::io::stderr().is_terminal(),
            over: Vec::new(),
        }
    }

    pub(super) fn show(&mut self, now: Progress) {
        if now.stage != self.stage {
            self.end_stage();
            (self.stage, self.stage_began, self.shown) = (now.stage, Instant::now(), None);
        }
        let every = if self.is_live { LIVE_EVERY } else { PLAIN_EVERY };
        if self.shown.is_some_and(|at| at.elapsed() < every) {
            return;
        }
        self.shown = Some(Instant::now());
        let line = line(now, self.stage_began.elapsed());
        let mut output = std::io::stderr().lock();
        // Nobody reads it if this fails.
        let _ = match self.is_live {
            true => write!(output, "\r\x1b[2K{line}").and_then(|()| output.flush()),
            false => writeln!(output, "{line}"),
        };
    }

    fn end_stage(&mut self) {
        if !self.stage.is_empty() {
            self.over.push((self.stage, self.stage_began.elapsed()));
        }
    }

    /// Ends the line. Returns how long all of it took, and its stages in words.
    pub(super) fn finish(&mut self) -> (Duration, String) {
        if self.is_live && self.shown.is_some() {
            eprint!("\r\x1b[2K");
        }
        self.end_stage();
        let stages: Vec<String> =
            self.over.iter().map(|(stage, took)| format!("{stage} {}", duration(*took))).collect();
        (self.began.elapsed(), stages.join(", "))
    }
}

fn line(now: Progress, took: Duration) -> String {
    let Progress { stage, done, total } = now;
    let rate = done as f64 / took.as_secs_f64().max(0.001);
    let rate = match took < Duration::from_millis(500) || done == 0 {
        true => String::new(),
        false => format!(" · {}/s", grouped(rate as u64)),
    };
    if total == 0 {
        return match done {
            0 => format!("{stage} …"),
            _ => format!("{stage}: {}{rate}", grouped(done)),
        };
    }
    let filled = done.min(total) * BAR / total;
    let bar: String = (0..BAR).map(|place| if place < filled { '█' } else { '░' }).collect();
    let left = match done {
        0 => String::new(),
        _ if rate.is_empty() || done >= total => String::new(),
        _ => {
            let seconds = took.as_secs_f64() / done as f64 * (total - done) as f64;
            format!(" · {} left", duration(Duration::from_secs_f64(seconds)))
        }
    };
    format!("{stage:<13}{bar} {} of {}{rate}{left}", grouped(done), grouped(total))
}

/// A time as people say it.
pub(super) fn duration(time: Duration) -> String {
    match time.as_secs() {
        0 => format!("{} ms", time.as_millis()),
        seconds @ 1..=9 => format!("{seconds}.{} s", time.subsec_millis() / 100),
        seconds @ 10..=89 => format!("{seconds} s"),
        seconds @ 90..=5_399 => format!("{} min", (seconds + 30) / 60),
        seconds => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_says_how_much_how_fast_and_how_long_yet() {
        let now = |done, total| Progress { stage: "writing", done, total };
        assert_eq!(line(now(0, 0), Duration::ZERO), "writing …");
        assert_eq!(line(now(1_500, 0), Duration::from_secs(1)), "writing: 1,500 · 1,500/s");
        assert_eq!(
            line(now(50_000, 200_000), Duration::from_secs(2)),
            "writing      ██████░░░░░░░░░░░░░░░░░░ 50,000 of 200,000 · 25,000/s · 6.0 s left"
        );
        assert_eq!(line(now(5, 4), Duration::ZERO), format!("writing      {} 5 of 4", "█".repeat(24)));
    }

    #[test]
    fn durations_are_in_the_unit_that_fits() {
        for (seconds, text) in
            [(0.25, "250 ms"), (2.58, "2.5 s"), (89.0, "89 s"), (90.0, "2 min"), (7_260.0, "2 h 1 min")]
        {
            assert_eq!(duration(Duration::from_secs_f64(seconds)), text);
        }
    }
}
