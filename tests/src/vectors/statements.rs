//! Statements of every kind, and what must not pass for one.

use countersign_verifier::statement::Kind;
use serde_json::{Value, json};

use super::keys::public_text;
use super::raw::{Raw, SIGNER, bytes, head, int, map, sign, signature, text};
use super::{Case, File, base64, members, payloads, spelling};

pub(super) fn file() -> File {
    let mut cases = accepted();
    cases.extend(signatures());
    cases.extend(shapes());
    cases.extend(encodings());
    cases.extend(headers());
    cases.extend(claims());
    cases.extend(spelling::cases());
    cases.extend(members::cases());
    File {
        name: "statements",
        about: "Is this a statement, what is it about, and did this key sign it?",
        cases,
    }
}

/// A statement with the key that it is checked by.
pub(super) fn input(statement: &[u8]) -> Value {
    json!({"statement": {"base64": base64(statement)}, "public_key": public_text(SIGNER)})
}

/// What is said of a statement whose signature holds.
fn good(name: impl Into<String>, kind: Kind, statement: &[u8], sub: &str) -> Case {
    let expect = json!({"kind": kind, "iss": "operator", "sub": sub, "signature": "valid"});
    Case::good(name, input(statement), expect)
}

/// What is said of a statement that is none.
pub(super) fn refused(name: impl Into<String>, statement: &[u8], code: &str, pointer: Option<&str>) -> Case {
    let expect = match pointer {
        Some(pointer) => json!({"refused": code, "pointer": pointer}),
        None => json!({"refused": code}),
    };
    Case::bad(name, input(statement), expect)
}

fn close() -> Raw {
    Raw::new(Kind::Close, &payloads::full(Kind::Close))
}

fn subject(kind: Kind, payload: &Value) -> String {
    match kind {
        Kind::Genesis => "log.example/test".to_owned(),
        Kind::Issuer | Kind::Policy => {
            format!("{kind}:{}", payload.get("name").and_then(Value::as_str).unwrap_or_default())
        }
        _ => "run/2026-01".to_owned(),
    }
}

fn accepted() -> Vec<Case> {
    let mut cases = Vec::new();
    for kind in Kind::ALL {
        for (extent, payload) in [("all", payloads::full(*kind)), ("the least", payloads::least(*kind))] {
            let raw = Raw::new(*kind, &payload);
            let sub = subject(*kind, &payload);
            cases.push(good(format!("{kind} with {extent} that it can have"), *kind, &raw.sign(), &sub));
        }
    }
    let long = "x".repeat(128);
    let others = [
        ("the algorithm named -19 (Ed25519)", close().with_header(1, int(-19)), "run/2026-01"),
        ("the longest execution id", close().with_claim(2, text(&long)), &long),
        ("the first second", close().with_claim(6, int(0)), "run/2026-01"),
        ("the last second", close().with_claim(6, int((1 << 53) - 1)), "run/2026-01"),
    ];
    cases.extend(others.map(|(name, raw, sub)| good(name, Kind::Close, &raw.sign(), sub)));
    let window =
        Raw::new(Kind::Authorization, &payloads::full(Kind::Authorization)).with_claim(5, int(1_800_000_060));
    cases.push(good("a window of one second", Kind::Authorization, &window.sign(), "run/2026-01"));
    cases
}

fn signatures() -> Vec<Case> {
    let says = |name: &str, statement: &[u8], key: u8, signature: &str| {
        let mut input = input(statement);
        input["public_key"] = json!(public_text(key));
        let expect =
            json!({"kind": "close", "iss": "operator", "sub": "run/2026-01", "signature": signature});
        Case::bad(name, input, expect)
    };
    let good = close().sign();
    let flip = |from_end: usize, bit: u8| {
        let mut statement = good.clone();
        let at = statement.len() - from_end;
        statement[at] ^= bit;
        statement
    };
    let (protected, payload) = (close().protected(), close().payload);
    // The header says -19 where -8 was signed over.
    let renamed = {
        let signed = signature(&protected, &payload);
        let header = close().with_header(1, int(-19)).protected();
        [vec![0xd2, 0x84], bytes(&header), vec![0xa0], bytes(&payload), bytes(&signed)].concat()
    };
    let absent = [vec![0xd2, 0x84], bytes(&protected), vec![0xa0], bytes(&payload), bytes(&[0; 64])].concat();
    vec![
        says("checked by another key", &good, 8, "key-mismatch"),
        says("the first bit of R changed", &flip(64, 0x01), SIGNER, "signature-invalid"),
        says("the last bit of S changed", &flip(1, 0x01), SIGNER, "signature-invalid"),
        says("S beyond the group order", &flip(1, 0x80), SIGNER, "signature-invalid"),
        says("64 zero bytes in place of the signature", &absent, SIGNER, "signature-invalid"),
        says("the algorithm renamed after signing", &renamed, SIGNER, "signature-invalid"),
    ]
}

