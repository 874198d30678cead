//! The log over HTTP.
//!
//! Handlers parse, bound and refuse; what is true of the log, they ask [`crate::log::Log`]. Nothing here writes, and
//! nothing here signs.
//!
//! - taking in: `submit`, `batch` and `prepare`, with `intake` for all that is checked before the queue and `answer`
//!   for the proof that comes back
//! - giving out: `reading` (checkpoint and tiles) from its `shelf`, `proofs`, `issuers`
//! - for operators: `health`, `metrics`, `openapi`
//! - refusing: `problem`, `catalog`, and the pages in `error_pages`
//! - bounds: `body`, `rate`, and all that the door (`countersign_serving`) sees before a handler does

mod answer;
mod app;
mod batch;
mod body;
pub mod catalog;
mod cbor_seq;
mod checkers;
mod claimed;
mod error_pages;
mod figures;
mod health;
mod intake;
mod issuers;
mod limits;
mod metrics;
mod negotiate;
mod openapi;
mod panicked;
mod prepare;
mod problem;
mod proofs;
mod query;
mod rate;
mod reading;
mod rooms;
mod router;
mod shelf;
mod submit;

pub use app::{Clock, Options};
pub use limits::limits;
pub use metrics::figures;
pub use problem::Refusal;
pub use router::{Front, StartError};
