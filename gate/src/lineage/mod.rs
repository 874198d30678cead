//! One execution from intent to close: what `countersign run` does for a command, and `countersign mcp` for a call of a tool.
//!
//! | step | statement | by |
//! |---|---|---|
//! | what is asked | `intent` | requester |
//! | what the published allow list makes of it | `decision` | authority |
//! | the permission | `authorization` | authority |
//! | held against everything, by [`crate::enforcement`] | `verification` | enforcer |
//! | done, or not | `outcome` | enforcer |
//! | the end | `close` | enforcer |
//!
//! Every doubt denies: where anything fails before it has started, a failed verification and an outcome
//! `not_executed` are recorded, and nothing happens. Statements that the log does not take wait in the
//! [journal](crate::state::Journal) and are submitted by the next run.

mod authority;
mod enforcer;
mod execution;
mod gate;
mod policy;
mod recover;
mod settle;
mod stop;
mod words;

pub use execution::Execution;
pub use gate::{Gate, GateError, Verdict};
pub use settle::Settled;
pub use stop::Stop;
