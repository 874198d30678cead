//! What is submitted, in whatever batches, becomes one tree in which everything can be proven.

use std::sync::Arc;

use countersign_log::log::{Atomicity, Log, ProofError, Rejection, SubmitError};
use countersign_log::store::RocksStore;
use countersign_verifier::admission::Refusal;
use countersign_verifier::merkle::{
    CompactRange, LeafHash, LeafIndex, TreeSize, verify_consistency, verify_inclusion,
};
use countersign_verifier::statement::{Statement, VerifiedStatement};
use countersign_verifier::tiles::{EntryBundle, TileId, TileWidth};
use proptest::prelude::*;

use super::desk::{Desk, Founded, config, enter, found, size};
use super::store::{Levers, Moody};

/// What a submission holds, each by its number.
#[derive(Debug, Clone)]
enum Item {
    /// A statement that was never submitted.
    New,
    /// One that was submitted before, if there is one.
    Again(prop::sample::Index),
    /// An intent and the authorization that stands on it, in the same submission.
    Chain,
    /// An authorization that stands on nothing.
    Dangling,
}

fn item() -> impl Strategy<Value = Item> {
    prop_oneof![
        6 => Just(Item::New),
        1 => any::<prop::sample::Index>().prop_map(Item::Again),
        1 => Just(Item::Chain),
        1 => Just(Item::Dangling),
    ]
}

fn submissions() -> impl Strategy<Value = Vec<(Vec<Item>, bool)>> {
    prop::collection::vec((prop::collection::vec(item(), 1..120), any::<bool>()), 1..8)
}

fn make(desk: &Desk, items: &[Item], before: &[VerifiedStatement]) -> Vec<VerifiedStatement> {
    let mut made = Vec::new();
    for item in items {
        match item {
            Item::New => made.push(desk.intent("run/new")),
            Item::Again(index) if !before.is_empty() => made.push(index.get(before).clone()),
            Item::Again(_) => made.push(desk.intent("run/again")),
            Item::Chain => {
                let intent = desk.intent("run/chain");
                let authorization = desk.authorization("run/chain", intent.entry_id());
                made.extend([intent, authorization]);
            }
            Item::Dangling => made.push(desk.authorization("run/none", LeafHash::from_bytes([3; 32]))),
        }
    }
    made
}

/// Everything that the log says of itself holds, judged by the verifier alone.
fn check(log: &Log, earlier: &[(TreeSize, countersign_verifier::merkle::RootHash)]) {
    let head = log.sequenced_head();
    let (newest, root) = (head.checkpoint.size, head.checkpoint.root);
    head.note.verify(std::slice::from_ref(log.key())).unwrap();
    let mut range = CompactRange::new();
    let mut roots = vec![range.root()];
    for at in 0..newest.get() {
        let index = LeafIndex::new(at).unwrap();
        let entry = log.entry(index).unwrap().unwrap();
        let leaf = LeafHash::of(&entry);
        assert_eq!(log.entry_index(&leaf).unwrap(), Some(index));
        assert!(range.append(leaf, |_, _| ()));
        roots.push(range.root());
        let proof = log.inclusion_proof(index, newest).unwrap();
        verify_inclusion(leaf, index, newest, &proof, root).unwrap();
    }
    assert_eq!(range.root(), root);
    assert_eq!(log.entry(LeafIndex::new(newest.get()).unwrap()).unwrap(), None);
    for (at, expected) in (0_u64..).zip(&roots) {
        assert_eq!(log.root(size(at)).unwrap(), *expected);
        let proof = log.consistency_proof(size(at), newest).unwrap();
        verify_consistency(size(at), *expected, newest, root, &proof).unwrap();
    }
    for (size, root) in earlier {
        assert_eq!(log.root(*size).unwrap(), *root);
    }
    let beyond = size(newest.get() + 1);
    assert!(matches!(log.root(beyond), Err(ProofError::Impossible(_))));
    assert!(matches!(log.consistency_proof(size(0), beyond), Err(ProofError::Impossible(_))));
    check_tiles(log, newest);
}

