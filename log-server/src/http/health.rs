//! `GET /healthz` and `GET /readyz`: for whatever keeps the process running and sends it traffic.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::app::App;
use super::catalog::codes;
use super::problem::{ReasonDocument, Refusal};

/// How it is.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Health {
    /// `alive` or `ready`.
    status: &'static str,
    /// What is not as it should be, though the log is ready: each with what to do.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<ReasonDocument>,
}

/// The process answers. Whether it is good for anything, `/readyz` says.
pub(super) async fn alive() -> Response {
    uncached(Health { status: "alive", warnings: Vec::new() })
}

/// The log takes statements and publishes heads.
pub(super) async fn ready(State(app): State<Arc<App>>) -> Result<Response, Refusal> {
    match app.log.readiness() {
        Ok(()) => {
            let warnings = app.log.warnings().into_iter().map(ReasonDocument::from).collect();
            Ok(uncached(Health { status: "ready", warnings }))
        }
        Err(reasons) => {
            let detail = reasons.iter().map(|reason| reason.what.as_str()).collect::<Vec<_>>().join("; ");
            Err(Refusal::new(&codes::NOT_READY, detail).because(reasons).retry_after(Duration::from_secs(5)))
        }
    }
}

fn uncached(health: Health) -> Response {
    let mut response = Json(health).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
