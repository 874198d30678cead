//! What a witness lets in, for the manual.

use countersign_serving::{Limit, bytes, count, span};
use countersign_verifier::witnessing::MAX_REQUEST_BYTES;

use super::PATIENCE;
use crate::{evidence, recorder};

/// The limits that clients of a witness meet beside those of all servers.
pub fn limits() -> Vec<Limit> {
    vec![
        Limit::new("request", bytes(MAX_REQUEST_BYTES), None),
        Limit::new("answering a request", span(PATIENCE), None),
        Limit::new("requests that wait to be decided, of all logs", count(recorder::QUEUE), None),
        Limit::new("requests kept as evidence, of one log and sort", count(evidence::CASES), None),
        Limit::new("heads of one log", "any number; with add-log --list what the list says", None),
    ]
}
