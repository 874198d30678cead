//! Every rule from both sides: what it lets in, and what it keeps out with nothing changed.

#![expect(clippy::needless_pass_by_value, reason = "payloads are made where they are used, and used once")]

use ed25519_dalek::SigningKey;
use serde_json::{Value, json};

use super::*;
use crate::ed25519::PublicKey;
use crate::merkle::{LeafHash, LeafIndex, TreeSize};
use crate::statement::{
    Claims, Draft, IssuerStatus, KeyThumbprint, Kind, PROBLEMS as STATEMENT_PROBLEMS, RefRole, Role,
    Statement, Subject, UnixSeconds, Validity, VerifiedStatement,
};

const RUN: &str = "run-1";

fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

fn public(seed: u8) -> PublicKey {
    PublicKey::from(&key(seed))
}

fn base64(seed: u8) -> String {
    crate::strict::to_base64(public(seed).as_bytes())
}

fn thumbprint(seed: u8) -> KeyThumbprint {
    KeyThumbprint::of(&public(seed))
}

fn index(index: u64) -> LeafIndex {
    LeafIndex::new(index).unwrap()
}

/// The seed of an issuer's key: one for each role, and others for those who come later.
const OPERATOR: u8 = 1;
const AUTHOR: u8 = 2;
const REQUESTER: u8 = 3;
const AUTHORITY: u8 = 4;
const ENFORCER: u8 = 5;
const OVERSEER: u8 = 6;
const STRANGER: u8 = 7;

/// A log under replay, and whoever writes to it.
#[derive(Clone, Debug, PartialEq)]
struct Log {
    state: MemoryState,
    made: u8,
}

impl Log {
    fn empty() -> Self {
        Self { state: MemoryState::new(), made: 0 }
    }

    /// A log with one issuer a role, each under the name of its role.
    fn new() -> Self {
        let mut log = Self::empty();
        log.submit(Kind::Genesis, OPERATOR, "operator", genesis(OPERATOR)).unwrap();
        let issuers = [AUTHOR, REQUESTER, AUTHORITY, ENFORCER, OVERSEER];
        for (role, seed) in Role::ALL.iter().skip(1).zip(issuers) {
            log.submit(Kind::Issuer, OPERATOR, "operator", issuer(role.as_str(), seed, &[*role], "active"))
                .unwrap();
        }
        log
    }

    /// A statement that this log has not seen.
    fn statement(
        &mut self,
        kind: Kind,
        seed: u8,
        name: &str,
        execution: &str,
        payload: &Value,
    ) -> VerifiedStatement {
        self.made += 1;
        statement(kind, seed, name, execution, payload, self.made)
    }

    fn admit(&mut self, statement: &VerifiedStatement) -> Result<LeafHash, Refusal> {
        let before = self.state.clone();
        match admit(&self.state, statement) {
            Ok(admitted) => {
                assert_eq!(admitted.index.get(), before.size().unwrap().get());
                assert_eq!(admitted.effects.entry.0, statement.entry_id());
                self.state.apply(admitted.effects);
                assert_eq!(self.state.size().unwrap(), admitted.index.size_including());
                Ok(statement.entry_id())
            }
            Err(AdmitError::Refused(refusal)) => {
                assert_eq!(self.state, before);
                assert!(PROBLEMS.iter().any(|problem| problem.code == refusal.code()), "{refusal}");
                Err(refusal)
            }
            Err(AdmitError::State(never)) => match never {},
        }
    }

    fn submit(&mut self, kind: Kind, seed: u8, name: &str, payload: Value) -> Result<LeafHash, Refusal> {
        let statement = self.statement(kind, seed, name, RUN, &payload);
        self.admit(&statement)
    }

    /// Submits for an execution, by the issuer whose role it is.
    fn run(&mut self, execution: &str, kind: Kind, payload: &Value) -> Result<LeafHash, Refusal> {
        let (seed, name) = signer(kind);
        let statement = self.statement(kind, seed, name, execution, payload);
        self.admit(&statement)
    }

    fn policy(&mut self) -> LeafHash {
        self.run(RUN, Kind::Policy, &policy(json!({}))).unwrap()
    }

    fn authorized(&mut self, execution: &str) -> LeafHash {
        self.run(execution, Kind::Authorization, &request(json!({}))).unwrap()
    }
}

