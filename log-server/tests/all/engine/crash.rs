//! Processes that are killed in the middle of their work, and disks that run full under them.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use countersign_log::log::{Atomicity, Log, OpenError, SubmitError};
use countersign_log::store::StoreError;
use countersign_verifier::merkle::{LeafHash, LeafIndex, NodeHash, RootHash, TreeSize, verify_inclusion};

use super::desk::{Desk, config, found, size};
use super::quorum::{enter_cosigned, soon};
use super::witness::{TestWitness, policy};

const DATA: &str = "COUNTERSIGN_TEST_CRASH_DATA";
const POLICY: &str = "COUNTERSIGN_TEST_CRASH_POLICY";
const SERIES: &str = "COUNTERSIGN_TEST_CRASH_SERIES";
const CHILD: &str = "engine::crash::child_that_works_until_it_is_killed";

/// Not a test by itself: the process that the tests below start and kill. It says what was acknowledged to it, line by
/// line, and every head as soon as it can be seen.
#[test]
fn child_that_works_until_it_is_killed() {
    let Ok(data) = std::env::var(DATA) else { return };
    let policy = std::env::var(POLICY).unwrap();
    let series: u64 = std::env::var(SERIES).unwrap().parse().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let mut config = config(Path::new(&data), &policy);
        super::kill_points::arm(&mut config);
        let log = Log::open(config).await.unwrap();
        println!("\nopen");
        let mut tasks = tokio::task::JoinSet::new();
        for writer in 0..4 {
            tasks.spawn(work(Arc::clone(&log), Desk::new(series * 100 + writer)));
        }
        let (mut published, reader) = (log.published(), Arc::clone(&log));
        tokio::spawn(async move {
            while published.changed().await.is_ok() {
                let head = published.borrow_and_update().clone().unwrap();
                println!("published {} {}", head.size, head.root);
                // Somebody takes a proof home: that of the entry in the middle.
                let index = LeafIndex::new(head.size.get() / 2).unwrap();
                let proof = reader.inclusion_proof(index, head.size).unwrap();
                let entry = LeafHash::of(&reader.entry(index).unwrap().unwrap());
                verify_inclusion(entry, index, head.size, &proof, head.root).unwrap();
                let hashes: Vec<String> = proof.iter().map(NodeHash::to_base64).collect();
                println!("proof {index} {} {}", head.size, hashes.join(","));
            }
        });
        tasks.join_all().await;
    });
}

async fn work(log: Arc<Log>, desk: Desk) {
    loop {
        let count = 1 + desk.key.to_bytes()[0] as usize % 3;
        let statements: Vec<_> = (0..count * 7).map(|_| desk.intent("run/1")).collect();
        match log.submit(statements, Atomicity::Each).await {
            Ok(results) => {
                let head = log.sequenced_head();
                println!("head {} {}", head.checkpoint.size, head.checkpoint.root);
                for sequenced in results.into_iter().map(Result::unwrap) {
                    println!("entry {} {}", sequenced.index, sequenced.entry);
                }
            }
            Err(SubmitError::Stopped(reason)) => {
                println!("stopped {}", reason.code());
                return;
            }
            Err(other) => panic!("{other}"),
        }
    }
}

/// What a child said before it ended.
#[derive(Debug, Default)]
pub(super) struct Said {
    entries: BTreeMap<LeafIndex, LeafHash>,
    heads: Vec<(TreeSize, RootHash)>,
    /// Of an entry, under a size, the hashes.
    proofs: Vec<(LeafIndex, TreeSize, String)>,
    stopped: Option<String>,
}

impl Said {
    fn hear(&mut self, line: &str) {
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            ["entry", index, entry] => {
                let (index, entry) = (LeafIndex::parse(index).unwrap(), entry.parse().unwrap());
                let before = self.entries.insert(index, entry);
                assert!(before.is_none_or(|before| before == entry), "index {index} was given twice");
            }
            ["head" | "published", size, root] => {
                let head = (TreeSize::parse(size).unwrap(), root.parse::<LeafHash>().unwrap());
                self.heads.push((head.0, RootHash::from_bytes(*head.1.as_bytes())));
            }
            ["proof", index, size, hashes] => {
                let (index, size) = (LeafIndex::parse(index).unwrap(), TreeSize::parse(size).unwrap());
                self.proofs.push((index, size, (*hashes).to_owned()));
            }
            ["stopped", code] => self.stopped = Some((*code).to_owned()),
            // The test harness has lines of its own.
            _ => {}
        }
    }

    /// There was something to be checked: at least so many entries, heads and proofs.
    pub(super) fn expect(&self, entries: usize, heads: usize, proofs: usize) {
        let found = (self.entries.len(), self.heads.len(), self.proofs.len());
        assert!(found.0 >= entries && found.1 >= heads && found.2 >= proofs, "{found:?}");
    }

    /// Everything that was said is still so.
    pub(super) fn check(&self, log: &Log) {
        for (index, entry) in &self.entries {
            let bytes = log.entry(*index).unwrap().expect("an acknowledged entry is there");
            assert_eq!(LeafHash::of(&bytes), *entry, "at index {index}");
            assert_eq!(log.entry_index(entry).unwrap(), Some(*index));
        }
        for (size, root) in &self.heads {
            assert_eq!(log.root(*size).unwrap(), *root, "the head of size {size}");
        }
        for (index, size, before) in &self.proofs {
            let proof = log.inclusion_proof(*index, *size).unwrap();
            let hashes: Vec<String> = proof.iter().map(NodeHash::to_base64).collect();
            assert_eq!(hashes.join(","), *before, "the proof of {index} in {size}");
        }
    }
}