/// What is CBOR, or not even that, but not the shape of a statement.
fn shapes() -> Vec<Case> {
    let good = close().sign();
    let (protected, payload) = (close().protected(), close().payload);
    let signed = bytes(&signature(&protected, &payload));
    let items = [bytes(&protected), vec![0xa0], bytes(&payload), signed];
    let with = |at: usize, item: Vec<u8>| {
        let mut items = items.clone();
        items[at] = item;
        [vec![0xd2, 0x84], items.concat()].concat()
    };
    let tagged = |tag: u64| [head(6, tag), good[1..].to_vec()].concat();
    let mut nested = vec![0xd2, 0x84];
    nested.extend([0x81].repeat(2_000));
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("no bytes", Vec::new(), "statement-size"),
        ("65,536 bytes", vec![0; 65_536], "statement-size"),
        ("JSON", b"{}".to_vec(), "cose-malformed"),
        ("a lone break", vec![0xff], "cose-malformed"),
        ("a lone tag", vec![0xd2], "cose-malformed"),
        ("the last byte missing", good[..good.len() - 1].to_vec(), "cose-malformed"),
        ("a byte after the end", [&good[..], &[0]].concat(), "cose-malformed"),
        ("no tag", good[1..].to_vec(), "cose-malformed"),
        ("tag 17", tagged(17), "cose-malformed"),
        ("tag 98, that of COSE_Sign", tagged(98), "cose-malformed"),
        ("the self-described tag around it", [head(6, 55_799), good.clone()].concat(), "cose-malformed"),
        ("three items", [vec![0xd2, 0x83], items[..3].concat()].concat(), "cose-malformed"),
        ("five items", [vec![0xd2, 0x85], items.concat(), vec![0xf6]].concat(), "cose-malformed"),
        ("a map as protected header", with(0, protected.clone()), "cose-malformed"),
        ("an empty protected header", with(0, bytes(b"")), "cose-malformed"),
        (
            "bytes after the protected header",
            with(0, bytes(&[&protected[..], &[0]].concat())),
            "cose-malformed",
        ),
        ("something in the unprotected header", with(1, map(&[(int(394), vec![0x80])])), "cose-malformed"),
        ("nil as unprotected header", with(1, vec![0xf6]), "cose-malformed"),
        ("a detached payload", with(2, vec![0xf6]), "cose-malformed"),
        ("a text as payload", with(2, text("{}")), "cose-malformed"),
        ("a signature of 63 bytes", with(3, bytes(&[0; 63])), "cose-malformed"),
        ("a signature of 65 bytes", with(3, bytes(&[0; 65])), "cose-malformed"),
        ("a payload of 2^63 bytes", with(2, vec![0x5b, 0x80, 0, 0, 0, 0, 0, 0, 0]), "cose-malformed"),
        ("nested 2,000 levels deep", nested, "cose-malformed"),
    ];
    cases.into_iter().map(|(name, statement, code)| refused(name, &statement, code, None)).collect()
}

