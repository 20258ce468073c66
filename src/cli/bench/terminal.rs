//! Progress on standard error, and the summary.

use std::io::{IsTerminal, Write};

use super::{
    figures::Figures,
    pace::Plan,
    tally::{Percentiles, Tally},
    verdict::{MIB, Outcome, number},
};

/// Without a terminal, seconds between lines of progress.
const PLAIN_EVERY: usize = 5;

/// Progress on standard error: one line that is overwritten on a terminal, or else plain lines.
pub(super) struct Terminal {
    is_live: bool,
    count: usize,
}

impl Terminal {
    pub(super) fn new() -> Self {
        Self { is_live: std::io::stderr().is_terminal(), count: 0 }
    }

    /// Prints a line.
    pub(super) fn say(&self, text: &str) {
        eprintln!("{text}");
    }

    pub(super) fn progress(&mut self, tally: &Tally, plan: &Plan) {
        self.count += 1;
        let Some(second) = tally.seconds.last() else { return };
        if !self.is_live && !self.count.is_multiple_of(PLAIN_EVERY) {
            return;
        }
        let phase = if second.at < plan.ramp { " (ramp)" } else { "" };
        let mut line = format!(
            "{:>3.0}/{:.0} s{phase}  {} users  {}/s  p50 {} ms  p99 {} ms",
            second.at,
            plan.total(),
            number(second.users as f64),
            number(second.requests_per_second),
            number(second.latency_ms.p50),
            number(second.latency_ms.p99),
        );
        if second.sockets > 0 {
            line += &format!(
                "  {} deliveries/s, p99 {} ms",
                number(second.deliveries_per_second),
                number(second.delivery_ms.p99)
            );
        }
        let failed: u64 = tally.failures.values().map(|failure| failure.count).sum();
        if failed > 0 {
            line += &format!("  {} failed", number(failed as f64));
        }
        if let Some(server) = &second.server {
            line += &format!(
                "  server {:.0} % CPU, {} MB",
                server.cpu * 100.0,
                number(server.memory_bytes / MIB)
            );
        }
        // A line that is wider than the terminal cannot be overwritten.
        let (start, end) = if self.is_live { ("\r\x1b[K", "") } else { ("", "\n") };
        let line: String = if self.is_live { line.chars().take(width()).collect() } else { line };
        let _ = write!(std::io::stderr(), "{start}{line}{end}");
    }

    /// Clears the live line.
    pub(super) fn end(&self) {
        if self.is_live {
            eprint!("\r\x1b[K");
        }
    }
}

fn width() -> usize {
    rustix::termios::tcgetwinsize(std::io::stderr()).map_or(79, |size| usize::from(size.ws_col.max(20)) - 1)
}

/// The summary of the figures, for standard output.
pub(super) fn summary(figures: &Figures) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: String| text += &format!("  {name:<16}{value}\n");
    let times = |found: &Percentiles| {
        format!(
            "p50 {} ms, p95 {} ms, p99 {} ms, p99.9 {} ms, longest {} ms",
            number(found.p50),
            number(found.p95),
            number(found.p99),
            number(found.p999),
            number(found.max)
        )
    };
    let requests = &figures.requests;
    line(
        "requests",
        format!(
            "{} ok, {} failed, {} never sent; {}/s after the ramp",
            number(requests.done as f64),
            number(requests.failed as f64),
            number(requests.unsent as f64),
            number(requests.per_second)
        ),
    );
    line("latency", times(&requests.latency_ms));
    if let Some(heard) = &figures.deliveries {
        let counts = &heard.counts;
        line(
            "deliveries",
            format!(
                "{} of {} delivered; {} missing, {} doubled, {} out of order, {} in a wrong room, {} unreadable",
                number(counts.received as f64),
                number(counts.expected as f64),
                counts.missing,
                counts.doubled,
                counts.out_of_order,
                counts.wrong_room,
                counts.unreadable
            ),
        );
        line("", format!("{} sockets lost, {} told to resync", counts.lost_sockets, counts.resyncs));
        line("send → heard", times(&heard.latency_ms));
    }
    for (class, failure) in &requests.failures {
        let example =
            if failure.example.is_empty() { String::new() } else { format!(" ({})", failure.example) };
        line("failed", format!("{} × {class}{example}", number(failure.count as f64)));
    }
    if let (Some(cpu), Some(memory)) = (figures.server.cpu_cores, figures.server.memory_peak_bytes) {
        line("server", format!("{} % of a core, {} MB", number(cpu * 100.0), number(memory / MIB)));
    }
    line("the bench", format!("{} % of a core", number(figures.bench.cpu_percent)));
    for row in &figures.tier_rows {
        let outcome = match row.outcome {
            Outcome::Met => "met",
            Outcome::Missed => "MISSED",
            Outcome::NotExercised => "not exercised by this run",
        };
        line(row.name, format!("{}, needed {}: {outcome}", row.measured, row.needed));
    }
    for note in figures.notes.iter().chain(&figures.left_behind) {
        text += &format!("  {note}\n");
    }
    format!("{}\n{text}", figures.verdict)
}
