//! Statements that are not well-formed.

use countersign_tests::clock;
use countersign_tests::harness::{System, execution, issuer_name, post};
use countersign_tests::statements::Issuer;
use countersign_verifier::merkle::LeafHash;
use countersign_verifier::statement::VerifiedStatement;
use serde_json::{Value, json};

use super::{COSE, JSON, Trials, raw, requester};
use crate::parties::Parties;
use crate::raw::{Raw, text, unsigned};

#[test]
fn bytes_that_are_no_statement() {
    let system = System::start();
    let issuer = requester(&system);
    let mut trials = Trials::new(&system);
    let good = raw(&issuer).sign(&issuer);
    trials.cose("nothing", Vec::new(), 413, "statement-size");
    trials.cose("one byte too many", vec![0xd2; 65_536], 413, "body-too-large");
    trials.cose("text", "hello", 400, "cose-malformed");
    trials.cose("half a statement", good[..good.len() / 2].to_vec(), 400, "cose-malformed");
    trials.cose("something after it", [&good[..], &[0]].concat(), 400, "cose-malformed");
    let with = |change: fn(&mut Raw)| {
        let mut raw = raw(&issuer);
        change(&mut raw);
        raw.sign(&issuer)
    };
    trials.cose("no tag", with(|raw| raw.tag.clear()), 400, "cose-malformed");
    trials.cose("another tag", with(|raw| raw.tag = vec![0xd1]), 400, "cose-malformed");
    trials.cose("a long tag", with(|raw| raw.tag = vec![0xd8, 18]), 400, "cose-not-deterministic");
    trials.cose(
        "an unprotected header",
        with(|raw| raw.unprotected = vec![0xa1, 4, 0x41, 0]),
        400,
        "cose-malformed",
    );
    trials.cose(
        "a header of no length",
        with(|raw| raw.unprotected = vec![0xbf, 0xff]),
        400,
        "cose-not-deterministic",
    );
    trials.cose("ES256", with(|raw| raw.algorithm = vec![0x26]), 400, "algorithm-unknown");
    trials.cose("a short kid", with(|raw| raw.kid.truncate(31)), 400, "cose-malformed");
    let another_kind = |raw: &mut Raw| raw.content_type = "application/vnd.countersign.wish+json".to_owned();
    trials.cose("another kind", with(another_kind), 400, "kind-unknown");
    let another_type = |raw: &mut Raw| raw.content_type = "text/plain".to_owned();
    trials.cose("another content type", with(another_type), 400, "kind-unknown");
    let mut changed = good.clone();
    *changed.last_mut().unwrap() ^= 1;
    trials.cose("a changed signature", changed, 400, "signature-invalid");
    let name = good.windows(4).position(|window| window == b"read").unwrap();
    let mut changed = good.clone();
    changed[name..name + 4].copy_from_slice(b"rule");
    trials.cose("a changed payload", changed, 400, "signature-invalid");
    trials.finish(7);
    // The same, unchanged, is taken: it was only ever the change that was refused.
    assert_eq!(post(system.log.url(), "/entries", COSE, good).status.as_u16(), 201);
}

#[test]
fn claims_that_are_wrong() {
    let system = System::start();
    let issuer = requester(&system);
    let mut trials = Trials::new(&system);
    let now = clock::now().get();
    let without = |claim: u8| {
        let mut raw = raw(&issuer);
        raw.claims.retain(|(key, _)| *key != claim);
        raw.sign(&issuer)
    };
    let with = |claim: u8, value: Vec<u8>| raw(&issuer).claim(claim, value).sign(&issuer);
    for (claim, name) in [(1, "iss"), (2, "sub"), (6, "iat"), (7, "cti")] {
        trials.cose(name, without(claim), 400, "claim-missing");
    }
    trials.cose("an audience", with(3, text("someone")), 400, "claim-unexpected");
    trials.cose("an end", with(4, unsigned(now + 10)), 400, "claim-unexpected");
    trials.cose("a subject with a space", with(2, text("a b")), 400, "claim-invalid");
    trials.cose("a subject of 129 characters", with(2, text(&"a".repeat(129))), 400, "claim-invalid");
    trials.cose("another claim", with(8, unsigned(1)), 400, "cose-malformed");
    trials.cose("a short id", with(7, vec![0x41, 1]), 400, "claim-invalid");
    trials.cose("ten minutes ago", with(6, unsigned(now - 600)), 400, "clock-skew");
    trials.cose("in ten minutes", with(6, unsigned(now + 600)), 400, "clock-skew");
    let parties = Parties::register(&system);
    trials.size = system.size();
    let mut ends_first = json_form(&parties.authorization(&execution("window"), json!({})));
    (ends_first["nbf"], ends_first["exp"]) = (json!(now + 20), json!(now + 10));
    trials.json("an end before the beginning", &ends_first, 400, "claim-window-empty");
    let mut not_its_own = json_form(&parties.policy("one"));
    not_its_own["sub"] = json!("policy:two");
    trials.json("a subject that is not the payload's", &not_its_own, 400, "claim-subject-mismatch");
    trials.finish(6);
}

