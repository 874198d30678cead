//! Tiles (C2SP tlog-tiles): how a tree is stored and served, 256 hashes or entries at a time.

mod bundle;
mod path;
mod tile;

#[cfg(test)]
mod tests;

pub use bundle::{BundleError, EntryBundle, MAX_BUNDLE_BYTES, MAX_ENTRY_BYTES};
pub use path::{PathError, Resource, TileWidth};
pub use tile::{HashTile, TileError, TileId, tiles_for};

/// How many hashes or entries a full tile has.
pub const FULL_WIDTH: u64 = 256;
/// How many levels of the tree a tile spans.
pub const TILE_HEIGHT: u8 = 8;
