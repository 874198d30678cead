//! Reading.

use countersign_verifier::admission::{EntryFacts, IssuerKey, IssuerRecord};
use countersign_verifier::checkpoint::Origin;
use countersign_verifier::merkle::{LeafHash, LeafIndex, TreeSize};
use countersign_verifier::note::VerifierKey;
use countersign_verifier::statement::{ExecutionId, IssuerName, KeyThumbprint};
use countersign_verifier::tiles::TileId;
use rocksdb::{DBRawIterator, ReadOptions};

use super::layout::{self, Family};
use super::{RocksStore, failed, row};
use crate::store::{EdgeHash, Entries, Facts, Figures, Head, Ledger, StoreError, Tiles};

impl RocksStore {
    /// The row at `key`, read by `read`; `None` when there is none, damage when it cannot be read.
    fn row<T>(
        &self,
        family: Family,
        key: &[u8],
        read: impl FnOnce(&[u8]) -> Option<T>,
    ) -> Result<Option<T>, StoreError> {
        let handle = self.family(family)?;
        let row = self.db.get_pinned_cf(handle, key).map_err(|error| failed("being read", error))?;
        row.map(|row| read(&row).ok_or(StoreError::DamagedRow { row: family.name() })).transpose()
    }

    /// Walks the rows with keys from `from` up to and without `to`, until `each` says `false`.
    fn walk(
        &self,
        family: Family,
        from: &[u8],
        to: Option<Vec<u8>>,
        mut each: impl FnMut(&[u8], &[u8]) -> Result<bool, StoreError>,
    ) -> Result<(), StoreError> {
        let mut options = ReadOptions::default();
        if let Some(to) = to {
            options.set_iterate_upper_bound(to);
        }
        let mut rows: DBRawIterator<'_> = self.db.raw_iterator_cf_opt(self.family(family)?, options);
        rows.seek(from);
        while let Some((key, value)) = rows.item() {
            if !each(key, value)? {
                return Ok(());
            }
            rows.next();
        }
        rows.status().map_err(|error| failed("being read", error))
    }
}

impl RocksStore {
    /// The bytes of the write-ahead log, for which the database has no property.
    fn wal_bytes(&self) -> std::io::Result<u64> {
        let mut bytes = 0_u64;
        for file in std::fs::read_dir(self.db.path())? {
            let file = file?;
            if file.path().extension().is_some_and(|extension| extension == "log") {
                // A file that is gone by now has no bytes.
                bytes = bytes.saturating_add(file.metadata().map_or(0, |metadata| metadata.len()));
            }
        }
        Ok(bytes)
    }
}

impl Entries for RocksStore {
    fn entry(&self, index: LeafIndex) -> Result<Option<Vec<u8>>, StoreError> {
        self.get(Family::Entries, &layout::entry(index))
    }

    fn entries(&self, first: LeafIndex, count: u16, each: &mut dyn FnMut(&[u8])) -> Result<(), StoreError> {
        let end = first.get().saturating_add(u64::from(count));
        let mut next = first.get();
        self.walk(Family::Entries, &layout::entry(first), Some(end.to_be_bytes().to_vec()), |key, bytes| {
            if key != next.to_be_bytes() {
                return Ok(false);
            }
            each(bytes);
            next = next.saturating_add(1);
            Ok(true)
        })?;
        if next == end { Ok(()) } else { Err(StoreError::MissingRow { row: Family::Entries.name() }) }
    }
}

impl Tiles for RocksStore {
    fn full_tile(&self, tile: TileId) -> Result<Option<Vec<u8>>, StoreError> {
        self.get(Family::Tiles, &layout::tile(tile))
    }

    fn edge(&self) -> Result<Vec<EdgeHash>, StoreError> {
        let mut edge = Vec::new();
        self.walk(Family::Edge, &[], None, |key, value| {
            edge.push(row::read_edge(key, value).ok_or(StoreError::DamagedRow { row: Family::Edge.name() })?);
            Ok(true)
        })?;
        Ok(edge)
    }
}

impl Facts for RocksStore {
    fn facts(&self, entry: &LeafHash) -> Result<Option<EntryFacts>, StoreError> {
        self.row(Family::Ids, entry.as_bytes(), row::read_facts)
    }

