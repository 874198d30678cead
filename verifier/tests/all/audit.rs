//! `countersign-verify log` over folders of tiles: honest logs, and logs with every sort of thing that should not be.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use countersign_verifier::bundle::Bundle;
use countersign_verifier::evidence::Evidence;
use countersign_verifier::merkle::RootHash;
use countersign_verifier::quorum::Policy;
use countersign_verifier::statement::Kind;
use serde_json::{Value, json};

use crate::fake_log::{
    AUTHORITY, ENFORCER, Executed, FakeLog, Issuer, OPERATOR, OVERSEER, REQUESTER, head, policy,
};
use crate::folder::Folder;
use crate::schema::assert_is_report;

/// One run of the program over a folder `log`, with its JSON lines.
pub(crate) struct Audited {
    pub(crate) code: i32,
    lines: Vec<Value>,
    pub(crate) errors: String,
}

impl Audited {
    pub(crate) fn of(folder: &Folder, more: &[&str]) -> Self {
        let Output { status, stdout, stderr } =
            program(folder, more).arg("--json").arg(folder.path("log")).output().unwrap();
        let lines = String::from_utf8(stdout).unwrap();
        let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        lines.iter().for_each(assert_is_report);
        Self { code: status.code().unwrap(), lines, errors: String::from_utf8(stderr).unwrap() }
    }

    pub(crate) fn summary(&self) -> &Value {
        self.lines.iter().find(|line| line["type"] == "summary").unwrap_or_else(|| panic!("{}", self.errors))
    }

    /// Index and code of every violation.
    fn violations(&self) -> Vec<(u64, &str)> {
        let violations = self.lines.iter().filter(|line| line["type"] == "violation");
        violations.map(|line| (line["index"].as_u64().unwrap(), line["code"].as_str().unwrap())).collect()
    }
}

pub(crate) fn program(folder: &Folder, more: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_countersign-verify"));
    command.args(["log", "--policy"]).arg(folder.write("policy", policy()));
    command.arg("--evidence").arg(folder.path("evidence")).args(more);
    command
}

pub(crate) fn state(folder: &Folder) -> String {
    folder.path("audit.state").to_str().unwrap().to_owned()
}

/// What was put into the folder of evidence, but for bundles.
fn evidence(folder: &Folder) -> Vec<PathBuf> {
    kept(folder).into_iter().filter(|file| file.extension().unwrap() != "bundle").collect()
}

/// The bundles that were put there.
fn bundles(folder: &Folder) -> Vec<PathBuf> {
    kept(folder).into_iter().filter(|file| file.extension().unwrap() == "bundle").collect()
}

fn kept(folder: &Folder) -> Vec<PathBuf> {
    let Ok(files) = std::fs::read_dir(folder.path("evidence")) else { return Vec::new() };
    let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    files.sort();
    files
}

/// What the command says of a file of evidence.
fn prove(folder: &Folder, file: &Path) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_countersign-verify"))
        .args(["evidence", "--policy"])
        .arg(folder.path("policy"))
        .arg(file)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    (output.status.code().unwrap(), text)
}

/// A log of `count` executions, some 7 entries each.
pub(crate) fn honest(count: usize) -> FakeLog {
    let mut log = FakeLog::founded();
    for number in 0..count {
        log.execute(&format!("run/{number}"));
    }
    log
}

#[test]
fn an_honest_log_holds() {
    let folder = Folder::new("audit-honest");
    honest(100).publish(&folder.path("log"));
    let audited = Audited::of(&folder, &[]);
    assert_eq!(audited.code, 0, "{:?}{}", audited.lines, audited.errors);
    let summary = audited.summary();
    assert_eq!((&summary["entries"], &summary["executions"]), (&json!(705), &json!(100)));
    assert_eq!(summary["lineages"]["governed"], 100);
    assert!(kept(&folder).is_empty());
    let text = program(&folder, &[]).arg(folder.path("log")).output().unwrap();
    let (text, errors) = (String::from_utf8(text.stdout).unwrap(), String::from_utf8(text.stderr).unwrap());
    assert!(
        text.contains("This log holds") && text.contains("of 100 executions, 100 are governed"),
        "{text}"
    );
    assert_eq!(errors, "", "no progress bar where there is no terminal");
}

