//! What a message is, as far as the enforcement point has to know: JSON-RPC 2.0, one message a line.
//!
//! What is judged and what the other side reads must be the same thing. So a message is refused wherever two readers
//! could differ: a member that occurs twice, one that is spelt like another but for its capitals (there are servers
//! that do not tell them apart), a carriage return that some take for the end of a line, several messages in one array.
//! Nothing is repaired.

use core::fmt;

use serde_json::{Map, Value};

use super::call::{ToolName, ToolNameError};
use super::json::{self, JsonError, folded};
use super::line::MAX_MESSAGE;

/// The one method that is held.
pub(super) const CALL: &str = "tools/call";
const CANCELLED: &str = "notifications/cancelled";
/// The members of every message there is.
const MEMBERS: [&str; 6] = ["jsonrpc", "id", "method", "params", "result", "error"];
/// The members of a call that mean something to servers.
const OF_CALLS: [&str; 6] = ["name", "arguments", "_meta", "task", "inputResponses", "requestState"];
/// The largest integer that every reader of JSON keeps as it is.
const MAX_INTEGER: u64 = (1 << 53) - 1;

/// Why a message is not passed on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// Longer than a message may be.
    #[error("it has more than {MAX_MESSAGE} bytes")]
    TooLong,
    /// The stream ended in it.
    #[error("the stream ended before the line did")]
    CutOff,
    /// A carriage return within the line.
    #[error(
        "it has a carriage return, which some readers take for the end of a line: expected one message a line"
    )]
    CarriageReturn,
    /// Not JSON in UTF-8, or nested deeper than 128 levels.
    #[error(
        "it is not JSON in UTF-8, or nested too deep, from column {0} on: expected one JSON-RPC 2.0 message a line"
    )]
    Syntax(usize),
    /// A member occurs twice in one object.
    #[error("a member occurs twice in one object, the second time at column {0}: expected each once")]
    Twice(usize),
    /// An array.
    #[error("it is an array: expected one message a line, as MCP has it since 2025-06-18")]
    Batch,
    /// Neither.
    #[error("it is not an object: expected a JSON-RPC 2.0 message")]
    NotAnObject,
    /// Another version, or none.
    #[error("its member jsonrpc is not \"2.0\"")]
    Version,
    /// A member that JSON-RPC does not have.
    #[error("it has the member {0:?}: expected jsonrpc, id, method, params, result and error, spelt so")]
    Member(String),
    /// A name that some readers take for another one.
    #[error("it has the member {0:?}, which some readers take for {1:?}")]
    Alike(String, String),
    /// An id that is none.
    #[error("its id is neither a text nor an integer within ±(2^53-1)")]
    Id,
    /// Several kinds of message at once, or none.
    #[error(
        "it is neither a request, nor a notification, nor an answer: expected a method, or one of result and error"
    )]
    Kind,
    /// A method that cannot be one.
    #[error("its method is {0:?}: expected visible ASCII characters, and {CALL:?} spelt so")]
    Method(String),
    /// A call that nobody could answer.
    #[error("it calls a tool without an id: expected a request, which can be answered")]
    CallWithoutId,
    /// A call without what a call needs.
    #[error("it calls a tool, and {0}")]
    Call(&'static str),
    /// A tool that cannot have that name.
    #[error(transparent)]
    Tool(#[from] ToolNameError),
}

impl MessageError {
    /// The code of the JSON-RPC error.
    pub(super) const fn code(&self) -> i64 {
        match self {
            Self::CutOff | Self::CarriageReturn | Self::Syntax(_) => -32_700,
            Self::Call(_) | Self::Tool(_) => -32_602,
            _ => -32_600,
        }
    }
}

impl From<JsonError> for MessageError {
    fn from(error: JsonError) -> Self {
        match error {
            JsonError::Syntax(column) => Self::Syntax(column),
            JsonError::Twice(column) => Self::Twice(column),
        }
    }
}

/// The id of a request.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Id {
    /// A text.
    Text(String),
    /// An integer.
    Integer(i64),
}

impl Id {
    fn read(value: &Value) -> Result<Self, MessageError> {
        match value {
            Value::String(text) => Ok(Self::Text(text.clone())),
            Value::Number(number) => {
                let integer = number.as_i64().filter(|integer| integer.unsigned_abs() <= MAX_INTEGER);
                integer.map(Self::Integer).ok_or(MessageError::Id)
            }
            _ => Err(MessageError::Id),
        }
    }

    /// The id as JSON.
    pub(super) fn to_json(&self) -> Value {
        match self {
            Self::Text(text) => text.as_str().into(),
            Self::Integer(integer) => (*integer).into(),
        }
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_json().fmt(f)
    }
}

/// A message by the client.
#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    /// A call of a tool, which is held.
    Call(Call),
    /// Any other request.
    Request(Id),
    /// The client no longer wants the answer to this request.
    Cancel(Id),
    /// Any other notification, or the answer to a request of the server.
    Other,
}

