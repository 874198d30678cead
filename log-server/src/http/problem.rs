//! Refusals, as RFC 9457 problem documents.

use std::time::Duration;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use countersign_verifier::admission;
use countersign_verifier::statement::{Pointer, Problem, SignatureError, StatementError, SubmissionError};
use serde::Serialize;
use utoipa::ToSchema;

use super::catalog::{self, codes};
use crate::log::Reason;

/// One refusal: the sort of problem, and what is special about this occurrence.
///
/// A refusal changes nothing: what it answers to was not done. It goes out as `application/problem+json` with the
/// members `type`, `title`, `status`, `detail` and, where a JSON member is at fault, `pointer`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    problem: &'static Problem,
    detail: String,
    pointer: Option<String>,
    retry_after: Option<Duration>,
    reasons: Vec<ReasonDocument>,
}

/// The members of a problem document (RFC 9457 section 3.1), in the order in which people read them.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ProblemDocument<'a> {
    r#type: String,
    title: &'static str,
    status: u16,
    detail: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pointer: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    reasons: &'a [ReasonDocument],
}

/// Something for the operator to look at: in a refusal an extension member (RFC 9457 section 3.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct ReasonDocument {
    /// A stable name for machines.
    code: &'static str,
    /// What is the matter.
    what: String,
    /// What to do about it.
    remedy: &'static str,
}

impl From<Reason> for ReasonDocument {
    fn from(Reason { code, what, remedy }: Reason) -> Self {
        Self { code, what, remedy }
    }
}

/// The media type of problem documents.
pub(super) const PROBLEM_JSON: &str = "application/problem+json";

impl Refusal {
    /// A refusal of the sort `problem`. The detail names the offending value and what was expected.
    pub(super) fn new(problem: &'static Problem, detail: impl Into<String>) -> Self {
        Self { problem, detail: detail.into(), pointer: None, retry_after: None, reasons: Vec::new() }
    }

    /// A refusal whose sort an error of the verifier names by its code.
    pub(super) fn by_code(code: &'static str, detail: impl Into<String>) -> Self {
        catalog::find(code).map_or_else(
            || {
                tracing::error!(code, "an error has a code without an entry in the catalog of problems");
                Self::internal()
            },
            |problem| Self::new(problem, detail),
        )
    }

    /// Something that is the server's own fault. What it was goes to the log, never to the client.
    pub(super) fn internal() -> Self {
        let detail =
            "the server failed at this request; the header x-request-id names it in the server's own log";
        Self::new(&codes::INTERNAL_ERROR, detail)
    }

    /// Names the JSON member at fault. A pointer to the whole document names none.
    #[must_use]
    pub(super) fn at(mut self, pointer: Option<&Pointer>) -> Self {
        self.pointer =
            pointer.map(|pointer| pointer.as_str().to_owned()).filter(|pointer| !pointer.is_empty());
        self
    }

    /// Places the pointer in the document that was sent, in which the payload is a member.
    #[must_use]
    pub(super) fn within_payload(mut self) -> Self {
        self.pointer = self.pointer.map(|pointer| format!("/payload{pointer}"));
        self
    }

    /// Says when to try again.
    #[must_use]
    pub(super) fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// Names the reasons one by one, each with what to do.
    #[must_use]
    pub(super) fn because(mut self, reasons: Vec<Reason>) -> Self {
        self.reasons = reasons.into_iter().map(ReasonDocument::from).collect();
        self
    }

    /// Counts the refusal. One that is an answer of its own is counted when it is sent.
    pub(super) fn count(&self) {
        metrics::counter!(countersign_serving::figures::REFUSALS, "code" => self.code()).increment(1);
    }

    /// The code, the last segment of `type`.
    pub fn code(&self) -> &'static str {
        self.problem.code
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn document(&self) -> ProblemDocument<'_> {
        ProblemDocument {
            r#type: catalog::type_uri(self.problem.code),
            title: self.problem.title,
            status: self.status().as_u16(),
            detail: &self.detail,
            pointer: self.pointer.as_deref(),
            reasons: &self.reasons,
        }
    }
}

impl Serialize for Refusal {
    /// The problem document.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.document().serialize(serializer)
    }
}

/// `Retry-After` in whole seconds, never 0: a client that takes it at its word must not spin.
pub(super) fn retry_after_value(wait: Duration) -> HeaderValue {
    let seconds = wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0)).max(1);
    HeaderValue::from(seconds)
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let refusal = self;
        refusal.count();
        let mut response = (refusal.status(), Json(&refusal)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(wait) = refusal.retry_after {
            headers.insert(header::RETRY_AFTER, retry_after_value(wait));
        }
        response
    }
}

impl From<StatementError> for Refusal {
    fn from(error: StatementError) -> Self {
        Self::by_code(error.code(), error.to_string()).at(error.pointer())
    }
}

impl From<SignatureError> for Refusal {
    fn from(error: SignatureError) -> Self {
        Self::by_code(error.code(), error.to_string())
    }
}

impl From<SubmissionError> for Refusal {
    fn from(error: SubmissionError) -> Self {
        Self::by_code(error.code(), error.to_string()).at(error.pointer().as_ref())
    }
}

impl From<admission::Refusal> for Refusal {
    fn from(refusal: admission::Refusal) -> Self {
        Self::by_code(refusal.code(), refusal.to_string()).at(refusal.pointer().as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_in_whole_seconds_and_never_zero() {
        for (millis, seconds) in [(0, "1"), (1, "1"), (1000, "1"), (1001, "2"), (9_500, "10")] {
            assert_eq!(retry_after_value(Duration::from_millis(millis)), seconds, "{millis} ms");
        }
    }

    #[test]
    fn a_document_has_the_members_of_the_standard_and_no_others() {
        let refusal =
            Refusal::from(StatementError::from(countersign_verifier::statement::EnvelopeError::Size {
                got: 0,
            }));
        let document = serde_json::to_value(refusal.document()).unwrap();
        assert_eq!(
            document,
            serde_json::json!({
                "type": "/errors/statement-size",
                "title": "The statement is empty or too long",
                "status": 413,
                "detail": "the statement has 0 bytes, expected 1 to 65535",
            })
        );
    }
}
