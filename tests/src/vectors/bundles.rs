//! Bundles: whole executions in one file, and what they show to whom.

use countersign_verifier::lineage::FindingCode;
use countersign_verifier::merkle::{LeafHash, NodeHash};
use countersign_verifier::statement::{Kind, VerifiedStatement};
use serde_json::{Value, json};

use super::keys::{LOG, WITNESSES, line, note_signer, witness};
use super::trees::{Tree, prove_all};
use super::{Case, File, base64};
use crate::stories::{Party, Story, Told};

const ORIGIN: &str = "log.example/stories";
const EXECUTION: &str = "story/one";
/// Entries of other executions, after those of the story: of no concern but for the shape of the tree.
const OTHERS: usize = 9;

/// The parts of a bundle, so that it can be put together wrongly.
#[derive(Clone)]
struct Parts {
    format: String,
    execution: String,
    checkpoint: String,
    entries: Vec<(u64, Vec<u8>)>,
    multiproof: Vec<String>,
}

impl Parts {
    /// The bundle of a story, under a head with its quorum.
    fn of(told: &Told) -> Self {
        let bytes: Vec<Vec<u8>> = told.entries.iter().map(|one| one.statement().bytes().to_vec()).collect();
        Self::with(told, &bytes, &WITNESSES[..2])
    }

    /// The same over these bytes in the places of the entries.
    fn with(told: &Told, bytes: &[Vec<u8>], seeds: &[u8]) -> Self {
        let needed = needed(told);
        let own = bytes.iter().map(|bytes| LeafHash::of(bytes));
        let leaves: Vec<LeafHash> = own.chain((0..OTHERS as u64).map(super::trees::leaf)).collect();
        let size = leaves.len() as u64;
        let root = Tree::of(leaves.iter().copied()).root(size);
        let proof = prove_all(&leaves, &needed);
        Self {
            format: "countersign-bundle/v1".to_owned(),
            execution: EXECUTION.to_owned(),
            checkpoint: head(ORIGIN, size, root, LOG, seeds),
            entries: needed.iter().map(|at| (*at as u64, bytes[*at].clone())).collect(),
            multiproof: proof.iter().map(NodeHash::to_base64).collect(),
        }
    }

    /// The file, in the one encoding that a bundle has.
    fn file(&self) -> String {
        let entries: Vec<String> = self
            .entries
            .iter()
            .map(|(index, bytes)| format!("{{\"index\":{index},\"statement\":\"{}\"}}", base64(bytes)))
            .collect();
        let hashes: Vec<String> = self.multiproof.iter().map(|hash| json!(hash).to_string()).collect();
        format!(
            "{{\"format\":{},\"execution\":{},\"checkpoint\":{},\"entries\":[{}],\"multiproof\":[{}]}}",
            json!(self.format),
            json!(self.execution),
            json!(self.checkpoint),
            entries.join(","),
            hashes.join(",")
        )
    }

    fn changed(&self, change: impl FnOnce(&mut Self)) -> String {
        let mut parts = self.clone();
        change(&mut parts);
        parts.file()
    }
}

/// The places of the execution's entries and of what they stand on: genesis, cited policy, and whoever signed any.
fn needed(told: &Told) -> Vec<usize> {
    let statement = |at: usize| told.entries[at].statement();
    let is_own = |at: &usize| statement(*at).execution().is_some() || statement(*at).kind() == Kind::Policy;
    let own: Vec<usize> = (0..told.entries.len()).filter(is_own).collect();
    let signs = |name: &str| own.iter().any(|at| statement(*at).claims().issuer.as_str() == name);
    let issuer = |one: &VerifiedStatement| {
        let subject = one.statement().claims().subject.to_string();
        subject.strip_prefix("issuer:").is_some_and(signs)
    };
    (0..told.entries.len()).filter(|at| *at == 0 || own.contains(at) || issuer(&told.entries[*at])).collect()
}

fn head(
    origin: &str,
    size: u64,
    root: countersign_verifier::merkle::RootHash,
    log: u8,
    seeds: &[u8],
) -> String {
    let mut checkpoint = super::keys::head(size, root);
    checkpoint.origin = countersign_verifier::checkpoint::Origin::new(origin).expect("an origin");
    let note = checkpoint.sign(&note_signer(origin, log));
    let lines = seeds.iter().map(|seed| line(&checkpoint, *seed, super::keys::COSIGNED_AT));
    note.with_signatures(note.signatures().iter().cloned().chain(lines).collect()).to_string()
}

