//! Requests that come to no decision: a status and a sentence.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use countersign_serving::figures::REFUSALS;

use super::body::MAX_BODY_BYTES;
use crate::decide::request::RequestError;

/// Why a request comes to no decision. Whoever enforces takes each of these for a denial.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error("{0}")]
    Request(#[from] RequestError),
    #[error("the body breaks off")]
    BreaksOff,
    #[error("expected the header Authorization with the bearer token of this decision point")]
    Unauthorized,
    #[error(
        "expected the header Host with the address of this decision point: without a token it hears this machine alone"
    )]
    Elsewhere,
    #[error("there is nothing here: /.well-known/authzen-configuration says what there is")]
    NotFound,
    #[error("expected the method {0}")]
    Method(&'static str),
    #[error("the body did not arrive in time")]
    TooSlow,
    #[error("expected a body of at most {MAX_BODY_BYTES} bytes")]
    TooLarge,
    #[error("expected the header Content-Type: application/json, and no Content-Encoding")]
    MediaType,
    #[error("as many decisions are under way as there may be: ask again")]
    Overloaded,
    #[error("the decision point has failed: the cause is in its log file")]
    Internal,
}

impl Refusal {
    const fn status_and_code(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Request(RequestError::TooLong { .. }) => {
                (StatusCode::PAYLOAD_TOO_LARGE, "evaluation-too-large")
            }
            Self::Request(_) | Self::BreaksOff => (StatusCode::BAD_REQUEST, "malformed-request"),
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, "unauthorized"),
            Self::Elsewhere => (StatusCode::FORBIDDEN, "host-not-known"),
            Self::NotFound => (StatusCode::NOT_FOUND, "not-found"),
            Self::Method(_) => (StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed"),
            Self::TooSlow => (StatusCode::REQUEST_TIMEOUT, "body-too-slow"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "body-too-large"),
            Self::MediaType => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type"),
            Self::Overloaded => (StatusCode::SERVICE_UNAVAILABLE, "overloaded"),
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, code) = self.status_and_code();
        metrics::counter!(REFUSALS, "code" => code).increment(1);
        let plain = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
        let sentence = format!("{self}\n");
        match self {
            Self::Unauthorized => {
                (status, plain, [(header::WWW_AUTHENTICATE, "Bearer")], sentence).into_response()
            }
            Self::Method(methods) => (status, plain, [(header::ALLOW, methods)], sentence).into_response(),
            Self::Overloaded => (status, plain, [(header::RETRY_AFTER, "1")], sentence).into_response(),
            _ => (status, plain, sentence).into_response(),
        }
    }
}
