//! Submitting, and what comes back.

use countersign_tests::client::Answer;
use countersign_tests::harness::{System, post};
use countersign_verifier::merkle::LeafHash;
use countersign_verifier::proof::TlogProof;
use countersign_verifier::statement::VerifiedStatement;
use serde_json::Value;

/// An acknowledged statement.
#[derive(Debug, Clone)]
pub(crate) struct Taken {
    pub(crate) status: u16,
    pub(crate) index: u64,
    pub(crate) bytes: Vec<u8>,
    pub(crate) proof: String,
}

impl Taken {
    pub(crate) fn id(&self) -> LeafHash {
        LeafHash::of(&self.bytes)
    }
}

/// Submits a statement, waits until it is cosigned, and checks the proof that comes back against the policy.
#[track_caller]
pub(crate) fn submit(system: &System, statement: VerifiedStatement) -> Taken {
    let bytes = statement.into_bytes();
    let answer = post(system.log.url(), "/entries", "application/cose", bytes.clone());
    taken(system, &answer, bytes)
}

/// Checks the answer to a statement that was to be cosigned.
#[track_caller]
pub(crate) fn taken(system: &System, answer: &Answer, bytes: Vec<u8>) -> Taken {
    let status = answer.status.as_u16();
    let text = String::from_utf8_lossy(&answer.body);
    assert!(status == 201 || status == 200, "status {status}: {text}");
    let json = json(answer);
    let index = json["index"].as_u64().unwrap();
    assert_eq!(json["entry"], LeafHash::of(&bytes).to_string());
    assert_eq!(answer.header("location"), Some(format!("/entries/{index}").as_str()));
    let proof = json["proof"].as_str().unwrap().to_owned();
    let verified =
        TlogProof::parse(proof.as_bytes()).unwrap().verify(LeafHash::of(&bytes), system.policy()).unwrap();
    assert_eq!(verified.index().get(), index);
    let hashes: Vec<&str> =
        json["inclusion"].as_array().unwrap().iter().map(|hash| hash.as_str().unwrap()).collect();
    assert!(proof.contains(&hashes.join("\n")) && proof.ends_with(json["checkpoint"].as_str().unwrap()));
    Taken { status, index, bytes, proof }
}

/// The JSON of an answer.
#[track_caller]
pub(crate) fn json(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.body)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&answer.body)))
}
