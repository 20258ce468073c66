//! How long to wait before the next attempt.

use std::time::Duration;

use crate::outbound::backoff;

/// The delay before the second attempt; each further delay is three times as long, with a jitter of a half. That is six
/// attempts in the first hour, in which Let's Encrypt allows five failed validations of a name; then it asks to wait.
const FIRST_DELAY: Duration = Duration::from_secs(10);

/// The delay after a `rateLimited` error without a Retry-After header.
const RATE_LIMIT_DELAY: Duration = Duration::from_secs(3600);
/// The longest delay, whatever the authority asks for: it may raise its limits meanwhile.
const MAX_ASKED_DELAY: Duration = Duration::from_secs(24 * 3600);

/// The delay after `attempts` failures, if the authority asked for `asked`. `random`, from 0 to 255, is the jitter: servers
/// that were refused at the same time must not all retry at the same time.
pub(super) fn delay(attempts: u32, asked: Option<Duration>, is_limited: bool, random: u8) -> Duration {
    let delay = backoff::with_jitter(backoff::delay(FIRST_DELAY, attempts), random);
    let asked = match asked {
        None if is_limited => RATE_LIMIT_DELAY,
        asked => asked.unwrap_or_default(),
    };
    // Jitter only prolongs what was asked for.
    let jitter = asked.min(backoff::MAX_DELAY) * u32::from(random) / 255 / 10;
    delay.max((asked + jitter).min(MAX_ASKED_DELAY))
}

/// A delay as it is logged, in s, min or h.
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
    fn delay_grows_with_each_attempt_up_to_a_bound() {
        let bounds = |attempts| (delay(attempts, None, false, 0), delay(attempts, None, false, 255));
        let seconds = Duration::from_secs;
        assert_eq!(bounds(1), (seconds(5), seconds(15)));
        assert_eq!(bounds(2), (seconds(15), seconds(45)));
        assert_eq!(bounds(8), (seconds(3 * 3600), seconds(9 * 3600)));
        assert_eq!(bounds(u32::MAX), bounds(8));
    }

    #[test]
    fn delay_is_at_least_what_the_authority_asks_for() {
        let seconds = Duration::from_secs;
        assert_eq!(delay(1, Some(seconds(600)), true, 0), seconds(600));
        assert_eq!(delay(1, Some(seconds(600)), true, 255), seconds(660));
        assert_eq!(delay(8, Some(seconds(600)), true, 0), seconds(3 * 3600));
        assert_eq!(delay(1, None, true, 0), RATE_LIMIT_DELAY);
        assert_eq!(delay(1, Some(seconds(30 * 86_400)), true, 9), MAX_ASKED_DELAY);
    }

    #[test]
    fn delay_is_logged_in_its_largest_unit() {
        assert_eq!(after(Duration::from_millis(400)), "1 s");
        assert_eq!(
            (after(Duration::from_secs(130)), after(backoff::MAX_DELAY)),
            ("2 min".into(), "6 h".into())
        );
    }
}
