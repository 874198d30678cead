//! Query parameters, strictly: what is not known is refused, and so is what stands there twice.

use axum::http::Uri;

use super::catalog::codes;
use super::problem::Refusal;

/// The query parameters of a request, all of which are known.
#[derive(Debug)]
pub(super) struct Query {
    given: Vec<(String, String)>,
}

impl Query {
    /// Takes up the query of a request to an address that has the parameters `known`.
    pub(super) fn of(uri: &Uri, known: &[&str]) -> Result<Self, Refusal> {
        let mut given: Vec<(String, String)> = Vec::new();
        for (name, value) in url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
            if !known.contains(&&*name) {
                let expected = if known.is_empty() { "none".to_owned() } else { known.join(" and ") };
                let detail = format!("found the query parameter {:?}, expected {expected}", cut(&name));
                return Err(Refusal::new(&codes::QUERY_PARAMETER_UNKNOWN, detail));
            }
            if given.iter().any(|(earlier, _)| *earlier == *name) {
                let detail = format!("the query parameter {name} stands there twice, expected it once");
                return Err(Refusal::new(&codes::QUERY_PARAMETER_UNKNOWN, detail));
            }
            given.push((name.into_owned(), value.into_owned()));
        }
        Ok(Self { given })
    }

    /// The value of a parameter that may be absent, read by `parse`.
    pub(super) fn optional<T>(
        &self,
        name: &str,
        parse: impl FnOnce(&str) -> Option<T>,
        expected: &str,
    ) -> Result<Option<T>, Refusal> {
        let Some((_, value)) = self.given.iter().find(|(given, _)| given == name) else {
            return Ok(None);
        };
        parse(value).map(Some).ok_or_else(|| {
            let detail = format!("the query parameter {name} is {:?}, expected {expected}", cut(value));
            Refusal::new(&codes::QUERY_PARAMETER_INVALID, detail)
        })
    }

    /// The value of a parameter that has to be there.
    pub(super) fn required<T>(
        &self,
        name: &str,
        parse: impl FnOnce(&str) -> Option<T>,
        expected: &str,
    ) -> Result<T, Refusal> {
        self.optional(name, parse, expected)?.ok_or_else(|| {
            let detail = format!("the query parameter {name} is missing, expected {expected}");
            Refusal::new(&codes::QUERY_PARAMETER_INVALID, detail)
        })
    }
}

/// At most 80 characters of what a client sent.
pub(super) fn cut(text: &str) -> String {
    let mut kept: String = text.chars().take(80).collect();
    if kept.len() < text.len() {
        kept.push_str("...");
    }
    kept
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn query(uri: &'static str) -> Result<Query, Refusal> {
        Query::of(&Uri::from_static(uri), &["index", "size"])
    }

    #[test]
    fn unknown_and_repeated_parameters_are_refused() {
        for uri in ["/?indx=1", "/?index=1&index=1", "/?index=1&x", "/?=1"] {
            assert_eq!(query(uri).unwrap_err().code(), "query-parameter-unknown", "{uri}");
        }
        let query = query("/?size=%31").unwrap();
        let number = |text: &str| text.parse::<u64>().ok();
        assert_eq!(query.required("size", number, "a number"), Ok(1));
        assert_eq!(query.optional("index", number, "a number"), Ok(None));
        assert_eq!(
            query.required("index", number, "a number").unwrap_err().code(),
            "query-parameter-invalid"
        );
    }

    proptest! {
        #[test]
        fn no_query_breaks_it(query in "((index|size|x|%[0-9a-f]{2})?=?[0-9a-zé%+]{0,8}&?){0,4}") {
            let Ok(uri) = Uri::try_from(format!("/?{}", query.replace('é', "%c3%a9"))) else { return Ok(()) };
            let given: Vec<_> = url::form_urlencoded::parse(uri.query().unwrap().as_bytes()).collect();
            let known = ["index", "size"];
            let fits = given.iter().all(|(name, _)| {
                known.contains(&&**name) && given.iter().filter(|(other, _)| other == name).count() == 1
            });
            match Query::of(&uri, &known) {
                Err(refusal) => prop_assert!(!fits && refusal.code() == "query-parameter-unknown"),
                Ok(read) => {
                    prop_assert!(fits);
                    for name in known {
                        let expected = given.iter().find(|(other, _)| other == name);
                        let found = read.optional(name, |text| Some(text.to_owned()), "any").unwrap();
                        prop_assert_eq!(found, expected.map(|(_, value)| value.clone().into_owned()));
                    }
                }
            }
        }

        #[test]
        fn what_is_quoted_of_a_client_is_short(text in ".{0,200}") {
            prop_assert!(cut(&text).chars().count() <= 83);
        }
    }
}
