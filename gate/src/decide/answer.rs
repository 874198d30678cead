//! What is answered: `AuthZEN`'s decision, and in its context what it rests on.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_verifier::merkle::LeafHash;
use countersign_verifier::statement::payload::Policy;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::doubt::Doubt;
use super::http::{DECISION_SECONDS, DECISIONS};
use super::record::{Decided, Permit, Place, Recorded};
use super::request::RequestError;

/// A decision, as it is answered.
#[derive(Debug, Serialize)]
pub struct Answer {
    decision: bool,
    context: Map<String, Value>,
    #[serde(skip)]
    reason: &'static str,
}

impl Answer {
    /// Whether it may be done.
    pub fn permits(&self) -> bool {
        self.decision
    }

    /// What was decided and is on record. It permits by a [`Permit`], and by nothing else.
    pub(super) fn recorded(
        policy: &Policy,
        cited: Option<Place>,
        decided: &Decided,
        recorded: &Recorded,
    ) -> Self {
        let Recorded { intent, decision, permit } = recorded;
        let mut context = basis(policy, cited, decided, true);
        context.insert("intent".to_owned(), place(intent));
        context.insert("decision".to_owned(), place(decision));
        if let Some(permit) = permit {
            context.insert("authorization".to_owned(), authorization(permit));
        }
        Self { decision: permit.is_some(), context, reason: decided.evaluation.code.as_str() }
    }

    /// A denial in doubt. What of it may be in the log all the same is named by its ids.
    pub(super) fn in_doubt(
        policy: &Policy,
        cited: Option<Place>,
        decided: Option<&Decided>,
        doubt: &Doubt,
        message: String,
    ) -> Self {
        let mut context = match decided {
            None => Map::new(),
            Some(decided) => {
                let mut context = basis(policy, cited, decided, false);
                let entry = |statement: &[u8]| json!({ "entry": LeafHash::of(statement).to_string() });
                context.insert("intent".to_owned(), json!({ "entry": decided.intent.entry().to_string() }));
                context.insert("decision".to_owned(), entry(decided.decision.bytes()));
                if let Some(authorization) = &decided.authorization {
                    context.insert("authorization".to_owned(), entry(authorization.bytes()));
                }
                context
            }
        };
        context.insert("reason".to_owned(), doubt.code().into());
        context.insert("message".to_owned(), message.into());
        context.insert("recorded".to_owned(), false.into());
        Self { decision: false, context, reason: doubt.code() }
    }

    /// One of several evaluations that was no request, as the specification has it.
    pub(super) fn no_request(error: &RequestError) -> Self {
        let status = if matches!(error, RequestError::TooLong { .. }) { 413 } else { 400 };
        let mut context = Map::new();
        context.insert("error".to_owned(), json!({ "status": status, "message": error.to_string() }));
        Self { decision: false, context, reason: "no_request" }
    }

    /// Counts it.
    pub(super) fn count(&self, took: Duration) {
        let verdict = if self.decision { "permit" } else { "deny" };
        metrics::counter!(DECISIONS, "verdict" => verdict, "reason" => self.reason).increment(1);
        metrics::histogram!(DECISION_SECONDS).record(took.as_secs_f64());
    }
}

/// By what it was decided, and why.
fn basis(policy: &Policy, cited: Option<Place>, decided: &Decided, recorded: bool) -> Map<String, Value> {
    let Decided { execution, evaluation, conflicts, .. } = decided;
    let mut context = Map::new();
    let mut put = |name: &str, value: Value| drop(context.insert(name.to_owned(), value));
    put("reason", evaluation.code.as_str().into());
    put("policies", json!(evaluation.reasons));
    if !evaluation.errors.is_empty() {
        put("errors", json!(evaluation.errors));
    }
    if !conflicts.is_empty() {
        put("conflicts", json!(conflicts));
    }
    put(
        "policy",
        json!({
            "name": policy.name.to_string(),
            "version": policy.version,
            "entry": cited.map(|cited| cited.entry.to_string()),
            "index": cited.map(|cited| cited.index.get()),
        }),
    );
    put("execution", execution.as_str().into());
    put("recorded", recorded.into());
    context
}

fn place(place: &Place) -> Value {
    json!({ "entry": place.entry.to_string(), "index": place.index.get() })
}

/// All that an enforcement point needs to verify the permission by itself.
fn authorization(permit: &Permit) -> Value {
    let (receipt, validity) = (permit.receipt(), permit.validity());
    json!({
        "entry": receipt.entry.to_string(),
        "index": receipt.index.get(),
        "audience": validity.audience.to_string(),
        "not_before": validity.not_before.get(),
        "expires": validity.expires.get(),
        "statement": STANDARD.encode(permit.statement()),
        "proof": receipt.proof.to_string(),
    })
}
