//! Hash tiles.

use std::collections::BTreeSet;

use super::{FULL_WIDTH, TILE_HEIGHT, TileWidth};
use crate::merkle::{NodeHash, NodeId, TreeSize};

/// Why bytes are not the tile that they are said to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TileError {
    /// Another length than the width asks for.
    #[error("a tile of {width} hashes has {want} bytes, this one has {got}", want = .width.saturating_mul(32))]
    Length {
        /// How many hashes it should have.
        width: usize,
        /// How many bytes it has.
        got: usize,
    },
    /// The tile does not have this node.
    #[error("the tile of level {tile_level} does not have the node {index} at height {height}")]
    NoSuchNode {
        /// The level of the tile.
        tile_level: u8,
        /// The height of the node.
        height: u8,
        /// The index of the node.
        index: u64,
    },
}

/// Which tile: its level, 8 levels of the tree each, and its position from the left.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TileId {
    /// `0 ..= 7`; level 0 holds leaf hashes.
    pub level: u8,
    /// Zero-based.
    pub index: u64,
}

impl TileId {
    /// The tile in which the node is, or from which it is computed.
    pub fn of(node: NodeId) -> Self {
        let (level, rest) = (node.height / TILE_HEIGHT, node.height % TILE_HEIGHT);
        Self { level, index: node.index >> TILE_HEIGHT.saturating_sub(rest) }
    }

    /// How many hashes the tile has in a tree of `size` entries, or `None` when it is not there yet.
    pub fn width(self, size: TreeSize) -> Option<TileWidth> {
        let shift = u32::from(self.level).checked_mul(u32::from(TILE_HEIGHT))?;
        let complete = size.get().checked_shr(shift)?;
        let before = self.index.checked_mul(FULL_WIDTH)?;
        let count = complete.checked_sub(before)?.min(FULL_WIDTH);
        u16::try_from(count).ok().and_then(|count| TileWidth::new(count).ok())
    }
}

/// The tiles that the nodes of a plan are in, each once.
pub fn tiles_for(nodes: &[NodeId]) -> BTreeSet<TileId> {
    nodes.iter().map(|node| TileId::of(*node)).collect()
}

/// The hashes of a tile, full or partial.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HashTile {
    id: TileId,
    hashes: Vec<NodeHash>,
}

impl HashTile {
    /// Reads the bytes of a tile of `width` hashes.
    pub fn parse(id: TileId, width: TileWidth, bytes: &[u8]) -> Result<Self, TileError> {
        let width = usize::from(width.get());
        let (hashes, rest) = bytes.as_chunks::<32>();
        if hashes.len() != width || !rest.is_empty() {
            return Err(TileError::Length { width, got: bytes.len() });
        }
        Ok(Self { id, hashes: hashes.iter().map(|hash| NodeHash::from_bytes(*hash)).collect() })
    }

    /// Which tile it is.
    pub fn id(&self) -> TileId {
        self.id
    }

    /// The hashes, from the left.
    pub fn hashes(&self) -> &[NodeHash] {
        &self.hashes
    }

    /// The hash of a complete node that is in this tile or that is computed from its hashes.
    pub fn node(&self, node: NodeId) -> Result<NodeHash, TileError> {
        self.find(node).ok_or(TileError::NoSuchNode {
            tile_level: self.id.level,
            height: node.height,
            index: node.index,
        })
    }

    fn find(&self, node: NodeId) -> Option<NodeHash> {
        if TileId::of(node) != self.id {
            return None;
        }
        let count = 1_usize << (node.height % TILE_HEIGHT);
        let first = usize::try_from(node.index).ok()?.wrapping_mul(count) & 0xff;
        let mut row = self.hashes.get(first..first.checked_add(count)?)?.to_vec();
        while row.len() > 1 {
            let (pairs, _) = row.as_chunks::<2>();
            row = pairs.iter().map(|[left, right]| NodeHash::parent(left, right)).collect();
        }
        row.first().copied()
    }
}
