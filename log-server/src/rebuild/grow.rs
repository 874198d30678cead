//! Appending entries that were in the log to a store, as the log did.

use std::collections::HashMap;

use countersign_verifier::admission::{AdmitError, signing_key};
use countersign_verifier::causes::with_causes;
use countersign_verifier::ed25519::PublicKey;
use countersign_verifier::merkle::{LeafHash, TreeSize};
use countersign_verifier::statement::{KeyThumbprint, Payload, Statement, VerifiedStatement};
use countersign_verifier::tiles::FULL_WIDTH;
use rayon::prelude::*;

use super::{EntrySource, RebuildError};
use crate::log::Atomicity;
use crate::progress::Progress;
use crate::registrar::{self, Committed, Issuers, Overlay};
use crate::store::{Batch, Growth, Head, Journal as _, Ledger as _, RocksStore, StoreError, Tiles as _};
use crate::tree::{Edge, TileCache, TreeReader};

/// A store that grows.
#[derive(Debug)]
pub(super) struct Grower {
    store: RocksStore,
    issuers: Issuers,
    tiles: TileCache,
    edge: Edge,
    /// Every key that was registered on the way, for whatever.
    keys: HashMap<KeyThumbprint, PublicKey>,
}

impl Grower {
    /// Goes on from where the store is.
    pub(super) fn on(store: RocksStore) -> Result<Self, RebuildError> {
        let edge = match store.head()? {
            None => Edge::default(),
            Some(head) => Edge::restore(head.size, &store.edge()?)?,
        };
        let (issuers, tiles) = (Issuers::default(), TileCache::default());
        Ok(Self { store, issuers, tiles, edge, keys: HashMap::new() })
    }

    pub(super) fn store(&self) -> &RocksStore {
        &self.store
    }

    /// Where it is.
    pub(super) fn head(&self) -> Head {
        Head { size: self.edge.size(), root: self.edge.root() }
    }

    /// Appends what the source has up to `size`.
    pub(super) fn grow(
        &mut self,
        source: &dyn EntrySource,
        size: TreeSize,
        progress: &dyn Progress,
    ) -> Result<(), RebuildError> {
        while self.edge.size() < size {
            let held = self.edge.size().get();
            // Bundles begin at multiples of 256: of the first, a part may be there already.
            let known = held % FULL_WIDTH;
            let mut entries = source.read(held.saturating_sub(known), size)?;
            let known = usize::try_from(known).unwrap_or(usize::MAX).min(entries.len());
            entries.drain(..known);
            let count = u64::try_from(entries.len()).unwrap_or(u64::MAX);
            if entries.is_empty() {
                return Err(RebuildError::Entry { index: held, why: "it is not there".to_owned() });
            }
            let statements = self.check(held, &entries)?;
            self.append(held, statements)?;
            progress.advance(count);
        }
        Ok(())
    }

    /// Reads the entries and checks their signatures, on all cores.
    fn check(&mut self, first: u64, entries: &[Vec<u8>]) -> Result<Vec<VerifiedStatement>, RebuildError> {
        let parsed: Vec<_> = entries.par_iter().map(|entry| Statement::parse(entry)).collect();
        let mut statements = Vec::with_capacity(parsed.len());
        for (index, parsed) in (first..).zip(parsed) {
            let statement =
                parsed.map_err(|error| RebuildError::Entry { index, why: with_causes(&error) })?;
            let key = match statement.payload() {
                Payload::Genesis(genesis) => Some(genesis.operator.public_key),
                Payload::Issuer(issuer) => Some(issuer.public_key),
                _ => None,
            };
            if let Some(key) = key {
                self.keys.insert(KeyThumbprint::of(&key), key);
            }
            statements.push(statement);
        }
        let (keys, committed) = (&self.keys, self.committed());
        let verified: Vec<_> = (first..)
            .zip(statements)
            .collect::<Vec<_>>()
            .into_par_iter()
            .map(|(index, statement)| {
                let refused = |why| RebuildError::Entry { index, why };
                // Whether it may sign what it signed, the rules say afterwards.
                let key = match keys.get(&statement.kid()) {
                    Some(key) => *key,
                    None => signing_key(&committed, &statement).map_err(|error| match error {
                        AdmitError::Refused(refusal) => refused(refusal.to_string()),
                        AdmitError::State(error) => error.into(),
                    })?,
                };
                statement.verify(&key).map_err(|error| refused(with_causes(&error)))
            })
            .collect();
        verified.into_iter().collect()
    }

    fn committed(&self) -> Committed<'_, RocksStore> {
        let tree = TreeReader::new(&self.edge, &self.store, &self.tiles);
        Committed { store: &self.store, issuers: &self.issuers, tree, ahead: false }
    }

    /// Admits the statements again, and writes all that follows from them.
    fn append(&mut self, first: u64, statements: Vec<VerifiedStatement>) -> Result<(), RebuildError> {
        let mut entries = Vec::with_capacity(statements.len());
        let committed = self.committed();
        let mut state = Overlay::over(&committed);
        let decisions = registrar::decide(&mut state, statements, Atomicity::Each, &mut entries)?;
        for (index, decision) in (first..).zip(decisions) {
            let why = match decision {
                Ok(sequenced) if sequenced.new => continue,
                Ok(sequenced) => format!("it is the same as entry {}", sequenced.index),
                Err(rejection) => rejection.to_string(),
            };
            return Err(RebuildError::Entry { index, why });
        }
        let leaves: Vec<LeafHash> = entries.iter().map(|entry| entry.effects.entry.0).collect();
        let full = StoreError::MissingRow { row: "room for another entry" };
        let appended = self.edge.append(leaves).ok_or(full)?;
        let head = self.head();
        let growth = Growth { entries, full_tiles: appended.full_tiles, edge: appended.edge, head };
        let batch = Batch { growth: Some(growth), publication: None };
        self.store.commit(&batch)?;
        if let Some(growth) = &batch.growth {
            self.issuers.changed_by(&growth.entries);
            for (id, tile) in &growth.full_tiles {
                self.tiles.keep(*id, tile);
            }
        }
        Ok(())
    }
}