fn statement(
    kind: Kind,
    seed: u8,
    name: &str,
    execution: &str,
    payload: &Value,
    made: u8,
) -> VerifiedStatement {
    let subject = match kind {
        Kind::Genesis => Subject::Log(crate::checkpoint::Origin::new("log.example").unwrap()),
        Kind::Issuer => Subject::Issuer(payload["name"].as_str().unwrap().parse().unwrap()),
        Kind::Policy => Subject::Policy("deploy".parse().unwrap()),
        _ => Subject::Execution(execution.parse().unwrap()),
    };
    let now = UnixSeconds::new(1_800_000_000).unwrap();
    let validity = (kind == Kind::Authorization).then(|| Validity {
        audience: "enforcer".parse().unwrap(),
        not_before: now,
        expires: now,
    });
    let claims = Claims { issuer: name.parse().unwrap(), subject, validity, issued_at: now, id: [made; 16] };
    let payload = payload.as_object().unwrap();
    Draft::from_json(&public(seed), kind, claims, payload).unwrap().sign(&key(seed)).unwrap()
}

fn signer(kind: Kind) -> (u8, &'static str) {
    match kind {
        Kind::Genesis | Kind::Issuer => (OPERATOR, "operator"),
        Kind::Policy => (AUTHOR, "author"),
        Kind::Intent => (REQUESTER, "requester"),
        Kind::Decision | Kind::Authorization => (AUTHORITY, "authority"),
        Kind::Verification | Kind::Outcome | Kind::Close => (ENFORCER, "enforcer"),
        Kind::Enforcement => (OVERSEER, "overseer"),
    }
}

fn genesis(seed: u8) -> Value {
    json!({"origin": "log.example", "operator": {"public_key": base64(seed)}, "rules": "countersign/1"})
}

fn issuer(name: &str, seed: u8, roles: &[Role], status: &str) -> Value {
    json!({"name": name, "public_key": base64(seed), "roles": roles, "status": status})
}

fn policy(refs: Value) -> Value {
    json!({"name": "deploy", "version": "1", "engine": "cedar", "policies": [{"id": "a", "text": "x"}], "refs": refs})
}

/// An intent or an authorization.
fn request(refs: Value) -> Value {
    let entity = json!({"type": "t", "id": "i"});
    json!({"subject": entity, "action": {"name": "n"}, "resource": entity, "refs": refs})
}

fn decision(verdict: &str, refs: Value) -> Value {
    let code = if verdict == "permit" { "permitted" } else { "denied_by_policy" };
    json!({"decision": verdict, "code": code, "refs": refs})
}

fn verification(refs: Value) -> Value {
    json!({"result": "fail", "code": "expired", "mode": "cosigned", "refs": refs})
}

fn outcome(status: &str, refs: Value) -> Value {
    json!({"status": status, "refs": refs})
}

fn enforcement(target: LeafHash) -> Value {
    json!({"action": "halt", "reason": "r", "refs": {"target": id(target)}})
}

fn close(refs: Value) -> Value {
    json!({"entries": 1, "refs": refs})
}

fn id(entry: LeafHash) -> String {
    entry.to_string()
}

#[test]
fn every_code_is_explained_and_no_other() {
    crate::statement::tests::problems::check_table(PROBLEMS, &[include_str!("refusal.rs")]);
    // The two tables make up one set of pages.
    for problem in PROBLEMS {
        assert!(STATEMENT_PROBLEMS.iter().all(|other| other.code != problem.code), "{}", problem.code);
    }
}

#[test]
fn a_governed_execution_goes_through() {
    let mut log = Log::new();
    let policy = log.policy();
    let intent = log.run(RUN, Kind::Intent, &request(json!({}))).unwrap();
    let refs = json!({"intent": id(intent), "policy": id(policy)});
    let decision = log.run(RUN, Kind::Decision, &decision("permit", refs.clone())).unwrap();
    let refs = json!({"intent": id(intent), "policy": id(policy), "decision": id(decision)});
    let authorization = log.run(RUN, Kind::Authorization, &request(refs)).unwrap();
    let refs = json!({"intent": id(intent), "authorization": id(authorization)});
    let verification = log.run(RUN, Kind::Verification, &verification(refs)).unwrap();
    let refs = json!({"intent": id(intent), "authorization": id(authorization), "verification": id(verification),
        "decision": id(decision)});
    let outcome = log.run(RUN, Kind::Outcome, &outcome("confirmed", refs)).unwrap();
    let close = log.run(RUN, Kind::Close, &close(json!({"outcome": id(outcome)}))).unwrap();
    for target in [intent, decision, authorization, verification, outcome, close] {
        log.run(RUN, Kind::Enforcement, &enforcement(target)).unwrap();
    }
}

