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
//! | [`node`] | the JavaScript verifier, asked through Node.js |
//! | [`forgetful_disk`] | a disk that loses what was not synced, and fails when it is told to |
//! | [`hammer`] | load and truth: what was acknowledged is there, or the run fails |
//! | [`vectors`] | the shared vectors, made from fixed seeds, and what the library says to them |
//! | [`mod@bench`] | the same loads on our log and on others, side by side |

#[expect(
    clippy::expect_used,
    reason = "it stands on the harness: a measurement whose stage cannot be set has no figures"
)]
pub mod bench;
pub mod client;
pub mod clock;
pub mod forgetful_disk;
pub mod hammer;
#[expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::panic,
    reason = "it sets the stage for tests, and a test whose stage cannot be set has failed"
)]
pub mod harness;
pub mod node;
pub mod statements;
#[expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::panic,
    reason = "a story that cannot be told is a mistake in the story"
)]
pub mod stories;
#[expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::panic,
    reason = "it makes fixed material: what cannot be made is a mistake in it"
)]
pub mod vectors;
pub mod walk;
