//! Around every request: an id, a span, figures, and a net under panics.

use std::any::Any;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tracing::Instrument as _;

use super::metrics;
use super::problem::Refusal;

/// The header that carries the id of a request in its answer.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Gives out request ids: a prefix of this run of the server, then a number.
#[derive(Debug)]
pub(super) struct RequestIds {
    run: u32,
    next: AtomicU64,
}

impl RequestIds {
    /// The ids of one run, which has a number of its own.
    pub(super) const fn of_run(run: u32) -> Self {
        Self { run, next: AtomicU64::new(1) }
    }

    fn next(&self) -> String {
        format!("{:08x}-{:x}", self.run, self.next.fetch_add(1, Ordering::Relaxed))
    }
}

/// Names the request, counts it, and writes one line about it.
pub(super) async fn observe(ids: &RequestIds, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = ids.next();
    let method = method_label(request.method());
    let route = request.extensions().get::<MatchedPath>().map_or("other", MatchedPath::as_str).to_owned();
    let span = tracing::info_span!("request", id, method, path = request.uri().path());
    let mut response = next.run(request).instrument(span.clone()).await;
    let status = response.status();
    let elapsed = started.elapsed();
    ::metrics::counter!(
        metrics::REQUESTS,
        "route" => route.clone(), "method" => method, "status" => status.as_u16().to_string(),
    )
    .increment(1);
    ::metrics::histogram!(metrics::REQUEST_SECONDS, "route" => route).record(elapsed.as_secs_f64());
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
    span.in_scope(|| {
        // Other refusals, also those under pressure, are for the client to know and for the figures to count.
        if status == StatusCode::INTERNAL_SERVER_ERROR {
            tracing::warn!(status = status.as_u16(), millis, "answered");
        } else {
            tracing::debug!(status = status.as_u16(), millis, "answered");
        }
    });
    response
}

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

/// Methods come from outside, and a label with values from outside would let anybody fill the memory.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::OPTIONS => "OPTIONS",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::PATCH => "PATCH",
        _ => "other",
    }
}
