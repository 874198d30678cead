//! Executions as stories: made up, signed by made-up parties, one detail changed at a time.
//!
//! They are the two sides of every lineage rule ([`cases`]), and the raw material of bundles. Everything in them is
//! fixed, keys, times and ids included, so that the same story gives the same bytes on every machine.

mod cases;
mod parties;
mod sealed;
mod story;

pub use cases::{Case, cases};
pub use parties::{Party, registrations};
pub use sealed::{ORIGIN, Sealed, trust_policy};
pub use story::{Said, Story, Told};
