//! The table of results: one line for each measurement, with the floor and ours side by side.

use std::fmt::Write;

use serde_json::{Value, json};

/// A line of the table.
#[derive(Default)]
pub(crate) struct Row {
    work: String,
    floor: String,
    ours: String,
    ratio: String,
    cpu: String,
    target: &'static str,
    met: &'static str,
}

const HEAD: [&str; 7] = ["work", "floor", "ours", "ours ÷ floor", "CPU ÷", "target", "met"];

impl Row {
    pub(crate) fn new(work: impl Into<String>, ours: impl Into<String>) -> Self {
        Self { work: work.into(), ours: ours.into(), ..Self::default() }
    }

    pub(crate) fn floor(self, floor: impl Into<String>) -> Self {
        Self { floor: floor.into(), ..self }
    }

    /// Our figure divided by the floor's: rates, times, or bytes.
    pub(crate) fn ratio(self, share: f64) -> Self {
        Self { ratio: format!("{share:.2}"), ..self }
    }

    /// Our CPU time for each piece of work divided by the floor's.
    pub(crate) fn cpu(self, share: f64) -> Self {
        Self { cpu: format!("{share:.2}"), ..self }
    }

    pub(crate) fn target(self, target: &'static str, is_met: bool) -> Self {
        Self { target, met: if is_met { "yes" } else { "no" }, ..self }
    }

    fn cells(&self) -> [&str; 7] {
        [&self.work, &self.floor, &self.ours, &self.ratio, &self.cpu, self.target, self.met]
    }

    pub(crate) fn json(&self) -> Value {
        HEAD.iter().zip(self.cells()).map(|(head, cell)| ((*head).to_owned(), json!(cell))).collect()
    }
}

/// Lines in columns, the first as the head: as Markdown or as plain text.
pub(crate) fn columns<T: AsRef<str>>(lines: &[Vec<T>], is_markdown: bool) -> String {
    let width = |column: usize| {
        let cells = lines.iter().filter_map(|line| line.get(column));
        cells.map(|cell| cell.as_ref().chars().count()).max().unwrap_or(0).max(3)
    };
    let widths: Vec<usize> = (0..lines[0].len()).map(width).collect();
    let mut text = String::new();
    for (place, line) in lines.iter().enumerate() {
        let padded: Vec<String> =
            line.iter().zip(&widths).map(|(cell, width)| format!("{:width$}", cell.as_ref())).collect();
        if is_markdown {
            let _ = writeln!(text, "| {} |", padded.join(" | "));
            if place == 0 {
                let rules: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
                let _ = writeln!(text, "| {} |", rules.join(" | "));
            }
        } else {
            let _ = writeln!(text, "{}", padded.join("  ").trim_end());
        }
    }
    text
}

pub(crate) fn table(rows: &[Row], is_markdown: bool) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let lines: Vec<Vec<&str>> =
        std::iter::once(HEAD.to_vec()).chain(rows.iter().map(|row| row.cells().to_vec())).collect();
    columns(&lines, is_markdown)
}

pub(crate) fn per_second(figure: f64) -> String {
    format!("{}/s", grouped(figure))
}

/// A whole number with commas.
pub(crate) fn grouped(figure: f64) -> String {
    let digits = format!("{figure:.0}");
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().filter_map(|group| std::str::from_utf8(group).ok()).collect();
    groups.join(",")
}
