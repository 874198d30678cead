//! Writing.

use rocksdb::WriteBatch;

use super::layout::{self, Family};
use super::{RocksStore, row};
use crate::store::{Batch, Growth, Journal, Publication, StoreError};

impl Journal for RocksStore {
    fn commit(&self, batch: &Batch) -> Result<(), StoreError> {
        let mut rows = WriteBatch::default();
        if let Some(growth) = &batch.growth {
            self.grow(&mut rows, growth)?;
        }
        if let Some(publication) = &batch.publication {
            self.publish(&mut rows, publication)?;
        }
        self.write(rows, "being written")
    }
}

impl RocksStore {
    fn grow(&self, rows: &mut WriteBatch, growth: &Growth) -> Result<(), StoreError> {
        let (entries, ids) = (self.family(Family::Entries)?, self.family(Family::Ids)?);
        let (issuers, marks) = (self.family(Family::Issuers)?, self.family(Family::Marks)?);
        for entry in &growth.entries {
            let (id, facts) = &entry.effects.entry;
            rows.put_cf(entries, layout::entry(facts.index), &entry.bytes);
            rows.put_cf(ids, id.as_bytes(), row::write_facts(facts));
            if let Some((issuer, record)) = &entry.effects.issuer {
                rows.put_cf(issuers, layout::issuer(issuer), row::write_issuer(record));
            }
            if let Some(authorization) = &entry.effects.outcome_of {
                rows.put_cf(marks, layout::outcome_of(authorization), id.as_bytes());
            }
            if let Some(execution) = &entry.effects.closes {
                rows.put_cf(marks, layout::close_of(execution), id.as_bytes());
            }
        }
        let tiles = self.family(Family::Tiles)?;
        for (tile, hashes) in &growth.full_tiles {
            rows.put_cf(tiles, layout::tile(*tile), hashes);
        }
        let edge = self.family(Family::Edge)?;
        for hash in &growth.edge {
            rows.put_cf(edge, layout::edge(hash.tile.level, hash.position), row::write_edge(hash));
        }
        rows.put_cf(self.family(Family::Meta)?, layout::HEAD, row::write_head(&growth.head));
        Ok(())
    }

    fn publish(&self, rows: &mut WriteBatch, publication: &Publication) -> Result<(), StoreError> {
        let meta = self.family(Family::Meta)?;
        rows.put_cf(meta, layout::PUBLISHED, &publication.note);
        for (witness, size) in &publication.cosigned {
            rows.put_cf(meta, layout::cosigned(witness), size.get().to_be_bytes());
        }
        Ok(())
    }
}
