//! The load tool itself, on a small load.

use countersign_tests::harness::{Program, Ran, System, register, run};
use countersign_verifier::program::keyfile;
use serde_json::Value;

fn key(system: &System) -> String {
    let hammer = register(system, "hammer", &["requester"]);
    let key = system.folder().join("hammer.pem");
    keyfile::write_signing_key(&key, hammer.key()).unwrap();
    key.to_str().unwrap().to_owned()
}

fn hammer(system: &System, key: &str, more: &[&str]) -> Ran {
    let folder = system.folder().to_str().unwrap();
    let args = ["--log", system.log.url(), "--key", key, "--data-probe", folder, "--json"];
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
