//! Those who take part in an execution, and one execution from intent to close.

use countersign_tests::harness::{System, execution, issuer_name, register};
use countersign_tests::statements::{Issuer, request};
use countersign_verifier::merkle::LeafHash;
use countersign_verifier::statement::{ExecutionId, Kind, Subject, VerifiedStatement};
use serde_json::{Value, json};

use crate::submitting::{Taken, submit};

/// One issuer a role.
pub(crate) struct Parties {
    pub(crate) author: Issuer,
    pub(crate) requester: Issuer,
    pub(crate) authority: Issuer,
    pub(crate) enforcer: Issuer,
    pub(crate) overseer: Issuer,
}

/// The entries of one execution.
pub(crate) struct Lineage {
    pub(crate) id: ExecutionId,
    pub(crate) policy: Taken,
    pub(crate) intent: Taken,
    pub(crate) decision: Taken,
    pub(crate) authorization: Taken,
    pub(crate) verification: Taken,
    pub(crate) outcome: Taken,
    pub(crate) close: Taken,
}

impl Lineage {
    /// All of the execution's own, in the order of the log.
    pub(crate) fn entries(&self) -> [(&'static str, &Taken); 6] {
        [
            ("intent", &self.intent),
            ("decision", &self.decision),
            ("authorization", &self.authorization),
            ("verification", &self.verification),
            ("outcome", &self.outcome),
            ("close", &self.close),
        ]
    }
}

impl Parties {
    pub(crate) fn register(system: &System) -> Self {
        let register = |role: &str| register(system, role, &[role]);
        Self {
            author: register("author"),
            requester: register("requester"),
            authority: register("authority"),
            enforcer: register("enforcer"),
            overseer: register("overseer"),
        }
    }

    pub(crate) fn policy(&self, name: &str) -> VerifiedStatement {
        let claims = self.author.claims(Subject::Policy(name.parse().unwrap())).unwrap();
        let text = "permit (principal, action, resource);";
        let payload = json!({
            "name": name, "version": "1", "engine": "cedar", "policies": [{"id": "all", "text": text}],
        });
        self.author.sign(Kind::Policy, claims, payload).unwrap()
    }

    pub(crate) fn intent(&self, execution: &ExecutionId) -> VerifiedStatement {
        self.requester.state(Kind::Intent, execution, None, Value::Object(request())).unwrap()
    }

    pub(crate) fn decision(
        &self,
        execution: &ExecutionId,
        verdict: &str,
        intent: LeafHash,
        policy: LeafHash,
    ) -> VerifiedStatement {
        let code = if verdict == "permit" { "permitted" } else { "denied_by_policy" };
        let refs = json!({"intent": intent.to_string(), "policy": policy.to_string()});
        let payload = json!({"decision": verdict, "code": code, "reasons": ["all"], "refs": refs});
        self.authority.state(Kind::Decision, execution, None, payload).unwrap()
    }

    pub(crate) fn authorization(&self, execution: &ExecutionId, refs: Value) -> VerifiedStatement {
        let mut payload = request();
        payload.insert("refs".into(), refs);
        let audience = issuer_name("enforcer");
        self.authority.state(Kind::Authorization, execution, Some(&audience), Value::Object(payload)).unwrap()
    }

    pub(crate) fn outcome(&self, execution: &ExecutionId, authorization: LeafHash) -> VerifiedStatement {
        let refs = json!({"authorization": authorization.to_string()});
        let payload = json!({"status": "confirmed", "exit_code": 0, "refs": refs});
        self.enforcer.state(Kind::Outcome, execution, None, payload).unwrap()
    }

    /// A whole execution, governed as it should be.
    pub(crate) fn execute(&self, system: &System, name: &str) -> Lineage {
        let id = execution(name);
        let policy = submit(system, self.policy(&format!("policy-{name}")));
        let intent = submit(system, self.intent(&id));
        let decision = submit(system, self.decision(&id, "permit", intent.id(), policy.id()));
        let refs = json!({
            "intent": intent.id().to_string(),
            "decision": decision.id().to_string(),
            "policy": policy.id().to_string(),
        });
        let authorization = submit(system, self.authorization(&id, refs));
        let passed = json!({
            "result": "pass", "code": "ok", "mode": "cosigned",
            "refs": {"authorization": authorization.id().to_string()},
        });
        let verification =
            submit(system, self.enforcer.state(Kind::Verification, &id, None, passed).unwrap());
        let outcome = submit(system, self.outcome(&id, authorization.id()));
        let close = json!({"entries": 6, "refs": {"outcome": outcome.id().to_string()}});
        let close = submit(system, self.enforcer.state(Kind::Close, &id, None, close).unwrap());
        Lineage { id, policy, intent, decision, authorization, verification, outcome, close }
    }

    /// An execution that was denied, and ran all the same.
    pub(crate) fn execute_denied(&self, system: &System, name: &str) -> ExecutionId {
        let id = execution(name);
        let policy = submit(system, self.policy(&format!("strict-{name}")));
        let intent = submit(system, self.intent(&id));
        submit(system, self.decision(&id, "deny", intent.id(), policy.id()));
        let refs = json!({"intent": intent.id().to_string(), "policy": policy.id().to_string()});
        let authorization = submit(system, self.authorization(&id, refs));
        submit(system, self.outcome(&id, authorization.id()));
        id
    }
}
