//! Whether the witness can do all of its work.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use countersign_serving::readiness::{self, Reason};

use super::catalog;
use crate::witness::{Fault, Witness};

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

fn reason(fault: Fault) -> Reason {
    let code = code(&fault);
    let (detail, remedy) = match fault {
        Fault::Stopped(cause) => (cause.to_string(), catalog::STOPPED.remedy),
        Fault::RolledBack(rollback) => (rollback.to_string(), catalog::ROLLED_BACK.remedy),
        Fault::Roster(fault) => (
            fault.to_string(),
            "Put back the file logs in the data folder, and add logs with countersign-witness add-log only.",
        ),
    };
    Reason { code, detail, remedy }
}

/// `GET /readyz`: whether heads of all logs that are watched can be cosigned.
pub(super) async fn ready(State(witness): State<Arc<Witness>>) -> Response {
    readiness::ready(witness.faults().into_iter().map(reason))
}