/// What says the same as a statement, in another encoding.
fn encodings() -> Vec<Case> {
    let (protected, payload) = (close().protected(), close().payload);
    let signed = signature(&protected, &payload);
    let put = |tag: &[u8], array: &[u8], items: [Vec<u8>; 4], end: &[u8]| {
        [tag, array, &items.concat(), end].concat()
    };
    let items = || [bytes(&protected), vec![0xa0], bytes(&payload), bytes(&signed)];
    let with = |at: usize, item: Vec<u8>| {
        let mut items = items();
        items[at] = item;
        put(&[0xd2], &[0x84], items, &[])
    };
    let header = |header: Vec<u8>| sign(&header, &payload);
    let long = |content: &[u8]| [&[0x59, 0, u8::try_from(content.len()).expect("short")], content].concat();
    let broken = |content: &[u8]| [&[0x5f][..], &bytes(content), &[0xff]].concat();
    let replaced = |at: usize, removed: usize, new: &[u8]| {
        let mut bytes = protected.clone();
        bytes.splice(at..at + removed, new.iter().copied());
        bytes
    };
    let mut swapped = close();
    swapped.claims.swap(0, 1);
    let mut twice = close();
    twice.claims.insert(0, (int(1), text("operator")));
    let mut indefinite = replaced(0, 1, &[0xbf]);
    indefinite.push(0xff);
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("the tag longer than it has to be", put(&[0xd8, 18], &[0x84], items(), &[])),
        ("the array's length longer than it has to be", put(&[0xd2], &[0x98, 4], items(), &[])),
        ("an array of indefinite length", put(&[0xd2], &[0x9f], items(), &[0xff])),
        ("the header's length longer than it has to be", with(0, long(&protected))),
        ("a header of indefinite length", with(0, broken(&protected))),
        ("the empty map longer than it has to be", with(1, vec![0xb8, 0])),
        ("an empty map of indefinite length", with(1, vec![0xbf, 0xff])),
        ("the payload's length longer than it has to be", with(2, long(&payload))),
        ("a payload of indefinite length", with(2, broken(&payload))),
        ("the signature's length longer than it has to be", with(3, long(&signed))),
        ("the header map's length longer than it has to be", header(replaced(0, 1, &[0xb8, 4]))),
        ("a header map of indefinite length", header(indefinite)),
        ("the algorithm longer than it has to be", header(replaced(2, 1, &[0x38, 7]))),
        ("the algorithm as a bignum", header(replaced(2, 1, &[0xc3, 0x41, 7]))),
        ("claims in another order", swapped.sign()),
        ("a claim twice", twice.sign()),
        (
            "a time longer than it has to be",
            close()
                .with_claim(6, [vec![0x1b], vec![0; 4], 1_800_000_000_u32.to_be_bytes().to_vec()].concat())
                .sign(),
        ),
    ];
    let code = "cose-not-deterministic";
    cases.into_iter().map(|(name, statement)| refused(name, &statement, code, None)).collect()
}

fn headers() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut swapped = close();
    swapped.header.swap(0, 1);
    let mut missing = close();
    missing.header.pop();
    let mut named = close();
    named.header[0].0 = text("alg");
    let mut twice = close();
    twice.header.insert(0, (int(1), int(-8)));
    let critical = close().with_header(2, [vec![0x81], int(15)].concat());
    for (name, raw) in [
        ("header keys in another order", swapped),
        ("no kid", missing),
        ("a header key as a text", named),
        ("a header key twice", twice),
        ("a critical header", critical),
        ("a kid of 31 bytes", close().with_header(4, bytes(&[1; 31]))),
        ("a kid of 33 bytes", close().with_header(4, bytes(&[1; 33]))),
        ("a kid as a text", close().with_header(4, text(&"k".repeat(32)))),
    ] {
        cases.push(refused(name, &raw.sign(), "cose-malformed", None));
    }
    for (name, algorithm) in [
        ("the algorithm ES256", int(-7)),
        ("the algorithm ES512", int(-36)),
        ("the algorithm 8", int(8)),
        ("the algorithm as a text", text("EdDSA")),
        ("no algorithm", vec![0xf6]),
    ] {
        cases.push(refused(name, &close().with_header(1, algorithm).sign(), "algorithm-unknown", None));
    }
    for content_type in [
        "application/json",
        "application/vnd.countersign.closed+json",
        "application/vnd.countersign.close+json ",
        "application/vnd.countersign.Close+json",
        "application/vnd.countersign.close",
        "Application/vnd.countersign.close+json",
    ] {
        let raw = close().with_header(3, text(content_type));
        cases.push(refused(format!("the content type {content_type:?}"), &raw.sign(), "kind-unknown", None));
    }
    cases.push(refused(
        "a content type as a number",
        &close().with_header(3, int(50)).sign(),
        "kind-unknown",
        None,
    ));
    cases
}

