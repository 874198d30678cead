//! One payload of each kind with all that it can have, and one with nothing but what it must.

use countersign_verifier::statement::Kind;
use serde_json::{Value, json};

use super::keys::public_text;

/// Stands for an entry that is referred to.
pub(super) const ENTRY: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
/// Stands for material that is kept elsewhere.
pub(super) const DIGEST: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
/// The root of the empty tree.
const EMPTY_ROOT: &str = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

/// With every member that the kind has.
pub(super) fn full(kind: Kind) -> Value {
    let subject = json!({"type": "agent", "id": "a1", "properties": {"team": "ops", "level": -3}});
    let action = json!({"name": "deploy", "properties": {"sha256": DIGEST}});
    let resource = json!({"type": "service", "id": "web", "properties": {"tags": ["é", {"x": null}]}});
    match kind {
        Kind::Genesis => json!({
            "origin": "log.example/test", "operator": {"public_key": public_text(super::raw::SIGNER)},
            "rules": "countersign/1",
        }),
        Kind::Issuer => json!({
            "name": "gate-1", "public_key": public_text(8), "roles": ["enforcer", "authority"],
            "status": "active", "note": "first",
        }),
        Kind::Policy => json!({
            "name": "deploy", "version": "3", "engine": "cedar",
            "policies": [{"id": "b", "text": "permit(principal, action, resource);"},
                {"id": "a", "text": {"sha256": DIGEST}}],
            "schema": "entity Agent;", "refs": {"replaces": ENTRY},
        }),
        Kind::Intent => json!({
            "subject": subject, "action": action, "resource": resource, "context": {"ip": "::1"},
            "parent": "run/2025-12",
        }),
        Kind::Decision => json!({
            "decision": "permit", "code": "permitted", "reasons": ["a", "b"], "errors": [],
            "entities": [{"uid": {"type": "Agent", "id": "a1"}}], "context": {"now": 1_800_000_000},
            "engine": {"name": "cedar", "sdk": "4.12.0", "language": "4.6.0"},
            "refs": {"intent": ENTRY, "policy": ENTRY},
        }),
        Kind::Authorization => json!({
            "subject": subject, "action": action, "resource": resource,
            "action_digest": {"sha256": DIGEST}, "constraints": {"max_seconds": 60},
            "refs": {"intent": ENTRY, "decision": ENTRY, "policy": ENTRY},
        }),
        Kind::Verification => json!({
            "result": "pass", "code": "ok", "mode": "cosigned",
            "checkpoint": {"size": 12, "root": EMPTY_ROOT}, "runtime": {"argv": ["deploy", "web"]},
            "refs": {"authorization": ENTRY, "intent": ENTRY},
        }),
        Kind::Outcome => json!({
            "status": "confirmed", "started_at": 1_800_000_001, "finished_at": 1_800_000_002, "exit_code": 0,
            "result_digest": {"sha256": DIGEST}, "details": {"sha256": DIGEST},
            "refs": {"authorization": ENTRY, "verification": ENTRY, "decision": ENTRY, "intent": ENTRY},
        }),
        Kind::Enforcement => json!({"action": "halt", "reason": "overspent", "refs": {"target": ENTRY}}),
        Kind::Close => json!({"entries": 6, "refs": {"outcome": ENTRY}}),
    }
}

/// With nothing but what the kind requires.
pub(super) fn least(kind: Kind) -> Value {
    let entity = json!({"type": "t", "id": "i"});
    let request = json!({"subject": entity, "action": {"name": "n"}, "resource": entity});
    match kind {
        Kind::Genesis => full(kind),
        Kind::Issuer => json!({"name": "g", "public_key": public_text(8), "roles": [], "status": "revoked"}),
        Kind::Policy => json!({
            "name": "d", "version": "1", "engine": "cedar", "policies": [{"id": "a", "text": "x"}],
        }),
        Kind::Intent | Kind::Authorization => request,
        Kind::Decision => json!({
            "decision": "deny", "code": "no_policy_permits", "refs": {"intent": ENTRY, "policy": ENTRY},
        }),
        Kind::Verification => json!({"result": "fail", "code": "authorization_missing", "mode": "async"}),
        Kind::Outcome => json!({"status": "not_executed"}),
        Kind::Enforcement => json!({"action": "release", "reason": "r", "refs": {"target": ENTRY}}),
        Kind::Close => json!({"entries": 1}),
    }
}
