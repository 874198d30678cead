//! Payloads in which one member is missing, surplus or wrong.

use countersign_verifier::statement::Kind;
use serde_json::{Value, json};

use super::edit::changed;
use super::keys::public_text;
use super::payloads::{DIGEST, ENTRY, full};
use super::raw::Raw;
use super::statements::{input, refused};
use super::{Case, base64};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut refuse = |kind: Kind, pointer: &str, value: Option<Value>, code: &str, what: &str| {
        // The subject says what the sound payload is about, so that only the change is at fault.
        let sound = Raw::new(kind, &full(kind));
        let wrong = Raw::new(kind, &changed(&full(kind), pointer, value));
        let statement = sound.with_payload(&wrong.payload).sign();
        cases.push(refused(format!("{kind} {pointer}: {what}"), &statement, code, Some(pointer)));
    };
    for (kind, members) in REQUIRED {
        for pointer in *members {
            let is_reference = pointer.starts_with("/refs/");
            let code = if is_reference { "reference-missing" } else { "member-missing" };
            refuse(*kind, pointer, None, code, "missing");
        }
    }
    for kind in Kind::ALL {
        refuse(*kind, "/x", Some(json!(1)), "member-unknown", "not a member");
    }
    for (kind, pointer) in UNKNOWN {
        refuse(*kind, pointer, Some(json!(1)), "member-unknown", "not a member");
    }
    for (kind, pointer) in [
        (Kind::Decision, "/refs/authorization"),
        (Kind::Authorization, "/refs/parent"),
        (Kind::Outcome, "/refs/target"),
        (Kind::Close, "/refs/intent"),
    ] {
        refuse(kind, pointer, Some(json!(ENTRY)), "reference-unknown", "not a reference");
    }
    for (kind, pointer, value) in invalid() {
        let what = value.to_string();
        let what: String = what.chars().take(40).collect();
        refuse(kind, pointer, Some(value), "member-invalid", &what);
    }
    for (kind, pointer, value) in [
        (Kind::Decision, "/code", "denied_by_policy"),
        (Kind::Decision, "/decision", "deny"),
        (Kind::Verification, "/code", "expired"),
        (Kind::Verification, "/result", "fail"),
    ] {
        let wrong = Raw::new(kind, &changed(&full(kind), pointer, Some(json!(value))));
        let name = format!("{kind} {pointer}: {value} contradicts the rest");
        cases.push(refused(name, &wrong.sign(), "member-contradiction", Some("/code")));
    }
    cases.extend(withheld());
    cases
}

/// Private material, each in the place of its value.
fn withheld() -> impl Iterator<Item = Case> {
    let places = [
        (Kind::Policy, "/policies/0/text"),
        (Kind::Policy, "/schema"),
        (Kind::Intent, "/context"),
        (Kind::Intent, "/subject/properties"),
        (Kind::Decision, "/entities"),
        (Kind::Authorization, "/constraints"),
        (Kind::Verification, "/runtime"),
    ];
    places.into_iter().map(|(kind, pointer)| {
        let payload = changed(&full(kind), pointer, Some(json!({"sha256": DIGEST})));
        let statement = Raw::new(kind, &payload).sign();
        let sub = if kind == Kind::Policy { "policy:deploy" } else { "run/2026-01" };
        let expect = json!({"kind": kind, "iss": "operator", "sub": sub, "signature": "valid"});
        Case::good(format!("{kind} {pointer}: withheld"), input(&statement), expect)
    })
}

const REQUIRED: &[(Kind, &[&str])] = &[
    (Kind::Genesis, &["/origin", "/operator", "/operator/public_key", "/rules"]),
    (Kind::Issuer, &["/name", "/public_key", "/roles", "/status"]),
    (Kind::Policy, &["/name", "/version", "/engine", "/policies", "/policies/0/id", "/policies/1/text"]),
    (Kind::Intent, &["/subject", "/action", "/resource", "/subject/type", "/action/name", "/resource/id"]),
    (Kind::Decision, &["/decision", "/code", "/engine/sdk", "/refs/intent", "/refs/policy"]),
    (Kind::Authorization, &["/subject", "/action", "/resource", "/action_digest/sha256"]),
    (Kind::Verification, &["/result", "/code", "/mode", "/checkpoint/root", "/refs/authorization"]),
    (Kind::Outcome, &["/status", "/refs/authorization"]),
    (Kind::Enforcement, &["/action", "/reason", "/refs/target"]),
    (Kind::Close, &["/entries"]),
];

const UNKNOWN: &[(Kind, &str)] = &[
    (Kind::Genesis, "/operator/x"),
    (Kind::Policy, "/policies/1/x"),
    (Kind::Intent, "/subject/x"),
    (Kind::Intent, "/action/x"),
    (Kind::Decision, "/engine/x"),
    (Kind::Authorization, "/action_digest/x"),
    (Kind::Verification, "/checkpoint/x"),
    (Kind::Outcome, "/result_digest/x"),
];