pub(super) fn child(command: &mut Command, data: &Path, policy: &str, series: u64) -> Child {
    command
        .env(DATA, data)
        .env(POLICY, policy)
        .env(SERIES, series.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

pub(super) fn myself() -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", CHILD, "--nocapture", "--test-threads", "1"]);
    command
}

/// Listens to a child until it has acknowledged `count` entries or ended, then kills it, and hears what it had said
/// until then. The last line may be cut off.
pub(super) fn listen_and_kill(child: &mut Child, count: usize, said: &mut Said) -> ExitStatus {
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let (before, mut killed) = (said.entries.len(), false);
    let mut line = String::new();
    while lines.read_line(&mut line).unwrap() > 0 {
        if line.ends_with('\n') {
            said.hear(line.trim_end());
        }
        line.clear();
        if !killed && said.entries.len() >= before.saturating_add(count) {
            child.kill().unwrap();
            killed = true;
        }
    }
    child.wait().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_when_the_process_is_killed() {
    let founded = found().await;
    let (w1, w2) =
        (TestWitness::start("w1", &founded.key).await, TestWitness::start("w2", &founded.key).await);
    let policy = policy(2, &[&w1, &w2]);
    let mut said = Said::default();
    for round in 0..8 {
        let mut running = child(&mut myself(), founded.path(), &policy, round + 1);
        // Now early in the life of the process, now late; the load never pauses.
        let count = [1, 40, 300, 900][usize::try_from(round).unwrap() % 4];
        said = tokio::task::spawn_blocking(move || {
            listen_and_kill(&mut running, count, &mut said);
            said
        })
        .await
        .unwrap();
        let log = founded.open(&policy).await;
        assert!(log.stopped().is_none());
        said.check(&log);
        let seen = w1.seen().unwrap();
        assert_eq!(log.root(seen.size).unwrap(), seen.root, "what the witness saw is in the store");
        enter_cosigned(&log, &founded).await;
        log.shutdown().await;
    }
    assert!(said.entries.len() > 1000 && said.heads.len() > 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_process_is_told_that_it_is_one_too_many() {
    let founded = found().await;
    let mut running = child(&mut myself(), founded.path(), "quorum none\n", 1);
    let stdout = running.stdout.take().unwrap();
    let opened = BufReader::new(stdout).lines().map_while(Result::ok).any(|line| line == "open");
    assert!(opened);
    let error = Log::open(founded.config("quorum none\n")).await.unwrap_err();
    assert!(matches!(error, OpenError::Store(StoreError::Locked(_))), "{error}");
    running.kill().unwrap();
    running.wait().unwrap();
    founded.open("quorum none\n").await.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_runs_full_stops_the_log_and_loses_nothing() {
    let founded = found().await;
    // No file of the process may grow beyond this, which the write-ahead log soon does.
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' XFSZ; ulimit -f 3000; exec \"$0\" \"$@\""]);
    shell.arg(std::env::current_exe().unwrap());
    shell.args(["--exact", CHILD, "--nocapture", "--test-threads", "1"]);
    let mut running = child(&mut shell, founded.path(), "quorum none\n", 1);
    let said = tokio::task::spawn_blocking(move || {
        let mut said = Said::default();
        listen_and_kill(&mut running, usize::MAX, &mut said);
        said
    });
    let said = tokio::time::timeout(Duration::from_mins(1), said).await.unwrap().unwrap();
    assert_eq!(said.stopped.as_deref(), Some("write-failed"));
    assert!(said.entries.len() > 100);
    let log = founded.open("quorum none\n").await;
    said.check(&log);
    let last = super::desk::enter(&log, founded.desk.intent("run/after")).await;
    log.wait_cosigned(last.index.size_including(), soon()).await.unwrap();
    assert!(log.sequenced_head().checkpoint.size > size(100));
    log.shutdown().await;
}
