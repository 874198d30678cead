//! What a server says of itself to whatever keeps it running and sends it traffic.

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::json;

/// One reason for which a server cannot do all of its work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// Stable, for alarms. The manual has a section for each.
    pub code: &'static str,
    /// What is wrong.
    pub detail: String,
    /// What to do about it.
    pub remedy: &'static str,
}

/// The answer of `GET /healthz`: the program runs and answers.
#[expect(clippy::unused_async, reason = "handlers are")]
pub async fn alive() -> &'static str {
    "ok\n"
}

/// The answer of `GET /readyz`: 200 when nothing keeps the server from its work, else 503 with the reasons.
pub fn ready(reasons: impl IntoIterator<Item = Reason>) -> Response {
    let reason = |Reason { code, detail, remedy }| json!({"code": code, "detail": detail, "remedy": remedy});
    let reasons: Vec<_> = reasons.into_iter().map(reason).collect();
    let ready = reasons.is_empty();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let answer = Json(json!({"ready": ready, "reasons": reasons}));
    (status, [(header::CACHE_CONTROL, "no-store")], answer).into_response()
}
