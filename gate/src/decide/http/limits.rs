//! What a decision point lets in, for the manual.

use countersign_serving::{Limit, bytes, count, span};

use super::body::{ARRIVAL, MAX_BODY_BYTES};
use crate::decide::config::{DECISIONS, TIMEOUT};
use crate::decide::facts::MAX_STORED_BYTES;
use crate::decide::request::{MAX_EVALUATION_BYTES, MAX_EVALUATIONS};

/// The limits that clients of a decision point meet beside those of all servers. Two have a member in `[decide]`.
pub fn limits() -> Vec<Limit> {
    let timeout = span(std::time::Duration::from_secs(TIMEOUT));
    vec![
        Limit::new("body", bytes(MAX_BODY_BYTES), None),
        Limit::new("arrival of a body", span(ARRIVAL), None),
        Limit::new("evaluations in a request", count(MAX_EVALUATIONS), None),
        Limit::new("one evaluation", bytes(MAX_EVALUATION_BYTES), None),
        Limit::new("stored entities that one evaluation leads to", bytes(MAX_STORED_BYTES), None),
        Limit::new(
            "one decision, its record included",
            format!("{timeout}, or `decide.timeout_seconds`"),
            None,
        ),
        Limit::new("decisions under way", format!("{}, or `decide.max_decisions`", count(DECISIONS)), None),
    ]
}
