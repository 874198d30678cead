use std::sync::atomic::{AtomicUsize, Ordering};

use countersign_verifier::note::NoteSigner;

use super::*;
use crate::ledger::{HighWaterError, LedgerError};
use crate::testing::{StoppedClock, cosigner, head, log, proof, signed};

/// Keeps in memory, and fails from a given call on.
struct Memory {
    calls: Arc<AtomicUsize>,
    fails_from: usize,
}

impl Keep for Memory {
    fn keep(&mut self, heads: &[Arc<Cosigned>]) -> Result<(), LedgerError> {
        let mut origins: Vec<_> = heads.iter().map(|head| head.origin()).collect();
        origins.dedup();
        assert_eq!(origins.len(), heads.len(), "one head a log");
        if self.calls.fetch_add(1, Ordering::SeqCst) >= self.fails_from {
            return Err(HighWaterError::Changed("high-water".into()).into());
        }
        Ok(())
    }
}

struct Fixture {
    recorder: Recorder,
    thread: JoinHandle<()>,
    clock: Arc<StoppedClock>,
    latest: Arc<Latest>,
    stop: Stop,
    calls: Arc<AtomicUsize>,
    log: NoteSigner,
}

fn start(fails_from: usize, positions: Positions) -> Fixture {
    let clock = StoppedClock::at(1_000);
    let latest = Arc::new(Latest::of(&positions));
    let stop = Stop::default();
    let calls = Arc::new(AtomicUsize::new(0));
    let keep = Memory { calls: Arc::clone(&calls), fails_from };
    let (recorder, thread) = Recorder::start(
        cosigner(),
        Arc::clone(&clock) as Arc<dyn Clock>,
        Box::new(keep),
        positions,
        Arc::clone(&latest),
        stop.clone(),
    )
    .unwrap();
    Fixture { recorder, thread, clock, latest, stop, calls, log: log("log.example/a") }
}

impl Fixture {
    fn request(&self, old: u64, new: u64) -> Request {
        let proof = if old <= new { proof(old, new) } else { Vec::new() };
        Request { old: TreeSize::new(old).unwrap(), proof, head: signed(&self.log, new), per_day: None }
    }

    async fn ask(&self, old: u64, new: u64) -> Verdict {
        self.recorder.ask(self.request(old, new)).await
    }
}

#[tokio::test]
async fn what_is_answered_is_kept_and_shown() {
    let fixture = start(usize::MAX, Positions::new());
    let cosigned = fixture.ask(0, 3).await.unwrap();
    assert_eq!(cosigned.time().get(), 1_000);
    assert_eq!(fixture.calls.load(Ordering::SeqCst), 1);
    let Some(crate::latest::Shown::Head(shown)) = fixture.latest.of_log(cosigned.origin()) else { panic!() };
    assert_eq!(shown, cosigned);
    assert!(matches!(fixture.ask(0, 5).await, Err(Refusal::OtherSize { .. })));
    assert_eq!(fixture.calls.load(Ordering::SeqCst), 1, "a refusal keeps nothing");
    drop(fixture.recorder);
    fixture.thread.join().unwrap();
}

#[tokio::test]
async fn after_a_failure_nothing_is_signed_or_shown_any_more() {
    let fixture = start(1, Positions::new());
    let first = fixture.ask(0, 3).await.unwrap();
    assert!(matches!(fixture.ask(3, 5).await, Err(Refusal::Stopped(_))));
    let Some(crate::latest::Shown::Head(shown)) = fixture.latest.of_log(first.origin()) else { panic!() };
    assert_eq!(shown, first);
    assert!(fixture.stop.cause().unwrap().contains("high-water"));
    assert!(matches!(fixture.ask(3, 3).await, Err(Refusal::Stopped(_))));
    assert_eq!(fixture.calls.load(Ordering::SeqCst), 2, "not even tried again");
}

