//! How a statement names the key that signed it, and the signature itself.

use core::fmt;

use sha2::{Digest, Sha256};

use crate::ed25519::{PublicKey, SIGNATURE_LENGTH};
use crate::strict;

/// The RFC 9679 SHA-256 thumbprint of the `COSE_Key` `{1: 1, -1: 6, -2: x}` of an Ed25519 key: the `kid` of
/// statements.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyThumbprint([u8; 32]);

impl KeyThumbprint {
    /// The thumbprint of a key.
    pub fn of(key: &PublicKey) -> Self {
        let mut hasher = Sha256::new();
        // The deterministic CBOR of the COSE_Key up to the 32 bytes of x.
        hasher.update([0xa3, 0x01, 0x01, 0x20, 0x06, 0x21, 0x58, 0x20]);
        hasher.update(key.as_bytes());
        Self(hasher.finalize().into())
    }

    /// Takes 32 bytes at their word: nothing says that a key with this thumbprint exists.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for KeyThumbprint {
    /// 64 lowercase hex digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for KeyThumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyThumbprint({self})")
    }
}

/// The 64 bytes of an Ed25519 signature, not checked against anything.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature([u8; SIGNATURE_LENGTH]);

impl Signature {
    /// What stands in place of the signature while a statement is not signed yet. It verifies under no key.
    pub const ABSENT: Self = Self([0; SIGNATURE_LENGTH]);

    /// Takes 64 bytes at their word.
    pub const fn from_bytes(bytes: [u8; SIGNATURE_LENGTH]) -> Self {
        Self(bytes)
    }

    /// The 64 bytes, R then S (RFC 8032 section 5.1.6).
    pub const fn as_bytes(&self) -> &[u8; SIGNATURE_LENGTH] {
        &self.0
    }

    /// Reads canonical standard base64 of 64 bytes.
    pub fn from_base64(text: &str) -> Option<Self> {
        strict::from_base64(text).and_then(|bytes| bytes.try_into().ok()).map(Self)
    }

    /// Standard base64.
    pub fn to_base64(&self) -> String {
        strict::to_base64(&self.0)
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({})", self.to_base64())
    }
}
