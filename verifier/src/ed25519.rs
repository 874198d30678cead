//! Ed25519 (RFC 8032), verified strictly, for notes and statements alike.
//!
//! RFC 8032 leaves corners in which implementations disagree: points of small order and points with a second
//! spelling. An honest signer never meets them; here they are refused, so that two verifiers never part ways.

use core::fmt;

use ed25519_dalek::{Signature, VerifyingKey};

/// The length of a public key, in bytes.
pub const PUBLIC_KEY_LENGTH: usize = 32;
/// The length of a signature, in bytes.
pub const SIGNATURE_LENGTH: usize = 64;

/// Why bytes are not a public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PublicKeyError {
    /// Another number of bytes than 32.
    #[error("an Ed25519 public key has 32 bytes, this one has {0}")]
    Length(usize),
    /// Not the canonical encoding of a point of the curve.
    #[error("the 32 bytes are not the canonical encoding of a point of the curve")]
    NotAPoint,
    /// A point of small order, for which a signature proves nothing.
    #[error("the key is a point of small order, for which signatures prove nothing")]
    SmallOrder,
}

/// The signature is not one by this key over these bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not verify")]
pub struct BadSignature;

/// A public key that signatures can be judged by: a canonically encoded point that is not of small order.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// Reads the 32 bytes of a key.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PublicKeyError> {
        let bytes: &[u8; PUBLIC_KEY_LENGTH] =
            bytes.try_into().map_err(|_| PublicKeyError::Length(bytes.len()))?;
        if !is_canonical(bytes) {
            return Err(PublicKeyError::NotAPoint);
        }
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| PublicKeyError::NotAPoint)?;
        if key.is_weak() { Err(PublicKeyError::SmallOrder) } else { Ok(Self(key)) }
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; PUBLIC_KEY_LENGTH] {
        self.0.as_bytes()
    }

    /// Checks that `signature` is one by this key over exactly `message`.
    pub fn verify(&self, message: &[u8], signature: &[u8; SIGNATURE_LENGTH]) -> Result<(), BadSignature> {
        if signature.first_chunk().is_none_or(|point| !is_canonical(point)) {
            return Err(BadSignature);
        }
        self.0.verify_strict(message, &Signature::from_bytes(signature)).map_err(|_| BadSignature)
    }
}

impl From<&ed25519_dalek::SigningKey> for PublicKey {
    /// The public half of a signing key. No seed leads to a point of small order: clamping excludes it.
    fn from(key: &ed25519_dalek::SigningKey) -> Self {
        Self(key.verifying_key())
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", hex::encode(self.as_bytes()))
    }
}

/// Whether the y coordinate is below the field prime `2^255 - 19`. (Points with two spellings of the sign of x are
/// of small order, and are refused as such.)
fn is_canonical(point: &[u8; 32]) -> bool {
    let [lowest, middle @ .., highest] = point;
    !(*lowest >= 0xed && *highest | 0x80 == 0xff && middle.iter().all(|byte| *byte == 0xff))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::{Signer as _, SigningKey};

    #[test]
    fn keys_of_small_order_and_second_spellings_are_refused() {
        let mut identity = [0; 32];
        identity[0] = 1;
        assert_eq!(PublicKey::from_bytes(&identity), Err(PublicKeyError::SmallOrder));
        assert_eq!(PublicKey::from_bytes(&[0; 32]), Err(PublicKeyError::SmallOrder));
        // y = p + 1 spells the identity a second time; y = p + 3 spells an ordinary point a second time.
        for lowest in [0xee, 0xf0] {
            let mut second = [0xff; 32];
            second[0] = lowest;
            second[31] = 0x7f;
            assert_eq!(PublicKey::from_bytes(&second), Err(PublicKeyError::NotAPoint));
        }
        assert_eq!(PublicKey::from_bytes(&[1; 31]), Err(PublicKeyError::Length(31)));
    }

    #[test]
    fn only_the_signature_of_the_key_over_the_message_verifies() {
        let key = SigningKey::from_bytes(&[7; 32]);
        let public = PublicKey::from(&key);
        let signature = key.sign(b"message").to_bytes();
        assert_eq!(public.verify(b"message", &signature), Ok(()));
        assert_eq!(public.verify(b"massage", &signature), Err(BadSignature));
        for at in 0..SIGNATURE_LENGTH {
            let mut changed = signature;
            changed[at] ^= 0x10;
            assert_eq!(public.verify(b"message", &changed), Err(BadSignature), "byte {at}");
        }
        assert_eq!(public.verify(b"message", &[0; 64]), Err(BadSignature));
    }
}
