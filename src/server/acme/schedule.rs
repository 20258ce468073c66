//! When the next attempt is made.

use std::time::Duration;

use crate::outbound::backoff;

/// Before the first try again; each further one waits three times as long, give or take a half. Six in the first hour:
/// Let's Encrypt allows five proofs of a name to fail in that time, and says when it has had enough.
const FIRST_DELAY: Duration = Duration::from_secs(10);

/// What an authority that has had enough of us gets if it does not say how long.
const UNNAMED_WAIT: Duration = Duration::from_secs(3600);
/// No wait is longer than this, whatever is asked for: limits may be raised meanwhile.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 3600);

/// How long to wait after so many failures, when the authority asked for so much. `random` is from 0 to 255:
/// servers that were turned away at the same time must not all come back at the same time.
pub(super) fn delay(attempts: u32, asked: Option<Duration>, is_limited: bool, random: u8) -> Duration {
    let delay = backoff::with_jitter(backoff::delay(FIRST_DELAY, attempts), random);
    let asked = match asked {
        None if is_limited => UNNAMED_WAIT,
        asked => asked.unwrap_or_default(),
    };
    // Never before the time that was asked for.
    let jitter = asked.min(backoff::MAX_DELAY) * u32::from(random) / 255 / 10;
    delay.max((asked + jitter).min(LONGEST_WAIT))
}

/// A delay as it is logged.
pub(super) fn after(delay: Duration) -> String {
    match delay.as_secs() {
        seconds @ 0..120 => format!("{} s", seconds.max(1)),
        seconds @ 120..7200 => format!("{} min", seconds / 60),
        seconds => format!("{} h", seconds / 3600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_try_waits_longer_than_the_one_before_up_to_a_bound() {
        let bounds = |attempts| (delay(attempts, None, false, 0), delay(attempts, None, false, 255));
        let seconds = Duration::from_secs;
        assert_eq!(bounds(1), (seconds(5), seconds(15)));
        assert_eq!(bounds(2), (seconds(15), seconds(45)));
        assert_eq!(bounds(8), (seconds(3 * 3600), seconds(9 * 3600)));
        assert_eq!(bounds(u32::MAX), bounds(8));
    }

    #[test]
    fn an_authority_that_asks_for_time_gets_it() {
        let seconds = Duration::from_secs;
        assert_eq!(delay(1, Some(seconds(600)), true, 0), seconds(600));
        assert_eq!(delay(1, Some(seconds(600)), true, 255), seconds(660));
        assert_eq!(delay(8, Some(seconds(600)), true, 0), seconds(3 * 3600));
        assert_eq!(delay(1, None, true, 0), UNNAMED_WAIT);
        assert_eq!(delay(1, Some(seconds(30 * 86_400)), true, 9), LONGEST_WAIT);
    }

    #[test]
    fn a_delay_is_shown_in_its_largest_unit() {
        assert_eq!(after(Duration::from_millis(400)), "1 s");
        assert_eq!(
            (after(Duration::from_secs(130)), after(backoff::MAX_DELAY)),
            ("2 min".into(), "6 h".into())
        );
    }
}
