//! Problem documents (RFC 9457), for people.

use core::fmt;

use serde::Deserialize;
use url::Url;

/// Why a log refused something, in its own words. They come from the network: control characters are taken out, so
/// that they can be printed on a terminal, and they are cut to a length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The HTTP status.
    pub status: u16,
    /// The stable code, such as `role-missing`; empty when the answer was no problem document.
    pub code: String,
    /// A few words.
    pub title: String,
    /// What is wrong with this request in particular.
    pub detail: Option<String>,
    /// The member at fault, as a JSON pointer.
    pub pointer: Option<String>,
    /// A page that explains it.
    pub page: Option<Url>,
}

/// The most characters that are kept of each text.
const KEPT: usize = 1_000;

#[derive(Deserialize)]
struct Document {
    #[serde(rename = "type")]
    kind: Option<String>,
    title: Option<String>,
    detail: Option<String>,
    pointer: Option<String>,
    status: Option<u16>,
}

impl Problem {
    /// Reads what a log answered with `status`; anything but a problem document is told from the status alone.
    pub(super) fn parse(status: u16, body: &[u8], base: &Url) -> Self {
        let value = serde_json::from_slice(body).unwrap_or_default();
        Self::from_value(status, &value, base)
    }

    /// Reads a problem document that lies in a larger one, of whose statuses it may have its own.
    pub(super) fn from_value(status: u16, value: &serde_json::Value, base: &Url) -> Self {
        let document = Document::deserialize(value).ok();
        let page = document.as_ref().and_then(|document| base.join(document.kind.as_deref()?).ok());
        let code = page.as_ref().and_then(|page| page.path_segments()?.next_back().map(plain));
        let (title, detail, pointer, stated) = document.map_or((None, None, None, None), |document| {
            (document.title, document.detail, document.pointer, document.status)
        });
        Self {
            status: stated.unwrap_or(status),
            code: code.filter(|code| code != "blank").unwrap_or_default(),
            title: title.map_or_else(|| "it gives no reason".to_owned(), |title| plain(&title)),
            detail: detail.as_deref().map(plain),
            pointer: pointer.as_deref().map(plain),
            page: page.filter(|page| matches!(page.scheme(), "http" | "https")),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (status {}", self.title, self.status)?;
        if let Some(pointer) = &self.pointer {
            write!(f, ", at {pointer}")?;
        }
        f.write_str(")")?;
        if let Some(detail) = &self.detail {
            write!(f, ": {detail}")?;
        }
        if let Some(page) = &self.page {
            write!(f, "; see {page}")?;
        }
        Ok(())
    }
}

/// A text from outside, safe to print.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(KEPT).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn base() -> Url {
        "https://log.example/a/".parse().unwrap()
    }

    #[test]
    fn a_problem_document_is_told_with_its_page() {
        let body = br#"{"type": "/errors/role-missing", "title": "Role", "status": 403, "detail": "no\u001b[31m role", "pointer": "/roles"}"#;
        let problem = Problem::parse(403, body, &base());
        assert_eq!(problem.code, "role-missing");
        assert_eq!(
            problem.to_string(),
            "Role (status 403, at /roles): no[31m role; see https://log.example/errors/role-missing"
        );
    }

    #[test]
    fn anything_else_is_told_by_its_status() {
        for body in [&b""[..], b"<html>", b"[]", b"\"x\"", b"{\"title\": 5}", b"{\"type\": \"about:blank\"}"]
        {
            let problem = Problem::parse(502, body, &base());
            assert_eq!(problem.to_string(), "it gives no reason (status 502)", "{body:?}");
            assert_eq!(problem.code, "");
        }
        // A page elsewhere than on the web is not shown to anybody.
        let problem = Problem::parse(400, br#"{"type": "javascript:alert(1)", "title": "x"}"#, &base());
        assert_eq!(problem.page, None);
    }

    proptest! {
        #[test]
        fn no_answer_breaks_it_or_the_terminal(body in prop::collection::vec(any::<u8>(), 0..100), text in "\\PC*|.*") {
            let odd = serde_json::json!({"type": text, "title": text, "detail": text, "pointer": text, "status": 400});
            for body in [body, odd.to_string().into_bytes()] {
                let told = Problem::parse(502, &body, &base()).to_string();
                prop_assert!(!told.is_empty() && !told.chars().any(char::is_control), "{told:?}");
            }
        }
    }
}
