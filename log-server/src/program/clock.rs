//! The one place where the program looks at the time of day.

use std::time::{SystemTime, UNIX_EPOCH};

use countersign_verifier::statement::UnixSeconds;

/// The time now. A clock before 1970 or beyond all reason is taken for 1970: then nothing is in time, and nothing is
/// taken.
pub(super) fn now() -> UnixSeconds {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixSeconds::new(since.as_secs()).unwrap_or(UnixSeconds::EPOCH)
}