#[test]
fn the_smallest_useful_use_is_authorizations_and_outcomes() {
    let mut log = Log::new();
    let authorization = log.authorized(RUN);
    let refs = json!({"authorization": id(authorization)});
    log.run(RUN, Kind::Outcome, &outcome("unknown", refs)).unwrap();
}

#[test]
fn the_first_entry_is_the_genesis_and_no_other_is() {
    let mut log = Log::empty();
    for kind in Kind::ALL.iter().filter(|kind| **kind != Kind::Genesis) {
        let (seed, name) = signer(*kind);
        let payload = match kind {
            Kind::Issuer => issuer("operator", OPERATOR, &[Role::Operator], "active"),
            Kind::Policy => policy(json!({})),
            Kind::Intent | Kind::Authorization => request(json!({})),
            Kind::Close => close(json!({})),
            Kind::Outcome => outcome("not_executed", json!({})),
            Kind::Verification => verification(json!({})),
            Kind::Decision => decision("deny", json!({"intent": "00".repeat(32), "policy": "00".repeat(32)})),
            _ => enforcement(LeafHash::of(b"")),
        };
        assert_eq!(log.submit(*kind, seed, name, payload), Err(Refusal::GenesisMissing { found: *kind }));
    }
    log.submit(Kind::Genesis, OPERATOR, "operator", genesis(OPERATOR)).unwrap();
    let size = TreeSize::new(1).unwrap();
    for seed in [OPERATOR, STRANGER] {
        let again = log.submit(Kind::Genesis, seed, "operator", genesis(seed));
        assert_eq!(again, Err(Refusal::GenesisAgain { size }));
    }
}

#[test]
fn the_genesis_is_by_the_operator_it_names() {
    let mut log = Log::empty();
    let refusal = log.submit(Kind::Genesis, OPERATOR, "owner", genesis(OPERATOR)).unwrap_err();
    assert_eq!(refusal, Refusal::GenesisIssuer { found: "owner".parse().unwrap() });
    let refusal = log.submit(Kind::Genesis, STRANGER, "operator", genesis(OPERATOR)).unwrap_err();
    let (found, expected) = (thumbprint(STRANGER), thumbprint(OPERATOR));
    assert_eq!(refusal, Refusal::GenesisKey { found, expected });
    assert_eq!(refusal.pointer().unwrap().as_str(), "/operator/public_key");
}

#[test]
fn a_statement_is_in_the_log_once() {
    let mut log = Log::new();
    let statement = log.statement(Kind::Intent, REQUESTER, "requester", RUN, &request(json!({})));
    log.admit(&statement).unwrap();
    assert_eq!(log.admit(&statement), Err(Refusal::AlreadyPresent { index: index(6) }));
    // The same again with another cti is another statement.
    log.submit(Kind::Intent, REQUESTER, "requester", request(json!({}))).unwrap();
    let genesis = statement_of_genesis();
    assert_eq!(log.admit(&genesis), Err(Refusal::AlreadyPresent { index: index(0) }));
}

fn statement_of_genesis() -> VerifiedStatement {
    statement(Kind::Genesis, OPERATOR, "operator", RUN, &genesis(OPERATOR), 1)
}

#[test]
fn only_registered_keys_sign_and_only_under_their_names() {
    let mut log = Log::new();
    let refused = |log: &mut Log, seed: u8, name: &str| {
        let refusal = log.submit(Kind::Intent, seed, name, request(json!({}))).unwrap_err();
        assert_eq!(refusal, Refusal::IssuerUnknown { name: name.parse().unwrap(), key: thumbprint(seed) });
    };
    refused(&mut log, STRANGER, "stranger");
    refused(&mut log, STRANGER, "requester");
    refused(&mut log, REQUESTER, "author");
    refused(&mut log, REQUESTER, "Requester");
}

