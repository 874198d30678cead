//! Evidence: files that prove misbehaviour, and files that prove nothing.

use countersign_verifier::evidence::{AdmissionEvidence, ClaimedHead, Evidence, Heads, Included, Prefix};
use countersign_verifier::merkle::{LeafHash, LeafIndex};
use countersign_verifier::note::SignedNote;
use countersign_verifier::statement::Kind;
use serde_json::{Value, json};

use super::admission::{
    AUTHORITY, ENFORCER, Log, OVERSEER, REQUESTER, RUN, STRANGER, Who, close, decision, enforcement, issuer,
    outcome, policy as policy_payload, request,
};
use super::keys::{LOG, note_signer, public_key};
use super::trees::Tree;
use super::{Case, File};

/// What the genesis of these logs says.
const ORIGIN: &str = "log.example";

fn policy() -> String {
    format!("log {}\nquorum none\n", note_signer(ORIGIN, LOG).verifier())
}

fn tree(entries: &[Vec<u8>]) -> Tree {
    Tree::of(entries.iter().map(|entry| LeafHash::of(entry)))
}

/// The head over these entries, signed by the log.
fn head(entries: &[Vec<u8>]) -> SignedNote {
    let size = entries.len() as u64;
    let mut checkpoint = super::keys::head(size, tree(entries).root(size));
    checkpoint.origin = countersign_verifier::checkpoint::Origin::new(ORIGIN).expect("an origin");
    checkpoint.sign(&note_signer(ORIGIN, LOG))
}

fn included(entries: &[Vec<u8>], at: usize) -> Included {
    let (index, size) = (at as u64, entries.len() as u64);
    let proof = tree(entries).prove(index, size);
    Included { index: LeafIndex::new(index).expect("an index"), bytes: entries[at].clone(), proof }
}

fn prefix(entries: &[Vec<u8>], from: usize) -> Prefix {
    let (from, to) = (from as u64, entries.len() as u64);
    Prefix { root: tree(entries).root(from), proof: tree(entries).grow(from, to) }
}

fn admission(entries: &[Vec<u8>], shown: &[usize]) -> AdmissionEvidence {
    let entries_shown = shown.iter().map(|at| included(entries, *at)).collect();
    AdmissionEvidence { head: head(entries), entries: entries_shown, key: None }
}

fn input(evidence: &[u8]) -> Value {
    json!({"evidence": super::bytes(evidence), "policy": policy()})
}

fn proves(name: impl Into<String>, evidence: &Evidence, code: &str, against: &str) -> Case {
    Case::good(name, input(&evidence.to_bytes()), json!({"proven": code, "against": against}))
}

fn nothing(name: impl Into<String>, evidence: &[u8]) -> Case {
    Case::bad(name, input(evidence), json!({"proven": null}))
}

pub(super) fn file() -> File {
    let mut cases = forks();
    cases.extend(admissions());
    cases.extend(claims());
    cases.extend(malformed());
    let about =
        "Does this file prove misbehaviour to who knows the keys in this policy, of which sort, and whose?";
    File { name: "evidence", about, cases }
}

/// Two histories that part after the registrations.
fn histories() -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let mut one = Log::with(&[REQUESTER, AUTHORITY]);
    let mut other = one.clone();
    one.enters(Kind::Intent, REQUESTER, RUN, &request());
    other.enters(Kind::Intent, REQUESTER, "run-2", &request());
    other.enters(Kind::Intent, REQUESTER, "run-3", &request());
    (one.statements, other.statements)
}

fn forks() -> Vec<Case> {
    let (one, other) = histories();
    let same = &other[..one.len()];
    let heads = |larger: &[Vec<u8>]| Heads {
        smaller: head(&one),
        larger: head(larger),
        prefix: prefix(larger, one.len()),
    };
    let fork = heads(&other);
    let mut grown = one.clone();
    grown.extend(other[one.len()..].iter().cloned());
    let mut made_up = fork.clone();
    made_up.prefix.root = tree(&other).root(2);
    let mut short = fork.clone();
    short.prefix.proof.pop();
    let turned =
        Heads { smaller: fork.larger.clone(), larger: fork.smaller.clone(), prefix: fork.prefix.clone() };
    let text = fork.smaller.to_string().replacen("\n4\n", "\n3\n", 1);
    let unsigned = Heads { smaller: SignedNote::parse(text.as_bytes()).expect("a note"), ..fork.clone() };
    let bytes = |heads: Heads| Evidence::Heads(heads).to_bytes();
    vec![
        proves("two histories", &Evidence::Heads(fork.clone()), "fork", "log"),
        proves("two heads of one size", &Evidence::Heads(heads(same)), "fork", "log"),
        nothing("a log that grew", &bytes(heads(&grown))),
        nothing("one head twice", &bytes(heads(&one))),
        nothing("a prefix that is made up", &bytes(made_up)),
        nothing("a proof of the prefix that is too short", &bytes(short)),
        nothing("the smaller head in the place of the larger", &bytes(turned)),
        nothing("a head that nobody signed", &bytes(unsigned)),
    ]
}

