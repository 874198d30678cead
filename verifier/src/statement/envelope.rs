//! The envelope: a `COSE_Sign1` (RFC 9052 section 4.2) in deterministic CBOR (RFC 8949 section 4.2.1).
//!
//! Reading walks plain CBOR values and knows no header but the four it wants: a general COSE reader follows nested
//! counter signatures into ever deeper byte strings, and so can be made to exhaust the stack. Writing is left to
//! the COSE library, and what was read is written again and compared, so reader and writer check each other.
//! Statements as they should be are read by [`super::direct`] in one walk; whatever that does not take comes here.

use std::borrow::Cow;

use coset::cbor::value::{Integer, Value};
use coset::cwt::{ClaimsSet, Timestamp};
use coset::{
    AsCborValue as _, CborSerializable as _, ContentType, CoseSign1, Header, Label, ProtectedHeader,
    TaggedCborSerializable as _, iana,
};

use super::claims::{Claim, ClaimError, Claims, RawClaims};
use super::direct;
use super::excerpt::Excerpt;
use super::key::{KeyThumbprint, Signature};
use super::names::UnixSeconds;
use super::words::Kind;
use crate::strict::first_difference;

/// The longest statement, in bytes: what a C2SP tlog-tiles entry bundle can carry.
pub const MAX_STATEMENT: usize = 65_535;

/// The media type of payloads, around the kind.
pub(super) const TYPE_PREFIX: &str = "application/vnd.countersign.";
pub(super) const TYPE_SUFFIX: &str = "+json";

/// How deep the CBOR of a statement is nested, with some room for telling what is wrong with one that is not.
const CBOR_DEPTH: usize = 8;

/// Why bytes are not the envelope of a statement.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// Empty, or longer than an entry may be.
    #[error("the statement has {got} bytes, expected 1 to {MAX_STATEMENT}")]
    Size {
        /// The length found.
        got: usize,
    },
    /// Not CBOR at all.
    #[error("the {part} is not CBOR")]
    NotCbor {
        /// Which part of the statement.
        part: &'static str,
    },
    /// CBOR of another shape.
    #[error("the {part} is not what it has to be: expected {expected}")]
    Shape {
        /// Which part of the statement.
        part: &'static str,
        /// The shape it should have.
        expected: &'static str,
    },
    /// The same statement has another, deterministic encoding.
    #[error("not in deterministic CBOR: byte {at} is the first to differ from the deterministic encoding")]
    NotDeterministic {
        /// The first byte, from 0, that differs.
        at: usize,
    },
    /// An algorithm other than Ed25519.
    #[error("the algorithm (header 1) is {found}, expected -8 (EdDSA) or -19 (Ed25519)")]
    Algorithm {
        /// The value found.
        found: Excerpt,
    },
    /// A content type that no kind of statement has.
    #[error(
        "the content type (header 3) is {found}, expected {TYPE_PREFIX}<kind>{TYPE_SUFFIX} with a known kind"
    )]
    ContentType {
        /// The value found.
        found: Excerpt,
    },
    /// A claim is missing, surplus or wrong.
    #[error(transparent)]
    Claim(#[from] ClaimError),
}

impl EnvelopeError {
    /// The stable problem code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Size { .. } => "statement-size",
            Self::NotCbor { .. } | Self::Shape { .. } => "cose-malformed",
            Self::NotDeterministic { .. } => "cose-not-deterministic",
            Self::Algorithm { .. } => "algorithm-unknown",
            Self::ContentType { .. } => "kind-unknown",
            Self::Claim(error) => error.code(),
        }
    }
}

/// The names that COSE has for signing with Ed25519. They mean the same signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// -8, `EdDSA` (RFC 9053): what this project writes.
    EdDsa,
    /// -19, `Ed25519` (RFC 9864).
    Ed25519,
}

/// What an envelope holds, each part understood except the payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Envelope {
    pub(super) algorithm: Algorithm,
    pub(super) kind: Kind,
    pub(super) key_id: KeyThumbprint,
    pub(super) claims: Claims,
    pub(super) payload: Vec<u8>,
    pub(super) signature: Signature,
}

/// An envelope with the bytes that its signature is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Encoded {
    pub(super) bytes: Vec<u8>,
    pub(super) protected: Vec<u8>,
}

impl Envelope {
    /// Reads an envelope that is encoded deterministically, and nothing else.
    pub(super) fn parse(bytes: &[u8]) -> Result<(Self, Encoded), EnvelopeError> {
        direct::read(bytes).map_or_else(|| Self::judge(bytes), Ok)
    }

