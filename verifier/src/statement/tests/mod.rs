//! Statements under test: one valid sample of every kind, to be changed one detail at a time.

mod canonical;
mod cbor;
mod direct;
mod members;
pub(crate) mod problems;
mod properties;
mod submissions;
mod vectors;

use ed25519_dalek::SigningKey;
use serde_json::{Map, Value, json};

use super::*;
use crate::ed25519::PublicKey;

pub(super) const ENTRY: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
pub(super) const DIGEST: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

pub(super) fn signing_key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

pub(super) fn public_key() -> PublicKey {
    PublicKey::from(&signing_key())
}

pub(super) fn key_in_base64() -> String {
    crate::strict::to_base64(public_key().as_bytes())
}

pub(super) fn seconds(seconds: u64) -> UnixSeconds {
    UnixSeconds::new(seconds).unwrap()
}

/// Claims that suit a kind and the payload that [`payload`] gives for it.
pub(super) fn claims(kind: Kind) -> Claims {
    let subject = match kind {
        Kind::Genesis => Subject::Log(crate::checkpoint::Origin::new("log.example/test").unwrap()),
        Kind::Issuer => Subject::Issuer("gate-1".parse().unwrap()),
        Kind::Policy => Subject::Policy("deploy".parse().unwrap()),
        _ => Subject::Execution("run/2026-01".parse().unwrap()),
    };
    let validity = (kind == Kind::Authorization).then(|| Validity {
        audience: "gate-1".parse().unwrap(),
        not_before: seconds(1_800_000_000),
        expires: seconds(1_800_000_060),
    });
    Claims {
        issuer: "operator".parse().unwrap(),
        subject,
        validity,
        issued_at: seconds(1_800_000_000),
        id: *b"0123456789abcdef",
    }
}

/// A payload of a kind with every member that it can have.
pub(super) fn payload(kind: Kind) -> Map<String, Value> {
    let subject = json!({"type": "agent", "id": "a1", "properties": {"team": "ops", "level": -3}});
    let action = json!({"name": "deploy", "properties": {"sha256": DIGEST}});
    let resource = json!({"type": "service", "id": "web", "properties": {"tags": ["é", {"x": null}]}});
    let value = match kind {
        Kind::Genesis => {
            json!({"origin": "log.example/test", "operator": {"public_key": key_in_base64()},
                "rules": "countersign/1"})
        }
        Kind::Issuer => {
            json!({"name": "gate-1", "public_key": key_in_base64(), "roles": ["enforcer", "authority"],
                "status": "active", "note": "first"})
        }
        Kind::Policy => {
            json!({"name": "deploy", "version": "3", "engine": "cedar",
                "policies": [{"id": "b", "text": "permit(principal, action, resource);"},
                    {"id": "a", "text": {"sha256": DIGEST}}],
                "schema": "entity Agent;", "refs": {"replaces": ENTRY}})
        }
        Kind::Intent => {
            json!({"subject": subject, "action": action, "resource": resource, "context": {"ip": "::1"},
                "parent": "run/2025-12"})
        }
        Kind::Decision => {
            json!({"decision": "permit", "code": "permitted", "reasons": ["a", "b"], "errors": [],
                "entities": [{"uid": {"type": "Agent", "id": "a1"}}], "context": {"now": 1_800_000_000},
                "engine": {"name": "cedar", "sdk": "4.12.0", "language": "4.6.0"},
                "refs": {"intent": ENTRY, "policy": ENTRY}})
        }
        Kind::Authorization => {
            json!({"subject": subject, "action": action, "resource": resource,
                "action_digest": {"sha256": DIGEST}, "constraints": {"max_seconds": 60},
                "refs": {"intent": ENTRY, "decision": ENTRY, "policy": ENTRY}})
        }
        Kind::Verification => {
            json!({"result": "pass", "code": "ok", "mode": "cosigned",
                "checkpoint": {"size": 12, "root": crate::merkle::RootHash::empty().to_base64()},
                "runtime": {"argv": ["deploy", "web"]}, "refs": {"authorization": ENTRY, "intent": ENTRY}})
        }
        Kind::Outcome => {
            json!({"status": "confirmed", "started_at": 1_800_000_001, "finished_at": 1_800_000_002,
                "exit_code": 0, "result_digest": {"sha256": DIGEST}, "details": {"sha256": DIGEST},
                "refs": {"authorization": ENTRY, "verification": ENTRY, "decision": ENTRY, "intent": ENTRY}})
        }
        Kind::Enforcement => {
            json!({"action": "halt", "reason": "overspent", "refs": {"target": ENTRY}})
        }
        Kind::Close => json!({"entries": 6, "refs": {"outcome": ENTRY}}),
    };
    value.as_object().unwrap().clone()
}

pub(super) fn draft(kind: Kind, payload: &Map<String, Value>) -> Result<Draft, StatementError> {
    Draft::from_json(&public_key(), kind, claims(kind), payload)
}

/// A signed statement of a kind.
pub(super) fn sample(kind: Kind) -> VerifiedStatement {
    draft(kind, &payload(kind)).unwrap().sign(&signing_key()).unwrap()
}

/// The bytes of a statement around any payload bytes, as a careless issuer could sign them.
pub(super) fn around(kind: Kind, payload: &[u8]) -> Vec<u8> {
    let envelope = envelope::Envelope {
        algorithm: Algorithm::EdDsa,
        kind,
        key_id: KeyThumbprint::of(&public_key()),
        claims: claims(kind),
        payload: payload.to_vec(),
        signature: Signature::ABSENT,
    };
    envelope.encode().unwrap().bytes
}
