//! The nodes inside of a tile, each computed once.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use countersign_verifier::merkle::{NodeHash, NodeId};
use countersign_verifier::tiles::{TILE_HEIGHT, TileId};

use crate::cache::Recent;

/// How many full tiles are kept in memory with their inner nodes, 16 KiB each.
const MAX_CACHED: usize = 2048;

/// The hashes of a tile and all complete nodes above them, up to where the next tile begins.
///
/// A proof wants one node of each height. To compute them from the hashes anew takes as many hashings as the tile has
/// hashes; here it takes none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TileNodes {
    /// By height above the tile's own hashes.
    rows: Vec<Vec<NodeHash>>,
}

impl TileNodes {
    /// The nodes above these hashes, of which there are at most 256.
    pub(super) fn above(hashes: Vec<NodeHash>) -> Self {
        let mut rows = vec![hashes];
        for _ in 1..TILE_HEIGHT {
            let (pairs, _) = rows.last().map(Vec::as_slice).unwrap_or_default().as_chunks::<2>();
            let row = pairs.iter().map(|[left, right]| NodeHash::parent(left, right)).collect();
            rows.push(row);
        }
        Self { rows }
    }

    /// The nodes above the hashes in the bytes of a tile, if they are a number of hashes.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let (hashes, rest) = bytes.as_chunks::<32>();
        rest.is_empty().then(|| Self::above(hashes.iter().copied().map(NodeHash::from_bytes).collect()))
    }

    /// The hash of this tile in the tile above it, if this one is full.
    pub(super) fn top(&self) -> Option<NodeHash> {
        let [left, right] = self.rows.last()?.as_slice() else { return None };
        Some(NodeHash::parent(left, right))
    }

    /// The first `width` hashes of the tile itself; `None` when it has fewer.
    pub(super) fn hashes(&self, width: usize) -> Option<&[NodeHash]> {
        self.rows.first()?.get(..width)
    }

    /// A node of this tile; `None` when it is not complete. That the node belongs to the tile, the caller knows.
    pub(super) fn node(&self, node: NodeId) -> Option<NodeHash> {
        let height = node.height % TILE_HEIGHT;
        // A row has half as many nodes as the one below it.
        let position = node.index & (0xff >> height);
        self.rows.get(usize::from(height))?.get(usize::try_from(position).ok()?).copied()
    }
}

/// Full tiles that were made or read lately. They never change.
#[derive(Debug)]
pub(crate) struct TileCache {
    tiles: Mutex<Recent<TileId, Arc<TileNodes>>>,
}

impl Default for TileCache {
    fn default() -> Self {
        Self { tiles: Mutex::new(Recent::new(MAX_CACHED)) }
    }
}

impl TileCache {
    pub(super) fn get(&self, tile: TileId) -> Option<Arc<TileNodes>> {
        self.lock().get(&tile)
    }

    /// Keeps the bytes of a full tile that was just made, if they are a number of hashes.
    pub(crate) fn keep(&self, tile: TileId, bytes: &[u8]) {
        if let Some(nodes) = TileNodes::parse(bytes) {
            self.put(tile, nodes);
        }
    }

    /// Keeps the nodes of a full tile, which are known to be those of the tree, and gives them back.
    pub(super) fn put(&self, tile: TileId, nodes: TileNodes) -> Arc<TileNodes> {
        let nodes = Arc::new(nodes);
        self.lock().put(tile, Arc::clone(&nodes), 1);
        nodes
    }

    fn lock(&self) -> MutexGuard<'_, Recent<TileId, Arc<TileNodes>>> {
        self.tiles.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
