//! `countersign run`: what runs and what does not, and what the log has of it afterwards.

use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

use countersign_verifier::statement::{Kind, Material, Payload, RefRole, Statement};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::log::Fault;
use crate::setup::{Setup, assert_code, exists, outline, text};

fn jcs_digest(value: &Value) -> String {
    hex::encode(Sha256::digest(serde_json_canonicalizer::to_vec(value).unwrap()))
}

fn sha256(bytes: &[u8]) -> Value {
    json!({ "sha256": hex::encode(Sha256::digest(bytes)) })
}

fn of_kind(lineage: &[Statement], kind: Kind) -> &Statement {
    lineage.iter().find(|statement| statement.kind() == kind).unwrap()
}

#[test]
fn an_allowed_command_runs_after_its_authorization_is_cosigned() {
    let setup = Setup::new();
    let output = setup.run("e-1", &["touch", "made"]);
    assert_code(&output, 0);
    assert!(exists(&setup.path("made")));
    assert_eq!(
        setup.lineage("e-1"),
        ["intent", "decision:permit", "authorization", "verification:ok", "outcome:confirmed", "close:6"]
    );
    let lineage = setup.log.execution("e-1");
    let Payload::Authorization(authorization) = of_kind(&lineage, Kind::Authorization).payload() else {
        panic!()
    };
    let touch = authorization.resource.id.clone();
    assert!(touch.ends_with("/touch"));
    let folder = setup.path("").canonicalize().unwrap();
    let exact = json!({ "argv": [touch, "made"], "cwd": folder.to_str().unwrap() });
    assert_eq!(hex::encode(authorization.action_digest.unwrap().as_bytes()), jcs_digest(&exact));
    // The head in the verification includes the authorization, and both are before the outcome.
    let Payload::Verification(verification) = of_kind(&lineage, Kind::Verification).payload() else {
        panic!()
    };
    let head = verification.checkpoint.unwrap();
    let index = |kind| {
        let entries = &setup.log.lock().tree.entries;
        entries.iter().position(|entry| *entry == *of_kind(&lineage, kind)).unwrap() as u64
    };
    assert!(index(Kind::Authorization) < head.size.get());
    assert!(head.size.get() <= index(Kind::Verification));
    assert_eq!(setup.journals("open"), 0);
    let told = text(&output.stderr);
    assert!(told.contains("[ok]    authorization") && told.contains("cosigned by 2 witnesses"), "{told}");
    assert!(told.contains("/executions/e-1"), "{told}");
}

#[test]
fn output_passes_through_byte_for_byte_and_is_what_was_hashed() {
    let setup = Setup::new();
    let script = r"printf 'a\377\000b'; printf 'err\n' >&2; exit 3";
    let output = setup.run("e-1", &["sh", "-c", script]);
    assert_code(&output, 3);
    assert_eq!(output.stdout, b"a\xff\0b");
    assert!(text(&output.stderr).contains("err\n"));
    let lineage = setup.log.execution("e-1");
    let Payload::Outcome(outcome) = of_kind(&lineage, Kind::Outcome).payload() else { panic!() };
    assert_eq!((outcome.status.as_str(), outcome.exit_code), ("failed", Some(3)));
    let expected = json!({ "stdout": sha256(b"a\xff\0b"), "stderr": sha256(b"err\n"), "exit_code": 3 });
    assert_eq!(hex::encode(outcome.result_digest.unwrap().as_bytes()), jcs_digest(&expected));
    let details = outcome.details.as_ref().unwrap().disclosed().unwrap();
    assert_eq!(
        details["stdout"],
        json!({ "bytes": 4, "complete": true, "sha256": sha256(b"a\xff\0b")["sha256"] })
    );
    assert!(outcome.started_at.unwrap() <= outcome.finished_at.unwrap());
}

#[test]
fn a_command_that_no_rule_allows_does_not_run() {
    let setup = Setup::new();
    std::fs::write(setup.path("kept"), "").unwrap();
    let output = setup.run("e-1", &["rm", "kept"]);
    assert_code(&output, 126);
    assert!(exists(&setup.path("kept")));
    assert_eq!(
        setup.lineage("e-1"),
        [
            "intent",
            "decision:deny",
            "verification:policy_validation_failed",
            "outcome:not_executed",
            "close:5"
        ]
    );
    let told = text(&output.stderr);
    assert!(
        told.contains("[deny]  policy_validation_failed: no rule") && told.contains("did not run"),
        "{told}"
    );
    // An argument more or less than the rule says is another command.
    assert_code(&setup.run("e-2", &["sh", "kept"]), 126);
}

