//! Answers: their bytes, and how long others may keep them.

use askama::Template;
use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Response, StatusCode, header};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::Ask;

/// How long an answer may be kept by whoever keeps answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cache {
    /// Never changes: the bytes of an entry, a file with its hash in its name.
    Immutable,
    /// Changes as the log grows. A moment old is fine, and an unchanged answer need not be sent again.
    Moment,
    /// Only true now.
    Never,
}

impl Cache {
    const fn header(self) -> &'static str {
        match self {
            Self::Immutable => "public, max-age=604800, immutable",
            Self::Moment => "public, max-age=2, must-revalidate",
            Self::Never => "no-store",
        }
    }
}

const HTML: &str = "text/html; charset=utf-8";
const JSON: &str = "application/json";

/// A page, as HTML or as its twin in JSON.
pub(crate) fn page(ask: &Ask, cache: Cache, html: &impl Template, json: &impl Serialize) -> Response<Body> {
    respond(ask, StatusCode::OK, cache, html, JSON, json)
}

/// A page with another status or another sort of JSON.
pub(super) fn respond(
    ask: &Ask,
    status: StatusCode,
    cache: Cache,
    html: &impl Template,
    json_type: &'static str,
    json: &impl Serialize,
) -> Response<Body> {
    let (media_type, rendered) = if ask.json {
        let pretty = serde_json::to_vec_pretty(json);
        (
            json_type,
            pretty
                .map(|mut bytes| {
                    bytes.push(b'\n');
                    bytes
                })
                .map_err(|error| error.to_string()),
        )
    } else {
        (HTML, html.render().map(String::into_bytes).map_err(|error| error.to_string()))
    };
    let mut response = match rendered {
        Ok(bytes) => raw(ask, cache, media_type, bytes),
        Err(error) => {
            tracing::error!(path = %ask.path, error, "a page cannot be rendered");
            let mut response = Response::new(Body::from("the page cannot be rendered\n"));
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            return response;
        }
    };
    if status != StatusCode::OK && response.status() == StatusCode::OK {
        *response.status_mut() = status;
    }
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept"));
    response
}

/// Bytes as they are.
pub(crate) fn raw(ask: &Ask, cache: Cache, media_type: &'static str, bytes: Vec<u8>) -> Response<Body> {
    let digest = hex::encode(Sha256::digest(&bytes));
    // Weak: the same page may go out compressed or not.
    let etag = format!("W/\"{}\"", digest.get(..32).unwrap_or_default());
    let fresh = cache != Cache::Never && ask.has(&etag);
    let mut response = Response::new(if fresh { Body::empty() } else { Body::from(bytes) });
    if fresh {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    set(&mut response, header::CACHE_CONTROL, cache.header());
    if cache != Cache::Never {
        set(&mut response, header::ETAG, &etag);
    }
    if !fresh {
        set(&mut response, header::CONTENT_TYPE, media_type);
    }
    response
}

/// Bytes to be saved under a name.
pub(crate) fn file(
    ask: &Ask,
    cache: Cache,
    media_type: &'static str,
    name: &str,
    bytes: Vec<u8>,
) -> Response<Body> {
    let mut response = raw(ask, cache, media_type, bytes);
    set(&mut response, header::CONTENT_DISPOSITION, &format!("attachment; filename=\"{name}\""));
    response
}

/// Sends the reader elsewhere for now.
pub(crate) fn redirect(to: &str) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    set(&mut response, header::LOCATION, to);
    set(&mut response, header::CACHE_CONTROL, Cache::Never.header());
    response
}

pub(super) fn set(response: &mut Response<Body>, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}
