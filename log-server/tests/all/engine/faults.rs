//! Disks that fail and folders that are not what they should be.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use countersign_log::log::{Atomicity, CreateError, Log, OpenError, StopReason, SubmitError};
use countersign_log::store::{RocksStore, StoreError};
use countersign_verifier::checkpoint::Origin;
use countersign_verifier::merkle::LeafIndex;
use countersign_verifier::program::{Exit, keyfile};

use super::desk::{Founded, config, copy_folder, enter, found, time};
use super::quorum::soon;
use super::store::{Levers, Moody};

async fn open_moody(founded: &Founded) -> (Arc<Log>, Arc<Levers>) {
    let levers = Levers::new();
    let inner = RocksStore::open(&founded.path().join("db")).unwrap();
    let store = Moody { inner, levers: Arc::clone(&levers) };
    let log = Log::open_on(config(founded.path(), "quorum none\n"), Arc::new(store)).await.unwrap();
    // The head that is there already is published first, so that it does not count among the commits.
    log.wait_cosigned(super::desk::size(2), soon()).await.unwrap();
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
        // Its publication is a commit of its own, and not the one that is to fail.
        log.wait_cosigned(sequenced.index.size_including(), soon()).await.unwrap();
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
    use countersign_log::store::{Batch, EdgeHash, Growth, Head, Journal as _, Ledger as _, Publication};
    use countersign_verifier::checkpoint::Checkpoint;
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

    let signer = keyfile::read_note_signer(&founded.path().join("log.key")).unwrap();
    let founded = found().await;
    let store = RocksStore::open(&founded.path().join("db")).unwrap();
    let foreign =
        Checkpoint::new(store.origin().unwrap(), super::desk::size(1), root).sign(&signer).to_string();
    let publication = Publication { note: foreign, cosigned: vec![] };
    store.commit(&Batch { growth: None, publication: Some(publication) }).unwrap();
    drop(store);
    let error = Log::open(founded.config("quorum none\n")).await.unwrap_err();
    assert!(matches!(error, OpenError::Published), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_of_the_sequencer_stops_the_log_and_leaves_nobody_waiting() {
    let founded = found().await;
    let (log, levers) = open_moody(&founded).await;
    levers.panics.store(true, Ordering::SeqCst);
    for _ in 0..3 {
        let answer = log.submit(vec![founded.desk.intent("run/1")], Atomicity::Each).await;
        assert!(
            matches!(&answer, Err(SubmitError::Stopped(reason)) if reason.code() == "sequencer-failed"),
            "{answer:?}"
        );
    }
    assert_eq!(log.readiness().unwrap_err()[0].code, "sequencer-failed");
    log.shutdown().await;
}

/// Ten entries, one at a time, and the log at rest again.
async fn grow(founded: &Founded) {
    let log = founded.open("quorum none\n").await;
    for _ in 0..10 {
        enter(&log, founded.desk.intent("run/1")).await;
    }
    log.shutdown().await;
}

async fn assert_forgot(founded: &Founded) {
    let log = founded.open("quorum none\n").await;
    assert_eq!(log.stopped().expect("the log has stopped").code(), "store-forgot");
    let answer = log.submit(vec![founded.desk.intent("run/1")], Atomicity::Each).await;
    assert!(matches!(answer, Err(SubmitError::Stopped(_))));
    assert!(log.entry(LeafIndex::new(0).unwrap()).unwrap().is_some());
    log.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_was_put_back_alone_is_found_out() {
    let founded = found().await;
    let older = founded.copy();
    grow(&founded).await;
    let database = founded.path().join("db");
    std::fs::remove_dir_all(&database).unwrap();
    copy_folder(&older.path().join("db"), &database);
    assert_forgot(&founded).await;
    // Another log's file, or what is left of one, is no better than none.
    std::fs::write(founded.path().join("high-water"), "torn").unwrap();
    let error = Log::open(founded.config("quorum none\n")).await.unwrap_err();
    assert!(matches!(error, OpenError::HighWaterDamaged), "{error}");
    assert_eq!(error.exit(), Exit::StateDamaged);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_ahead_log_that_lost_its_end_is_found_out() {
    for cut in [true, false] {
        let founded = found().await;
        grow(&founded).await;
        let files = std::fs::read_dir(founded.path().join("db")).unwrap().map(|file| file.unwrap().path());
        let journal = files
            .filter(|path| path.extension().is_some_and(|end| end == "log"))
            .max_by_key(|path| std::fs::metadata(path).unwrap().len())
            .unwrap();
        let mut bytes = std::fs::read(&journal).unwrap();
        assert!(bytes.len() > 3000, "{}", bytes.len());
        let at = bytes.len() / 2;
        if cut {
            bytes.truncate(at);
        } else {
            bytes[at] ^= 1;
        }
        std::fs::write(&journal, bytes).unwrap();
        assert_forgot(&founded).await;
    }
}
