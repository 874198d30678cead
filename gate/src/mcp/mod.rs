//! The enforcement point between an MCP client and an MCP server over stdio (<https://modelcontextprotocol.io>).
//!
//! It starts the server as its child and passes messages on, byte for byte, in both directions. Of all messages it holds
//! one sort, calls of tools: each is an execution of its own, which the server gets once, after its authorization is in
//! the log under a head with its quorum and was verified here. What came of it is noted before the client hears of it.
//!
//! | module | what it is |
//! |---|---|
//! | `line` | one message a line, within bounds |
//! | `json`, `message` | what a message is, beyond doubt |
//! | `answer` | what the server's answer says of a call |
//! | `call`, `tools` | a call with nothing left open, and the allow list of tools |
//! | `pending` | the requests without an answer |
//! | `governed` | one call from its first byte to its record |
//! | `words` | what the client is told by the enforcement point itself |
//! | `proxy`, `pipe`, `serve` | both directions, their threads, the server's process |
//!
//! It understands only what it must: revisions 2025-06-18, 2025-11-25 and 2026-07-28 of the protocol pass alike. It does
//! **not** see what a server does by itself, when it is started or on other messages than calls of tools, and not how a task
//! ends that a server answers a call with: the outcome is unknown then.

mod answer;
mod call;
mod governed;
mod json;
mod line;
mod message;
mod pending;
mod pipe;
mod proxy;
mod serve;
mod tools;
mod words;

#[cfg(test)]
mod tests;

pub use call::{ExactCall, ToolName, ToolNameError};
pub use line::{Incoming, Line, Lines, MAX_MESSAGE};
pub use message::{Call, Id, Message, MessageError, Refused};
pub use pending::{MAX_CALLS, MAX_PENDING};
pub use serve::{Options, ServeError, serve};
pub use tools::{ToolList, ToolListError, ToolRule};
