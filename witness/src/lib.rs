//! A witness of transparency logs (C2SP tlog-witness): it cosigns the heads of the logs it was told to watch, each
//! consistent with all that it cosigned before, and nothing else.
//!
//! It is **not** an archive and no monitor: it never reads the entries of a log, and what it says about them is only that
//! nobody was shown another history. It watches any log that signs checkpoints with Ed25519.
//!
//! | module | what it holds |
//! |---|---|
//! | [`witness`] | what it is asked, and what it answers |
//! | [`refusal`] | why a request gets no cosignature |
//! | [`cosigned`] | a head with the cosignature |
//! | [`ledger`] | what was cosigned: database and high-water mark, which must agree |
//! | [`rollback`] | a database that has forgotten |
//! | [`roster`] | the logs it watches |
//! | [`folder`] | the data folder |
//! | [`clock`] | what time it is |
//! | [`http`] | the routes, and serving them |
//!
//! What it promises: a head is kept, in the database and in the high-water mark outside of it, and both are synced
//! before the cosignature leaves. One thread decides for all logs. What is signed is encoded anew from what was
//! understood. Only lines that were verified are kept. After a write or sync that failed, nothing is signed until the
//! next start. A database that is older than the high-water mark gets no cosignatures. No cosignature is dated before
//! the one before it.

pub mod clock;
pub mod cosigned;
pub mod folder;
pub mod http;
pub mod ledger;
pub mod recovery;
pub mod refusal;
pub mod rollback;
pub mod roster;
pub mod witness;

mod decision;
mod evidence;
mod health;
mod high_water;
mod latest;
mod quota;
mod recorder;
mod store;

#[cfg(test)]
mod testing;

pub use cosigned::{Cosigned, Cosigner};
pub use folder::Folder;
pub use latest::Shown;
pub use refusal::Refusal;
pub use witness::Witness;
