//! The figures of an explorer: what each one means, and what to do when it goes wrong.

use std::time::Instant;

use axum::body::Body;
use axum::extract::{MatchedPath, Request};
use axum::http::Response;
use axum::middleware::Next;
use countersign_serving::figures::{Figure, Sort, approximately};
use metrics::{Unit, gauge, histogram};

use crate::mirror::{Known, Trouble};

pub(crate) const READY: &str = "countersign_ready";
pub(crate) const NOT_READY: &str = "countersign_not_ready";
const ENTRIES: &str = "countersign_mirror_entries";
const LAG: &str = "countersign_mirror_lag_entries";
const FOLLOWED: &str = "countersign_mirror_followed_timestamp_seconds";
const CONTRADICTIONS: &str = "countersign_mirror_contradictions";
const INDEX_BYTES: &str = "countersign_mirror_index_bytes";
const PAGE_SECONDS: &str = "countersign_page_seconds";

/// The figures of the program `countersign-explorer`. In a log, they are about the log itself.
pub const OF_PROGRAM: &[Figure] = &[
    Figure {
        name: READY,
        sort: Sort::Gauge,
        unit: Unit::Count,
        labels: &[],
        meaning: "1 when there is something to show and the log can be followed, else 0.",
        normal: "1.",
        trouble: "0: /readyz says why, and OPERATIONS.md what to do about each reason.",
    },
    Figure {
        name: NOT_READY,
        sort: Sort::Gauge,
        unit: Unit::Count,
        labels: &[("reason", "the codes of /readyz")],
        meaning: "1 for each reason for which the explorer is not ready, 0 for each other one.",
        normal: "0 for every reason, but while the server starts.",
        trouble: "1: the section of OPERATIONS.md under that code says what it means and what to do.",
    },
];

/// The figures of an explorer wherever it runs, alone or in a log.
pub const FIGURES: &[Figure] = &[
    Figure {
        name: ENTRIES,
        sort: Sort::Gauge,
        unit: Unit::Count,
        labels: &[],
        meaning: "Entries that were read, led to a signed root, and can be looked up.",
        normal: "It grows as the log does. It begins at 0 with each start.",
        trouble: "It stands still while the log grows: see the lag, and when the log was last followed.",
    },
    Figure {
        name: LAG,
        sort: Sort::Gauge,
        unit: Unit::Count,
        labels: &[],
        meaning: "Entries under the newest head that was accepted which are not read yet.",
        normal: "0, or what came within the last second; after a start it falls from the size of the log.",
        trouble: "It does not fall: entries or tiles of the log cannot be read, or do not lead to its head. /health says which.",
    },
    Figure {
        name: FOLLOWED,
        sort: Sort::Gauge,
        unit: Unit::Seconds,
        labels: &[],
        meaning: "When the log was last followed to a head that the trust policy accepts, in seconds since 1970.",
        normal: "Seconds ago, also when the log is at rest.",
        trouble: "Minutes ago: the log does not answer, shows a head without quorum or an older one, or contradicts itself. /health says which.",
    },
    Figure {
        name: CONTRADICTIONS,
        sort: Sort::Gauge,
        unit: Unit::Count,
        labels: &[],
        meaning: "Contradictions of the log since the start; the first 16 are kept and shown on /health.",
        normal: "0.",
        trouble: "At all: save /health.json before you restart, and show both heads to those who rely on the log.",
    },
    Figure {
        name: INDEX_BYTES,
        sort: Sort::Gauge,
        unit: Unit::Bytes,
        labels: &[],
        meaning: "About how much memory the index over the entries takes.",
        normal: "Some 60 to 100 bytes an entry.",
        trouble: "It nears what the machine has: give the machine more memory. An index is not kept on disk.",
    },
    Figure {
        name: PAGE_SECONDS,
        sort: Sort::Histogram,
        unit: Unit::Seconds,
        labels: &[("page", "the pattern of its address")],
        meaning: "Time from a request for a page to the beginning of its answer, with what it waited for the log to be read.",
        normal: "Milliseconds; up to 1.5 seconds while the log is read for the first time.",
        trouble: "It grows: the processors are busy, or the log takes long to give its tiles.",
    },
];

/// Sets the figures of what is known.
pub(crate) fn set(known: &Known) {
    let read = known.read_up_to().get();
    let size = known.head().map_or(read, |head| head.verified.checkpoint().size.get());
    gauge!(ENTRIES).set(approximately(read));
    gauge!(LAG).set(approximately(size.saturating_sub(read)));
    let is_alarm = known.trouble().is_some_and(Trouble::is_alarm);
    gauge!(CONTRADICTIONS).set(approximately(known.evidence().len().max(usize::from(is_alarm)) as u64));
    gauge!(INDEX_BYTES).set(approximately(known.index().bytes()));
    // A log that was never followed would seem to have been followed long ago.
    gauge!(FOLLOWED).set(approximately(known.agreed_at().unwrap_or(0)));
}

/// Measures a page. A layer of axum, within the routes.
pub(crate) async fn measure(request: Request, next: Next) -> Response<Body> {
    let began = Instant::now();
    let page = request.extensions().get::<MatchedPath>().cloned();
    let response = next.run(request).await;
    if let Some(page) = page {
        histogram!(PAGE_SECONDS, "page" => page.as_str().to_owned()).record(began.elapsed().as_secs_f64());
    }
    response
}
