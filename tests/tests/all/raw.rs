//! Statements byte by byte, for those that no library would make.

use countersign_tests::statements::{Issuer, random};
use countersign_verifier::statement::{KeyThumbprint, UnixSeconds};
use ed25519_dalek::Signer as _;

/// The parts of a statement, each of which can be wrong.
pub(crate) struct Raw {
    pub(crate) tag: Vec<u8>,
    pub(crate) algorithm: Vec<u8>,
    pub(crate) content_type: String,
    pub(crate) kid: Vec<u8>,
    pub(crate) claims: Vec<(u8, Vec<u8>)>,
    pub(crate) unprotected: Vec<u8>,
    pub(crate) payload: Vec<u8>,
    pub(crate) trailing: Vec<u8>,
}

impl Raw {
    /// A well-formed intent.
    pub(crate) fn intent(issuer: &Issuer, now: UnixSeconds) -> Self {
        let payload =
            br#"{"action":{"name":"read"},"resource":{"id":"a","type":"b"},"subject":{"id":"c","type":"d"}}"#;
        Self {
            tag: vec![0xd2],
            algorithm: vec![0x27],
            content_type: "application/vnd.countersign.intent+json".to_owned(),
            kid: KeyThumbprint::of(issuer.public_key()).as_bytes().to_vec(),
            claims: vec![
                (1, text(issuer.name().as_str())),
                (2, text("test:raw")),
                (6, unsigned(now.get())),
                (7, bytes(&random::<16>().unwrap())),
            ],
            unprotected: vec![0xa0],
            payload: payload.to_vec(),
            trailing: Vec::new(),
        }
    }

    /// Sets a claim, already encoded.
    pub(crate) fn claim(mut self, key: u8, value: Vec<u8>) -> Self {
        self.claims.retain(|(claim, _)| *claim != key);
        self.claims.push((key, value));
        self.claims.sort_by_key(|(claim, _)| *claim);
        self
    }

    /// Signs it as it is.
    pub(crate) fn sign(&self, issuer: &Issuer) -> Vec<u8> {
        let mut protected = vec![0xa4, 0x01];
        protected.extend(&self.algorithm);
        protected.push(0x03);
        protected.extend(text(&self.content_type));
        protected.push(0x04);
        protected.extend(bytes(&self.kid));
        protected.push(0x0f);
        protected.push(0xa0 | u8::try_from(self.claims.len()).unwrap());
        for (key, value) in &self.claims {
            protected.push(*key);
            protected.extend(value);
        }
        let mut to_be_signed = vec![0x84];
        to_be_signed.extend(text("Signature1"));
        to_be_signed.extend(bytes(&protected));
        to_be_signed.extend(bytes(&[]));
        to_be_signed.extend(bytes(&self.payload));
        let signature = issuer.key().sign(&to_be_signed).to_bytes();
        let mut statement = self.tag.clone();
        statement.push(0x84);
        statement.extend(bytes(&protected));
        statement.extend(&self.unprotected);
        statement.extend(bytes(&self.payload));
        statement.extend(bytes(&signature));
        statement.extend(&self.trailing);
        statement
    }
}

/// A text in deterministic CBOR.
pub(crate) fn text(text: &str) -> Vec<u8> {
    let mut encoded = head(0x60, text.len() as u64);
    encoded.extend(text.as_bytes());
    encoded
}

/// Bytes in deterministic CBOR.
pub(crate) fn bytes(bytes: &[u8]) -> Vec<u8> {
    let mut encoded = head(0x40, bytes.len() as u64);
    encoded.extend(bytes);
    encoded
}

/// A number in deterministic CBOR.
pub(crate) fn unsigned(number: u64) -> Vec<u8> {
    head(0, number)
}

fn head(major: u8, number: u64) -> Vec<u8> {
    let bytes = number.to_be_bytes();
    match number {
        0..=23 => vec![major | bytes[7]],
        24..=0xff => vec![major | 0x18, bytes[7]],
        0x100..=0xffff => [&[major | 0x19], &bytes[6..]].concat(),
        0x1_0000..=0xffff_ffff => [&[major | 0x1a], &bytes[4..]].concat(),
        _ => [&[major | 0x1b], &bytes[..]].concat(),
    }
}
