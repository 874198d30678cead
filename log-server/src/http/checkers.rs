//! The threads that check signatures and put proofs together: all cores, and none of those that serve connections.
//!
//! They are shared fairly: whose statements it says they are has a lane, and lanes are served in turn. So a flood of
//! one issuer makes the others wait for one slice of work, not for all of it.

use std::collections::HashMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use countersign_verifier::statement::IssuerName;
use tokio::sync::oneshot;

use super::catalog::codes;
use super::problem::Refusal;
use crate::fair::{Lanes, Load};

/// In whose turn something is done: the issuer that it claims, if one could be read.
pub(super) type Turn = Option<IssuerName>;

/// How much may wait for each of the threads. They check about 25,000 statements a second each, so what is let in is
/// answered soon, and what is more is told at once to come later.
pub(super) const BOUND: Load = Load { statements: 4 * 1024, bytes: 64 * 1024 * 1024 };

type Job = Box<dyn FnOnce() + Send>;

/// What waits in a lane.
enum Waits {
    /// Done when it is done.
    Work(Job),
    /// The check of a statement, which is under way from then on until it is answered.
    Check(Box<dyn FnOnce(UnderWay) + Send>, Turn),
}

/// A statement under way: checked, or being checked, and not answered yet. It is until this is dropped.
pub(super) struct UnderWay {
    /// Where it is counted; nowhere where nobody is held back when it begins.
    counted: Option<(Arc<Desk>, Turn)>,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let Some((desk, turn)) = self.counted.take() else { return };
        let mut waiting = desk.lock();
        if let Some(under_way) = waiting.under_way.get_mut(&turn) {
            *under_way = under_way.saturating_sub(1);
            if *under_way == 0 {
                waiting.under_way.remove(&turn);
            }
        }
        // There may be one that waited for this.
        let wakes = waiting.asleep > 0 && !waiting.lanes.is_empty();
        drop(waiting);
        if wakes {
            desk.filled.notify_one();
        }
    }
}

/// One thread a core.
pub(super) struct Checkers {
    desk: Arc<Desk>,
}

struct Desk {
    waiting: Mutex<Waiting>,
    filled: Condvar,
}

struct Waiting {
    lanes: Lanes<Turn, Waits>,
    /// How many statements of each are under way, and how many may be.
    under_way: HashMap<Turn, usize>,
    bound: usize,
    closed: bool,
    /// How many threads wait for something to come.
    asleep: usize,
}

impl Checkers {
    pub(super) fn start() -> std::io::Result<Self> {
        let threads = thread::available_parallelism()?.get();
        let lanes = Lanes::new(BOUND.times(threads));
        let waiting =
            Waiting { lanes, under_way: HashMap::new(), bound: usize::MAX, closed: false, asleep: 0 };
        let desk = Arc::new(Desk { waiting: Mutex::new(waiting), filled: Condvar::new() });
        let checkers = Self { desk: Arc::clone(&desk) };
        for number in 0..threads {
            let desk = Arc::clone(&desk);
            thread::Builder::new().name(format!("check-{number}")).spawn(move || desk.work())?;
        }
        Ok(checkers)
    }

    /// Does `work` in turn, and waits for it without holding a thread.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        turn: &Turn,
        load: Load,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        let mut results = self.run_all(turn, vec![(load, work)]).await?;
        results.pop().ok_or_else(Refusal::internal)
    }

    /// Does the check of a statement in turn, and does not wait for it. The statement is under way until what `check` is
    /// given is dropped, and while `bound` of its issuer are, the next one waits.
    pub(super) fn give(
        &self,
        turn: &Turn,
        load: Load,
        bound: usize,
        check: impl FnOnce(UnderWay) + Send + 'static,
    ) -> Result<(), Refusal> {
        let waits = Waits::Check(Box::new(check), turn.clone());
        self.desk.put(|waiting| {
            waiting.bound = bound;
            waiting.lanes.push(turn, vec![(load, waits)]).map_err(full)
        })
    }

    /// Does each of `works` in turn, on as many threads as are free, and gives back their results in their order. None
    /// is begun when there is no room for all of them.
    pub(super) async fn run_all<T: Send + 'static>(
        &self,
        turn: &Turn,
        works: Vec<(Load, impl FnOnce() -> T + Send + 'static)>,
    ) -> Result<Vec<T>, Refusal> {
        let (jobs, results) = jobs(works);
        self.desk.put(|waiting| waiting.lanes.push(turn, jobs).map_err(full))?;
        all(results).await
    }

    /// The same for what nobody may be refused any more: the answer to what is in the log.
    pub(super) async fn finish_all<T: Send + 'static>(
        &self,
        turn: &Turn,
        works: Vec<(Load, impl FnOnce() -> T + Send + 'static)>,
    ) -> Result<Vec<T>, Refusal> {
        let (jobs, results) = jobs(works);
        self.desk.put(|waiting| waiting.lanes.push_anyway(turn, jobs));
        all(results).await
    }
}

