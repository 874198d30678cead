//! Envelopes that a lenient reader would take for a statement.

use coset::cbor::value::Value as Cbor;

use super::*;

/// A statement taken apart, to be put together wrongly.
struct Parts {
    protected: Vec<(Cbor, Cbor)>,
    claims: Vec<(Cbor, Cbor)>,
    unprotected: Cbor,
    payload: Cbor,
    signature: Cbor,
}

fn write(value: &Cbor) -> Vec<u8> {
    let mut bytes = Vec::new();
    coset::cbor::ser::into_writer(value, &mut bytes).unwrap();
    bytes
}

fn read(mut bytes: &[u8]) -> Cbor {
    coset::cbor::de::from_reader(&mut bytes).unwrap()
}

impl Parts {
    fn of(kind: Kind) -> Self {
        let statement = sample(kind).into_bytes();
        let Cbor::Tag(18, content) = read(&statement) else { panic!() };
        let [protected, unprotected, payload, signature]: [Cbor; 4] =
            content.into_array().unwrap().try_into().unwrap();
        let mut protected = read(protected.as_bytes().unwrap()).into_map().unwrap();
        let claims = protected.pop().unwrap().1.into_map().unwrap();
        Self { protected, claims, unprotected, payload, signature }
    }

    fn header(&self) -> Vec<u8> {
        let mut header = self.protected.clone();
        header.push((15.into(), Cbor::Map(self.claims.clone())));
        write(&Cbor::Map(header))
    }

    fn content(&self) -> Vec<Cbor> {
        let header = Cbor::Bytes(self.header());
        vec![header, self.unprotected.clone(), self.payload.clone(), self.signature.clone()]
    }

    fn bytes(&self) -> Vec<u8> {
        write(&Cbor::Tag(18, Box::new(Cbor::Array(self.content()))))
    }
}

fn changed(kind: Kind, change: impl FnOnce(&mut Parts)) -> Vec<u8> {
    let mut parts = Parts::of(kind);
    change(&mut parts);
    parts.bytes()
}

#[track_caller]
fn refused(bytes: &[u8], code: &str) {
    let error = Statement::parse(bytes).unwrap_err();
    assert_eq!(error.code(), code, "{error}");
}

#[test]
fn the_frame_of_these_tests_is_right() {
    for kind in Kind::ALL {
        assert_eq!(changed(*kind, |_| {}), sample(*kind).statement().bytes());
    }
}

#[test]
fn the_shape_is_exact() {
    for length in [0, 65_536] {
        refused(&vec![0xd2; length], "statement-size");
    }
    refused(&[0xff], "cose-malformed");
    refused(&[0xd2], "cose-malformed");
    refused(b"{}", "cose-malformed");
    let parts = Parts::of(Kind::Close);
    let array = Cbor::Array(parts.content());
    refused(&write(&array), "cose-malformed");
    for tag in [17, 61, 98] {
        refused(&write(&Cbor::Tag(tag, Box::new(array.clone()))), "cose-malformed");
    }
    let tagged = Cbor::Tag(18, Box::new(array));
    refused(&write(&Cbor::Tag(55_799, Box::new(tagged.clone()))), "cose-malformed");
    refused(&write(&Cbor::Tag(18, Box::new(tagged))), "cose-malformed");
    for surplus in [&b"\0"[..], b"\xa0"] {
        refused(&[&parts.bytes(), surplus].concat(), "cose-malformed");
    }
    for cut in 0..parts.bytes().len() {
        assert!(Statement::parse(&parts.bytes()[..cut]).is_err(), "cut at {cut}");
    }
    let mut content = parts.content();
    content.push(Cbor::Null);
    refused(&write(&Cbor::Tag(18, Box::new(Cbor::Array(content)))), "cose-malformed");
    refused(&changed(Kind::Close, |parts| parts.payload = Cbor::Null), "cose-malformed");
    refused(&changed(Kind::Close, |parts| parts.signature = Cbor::Bytes(vec![0; 63])), "cose-malformed");
    let unprotected = Cbor::Map(vec![(394.into(), Cbor::Array(vec![]))]);
    refused(&changed(Kind::Close, |parts| parts.unprotected = unprotected), "cose-malformed");
}

