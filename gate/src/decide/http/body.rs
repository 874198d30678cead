//! Reading a body within bounds.

use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};

use super::refusal::Refusal;

/// How long a body may be. As many are in memory at once as there are connections.
pub(super) const MAX_BODY_BYTES: usize = 256 * 1024;
/// How long a body may take to arrive.
pub(super) const ARRIVAL: Duration = Duration::from_secs(30);

/// Reads a JSON body of at most [`MAX_BODY_BYTES`].
pub(super) async fn read(headers: &HeaderMap, body: Body) -> Result<Vec<u8>, Refusal> {
    if !is_json(headers) {
        return Err(Refusal::MediaType);
    }
    let length =
        headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > MAX_BODY_BYTES as u64) {
        return Err(Refusal::TooLarge);
    }
    let reading = Limited::new(body, MAX_BODY_BYTES).collect();
    match tokio::time::timeout(ARRIVAL, reading).await {
        Ok(Ok(body)) => Ok(body.to_bytes().into()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Refusal::TooLarge),
        Ok(Err(_)) => Err(Refusal::BreaksOff),
        Err(_) => Err(Refusal::TooSlow),
    }
}

/// JSON is UTF-8, whether or not that is said.
fn is_json(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let identity =
        text(header::CONTENT_ENCODING).is_none_or(|encoding| encoding.eq_ignore_ascii_case("identity"));
    let mut parts = text(header::CONTENT_TYPE).unwrap_or_default().split(';').map(str::trim);
    let json = parts.next().is_some_and(|essence| essence.eq_ignore_ascii_case("application/json"));
    let utf8 = |parameter: &str| {
        ["charset=utf-8", "charset=\"utf-8\""].iter().any(|utf8| parameter.eq_ignore_ascii_case(utf8))
    };
    identity && json && parts.all(utf8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_told_from_what_is_not() {
        let headers = |content_type: &str, encoding: &str| {
            let pairs = [(header::CONTENT_TYPE, content_type), (header::CONTENT_ENCODING, encoding)];
            let given = pairs.into_iter().filter(|(_, value)| !value.is_empty());
            given.map(|(name, value)| (name, value.parse().unwrap())).collect::<HeaderMap>()
        };
        for good in
            ["application/json", "Application/JSON;charset=UTF-8", "application/json; charset=\"utf-8\""]
        {
            assert!(is_json(&headers(good, "")) && is_json(&headers(good, "identity")), "{good}");
            assert!(!is_json(&headers(good, "gzip")));
        }
        for bad in [
            "",
            "text/json",
            "application/json; charset=latin-1",
            "application/json, text/plain",
            "application/jsonp",
        ] {
            assert!(!is_json(&headers(bad, "")), "{bad}");
        }
    }
}
