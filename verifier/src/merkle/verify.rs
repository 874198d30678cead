//! Checking proofs.

use super::{LeafHash, LeafIndex, NodeHash, RootHash, TreeSize};

/// Why a proof shows nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The entry is not in a tree of that size.
    #[error("index {index} is outside a tree of {size} entries", index = .index.get(), size = .size.get())]
    IndexOutsideTree {
        /// The index that was claimed.
        index: LeafIndex,
        /// The size of the tree.
        size: TreeSize,
    },
    /// The entries to be shown at once are not in order.
    #[error("expected one entry or more, in ascending order, each once")]
    NotAscending,
    /// The older tree is larger than the newer one.
    #[error("a tree of {from} entries cannot grow into one of {to}", from = .from.get(), to = .to.get())]
    Shrinks {
        /// The size claimed to be the older.
        from: TreeSize,
        /// The size claimed to be the newer.
        to: TreeSize,
    },
    /// The range is not a subtree: its start must be a multiple of the smallest power of two that spans it.
    #[error("[{start}, {end}) is not a subtree of a tree of {size} entries", size = .size.get())]
    NotASubtree {
        /// The first entry of the range.
        start: u64,
        /// One past the last entry of the range.
        end: u64,
        /// The size of the tree.
        size: TreeSize,
    },
    /// The proof has too few or too many hashes for this place in this tree.
    #[error("a proof of {got} hashes does not fit; this place in this tree takes another number")]
    WrongLength {
        /// How many hashes the proof has.
        got: usize,
    },
    /// The hashes lead to another root.
    #[error("the proof leads to root {computed}, not to {expected}")]
    RootMismatch {
        /// Where the hashes lead.
        computed: RootHash,
        /// What the head says.
        expected: RootHash,
    },
    /// The hashes contradict the older tree, or the subtree, that was to be shown inside the newer one.
    #[error("the proof reaches {computed} where {expected} was to be shown")]
    SubtreeMismatch {
        /// Where the hashes lead.
        computed: NodeHash,
        /// What was to be shown.
        expected: NodeHash,
    },
}

/// The entries `start .. end` of a tree, where `start` is a multiple of the smallest power of two that is at least
/// `end - start` (draft-ietf-plants-merkle-tree-certs section 4). A single entry is one, and so is every older tree.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Subtree {
    start: u64,
    end: u64,
    size: TreeSize,
}

impl Subtree {
    /// The range `start .. end` inside a tree of `size` entries.
    pub fn new(start: u64, end: u64, size: TreeSize) -> Result<Self, ProofError> {
        let valid = end
            .checked_sub(start)
            .and_then(u64::checked_next_power_of_two)
            .is_some_and(|span| start < end && end <= size.get() && start.is_multiple_of(span));
        if valid { Ok(Self { start, end, size }) } else { Err(ProofError::NotASubtree { start, end, size }) }
    }

    /// The first entry.
    pub fn start(&self) -> u64 {
        self.start
    }

    /// One past the last entry.
    pub fn end(&self) -> u64 {
        self.end
    }

    /// The size of the tree around it.
    pub fn size(&self) -> TreeSize {
        self.size
    }
}

/// Shows that the tree with `root` has the entry with hash `leaf` at `index` (RFC 9162 section 2.1.3.2).
///
/// A success says nothing about whether anybody signed `root`, nor what `leaf` is the hash of.
pub fn verify_inclusion(
    leaf: LeafHash,
    index: LeafIndex,
    size: TreeSize,
    proof: &[NodeHash],
    root: RootHash,
) -> Result<(), ProofError> {
    verify_subtree(of_one(index, size)?, leaf.into(), proof, root)
}

/// Where a proof of inclusion leads, for who has the root by another way, such as a signature that is over nothing else
/// (RFC 9942). A success alone shows nothing: every proof of the right length leads to some root.
pub fn root_by_inclusion(
    leaf: LeafHash,
    index: LeafIndex,
    size: TreeSize,
    proof: &[NodeHash],
) -> Result<RootHash, ProofError> {
    climb(of_one(index, size)?, leaf.into(), proof)
}

