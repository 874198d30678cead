//! The keys that sign notes.

use core::fmt;
use core::str::FromStr;

use ed25519_dalek::{Signer as _, SigningKey};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::ed25519::{PublicKey, PublicKeyError};
use crate::strict;

const ML_DSA_44_PUBLIC_KEY_LENGTH: usize = 1312;
const SIGNING_KEY_PREFIX: &str = "PRIVATE+KEY+";

/// Why a text is not a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not of the form `<name>+<8 hex digits>+<base64>`.
    #[error("expected <name>+<8 lowercase hex digits>+<base64>")]
    Form,
    /// Not of the form `PRIVATE+KEY+<name>+<8 hex digits>+<base64>`.
    #[error("expected PRIVATE+KEY+<name>+<8 lowercase hex digits>+<base64>")]
    PrivateForm,
    /// A key name that signed-note does not allow.
    #[error("a key name is not empty and has no white space and no plus sign")]
    Name,
    /// A key of a type that is not known here.
    #[error("key type 0x{0:02x} is not one of 0x01, 0x04 and 0x06")]
    Type(u8),
    /// Another length than the type has.
    #[error("a key of type 0x{kind:02x} has {want} bytes, this one has {got}")]
    Length {
        /// The type byte.
        kind: u8,
        /// The length of keys of this type.
        want: usize,
        /// The length found.
        got: usize,
    },
    /// The key id in the text is not that of the key.
    #[error("the text says key id {stated}, the key has {computed}")]
    Id {
        /// What the text says.
        stated: KeyId,
        /// What follows from name, type and key.
        computed: KeyId,
    },
    /// The bytes are no public key.
    #[error(transparent)]
    Point(#[from] PublicKeyError),
}

/// A key name (signed-note): not empty, no Unicode white space, no `+`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct KeyName(String);

impl KeyName {
    /// Takes up a name.
    pub fn new(name: &str) -> Result<Self, KeyError> {
        if name.is_empty() || name.chars().any(|c| c.is_whitespace() || c == '+') {
            return Err(KeyError::Name);
        }
        Ok(Self(name.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The first four bytes of `SHA-256(name || 0x0A || type || public key)`: with the name, it names key and algorithm.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; 4]);

impl KeyId {
    /// The id in the bytes of a signature line.
    pub const fn from_bytes(bytes: [u8; 4]) -> Self {
        Self(bytes)
    }

    /// The four bytes.
    pub const fn as_bytes(&self) -> &[u8; 4] {
        &self.0
    }

    fn of(name: &KeyName, kind: KeyKind, material: &[u8]) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(name.as_str());
        hasher.update([b'\n', kind.byte()]);
        hasher.update(material);
        let digest: [u8; 32] = hasher.finalize().into();
        let [a, b, c, d, ..] = digest;
        Self([a, b, c, d])
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

/// The algorithm, and what a signature by it states.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum KeyKind {
    /// 0x01: Ed25519 over the note text. Logs sign with it.
    Ed25519,
    /// 0x04: Ed25519 over a timestamped checkpoint. Witnesses sign with it.
    CosignatureV1,
    /// 0x06: ML-DSA-44 over a timestamped checkpoint. Such keys are read, their signatures are not checked.
    MlDsa44,
}

impl KeyKind {
    /// The type byte.
    pub const fn byte(self) -> u8 {
        match self {
            Self::Ed25519 => 0x01,
            Self::CosignatureV1 => 0x04,
            Self::MlDsa44 => 0x06,
        }
    }
}

/// A key to verify by (vkey).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VerifierKey {
    name: KeyName,
    id: KeyId,
    kind: KeyKind,
    material: Vec<u8>,
    /// `None` for the algorithms that are not checked here.
    ed25519: Option<PublicKey>,
}

impl VerifierKey {
    /// The key `public_key` under `name`, for notes (0x01) or for cosignatures (0x04).
    pub fn ed25519(name: KeyName, cosigner: bool, public_key: PublicKey) -> Self {
        let kind = if cosigner { KeyKind::CosignatureV1 } else { KeyKind::Ed25519 };
        let material = public_key.as_bytes().to_vec();
        Self { id: KeyId::of(&name, kind, &material), name, kind, material, ed25519: Some(public_key) }
    }

    /// The key name. For a log it is the origin.
    pub fn name(&self) -> &KeyName {
        &self.name
    }

    /// The key id.
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// The algorithm.
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The raw key, without type byte.
    pub fn material(&self) -> &[u8] {
        &self.material
    }

