//! What stands in a row. Every byte has a meaning, and what has none is reported as damage.

use countersign_verifier::admission::{EntryFacts, IssuerRecord};
use countersign_verifier::ed25519::PublicKey;
use countersign_verifier::merkle::{LeafHash, LeafIndex, NodeHash, RootHash, TreeSize};
use countersign_verifier::statement::{IssuerStatus, Kind, Role, Verdict};
use countersign_verifier::tiles::TileId;

use crate::store::{EdgeHash, Head};

/// The numbers of the kinds in rows: their places here, which must never change.
const KINDS: [Kind; 10] = [
    Kind::Genesis,
    Kind::Issuer,
    Kind::Policy,
    Kind::Intent,
    Kind::Decision,
    Kind::Authorization,
    Kind::Verification,
    Kind::Outcome,
    Kind::Enforcement,
    Kind::Close,
];

/// The numbers of the roles in rows: their places here, which must never change.
const ROLES: [Role; 6] =
    [Role::Operator, Role::Author, Role::Requester, Role::Authority, Role::Enforcer, Role::Overseer];

/// The numbers of the verdicts in rows.
const VERDICTS: [Option<Verdict>; 3] = [None, Some(Verdict::Permit), Some(Verdict::Deny)];

/// The numbers of the states of an issuer in rows.
const STATUSES: [IssuerStatus; 2] = [IssuerStatus::Active, IssuerStatus::Revoked];

fn code<T: PartialEq>(table: &[T], value: &T) -> u8 {
    // All values stand in their tables, which the tests below hold them to.
    table.iter().position(|known| known == value).and_then(|at| u8::try_from(at).ok()).unwrap_or(u8::MAX)
}

fn coded<T: Copy>(table: &[T], code: u8) -> Option<T> {
    table.get(usize::from(code)).copied()
}

pub(super) fn write_facts(facts: &EntryFacts) -> Vec<u8> {
    let execution = facts.execution.as_ref().map_or("", |execution| execution.as_str());
    let mut row = Vec::with_capacity(execution.len().saturating_add(10));
    row.extend_from_slice(&facts.index.get().to_be_bytes());
    row.push(code(&KINDS, &facts.kind));
    row.push(code(&VERDICTS, &facts.verdict));
    row.extend_from_slice(execution.as_bytes());
    row
}

pub(super) fn read_facts(row: &[u8]) -> Option<EntryFacts> {
    let (index, rest) = row.split_first_chunk::<8>()?;
    let ([kind, verdict], execution) = rest.split_first_chunk::<2>()?;
    let execution = match execution {
        [] => None,
        name => Some(core::str::from_utf8(name).ok()?.parse().ok()?),
    };
    Some(EntryFacts {
        index: LeafIndex::new(u64::from_be_bytes(*index))?,
        kind: coded(&KINDS, *kind)?,
        execution,
        verdict: coded(&VERDICTS, *verdict)?,
    })
}

/// The index alone, without reading the rest.
pub(super) fn read_index(row: &[u8]) -> Option<LeafIndex> {
    row.first_chunk::<8>().and_then(|index| LeafIndex::new(u64::from_be_bytes(*index)))
}

pub(super) fn write_issuer(record: &IssuerRecord) -> Vec<u8> {
    let mut row = Vec::with_capacity(41_usize.saturating_add(ROLES.len()));
    row.extend_from_slice(&record.index.get().to_be_bytes());
    row.push(code(&STATUSES, &record.status));
    row.extend_from_slice(record.public_key.as_bytes());
    row.extend(record.roles.iter().map(|role| code(&ROLES, &role)));
    row
}

pub(super) fn read_issuer(row: &[u8]) -> Option<IssuerRecord> {
    let (index, rest) = row.split_first_chunk::<8>()?;
    let (status, rest) = rest.split_first()?;
    let (public_key, roles) = rest.split_first_chunk::<32>()?;
    Some(IssuerRecord {
        public_key: PublicKey::from_bytes(public_key).ok()?,
        roles: roles.iter().map(|role| coded(&ROLES, *role)).collect::<Option<_>>()?,
        status: coded(&STATUSES, *status)?,
        index: LeafIndex::new(u64::from_be_bytes(*index))?,
    })
}

pub(super) fn write_edge(edge: &EdgeHash) -> [u8; 40] {
    let mut row = [0; 40];
    let (index, hash) = row.split_at_mut(8);
    index.copy_from_slice(&edge.tile.index.to_be_bytes());
    hash.copy_from_slice(edge.hash.as_bytes());
    row
}

pub(super) fn read_edge(key: &[u8], row: &[u8]) -> Option<EdgeHash> {
    let [level, position] = *key.as_array::<2>()?;
    let (index, hash) = row.as_array::<40>()?.split_first_chunk::<8>()?;
    Some(EdgeHash {
        tile: TileId { level, index: u64::from_be_bytes(*index) },
        position,
        hash: NodeHash::from_bytes(*hash.as_array()?),
    })
}

pub(super) fn write_head(head: &Head) -> [u8; 40] {
    let mut row = [0; 40];
    let (size, root) = row.split_at_mut(8);
    size.copy_from_slice(&head.size.get().to_be_bytes());
    root.copy_from_slice(head.root.as_bytes());
    row
}

pub(super) fn read_head(row: &[u8]) -> Option<Head> {
    let (size, root) = row.as_array::<40>()?.split_first_chunk::<8>()?;
    let size = TreeSize::new(u64::from_be_bytes(*size))?;
    Some(Head { size, root: RootHash::from_bytes(*root.as_array()?) })
}

pub(super) fn read_leaf_hash(row: &[u8]) -> Option<LeafHash> {
    row.as_array().copied().map(LeafHash::from_bytes)
}

pub(super) fn read_size(row: &[u8]) -> Option<TreeSize> {
    TreeSize::new(u64::from_be_bytes(*row.as_array()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_has_a_number_and_comes_back() {
        for kind in Kind::ALL {
            for verdict in VERDICTS {
                for execution in [None, Some("run/1".parse().unwrap())] {
                    let index = LeafIndex::new(1 << 40).unwrap();
                    let facts = EntryFacts { index, kind: *kind, execution, verdict };
                    assert_eq!(read_facts(&write_facts(&facts)), Some(facts));
                }
            }
        }
        assert_eq!(VERDICTS.len(), Verdict::ALL.len() + 1);
        let public_key = PublicKey::from(&ed25519_dalek::SigningKey::from_bytes(&[1; 32]));
        for status in IssuerStatus::ALL {
            let roles = Role::ALL.iter().rev().copied().collect();
            let record =
                IssuerRecord { public_key, roles, status: *status, index: LeafIndex::new(7).unwrap() };
            assert_eq!(read_issuer(&write_issuer(&record)), Some(record));
        }
    }

    #[test]
    fn damage_is_told_from_a_row() {
        let facts = EntryFacts {
            index: LeafIndex::new(1).unwrap(),
            kind: Kind::Close,
            execution: None,
            verdict: None,
        };
        let mut row = write_facts(&facts);
        row[8] = 10;
        assert_eq!(read_facts(&row), None);
        assert_eq!(read_facts(&row[..9]), None);
        assert_eq!(read_issuer(&[0; 41]), None, "the zero key is of small order");
        assert_eq!(read_head(&[0; 39]), None);
        assert_eq!(read_edge(&[0], &[0; 40]), None);
    }
}
