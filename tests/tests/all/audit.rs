//! Auditing a real log: over HTTP while it serves, and from a copy of its files when it is gone.

use std::path::{Path, PathBuf};

use countersign_tests::harness::{Program, Ran, System, execution, get, post, register, run};
use countersign_tests::statements::request;
use countersign_verifier::checkpoint::Checkpoint;
use countersign_verifier::merkle::TreeSize;
use countersign_verifier::statement::Kind;
use countersign_verifier::tiles::{Resource, TileId};
use serde_json::Value;

use crate::parties::Parties;

fn audit(system: &System, log: &str, more: &[&str]) -> Ran {
    let (policy, evidence) = (system.policy_file(), system.folder().join("evidence"));
    let files = ["--policy", policy.to_str().unwrap(), "--evidence", evidence.to_str().unwrap(), log];
    run(Program::Verify, ["log", "--json"].iter().chain(more).chain(&files))
}

fn summary(ran: &Ran) -> Value {
    let last = ran.stdout.lines().last().unwrap_or_else(|| panic!("{ran:#?}"));
    serde_json::from_str(last).unwrap()
}

/// Some hundred entries that are all alike, in a few requests.
fn fill(system: &System, count: usize) {
    let requester = register(system, "filler", &["requester"]);
    let mut left = count;
    while left > 0 {
        let size = left.min(300);
        let mut batch = Vec::new();
        for _ in 0..size {
            let intent = requester.state(Kind::Intent, &execution("fill"), None, Value::Object(request()));
            batch.extend(intent.unwrap().into_bytes());
        }
        let answer = post(system.log.url(), "/entries/batch?wait=cosigned", "application/cbor-seq", batch);
        assert_eq!(answer.status.as_u16(), 200, "{}", String::from_utf8_lossy(&answer.body));
        left -= size;
    }
}

/// Copies what a log serves into a folder, as `wget -r` would that knows where everything is.
fn fetch(system: &System, folder: &Path) -> TreeSize {
    let save = |path: &str| {
        let answer = get(system.log.url(), &format!("/{path}"));
        assert_eq!(answer.status.as_u16(), 200, "GET /{path}");
        let path: PathBuf = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, &answer.body).unwrap();
        answer.body
    };
    let note = String::from_utf8(save("checkpoint").to_vec()).unwrap();
    let text = &note[..=note.find("\n\n").unwrap()];
    let size = Checkpoint::parse(text).unwrap().size;
    for level in 0..8_u8 {
        for index in 0.. {
            let tile = TileId { level, index };
            let Some(width) = tile.width(size) else { break };
            save(&Resource::Hashes(tile, width).to_string());
            if level == 0 {
                save(&Resource::Entries(index, width).to_string());
            }
        }
    }
    size
}

#[test]
fn a_real_log_holds_over_http_and_as_a_copy() {
    let mut system = System::start();
    let parties = Parties::register(&system);
    for number in 0..3 {
        parties.execute(&system, &format!("audited/{number}"));
    }
    fill(&system, 700);
    let url = system.log.url().to_owned();
    let state = system.folder().join("audit.state");
    let state = ["--state", state.to_str().unwrap()];

    let first = audit(&system, &url, &state);
    first.holds();
    let first = summary(&first);
    assert_eq!(first["entries"], system.size());
    assert_eq!((&first["lineages"]["violated"], &first["executions"]), (&0.into(), &703.into()), "{first}");

    // It goes on from there, and says the same of the whole as somebody who begins anew with a copy.
    parties.execute(&system, "audited/later");
    let second = audit(&system, &url, &state);
    second.holds();
    let mut second = summary(&second);
    assert_eq!(second["audited_before"], first["entries"]);
    let copy = system.folder().join("copy");
    let size = fetch(&system, &copy);
    system.log.stop();
    let offline = audit(&system, copy.to_str().unwrap(), &[]);
    offline.holds();
    let mut offline = summary(&offline);
    assert_eq!(offline["entries"], size.get());
    for summary in [&mut second, &mut offline] {
        summary["audited_before"].take();
        // The copy may have a cosignature more: the witness that the quorum did not wait for comes a little later.
        let stages = summary["stages"].as_array_mut().unwrap();
        let quorum = stages.iter_mut().find(|stage| stage["stage"] == "witness_quorum").unwrap();
        assert_eq!(quorum["verdict"], "pass");
        assert!(quorum["reason"].take().as_str().unwrap().starts_with("cosigned by "));
    }
    assert_eq!(second, offline);
    // Where nobody listens; the port that the log had may be somebody else's by now.
    let gone = audit(&system, "http://127.0.0.1:1", &state);
    assert!(gone.fails(2).contains("cannot be read"), "{gone:?}");
    let nowhere = audit(&system, &format!("{url}/nowhere"), &[]);
    nowhere.fails(2);
}

#[test]
fn a_second_history_is_found_and_convicts_the_log() {
    let mut system = System::start();
    let parties = Parties::register(&system);
    let other = system.fork();
    parties.execute(&system, "one/way");
    let state = system.folder().join("audit.state");
    let state = ["--state", state.to_str().unwrap()];
    audit(&system, system.log.url(), &state).holds();
    for number in 0..3 {
        parties.execute(&other, &format!("another/way/{number}"));
    }
    let ran = audit(&system, other.log.url(), &state);
    let message = ran.fails(3);
    assert!(message.contains("signed two histories"), "{message}");
    let files: Vec<PathBuf> = std::fs::read_dir(system.folder().join("evidence"))
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    let [file] = files.as_slice() else { panic!("{files:?}") };
    let policy = system.policy_file();
    let judged =
        run(Program::Verify, ["evidence", "--policy", policy.to_str().unwrap(), file.to_str().unwrap()]);
    judged.fails(3);
    assert!(judged.stdout.contains("proves misbehaviour of the log"), "{judged:#?}");
    assert!(judged.stdout.contains("Both heads carry the cosignature of"), "{judged:#?}");
}
