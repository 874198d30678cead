//! Admission: the rules `countersign/1`, by which a log takes a statement in or refuses it.
//!
//! [`admit`] is a pure function of the entries before and the statement itself. The log applies it before it
//! appends; an auditor who replays the log applies it to every entry again, over a [`MemoryState`], and must come
//! to the same verdicts. A statement that breaks a rule is refused and changes nothing.
//!
//! The rules are about what was allowed to enter, not about what it means: whether an execution was governed is
//! for its lineage to show. They look at no clock; that `iat` is recent, a log checks beside them.

mod memory;
mod problem;
mod refusal;
mod rules;
mod state;

#[cfg(test)]
mod tests;

pub use memory::MemoryState;
pub use problem::PROBLEMS;
pub use refusal::Refusal;
pub(crate) use rules::check;
pub use rules::{AdmitError, Admitted, admit, signing_key};
pub use state::{Effects, EntryFacts, IssuerKey, IssuerRecord, State, registered};