#[test]
fn partial_tiles_may_be_gone_where_full_ones_are() {
    let folder = Folder::new("audit-full-only");
    let mut log = honest(60);
    log.publish(&folder.path("log"));
    let old = std::fs::read(folder.path("log/checkpoint")).unwrap();
    for path in ["log/tile/0/001.p", "log/tile/entries/001.p"] {
        std::fs::remove_dir_all(folder.path(path)).unwrap();
    }
    while log.size() < 600 {
        log.execute(&format!("later/{}", log.size()));
    }
    log.publish(&folder.path("log"));
    folder.write("log/checkpoint", old);
    let audited = Audited::of(&folder, &[]);
    assert_eq!((audited.code, &audited.summary()["entries"]), (0, &json!(425)), "{}", audited.errors);
}

#[test]
fn what_is_missing_is_named() {
    let folder = Folder::new("audit-missing");
    honest(40).publish(&folder.path("log"));
    for path in ["log/tile/entries/000", "log/tile/0/001.p/29", "log/tile/1/000.p/1", "log/checkpoint"] {
        let bytes = std::fs::read(folder.path(path)).unwrap();
        std::fs::remove_file(folder.path(path)).unwrap();
        let audited = Audited::of(&folder, &[]);
        assert_eq!(audited.code, 2, "{path}");
        assert!(audited.errors.contains(path) && audited.errors.contains("fetch"), "{}", audited.errors);
        folder.write(path, bytes);
    }
    assert_eq!(Audited::of(&folder, &[]).code, 0);
}

/// One thing that should not be in a log: how it gets there, and by which code it is found.
type Plant = fn(&mut FakeLog, &Executed);

