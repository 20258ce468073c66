//! Scheduled backups: when they are due, their names, and which of them are retained.

use std::{collections::HashSet, fs, io, path::Path};

use jiff::{
    Timestamp, ToSpan,
    civil::{DateTime, Time},
    tz::TimeZone,
};

use super::{ENDING, archive::PART};

/// The time in a name, between `campfire-` and the ending: to the minute and in UTC, so that names sort by time.
const SHAPE: &str = "%Y-%m-%dT%H%MZ";

/// When backups are due, and how many are retained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// The time of day in UTC.
    pub at: Time,
    /// The number of days, and of weeks before those, of which the last backup is retained.
    pub daily: usize,
    pub weekly: usize,
}

impl Schedule {
    /// The last scheduled time at or before `now`.
    pub fn due_since(&self, now: Timestamp) -> Timestamp {
        let now = in_utc(now);
        let today = now.date().to_datetime(self.at);
        let due = if today > now { today.saturating_sub(1.day()) } else { today };
        from_utc(due)
    }

    /// The first scheduled time after `now`.
    pub fn due_next(&self, now: Timestamp) -> Timestamp {
        from_utc(in_utc(self.due_since(now)).saturating_add(1.day()))
    }

    /// The backups of these moments that are not retained: all but the last of each of the newest days, and of each of the
    /// newest weeks (from Monday on) that have none of those.
    pub fn superfluous(&self, moments: &[Timestamp]) -> Vec<Timestamp> {
        let mut moments = moments.to_vec();
        moments.sort_unstable_by(|one, other| other.cmp(one));
        let (mut days, mut weeks, mut weekly) = (HashSet::new(), HashSet::new(), 0);
        moments.retain(|moment| {
            let date = in_utc(*moment).date();
            let week = date.iso_week_date();
            let is_last_of_week = weeks.insert((week.year(), week.week()));
            if days.len() < self.daily && days.insert(date) {
                return false;
            }
            if is_last_of_week && weekly < self.weekly {
                weekly += 1;
                return false;
            }
            true
        });
        moments
    }
}

fn in_utc(moment: Timestamp) -> DateTime {
    TimeZone::UTC.to_datetime(moment)
}

fn from_utc(moment: DateTime) -> Timestamp {
    // Only the ends of the calendar have no timestamp.
    TimeZone::UTC.to_timestamp(moment).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// The file name of a scheduled backup.
pub fn scheduled_name(moment: Timestamp) -> String {
    format!("campfire-{}{ENDING}", in_utc(moment).strftime(SHAPE))
}

/// The time in the name of a scheduled backup; None for any other file.
fn moment_of(name: &str) -> Option<Timestamp> {
    let text = name.strip_prefix("campfire-")?.strip_suffix(ENDING)?;
    let moment = from_utc(DateTime::strptime(SHAPE, text).ok()?);
    (scheduled_name(moment) == name).then_some(moment)
}

fn moments_in(directory: &Path) -> io::Result<Vec<Timestamp>> {
    let mut moments = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_file()
            && let Some(moment) = entry.file_name().to_str().and_then(moment_of)
        {
            moments.push(moment);
        }
    }
    Ok(moments)
}

/// The time of the newest scheduled backup. Those from after `now` do not count: they were made before the clock was set
/// back.
pub fn newest(directory: &Path, now: Timestamp) -> io::Result<Option<Timestamp>> {
    Ok(moments_in(directory)?.into_iter().filter(|moment| *moment <= now).max())
}

