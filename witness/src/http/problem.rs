//! Refusals as problem documents (RFC 9457).

use std::time::Duration;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use countersign_verifier::statement::Problem as Sort;
use countersign_verifier::witnessing::SIZE_CONTENT_TYPE;
use serde::Serialize;

use super::catalog;
use crate::refusal::Refusal;

const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");

/// One refusal: of which sort it is, and what is special about it.
#[derive(Debug)]
pub(super) struct Problem {
    sort: &'static Sort,
    detail: String,
    retry_after: Option<Duration>,
}

#[derive(Serialize)]
struct Document<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
}

impl Problem {
    pub(super) fn new(sort: &'static Sort, detail: impl Into<String>) -> Self {
        Self { sort, detail: detail.into(), retry_after: None }
    }
}

fn counted(sort: &'static Sort) {
    metrics::counter!(countersign_serving::figures::REFUSALS, "code" => sort.code).increment(1);
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Self { sort, detail, retry_after } = self;
        counted(sort);
        let status = StatusCode::from_u16(sort.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let document = Document {
            r#type: catalog::uri(sort),
            title: sort.title,
            status: status.as_u16(),
            detail: &detail,
        };
        let mut response = (status, Json(document)).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, PROBLEM_JSON);
        if let Some(wait) = retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs()));
        }
        response
    }
}

impl IntoResponse for Refusal {
    /// A problem document; for another old size than was cosigned, the size, as tlog-witness prescribes.
    fn into_response(self) -> Response {
        if let Self::OtherSize { cosigned, .. } = self {
            counted(&catalog::OTHER_SIZE);
            let content_type = [(header::CONTENT_TYPE, SIZE_CONTENT_TYPE)];
            return (StatusCode::CONFLICT, content_type, format!("{cosigned}\n")).into_response();
        }
        Problem { sort: catalog::of(&self), detail: self.to_string(), retry_after: self.retry_after() }
            .into_response()
    }
}
