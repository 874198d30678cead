//! Leaf, node and root hashes.

use core::fmt;
use core::str::FromStr;

use sha2::{Digest, Sha256};

use crate::strict;

/// Why a text is not a hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HashError {
    /// The text is not 64 lowercase hex digits.
    #[error("expected 64 lowercase hex digits")]
    NotHex,
    /// The text is not the canonical base64 of 32 bytes.
    #[error("expected the standard base64 of 32 bytes (44 characters)")]
    NotBase64,
}

macro_rules! hash_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 32]);

        impl $name {
            /// Takes 32 bytes at their word: nothing is proven about them.
            pub const fn from_bytes(bytes: [u8; 32]) -> Self {
                Self(bytes)
            }

            /// The 32 bytes.
            pub const fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }

            /// The 44 characters of standard base64 that notes and proofs carry.
            pub fn to_base64(&self) -> String {
                strict::to_base64(&self.0)
            }

            /// Writes the 44 characters of standard base64 to the end of a text.
            pub fn push_base64(&self, text: &mut String) {
                strict::push_base64(&self.0, text);
            }

            /// Reads 44 characters of canonical standard base64.
            pub fn from_base64(text: &str) -> Result<Self, HashError> {
                strict::from_base64(text)
                    .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok())
                    .map(Self)
                    .ok_or(HashError::NotBase64)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(strict::to_lower_hex(&self.0, &mut [0; 64]))
            }
        }

        impl FromStr for $name {
            type Err = HashError;

            fn from_str(text: &str) -> Result<Self, HashError> {
                strict::from_lower_hex(text)
                    .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok())
                    .map(Self)
                    .ok_or(HashError::NotHex)
            }
        }
    };
}

hash_type! {
    /// The hash of one entry: `SHA-256(0x00 || entry)`. In 64 lowercase hex digits it is the **entry id**, the
    /// name of the entry in references and in URLs.
    LeafHash
}

hash_type! {
    /// The hash of any node below the root, leaves included: `SHA-256(0x01 || left || right)` above the leaves.
    NodeHash
}

hash_type! {
    /// The hash of a whole tree of a known size. At size 0 it is `SHA-256("")`.
    RootHash
}

impl LeafHash {
    /// Hashes an entry.
    pub fn of(entry: &[u8]) -> Self {
        let mut hasher = Sha256::new();
        hasher.update([0x00]);
        hasher.update(entry);
        Self(hasher.finalize().into())
    }
}

impl NodeHash {
    /// The parent of two nodes.
    pub fn parent(left: &Self, right: &Self) -> Self {
        let mut block = [0x01; 65];
        block[1..33].copy_from_slice(&left.0);
        block[33..].copy_from_slice(&right.0);
        Self(Sha256::digest(block).into())
    }
}

impl RootHash {
    /// The root of the empty tree, `SHA-256("")`.
    pub fn empty() -> Self {
        Self(Sha256::digest([]).into())
    }
}

impl From<LeafHash> for NodeHash {
    fn from(leaf: LeafHash) -> Self {
        Self(leaf.0)
    }
}

impl From<RootHash> for NodeHash {
    /// The root of a tree seen as a node of a larger tree.
    fn from(root: RootHash) -> Self {
        Self(root.0)
    }
}

impl From<NodeHash> for RootHash {
    /// The topmost node of a tree is its root. Which node is topmost, the caller must know.
    fn from(node: NodeHash) -> Self {
        Self(node.0)
    }
}
