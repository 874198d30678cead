//! The enforcement point between an MCP client and an MCP server (<https://modelcontextprotocol.io>).

mod call;
mod tools;

pub use call::{ExactCall, ToolName, ToolNameError};
pub use tools::{ToolList, ToolListError, ToolRule};