#[test]
fn each_kind_is_signed_in_its_role() {
    let mut log = Log::new();
    let seeds = [OPERATOR, AUTHOR, REQUESTER, AUTHORITY, ENFORCER, OVERSEER];
    let (policy_entry, authorization) = (log.policy(), log.authorized(RUN));
    let intent = log.run(RUN, Kind::Intent, &request(json!({}))).unwrap();
    for (kind, payload, accepted) in [
        (Kind::Issuer, issuer("new", STRANGER, &[], "active"), &[Role::Operator][..]),
        (Kind::Policy, policy(json!({})), &[Role::Operator, Role::Author]),
        (Kind::Intent, request(json!({})), &[Role::Requester]),
        (
            Kind::Decision,
            decision("deny", json!({"intent": id(intent), "policy": id(policy_entry)})),
            &[Role::Authority],
        ),
        (Kind::Authorization, request(json!({})), &[Role::Authority]),
        (Kind::Verification, verification(json!({})), &[Role::Enforcer]),
        (Kind::Outcome, outcome("not_executed", json!({})), &[Role::Enforcer]),
        (Kind::Enforcement, enforcement(authorization), &[Role::Overseer]),
        (Kind::Close, close(json!({})), &[Role::Enforcer]),
    ] {
        for (role, seed) in Role::ALL.iter().zip(seeds) {
            let mut log = log.clone();
            let answer = log.submit(kind, seed, role.as_str(), payload.clone());
            if accepted.contains(role) {
                assert!(answer.is_ok(), "{kind} by {role}: {answer:?}");
            } else {
                assert_eq!(answer.unwrap_err().code(), "role-missing", "{kind} by {role}");
            }
        }
    }
}

#[test]
fn the_newest_registration_of_a_name_and_key_rules() {
    let mut log = Log::new();
    let ask = |log: &mut Log, seed: u8| log.submit(Kind::Intent, seed, "requester", request(json!({})));
    let register = |log: &mut Log, seed: u8, roles: &[Role], status: &str| {
        log.submit(Kind::Issuer, OPERATOR, "operator", issuer("requester", seed, roles, status)).unwrap();
    };
    // A second key of the name leaves the first as it is.
    register(&mut log, STRANGER, &[Role::Requester], "active");
    ask(&mut log, STRANGER).unwrap();
    ask(&mut log, REQUESTER).unwrap();
    // Revoked, the first signs nothing more; the second still does.
    register(&mut log, REQUESTER, &[Role::Requester], "revoked");
    let (name, key) = ("requester".parse().unwrap(), thumbprint(REQUESTER));
    assert_eq!(ask(&mut log, REQUESTER), Err(Refusal::IssuerRevoked { name, key, index: index(9) }));
    ask(&mut log, STRANGER).unwrap();
    // Other roles, and none.
    register(&mut log, STRANGER, &[Role::Overseer], "active");
    assert_eq!(ask(&mut log, STRANGER).unwrap_err().code(), "role-missing");
    register(&mut log, STRANGER, &[], "active");
    assert_eq!(ask(&mut log, STRANGER).unwrap_err().code(), "role-missing");
    // And back again.
    register(&mut log, REQUESTER, &[Role::Requester], "active");
    ask(&mut log, REQUESTER).unwrap();
    let record = log.state.issuer(&IssuerKey { name: "requester".parse().unwrap(), key }).unwrap().unwrap();
    assert_eq!((record.public_key, record.status), (public(REQUESTER), IssuerStatus::Active));
    assert_eq!(log.state.issuers().count(), 7);
}

#[test]
fn one_key_may_be_registered_under_several_names() {
    let mut log = Log::new();
    let both = issuer("second", REQUESTER, &[Role::Requester], "active");
    log.submit(Kind::Issuer, OPERATOR, "operator", both).unwrap();
    let revoked = issuer("requester", REQUESTER, &[Role::Requester], "revoked");
    log.submit(Kind::Issuer, OPERATOR, "operator", revoked).unwrap();
    log.submit(Kind::Intent, REQUESTER, "second", request(json!({}))).unwrap();
    assert!(log.submit(Kind::Intent, REQUESTER, "requester", request(json!({}))).is_err());
}