    /// The same by way of CBOR values, which can say what is wrong with bytes that are no envelope.
    pub(super) fn judge(bytes: &[u8]) -> Result<(Self, Encoded), EnvelopeError> {
        if bytes.is_empty() || bytes.len() > MAX_STATEMENT {
            return Err(EnvelopeError::Size { got: bytes.len() });
        }
        let (protected, payload, signature) = match read("statement", bytes)? {
            Value::Tag(TAG, content) => parts(*content)?,
            _ => return Err(shape("statement", "a COSE_Sign1 under CBOR tag 18")),
        };
        let (algorithm, kind, key_id, claims) = header(&protected)?;
        let envelope = Self { algorithm, kind, key_id, claims, payload, signature };
        let encoded = envelope.encode()?;
        match first_difference(&encoded.bytes, bytes) {
            None => Ok((envelope, encoded)),
            Some(at) => Err(EnvelopeError::NotDeterministic { at }),
        }
    }

    /// Writes the envelope.
    pub(super) fn encode(&self) -> Result<Encoded, EnvelopeError> {
        let encode = |()| -> Result<Encoded, coset::CoseError> {
            let protected = self.header()?.to_vec()?;
            let bytes = CoseSign1 {
                protected: verbatim(&protected),
                unprotected: Header::default(),
                payload: Some(self.payload.clone()),
                signature: self.signature.as_bytes().to_vec(),
            }
            .to_tagged_vec()?;
            Ok(Encoded { bytes, protected })
        };
        let encoded = encode(()).map_err(|_| shape("statement", "values that CBOR can carry"))?;
        if encoded.bytes.len() > MAX_STATEMENT {
            return Err(EnvelopeError::Size { got: encoded.bytes.len() });
        }
        Ok(encoded)
    }

    fn header(&self) -> Result<Header, coset::CoseError> {
        let Claims { issuer, subject, validity, issued_at, id } = &self.claims;
        let seconds = |time: UnixSeconds| i64::try_from(time.get()).map(Timestamp::WholeSeconds);
        let claims = ClaimsSet {
            issuer: Some(issuer.to_string()),
            subject: Some(subject.to_string()),
            audience: validity.as_ref().map(|validity| validity.audience.to_string()),
            expiration_time: validity.as_ref().map(|validity| seconds(validity.expires)).transpose()?,
            not_before: validity.as_ref().map(|validity| seconds(validity.not_before)).transpose()?,
            issued_at: Some(seconds(*issued_at)?),
            cwt_id: Some(id.to_vec()),
            rest: Vec::new(),
        };
        let algorithm = match self.algorithm {
            Algorithm::EdDsa => iana::Algorithm::EdDSA,
            Algorithm::Ed25519 => iana::Algorithm::Ed25519,
        };
        Ok(Header {
            alg: Some(coset::Algorithm::Assigned(algorithm)),
            content_type: Some(ContentType::Text(format!("{TYPE_PREFIX}{}{TYPE_SUFFIX}", self.kind))),
            key_id: self.key_id.as_bytes().to_vec(),
            rest: vec![(Label::Int(iana::HeaderParameter::CwtClaims as i64), claims.to_cbor_value()?)],
            ..Header::default()
        })
    }
}

impl Encoded {
    /// The bytes that are signed.
    pub(super) fn to_be_signed(&self, payload: &[u8]) -> Vec<u8> {
        direct::to_be_signed(&self.protected, payload)
    }
}

/// The tag of a `COSE_Sign1`.
const TAG: u64 = iana::CborTag::CoseSign1 as u64;

/// A protected header that is written as the bytes it is.
fn verbatim(protected: &[u8]) -> ProtectedHeader {
    ProtectedHeader { original_data: Some(protected.to_vec()), header: Header::default() }
}

const fn shape(part: &'static str, expected: &'static str) -> EnvelopeError {
    EnvelopeError::Shape { part, expected }
}

fn read(part: &'static str, mut bytes: &[u8]) -> Result<Value, EnvelopeError> {
    let value = coset::cbor::de::from_reader_with_recursion_limit(&mut bytes, CBOR_DEPTH)
        .map_err(|_| EnvelopeError::NotCbor { part })?;
    if bytes.is_empty() { Ok(value) } else { Err(shape(part, "no bytes after its end")) }
}

/// Takes the array apart: protected header, payload, signature.
fn parts(content: Value) -> Result<(Vec<u8>, Vec<u8>, Signature), EnvelopeError> {
    let items = content.into_array().ok().and_then(|items| <[Value; 4]>::try_from(items).ok());
    let Some([protected, unprotected, payload, signature]) = items else {
        return Err(shape("statement", "an array of four"));
    };
    let protected = protected.into_bytes().map_err(|_| shape("protected header", "a byte string"))?;
    if unprotected.as_map().is_none_or(|map| !map.is_empty()) {
        return Err(shape("unprotected header", "the empty map"));
    }
    let payload = payload.into_bytes().map_err(|_| shape("payload", "a byte string, never nil"))?;
    let signature = signature
        .into_bytes()
        .ok()
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| shape("signature", "a byte string of 64 bytes"))?;
    Ok((protected, payload, Signature::from_bytes(signature)))
}

