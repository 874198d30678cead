//! What only the whole can show: real processes, real sockets, real load.
//!
//! It is **not** a library for others. The integration tests beside it and the program `countersign-hammer` share
//! what stands here; nothing else uses it.
//!
//! | module | what for |
//! |---|---|
//! | [`harness`] | a log and its witnesses as processes of their own, to be killed and started again |
//! | [`client`] | HTTP/1.1 over one connection, without the conveniences that hide failures |
//! | [`statements`] | signed statements of any kind |
//! | [`stories`] | made-up executions, signed: both sides of every lineage rule |
//! | [`walk`] | reading a log back from its tiles, every byte checked |
//! | [`hammer`] | load and truth: what was acknowledged is there, or the run fails |

pub mod client;
pub mod clock;
pub mod hammer;
#[expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::panic,
    reason = "it sets the stage for tests, and a test whose stage cannot be set has failed"
)]
pub mod harness;
pub mod statements;
#[expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::panic,
    reason = "a story that cannot be told is a mistake in the story"
)]
pub mod stories;
pub mod walk;
