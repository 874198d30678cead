//! What is written at once.

use countersign_verifier::admission::Effects;
use countersign_verifier::merkle::{NodeHash, RootHash, TreeSize};
use countersign_verifier::note::VerifierKey;
use countersign_verifier::tiles::TileId;

/// What is written at once: all of it or nothing.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// New entries and all that follows from them.
    pub growth: Option<Growth>,
    /// A head that has its quorum, before it is shown to anyone.
    pub publication: Option<Publication>,
}

/// New entries and all that follows from them.
#[derive(Debug, Clone)]
pub struct Growth {
    /// The entries, in ascending order without gaps.
    pub entries: Vec<NewEntry>,
    /// The tiles that these entries fill, 8192 bytes each.
    pub full_tiles: Vec<(TileId, Vec<u8>)>,
    /// The new hashes of the tiles that are not full, at most one tile a level.
    pub edge: Vec<EdgeHash>,
    /// The head of the tree with these entries.
    pub head: Head,
}

/// An entry and what is to be remembered of it.
#[derive(Debug, Clone)]
pub struct NewEntry {
    /// Its exact bytes.
    pub bytes: Vec<u8>,
    /// What the admission rules add to their state.
    pub effects: Effects,
}

/// One hash of a tile that is not full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EdgeHash {
    /// The tile.
    pub tile: TileId,
    /// Where in the tile the hash is, from the left.
    pub position: u8,
    /// The hash.
    pub hash: NodeHash,
}

/// A tree in two words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// How many entries it has.
    pub size: TreeSize,
    /// Its root.
    pub root: RootHash,
}

/// A head that has its quorum.
#[derive(Debug, Clone)]
pub struct Publication {
    /// The note, byte for byte.
    pub note: String,
    /// The largest size that each of these witnesses is known to have cosigned.
    pub cosigned: Vec<(VerifierKey, TreeSize)>,
}
