//! The shared vectors: stored as they are made, and answered alike by the Rust library, the JavaScript verifier and
//! the auditor's program.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use countersign_tests::harness::{Program, run};
use countersign_tests::node::Node;
use countersign_tests::vectors::{Case, File, answers, files};
use serde_json::{Map, Value, json};

use crate::schema::assert_is_report;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors")
}

fn cases() -> impl Iterator<Item = (&'static str, Case)> {
    files().into_iter().flat_map(|File { name, cases, .. }| cases.into_iter().map(move |case| (name, case)))
}

#[test]
fn what_is_stored_is_what_is_made() {
    for file in files() {
        let path = folder().join(file.name).with_extension("json");
        let stored = std::fs::read_to_string(&path).unwrap_or_default();
        let renew =
            "renew it with: cargo run --release -p countersign-tests --bin countersign-vectors tests/vectors";
        // The texts are long: comparing before asserting keeps them off the screen.
        assert!(stored == file.to_json(), "{} is not what is made; {renew}", path.display());
    }
    let stored =
        std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let made = files().into_iter().map(|file| format!("{}.json", file.name));
    let expected: BTreeSet<String> = made.chain(["c2sp".to_owned(), "README.md".to_owned()]).collect();
    assert_eq!(stored.collect::<BTreeSet<String>>(), expected);
}

#[test]
fn they_are_small_and_most_in_each_file_are_to_be_refused() {
    let size: usize = files().iter().map(|file| file.to_json().len()).sum();
    assert!(size < 1_500_000, "{size} bytes");
    for file in files() {
        let names: BTreeSet<&str> = file.cases.iter().map(|case| case.name.as_str()).collect();
        assert_eq!(names.len(), file.cases.len(), "{}: a name stands twice", file.name);
        let good = file.cases.iter().filter(|case| case.valid).count();
        assert!(good < file.cases.len() - good, "{}: {good} are accepted", file.name);
    }
}

#[test]
fn the_library_gives_the_expected_answers() {
    for (file, case) in cases() {
        assert_eq!(answers::answer(file, &case.input), case.expect, "{file}: {}", case.name);
    }
}

#[test]
fn the_javascript_verifier_gives_the_expected_answers() {
    let mut node = Node::start().unwrap_or_else(|error| panic!("{error}"));
    for (file, case) in cases() {
        let answer = node.answer(file, &case.input);
        let answer = answer.unwrap_or_else(|error| panic!("{file}: {}: {error}", case.name));
        assert_eq!(answer, case.expect, "{file}: {}", case.name);
    }
}

/// What convinces one implementation convinces the other, also of what nobody thought of: bundles and evidence of which a
/// byte is another.
#[test]
fn the_javascript_verifier_judges_changed_files_as_the_library_does() {
    let mut node = Node::start().unwrap_or_else(|error| panic!("{error}"));
    let mut asked = 0;
    for (file, mut case) in
        cases().filter(|(file, case)| ["bundles", "evidence"].contains(file) && case.valid)
    {
        let member = file.trim_end_matches('s');
        let good = bytes(&case.input[member]);
        for (number, at) in (0..good.len()).step_by(good.len() / 40).enumerate() {
            let mut changed = good.clone();
            changed[at] ^= 1 << (number % 7);
            let changed = base64::engine::general_purpose::STANDARD.encode(changed);
            case.input[member] = json!({ "base64": changed });
            let answer = node.answer(file, &case.input).unwrap();
            assert_eq!(answer, answers::answer(file, &case.input), "{file}: {}: byte {at}", case.name);
            asked += 1;
        }
    }
    assert!(asked > 500, "{asked}");
}

/// The artefacts for which the auditor's program has a command.
#[test]
fn the_program_gives_the_expected_answers() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.into_os_string().into_string().unwrap()
    };
    for (file, case) in cases().filter(|(file, _)| ["proofs", "bundles", "evidence"].contains(file)) {
        let given = |name: &str| write(name, &bytes(&case.input[name]));
        let policy = given("policy");
        let mut args = vec!["--json".to_owned(), "--policy".to_owned(), policy];
        let is_read = if file == "proofs" {
            args.extend(["--entry".to_owned(), given("entry"), given("proof")]);
            let key = case.input["issuer_key"].as_str().map(|key| write("key.pem", &pem(key)));
            args.extend(key.into_iter().flat_map(|key| ["--issuer-key".to_owned(), key]));
            case.expect.get("refused").is_none()
        } else {
            args.push(given(file.trim_end_matches('s')));
            true
        };
        let command = file.trim_end_matches('s').to_owned();
        let ran = run(Program::Verify, [command].into_iter().chain(args));
        if file == "evidence" {
            // There is no 0: evidence that shows that all is well is none.
            assert_eq!(ran.code, Some(if case.valid { 3 } else { 2 }), "{}: {ran:?}", case.name);
            let report: Value = serde_json::from_str(&ran.stdout).unwrap_or_default();
            if case.valid {
                assert_is_report(&report);
            }
            assert_eq!(report["code"], case.expect["proven"], "{}", case.name);
            continue;
        }
        let verdicts_of = |verdict: &str| {
            case.expect["stages"]
                .as_object()
                .is_some_and(|stages| stages.values().any(|found| found == verdict))
        };
        // 0: it holds. 2: nothing contradicts, but something is missing, or it is no bundle. 3: something does not hold.
        let is_judged = is_read && (file == "proofs" || case.expect["stages"]["format"] == "pass");
        let expected = match (case.valid, is_judged && verdicts_of("fail")) {
            (true, _) => 0,
            (false, true) => 3,
            (false, false) => 2,
        };
        assert_eq!(ran.code, Some(expected), "{file}: {}: {ran:?}", case.name);
        if is_read {
            let report: Value = serde_json::from_str(&ran.stdout).unwrap();
            assert_is_report(&report);
            assert_eq!(verdicts(&report), case.expect["stages"], "{file}: {}", case.name);
            let lineage = case.expect.get("lineage").unwrap_or(&Value::Null);
            assert_eq!(report["lineage"]["verdict"], *lineage, "{file}: {}", case.name);
        }
    }
}

fn verdicts(report: &Value) -> Value {
    let stages = report["stages"].as_array().unwrap().iter();
    let verdicts = stages.map(|line| (line["stage"].as_str().unwrap().to_owned(), line["verdict"].clone()));
    Value::Object(verdicts.collect::<Map<String, Value>>())
}

fn bytes(value: &Value) -> Vec<u8> {
    match value.as_str() {
        Some(text) => text.as_bytes().to_vec(),
        None => decode(value["base64"].as_str().unwrap()),
    }
}

fn decode(text: &str) -> Vec<u8> {
    base64::engine::general_purpose::STANDARD.decode(text).unwrap()
}

/// A public key as OpenSSL writes it: the SPKI of RFC 8410 in PEM.
fn pem(key: &str) -> Vec<u8> {
    let start = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
    let spki = base64::engine::general_purpose::STANDARD.encode([&start[..], &decode(key)].concat());
    format!("-----BEGIN PUBLIC KEY-----\n{spki}\n-----END PUBLIC KEY-----\n").into_bytes()
}
