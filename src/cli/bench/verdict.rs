//! The requirements of a tier, and whether a run met them.

use serde::Serialize;

/// The requirements of a tier.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tier {
    pub(super) name: &'static str,
    pub(super) p95_ms: f64,
    pub(super) rate: f64,
    pub(super) people: usize,
    pub(super) sockets: usize,
    pub(super) memory_mb: f64,
    /// The largest share of the CPU of the machine, in percent.
    pub(super) cpu: f64,
}

pub(super) const TIERS: [Tier; 4] = [
    Tier {
        name: "small",
        p95_ms: 200.0,
        rate: 100.0,
        people: 100,
        sockets: 500,
        memory_mb: 512.0,
        cpu: 50.0,
    },
    Tier {
        name: "medium",
        p95_ms: 150.0,
        rate: 1e3,
        people: 1_000,
        sockets: 5_000,
        memory_mb: 2048.0,
        cpu: 70.0,
    },
    Tier {
        name: "large",
        p95_ms: 100.0,
        rate: 1e4,
        people: 10_000,
        sockets: 50_000,
        memory_mb: 8192.0,
        cpu: 80.0,
    },
    Tier {
        name: "enterprise",
        p95_ms: 50.0,
        rate: 5e4,
        people: 100_000,
        sockets: 500_000,
        memory_mb: 32768.0,
        cpu: 85.0,
    },
];

/// The measurements of a run.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Measured {
    pub(super) p95_ms: Option<f64>,
    pub(super) rate: f64,
    /// The scheduled rate; None for as fast as possible.
    pub(super) aimed: Option<f64>,
    pub(super) people: usize,
    pub(super) sockets: usize,
    /// The planned numbers; fewer are a miss.
    pub(super) meant_people: usize,
    pub(super) meant_sockets: usize,
    pub(super) memory_mb: Option<f64>,
    pub(super) cpu: Option<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Outcome {
    Met,
    Missed,
    /// The load of the run was too low, or the figure is unknown.
    NotExercised,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) needed: String,
    pub(super) measured: String,
    pub(super) outcome: Outcome,
}

impl Tier {
    pub(super) fn named(name: &str) -> Option<Self> {
        TIERS.into_iter().find(|tier| tier.name == name)
    }

    /// Judges each point. A kept limit counts only under the load of the tier; a missed one counts under less as well.
    pub(super) fn judge(&self, found: &Measured) -> Vec<Row> {
        // Schedules have whole requests, so half a percent is tolerated.
        let is_full = found.rate >= self.rate * 0.995;
        let kept = |value: Option<f64>, limit: f64| match value {
            None => Outcome::NotExercised,
            Some(value) if value > limit => Outcome::Missed,
            Some(_) if is_full => Outcome::Met,
            Some(_) => Outcome::NotExercised,
        };
        let reached = |value: f64, meant: f64, needed: f64| {
            if value >= needed * 0.995 {
                Outcome::Met
            } else if meant >= needed {
                Outcome::Missed
            } else {
                Outcome::NotExercised
            }
        };
        let cpu = match kept(found.cpu, self.cpu) {
            // An unlimited rate uses all the CPU there is.
            Outcome::Missed if found.aimed.is_none_or(|rate| rate > self.rate) => Outcome::NotExercised,
            outcome => outcome,
        };
        let shown = |value: Option<f64>, unit: &str| {
            value.map_or("unknown".into(), |value| format!("{} {unit}", number(value)))
        };
        let row = |name, needed, measured, outcome| Row { name, needed, measured, outcome };
        vec![
            row(
                "p95 response",
                format!("≤ {} ms", self.p95_ms),
                shown(found.p95_ms, "ms"),
                kept(found.p95_ms, self.p95_ms),
            ),
            row(
                "requests/s",
                format!("≥ {}", number(self.rate)),
                number(found.rate),
                reached(found.rate, found.aimed.unwrap_or(f64::MAX), self.rate),
            ),
            row(
                "people at once",
                format!("≥ {}", number(self.people as f64)),
                number(found.people as f64),
                reached(found.people as f64, found.meant_people as f64, self.people as f64),
            ),
            row(
                "sockets",
                format!("≥ {}", number(self.sockets as f64)),
                number(found.sockets as f64),
                reached(found.sockets as f64, found.meant_sockets as f64, self.sockets as f64),
            ),
            row(
                "memory",
                format!("≤ {} MB", number(self.memory_mb)),
                shown(found.memory_mb, "MB"),
                kept(found.memory_mb, self.memory_mb),
            ),
            row("CPU", format!("≤ {} %", self.cpu), shown(found.cpu, "%"), cpu),
        ]
    }
}

/// Bytes in a megabyte, as the tiers count.
pub(super) const MIB: f64 = 1048576.0;

/// A number with three significant digits and commas between thousands.
pub(super) fn number(value: f64) -> String {
    let digits = match value.abs() {
        small if small >= 100.0 || small == 0.0 => 0,
        small if small >= 10.0 => 1,
        small if small >= 1.0 => 2,
        _ => 3,
    };
    let text = format!("{value:.digits$}");
    let (whole, rest) = text.split_once('.').unwrap_or((&text, ""));
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0
            && (whole.len() - index).is_multiple_of(3)
            && digit.is_ascii_digit()
            && !grouped.ends_with('-')
        {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let rest = rest.trim_end_matches('0');
    if rest.is_empty() { grouped } else { format!("{grouped}.{rest}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcomes(found: &Measured) -> Vec<Outcome> {
        TIERS[0].judge(found).iter().map(|row| row.outcome).collect()
    }

    #[test]
    fn tier_is_met_only_under_its_load() {
        use Outcome::{Met, Missed, NotExercised};
        let full = Measured {
            p95_ms: Some(20.0),
            rate: 100.0,
            aimed: Some(100.0),
            people: 100,
            sockets: 500,
            meant_people: 100,
            meant_sockets: 500,
            memory_mb: Some(50.0),
            cpu: Some(10.0),
        };
        assert_eq!(outcomes(&full), [Met; 6]);
        let little = Measured {
            rate: 10.0,
            aimed: Some(10.0),
            people: 10,
            meant_people: 10,
            sockets: 0,
            meant_sockets: 0,
            ..full
        };
        assert_eq!(outcomes(&little), [NotExercised; 6]);
        let slow = Measured { p95_ms: Some(300.0), ..little };
        assert_eq!(outcomes(&slow)[0], Missed);
        let behind = Measured { rate: 60.0, people: 90, cpu: None, ..full };
        assert_eq!(outcomes(&behind), [NotExercised, Missed, Missed, Met, NotExercised, NotExercised]);
        let flat_out = Measured { rate: 5000.0, aimed: None, cpu: Some(99.0), ..full };
        assert_eq!(outcomes(&flat_out), [Met, Met, Met, Met, Met, NotExercised]);
    }

    #[test]
    fn numbers_are_short_and_grouped() {
        let shown = [0.0, 0.0416, 1.0, 3.456, 45.67, 999.9, 1234.5, 1_234_567.0].map(number);
        assert_eq!(shown, ["0", "0.042", "1", "3.46", "45.7", "1,000", "1,234", "1,234,567"]);
    }
}