/// The log of the stories, and two of three witnesses.
fn policy(origin: &str) -> String {
    let [a, b, c, _] = WITNESSES.map(|seed| witness(seed).verifier().to_string());
    let log = note_signer(origin, LOG);
    format!(
        "log {}\nwitness a {a}\nwitness b {b}\nwitness c {c}\ngroup two 2 a b c\nquorum two\n",
        log.verifier()
    )
}

fn input(file: &str) -> Value {
    json!({"bundle": file, "policy": policy(ORIGIN)})
}

const STAGES: [&str; 8] = [
    "format",
    "statement_signatures",
    "inclusion",
    "log_signature",
    "witness_quorum",
    "issuer_roles",
    "lineage",
    "policy_replay",
];
const PASS: &str = "pass";
const FAIL: &str = "fail";
const NOT: &str = "not_checked";

fn expect(verdicts: [&str; 7], lineage: Option<&str>, findings: &[(FindingCode, u64)]) -> Value {
    let verdicts = verdicts.into_iter().chain([NOT]);
    let stages: serde_json::Map<String, Value> =
        STAGES.into_iter().zip(verdicts).map(|(stage, verdict)| (stage.to_owned(), verdict.into())).collect();
    let findings: Vec<Value> =
        findings.iter().map(|(code, index)| json!([code, index.to_string()])).collect();
    json!({"stages": stages, "lineage": lineage, "findings": lineage.map(|_| findings)})
}

pub(super) fn file() -> File {
    let mut cases = executions();
    cases.extend(doubts());
    cases.extend(malformed());
    File { name: "bundles", about: "What does this bundle show to who trusts this policy?", cases }
}

/// Sound bundles, whatever the execution in them comes to.
fn executions() -> Vec<Case> {
    let at = |told: &Told, label: &str| told.index(label).get();
    let mut cases = Vec::new();
    let mut push = |name: &str, story: Story, verdict: &str, finding: Option<(FindingCode, &str)>| {
        let told = story.tell();
        let stage = match verdict {
            "governed" | "denied" => PASS,
            "violated" => FAIL,
            _ => NOT,
        };
        let findings: Vec<(FindingCode, u64)> =
            finding.iter().map(|(code, label)| (*code, at(&told, label))).collect();
        let expect = expect([PASS, PASS, PASS, PASS, PASS, PASS, stage], Some(verdict), &findings);
        let input = input(&Parts::of(&told).file());
        cases.push(if stage == PASS {
            Case::good(name, input, expect)
        } else {
            Case::bad(name, input, expect)
        });
    };
    push("a governed execution", Story::governed(), "governed", None);
    push("a denied execution", Story::denied(), "denied", None);
    push("two strands in one execution", Story::strands(&[0, 1, 0, 1, 1, 0, 0, 1, 1, 0]), "governed", None);
    let open = Story::governed().without("close").without("outcome");
    push("an open execution", open, "open", None);
    let unclosed = (FindingCode::CloseMissing, "outcome");
    push("an execution that nobody closed", Story::governed().without("close"), "governed", Some(unclosed));
    let unknown = Story::governed().set("outcome", json!({"status": "unknown"}));
    push(
        "an execution whose outcome is unknown",
        unknown,
        "partial",
        Some((FindingCode::OutcomeUnknown, "outcome")),
    );
    let late = Story::governed().change("authorization", |said| said.window = (Party::Enforcer, 1, 2));
    push(
        "an execution outside of its window",
        late,
        "violated",
        Some((FindingCode::OutsideWindow, "outcome")),
    );
    cases
}

