//! What the client is told by the enforcement point itself.

use countersign_verifier::causes::with_causes;
use countersign_verifier::statement::VerificationCode;
use serde_json::{Value, json};

use super::line::Line;
use super::message::{Id, MessageError};
use super::pending::PendingError;
use crate::lineage::{Execution, Stop};

/// The answer to a message that is refused as such. No call was made out of it.
pub(super) fn refused(id: Option<&Id>, why: &MessageError) -> Line {
    error(id, why.code(), &format!("countersign did not pass this message on: {why}"))
}

/// The answer to a request that there is no room for, or whose id is taken. Of the latter it cannot have the id.
pub(super) fn no_room(id: &Id, why: &PendingError) -> Line {
    match why {
        PendingError::Twice(_) => {
            error(None, -32_600, &format!("countersign did not pass this message on: {why}"))
        }
        PendingError::TooMany => {
            error(Some(id), -32_603, &format!("countersign did not pass this message on: {why}"))
        }
        PendingError::TooManyCalls => tool_error(
            id,
            &format!("countersign did not pass this call on, and nothing was executed: {why}."),
        ),
    }
}

/// The answer to a call that was denied.
pub(super) fn denied(id: &Id, stop: &Stop, execution: &Execution<'_>) -> Line {
    let what_to_do = match stop.code() {
        VerificationCode::PolicyValidationFailed => {
            "If no rule permits the call, trying again does not help: whoever runs this gate has to allow the tool, with \
             these arguments, in its configuration."
        }
        VerificationCode::AuthorizationMissing
        | VerificationCode::ContinuityBroken
        | VerificationCode::QuorumMissing => {
            "If the log or its witnesses are out of reach, trying again later helps. Otherwise tell whoever runs this gate."
        }
        VerificationCode::Expired | VerificationCode::NotYetValid => {
            "Trying again may help. If it does not, the clocks of gate and authority differ: tell whoever runs this gate."
        }
        _ => "Tell whoever runs this gate.",
    };
    let why = format!("{}: {}", stop.code(), with_causes(stop));
    not_executed(id, &why, what_to_do, execution)
}

/// The answer to a call that was not denied, and that will not be made either.
pub(super) fn not_executed(id: &Id, why: &str, what_to_do: &str, execution: &Execution<'_>) -> Line {
    let found = where_to_look(execution);
    tool_error(
        id,
        &format!(
            "countersign did not pass this call on, and nothing was executed: {why}. {what_to_do} {found}"
        ),
    )
}

/// The answer to a call that could not even be noted.
pub(super) fn not_noted(id: &Id, why: &dyn core::error::Error) -> Line {
    tool_error(
        id,
        &format!(
            "countersign did not pass this call on, and nothing was executed: it cannot be noted on this machine: {}. \
             Tell whoever runs this gate.",
            with_causes(why)
        ),
    )
}

/// The answer to a call that the server has, and of which nothing more is known.
pub(super) fn unknown(id: &Id, why: &str, execution: &Execution<'_>) -> Line {
    let found = where_to_look(execution);
    tool_error(
        id,
        &format!(
            "countersign passed this call on, and {why}. Whether it was executed is not known: do not repeat it before you \
             have found out, or it may be done twice. {found}"
        ),
    )
}

fn where_to_look(execution: &Execution<'_>) -> String {
    format!("The execution is {}; once the log has taken it, see {}", execution.id(), execution.page())
}

/// A result of a tool that says that there is none. The type is for readers since 2026-07-28; others pass over it.
fn tool_error(id: &Id, text: &str) -> Line {
    let content = json!([{ "type": "text", "text": text }]);
    let result = json!({ "resultType": "complete", "content": content, "isError": true });
    line(&json!({ "jsonrpc": "2.0", "id": id.to_json(), "result": result }))
}

fn error(id: Option<&Id>, code: i64, message: &str) -> Line {
    let id = id.map_or(Value::Null, Id::to_json);
    line(&json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": message } }))
}

/// JSON on one line: line ends within texts are escaped.
fn line(message: &Value) -> Line {
    Line::new(message.to_string().into_bytes())
}
