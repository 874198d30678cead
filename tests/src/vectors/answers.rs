//! What this library says to the vectors.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_verifier::admission::{AdmitError, MemoryState, Refusal, admit, signing_key};
use countersign_verifier::ed25519::PublicKey;
use countersign_verifier::evidence::Evidence;
use countersign_verifier::lineage::{Judgement, Step, judge};
use countersign_verifier::merkle::{
    LeafHash, LeafIndex, NodeHash, ProofError, RootHash, TreeSize, verify_consistency, verify_inclusion,
    verify_multiproof,
};
use countersign_verifier::note::{SignedNote, VerifierKey};
use countersign_verifier::proof::TlogProof;
use countersign_verifier::quorum::Policy;
use countersign_verifier::report::{Finding, Line, check_bundle, check_proof};
use countersign_verifier::statement::Statement;
use serde_json::{Map, Value, json};

use super::read_bytes;

/// The answer to one case of the file `name`.
pub fn answer(name: &str, input: &Value) -> Value {
    match name {
        "ed25519" => ed25519(input),
        "inclusion" => holds(inclusion(input)),
        "consistency" => holds(consistency(input)),
        "multiproof" => holds(multiproof(input)),
        "vkeys" => vkey(input),
        "notes" => note(input),
        "policies" => policy(input),
        "heads" => head(input),
        "proofs" => proof(input),
        "statements" => statement(input),
        "admission" => admission(input),
        "lineage" => lineage(input),
        "bundles" => bundle(input),
        "evidence" => evidence(input),
        other => panic!("no such file of vectors: {other}"),
    }
}

fn text<'a>(input: &'a Value, name: &str) -> &'a str {
    input.get(name).and_then(Value::as_str).unwrap_or_else(|| panic!("{name} is a text: {input}"))
}

fn field<'a>(input: &'a Value, name: &str) -> &'a Value {
    input.get(name).unwrap_or_else(|| panic!("{name} is there: {input}"))
}

fn items<'a>(input: &'a Value, name: &str) -> &'a [Value] {
    field(input, name).as_array().unwrap_or_else(|| panic!("{name} is an array: {input}"))
}

fn base64(input: &Value, name: &str) -> Vec<u8> {
    STANDARD.decode(text(input, name)).expect("base64 in a vector")
}

fn refused() -> Value {
    json!({"refused": true})
}

fn holds(holds: bool) -> Value {
    json!({ "holds": holds })
}

fn hashes(input: &Value) -> Vec<NodeHash> {
    let hash = |text: &Value| text.as_str().and_then(|text| NodeHash::from_base64(text).ok());
    items(input, "proof").iter().map(|text| hash(text).expect("a hash in a vector")).collect()
}

fn root(input: &Value, name: &str) -> RootHash {
    RootHash::from_base64(text(input, name)).expect("a root in a vector")
}

fn ed25519(input: &Value) -> Value {
    let (message, signature) = (read_bytes(field(input, "message")), base64(input, "signature"));
    let key = PublicKey::from_bytes(&base64(input, "public_key")).ok();
    let signature = <[u8; 64]>::try_from(signature).ok();
    let verified =
        key.zip(signature).is_some_and(|(key, signature)| key.verify(&message, &signature).is_ok());
    json!({"key": key.is_some(), "signature": verified})
}

fn inclusion(input: &Value) -> bool {
    let leaf: LeafHash = text(input, "leaf").parse().expect("a leaf hash in a vector");
    let (index, size) = (LeafIndex::parse(text(input, "index")), TreeSize::parse(text(input, "size")));
    let Some((index, size)) = index.zip(size) else { return false };
    verify_inclusion(leaf, index, size, &hashes(input), root(input, "root")).is_ok()
}

fn consistency(input: &Value) -> bool {
    let size = |name| TreeSize::parse(text(input, name)).expect("a size in a vector");
    let (from, to) = (size("from"), size("to"));
    let verdict: Result<(), ProofError> =
        verify_consistency(from, root(input, "from_root"), to, root(input, "to_root"), &hashes(input));
    verdict.is_ok()
}

