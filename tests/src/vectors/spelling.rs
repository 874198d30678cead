//! Payloads that are no JSON, not the strict JSON that statements have, or not in its one spelling.

use countersign_verifier::statement::Kind;
use serde_json::json;

use super::raw::Raw;
use super::statements::{input, refused};
use super::{Case, payloads};

pub(super) fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> = GOOD
        .iter()
        .map(|(name, context)| {
            let expect =
                json!({"kind": "intent", "iss": "operator", "sub": "run/2026-01", "signature": "valid"});
            Case::good(format!("context with {name}"), input(&around(&with_context(context))), expect)
        })
        .collect();
    cases.push(Case::good(
        "context nested to sixteen levels",
        input(&around(&with_context(&nested(14)))),
        json!({"kind": "intent", "iss": "operator", "sub": "run/2026-01", "signature": "valid"}),
    ));
    cases.push(refused(
        "context nested to seventeen levels",
        &around(&with_context(&nested(15))),
        "json-too-deep",
        Some(&format!("/context/a{}", "/0".repeat(14))),
    ));
    cases.push(refused(
        "2,000 opening brackets",
        &around(&"[".repeat(2_000)),
        "json-too-deep",
        Some(&"/0".repeat(16)),
    ));
    for (name, context) in OTHERWISE_SPELLED {
        let statement = around(&with_context(context));
        cases.push(refused(format!("context with {name}"), &statement, "json-not-canonical", None));
    }
    for number in NOT_INTEGERS {
        let statement = around(&with_context(&format!(r#"{{"a":[{number}]}}"#)));
        cases.push(refused(format!("the number {number}"), &statement, "json-number", Some("/context/a/0")));
    }
    for (name, context, pointer) in [
        ("a name twice", r#"{"a/b":{"c":1,"c":1}}"#, "/context/a~1b/c"),
        ("a name twice, once escaped", r#"{"~":1,"\u007e":2}"#, "/context/~0"),
    ] {
        let statement = around(&with_context(context));
        cases.push(refused(name, &statement, "json-duplicate-member", Some(pointer)));
    }
    for (name, payload) in NOT_JSON {
        cases.push(refused(format!("a payload: {name}"), &around_bytes(payload), "json-malformed", None));
    }
    let canonical = with_context("{}");
    cases.push(refused(
        "white space after the payload",
        &around(&format!("{canonical} ")),
        "json-not-canonical",
        None,
    ));
    cases.push(refused(
        "white space before the payload",
        &around(&format!(" {canonical}")),
        "json-not-canonical",
        None,
    ));
    cases
}

/// An intent whose context is the given JSON text.
fn with_context(context: &str) -> String {
    format!(
        r#"{{"action":{{"name":"n"}},"context":{context},"resource":{{"id":"i","type":"t"}},"subject":{{"id":"i","type":"t"}}}}"#
    )
}

fn nested(levels: usize) -> String {
    format!(r#"{{"a":{}{}}}"#, "[".repeat(levels), "]".repeat(levels))
}

fn around(payload: &str) -> Vec<u8> {
    around_bytes(payload.as_bytes())
}

fn around_bytes(payload: &[u8]) -> Vec<u8> {
    Raw::new(Kind::Intent, &payloads::least(Kind::Intent)).with_payload(payload).sign()
}

const GOOD: &[(&str, &str)] = &[
    ("numbers and texts beyond ASCII", r#"{"a":[0,-1,9007199254740991,-9007199254740991],"é":"ü€😂"}"#),
    ("names in the order of UTF-16", "{\"😂\":2,\"\u{e000}\":1}"),
    ("names that look like positions", r#"{"10":1,"9":2,"__proto__":{"constructor":null}}"#),
    ("the escapes that there have to be", r#"{"a":"\b\t\n\f\r\"\\\u0000\u001f"}"#),
    ("what needs no escape", "{\"a\":\"/\u{7f}\u{2028}\u{fffe}\"}"),
    ("every sort of value", r#"{"a":[],"b":{},"c":null,"d":true,"e":false,"f":""}"#),
    (
        "a digest in its place",
        r#"{"sha256":"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"}"#,
    ),
];

const OTHERWISE_SPELLED: &[(&str, &str)] = &[
    ("white space", r#"{ "a":1}"#),
    ("names in another order", r#"{"b":1,"a":2}"#),
    ("an escaped letter", r#"{"a":"\u0041"}"#),
    ("an escaped slash", r#"{"a":"\/"}"#),
    ("an escape that has a shorter form", r#"{"a":"\u000a"}"#),
    ("an escape in capital letters", r#"{"a":"\u001F"}"#),
    ("an escaped surrogate pair", r#"{"a":"\ud83d\ude02"}"#),
    ("names in the order of code points", "{\"\u{e000}\":1,\"😂\":2}"),
];

const NOT_INTEGERS: &[&str] = &[
    "1.0",
    "1.5",
    "1e3",
    "-0",
    "-0.0",
    "9007199254740992",
    "-9007199254740992",
    "18446744073709551616",
    "340282366920938463463374607431768211456",
];

const NOT_JSON: &[(&str, &[u8])] = &[
    ("no bytes", b""),
    ("null", b"null"),
    ("an array", b"[]"),
    ("a number", b"1"),
    ("a text", b"\"a\""),
    ("two objects", b"{}{}"),
    ("a comma after the last member", b"{\"a\":1,}"),
    ("a comma after the last item", b"{\"a\":[1,]}"),
    ("a byte order mark", b"\xef\xbb\xbf{}"),
    ("single quotation marks", b"{'a':1}"),
    ("a word that ends early", b"{\"a\":nul}"),
    ("half a surrogate pair", b"{\"a\":\"\\ud800\"}"),
    ("the halves of a surrogate pair in the wrong order", b"{\"a\":\"\\ude02\\ud83d\"}"),
    ("an escape that JSON does not have", b"{\"a\":\"\\x41\"}"),
    ("NaN", b"{\"a\":NaN}"),
    ("a number beyond every float", b"{\"a\":1e400}"),
    ("a leading zero", b"{\"a\":01}"),
    ("a point without digits", b"{\"a\":1.}"),
    ("a plus sign", b"{\"a\":+1}"),
    ("a line feed inside a text", b"{\"a\":\"\n\"}"),
    ("a text that is not UTF-8", b"{\"a\":\"\xff\"}"),
    ("a surrogate in UTF-8", b"{\"a\":\"\xed\xa0\x80\"}"),
    ("a text that never ends", b"{\"a\":\"b"),
    ("a comment", b"{/**/}"),
];
