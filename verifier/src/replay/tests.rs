use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{Difference, Engine, Evaluation, LoadError, Question, Replay, Undisclosed, replay};
use crate::statement::payload::{Action, Decision, EngineVersion, Entity, Intent, Policy, PolicyText};
use crate::statement::{DecisionCode, Material, PolicyEngine, Sha256Digest, Verdict};

const PERMIT: &str = r#"permit (principal, action == Action::"read", resource is File);"#;
const FORBID_SECRET: &str =
    r"forbid (principal, action, resource) when { resource has secret && resource.secret };";
const APPROVAL: &str = r#"@code("needs_approval") forbid (principal, action, resource) when { context has large && context.large };"#;
const FAILS: &str = r"forbid (principal, action, resource) when { context.missing };";

pub(super) fn policy(texts: &[(&str, &str)], schema: Option<&str>) -> Policy {
    let text = |(id, text): &(&str, &str)| PolicyText {
        id: (*id).to_owned(),
        text: Material::Disclosed((*text).to_owned()),
    };
    Policy {
        name: "files".parse().unwrap(),
        version: "1".to_owned(),
        engine: PolicyEngine::Cedar,
        policies: texts.iter().map(text).collect(),
        schema: schema.map(|schema| Material::Disclosed(schema.to_owned())),
    }
}

fn load(policy: &Policy) -> Result<Engine, LoadError> {
    Engine::load(&policy.policies, policy.schema.as_ref())
}

fn entity(entity_type: &str, id: &str) -> Entity {
    Entity { entity_type: entity_type.to_owned(), id: id.to_owned(), properties: None }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        other => panic!("{other} is no object"),
    }
}

pub(super) fn intent(action: &str, context: Option<Value>) -> Intent {
    Intent {
        subject: entity("Agent", "a \"1\""),
        action: Action { name: action.to_owned(), properties: None },
        resource: entity("File", "/etc/motd"),
        context: context.map(|context| Material::Disclosed(object(context))),
        parent: None,
    }
}

pub(super) fn evaluate(policy: &Policy, intent: &Intent, context: Value, entities: &[Value]) -> Evaluation {
    let context = object(context);
    let Intent { subject, action, resource, .. } = intent;
    load(policy).unwrap().evaluate(&Question { subject, action, resource, context: &context, entities })
}

pub(super) fn ids(ids: &[&str]) -> BTreeSet<String> {
    ids.iter().map(ToString::to_string).collect()
}

/// What an authority would state.
pub(super) fn decision(found: Evaluation, context: Option<Value>, entities: Vec<Value>) -> Decision {
    Decision {
        decision: found.verdict,
        code: found.code,
        reasons: Some(found.reasons),
        errors: Some(found.errors),
        entities: Some(Material::Disclosed(entities)),
        context: context.map(|context| Material::Disclosed(object(context))),
        engine: Some(Engine::version()),
    }
}

fn secret() -> Value {
    json!({ "uid": { "type": "File", "id": "/etc/motd" }, "attrs": { "secret": true }, "parents": [] })
}

#[test]
fn each_code_has_its_case() {
    let files = policy(&[("p", PERMIT), ("s", FORBID_SECRET), ("a", APPROVAL)], None);
    let (read, write) = (intent("read", None), intent("write", None));
    let code = |found: &Evaluation| (found.code, found.reasons.clone());
    assert_eq!(code(&evaluate(&files, &read, json!({}), &[])), (DecisionCode::Permitted, ids(&["p"])));
    assert_eq!(code(&evaluate(&files, &write, json!({}), &[])), (DecisionCode::NoPolicyPermits, ids(&[])));
    let denied = evaluate(&files, &read, json!({}), &[secret()]);
    assert_eq!(code(&denied), (DecisionCode::DeniedByPolicy, ids(&["s"])));
    let large = evaluate(&files, &read, json!({ "large": true }), &[]);
    assert_eq!(code(&large), (DecisionCode::NeedsApproval, ids(&["a"])));
    // Where another policy forbids as well, approval would not help.
    let both = evaluate(&files, &read, json!({ "large": true }), &[secret()]);
    assert_eq!(code(&both), (DecisionCode::DeniedByPolicy, ids(&["a", "s"])));
    for denial in [denied, large, both] {
        assert_eq!(denial.verdict, Verdict::Deny);
    }
}

