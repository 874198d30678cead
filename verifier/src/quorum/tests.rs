//! Reading policies strictly, and counting witnesses.

use std::fmt::Write as _;

use super::*;
use crate::checkpoint::Origin;
use crate::merkle::{RootHash, TreeSize};
use crate::note::{KeyName, NoteSigner};

fn log() -> NoteSigner {
    NoteSigner::from_seed(KeyName::new("log.example/own").unwrap(), false, &[1; 32])
}

fn witness(seed: u8) -> NoteSigner {
    NoteSigner::from_seed(KeyName::new(&format!("w{seed}.example")).unwrap(), true, &[seed; 32])
}

fn head() -> Checkpoint {
    let origin = Origin::new("log.example/own").unwrap();
    Checkpoint::new(origin, TreeSize::new(5).unwrap(), RootHash::from_bytes([5; 32]))
}

/// The head signed by the log and cosigned by the witnesses of these seeds.
fn cosigned(seeds: &[u8]) -> SignedNote {
    let note = head().sign(&log());
    let lines = seeds.iter().map(|seed| line(*seed, 1000));
    note.with_signatures(note.signatures().iter().cloned().chain(lines).collect())
}

fn line(seed: u8, time: u64) -> SignatureLine {
    cosignature::cosign(&head(), Timestamp::new(time).unwrap(), &witness(seed)).unwrap()
}

/// A policy over four witnesses, a to d, with the given last lines.
fn policy(lines: &str) -> Result<Policy, PolicyError> {
    let mut text = format!("log {}\n", log().verifier());
    for (name, seed) in ["a", "b", "c", "d"].iter().zip(2_u8..) {
        writeln!(text, "witness {name} {}", witness(seed).verifier()).unwrap();
    }
    Policy::parse((text + lines).as_bytes())
}

#[test]
fn quorums_count_as_they_say() {
    let accepts = |lines: &str, seeds: &[u8]| policy(lines).unwrap().verify(&cosigned(seeds)).is_ok();
    let two_of_three = "group g 2 a b c\nquorum g\n";
    assert!(accepts(two_of_three, &[2, 3]));
    assert!(accepts(two_of_three, &[2, 3, 4, 5]));
    assert!(!accepts(two_of_three, &[2]));
    assert!(!accepts(two_of_three, &[2, 5]));
    assert!(accepts("quorum a\n", &[2]));
    assert!(!accepts("quorum a\n", &[3]));
    assert!(accepts("quorum none\n", &[]));
    assert!(accepts("group g any a b\nquorum g\n", &[3]));
    assert!(!accepts("group g all a b\nquorum g\n", &[3]));
    let nested = "group x any a b\ngroup y all c d\ngroup g 2 x y\nquorum g\n";
    assert!(accepts(nested, &[3, 4, 5]));
    assert!(!accepts(nested, &[2, 3, 4]));
    let missing = policy(two_of_three).unwrap().verify(&cosigned(&[2])).unwrap_err();
    assert_eq!(missing, QuorumError::Missing { signed: vec!["a".into()], known: 4 });
}

