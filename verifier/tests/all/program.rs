//! `countersign-verify` as a script calls it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::folder::Folder;

fn vector(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors/c2sp").join(name)
}

fn verify(entry: &Path, proof: &Path, more: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_countersign-verify"))
        .args(["proof", "--policy"])
        .arg(vector("policy"))
        .arg("--entry")
        .args([entry, proof])
        .args(more)
        .output()
        .unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

#[test]
fn a_proof_that_holds_says_what_it_shows_and_what_it_does_not() {
    let folder = Folder::new("holds");
    let entry = folder.write("entry", "entry-256");
    let output = verify(&entry, &vector("entry-256.tlog-proof"), &[]);
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    assert_eq!(code(&output), 0, "{text}");
    assert!(text.contains("the entry is at index 256 of 300"), "{text}");
    assert!(text.contains("this does not show"), "{text}");
    assert!(!text.contains('\u{1b}'), "no colour where there is no terminal");

    let output = verify(&entry, &vector("entry-256.tlog-proof"), &["--json"]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let verdicts: Vec<(&str, &str)> = report["stages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|stage| (stage["stage"].as_str().unwrap(), stage["verdict"].as_str().unwrap()))
        .collect();
    assert_eq!(
        verdicts,
        [
            ("format", "not_checked"),
            ("statement_signatures", "not_checked"),
            ("inclusion", "pass"),
            ("log_signature", "pass"),
            ("witness_quorum", "pass"),
            ("issuer_roles", "not_checked"),
            ("lineage", "not_checked"),
            ("policy_replay", "not_checked"),
        ]
    );
}

#[test]
fn exit_codes_say_what_went_wrong() {
    let folder = Folder::new("codes");
    let entry = folder.write("entry", "entry-256");
    let other = folder.write("other", "entry-255");
    let proof = vector("entry-256.tlog-proof");
    assert_eq!(code(&verify(&other, &proof, &[])), 3);
    let text = std::fs::read_to_string(&proof).unwrap();
    let forged = folder.write("forged", text.replace("t++p40", "t++p41"));
    assert_eq!(code(&verify(&entry, &forged, &[])), 3);
    let one_witness = text.split_inclusive('\n').filter(|line| !line.starts_with("— w2.example"));
    let short = folder.write("short", one_witness.collect::<String>());
    let output = verify(&entry, &short, &[]);
    assert_eq!(code(&output), 3);
    assert!(String::from_utf8(output.stdout).unwrap().contains("the quorum is missing: 1 of 3 witnesses"));
    // Nothing could be checked: a file is missing, or is no proof.
    assert_eq!(code(&verify(&folder.path("missing"), &proof, &[])), 2);
    assert_eq!(code(&verify(&entry, &entry, &[])), 2);
    // The command line is wrong.
    assert_eq!(code(&verify(&entry, &proof, &["--nonsense"])), 1);
    let help = Command::new(env!("CARGO_BIN_EXE_countersign-verify")).arg("--help").output().unwrap();
    assert_eq!(code(&help), 0);
}

#[test]
fn a_malformed_statement_does_not_hold_wherever_it_is() {
    use countersign_verifier::checkpoint::{Checkpoint, Origin};
    use countersign_verifier::merkle::{CompactRange, LeafHash, LeafIndex};
    use countersign_verifier::note::{KeyName, NoteSigner};
    use countersign_verifier::proof::TlogProof;

    let folder = Folder::new("malformed");
    let bytes = b"\xd2\x84nonsense";
    let mut range = CompactRange::new();
    assert!(range.append(LeafHash::of(bytes), |_, _| ()));
    let log = NoteSigner::from_seed(KeyName::new("log.example/bad").unwrap(), false, &[1; 32]);
    let head = Checkpoint::new(Origin::new("log.example/bad").unwrap(), range.size(), range.root());
    let index = LeafIndex::new(0).unwrap();
    let proof = TlogProof { extra: None, index, hashes: vec![], checkpoint: head.sign(&log) };
    let policy = folder.write("policy", format!("log {}\nquorum none\n", log.verifier()));
    let output = Command::new(env!("CARGO_BIN_EXE_countersign-verify"))
        .args(["proof", "--policy"])
        .arg(policy)
        .arg("--entry")
        .args([folder.write("entry", bytes), folder.write("proof", proof.to_string())])
        .output()
        .unwrap();
    assert_eq!(code(&output), 3, "{}", String::from_utf8_lossy(&output.stdout));
}
