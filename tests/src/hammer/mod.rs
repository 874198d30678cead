//! Load and truth: how fast a log takes statements, and whether it kept what it said it has.
//!
//! A run has four parts. [`Prepared`] signs every statement beforehand, so that the measurement has no signing in
//! it. [`load::run`] sends them, either at a fixed rate, where the time of an answer counts from the moment at which
//! the request was **due** and not from when a busy client got round to it, or as fast as a number of connections
//! allow. [`Tally`] is what was seen. [`truth::check`] then reads the log back and holds every acknowledgement
//! against it.

pub mod answers;
pub mod duration;
pub mod load;
pub mod prepared;
pub mod probe;
pub mod report;
pub mod schedule;
pub mod tally;
pub mod truth;

pub use prepared::Prepared;
pub use tally::Tally;
