//! Policy replay: deciding again what was decided, with the policy engine itself.
//!
//! A decision cites a policy that is in the log, and states what the policy was applied to. Whoever has both can
//! apply it again. [`Engine`] is what an authority decides with and what an auditor replays with, so that there is
//! one reading of the policies and not two; [`replay`] compares.
//!
//! The engine is Cedar (<https://www.cedarpolicy.com>). What it is asked, for a decision about an intent:
//!
//! | Cedar | from |
//! |---|---|
//! | principal | the intent's `subject`: `type` and `id` |
//! | action | `Action::"<name>"`, the intent's `action.name` |
//! | resource | the intent's `resource`: `type` and `id` |
//! | context | the decision's `context`; if it states none, the intent's; else nothing |
//! | entities | the decision's `entities` and nothing else. Attributes that policies look at have to be among them |
//! | policies | the cited policy's `policies`, each under its `id` |
//! | schema | the cited policy's `schema`, in Cedar's own notation |
//!
//! It answers fail-closed: where Cedar leaves out a policy that it cannot evaluate, this engine denies. Texts that nest or
//! multiply beyond measure are not applied: anybody may publish one, Cedar would end the process over it, and where it does
//! not, its verdict would depend on the stack that is left.
//!
//! A replay says whether the decision follows from what was logged. It does **not** say that what was logged is
//! true, that the policy was the right one, or that anybody acted by it.

mod breadth;
mod depth;
mod engine;
mod file;
mod finding;
mod outcome;
mod tokens;

#[cfg(test)]
mod hostile;
#[cfg(test)]
mod tests;

pub use engine::{Engine, Evaluation, LoadError, Question};
pub use file::read_policies;
pub use finding::check_decisions;
pub(crate) use finding::disagreement;
pub use outcome::{Difference, Replay, Undisclosed, replay};
pub(crate) use outcome::{load, replay_by};
