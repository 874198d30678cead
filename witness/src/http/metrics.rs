//! The figures of a witness: what each one means, and what to do when it goes wrong.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use countersign_serving::figures::{Figure, Figures, Sort, approximately};
use metrics::{Unit, gauge};

use super::health::{self, CODES};
use crate::latest::Shown;
use crate::recorder::{COSIGNATURES, KEEP_SECONDS};
use crate::witness::{Fault, Witness};

const READY: &str = "countersign_ready";
const STOPPED: &str = "countersign_stopped";
const NOT_READY: &str = "countersign_not_ready";
const LOGS: &str = "countersign_watched_logs";
const LOG_SIZE: &str = "countersign_watched_log_size";

/// How many logs have a figure of their own: the first ones by origin.
const SHOWN: usize = 500;

/// Every figure of a witness, beside those of all servers.
pub const FIGURES: &[Figure] = &[
    Figure {
        name: READY,
        sort: Sort::Gauge,
        unit: Unit::Count,
        labels: &[],
        meaning: "1 when heads of all logs that are watched can be cosigned, else 0.",
        normal: "1.",
        trouble: "0: /readyz says why, and OPERATIONS.md what to do about each reason.",
    },
    Figure {
        name: STOPPED,
        sort: Sort::Gauge,
        unit: Unit::Count,
        labels: &[],
        meaning: "1 when the witness signs nothing until it is started again, else 0.",
        normal: "0.",
        trouble: "1: keeping what was cosigned has failed. Mend the disk first, then restart.",
    },
    Figure {
        name: NOT_READY,
        sort: Sort::Gauge,
        unit: Unit::Count,
        labels: &[("reason", "the codes of /readyz")],
        meaning: "1 for each reason for which not all heads can be cosigned, 0 for each other one.",
        normal: "0 for every reason, but while the server starts or ends.",
        trouble: "1: the section of OPERATIONS.md under that code says what it means and what to do.",
    },
    Figure {
        name: LOGS,
        sort: Sort::Gauge,
        unit: Unit::Count,
        labels: &[],
        meaning: "Logs that are watched.",
        normal: "As many as you added.",
        trouble: "It falls: the file logs was changed by hand. Logs are only ever added.",
    },
    Figure {
        name: LOG_SIZE,
        sort: Sort::Gauge,
        unit: Unit::Count,
        labels: &[("origin", "the origin of a log that is watched; of the first 500 by name")],
        meaning: "The size of the newest head of the log that was cosigned.",
        normal: "It grows as the log does.",
        trouble: "It stands still while the log grows: the log does not reach this witness, or is refused.",
    },
    Figure {
        name: COSIGNATURES,
        sort: Sort::Counter,
        unit: Unit::Count,
        labels: &[],
        meaning: "Heads cosigned and kept.",
        normal: "It grows as often as logs ask.",
        trouble: "It stands still: no log asks, or all are refused; see countersign_refusals_total.",
    },
    Figure {
        name: KEEP_SECONDS,
        sort: Sort::Histogram,
        unit: Unit::Seconds,
        labels: &[],
        meaning: "Time that keeping took, for all heads that were decided at once: database and high-water mark, both synced.",
        normal: "What the disk takes for two syncs.",
        trouble: "It grows: the disk. Every log that is watched waits for it.",
    },
];

/// Begins to count.
pub(super) fn start() -> Figures {
    Figures::start("countersign-witness", env!("CARGO_PKG_VERSION"), &[FIGURES])
}

/// `GET /metrics`.
pub(super) async fn render(
    State(witness): State<Arc<Witness>>,
    Extension(figures): Extension<Figures>,
) -> Response {
    let faults = witness.faults();
    let one_if = |yes| f64::from(u8::from(yes));
    gauge!(READY).set(one_if(faults.is_empty()));
    gauge!(STOPPED).set(one_if(faults.iter().any(|fault| matches!(fault, Fault::Stopped(_)))));
    for code in CODES {
        gauge!(NOT_READY, "reason" => *code)
            .set(one_if(faults.iter().any(|fault| health::code(fault) == *code)));
    }
    let logs = witness.logs();
    gauge!(LOGS).set(approximately(logs.len() as u64));
    for (origin, _) in logs.iter().take(SHOWN) {
        if let Some(Shown::Head(head)) = witness.latest(origin) {
            gauge!(LOG_SIZE, "origin" => origin.to_string()).set(approximately(head.size().get()));
        }
    }
    figures.render()
}
