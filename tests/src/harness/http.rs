//! One request at a time, for tests that do not care about connections.

use bytes::Bytes;
use hyper::Method;
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};

use crate::client::{Answer, Client, ClientError};

/// `GET` on a connection of its own.
#[track_caller]
pub fn get(base: &str, path: &str) -> Answer {
    answered(request(base, Method::GET, path, &[], Bytes::new()))
}

/// `POST` on a connection of its own.
#[track_caller]
pub fn post(base: &str, path: &str, content_type: &str, body: impl Into<Bytes>) -> Answer {
    answered(request(base, Method::POST, path, &[("content-type", content_type)], body.into()))
}

/// Any request on a connection of its own.
pub fn request(
    base: &str,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: Bytes,
) -> Result<Answer, ClientError> {
    let mut client = Client::new(base.parse().expect("servers under test have plain addresses"));
    runtime().block_on(client.send(method, path, headers, body))
}

/// Asserts that an answer is a problem document with this code and status.
#[track_caller]
pub fn expect_code(answer: &Answer, status: u16, code: &str) {
    let text = String::from_utf8_lossy(&answer.body);
    assert_eq!(problem_code(answer).as_deref(), Some(code), "status {}: {text}", answer.status);
    assert_eq!(answer.status.as_u16(), status, "{text}");
}

/// The code in a problem document (RFC 9457), if the answer is one whose status agrees with its own.
pub fn problem_code(answer: &Answer) -> Option<String> {
    if answer.header("content-type") != Some("application/problem+json") {
        return None;
    }
    let document: Value = serde_json::from_slice(&answer.body).ok()?;
    let agrees = document.get("status").and_then(Value::as_u64) == Some(u64::from(answer.status.as_u16()));
    let texts = ["title", "detail"].iter().all(|name| document.get(name).is_some_and(Value::is_string));
    let code = document.get("type")?.as_str()?.strip_prefix("/errors/")?;
    (agrees && texts).then(|| code.to_owned())
}

#[track_caller]
fn answered(answer: Result<Answer, ClientError>) -> Answer {
    answer.unwrap_or_else(|error| panic!("no answer: {error}"))
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime starts")
}