    /// The key when it is one for Ed25519.
    pub fn public_key(&self) -> Option<&PublicKey> {
        self.ed25519.as_ref()
    }
}

impl FromStr for VerifierKey {
    type Err = KeyError;

    /// Reads a vkey, recomputing its key id.
    fn from_str(text: &str) -> Result<Self, KeyError> {
        let (name, stated, kind, material) = split(text).ok_or(KeyError::Form)?;
        let name = KeyName::new(name)?;
        let (kind, want) = match kind {
            0x01 => (KeyKind::Ed25519, 32),
            0x04 => (KeyKind::CosignatureV1, 32),
            0x06 => (KeyKind::MlDsa44, ML_DSA_44_PUBLIC_KEY_LENGTH),
            other => return Err(KeyError::Type(other)),
        };
        if material.len() != want {
            return Err(KeyError::Length { kind: kind.byte(), want, got: material.len() });
        }
        let computed = KeyId::of(&name, kind, &material);
        if stated != computed {
            return Err(KeyError::Id { stated, computed });
        }
        let ed25519 = match kind {
            KeyKind::MlDsa44 => None,
            KeyKind::Ed25519 | KeyKind::CosignatureV1 => Some(PublicKey::from_bytes(&material)?),
        };
        Ok(Self { name, id: computed, kind, material: material.to_vec(), ed25519 })
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut typed = vec![self.kind.byte()];
        typed.extend_from_slice(&self.material);
        write!(f, "{}+{}+{}", self.name, self.id, strict::to_base64(&typed))
    }
}

/// A key to sign with: an Ed25519 key under a name, for notes or for cosignatures. Erased from memory when dropped.
pub struct NoteSigner {
    verifier: VerifierKey,
    key: SigningKey,
}

impl NoteSigner {
    /// The key that follows from `seed`, for notes (0x01) or, when `cosigner`, for cosignatures (0x04).
    pub fn from_seed(name: KeyName, cosigner: bool, seed: &[u8; 32]) -> Self {
        let key = SigningKey::from_bytes(seed);
        Self { verifier: VerifierKey::ed25519(name, cosigner, PublicKey::from(&key)), key }
    }

    /// Reads `PRIVATE+KEY+<name>+<key id of the public key>+<base64 of type and seed>`.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let (name, stated, kind, seed) =
            text.strip_prefix(SIGNING_KEY_PREFIX).and_then(split).ok_or(KeyError::PrivateForm)?;
        let cosigner = match kind {
            0x01 => false,
            0x04 => true,
            other => return Err(KeyError::Type(other)),
        };
        let got = seed.len();
        let seed: &[u8; 32] =
            seed.as_slice().try_into().map_err(|_| KeyError::Length { kind, want: 32, got })?;
        let signer = Self::from_seed(KeyName::new(name)?, cosigner, seed);
        let computed = signer.verifier.id;
        if stated == computed { Ok(signer) } else { Err(KeyError::Id { stated, computed }) }
    }

    /// The text that [`NoteSigner::parse`] reads: a secret, for a file that only its owner can read.
    pub fn to_secret_text(&self) -> Zeroizing<String> {
        let mut typed = Zeroizing::new([0; 33]);
        let (kind, seed) = typed.split_at_mut(1);
        kind.copy_from_slice(&[self.verifier.kind.byte()]);
        seed.copy_from_slice(self.key.as_bytes());
        let secret = Zeroizing::new(strict::to_base64(&*typed));
        let VerifierKey { name, id, .. } = &self.verifier;
        let public = format!("{SIGNING_KEY_PREFIX}{name}+{id}+");
        // With room for all of it, so that no copy is left behind when it grows.
        let mut text = Zeroizing::new(String::with_capacity(public.len().saturating_add(secret.len())));
        text.push_str(&public);
        text.push_str(&secret);
        text
    }

    /// The public half.
    pub fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.key.sign(message).to_bytes()
    }
}

impl fmt::Debug for NoteSigner {
    /// Never shows the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NoteSigner({})", self.verifier)
    }
}

/// Splits `<name>+<id>+<base64>` at its first two plus signs: base64 may have more of them.
fn split(text: &str) -> Option<(&str, KeyId, u8, Zeroizing<Vec<u8>>)> {
    let mut parts = text.splitn(3, '+');
    let (name, id, typed) = (parts.next()?, parts.next()?, parts.next()?);
    let id = strict::from_lower_hex(id).and_then(|bytes| <[u8; 4]>::try_from(bytes).ok())?;
    let typed = Zeroizing::new(strict::from_base64(typed)?);
    let (kind, material) = typed.split_first()?;
    Some((name, KeyId(id), *kind, Zeroizing::new(material.to_vec())))
}