fn claims() -> Vec<Case> {
    let mut cases = Vec::new();
    let raw = |kind: Kind| Raw::new(kind, &payloads::full(kind));
    let names = [(1, "iss"), (2, "sub"), (3, "aud"), (4, "exp"), (5, "nbf"), (6, "iat"), (7, "cti")];
    for (number, name) in names {
        let statement = raw(Kind::Authorization).without_claim(number).sign();
        cases.push(refused(format!("an authorization without {name}"), &statement, "claim-missing", None));
    }
    for (number, value) in [(3, text("gate-1")), (4, int(1)), (5, int(1))] {
        let statement = raw(Kind::Intent).with_claim(number, value).sign();
        cases.push(refused(format!("an intent with claim {number}"), &statement, "claim-unexpected", None));
    }
    for (name, key) in [("claim 8", int(8)), ("claim 0", int(0)), ("a claim named by a text", text("cnf"))] {
        let mut raw = close();
        raw.claims.push((key, int(1)));
        cases.push(refused(name, &raw.sign(), "cose-malformed", None));
    }
    let long = "x".repeat(129);
    let wrong: Vec<(Kind, i64, &str, Vec<u8>)> = vec![
        (Kind::Intent, 1, "empty", text("")),
        (Kind::Intent, 1, "with a space", text("a b")),
        (Kind::Intent, 1, "beyond ASCII", text("é")),
        (Kind::Intent, 1, "with DEL", text("a\u{7f}")),
        (Kind::Intent, 1, "of 129 characters", text(&long)),
        (Kind::Intent, 1, "a number", int(1)),
        (Kind::Intent, 2, "empty", text("")),
        (Kind::Intent, 2, "with a plus sign", text("a+b")),
        (Kind::Intent, 2, "of 129 characters", text(&long)),
        (Kind::Issuer, 2, "without prefix", text("gate-1")),
        (Kind::Issuer, 2, "without name", text("issuer:")),
        (Kind::Issuer, 2, "with another prefix", text("policy:gate-1")),
        (Kind::Policy, 2, "with another prefix", text("issuer:deploy")),
        (Kind::Genesis, 2, "with a space", text("log example")),
        (Kind::Genesis, 2, "with a no-break space", text("log\u{a0}example")),
        (Kind::Genesis, 2, "with a next-line character", text("log\u{85}example")),
        (Kind::Genesis, 2, "with a plus sign", text("log+example")),
        (Kind::Genesis, 2, "of 256 bytes", text(&"x".repeat(256))),
        (Kind::Authorization, 3, "empty", text("")),
        (Kind::Authorization, 4, "negative", int(-1)),
        (Kind::Authorization, 5, "a text", text("1")),
        (Kind::Authorization, 6, "2^53", int(1 << 53)),
        (Kind::Authorization, 6, "a float", [vec![0xfb], 1_f64.to_be_bytes().to_vec()].concat()),
        (Kind::Authorization, 6, "nil", vec![0xf6]),
        (Kind::Authorization, 6, "2^64 - 1", head(0, u64::MAX)),
        (Kind::Intent, 7, "of 15 bytes", bytes(&[0; 15])),
        (Kind::Intent, 7, "of 17 bytes", bytes(&[0; 17])),
        (Kind::Intent, 7, "a text", text("0123456789abcdef")),
    ];
    for (kind, number, what, value) in wrong {
        let statement = raw(kind).with_claim(number, value).sign();
        cases.push(refused(format!("{kind}, claim {number}: {what}"), &statement, "claim-invalid", None));
    }
    let late = raw(Kind::Authorization).with_claim(5, int(1_800_000_061)).sign();
    cases.push(refused("a window that ends before it begins", &late, "claim-window-empty", None));
    for (kind, sub) in [
        (Kind::Genesis, "log.example/other"),
        (Kind::Issuer, "issuer:gate-2"),
        (Kind::Policy, "policy:Deploy"),
    ] {
        let statement = raw(kind).with_claim(2, text(sub)).sign();
        cases.push(refused(format!("a {kind} about another"), &statement, "claim-subject-mismatch", None));
    }
    cases
}
