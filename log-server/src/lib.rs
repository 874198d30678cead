//! The log server: takes statements in, keeps the tree, signs heads, gathers cosignatures, answers proofs.

pub mod http;
pub mod log;
