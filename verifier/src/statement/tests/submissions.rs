//! The JSON form: any formatting in, the one statement out.

use super::*;

/// The JSON form of a sample, unsigned.
fn unsigned(kind: Kind) -> Map<String, Value> {
    let Claims { issuer, subject, validity, issued_at, id } = claims(kind);
    let mut form = json!({"kind": kind, "iss": issuer, "sub": subject.to_string(), "iat": issued_at,
        "cti": crate::strict::to_base64(&id), "public_key": key_in_base64(), "payload": payload(kind)});
    if let Some(Validity { audience, not_before, expires }) = validity {
        form["aud"] = json!(audience);
        form["nbf"] = json!(not_before);
        form["exp"] = json!(expires);
    }
    form.as_object().unwrap().clone()
}

fn signed(kind: Kind) -> Map<String, Value> {
    let mut form = unsigned(kind);
    form.insert("signature".to_owned(), sample(kind).statement().signature().to_base64().into());
    form
}

fn parse(form: &Map<String, Value>) -> Result<Submission, SubmissionError> {
    Submission::parse(&serde_json::to_vec_pretty(form).unwrap())
}

#[track_caller]
fn refused(form: &Map<String, Value>, code: &str, pointer: &str) {
    let error = parse(form).and_then(Submission::verify).unwrap_err();
    let found = error.pointer().map(|pointer| pointer.as_str().to_owned()).unwrap_or_default();
    assert_eq!((error.code(), found.as_str()), (code, pointer), "{error}");
}

#[test]
fn the_json_form_gives_the_same_bytes() {
    for kind in Kind::ALL {
        assert_eq!(parse(&signed(*kind)).unwrap().verify().unwrap(), sample(*kind));
        let prepared = parse(&unsigned(*kind)).unwrap();
        let statement = prepared.draft().statement();
        assert_eq!(statement.to_be_signed(), sample(*kind).statement().to_be_signed());
        let (body, signature) = statement.bytes().split_at(statement.bytes().len() - 64);
        assert_eq!(signature, [0; 64]);
        assert!(sample(*kind).statement().bytes().starts_with(body));
        // What is prepared is well-formed but verifies under no key.
        let prepared = Statement::parse(statement.bytes()).unwrap().verify(&public_key());
        assert_eq!(prepared.unwrap_err().code(), "signature-invalid");
    }
}

#[test]
fn every_member_at_fault_is_pointed_at() {
    for kind in Kind::ALL {
        for member in signed(*kind).keys() {
            let mut form = signed(*kind);
            form.remove(member);
            let claim = ["iss", "sub", "aud", "nbf", "exp", "iat", "cti"].contains(&member.as_str());
            refused(&form, if claim { "claim-missing" } else { "member-missing" }, &format!("/{member}"));
            form.insert(member.clone(), json!([]));
            refused(&form, "member-invalid", &format!("/{member}"));
        }
        let mut form = signed(*kind);
        form.insert("alg".to_owned(), json!(-8));
        refused(&form, "member-unknown", "/alg");
    }
    let with = |kind: Kind, member: &str, value: Value| {
        let mut form = signed(kind);
        form.insert(member.to_owned(), value);
        form
    };
    refused(&with(Kind::Intent, "kind", json!("intention")), "member-invalid", "/kind");
    refused(&with(Kind::Intent, "iss", json!("a b")), "claim-invalid", "/iss");
    refused(&with(Kind::Intent, "sub", json!("a b")), "claim-invalid", "/sub");
    refused(&with(Kind::Intent, "aud", json!("gate-1")), "claim-unexpected", "/aud");
    refused(&with(Kind::Intent, "cti", json!("AAAA")), "member-invalid", "/cti");
    refused(&with(Kind::Authorization, "exp", json!(1)), "claim-window-empty", "/exp");
    refused(&with(Kind::Issuer, "sub", json!("issuer:x")), "claim-subject-mismatch", "/sub");
    refused(&with(Kind::Close, "payload", json!({"entries": 0})), "member-invalid", "/payload/entries");
    refused(&with(Kind::Close, "payload", json!({"entries": 1.5})), "json-number", "/payload/entries");
    refused(&with(Kind::Close, "payload", json!({})), "member-missing", "/payload/entries");
    refused(
        &with(Kind::Close, "signature", json!(Signature::ABSENT.to_base64())),
        "signature-invalid",
        "/signature",
    );
    let other = PublicKey::from(&SigningKey::from_bytes(&[8; 32]));
    let other = crate::strict::to_base64(other.as_bytes());
    refused(&with(Kind::Close, "public_key", json!(other)), "signature-invalid", "/signature");
}

#[test]
fn a_payload_may_be_as_deep_as_in_the_statement_itself() {
    let nested = |levels: usize| (0..levels).fold(json!(0), |inner, _| json!([inner]));
    let with = |levels: usize| {
        let mut form = unsigned(Kind::Intent);
        form["payload"]["context"] = json!({"a": nested(levels)});
        parse(&form)
    };
    assert!(with(14).is_ok());
    let error = with(15).unwrap_err();
    assert_eq!(error.code(), "json-too-deep");
    assert!(error.pointer().unwrap().as_str().starts_with("/payload/context/a/0"));
}

#[test]
fn duplicates_are_refused_anywhere() {
    let form = serde_json::to_string(&signed(Kind::Close)).unwrap();
    for (once, twice, pointer) in [
        (r#""iss":"operator""#, r#""iss":"operator","iss":"operator""#, "/iss"),
        (r#""entries":6"#, r#""entries":6,"entries":7"#, "/payload/entries"),
    ] {
        let error = Submission::parse(form.replace(once, twice).as_bytes()).unwrap_err();
        assert_eq!((error.code(), error.pointer().unwrap().as_str()), ("json-duplicate-member", pointer));
    }
}