/// A statement more than the log should have, and which earlier entries it takes to see that.
type Accused = (&'static str, Log, (Kind, Who, Value), &'static [usize], &'static str);

fn accused() -> Vec<Accused> {
    let mut log = Log::with(&[super::admission::AUTHOR, REQUESTER, AUTHORITY, ENFORCER]);
    let policy = log.enters(Kind::Policy, super::admission::AUTHOR, RUN, &policy_payload());
    let intent = log.enters(Kind::Intent, REQUESTER, RUN, &request());
    let elsewhere = log.enters(Kind::Intent, REQUESTER, "run-2", &request());
    let denied = log.enters(Kind::Decision, AUTHORITY, RUN, &decision("deny", &intent, &policy));
    let authorization = log.enters(Kind::Authorization, AUTHORITY, RUN, &request());
    let mut ended = log.clone();
    ended.enters(Kind::Outcome, ENFORCER, RUN, &outcome("failed", &authorization));
    let mut closed = log.clone();
    closed.enters(Kind::Close, ENFORCER, RUN, &close());
    let mut revoked = log.clone();
    revoked.enters(
        Kind::Issuer,
        super::admission::OPERATOR,
        RUN,
        &issuer(REQUESTER, &["requester"], "revoked"),
    );
    let mut on_denial = request();
    on_denial["refs"] = json!({"decision": denied});
    let operator = super::admission::OPERATOR;
    vec![
        (
            "a second genesis",
            log.clone(),
            (Kind::Genesis, STRANGER, super::admission::genesis(STRANGER)),
            &[0],
            "genesis-again",
        ),
        (
            "an authorization on a denial",
            log.clone(),
            (Kind::Authorization, AUTHORITY, on_denial),
            &[0, 8],
            "decision-denies",
        ),
        (
            "a decision as intent",
            log.clone(),
            (Kind::Decision, AUTHORITY, decision("deny", &denied, &policy)),
            &[0, 8],
            "reference-kind",
        ),
        (
            "an intent of another execution",
            log.clone(),
            (Kind::Decision, AUTHORITY, decision("deny", &elsewhere, &policy)),
            &[0, 7],
            "reference-execution",
        ),
        (
            "a second outcome",
            ended,
            (Kind::Outcome, ENFORCER, outcome("confirmed", &authorization)),
            &[0, 10],
            "outcome-again",
        ),
        (
            "an entry after the close",
            closed,
            (Kind::Outcome, ENFORCER, outcome("failed", &authorization)),
            &[0, 10],
            "execution-closed",
        ),
        (
            "a statement by a revoked key",
            revoked,
            (Kind::Intent, REQUESTER, request()),
            &[0, 10],
            "issuer-revoked",
        ),
        (
            "a statement by who lacks the role",
            log.clone(),
            (Kind::Enforcement, REQUESTER, enforcement(&intent)),
            &[0, 2],
            "role-missing",
        ),
        (
            "the role operator for another name",
            log.clone(),
            (Kind::Issuer, operator, issuer(OVERSEER, &["operator"], "active")),
            &[0],
            "operator-name",
        ),
        (
            "an operator that revokes itself",
            log,
            (Kind::Issuer, operator, issuer(operator, &["operator"], "revoked")),
            &[0],
            "operator-self",
        ),
    ]
}

fn admissions() -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, mut log, (kind, who, payload), shown, code) in accused() {
        log.submit(kind, who, RUN, &payload, json!(null));
        let entries = log.statements;
        let last = entries.len() - 1;
        let all: Vec<usize> = shown.iter().copied().chain([last]).collect();
        cases.push(proves(name, &Evidence::Admission(admission(&entries, &all)), code, "log"));
        // Without the earlier entry that it contradicts, nothing is wrong with it.
        let alone = Evidence::Admission(admission(&entries, &[0, last])).to_bytes();
        if shown.len() > 1 {
            cases.push(nothing(format!("{name}, without what it contradicts"), &alone));
        }
    }
    let (entries, _) = histories();
    let with = |bytes: Vec<u8>| [&entries[..], &[bytes]].concat();
    let last = entries.len();
    let twice = with(entries[3].clone());
    cases.push(proves(
        "the same statement twice",
        &Evidence::Admission(admission(&twice, &[0, 3, last])),
        "already-present",
        "log",
    ));
    let nonsense = with(b"nonsense".to_vec());
    cases.push(proves(
        "an entry that is no statement",
        &Evidence::Admission(admission(&nonsense, &[0, last])),
        "cose-malformed",
        "log",
    ));
    cases.push(nothing(
        "an entry that is no statement, without the genesis",
        &Evidence::Admission(admission(&nonsense, &[last])).to_bytes(),
    ));
    let mut forged = entries[3].clone();
    *forged.last_mut().expect("a statement") ^= 1;
    let forged = with(forged);
    let keyed = |entries: &[Vec<u8>], at: usize, seed: u8| {
        let key = Some(public_key(seed));
        Evidence::Admission(AdmissionEvidence { key, ..admission(entries, &[0, at]) })
    };
    cases.push(proves(
        "an entry whose signature is false",
        &keyed(&forged, last, REQUESTER.0),
        "signature-invalid",
        "log",
    ));
    cases.push(nothing(
        "an entry whose signature is false, by another key",
        &keyed(&forged, last, STRANGER.0).to_bytes(),
    ));
    cases.push(nothing("an entry whose signature holds", &keyed(&entries, 3, REQUESTER.0).to_bytes()));
    for (name, shown) in [
        ("an entry that is as it should be", &[0, 3][..]),
        ("the genesis alone", &[0]),
        ("entries out of order", &[0, 3, 2]),
    ] {
        cases.push(nothing(name, &Evidence::Admission(admission(&entries, shown)).to_bytes()));
    }
    cases
}