/// Names are octets (C2SP tlog-policy): what is not UTF-8 may look like another name and is still another witness.
#[test]
fn witnesses_whose_names_look_alike_are_two() {
    let all = |names: [&[u8]; 2], quorum: &[u8]| {
        let mut bytes = format!("log {}\n", log().verifier()).into_bytes();
        for (name, seed) in names.iter().zip(2_u8..) {
            bytes.extend_from_slice(b"witness ");
            bytes.extend_from_slice(name);
            bytes.extend_from_slice(format!(" {}\n", witness(seed).verifier()).as_bytes());
        }
        bytes.extend_from_slice(quorum);
        Policy::parse(&bytes).unwrap()
    };
    let names: [[&[u8]; 2]; 3] =
        [[b"\xff", b"\xfe"], [b"\xff", "\u{fffd}".as_bytes()], ["\u{fffd}".as_bytes(), b"\xff"]];
    for names in names {
        let [first, second] = names;
        let both = all(names, &[b"group g all ", first, b" ", second, b"\nquorum g\n"].concat());
        for policy in [&both, &Policy::parse(both.to_string().as_bytes()).unwrap()] {
            for seeds in [&[2][..], &[3], &[2, 2]] {
                let refused = policy.verify(&cosigned(seeds));
                assert!(
                    matches!(refused, Err(QuorumError::Missing { known: 2, .. })),
                    "{names:?}: {refused:?}"
                );
            }
            let shown = policy.verify(&cosigned(&[3, 2])).unwrap();
            let shown: Vec<&str> = shown.cosignatures().iter().map(|one| one.witness.as_str()).collect();
            assert_eq!(shown, ["\u{fffd}'", "\u{fffd}"]);
        }
        let one = all(names, &[b"quorum ", second, b"\n"].concat());
        for policy in [&one, &Policy::parse(one.to_string().as_bytes()).unwrap()] {
            assert!(policy.verify(&cosigned(&[3])).is_ok());
            assert!(policy.verify(&cosigned(&[2])).is_err());
        }
    }
}

#[test]
fn a_key_counts_once_and_a_false_line_spoils_the_head() {
    let policy = policy("group g 2 a b c\nquorum g\n").unwrap();
    let note = cosigned(&[2, 2]);
    assert!(matches!(policy.verify(&note), Err(QuorumError::Missing { .. })));
    let mut lines = cosigned(&[3]).signatures().to_vec();
    lines.extend([line(2, 2000), line(2, 1500)]);
    let verified = policy.verify(&note.with_signatures(lines.clone())).unwrap();
    let a = verified.cosignatures().iter().find(|cosigned| cosigned.witness == "a").unwrap();
    assert_eq!(a.time.get(), 1500);
    // What comes out again has the lines that count, and verifies again.
    assert_eq!(policy.verify(&verified.to_note()).unwrap(), verified);

    let mut forged = line(4, 1000).to_string().into_bytes();
    let at = forged.len() - 8;
    forged[at] ^= 1;
    let forged = crate::note::parse_signature_lines(core::str::from_utf8(&forged).unwrap()).unwrap();
    lines.extend(forged);
    assert!(matches!(
        policy.verify(&note.with_signatures(lines)),
        Err(QuorumError::Witness { witness, .. }) if witness == "c"
    ));
}

#[test]
fn a_head_needs_a_log_of_the_policy_under_its_own_origin() {
    let other = NoteSigner::from_seed(KeyName::new("log.example/other").unwrap(), false, &[9; 32]);
    let accept_none = Policy::parse(format!("log {}\nquorum none\n", other.verifier()).as_bytes()).unwrap();
    assert!(matches!(accept_none.verify(&cosigned(&[])), Err(QuorumError::Log(_))));
    // The other log signs a head of this one.
    assert!(matches!(accept_none.verify(&head().sign(&other)), Err(QuorumError::Origin { .. })));
    // Any one of several logs will do.
    let both = format!("log {}\nlog {}\nquorum none\n", other.verifier(), log().verifier());
    assert!(Policy::parse(both.as_bytes()).unwrap().verify(&cosigned(&[])).is_ok());
    // A cosigner's line is not the log's, even of the same key.
    let nobody = Policy::parse(b"quorum none\n").unwrap();
    assert!(nobody.verify(&cosigned(&[2])).is_err());
    assert!(nobody.for_log(log().verifier().clone()).verify(&cosigned(&[])).is_ok());
}

#[test]
fn a_changed_head_satisfies_no_quorum() {
    let policy = policy("group g 2 a b c\nquorum g\n").unwrap();
    let good = cosigned(&[2, 3]).to_string().into_bytes();
    for at in 0..good.len() {
        let mut changed = good.clone();
        changed[at] ^= 1;
        if let Ok(note) = SignedNote::parse(&changed) {
            assert!(policy.verify(&note).is_err(), "byte {at}");
        }
    }
}

