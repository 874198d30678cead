//! Ed25519 (RFC 8032), verified strictly, for notes and statements alike.
//!
//! RFC 8032 leaves corners in which implementations disagree: points of small order and points with a second
//! spelling. An honest signer never meets them; here they are refused, so that two verifiers never part ways.

use core::fmt;

use ed25519_dalek::{Signature, Verifier as _, VerifyingKey};

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
        // Strict verification takes the point of the signature apart to see whether it is of small order. But the
        // ordinary one compares bytes with the canonical encoding of a point that it computes, so a point of small
        // order can only come in one of eight spellings; and that the key is none, it said when it was read.
        if signature.first_chunk().is_none_or(|point| SMALL_ORDER.contains(point)) {
            return Err(BadSignature);
        }
        self.0.verify(message, &Signature::from_bytes(signature)).map_err(|_| BadSignature)
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

/// The canonical encodings of the eight points of small order.
const SMALL_ORDER: [[u8; 32]; 8] = {
    /// Two of order eight, but for the sign of x in the highest bit.
    const EIGHT: [[u8; 32]; 2] = [
        *b"\x26\xe8\x95\x8f\xc2\xb2\x27\xb0\x45\xc3\xf4\x89\xf2\xef\x98\xf0\xd5\xdf\xac\x05\xd3\xc6\x33\x39\xb1\x38\x02\x88\x6d\x53\xfc\x05",
        *b"\xc7\x17\x6a\x70\x3d\x4d\xd8\x4f\xba\x3c\x0b\x76\x0d\x10\x67\x0f\x2a\x20\x53\xfa\x2c\x39\xcc\xc6\x4e\xc7\xfd\x77\x92\xac\x03\x7a",
    ];
    let mut points = [[0; 32], [0; 32], [0; 32], [0xff; 32], EIGHT[0], EIGHT[0], EIGHT[1], EIGHT[1]];
    // y = 0 (of order four, with either sign of x), y = 1 (the identity), y = p - 1 (of order two).
    points[1][31] = 0x80;
    points[2][0] = 1;
    points[3][0] = 0xec;
    points[3][31] = 0x7f;
    points[5][31] |= 0x80;
    points[7][31] |= 0x80;
    points
};

/// Whether the y coordinate is below the field prime `2^255 - 19`. (Points with two spellings of the sign of x are
/// of small order, and are refused as such.)
fn is_canonical(point: &[u8; 32]) -> bool {
    let [lowest, middle @ .., highest] = point;
    !(*lowest >= 0xed && *highest | 0x80 == 0xff && middle.iter().all(|byte| *byte == 0xff))
}

#[cfg(test)]
mod tests {
    use super::*;
    use curve25519_dalek::constants::EIGHT_TORSION;
    use curve25519_dalek::{EdwardsPoint, Scalar};
    use ed25519_dalek::{Signer as _, SigningKey};
    use sha2::{Digest as _, Sha512};

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

    /// The scalar of a key, and the challenge of a signature with the point `r`.
    fn scalars(key: &SigningKey, r: &[u8; 32], public: &[u8; 32], message: &[u8]) -> [Scalar; 2] {
        let challenge = Sha512::new().chain_update(r).chain_update(public).chain_update(message).finalize();
        [key.to_scalar(), Scalar::from_bytes_mod_order_wide(&challenge.into())]
    }

    #[test]
    fn signatures_are_judged_as_strict_verification_judges_them() {
        let (mut accepted, mut forged) = (0, 0);
        for seed in 0..4 {
            let key = SigningKey::from_bytes(&[seed; 32]);
            // A key may have a part of small order, which whoever made it knows how to use.
            for torsion in EIGHT_TORSION {
                let point = (EdwardsPoint::mul_base(&key.to_scalar()) + torsion).compress().to_bytes();
                let public = PublicKey::from_bytes(&point).unwrap();
                for (number, r) in (0_u8..80).zip(SMALL_ORDER.iter().cycle()) {
                    let message = [seed, number];
                    let [secret, challenge] = scalars(&key, r, &point, &message);
                    let signature = [*r, (challenge * secret).to_bytes()].concat().try_into().unwrap();
                    let strict = public.0.verify_strict(&message, &Signature::from_bytes(&signature));
                    assert_eq!(public.verify(&message, &signature).is_ok(), strict.is_ok());
                    accepted += usize::from(public.verify(&message, &signature).is_ok());
                    forged +=
                        usize::from(public.0.verify(&message, &Signature::from_bytes(&signature)).is_ok());
                }
            }
        }
        assert!(forged > 100, "these are signatures to a verifier that is not strict: {forged}");
        assert_eq!(accepted, 0);
        let known: Vec<[u8; 32]> = EIGHT_TORSION.iter().map(|point| point.compress().to_bytes()).collect();
        assert!(SMALL_ORDER.iter().all(|point| known.contains(point)));
        assert_eq!(SMALL_ORDER.iter().collect::<std::collections::HashSet<_>>().len(), known.len());
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
