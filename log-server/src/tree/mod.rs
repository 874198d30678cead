//! The tree as it stands: its right edge in memory, everything else in full tiles in the store.

mod edge;
mod nodes;
mod reader;
#[cfg(test)]
mod tests;

pub use edge::DamagedEdge;
pub(crate) use edge::Edge;
pub(crate) use nodes::TileCache;
pub use reader::ProofError;
pub(crate) use reader::TreeReader;
