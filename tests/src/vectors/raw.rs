//! Statements put together from any bytes, so that they can be put together wrongly. Whatever is wrong with one, it is
//! signed: nothing but what its case is about is at fault.

use countersign_verifier::statement::{KeyThumbprint, Kind};
use ed25519_dalek::Signer as _;
use serde_json::Value;

use super::keys::{public_key, signing_key};

/// The seed of the key that signs.
pub(super) const SIGNER: u8 = 7;

/// A statement in parts. Every part of the header is CBOR.
#[derive(Debug, Clone)]
pub(super) struct Raw {
    signer: u8,
    pub(super) header: Vec<(Vec<u8>, Vec<u8>)>,
    pub(super) claims: Vec<(Vec<u8>, Vec<u8>)>,
    pub(super) payload: Vec<u8>,
}

impl Raw {
    /// A sound statement of a kind with a payload.
    pub(super) fn new(kind: Kind, payload: &Value) -> Self {
        let subject = match kind {
            Kind::Genesis => payload.get("origin").and_then(Value::as_str).map(str::to_owned),
            Kind::Issuer | Kind::Policy => {
                payload.get("name").and_then(Value::as_str).map(|name| format!("{kind}:{name}"))
            }
            _ => None,
        };
        let subject = subject.unwrap_or_else(|| "run/2026-01".to_owned());
        let mut claims = vec![(int(1), text("operator")), (int(2), text(&subject))];
        if kind == Kind::Authorization {
            claims.extend([
                (int(3), text("gate-1")),
                (int(4), int(1_800_000_060)),
                (int(5), int(1_800_000_000)),
            ]);
        }
        claims.extend([(int(6), int(1_800_000_000)), (int(7), bytes(b"0123456789abcdef"))]);
        let thumbprint = KeyThumbprint::of(&public_key(SIGNER));
        let header = vec![
            (int(1), int(-8)),
            (int(3), text(&format!("application/vnd.countersign.{kind}+json"))),
            (int(4), bytes(thumbprint.as_bytes())),
        ];
        let payload = serde_json_canonicalizer::to_vec(payload).expect("a payload has a canonical form");
        Self { signer: SIGNER, header, claims, payload }
    }

    /// The same by another issuer, with its own key.
    pub(super) fn by(mut self, seed: u8, name: &str) -> Self {
        self.signer = seed;
        let kid = KeyThumbprint::of(&public_key(seed));
        self.with_header(4, bytes(kid.as_bytes())).with_claim(1, text(name))
    }

    /// The same with a cti that is made of one number.
    pub(super) fn numbered(self, number: u8) -> Self {
        self.with_claim(7, bytes(&[number; 16]))
    }

    /// The same with one part of the header replaced.
    pub(super) fn with_header(mut self, key: i64, value: Vec<u8>) -> Self {
        put(&mut self.header, key, value);
        self
    }

    /// The same with one claim replaced, or added at its place.
    pub(super) fn with_claim(mut self, key: i64, value: Vec<u8>) -> Self {
        put(&mut self.claims, key, value);
        self
    }

    /// The same without a claim.
    pub(super) fn without_claim(mut self, key: i64) -> Self {
        self.claims.retain(|(name, _)| *name != int(key));
        self
    }

    /// The same with these bytes as payload.
    pub(super) fn with_payload(mut self, payload: &[u8]) -> Self {
        self.payload = payload.to_vec();
        self
    }

    /// The protected header.
    pub(super) fn protected(&self) -> Vec<u8> {
        let mut entries = self.header.clone();
        entries.push((int(15), map(&self.claims)));
        map(&entries)
    }

    /// The statement.
    pub(super) fn sign(&self) -> Vec<u8> {
        sign_by(self.signer, &self.protected(), &self.payload)
    }
}

/// The statement with this protected header and payload.
pub(super) fn sign(protected: &[u8], payload: &[u8]) -> Vec<u8> {
    sign_by(SIGNER, protected, payload)
}

fn sign_by(seed: u8, protected: &[u8], payload: &[u8]) -> Vec<u8> {
    let signature = signature_by(seed, protected, payload);
    let items = [bytes(protected), vec![0xa0], bytes(payload), bytes(&signature)];
    [vec![0xd2, 0x84], items.concat()].concat()
}

/// The signature over this protected header and payload.
pub(super) fn signature(protected: &[u8], payload: &[u8]) -> [u8; 64] {
    signature_by(SIGNER, protected, payload)
}

fn signature_by(seed: u8, protected: &[u8], payload: &[u8]) -> [u8; 64] {
    let parts = [text("Signature1"), bytes(protected), bytes(b""), bytes(payload)];
    signing_key(seed).sign(&[vec![0x84], parts.concat()].concat()).to_bytes()
}

fn put(entries: &mut Vec<(Vec<u8>, Vec<u8>)>, key: i64, value: Vec<u8>) {
    let key = int(key);
    let at = entries.iter().position(|(name, _)| *name >= key).unwrap_or(entries.len());
    match entries.get_mut(at) {
        Some((name, old)) if *name == key => *old = value,
        _ => entries.insert(at, (key, value)),
    }
}

/// The head of a CBOR item (RFC 8949 section 3), as short as can be.
pub(super) fn head(major: u8, argument: u64) -> Vec<u8> {
    let start = major << 5;
    let wide = argument.to_be_bytes();
    match argument {
        0..24 => vec![start | wide[7]],
        24..0x100 => vec![start | 0x18, wide[7]],
        0x100..0x1_0000 => [&[start | 0x19], &wide[6..]].concat(),
        0x1_0000..0x1_0000_0000 => [&[start | 0x1a], &wide[4..]].concat(),
        _ => [&[start | 0x1b], &wide[..]].concat(),
    }
}

pub(super) fn int(number: i64) -> Vec<u8> {
    match u64::try_from(number) {
        Ok(number) => head(0, number),
        Err(_) => head(1, (-1 - number).unsigned_abs()),
    }
}

pub(super) fn bytes(content: &[u8]) -> Vec<u8> {
    [head(2, content.len() as u64), content.to_vec()].concat()
}

pub(super) fn text(content: &str) -> Vec<u8> {
    [head(3, content.len() as u64), content.as_bytes().to_vec()].concat()
}

pub(super) fn map(entries: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
    let content: Vec<u8> = entries.iter().flat_map(|(key, value)| [&key[..], value].concat()).collect();
    [head(5, entries.len() as u64), content].concat()
}