#[test]
fn every_doubt_denies_and_the_denial_is_recorded() {
    use Fault::{AnswerLost, Busy, NoWitness, OneWitness, OtherEntry, OtherLog, OtherProof, Refuse};
    let cases = [
        (Kind::Authorization, NoWitness, "quorum_missing"),
        (Kind::Authorization, OneWitness, "quorum_missing"),
        (Kind::Authorization, OtherProof, "continuity_broken"),
        (Kind::Authorization, OtherEntry, "continuity_broken"),
        (Kind::Authorization, OtherLog, "continuity_broken"),
        (Kind::Authorization, Busy, "authorization_missing"),
        (Kind::Authorization, Refuse, "authorization_missing"),
        (Kind::Authorization, AnswerLost, "authorization_missing"),
        (Kind::Decision, OtherProof, "continuity_broken"),
        (Kind::Decision, Refuse, "authorization_missing"),
        (Kind::Intent, OtherLog, "continuity_broken"),
        (Kind::Intent, Refuse, "authorization_missing"),
        (Kind::Intent, AnswerLost, "authorization_missing"),
        (Kind::Policy, OtherProof, "continuity_broken"),
        (Kind::Policy, Busy, "policy_validation_failed"),
        (Kind::Policy, Refuse, "policy_validation_failed"),
        (Kind::Verification, OtherProof, "continuity_broken"),
        (Kind::Verification, Busy, "continuity_broken"),
        (Kind::Verification, Refuse, "continuity_broken"),
    ];
    for (kind, fault, code) in cases {
        let setup = Setup::new();
        setup.log.fail(Some(kind), fault);
        let output = setup.run("e-1", &["touch", "made"]);
        let what = format!("{kind} {fault:?}: {}", text(&output.stderr));
        assert_eq!(output.status.code(), Some(126), "{what}");
        assert!(!exists(&setup.path("made")), "{what}");
        assert!(text(&output.stderr).contains(&format!("[deny]  {code}")), "{what}");
        // As soon as the log is well again, it has the denial.
        setup.log.mend();
        assert_code(&setup.run("e-2", &["touch", "made"]), 0);
        assert_eq!(setup.journals("open"), 0, "{what}");
        let lineage = setup.lineage("e-1");
        let what = format!("{what}{lineage:?}");
        assert!(lineage.contains(&"outcome:not_executed".to_owned()), "{what}");
        let verified = lineage.contains(&format!("verification:{code}"));
        assert!(verified || (kind, fault) == (Kind::Verification, Refuse), "{what}");
        assert_eq!(lineage.last(), Some(&format!("close:{}", lineage.len())), "{what}");
        // Nothing that could be used later is submitted later.
        let authorized = lineage.contains(&"authorization".to_owned());
        assert_eq!(
            authorized,
            kind == Kind::Verification
                || (kind == Kind::Authorization && !matches!(fault, Busy | Refuse))
                || (kind, fault) == (Kind::Decision, OtherProof),
            "{what}"
        );
    }
}

