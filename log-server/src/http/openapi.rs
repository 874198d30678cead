//! `GET /openapi.json`.
use axum::response::{IntoResponse, Response};
pub(super) async fn document() -> Response {
    "".into_response()
}