/// Every width of every tile that some head implied is still to be had.
fn check_tiles(log: &Log, newest: TreeSize) {
    for at in 0..=newest.get() / 256 {
        let tile = TileId { level: 0, index: at };
        let held = tile.width(newest).map_or(0, TileWidth::get);
        for width in (1..=held).step_by(17).chain([held]).filter(|width| *width > 0) {
            let width = TileWidth::new(width).unwrap();
            let hashes = log.tile(tile, width).unwrap().unwrap();
            let bundle = log.entry_bundle(at, width).unwrap().unwrap();
            let bundle = EntryBundle::parse(width, &bundle).unwrap();
            let leaves = bundle.entries().iter().flat_map(|entry| *LeafHash::of(entry).as_bytes());
            assert_eq!(hashes, leaves.collect::<Vec<u8>>());
        }
        if let Ok(wider) = TileWidth::new(held + 1) {
            assert_eq!(log.tile(tile, wider).unwrap(), None);
            assert_eq!(log.entry_bundle(at, wider).unwrap(), None);
        }
    }
    assert_eq!(log.tile(TileId { level: 9, index: 0 }, TileWidth::new(1).unwrap()).unwrap(), None);
    assert_eq!(log.entry_bundle(u64::MAX, TileWidth::new(1).unwrap()).unwrap(), None);
}