/// A refusal that an honest log would have given, and whether a few entries show it to others.
const PLANTS: &[(&str, bool, Plant)] = &[
    ("cose-malformed", true, |log, _| {
        log.push(b"\xd2\x84 no statement".to_vec());
    }),
    ("signature-invalid", true, |log, done| {
        let mut forged = enforcement(log, done, OVERSEER).into_bytes();
        *forged.last_mut().unwrap() ^= 1;
        log.push(forged);
    }),
    ("already-present", true, |log, _| {
        let again = log.entries[7].clone();
        log.push(again);
    }),
    ("genesis-again", true, |log, _| {
        let again = log.make(
            OPERATOR,
            Kind::Genesis,
            "log.example/other",
            json!({
            "origin": "log.example/other", "operator": {"public_key": OPERATOR.public_key_in_base64()},
            "rules": "countersign/1"}),
        );
        log.push(again.into_bytes());
    }),
    ("issuer-not-registered", false, |log, done| {
        let stranger = enforcement(log, done, Issuer("stranger"));
        log.push(stranger.into_bytes());
    }),
    ("issuer-revoked", true, |log, done| {
        log.register(OVERSEER, "overseer", "revoked");
        let late = enforcement(log, done, OVERSEER);
        log.push(late.into_bytes());
    }),
    ("role-missing", true, |log, done| {
        let usurped = enforcement(log, done, REQUESTER);
        log.push(usurped.into_bytes());
    }),
    ("role-missing", true, |log, done| {
        let usurped = enforcement(log, done, OPERATOR);
        log.push(usurped.into_bytes());
    }),
    ("operator-name", true, |log, _| {
        log.register(Issuer("mallory"), "operator", "active");
    }),
    ("operator-self", true, |log, _| {
        log.register(OPERATOR, "operator", "revoked");
    }),
    ("reference-unresolved", false, |log, _| {
        let nothing = "00".repeat(32);
        log.state(
            ENFORCER,
            Kind::Verification,
            "other",
            json!({"result": "fail", "code": "replayed", "mode": "async",
            "refs": {"authorization": nothing}}),
        );
    }),
    ("reference-kind", true, |log, done| {
        log.state(
            ENFORCER,
            Kind::Verification,
            "other",
            json!({"result": "fail", "code": "replayed", "mode": "async",
            "refs": {"authorization": done.intent.to_string()}}),
        );
    }),
    ("reference-execution", true, |log, done| {
        log.state(
            ENFORCER,
            Kind::Verification,
            "other",
            json!({"result": "fail", "code": "replayed", "mode": "async",
            "refs": {"authorization": done.authorization.to_string()}}),
        );
    }),
    ("decision-denies", true, |log, done| {
        let request = json!({"subject": {"type": "agent", "id": "a"}, "action": {"name": "b"},
            "resource": {"type": "c", "id": "d"}});
        let intent = log.state(REQUESTER, Kind::Intent, "denied", request.clone());
        let decision = log.state(
            AUTHORITY,
            Kind::Decision,
            "denied",
            json!({"decision": "deny", "code": "denied_by_policy",
            "refs": {"intent": intent.to_string(), "policy": done.policy.to_string()}}),
        );
        let mut authorization = request;
        authorization["refs"] = json!({"decision": decision.to_string()});
        log.state(AUTHORITY, Kind::Authorization, "denied", authorization);
    }),
    ("outcome-again", true, |log, done| {
        // Of an execution without close, or the close would be what it contradicts.
        let authorization = log.state(AUTHORITY, Kind::Authorization, "twice", json!({
            "subject": {"type": "agent", "id": "a"}, "action": {"name": "b"}, "resource": {"type": "c", "id": "d"}}));
        assert_ne!(authorization, done.authorization);
        for status in ["confirmed", "failed"] {
            log.state(
                ENFORCER,
                Kind::Outcome,
                "twice",
                json!({"status": status,
                "refs": {"authorization": authorization.to_string()}}),
            );
        }
    }),
    ("execution-closed", true, |log, done| {
        log.state(
            ENFORCER,
            Kind::Outcome,
            "run/0",
            json!({"status": "unknown",
            "refs": {"authorization": done.authorization.to_string()}}),
        );
    }),
    ("head-contradicted", true, |log, _| {
        log.state(
            ENFORCER,
            Kind::Verification,
            "other",
            json!({"result": "fail", "code": "replayed", "mode": "async",
            "checkpoint": {"size": 3, "root": RootHash::from_bytes([6; 32]).to_base64()}}),
        );
    }),
    ("head-contradicted", false, |log, _| {
        let root = log.root_at(log.size());
        log.state(
            ENFORCER,
            Kind::Verification,
            "other",
            json!({"result": "fail", "code": "replayed", "mode": "async",
            "checkpoint": {"size": log.size() + 1, "root": root.to_base64()}}),
        );
    }),
    ("entries-missing", false, |log, _| {
        log.state(ENFORCER, Kind::Close, "short", json!({"entries": 2}));
    }),
];

fn enforcement(
    log: &mut FakeLog,
    done: &Executed,
    by: Issuer,
) -> countersign_verifier::statement::VerifiedStatement {
    log.make(
        by,
        Kind::Enforcement,
        "run/0",
        json!({"action": "halt", "reason": "it went too far",
        "refs": {"target": done.outcome.to_string()}}),
    )
}

#[test]
fn everything_that_should_not_be_there_is_found_and_shown() {
    for (code, is_shown, plant) in PLANTS {
        let folder = Folder::new("audit-planted");
        let mut log = FakeLog::founded();
        let done = log.execute("run/0");
        plant(&mut log, &done);
        let at = log.size() - 1;
        // What follows is judged as if nothing had happened.
        for number in 1..40 {
            log.execute(&format!("run/{number}"));
        }
        log.publish(&folder.path("log"));
        let audited = Audited::of(&folder, &[]);
        assert_eq!(audited.violations(), [(at, *code)], "{code}: {:?}", audited.errors);
        assert_eq!(audited.code, 3, "{code}");
        let files = evidence(&folder);
        assert_eq!(files.len(), usize::from(*is_shown), "{code}: {files:?}");
        for file in files {
            let (exit, text) = prove(&folder, &file);
            assert_eq!(exit, 3, "{code}: {text}");
            assert!(text.contains("proves misbehaviour of the log"), "{code}: {text}");
            let bytes = std::fs::read(&file).unwrap();
            let policy = Policy::parse(policy().as_bytes()).unwrap();
            assert_eq!(Evidence::parse(&bytes).unwrap().verify(&policy).unwrap().code, *code);
        }
        let text = program(&folder, &[]).arg(folder.path("log")).output().unwrap();
        let text = String::from_utf8(text.stdout).unwrap();
        assert!(text.contains(&format!("entry {at}: {code}: ")) && text.contains("does NOT hold"), "{text}");
    }
}

