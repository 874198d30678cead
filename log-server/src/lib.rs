//! The log server: takes statements in, keeps the tree, signs heads, gathers cosignatures, answers proofs.
//!
//! [`log::Log`] is the engine behind one handle; [`http`] is that handle over HTTP. Inside the engine, a statement
//! goes from the registrar (may it enter?) to the sequencer (one thread, one synced batch, one signed head), and its
//! head from the cosigners (one head at a time before all witnesses) to everyone. [`store`] is where it all is kept,
//! and the only module that names the database.

pub mod backup;
mod cache;
mod cosigners;
mod fair;
pub mod fsck;
mod high_water;
pub mod http;
pub mod log;
pub mod progress;
pub mod rebuild;
mod registrar;
mod sequencer;
pub mod snapshot;
mod stage;
mod stop;
pub mod store;
mod tree;
