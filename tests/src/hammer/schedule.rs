//! When each request of a fixed rate is due.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

/// A start and a rate. Every request has its moment, whatever became of those before it.
#[derive(Debug, Clone, Copy)]
pub struct Schedule {
    start: Instant,
    per_second: f64,
}

impl Schedule {
    /// `per_second` requests a second from `start` on; at least one in a day.
    pub fn new(start: Instant, per_second: f64) -> Self {
        Self { start, per_second: per_second.max(1.0 / 86_400.0) }
    }

    /// When the request with this number, from 0, is due.
    pub fn due(&self, number: u64) -> Instant {
        #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52 requests fit in a run")]
        let seconds = number as f64 / self.per_second;
        self.start.checked_add(Duration::from_secs_f64(seconds)).unwrap_or(self.start)
    }

    /// Releases one permit for each of `count` requests when it is due, until `stop`.
    ///
    /// It sleeps, and so belongs on a thread of its own, whose sleep is far finer than a runtime's timer.
    pub fn release(&self, count: u64, permits: &Arc<Semaphore>, stop: &AtomicBool) {
        for number in 0..count {
            let wait = self.due(number).saturating_duration_since(Instant::now());
            if !wait.is_zero() {
                std::thread::sleep(wait);
            }
            if stop.load(Ordering::Relaxed) {
                return;
            }
            permits.add_permits(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_do_not_drift() {
        let start = Instant::now();
        let schedule = Schedule::new(start, 3000.0);
        assert_eq!(schedule.due(0), start);
        assert_eq!(schedule.due(3000).duration_since(start), Duration::from_secs(1));
        assert_eq!(schedule.due(3_000_000).duration_since(start), Duration::from_secs(1000));
        assert_eq!(schedule.due(1).duration_since(start).as_micros(), 333);
    }

    #[test]
    fn every_request_gets_its_permit_and_none_before_its_time() {
        let permits = Arc::new(Semaphore::new(0));
        let start = Instant::now();
        Schedule::new(start, 1000.0).release(50, &permits, &AtomicBool::new(false));
        assert!(start.elapsed() >= Duration::from_millis(49));
        assert_eq!(permits.available_permits(), 50);
        Schedule::new(start, 1000.0).release(50, &permits, &AtomicBool::new(true));
        assert_eq!(permits.available_permits(), 50);
    }
}