fn header(protected: &[u8]) -> Result<(Algorithm, Kind, KeyThumbprint, Claims), EnvelopeError> {
    const EXPECTED: &str = "a map with exactly the keys 1, 3, 4 and 15, in this order";
    let map = read("protected header", protected)?.into_map();
    let entries = map.ok().and_then(|map| <[(Value, Value); 4]>::try_from(map).ok());
    let Some([(key_1, algorithm), (key_3, content_type), (key_4, key_id), (key_15, claims)]) = entries else {
        return Err(shape("protected header", EXPECTED));
    };
    if [key_1, key_3, key_4, key_15] != [1, 3, 4, 15].map(Value::from) {
        return Err(shape("protected header", EXPECTED));
    }
    let algorithm = match algorithm.as_integer().map(i128::from) {
        Some(-8) => Algorithm::EdDsa,
        Some(-19) => Algorithm::Ed25519,
        _ => return Err(EnvelopeError::Algorithm { found: excerpt(&algorithm) }),
    };
    let kind = content_type
        .as_text()
        .and_then(|text| text.strip_prefix(TYPE_PREFIX)?.strip_suffix(TYPE_SUFFIX)?.parse().ok())
        .ok_or_else(|| EnvelopeError::ContentType { found: excerpt(&content_type) })?;
    let key_id = key_id
        .into_bytes()
        .ok()
        .and_then(|bytes| bytes.try_into().ok())
        .map(KeyThumbprint::from_bytes)
        .ok_or_else(|| {
            shape("kid (header 4)", "a byte string of 32 bytes, the RFC 9679 SHA-256 thumbprint")
        })?;
    let claims = raw_claims(&claims)?.check(kind)?;
    Ok((algorithm, kind, key_id, claims))
}

fn raw_claims(claims: &Value) -> Result<RawClaims<'_>, EnvelopeError> {
    const EXPECTED: &str = "a map with keys from 1 to 7, ascending";
    let entries = claims.as_map().ok_or_else(|| shape("CWT claims (header 15)", EXPECTED))?;
    let mut raw = RawClaims::default();
    for (key, value) in entries {
        match key.as_integer().map(i128::from) {
            Some(1) => raw.iss = Some(text(Claim::Iss, value)?),
            Some(2) => raw.sub = Some(text(Claim::Sub, value)?),
            Some(3) => raw.aud = Some(text(Claim::Aud, value)?),
            Some(4) => raw.exp = Some(seconds(Claim::Exp, value)?),
            Some(5) => raw.nbf = Some(seconds(Claim::Nbf, value)?),
            Some(6) => raw.iat = Some(seconds(Claim::Iat, value)?),
            Some(7) => raw.cti = Some(id(value)?),
            _ => return Err(shape("CWT claims (header 15)", EXPECTED)),
        }
    }
    Ok(raw)
}

fn text(claim: Claim, value: &Value) -> Result<Cow<'_, str>, ClaimError> {
    value.as_text().map(Cow::Borrowed).ok_or_else(|| ClaimError::Invalid {
        claim,
        found: excerpt(value),
        expected: "a text string",
    })
}

fn seconds(claim: Claim, value: &Value) -> Result<UnixSeconds, ClaimError> {
    value
        .as_integer()
        .and_then(|integer| u64::try_from(integer).ok())
        .and_then(UnixSeconds::new)
        .ok_or_else(|| ClaimError::Invalid { claim, found: excerpt(value), expected: UnixSeconds::EXPECTED })
}

fn id(value: &Value) -> Result<[u8; super::claims::ID_LENGTH], ClaimError> {
    value.as_bytes().and_then(|bytes| bytes.as_slice().try_into().ok()).ok_or_else(|| ClaimError::Invalid {
        claim: Claim::Cti,
        found: excerpt(value),
        expected: "a byte string of 16 bytes",
    })
}

/// Quotes a CBOR value for a message.
fn excerpt(value: &Value) -> Excerpt {
    match value {
        Value::Integer(integer) => Excerpt::of_json(&integer_as_json(*integer)),
        Value::Text(text) => Excerpt::of_text(text),
        Value::Bytes(bytes) => Excerpt::of_text(&format!("{} bytes", bytes.len())),
        _ => Excerpt::of_text("another CBOR type"),
    }
}

fn integer_as_json(integer: Integer) -> serde_json::Value {
    let number = i128::from(integer);
    i64::try_from(number).map_or_else(|_| format!("{number}").into(), serde_json::Value::from)
}
