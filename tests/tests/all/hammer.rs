//! The load tool itself, on a small load.

use std::time::Duration;

use countersign_tests::harness::{Program, Ran, System, register, run};
use countersign_verifier::program::keyfile;
use serde_json::Value;

use crate::detour::{Behaviour, Detour};

fn key(system: &System) -> String {
    key_of(system, "hammer")
}

fn key_of(system: &System, name: &str) -> String {
    let issuer = register(system, name, &["requester"]);
    let key = system.folder().join(format!("{name}.pem"));
    keyfile::write_signing_key(&key, issuer.key()).unwrap();
    key.to_str().unwrap().to_owned()
}

fn hammer(system: &System, key: &str, more: &[&str]) -> Ran {
    hammer_at(system.log.url(), system, key, more)
}

fn hammer_at(url: &str, system: &System, key: &str, more: &[&str]) -> Ran {
    let folder = system.folder().to_str().unwrap();
    let args = ["--log", url, "--key", key, "--data-probe", folder, "--json"];
    run(Program::Hammer, args.iter().chain(more))
}

#[test]
fn every_way_of_hammering_ends_in_truth() {
    let system = System::start();
    let key = key(&system);
    let policy = system.policy_file();
    let policy = ["--policy", policy.to_str().unwrap()];
    for way in [
        &["--rate", "200", "--duration", "1s"][..],
        &["--rate", "200", "--duration", "1s", "--wait", "sequenced"],
        &["--connections", "8", "--duration", "500ms", "--statements", "2000", "--wait", "sequenced"],
        &["--connections", "2", "--duration", "500ms", "--batch", "100", "--statements", "2000"],
        &[
            "--rate",
            "1000",
            "--connections",
            "4",
            "--duration",
            "500ms",
            "--batch",
            "50",
            "--entry-bytes",
            "2000",
        ],
    ] {
        let ran = hammer(&system, &key, &[way, &policy].concat());
        let report: Value = serde_json::from_str(ran.holds()).unwrap();
        let acknowledged = report["acknowledged"].as_u64().unwrap();
        assert!(acknowledged > 50, "{way:?}: {report}");
        assert_eq!(report["truth"]["entries"], acknowledged, "{way:?}: {report}");
        assert_eq!(report["truth"]["signatures"], true);
        assert_eq!(report["unsent"], 0, "{way:?}: {report}");
        let times = &report["latency"];
        let quantiles: Vec<u64> =
            ["p50", "p90", "p99", "p99.9", "max"].iter().map(|q| times[q].as_u64().unwrap()).collect();
        assert!(quantiles.is_sorted() && quantiles[0] > 0, "{report}");
    }
}

#[test]
fn it_says_what_is_wrong() {
    let system = System::start();
    let key = key(&system);
    let fails = |code: i32, more: &[&str], words: &str| {
        let ran = hammer(&system, &key, more);
        assert!(ran.fails(code).contains(words), "{ran:?}");
    };
    fails(2, &["--rate", "20", "--duration", "200ms", "--iss", "nobody"], "issuer-not-registered");
    fails(1, &["--rate", "20", "--duration", "10m"], "at most 4m");
    fails(1, &["--duration", "1s"], "--rate");
    fails(1, &["--rate", "20", "--duration", "1s", "--entry-bytes", "10"], "the shortest has");
    // A policy that trusts other witnesses: the heads do not satisfy it, and that is misbehaviour.
    let other = System::start();
    let text = std::fs::read_to_string(other.policy_file()).unwrap();
    let own = std::fs::read_to_string(system.policy_file()).unwrap();
    let mixed = text.replace(text.lines().next().unwrap(), own.lines().next().unwrap());
    let file = system.folder().join("other-policy");
    std::fs::write(&file, mixed).unwrap();
    fails(3, &["--rate", "20", "--duration", "200ms", "--policy", file.to_str().unwrap()], "quorum");
}

#[test]
fn a_log_that_changes_what_it_shows_is_found_out() {
    let system = System::start();
    let (key, policy) = (key(&system), system.policy_file());
    // A bit of the answer to a submission, of an entry, of a hash, of the head: each is seen by what it contradicts.
    // In an answer it hits the head, which then is no note, or no head, or has a false signature.
    for (changed, words) in [
        ("/entries", &["a false answer", "a head of"][..]),
        ("/tile/entries", &["its tile says"]),
        ("/tile/0", &["its tile says"]),
        ("/checkpoint", &["head"]),
    ] {
        let detour = Detour::before(system.log.url(), Behaviour::Corrupt(changed));
        let more = ["--rate", "100", "--duration", "300ms", "--policy", policy.to_str().unwrap()];
        let ran = hammer_at(&detour.url(), &system, &key, &more);
        assert!(words.iter().any(|words| ran.fails(3).contains(words)), "{changed}: {ran:?}");
    }
}

