//! Logs that were restored from a copy: nothing but a cosignature that is made now lets them go on.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use countersign_log::backup::restore;
use countersign_log::log::{Atomicity, Log, SubmitError};
use tempfile::TempDir;

use super::backup::take;
use super::desk::{Founded, config, enter, found, size};
use super::fsck::Silent;
use super::quorum::enter_cosigned;
use super::witness::{Mood, Seen, TestWitness, policy};

/// A log with one witness, and its backup in a data folder of its own.
struct Scene {
    founded: Founded,
    w1: TestWitness,
    /// What the witness had seen when the backup was made.
    then: Option<Seen>,
    data: PathBuf,
    _folder: TempDir,
}

impl Scene {
    /// `more` heads are cosigned after the backup is made.
    async fn set(more: usize) -> Self {
        let founded = found().await;
        let w1 = TestWitness::start("w1", &founded.key).await;
        let folder = TempDir::new().unwrap();
        let (copy, data) = (folder.path().join("copy"), folder.path().join("data"));
        enter_more(&founded, &w1, 1).await;
        take(&founded, &copy).unwrap();
        let then = w1.seen();
        enter_more(&founded, &w1, more).await;
        restore(&copy, &data, &Silent).unwrap();
        std::fs::copy(founded.path().join("log.key"), data.join("log.key")).unwrap();
        Self { founded, w1, then, data, _folder: folder }
    }

    async fn open(&self, witness: &TestWitness) -> Arc<Log> {
        Log::open(config(&self.data, &policy(1, &[witness]))).await.unwrap()
    }

    /// The log signs nothing, serves what it has, and says why.
    async fn assert_unconfirmed(&self, why: &str, mood: Mood) {
        let log = self.open(&self.w1).await;
        let reasons = log.readiness().expect_err(&format!("{mood:?}: the log goes on"));
        assert_eq!(reasons[0].code, "restored-unconfirmed", "{mood:?}: {}", reasons[0].what);
        let what = &reasons[0].what;
        assert!(what.contains("witness w1 (") && what.contains(why), "{mood:?}: {what}");
        assert!(reasons[0].remedy.contains("--nothing-newer"));
        let refused = log.submit(vec![self.founded.desk.intent("run/9")], Atomicity::Each).await;
        assert!(matches!(refused, Err(SubmitError::Stopped(_))), "{mood:?}: {refused:?}");
        assert_eq!(log.sequenced_head().checkpoint.size, size(3));
        assert!(log.entry(size(2).next_index().unwrap()).unwrap().is_some(), "reads go on");
        assert!(self.is_marked(), "{mood:?}");
        log.shutdown().await;
    }

    async fn assert_goes_on(&self, witness: &TestWitness) {
        let log = self.open(witness).await;
        assert!(log.stopped().is_none(), "{:?}", log.stopped());
        assert!(!self.is_marked());
        enter_cosigned(&log, &self.founded).await;
        log.shutdown().await;
    }

    fn is_marked(&self) -> bool {
        self.data.join("restored").exists()
    }
}

async fn enter_more(founded: &Founded, witness: &TestWitness, heads: usize) {
    let log = founded.open(&policy(1, &[witness])).await;
    for _ in 0..heads {
        enter_cosigned(&log, founded).await;
    }
    log.shutdown().await;
}

/// What any witness may answer, and anything between it and the log, with what the log says of it.
const NO_ANSWERS: &[(Mood, &str)] = &[
    (Mood::Answers(503), "it answers 503"),
    (Mood::Answers(502), "it answers 502"),
    (Mood::Answers(429), "it answers 429"),
    (Mood::Answers(401), "it answers 401"),
    (Mood::Answers(404), "it answers 404"),
    (Mood::Answers(200), "without signature lines"),
    (Mood::Answers(204), "it answers 204"),
    (Mood::Broken, "it answers 500"),
    (Mood::Garbage, "without signature lines"),
    (Mood::Endless, "longer than"),
    (Mood::Slow(Duration::from_mins(1)), "not answer in time"),
    (Mood::Claims(1_000_000), "it names size 1000000"),
];

#[tokio::test(flavor = "multi_thread")]
async fn no_answer_but_a_cosignature_lets_a_restored_log_go_on() {
    let scene = Scene::set(2).await;
    // What it shows to readers is as old as the backup, or away.
    scene.w1.show(scene.then.clone());
    let honest = [(Mood::Honest, "it names size 5"), (Mood::Unmonitored, "it names size 5")];
    for (mood, why) in NO_ANSWERS.iter().chain(&honest) {
        scene.w1.set(*mood);
        scene.assert_unconfirmed(why, *mood).await;
    }
    scene.w1.set(Mood::Honest);
    scene.w1.show(None);
    let log = scene.open(&scene.w1).await;
    assert_eq!(log.stopped().unwrap().code(), "store-older-than-witnessed");
    assert!(scene.is_marked());
    log.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_lost_nothing_goes_on_once_its_witness_cosigns() {
    let scene = Scene::set(0).await;
    for (mood, why) in NO_ANSWERS.iter().chain(&[(Mood::FalseCosignature, "cosignature is false")]) {
        scene.w1.set(*mood);
        scene.assert_unconfirmed(why, *mood).await;
    }
    // The monitoring side is no part of it.
    scene.w1.set(Mood::Unmonitored);
    scene.assert_goes_on(&scene.w1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_witness_that_forgot_what_it_cosigned_vouches_for_nothing() {
    let scene = Scene::set(2).await;
    scene.w1.restore(None);
    let cosigned = scene.w1.cosigned();
    scene.assert_unconfirmed("rolled back: it stands at size 0 and had cosigned 3", Mood::Honest).await;
    assert_eq!(scene.w1.cosigned(), cosigned, "it is asked for nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_witness_that_has_seen_nothing_or_less_vouches_by_cosigning() {
    let scene = Scene::set(0).await;
    let w2 = TestWitness::start("w2", &scene.founded.key).await;
    scene.assert_goes_on(&w2).await;
    assert_eq!(w2.cosigned()[0].0, size(3), "the head of the copy, before anything is entered");

    // One that stands between, and of which the copy knows nothing.
    let founded = found().await;
    let w3 = TestWitness::start("w3", &founded.key).await;
    let older = founded.copy();
    let log = Log::open(config(older.path(), &policy(1, &[&w3]))).await.unwrap();
    log.wait_cosigned(size(2), super::quorum::soon()).await.unwrap();
    log.shutdown().await;
    drop(log);
    let log = founded.open("quorum none\n").await;
    enter(&log, founded.desk.intent("run/1")).await;
    log.shutdown().await;
    drop(log);
    let folder = TempDir::new().unwrap();
    let (copy, data) = (folder.path().join("copy"), folder.path().join("data"));
    take(&founded, &copy).unwrap();
    restore(&copy, &data, &Silent).unwrap();
    std::fs::copy(founded.path().join("log.key"), data.join("log.key")).unwrap();
    let log = Log::open(config(&data, &policy(1, &[&w3]))).await.unwrap();
    assert!(log.stopped().is_none(), "{:?}", log.stopped());
    assert!(w3.conflicts() > 0, "it said where it stood");
    assert_eq!(w3.cosigned()[1].0, size(3));
    log.shutdown().await;
}
