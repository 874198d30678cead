//! What each kind's payload must have, may have and must not have. Which values each member takes, the shared vectors say.

use super::*;

/// The refusal of a payload that was changed in one place.
#[track_caller]
fn refused(kind: Kind, change: impl FnOnce(&mut Map<String, Value>)) -> (&'static str, String) {
    let mut payload = payload(kind);
    change(&mut payload);
    let error = draft(kind, &payload).unwrap_err();
    (error.code(), error.pointer().map(ToString::to_string).unwrap_or_default())
}

fn accepted(kind: Kind, change: impl FnOnce(&mut Map<String, Value>)) -> bool {
    let mut payload = payload(kind);
    change(&mut payload);
    draft(kind, &payload).is_ok()
}

fn required(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Genesis => &["origin", "operator", "rules"],
        Kind::Issuer => &["name", "public_key", "roles", "status"],
        Kind::Policy => &["name", "version", "engine", "policies"],
        Kind::Intent | Kind::Authorization => &["subject", "action", "resource"],
        Kind::Decision => &["decision", "code"],
        Kind::Verification => &["result", "code", "mode"],
        Kind::Outcome => &["status"],
        Kind::Enforcement => &["action", "reason"],
        Kind::Close => &["entries"],
    }
}

fn required_references(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Decision => &["intent", "policy"],
        Kind::Verification | Kind::Outcome => &["authorization"],
        Kind::Enforcement => &["target"],
        _ => &[],
    }
}

#[test]
fn every_member_is_required_or_may_be_absent() {
    for kind in Kind::ALL {
        for member in payload(*kind).keys().filter(|member| *member != "refs") {
            let without = |payload: &mut Map<String, Value>| drop(payload.remove(member));
            if required(*kind).contains(&member.as_str()) {
                assert_eq!(refused(*kind, without), ("member-missing", format!("/{member}")), "{kind}");
            } else {
                assert!(accepted(*kind, without), "{kind} without {member}");
            }
        }
    }
}

#[test]
fn every_reference_is_required_or_may_be_absent() {
    for kind in Kind::ALL {
        let references = payload(*kind).get("refs").cloned().unwrap_or(json!({}));
        for role in references.as_object().unwrap().keys() {
            let without = |payload: &mut Map<String, Value>| {
                drop(payload["refs"].as_object_mut().unwrap().remove(role));
            };
            if required_references(*kind).contains(&role.as_str()) {
                assert_eq!(refused(*kind, without), ("reference-missing", format!("/refs/{role}")), "{kind}");
            } else {
                assert!(accepted(*kind, without), "{kind} without {role}");
            }
        }
        let none_required = required_references(*kind).is_empty();
        assert_eq!(accepted(*kind, |payload| drop(payload.remove("refs"))), none_required, "{kind}");
        // Naming none is the same as leaving them out, also where there are none to name.
        let empty = |payload: &mut Map<String, Value>| drop(payload.insert("refs".to_owned(), json!({})));
        assert_eq!(accepted(*kind, empty), none_required, "{kind}");
    }
}

#[test]
fn no_kind_refers_in_roles_that_are_not_its_own() {
    for kind in Kind::ALL {
        let own = payload(*kind).get("refs").cloned().unwrap_or(json!({}));
        let foreign = RefRole::ALL.iter().map(|role| role.as_str()).chain(["parent", ""]);
        for role in foreign.filter(|role| own.get(role).is_none()) {
            let refusal = refused(*kind, |payload| {
                let references = payload.entry("refs").or_insert(json!({}));
                references.as_object_mut().unwrap().insert(role.to_owned(), ENTRY.into());
            });
            assert_eq!(refusal, ("reference-unknown", format!("/refs/{role}")), "{kind}");
        }
    }
}

