//! The one place that asks what time it is.

use std::time::{SystemTime, UNIX_EPOCH};

use countersign_verifier::statement::UnixSeconds;

/// Whole seconds since 1970, by this machine's clock.
pub fn now() -> UnixSeconds {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    UnixSeconds::new(seconds).unwrap_or(UnixSeconds::EPOCH)
}