/// A call of a tool.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// The id that the answer will have.
    pub id: Id,
    /// The tool.
    pub tool: ToolName,
    /// Its arguments.
    pub arguments: Map<String, Value>,
}

/// A message that is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Whom the refusal is for, as far as that is beyond doubt.
    pub id: Option<Id>,
    /// Why.
    pub why: MessageError,
}

impl Message {
    /// Reads a message of the client, one line without its end.
    pub fn read(text: &[u8]) -> Result<Self, Refused> {
        let members = envelope(text).map_err(|why| Refused { id: None, why })?;
        let id = members.get("id").and_then(|id| Id::read(id).ok());
        Self::of(&members).map_err(|why| Refused { id, why })
    }

    fn of(members: &Map<String, Value>) -> Result<Self, MessageError> {
        let Kind::Asks { method, id, params } = kind(members)? else { return Ok(Self::Other) };
        if method == CALL {
            let id = id.ok_or(MessageError::CallWithoutId)?;
            return Ok(Self::Call(Call::read(id, params)?));
        }
        if !method.bytes().all(|byte| byte.is_ascii_graphic()) || folded(method) == CALL {
            return Err(MessageError::Method(method.to_owned()));
        }
        Ok(match (id, params) {
            (Some(id), _) => Self::Request(id),
            (None, Some(Value::Object(params))) if method == CANCELLED => {
                params.get("requestId").and_then(|id| Id::read(id).ok()).map_or(Self::Other, Self::Cancel)
            }
            (None, _) => Self::Other,
        })
    }
}

impl Call {
    fn read(id: Id, params: Option<&Value>) -> Result<Self, MessageError> {
        let Some(Value::Object(params)) = params else {
            return Err(MessageError::Call("its params are not an object"));
        };
        no_two_alike(params, &OF_CALLS)?;
        let Some(Value::String(name)) = params.get("name") else {
            return Err(MessageError::Call("params.name is not a text"));
        };
        let arguments = match params.get("arguments") {
            None => Map::new(),
            Some(Value::Object(arguments)) => arguments.clone(),
            Some(_) => return Err(MessageError::Call("params.arguments is not an object")),
        };
        no_two_alike(&arguments, &[])?;
        Ok(Self { id, tool: name.parse()?, arguments })
    }
}

/// What sort of message it is.
pub(super) enum Kind<'a> {
    /// A request, or without an id a notification.
    Asks { method: &'a str, id: Option<Id>, params: Option<&'a Value> },
    /// An answer. Some errors have no id.
    Answers { id: Option<Id>, result: Result<&'a Value, &'a Value> },
}

/// The members of a message, none of which can be taken for another one.
pub(super) fn envelope(text: &[u8]) -> Result<Map<String, Value>, MessageError> {
    if text.contains(&b'\r') {
        return Err(MessageError::CarriageReturn);
    }
    let members = match json::read(text)? {
        Value::Object(members) => members,
        Value::Array(_) => return Err(MessageError::Batch),
        _ => return Err(MessageError::NotAnObject),
    };
    match members.keys().find(|name| !MEMBERS.contains(&name.as_str())) {
        Some(name) => Err(MessageError::Member(name.clone())),
        None => Ok(members),
    }
}

pub(super) fn kind(members: &Map<String, Value>) -> Result<Kind<'_>, MessageError> {
    if members.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
        return Err(MessageError::Version);
    }
    match (members.get("method"), members.get("result"), members.get("error")) {
        (Some(Value::String(method)), None, None) => {
            let id = members.get("id").map(Id::read).transpose()?;
            Ok(Kind::Asks { method, id, params: members.get("params") })
        }
        (None, Some(result), None) if !members.contains_key("params") => {
            let id = members.get("id").map(Id::read).transpose()?.ok_or(MessageError::Id)?;
            Ok(Kind::Answers { id: Some(id), result: Ok(result) })
        }
        (None, None, Some(error)) if !members.contains_key("params") => {
            let id = members.get("id").filter(|id| !id.is_null()).map(Id::read).transpose()?;
            Ok(Kind::Answers { id, result: Err(error) })
        }
        _ => Err(MessageError::Kind),
    }
}

/// Refuses names that differ only in capitals, from each other or from those that mean something.
fn no_two_alike(members: &Map<String, Value>, known: &[&str]) -> Result<(), MessageError> {
    let mut seen: Vec<(String, &str)> = known.iter().map(|name| (folded(name), *name)).collect();
    for name in members.keys().filter(|name| !known.contains(&name.as_str())) {
        let as_read = folded(name);
        if let Some((_, other)) = seen.iter().find(|(other, _)| *other == as_read) {
            return Err(MessageError::Alike(name.clone(), (*other).to_owned()));
        }
        seen.push((as_read, name));
    }
    Ok(())
}
