//! Asking the explorer, and looking at what it answers.

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, header};
use countersign_web::{Clock, Explorer, Source};
use http_body_util::BodyExt as _;
use serde_json::Value;
use tower::ServiceExt as _;

use crate::log::{COSIGNED_AT, TestLog, policy};

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub(crate) fn header(&self, name: impl header::AsHeaderName) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }
}

/// An explorer of the log in memory, with a clock that stands still four seconds after the cosignatures.
pub(crate) fn explorer(log: &TestLog) -> Router {
    explorer_of(Source::memory(log.router()))
}

pub(crate) fn explorer_of(source: Source) -> Router {
    Explorer::with_clock(source, policy(), Clock::of(|| COSIGNED_AT + 5)).router()
}

pub(crate) async fn ask(pages: &Router, path: &str) -> Answer {
    ask_with(pages, path, &[]).await
}

pub(crate) async fn ask_with(pages: &Router, path: &str, headers: &[(header::HeaderName, &str)]) -> Answer {
    let mut request = Request::get(path);
    for (name, value) in headers {
        request = request.header(name, *value);
    }
    let response = pages.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes().to_vec();
    Answer { status: parts.status, headers: parts.headers, bytes }
}

/// What the explorer says of the log.
pub(crate) async fn health(pages: &Router) -> Value {
    let answer = ask(pages, "/health.json").await;
    assert_eq!(answer.status, StatusCode::OK);
    answer.json()
}