#[test]
fn a_log_never_loses_its_operator() {
    let mut log = Log::new();
    let register = |log: &mut Log, signer: u8, name: &str, seed: u8, roles: &[Role], status: &str| {
        log.submit(Kind::Issuer, signer, "operator", issuer(name, seed, roles, status))
    };
    // No other name operates.
    let refusal = register(&mut log, OPERATOR, "author", AUTHOR, &[Role::Author, Role::Operator], "active")
        .unwrap_err();
    assert_eq!(refusal, Refusal::OperatorName { found: "author".parse().unwrap() });
    assert_eq!(refusal.pointer().unwrap().as_str(), "/roles");
    let refusal = register(&mut log, OPERATOR, "author", AUTHOR, &[Role::Operator], "revoked").unwrap_err();
    assert_eq!(refusal.code(), "operator-name");
    // The operator's key neither revokes nor strips itself ...
    for (roles, status) in [(&[Role::Operator][..], "revoked"), (&[], "active"), (&[Role::Author], "active")]
    {
        let refusal = register(&mut log, OPERATOR, "operator", OPERATOR, roles, status).unwrap_err();
        assert_eq!(refusal, Refusal::OperatorSelf { key: thumbprint(OPERATOR) });
    }
    // ... but may give itself further roles, under its name and under others.
    register(&mut log, OPERATOR, "operator", OPERATOR, &[Role::Author, Role::Operator], "active").unwrap();
    register(&mut log, OPERATOR, "side", OPERATOR, &[], "revoked").unwrap();
    // Rotation: a second key of the name, which then revokes the first.
    assert_eq!(
        register(&mut log, STRANGER, "operator", OPERATOR, &[Role::Operator], "revoked").unwrap_err().code(),
        "issuer-not-registered"
    );
    register(&mut log, OPERATOR, "operator", STRANGER, &[Role::Operator], "active").unwrap();
    register(&mut log, STRANGER, "operator", OPERATOR, &[Role::Operator], "revoked").unwrap();
    assert_eq!(register(&mut log, OPERATOR, "x", 9, &[], "active").unwrap_err().code(), "issuer-revoked");
    register(&mut log, STRANGER, "x", 9, &[], "active").unwrap();
}

/// Makes a payload from its references.
type Make<'a> = &'a dyn Fn(Value) -> Value;

