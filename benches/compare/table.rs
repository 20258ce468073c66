//! The table that a run ends in: one line for each target, floor and ours side by side.

use std::fmt::Write;

use serde_json::{Value, json};

/// A line of the table.
#[derive(Default)]
pub(crate) struct Row {
    work: String,
    floor: String,
    ours: String,
    ratio: String,
    target: &'static str,
    met: &'static str,
}

const HEAD: [&str; 6] = ["work", "floor", "ours", "ours ÷ floor", "target", "met"];

impl Row {
    pub(crate) fn new(work: impl Into<String>, ours: impl Into<String>) -> Self {
        Self { work: work.into(), ours: ours.into(), ..Self::default() }
    }

    pub(crate) fn floor(mut self, floor: impl Into<String>, ratio: impl Into<String>) -> Self {
        (self.floor, self.ratio) = (floor.into(), ratio.into());
        self
    }

    pub(crate) fn target(mut self, target: &'static str, is_met: bool) -> Self {
        (self.target, self.met) = (target, if is_met { "yes" } else { "no" });
        self
    }

    /// A target that the rate misses and the CPU time for each request, which noise spares, meets.
    pub(crate) fn target_also_by_cpu(self, target: &'static str, is_met: bool, is_met_by_cpu: bool) -> Self {
        let row = self.target(target, is_met);
        if !is_met && is_met_by_cpu { Self { met: "by CPU", ..row } } else { row }
    }

    fn cells(&self) -> [&str; 6] {
        [&self.work, &self.floor, &self.ours, &self.ratio, self.target, self.met]
    }

    pub(crate) fn json(&self) -> Value {
        HEAD.iter().zip(self.cells()).map(|(head, cell)| ((*head).to_owned(), json!(cell))).collect()
    }
}

/// Lines under a head, in columns: as Markdown, or with blanks between.
pub(crate) fn columns(lines: &[Vec<&str>], is_markdown: bool) -> String {
    let width = |column: usize| {
        lines.iter().map(|line| line.get(column).map_or(0, |cell| cell.chars().count())).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..lines[0].len()).map(width).collect();
    let mut text = String::new();
    for (place, line) in lines.iter().enumerate() {
        let padded: Vec<String> =
            line.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        if is_markdown {
            let _ = writeln!(text, "| {} |", padded.join(" | "));
            if place == 0 {
                let rules: Vec<String> = widths.iter().map(|width| "-".repeat((*width).max(3))).collect();
                let _ = writeln!(text, "| {} |", rules.join(" | "));
            }
        } else {
            let _ = writeln!(text, "{}", padded.join("  ").trim_end());
        }
    }
    text
}

pub(crate) fn table(rows: &[Row], is_markdown: bool) -> String {
    let lines: Vec<Vec<&str>> =
        std::iter::once(HEAD.to_vec()).chain(rows.iter().map(|row| row.cells().to_vec())).collect();
    columns(&lines, is_markdown)
}

pub(crate) fn per_second(figure: f64) -> String {
    format!("{figure:.0}/s")
}

pub(crate) fn ratio(ours: f64, floor: f64) -> String {
    format!("{:.2}", ours / floor)
}
