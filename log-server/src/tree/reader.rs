//! Reading the tree: by point reads of tiles, never by walking it.

use std::sync::Arc;

use countersign_verifier::merkle::{
    self, LeafHash, LeafIndex, NodeHash, NodeId, PlanError, ProofPlan, RootHash, TreeSize,
};
use countersign_verifier::tiles::{FULL_WIDTH, TILE_HEIGHT, TileId, TileWidth};

use super::Edge;
use super::edge::tile_bytes;
use super::nodes::{TileCache, TileNodes};
use crate::store::{Entries, StoreError, Tiles};

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
        Ok(self.tile_nodes(tile)?.hashes(count).map(tile_bytes))
    }

    /// How many entries it has.
    pub(crate) fn size(&self) -> TreeSize {
        self.edge.size()
    }

    /// The hash of the entry `index`, which is in the tree.
    pub(crate) fn leaf(&self, index: LeafIndex) -> Result<NodeHash, StoreError> {
        let node = NodeId { height: 0, index: index.get() };
        let tile = TileId::of(node);
        let leaf = if self.edge.has(tile) {
            let position = usize::try_from(index.get() % FULL_WIDTH).ok();
            position.and_then(|at| self.edge.partial(0)?.get(at).copied())
        } else {
            self.tile_nodes(tile)?.node(node)
        };
        leaf.ok_or(StoreError::MissingRow { row: "tiles" })
    }

    /// The bytes of the entry `index`, which is in the tree, held against its hash there.
    pub(crate) fn entry(&self, index: LeafIndex) -> Result<Vec<u8>, StoreError>
    where
        S: Entries,
    {
        let entry = self.store.entry(index)?.ok_or(StoreError::MissingRow { row: "entries" })?;
        if NodeHash::from(LeafHash::of(&entry)) == self.leaf(index)? {
            Ok(entry)
        } else {
            Err(StoreError::DamagedRow { row: "entries" })
        }
    }

    /// The proof that the entry `index` is in the tree of `size` entries.
    pub(crate) fn inclusion(&self, index: LeafIndex, size: TreeSize) -> Result<Vec<NodeHash>, ProofError> {
        self.check(size)?;
        self.build(&ProofPlan::inclusion(index, size)?, &mut Fetched::default())
    }

    /// The same for several entries, for less.
    pub(crate) fn inclusions(
        &self,
        indexes: impl IntoIterator<Item = LeafIndex>,
        size: TreeSize,
    ) -> Result<Vec<Vec<NodeHash>>, ProofError> {
        self.check(size)?;
        let mut fetched = Fetched::default();
        let prove = |index| self.build(&ProofPlan::inclusion(index, size)?, &mut fetched);
        indexes.into_iter().map(prove).collect()
    }

    /// The same for one entry if no tile has to be fetched from the store for it, and so nothing has to be waited for.
    pub(crate) fn inclusion_from_memory(
        &self,
        index: LeafIndex,
        size: TreeSize,
    ) -> Result<Option<Vec<NodeHash>>, ProofError> {
        self.check(size)?;
        let plan = ProofPlan::inclusion(index, size)?;
        let mut fetched = Fetched::default();
        for node in plan.nodes() {
            let tile = TileId::of(*node);
            if fetched.get(tile).is_none() {
                let Some(nodes) = self.nodes_in_memory(tile)? else { return Ok(None) };
                fetched.0.push((tile, nodes));
            }
        }
        self.build(&plan, &mut fetched).map(Some)
    }

    /// The proof that the tree of `to` entries begins with that of `from`.
    pub(crate) fn consistency(&self, from: TreeSize, to: TreeSize) -> Result<Vec<NodeHash>, ProofError> {
        self.check(to)?;
        self.build(&ProofPlan::consistency(from, to)?, &mut Fetched::default())
    }

    /// The root of the tree when it had `size` entries.
    pub(crate) fn root(&self, size: TreeSize) -> Result<RootHash, ProofError> {
        self.check(size)?;
        let plan = ProofPlan::root(size);
        Ok(plan.build_root(&self.nodes(plan.nodes(), &mut Fetched::default())?)?)
    }

    fn check(&self, size: TreeSize) -> Result<(), ProofError> {
        let held = self.edge.size();
        let beyond = merkle::ProofError::Shrinks { from: size, to: held };
        if size > held { Err(PlanError::from(beyond).into()) } else { Ok(()) }
    }

    fn build(&self, plan: &ProofPlan, fetched: &mut Fetched) -> Result<Vec<NodeHash>, ProofError> {
        Ok(plan.build(&self.nodes(plan.nodes(), fetched)?)?)
    }

    /// Fetches every tile once, whatever number of nodes is in it.
    fn nodes(&self, nodes: &[NodeId], fetched: &mut Fetched) -> Result<Vec<NodeHash>, ProofError> {
        let missing = || StoreError::MissingRow { row: "tiles" };
        let mut hashes = Vec::with_capacity(nodes.len());
        for node in nodes {
            let tile = TileId::of(*node);
            let hash = match fetched.get(tile) {
                Some(tile) => tile.node(*node),
                None => fetched.put(tile, self.tile_nodes(tile)?).node(*node),
            };
            hashes.push(hash.ok_or_else(missing)?);
        }
        Ok(hashes)
    }

    /// A tile that was read from the store is held against the one above it, and so up to the edge, which was held against
    /// the signed root: what was changed in the store gets no further. That costs a hashing for each of its hashes, once,
    /// and they are wanted for proofs anyway.
    fn tile_nodes(&self, tile: TileId) -> Result<Arc<TileNodes>, StoreError> {
        if let Some(nodes) = self.nodes_in_memory(tile)? {
            return Ok(nodes);
        }
        let nodes = self.full_tile(tile)?;
        let above =
            NodeId { height: tile.level.saturating_add(1).saturating_mul(TILE_HEIGHT), index: tile.index };
        if nodes.top() != self.tile_nodes(TileId::of(above))?.node(above) {
            return Err(StoreError::DamagedRow { row: "tiles" });
        }
        Ok(self.cache.put(tile, nodes))
    }

    fn nodes_in_memory(&self, tile: TileId) -> Result<Option<Arc<TileNodes>>, StoreError> {
        if self.edge.has(tile) {
            return self.edge.nodes(tile.level).map(Some).ok_or(StoreError::MissingRow { row: "tiles" });
        }
        Ok(self.cache.get(tile))
    }

    fn full_tile(&self, tile: TileId) -> Result<TileNodes, StoreError> {
        let bytes = self.store.full_tile(tile)?.ok_or(StoreError::MissingRow { row: "tiles" })?;
        let nodes = if bytes.len() == FULL_TILE_BYTES { TileNodes::parse(&bytes) } else { None };
        nodes.ok_or(StoreError::DamagedRow { row: "tiles" })
    }
}

/// The tiles that were fetched for some proofs: a handful.
#[derive(Debug, Default)]
struct Fetched(Vec<(TileId, Arc<TileNodes>)>);

impl Fetched {
    fn get(&self, tile: TileId) -> Option<&TileNodes> {
        // The last proof's tiles are the likeliest.
        self.0.iter().rev().find(|(id, _)| *id == tile).map(|(_, nodes)| &**nodes)
    }

    fn put(&mut self, tile: TileId, nodes: Arc<TileNodes>) -> Arc<TileNodes> {
        self.0.push((tile, Arc::clone(&nodes)));
        nodes
    }
}
