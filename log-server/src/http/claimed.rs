//! Whose statement it says it is: read before anything else, to know in whose turn it is checked.
//!
//! It is **not** to be believed: the statement may be malformed, or signed by nobody. Who claims another's name waits
//! in the other's lane, and is refused when the turn comes.

use std::borrow::Cow;

use countersign_verifier::statement::IssuerName;
use serde::Deserialize;

use super::cbor_seq::Reader;

/// The `COSE_Sign1` tag (RFC 9052 section 4.2).
const COSE_SIGN1: u64 = 18;
/// The header with the claims (RFC 9597), and the claim `iss` (RFC 8392).
const CLAIMS: u64 = 15;
const ISSUER: u64 = 1;

/// The issuer that a statement in COSE claims; `None` where it cannot be found at once. Bytes beyond the protected
/// header are not needed.
pub(super) fn in_cose(bytes: &[u8]) -> Option<IssuerName> {
    let mut outside = Reader::new(bytes);
    if outside.head()? != (6, COSE_SIGN1) || outside.head()? != (4, 4) {
        return None;
    }
    let mut header = Reader::new(outside.string(2)?);
    let (5, pairs) = header.head()? else { return None };
    for _ in 0..pairs {
        match header.head()? {
            (0, CLAIMS) => {
                let (5, _) = header.head()? else { return None };
                if header.head()? != (0, ISSUER) {
                    return None;
                }
                return core::str::from_utf8(header.string(3)?).ok()?.parse().ok();
            }
            (0, _) => header.skip()?,
            _ => return None,
        }
    }
    None
}

/// The issuer that a statement in JSON claims.
pub(super) fn in_json(bytes: &[u8]) -> Option<IssuerName> {
    #[derive(Deserialize)]
    struct Claimed<'a> {
        #[serde(borrow)]
        iss: Cow<'a, str>,
    }
    serde_json::from_slice::<Claimed<'_>>(bytes).ok()?.iss.parse().ok()
}

#[cfg(test)]
mod tests {
    use countersign_verifier::ed25519::PublicKey;
    use countersign_verifier::statement::{Claims, Draft, Kind, Subject, UnixSeconds};
    use ed25519_dalek::SigningKey;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn statement(issuer: &str) -> Vec<u8> {
        let key = SigningKey::from_bytes(&[3; 32]);
        let claims = Claims {
            issuer: issuer.parse().unwrap(),
            subject: Subject::Execution("run/1".parse().unwrap()),
            validity: None,
            issued_at: UnixSeconds::new(1_790_000_000).unwrap(),
            id: [7; 16],
        };
        let entity = json!({"type": "t", "id": "i"});
        let payload = json!({"subject": entity, "action": {"name": "run"}, "resource": entity});
        let payload = payload.as_object().unwrap();
        let draft = Draft::from_json(&PublicKey::from(&key), Kind::Intent, claims, payload).unwrap();
        draft.sign(&key).unwrap().into_bytes()
    }

    #[test]
    fn the_issuer_is_found_also_at_the_beginning_of_a_statement_alone() {
        for name in ["a", "ann@example.org", &"long".repeat(30)] {
            let statement = statement(name);
            assert_eq!(in_cose(&statement), Some(name.parse().unwrap()));
            // The payload is not needed, and of the protected header everything is.
            let payload = statement.windows(10).position(|bytes| bytes == b"{\"action\":").unwrap();
            assert_eq!(in_cose(&statement[..payload]), Some(name.parse().unwrap()));
            assert_eq!(in_cose(&statement[..payload / 2]), None);
        }
        assert_eq!(in_json(br#"{"kind":"intent","payload":{"iss":"b"},"iss":"a"}"#), "a".parse().ok());
        assert_eq!(in_json(br#"{"iss":""}"#), None);
        assert_eq!(in_json(br#"{"iss":7}"#), None);
    }

    proptest! {
        #[test]
        fn no_bytes_break_it(mut bytes in prop::collection::vec(any::<u8>(), 0..200), at: prop::sample::Index, byte: u8) {
            in_cose(&bytes);
            in_json(&bytes);
            bytes = statement("ann");
            let at = at.index(bytes.len());
            bytes[at] = byte;
            in_cose(&bytes);
        }
    }
}
