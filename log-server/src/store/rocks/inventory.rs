//! Listing.

use countersign_verifier::admission::IssuerKey;
use countersign_verifier::merkle::LeafIndex;
use countersign_verifier::note::{KeyId, KeyName};
use countersign_verifier::statement::KeyThumbprint;
use countersign_verifier::tiles::TileId;
use rocksdb::{ColumnFamily, DBRawIterator, ReadOptions};

use super::layout;
use super::{RocksStore, failed, row};
use crate::store::{Inventory, Part, Row, StoreError};

impl Inventory for RocksStore {
    fn rows(&self, part: Part, each: &mut dyn FnMut(Row)) -> Result<(), StoreError> {
        let mut options = ReadOptions::default();
        // Whoever lists everything reads it once, and others need the cache.
        options.fill_cache(false);
        let mut from = Vec::new();
        if let Part::Entries { from: first, to } = part {
            from = layout::entry(first).to_vec();
            if let Some(to) = to {
                options.set_iterate_upper_bound(layout::entry(to).to_vec());
            }
        }
        let mut rows: DBRawIterator<'_> = self.db.raw_iterator_cf_opt(self.part(part)?, options);
        rows.seek(from);
        while let Some((key, value)) = rows.item() {
            each(read(part, key, value).unwrap_or_else(|| Row::Stray(key.to_vec())));
            rows.next();
        }
        rows.status().map_err(|error| failed("being listed", error))
    }
}

impl RocksStore {
    fn part(&self, part: Part) -> Result<&ColumnFamily, StoreError> {
        self.db.cf_handle(part.name()).ok_or(StoreError::MissingRow { row: part.name() })
    }
}

fn read(part: Part, key: &[u8], value: &[u8]) -> Option<Row> {
    match part {
        Part::Entries { .. } => index(key).map(Row::Entry),
        Part::Tiles => {
            let (level, index) = key.split_first()?;
            Some(Row::Tile(TileId { level: *level, index: u64::from_be_bytes(*index.as_array()?) }))
        }
        Part::Edge => {
            let [level, position] = *key.as_array::<2>()?;
            Some(Row::Edge { level, position, hash: row::read_edge(key, value) })
        }
        Part::Ids => row::read_leaf_hash(key).map(Row::Id),
        Part::Issuers => {
            let (name, key) = key.split_at_checked(key.len().checked_sub(33)?)?;
            let (0, key) = key.split_first()? else { return None };
            let name = core::str::from_utf8(name).ok()?.parse().ok()?;
            Some(Row::Issuer(IssuerKey { name, key: KeyThumbprint::from_bytes(*key.as_array()?) }))
        }
        Part::Marks => match key.split_first()? {
            (b'o', authorization) => row::read_leaf_hash(authorization).map(Row::OutcomeOf),
            (b'c', execution) => Some(Row::CloseOf(core::str::from_utf8(execution).ok()?.parse().ok()?)),
            _ => None,
        },
        Part::Meta => meta(key, value),
        Part::Unused => None,
    }
}

fn index(key: &[u8]) -> Option<LeafIndex> {
    key.as_array().and_then(|index| LeafIndex::new(u64::from_be_bytes(*index)))
}

fn meta(key: &[u8], value: &[u8]) -> Option<Row> {
    let known = [
        (layout::FORMAT, "format"),
        (layout::ORIGIN, "origin"),
        (layout::HEAD, "head"),
        (layout::PUBLISHED, "published"),
    ];
    if let Some((_, name)) = known.into_iter().find(|(known, _)| *known == key) {
        return Some(Row::Meta(name));
    }
    let (id, name) = key.strip_prefix(layout::COSIGNED)?.split_first_chunk::<4>()?;
    let name = KeyName::new(core::str::from_utf8(name).ok()?).ok()?;
    Some(Row::Cosigned { id: KeyId::from_bytes(*id), name, size: row::read_size(value) })
}
