//! The figures of the log, for Prometheus. Each one stands in [`ALL`] with what it means.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

use super::app::App;
use crate::log::{Condition, Status};

pub(super) const REQUESTS: &str = "countersign_http_requests_total";
pub(super) const REQUEST_SECONDS: &str = "countersign_http_request_seconds";
pub(super) const REFUSALS: &str = "countersign_refusals_total";
const STATEMENTS: &str = "countersign_statements_total";
const STAGE_SECONDS: &str = "countersign_submission_stage_seconds";
const QUEUED_STATEMENTS: &str = "countersign_queued_statements";
const QUEUED_BYTES: &str = "countersign_queued_bytes";
const TREE_SIZE: &str = "countersign_tree_size";
const AWAITING_QUORUM: &str = "countersign_awaiting_quorum_seconds";
const READY: &str = "countersign_ready";
const WITNESS_SIZE: &str = "countersign_witness_size";
const WITNESS_WELL: &str = "countersign_witness_well";
const WITNESS_COSIGNATURES: &str = "countersign_witness_cosignatures_total";
const WITNESS_FAILURES: &str = "countersign_witness_failures_total";
const WITNESS_ROLLBACKS: &str = "countersign_witness_rollbacks_total";
const STORE: &str = "countersign_store";

#[derive(Debug, Clone, Copy)]
enum Sort {
    Counter,
    Gauge,
    Histogram,
}

/// Every figure: its name, its sort, its unit, and what it means.
const ALL: &[(&str, Sort, Unit, &str)] = &[
    (REQUESTS, Sort::Counter, Unit::Count, "Requests answered, by route, method and status."),
    (
        REQUEST_SECONDS,
        Sort::Histogram,
        Unit::Seconds,
        "Time from a request's header to its answer's, by route.",
    ),
    (
        REFUSALS,
        Sort::Counter,
        Unit::Count,
        "Refusals, by problem code; those inside of batches count one by one.",
    ),
    (
        STATEMENTS,
        Sort::Counter,
        Unit::Count,
        "Statements answered for: result=new was entered, result=known was there.",
    ),
    (
        STAGE_SECONDS,
        Sort::Histogram,
        Unit::Seconds,
        "Time that submissions spent in a stage: checked (parsed, signature verified), sequenced (queued, admitted, \
         synced, head signed), cosigned (waiting for the quorum).",
    ),
    (QUEUED_STATEMENTS, Sort::Gauge, Unit::Count, "Statements that wait for the sequencer."),
    (QUEUED_BYTES, Sort::Gauge, Unit::Bytes, "Bytes of statements that wait for the sequencer."),
    (
        TREE_SIZE,
        Sort::Gauge,
        Unit::Count,
        "Entries: head=sequenced are durable and signed for, head=published have their quorum.",
    ),
    (
        AWAITING_QUORUM,
        Sort::Gauge,
        Unit::Seconds,
        "How long the head now before the witnesses waits for its quorum; 0 when none does.",
    ),
    (
        READY,
        Sort::Gauge,
        Unit::Count,
        "1 when the log takes statements and publishes heads, else 0; /readyz says why.",
    ),
    (WITNESS_SIZE, Sort::Gauge, Unit::Count, "The largest tree that the witness has cosigned."),
    (WITNESS_WELL, Sort::Gauge, Unit::Count, "1 when the witness's last answer was a cosignature, else 0."),
    (WITNESS_COSIGNATURES, Sort::Counter, Unit::Count, "Heads that the witness cosigned since the start."),
    (WITNESS_FAILURES, Sort::Counter, Unit::Count, "Requests to the witness that failed since the start."),
    (
        WITNESS_ROLLBACKS,
        Sort::Counter,
        Unit::Count,
        "How often the witness forgot what it had cosigned, since the start.",
    ),
    (STORE, Sort::Gauge, Unit::Count, "Figures of the database, by name; sizes are in bytes."),
];

