//! What the log lets in, for the manual.

use std::time::Duration;

use countersign_serving::{Limit, bytes, count, span};
use countersign_verifier::statement::{MAX_STATEMENT, UnixSeconds};

use super::app::Options;
use super::{batch, checkers, intake, rooms, submit};
use crate::fair::Load;
use crate::log::QueueBounds;

/// The limits that clients of a log meet beside those of all servers.
pub fn limits() -> Vec<Limit> {
    let Options { wait, body, .. } = Options::new(std::sync::Arc::new(|| UnixSeconds::EPOCH));
    let queue = QueueBounds::default();
    let load = |statements: usize, size: usize| format!("{} statements, {}", count(statements), bytes(size));
    let Load { statements, bytes: size } = checkers::BOUND;
    vec![
        Limit::new("statement", bytes(MAX_STATEMENT), None),
        Limit::new("its JSON form", bytes(submit::MAX_JSON), None),
        Limit::new("its age, to either side", span(Duration::from_secs(intake::CLOCK_TOLERANCE)), None),
        Limit::new("batch", load(batch::MAX_STATEMENTS, batch::MAX_BYTES), None),
        Limit::new("all batches under way", bytes(rooms::BOUND.bytes), None),
        Limit::new("arrival of a body", span(body), None),
        Limit::new("waiting for a check, for each processor", load(statements, size), None),
        Limit::new("waiting for the sequencer, of all issuers", load(queue.statements, queue.bytes), None),
        Limit::new("statements of one issuer", "any number", Some("issuer-rate")),
        Limit::new("of one that was silent, at once", "those of one second", Some("issuer-burst")),
        Limit::new("wait for the quorum", span(wait), Some("wait-timeout")),
    ]
}
