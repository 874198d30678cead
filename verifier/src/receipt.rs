//! COSE receipts (RFC 9942): proofs of inclusion for who speaks SCITT (RFC 9943) and not C2SP.
//!
//! A receipt is a `COSE_Sign1` of the log over the root of a tree that has the entry. The tree is RFC 9162 with SHA-256
//! (`vds` 1), and the entry is the exact bytes of the statement. Its form here is the only one: deterministic CBOR, with
//!
//! | header | value |
//! |---|---|
//! | protected 1 | -8, `EdDSA` |
//! | protected 4 | the RFC 9679 SHA-256 thumbprint of the log's key |
//! | protected 15 | the CWT claims 1, the log's origin, and 2, the subject of the statement |
//! | protected 395 | 1 |
//! | unprotected 396 | `{-1: [<<[size, index, [hash, ...]]>>]}` |
//!
//! and no payload. What it does **not** show: no witness has signed it, and of size and index in it only the root is
//! signed, which other sizes may lead to as well. Whoever wants either asks for a [`crate::proof`].

use coset::cbor::value::Value;
use coset::cwt::ClaimsSet;
use coset::{
    AsCborValue as _, CborSerializable as _, CoseSign1, Header, Label, ProtectedHeader,
    TaggedCborSerializable as _, iana,
};

use crate::checkpoint::Origin;
use crate::ed25519::{BadSignature, PublicKey};
use crate::merkle::{LeafHash, LeafIndex, NodeHash, ProofError, RootHash, TreeSize, root_by_inclusion};
use crate::note::NoteSigner;
use crate::statement::{KeyThumbprint, Signature, to_be_signed};

/// The longest receipt that is read, in bytes: that of the deepest tree, with the longest names.
pub const MAX_RECEIPT: usize = 8 * 1024;

const CWT_CLAIMS: i64 = iana::HeaderParameter::CwtClaims as i64;
/// The verifiable data structure, and the one that all receipts here are about (RFC 9942).
const VDS: i64 = 395;
const RFC9162_SHA256: i64 = 1;
/// The proofs in it, and which of them are those of inclusion.
const VDP: i64 = 396;
const INCLUSION: i64 = -1;
/// How deep the CBOR of a receipt is nested, with some room.
const CBOR_DEPTH: usize = 8;

/// Why there is no receipt, or bytes are none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// A tree of one entry: a proof in a receipt has one hash at least.
    #[error("a tree of {size} entries has no receipts, expected two entries or more", size = .0.get())]
    TooSmall(TreeSize),
    /// Longer than a receipt can be.
    #[error("it has {got} bytes, expected at most {MAX_RECEIPT}")]
    TooLong {
        /// The length found.
        got: usize,
    },
    /// Not a receipt in the form that is described above, byte for byte.
    #[error("it is not a receipt: expected {0}")]
    Form(&'static str),
    /// The path does not fit the place in the tree.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// The log has not signed the root that the path leads to.
    #[error("the log has not signed the root that its path leads to")]
    Signature(#[from] BadSignature),
    /// It names another key than the one it is checked with.
    #[error("it names the key {named}, expected {expected}")]
    Key {
        /// The key it names.
        named: KeyThumbprint,
        /// The key it is checked with.
        expected: KeyThumbprint,
    },
}

/// A receipt, read or about to be written. Nothing in it is checked before [`Receipt::verify`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    key: KeyThumbprint,
    origin: Origin,
    subject: String,
    size: TreeSize,
    index: LeafIndex,
    path: Vec<NodeHash>,
    signature: Signature,
}

impl Receipt {
    /// Signs that the tree of `size` entries whose root `path` leads to has `entry` at `index`.
    ///
    /// The caller knows that this is the root of a head which the log has signed: a receipt is a signature of the log
    /// over a root, and convicts it as a head does.
    pub fn issue(
        signer: &NoteSigner,
        origin: Origin,
        subject: String,
        entry: LeafHash,
        index: LeafIndex,
        size: TreeSize,
        path: Vec<NodeHash>,
    ) -> Result<Self, ReceiptError> {
        if path.is_empty() {
            return Err(ReceiptError::TooSmall(size));
        }
        let root = root_by_inclusion(entry, index, size, &path)?;
        let key = signer.verifier().public_key().map(KeyThumbprint::of);
        let key = key.ok_or(ReceiptError::Form("an Ed25519 key of a log"))?;
        let mut receipt = Self { key, origin, subject, size, index, path, signature: Signature::ABSENT };
        receipt.signature = Signature::from_bytes(signer.sign(&receipt.to_be_signed(root)?));
        Ok(receipt)
    }

    /// Reads a receipt.
    pub fn parse(bytes: &[u8]) -> Result<Self, ReceiptError> {
        if bytes.len() > MAX_RECEIPT {
            return Err(ReceiptError::TooLong { got: bytes.len() });
        }
        let content = match value(bytes) {
            Some(Value::Tag(TAG, content)) => *content,
            _ => return Err(ReceiptError::Form("a COSE_Sign1 under CBOR tag 18")),
        };
        let receipt = Self::from_parts(content).ok_or(ReceiptError::Form("the headers of a receipt"))?;
        if receipt.path.is_empty() {
            return Err(ReceiptError::TooSmall(receipt.size));
        }
        if receipt.to_bytes()? != bytes {
            return Err(ReceiptError::Form("deterministic CBOR, and nothing beside what a receipt has"));
        }
        Ok(receipt)
    }

