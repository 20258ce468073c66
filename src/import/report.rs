//! What an import found, took and left out, with counts that add up.

use std::{collections::BTreeMap, fmt::Write};

use strum::{EnumIter, IntoEnumIterator, IntoStaticStr};

/// Examples that are kept of each reason.
const MAX_EXAMPLES: usize = 5;

/// Characters of an example.
const MAX_EXAMPLE: usize = 100;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, EnumIter, IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub(crate) enum Kind {
    People,
    Rooms,
    Memberships,
    Messages,
    Files,
    Boosts,
    Emoji,
    Pictures,
    Bans,
    Searches,
    Sessions,
    #[strum(serialize = "push subscriptions")]
    PushSubscriptions,
    /// Records of the export that are none of these.
    #[strum(serialize = "other records")]
    Others,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        self.into()
    }
}

/// How many, and some of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cases {
    pub(crate) count: u64,
    pub(crate) examples: Vec<String>,
}

impl Cases {
    fn join(&mut self, other: Self) {
        self.count += other.count;
        for example in other.examples {
            if self.examples.len() < MAX_EXAMPLES && !self.examples.contains(&example) {
                self.examples.push(example);
            }
        }
    }

    fn add(&mut self, count: u64, example: &str) {
        self.count += count;
        if self.examples.len() < MAX_EXAMPLES && !example.is_empty() {
            let short: String = example.chars().filter(|c| !c.is_control()).take(MAX_EXAMPLE).collect();
            if !self.examples.contains(&short) {
                self.examples.push(short);
            }
        }
    }
}

/// One kind's counts: `found` is `taken` and `known` and all that were left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) found: u64,
    pub(crate) taken: u64,
    /// Here already, from an import before.
    pub(crate) known: u64,
    /// By reason.
    pub(crate) left_out: BTreeMap<&'static str, Cases>,
}

/// What became of an export.
#[derive(Clone, Debug, Default)]
pub(crate) struct Report {
    rows: BTreeMap<Kind, Row>,
    /// Taken, but not as they were; by reason.
    changes: BTreeMap<&'static str, Cases>,
    /// Sentences for the person who imports: what to know and to do next.
    remarks: Vec<String>,
}

impl Report {
    fn row(&mut self, kind: Kind) -> &mut Row {
        self.rows.entry(kind).or_default()
    }

    pub(crate) fn found(&mut self, kind: Kind, count: u64) {
        self.row(kind).found += count;
    }

    pub(crate) fn taken(&mut self, kind: Kind, count: u64) {
        self.row(kind).taken += count;
    }

    pub(crate) fn known(&mut self, kind: Kind, count: u64) {
        self.row(kind).known += count;
    }

    /// Counts one that was found before and is left out.
    pub(crate) fn left_out(&mut self, kind: Kind, reason: &'static str, example: &str) {
        self.left_out_some(kind, 1, reason, example);
    }

    pub(crate) fn left_out_some(&mut self, kind: Kind, count: u64, reason: &'static str, example: &str) {
        self.row(kind).left_out.entry(reason).or_default().add(count, example);
    }

    /// Counts one that was taken in another form, such as a name that was too long.
    pub(crate) fn changed(&mut self, reason: &'static str, example: &str) {
        self.changes.entry(reason).or_default().add(1, example);
    }

    pub(crate) fn remark(&mut self, sentence: impl Into<String>) {
        let sentence = sentence.into();
        if !self.remarks.contains(&sentence) {
            self.remarks.push(sentence);
        }
    }

    /// Adds the counts of a part.
    pub(crate) fn add(&mut self, part: Self) {
        for (kind, row) in part.rows {
            let sum = self.row(kind);
            sum.found += row.found;
            sum.taken += row.taken;
            sum.known += row.known;
            for (reason, cases) in row.left_out {
                sum.left_out.entry(reason).or_default().join(cases);
            }
        }
        for (reason, cases) in part.changes {
            self.changes.entry(reason).or_default().join(cases);
        }
        for remark in part.remarks {
            self.remark(remark);
        }
    }

    /// The counts of a kind.
    #[cfg(test)]
    pub(crate) fn of(&self, kind: Kind) -> Row {
        self.rows.get(&kind).cloned().unwrap_or_default()
    }

    pub(crate) fn rows(&self) -> impl Iterator<Item = (Kind, &Row)> {
        Kind::iter().filter_map(|kind| Some((kind, self.rows.get(&kind)?)))
    }

    pub(crate) fn changes(&self) -> &BTreeMap<&'static str, Cases> {
        &self.changes
    }

    pub(crate) fn remarks(&self) -> &[String] {
        &self.remarks
    }

    /// Kinds whose counts do not add up.
    pub(crate) fn wrong(&self) -> Vec<Kind> {
        let adds_up = |row: &Row| {
            row.found == row.taken + row.known + row.left_out.values().map(|cases| cases.count).sum::<u64>()
        };
        self.rows().filter(|(_, row)| !adds_up(row)).map(|(kind, _)| kind).collect()
    }

    /// As text for a terminal.
    pub(crate) fn text(&self) -> String {
        let mut text =
            format!("{:<20}{:>12}{:>12}{:>14}{:>12}\n", "", "found", "taken", "here before", "left out");
        for (kind, row) in self.rows() {
            let out: u64 = row.left_out.values().map(|cases| cases.count).sum();
            let _ = writeln!(
                text,
                "{:<20}{:>12}{:>12}{:>14}{:>12}",
                kind.name(),
                grouped(row.found),
                grouped(row.taken),
                grouped(row.known),
                grouped(out)
            );
        }
        let mut sections = Vec::new();
        for (kind, row) in self.rows() {
            for (reason, cases) in &row.left_out {
                sections.push((
                    "left out",
                    format!("{} {}, {reason}", grouped(cases.count), kind.name()),
                    cases,
                ));
            }
        }
        sections.extend(
            self.changes
                .iter()
                .map(|(reason, cases)| ("changed", format!("{} × {reason}", grouped(cases.count)), cases)),
        );
        for (what, line, cases) in sections {
            let _ = write!(text, "\n{what}: {line}");
            if !cases.examples.is_empty() {
                let _ = write!(text, " ({})", cases.examples.join("; "));
            }
        }
        if !self.remarks.is_empty() {
            text.push('\n');
        }
        for remark in &self.remarks {
            let _ = write!(text, "\n{remark}");
        }
        text.trim_end().to_owned() + "\n"
    }
}

/// A number with commas.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