/// Bundles in which something does not hold, or cannot be known.
fn doubts() -> Vec<Case> {
    let told = Story::governed().tell();
    let sound = Parts::of(&told);
    let bytes: Vec<Vec<u8>> = told.entries.iter().map(|one| one.statement().bytes().to_vec()).collect();
    let outcome = usize::try_from(told.index("outcome").get()).expect("a place in a story");
    let governed = Some("governed");
    let mut cases = Vec::new();
    let mut push = |name: &str, file: &str, verdicts: [&str; 7], lineage: Option<&str>| {
        cases.push(Case::bad(name, input(file), expect(verdicts, lineage, &[])));
    };
    let lone = Parts::with(&told, &bytes, &WITNESSES[..1]);
    push("too few witnesses", &lone.file(), [PASS, PASS, PASS, PASS, FAIL, PASS, PASS], governed);
    let mut forged = bytes.clone();
    *forged[outcome].last_mut().expect("a statement") ^= 1;
    let in_tree = Parts::with(&told, &forged, &WITNESSES[..2]);
    push("a false signature in the tree", &in_tree.file(), [PASS, FAIL, PASS, PASS, PASS, NOT, NOT], None);
    let place =
        |parts: &Parts| parts.entries.iter().position(|(at, _)| *at == outcome as u64).expect("it is there");
    let swapped = sound.changed(|parts| {
        let at = place(parts);
        parts.entries[at].1.clone_from(&forged[outcome]);
    });
    push("a false signature, not in the tree", &swapped, [PASS, FAIL, FAIL, PASS, PASS, NOT, NOT], None);
    let other = NodeHash::from(LeafHash::of(b"another")).to_base64();
    let hash = sound.changed(|parts| parts.multiproof[0].clone_from(&other));
    push("another hash in the proof", &hash, [PASS, PASS, FAIL, PASS, PASS, PASS, NOT], None);
    let exchanged = sound.changed(|parts| {
        let [intent, decision] = ["intent", "decision"].map(|label| {
            let index = told.index(label).get();
            parts.entries.iter().position(|(at, _)| *at == index).expect("it is there")
        });
        let first = parts.entries[intent].1.clone();
        parts.entries[intent].1 = std::mem::replace(&mut parts.entries[decision].1, first);
    });
    push("two entries in each other's place", &exchanged, [PASS, PASS, FAIL, PASS, PASS, FAIL, NOT], None);
    let (size, root) = (bytes.len() as u64 + OTHERS as u64, Tree::new().root(3));
    let stranger = sound.changed(|parts| parts.checkpoint = head(ORIGIN, size, root, 9, &[]));
    push("a head by another key", &stranger, [PASS, PASS, NOT, FAIL, NOT, PASS, NOT], None);
    let root_of_another =
        sound.changed(|parts| parts.checkpoint = head(ORIGIN, size, root, LOG, &WITNESSES[..2]));
    push("a head with another root", &root_of_another, [PASS, PASS, FAIL, PASS, PASS, PASS, NOT], None);

    let by_enforcer = Story::governed().change("decision", |said| said.by = Party::Enforcer).tell();
    push(
        "a decision by who may not decide",
        &Parts::of(&by_enforcer).file(),
        [PASS, PASS, PASS, PASS, PASS, FAIL, NOT],
        None,
    );
    cases.push(another_origin(&told));
    cases
}

impl Parts {
    /// The bundle of a story with one of its entries left out, and a proof that fits.
    fn without(told: &Told, label: &str) -> Self {
        let mut parts = Self::of(told);
        let left_out = told.index(label).get();
        parts.entries.retain(|(at, _)| *at != left_out);
        let own = told.entries.iter().map(VerifiedStatement::entry_id);
        let leaves: Vec<LeafHash> = own.chain((0..OTHERS as u64).map(super::trees::leaf)).collect();
        let places: Vec<usize> =
            parts.entries.iter().filter_map(|(at, _)| usize::try_from(*at).ok()).collect();
        parts.multiproof = prove_all(&leaves, &places).iter().map(NodeHash::to_base64).collect();
        parts
    }
}

impl Parts {
    fn size(&self) -> usize {
        let size = self.checkpoint.lines().nth(1).and_then(|line| line.parse().ok());
        size.expect("a checkpoint names a size")
    }
}

/// A sound bundle under a head of another log than its genesis founds.
fn another_origin(told: &Told) -> Case {
    const OTHER: &str = "log.example/other-stories";
    let mut parts = Parts::of(told);
    let own = told.entries.iter().map(VerifiedStatement::entry_id);
    let leaves = own.chain((0..OTHERS as u64).map(super::trees::leaf));
    let size = parts.size() as u64;
    parts.checkpoint = head(OTHER, size, Tree::of(leaves).root(size), LOG, &WITNESSES[..2]);
    let input = json!({"bundle": parts.file(), "policy": policy(OTHER)});
    Case::bad(
        "a head of another log than the genesis",
        input,
        expect([PASS, PASS, PASS, PASS, PASS, FAIL, NOT], None, &[]),
    )
}