/// Removes backups that are not retained, and the incomplete files of backups that were killed. Returns the number of
/// backups removed.
pub fn prune(directory: &Path, schedule: &Schedule) -> io::Result<usize> {
    let superfluous = schedule.superfluous(&moments_in(directory)?);
    for moment in &superfluous {
        fs::remove_file(directory.join(scheduled_name(*moment)))?;
    }
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        if name.to_str().and_then(|name| moment_of(name.strip_suffix(PART)?)).is_some() {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(superfluous.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn schedule(daily: usize, weekly: usize) -> Schedule {
        Schedule { at: "03:00".parse().unwrap(), daily, weekly }
    }

    /// Makes one every night and prunes after each, as the server does. Returns the dates that are left, oldest first.
    fn after_nights(first: &str, nights: i64, schedule: Schedule) -> Vec<String> {
        let mut there: Vec<Timestamp> = Vec::new();
        for night in 0..nights {
            there.push(from_utc(in_utc(at(first)).saturating_add(night.days())));
            let gone = schedule.superfluous(&there);
            there.retain(|moment| !gone.contains(moment));
        }
        there.sort_unstable();
        there.iter().map(|moment| in_utc(*moment).date().to_string()).collect()
    }

    #[test]
    fn retention_has_seven_days_and_four_weeks_over_the_end_of_a_year() {
        // The last night is Wednesday, January 6, 2027.
        assert_eq!(
            after_nights("2026-10-01T03:00:00Z", 98, schedule(7, 4)),
            [
                "2026-12-06",
                "2026-12-13",
                "2026-12-20",
                "2026-12-27", // Sundays
                "2026-12-31",
                "2027-01-01",
                "2027-01-02",
                "2027-01-03",
                "2027-01-04",
                "2027-01-05",
                "2027-01-06",
            ]
        );
    }

    #[test]
    fn week_in_two_years_counts_once() {
        // 2026-W53 goes from Monday, December 28 to Sunday, January 3.
        let moments = ["2026-12-27", "2026-12-28", "2026-12-31", "2027-01-01", "2027-01-03", "2027-01-11"]
            .map(|date| at(&format!("{date}T03:00:00Z")));
        let gone: Vec<String> =
            schedule(1, 2).superfluous(&moments).iter().map(|it| in_utc(*it).date().to_string()).collect();
        assert_eq!(gone, ["2027-01-01", "2026-12-31", "2026-12-28"]);
    }

    #[test]
    fn retention_may_be_of_days_only_or_of_weeks_only() {
        assert_eq!(after_nights("2026-12-20T03:00:00Z", 20, schedule(2, 0)), ["2027-01-07", "2027-01-08"]);
        assert_eq!(after_nights("2026-12-20T03:00:00Z", 20, schedule(0, 2)), ["2027-01-03", "2027-01-08"]);
    }

    #[test]
    fn last_backup_of_a_day_is_retained() {
        let moments = ["2026-11-24T03:00:00Z", "2026-11-24T09:30:00Z", "2026-11-23T03:00:00Z"].map(at);
        assert_eq!(schedule(7, 4).superfluous(&moments), [moments[0]]);
        assert_eq!(schedule(7, 4).superfluous(&[]), []);
    }

    #[test]
    fn backup_is_due_at_its_time_of_day_and_not_before() {
        let schedule = schedule(7, 4);
        assert_eq!(schedule.due_since(at("2027-01-01T02:59:59Z")), at("2026-12-31T03:00:00Z"));
        assert_eq!(schedule.due_since(at("2027-01-01T03:00:00Z")), at("2027-01-01T03:00:00Z"));
        assert_eq!(schedule.due_next(at("2026-12-31T03:00:00Z")), at("2027-01-01T03:00:00Z"));
        assert_eq!(schedule.due_next(at("2026-12-31T02:00:00Z")), at("2026-12-31T03:00:00Z"));
    }

    #[test]
    fn other_names_are_not_of_scheduled_backups() {
        let name = scheduled_name(at("2026-11-24T03:07:59Z"));
        assert_eq!(name, "campfire-2026-11-24T0307Z.tar.zst");
        assert_eq!(moment_of(&name), Some(at("2026-11-24T03:07:00Z")));
        for other in [
            "campfire-2026-11-24T0307Z.tar",
            "campfire-2026-11-24.tar.zst",
            "campfire-2026-13-24T0307Z.tar.zst",
            "campfire-2026-11-24T0307Z-keep.tar.zst",
            "campfire-2026-11-24T307Z.tar.zst",
            "Campfire-2026-11-24T0307Z.tar.zst",
            "before-upgrade.tar.zst",
        ] {
            assert_eq!(moment_of(other), None, "{other}");
        }
    }
}
