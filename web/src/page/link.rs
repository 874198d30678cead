//! Addresses of pages.
//!
//! Execution ids may hold slashes, dots and colons, and so must be written in a way that no browser and no proxy
//! takes for something else, such as `..` for the folder above.

/// The address of an execution's page.
pub(crate) fn execution(id: &str) -> String {
    format!("/executions/{}", id_in_path(id))
}

/// The address of the page of an execution with a suffix such as `.json`.
pub(crate) fn execution_as(id: &str, suffix: &str) -> String {
    format!("{}{suffix}", execution(id))
}

/// The address of an entry's page.
pub(crate) fn entry(index: u64) -> String {
    format!("/entries/{index}")
}

/// The address of the list of an issuer's entries.
pub(crate) fn issuer(name: &str) -> String {
    format!("/entries?issuer={}", in_query(name))
}

/// A value inside of a query.
pub(crate) fn in_query(value: &str) -> String {
    url::form_urlencoded::byte_serialize(value.as_bytes()).collect()
}

/// Reads a path segment or several: percent-decoded, `None` when that gives no UTF-8.
pub(crate) fn decode(path: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        let digits = (*first == b'%').then(|| tail.get(..2)).flatten();
        match digits.map(|digits| (digits, hex::decode(digits))) {
            Some((_, Ok(byte))) => {
                bytes.extend(byte);
                rest = tail.get(2..).unwrap_or_default();
            }
            _ => bytes.push(*first),
        }
    }
    String::from_utf8(bytes).ok()
}

/// The id with everything written out that somebody on the way could change the meaning of.
fn id_in_path(id: &str) -> String {
    let plain_slashes = id.split('/').all(|part| !part.is_empty() && part != "." && part != "..");
    // An id that is nothing but dots would be taken for a folder even with its dots written out, so it ends in a
    // suffix that changes nothing.
    if matches!(id, "." | "..") {
        return format!("{id}{HTML}");
    }
    let mut text = String::new();
    for byte in id.bytes() {
        match byte {
            b'/' if plain_slashes => text.push('/'),
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'_' | b':' | b'-' | b'.' => {
                text.push(char::from(byte));
            }
            other => text.extend(["%".to_owned(), hex::encode_upper([other])]),
        }
    }
    // An id that ends like the name of a file must not be taken for the other form of another id.
    if SUFFIXES.iter().any(|suffix| text.ends_with(suffix)) { format!("{text}{HTML}") } else { text }
}

/// The form of a page that its address asks for by a suffix.
const HTML: &str = ".html";
const SUFFIXES: [&str; 4] = [".json", ".bundle", ".svg", HTML];

/// Splits an address into what it is about and the suffix that says in which form.
pub(crate) fn split_suffix(path: &str) -> (&str, Option<&str>) {
    SUFFIXES
        .iter()
        .find_map(|suffix| {
            path.strip_suffix(suffix).filter(|rest| !rest.is_empty()).map(|rest| (rest, Some(*suffix)))
        })
        .unwrap_or((path, None))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_execution_id_survives_a_browser_and_comes_back(
            id in "([A-Za-z0-9._:/-]{1,20}|[./]{1,6}|a/[.]{1,3}/b)([.](json|html|svg|bundle)){0,2}",
            json in any::<bool>(),
        ) {
            let suffix = if json { ".json" } else { "" };
            let address = execution_as(&id, suffix);
            // What a browser makes of it, following the URL standard.
            let seen = url::Url::parse("http://log.example/entries/7").unwrap().join(&address).unwrap();
            let path = seen.path().strip_prefix("/executions/");
            prop_assert!(path.is_some(), "{}", seen);
            let (name, form) = split_suffix(path.unwrap());
            let decoded = decode(name);
            if json {
                prop_assert_eq!(form, Some(".json"));
                // The page's own suffix, if its address needs one, stands before that of the form.
                let (inner, own) = split_suffix(name);
                let inner = if own == Some(HTML) { inner } else { name };
                prop_assert_eq!(decode(inner), Some(id));
            } else if form == Some(HTML) {
                prop_assert_eq!(decoded, Some(id));
            } else {
                prop_assert_eq!(form, None);
                prop_assert_eq!(decode(path.unwrap()), Some(id));
            }
        }

        #[test]
        fn decoding_never_fails_but_for_bytes_that_are_no_text(path in "[%a-f0-9/]{0,12}") {
            if let Some(text) = decode(&path) {
                prop_assert!(text.len() <= path.len());
            }
        }
    }

    #[test]
    fn values_in_queries_are_encoded() {
        assert_eq!(issuer("a&b=c d+"), "/entries?issuer=a%26b%3Dc+d%2B");
    }
}