fn full<T>(_: T) -> Refusal {
    let detail = "too many statements of this issuer wait to be checked";
    Refusal::new(&codes::OVERLOADED, detail).retry_after(Duration::from_secs(1))
}

type Results<T> = Vec<oneshot::Receiver<T>>;

fn jobs<T: Send + 'static>(
    works: Vec<(Load, impl FnOnce() -> T + Send + 'static)>,
) -> (Vec<(Load, Waits)>, Results<T>) {
    let mut results = Vec::with_capacity(works.len());
    let jobs = works.into_iter().map(|(load, work)| {
        let (done, result) = oneshot::channel();
        results.push(result);
        let job: Job = Box::new(move || {
            // When the client has gone, nobody listens and nothing need be done.
            if !done.is_closed() {
                let _ = done.send(work());
            }
        });
        (load, Waits::Work(job))
    });
    (jobs.collect(), results)
}

async fn all<T>(results: Results<T>) -> Result<Vec<T>, Refusal> {
    let mut done = Vec::with_capacity(results.len());
    for result in results {
        done.push(result.await.map_err(|_| Refusal::internal())?);
    }
    Ok(done)
}

impl Desk {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put<T>(&self, put: impl FnOnce(&mut Waiting) -> T) -> T {
        let mut waiting = self.lock();
        let result = put(&mut waiting);
        let (several, asleep) = (waiting.lanes.held().statements > 1, waiting.asleep);
        drop(waiting);
        // To wake who is awake would cost as much.
        match (asleep, several) {
            (0, _) => {}
            (_, true) => self.filled.notify_all(),
            (_, false) => self.filled.notify_one(),
        }
        result
    }

    fn work(self: &Arc<Self>) {
        while let Some(job) = self.take() {
            if catch_unwind(AssertUnwindSafe(job)).is_err() {
                tracing::error!("checking a statement panicked");
            }
        }
    }

    fn take(self: &Arc<Self>) -> Option<Job> {
        let mut waiting = self.lock();
        loop {
            if let Some(waits) = waiting.take() {
                return Some(match waits {
                    Waits::Work(job) => job,
                    Waits::Check(check, turn) => {
                        let counted = waiting.count(&turn).then(|| (Arc::clone(self), turn));
                        Box::new(move || check(UnderWay { counted }))
                    }
                });
            }
            if waiting.closed {
                return None;
            }
            waiting.asleep = waiting.asleep.saturating_add(1);
            waiting = self.filled.wait(waiting).unwrap_or_else(PoisonError::into_inner);
            waiting.asleep = waiting.asleep.saturating_sub(1);
        }
    }
}

impl Waiting {
    /// Takes what has its turn, of those who have not too much under way. In the end all have their turns.
    fn take(&mut self) -> Option<Waits> {
        let Self { lanes, under_way, bound, closed, .. } = self;
        let has_turn = |who: &Turn| *closed || under_way.get(who).is_none_or(|under_way| under_way < bound);
        lanes.pop_of(has_turn, |_| true).map(|(_, waits)| waits)
    }

    /// Counts a statement as under way, unless nobody is held back.
    fn count(&mut self, turn: &Turn) -> bool {
        let counts = self.bound != usize::MAX;
        if counts {
            let under_way = self.under_way.entry(turn.clone()).or_default();
            *under_way = under_way.saturating_add(1);
        }
        counts
    }
}

impl Drop for Checkers {
    /// The threads end when nothing waits any more.
    fn drop(&mut self) {
        self.desk.lock().closed = true;
        self.desk.filled.notify_all();
    }
}