#[test]
fn without_a_log_nothing_runs_and_the_denial_waits_for_it() {
    let setup = Setup::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nowhere = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    setup.configure_for(&nowhere, "", r#"[["touch"]]"#);
    let output = setup.run("e-1", &["touch", "made"]);
    assert_code(&output, 126);
    assert!(!exists(&setup.path("made")));
    assert!(text(&output.stderr).contains("kept on this machine"), "{}", text(&output.stderr));
    assert_eq!(setup.journals("open"), 1);
    setup.configure("");
    assert_code(&setup.run("e-2", &["touch", "made"]), 0);
    assert_eq!(
        setup.lineage("e-1"),
        ["intent", "verification:authorization_missing", "outcome:not_executed", "close:4"]
    );
    assert_eq!(setup.journals("open"), 0);
}

#[test]
fn an_outcome_that_the_log_does_not_take_is_kept_and_the_exit_code_is_the_commands() {
    let setup = Setup::new();
    setup.log.fail(Some(Kind::Outcome), Fault::Busy);
    let output = setup.run("e-1", &["sh", "-c", "touch made; exit 7"]);
    assert_code(&output, 7);
    assert!(exists(&setup.path("made")));
    assert!(text(&output.stderr).contains("not in the log yet"), "{}", text(&output.stderr));
    assert_eq!(setup.journals("open"), 1);
    // The id is taken until then.
    let output = setup.run("e-1", &["touch", "made"]);
    assert_code(&output, 2);
    setup.log.mend();
    assert_code(&setup.run("e-2", &["touch", "made"]), 0);
    let lineage = setup.lineage("e-1");
    assert_eq!(lineage[4..], ["outcome:failed", "close:6"]);
    assert_eq!(setup.journals("open"), 0);
}

#[test]
fn the_list_is_published_once_and_again_when_it_changes() {
    let setup = Setup::new();
    let policies = || -> Vec<Statement> {
        let entries = setup.log.lock().tree.entries.clone();
        entries.into_iter().filter(|entry| entry.kind() == Kind::Policy).collect()
    };
    for execution in ["e-1", "e-2"] {
        assert_code(&setup.run(execution, &["touch", "made"]), 0);
    }
    assert_eq!(policies().len(), 1);
    setup.configure_for(setup.log.url.as_str(), "", r#"[["touch", "made"]]"#);
    assert_code(&setup.run("e-3", &["touch", "made"]), 0);
    assert_code(&setup.run("e-4", &["touch", "other"]), 126);
    let policies = policies();
    assert_eq!(policies.len(), 2);
    let entry = |statement: &Statement| countersign_verifier::merkle::LeafHash::of(statement.bytes());
    assert_eq!(policies[1].references().get(RefRole::Replaces), Some(entry(&policies[0])));
    let cites = |execution: &str| {
        of_kind(&setup.log.execution(execution), Kind::Decision).references().get(RefRole::Policy).unwrap()
    };
    assert_eq!(cites("e-2"), entry(&policies[0]));
    assert_eq!(cites("e-4"), entry(&policies[1]));
}

#[test]
fn in_mode_sequenced_no_witness_is_needed() {
    let setup = Setup::new();
    setup.configure("mode = \"sequenced\"");
    setup.log.fail(None, Fault::NoWitness);
    assert_code(&setup.run("e-1", &["touch", "made"]), 0);
    let lineage = setup.log.execution("e-1");
    let Payload::Verification(verification) = of_kind(&lineage, Kind::Verification).payload() else {
        panic!()
    };
    assert_eq!(verification.mode.as_str(), "sequenced");
}

#[test]
fn a_closed_execution_is_not_opened_again() {
    let setup = Setup::new();
    assert_code(&setup.run("e-1", &["touch", "made"]), 0);
    let output = setup.run("e-1", &["touch", "again"]);
    assert_code(&output, 126);
    assert!(!exists(&setup.path("again")));
    assert!(text(&output.stderr).contains("was closed by"), "{}", text(&output.stderr));
    assert_eq!((setup.journals("open"), setup.journals("refused")), (0, 1));
    assert_eq!(setup.lineage("e-1").len(), 6);
}

#[test]
fn withheld_arguments_are_nowhere_in_the_log() {
    let setup = Setup::new();
    setup.configure("arguments = \"withheld\"");
    assert_code(&setup.run("e-1", &["touch", "made-in-secret"]), 0);
    for statement in setup.log.execution("e-1") {
        assert!(!text(statement.bytes()).contains("in-secret"), "{}", outline(&statement));
    }
    // Arguments that no statement could hold are withheld by themselves.
    setup.configure("");
    let long = "x".repeat(100_000);
    assert_code(&setup.run("e-2", &["sh", "-c", "exit 0", &long]), 0);
    let lineage = setup.log.execution("e-2");
    let Payload::Intent(intent) = of_kind(&lineage, Kind::Intent).payload() else { panic!() };
    assert!(matches!(intent.action.properties, Some(Material::Withheld(_))));
}

#[test]
fn what_is_not_there_is_not_asked_for() {
    let setup = Setup::new();
    let output = setup.run("e-1", &["no-such-program"]);
    assert_code(&output, 127);
    assert!(setup.lineage("e-1").is_empty());
    assert_code(&setup.run("e-1", &["./made"]), 127);
}

#[test]
fn a_program_that_cannot_be_started_is_recorded_as_not_executed() {
    use std::os::unix::fs::PermissionsExt as _;
    let setup = Setup::new();
    let program = setup.path("broken");
    std::fs::write(&program, "#!/no/such/interpreter\n").unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    setup.configure_for(setup.log.url.as_str(), "", &format!("[[{:?}]]", program.to_str().unwrap()));
    assert_code(&setup.run("e-1", &["./broken"]), 126);
    assert_eq!(
        setup.lineage("e-1")[4..],
        ["verification:runtime_mismatch", "outcome:not_executed", "close:7"]
    );
}

#[test]
fn scripts_can_read_the_steps() {
    let setup = Setup::new();
    let gate = ["run", "--config", "gate.toml", "--json", "--", "touch", "--", "made"];
    let output = setup.output(&gate);
    assert_code(&output, 0);
    let events: Vec<Value> =
        text(&output.stderr).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let kinds: Vec<&str> = events.iter().filter_map(|event| event["kind"].as_str()).collect();
    assert_eq!(kinds, ["policy", "intent", "decision", "authorization", "verification", "outcome", "close"]);
    let page = events.last().unwrap();
    assert!(page["execution"].as_str().unwrap().starts_with("run-"));
    assert_eq!(setup.lineage(page["execution"].as_str().unwrap()).len(), 6);
    assert!(
        events.iter().all(|event| event["index"].is_null() || event["entry"].as_str().unwrap().len() == 64)
    );
}

/// Starts the gate where no terminal is, so that signals are the gate's to pass on.
fn start(setup: &Setup, script: &str) -> std::process::Child {
    use std::os::unix::process::CommandExt as _;
    let gate = ["run", "--config", "gate.toml", "--execution", "e-1", "--", "sh", "-c", script];
    let mut program = setup.program(&gate);
    program.process_group(0).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    program.spawn().unwrap()
}

fn send(process: &std::process::Child, signal: rustix::process::Signal) {
    let pid = rustix::process::Pid::from_raw(i32::try_from(process.id()).unwrap()).unwrap();
    rustix::process::kill_process(pid, signal).unwrap();
}

#[test]
fn signals_reach_the_command_and_the_outcome_is_recorded() {
    use rustix::process::Signal;
    for (signal, script, code, recorded) in [
        (Signal::INT, "trap 'echo caught; exit 9' INT; echo ready; while :; do sleep 0.05; done", 9, Some(9)),
        (Signal::TERM, "echo ready; exec sleep 60", 128 + 15, None),
    ] {
        let setup = Setup::new();
        let mut gate = start(&setup, script);
        let mut lines = BufReader::new(gate.stdout.take().unwrap()).lines();
        assert_eq!(lines.next().unwrap().unwrap(), "ready");
        send(&gate, signal);
        assert_eq!(gate.wait().unwrap().code(), Some(code));
        let lineage = setup.log.execution("e-1");
        let Payload::Outcome(outcome) = of_kind(&lineage, Kind::Outcome).payload() else { panic!() };
        assert_eq!((outcome.status.as_str(), outcome.exit_code), ("failed", recorded));
        if recorded.is_none() {
            assert_eq!(outcome.details.as_ref().unwrap().disclosed().unwrap()["signal"], 15);
        }
        assert_eq!(setup.lineage("e-1").last().unwrap(), "close:6");
    }
}

#[test]
fn a_command_whose_reader_goes_away_ends_and_is_recorded() {
    let setup = Setup::new();
    let mut gate = start(&setup, "exec yes");
    let mut some = [0; 4];
    let mut stdout = gate.stdout.take().unwrap();
    stdout.read_exact(&mut some).unwrap();
    drop(stdout);
    let deadline = Instant::now() + Duration::from_secs(20);
    let status = loop {
        if let Some(status) = gate.try_wait().unwrap() {
            break status;
        }
        assert!(Instant::now() < deadline, "the gate hangs");
        std::thread::sleep(Duration::from_millis(20));
    };
    assert_eq!(status.code(), Some(128 + 13));
    let lineage = setup.log.execution("e-1");
    let Payload::Outcome(outcome) = of_kind(&lineage, Kind::Outcome).payload() else { panic!() };
    assert_eq!(outcome.details.as_ref().unwrap().disclosed().unwrap()["stdout"]["complete"], false);
}

#[test]
fn a_wrong_configuration_says_what_is_wrong() {
    let setup = Setup::new();
    let url = setup.log.url.clone();
    for (more, allow, expected) in [
        ("mood = \"cosigned\"", r#"[["touch"]]"#, "unknown field `mood`"),
        ("mode = \"async\"", r#"[["touch"]]"#, "unknown variant `async`"),
        ("authorization_seconds = 0", r#"[["touch"]]"#, "expected 1 to 86400"),
        ("authorization_seconds = 86401", r#"[["touch"]]"#, "expected 1 to 86400"),
        ("audience = \"a b\"", r#"[["touch"]]"#, "audience"),
        ("policy_name = \"\"", r#"[["touch"]]"#, "policy_name"),
        ("", "[]", "the allow list is empty"),
        ("", r#"[["bin/touch"]]"#, "without slashes or an absolute path"),
        ("", r#"["touch"]"#, "invalid type"),
    ] {
        setup.configure_for(url.as_str(), more, allow);
        let output = setup.run("e-1", &["touch", "made"]);
        assert_code(&output, 1);
        assert!(text(&output.stderr).contains(expected), "{more} {allow}: {}", text(&output.stderr));
    }
    setup.configure("");
    for (file, content, expected) in [
        ("trust.policy", "quorum none\n", "names no log"),
        ("trust.policy", "quorum\n", "line 1"),
        ("authority.pem", "nonsense", "authority.pem"),
    ] {
        let before = std::fs::read(setup.path(file)).unwrap();
        std::fs::write(setup.path(file), content).unwrap();
        let output = setup.run("e-1", &["touch", "made"]);
        assert_code(&output, 1);
        assert!(text(&output.stderr).contains(expected), "{}", text(&output.stderr));
        std::fs::write(setup.path(file), before).unwrap();
    }
    std::fs::copy(setup.path("requester.pem"), setup.path("authority.pem")).unwrap();
    let output = setup.run("e-1", &["touch", "made"]);
    assert_code(&output, 1);
    assert!(text(&output.stderr).contains("requester and authority have the same key"));
    assert!(!exists(&setup.path("made")));
}

#[test]
fn a_rule_that_cannot_be_decided_by_is_refused_before_anything_is_asked() {
    let setup = Setup::new();
    let rule = format!("[[\"touch\"{}]]", ", \"a\"".repeat(500));
    setup.configure_for(setup.log.url.as_str(), "", &rule);
    let output = setup.run("e-1", &["touch", "made"]);
    assert_code(&output, 1);
    let told = text(&output.stderr);
    assert!(told.contains("nothing ran") && told.contains("at most 256"), "{told}");
    assert!(!exists(&setup.path("made")) && setup.lineage("e-1").is_empty());
}

/// What a name stands for is the configuration's to say: the caller of a gate is the one who is not trusted.
#[test]
fn the_callers_path_does_not_say_what_a_rule_allows() {
    let setup = Setup::new();
    let planted = setup.path("planted");
    std::fs::create_dir(&planted).unwrap();
    for name in ["touch", "only-here"] {
        let program = planted.join(name);
        std::fs::write(&program, "#!/bin/sh\n: >stolen\n").unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let folders = [planted.clone(), "/usr/bin".into(), "/bin".into()];
    let run = |execution: &str, command: &[&str]| {
        let gate = ["run", "--config", "gate.toml", "--execution", execution, "--"];
        let mut program = setup.program(&[&gate, command].concat());
        program.env("PATH", std::env::join_paths(&folders).unwrap()).output().unwrap()
    };
    assert_code(&run("e-1", &["touch", "made"]), 0);
    assert!(exists(&setup.path("made")) && !exists(&setup.path("stolen")));
    // By its path it is another program, which no rule names.
    assert_code(&run("e-2", &["planted/touch", "made"]), 126);
    let output = run("e-3", &["only-here"]);
    assert_code(&output, 127);
    let told = text(&output.stderr);
    assert!(told.contains("/usr/local/bin:/usr/bin:/bin") && told.contains("search_path"), "{told}");
    assert!(setup.lineage("e-3").is_empty() && !exists(&setup.path("stolen")));
    // Where the configuration says so, it is what the rule allows, also for a caller without any PATH.
    setup.configure(&format!("search_path = [{planted:?}]"));
    let gate = ["run", "--config", "gate.toml", "--execution", "e-4", "--", "touch"];
    assert_code(&setup.program(&gate).env_remove("PATH").output().unwrap(), 0);
    assert!(exists(&setup.path("stolen")));
    setup.configure("search_path = [\"planted\"]");
    let output = setup.run("e-5", &["touch", "made"]);
    assert_code(&output, 1);
    assert!(text(&output.stderr).contains("expected absolute folders"), "{}", text(&output.stderr));
}