#[test]
fn a_log_that_forgets_what_it_acknowledged_is_found_out() {
    let mut system = System::start();
    let key = key(&system);
    let other = system.fork();
    let policy = system.policy_file();
    let policy = ["--policy", policy.to_str().unwrap()];
    // Another history of the same log, with the same signatures, and longer: what is submitted to the one is not in it.
    let longer = ["--rate", "400", "--duration", "1s", "--wait", "sequenced"];
    hammer(&other, &key, &[&longer[..], &policy].concat()).holds();
    let detour = Detour::before(system.log.url(), Behaviour::ReadElsewhere(other.log.url().parse().unwrap()));
    let shorter = ["--rate", "100", "--duration", "1s", "--wait", "sequenced"];
    let ran = hammer_at(&detour.url(), &system, &key, &[&shorter[..], &policy].concat());
    assert!(ran.fails(3).contains("LOST: statement"), "{ran:?}");
}

#[test]
fn time_spent_waiting_for_a_slow_answer_counts() {
    let system = System::start();
    let key = key(&system);
    let delay = Duration::from_millis(50);
    let detour = Detour::before(system.log.url(), Behaviour::Delay(delay));
    // One connection answers at most 20 of the 200 that are due: each waits for all those before it. A client that
    // counted from when it got round to sending would see the delay and no more.
    let more = ["--rate", "200", "--connections", "1", "--duration", "1s", "--wait", "sequenced"];
    let report: Value = serde_json::from_str(hammer_at(&detour.url(), &system, &key, &more).holds()).unwrap();
    let micros = |name: &str| u128::from(report["latency"][name].as_u64().unwrap());
    assert!(micros("max") > 10 * delay.as_micros(), "{report}");
    assert!(micros("p50") > 4 * delay.as_micros(), "{report}");
    let (sent, unsent) = (report["acknowledged"].as_u64().unwrap(), report["unsent"].as_u64().unwrap());
    assert_eq!(sent + unsent, 200, "{report}");
    assert!(unsent > 100, "{report}");
}

#[test]
fn several_issuers_take_turns_and_processes_are_watched() {
    let system = System::start();
    let (one, two) = (key_of(&system, "one"), key_of(&system, "two"));
    let log = format!("log={}", system.log.id());
    let two = ["--key", &two, "--iss", "one", "--iss", "two"];
    let load = ["--connections", "8", "--duration", "500ms", "--statements", "3000", "--wait", "sequenced"];
    let ran = hammer(&system, &one, &[&two[..], &load, &["--process", &log]].concat());
    let report: Value = serde_json::from_str(ran.holds()).unwrap();
    assert!(report["acknowledged"].as_u64().unwrap() > 50, "{report}");
    let process = &report["processes"][0];
    assert_eq!(process["name"], "log");
    assert!(process["cpu_each"].as_f64().unwrap() > 0.0, "{report}");
    assert!(process["most_resident"].as_u64() >= process["resident"].as_u64(), "{report}");
    let ran = hammer(&system, &one, &[&two[..2], &load].concat());
    assert!(ran.fails(1).contains("2 keys and 1 names"), "{ran:?}");
    let ran =
        hammer(&system, &one, &[&["--iss", "one"][..], &load, &["--process", "log=4294967295"]].concat());
    assert!(ran.fails(2).contains("/proc/4294967295"), "{ran:?}");
}

#[test]
fn reading_is_measured_too() {
    let system = System::start();
    let read = |path: &str| {
        let args = [
            "--log",
            system.log.url(),
            "--read",
            path,
            "--connections",
            "4",
            "--duration",
            "300ms",
            "--json",
        ];
        run(Program::Hammer, args)
    };
    let report: Value = serde_json::from_str(read("/checkpoint").holds()).unwrap();
    assert!(report["per_second"].as_f64().unwrap() > 1.0, "{report}");
    assert!(report["bytes_each"].as_u64().unwrap() > 100, "{report}");
    assert!(read("/tile/0/999").fails(2).contains("answers 404"));
}

#[test]
fn a_log_that_answers_with_numbers_is_held_to_them() {
    let system = System::start();
    let (key, policy) = (key(&system), system.policy_file());
    let more =
        ["--protocol", "tessera", "--rate", "200", "--duration", "1s", "--policy", policy.to_str().unwrap()];
    let detour = Detour::before(system.log.url(), Behaviour::Numbers);
    for wait in ["sequenced", "cosigned"] {
        let ran = hammer_at(&detour.url(), &system, &key, &[&more[..], &["--wait", wait]].concat());
        let report: Value = serde_json::from_str(ran.holds()).unwrap();
        assert_eq!(report["acknowledged"], 200, "{report}");
        assert_eq!(report["truth"]["entries"], 200, "{report}");
    }
    detour.behave(Behaviour::Replay("/add", "1".into()));
    let ran = hammer_at(&detour.url(), &system, &key, &[&more[..], &["--wait", "sequenced"]].concat());
    assert!(ran.fails(3).contains("LOST: statement"), "{ran:?}");
    let batch = hammer_at(&detour.url(), &system, &key, &[&more[..], &["--batch", "2"]].concat());
    assert!(batch.fails(1).contains("no batches"), "{batch:?}");
}