#[test]
fn there_is_one_encoding() {
    let good = sample(Kind::Close).into_bytes();
    // D2 84 58 <n> <protected> A0 58 <n> <payload> 58 40 <signature>
    let (protected, payload) = (usize::from(good[3]), 4 + usize::from(good[3]) + 1);
    let splice = |at: usize, removed: usize, inserted: &[u8]| {
        let mut bytes = good.clone();
        bytes.splice(at..at + removed, inserted.iter().copied());
        bytes
    };
    let size = |n: usize| u8::try_from(n).unwrap();
    let after = payload + 2 + usize::from(good[payload + 1]);
    let indefinite_payload = {
        let mut bytes = splice(after, 0, &[0xff]);
        bytes.splice(payload..payload, [0x5f]);
        bytes
    };
    let indefinite_array = {
        let mut bytes = splice(1, 1, &[0x9f]);
        bytes.push(0xff);
        bytes
    };
    for (bytes, at) in [
        (splice(0, 1, &[0xd8, 18]), 0),                 // a tag longer than it has to be
        (splice(1, 1, &[0x98, 4]), 1),                  // an array length
        (indefinite_array, 1),                          // an indefinite array
        (splice(2, 2, &[0x59, 0, size(protected)]), 2), // a byte string length
        (splice(payload - 1, 1, &[0xb8, 0]), payload - 1), // a map length
        (splice(payload - 1, 1, &[0xbf, 0xff]), payload - 1), // an indefinite map
        (splice(payload, 1, &[0x59, 0]), payload),      // the payload's length
        (indefinite_payload, payload),                  // an indefinite payload
        (splice(after, 2, &[0x59, 0, 64]), after),      // the signature's length
    ] {
        let error = Statement::parse(&bytes).unwrap_err();
        assert_eq!(error, EnvelopeError::NotDeterministic { at }.into(), "{}", hex::encode(&bytes));
    }
}

#[test]
fn the_protected_header_has_one_encoding_too() {
    let parts = Parts::of(Kind::Close);
    let with = |header: Vec<u8>| {
        let mut content = parts.content();
        content[0] = Cbor::Bytes(header);
        write(&Cbor::Tag(18, Box::new(Cbor::Array(content))))
    };
    let header = parts.header();
    let mut longer = header.clone();
    longer.splice(0..1, [0xb8, 4]);
    refused(&with(longer), "cose-not-deterministic");
    let mut indefinite = header.clone();
    indefinite[0] = 0xbf;
    indefinite.push(0xff);
    refused(&with(indefinite), "cose-not-deterministic");
    let mut wide = header.clone();
    wide.splice(2..3, [0x38, 7]); // -8 in two bytes
    refused(&with(wide), "cose-not-deterministic");
    let mut bignum = header.clone();
    bignum.splice(2..3, [0xc3, 0x41, 7]); // -8 as a bignum
    refused(&with(bignum), "cose-not-deterministic");
    refused(&with([header.clone(), vec![0]].concat()), "cose-malformed");
    refused(&with(Vec::new()), "cose-malformed");
    // The claims in another order, and one of them twice.
    refused(&changed(Kind::Close, |parts| parts.claims.swap(0, 1)), "cose-not-deterministic");
    refused(
        &changed(Kind::Close, |parts| parts.claims.insert(0, parts.claims[0].clone())),
        "cose-not-deterministic",
    );
}

#[test]
fn the_protected_header_has_its_four_keys_in_order() {
    refused(&changed(Kind::Close, |parts| parts.protected.swap(0, 1)), "cose-malformed");
    refused(&changed(Kind::Close, |parts| drop(parts.protected.remove(2))), "cose-malformed");
    refused(
        &changed(Kind::Close, |parts| parts.protected.insert(0, parts.protected[0].clone())),
        "cose-malformed",
    );
    refused(&changed(Kind::Close, |parts| parts.protected[0].0 = "alg".into()), "cose-malformed");
    let critical = (Cbor::from(2), Cbor::Array(vec![15.into()]));
    refused(&changed(Kind::Close, |parts| parts.protected.insert(1, critical)), "cose-malformed");
    for algorithm in
        [Cbor::from(-7), Cbor::from(-9), Cbor::from(8), Cbor::Null, "EdDSA".into(), Cbor::from(u64::MAX)]
    {
        refused(&changed(Kind::Close, |parts| parts.protected[0].1 = algorithm), "algorithm-unknown");
    }
    for content_type in [
        Cbor::from(50),
        "application/json".into(),
        "application/vnd.countersign.closed+json".into(),
        "application/vnd.countersign.close+json ".into(),
        "application/vnd.countersign.Close+json".into(),
        "application/vnd.countersign.close".into(),
    ] {
        refused(&changed(Kind::Close, |parts| parts.protected[1].1 = content_type), "kind-unknown");
    }
    for kid in [Cbor::Bytes(vec![1; 31]), Cbor::Bytes(vec![1; 33]), Cbor::Text("k".repeat(32)), Cbor::Null] {
        refused(&changed(Kind::Close, |parts| parts.protected[2].1 = kid), "cose-malformed");
    }
}

#[test]
fn both_names_of_ed25519_are_read_and_both_are_signed_over() {
    let other = changed(Kind::Close, |parts| parts.protected[0].1 = Cbor::from(-19));
    let statement = Statement::parse(&other).unwrap();
    assert_eq!((statement.algorithm(), statement.bytes()), (Algorithm::Ed25519, &other[..]));
    let key = public_key();
    let named = KeyThumbprint::of(&key);
    assert_eq!(statement.verify(&key), Err(SignatureError::Invalid { key: named }));
}

