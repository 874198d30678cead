//! Reading a log back from what it serves: entry bundles and hash tiles, hashed again from the leaves up.

use std::collections::HashMap;

use countersign_verifier::checkpoint::Checkpoint;
use countersign_verifier::merkle::{CompactRange, LeafHash, LeafIndex, NodeHash, RootHash, TreeSize};
use countersign_verifier::tiles::{
    BundleError, EntryBundle, FULL_WIDTH, HashTile, PathError, Resource, TileError, TileId, TileWidth,
};

use crate::client::{Client, ClientError};

/// Why a log could not be read back, or what in it contradicts its heads.
#[derive(Debug, thiserror::Error)]
pub enum WalkError {
    /// No answer.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// Not a bundle of the width that the head implies.
    #[error("the bundle {index}: {cause}")]
    Bundle {
        /// Which bundle.
        index: u64,
        /// What is wrong.
        cause: BundleError,
    },
    /// Not a tile of the width that the head implies.
    #[error(transparent)]
    Tile(#[from] TileError),
    /// No tile can have this width.
    #[error(transparent)]
    Path(#[from] PathError),
    /// An entry that the hash tile of its place disagrees with.
    #[error("entry {index} hashes to {computed}, its tile says {stated}")]
    Leaf {
        /// Which entry.
        index: LeafIndex,
        /// The hash of its bytes.
        computed: LeafHash,
        /// What the tile has.
        stated: NodeHash,
    },
    /// The entries do not lead to the root of a head.
    #[error("the first {size} entries have the root {computed}, a signed head says {stated}")]
    Root {
        /// The size of the head.
        size: TreeSize,
        /// The root of the entries.
        computed: RootHash,
        /// What the head says.
        stated: RootHash,
    },
    /// The trees are in the wrong order, or larger than this machine can count.
    #[error("a tree of {from} entries does not grow into one of {to}")]
    Order {
        /// Where the walk should begin.
        from: TreeSize,
        /// Where it should end.
        to: TreeSize,
    },
}

impl WalkError {
    /// Whether the log contradicts itself, as opposed to not having answered.
    pub const fn is_misbehaviour(&self) -> bool {
        matches!(self, Self::Leaf { .. } | Self::Root { .. } | Self::Bundle { .. } | Self::Tile(_))
    }
}

/// Reads the entries that a log gained between two heads, which both must hold.
///
/// `each` sees every entry from `from.size` on, with the tree up to and including it. A success says that the
/// entries are the leaves of both heads, so that the heads are consistent, and that the tiles of level 0 agree.
pub async fn entries(
    client: &mut Client,
    from: &Checkpoint,
    to: &Checkpoint,
    mut each: impl FnMut(LeafIndex, &[u8], &CompactRange) -> Result<(), WalkError>,
) -> Result<(), WalkError> {
    let order = WalkError::Order { from: from.size, to: to.size };
    if from.size > to.size {
        return Err(order);
    }
    let mut range = edge(client, from.size, to.size).await?;
    expect_root(&range, from)?;
    let mut next = from.size.get();
    while next < to.size.get() {
        let index = next / FULL_WIDTH;
        let first = index.saturating_mul(FULL_WIDTH);
        let width = to.size.get().saturating_sub(first).min(FULL_WIDTH);
        let width = TileWidth::new(u16::try_from(width).unwrap_or(u16::MAX))?;
        let bundle = get(client, Resource::Entries(index, width)).await?;
        let bundle =
            EntryBundle::parse(width, &bundle).map_err(|cause| WalkError::Bundle { index, cause })?;
        let id = TileId { level: 0, index };
        let tile = HashTile::parse(id, width, &get(client, Resource::Hashes(id, width)).await?)?;
        for (at, (entry, stated)) in (first..).zip(bundle.entries().iter().zip(tile.hashes())) {
            if at < next {
                continue;
            }
            let Some(index) = LeafIndex::new(at) else { return Err(order) };
            let computed = LeafHash::of(entry);
            if NodeHash::from(computed) != *stated {
                return Err(WalkError::Leaf { index, computed, stated: *stated });
            }
            if !range.append(computed, |_, _| ()) {
                return Err(order);
            }
            each(index, entry, &range)?;
        }
        next = first.saturating_add(u64::from(width.get()));
    }
    expect_root(&range, to)
}

/// Checks that the tree read so far is the one of `head`, when it has its size.
pub fn expect_root(range: &CompactRange, head: &Checkpoint) -> Result<(), WalkError> {
    let (computed, stated) = (range.root(), head.root);
    if range.size() == head.size && computed != stated {
        return Err(WalkError::Root { size: head.size, computed, stated });
    }
    Ok(())
}

/// The right edge of the tree of the first `size` entries, from the tiles of a larger tree.
async fn edge(client: &mut Client, size: TreeSize, of: TreeSize) -> Result<CompactRange, WalkError> {
    let mut tiles: HashMap<TileId, HashTile> = HashMap::new();
    let mut peaks = Vec::new();
    for node in CompactRange::nodes(size) {
        let id = TileId::of(node);
        let tile = if let Some(tile) = tiles.remove(&id) {
            tile
        } else {
            let width = id.width(of).ok_or(WalkError::Order { from: size, to: of })?;
            HashTile::parse(id, width, &get(client, Resource::Hashes(id, width)).await?)?
        };
        peaks.push(tile.node(node)?);
        tiles.insert(id, tile);
    }
    CompactRange::restore(size, peaks).ok_or(WalkError::Order { from: size, to: of })
}

async fn get(client: &mut Client, resource: Resource) -> Result<bytes::Bytes, WalkError> {
    Ok(client.body(&format!("/{resource}")).await?)
}