    fn index(&self, entry: &LeafHash) -> Result<Option<LeafIndex>, StoreError> {
        self.row(Family::Ids, entry.as_bytes(), row::read_index)
    }

    fn issuer(&self, issuer: &IssuerKey) -> Result<Option<IssuerRecord>, StoreError> {
        self.row(Family::Issuers, &layout::issuer(issuer), row::read_issuer)
    }

    fn issuers(&self, name: &IssuerName) -> Result<Vec<(KeyThumbprint, IssuerRecord)>, StoreError> {
        let prefix = layout::issuers_of(name);
        let mut issuers = Vec::new();
        self.walk(Family::Issuers, &prefix, None, |key, value| {
            let Some(thumbprint) = key.strip_prefix(prefix.as_slice()) else { return Ok(false) };
            let damaged = StoreError::DamagedRow { row: Family::Issuers.name() };
            let read = thumbprint.as_array().copied().zip(row::read_issuer(value));
            let (thumbprint, record) = read.ok_or(damaged)?;
            issuers.push((KeyThumbprint::from_bytes(thumbprint), record));
            Ok(true)
        })?;
        Ok(issuers)
    }

    fn outcome_of(&self, authorization: &LeafHash) -> Result<Option<LeafHash>, StoreError> {
        self.row(Family::Marks, &layout::outcome_of(authorization), row::read_leaf_hash)
    }

    fn close_of(&self, execution: &ExecutionId) -> Result<Option<LeafHash>, StoreError> {
        self.row(Family::Marks, &layout::close_of(execution), row::read_leaf_hash)
    }
}

impl Ledger for RocksStore {
    fn origin(&self) -> Result<Origin, StoreError> {
        let origin =
            self.row(Family::Meta, layout::ORIGIN, |row| Origin::new(core::str::from_utf8(row).ok()?).ok())?;
        origin.ok_or(StoreError::MissingRow { row: "origin" })
    }

    fn head(&self) -> Result<Option<Head>, StoreError> {
        self.row(Family::Meta, layout::HEAD, row::read_head)
    }

    fn published(&self) -> Result<Option<String>, StoreError> {
        self.row(Family::Meta, layout::PUBLISHED, |row| core::str::from_utf8(row).ok().map(str::to_owned))
    }

    fn cosigned(&self, witness: &VerifierKey) -> Result<TreeSize, StoreError> {
        Ok(self.row(Family::Meta, &layout::cosigned(witness), row::read_size)?.unwrap_or_default())
    }
}

impl Figures for RocksStore {
    fn figures(&self) -> Vec<(&'static str, u64)> {
        const SUMMED: [(&str, &str); 5] = [
            ("live_data_bytes", "rocksdb.estimate-live-data-size"),
            ("file_bytes", "rocksdb.total-sst-files-size"),
            ("memtable_bytes", "rocksdb.cur-size-all-mem-tables"),
            ("level0_files", "rocksdb.num-files-at-level0"),
            ("pending_compaction_bytes", "rocksdb.estimate-pending-compaction-bytes"),
        ];
        const WHOLE: [(&str, &str); 4] = [
            ("block_cache_bytes", "rocksdb.block-cache-usage"),
            ("background_errors", "rocksdb.background-errors"),
            ("write_stopped", "rocksdb.is-write-stopped"),
            ("delayed_write_rate", "rocksdb.actual-delayed-write-rate"),
        ];
        let of_family = |family: Family, property: &str| {
            self.db.property_int_value_cf(self.family(family).ok()?, property).ok().flatten()
        };
        let sum = |property: &str| -> Option<u64> {
            Family::ALL.iter().map(|family| of_family(*family, property)).sum()
        };
        let summed = SUMMED.iter().filter_map(|(name, property)| Some((*name, sum(property)?)));
        let whole =
            WHOLE.iter().filter_map(|(name, property)| Some((*name, of_family(Family::Entries, property)?)));
        let issuers = of_family(Family::Issuers, "rocksdb.estimate-num-keys");
        let issuers = issuers.map(|keys| ("issuer_keys", keys));
        let wal = self.wal_bytes().ok().map(|bytes| ("wal_bytes", bytes));
        summed.chain(whole).chain(issuers).chain(wal).collect()
    }
}
