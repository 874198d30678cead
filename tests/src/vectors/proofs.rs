//! Whole proofs in one file: an entry, its path, its head.

use countersign_verifier::merkle::{LeafHash, LeafIndex};
use countersign_verifier::proof::TlogProof;
use countersign_verifier::statement::Kind;
use serde_json::{Value, json};

use super::keys::{WITNESSES, cosigned, head, policy, public_text};
use super::raw::{Raw, SIGNER};
use super::trees::{Tree, leaf};
use super::{Case, File, payloads};

/// Where the entry stands, and in how large a tree.
const INDEX: u64 = 5;
const SIZE: u64 = 21;

struct Proven {
    entry: Vec<u8>,
    proof: String,
}

/// A tree of texts with one entry among them, and the proof of that entry under a head with its quorum.
fn proven(entry: &[u8], extra: Option<&[u8]>, seeds: &[u8]) -> Proven {
    let leaves = (0..SIZE).map(|at| if at == INDEX { LeafHash::of(entry) } else { leaf(at) });
    let tree = Tree::of(leaves);
    let proof = TlogProof {
        extra: extra.map(<[u8]>::to_vec),
        index: LeafIndex::new(INDEX).expect("an index"),
        hashes: tree.prove(INDEX, SIZE),
        checkpoint: cosigned(&head(SIZE, tree.root(SIZE)), seeds),
    };
    Proven { entry: entry.to_vec(), proof: proof.to_string() }
}

