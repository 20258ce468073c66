//! How long to rest before something that failed is tried again.

use std::time::Duration;

/// No rest is longer, before it is spread.
pub const LONGEST: Duration = Duration::from_secs(6 * 3600);

/// Past so many failures a rest is the longest in any case.
const MAX_STEPS: u32 = 16;

/// `first` after the first failure, and three times as long after each further one, up to the longest.
pub fn rest(first: Duration, failures: u32) -> Duration {
    let steps = failures.saturating_sub(1).min(MAX_STEPS);
    first.saturating_mul(3_u32.saturating_pow(steps)).min(LONGEST)
}

/// The same give or take a half, `chance` being from 0 to 255: not everybody who was turned away at the same time comes
/// back at the same time.
pub fn spread(rest: Duration, chance: u8) -> Duration {
    rest / 2 + rest * u32::from(chance) / 255
}

pub fn chance() -> u8 {
    let mut byte = [0];
    // Without randomness they all come back at once, which is no harm to speak of.
    let _ = getrandom::fill(&mut byte);
    byte[0]
}
