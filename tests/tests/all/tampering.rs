//! A proof is believed as it is, or not at all.

use std::path::Path;

use countersign_tests::harness::{Program, Ran, System, execution, register, run};
use countersign_tests::statements::request;
use countersign_verifier::merkle::LeafHash;
use countersign_verifier::proof::TlogProof;
use countersign_verifier::quorum::Policy;
use countersign_verifier::statement::Kind;
use serde_json::Value;

use crate::submitting::submit;

/// An entry and its proof, with no more cosignatures than the quorum needs: none of them is there for show.
fn proven(system: &mut System) -> (Vec<u8>, String) {
    system.log.expect_warning("witness");
    let requester = register(system, "requester", &["requester"]);
    let state =
        || requester.state(Kind::Intent, &execution("tamper"), None, Value::Object(request())).unwrap();
    for _ in 0..5 {
        submit(system, state());
    }
    let taken = submit(system, state());
    let proof = TlogProof::parse(taken.proof.as_bytes()).unwrap();
    let mut lines = proof.checkpoint.signatures().to_vec();
    let of_log = lines.remove(0);
    let two = proof.checkpoint.with_signatures(vec![of_log, lines[0].clone(), lines[1].clone()]);
    let proof = TlogProof { checkpoint: two, ..proof };
    assert!(proof.hashes.len() >= 2);
    (taken.bytes, proof.to_string())
}

fn holds(policy: &Policy, entry: &[u8], proof: &[u8]) -> bool {
    TlogProof::parse(proof).is_ok_and(|proof| proof.verify(LeafHash::of(entry), policy).is_ok())
}

#[test]
fn no_changed_bit_is_believed() {
    let mut system = System::start();
    let (entry, proof) = proven(&mut system);
    let policy = system.policy();
    let proof = proof.as_bytes();
    assert!(holds(policy, &entry, proof));
    for at in 0..proof.len() {
        for bit in 0..8 {
            let mut changed = proof.to_vec();
            changed[at] ^= 1 << bit;
            assert!(
                !holds(policy, &entry, &changed),
                "bit {bit} of byte {at}: {}",
                String::from_utf8_lossy(&changed)
            );
        }
        assert!(!holds(policy, &entry, &proof[..at]), "cut off at byte {at}");
        assert!(!holds(policy, &entry, &[&proof[..at], &proof[at + 1..]].concat()), "without byte {at}");
        for inserted in [b'0', b'A', b'\n', b' '] {
            let longer = [&proof[..at], &[inserted], &proof[at..]].concat();
            assert!(!holds(policy, &entry, &longer), "{inserted} inserted at byte {at}");
        }
    }
    for at in 0..entry.len() {
        for bit in 0..8 {
            let mut changed = entry.clone();
            changed[at] ^= 1 << bit;
            assert!(!holds(policy, &changed, proof), "bit {bit} of byte {at} of the entry");
        }
    }
}

/// Checks with the auditor's program, on files.
fn verify(folder: &Path, policy: &Path, entry: &[u8], proof: &[u8]) -> Ran {
    let (entry_file, proof_file) = (folder.join("entry"), folder.join("proof"));
    std::fs::write(&entry_file, entry).unwrap();
    std::fs::write(&proof_file, proof).unwrap();
    let args = ["--policy".as_ref(), policy, "--entry".as_ref(), &entry_file, &proof_file];
    run(Program::Verify, ["proof".as_ref()].into_iter().chain(args))
}

#[test]
fn the_auditors_program_refuses_a_change_in_every_field() {
    let mut system = System::start();
    let (entry, proof) = proven(&mut system);
    let (folder, policy) = (system.folder(), system.policy_file());
    verify(folder, &policy, &entry, proof.as_bytes()).holds();
    let mut fields = 0;
    let mut start = 0;
    for line in proof.split_inclusive('\n') {
        // A line is one field or several; in each the last character but the line feed is changed.
        let mut end = start;
        for field in line.trim_end().split(' ').filter(|field| !field.is_empty()) {
            end = start + proof[start..].find(field).unwrap() + field.len();
            let mut changed = proof.clone().into_bytes();
            let at = end - 1;
            changed[at] = if changed[at] == b'1' { b'2' } else { b'1' };
            let ran = verify(folder, &policy, &entry, &changed);
            assert!(matches!(ran.code, Some(2 | 3)), "{field} in {line:?}: {ran:?}");
            assert!(!ran.stdout.is_empty() || !ran.stderr.is_empty());
            fields += 1;
        }
        start += line.len();
        assert!(end <= start);
    }
    assert!(fields > 12, "only {fields} fields were changed");

    let mut changed = entry.clone();
    *changed.last_mut().unwrap() ^= 1;
    verify(folder, &policy, &changed, proof.as_bytes()).fails_or_reports(3);
    verify(folder, &policy, b"", proof.as_bytes()).fails_or_reports(3);

    // The same proof under the policy of somebody who trusts another log, other witnesses, or more of them.
    let text = std::fs::read_to_string(&policy).unwrap();
    let other = System::start();
    let others = std::fs::read_to_string(other.policy_file()).unwrap();
    let log_line = |text: &str| text.lines().next().unwrap().to_owned();
    for stricter in [
        text.replace("group two 2", "group two 3"),
        text.replace(&log_line(&text), &log_line(&others)),
        others.replace(&log_line(&others), &log_line(&text)),
    ] {
        let file = folder.join("other-policy");
        std::fs::write(&file, stricter).unwrap();
        verify(folder, &file, &entry, proof.as_bytes()).fails_or_reports(3);
    }
    let file = folder.join("no-policy");
    std::fs::write(&file, "nonsense\n").unwrap();
    verify(folder, &file, &entry, proof.as_bytes()).fails_or_reports(2);
}

trait Refused {
    fn fails_or_reports(&self, code: i32);
}

impl Refused for Ran {
    #[track_caller]
    fn fails_or_reports(&self, code: i32) {
        assert_eq!(self.code, Some(code), "{self:?}");
    }
}
