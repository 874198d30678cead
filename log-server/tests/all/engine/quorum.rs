//! Witnesses that are down, slow, wrong or forgetful, and heads that get their quorum all the same, or do not.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use countersign_log::log::{Condition, Log, WaitError, WitnessStatus};
use countersign_log::store::RocksStore;
use countersign_verifier::merkle::TreeSize;
use countersign_verifier::program::keyfile;
use tokio::time::Instant;

use super::desk::{Desk, Founded, config, enter, found, size};
use super::store::{Levers, Moody};
use super::witness::{Mood, TestWitness, policy};

pub(super) fn soon() -> Instant {
    Instant::now() + Duration::from_secs(10)
}

/// Enters one more statement and waits until a head with it has its quorum.
pub(super) async fn enter_cosigned(log: &Log, founded: &Founded) -> TreeSize {
    let size = enter(log, founded.desk.intent("run/1")).await.index.size_including();
    let published = log.wait_cosigned(size, soon()).await.unwrap();
    assert!(published.size >= size);
    let note = countersign_verifier::note::SignedNote::parse(published.note.as_bytes()).unwrap();
    assert_eq!(log.policy().verify(&note).unwrap(), published.checkpoint);
    assert_eq!(log.root(published.size).unwrap(), published.root);
    size
}