#[test]
fn the_claims_are_those_of_the_kind() {
    let at =
        |parts: &Parts, claim: i64| parts.claims.iter().position(|(key, _)| *key == claim.into()).unwrap();
    for kind in Kind::ALL {
        for claim in [1, 2, 6, 7] {
            refused(&changed(*kind, |parts| drop(parts.claims.remove(at(parts, claim)))), "claim-missing");
        }
        let also = |claim: i64, value: Cbor| {
            changed(*kind, |parts| {
                let place = parts
                    .claims
                    .iter()
                    .position(|(key, _)| i128::from(key.as_integer().unwrap()) > claim.into());
                parts.claims.insert(place.unwrap(), (claim.into(), value));
            })
        };
        if *kind == Kind::Authorization {
            for claim in [3, 4, 5] {
                refused(
                    &changed(*kind, |parts| drop(parts.claims.remove(at(parts, claim)))),
                    "claim-missing",
                );
            }
        } else {
            refused(&also(3, "gate-1".into()), "claim-unexpected");
            refused(&also(4, 1.into()), "claim-unexpected");
            refused(&also(5, 1.into()), "claim-unexpected");
        }
        refused(&changed(*kind, |parts| parts.claims.push((8.into(), 1.into()))), "cose-malformed");
        refused(&changed(*kind, |parts| parts.claims.push(("cnf".into(), 1.into()))), "cose-malformed");
    }
}

#[test]
fn every_claim_has_its_grammar() {
    let with = |kind: Kind, claim: i64, value: Cbor| {
        changed(kind, |parts| {
            let at = parts.claims.iter().position(|(key, _)| *key == claim.into()).unwrap();
            parts.claims[at].1 = value;
        })
    };
    let wrong = |kind: Kind, claim: i64, values: Vec<Cbor>| {
        for value in values {
            refused(&with(kind, claim, value), "claim-invalid");
        }
    };
    let name = |text: &str| Cbor::from(text);
    wrong(
        Kind::Intent,
        1,
        vec![name(""), name("a b"), name("é"), name("\u{7f}"), name(&"x".repeat(129)), 1.into()],
    );
    wrong(
        Kind::Intent,
        2,
        vec![name(""), name("a b"), name("a+b"), name("é"), name(&"x".repeat(129)), 1.into()],
    );
    wrong(Kind::Issuer, 2, vec![name("gate-1"), name("issuer:"), name("policy:gate-1"), name("issuer:a b")]);
    wrong(Kind::Policy, 2, vec![name("deploy"), name("policy:"), name("issuer:deploy")]);
    wrong(Kind::Genesis, 2, vec![name(""), name("log example"), name("log+example"), name(&"x".repeat(256))]);
    wrong(Kind::Authorization, 3, vec![name(""), name("a b"), 1.into()]);
    let times = || vec![Cbor::from(-1), Cbor::from(1_u64 << 53), Cbor::Float(1.0), name("1"), Cbor::Null];
    for claim in [4, 5, 6] {
        wrong(Kind::Authorization, claim, times());
    }
    wrong(
        Kind::Intent,
        7,
        vec![Cbor::Bytes(vec![0; 15]), Cbor::Bytes(vec![0; 17]), name("0123456789abcdef")],
    );
    refused(&with(Kind::Authorization, 5, 1_800_000_061.into()), "claim-window-empty");
    assert!(Statement::parse(&with(Kind::Authorization, 5, 1_800_000_060.into())).is_ok());
    refused(&with(Kind::Genesis, 2, name("log.example/other")), "claim-subject-mismatch");
    refused(&with(Kind::Issuer, 2, name("issuer:gate-2")), "claim-subject-mismatch");
    refused(&with(Kind::Policy, 2, name("policy:Deploy")), "claim-subject-mismatch");
}

/// A general COSE reader descends into counter signatures, one byte string inside the other, without end.
#[test]
fn nested_counter_signatures_do_not_exhaust_the_stack() {
    let mut header = write(&Cbor::Map(vec![]));
    while header.len() < 60_000 {
        let signature = vec![Cbor::Bytes(header), Cbor::Map(vec![]), Cbor::Bytes(vec![])];
        header = write(&Cbor::Map(vec![(7.into(), Cbor::Array(signature))]));
    }
    let content = vec![Cbor::Bytes(header), Cbor::Map(vec![]), Cbor::Bytes(vec![]), Cbor::Bytes(vec![0; 64])];
    refused(&write(&Cbor::Tag(18, Box::new(Cbor::Array(content)))), "cose-malformed");
    for opener in [0x81, 0xa1, 0xc1, 0x9f, 0xbf] {
        refused(&vec![opener; 65_000], "cose-malformed");
    }
    // Lengths that no memory has.
    for head in [0x5b, 0x7b, 0x9b, 0xbb] {
        let mut bytes = vec![0xd2, 0x84, head];
        bytes.extend([0x7f; 8]);
        refused(&bytes, "cose-malformed");
    }
}
