//! How long to wait after a failure.

use std::time::Duration;

/// Waits that double from the least to the most, with jitter, so that those who failed together do not try again
/// together.
#[derive(Debug, Clone)]
pub(super) struct Backoff {
    least: Duration,
    most: Duration,
    next: Duration,
}

impl Backoff {
    pub(super) fn new(least: Duration, most: Duration) -> Self {
        Self { least, most, next: least }
    }

    /// The next wait: between half and all of what it has grown to.
    pub(super) fn wait(&mut self) -> Duration {
        let whole = self.next;
        self.next = whole.saturating_mul(2).min(self.most);
        let half = whole / 2;
        // Without a source of chance there is no jitter, and nothing else changes.
        let chance = getrandom::u32().unwrap_or(u32::MAX);
        half.saturating_add(half.mul_f64(f64::from(chance) / f64::from(u32::MAX)))
    }

    /// After a success the next failure waits the least again.
    pub(super) fn reset(&mut self) {
        self.next = self.least;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_most_and_start_again_after_a_success() {
        let mut backoff = Backoff::new(Duration::from_millis(10), Duration::from_millis(50));
        for whole in [10, 20, 40, 50, 50] {
            let wait = backoff.wait();
            assert!(
                wait >= Duration::from_millis(whole) / 2 && wait <= Duration::from_millis(whole),
                "{wait:?}"
            );
        }
        backoff.reset();
        assert!(backoff.wait() <= Duration::from_millis(10));
    }
}
