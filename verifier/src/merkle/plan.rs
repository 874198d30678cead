//! Building proofs from stored nodes.

use super::multiproof;
use super::{LeafIndex, NodeHash, NodeId, ProofError, RootHash, Subtree, TreeSize};

/// Why a plan yields no proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// There is nothing to prove: the index or the sizes do not fit each other.
    #[error(transparent)]
    Impossible(#[from] ProofError),
    /// The caller brought another number of nodes than [`ProofPlan::nodes`] asked for.
    #[error("{got} nodes were brought for a plan that needs {want}")]
    WrongNodes {
        /// How many nodes the plan needs.
        want: usize,
        /// How many were brought.
        got: usize,
    },
}

/// What a proof is made of: which complete nodes must be fetched, and how they are folded into its hashes.
///
/// The plan follows from positions alone, so the same plan serves a database, a folder of tiles and a remote log.
/// A proof from a plan of a tree of `n` entries takes at most `2 * log2(n)` nodes, however they are stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProofPlan {
    nodes: Vec<NodeId>,
    /// How many of `nodes` make up each hash of the proof. A hash over a ragged right edge takes several.
    parts: Vec<usize>,
}

impl ProofPlan {
    /// The path from the entry at `index` to the root of a tree of `size` entries (RFC 9162 section 2.1.3.1).
    pub fn inclusion(index: LeafIndex, size: TreeSize) -> Result<Self, PlanError> {
        let at = index.get();
        let subtree = Subtree::new(at, at.saturating_add(1), size)
            .map_err(|_| ProofError::IndexOutsideTree { index, size })?;
        Ok(Self::subtree(subtree))
    }

    /// The proof that a tree of `to` entries begins with its first `from` (RFC 9162 section 2.1.4.1). It is empty
    /// when the sizes are equal and when `from` is 0.
    pub fn consistency(from: TreeSize, to: TreeSize) -> Result<Self, PlanError> {
        if from > to {
            return Err(ProofError::Shrinks { from, to }.into());
        }
        if from.is_empty() {
            return Ok(Self { nodes: Vec::new(), parts: Vec::new() });
        }
        Ok(Self::subtree(Subtree::new(0, from.get(), to)?))
    }

    /// The proof for any subtree.
    pub fn subtree(subtree: Subtree) -> Self {
        let (start, end) = (subtree.start(), subtree.end());
        let (mut low, mut high) = (0, subtree.size().get());
        let mut ranges = Vec::new();
        // Descend from the root. What is left aside on the way down is the proof, the last of it first.
        let mut split_the_subtree = false;
        while low < start || high > end {
            let middle = low.saturating_add(largest_power_below(high.saturating_sub(low)));
            if end <= middle {
                ranges.push((middle, high));
                high = middle;
            } else {
                split_the_subtree |= start < middle;
                ranges.push((low, middle));
                low = middle;
            }
        }
        if split_the_subtree {
            ranges.push((low, high));
        }
        let (mut nodes, mut parts) = (Vec::new(), Vec::new());
        for (low, high) in ranges.into_iter().rev() {
            let before = nodes.len();
            complete_nodes(low, high, &mut nodes);
            parts.push(nodes.len().saturating_sub(before));
        }
        Self { nodes, parts }
    }

    /// The proof for several entries of a tree of `size` entries at once, as
    /// [`verify_multiproof`](super::verify_multiproof) takes it. The indices are in ascending order.
    pub fn multiproof(indices: &[LeafIndex], size: TreeSize) -> Result<Self, PlanError> {
        let (mut nodes, mut parts) = (Vec::new(), Vec::new());
        for (height, index) in multiproof::helpers(indices, size)? {
            let before = nodes.len();
            let low = index << height;
            complete_nodes(low, NodeId { height, index }.end().min(size.get()), &mut nodes);
            parts.push(nodes.len().saturating_sub(before));
        }
        Ok(Self { nodes, parts })
    }

    /// How many hashes the proof has.
    pub fn hashes(&self) -> usize {
        self.parts.len()
    }

    /// The root of a tree of `size` entries, as a plan for a single hash; empty for the empty tree.
    pub fn root(size: TreeSize) -> Self {
        let nodes = super::CompactRange::nodes(size);
        let parts = if nodes.is_empty() { Vec::new() } else { vec![nodes.len()] };
        Self { nodes, parts }
    }

    /// The nodes to fetch, in the order in which [`ProofPlan::build`] wants them.
    pub fn nodes(&self) -> &[NodeId] {
        &self.nodes
    }

    /// Folds the fetched nodes into the proof.
    pub fn build(&self, nodes: &[NodeHash]) -> Result<Vec<NodeHash>, PlanError> {
        if nodes.len() != self.nodes.len() {
            return Err(PlanError::WrongNodes { want: self.nodes.len(), got: nodes.len() });
        }
        let mut rest = nodes;
        Ok(self
            .parts
            .iter()
            .filter_map(|count| {
                let (part, tail) = rest.split_at_checked(*count)?;
                rest = tail;
                let (smallest, larger) = part.split_last()?;
                Some(larger.iter().rev().fold(*smallest, |right, left| NodeHash::parent(left, &right)))
            })
            .collect())
    }

    /// Folds the fetched nodes of [`ProofPlan::root`] into the root.
    pub fn build_root(&self, nodes: &[NodeHash]) -> Result<RootHash, PlanError> {
        Ok(self.build(nodes)?.first().map_or_else(RootHash::empty, |hash| RootHash::from(*hash)))
    }
}

/// The largest power of two below `n`, for `n` of at least 2.
fn largest_power_below(n: u64) -> u64 {
    1_u64 << (63 ^ n.saturating_sub(1).max(1).leading_zeros())
}

/// The complete nodes that make up the entries `low .. high`, the largest first. `low` is a multiple of the
/// smallest power of two that spans the range, as it is for every range that a proof leaves aside.
fn complete_nodes(mut low: u64, high: u64, nodes: &mut Vec<NodeId>) {
    while let Some(height) = high.checked_sub(low).and_then(u64::checked_ilog2) {
        let height = u8::try_from(height).unwrap_or(u8::MAX) & 63;
        nodes.push(NodeId { height, index: low >> height });
        low = low.saturating_add(1 << height);
    }
}
