//! The engine: what is acknowledged stays, no two heads disagree, and every doubt stops it.

mod admitted;
mod backup;
mod crash;
mod damage;
mod desk;
mod faults;
mod fixtures;
mod fsck;
mod kill_points;
mod quorum;
mod restored;
mod rollback;
mod rows;
mod sequencing;
pub(crate) mod store;
pub(crate) mod witness;