/// Upper bounds of the buckets of times, in seconds: from what a fast disk allows to what a client gives up at.
const BUCKETS: &[f64] = &[
    0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0,
    10.0, 30.0,
];

/// The recorder is one for the process, as the macros that feed it are.
static RECORDER: LazyLock<Option<PrometheusHandle>> = LazyLock::new(|| {
    let handle = PrometheusBuilder::new().set_buckets(BUCKETS).ok()?.install_recorder().ok()?;
    for (name, sort, unit, meaning) in ALL {
        match sort {
            Sort::Counter => describe_counter!(*name, *unit, *meaning),
            Sort::Gauge => describe_gauge!(*name, *unit, *meaning),
            Sort::Histogram => describe_histogram!(*name, *unit, *meaning),
        }
    }
    Some(handle)
});

/// The figures of the process. `None` inside when somebody else installed a recorder before: then the figures go
/// there.
#[derive(Debug, Clone)]
pub(super) struct Figures(Option<PrometheusHandle>);

impl Figures {
    pub(super) fn start() -> Self {
        Self(RECORDER.clone())
    }

    /// Sorts observed times into their buckets. Until then each one takes memory of its own, so it has to happen also
    /// when nobody asks for the figures.
    pub(super) fn upkeep(&self) {
        if let Some(handle) = &self.0 {
            handle.run_upkeep();
        }
    }
}

/// The stages of a submission.
#[derive(Debug, Clone, Copy)]
pub(super) enum Stage {
    Checked,
    Sequenced,
    Cosigned,
}

/// Records how long a stage took.
pub(super) fn record(stage: Stage, took: Duration) {
    let stage = match stage {
        Stage::Checked => "checked",
        Stage::Sequenced => "sequenced",
        Stage::Cosigned => "cosigned",
    };
    histogram!(STAGE_SECONDS, "stage" => stage).record(took.as_secs_f64());
}

/// Counts a statement that was answered for.
pub(super) fn count_statement(new: bool) {
    counter!(STATEMENTS, "result" => if new { "new" } else { "known" }).increment(1);
}

/// `GET /metrics`.
pub(super) async fn render(State(app): State<Arc<App>>) -> Response {
    set_gauges(&app.log.status(), app.log.readiness().is_ok());
    let text = app.figures.0.as_ref().map(PrometheusHandle::render);
    let mut response = text.unwrap_or_default().into_response();
    let content_type = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn set_gauges(status: &Status, ready: bool) {
    gauge!(READY).set(f64::from(u8::from(ready)));
    gauge!(QUEUED_STATEMENTS).set(approximately(status.queued_statements as u64));
    gauge!(QUEUED_BYTES).set(approximately(status.queued_bytes as u64));
    gauge!(TREE_SIZE, "head" => "sequenced").set(approximately(status.sequenced.get()));
    if let Some(published) = status.published {
        gauge!(TREE_SIZE, "head" => "published").set(approximately(published.get()));
    }
    gauge!(AWAITING_QUORUM).set(status.awaiting_quorum.unwrap_or_default().as_secs_f64());
    for witness in &status.witnesses {
        let name = &witness.name;
        let well = matches!(witness.condition, Condition::Well);
        gauge!(WITNESS_SIZE, "witness" => name.clone()).set(approximately(witness.size.get()));
        gauge!(WITNESS_WELL, "witness" => name.clone()).set(f64::from(u8::from(well)));
        counter!(WITNESS_COSIGNATURES, "witness" => name.clone()).absolute(witness.cosigned);
        counter!(WITNESS_FAILURES, "witness" => name.clone()).absolute(witness.failures);
        counter!(WITNESS_ROLLBACKS, "witness" => name.clone()).absolute(witness.rollbacks);
    }
    for (figure, value) in &status.store {
        gauge!(STORE, "figure" => *figure).set(approximately(*value));
    }
}

/// Prometheus counts in doubles: exact up to 2^53.
#[expect(clippy::cast_precision_loss, reason = "the format has no other numbers")]
fn approximately(count: u64) -> f64 {
    count as f64
}
