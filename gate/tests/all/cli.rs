//! `keygen`, `sign`, `submit`, `issuer` and `policy`, as scripts use them.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use countersign_verifier::merkle::LeafHash;
use countersign_verifier::program::keyfile;
use countersign_verifier::proof::TlogProof;
use countersign_verifier::statement::{IssuerStatus, KeyThumbprint, Kind, Payload, RefRole, Role, Statement};
use serde_json::json;

use crate::log::Fault;
use crate::setup::{Setup, assert_code, exists, text};
use crate::tree::{issuer, now};

const INTENT: &str = r#"{ "subject": {"type": "Agent", "id": "bot"}, "action": {"name": "look"},
    "resource": {"type": "Thing", "id": "t"} }"#;

fn has_openssl() -> bool {
    Command::new("openssl").arg("version").output().is_ok_and(|output| output.status.success())
}

/// Signs an intent of the requester into a file.
fn sign(setup: &Setup, execution: &str, out: &str) -> std::process::Output {
    std::fs::write(setup.path("intent.json"), INTENT).unwrap();
    setup.output(&[
        "sign",
        "--key",
        "requester.pem",
        "--kind",
        "intent",
        "--iss",
        "requester",
        "--execution",
        execution,
        "--payload",
        "intent.json",
        "--out",
        out,
    ])
}

fn log_url(setup: &Setup) -> String {
    setup.log.url.to_string()
}

