//! Older copies and second signers: the log finds out from its witnesses, stops, and keeps the evidence.

use std::path::Path;

use countersign_log::fsck::{Finding, Weight};
use countersign_log::log::{Atomicity, Contradiction, Log, StopReason, SubmitError, WaitError};
use countersign_verifier::note::SignedNote;
use countersign_verifier::program::Exit;
use tokio::time::Instant;

use super::desk::{config, copy_folder, enter, found};
use super::fsck::check;
use super::quorum::{enter_cosigned, eventually, soon};
use super::witness::{Mood, TestWitness, policy};

fn evidence(data: &Path) -> Vec<Vec<u8>> {
    let Ok(files) = std::fs::read_dir(data.join("evidence")) else { return Vec::new() };
    let paths = files.map(|file| file.unwrap().path());
    let notes = paths.filter(|path| path.extension().is_some_and(|end| end == "note"));
    notes.map(|path| std::fs::read(path).unwrap()).collect()
}

async fn assert_stopped(log: &Log, code: &str) {
    let reason = log.stopped().unwrap();
    assert_eq!(reason.code(), code);
    assert!(
        matches!(&*reason, StopReason::Witnessed { evidence: Some(path), .. } if path.exists()),
        "{reason}"
    );
    let reasons = log.readiness().unwrap_err();
    assert_eq!(reasons[0].code, code);
    assert!(reasons[0].what.contains("w1"), "{}", reasons[0].what);
    let desk = super::desk::Desk::new(99);
    let refused = log.submit(vec![desk.intent("run/9")], Atomicity::Each).await;
    assert!(matches!(refused, Err(SubmitError::Stopped(_))), "{refused:?}");
    let beyond = log.sequenced_head().checkpoint.size.next_index().unwrap().size_including();
    let waited = log.wait_cosigned(beyond, Instant::now()).await;
    assert!(matches!(waited, Err(WaitError::Stopped(_))), "{waited:?}");
    assert!(log.entry(countersign_verifier::merkle::LeafIndex::new(0).unwrap()).unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_copy_of_the_store_never_signs_again() {
    let founded = found().await;
    let w1 = TestWitness::start("w1", &founded.key).await;
    let policy = policy(1, &[&w1]);
    let log = founded.open(&policy).await;
    enter_cosigned(&log, &founded).await;
    log.shutdown().await;
    drop(log);
    let older = founded.copy();
    let log = founded.open(&policy).await;
    for _ in 0..3 {
        enter_cosigned(&log, &founded).await;
    }
    log.shutdown().await;
    drop(log);

    let requests = w1.requests();
    let log = Log::open(config(older.path(), &policy)).await.unwrap();
    assert_stopped(&log, "store-older-than-witnessed").await;
    assert_eq!(w1.requests(), requests, "nothing was asked of the witness");
    log.shutdown().await;
    drop(log);
    let kept = evidence(older.path());
    assert_eq!(kept, [w1.seen().unwrap().note.into_bytes()]);
    SignedNote::parse(&kept[0]).unwrap().verify(std::slice::from_ref(&founded.key)).unwrap();

    // Without the witness, the evidence is enough.
    let seen = w1.seen();
    drop(w1);
    let log = Log::open(config(older.path(), &policy)).await.unwrap();
    assert_stopped(&log, "store-older-than-witnessed").await;
    log.shutdown().await;
    drop(log);

    // With the newer copy put back, the log goes on, evidence or not.
    let w1 = TestWitness::start("w1", &founded.key).await;
    w1.restore(seen);
    copy_folder(&older.path().join("evidence"), &founded.path().join("evidence"));
    let log = founded.open(&super::witness::policy(1, &[&w1])).await;
    assert!(log.stopped().is_none());
    enter_cosigned(&log, &founded).await;
    log.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signer_is_found_out_at_the_start() {
    let founded = found().await;
    let copy = founded.copy();
    let w1 = TestWitness::start("w1", &founded.key).await;
    let policy = policy(1, &[&w1]);
    let log = founded.open(&policy).await;
    enter_cosigned(&log, &founded).await;
    log.shutdown().await;
    let other = Log::open(config(copy.path(), "quorum none\n")).await.unwrap();
    for _ in 0..2 {
        enter(&other, super::desk::Desk::new(5).intent("run/other")).await;
        enter(&other, super::desk::Desk::new(6).intent("run/other")).await;
    }
    other.shutdown().await;
    drop(other);
    let other = Log::open(config(copy.path(), &policy)).await.unwrap();
    assert_stopped(&other, "store-contradicts-witnessed").await;
    other.shutdown().await;
    drop(other);

    // What was kept convicts whoever signed, and is no damage.
    let report = check(copy.path());
    assert_eq!(report.exit(), Exit::Misbehaviour, "{report:#?}");
    let part = |finding: &Finding| (finding.part, finding.key.rsplit('.').next().unwrap().to_owned());
    let mut found: Vec<_> = report.findings.iter().map(part).collect();
    found.sort();
    assert_eq!(found, [("evidence", "evidence".to_owned()), ("evidence", "note".to_owned())], "{report:#?}");
    assert!(report.findings.iter().all(|finding| finding.weight == Weight::Misbehaviour), "{report:#?}");
    // What is damaged is, and what an interrupted write left is not looked at.
    for file in std::fs::read_dir(copy.path().join("evidence")).unwrap() {
        let path = file.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        std::fs::write(path.with_extension("note.new"), "half").unwrap();
    }
    let report = check(copy.path());
    assert_eq!((report.exit(), report.findings.len()), (Exit::StateDamaged, 2), "{report:#?}");
}

/// A crash or a full disk cuts a file short. That it says nothing any more is no reason to sign.
#[tokio::test(flavor = "multi_thread")]
async fn evidence_that_is_torn_keeps_the_log_from_signing_and_is_kept_anew() {
    let founded = found().await;
    let older = founded.copy();
    // With a name that is longer than a file's may be.
    let w1 = TestWitness::start(&format!("w1-{}", "x".repeat(250)), &founded.key).await;
    let policy = policy(1, &[&w1]);
    let log = founded.open(&policy).await;
    enter_cosigned(&log, &founded).await;
    log.shutdown().await;
    drop(log);
    let open = async || Log::open(config(older.path(), &policy)).await.unwrap();
    let log = open().await;
    assert_stopped(&log, "store-older-than-witnessed").await;
    log.shutdown().await;
    drop(log);
    let [kept] = &evidence(older.path())[..] else { panic!("one head is kept") };
    let file = std::fs::read_dir(older.path().join("evidence")).unwrap().next().unwrap().unwrap().path();
    for torn in [&[][..], &kept[..kept.len() / 2]] {
        std::fs::write(&file, torn).unwrap();
        w1.set(Mood::Answers(503));
        let log = open().await;
        let reason = log.stopped().expect("the log signs on");
        assert_eq!(reason.code(), "evidence-damaged");
        assert!(reason.to_string().contains(file.to_str().unwrap()), "{reason}");
        log.shutdown().await;
        drop(log);
        // The witness shows it again, and it is whole again.
        w1.set(Mood::Honest);
        let log = open().await;
        assert!(log.stopped().is_some());
        log.shutdown().await;
        drop(log);
        assert_eq!(std::fs::read(&file).unwrap(), *kept);
        w1.set(Mood::Answers(503));
        let log = open().await;
        assert_stopped(&log, "store-older-than-witnessed").await;
        log.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_witness_shows_only_later_still_stops_the_log() {
    for (entries, contradiction) in [(1, Contradiction::Older), (4, Contradiction::Forked)] {
        let founded = found().await;
        let copy = founded.copy();
        let w1 = TestWitness::start("w1", &founded.key).await;
        let policy = policy(1, &[&w1]);
        let log = founded.open(&policy).await;
        for _ in 0..3 {
            enter_cosigned(&log, &founded).await;
        }
        log.shutdown().await;

        // The monitoring side is late, as a cache in front of it may make it.
        w1.set(Mood::Unmonitored);
        let other = Log::open(config(copy.path(), &policy)).await.unwrap();
        assert!(other.stopped().is_none());
        let desk = super::desk::Desk::new(7);
        for _ in 0..entries {
            enter(&other, desk.intent("run/other")).await;
        }
        assert!(other.published().borrow().is_none());
        w1.set(Mood::Honest);
        eventually("the log stops", || other.stopped().is_some()).await;
        let reason = other.stopped().unwrap();
        let found =
            matches!(&*reason, StopReason::Witnessed { contradiction: found, .. } if *found == contradiction);
        assert!(found, "{reason}");
        assert_stopped(&other, reason.code()).await;
        assert_eq!(evidence(copy.path()).len(), 1);
        other.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_without_proof_stops_nothing() {
    let founded = found().await;
    let (w1, w2) =
        (TestWitness::start("w1", &founded.key).await, TestWitness::start("w2", &founded.key).await);
    let log = founded.open(&policy(1, &[&w1, &w2])).await;
    enter_cosigned(&log, &founded).await;
    eventually("w2 has seen it too", || w2.seen().is_some()).await;
    w2.set(Mood::Claims(1 << 40));
    for _ in 0..3 {
        enter_cosigned(&log, &founded).await;
    }
    assert!(log.stopped().is_none() && log.readiness().is_ok());
    assert!(evidence(founded.path()).is_empty());
    log.wait_cosigned(log.sequenced_head().checkpoint.size, soon()).await.unwrap();
    log.shutdown().await;
}