/// Waits until something holds.
pub(super) async fn eventually(what: &str, holds: impl Fn() -> bool) {
    let until = soon();
    while !holds() {
        assert!(Instant::now() < until, "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

pub(super) fn status(log: &Log, name: &str) -> WitnessStatus {
    log.status().witnesses.into_iter().find(|witness| witness.name == name).unwrap()
}

async fn three(founded: &Founded) -> [TestWitness; 3] {
    let key = &founded.key;
    [
        TestWitness::start("w1", key).await,
        TestWitness::start("w2", key).await,
        TestWitness::start("w3", key).await,
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn heads_get_their_quorum_and_keep_it_over_a_restart() {
    let founded = found().await;
    let [w1, w2, w3] = three(&founded).await;
    let policy = policy(2, &[&w1, &w2, &w3]);
    let log = founded.open(&policy).await;
    for _ in 0..5 {
        enter_cosigned(&log, &founded).await;
    }
    // The third one is merged in, although nobody waited for it.
    eventually("all three in the note", || {
        log.published()
            .borrow()
            .as_ref()
            .is_some_and(|head| head.size == size(7) && head.checkpoint.cosignatures().len() == 3)
    })
    .await;
    let published = log.published().borrow().clone();
    assert!(log.readiness().is_ok());
    assert!(log.warnings().is_empty());
    log.shutdown().await;
    drop(log);
    let requests = w1.requests();
    let log = founded.open(&policy).await;
    assert_eq!(*log.published().borrow(), published);
    enter_cosigned(&log, &founded).await;
    eventually("w1 asked again", || w1.requests() > requests).await;
    // Each witness stood at 0 when it was asked first, and its size was remembered from then on.
    for witness in [&w1, &w2, &w3] {
        assert_eq!(witness.conflicts(), 0);
    }
    assert!(status(&log, "w1").size >= size(7));
    log.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_witness_of_three_may_be_anything() {
    let moods = [
        Mood::Slow(Duration::from_mins(1)),
        Mood::FalseCosignature,
        Mood::Garbage,
        Mood::Endless,
        Mood::Broken,
        Mood::Slippery,
        Mood::Claims(1_000_000),
        Mood::Ahead,
    ];
    let founded = found().await;
    let [w1, w2, w3] = three(&founded).await;
    let log = founded.open(&policy(2, &[&w1, &w2, &w3])).await;
    for mood in moods {
        w3.set(mood);
        for _ in 0..3 {
            enter_cosigned(&log, &founded).await;
        }
        eventually("the fault is seen", || {
            !matches!(status(&log, "w3").condition, Condition::Well | Condition::Untried)
        })
        .await;
        let condition = status(&log, "w3").condition;
        match mood {
            Mood::Slow(_) => assert!(matches!(condition, Condition::Unreachable(_)), "{condition}"),
            Mood::Claims(size) => {
                assert!(
                    matches!(condition, Condition::Disagreeing { named } if named.get() == size),
                    "{condition}"
                );
                assert_eq!(log.warnings()[0].code, "witness-disagrees");
            }
            // What it names is beyond the log, or was by the time of its answer.
            Mood::Ahead => assert!(
                matches!(condition, Condition::Disagreeing { .. } | Condition::Refusing(_)),
                "{condition}"
            ),
            _ => assert!(
                matches!(&condition, Condition::Refusing(what) if !what.contains('\x1b')),
                "{condition}"
            ),
        }
        assert!(log.readiness().is_ok(), "{mood:?}");
        w3.set(Mood::Honest);
        eventually("it recovers by itself", || {
            status(&log, "w3").condition == Condition::Well
                && status(&log, "w3").size == log.sequenced_head().checkpoint.size
        })
        .await;
    }
    log.shutdown().await;
}

/// How many heads are published in a second, and for how long at most none is, while statements come all the time.
async fn pace(log: &Arc<Log>, series: u64) -> (usize, Duration) {
    let enough = Arc::new(AtomicBool::new(false));
    let load: Vec<_> = (0..4)
        .map(|task| {
            let (log, enough) = (Arc::clone(log), Arc::clone(&enough));
            tokio::spawn(async move {
                let desk = Desk::new(series + task);
                while !enough.load(Ordering::Relaxed) {
                    enter(&log, desk.intent("run/1")).await;
                }
            })
        })
        .collect();
    let mut published = log.published();
    let (begun, mut last) = (Instant::now(), Instant::now());
    let (mut heads, mut longest) = (0, Duration::ZERO);
    while begun.elapsed() < Duration::from_secs(1) {
        let changed = tokio::time::timeout(Duration::from_secs(1), published.changed()).await;
        longest = longest.max(last.elapsed());
        last = Instant::now();
        heads += usize::from(changed.is_ok());
    }
    enough.store(true, Ordering::Relaxed);
    for task in load {
        task.await.unwrap();
    }
    (heads, longest)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_witness_that_claims_to_be_ahead_under_load_slows_nobody_down() {
    let founded = found().await;
    let [w1, w2, w3] = three(&founded).await;
    // The two that are honest are slower to answer than the third.
    for honest in [&w1, &w2] {
        honest.set(Mood::Slow(Duration::from_millis(20)));
    }
    let log = founded.open(&policy(2, &[&w1, &w2, &w3])).await;
    w3.set(Mood::Broken);
    let (honest, _) = pace(&log, 100).await;
    w3.set(Mood::Ahead);
    let (heads, longest) = pace(&log, 200).await;
    let condition = status(&log, "w3").condition;
    assert!(matches!(&condition, Condition::Refusing(what) if what.contains("names size")), "{condition}");
    assert!(
        heads * 2 > honest && longest < Duration::from_millis(500),
        "{heads} heads, for {longest:?} none; {honest} when the third says nothing"
    );
    assert!(log.readiness().is_ok());
    // Where its word is needed, a newer head is asked for, and it is taken up again once it is honest.
    w2.set(Mood::Broken);
    pace(&log, 300).await;
    w3.set(Mood::Honest);
    enter_cosigned(&log, &founded).await;
    log.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_witness_that_is_not_there_does_not_matter_until_the_quorum_needs_it() {
    let founded = found().await;
    let [w1, w2, w3] = three(&founded).await;
    let policy = policy(2, &[&w1, &w2, &w3]);
    drop(w3);
    let log = founded.open(&policy).await;
    enter_cosigned(&log, &founded).await;
    assert!(matches!(status(&log, "w3").condition, Condition::Unreachable(_)));
    w2.set(Mood::Broken);
    let entered = enter(&log, founded.desk.intent("run/1")).await;
    let before = log.published().borrow().clone().unwrap();
    let deadline = Instant::now() + Duration::from_millis(600);
    let waited = log.wait_cosigned(entered.index.size_including(), deadline).await;
    assert_eq!(waited, Err(WaitError::TimedOut));
    assert_eq!(log.published().borrow().clone(), Some(before), "a head without quorum is shown to nobody");
    let reasons = log.readiness().unwrap_err();
    assert_eq!(reasons[0].code, "quorum-missing");
    assert!(reasons[0].what.contains("w2") && reasons[0].what.contains("w3"), "{}", reasons[0].what);
    // Statements are taken meanwhile, and one head covers them all once the witness is back.
    let mut last = entered;
    for _ in 0..20 {
        last = enter(&log, founded.desk.intent("run/1")).await;
    }
    w2.set(Mood::Honest);
    log.wait_cosigned(last.index.size_including(), soon()).await.unwrap();
    assert!(log.readiness().is_ok());
    log.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_witness_that_forgot_is_named_and_counts_again_once_it_has_caught_up() {
    let founded = found().await;
    let [w1, w2, w3] = three(&founded).await;
    let log = founded.open(&policy(3, &[&w1, &w2, &w3])).await;
    enter_cosigned(&log, &founded).await;
    let backup = w2.seen();
    for _ in 0..3 {
        enter_cosigned(&log, &founded).await;
    }
    w2.restore(backup);
    enter_cosigned(&log, &founded).await;
    let forgetful = status(&log, "w2");
    assert_eq!((forgetful.rollbacks, forgetful.condition), (1, Condition::Well));
    assert_eq!(log.warnings()[0].code, "witness-rolled-back");
    // One that forgot everything is no different.
    w2.restore(None);
    enter_cosigned(&log, &founded).await;
    assert_eq!(status(&log, "w2").rollbacks, 2);
    assert_eq!((status(&log, "w1").rollbacks, w1.conflicts()), (0, 0));
    log.shutdown().await;
}

/// On one thread, so that whatever is read on the threads that talk to witnesses is read on this one.
#[tokio::test(flavor = "current_thread")]
async fn what_a_witness_has_the_log_read_keeps_no_other_waiting() {
    let data = super::fsck::copy();
    let key = keyfile::read_note_signer(&data.path().join("log.key")).unwrap().verifier().clone();
    let w1 = TestWitness::start("w1", &key).await;
    // It says that it stands in the middle of a full tile.
    w1.set(Mood::Claims(100));
    let levers = Levers::new();
    let inner = RocksStore::open(&data.path().join("db")).unwrap();
    let store = Arc::new(Moody { inner, levers: Arc::clone(&levers) });
    let log = Log::open_on(config(data.path(), &policy(1, &[&w1])), store).await.unwrap();
    levers.readers.lock().unwrap().clear();
    eventually("the proof is asked for", || w1.requests() > 3).await;
    let readers = levers.readers.lock().unwrap().clone();
    assert!(!readers.is_empty(), "nothing was read");
    assert!(!readers.contains(&std::thread::current().id()), "the store was read where witnesses are asked");
    w1.set(Mood::Honest);
    enter_head(&log, &w1).await;
    log.shutdown().await;
}

/// Waits until the witness has cosigned the newest head.
async fn enter_head(log: &Log, witness: &TestWitness) {
    let size = log.sequenced_head().checkpoint.size;
    log.wait_cosigned(size, soon()).await.unwrap();
    assert_eq!(witness.seen().unwrap().size, size);
}

#[tokio::test(flavor = "multi_thread")]
async fn late_cosignatures_join_the_head_that_is_still_the_newest() {
    let founded = found().await;
    let [w1, w2, w3] = three(&founded).await;
    w3.set(Mood::Slow(Duration::from_millis(200)));
    let log = founded.open(&policy(2, &[&w1, &w2, &w3])).await;
    let size = enter_cosigned(&log, &founded).await;
    let mut published = log.published();
    assert!(published.borrow_and_update().as_ref().unwrap().checkpoint.cosignatures().len() < 3);
    let complete = published.wait_for(|head| {
        head.as_ref().is_some_and(|head| head.size == size && head.checkpoint.cosignatures().len() == 3)
    });
    let head = tokio::time::timeout(Duration::from_secs(5), complete).await.unwrap().unwrap().clone();
    log.shutdown().await;
    drop(log);
    let log = founded.open(&policy(2, &[&w1, &w2, &w3])).await;
    assert_eq!(*log.published().borrow(), head);
    log.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interval_spaces_the_heads() {
    let founded = found().await;
    let [w1, w2, w3] = three(&founded).await;
    let mut config = founded.config(&policy(2, &[&w1, &w2, &w3]));
    config.checkpoint_interval = Duration::from_millis(300);
    let log = Log::open(config).await.unwrap();
    let started = Instant::now();
    let mut entered = enter(&log, founded.desk.intent("run/1")).await;
    while started.elapsed() < Duration::from_secs(1) {
        entered = enter(&log, founded.desk.intent("run/1")).await;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    log.wait_cosigned(entered.index.size_including(), soon()).await.unwrap();
    let elapsed = started.elapsed();
    let heads = status(&log, "w1").cosigned;
    assert!((2..=elapsed.as_secs() * 4 + 2).contains(&heads), "{heads} heads in {elapsed:?}");
    log.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_changed_is_satisfied_anew_before_anything_is_shown() {
    let founded = found().await;
    let [w1, w2, w3] = three(&founded).await;
    let log = founded.open(&policy(1, &[&w1])).await;
    enter_cosigned(&log, &founded).await;
    log.shutdown().await;
    drop(log);
    w3.set(Mood::Broken);
    let log: Arc<Log> = founded.open(&policy(2, &[&w2, &w3])).await;
    assert!(log.published().borrow().is_none());
    w3.set(Mood::Honest);
    log.wait_cosigned(size(3), soon()).await.unwrap();
    log.shutdown().await;
}