#[test]
fn a_log_that_does_not_begin_with_its_genesis_is_found_out() {
    let folder = Folder::new("audit-no-genesis");
    let mut log = FakeLog::founded();
    log.entries.remove(0);
    log.publish(&folder.path("log"));
    let audited = Audited::of(&folder, &[]);
    assert_eq!(
        (audited.code, audited.violations()[0]),
        (3, (0, "issuer-not-registered")),
        "{}",
        audited.errors
    );
}

#[test]
fn a_lineage_that_is_violated_is_told_entry_by_entry() {
    let folder = Folder::new("audit-lineage");
    let mut log = honest(3);
    run_although_it_failed(&mut log, "rogue");
    log.publish(&folder.path("log"));
    let audited = Audited::of(&folder, &[]);
    assert_eq!(audited.code, 3, "{}", audited.errors);
    assert_eq!(audited.summary()["lineages"]["violated"], 1);
    let lineage = audited.lines.iter().find(|line| line["execution"] == "rogue").unwrap();
    assert_eq!(lineage["verdict"], "violated");
    let codes: Vec<_> =
        lineage["findings"].as_array().unwrap().iter().map(|finding| &finding["code"]).collect();
    assert!(codes.contains(&&json!("executed_after_failed_verification")), "{codes:?}");
}

/// Something that its enforcer had found not to be allowed.
fn run_although_it_failed(log: &mut FakeLog, name: &str) {
    let authorization = log.state(AUTHORITY, Kind::Authorization, name, json!({
        "subject": {"type": "agent", "id": "a"}, "action": {"name": "b"}, "resource": {"type": "c", "id": "d"}}));
    let verification = log.state(
        ENFORCER,
        Kind::Verification,
        name,
        json!({"result": "fail", "code": "expired",
        "mode": "cosigned", "refs": {"authorization": authorization.to_string()}}),
    );
    log.state(
        ENFORCER,
        Kind::Outcome,
        name,
        json!({"status": "confirmed", "started_at": 1_800_000_001, "refs": {
        "authorization": authorization.to_string(), "verification": verification.to_string()}}),
    );
}