fn claims() -> Vec<Case> {
    let verification = |root: &str, authorization: &str| {
        json!({"result": "pass", "code": "ok", "mode": "cosigned", "checkpoint": {"size": 2, "root": root},
            "refs": {"authorization": authorization}})
    };
    let claim = |of: &[Vec<u8>]| {
        let mut log = Log::with(&[AUTHORITY, ENFORCER]);
        let authorization = log.enters(Kind::Authorization, AUTHORITY, RUN, &request());
        let root = tree(of).root(2).to_base64();
        log.enters(Kind::Verification, ENFORCER, RUN, &verification(&root, &authorization));
        let entries = log.statements;
        let (registration, verification) = (included(&entries, 2), included(&entries, 4));
        ClaimedHead { head: head(&entries), registration, verification, prefix: prefix(&entries, 2) }
    };
    let another: Vec<Vec<u8>> = vec![b"one".to_vec(), b"two".to_vec()];
    let own = Log::with(&[AUTHORITY, ENFORCER]).statements;
    let false_claim = claim(&another);
    let mut unregistered = false_claim.clone();
    unregistered.registration = included(&own, 1);
    let bytes = |claimed: ClaimedHead| Evidence::ClaimedHead(claimed).to_bytes();
    vec![
        proves(
            "a verification of another tree",
            &Evidence::ClaimedHead(false_claim),
            "head-contradicted",
            "log_or_issuer",
        ),
        nothing("a verification of the tree that the log had", &bytes(claim(&own))),
        nothing("a registration that is not in the tree", &bytes(unregistered)),
    ]
}

fn malformed() -> Vec<Case> {
    let (one, other) = histories();
    let heads = Heads { smaller: head(&one), larger: head(&other), prefix: prefix(&other, one.len()) };
    let text = String::from_utf8(Evidence::Heads(heads).to_bytes()).expect("JSON");
    let cases: Vec<(&str, String)> = vec![
        ("no bytes", String::new()),
        ("an array", "[]".to_owned()),
        ("a blank", text.replacen("{\"checkpoints\"", "{ \"checkpoints\"", 1)),
        ("a line feed at the end", format!("{text}\n")),
        ("another version", text.replacen("evidence/v1", "evidence/v2", 1)),
        ("another kind", text.replacen("\"kind\":\"heads\"", "\"kind\":\"admission\"", 1)),
        ("no kind of evidence", text.replacen("\"kind\":\"heads\"", "\"kind\":\"rumour\"", 1)),
        ("a member more", text.replacen("\"kind\"", "\"note\":\"\",\"kind\"", 1)),
        ("an escape that is not needed", text.replacen('\u{2014}', "\\u2014", 1)),
        // In the name of a signature line that nobody would miss.
        ("half of a character", text.replacen("\\n\"", "\\n\u{2014} x\\ud800 AAAAAAAA\\n\"", 1)),
        ("one head", text.replacen(&format!("{},", json!(head(&one).to_string())), "", 1)),
    ];
    cases.into_iter().map(|(name, file)| nothing(format!("no evidence: {name}"), file.as_bytes())).collect()
}
