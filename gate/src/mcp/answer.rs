//! What the server says: which lines are answers, and what an answer says of a call.

use countersign_verifier::statement::payload::Outcome;
use countersign_verifier::statement::{Material, OutcomeStatus, UnixSeconds};
use serde_json::{Map, Value, json};

use super::call::sha256;
use super::line::Line;
use super::message::{Id, Kind, MessageError, envelope, kind};

/// A message by the server.
#[derive(Debug)]
pub(super) enum FromServer {
    /// The answer to a request of the client.
    Answer(Id, Answer),
    /// A request, a notification, or an error that answers nothing.
    Other(Line),
}

/// An answer, to be passed on as it came.
#[derive(Debug)]
pub(super) struct Answer {
    line: Line,
    says: Says,
}

/// What an answer says of the call that it answers.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Says {
    /// The result of the tool.
    Done,
    /// The tool's own error.
    Failed,
    /// A JSON-RPC error.
    Error(Option<i64>),
    /// The server wants more from the client before it goes on; what comes next is another call.
    InputRequired,
    /// A result of which nobody here knows what it says of the end, a task for example.
    Unclear(String),
}

impl FromServer {
    /// Reads a line of the server.
    pub(super) fn read(line: Line) -> Result<Self, MessageError> {
        let members = envelope(line.text())?;
        let (id, says) = match kind(&members)? {
            Kind::Answers { id: Some(id), result } => (id, Says::of(result)),
            Kind::Answers { id: None, .. } | Kind::Asks { .. } => return Ok(Self::Other(line)),
        };
        Ok(Self::Answer(id, Answer { line, says }))
    }
}

impl Says {
    fn of(result: Result<&Value, &Value>) -> Self {
        let result = match result {
            Ok(result) => result,
            Err(error) => return Self::Error(error.get("code").and_then(Value::as_i64)),
        };
        match result.get("resultType").map(|sort| sort.as_str().unwrap_or_default()) {
            Some("input_required") => Self::InputRequired,
            Some(other) if other != "complete" => Self::Unclear(other.chars().take(64).collect()),
            // Before results had a type, those of tasks had this member.
            _ if result.get("task").is_some() => Self::Unclear("task".to_owned()),
            _ if result.get("isError").is_some_and(|is_error| *is_error != Value::Bool(false)) => {
                Self::Failed
            }
            _ => Self::Done,
        }
    }
}

impl Answer {
    /// The line.
    pub(super) fn into_line(self) -> Line {
        self.line
    }

    /// What the enforcer states of the call.
    pub(super) fn outcome(&self, started_at: UnixSeconds, finished_at: UnixSeconds) -> Outcome {
        let mut details = Map::new();
        details.insert("bytes".to_owned(), self.line.text().len().into());
        let status = match &self.says {
            Says::Done => OutcomeStatus::Confirmed,
            Says::Failed => OutcomeStatus::Failed,
            Says::Error(code) => {
                details.insert(
                    "error_code".to_owned(),
                    json!(code.filter(|code| code.unsigned_abs() < 1 << 53)),
                );
                OutcomeStatus::Failed
            }
            Says::InputRequired => {
                details.insert("result_type".to_owned(), "input_required".into());
                OutcomeStatus::Failed
            }
            Says::Unclear(sort) => {
                details.insert("result_type".to_owned(), sort.as_str().into());
                let why = "the server answered before the end, which is not seen here";
                details.insert("reason".to_owned(), why.into());
                OutcomeStatus::Unknown
            }
        };
        Outcome {
            status,
            started_at: Some(started_at),
            finished_at: Some(finished_at),
            exit_code: None,
            result_digest: Some(sha256(self.line.text())),
            details: Some(Material::Disclosed(details)),
        }
    }
}
