//! What time it is.

use core::fmt::Debug;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use countersign_verifier::cosignature::Timestamp;

/// Where the witness takes the time from. Injected, so that tests can say what time it is.
pub trait Clock: Debug + Send + Sync {
    /// The time of day, which may go back: POSIX seconds, above 0. `None` when the clock was never set.
    fn now(&self) -> Option<Timestamp>;

    /// How long this clock has been running. It never goes back.
    fn running(&self) -> Duration;
}

/// The clock of the machine.
#[derive(Debug)]
pub struct SystemClock {
    started: Instant,
}

impl SystemClock {
    /// Starts the clock.
    pub fn start() -> Self {
        Self { started: Instant::now() }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Option<Timestamp> {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
        Timestamp::new(since.as_secs()).filter(|time| time.get() > 0)
    }

    fn running(&self) -> Duration {
        self.started.elapsed()
    }
}
