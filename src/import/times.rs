//! Moments, in microseconds since the Unix epoch. What is before 1970 or beyond the year 9999 is none.

const LAST_SECOND: i64 = 253_402_300_799;

pub(super) fn of_seconds(seconds: i64) -> Option<i64> {
    (0..=LAST_SECOND).contains(&seconds).then(|| seconds * 1_000_000)
}

pub(super) fn of_milliseconds(milliseconds: i64) -> Option<i64> {
    (0..=LAST_SECOND * 1_000).contains(&milliseconds).then(|| milliseconds * 1_000)
}

/// Of seconds with a fraction.
pub(super) fn of_fraction(seconds: f64) -> Option<i64> {
    (0.0..=LAST_SECOND as f64).contains(&seconds).then(|| (seconds * 1e6).round() as i64)
}

/// Of a text in RFC 3339.
pub(super) fn of_text(text: Option<&str>) -> Option<i64> {
    let moment: jiff::Timestamp = text?.trim().parse().ok()?;
    Some(moment.as_microsecond()).filter(|at| *at >= 0)
}

/// For people: `2026-01-02 09:00 UTC`.
pub(super) fn shown(microseconds: i64) -> String {
    jiff::Timestamp::from_microsecond(microseconds)
        .map_or_else(|_| String::new(), |moment| moment.strftime("%Y-%m-%d %H:%M UTC").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_outside_of_the_calendar_are_none() {
        assert_eq!(of_seconds(1_767_340_800), Some(1_767_340_800_000_000));
        assert_eq!(of_milliseconds(1_767_340_800_001), Some(1_767_340_800_001_000));
        assert_eq!(of_fraction(1_767_340_700.123_456), Some(1_767_340_700_123_456));
        for seconds in [i64::MIN, -1, LAST_SECOND + 1, i64::MAX] {
            assert_eq!(of_seconds(seconds), None);
            assert_eq!(of_milliseconds(seconds.saturating_mul(1_000)), None);
        }
        for seconds in [f64::NAN, f64::INFINITY, -0.5, 1e300] {
            assert_eq!(of_fraction(seconds), None);
        }
        assert_eq!(of_text(Some("2026-01-02T09:00:01.5000001+01:00")), Some(1_767_340_801_500_000));
        assert_eq!([Some("1969-12-31T00:00:00Z"), Some("soon"), None].map(of_text), [None; 3]);
        assert_eq!(shown(1_767_340_800_000_000), "2026-01-02 08:00 UTC");
    }
}
