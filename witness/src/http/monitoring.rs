//! `GET /<hash of an origin>/checkpoint` (C2SP tlog-witness): the head that was cosigned last, for monitors.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};

use super::catalog;
use super::problem::Problem;
use crate::latest::Shown;
use crate::refusal::Refusal;
use crate::witness::Witness;

/// Answers with the note: the head, the verified lines of the log, the cosignature.
pub(super) async fn checkpoint(State(witness): State<Arc<Witness>>, Path(hash): Path<String>) -> Response {
    match witness.latest_by_hash(&hash) {
        Some(Shown::Head(head)) if head.has_log_signature() => {
            let headers = [
                (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
                (header::CACHE_CONTROL, "no-cache"),
                (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
            ];
            (headers, head.note().to_string()).into_response()
        }
        Some(Shown::Head(head)) => {
            let (size, root) = (head.size(), head.root());
            let detail =
                format!("this witness cosigned size {size} with root {root}, and has lost the log's line");
            Problem::new(&catalog::LOG_LINE_LOST, detail).into_response()
        }
        Some(Shown::RolledBack(rollback)) => Refusal::RolledBack(rollback).into_response(),
        None => Problem::new(
            &catalog::NOT_COSIGNED_YET,
            "expected the lowercase hex SHA-256 of the origin of a log that was cosigned",
        )
        .into_response(),
    }
}
