//! Feeding the figures of the log, and giving them to Prometheus.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use countersign_serving::figures::{Figure, Figures, approximately};
use metrics::{Counter, counter, gauge};

use super::app::App;
use super::figures::{
    ALL, AWAITING_QUORUM, NOT_READY, OF_STORE, QUEUED_BYTES, QUEUED_STATEMENTS, READY, STATEMENTS, STOPPED,
    TREE_SIZE, WITNESS_COSIGNATURES, WITNESS_FAILURES, WITNESS_LAG, WITNESS_ROLLBACKS, WITNESS_SIZE,
    WITNESS_WELL, of_store,
};
use crate::log::{Condition, Log, REASON_CODES, Status};
use crate::stage;

/// Every figure of a log that is not one of all servers, for the manual.
pub fn figures() -> impl Iterator<Item = &'static Figure> {
    ALL.iter().chain(OF_STORE)
}

/// Begins to count.
pub(super) fn start() -> Figures {
    let tables = [ALL, OF_STORE, countersign_web::FIGURES];
    let figures = Figures::start("countersign-log", env!("CARGO_PKG_VERSION"), &tables);
    stage::begin();
    figures
}

/// Counts the statements that were answered for.
pub(super) struct Statements {
    new: Counter,
    known: Counter,
}

impl Statements {
    /// Counts from now on.
    pub(super) fn start() -> Self {
        Self {
            new: counter!(STATEMENTS, "result" => "new"),
            known: counter!(STATEMENTS, "result" => "known"),
        }
    }

    /// Counts one, which was entered now or was there before.
    pub(super) fn count(&self, new: bool) {
        let counted = if new { &self.new } else { &self.known };
        counted.increment(1);
    }
}

/// `GET /metrics`.
pub(super) async fn render(State(app): State<Arc<App>>) -> Response {
    set_readiness(&app.log);
    set_gauges(&app.log.status());
    app.figures.render()
}

fn set_readiness(log: &Log) {
    let reasons = log.readiness().err().unwrap_or_default();
    gauge!(READY).set(one_if(reasons.is_empty()));
    gauge!(STOPPED).set(one_if(log.stopped().is_some()));
    for code in REASON_CODES {
        gauge!(NOT_READY, "reason" => *code).set(one_if(reasons.iter().any(|reason| reason.code == *code)));
    }
}

fn set_gauges(status: &Status) {
    gauge!(QUEUED_STATEMENTS).set(approximately(status.queued_statements as u64));
    gauge!(QUEUED_BYTES).set(approximately(status.queued_bytes as u64));
    gauge!(TREE_SIZE, "head" => "sequenced").set(approximately(status.sequenced.get()));
    if let Some(published) = status.published {
        gauge!(TREE_SIZE, "head" => "published").set(approximately(published.get()));
    }
    gauge!(AWAITING_QUORUM).set(status.awaiting_quorum.unwrap_or_default().as_secs_f64());
    for witness in &status.witnesses {
        let name = &witness.name;
        let lag = status.sequenced.get().saturating_sub(witness.size.get());
        gauge!(WITNESS_SIZE, "witness" => name.clone()).set(approximately(witness.size.get()));
        gauge!(WITNESS_LAG, "witness" => name.clone()).set(approximately(lag));
        let well = matches!(witness.condition, Condition::Well);
        gauge!(WITNESS_WELL, "witness" => name.clone()).set(one_if(well));
        counter!(WITNESS_COSIGNATURES, "witness" => name.clone()).absolute(witness.cosigned);
        counter!(WITNESS_FAILURES, "witness" => name.clone()).absolute(witness.failures);
        counter!(WITNESS_ROLLBACKS, "witness" => name.clone()).absolute(witness.rollbacks);
    }
    for (figure, value) in &status.store {
        if let Some(metric) = of_store(figure) {
            gauge!(metric).set(approximately(*value));
        }
    }
}

fn one_if(yes: bool) -> f64 {
    f64::from(u8::from(yes))
}
