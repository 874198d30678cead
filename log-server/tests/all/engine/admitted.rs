//! What a log let in against its own rules, under heads that it signed: `fsck` names the entry and the rule.

use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_log::fsck::Weight;
use countersign_log::log::DATABASE;
use countersign_log::store::{Batch, EdgeHash, Growth, Head, Journal as _, NewEntry, RocksStore};
use countersign_verifier::admission::{AdmitError, Effects, EntryFacts, MemoryState, admit, signing_key};
use countersign_verifier::causes::with_causes;
use countersign_verifier::checkpoint::{Checkpoint, Origin};
use countersign_verifier::merkle::{CompactRange, LeafHash, LeafIndex};
use countersign_verifier::note::{KeyName, NoteSigner};
use countersign_verifier::program::{Exit, keyfile};
use countersign_verifier::statement::{Kind, Statement};
use countersign_verifier::tiles::TileId;
use serde_json::Value;
use tempfile::TempDir;

use super::fsck::check;

const ORIGIN: &str = "log.example";

/// A log as its own sequencer would have left it, had nobody asked the rules.
fn log_of(statements: &[Vec<u8>]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let origin = Origin::new(ORIGIN).unwrap();
    let signer = NoteSigner::from_seed(KeyName::new(ORIGIN).unwrap(), false, &[7; 32]);
    keyfile::write_note_signer(&folder.path().join("log.key"), &signer).unwrap();
    let store = RocksStore::create(&folder.path().join(DATABASE), &origin).unwrap();
    let mut range = CompactRange::new();
    for (position, bytes) in (0_u8..).zip(statements) {
        let (id, index) = (LeafHash::of(bytes), LeafIndex::new(position.into()).unwrap());
        assert!(range.append(id, |_, _| ()));
        let entries = vec![NewEntry { bytes: bytes.clone(), effects: effects(bytes, id, index) }];
        let edge = vec![EdgeHash { tile: TileId { level: 0, index: 0 }, position, hash: id.into() }];
        let head = Head { size: range.size(), root: range.root() };
        let growth = Some(Growth { entries, full_tiles: Vec::new(), edge, head });
        store.commit(&Batch { growth, publication: None }).unwrap();
    }
    let head = Checkpoint::new(origin, range.size(), range.root()).sign(&signer);
    std::fs::write(folder.path().join("high-water"), head.to_string()).unwrap();
    folder
}

fn effects(bytes: &[u8], id: LeafHash, index: LeafIndex) -> Effects {
    Statement::parse(bytes).map_or_else(
        |_| {
            let facts = EntryFacts { index, kind: Kind::Intent, execution: None, verdict: None };
            Effects { entry: (id, facts), issuer: None, outcome_of: None, closes: None }
        },
        |statement| Effects::of(&statement, id, index),
    )
}

/// What the rules say of the last statement, in words and as a code; `None` when all are admitted.
fn refusal(statements: &[Vec<u8>]) -> Option<(String, &'static str)> {
    let mut state = MemoryState::new();
    for bytes in statements {
        let statement = Statement::parse(bytes).unwrap();
        let refused = |error: &AdmitError<_>| match error {
            AdmitError::Refused(refusal) => Some((refusal.to_string(), refusal.code())),
            AdmitError::State(never) => match *never {},
        };
        let key = match signing_key(&state, &statement) {
            Ok(key) => key,
            Err(error) => return refused(&error),
        };
        let verified = match statement.verify(&key) {
            Ok(verified) => verified,
            Err(error) => return Some((with_causes(&error), error.code())),
        };
        match admit(&state, &verified) {
            Ok(admitted) => state.apply(admitted.effects),
            Err(error) => return refused(&error),
        }
    }
    None
}

/// Expects that this entry alone is accused, in these words.
#[track_caller]
fn accuses(data: &Path, index: usize, words: &str, case: &str) {
    let report = check(data);
    let [finding] = report.findings.as_slice() else { panic!("{case}: {:#?}", report.findings) };
    assert_eq!(
        (finding.part, finding.key.as_str()),
        ("entries", format!("index {index}").as_str()),
        "{case}"
    );
    assert_eq!((finding.weight, finding.found.as_str()), (Weight::Misbehaviour, words), "{case}");
    assert_eq!(report.exit(), Exit::Misbehaviour, "{case}");
}

