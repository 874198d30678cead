//! `POST /add-checkpoint` (C2SP tlog-witness).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse as _, Response};

use super::body;
use crate::witness::Witness;

/// Answers with the cosignature line, or with the refusal.
pub(super) async fn add_checkpoint(
    State(witness): State<Arc<Witness>>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let body = match body::read(&headers, body).await {
        Ok(body) => body,
        Err(problem) => return problem.into_response(),
    };
    match witness.add_checkpoint(&body).await {
        Ok(head) => {
            tracing::debug!(origin = %head.origin(), size = %head.size(), "cosigned");
            let content_type = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
            (content_type, head.cosignature().to_string()).into_response()
        }
        Err(refusal) => {
            tracing::debug!(%refusal, "refused");
            refusal.into_response()
        }
    }
}
