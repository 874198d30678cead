//! Exactly which call of a tool: the very bytes that the server would get.

use core::fmt;
use core::str::FromStr;
use std::sync::Arc;

use countersign_verifier::statement::Sha256Digest;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::line::Line;
use crate::exact::{Exact, ExactCommand, ResolveError, canonical_digest};

/// How many characters the name of a tool may have: as many as MCP recommends at most.
pub(super) const MAX_TOOL_NAME: usize = 128;
/// The largest integer that policies and statements can have.
const MAX_INTEGER: u64 = (1 << 53) - 1;

/// Why a name is not one of a tool.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not the name of a tool: expected 1 to {MAX_TOOL_NAME} visible ASCII characters")]
pub struct ToolNameError(pub String);

/// The name of a tool: visible ASCII, so that no two names look the same.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ToolName(String);

impl FromStr for ToolName {
    type Err = ToolNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits =
            (1..=MAX_TOOL_NAME).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(ToolNameError(text.chars().take(MAX_TOOL_NAME).collect()))
        }
    }
}

impl fmt::Display for ToolName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl ToolName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A call with nothing left open: the command that the server was started by, and the message to it, byte for byte.
#[derive(Debug, Clone)]
pub struct ExactCall {
    server: Arc<ExactCommand>,
    tool: ToolName,
    arguments: Map<String, Value>,
    line: Line,
    message_digest: Sha256Digest,
    digest: Sha256Digest,
}

impl ExactCall {
    /// The call that the message in `line` is, of `tool` with `arguments`.
    pub fn new(
        server: Arc<ExactCommand>,
        tool: ToolName,
        arguments: Map<String, Value>,
        line: Line,
    ) -> Result<Self, ResolveError> {
        let message_digest = sha256(line.text());
        let argv: Vec<&str> = server.argv().collect();
        let exact = json!({ "argv": argv, "cwd": server.folder(), "message": stated(message_digest) });
        let digest = canonical_digest(&exact).ok_or(ResolveError::NoCanonicalForm)?;
        Ok(Self { server, tool, arguments, line, message_digest, digest })
    }

    /// The tool.
    pub fn tool(&self) -> &ToolName {
        &self.tool
    }

    /// What the server gets.
    pub fn line(&self) -> &Line {
        &self.line
    }
}

impl Exact for ExactCall {
    const ACTION: &'static str = "call";
    const RESOURCE_TYPE: &'static str = "Tool";

    fn resource(&self) -> &str {
        self.tool.as_str()
    }

    /// SHA-256 over the RFC 8785 form of `{"argv": [server, its arguments...], "cwd": folder, "message": {"sha256": ..}}`,
    /// the latter over the line without its end.
    fn digest(&self) -> Sha256Digest {
        self.digest
    }

    fn properties(&self) -> Map<String, Value> {
        let server: Vec<&str> = self.server.argv().collect();
        [
            ("arguments", Value::Object(self.arguments.clone())),
            ("cwd", json!(self.server.folder())),
            ("message", stated(self.message_digest)),
            ("server", json!(server)),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into_iter()
        .collect()
    }

    /// The server, and those arguments that a rule can speak of: texts, integers, yes and no.
    fn context(&self) -> Map<String, Value> {
        let spoken_of = self.arguments.iter().filter(|(_, value)| can_be_ruled(value));
        let arguments: Map<String, Value> =
            spoken_of.map(|(name, value)| (name.clone(), value.clone())).collect();
        let mut server = Map::new();
        server.insert("program".to_owned(), json!(self.server.program()));
        if let Some(name) = self.server.name() {
            server.insert("name".to_owned(), json!(name));
        }
        [("arguments".to_owned(), Value::Object(arguments)), ("server".to_owned(), Value::Object(server))]
            .into_iter()
            .collect()
    }

    fn words(&self) -> String {
        format!("the tool {} with these arguments", self.tool)
    }
}

/// Whether a policy can have this value, and a statement too.
pub(super) fn can_be_ruled(value: &Value) -> bool {
    match value {
        Value::String(_) | Value::Bool(_) => true,
        Value::Number(number) => number.as_i64().is_some_and(|number| number.unsigned_abs() <= MAX_INTEGER),
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    }
}

pub(super) fn sha256(bytes: &[u8]) -> Sha256Digest {
    Sha256Digest::from_bytes(Sha256::digest(bytes).into())
}

fn stated(digest: Sha256Digest) -> Value {
    json!({ "sha256": hex::encode(digest.as_bytes()) })
}