#[test]
fn a_violated_lineage_is_written_down_for_others() {
    let folder = Folder::new("audit-bundles");
    let mut log = honest(40);
    run_although_it_failed(&mut log, "../rogue/1");
    let first = log.size() - 3;
    // The keys are registered again, and what counts are the registrations before.
    log.register(AUTHORITY, "authority", "revoked");
    log.register(ENFORCER, "enforcer", "active");
    run_although_it_failed(&mut log, "denied-later");
    log.publish(&folder.path("log"));
    let audited = Audited::of(&folder, &[]);
    let files = bundles(&folder);
    let name = |at: u64| folder.path("evidence").join(format!("execution-{at}-of-{}.bundle", log.size()));
    assert_eq!(files, [name(first), name(first + 5)], "{}", audited.errors);
    let listed: Vec<&str> =
        audited.summary()["evidence"].as_array().unwrap().iter().map(|path| path.as_str().unwrap()).collect();
    assert!(files.iter().all(|file| listed.contains(&file.to_str().unwrap())), "{listed:?}");

    let judge = |file: &Path| {
        let judged = Command::new(env!("CARGO_BIN_EXE_countersign-verify"))
            .args(["bundle", "--json", "--policy"])
            .args([&folder.path("policy"), file])
            .output()
            .unwrap();
        let report: Value = serde_json::from_slice(&judged.stdout).unwrap();
        (judged.status.code().unwrap(), report)
    };
    let (code, report) = judge(&name(first));
    assert_eq!((code, &report["lineage"]["verdict"]), (3, &json!("violated")), "{report:#}");
    assert_eq!((&report["execution"], &report["entries"]), (&json!("../rogue/1"), &json!(6)), "{report:#}");
    // Here the authority had been revoked: what it signed should not be there either, and the bundle shows that.
    let (code, report) = judge(&name(first + 5));
    let failed: Vec<&Value> =
        report["stages"].as_array().unwrap().iter().filter(|line| line["verdict"] == "fail").collect();
    assert_eq!((code, failed.len(), &failed[0]["stage"]), (3, 1, &json!("issuer_roles")), "{report:#}");

    // The same log gives the same bytes, also to whoever audits it in two parts, and each is written once.
    let before: Vec<Vec<u8>> = files.iter().map(|file| std::fs::read(file).unwrap()).collect();
    std::fs::remove_dir_all(folder.path("evidence")).unwrap();
    Audited::of(&folder, &["--state", &state(&folder)]);
    let again: Vec<Vec<u8>> = bundles(&folder).iter().map(|file| std::fs::read(file).unwrap()).collect();
    assert_eq!(again, before);
    std::fs::remove_dir_all(folder.path("evidence")).unwrap();
    let resumed = Audited::of(&folder, &["--state", &state(&folder)]);
    assert_eq!((resumed.code, bundles(&folder).len()), (3, 0), "{}", resumed.errors);

    // The bundle is bound to its log: one changed byte anywhere, and it shows nothing.
    let good = &before[0];
    for at in (0..good.len()).step_by(97) {
        let mut changed = good.clone();
        changed[at] ^= 1;
        let (_, report) = judge(&folder.write("changed.bundle", changed));
        let same = report["lineage"]["verdict"] == "violated" && report["execution"] == "../rogue/1";
        let vouched = report["stages"].as_array().unwrap().iter().all(|line| {
            line["stage"] == "lineage" || line["stage"] == "policy_replay" || line["verdict"] == "pass"
        });
        assert!(!(same && vouched), "byte {at}: {report:#}");
    }
}

#[test]
fn an_execution_too_long_for_a_bundle_is_said_to_be() {
    let folder = Folder::new("audit-long");
    let mut log = FakeLog::founded();
    run_although_it_failed(&mut log, "long");
    for _ in 0..4_096 {
        log.state(
            REQUESTER,
            Kind::Intent,
            "long",
            json!({"subject": {"type": "agent", "id": "a"},
            "action": {"name": "b"}, "resource": {"type": "c", "id": "d"}}),
        );
    }
    log.publish(&folder.path("log"));
    let audited = Audited::of(&folder, &[]);
    assert_eq!((audited.code, kept(&folder).len()), (3, 0), "{}", audited.errors);
    let told = audited.lines.iter().find(|line| line["type"] == "no_bundle").unwrap();
    assert!(told["execution"] == "long" && told["sentence"].as_str().unwrap().contains("4099"), "{told}");
}

