//! Payloads that say what they may, but not in the one way that JCS has for it.

use super::*;

fn refusal(payload: &str) -> StatementError {
    Statement::parse(&around(Kind::Intent, payload.as_bytes())).unwrap_err()
}

/// An intent whose context is the given JSON text.
fn with_context(context: &str) -> String {
    format!(
        r#"{{"action":{{"name":"n"}},"context":{context},"resource":{{"id":"i","type":"t"}},"subject":{{"id":"i","type":"t"}}}}"#
    )
}

#[test]
fn the_frame_of_these_tests_is_canonical() {
    let bytes = around(Kind::Intent, with_context(r#"{"a":[0,-1,9007199254740991],"é":"ü€😂"}"#).as_bytes());
    assert_eq!(Statement::parse(&bytes).unwrap().bytes(), bytes);
}

#[test]
fn another_spelling_is_refused_at_the_byte_where_it_begins() {
    let at = with_context("").find(r#","resource""#).unwrap();
    for (spelling, offset) in [
        (r#"{ "a":1}"#, 1),               // white space
        (r#"{"b":1,"a":2}"#, 2),          // order
        (r#"{"a":"\u0041"}"#, 6),         // an escape that is not needed
        (r#"{"a":"\/"}"#, 6),             // another
        (r#"{"a":"\u000A"}"#, 7),         // an escape that has a shorter form
        (r#"{"a":"\u001F"}"#, 11),        // hex digits in upper case
        ("{\"\u{e000}\":1,\"😂\":2}", 2), // ordered by code point, not by UTF-16 code unit
    ] {
        let error = refusal(&with_context(spelling));
        assert_eq!(error, JsonError::NotCanonical { at: at + offset }.into(), "{spelling}");
        assert_eq!(error.code(), "json-not-canonical");
    }
}

#[test]
fn utf_16_order_is_the_canonical_one() {
    let bytes = around(Kind::Intent, with_context("{\"😂\":2,\"\u{e000}\":1}").as_bytes());
    assert!(Statement::parse(&bytes).is_ok());
}

#[test]
fn the_largest_and_smallest_integers_are_taken() {
    for number in ["9007199254740991", "-9007199254740991", "0"] {
        let bytes = around(Kind::Intent, with_context(&format!(r#"{{"a":{number}}}"#)).as_bytes());
        assert!(Statement::parse(&bytes).is_ok(), "{number}");
    }
}

#[test]
fn a_name_occurs_once() {
    let error = refusal(&with_context(r#"{"a/b":{"c":1,"c":1}}"#));
    assert_eq!(
        (error.code(), error.pointer().unwrap().as_str()),
        ("json-duplicate-member", "/context/a~1b/c")
    );
    // Also when the two are spelled differently.
    assert_eq!(refusal(&with_context(r#"{"a":1,"\u0061":2}"#)).code(), "json-duplicate-member");
}

#[test]
fn sixteen_levels_and_no_more() {
    // The payload is one level, its context another.
    let nested = |levels: usize| format!(r#"{{"a":{}{}}}"#, "[".repeat(levels), "]".repeat(levels));
    assert!(Statement::parse(&around(Kind::Intent, with_context(&nested(14)).as_bytes())).is_ok());
    let error = refusal(&with_context(&nested(15)));
    assert_eq!(error.code(), "json-too-deep");
    assert!(error.pointer().unwrap().as_str().starts_with("/context/a/0/0/0"));
    // Neither does it take a stack to refuse what is far deeper.
    assert_eq!(refusal(&"[".repeat(60_000)).code(), "json-too-deep");
}

#[test]
fn what_is_not_one_json_object_is_refused() {
    for payload in [
        "",
        "null",
        "[]",
        "1",
        "\"a\"",
        "{}{}",
        "{} ",
        "{\"a\":1,}",
        "\u{feff}{}",
        "{'a':1}",
        "nul",
        "{\"a\":\"\\ud800\"}",
        "{\"a\":NaN}",
        "{\"a\":1e400}",
        "{\"a\":\"\n\"}",
    ] {
        let error = refusal(payload);
        assert!(matches!(error.code(), "json-malformed" | "json-not-canonical"), "{payload:?}: {error}");
    }
    let bytes = around(Kind::Intent, b"{\"a\":\"\xff\"}");
    assert_eq!(Statement::parse(&bytes).unwrap_err().code(), "json-malformed");
}