/// Every reference of every kind: to what it may name, to nothing, to another kind, to another execution.
#[test]
fn references_resolve_to_the_kind_and_the_execution_of_their_role() {
    let mut log = Log::new();
    let policy_entry = log.policy();
    let entries = |log: &mut Log, execution: &str| {
        let intent = log.run(execution, Kind::Intent, &request(json!({}))).unwrap();
        let refs = json!({"intent": id(intent), "policy": id(policy_entry)});
        let decision = log.run(execution, Kind::Decision, &decision("permit", refs)).unwrap();
        let authorization = log.authorized(execution);
        let verification = log.run(execution, Kind::Verification, &verification(json!({}))).unwrap();
        let outcome = log.run(execution, Kind::Outcome, &outcome("not_executed", json!({}))).unwrap();
        [intent, decision, authorization, verification, outcome]
    };
    let [intent, decided, authorization, verified, ended] = entries(&mut log, RUN);
    let [other_intent, other_decision, other_authorization, other_verification, other_outcome] =
        entries(&mut log, "run-2");
    let base = json!({"intent": id(intent), "policy": id(policy_entry)});
    let merge = |role: RefRole, entry: LeafHash, mut refs: Value| {
        refs[role.as_str()] = json!(id(entry));
        refs
    };
    let deny: Make<'_> = &|refs| decision("deny", refs);
    let ran: Make<'_> = &|refs| outcome("failed", refs);
    let nothing_ran: Make<'_> = &|refs| outcome("not_executed", refs);
    for (kind, make, refs, role, good, other) in [
        (Kind::Policy, &policy as Make<'_>, json!({}), RefRole::Replaces, policy_entry, None),
        (Kind::Decision, deny, base.clone(), RefRole::Intent, intent, Some(other_intent)),
        (Kind::Decision, deny, base, RefRole::Policy, policy_entry, None),
        (Kind::Authorization, &request, json!({}), RefRole::Intent, intent, Some(other_intent)),
        (Kind::Authorization, &request, json!({}), RefRole::Decision, decided, Some(other_decision)),
        (Kind::Authorization, &request, json!({}), RefRole::Policy, policy_entry, None),
        (
            Kind::Verification,
            &verification,
            json!({}),
            RefRole::Authorization,
            authorization,
            Some(other_authorization),
        ),
        (Kind::Verification, &verification, json!({}), RefRole::Intent, intent, Some(other_intent)),
        (Kind::Outcome, ran, json!({}), RefRole::Authorization, authorization, Some(other_authorization)),
        (Kind::Outcome, nothing_ran, json!({}), RefRole::Verification, verified, Some(other_verification)),
        (Kind::Outcome, nothing_ran, json!({}), RefRole::Decision, decided, Some(other_decision)),
        (Kind::Outcome, nothing_ran, json!({}), RefRole::Intent, intent, Some(other_intent)),
        (Kind::Close, &close, json!({}), RefRole::Outcome, ended, Some(other_outcome)),
        (
            Kind::Enforcement,
            &|refs| json!({"action": "halt", "reason": "r", "refs": refs}),
            json!({}),
            RefRole::Target,
            intent,
            Some(other_intent),
        ),
    ] {
        let refer = |entry: LeafHash| {
            let mut log = log.clone();
            let answer = log.run(RUN, kind, &make(merge(role, entry, refs.clone())));
            answer.inspect_err(|refusal| {
                assert_eq!(refusal.pointer().unwrap().as_str(), format!("/refs/{role}"), "{kind}");
            })
        };
        assert!(refer(good).is_ok(), "{kind} {role}: {:?}", refer(good));
        let nowhere = LeafHash::of(b"elsewhere");
        assert_eq!(refer(nowhere), Err(Refusal::ReferenceUnresolved { role, entry: nowhere }));
        if let Some(other) = other {
            let refusal = refer(other).unwrap_err();
            let Refusal::ReferenceExecution { found, expected, .. } = refusal else {
                panic!("{kind} {role}: {refusal}")
            };
            assert_eq!((found.unwrap().as_str(), expected.as_str()), ("run-2", RUN));
        }
        let foreign = if role == RefRole::Intent { authorization } else { intent };
        if role == RefRole::Target {
            // Any kind, but not what belongs to no execution.
            assert!([decided, authorization, verified, ended].iter().all(|entry| refer(*entry).is_ok()));
            assert_eq!(refer(policy_entry).unwrap_err().code(), "reference-execution");
        } else {
            assert_eq!(refer(foreign).unwrap_err().code(), "reference-kind", "{kind} {role}");
        }
    }
}

#[test]
fn policies_are_cited_from_any_execution() {
    let mut log = Log::new();
    let policy_entry = log.policy();
    for execution in [RUN, "run-2"] {
        let intent = log.run(execution, Kind::Intent, &request(json!({}))).unwrap();
        let refs = json!({"intent": id(intent), "policy": id(policy_entry)});
        log.run(execution, Kind::Decision, &decision("deny", refs)).unwrap();
        log.run(execution, Kind::Authorization, &request(json!({"policy": id(policy_entry)}))).unwrap();
    }
    log.run(RUN, Kind::Policy, &policy(json!({"replaces": id(policy_entry)}))).unwrap();
}

#[test]
fn an_authorization_stands_on_a_permit() {
    let mut log = Log::new();
    let policy_entry = log.policy();
    let intent = log.run(RUN, Kind::Intent, &request(json!({}))).unwrap();
    let refs = json!({"intent": id(intent), "policy": id(policy_entry)});
    let denied = log.run(RUN, Kind::Decision, &decision("deny", refs.clone())).unwrap();
    let permitted = log.run(RUN, Kind::Decision, &decision("permit", refs)).unwrap();
    let refusal = log.run(RUN, Kind::Authorization, &request(json!({"decision": id(denied)}))).unwrap_err();
    assert_eq!(refusal, Refusal::DecisionDenies { index: index(8) });
    assert_eq!(refusal.pointer().unwrap().as_str(), "/refs/decision");
    log.run(RUN, Kind::Authorization, &request(json!({"decision": id(permitted)}))).unwrap();
}

#[test]
fn an_authorization_has_one_outcome() {
    for first in ["confirmed", "failed", "unknown", "not_executed"] {
        let mut log = Log::new();
        let authorization = log.authorized(RUN);
        let refs = json!({"authorization": id(authorization)});
        let ended = log.run(RUN, Kind::Outcome, &outcome(first, refs.clone())).unwrap();
        for second in ["confirmed", "not_executed"] {
            let refusal = log.run(RUN, Kind::Outcome, &outcome(second, refs.clone())).unwrap_err();
            assert_eq!(refusal, Refusal::OutcomeAgain { authorization, outcome: ended });
            assert_eq!(refusal.pointer().unwrap().as_str(), "/refs/authorization");
        }
        // Another authorization of the execution has its own; what names none, is not counted.
        let another = log.authorized(RUN);
        log.run(RUN, Kind::Outcome, &outcome("confirmed", json!({"authorization": id(another)}))).unwrap();
        log.run(RUN, Kind::Outcome, &outcome("not_executed", json!({}))).unwrap();
        log.run(RUN, Kind::Outcome, &outcome("not_executed", json!({}))).unwrap();
    }
}

#[test]
fn nothing_but_enforcement_follows_a_close() {
    let mut log = Log::new();
    let policy_entry = log.policy();
    let intent = log.run(RUN, Kind::Intent, &request(json!({}))).unwrap();
    let authorization = log.authorized(RUN);
    let closed = log.run(RUN, Kind::Close, &close(json!({}))).unwrap();
    for (kind, payload) in [
        (Kind::Intent, request(json!({}))),
        (Kind::Decision, decision("deny", json!({"intent": id(intent), "policy": id(policy_entry)}))),
        (Kind::Authorization, request(json!({}))),
        (Kind::Verification, verification(json!({}))),
        (Kind::Outcome, outcome("confirmed", json!({"authorization": id(authorization)}))),
        (Kind::Close, close(json!({}))),
    ] {
        let refusal = log.run(RUN, kind, &payload).unwrap_err();
        assert_eq!(
            refusal,
            Refusal::ExecutionClosed { execution: RUN.parse().unwrap(), close: closed },
            "{kind}"
        );
    }
    log.run(RUN, Kind::Enforcement, &enforcement(intent)).unwrap();
    log.run(RUN, Kind::Enforcement, &enforcement(closed)).unwrap();
    // Other executions and what belongs to none go on.
    log.run("run-2", Kind::Intent, &request(json!({}))).unwrap();
    log.policy();
}

#[test]
fn the_signing_key_is_the_registered_one() {
    let mut log = Log::empty();
    let genesis = statement_of_genesis();
    assert_eq!(signing_key(&log.state, genesis.statement()), Ok(public(OPERATOR)));
    log.admit(&genesis).unwrap();
    let asked = log.statement(Kind::Intent, REQUESTER, "requester", RUN, &request(json!({})));
    let unknown = Refusal::IssuerUnknown { name: "requester".parse().unwrap(), key: thumbprint(REQUESTER) };
    assert_eq!(signing_key(&log.state, asked.statement()), Err(AdmitError::Refused(unknown)));
    let registration = issuer("requester", REQUESTER, &[], "revoked");
    log.submit(Kind::Issuer, OPERATOR, "operator", registration).unwrap();
    let found = signing_key(&log.state, asked.statement()).unwrap();
    let read = Statement::parse(asked.statement().bytes()).unwrap();
    assert!(read.verify(&found).is_ok());
}

/// A state that fails at one of its questions, as a damaged database does.
struct Failing<'a>(&'a MemoryState, &'static str);

impl Failing<'_> {
    fn ask<T>(
        &self,
        question: &'static str,
        answer: Result<T, core::convert::Infallible>,
    ) -> Result<T, &'static str> {
        let Ok(answer) = answer;
        if self.1 == question { Err(question) } else { Ok(answer) }
    }
}

