//! The figures of a decision point: what each one means, and what to do when it goes wrong.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use countersign_serving::figures::{Figure, Figures, Sort};
use metrics::{Unit, gauge};

use super::Desk;
use super::health::CODES;

/// Decisions.
pub(in crate::decide) const DECISIONS: &str = "countersign_decisions_total";
/// How long they took.
pub(in crate::decide) const DECISION_SECONDS: &str = "countersign_decision_seconds";
const READY: &str = "countersign_ready";
const NOT_READY: &str = "countersign_not_ready";

/// Every figure of a decision point, beside those of all servers.
pub const FIGURES: &[Figure] = &[
    Figure {
        name: READY,
        sort: Sort::Gauge,
        unit: Unit::Count,
        labels: &[],
        meaning: "1 when decisions can be made, recorded and authorized, else 0: then everything is denied.",
        normal: "1.",
        trouble: "0: /readyz says why, and OPERATIONS.md what to do about each reason.",
    },
    Figure {
        name: NOT_READY,
        sort: Sort::Gauge,
        unit: Unit::Count,
        labels: &[("reason", "the codes of /readyz")],
        meaning: "1 for each reason for which everything is denied, 0 for each other one.",
        normal: "0 for every reason, but while the server starts.",
        trouble: "1: the section of OPERATIONS.md under that code says what it means and what to do.",
    },
    Figure {
        name: DECISIONS,
        sort: Sort::Counter,
        unit: Unit::Count,
        labels: &[
            ("verdict", "`permit` or `deny`"),
            (
                "reason",
                "the code of the decision, or of the doubt in which it was denied; `no_request` for what was none",
            ),
        ],
        meaning: "Decisions answered.",
        normal: "`permitted`, `denied_by_policy` and `no_policy_permits`, as your policies have it.",
        trouble: "`log_unreachable`, `log_busy`, `timed_out`, `quorum_missing`: look at the log and its witnesses. `evaluation_error`: a policy fails over what callers send. `log_refused`: the log file says why, often a key that is not registered. `proof_invalid`: treat it as an incident.",
    },
    Figure {
        name: DECISION_SECONDS,
        sort: Sort::Histogram,
        unit: Unit::Seconds,
        labels: &[],
        meaning: "Time that one decision took, until it was on record.",
        normal: "What the log takes for its sync and its quorum; what the policies take is a thousandth of it.",
        trouble: "It grows: the log or its witnesses are slow, see `countersign_awaiting_quorum_seconds` there. At decide.timeout_seconds everything is denied.",
    },
];

/// Begins to count.
pub(super) fn start() -> Figures {
    Figures::start("countersign-decide", env!("CARGO_PKG_VERSION"), &[FIGURES])
}

/// `GET /metrics`.
pub(super) async fn render(
    State(desk): State<Arc<Desk>>,
    Extension(figures): Extension<Figures>,
) -> Response {
    let reasons = desk.health.reasons(&desk.point).await;
    let one_if = |yes| f64::from(u8::from(yes));
    gauge!(READY).set(one_if(reasons.is_empty()));
    for code in CODES {
        gauge!(NOT_READY, "reason" => *code).set(one_if(reasons.iter().any(|reason| reason.code == *code)));
    }
    figures.render()
}
