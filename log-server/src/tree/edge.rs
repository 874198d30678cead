//! The right edge of the tree.

use std::sync::{Arc, OnceLock};

use countersign_verifier::merkle::{CompactRange, LeafHash, NodeHash, NodeId, RootHash, TreeSize};
use countersign_verifier::tiles::{FULL_WIDTH, TILE_HEIGHT, TileId};

use super::nodes::TileNodes;
use crate::store::EdgeHash;

/// How many levels of tiles the largest tree has.
const LEVELS: usize = 8;

/// The hashes of the one tile a level that is not full, and the compact range that appending needs.
///
/// It is all that a tree needs to grow and all that is not in full tiles, at most 64 KiB. Copies share what has not
/// changed since.
#[derive(Debug, Clone, Default)]
pub(crate) struct Edge {
    range: CompactRange,
    levels: [Level; LEVELS],
}

/// The tile of one level that is not full.
#[derive(Debug, Clone, Default)]
struct Level {
    hashes: Arc<Vec<NodeHash>>,
    /// What is above the hashes, once somebody has asked for it.
    nodes: OnceLock<Arc<TileNodes>>,
}

/// What a run of appended entries adds to the store.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Appended {
    pub(crate) full_tiles: Vec<(TileId, Vec<u8>)>,
    pub(crate) edge: Vec<EdgeHash>,
}

/// A hash that the edge has to have is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the edge of the tree lacks hash {position} of tile {index} at level {level}")]
pub struct DamagedEdge {
    level: u8,
    index: u64,
    position: usize,
}

impl Edge {
    /// Takes up the edge of a tree of `size` entries from stored hashes, among which there may be others. The hashes
    /// are taken at their word: compare [`Edge::root`] with a root that is known.
    pub(crate) fn restore(size: TreeSize, stored: &[EdgeHash]) -> Result<Self, DamagedEdge> {
        let mut levels: [Level; LEVELS] = Default::default();
        for (level, tile) in (0_u8..).zip(&mut levels) {
            let index = tile_index(size, level);
            let mut found: Vec<_> = stored
                .iter()
                .filter(|hash| hash.tile == TileId { level, index })
                .map(|hash| (hash.position, hash.hash))
                .collect();
            found.sort_unstable_by_key(|(position, _)| *position);
            let width = partial_width(size, level);
            let complete = found
                .iter()
                .zip(0_usize..)
                .take(width)
                .take_while(|((at, _), want)| usize::from(*at) == *want);
            let complete: Vec<NodeHash> = complete.map(|((_, hash), _)| *hash).collect();
            if complete.len() != width {
                return Err(DamagedEdge { level, index, position: complete.len() });
            }
            tile.hashes = Arc::new(complete);
        }
        let without_range = Self { range: CompactRange::new(), levels };
        let peaks = CompactRange::nodes(size).into_iter().map(|node| {
            let tile = TileId::of(node);
            let damaged = DamagedEdge { level: tile.level, index: tile.index, position: 0 };
            without_range.nodes(tile.level).and_then(|nodes| nodes.node(node)).ok_or(damaged)
        });
        let peaks = peaks.collect::<Result<Vec<_>, _>>()?;
        let range =
            CompactRange::restore(size, peaks).ok_or(DamagedEdge { level: 0, index: 0, position: 0 })?;
        Ok(Self { range, levels: without_range.levels })
    }

    /// How many entries the tree has.
    pub(crate) fn size(&self) -> TreeSize {
        self.range.size()
    }

    /// The root of the tree.
    pub(crate) fn root(&self) -> RootHash {
        self.range.root()
    }

    /// Appends entries and says what of it has to be stored. `None`, with the edge in no useful state, when the tree
    /// would be larger than trees can be.
    pub(crate) fn append(&mut self, leaves: impl IntoIterator<Item = LeafHash>) -> Option<Appended> {
        let before = self.size();
        let mut full_tiles = Vec::new();
        for leaf in leaves {
            let levels = &mut self.levels;
            let appended = self.range.append(leaf, |node, hash| {
                if node.height % TILE_HEIGHT == 0
                    && let Some(level) = levels.get_mut(usize::from(node.height / TILE_HEIGHT))
                {
                    level.nodes = OnceLock::new();
                    full_tiles.extend(push(Arc::make_mut(&mut level.hashes), node, hash));
                }
            });
            if !appended {
                return None;
            }
        }
        let after = self.size();
        let mut edge = Vec::new();
        for (level, Level { hashes, .. }) in (0_u8..).zip(&self.levels) {
            let tile = TileId { level, index: tile_index(after, level) };
            let known =
                if tile_index(before, level) == tile.index { partial_width(before, level) } else { 0 };
            let new = (0_u8..=u8::MAX).zip(hashes.iter()).skip(known);
            edge.extend(new.map(|(position, hash)| EdgeHash { tile, position, hash: *hash }));
        }
        Some(Appended { full_tiles, edge })
    }

    /// Whether `tile` is the one of its level that is not full.
    pub(crate) fn has(&self, tile: TileId) -> bool {
        tile.index == tile_index(self.size(), tile.level)
    }

    /// The hashes of the tile of a level that is not full.
    pub(crate) fn partial(&self, level: u8) -> Option<&[NodeHash]> {
        self.levels.get(usize::from(level)).map(|level| level.hashes.as_slice())
    }

    /// The same hashes with the nodes above them.
    pub(super) fn nodes(&self, level: u8) -> Option<Arc<TileNodes>> {
        let Level { hashes, nodes } = self.levels.get(usize::from(level))?;
        Some(Arc::clone(nodes.get_or_init(|| Arc::new(TileNodes::above(hashes.to_vec())))))
    }
}

/// Adds a hash to its level, and gives back the tile if that fills it.
fn push(hashes: &mut Vec<NodeHash>, node: NodeId, hash: NodeHash) -> Option<(TileId, Vec<u8>)> {
    hashes.push(hash);
    if hashes.len() < usize::from(u8::MAX) + 1 {
        return None;
    }
    let tile = TileId { level: node.height / TILE_HEIGHT, index: node.index / FULL_WIDTH };
    let bytes = tile_bytes(hashes);
    hashes.clear();
    Some((tile, bytes))
}

/// The hashes of a tile, one after the other.
pub(crate) fn tile_bytes(hashes: &[NodeHash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| *hash.as_bytes()).collect()
}

/// Which tile of a level is the one that is not full.
fn tile_index(size: TreeSize, level: u8) -> u64 {
    let shift = u32::from(level).saturating_add(1).saturating_mul(u32::from(TILE_HEIGHT));
    size.get().checked_shr(shift).unwrap_or(0)
}

/// How many hashes the tile of a level that is not full has.
fn partial_width(size: TreeSize, level: u8) -> usize {
    let shift = u32::from(level).saturating_mul(u32::from(TILE_HEIGHT));
    let complete = size.get().checked_shr(shift).unwrap_or(0);
    usize::try_from(complete % FULL_WIDTH).unwrap_or(0)
}
