//! The tree as the entries give it.

use crate::merkle::{
    CompactRange, LeafHash, LeafIndex, NodeHash, NodeId, PlanError, ProofPlan, RootHash, TreeSize,
};
use crate::tiles::{FULL_WIDTH, TILE_HEIGHT, TileId};

/// The lowest level above the leaves that is kept. Nodes in between are computed again from at most eight leaves.
const LOWEST: u8 = 4;

/// Every leaf and, from the fourth level up, every complete node: 36 bytes an entry. It gives the root of any earlier
/// size, and any proof, without reading anything again.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    range: CompactRange,
    leaves: Vec<LeafHash>,
    /// The complete nodes of each level from [`LOWEST`] on, from the left.
    rows: Vec<Vec<NodeHash>>,
}

impl Tree {
    /// How many entries there are.
    pub fn size(&self) -> TreeSize {
        self.range.size()
    }

    /// The root over all entries so far.
    pub fn root(&self) -> RootHash {
        self.range.root()
    }

    /// The id of an entry.
    pub fn leaf(&self, index: LeafIndex) -> Option<LeafHash> {
        self.leaves.get(usize::try_from(index.get()).ok()?).copied()
    }

    /// Appends an entry; `false`, with nothing changed, when the tree is as large as a tree can be.
    #[must_use]
    pub fn append(&mut self, leaf: LeafHash) -> bool {
        let Self { range, leaves, rows } = self;
        range.append(leaf, |node, hash| {
            if node.height == 0 {
                leaves.push(leaf);
            } else if let Some(row) = node.height.checked_sub(LOWEST).map(usize::from) {
                if rows.len() <= row {
                    rows.push(Vec::new());
                }
                if let Some(row) = rows.get_mut(row) {
                    row.push(hash);
                }
            }
        })
    }

    /// The root over the first `size` entries, or `None` when there are fewer.
    pub fn root_at(&self, size: TreeSize) -> Option<RootHash> {
        let plan = (size <= self.size()).then(|| ProofPlan::root(size))?;
        plan.build_root(&self.nodes(&plan)?).ok()
    }

    /// The proof that the entry is in the tree as it is now.
    pub fn inclusion(&self, index: LeafIndex) -> Result<Vec<NodeHash>, PlanError> {
        self.prove(&ProofPlan::inclusion(index, self.size())?)
    }

    /// The proof that the first `to` entries begin with the first `from`.
    pub fn consistency(&self, from: TreeSize, to: TreeSize) -> Result<Vec<NodeHash>, PlanError> {
        self.prove(&ProofPlan::consistency(from, to)?)
    }

    /// The hash that belongs into a tile at a position from 0 to 255.
    pub fn in_tile(&self, tile: TileId, position: u64) -> Option<NodeHash> {
        let height = tile.level.checked_mul(TILE_HEIGHT)?;
        let index = tile.index.checked_mul(FULL_WIDTH)?.checked_add(position)?;
        self.node(NodeId { height, index })
    }

    fn prove(&self, plan: &ProofPlan) -> Result<Vec<NodeHash>, PlanError> {
        // Only a plan for a larger tree asks for nodes that are not there.
        let nodes = self.nodes(plan).ok_or(PlanError::WrongNodes { want: plan.nodes().len(), got: 0 })?;
        plan.build(&nodes)
    }

    /// The nodes of a plan, or `None` when the tree does not have them all.
    pub(super) fn nodes(&self, plan: &ProofPlan) -> Option<Vec<NodeHash>> {
        plan.nodes().iter().map(|node| self.node(*node)).collect()
    }

    fn node(&self, node: NodeId) -> Option<NodeHash> {
        let at = usize::try_from(node.index).ok()?;
        if let Some(row) = node.height.checked_sub(LOWEST) {
            return self.rows.get(usize::from(row))?.get(at).copied();
        }
        let count = 1_usize << node.height;
        let first = at.checked_mul(count)?;
        let mut range = CompactRange::new();
        for leaf in self.leaves.get(first..first.checked_add(count)?)? {
            // Eight leaves fit into any tree.
            let _ = range.append(*leaf, |_, _| ());
        }
        Some(range.root().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merkle::{verify_consistency, verify_inclusion};

    #[test]
    fn it_knows_the_root_of_every_size_and_proves_every_entry() {
        let mut tree = Tree::default();
        let mut roots = vec![RootHash::empty()];
        for number in 0..600_u32 {
            assert!(tree.append(LeafHash::of(&number.to_be_bytes())));
            roots.push(tree.root());
        }
        for (size, root) in (0..).zip(&roots) {
            let size = TreeSize::new(size).unwrap();
            assert_eq!(tree.root_at(size), Some(*root));
            let proof = tree.consistency(size, tree.size()).unwrap();
            verify_consistency(size, *root, tree.size(), tree.root(), &proof).unwrap();
        }
        for index in (0..600).map(|index| LeafIndex::new(index).unwrap()) {
            let (leaf, proof) = (tree.leaf(index).unwrap(), tree.inclusion(index).unwrap());
            verify_inclusion(leaf, index, tree.size(), &proof, tree.root()).unwrap();
        }
        assert_eq!(tree.root_at(TreeSize::new(601).unwrap()), None);
        assert_eq!(
            tree.in_tile(TileId { level: 0, index: 2 }, 87),
            tree.leaf(LeafIndex::new(599).unwrap()).map(NodeHash::from)
        );
        assert_eq!(tree.in_tile(TileId { level: 0, index: 2 }, 88), None);
        assert!(tree.in_tile(TileId { level: 1, index: 0 }, 1).is_some());
        assert_eq!(tree.in_tile(TileId { level: 1, index: 0 }, 2), None);
    }
}
