//! The right edge of a growing tree.

use super::{LeafHash, NodeHash, NodeId, RootHash, TreeSize};

/// The complete subtrees that make up a tree, from the largest to the smallest: all that appending needs to know.
///
/// It takes one hash for each one bit of the size, so at most 63.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct CompactRange {
    size: TreeSize,
    /// One hash for each one bit of `size`, the highest bit first.
    peaks: Vec<NodeHash>,
}

impl CompactRange {
    /// The empty tree.
    pub fn new() -> Self {
        Self::default()
    }

    /// The nodes that [`CompactRange::restore`] needs for a tree of `size`, in its order.
    pub fn nodes(size: TreeSize) -> Vec<NodeId> {
        let mut start = 0_u64;
        (0..63_u8)
            .rev()
            .filter(|height| size.get() >> height & 1 == 1)
            .map(|height| {
                let node = NodeId { height, index: start >> height };
                start |= 1 << height;
                node
            })
            .collect()
    }

    /// Takes up a tree of `size` again from the hashes of [`CompactRange::nodes`]; `None` when their number does
    /// not fit the size. The hashes are taken at their word: compare [`CompactRange::root`] with a signed one.
    pub fn restore(size: TreeSize, peaks: Vec<NodeHash>) -> Option<Self> {
        (peaks.len() == size.get().count_ones() as usize).then_some(Self { size, peaks })
    }

    /// How many entries there are.
    pub fn size(&self) -> TreeSize {
        self.size
    }

    /// Appends an entry. Every node that this completes goes to `completed`, from the leaf upwards.
    /// `false`, with nothing changed, when the tree is as large as a tree can be.
    #[must_use]
    pub fn append(&mut self, leaf: LeafHash, mut completed: impl FnMut(NodeId, NodeHash)) -> bool {
        let Some(index) = self.size.next_index() else { return false };
        let mut node = NodeId { height: 0, index: index.get() };
        let mut hash = NodeHash::from(leaf);
        completed(node, hash);
        while node.index & 1 == 1 {
            let Some(left) = self.peaks.pop() else { break };
            hash = NodeHash::parent(&left, &hash);
            node = NodeId { height: node.height.saturating_add(1), index: node.index >> 1 };
            completed(node, hash);
        }
        self.peaks.push(hash);
        self.size = index.size_including();
        true
    }

    /// The root of the tree as it is now.
    pub fn root(&self) -> RootHash {
        let mut peaks = self.peaks.iter().rev();
        let Some(smallest) = peaks.next() else { return RootHash::empty() };
        peaks.fold(*smallest, |right, left| NodeHash::parent(left, &right)).into()
    }
}