#[tokio::test]
async fn requests_that_wait_together_are_kept_together_and_only_one_wins() {
    let fixture = start(usize::MAX, Positions::new());
    // All of these are in one batch, because the thread does not run before the test lets it.
    let requests = (3..19).flat_map(|size| [fixture.request(0, size), fixture.request(0, size)]);
    let mut replies = Vec::new();
    let mut jobs = Vec::new();
    for request in requests {
        let (reply, answer) = oneshot::channel();
        jobs.push(Job { request, reply });
        replies.push(answer);
    }
    let mut desk = Desk {
        cosigner: cosigner(),
        clock: Arc::clone(&fixture.clock) as Arc<dyn Clock>,
        keep: Box::new(Memory { calls: Arc::clone(&fixture.calls), fails_from: usize::MAX }),
        positions: HashMap::new(),
        latest: Arc::clone(&fixture.latest),
        stop: Stop::default(),
    };
    desk.settle(jobs);
    let mut won = 0;
    for answer in replies {
        match answer.await.unwrap() {
            Ok(head) => {
                assert_eq!(head.size().get(), 3);
                won += 1;
            }
            Err(refusal) => {
                assert!(matches!(refusal, Refusal::OtherSize { cosigned, .. } if cosigned.get() == 3));
            }
        }
    }
    assert_eq!((won, fixture.calls.load(Ordering::SeqCst)), (1, 1));
}

#[tokio::test]
async fn a_failure_takes_back_every_answer_of_its_batch() {
    let fixture = start(usize::MAX, Positions::new());
    let (jobs, replies): (Vec<_>, Vec<_>) = [(0, 3), (3, 5), (0, 4)]
        .map(|(old, new)| {
            let (reply, answer) = oneshot::channel();
            (Job { request: fixture.request(old, new), reply }, answer)
        })
        .into_iter()
        .unzip();
    let mut desk = Desk {
        cosigner: cosigner(),
        clock: Arc::clone(&fixture.clock) as Arc<dyn Clock>,
        keep: Box::new(Memory { calls: Arc::clone(&fixture.calls), fails_from: 0 }),
        positions: HashMap::new(),
        latest: Arc::clone(&fixture.latest),
        stop: Stop::default(),
    };
    desk.settle(jobs);
    for answer in replies {
        assert!(
            matches!(answer.await.unwrap(), Err(Refusal::Stopped(_))),
            "also a 409 that rested on a lost head"
        );
    }
    assert!(fixture.latest.of_log(&signed(&fixture.log, 3).checkpoint().origin).is_none());
}

#[tokio::test]
async fn no_cosignature_is_dated_before_the_one_before_it() {
    let fixture = start(usize::MAX, Positions::new());
    fixture.ask(0, 3).await.unwrap();
    fixture.clock.put(999);
    let refusal = fixture.ask(3, 5).await.unwrap_err();
    assert!(matches!(refusal, Refusal::ClockBehind { .. }));
    assert_eq!(refusal.retry_after().unwrap().as_secs(), 1);
    fixture.clock.put(0);
    assert_eq!(fixture.ask(3, 5).await.unwrap_err(), Refusal::ClockUnset);
    fixture.clock.put(1_000);
    assert_eq!(fixture.ask(3, 5).await.unwrap().time().get(), 1_000);
}

#[tokio::test]
async fn a_log_that_was_rolled_back_gets_nothing_and_others_get_all() {
    let log = log("log.example/a");
    let marked = head(&log, 5, 500);
    let stored = Arc::new(head(&log, 3, 300));
    let rollback = crate::rollback::Rollback::find(Some(&stored), &marked).map(Arc::new);
    let positions = Positions::from([(stored.origin().clone(), Position { head: Some(stored), rollback })]);
    let mut fixture = start(usize::MAX, positions);
    assert!(matches!(fixture.ask(3, 8).await, Err(Refusal::RolledBack(_))));
    assert!(matches!(fixture.ask(5, 8).await, Err(Refusal::RolledBack(_))));
    assert_eq!(fixture.latest.rollbacks().len(), 1);
    fixture.log = crate::testing::log("log.example/b");
    fixture.ask(0, 8).await.unwrap();
}

#[tokio::test]
async fn a_log_gets_what_it_announced_and_waits_for_more() {
    let fixture = start(usize::MAX, Positions::new());
    let ask = async |old, new| {
        let per_day = NonZeroU32::new(2);
        fixture.recorder.ask(Request { per_day, ..fixture.request(old, new) }).await
    };
    ask(0, 1).await.unwrap();
    ask(1, 2).await.unwrap();
    assert!(matches!(ask(1, 3).await, Err(Refusal::OtherSize { .. })), "what is wrong is told first");
    let refusal = ask(2, 3).await.unwrap_err();
    assert!(matches!(refusal, Refusal::TooMany { per_day: 2, .. }));
    let wait = refusal.retry_after().unwrap().as_secs();
    fixture.clock.let_run(wait - 1);
    assert!(ask(2, 3).await.is_err());
    fixture.clock.let_run(1);
    ask(2, 3).await.unwrap();
}