#[test]
fn keygen_makes_keys_that_everybody_can_read_and_nobody_else_may() {
    let setup = Setup::new();
    let output = setup.output(&["keygen", "--out", "alice.pem"]);
    assert_code(&output, 0);
    let mode = |name: &str| std::fs::metadata(setup.path(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("alice.pem"), 0o600);
    let public = keyfile::read_public_key(&setup.path("alice.pub")).unwrap();
    assert_eq!(text(&output.stdout), format!("{}\n", KeyThumbprint::of(&public)));
    let secret = std::fs::read_to_string(setup.path("alice.pem")).unwrap();
    assert!(secret.starts_with("-----BEGIN PRIVATE KEY-----\n"));
    assert!(!text(&[output.stdout, output.stderr].concat()).contains(secret.lines().nth(1).unwrap()));

    let before = std::fs::read(setup.path("alice.pem")).unwrap();
    assert_code(&setup.output(&["keygen", "--out", "alice.pem"]), 2);
    std::fs::remove_file(setup.path("alice.pem")).unwrap();
    assert_code(&setup.output(&["keygen", "--out", "alice.pem"]), 2);
    assert!(!exists(&setup.path("alice.pem")), "the public key of another is not given a new private key");
    std::fs::write(setup.path("alice.pem"), &before).unwrap();

    if has_openssl() {
        let openssl = |arguments: &[&str]| {
            let output =
                Command::new("openssl").args(arguments).current_dir(setup.path("")).output().unwrap();
            assert!(output.status.success(), "{}", text(&output.stderr));
            output.stdout
        };
        // What keygen writes, openssl reads, and the other way round.
        let derived = openssl(&["pkey", "-in", "alice.pem", "-pubout"]);
        assert_eq!(derived, std::fs::read(setup.path("alice.pub")).unwrap());
        let theirs = openssl(&["genpkey", "-algorithm", "ed25519"]);
        assert_eq!(theirs.len(), before.len());
        std::fs::write(setup.path("theirs.pem"), theirs).unwrap();
        std::fs::set_permissions(setup.path("theirs.pem"), std::fs::Permissions::from_mode(0o600)).unwrap();
        keyfile::read_signing_key(&setup.path("theirs.pem")).unwrap();
        // A signature by openssl over the bytes to be signed is the one in the statement: Ed25519 has one only.
        std::fs::write(setup.path("requester-copy.pem"), before).unwrap();
        assert_code(&sign(&setup, "e-1", "intent.cose"), 0);
        let statement = Statement::parse(&std::fs::read(setup.path("intent.cose")).unwrap()).unwrap();
        std::fs::write(setup.path("tbs"), statement.to_be_signed()).unwrap();
        let signature = openssl(&["pkeyutl", "-sign", "-inkey", "requester.pem", "-rawin", "-in", "tbs"]);
        assert_eq!(signature, statement.signature().as_bytes());
    }
}

#[test]
fn sign_makes_the_statement_that_was_asked_for() {
    let setup = Setup::new();
    let output = sign(&setup, "e-1", "intent.cose");
    assert_code(&output, 0);
    let bytes = std::fs::read(setup.path("intent.cose")).unwrap();
    assert_eq!(text(&output.stdout), format!("{}\n", LeafHash::of(&bytes)));
    let statement = Statement::parse(&bytes).unwrap();
    assert_eq!(statement.kind(), Kind::Intent);
    assert!(statement.claims().issued_at.get().abs_diff(now().get()) < 60);
    let verified = statement.clone().verify(issuer("requester", [1; 32]).public_key()).unwrap();
    assert_eq!(verified.statement().execution().unwrap().as_str(), "e-1");
    assert_eq!(
        text(statement.payload_json()),
        r#"{"action":{"name":"look"},"resource":{"id":"t","type":"Thing"},"subject":{"id":"bot","type":"Agent"}}"#
    );
    // Every statement has an id of its own.
    assert_code(&sign(&setup, "e-1", "again.cose"), 0);
    let again = Statement::parse(&std::fs::read(setup.path("again.cose")).unwrap()).unwrap();
    assert_ne!(again.claims().id, statement.claims().id);
}

#[test]
fn sign_takes_the_claims_that_its_kind_has() {
    let setup = Setup::new();
    std::fs::write(setup.path("intent.json"), INTENT).unwrap();
    let base = [
        "sign",
        "--key",
        "authority.pem",
        "--kind",
        "authorization",
        "--iss",
        "authority",
        "--execution",
        "e-1",
        "--payload",
        "intent.json",
        "--out",
        "a.cose",
    ];
    let with = |more: &[&str]| setup.output(&[&base[..], more].concat());
    let validity = || {
        let statement = Statement::parse(&std::fs::read(setup.path("a.cose")).unwrap()).unwrap();
        let validity = statement.claims().validity.clone().unwrap();
        (validity.not_before.get(), validity.expires.get())
    };
    assert_code(&with(&[]), 1);
    assert_code(&with(&["--aud", "enforcer"]), 0);
    let (from, to) = validity();
    assert!(from.abs_diff(now().get()) < 60 && to == from + 300);
    assert_code(&with(&["--aud", "enforcer", "--nbf", "2030-01-01T00:00:00Z", "--exp", "1893456060"]), 0);
    assert_eq!(validity(), (1_893_456_000, 1_893_456_060));
    assert_code(&with(&["--aud", "enforcer", "--nbf", "2030-01-01T00:00:00Z"]), 1);
    assert_code(&with(&["--aud", "enforcer", "--nbf", "tomorrow"]), 1);

    for (kind, payload, more, expected) in [
        ("intent", INTENT, &["--execution", "e-1", "--aud", "x"][..], "for authorizations only"),
        ("intent", INTENT, &[], "--execution is missing"),
        ("intent", r#"{"subject": 1}"#, &["--execution", "e-1"], "/subject"),
        ("intent", r#"{"a": 1, "a": 2}"#, &["--execution", "e-1"], "occurs twice"),
        ("intent", INTENT, &["--execution", "white space"], "invalid value"),
        ("policy", r#"{"version": "1"}"#, &[], "no text \"name\""),
        ("policy", r#"{"name": "p"}"#, &["--execution", "e-1"], "belongs to none"),
        ("wish", INTENT, &["--execution", "e-1"], "one of genesis"),
    ] {
        std::fs::write(setup.path("payload.json"), payload).unwrap();
        let base = [
            "sign",
            "--key",
            "requester.pem",
            "--kind",
            kind,
            "--iss",
            "requester",
            "--payload",
            "payload.json",
            "--out",
            "b.cose",
        ];
        let output = setup.output(&[&base[..], more].concat());
        assert_code(&output, 1);
        assert!(text(&output.stderr).contains(expected), "{kind} {payload}: {}", text(&output.stderr));
        assert!(!exists(&setup.path("b.cose")));
    }
}

#[test]
fn sign_reads_standard_input_and_refuses_open_keys() {
    use std::io::Write as _;
    let setup = Setup::new();
    let policy = json!({ "name": "p", "version": "1", "engine": "cedar", "policies": [{ "id": "a", "text": "permit;" }] });
    let arguments = [
        "sign",
        "--key",
        "operator.pem",
        "--kind",
        "policy",
        "--iss",
        "operator",
        "--payload",
        "-",
        "--out",
        "p.cose",
    ];
    let run = || {
        let mut process = setup.program(&arguments).stdin(std::process::Stdio::piped()).spawn().unwrap();
        process.stdin.take().unwrap().write_all(policy.to_string().as_bytes()).unwrap();
        process.wait().unwrap().code()
    };
    assert_eq!(run(), Some(0));
    let statement = Statement::parse(&std::fs::read(setup.path("p.cose")).unwrap()).unwrap();
    assert_eq!(statement.claims().subject.to_string(), "policy:p");
    std::fs::set_permissions(setup.path("operator.pem"), std::fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(run(), Some(2));
}

#[test]
fn submit_keeps_proofs_that_hold() {
    let setup = Setup::new();
    for (execution, out) in [("e-1", "a.cose"), ("e-2", "b.cose")] {
        assert_code(&sign(&setup, execution, out), 0);
    }
    let url = log_url(&setup);
    let output = setup.output(&["submit", "--log", &url, "--policy", "trust.policy", "a.cose", "b.cose"]);
    assert_code(&output, 0);
    let policy = setup.log.lock().tree.parsed_policy();
    for (file, index) in [("a.cose", 4), ("b.cose", 5)] {
        let proof = std::fs::read(setup.path(&format!("{file}.tlog-proof"))).unwrap();
        let entry = LeafHash::of(&std::fs::read(setup.path(file)).unwrap());
        let included = TlogProof::parse(&proof).unwrap().verify(entry, &policy).unwrap();
        assert_eq!(included.index().get(), index);
        assert!(text(&output.stdout).contains(&format!("{index}  {entry}")), "{}", text(&output.stdout));
    }
    assert!(text(&output.stderr).contains("witness quorum (2 cosignatures)"));

    let output = setup.output(&["submit", "--log", &url, "a.cose"]);
    assert_code(&output, 0);
    assert!(text(&output.stderr).contains("not checked: who signed that head"), "{}", text(&output.stderr));
    let sequenced =
        ["submit", "--log", &url, "--policy", "trust.policy", "--wait", "sequenced", "--json", "a.cose"];
    let output = setup.output(&sequenced);
    assert_code(&output, 0);
    assert!(text(&output.stderr).contains("not checked: the witness quorum"));
    let line: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&line["index"], &line["proof"]), (&json!(4), &json!("a.cose.tlog-proof")));
}

#[test]
fn submit_ends_well_only_when_every_proof_holds() {
    let setup = Setup::new();
    assert_code(&sign(&setup, "e-1", "a.cose"), 0);
    let url = log_url(&setup);
    let submit = || setup.output(&["submit", "--log", &url, "--policy", "trust.policy", "a.cose"]);
    for (fault, code, expected) in [
        (Fault::Refuse, 2, "/errors/role-missing"),
        (Fault::Busy, 2, "asks to come back"),
        (Fault::OtherLog, 3, "does not hold"),
        (Fault::OneWitness, 3, "quorum is missing"),
        (Fault::NoWitness, 2, "showed no proof of it in time"),
    ] {
        setup.log.fail(None, fault);
        let output = submit();
        assert_code(&output, code);
        assert!(text(&output.stderr).contains(expected), "{fault:?}: {}", text(&output.stderr));
        assert!(!exists(&setup.path("a.cose.tlog-proof")), "{fault:?}");
        assert_eq!(exists(&setup.path("a.cose.tlog-proof.unproven")), code == 3, "{fault:?}");
        let _ = std::fs::remove_file(setup.path("a.cose.tlog-proof.unproven"));
    }
    setup.log.mend();
    assert_code(&submit(), 0);
    std::fs::write(setup.path("no.cose"), "no statement").unwrap();
    assert_code(&setup.output(&["submit", "--log", &url, "no.cose"]), 1);
    assert_code(&setup.output(&["submit", "--log", &url, "missing.cose"]), 2);
    assert_code(&setup.output(&["submit", "--log", "ftp://x/", "a.cose"]), 1);
}

#[test]
fn issuers_are_added_and_revoked() {
    let setup = Setup::new();
    let url = log_url(&setup);
    assert_code(&setup.output(&["keygen", "--out", "alice.pem"]), 0);
    assert_code(&setup.output(&["keygen", "--out", "alice-2.pem"]), 0);
    let base =
        ["--log", &url, "--policy", "trust.policy", "--operator-key", "operator.pem", "--name", "alice"];
    let issuer = |verb: &str, more: &[&str]| setup.output(&[&["issuer", verb], &base[..], more].concat());
    let output = issuer("add", &["--roles", "requester"]);
    assert_code(&output, 1);
    assert!(text(&output.stderr).contains("hint: countersign keygen"), "{}", text(&output.stderr));
    assert_code(&issuer("add", &["--public-key", "alice.pub"]), 1);
    assert_code(&issuer("add", &["--public-key", "alice.pub", "--roles", "king"]), 1);
    assert_code(&issuer("revoke", &[]), 2);
    assert_code(
        &issuer("add", &["--public-key", "alice.pub", "--roles", "requester,author", "--note", "new"]),
        0,
    );
    assert_code(&issuer("add", &["--public-key", "alice-2.pub", "--roles", "requester"]), 0);

    let records = || {
        let inner = setup.log.lock();
        let mut records: Vec<_> = inner
            .tree
            .state
            .issuers()
            .filter(|(key, _)| key.name.as_str() == "alice")
            .map(|(_, record)| record.clone())
            .collect();
        records.sort_by_key(|record| record.roles.iter().count());
        records
    };
    assert!(records().iter().all(|record| record.status == IssuerStatus::Active));
    assert!(records()[1].roles.contains(Role::Author));
    assert_code(&issuer("revoke", &["--public-key", "alice-2.pub"]), 0);
    assert_eq!(
        records().iter().map(|record| record.status).collect::<Vec<_>>(),
        [IssuerStatus::Revoked, IssuerStatus::Active]
    );
    let output = issuer("revoke", &["--json"]);
    assert_code(&output, 0);
    assert_eq!(text(&output.stdout).lines().count(), 1, "only what is active is revoked");
    let line: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&line["name"], &line["status"]), (&json!("alice"), &json!("revoked")));
    assert!(records().iter().all(|record| record.status == IssuerStatus::Revoked));
    assert!(records()[1].roles.contains(Role::Author), "what the key could do stays readable");
    assert_code(&issuer("revoke", &[]), 2);
    assert_code(&issuer("revoke", &["--public-key", "nobody.pub"]), 2);
}

#[test]
fn policies_are_published_with_their_files_as_ids() {
    let setup = Setup::new();
    let url = log_url(&setup);
    for name in ["one", "two"] {
        std::fs::write(
            setup.path(&format!("{name}.cedar")),
            format!("// {name}\npermit (principal, action, resource);\n"),
        )
        .unwrap();
    }
    let base = [
        "policy",
        "publish",
        "--log",
        &url,
        "--policy",
        "trust.policy",
        "--key",
        "authority.pem",
        "--iss",
        "authority",
        "--name",
        "rules",
    ];
    let publish = |more: &[&str]| setup.output(&[&base[..], more].concat());
    let output = publish(&["--version", "1", "one.cedar", "two.cedar"]);
    assert_code(&output, 0);
    let first = setup.log.lock().tree.entries.last().unwrap().clone();
    let Payload::Policy(policy) = first.payload() else { panic!() };
    assert_eq!(policy.policies.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), ["one", "two"]);
    let entry = LeafHash::of(first.bytes());
    assert!(text(&output.stdout).contains(&entry.to_string()));
    std::fs::write(setup.path("schema"), "entity Agent;").unwrap();
    assert_code(
        &publish(&["--version", "2", "--schema", "schema", "--replaces", &entry.to_string(), "one.cedar"]),
        0,
    );
    let second = setup.log.lock().tree.entries.last().unwrap().clone();
    assert_eq!(second.references().get(RefRole::Replaces), Some(entry));
    let several = "@id(\"all\") permit (principal, action, resource);\nforbid (principal, action, resource);";
    std::fs::write(setup.path("several.cedar"), several).unwrap();
    assert_code(&publish(&["--version", "3", "several.cedar"]), 0);
    let third = setup.log.lock().tree.entries.last().unwrap().clone();
    let Payload::Policy(policy) = third.payload() else { panic!() };
    assert_eq!(policy.policies.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), ["all", "several-1"]);
    assert_code(&publish(&["--version", "3", "one.cedar", "one.cedar"]), 1);
    let entries = setup.log.lock().tree.entries.len();
    let deep = format!("permit (principal, action, resource) when {{ {}1 ", "(".repeat(20_000));
    for (words, why) in
        [(deep.as_str(), "too many brackets open at once"), ("permit", "is not a Cedar policy")]
    {
        std::fs::write(setup.path("deep.cedar"), words).unwrap();
        let refused = publish(&["--version", "3", "deep.cedar"]);
        assert_code(&refused, 1);
        let told = text(&refused.stderr);
        assert!(
            told.contains("nothing was published") && told.contains("deep") && told.contains(why),
            "{told}"
        );
    }
    std::fs::write(setup.path("schema"), format!("entity A = {{ a: {}Long ", "Set<".repeat(9_000))).unwrap();
    assert_code(&publish(&["--version", "3", "--schema", "schema", "one.cedar"]), 1);
    assert_eq!(setup.log.lock().tree.entries.len(), entries);
    assert_code(&publish(&["--version", "3"]), 1);
}

#[test]
fn flags_come_from_the_environment_and_from_a_file_as_well() {
    let setup = Setup::new();
    assert_code(&sign(&setup, "e-1", "a.cose"), 0);
    let url = log_url(&setup);
    let mut program = setup.program(&["submit", "a.cose"]);
    assert_code(
        &program.env("COUNTERSIGN_LOG", &url).env("COUNTERSIGN_POLICY", "trust.policy").output().unwrap(),
        0,
    );
    std::fs::write(setup.path("flags.toml"), format!("log = \"{url}\"\npolicy = \"trust.policy\"\n"))
        .unwrap();
    assert_code(&setup.output(&["submit", "--config", "flags.toml", "a.cose"]), 0);
}

#[test]
fn help_has_examples_and_the_version_is_there() {
    let setup = Setup::new();
    let help = setup.output(&["--help"]);
    assert_code(&help, 0);
    assert!(text(&help.stdout).contains("Examples:"));
    assert_code(&setup.output(&["--version"]), 0);
    assert_code(&setup.output(&[]), 1);
    assert_code(&setup.output(&["run", "--config", "gate.toml"]), 1);
}
