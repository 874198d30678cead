//! A witness that is killed at any moment forgets nothing that it cosigned.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use countersign_verifier::checkpoint::Checkpoint;
use countersign_verifier::cosignature;
use countersign_verifier::merkle::RootHash;
use countersign_verifier::note::{SignedNote, VerifierKey};
use tempfile::tempdir;

use super::support::{Client, Log, Process, output};

fn init(folder: &std::path::Path, logs: &[&Log]) -> VerifierKey {
    let data = folder.to_str().unwrap();
    let key = output(&["init", "--data", data, "--name", "w.example"]).stdout;
    for log in logs {
        assert!(output(&["add-log", "--data", data, "--vkey", &log.key().to_string()]).status.success());
    }
    String::from_utf8(key).unwrap().trim_end().parse().unwrap()
}

#[tokio::test]
async fn killed_between_requests_it_stands_where_it_stood() {
    let folder = tempdir().unwrap();
    let log = Log::new("log.example/a", 1, 64);
    let key = init(folder.path(), &[&log]);
    let mut last = String::new();
    for round in 0..12 {
        let witness = Process::serve(folder.path());
        if round > 0 {
            assert_eq!(witness.client.monitor(log.origin()).await.body, last);
            assert_eq!(witness.client.add(log.request(0, 60)).await.body, format!("{round}\n"));
        }
        let answer = witness.client.add(log.request(round, round + 1)).await;
        answer.cosignature(&log.head(round + 1), &key);
        last = log.head(round + 1) + &answer.body;
        witness.kill();
    }
}

/// What clients were answered, from the first process to the last.
#[derive(Default)]
struct Answered {
    /// By origin and size, the roots that were cosigned.
    roots: HashMap<(String, u64), Vec<RootHash>>,
    /// By origin, the largest size that was cosigned.
    largest: BTreeMap<String, u64>,
}

/// Asks for one head after another, until the witness is gone.
async fn press(client: Client, log: Arc<Log>, key: VerifierKey, answered: Arc<Mutex<Answered>>, stride: u64) {
    let mut stands_at = 0;
    for step in 0.. {
        let new = (stands_at + (step % (stride + 1))).min(ENTRIES);
        let Ok(answer) = client.try_add(log.request(stands_at, new)).await else { return };
        match answer.status {
            200 => {
                answer.cosignature(&log.head(new), &key);
                let mut answered = answered.lock().unwrap();
                let name = log.origin().to_string();
                answered.roots.entry((name.clone(), new)).or_default().push(log.root(new));
                let largest = answered.largest.entry(name).or_default();
                *largest = new.max(*largest);
                stands_at = new;
            }
            409 => stands_at = answer.body.trim_end().parse().unwrap(),
            // The other history has won.
            422 => tokio::time::sleep(Duration::from_millis(2)).await,
            other => panic!("{other}: {}", answer.body),
        }
    }
}

const ENTRIES: u64 = 20_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_under_load_it_forgets_nothing_and_never_signs_two_histories() {
    let folder = tempdir().unwrap();
    // Each log lies: two clients show two histories that part after the fourth entry.
    let logs: Vec<(Arc<Log>, Arc<Log>)> = (0..3)
        .map(|number| {
            let origin = format!("log.example/{number}");
            let log = |fork_at| Arc::new(Log::forked(&origin, 10 + number, ENTRIES, fork_at));
            (log(u64::MAX), log(4))
        })
        .collect();
    let honest: Vec<_> = logs.iter().map(|(honest, _)| &**honest).collect();
    let key = init(folder.path(), &honest);
    let answered = Arc::new(Mutex::new(Answered::default()));

    for round in 0..15_u64 {
        let witness = Process::serve(folder.path());
        // Nothing that was answered is forgotten.
        let known = answered.lock().unwrap().largest.clone();
        for (log, other) in &logs {
            let Some(largest) = known.get(&log.origin().to_string()) else { continue };
            let monitored = witness.client.monitor(log.origin()).await.body;
            let note = SignedNote::parse(monitored.as_bytes()).unwrap();
            let head = Checkpoint::parse(note.text()).unwrap();
            assert!(head.size.get() >= *largest, "round {round}: {} after {largest}", head.size);
            assert!([log, other].iter().any(|log| log.root(head.size.get()) == head.root));
            let own = note.signatures().iter().find(|line| line.names(&key)).unwrap();
            cosignature::verify(note.text(), own, &key).unwrap();
        }
        let clients: Vec<_> = logs
            .iter()
            .flat_map(|(log, other)| [(log, 1), (log, 3), (other, 2)])
            .map(|(log, stride)| {
                let (client, log) = (witness.client.clone(), Arc::clone(log));
                tokio::spawn(press(client, log, key.clone(), Arc::clone(&answered), stride))
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(40 + round * 37 % 160)).await;
        witness.kill();
        for client in clients {
            client.await.unwrap();
        }
    }

    let answered = answered.lock().unwrap();
    assert_eq!(answered.largest.len(), logs.len());
    let total: usize = answered.roots.values().map(Vec::len).sum();
    assert!(total > 100, "only {total} heads were cosigned");
    for (log, other) in &logs {
        let of_log = |log: &Log| {
            let name = log.origin().to_string();
            let cosigned = answered.roots.iter().filter(move |((origin, _), _)| *origin == name);
            cosigned
                .flat_map(|((_, size), roots)| roots.iter().map(|root| (*size, *root)))
                .collect::<Vec<_>>()
        };
        let cosigned = of_log(log);
        assert!(cosigned.iter().any(|(size, _)| *size > 4), "the histories never parted");
        let is = |log: &Log| cosigned.iter().all(|(size, root)| log.root(*size) == *root);
        assert!(is(log) || is(other), "{}: both histories were cosigned", log.origin());
    }
}