fn invalid() -> Vec<(Kind, &'static str, Value)> {
    let long = "x".repeat(129);
    let key = public_text(8);
    let small_order = [&[1_u8][..], &[0; 31]].concat();
    let not_a_point = [&[2_u8][..], &[0; 31]].concat();
    let second_spelling = [&[0xf0_u8][..], &[0xff; 30], &[0x7f]].concat();
    vec![
        (Kind::Genesis, "/origin", json!("log example")),
        (Kind::Genesis, "/operator", json!(key)),
        (Kind::Genesis, "/operator/public_key", json!("AAAA")),
        (Kind::Genesis, "/rules", json!("countersign/2")),
        (Kind::Issuer, "/name", json!("gate 1")),
        (Kind::Issuer, "/name", json!(long)),
        (Kind::Issuer, "/public_key", json!(base64(&[0; 32]))),
        (Kind::Issuer, "/public_key", json!(base64(&small_order))),
        (Kind::Issuer, "/public_key", json!(base64(&not_a_point))),
        (Kind::Issuer, "/public_key", json!(base64(&second_spelling))),
        (Kind::Issuer, "/public_key", json!(key.trim_end_matches('='))),
        (Kind::Issuer, "/public_key", json!(null)),
        (Kind::Issuer, "/roles/1", json!("admin")),
        (Kind::Issuer, "/roles", json!(["enforcer", "enforcer"])),
        (Kind::Issuer, "/roles", json!("enforcer")),
        (Kind::Issuer, "/status", json!("Active")),
        (Kind::Issuer, "/note", json!("")),
        (Kind::Issuer, "/note", json!(null)),
        (Kind::Policy, "/engine", json!("rego")),
        (Kind::Policy, "/version", json!("")),
        (Kind::Policy, "/version", json!(3)),
        (Kind::Policy, "/policies", json!([])),
        (Kind::Policy, "/policies", json!([{"id": "a", "text": "x"}, {"id": "a", "text": "y"}])),
        (Kind::Policy, "/policies/0", json!("x")),
        (Kind::Policy, "/policies/0/text", json!("")),
        (Kind::Policy, "/policies/1/text/sha256", json!("AA")),
        (Kind::Policy, "/refs", json!([])),
        (Kind::Policy, "/refs", json!(null)),
        (Kind::Intent, "/subject", json!([])),
        (Kind::Intent, "/subject/id", json!("")),
        (Kind::Intent, "/subject/properties", json!([])),
        (Kind::Intent, "/action/name", json!("")),
        (Kind::Intent, "/action/name", json!(1)),
        (Kind::Intent, "/action/properties/sha256", json!("AA")),
        (Kind::Intent, "/context", json!("a")),
        (Kind::Intent, "/context", json!(null)),
        (Kind::Intent, "/parent", json!("run one")),
        (Kind::Intent, "/parent", json!("")),
        (Kind::Decision, "/decision", json!("allow")),
        (Kind::Decision, "/code", json!("ok")),
        (Kind::Decision, "/reasons", json!(["b", "a"])),
        (Kind::Decision, "/reasons", json!(["\u{1f602}", "\u{e000}"])),
        (Kind::Decision, "/errors", json!(["a", "a"])),
        (Kind::Decision, "/errors", json!("a")),
        (Kind::Decision, "/reasons/0", json!("")),
        (Kind::Decision, "/entities", json!({"a": 1})),
        (Kind::Decision, "/engine/sdk", json!(4)),
        (Kind::Decision, "/refs/intent", json!(null)),
        (Kind::Authorization, "/action_digest/sha256", json!(DIGEST.to_uppercase())),
        (Kind::Authorization, "/action_digest", json!(DIGEST)),
        (Kind::Authorization, "/constraints", json!(1)),
        (Kind::Verification, "/mode", json!("witnessed")),
        (Kind::Verification, "/result", json!("ok")),
        (Kind::Verification, "/checkpoint/size", json!(-1)),
        (Kind::Verification, "/checkpoint/size", json!("12")),
        (Kind::Verification, "/checkpoint/root", json!(DIGEST)),
        (Kind::Verification, "/checkpoint", json!(null)),
        (Kind::Outcome, "/started_at", json!(-1)),
        (Kind::Outcome, "/finished_at", json!("1")),
        (Kind::Outcome, "/exit_code", json!("0")),
        (Kind::Outcome, "/status", json!("ok")),
        (Kind::Outcome, "/refs/authorization", json!(ENTRY.to_uppercase())),
        (Kind::Outcome, "/refs/authorization", json!(&ENTRY[1..])),
        (Kind::Enforcement, "/action", json!("stop")),
        (Kind::Enforcement, "/reason", json!("")),
        (Kind::Close, "/entries", json!(0)),
        (Kind::Close, "/entries", json!(-6)),
        (Kind::Close, "/entries", json!("6")),
    ]
}
