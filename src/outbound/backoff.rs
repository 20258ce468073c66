//! How long to wait before something that failed is tried again: exponential back-off with jitter.

use std::time::Duration;

/// No delay is longer, before jitter.
pub const MAX_DELAY: Duration = Duration::from_secs(6 * 3600);

/// Past so many failures the delay is the longest in any case.
const MAX_STEPS: u32 = 16;

/// `first` after the first failure, and three times as long after each further one, up to [`MAX_DELAY`].
pub fn delay(first: Duration, failures: u32) -> Duration {
    let steps = failures.saturating_sub(1).min(MAX_STEPS);
    first.saturating_mul(3_u32.saturating_pow(steps)).min(MAX_DELAY)
}

/// From half of the delay to one and a half of it, as `random` is from 0 to 255, so that clients that were turned away at
/// the same time do not all come back at the same time.
pub fn with_jitter(delay: Duration, random: u8) -> Duration {
    delay / 2 + delay * u32::from(random) / 255
}

/// A random byte for [`with_jitter`].
pub fn random() -> u8 {
    let mut byte = [0];
    // Without randomness all come back at once, which is no great harm.
    let _ = getrandom::fill(&mut byte);
    byte[0]
}
