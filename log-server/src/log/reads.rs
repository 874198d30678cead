//! Reading. Every read is of the newest durable tree; nothing here waits for the sequencer. A read that finds damage
//! stops the log, and only that read fails. What leaves was held against the tree under the signed head: checksums of the
//! database say only that the bytes are those that somebody wrote.

use countersign_verifier::admission::{AdmitError, IssuerKey, IssuerRecord, signing_key};
use countersign_verifier::ed25519::PublicKey;
use countersign_verifier::merkle::{LeafHash, LeafIndex, NodeHash, RootHash, TreeSize};
use countersign_verifier::statement::{IssuerName, KeyThumbprint, Statement};
use countersign_verifier::tiles::{EntryBundle, FULL_WIDTH, TileId, TileWidth};

use super::{Log, ProofError, ReadError};
use crate::registrar::Committed;
use crate::sequencer::Tip;
use crate::store::Store;

const ENTRIES_DAMAGED: ReadError = ReadError::DamagedRow { row: "entries" };

impl Log {
    /// The exact bytes of an entry, or `None` beyond the newest durable one.
    pub fn entry(&self, index: LeafIndex) -> Result<Option<Vec<u8>>, ReadError> {
        let tip = self.tip();
        if !tip.size().contains(index) {
            return Ok(None);
        }
        let sound = self.ground.tree(&tip).entry(index);
        self.sound(sound).map(Some)
    }

    /// Where the entry with this id is.
    pub fn entry_index(&self, entry: &LeafHash) -> Result<Option<LeafIndex>, ReadError> {
        let (index, tip) = (self.sound(self.ground.store.index(entry))?, self.tip());
        // A batch is in the store a moment before its head is signed.
        let Some(index) = index.filter(|index| tip.size().contains(*index)) else { return Ok(None) };
        let sound = self.ground.tree(&tip).leaf(index).and_then(|leaf| {
            if leaf == NodeHash::from(*entry) {
                Ok(Some(index))
            } else {
                Err(ReadError::DamagedRow { row: "ids" })
            }
        });
        self.sound(sound)
    }

    /// The bytes of a tile of `width` hashes, or `None` when the tree is not as large. Any width up to that of the
    /// newest durable tree is given: it is for the caller to serve only what a published head implies.
    pub fn tile(&self, tile: TileId, width: TileWidth) -> Result<Option<Vec<u8>>, ReadError> {
        let tip = self.tip();
        self.sound(self.ground.tree(&tip).tile(tile, width))
    }

    /// The bytes of the entry bundle `index` with `width` entries, or `None` when the tree is not as large.
    pub fn entry_bundle(&self, index: u64, width: TileWidth) -> Result<Option<Vec<u8>>, ReadError> {
        let tip = self.tip();
        let held = TileId { level: 0, index }.width(tip.size());
        if held.is_none_or(|held| width > held) {
            return Ok(None);
        }
        let Some(first) = index.checked_mul(FULL_WIDTH).and_then(LeafIndex::new) else { return Ok(None) };
        let sound = self.bundle(&tip, index, first, width);
        self.sound(sound).map(Some)
    }

    /// Every entry is held against its hash in the tree.
    fn bundle(
        &self,
        tip: &Tip,
        index: u64,
        first: LeafIndex,
        width: TileWidth,
    ) -> Result<Vec<u8>, ReadError> {
        let tile = self.ground.tree(tip).tile(TileId { level: 0, index }, width)?;
        let tile = tile.ok_or(ReadError::MissingRow { row: "tiles" })?;
        let (hashes, _) = tile.as_chunks::<32>();
        let (mut hashes, mut bundle, mut fits) = (hashes.iter(), Vec::new(), true);
        self.ground.store.entries(first, width.get(), &mut |entry| {
            fits = fits
                && hashes.next() == Some(LeafHash::of(entry).as_bytes())
                && EntryBundle::write_entry(entry, &mut bundle).is_ok();
        })?;
        if fits { Ok(bundle) } else { Err(ENTRIES_DAMAGED) }
    }

    /// The proof that the entry `index` is in the tree of `size` entries.
    pub fn inclusion_proof(&self, index: LeafIndex, size: TreeSize) -> Result<Vec<NodeHash>, ProofError> {
        let tip = self.tip();
        self.proven(self.ground.tree(&tip).inclusion(index, size))
    }

    /// The same for several entries, for less.
    pub fn inclusion_proofs(
        &self,
        indexes: impl IntoIterator<Item = LeafIndex>,
        size: TreeSize,
    ) -> Result<Vec<Vec<NodeHash>>, ProofError> {
        let tip = self.tip();
        self.proven(self.ground.tree(&tip).inclusions(indexes, size))
    }

    /// The same for one entry, if everything for it is in memory, as it is for new entries: nothing is waited for.
    pub fn inclusion_proof_from_memory(
        &self,
        index: LeafIndex,
        size: TreeSize,
    ) -> Result<Option<Vec<NodeHash>>, ProofError> {
        let tip = self.tip();
        self.ground.tree(&tip).inclusion_from_memory(index, size)
    }

    /// The proof that the tree of `to` entries begins with that of `from`.
    pub fn consistency_proof(&self, from: TreeSize, to: TreeSize) -> Result<Vec<NodeHash>, ProofError> {
        let tip = self.tip();
        self.proven(self.ground.tree(&tip).consistency(from, to))
    }

    /// The root of the tree when it had `size` entries.
    pub fn root(&self, size: TreeSize) -> Result<RootHash, ProofError> {
        let tip = self.tip();
        self.proven(self.ground.tree(&tip).root(size))
    }

    /// The keys registered under a name, revoked ones included, as of the newest durable entry; none if the name is
    /// unknown. Each is as the entry says by which it was registered.
    pub fn issuer_keys(&self, name: &IssuerName) -> Result<Vec<(KeyThumbprint, IssuerRecord)>, ReadError> {
        let tip = self.tip();
        let issuers = self.ground.store.issuers(name).and_then(|issuers| {
            for (key, record) in &issuers {
                self.committed(&tip).proves(&IssuerKey { name: name.clone(), key: *key }, record)?;
            }
            Ok(issuers)
        });
        self.sound(issuers)
    }

    /// The key under which the signature of `statement` has to hold, as of the newest durable entry.
    pub fn signing_key(&self, statement: &Statement) -> Result<PublicKey, AdmitError<ReadError>> {
        signing_key(&self.committed(&self.tip()), statement).inspect_err(|error| {
            if let AdmitError::State(error) = error {
                self.ground.report(error);
            }
        })
    }

    /// The state as of `tip`. The store may have the next batch already.
    fn committed<'a>(&'a self, tip: &'a Tip) -> Committed<'a, dyn Store> {
        let tree = self.ground.tree(tip);
        Committed { store: &*self.ground.store, issuers: &self.issuers, tree, ahead: true }
    }

    fn sound<T>(&self, read: Result<T, ReadError>) -> Result<T, ReadError> {
        read.inspect_err(|error| self.ground.report(error))
    }

    fn proven<T>(&self, read: Result<T, ProofError>) -> Result<T, ProofError> {
        read.inspect_err(|error| self.ground.report_proof(error))
    }
}