fn multiproof(input: &Value) -> bool {
    let place = |leaf: &Value| {
        let index = LeafIndex::parse(text(leaf, "index")).expect("an index in a vector");
        (index, text(leaf, "leaf").parse().expect("a leaf hash in a vector"))
    };
    let leaves: Vec<(LeafIndex, LeafHash)> = items(input, "leaves").iter().map(place).collect();
    let size = TreeSize::parse(text(input, "size")).expect("a size in a vector");
    verify_multiproof(&leaves, size, &hashes(input), root(input, "root")).is_ok()
}

fn vkey(input: &Value) -> Value {
    match text(input, "vkey").parse::<VerifierKey>() {
        Ok(key) => json!({"name": key.name().as_str(), "type": key.kind().byte()}),
        Err(_) => refused(),
    }
}

fn note(input: &Value) -> Value {
    let keys: Vec<VerifierKey> = items(input, "keys")
        .iter()
        .map(|key| key.as_str().and_then(|key| key.parse().ok()).expect("a key in a vector"))
        .collect();
    let Ok(note) = SignedNote::parse(&read_bytes(field(input, "note"))) else {
        return json!({"form": false, "signed_by": null});
    };
    let lines = note.verify(&keys).ok();
    let names = lines.map(|lines| lines.iter().map(|line| line.name().to_string()).collect::<Vec<_>>());
    json!({"form": true, "signed_by": names})
}

fn policy(input: &Value) -> Value {
    match Policy::parse(&read_bytes(field(input, "policy"))) {
        Ok(policy) => json!({"logs": policy.logs().len(), "witnesses": policy.witnesses().len()}),
        Err(_) => refused(),
    }
}

fn head(input: &Value) -> Value {
    let policy = Policy::parse(&read_bytes(field(input, "policy"))).expect("a policy in a vector");
    let note = SignedNote::parse(&read_bytes(field(input, "note"))).expect("a note in a vector");
    if policy.verify_log(&note).is_err() {
        return json!({"log_signature": "fail", "witness_quorum": "not_checked", "cosigned": null});
    }
    let cosigned = policy.verify(&note).ok().map(|head| {
        let cosigned = head.cosignatures().iter();
        cosigned.map(|one| json!([one.witness, one.time.to_string()])).collect::<Vec<_>>()
    });
    let quorum = if cosigned.is_some() { "pass" } else { "fail" };
    json!({"log_signature": "pass", "witness_quorum": quorum, "cosigned": cosigned})
}

fn proof(input: &Value) -> Value {
    let policy = Policy::parse(&read_bytes(field(input, "policy"))).expect("a policy in a vector");
    let Ok(proof) = TlogProof::parse(&read_bytes(field(input, "proof"))) else { return refused() };
    let issuer = input
        .get("issuer_key")
        .map(|_| PublicKey::from_bytes(&base64(input, "issuer_key")).expect("a key in a vector"));
    let report = check_proof(&read_bytes(field(input, "entry")), &proof, &policy, issuer.as_ref());
    json!({ "stages": stages(&report.stages) })
}

fn bundle(input: &Value) -> Value {
    let policy = Policy::parse(&read_bytes(field(input, "policy"))).expect("a policy in a vector");
    let report = check_bundle(&read_bytes(field(input, "bundle")), &policy);
    let verdict = report.lineage.as_ref().map(|judged| judged.verdict);
    let findings = report.lineage.as_ref().map(findings);
    json!({"stages": stages(&report.stages), "lineage": verdict, "findings": findings})
}

fn findings(judged: &Judgement) -> Vec<Value> {
    judged.findings.iter().map(|finding| json!([finding.code, finding.index.to_string()])).collect()
}

