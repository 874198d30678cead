//! What a reader asks for.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};

/// A request, as far as pages look at it.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    /// The path as it was sent, percent signs and all.
    pub(crate) path: String,
    /// Whether JSON is wanted: by a suffix that only programs ask for, or by the header `Accept`.
    pub(crate) json: bool,
    query: Vec<(String, String)>,
    if_none_match: Option<String>,
}

impl Ask {
    /// A parameter of the query. One that is empty counts as absent; of several, the first counts.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(of, _)| of == name).map(|(_, value)| value.trim());
        found.filter(|value| !value.is_empty())
    }

    /// Whether the reader has the answer with this entity tag already.
    pub(crate) fn has(&self, etag: &str) -> bool {
        let weak = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
        self.if_none_match
            .as_deref()
            .is_some_and(|tags| tags.trim() == "*" || tags.split(',').any(|tag| weak(tag) == weak(etag)))
    }
}

impl<S: Sync> FromRequestParts<S> for Ask {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let path = parts.uri.path().to_owned();
        let query = parts.uri.query().unwrap_or_default();
        let text = |name| parts.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        Ok(Self {
            json: [".json", ".bundle", ".cose", ".tlog-proof"].iter().any(|suffix| path.ends_with(suffix))
                || prefers_json(&parts.headers),
            query: url::form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
            if_none_match: text(header::IF_NONE_MATCH),
            path,
        })
    }
}

/// Whether `Accept` (RFC 9110 section 12.5.1) puts JSON above HTML. Ranges such as `*/*` put neither above the other.
fn prefers_json(headers: &HeaderMap) -> bool {
    let (mut html, mut json) = (0, 0);
    let values = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    for range in values.flat_map(|value| value.split(',')) {
        let mut parts = range.split(';').map(str::trim);
        let media_type = parts.next().unwrap_or_default().to_ascii_lowercase();
        let quality = parts.find_map(|part| part.strip_prefix("q=")).map_or(1000, thousandths);
        match media_type.as_str() {
            "text/html" | "application/xhtml+xml" => html = quality.max(html),
            "application/json" | "application/problem+json" => json = quality.max(json),
            _ => {}
        }
    }
    json > html
}

/// A quality value in thousandths; 0 for one that is none.
fn thousandths(text: &str) -> u32 {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let decimals: String = decimals.chars().chain("000".chars()).take(3).collect();
    match (whole, decimals.parse::<u32>()) {
        ("1", _) => 1000,
        ("0", Ok(thousandths)) => thousandths,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn json_is_what_was_asked_for_above_html() {
        for (accept, json) in [
            ("*/*", false),
            ("application/json", true),
            ("application/problem+json", true),
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", false),
            ("text/html;q=0.5, application/json;q=0.9", true),
            ("text/html;q=0.5, application/json;q=0.45", false),
            ("application/json;q=0", false),
            ("nonsense;;q=", false),
        ] {
            let headers = HeaderMap::from_iter([(header::ACCEPT, accept.parse().unwrap())]);
            assert_eq!(prefers_json(&headers), json, "{accept}");
        }
    }

    proptest! {
        #[test]
        fn no_header_breaks_it(value in prop::collection::vec(any::<u8>(), 0..60), quality in "[01]?\\.?[0-9.é]{0,6}") {
            prop_assert!(thousandths(&quality) <= 1000);
            if let Ok(value) = HeaderValue::from_bytes(&value) {
                let text = value.to_str().unwrap_or_default().to_ascii_lowercase();
                let json = prefers_json(&HeaderMap::from_iter([(header::ACCEPT, value)]));
                prop_assert!(!json || text.contains("json"));
            }
        }
    }
}
