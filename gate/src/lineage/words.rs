//! A statement in a few words, for whoever runs the gate.

use countersign_verifier::statement::{Payload, Statement};

use crate::client::{Shown, Submitted};

/// What a statement says, and how far it was proven.
pub(super) fn of(statement: &Statement, submitted: &Submitted) -> String {
    let words = says(statement.payload());
    match submitted {
        Submitted::Logged(receipt) => match receipt.shown {
            Shown::Cosigned { witnesses } => {
                format!("{words}; cosigned by {witnesses} witnesses in the head of {}", receipt.head.size)
            }
            Shown::LogSigned | Shown::InclusionOnly => words,
        },
        Submitted::Accepted { .. } => format!("{words}; not cosigned yet"),
    }
}

fn says(payload: &Payload) -> String {
    match payload {
        Payload::Policy(policy) => format!("{} version {}", policy.name, policy.version),
        Payload::Intent(intent) => {
            format!("{:?} asks to {} {}", intent.subject.id, intent.action.name, intent.resource.id)
        }
        Payload::Decision(decision) => {
            let reasons: Vec<&str> = decision.reasons.iter().flatten().map(String::as_str).collect();
            if reasons.is_empty() {
                format!("{}, {}", decision.decision, decision.code)
            } else {
                format!("{} by {}", decision.decision, reasons.join(", "))
            }
        }
        Payload::Authorization(authorization) => format!("for {} once", authorization.resource.id),
        Payload::Verification(verification) => format!("{}, {}", verification.result, verification.code),
        Payload::Outcome(outcome) => match outcome.exit_code {
            Some(code) => format!("{}, exit code {code}", outcome.status),
            None => outcome.status.to_string(),
        },
        Payload::Close(close) => format!("{} entries", close.entries),
        Payload::Genesis(_) | Payload::Issuer(_) | Payload::Enforcement(_) => String::new(),
    }
}