#[test]
fn a_policy_that_fails_denies_what_others_permit() {
    let files = policy(&[("p", PERMIT), ("f", FAILS)], None);
    let found = evaluate(&files, &intent("read", None), json!({}), &[]);
    assert_eq!((found.verdict, found.code), (Verdict::Deny, DecisionCode::EvaluationError));
    assert_eq!((found.reasons, found.errors), (ids(&[]), ids(&["f"])));
    let found = evaluate(&files, &intent("read", None), json!({ "missing": false }), &[]);
    assert_eq!(found.verdict, Verdict::Permit);
}

#[test]
fn what_cedar_cannot_read_is_denied() {
    let files = policy(&[("p", "permit (principal, action, resource);")], None);
    let mut odd = intent("read", None);
    odd.subject.entity_type = "no type".to_owned();
    assert_eq!(evaluate(&files, &odd, json!({}), &[]).code, DecisionCode::EvaluationError);
    let read = intent("read", None);
    assert_eq!(evaluate(&files, &read, json!({ "no": null }), &[]).code, DecisionCode::EvaluationError);
    assert_eq!(evaluate(&files, &read, json!({}), &[json!("entity")]).code, DecisionCode::EvaluationError);
    assert_eq!(evaluate(&files, &read, json!({}), &[]).code, DecisionCode::Permitted);
}

const SCHEMA: &str = r#"
    entity Agent;
    entity File = { "secret"?: Bool };
    action "read" appliesTo { principal: Agent, resource: File, context: { "large"?: Bool } };
"#;

#[test]
fn a_schema_is_held() {
    let files = policy(&[("p", PERMIT), ("s", FORBID_SECRET)], Some(SCHEMA));
    assert_eq!(evaluate(&files, &intent("read", None), json!({}), &[]).code, DecisionCode::Permitted);
    for (intent, context, entities) in [
        (intent("write", None), json!({}), vec![]),
        (intent("read", None), json!({ "large": "very" }), vec![]),
        (
            intent("read", None),
            json!({}),
            vec![json!({ "uid": { "type": "File", "id": "x" }, "attrs": { "secret": 1 }, "parents": [] })],
        ),
    ] {
        let found = evaluate(&files, &intent, context, &entities);
        assert_eq!((found.verdict, found.code), (Verdict::Deny, DecisionCode::SchemaMismatch));
    }
    let misfit =
        policy(&[("p", "permit (principal, action, resource) when { resource.colour == 1 };")], Some(SCHEMA));
    assert!(matches!(load(&misfit), Err(LoadError::Misfit(_))));
    let no_schema = policy(&[("p", PERMIT)], Some("entity"));
    assert!(matches!(load(&no_schema), Err(LoadError::Schema(_))));
}

#[test]
fn one_text_is_one_policy() {
    for text in
        ["", "permit", &format!("{PERMIT} {PERMIT}"), "permit (principal == ?principal, action, resource);"]
    {
        let loaded = load(&policy(&[("p", text)], None));
        assert!(matches!(loaded, Err(LoadError::Policy { .. })), "{text:?}");
    }
}

