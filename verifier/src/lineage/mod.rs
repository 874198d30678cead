//! Lineage: whether the steps of one execution fit each other.
//!
//! [`judge`] is a pure function of the statements of one execution, in the order of the log, to a [`Judgement`]: one
//! verdict, and what was found, each by its [`FindingCode`]. The rules stand in one table, `docs/LINEAGE.md`, each with
//! the function here that holds it.
//!
//! It takes signatures, inclusion and admission as given: those are other stages of a [report](crate::report). It knows
//! no clock. The times in statements are claims by their issuers, and every sentence names them as such; the order of
//! the log is the only order that is taken as shown.
//!
//! | module | what it holds |
//! |---|---|
//! | `step` | the entries presented, and how their references resolve |
//! | `finding`, `verdict` | the answer |
//! | `judge` | one walk over the entries, in time proportional to their number |
//! | `outcome` | the rules for an outcome that says that something ran |
//! | `fit` | those of them that hold two statements against each other |
//! | `whole` | the rules for the execution as a whole |
//! | `measures` | what overseers did, and whether it still stood |

mod finding;
mod fit;
mod judge;
mod measures;
mod outcome;
mod step;
mod verdict;
mod whole;

pub use finding::{Finding, FindingCode, Severity};
pub use judge::judge;
pub use step::{NotOneExecution, Step};
pub use verdict::{Judgement, LineageVerdict};
