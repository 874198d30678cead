//! Admission: what may enter a log, by the rules `countersign/1`.

use countersign_verifier::merkle::LeafHash;
use countersign_verifier::statement::Kind;
use serde_json::{Value, json};

use super::keys::public_text;
use super::raw::{Raw, text};
use super::{Case, File, base64};

/// Who signs: the seed of the key, and the name.
pub(super) type Who = (u8, &'static str);

pub(super) const OPERATOR: Who = (1, "operator");
pub(super) const AUTHOR: Who = (2, "author");
pub(super) const REQUESTER: Who = (3, "requester");
pub(super) const AUTHORITY: Who = (4, "authority");
pub(super) const ENFORCER: Who = (5, "enforcer");
pub(super) const OVERSEER: Who = (6, "overseer");
pub(super) const STRANGER: Who = (8, "stranger");

pub(super) const RUN: &str = "run-1";

/// A log in the making: every statement with whether it enters.
#[derive(Clone, Default)]
pub(super) struct Log {
    pub(super) statements: Vec<Vec<u8>>,
    expect: Vec<Value>,
}

impl Log {
    /// A log with one issuer a role, each under the name of its role.
    fn new() -> Self {
        let mut log = Self::default();
        log.enters(Kind::Genesis, OPERATOR, RUN, &genesis(OPERATOR));
        for who in [AUTHOR, REQUESTER, AUTHORITY, ENFORCER, OVERSEER] {
            log.enters(Kind::Issuer, OPERATOR, RUN, &issuer(who, &[who.1], "active"));
        }
        log
    }

    /// A log with only those of them that are needed.
    pub(super) fn with(issuers: &[Who]) -> Self {
        let mut log = Self::default();
        log.enters(Kind::Genesis, OPERATOR, RUN, &genesis(OPERATOR));
        for who in issuers {
            log.enters(Kind::Issuer, OPERATOR, RUN, &issuer(*who, &[who.1], "active"));
        }
        log
    }

    pub(super) fn submit(
        &mut self,
        kind: Kind,
        who: Who,
        execution: &str,
        payload: &Value,
        expect: Value,
    ) -> String {
        // The number of the statement makes its cti, so that no two are the same.
        let number = u8::try_from(self.statements.len()).expect("logs here are short");
        let raw = Raw::new(kind, payload).by(who.0, who.1).numbered(number);
        let about_execution = !matches!(kind, Kind::Genesis | Kind::Issuer | Kind::Policy);
        let raw = if about_execution { raw.with_claim(2, text(execution)) } else { raw };
        let raw = if kind == Kind::Authorization { raw.with_claim(3, text(ENFORCER.1)) } else { raw };
        let statement = raw.sign();
        let id = LeafHash::of(&statement).to_string();
        self.statements.push(statement);
        self.expect.push(expect);
        id
    }

    pub(super) fn enters(&mut self, kind: Kind, who: Who, execution: &str, payload: &Value) -> String {
        self.submit(kind, who, execution, payload, json!("admitted"))
    }

    fn case(self, name: &str) -> Case {
        let valid = self.expect.iter().all(|expect| expect == "admitted");
        let statements: Vec<Value> =
            self.statements.iter().map(|statement| json!({"base64": base64(statement)})).collect();
        let input = json!({ "statements": statements });
        Case { name: name.to_owned(), valid, input, expect: json!(self.expect) }
    }

    /// The case of one more statement that is refused.
    fn refuses(mut self, name: &str, last: (Kind, Who, Value), code: &str, pointer: Option<&str>) -> Case {
        let expect = pointer
            .map_or_else(|| json!({"refused": code}), |pointer| json!({"refused": code, "pointer": pointer}));
        let (kind, who, payload) = last;
        self.submit(kind, who, RUN, &payload, expect);
        self.case(name)
    }

    /// The case of one more statement that enters.
    fn admits(mut self, name: &str, last: (Kind, Who, Value)) -> Case {
        let (kind, who, payload) = last;
        self.enters(kind, who, RUN, &payload);
        self.case(name)
    }
}

pub(super) fn genesis(who: Who) -> Value {
    json!({"origin": "log.example", "operator": {"public_key": public_text(who.0)}, "rules": "countersign/1"})
}

pub(super) fn issuer(who: Who, roles: &[&str], status: &str) -> Value {
    json!({"name": who.1, "public_key": public_text(who.0), "roles": roles, "status": status})
}

pub(super) fn policy() -> Value {
    json!({"name": "deploy", "version": "1", "engine": "cedar", "policies": [{"id": "a", "text": "x"}]})
}

fn with_refs(mut payload: Value, refs: Value) -> Value {
    payload["refs"] = refs;
    payload
}

pub(super) fn request() -> Value {
    let entity = json!({"type": "t", "id": "i"});
    json!({"subject": entity, "action": {"name": "n"}, "resource": entity})
}

pub(super) fn decision(verdict: &str, intent: &str, policy: &str) -> Value {
    let code = if verdict == "permit" { "permitted" } else { "denied_by_policy" };
    json!({"decision": verdict, "code": code, "refs": {"intent": intent, "policy": policy}})
}

pub(super) fn outcome(status: &str, authorization: &str) -> Value {
    json!({"status": status, "refs": {"authorization": authorization}})
}

pub(super) fn close() -> Value {
    json!({"entries": 1})
}

pub(super) fn enforcement(target: &str) -> Value {
    json!({"action": "halt", "reason": "r", "refs": {"target": target}})
}

pub(super) fn file() -> File {
    let mut cases = vec![governed()];
    cases.extend(founding());
    cases.extend(issuers());
    cases.extend(operators());
    cases.extend(references());
    cases.extend(executions());
    File {
        name: "admission",
        about: "Which of these statements, submitted in this order, does a log admit?",
        cases,
    }
}

/// A whole governed execution, and a measure against its close.
fn governed() -> Case {
    let mut log = Log::new();
    let policy = log.enters(Kind::Policy, AUTHOR, RUN, &policy());
    let intent = log.enters(Kind::Intent, REQUESTER, RUN, &request());
    let decided = log.enters(Kind::Decision, AUTHORITY, RUN, &decision("permit", &intent, &policy));
    let refs = json!({"intent": intent, "decision": decided, "policy": policy});
    let authorization = log.enters(Kind::Authorization, AUTHORITY, RUN, &with_refs(request(), refs));
    let verification = json!({"result": "pass", "code": "ok", "mode": "cosigned",
        "refs": {"authorization": authorization, "intent": intent}});
    let verified = log.enters(Kind::Verification, ENFORCER, RUN, &verification);
    let refs = json!({"authorization": authorization, "verification": verified, "decision": decided, "intent": intent});
    let ended = log.enters(Kind::Outcome, ENFORCER, RUN, &json!({"status": "confirmed", "refs": refs}));
    let closed = log.enters(Kind::Close, ENFORCER, RUN, &json!({"entries": 6, "refs": {"outcome": ended}}));
    log.admits("a governed execution", (Kind::Enforcement, OVERSEER, enforcement(&closed)))
}

fn founding() -> Vec<Case> {
    let empty = Log::default;
    let mut twice = Log::with(&[REQUESTER]);
    let again = twice.statements[0].clone();
    twice.statements.push(again);
    twice.expect.push(json!({"refused": "already-present"}));
    let mut repeated = Log::with(&[REQUESTER]);
    repeated.enters(Kind::Intent, REQUESTER, RUN, &request());
    let again = repeated.statements[2].clone();
    repeated.statements.push(again);
    repeated.expect.push(json!({"refused": "already-present"}));
    vec![
        empty().admits("a genesis", (Kind::Genesis, OPERATOR, genesis(OPERATOR))),
        empty().refuses("no genesis", (Kind::Intent, REQUESTER, request()), "issuer-not-registered", None),
        Log::with(&[]).refuses(
            "a second genesis",
            (Kind::Genesis, STRANGER, genesis(STRANGER)),
            "genesis-again",
            None,
        ),
        empty().refuses(
            "a genesis under another name",
            (Kind::Genesis, (1, "owner"), genesis(OPERATOR)),
            "genesis-not-by-operator",
            None,
        ),
        empty().refuses(
            "a genesis signed by another key",
            (Kind::Genesis, (8, "operator"), genesis(OPERATOR)),
            "key-mismatch",
            None,
        ),
        twice.case("the genesis again"),
        repeated.case("a statement again"),
    ]
}

fn issuers() -> Vec<Case> {
    let ask = |who: Who| (Kind::Intent, who, request());
    let mut cases = vec![
        Log::with(&[REQUESTER]).refuses(
            "a key that nobody registered",
            ask(STRANGER),
            "issuer-not-registered",
            None,
        ),
        Log::with(&[REQUESTER]).refuses(
            "a registered name with another key",
            ask((STRANGER.0, REQUESTER.1)),
            "issuer-not-registered",
            None,
        ),
        Log::with(&[REQUESTER, AUTHOR]).refuses(
            "a registered key under another name",
            ask((REQUESTER.0, AUTHOR.1)),
            "issuer-not-registered",
            None,
        ),
    ];
    let mut revoked = Log::with(&[REQUESTER]);
    revoked.enters(Kind::Issuer, OPERATOR, RUN, &issuer(REQUESTER, &["requester"], "revoked"));
    cases.push(revoked.clone().refuses("a revoked key", ask(REQUESTER), "issuer-revoked", None));
    revoked.enters(Kind::Issuer, OPERATOR, RUN, &issuer(REQUESTER, &["requester"], "active"));
    cases.push(revoked.admits("a key that was revoked and is active again", ask(REQUESTER)));
    let mut second = Log::with(&[REQUESTER]);
    let other = (STRANGER.0, REQUESTER.1);
    second.enters(Kind::Issuer, OPERATOR, RUN, &issuer(other, &["requester"], "active"));
    second.enters(Kind::Issuer, OPERATOR, RUN, &issuer(REQUESTER, &["requester"], "revoked"));
    cases.push(second.admits("the second key of a name whose first was revoked", ask(other)));
    let mut stripped = Log::with(&[REQUESTER]);
    stripped.enters(Kind::Issuer, OPERATOR, RUN, &issuer(REQUESTER, &[], "active"));
    cases.push(stripped.refuses("a key whose role was taken away", ask(REQUESTER), "role-missing", None));
    let target = "00".repeat(32);
    for (kind, payload, wrong) in [
        (Kind::Issuer, issuer(STRANGER, &[], "active"), AUTHOR),
        (Kind::Policy, policy(), AUTHORITY),
        (Kind::Intent, request(), OPERATOR),
        (Kind::Decision, decision("deny", &target, &target), ENFORCER),
        (Kind::Authorization, request(), ENFORCER),
        (Kind::Verification, json!({"result": "fail", "code": "expired", "mode": "async"}), AUTHORITY),
        (Kind::Outcome, json!({"status": "not_executed"}), REQUESTER),
        (Kind::Enforcement, enforcement(&target), ENFORCER),
        (Kind::Close, close(), OVERSEER),
    ] {
        let needed: Vec<Who> = [wrong].into_iter().filter(|who| *who != OPERATOR).collect();
        let name = format!("{kind} by {}", wrong.1);
        cases.push(Log::with(&needed).refuses(&name, (kind, wrong, payload), "role-missing", None));
    }
    cases.push(Log::with(&[]).admits("a policy by the operator", (Kind::Policy, OPERATOR, policy())));
    cases
}

fn operators() -> Vec<Case> {
    let register =
        |who: Who, roles: &[&str], status: &str| (Kind::Issuer, OPERATOR, issuer(who, roles, status));
    let log = || Log::with(&[]);
    let second = (STRANGER.0, OPERATOR.1);
    let mut rotated = log();
    rotated.enters(Kind::Issuer, OPERATOR, RUN, &issuer(second, &["operator"], "active"));
    rotated.enters(Kind::Issuer, second, RUN, &issuer(OPERATOR, &["operator"], "revoked"));
    vec![
        log().refuses(
            "the role operator for another name",
            register(AUTHOR, &["author", "operator"], "active"),
            "operator-name",
            Some("/roles"),
        ),
        log().refuses(
            "an operator revokes itself",
            register(OPERATOR, &["operator"], "revoked"),
            "operator-self",
            Some("/roles"),
        ),
        log().refuses(
            "an operator gives its role away",
            register(OPERATOR, &["author"], "active"),
            "operator-self",
            Some("/roles"),
        ),
        log().admits("an operator takes another role", register(OPERATOR, &["author", "operator"], "active")),
        rotated.clone().admits("an operator's key rotated", (Kind::Policy, second, policy())),
        rotated.refuses("the rotated key", (Kind::Policy, OPERATOR, policy()), "issuer-revoked", None),
    ]
}

fn references() -> Vec<Case> {
    let mut log = Log::with(&[AUTHOR, REQUESTER, AUTHORITY, ENFORCER]);
    let policy_entry = log.enters(Kind::Policy, AUTHOR, RUN, &policy());
    let intent = log.enters(Kind::Intent, REQUESTER, RUN, &request());
    let elsewhere = log.enters(Kind::Intent, REQUESTER, "run-2", &request());
    let denied = log.enters(Kind::Decision, AUTHORITY, RUN, &decision("deny", &intent, &policy_entry));
    let authorization = log.enters(Kind::Authorization, AUTHORITY, RUN, &request());
    let nothing = "00".repeat(32);
    let allow = |refs: Value| (Kind::Authorization, AUTHORITY, with_refs(request(), refs));
    let decide = |intent: &str, policy: &str| (Kind::Decision, AUTHORITY, decision("deny", intent, policy));
    let ran = |refs: Value| (Kind::Outcome, ENFORCER, json!({"status": "failed", "refs": refs}));
    let case = |name: &str, last: (Kind, Who, Value), code: &str, pointer: &str| {
        log.clone().refuses(name, last, code, Some(pointer))
    };
    vec![
        case(
            "an intent that is not there",
            decide(&nothing, &policy_entry),
            "reference-unresolved",
            "/refs/intent",
        ),
        case("a policy that is not there", decide(&intent, &nothing), "reference-unresolved", "/refs/policy"),
        case("a policy as intent", decide(&policy_entry, &policy_entry), "reference-kind", "/refs/intent"),
        case("an intent as policy", decide(&intent, &intent), "reference-kind", "/refs/policy"),
        case(
            "an intent of another execution",
            decide(&elsewhere, &policy_entry),
            "reference-execution",
            "/refs/intent",
        ),
        case(
            "an authorization on a denial",
            allow(json!({"decision": denied})),
            "decision-denies",
            "/refs/decision",
        ),
        case(
            "an intent as authorization",
            ran(json!({"authorization": intent})),
            "reference-kind",
            "/refs/authorization",
        ),
        case(
            "an outcome of what is not there",
            ran(json!({"authorization": nothing})),
            "reference-unresolved",
            "/refs/authorization",
        ),
        case(
            "a decision as verification",
            ran(json!({"authorization": authorization, "verification": denied})),
            "reference-kind",
            "/refs/verification",
        ),
        log.clone().admits("an authorization without decision", allow(json!({"intent": intent}))),
        log.clone().admits("an authorization that names its policy", allow(json!({"policy": policy_entry}))),
    ]
}

fn executions() -> Vec<Case> {
    let mut log = Log::with(&[AUTHORITY, ENFORCER, OVERSEER]);
    let authorization = log.enters(Kind::Authorization, AUTHORITY, RUN, &request());
    let mut ended = log.clone();
    ended.enters(Kind::Outcome, ENFORCER, RUN, &outcome("not_executed", &authorization));
    let mut closed = log.clone();
    closed.enters(Kind::Close, ENFORCER, RUN, &close());
    let verification = json!({"result": "fail", "code": "expired", "mode": "async"});
    let again = |status: &str| (Kind::Outcome, ENFORCER, outcome(status, &authorization));
    let code = "execution-closed";
    vec![
        ended.clone().refuses(
            "a second outcome",
            again("confirmed"),
            "outcome-again",
            Some("/refs/authorization"),
        ),
        ended.clone().refuses(
            "a second outcome of nothing",
            again("not_executed"),
            "outcome-again",
            Some("/refs/authorization"),
        ),
        ended.admits(
            "an outcome that names no authorization",
            (Kind::Outcome, ENFORCER, json!({"status": "not_executed"})),
        ),
        closed.clone().refuses("an outcome after the close", again("confirmed"), code, None),
        closed.clone().refuses(
            "a verification after the close",
            (Kind::Verification, ENFORCER, verification),
            code,
            None,
        ),
        closed.clone().refuses("a second close", (Kind::Close, ENFORCER, close()), code, None),
        closed.clone().refuses(
            "an authorization after the close",
            (Kind::Authorization, AUTHORITY, request()),
            code,
            None,
        ),
        closed
            .admits("a measure after the close", (Kind::Enforcement, OVERSEER, enforcement(&authorization))),
    ]
}