#[cfg(feature = "replay")]
#[test]
fn decisions_are_decided_again_and_those_that_differ_are_told() {
    use countersign_verifier::replay::Engine;

    let folder = Folder::new("audit-replay");
    let mut log = FakeLog::founded();
    let done = log.execute("undisclosed");
    let here = Engine::version();
    let engine = json!({"name": here.name, "sdk": here.sdk, "language": here.language});
    let mut older = engine.clone();
    older["sdk"] = json!("0.0.1");
    // Of the execution that is closed nothing more is admitted, and what is not admitted is not decided again.
    let refs = json!({"intent": done.intent.to_string(), "policy": done.policy.to_string()});
    let late = json!({"decision": "deny", "code": "denied_by_policy", "engine": engine, "entities": [], "refs": refs});
    log.state(AUTHORITY, Kind::Decision, "undisclosed", late);
    let mut open = FakeLog::founded();
    let policy = open.state(
        OPERATOR,
        Kind::Policy,
        "policy:reading",
        json!({"name": "reading", "version": "1",
        "engine": "cedar", "policies": [{"id": "all", "text": "permit(principal, action, resource);"}]}),
    );
    let intent = open.state(
        REQUESTER,
        Kind::Intent,
        "open",
        json!({"subject": {"type": "agent", "id": "a"},
        "action": {"name": "b"}, "resource": {"type": "c", "id": "d"}}),
    );
    let decide = |open: &mut FakeLog, verdict: &str, code: &str, engine: &Value| {
        let refs = json!({"intent": intent.to_string(), "policy": policy.to_string()});
        open.state(
            AUTHORITY,
            Kind::Decision,
            "open",
            json!({
            "decision": verdict, "code": code, "engine": engine, "entities": [], "refs": refs}),
        );
        open.size() - 1
    };
    let counts = |audited: &Audited| audited.summary()["replays"].clone();

    log.publish(&folder.path("log"));
    let closed = Audited::of(&folder, &["--replay"]);
    assert_eq!(counts(&closed), json!({"same": 0, "different": 0, "not_disclosed": 1, "engine_differs": 0}));
    std::fs::remove_dir_all(folder.path("log")).unwrap();

    decide(&mut open, "permit", "permitted", &engine);
    decide(&mut open, "permit", "permitted", &older);
    open.publish(&folder.path("log"));
    let state = ["--replay", "--state", &state(&folder)];
    let first = Audited::of(&folder, &state);
    assert_eq!(first.code, 0, "what cannot be decided again is no fault: {:?}", first.lines);
    assert_eq!(counts(&first), json!({"same": 1, "different": 0, "not_disclosed": 0, "engine_differs": 1}));

    let at = decide(&mut open, "deny", "denied_by_policy", &engine);
    open.publish(&folder.path("log"));
    let differs = Audited::of(&folder, &state);
    let all = json!({"same": 1, "different": 1, "not_disclosed": 0, "engine_differs": 1});
    assert_eq!((differs.code, counts(&differs)), (3, all.clone()), "{}", differs.errors);
    let told = differs.lines.iter().find(|line| line["type"] == "decision").unwrap();
    assert_eq!((&told["index"], &told["execution"]), (&json!(at), &json!("open")), "{told}");
    let text = program(&folder, &["--replay"]).arg(folder.path("log")).output().unwrap();
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(text.contains(&format!("entry {at}: decision-differs: the decision says deny")), "{text}");
    // What was found stays found, and without the question there is no answer.
    let again = Audited::of(&folder, &state);
    assert_eq!((again.code, counts(&again)), (3, all));
    let silent = Audited::of(&folder, &state[1..]);
    assert_eq!((silent.code, counts(&silent)), (0, Value::Null), "{}", silent.errors);
    // An audit that has not decided again from the first entry on cannot begin in between.
    let late = Audited::of(&folder, &state);
    assert!(late.code == 1 && late.errors.contains("begin again"), "{}", late.errors);
}

#[test]
fn no_changed_byte_goes_unnoticed() {
    let folder = Folder::new("audit-mutated");
    honest(40).publish(&folder.path("log"));
    let mut waiting = vec![folder.path("log")];
    let mut files = Vec::new();
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            waiting.extend(std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        } else {
            files.push(path);
        }
    }
    assert_eq!(files.len(), 6, "a checkpoint, two bundles, three tiles");
    for file in files {
        let good = std::fs::read(&file).unwrap();
        let step = (good.len() / 12).max(1);
        for at in (0..good.len()).step_by(step).chain([good.len() - 1]) {
            let mut changed = good.clone();
            changed[at] ^= 0x04;
            std::fs::write(&file, changed).unwrap();
            let audited = Audited::of(&folder, &[]);
            assert!(matches!(audited.code, 2 | 3), "{} byte {at}: {}", file.display(), audited.code);
        }
        for length in [0, good.len() / 2, good.len() - 1] {
            std::fs::write(&file, &good[..length]).unwrap();
            assert!(matches!(Audited::of(&folder, &[]).code, 2 | 3), "{} cut to {length}", file.display());
        }
        std::fs::write(&file, &good).unwrap();
    }
    assert!(kept(&folder).is_empty(), "a damaged copy convicts nobody");
    assert_eq!(Audited::of(&folder, &[]).code, 0);
}