/// The verdicts of a report, without their reasons.
fn stages(lines: &[Line]) -> Map<String, Value> {
    let verdict = |line: &Line| match line.finding {
        Finding::Pass(_) => "pass",
        Finding::Fail(_) => "fail",
        Finding::NotChecked(_) => "not_checked",
    };
    let name = |line: &Line| line.stage.to_string().replace(' ', "_");
    lines.iter().map(|line| (name(line), verdict(line).into())).collect()
}

fn statement(input: &Value) -> Value {
    let statement = match Statement::parse(&read_bytes(field(input, "statement"))) {
        Ok(statement) => statement,
        Err(error) => {
            return match error.pointer().filter(|pointer| !pointer.as_str().is_empty()) {
                Some(pointer) => json!({"refused": error.code(), "pointer": pointer.as_str()}),
                None => json!({"refused": error.code()}),
            };
        }
    };
    let claims = statement.claims();
    let (kind, iss, sub) = (statement.kind(), claims.issuer.to_string(), claims.subject.to_string());
    let key = PublicKey::from_bytes(&base64(input, "public_key")).expect("a key in a vector");
    let signature = statement.verify(&key).map_or_else(|error| error.code(), |_| "valid");
    json!({"kind": kind, "iss": iss, "sub": sub, "signature": signature})
}

/// Each statement as a log would take it: parsed, its signature checked by the key that is registered, admitted.
fn admission(input: &Value) -> Value {
    let mut state = MemoryState::new();
    let answers = items(input, "statements").iter().map(|statement| {
        let statement = Statement::parse(&read_bytes(statement)).expect("a statement in a vector");
        let key = match signing_key(&state, &statement) {
            Ok(key) => key,
            Err(AdmitError::Refused(refusal)) => return refusal_of(&refusal),
            Err(AdmitError::State(never)) => match never {},
        };
        let verified = match statement.verify(&key) {
            Ok(verified) => verified,
            Err(error) => return json!({"refused": error.code()}),
        };
        match admit(&state, &verified) {
            Ok(admitted) => {
                state.apply(admitted.effects);
                json!("admitted")
            }
            Err(AdmitError::Refused(refusal)) => refusal_of(&refusal),
            Err(AdmitError::State(never)) => match never {},
        }
    });
    answers.collect()
}

fn refusal_of(refusal: &Refusal) -> Value {
    match refusal.pointer() {
        Some(pointer) => json!({"refused": refusal.code(), "pointer": pointer.as_str()}),
        None => json!({"refused": refusal.code()}),
    }
}

fn lineage(input: &Value) -> Value {
    let entries: Vec<(LeafIndex, Statement)> = items(input, "entries")
        .iter()
        .map(|entry| {
            let statement = Statement::parse(&read_bytes(field(entry, "statement")));
            let index = LeafIndex::parse(text(entry, "index")).expect("an index in a vector");
            (index, statement.expect("a statement in a vector"))
        })
        .collect();
    let (own, others): (Vec<_>, Vec<_>) =
        entries.iter().partition(|(_, statement)| statement.execution().is_some());
    let steps: Vec<Step<'_>> = own
        .into_iter()
        .map(|(index, statement)| Step { index: *index, entry: LeafHash::of(statement.bytes()), statement })
        .collect();
    let outside = |entry| {
        let found = others.iter().find(|(_, statement)| LeafHash::of(statement.bytes()) == entry);
        found.map(|(index, statement)| (*index, statement.kind()))
    };
    let judged = judge(&steps, outside).expect("the entries of one execution in a vector");
    json!({"verdict": judged.verdict, "findings": findings(&judged)})
}

fn evidence(input: &Value) -> Value {
    let policy = Policy::parse(&read_bytes(field(input, "policy"))).expect("a policy in a vector");
    let evidence = Evidence::parse(&read_bytes(field(input, "evidence"))).ok();
    match evidence.and_then(|evidence| evidence.verify(&policy).ok()) {
        Some(proven) => json!({"proven": proven.code, "against": proven.against}),
        None => json!({"proven": null}),
    }
}