async fn play(founded: &Founded, submissions: &[(Vec<Item>, bool)]) {
    let mut log = founded.open("quorum none\n").await;
    let mut before: Vec<VerifiedStatement> = Vec::new();
    let mut heads = Vec::new();
    for (at, (items, together)) in submissions.iter().enumerate() {
        let statements = make(&founded.desk, items, &before);
        let held = log.sequenced_head().checkpoint.size;
        let atomicity = if *together { Atomicity::AllOrNone } else { Atomicity::Each };
        let results = log.submit(statements.clone(), atomicity).await.unwrap();
        assert_eq!(results.len(), statements.len());
        let newest = log.sequenced_head().checkpoint.size;
        let mut added = 0;
        for (statement, result) in statements.iter().zip(&results) {
            match result {
                Ok(sequenced) => {
                    assert_eq!(sequenced.entry, statement.entry_id());
                    assert!(newest.contains(sequenced.index));
                    let bytes = log.entry(sequenced.index).unwrap().unwrap();
                    assert_eq!(bytes, statement.statement().bytes());
                    added += u64::from(sequenced.new);
                    before.push(statement.clone());
                }
                Err(Rejection::Refused(Refusal::ReferenceUnresolved { .. })) => {}
                Err(Rejection::WithOthers(culprit)) => {
                    assert!(*together && matches!(results[*culprit], Err(Rejection::Refused(_))));
                }
                Err(other) => panic!("{other}"),
            }
        }
        if *together && results.iter().any(Result::is_err) {
            assert!(results.iter().all(Result::is_err));
        }
        assert_eq!(newest.get() - held.get(), added);
        heads.push((newest, log.sequenced_head().checkpoint.root));
        if at % 3 == 2 {
            let signed = log.sequenced_head();
            log.shutdown().await;
            drop(log);
            log = founded.open("quorum none\n").await;
            assert_eq!(log.sequenced_head(), signed, "the same head gets the same signature");
        }
    }
    check(&log, &heads);
    log.shutdown().await;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn any_sequence_of_submissions_becomes_one_provable_tree(submissions in submissions()) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(async {
            let founded = found().await;
            play(&founded, &submissions).await;
        });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn later_statements_of_a_submission_stand_on_earlier_ones() {
    let founded = found().await;
    let (log, desk) = (founded.open("quorum none\n").await, &founded.desk);
    let intent = desk.intent("run/1");
    let authorization = desk.authorization("run/1", intent.entry_id());
    let outcome = desk.outcome("run/1", authorization.entry_id());
    let second = desk.outcome("run/1", authorization.entry_id());
    let close = desk.close("run/1");
    let late = desk.intent("run/1");
    let all = vec![intent, authorization, outcome.clone(), outcome.clone(), second, close, late.clone()];
    let results = log.submit(all, Atomicity::Each).await.unwrap();
    let indexes: Vec<_> =
        results.iter().map(|result| result.as_ref().ok().map(|s| (s.index.get(), s.new))).collect();
    let taken =
        [Some((2, true)), Some((3, true)), Some((4, true)), Some((4, false)), None, Some((5, true)), None];
    assert_eq!(indexes, taken);
    let code = |result: &Result<_, Rejection>| match result {
        Err(Rejection::Refused(refusal)) => refusal.code(),
        other => panic!("{other:?}"),
    };
    assert_eq!((code(&results[4]), code(&results[6])), ("outcome-again", "execution-closed"));
    // Now that they are durable, the same holds.
    let results = log.submit(vec![late], Atomicity::Each).await.unwrap();
    assert_eq!(code(&results[0]), "execution-closed");
    let intent = enter(&log, desk.intent("run/2")).await.entry;
    let authorization = enter(&log, desk.authorization("run/2", intent)).await.entry;
    enter(&log, desk.outcome("run/2", authorization)).await;
    let results = log.submit(vec![desk.outcome("run/2", authorization)], Atomicity::Each).await.unwrap();
    assert_eq!(code(&results[0]), "outcome-again");
    assert!(!enter(&log, outcome).await.new);
    log.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_submission_that_fails_as_a_whole_leaves_nothing_behind() {
    let founded = found().await;
    let (log, desk) = (founded.open("quorum none\n").await, &founded.desk);
    let intent = desk.intent("run/1");
    let dangling = desk.authorization("run/1", LeafHash::from_bytes([1; 32]));
    let authorization = desk.authorization("run/1", intent.entry_id());
    let before = log.sequenced_head();
    let results = log
        .submit(vec![intent.clone(), dangling, authorization.clone()], Atomicity::AllOrNone)
        .await
        .unwrap();
    assert!(matches!(results[1], Err(Rejection::Refused(Refusal::ReferenceUnresolved { .. }))));
    assert_eq!(results[0], Err(Rejection::WithOthers(1)));
    assert_eq!(results[2], Err(Rejection::WithOthers(1)));
    assert_eq!(log.sequenced_head(), before);
    assert_eq!(log.entry_index(&intent.entry_id()).unwrap(), None);
    let results =
        log.submit(vec![intent.clone(), authorization, intent], Atomicity::AllOrNone).await.unwrap();
    assert_eq!(
        results.iter().map(|result| result.as_ref().unwrap().new).collect::<Vec<_>>(),
        [true, true, false]
    );
    log.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_known_once_its_registration_is_durable_and_revoked_as_soon() {
    let founded = found().await;
    let log = founded.open("quorum none\n").await;
    let statement = founded.desk.intent("run/1");
    let parsed = Statement::parse(statement.statement().bytes()).unwrap();
    let key = log.signing_key(&parsed).unwrap();
    assert_eq!(parsed.verify(&key).unwrap(), statement);
    let keys = log.issuer_keys(&"desk".parse().unwrap()).unwrap();
    assert_eq!(keys.len(), 1);
    assert_eq!(keys[0].1.index.get(), 1);
    assert!(log.issuer_keys(&"des".parse().unwrap()).unwrap().is_empty());
    let revocation = super::desk::revoke(founded.path(), &founded.desk.key);
    enter(&log, revocation).await;
    let results = log.submit(vec![statement], Atomicity::Each).await.unwrap();
    assert!(matches!(results[0], Err(Rejection::Refused(Refusal::IssuerRevoked { .. }))));
    log.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_refuses_at_once_and_what_waits_is_still_taken() {
    let founded = found().await;
    let levers = Levers::new();
    let inner = RocksStore::open(&founded.path().join("db")).unwrap();
    let mut config = config(founded.path(), "quorum none\n");
    config.queue.statements = 3;
    let log = Log::open_on(config, Arc::new(Moody { inner, levers: Arc::clone(&levers) })).await.unwrap();
    levers.hold();
    let mut waiting = Vec::new();
    let mut refused = 0;
    for at in 0..8 {
        let (log, statement) = (Arc::clone(&log), founded.desk.intent(&format!("run/{at}")));
        let mut submission = Box::pin(async move { log.submit(vec![statement], Atomicity::Each).await });
        // One poll is enough to be let in or refused.
        match tokio::time::timeout(std::time::Duration::from_millis(50), &mut submission).await {
            Ok(answer) => {
                assert_eq!(answer, Err(SubmitError::QueueFull));
                refused += 1;
            }
            Err(_) => waiting.push(submission),
        }
    }
    assert!(refused >= 4, "{refused}");
    levers.release();
    for submission in waiting {
        assert!(submission.await.unwrap()[0].as_ref().unwrap().new);
    }
    log.shutdown().await;
    assert_eq!(
        log.submit(vec![founded.desk.intent("late")], Atomicity::Each).await,
        Err(SubmitError::ShuttingDown)
    );
    assert!(log.readiness().is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn submissions_from_all_sides_get_indexes_of_their_own() {
    let founded = found().await;
    let log = founded.open("quorum none\n").await;
    let mut tasks = tokio::task::JoinSet::new();
    for writer in 0..8_u64 {
        let (log, desk) = (Arc::clone(&log), Desk::new(writer + 1));
        tasks.spawn(async move {
            let mut indexes = Vec::new();
            for _ in 0..100 {
                indexes.push(enter(&log, desk.intent("run/1")).await.index.get());
            }
            indexes
        });
    }
    let mut all: Vec<u64> = tasks.join_all().await.into_iter().flatten().collect();
    all.sort_unstable();
    assert_eq!(all, (2..802).collect::<Vec<_>>());
    check(&log, &[]);
    log.shutdown().await;
}
