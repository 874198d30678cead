//! The values that members of payloads have.

use std::collections::BTreeSet;

use serde::Serialize;
use serde::ser::SerializeMap as _;
use serde_json::{Map, Value};

use super::claims::{ORIGIN_EXPECTED, origin};
use super::member::{FromMember, MemberError, Object, from_text, invalid};
use super::names::UnixSeconds;
use super::pointer::Path;
use crate::checkpoint::Origin;
use crate::ed25519::PublicKey;
use crate::merkle::{LeafHash, RootHash, TreeSize};
use crate::strict;

/// A SHA-256 digest, `{"sha256": "<64 lowercase hex digits>"}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sha256Digest([u8; 32]);

impl Sha256Digest {
    /// Takes 32 bytes at their word.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl Serialize for Sha256Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry("sha256", &hex::encode(self.0))?;
        map.end()
    }
}

impl FromMember for Sha256Digest {
    const EXPECTED: &'static str = "an object with the one member sha256, 64 lowercase hex digits";

    fn from_member(value: Value, path: &Path<'_>) -> Result<Self, MemberError> {
        let mut object = Object::from_value(value, path, Self::EXPECTED)?;
        let Hex32(bytes) = object.required("sha256")?;
        object.finish()?;
        Ok(Self(bytes))
    }
}

/// 32 bytes in lowercase hex.
struct Hex32([u8; 32]);

impl FromMember for Hex32 {
    const EXPECTED: &'static str = "64 lowercase hex digits";

    fn from_member(value: Value, path: &Path<'_>) -> Result<Self, MemberError> {
        let bytes = value.as_str().and_then(strict::from_lower_hex).and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or_else(|| invalid(&value, path, Self::EXPECTED))
    }
}

/// A value, or its SHA-256 in its place when it is private or large.
///
/// An object whose one member is `sha256` is a digest, wherever it stands in place of a value. It says nothing about
/// the value's form: that is between those who know the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Material<T> {
    /// The value itself.
    Disclosed(T),
    /// The digest of a value that is kept elsewhere.
    Withheld(Sha256Digest),
}

impl<T> Material<T> {
    /// The value, unless it is withheld.
    pub const fn disclosed(&self) -> Option<&T> {
        match self {
            Self::Disclosed(value) => Some(value),
            Self::Withheld(_) => None,
        }
    }
}

impl<T: Serialize> Serialize for Material<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Disclosed(value) => value.serialize(serializer),
            Self::Withheld(digest) => digest.serialize(serializer),
        }
    }
}

impl<T: FromMember> FromMember for Material<T> {
    const EXPECTED: &'static str = T::EXPECTED;

    fn from_member(value: Value, path: &Path<'_>) -> Result<Self, MemberError> {
        let is_digest =
            value.as_object().is_some_and(|members| members.len() == 1 && members.contains_key("sha256"));
        if is_digest {
            Sha256Digest::from_member(value, path).map(Self::Withheld)
        } else {
            T::from_member(value, path).map(Self::Disclosed)
        }
    }
}

/// A free-form object: the log checks that it is strict JSON and nothing else.
pub type FreeForm = Material<Map<String, Value>>;

impl FromMember for Map<String, Value> {
    const EXPECTED: &'static str = "an object";

    fn from_member(value: Value, path: &Path<'_>) -> Result<Self, MemberError> {
        match value {
            Value::Object(members) => Ok(members),
            other => Err(invalid(&other, path, Self::EXPECTED)),
        }
    }
}

impl FromMember for Value {
    const EXPECTED: &'static str = "any JSON value";

    fn from_member(value: Value, _: &Path<'_>) -> Result<Self, MemberError> {
        Ok(value)
    }
}

impl FromMember for String {
    const EXPECTED: &'static str = "a text that is not empty";

    fn from_member(value: Value, path: &Path<'_>) -> Result<Self, MemberError> {
        match value {
            Value::String(text) if !text.is_empty() => Ok(text),
            other => Err(invalid(&other, path, Self::EXPECTED)),
        }
    }
}

