//! From a real execution to a verdict on a machine that reaches nothing: `countersign-verify bundle`.

use std::path::{Path, PathBuf};

use countersign_tests::harness::{Program, Ran, System, execution, expect_code, get, run};
use serde_json::{Value, json};

use crate::explorer::Explorer;
use crate::gate::Gate;
use crate::parties::Parties;
use crate::schema::assert_is_report;
use crate::submitting::submit;

/// Fetches the bundle of an execution as anybody would, and keeps it.
#[track_caller]
fn fetch(url: &str, system: &System, id: &str) -> PathBuf {
    let answer = get(url, &format!("/executions/{id}.bundle"));
    assert_eq!(answer.status.as_u16(), 200, "{}", String::from_utf8_lossy(&answer.body));
    assert_eq!(answer.header("content-type"), Some("application/vnd.countersign.bundle+json"));
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    assert!(answer.header("etag").is_some());
    let file = system.folder().join(format!("{}.bundle", id.replace('/', "-")));
    std::fs::write(&file, &answer.body).unwrap();
    file
}

fn verify(system: &System, bundle: &Path, more: &[&str]) -> Ran {
    let policy = system.policy_file();
    let files = ["--policy", policy.to_str().unwrap(), bundle.to_str().unwrap()];
    run(Program::Verify, ["bundle"].iter().chain(more).chain(&files))
}

#[track_caller]
fn report(ran: &Ran) -> Value {
    let report = serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran:?}"));
    assert_is_report(&report);
    report
}

#[test]
fn what_a_gate_ran_is_governed_and_what_it_refused_is_denied() {
    let gate = Gate::start();
    let made = gate.file("made");
    gate.run("gate/v1.0/allowed", &["touch", made.to_str().unwrap()]).holds();
    gate.run("gate/fails", &["false"]);
    gate.run("gate/refused", &["cp", "/etc/hostname", made.to_str().unwrap()]);
    let system = &gate.system;
    let allowed = fetch(system.log.url(), system, "gate/v1.0/allowed");
    for (id, verdict) in
        [("gate/v1.0/allowed", "governed"), ("gate/fails", "governed"), ("gate/refused", "denied")]
    {
        let bundle = fetch(system.log.url(), system, id);
        let ran = verify(system, &bundle, &["--json"]);
        ran.holds();
        let report = report(&ran);
        assert_eq!(report["lineage"], json!({"verdict": verdict, "findings": []}), "{report:#}");
        assert_eq!(report["execution"], id);
        // The gate decides by the policy that it publishes, and so does whoever decides again.
        let replayed = verify(system, &bundle, &["--replay", "--json"]);
        replayed.holds();
        let stages: Value = serde_json::from_str(&replayed.stdout).unwrap();
        let stage = stages["stages"].as_array().unwrap().iter().find(|line| line["stage"] == "policy_replay");
        assert_eq!(stage.unwrap()["verdict"], "pass", "{stages:#}");
        // Nothing was shown but what the file has: the same bytes, the same report.
        assert_eq!(verify(system, &bundle, &["--json"]).stdout, ran.stdout);
    }
    assert_eq!(
        std::fs::read(&allowed).unwrap(),
        get(system.log.url(), "/executions/gate/v1.0/allowed.bundle").body,
        "a bundle follows from the log, the execution and the head"
    );

    // And so does whoever audits the whole log.
    let (policy, evidence) = (system.policy_file(), system.folder().join("evidence"));
    let files = ["--policy", policy.to_str().unwrap(), "--evidence", evidence.to_str().unwrap()];
    let audited =
        run(Program::Verify, ["log", "--replay", "--json"].iter().chain(&files).chain(&[system.log.url()]));
    let summary: Value = serde_json::from_str(audited.holds().lines().last().unwrap()).unwrap();
    let all_the_same = json!({"same": 3, "different": 0, "not_disclosed": 0, "engine_differs": 0});
    assert_eq!(summary["replays"], all_the_same, "{summary:#}");

    let text = verify(system, &allowed, &[]);
    for says in ["governed", "Who asked?", "asked for", "test-agent", "Was it checked?", "does not prove"] {
        assert!(text.holds().contains(says), "{says}: {}", text.stdout);
    }
    let html = verify(system, &allowed, &["--html"]);
    assert!(
        html.holds().starts_with("<!doctype html>") && !html.stdout.contains("<script"),
        "{}",
        html.stdout
    );
    let markdown = verify(system, &allowed, &["--markdown"]);
    assert!(markdown.holds().starts_with("# Execution gate/v1.0/allowed: governed"), "{}", markdown.stdout);
    verify(system, &allowed, &["--html", "--json"]).fails(1);

    // With another hash in its proof it does not hold. Cut off, it is no bundle, and accuses nobody.
    let good = std::fs::read_to_string(&allowed).unwrap();
    let (start, proof) = good.split_once("\"multiproof\":[\"").unwrap();
    let other = if proof.starts_with('A') { 'B' } else { 'A' };
    std::fs::write(&allowed, format!("{start}\"multiproof\":[\"{other}{}", &proof[1..])).unwrap();
    assert_eq!(verify(system, &allowed, &[]).code, Some(3));
    std::fs::write(&allowed, &good[..good.len() / 2]).unwrap();
    let cut = verify(system, &allowed, &[]);
    assert!(cut.code == Some(2) && cut.stdout.contains("This is NOT a bundle"), "{cut:?}");
}

#[test]
fn what_ran_although_it_was_denied_is_a_violation_that_anybody_can_show() {
    let system = System::start();
    let parties = Parties::register(&system);
    let id = parties.execute_denied(&system, "denied");
    let bundle = fetch(system.log.url(), &system, id.as_str());
    let ran = verify(&system, &bundle, &["--json"]);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    let report = report(&ran);
    assert_eq!(report["lineage"]["verdict"], "violated", "{report:#}");
    let findings = report["lineage"]["findings"].as_array().unwrap();
    assert!(findings.iter().any(|finding| finding["code"] == "executed_after_denial"), "{report:#}");
    let failed: Vec<&Value> =
        report["stages"].as_array().unwrap().iter().filter(|stage| stage["verdict"] == "fail").collect();
    assert_eq!((failed.len(), &failed[0]["stage"]), (1, &json!("lineage")), "{report:#}");

    // Somebody who does not trust the operator makes the same bundle from what the log serves.
    let explorer = Explorer::start(&system, system.log.url(), &[]);
    explorer.wait_for("following", system.size());
    let other = fetch(&explorer.url, &system, id.as_str());
    assert_eq!(verify(&system, &other, &["--json"]).code, Some(3));
    // Steps are missing here, and nothing contradicts.
    let smallest = execution("smallest");
    let authorization = submit(&system, parties.authorization(&smallest, json!({})));
    submit(&system, parties.outcome(&smallest, authorization.id()));
    let bundle = fetch(system.log.url(), &system, smallest.as_str());
    assert_eq!(verify(&system, &bundle, &[]).code, Some(2));
    expect_code(&get(system.log.url(), "/executions/nobody's.bundle"), 404, "execution-unknown");
}