/// The JSON form of a statement.
fn json_form(statement: &VerifiedStatement) -> Value {
    use base64::Engine as _;
    let base64 = |bytes: &[u8]| base64::engine::general_purpose::STANDARD.encode(bytes);
    let statement = statement.statement();
    let claims = statement.claims();
    let mut form = json!({
        "kind": statement.kind(), "iss": claims.issuer, "sub": claims.subject.to_string(),
        "iat": claims.issued_at, "cti": base64(&claims.id),
        "payload": serde_json::from_slice::<Value>(statement.payload_json()).unwrap(),
        "signature": statement.signature().to_base64(),
        "public_key": base64(&[0; 32]),
    });
    if let Some(validity) = &claims.validity {
        form["aud"] = json!(validity.audience);
        (form["nbf"], form["exp"]) = (json!(validity.not_before), json!(validity.expires));
    }
    // Any key will do where the refusal comes before the signature is looked at.
    form["public_key"] = json!(base64(Issuer::generate(issuer_name("x")).unwrap().public_key().as_bytes()));
    form
}

#[test]
fn payloads_that_say_what_cannot_be_said() {
    let system = System::start();
    let issuer = requester(&system);
    let mut trials = Trials::new(&system);
    let with = |payload: &[u8]| {
        let mut raw = raw(&issuer);
        raw.payload = payload.to_vec();
        raw.sign(&issuer)
    };
    let intent = |more: &str| {
        with(format!(r#"{{"action":{{"name":"a"}},{more}"resource":{{"id":"a","type":"b"}},"subject":{{"id":"c","type":"d"}}}}"#).as_bytes())
    };
    trials.cose("no object", with(b"[]"), 400, "json-malformed");
    trials.cose("no JSON", with(b"{"), 400, "json-malformed");
    trials.cose("no UTF-8", with(b"\xff"), 400, "json-malformed");
    trials.cose("white space", with(b"{ }"), 400, "json-not-canonical");
    trials.cose("a fraction", intent(r#""context":{"a":1.5},"#), 400, "json-number");
    trials.cose("too large a number", intent(r#""context":{"a":9007199254740992},"#), 400, "json-number");
    trials.cose("a name twice", intent(r#""context":{"a":1,"a":1},"#), 400, "json-duplicate-member");
    let deep = format!(r#""context":{{"a":{}{}}},"#, "[".repeat(20), "]".repeat(20));
    trials.cose("too deep", intent(&deep), 400, "json-too-deep");
    trials.cose(
        "no subject",
        with(br#"{"action":{"name":"a"},"resource":{"id":"a","type":"b"}}"#),
        400,
        "member-missing",
    );
    trials.cose("an unknown member", intent(r#""colour":"red","#), 400, "member-unknown");
    trials.cose("an empty text", intent(r#""parent":"","#), 400, "member-invalid");
    trials.cose(
        "references of another kind",
        intent(r#""refs":{"outcome":"00"},"#),
        400,
        "reference-unknown",
    );
    let form = json_form(&Parties::register(&system).decision(
        &execution("words"),
        "permit",
        LeafHash::of(b"a"),
        LeafHash::of(b"b"),
    ));
    trials.size = system.size();
    let mut said = form.clone();
    said["payload"]["code"] = json!("denied_by_policy");
    trials.json("a permit that denies", &said, 400, "member-contradiction");
    let mut said = form.clone();
    said["payload"]["refs"].as_object_mut().unwrap().remove("intent");
    trials.json("a decision on nothing", &said, 400, "reference-missing");
    for (member, value) in
        [("kind", json!("wish")), ("cti", json!("short")), ("signature", json!("")), ("public_key", json!(7))]
    {
        let mut said = form.clone();
        said[member] = value;
        trials.json(member, &said, 400, "member-invalid");
        said.as_object_mut().unwrap().remove(member);
        trials.json(member, &said, 400, if member == "cti" { "claim-missing" } else { "member-missing" });
    }
    trials.json("another key", &form, 400, "signature-invalid");
    trials.refuse("no JSON at all", "/entries", JSON, "{\"kind\":", 400, "json-malformed");
    trials.refuse("nothing to prepare", "/statements/prepare", JSON, "{}", 400, "member-missing");
    trials.refuse("too large to read", "/entries", JSON, vec![b' '; 300 * 1024], 413, "body-too-large");
    trials.finish(12);
}
