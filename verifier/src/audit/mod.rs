//! Auditing a whole log: what none of its parts can show.
//!
//! An [`Audit`] is fed the entries of a log, one after the other, and says of each what is wrong with it: whether it is
//! a statement by the key that it names, whether the log may have admitted it after those before, and whether a head
//! that it names is one that the log had. Of every execution it says what [`crate::lineage`] makes of all its entries.
//!
//! It is **not** a reader of logs: it opens no file and no socket, and asks its caller for an entry once more when it
//! needs to ([`Entries`]). Nor does it trust the caller: what it holds is the whole tree, and the root over it is for
//! the caller to compare with a head that a quorum vouches for. Only then is anything said about the log.
//!
//! Most of the work needs no order: [`Parsed::read`] and [`Keys::check`] may run on as many threads as there are.
//! [`Audit::absorb`] takes what they give in the order of the log.
//!
//! ```
//! use countersign_verifier::audit::{Audit, Entries, Found, Keys, Parsed};
//! use countersign_verifier::merkle::LeafIndex;
//!
//! struct Log(Vec<Vec<u8>>);
//!
//! impl Entries for Log {
//!     type Error = std::io::Error;
//!
//!     fn entry(&self, index: LeafIndex) -> Result<Vec<u8>, std::io::Error> {
//!         let entry = usize::try_from(index.get()).ok().and_then(|index| self.0.get(index));
//!         entry.cloned().ok_or(std::io::ErrorKind::NotFound.into())
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let log = Log(vec![b"this is no statement".to_vec()]);
//! let (mut audit, mut keys, mut codes) = (Audit::new(), Keys::default(), Vec::new());
//! for entry in &log.0 {
//!     let parsed = Parsed::read(entry);
//!     keys.learn([&parsed]);
//!     audit.absorb(keys.check(parsed), &log, &mut |found| {
//!         if let Found::Violation(violation) = found {
//!             codes.push((violation.index.get(), violation.code));
//!         }
//!     })?;
//! }
//! assert_eq!(codes, [(0, "cose-malformed")]);
//! // The root is what ties all this to a log: it has to be the one of a head with its quorum.
//! let root = audit.ledger().tree().root();
//! # let _ = root;
//! # Ok(())
//! # }
//! ```
//!
//! Of an execution that it finds violated, [`Ledger::bundle`] makes the file that shows it to others. With the feature
//! `replay`, it also decides every decision again, when it is asked to.
//!
//! What it cannot see: whether a head was ever shown to somebody else (for that there are witnesses), and whether
//! what is on record is true.

mod accusation;
#[cfg(feature = "replay")]
mod decisions;
mod exhibit;
mod found;
mod ledger;
mod lineages;
mod prepare;
mod replay;
mod saved;
mod tree;
mod verdicts;

pub use accusation::Accusation;
pub use exhibit::ExhibitError;
pub use found::{Check, Differing, Found, Lineage, Replays, Violation};
pub use ledger::{Issuer, Ledger, TooLarge};
pub use lineages::MAX_STEPS;
pub use prepare::{Keys, Parsed, Prepared};
pub use replay::{Audit, AuditError, Entries};
pub use saved::{Damaged, Position, Restore};
pub use tree::Tree;
pub use verdicts::Verdicts;