#[test]
fn a_replay_has_four_answers() {
    let files = policy(&[("p", PERMIT), ("s", FORBID_SECRET)], None);
    let read = intent("read", Some(json!({ "large": false })));
    let found = evaluate(&files, &read, json!({ "large": false }), &[secret()]);
    // The context is the intent's when the authority states none.
    let stated = decision(found.clone(), None, vec![secret()]);
    assert_eq!(replay(&files, &read, &stated), Replay::Same(found.clone()));

    let mut other = stated.clone();
    (other.decision, other.code) = (Verdict::Permit, DecisionCode::Permitted);
    let in_what = vec![Difference::Verdict, Difference::Code];
    assert_eq!(replay(&files, &read, &other), Replay::Different { here: found.clone(), in_what });
    let mut other = stated.clone();
    other.reasons = Some(ids(&["p"]));
    let in_what = vec![Difference::Reasons];
    assert_eq!(replay(&files, &read, &other), Replay::Different { here: found.clone(), in_what });
    other.reasons = None;
    assert_eq!(replay(&files, &read, &other), Replay::Same(found.clone()));

    let digest = Sha256Digest::from_bytes([7; 32]);
    let mut withheld = stated.clone();
    withheld.entities = Some(Material::Withheld(digest));
    assert_eq!(replay(&files, &read, &withheld), Replay::NotDisclosed(Undisclosed::Entities));
    withheld.entities = None;
    assert_eq!(replay(&files, &read, &withheld), Replay::NotDisclosed(Undisclosed::Entities));
    let mut withheld = stated.clone();
    withheld.context = Some(Material::Withheld(digest));
    assert_eq!(replay(&files, &read, &withheld), Replay::NotDisclosed(Undisclosed::Context));
    let mut secret_policy = files.clone();
    secret_policy.policies[0].text = Material::Withheld(digest);
    assert_eq!(replay(&secret_policy, &read, &stated), Replay::NotDisclosed(Undisclosed::Policy));
    let mut superseded = stated.clone();
    superseded.code = DecisionCode::PolicyNotInForce;
    assert_eq!(replay(&files, &read, &superseded), Replay::NotDisclosed(Undisclosed::InForce));

    let logged = EngineVersion { sdk: "0.0.1".to_owned(), ..Engine::version() };
    let mut elsewhere = stated.clone();
    elsewhere.engine = Some(logged.clone());
    let expected = Replay::EngineDiffers { logged: Some(logged), here: found.clone(), in_what: Vec::new() };
    assert_eq!(replay(&files, &read, &elsewhere), expected);
    elsewhere.engine = None;
    let expected = Replay::EngineDiffers { logged: None, here: found, in_what: Vec::new() };
    assert_eq!(replay(&files, &read, &elsewhere), expected);
}

#[test]
fn a_permit_by_a_policy_that_nobody_can_read_does_not_replay() {
    let unreadable = policy(&[("p", "permit everything")], None);
    let permitted = Evaluation {
        verdict: Verdict::Permit,
        code: DecisionCode::Permitted,
        reasons: ids(&["p"]),
        errors: ids(&[]),
    };
    let read = intent("read", None);
    let answer = replay(&unreadable, &read, &decision(permitted, None, Vec::new()));
    assert!(matches!(answer, Replay::Different { .. }), "{answer:?}");
    let denied = decision(Evaluation::unreadable(), None, Vec::new());
    assert_eq!(replay(&unreadable, &read, &denied), Replay::Same(Evaluation::unreadable()));
}

proptest! {
    /// Whatever an engine decides replays as the same; with any other verdict or code stated, as different.
    #[test]
    fn what_was_decided_is_decided_again(large in any::<bool>(), hidden in any::<bool>(), write in any::<bool>(), wrong in 0_usize..4) {
        let files = policy(&[("p", PERMIT), ("s", FORBID_SECRET), ("a", APPROVAL)], None);
        let intent = intent(if write { "write" } else { "read" }, None);
        let context = json!({ "large": large });
        let entities: Vec<Value> = hidden.then(secret).into_iter().collect();
        let found = evaluate(&files, &intent, context.clone(), &entities);
        let mut stated = decision(found.clone(), Some(context), entities);
        prop_assert_eq!(replay(&files, &intent, &stated), Replay::Same(found.clone()));
        let codes = [DecisionCode::Permitted, DecisionCode::DeniedByPolicy, DecisionCode::NeedsApproval, DecisionCode::NoPolicyPermits];
        stated.code = codes[wrong];
        let same = matches!(replay(&files, &intent, &stated), Replay::Same(_));
        prop_assert_eq!(same, codes[wrong] == found.code);
    }
}