impl State for Failing<'_> {
    type Error = &'static str;

    fn size(&self) -> Result<TreeSize, Self::Error> {
        self.ask("size", self.0.size())
    }

    fn issuer(&self, issuer: &IssuerKey) -> Result<Option<IssuerRecord>, Self::Error> {
        self.ask("issuer", self.0.issuer(issuer))
    }

    fn entry(&self, entry: &LeafHash) -> Result<Option<EntryFacts>, Self::Error> {
        self.ask("entry", self.0.entry(entry))
    }

    fn outcome_of(&self, authorization: &LeafHash) -> Result<Option<LeafHash>, Self::Error> {
        self.ask("outcome_of", self.0.outcome_of(authorization))
    }

    fn close_of(&self, execution: &crate::statement::ExecutionId) -> Result<Option<LeafHash>, Self::Error> {
        self.ask("close_of", self.0.close_of(execution))
    }
}

#[test]
fn a_state_that_cannot_be_read_admits_nothing() {
    let mut log = Log::new();
    let authorization = log.authorized(RUN);
    let refs = json!({"authorization": id(authorization)});
    let ended = log.statement(Kind::Outcome, ENFORCER, "enforcer", RUN, &outcome("confirmed", refs));
    for question in ["size", "issuer", "entry", "outcome_of", "close_of"] {
        assert_eq!(admit(&Failing(&log.state, question), &ended), Err(AdmitError::State(question)));
    }
    assert!(admit(&Failing(&log.state, ""), &ended).is_ok());
}
