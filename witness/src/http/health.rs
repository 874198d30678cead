//! Whether the witness runs, and whether it can do all of its work.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;

use super::catalog;
use crate::witness::{Fault, Witness};

/// The answer of `GET /readyz`.
#[derive(Debug, Serialize)]
pub(super) struct Readiness {
    /// Whether heads of all logs that are watched can be cosigned.
    ready: bool,
    /// What keeps them from it.
    reasons: Vec<Reason>,
}

#[derive(Debug, Serialize)]
struct Reason {
    /// Stable, for alarms.
    code: &'static str,
    detail: String,
    remedy: &'static str,
}

/// The codes of all reasons.
pub const CODES: &[&str] = &[catalog::STOPPED.code, catalog::ROLLED_BACK.code, LOGS_UNREADABLE];
const LOGS_UNREADABLE: &str = "logs-unreadable";

/// The code of a reason.
pub(super) const fn code(fault: &Fault) -> &'static str {
    match fault {
        Fault::Stopped(_) => catalog::STOPPED.code,
        Fault::RolledBack(_) => catalog::ROLLED_BACK.code,
        Fault::Roster(_) => LOGS_UNREADABLE,
    }
}

impl From<Fault> for Reason {
    fn from(fault: Fault) -> Self {
        let code = code(&fault);
        let (detail, remedy) = match fault {
            Fault::Stopped(cause) => (cause.to_string(), catalog::STOPPED.remedy),
            Fault::RolledBack(rollback) => (rollback.to_string(), catalog::ROLLED_BACK.remedy),
            Fault::Roster(fault) => (
                fault.to_string(),
                "Put back the file logs in the data folder, and add logs with countersign-witness add-log only.",
            ),
        };
        Self { code, detail, remedy }
    }
}

/// `GET /healthz`: the program runs and answers.
pub(super) async fn alive() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: 200 when heads of all logs can be cosigned, else 503 with the reasons.
pub(super) async fn ready(State(witness): State<Arc<Witness>>) -> (StatusCode, Json<Readiness>) {
    let reasons: Vec<_> = witness.faults().into_iter().map(Reason::from).collect();
    let ready = reasons.is_empty();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Readiness { ready, reasons }))
}
