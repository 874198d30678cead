//! The nodes inside of a tile, each computed once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use countersign_verifier::merkle::{NodeHash, NodeId};
use countersign_verifier::tiles::{TILE_HEIGHT, TileId};

/// How many full tiles are kept in memory with their inner nodes, 16 KiB each.
const MAX_CACHED: usize = 1024;

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

    /// A node of this tile; `None` when it is not complete. That the node belongs to the tile, the caller knows.
    pub(super) fn node(&self, node: NodeId) -> Option<NodeHash> {
        let height = node.height % TILE_HEIGHT;
        // A row has half as many nodes as the one below it.
        let position = node.index & (0xff >> height);
        self.rows.get(usize::from(height))?.get(usize::try_from(position).ok()?).copied()
    }
}

/// Full tiles that were read lately. They never change.
#[derive(Debug, Default)]
pub(crate) struct TileCache {
    tiles: Mutex<Cached>,
}

#[derive(Debug, Default)]
struct Cached {
    tiles: HashMap<TileId, (u64, Arc<TileNodes>)>,
    reads: u64,
}

impl TileCache {
    pub(super) fn get(&self, tile: TileId) -> Option<Arc<TileNodes>> {
        let mut cached = self.tiles.lock().unwrap_or_else(PoisonError::into_inner);
        cached.reads = cached.reads.saturating_add(1);
        let now = cached.reads;
        let (last_read, nodes) = cached.tiles.get_mut(&tile)?;
        *last_read = now;
        Some(Arc::clone(nodes))
    }

    /// Keeps a tile, in place of the one that was not read for the longest time.
    pub(super) fn put(&self, tile: TileId, nodes: Arc<TileNodes>) {
        let mut cached = self.tiles.lock().unwrap_or_else(PoisonError::into_inner);
        if cached.tiles.len() >= MAX_CACHED
            && let Some(oldest) =
                cached.tiles.iter().min_by_key(|(_, (last_read, _))| *last_read).map(|(id, _)| *id)
        {
            cached.tiles.remove(&oldest);
        }
        let now = cached.reads;
        cached.tiles.insert(tile, (now, nodes));
    }
}
