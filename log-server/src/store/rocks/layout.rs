//! Which row is where.
//!
//! | family | key | value |
//! |---|---|---|
//! | entries | index, 8 bytes | the exact bytes |
//! | tiles | level, 1 byte; index, 8 bytes | the 256 hashes of a full tile |
//! | edge | level, 1 byte; position, 1 byte | index of the tile, 8 bytes; hash, 32 bytes |
//! | ids | entry id, 32 bytes | index, 8 bytes; kind, 1 byte; verdict, 1 byte; execution, the rest |
//! | issuers | name; 0x00; key thumbprint, 32 bytes | index, 8 bytes; status, 1 byte; public key, 32 bytes; roles |
//! | marks | `o` and an authorization, or `c` and an execution | the entry id of its outcome, or of its close |
//! | meta | `format`, `origin`, `head`, `published`, `cosigned/` and a witness | see below |
//!
//! Numbers are big-endian, so that the order of keys is the order of the log. In `meta`, `head` is the size in 8 bytes
//! and the root in 32, `cosigned/` is followed by the key id and the key name, and its value is a size in 8 bytes.
//! The edge holds the hashes of the one tile a level that is not full, written over for ever, so a start reads at most
//! 256 rows a level however large the log is.

use countersign_verifier::admission::IssuerKey;
use countersign_verifier::merkle::{LeafHash, LeafIndex};
use countersign_verifier::note::VerifierKey;
use countersign_verifier::statement::{ExecutionId, IssuerName};
use countersign_verifier::tiles::TileId;

/// A column family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    Entries,
    Tiles,
    Edge,
    Ids,
    Issuers,
    Marks,
    Meta,
}

impl Family {
    pub(super) const ALL: &'static [Self] =
        &[Self::Entries, Self::Tiles, Self::Edge, Self::Ids, Self::Issuers, Self::Marks, Self::Meta];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Entries => "entries",
            Self::Tiles => "tiles",
            Self::Edge => "edge",
            Self::Ids => "ids",
            Self::Issuers => "issuers",
            Self::Marks => "marks",
            Self::Meta => "meta",
        }
    }
}

pub(super) const FORMAT: &[u8] = b"format";
pub(super) const ORIGIN: &[u8] = b"origin";
pub(super) const HEAD: &[u8] = b"head";
pub(super) const PUBLISHED: &[u8] = b"published";
pub(super) const COSIGNED: &[u8] = b"cosigned/";

pub(super) fn entry(index: LeafIndex) -> [u8; 8] {
    index.get().to_be_bytes()
}

pub(super) fn tile(tile: TileId) -> [u8; 9] {
    let mut key = [tile.level; 9];
    let (_, index) = key.split_at_mut(1);
    index.copy_from_slice(&tile.index.to_be_bytes());
    key
}

pub(super) fn edge(level: u8, position: u8) -> [u8; 2] {
    [level, position]
}

/// The start of the keys of all registrations under a name. No name has a zero byte.
pub(super) fn issuers_of(name: &IssuerName) -> Vec<u8> {
    let mut key = Vec::with_capacity(name.as_str().len().saturating_add(33));
    key.extend_from_slice(name.as_str().as_bytes());
    key.push(0);
    key
}

pub(super) fn issuer(issuer: &IssuerKey) -> Vec<u8> {
    let mut key = issuers_of(&issuer.name);
    key.extend_from_slice(issuer.key.as_bytes());
    key
}

pub(super) fn outcome_of(authorization: &LeafHash) -> Vec<u8> {
    mark(b'o', authorization.as_bytes())
}

pub(super) fn close_of(execution: &ExecutionId) -> Vec<u8> {
    mark(b'c', execution.as_str().as_bytes())
}

fn mark(sort: u8, of: &[u8]) -> Vec<u8> {
    let mut key = Vec::with_capacity(of.len().saturating_add(1));
    key.push(sort);
    key.extend_from_slice(of);
    key
}

pub(super) fn cosigned(witness: &VerifierKey) -> Vec<u8> {
    let mut key = COSIGNED.to_vec();
    key.extend_from_slice(witness.id().as_bytes());
    key.extend_from_slice(witness.name().as_str().as_bytes());
    key
}