#[test]
fn nothing_else_is_a_member() {
    for kind in Kind::ALL {
        let refusal = refused(*kind, |payload| drop(payload.insert("x".to_owned(), json!(1))));
        assert_eq!(refusal, ("member-unknown", "/x".to_owned()), "{kind}");
        for (member, value) in payload(*kind) {
            // Free-form objects take anything, and so do withheld ones nothing.
            let free = ["context", "constraints", "details", "runtime", "refs"].contains(&member.as_str());
            if value.is_object() && !free {
                let refusal = refused(*kind, |payload| payload[&member]["x"] = json!(1));
                assert_eq!(refusal, ("member-unknown", format!("/{member}/x")), "{kind}");
            }
        }
    }
    assert_eq!(refused(Kind::Policy, |payload| payload["policies"][1]["x"] = json!(1)).1, "/policies/1/x");
    for member in ["subject", "action", "resource"] {
        assert!(accepted(Kind::Intent, |payload| payload[member]["properties"] =
            json!({"any": [1, {"t": null}]})));
    }
}

#[test]
fn no_member_takes_null_or_another_type() {
    for kind in Kind::ALL {
        for member in payload(*kind).keys() {
            for value in [Value::Null, json!(true), json!("\u{0}"), json!([{}]), json!(-1), json!({"x": 1})] {
                let change = |payload: &mut Map<String, Value>| payload[member] = value.clone();
                let (text, number) = (value.is_string(), value.is_i64());
                let taken = match member.as_str() {
                    "note" | "version" | "reason" | "schema" => text,
                    "exit_code" => number,
                    "entities" => value.is_array(),
                    "context" | "constraints" | "details" | "runtime" => value.is_object(),
                    _ => false,
                };
                if taken {
                    assert!(accepted(*kind, change), "{kind} with {member} {value}");
                } else {
                    let (code, pointer) = refused(*kind, change);
                    assert!(
                        code.starts_with("member-") || code == "reference-unknown",
                        "{kind} {member}: {code}"
                    );
                    assert!(pointer.starts_with(&format!("/{member}")), "{kind} {member}: {pointer}");
                }
            }
        }
    }
}

#[test]
fn verdict_and_code_agree() {
    let codes = |kind: Kind, verdict: &str, member: &str, agreeing: &dyn Fn(&str) -> bool, all: Vec<&str>| {
        for code in all {
            let change = |payload: &mut Map<String, Value>| {
                payload[member] = json!(verdict);
                payload["code"] = json!(code);
            };
            if agreeing(code) {
                assert!(accepted(kind, change), "{verdict} {code}");
            } else {
                assert_eq!(
                    refused(kind, change),
                    ("member-contradiction", "/code".to_owned()),
                    "{verdict} {code}"
                );
            }
        }
    };
    let decision: Vec<&str> = DecisionCode::ALL.iter().map(|code| code.as_str()).collect();
    codes(Kind::Decision, "permit", "decision", &|code| code == "permitted", decision.clone());
    codes(Kind::Decision, "deny", "decision", &|code| code != "permitted", decision);
    let verification: Vec<&str> = VerificationCode::ALL.iter().map(|code| code.as_str()).collect();
    codes(Kind::Verification, "pass", "result", &|code| code == "ok", verification.clone());
    codes(Kind::Verification, "fail", "result", &|code| code != "ok", verification);
}

#[test]
fn what_ran_names_its_authorization_and_what_did_not_need_not() {
    for status in OutcomeStatus::ALL {
        let change = |payload: &mut Map<String, Value>| {
            payload["status"] = json!(status);
            payload["refs"] = json!({});
        };
        assert_eq!(accepted(Kind::Outcome, change), *status == OutcomeStatus::NotExecuted, "{status}");
    }
    for (result, code) in [("pass", "ok"), ("fail", "authorization_missing")] {
        let change = |payload: &mut Map<String, Value>| {
            payload["result"] = json!(result);
            payload["code"] = json!(code);
            payload["refs"] = json!({});
        };
        assert_eq!(accepted(Kind::Verification, change), result == "fail", "{result}");
    }
}

#[test]
fn private_material_goes_in_by_its_digest() {
    let Payload::Outcome(outcome) = sample(Kind::Outcome).statement().payload().clone() else { panic!() };
    assert_eq!(outcome.details.unwrap().disclosed(), None);
}