impl fmt::Debug for Checkers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Checkers").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    const ONE: Load = Load { statements: 1, bytes: 1024 };

    #[tokio::test]
    async fn a_panic_is_an_error_of_one_request_and_not_the_end_of_the_threads() {
        let checkers = Checkers::start().unwrap();
        for _ in 0..100 {
            let fault = checkers.run(&None, ONE, || -> u8 { panic!("on purpose") }).await;
            assert_eq!(fault.unwrap_err().code(), "internal-error");
        }
        assert_eq!(checkers.run(&None, ONE, || 7).await, Ok(7));
    }

    #[tokio::test]
    async fn results_come_in_the_order_of_the_work() {
        let checkers = Checkers::start().unwrap();
        let works = (0..100_u64).map(|number| {
            (ONE, move || {
                thread::sleep(Duration::from_micros(number % 7 * 100));
                number
            })
        });
        let results = checkers.run_all(&None, works.collect()).await.unwrap();
        assert_eq!(results, (0..100).collect::<Vec<_>>());
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn a_flood_of_one_issuer_lets_another_pass_after_a_slice() {
        let checkers = Arc::new(Checkers::start().unwrap());
        let (flood, victim): (Turn, Turn) = ("flood".parse().ok(), "victim".parse().ok());
        // All threads are held until everything waits.
        let threads = thread::available_parallelism().unwrap().get();
        let (release, held) = mpsc::channel::<()>();
        let held = Arc::new(Mutex::new(held));
        let (start, started) = mpsc::channel();
        let (told, order) = mpsc::channel();
        let mut tasks = tokio::task::JoinSet::new();
        let mut spawn = |turn: &Turn, works: Vec<(Load, Job)>| {
            let (checkers, turn) = (Arc::clone(&checkers), turn.clone());
            tasks.spawn(async move { checkers.run_all(&turn, works).await.map(drop) });
        };
        let holding = (0..threads).map(|_| {
            let (held, start) = (Arc::clone(&held), start.clone());
            let job: Job = Box::new(move || {
                start.send(()).unwrap();
                let _ = held.lock().unwrap().recv();
            });
            (ONE, job)
        });
        spawn(&None, holding.collect());
        (0..threads).for_each(|_| started.recv().unwrap());
        let works = |who: &'static str, count: usize| -> Vec<(Load, Job)> {
            let job = || {
                let told = told.clone();
                let job: Job = Box::new(move || told.send(who).unwrap());
                job
            };
            (0..count).map(|_| (ONE, job())).collect()
        };
        let waiting = |count: usize| {
            let held = || checkers.desk.waiting.lock().unwrap().lanes.held().statements;
            while held() != count {
                thread::yield_now();
            }
        };
        spawn(&flood, works("flood", 1_000));
        waiting(1_000);
        spawn(&victim, works("victim", 1));
        waiting(1_001);
        drop(release);
        while let Some(done) = tasks.join_next().await {
            done.unwrap().unwrap();
        }
        drop(told);
        let place = order.iter().position(|who| who == "victim").unwrap();
        // A turn of the flood's own, and what the other threads do meanwhile.
        assert!(place < 16 * (threads + 2), "{place}");
    }

    /// Of one issuer as many are under way as may be, and not one more until one of them is answered; of others as many
    /// as come; and in the end all.
    #[test]
    fn what_is_under_way_of_one_issuer_is_bounded_and_the_rest_waits_for_it() {
        const BOUND: usize = 3;
        let checkers = Checkers::start().unwrap();
        let (flood, victim): (Turn, Turn) = ("flood".parse().ok(), "victim".parse().ok());
        let (begun, begins) = mpsc::channel();
        let give = |turn: &Turn, who: &'static str| {
            let begun = begun.clone();
            checkers.give(turn, ONE, BOUND, move |under_way| begun.send((who, under_way)).unwrap()).unwrap();
        };
        (0..10).for_each(|_| give(&flood, "flood"));
        let mut under_way: Vec<_> = (0..BOUND).map(|_| begins.recv().unwrap()).collect();
        // The victim gets through, although seven of the flood came before.
        give(&victim, "victim");
        let (who, victims) = begins.recv().unwrap();
        assert_eq!(who, "victim");
        drop(victims);
        for _ in BOUND..10 {
            assert!(begins.try_recv().is_err(), "one too many is under way");
            assert_eq!(checkers.desk.lock().under_way.get(&flood), Some(&BOUND));
            drop(under_way.pop());
            under_way.push(begins.recv().unwrap());
        }
        assert!(under_way.iter().all(|(who, _)| *who == "flood"));
        drop(under_way);
        assert!(checkers.desk.lock().under_way.is_empty());

        // What still waits in the end is done in the end, whatever is under way.
        (0..10).for_each(|_| give(&flood, "flood"));
        let held: Vec<_> = (0..BOUND).map(|_| begins.recv().unwrap()).collect();
        drop(checkers);
        drop(begun);
        assert_eq!(begins.iter().count(), 10 - BOUND);
        drop(held);
    }
}
