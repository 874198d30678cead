//! Reading the tree: by point reads of tiles, never by walking it.

use std::collections::BTreeMap;
use std::sync::Arc;

use countersign_verifier::merkle::{
    self, LeafIndex, NodeHash, NodeId, PlanError, ProofPlan, RootHash, TreeSize,
};
use countersign_verifier::tiles::{TileId, TileWidth, tiles_for};

use super::Edge;
use super::edge::tile_bytes;
use super::nodes::{TileCache, TileNodes};
use crate::store::{StoreError, Tiles};

/// The bytes of a full tile: 256 hashes.
const FULL_TILE_BYTES: usize = 256 * 32;

/// Why there is no proof.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    /// The index or the sizes do not fit each other or the tree.
    #[error(transparent)]
    Impossible(#[from] PlanError),
    /// The store cannot be read, or lacks what it must have.
    #[error(transparent)]
    Read(#[from] StoreError),
}

/// The tree as of one moment. What it reads does not change, however much is appended meanwhile.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TreeReader<'a, S: ?Sized> {
    edge: &'a Edge,
    store: &'a S,
    cache: &'a TileCache,
}

impl<'a, S: Tiles + ?Sized> TreeReader<'a, S> {
    /// The tree with this edge, the rest of which is in `store`, of which `cache` has some.
    pub(crate) fn new(edge: &'a Edge, store: &'a S, cache: &'a TileCache) -> Self {
        Self { edge, store, cache }
    }

    /// The bytes of a tile of `width` hashes; `None` when the tree is not as large.
    pub(crate) fn tile(&self, tile: TileId, width: TileWidth) -> Result<Option<Vec<u8>>, StoreError> {
        if tile.width(self.edge.size()).is_none_or(|held| width > held) {
            return Ok(None);
        }
        let count = usize::from(width.get());
        if self.edge.has(tile) {
            return Ok(self.edge.partial(tile.level).and_then(|hashes| hashes.get(..count)).map(tile_bytes));
        }
        let mut bytes = self.full_tile(tile)?;
        bytes.truncate(count.saturating_mul(32));
        Ok(Some(bytes))
    }

    /// The proof that the entry `index` is in the tree of `size` entries.
    pub(crate) fn inclusion(&self, index: LeafIndex, size: TreeSize) -> Result<Vec<NodeHash>, ProofError> {
        self.check(size)?;
        self.build(&ProofPlan::inclusion(index, size)?)
    }

    /// The proof that the tree of `to` entries begins with that of `from`.
    pub(crate) fn consistency(&self, from: TreeSize, to: TreeSize) -> Result<Vec<NodeHash>, ProofError> {
        self.check(to)?;
        self.build(&ProofPlan::consistency(from, to)?)
    }

    /// The root of the tree when it had `size` entries.
    pub(crate) fn root(&self, size: TreeSize) -> Result<RootHash, ProofError> {
        self.check(size)?;
        let plan = ProofPlan::root(size);
        Ok(plan.build_root(&self.nodes(plan.nodes())?)?)
    }

    fn check(&self, size: TreeSize) -> Result<(), ProofError> {
        let held = self.edge.size();
        let beyond = merkle::ProofError::Shrinks { from: size, to: held };
        if size > held { Err(PlanError::from(beyond).into()) } else { Ok(()) }
    }

    fn build(&self, plan: &ProofPlan) -> Result<Vec<NodeHash>, ProofError> {
        Ok(plan.build(&self.nodes(plan.nodes())?)?)
    }

    /// Fetches every tile once, whatever number of nodes is in it.
    fn nodes(&self, nodes: &[NodeId]) -> Result<Vec<NodeHash>, ProofError> {
        let mut tiles = BTreeMap::new();
        for id in tiles_for(nodes) {
            tiles.insert(id, self.tile_nodes(id)?);
        }
        let hashes = nodes.iter().map(|node| tiles.get(&TileId::of(*node))?.node(*node));
        Ok(hashes.collect::<Option<_>>().ok_or(StoreError::MissingRow { row: "tiles" })?)
    }

    fn tile_nodes(&self, tile: TileId) -> Result<Arc<TileNodes>, StoreError> {
        let missing = StoreError::MissingRow { row: "tiles" };
        if self.edge.has(tile) {
            return self.edge.nodes(tile.level).ok_or(missing);
        }
        if let Some(nodes) = self.cache.get(tile) {
            return Ok(nodes);
        }
        let bytes = self.full_tile(tile)?;
        let nodes = Arc::new(TileNodes::parse(&bytes).ok_or(StoreError::DamagedRow { row: "tiles" })?);
        self.cache.put(tile, Arc::clone(&nodes));
        Ok(nodes)
    }

    fn full_tile(&self, tile: TileId) -> Result<Vec<u8>, StoreError> {
        let bytes = self.store.full_tile(tile)?.ok_or(StoreError::MissingRow { row: "tiles" })?;
        if bytes.len() == FULL_TILE_BYTES { Ok(bytes) } else { Err(StoreError::DamagedRow { row: "tiles" }) }
    }
}