fn of_one(index: LeafIndex, size: TreeSize) -> Result<Subtree, ProofError> {
    let at = index.get();
    Subtree::new(at, at.saturating_add(1), size).map_err(|_| ProofError::IndexOutsideTree { index, size })
}

/// Shows that the tree of `to` entries with root `to_root` begins with the tree of `from` entries with root
/// `from_root` (RFC 9162 section 2.1.4.2). Every tree begins with the empty one, by the empty proof.
///
/// A success says that nothing was removed or changed between the two; it says nothing about who signed either.
pub fn verify_consistency(
    from: TreeSize,
    from_root: RootHash,
    to: TreeSize,
    to_root: RootHash,
    proof: &[NodeHash],
) -> Result<(), ProofError> {
    if from > to {
        return Err(ProofError::Shrinks { from, to });
    }
    if from.is_empty() || to.is_empty() {
        let expected = RootHash::empty();
        return if !proof.is_empty() {
            Err(ProofError::WrongLength { got: proof.len() })
        } else if from_root != expected {
            Err(ProofError::RootMismatch { computed: from_root, expected })
        } else if to.is_empty() && to_root != expected {
            Err(ProofError::RootMismatch { computed: to_root, expected })
        } else {
            Ok(())
        };
    }
    verify_subtree(Subtree::new(0, from.get(), to)?, from_root.into(), proof, to_root)
}

/// Shows that the tree with `root` has the hash `node` over exactly the entries of `subtree`.
///
/// Inclusion is the case of one entry, consistency the case of a subtree that starts at 0.
pub fn verify_subtree(
    subtree: Subtree,
    node: NodeHash,
    proof: &[NodeHash],
    root: RootHash,
) -> Result<(), ProofError> {
    let computed = climb(subtree, node, proof)?;
    if computed == root { Ok(()) } else { Err(ProofError::RootMismatch { computed, expected: root }) }
}

/// The root that a proof leads to.
fn climb(subtree: Subtree, node: NodeHash, proof: &[NodeHash]) -> Result<RootHash, ProofError> {
    let wrong_length = ProofError::WrongLength { got: proof.len() };
    let last = |end: u64| end.saturating_sub(1);
    // The first entry of the subtree, its last, and the last of the tree, as positions that climb together.
    let (mut first, mut inner, mut outer) = (subtree.start, last(subtree.end), last(subtree.size.get()));

    let mut rest = proof.iter();
    if inner == outer {
        // The subtree ends where the tree ends: it is itself a node of the tree, ragged or not.
        while first != inner {
            (first, inner, outer) = (first >> 1, inner >> 1, outer >> 1);
        }
    } else {
        while first != inner && inner & 1 == 1 {
            (first, inner, outer) = (first >> 1, inner >> 1, outer >> 1);
        }
    }
    let start = if first == inner { node } else { *rest.next().ok_or(wrong_length)? };
    let (mut of_subtree, mut of_tree) = (start, start);
    for sibling in rest {
        if outer == 0 {
            return Err(wrong_length);
        }
        if inner & 1 == 1 || inner == outer {
            if first < inner {
                of_subtree = NodeHash::parent(sibling, &of_subtree);
            }
            of_tree = NodeHash::parent(sibling, &of_tree);
            while inner & 1 == 0 {
                (first, inner, outer) = (first >> 1, inner >> 1, outer >> 1);
            }
        } else {
            of_tree = NodeHash::parent(&of_tree, sibling);
        }
        (first, inner, outer) = (first >> 1, inner >> 1, outer >> 1);
    }
    if outer != 0 {
        return Err(wrong_length);
    }
    if of_subtree != node {
        return Err(ProofError::SubtreeMismatch { computed: of_subtree, expected: node });
    }
    Ok(RootHash::from(of_tree))
}