impl FromMember for i64 {
    const EXPECTED: &'static str = "an integer";

    fn from_member(value: Value, path: &Path<'_>) -> Result<Self, MemberError> {
        value.as_i64().ok_or_else(|| invalid(&value, path, Self::EXPECTED))
    }
}

impl FromMember for UnixSeconds {
    const EXPECTED: &'static str = Self::EXPECTED;

    fn from_member(value: Value, path: &Path<'_>) -> Result<Self, MemberError> {
        value.as_u64().and_then(Self::new).ok_or_else(|| invalid(&value, path, Self::EXPECTED))
    }
}

impl FromMember for core::num::NonZeroU64 {
    const EXPECTED: &'static str = "a positive integer";

    fn from_member(value: Value, path: &Path<'_>) -> Result<Self, MemberError> {
        value.as_u64().and_then(Self::new).ok_or_else(|| invalid(&value, path, Self::EXPECTED))
    }
}

impl FromMember for TreeSize {
    const EXPECTED: &'static str = "a tree size, an integer from 0 to 2^53-1";

    fn from_member(value: Value, path: &Path<'_>) -> Result<Self, MemberError> {
        value.as_u64().and_then(Self::new).ok_or_else(|| invalid(&value, path, Self::EXPECTED))
    }
}

impl FromMember for RootHash {
    const EXPECTED: &'static str = "a root as in a checkpoint, the standard base64 of 32 bytes";

    fn from_member(value: Value, path: &Path<'_>) -> Result<Self, MemberError> {
        let root = value.as_str().and_then(|text| Self::from_base64(text).ok());
        root.ok_or_else(|| invalid(&value, path, Self::EXPECTED))
    }
}

impl FromMember for LeafHash {
    const EXPECTED: &'static str = "an entry id, 64 lowercase hex digits";

    fn from_member(value: Value, path: &Path<'_>) -> Result<Self, MemberError> {
        from_text(&value, path, Self::EXPECTED)
    }
}

impl FromMember for PublicKey {
    const EXPECTED: &'static str =
        "the standard base64 of an Ed25519 public key, canonical and not of small order";

    fn from_member(value: Value, path: &Path<'_>) -> Result<Self, MemberError> {
        let key =
            value.as_str().and_then(strict::from_base64).and_then(|bytes| Self::from_bytes(&bytes).ok());
        key.ok_or_else(|| invalid(&value, path, Self::EXPECTED))
    }
}

impl FromMember for Origin {
    const EXPECTED: &'static str = ORIGIN_EXPECTED;

    fn from_member(value: Value, path: &Path<'_>) -> Result<Self, MemberError> {
        value.as_str().and_then(origin).ok_or_else(|| invalid(&value, path, Self::EXPECTED))
    }
}

impl<T: FromMember> FromMember for Vec<T> {
    const EXPECTED: &'static str = "an array";

    fn from_member(value: Value, path: &Path<'_>) -> Result<Self, MemberError> {
        match value {
            Value::Array(items) => items
                .into_iter()
                .enumerate()
                .map(|(at, item)| T::from_member(item, &Path::Item(path, at)))
                .collect(),
            other => Err(invalid(&other, path, Self::EXPECTED)),
        }
    }
}

/// Texts in ascending order (by code point), each once: a set has one spelling only.
impl FromMember for BTreeSet<String> {
    const EXPECTED: &'static str = "an array of texts in ascending order, each once";

    fn from_member(value: Value, path: &Path<'_>) -> Result<Self, MemberError> {
        let refused = invalid(&value, path, Self::EXPECTED);
        let texts = Vec::<String>::from_member(value, path)?;
        if texts.is_sorted_by(|left, right| left < right) {
            Ok(texts.into_iter().collect())
        } else {
            Err(refused)
        }
    }
}

/// Serializes a key as members carry it.
pub(super) fn key_as_base64<S: serde::Serializer>(key: &PublicKey, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&strict::to_base64(key.as_bytes()))
}

/// Serializes an origin as a text.
pub(super) fn origin_as_text<S: serde::Serializer>(
    origin: &Origin,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(origin.as_str())
}