/// A case of the shared vectors of admission: every rule, by statements that break it and by others that come close.
struct Case {
    name: String,
    statements: Vec<Vec<u8>>,
    /// What is expected of the last.
    expect: Value,
}

fn cases() -> Vec<Case> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors/admission.json");
    let file: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let bytes = |value: &Value| {
        let value =
            value["shared"].as_u64().map_or(value, |at| &file["shared"][usize::try_from(at).unwrap()]);
        STANDARD.decode(value["base64"].as_str().unwrap()).unwrap()
    };
    let case = |case: &Value| Case {
        name: case["name"].as_str().unwrap().to_owned(),
        statements: case["input"]["statements"].as_array().unwrap().iter().map(bytes).collect(),
        expect: case["expect"].as_array().unwrap().last().unwrap().clone(),
    };
    file["cases"].as_array().unwrap().iter().map(case).collect()
}

fn case(name: &str) -> Case {
    cases().into_iter().find(|case| case.name == name).unwrap()
}

#[test]
fn whatever_a_rule_refuses_is_named_with_the_rule_and_nothing_else_is() {
    let (mut codes, mut sound) = (std::collections::BTreeSet::new(), 0);
    for Case { name, statements, expect } in cases() {
        let log = log_of(&statements);
        let Some((words, code)) = refusal(&statements) else {
            assert_eq!(check(log.path()).findings, [], "{name}");
            sound += 1;
            continue;
        };
        assert_eq!(expect["refused"], code, "{name}");
        accuses(log.path(), statements.len() - 1, &words, &name);
        codes.insert(code);
    }
    let rules = [
        "already-present",
        "decision-denies",
        "execution-closed",
        "genesis-again",
        "genesis-not-by-operator",
        "issuer-not-registered",
        "issuer-revoked",
        "key-mismatch",
        "operator-name",
        "operator-self",
        "outcome-again",
        "reference-execution",
        "reference-kind",
        "reference-unresolved",
        "role-missing",
    ];
    assert_eq!(codes.into_iter().collect::<Vec<_>>(), rules);
    assert!(sound >= 9, "{sound} logs that keep the rules");
}

/// Of two entries that may not both be, the later is accused, also when the rows of the indexes lead to the earlier.
#[test]
fn a_row_that_leads_to_the_earlier_of_two_does_not_excuse_the_later() {
    for (name, family) in
        [("a statement again", "ids"), ("a second outcome", "marks"), ("a second close", "marks")]
    {
        let Case { name, statements, .. } = case(name);
        let (words, _) = refusal(&statements).unwrap();
        let before = log_of(&statements[..statements.len() - 1]);
        let log = log_of(&statements);
        for (key, value) in super::store::rows(&super::store::raw(before.path()), family) {
            super::store::put(&super::store::raw(log.path()), family, &key, &value);
        }
        accuses(log.path(), statements.len() - 1, &words, &name);
    }
}

#[test]
fn what_is_no_statement_or_not_signed_is_named_among_others() {
    let good = case("a governed execution").statements;
    let last = good.len() - 1;
    let mut unsigned = good.clone();
    *unsigned[last].last_mut().unwrap() ^= 1;
    unsigned.push(b"no statement".to_vec());
    let log = log_of(&unsigned);
    let report = check(log.path());
    let accused: Vec<_> = report.findings.iter().map(|found| (found.key.clone(), found.weight)).collect();
    let named = |index: usize| (format!("index {index}"), Weight::Misbehaviour);
    assert_eq!(accused.len(), 2, "{:#?}", report.findings);
    assert!(accused.contains(&named(last)) && accused.contains(&named(last + 1)), "{accused:?}");
    let signature = report.findings.iter().find(|found| found.key == named(last).0).unwrap();
    assert!(signature.found.contains("signature"), "{signature:?}");
    let program = Command::new(env!("CARGO_BIN_EXE_countersign-log"))
        .args(["fsck", "--data"])
        .arg(log.path())
        .output()
        .unwrap();
    assert_eq!(program.status.code(), Some(3), "{program:?}");
    let said = String::from_utf8(program.stdout).unwrap();
    assert!(said.contains(&format!("entries, index {last}: found")), "{said}");
    assert!(said.contains("the head that covers it is signed and cannot be taken back"), "{said}");
}