#[test]
fn what_is_not_a_policy() {
    use super::parse::PolicyErrorCause as Cause;

    let refused = |lines: &str| policy(lines).unwrap_err().cause;
    assert_eq!(refused(""), Cause::Quorum);
    assert_eq!(refused("quorum a\nquorum a\n"), Cause::Quorum);
    assert_eq!(refused("quorum a"), Cause::Unfinished);
    assert_eq!(refused("quorum a # why\n"), Cause::Words("quorum <name>|none"));
    assert_eq!(refused("quorum z\n"), Cause::NameUnknown);
    assert_eq!(refused("quorum g\ngroup g any a\n"), Cause::NameUnknown);
    assert_eq!(refused("quorum a\r\n"), Cause::Octet(b'\r'));
    assert_eq!(refused("quorum a\u{7f}\n"), Cause::Octet(0x7f));
    assert_eq!(refused("Quorum a\n"), Cause::Keyword);
    assert_eq!(refused("group g 2\nquorum g\n"), Cause::Words("group <name> all|any|<k> <member>..."));
    assert_eq!(refused("group a any b\nquorum a\n"), Cause::NameTaken);
    assert_eq!(refused("group none any b\nquorum none\n"), Cause::NameTaken);
    assert_eq!(refused("group g any none\nquorum g\n"), Cause::NameUnknown);
    assert_eq!(refused("group g any a a\nquorum g\n"), Cause::MemberTwice);
    assert_eq!(refused("group g any a\ngroup h any a\nquorum g\n"), Cause::MemberTwice);
    for threshold in ["0", "3", "01", "-1", "most"] {
        assert_eq!(
            refused(&format!("group g {threshold} a b\nquorum g\n")),
            Cause::Threshold(2),
            "{threshold}"
        );
    }
    let log = log().verifier().to_string();
    assert_eq!(refused(&format!("log {log}\nquorum a\n")), Cause::KeyTwice);
    assert_eq!(refused(&format!("log {log} ftp://a\nquorum a\n")), Cause::Url);
    assert!(matches!(refused(&format!("log {}\n", witness(2).verifier())), Cause::KeyKind { got: 0x04, .. }));
    assert!(matches!(refused(&format!("witness e {log}\n")), Cause::KeyKind { got: 0x01, .. }));
    // The same key under another name and another id.
    let renamed = NoteSigner::from_seed(KeyName::new("renamed").unwrap(), true, &[2; 32]);
    assert_eq!(refused(&format!("witness e {}\n", renamed.verifier())), Cause::KeyTwice);
    assert!(matches!(refused("witness e nonsense\n"), Cause::Key(_)));
    assert_eq!(policy("\n# a comment\n\t quorum \t a \n").map(|policy| policy.needs_no_witness()), Ok(false));
    // Names are octets, and the words of the language may be names.
    assert!(policy("group any any a\ngroup 2 1 any\nquorum 2\n").is_ok());
    assert!(Policy::parse(b"group \xff any x\n").is_err());
}

#[test]
fn what_is_written_down_means_the_same() {
    for lines in [
        "quorum none\n",
        "quorum a\n",
        "group g 2 a b c\nquorum g\n",
        "group x any a b\ngroup y all c d\ngroup g 2 x y\nquorum g\n",
    ] {
        let policy = policy(lines).unwrap();
        let again = Policy::parse(policy.to_string().as_bytes()).unwrap();
        assert_eq!(again, policy, "{policy}");
    }
    // A witness that has the name of a group to be.
    let text = format!("witness group-1 {}\ngroup g 1 group-1\nquorum g\n", witness(2).verifier());
    let policy = Policy::parse(text.as_bytes()).unwrap();
    assert_eq!(Policy::parse(policy.to_string().as_bytes()).unwrap(), policy);
}