/// What is no bundle, or not a whole one, or not in the one encoding that it has.
fn malformed() -> Vec<Case> {
    // Authorized by a policy and closed: the smallest execution that stands on several entries.
    let steps = ["intent", "decision", "verification", "outcome"];
    let told = steps.into_iter().fold(Story::governed(), Story::without).tell();
    let sound = Parts::of(&told);
    let file = sound.file();
    let at = |label: &str| told.index(label).get();
    let without = |label: &str| Parts::without(&told, label).file();
    let with = |from: &str, to: &str| {
        let changed = file.replacen(from, to, 1);
        assert_ne!(changed, file, "{from} is in the file");
        changed
    };
    let surplus = sound.changed(|parts| {
        let other =
            told.entries[usize::try_from(at("overseer")).expect("a place")].statement().bytes().to_vec();
        let place = parts.entries.iter().position(|(index, _)| *index > at("overseer")).expect("later ones");
        parts.entries.insert(place, (at("overseer"), other));
    });
    let statement = base64(&sound.entries[1].1);
    let cases: Vec<(&str, String)> = vec![
        ("no bytes", String::new()),
        ("an array", "[]".to_owned()),
        ("null", "null".to_owned()),
        ("a line feed at the end", format!("{file}\n")),
        ("a blank", with(",\"execution\"", ", \"execution\"")),
        ("a member more", with(",\"execution\"", ",\"note\":1,\"execution\"")),
        ("a member twice", with(",\"execution\"", ",\"format\":\"countersign-bundle/v1\",\"execution\"")),
        ("a member of an entry more", with("{\"index\":0,", "{\"index\":0,\"x\":1,")),
        ("a member missing", with("\"format\":\"countersign-bundle/v1\",", "")),
        (
            "members in another order",
            with(
                "\"format\":\"countersign-bundle/v1\",\"execution\":\"story/one\"",
                "\"execution\":\"story/one\",\"format\":\"countersign-bundle/v1\"",
            ),
        ),
        ("an escape that is not needed", with("story/one", "story\\/one")),
        // In the name of a signature line that nobody would miss.
        ("half of a character", with("\\n\",\"entries\"", "\\n\u{2014} x\\ud800 AAAAAAAA\\n\",\"entries\"")),
        ("another version", with("bundle/v1", "bundle/v2")),
        ("an index as a text", with("{\"index\":0,", "{\"index\":\"0\",")),
        ("an index as a float", with("{\"index\":0,", "{\"index\":0.0,")),
        ("a negative index", with("{\"index\":0,", "{\"index\":-0,")),
        (
            "an index beyond 2^53",
            sound.changed(|parts| parts.entries.last_mut().expect("entries").0 = 1 << 53),
        ),
        (
            "an index outside of the tree",
            sound.changed(|parts| parts.entries.last_mut().expect("entries").0 = 99),
        ),
        ("entries in another order", sound.changed(|parts| parts.entries.swap(1, 2))),
        ("an entry twice", sound.changed(|parts| parts.entries.insert(1, parts.entries[0].clone()))),
        ("a statement that is not base64", with(&statement, &statement[1..])),
        ("a statement that is none", sound.changed(|parts| parts.entries[2].1[0] ^= 1)),
        ("an execution id that is none", sound.changed(|parts| "story one".clone_into(&mut parts.execution))),
        ("another execution", sound.changed(|parts| "story/two".clone_into(&mut parts.execution))),
        ("a checkpoint that is no note", sound.changed(|parts| parts.checkpoint.truncate(60))),
        (
            "a note that is no checkpoint",
            sound.changed(|parts| parts.checkpoint = parts.checkpoint.replacen('\n', "\n0", 1)),
        ),
        ("a hash too few", sound.changed(|parts| drop(parts.multiproof.pop()))),
        ("a hash too many", sound.changed(|parts| parts.multiproof.push(parts.multiproof[0].clone()))),
        ("a hash that is none", sound.changed(|parts| parts.multiproof[0] = base64(&[1; 31]))),
        ("no genesis", without("genesis")),
        ("no registration of who enforced", without("enforcer")),
        ("no registration of who wrote the policy", without("authority")),
        ("no policy", without("policy")),
        ("somebody who signed nothing", surplus),
    ];
    let expect = expect([FAIL, NOT, NOT, NOT, NOT, NOT, NOT], None, &[]);
    cases
        .into_iter()
        .map(|(name, file)| Case::bad(format!("no bundle: {name}"), input(&file), expect.clone()))
        .collect()
}
