//! The refusals of the door, as RFC 9457 problem documents.

use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use countersign_verifier::statement::Problem;

use crate::figures::REFUSALS;
use crate::places::Full;

/// What the door refuses with. A server that lists its problems lists these with them.
pub static PROBLEMS: &[&Problem] =
    &[&TOO_MANY_REQUESTS, &TOO_MANY_CONNECTIONS, &TOO_MANY_CONNECTIONS_OF_NETWORK];

/// A network has used up its rate.
pub(crate) static TOO_MANY_REQUESTS: Problem = Problem {
    code: "too-many-requests-of-address",
    title: "Too many requests from this address",
    status: 429,
    explanation: "Each address may make only so many requests a second, so that none crowds out the others. All \
                  addresses of an IPv6 /64 count as one. Nothing of this request was done.",
    remedy: "Wait as long as the header Retry-After says. Who copies the whole log asks for full tiles, which never \
             change, and keeps them.",
};

/// All places are taken.
pub(crate) static TOO_MANY_CONNECTIONS: Problem = Problem {
    code: "too-many-connections",
    title: "Too many connections",
    status: 503,
    explanation: "The server has as many connections as it takes. It says so at once rather than to let clients wait \
                  without end.",
    remedy: "Connect again after the time in the header Retry-After, and send many requests over one connection.",
};

/// A network has taken all places that it may.
pub(crate) static TOO_MANY_CONNECTIONS_OF_NETWORK: Problem = Problem {
    code: "too-many-connections-of-address",
    title: "Too many connections from this address",
    status: 429,
    explanation: "Each address may have only so many connections at once, so that none crowds out the others. All \
                  addresses of an IPv6 /64 count as one.",
    remedy: "Send many requests over one connection, and close those that are not used.",
};

/// When to come back to a server without a place.
const BACK: u64 = 1;

fn document(problem: &Problem, detail: &str) -> String {
    serde_json::json!({
        "type": format!("/errors/{}", problem.code),
        "title": problem.title,
        "status": problem.status,
        "detail": detail,
    })
    .to_string()
}

fn counted(problem: &'static Problem) {
    metrics::counter!(REFUSALS, "code" => problem.code).increment(1);
}

/// Refuses a request that goes beyond its network's rate.
pub(crate) fn too_many_requests(per_second: u32, wait: Duration) -> Response {
    counted(&TOO_MANY_REQUESTS);
    let detail = format!("an address may make {per_second} requests a second, and this one has made more");
    let mut response = Response::new(Body::from(document(&TOO_MANY_REQUESTS, &detail)));
    *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let seconds = wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0)).max(1);
    headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    response
}

/// A whole answer over HTTP/1.1 for a connection that gets no place.
pub(crate) fn no_place(full: Full) -> String {
    let (problem, status) = match full {
        Full::All => (&TOO_MANY_CONNECTIONS, "503 Service Unavailable"),
        Full::Network => (&TOO_MANY_CONNECTIONS_OF_NETWORK, "429 Too Many Requests"),
    };
    counted(problem);
    let body = document(problem, "the connection was closed without reading from it");
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/problem+json\r\ncache-control: no-store\r\nretry-after: {BACK}\
         \r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}
