//! Load and truth: how fast a log takes statements, and whether it kept what it said it has.
//!
//! A run has five parts. [`Prepared`] signs every statement beforehand, so that the measurement has no signing in
//! it. [`load::send`] sends them, either at a fixed rate, where the time of an answer counts from the moment at which
//! the request was **due** and not from when a busy client got round to it, or as fast as a number of connections
//! allow. The answers are kept, and [`load::judge`] checks them when the load is over, because this program shares the
//! processors with the log that it measures. [`Tally`] is what was seen. [`truth::check`] then reads the log back and
//! holds every acknowledgement against it.

pub mod answers;
pub mod around;
pub mod duration;
mod kept;
pub mod load;
pub mod prepared;
pub mod probe;
pub mod processes;
pub mod protocol;
mod publication;
pub mod reads;
pub mod report;
pub mod schedule;
pub mod tally;
pub mod truth;

pub use prepared::Prepared;
pub use tally::Tally;
