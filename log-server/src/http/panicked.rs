//! A net under panics.

use std::any::Any;

use axum::response::{IntoResponse, Response};

use super::problem::Refusal;

/// What is answered when a handler panicked. The panic itself was printed where it happened.
#[expect(clippy::needless_pass_by_value, reason = "the signature is that of a panic handler")]
pub(super) fn panicked(panic: Box<dyn Any + Send + 'static>) -> Response {
    let message = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    tracing::error!(message, "a request handler panicked");
    Refusal::internal().into_response()
}
