//! When each request of a fixed rate is due.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

/// From how many requests a second on they are released in steps, and how long these are.
const STEPPED: f64 = 10_000.0;
const STEP: Duration = Duration::from_millis(1);

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

    /// At high rates requests are released in steps: a thread that sleeps for each of them would take a good part of a
    /// processor that the log has to share. What comes later for it counts as later.
    fn step(&self) -> Duration {
        if self.per_second > STEPPED { STEP } else { Duration::ZERO }
    }

    /// Gives one turn for each of `count` requests when it is due, until `stop`, and no more turns after that.
    ///
    /// It sleeps, and so belongs on a thread of its own, whose sleep is far finer than a runtime's timer.
    pub fn release(&self, count: u64, turns: &Turns, stop: &AtomicBool) {
        for number in 0..count {
            let wait = self.due(number).saturating_duration_since(Instant::now());
            if !wait.is_zero() {
                std::thread::sleep(wait.max(self.step()));
            }
            if stop.load(Ordering::Relaxed) {
                break;
            }
            turns.give();
        }
        turns.close();
    }
}

/// Turns for connections. Of those that wait the one that came last is served first: so a load keeps to as few
/// connections as it needs, and the others stay untouched.
#[derive(Debug, Default)]
pub struct Turns {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Turns that nobody has taken yet.
    left: u64,
    waiting: Vec<oneshot::Sender<()>>,
    closed: bool,
}

impl Turns {
    /// Waits for a turn; `false` when there will be no more.
    pub async fn take(&self) -> bool {
        let turn = {
            let mut state = self.lock();
            if let Some(left) = state.left.checked_sub(1) {
                state.left = left;
                return true;
            }
            if state.closed {
                return false;
            }
            let (give, turn) = oneshot::channel();
            state.waiting.push(give);
            turn
        };
        turn.await.is_ok()
    }

    /// Gives one more.
    pub fn give(&self) {
        let mut state = self.lock();
        while let Some(waiting) = state.waiting.pop() {
            if waiting.send(()).is_ok() {
                return;
            }
        }
        state.left = state.left.saturating_add(1);
    }

    /// Gives none after those that are left.
    pub fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.waiting.clear();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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

    #[tokio::test]
    async fn every_request_gets_its_turn_and_none_before_its_time() {
        let turns = Turns::default();
        let start = Instant::now();
        Schedule::new(start, 1000.0).release(50, &turns, &AtomicBool::new(false));
        assert!(start.elapsed() >= Duration::from_millis(49));
        for _ in 0..50 {
            assert!(turns.take().await);
        }
        assert!(!turns.take().await);
        let stopped = Turns::default();
        Schedule::new(start, 1000.0).release(50, &stopped, &AtomicBool::new(true));
        assert!(!stopped.take().await);
    }

    #[tokio::test]
    async fn who_came_last_is_first() {
        let turns = std::sync::Arc::new(Turns::default());
        let (served, mut order) = tokio::sync::mpsc::unbounded_channel();
        for name in ["first", "second"] {
            let (turns, served) = (std::sync::Arc::clone(&turns), served.clone());
            tokio::spawn(async move {
                let had_one = turns.take().await;
                let _ = served.send((name, had_one));
            });
            tokio::task::yield_now().await;
        }
        turns.give();
        assert_eq!(order.recv().await, Some(("second", true)));
        turns.close();
        assert_eq!(order.recv().await, Some(("first", false)));
    }
}