#[expect(clippy::too_many_lines, reason = "it is a list")]
pub(super) fn file() -> File {
    let statement = Raw::new(Kind::Close, &payloads::full(Kind::Close)).sign();
    let [a, b, ..] = WITNESSES;
    let sound = proven(&statement, None, &[a, b]);
    let plain = proven(b"not a statement", None, &[a, b]);
    let extra = proven(&statement, Some(b"anything"), &[a, b]);
    let lone = proven(&statement, None, &[a]);
    let mut tampered = statement.clone();
    tampered[4] ^= 1;
    let malformed = proven(&tampered, None, &[a, b]);
    let mut unsigned = statement.clone();
    *unsigned.last_mut().expect("a statement") ^= 1;
    let unsigned = proven(&unsigned, None, &[a, b]);

    let mut cases = Vec::new();
    let mut push = |name: &str, entry: &[u8], proof: &str, key: Option<u8>, verdicts: [&str; 5]| {
        let mut stages: serde_json::Map<String, Value> = STAGES
            .into_iter()
            .zip(verdicts.map(Value::from))
            .map(|(stage, verdict)| (stage.to_owned(), verdict))
            .collect();
        for stage in ["issuer_roles", "lineage", "policy_replay"] {
            stages.insert(stage.to_owned(), json!("not_checked"));
        }
        let expect = json!({ "stages": stages });
        let is_good = !verdicts.contains(&"fail") && verdicts[2..].iter().all(|verdict| *verdict == "pass");
        let input = input(entry, proof.as_bytes(), key);
        cases.push(if is_good { Case::good(name, input, expect) } else { Case::bad(name, input, expect) });
    };
    let (pass, fail, not) = ("pass", "fail", "not_checked");
    push("a statement with its signer's key", &sound.entry, &sound.proof, Some(SIGNER), [pass; 5]);
    push(
        "a statement without its signer's key",
        &sound.entry,
        &sound.proof,
        None,
        [pass, not, pass, pass, pass],
    );
    push(
        "an entry that is no statement",
        &plain.entry,
        &plain.proof,
        Some(SIGNER),
        [not, not, pass, pass, pass],
    );
    push("a proof with something extra", &extra.entry, &extra.proof, Some(SIGNER), [pass; 5]);
    push("another signer's key", &sound.entry, &sound.proof, Some(8), [pass, fail, pass, pass, pass]);
    push("an entry that was changed", &tampered, &sound.proof, Some(SIGNER), [fail, not, fail, pass, pass]);
    push(
        "a malformed statement in the tree",
        &malformed.entry,
        &malformed.proof,
        Some(SIGNER),
        [fail, not, pass, pass, pass],
    );
    push(
        "a statement in the tree whose signature is false",
        &unsigned.entry,
        &unsigned.proof,
        Some(SIGNER),
        [pass, fail, pass, pass, pass],
    );
    push("too few witnesses", &lone.entry, &lone.proof, Some(SIGNER), [pass, pass, pass, pass, fail]);
    push(
        "the proof of another entry",
        &plain.entry,
        &sound.proof,
        Some(SIGNER),
        [not, not, fail, pass, pass],
    );
    let moved = sound.proof.replacen("index 5", "index 4", 1);
    push("another index", &sound.entry, &moved, Some(SIGNER), [pass, pass, fail, pass, pass]);
    let beyond = sound.proof.replacen("index 5", "index 21", 1);
    push("an index outside the tree", &sound.entry, &beyond, Some(SIGNER), [pass, pass, fail, pass, pass]);
    let resized = sound.proof.replacen("\n21\n", "\n22\n", 1);
    push("another head than was signed", &sound.entry, &resized, Some(SIGNER), [pass, pass, not, fail, not]);
    let first = sound.proof.lines().nth(2).unwrap_or_default();
    let shorter = sound.proof.replacen(&format!("{first}\n"), "", 1);
    push("a hash left out", &sound.entry, &shorter, Some(SIGNER), [pass, pass, fail, pass, pass]);
    let longer = sound.proof.replacen(&format!("{first}\n"), &format!("{first}\n{first}\n"), 1);
    push("a hash twice", &sound.entry, &longer, Some(SIGNER), [pass, pass, fail, pass, pass]);

    let with = |from: &str, to: &str| sound.proof.replacen(from, to, 1).into_bytes();
    let malformed: Vec<(&str, Vec<u8>)> = vec![
        ("no bytes", Vec::new()),
        ("another version", with("@v1", "@v2")),
        ("no index", with("index 5\n", "")),
        ("an index with a leading zero", with("index 5", "index 05")),
        ("an index with a sign", with("index 5", "index +5")),
        ("an index of 2^63 - 1", with("index 5", "index 9223372036854775807")),
        ("an empty extra", with("index 5", "extra \nindex 5")),
        ("an extra that is not base64", with("index 5", "extra =\nindex 5")),
        ("an extra after the index", with("index 5", "index 5\nextra AAAA")),
        ("a hash of 31 bytes", with(first, &super::base64(&[1; 31]))),
        ("a hash in hex", with(first, &"00".repeat(32))),
        ("no blank line", with("\n\n", "\n")),
        ("64 hashes", with(first, &[first; 60].join("\n"))),
        ("a head that is no note", sound.proof.trim_end().as_bytes().to_vec()),
        ("not UTF-8", [sound.proof.as_bytes(), b"\xff"].concat()),
        ("a carriage return", with("index 5\n", "index 5\r\n")),
    ];
    cases.extend(malformed.iter().map(|(name, proof)| {
        Case::bad(format!("no proof: {name}"), input(&sound.entry, proof, None), json!({"refused": true}))
    }));
    let about = "What does this proof show of this entry, stage by stage, to who trusts this policy?";
    File { name: "proofs", about, cases }
}

const STAGES: [&str; 5] = ["format", "statement_signatures", "inclusion", "log_signature", "witness_quorum"];

fn input(entry: &[u8], proof: &[u8], key: Option<u8>) -> Value {
    let mut input = json!({"entry": super::bytes(entry), "proof": super::bytes(proof), "policy": policy()});
    if let (Some(key), Some(members)) = (key, input.as_object_mut()) {
        members.insert("issuer_key".to_owned(), json!(public_text(key)));
    }
    input
}
