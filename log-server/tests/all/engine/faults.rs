//! Disks that fail and folders that are not what they should be.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use countersign_log::log::{Atomicity, CreateError, Log, OpenError, StopReason, SubmitError};
use countersign_log::store::{RocksStore, StoreError};
use countersign_verifier::checkpoint::Origin;
use countersign_verifier::program::Exit;

use super::desk::{Founded, config, enter, found, time};
use super::store::{Levers, Moody};

async fn open_moody(founded: &Founded) -> (Arc<Log>, Arc<Levers>) {
    let levers = Levers::new();
    let inner = RocksStore::open(&founded.path().join("db")).unwrap();
    let store = Moody { inner, levers: Arc::clone(&levers) };
    let log = Log::open_on(config(founded.path(), "quorum none\n"), Arc::new(store)).await.unwrap();
    // The head that is there already is published first, so that it does not count among the commits.
    let two = super::desk::size(2);
    log.wait_cosigned(two, tokio::time::Instant::now() + std::time::Duration::from_secs(5)).await.unwrap();
    (log, levers)
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_failed_write_nothing_is_admitted_or_signed_and_reads_go_on() {
    // Whether the disk has the batch all the same makes no difference to what may be said about it.
    for written in [false, true] {
        let founded = found().await;
        let (log, levers) = open_moody(&founded).await;
        let kept = founded.desk.intent("run/kept");
        let sequenced = enter(&log, kept.clone()).await;
        levers.writes_what_fails.store(written, Ordering::SeqCst);
        levers.fail_after(0);
        let head = log.sequenced_head();
        let lost = founded.desk.intent("run/lost");
        let answer = log.submit(vec![lost.clone()], Atomicity::Each).await;
        let Err(SubmitError::Stopped(reason)) = answer else { panic!("{answer:?}") };
        assert!(
            matches!(&*reason, StopReason::Write { cause, .. } if cause.contains("os error 5")),
            "{reason}"
        );
        levers.fail_after(-1);
        let again = log.submit(vec![lost.clone()], Atomicity::Each).await;
        assert!(matches!(again, Err(SubmitError::Stopped(_))), "a disk that works again changes nothing");
        assert_eq!(log.sequenced_head(), head);
        let reasons = log.readiness().unwrap_err();
        assert_eq!(reasons[0].code, "write-failed");
        assert!(reasons[0].remedy.contains("restart"));
        assert_eq!(log.entry(sequenced.index).unwrap().unwrap(), kept.statement().bytes());
        assert_eq!(log.entry_index(&lost.entry_id()).unwrap(), None);
        log.shutdown().await;
        drop(log);
        let log = founded.open("quorum none\n").await;
        let index = log.entry_index(&lost.entry_id()).unwrap();
        assert_eq!(index.is_some(), written);
        let again = enter(&log, lost).await;
        assert_eq!(again.new, !written);
        assert_eq!(again.index.get(), sequenced.index.get() + 1);
        assert!(!enter(&log, kept).await.new);
        assert_eq!(log.root(head.checkpoint.size).unwrap(), head.checkpoint.root);
        log.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_cannot_be_read_while_admitting_stops_the_log() {
    let founded = found().await;
    let (log, levers) = open_moody(&founded).await;
    levers.facts_fail.store(true, Ordering::SeqCst);
    let answer = log.submit(vec![founded.desk.intent("run/1")], Atomicity::Each).await;
    assert!(matches!(answer, Err(SubmitError::Stopped(reason)) if reason.code() == "read-failed"));
    levers.facts_fail.store(false, Ordering::SeqCst);
    assert!(log.submit(vec![founded.desk.intent("run/1")], Atomicity::Each).await.is_err());
    log.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_is_opened_once_at_a_time() {
    let founded = found().await;
    let log = founded.open("quorum none\n").await;
    let second = Log::open(founded.config("quorum none\n")).await.unwrap_err();
    assert!(matches!(second, OpenError::Store(StoreError::Locked(_))), "{second}");
    assert_eq!(second.exit(), Exit::CouldNotCheck);
    enter(&log, founded.desk.intent("run/1")).await;
    log.shutdown().await;
    drop(log);
    founded.open("quorum none\n").await.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_the_logs_own_whole_folder_is_refused() {
    let founded = found().await;
    let data = founded.path();
    let origin = Origin::new("log.example/engine").unwrap();
    assert!(
        matches!(Log::create(data, &origin, time()), Err(CreateError::Exists(path)) if path.ends_with("log.key"))
    );
    let empty = tempfile::tempdir().unwrap();
    let error = Log::open(config(empty.path(), "quorum none\n")).await.unwrap_err();
    assert!(matches!(error, OpenError::Store(StoreError::Missing(_))));
    assert_eq!(error.exit(), Exit::Usage);
    // The key of another log.
    let other = tempfile::tempdir().unwrap();
    Log::create(other.path(), &Origin::new("log.example/other").unwrap(), time()).unwrap();
    std::fs::copy(other.path().join("log.key"), data.join("log.key")).unwrap();
    let error = Log::open(founded.config("quorum none\n")).await.unwrap_err();
    assert!(matches!(error, OpenError::Origin { .. }), "{error}");
    assert_eq!(error.exit(), Exit::StateDamaged);
    // A quorum that can never come about is a mistake in the policy, and said before anything is served.
    let key = countersign_verifier::note::NoteSigner::from_seed(
        countersign_verifier::note::KeyName::new("w.example").unwrap(),
        true,
        &[1; 32],
    );
    let policy = format!("witness w {}\nquorum w\n", key.verifier());
    let error = Log::open(config(other.path(), &policy)).await.unwrap_err();
    assert!(matches!(&error, OpenError::QuorumOutOfReach(names) if names[0].starts_with("w ")), "{error}");
    assert_eq!(error.exit(), Exit::Usage);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_contradicts_its_last_head_is_refused() {
    use countersign_log::store::{Batch, EdgeHash, Growth, Head, Journal as _};
    use countersign_verifier::merkle::{NodeHash, RootHash};
    use countersign_verifier::tiles::TileId;

    let damage = |founded: &Founded, edge: Vec<EdgeHash>, size: u64, root: RootHash| {
        let store = RocksStore::open(&founded.path().join("db")).unwrap();
        let head = Head { size: super::desk::size(size), root };
        let growth = Growth { entries: vec![], full_tiles: vec![], edge, head };
        store.commit(&Batch { growth: Some(growth), publication: None }).unwrap();
    };
    let founded = found().await;
    let log = founded.open("quorum none\n").await;
    let root = log.sequenced_head().checkpoint.root;
    log.shutdown().await;
    drop(log);
    let hash = NodeHash::from_bytes([1; 32]);
    let flipped = EdgeHash { tile: TileId { level: 0, index: 0 }, position: 1, hash };
    damage(&founded, vec![flipped], 2, root);
    let error = Log::open(founded.config("quorum none\n")).await.unwrap_err();
    assert!(matches!(error, OpenError::Root { .. }), "{error}");
    damage(&founded, vec![], 3, root);
    let error = Log::open(founded.config("quorum none\n")).await.unwrap_err();
    assert!(matches!(error, OpenError::Edge(_)), "{error}");
    assert_eq!(error.exit(), Exit::StateDamaged);
    assert!(error.remedy().contains("backup"));
}