#[test]
fn an_audit_goes_on_from_where_it_stood_and_comes_to_the_same() {
    let (whole, parts) = (Folder::new("audit-whole"), Folder::new("audit-parts"));
    let mut log = honest(20);
    let done = log.execute("spread");
    let open = log.state(
        REQUESTER,
        Kind::Intent,
        "open",
        json!({"subject": {"type": "agent", "id": "a"},
        "action": {"name": "b"}, "resource": {"type": "c", "id": "d"}}),
    );
    log.register(OVERSEER, "overseer", "active");
    let mut sizes = vec![log.size()];
    log.publish(&parts.path("log"));
    let first = Audited::of(&parts, &["--state", &state(&parts)]);
    assert_eq!((first.code, &first.summary()["lineages"]["open"]), (0, &json!(1)), "{}", first.errors);
    let grow: [&dyn Fn(&mut FakeLog); 3] = [
        // Entries for executions of the first part: one open, one closed.
        &|log| {
            log.state(
                OVERSEER,
                Kind::Enforcement,
                "spread",
                json!({"action": "quarantine", "reason": "to be looked at",
                "refs": {"target": done.outcome.to_string()}}),
            );
            log.state(
                AUTHORITY,
                Kind::Decision,
                "open",
                json!({"decision": "deny", "code": "denied_by_policy",
                "refs": {"intent": open.to_string(), "policy": done.policy.to_string()}}),
            );
            log.state(ENFORCER, Kind::Close, "open", json!({"entries": 3}));
        },
        // What contradicts the first part, and a key that is revoked.
        &|log| {
            log.state(
                ENFORCER,
                Kind::Outcome,
                "spread",
                json!({"status": "unknown",
                "refs": {"authorization": done.authorization.to_string()}}),
            );
            log.register(REQUESTER, "requester", "revoked");
        },
        &|log| {
            for number in 0..60 {
                log.execute(&format!("after/{number}"));
            }
        },
    ];
    for step in grow {
        step(&mut log);
        sizes.push(log.size());
        log.publish(&parts.path("log"));
        Audited::of(&parts, &["--state", &state(&parts)]);
    }
    let again = Audited::of(&parts, &["--state", &state(&parts)]);
    log.publish(&whole.path("log"));
    let once = Audited::of(&whole, &[]);
    let mut expected = once.summary().clone();
    let mut resumed = again.summary().clone();
    assert_eq!(resumed["audited_before"], log.size(), "nothing was new");
    for summary in [&mut expected, &mut resumed] {
        summary["audited_before"].take();
        summary["evidence"].take();
    }
    assert_eq!(resumed, expected);
    assert_eq!((once.code, again.code), (3, 3), "what was found stays found");
    assert!(!evidence(&parts).is_empty() && !evidence(&whole).is_empty());
    for file in evidence(&parts) {
        assert_eq!(prove(&parts, &file).0, 3);
    }
    // What was violated by an entry of the third part stands on registrations of the first.
    let late = bundles(&parts);
    assert_eq!((late.len(), bundles(&whole).len()), (1, 1));
    let late = Bundle::parse(&std::fs::read(&late[0]).unwrap()).unwrap();
    assert_eq!((late.execution().as_str(), late.steps().count()), ("spread", 8));
}

