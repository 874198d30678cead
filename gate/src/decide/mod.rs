//! The decision point (XACML: PDP), which speaks `AuthZEN` Authorization API 1.0: what `countersign decide` serves.
//!
//! Whoever enforces asks whether a subject may do something to a resource. The published policies decide, and an answer is
//! given only once it is on record: the `intent`, the `decision` and, of what is permitted, the `authorization`. **`true` is
//! answered only with an authorization in hand that is in the log, under a head of the kind that is configured, whose proof
//! was verified here.** Every doubt denies, and says which ([`Doubt`]).
//!
//! | module | what it is |
//! |---|---|
//! | [`request`] | what is asked |
//! | [`facts`] | what policies may look at: stored entities and the caller's properties |
//! | [`point`] | deciding |
//! | [`record`] | what is stated about a decision, and how it comes into the log |
//! | [`answer`] | what is answered |
//! | [`http`] | the routes |
//!
//! **It is not** an enforcement point: who gets `true` still has to hold the authorization against what is about to happen,
//! and to record what became of it.

pub mod answer;
pub mod config;
mod doubt;
pub mod facts;
pub mod http;
mod intent;
pub mod point;
pub mod record;
pub mod request;
mod token;

pub use config::{Config, DecideConfigError};
pub use doubt::Doubt;
pub use point::DecisionPoint;
pub use request::MAX_EVALUATIONS;
pub use token::{Token, TokenError};