    /// Takes from the parts what can differ from one receipt to another.
    fn from_parts(content: Value) -> Option<Self> {
        let [protected, unprotected, _, signature] = exactly(content.into_array().ok()?)?;
        let protected = value(&protected.into_bytes().ok()?)?.into_map().ok()?;
        let [_, (_, key), (_, claims), _] = exactly(protected)?;
        let [(_, origin), (_, subject)] = exactly(claims.into_map().ok()?)?;
        let [(_, proofs)] = exactly(unprotected.into_map().ok()?)?;
        let [(_, inclusion)] = exactly(proofs.into_map().ok()?)?;
        let [proof] = exactly(inclusion.into_array().ok()?)?;
        let [size, index, path] = exactly(value(&proof.into_bytes().ok()?)?.into_array().ok()?)?;
        let number = |value: Value| u64::try_from(value.into_integer().ok()?).ok();
        let hash = |value: Value| Some(NodeHash::from_bytes(value.into_bytes().ok()?.try_into().ok()?));
        Some(Self {
            key: KeyThumbprint::from_bytes(key.into_bytes().ok()?.try_into().ok()?),
            origin: Origin::new(&origin.into_text().ok()?).ok()?,
            subject: subject.into_text().ok()?,
            size: number(size).and_then(TreeSize::new)?,
            index: number(index).and_then(LeafIndex::new)?,
            path: path.into_array().ok()?.into_iter().map(hash).collect::<Option<_>>()?,
            signature: Signature::from_bytes(signature.into_bytes().ok()?.try_into().ok()?),
        })
    }

    /// Checks that the owner of `key` has signed the root of a tree that has `entry`, and gives back that root.
    ///
    /// It does not say where in the tree the entry is, nor how large the tree is, nor that anybody else has seen it: a
    /// head with the same root and its quorum says that.
    pub fn verify(&self, entry: LeafHash, key: &PublicKey) -> Result<RootHash, ReceiptError> {
        let expected = KeyThumbprint::of(key);
        if self.key != expected {
            return Err(ReceiptError::Key { named: self.key, expected });
        }
        let root = root_by_inclusion(entry, self.index, self.size, &self.path)?;
        key.verify(&self.to_be_signed(root)?, self.signature.as_bytes())?;
        Ok(root)
    }

    /// The log that it says it is of. With [`Receipt::verify`], the owner of the key says so.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The subject that it says the statement has. With [`Receipt::verify`], the owner of the key says so.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The receipt as it is sent, `application/cose`.
    pub fn to_bytes(&self) -> Result<Vec<u8>, ReceiptError> {
        let bytes = |()| -> Result<Vec<u8>, coset::CoseError> {
            let path = self.path.iter().map(|hash| Value::Bytes(hash.as_bytes().to_vec())).collect();
            let proof = [self.size.get().into(), self.index.get().into(), Value::Array(path)];
            let proof = Value::Array(proof.to_vec()).to_vec()?;
            let proofs = vec![(Value::from(INCLUSION), Value::Array(vec![Value::Bytes(proof)]))];
            CoseSign1 {
                protected: ProtectedHeader {
                    original_data: Some(self.protected()?),
                    header: Header::default(),
                },
                unprotected: Header {
                    rest: vec![(Label::Int(VDP), Value::Map(proofs))],
                    ..Header::default()
                },
                payload: None,
                signature: self.signature.as_bytes().to_vec(),
            }
            .to_tagged_vec()
        };
        bytes(()).map_err(|_| UNWRITABLE)
    }

    fn to_be_signed(&self, root: RootHash) -> Result<Vec<u8>, ReceiptError> {
        Ok(to_be_signed(&self.protected().map_err(|_| UNWRITABLE)?, root.as_bytes()))
    }

    fn protected(&self) -> Result<Vec<u8>, coset::CoseError> {
        let claims = ClaimsSet {
            issuer: Some(self.origin.to_string()),
            subject: Some(self.subject.clone()),
            ..ClaimsSet::default()
        };
        Header {
            alg: Some(coset::Algorithm::Assigned(iana::Algorithm::EdDSA)),
            key_id: self.key.as_bytes().to_vec(),
            rest: vec![
                (Label::Int(CWT_CLAIMS), claims.to_cbor_value()?),
                (Label::Int(VDS), RFC9162_SHA256.into()),
            ],
            ..Header::default()
        }
        .to_vec()
    }
}

/// The tag of a `COSE_Sign1`.
const TAG: u64 = iana::CborTag::CoseSign1 as u64;
const UNWRITABLE: ReceiptError = ReceiptError::Form("values that CBOR can carry");

fn value(mut bytes: &[u8]) -> Option<Value> {
    let value = coset::cbor::de::from_reader_with_recursion_limit(&mut bytes, CBOR_DEPTH).ok()?;
    bytes.is_empty().then_some(value)
}

fn exactly<T, const N: usize>(items: Vec<T>) -> Option<[T; N]> {
    <[T; N]>::try_from(items).ok()
}

#[cfg(test)]
mod tests;