#[test]
fn a_damaged_state_is_refused() {
    let folder = Folder::new("audit-state");
    let mut log = honest(5);
    log.publish(&folder.path("log"));
    let state = state(&folder);
    assert_eq!(Audited::of(&folder, &["--state", &state]).code, 0);
    log.execute("later");
    log.publish(&folder.path("log"));
    let (standing, record) =
        (std::fs::read(&state).unwrap(), std::fs::read(format!("{state}.record")).unwrap());
    for (name, good) in [(state.clone(), &standing), (format!("{state}.record"), &record)] {
        for at in (0..good.len()).step_by(29).chain([good.len() - 1]) {
            let mut changed = good.clone();
            changed[at] ^= 0x20;
            std::fs::write(&name, changed).unwrap();
            let audited = Audited::of(&folder, &["--state", &state]);
            assert_eq!(audited.code, 4, "{name} byte {at}: {}", audited.errors);
            assert!(audited.errors.contains("begin again"), "{}", audited.errors);
        }
        std::fs::write(&name, &good[..good.len() - 1]).unwrap();
        assert_eq!(Audited::of(&folder, &["--state", &state]).code, 4, "{name} cut");
        std::fs::write(&name, good).unwrap();
    }
    // A crash between the two writes leaves more record than counts, or a file that was never renamed.
    let longer = [record.as_slice(), b"half of an ent"].concat();
    folder.write("audit.state.record", longer);
    folder.write("audit.state.new", &standing[..standing.len() / 2]);
    let audited = Audited::of(&folder, &["--state", &state]);
    assert_eq!((audited.code, &audited.summary()["audited_before"]), (0, &json!(40)), "{}", audited.errors);
    assert_eq!(Audited::of(&folder, &["--state", &state]).summary()["audited_before"], 47);
}

#[test]
fn a_log_that_goes_back_or_forks_is_convicted_as_far_as_can_be() {
    let folder = Folder::new("audit-forked");
    let state = state(&folder);
    let trunk = honest(40);
    let mut log = trunk.clone();
    log.execute("one-way");
    log.publish(&folder.path("log"));
    assert_eq!(Audited::of(&folder, &["--state", &state]).code, 0);

    // Back to an older head that agrees: only we have seen the newer one.
    std::fs::remove_dir_all(folder.path("log")).unwrap();
    trunk.publish(&folder.path("log"));
    let audited = Audited::of(&folder, &["--state", &state]);
    assert_eq!(audited.code, 3);
    assert!(audited.errors.contains("went back"), "{}", audited.errors);
    assert!(evidence(&folder).iter().all(|file| file.extension().unwrap() == "note"));

    // Another history of another size, smaller, equal and larger.
    for executions in [0, 1, 5] {
        std::fs::remove_dir_all(folder.path("evidence")).unwrap();
        std::fs::remove_dir_all(folder.path("log")).unwrap();
        let mut other = trunk.clone();
        other.register(Issuer("other"), "overseer", "active");
        for number in 0..executions {
            other.execute(&format!("another-way/{number}"));
        }
        if executions == 1 {
            other.entries.pop();
        }
        other.publish(&folder.path("log"));
        let audited = Audited::of(&folder, &["--state", &state]);
        assert_eq!(audited.code, 3, "{}", audited.errors);
        assert!(audited.errors.contains("two histories"), "{}", audited.errors);
        let files = evidence(&folder);
        assert_eq!(files.len(), 1);
        let (exit, text) = prove(&folder, &files[0]);
        assert_eq!(exit, 3, "{text}");
        assert!(text.contains("Both heads carry the cosignature of w1, w2"), "{text}");
    }
}

#[test]
fn a_head_nobody_vouches_for_ends_it() {
    let folder = Folder::new("audit-head");
    let log = honest(2);
    let note = head(log.size(), log.root_at(log.size()));
    log.publish_under(&folder.path("log"), &note.with_signatures(note.signatures()[..2].to_vec()));
    let audited = Audited::of(&folder, &[]);
    assert_eq!(audited.code, 3);
    assert!(audited.errors.contains("the quorum is missing: 1 of 2"), "{}", audited.errors);
    // The entries are not those that the head is over.
    log.publish_under(&folder.path("log"), &head(log.size(), RootHash::from_bytes([1; 32])));
    let audited = Audited::of(&folder, &[]);
    assert_eq!(audited.code, 3);
    assert!(audited.errors.contains("do not make up the tree"), "{}", audited.errors);
}
