//! The engine: what is acknowledged stays, no two heads disagree, and every doubt stops it.

mod backup;
mod crash;
mod desk;
mod faults;
mod fixtures;
mod fsck;
mod quorum;
mod rollback;
mod sequencing;
pub(crate) mod store;
pub(crate) mod witness;
