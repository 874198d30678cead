//! What the mirror holds: a verified head, the tree as far as it was re-hashed, and the index over it.

use countersign_verifier::merkle::{CompactRange, LeafHash, NodeHash, NodeId, ProofPlan, RootHash, TreeSize};
use countersign_verifier::quorum::VerifiedCheckpoint;
use countersign_verifier::tiles::{FULL_WIDTH, TILE_HEIGHT};

use super::trouble::{Evidence, Trouble};
use crate::index::{Column, Index, Row};

/// How many entries are taken in at once. Readers wait for so many at the most.
const PART: usize = 256;
/// How many contradictions are kept beside a fork. The first ones tell the most.
const MAX_EVIDENCE: usize = 16;

/// The state of the mirror. It only grows: nothing in it is ever taken back.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// The newest head that was accepted. Entries up to [`Known::read_up_to`] are known, the rest is being read.
    pub(super) head: Option<Head>,
    pub(super) tree: Tree,
    pub(super) index: Index,
    /// What keeps the mirror from following, as of the last look.
    pub(super) trouble: Option<Trouble>,
    evidence: Vec<Evidence>,
    /// When the log was last asked for its head, and when it last answered with an acceptable one.
    pub(super) looked_at: Option<u64>,
    pub(super) agreed_at: Option<u64>,
}

/// A head that satisfies the policy, with the bytes as they were served.
#[derive(Debug, Clone)]
pub(crate) struct Head {
    pub(crate) verified: VerifiedCheckpoint,
    pub(crate) served: bytes::Bytes,
}

impl Known {
    /// The newest accepted head.
    pub(crate) fn head(&self) -> Option<&Head> {
        self.head.as_ref()
    }

    /// How many entries were re-hashed, led to the signed root, and are indexed.
    pub(crate) fn read_up_to(&self) -> TreeSize {
        self.tree.edge.size()
    }

    /// Whether entries under the newest accepted head are still to be read.
    pub(crate) fn is_reading(&self) -> bool {
        self.head.as_ref().is_some_and(|head| head.verified.checkpoint().size > self.read_up_to())
    }

    /// The index over them.
    pub(crate) fn index(&self) -> &Index {
        &self.index
    }

    /// What keeps the mirror from following.
    pub(crate) fn trouble(&self) -> Option<&Trouble> {
        self.trouble.as_ref()
    }

    /// The contradictions that are kept, a fork before all others.
    pub(crate) fn evidence(&self) -> &[Evidence] {
        &self.evidence
    }

    /// The fork, if the log was seen to fork: it says all that such a log can still say.
    pub(super) fn fork(&self) -> Option<&Evidence> {
        self.evidence.iter().find(|evidence| evidence.is_fork())
    }

    /// Keeps a contradiction. A fork has a place of its own: neither how many others a log shows first, nor what it
    /// served as one of them, keeps it out.
    pub(super) fn keep(&mut self, evidence: Evidence) {
        if evidence.is_fork() {
            if self.fork().is_none() {
                self.evidence.insert(0, evidence);
            }
            return;
        }
        let kept = self.evidence.iter().any(|earlier| earlier.served == evidence.served);
        if !kept && self.evidence.len() < MAX_EVIDENCE {
            self.evidence.push(evidence);
        }
    }

    /// When the log was last asked for its head, in seconds since 1970.
    pub(crate) fn looked_at(&self) -> Option<u64> {
        self.looked_at
    }

    /// When the log last answered with an acceptable head, in seconds since 1970.
    pub(crate) fn agreed_at(&self) -> Option<u64> {
        self.agreed_at
    }

    /// Takes in part of what was verified.
    pub(super) fn accept(&mut self, part: &Part, head: &Head) {
        for row in &part.rows {
            self.index.append(row);
        }
        self.tree.grow(part);
        self.head = Some(head.clone());
    }
}

/// The tree as far as it was re-hashed: its right edge, every node above the bundles, and the last bundle's leaves.
#[derive(Debug, Default)]
pub(super) struct Tree {
    pub(super) edge: CompactRange,
    /// The complete nodes of height 8 and above, by height, from the left.
    nodes: Vec<Column<NodeHash>>,
    /// The leaf hashes after the last full bundle.
    tail: Vec<LeafHash>,
}

impl Tree {
    /// A node of height 8 or above.
    fn node(&self, node: NodeId) -> Option<NodeHash> {
        let row = self.nodes.get(usize::from(node.height.checked_sub(TILE_HEIGHT)?))?;
        row.get(usize::try_from(node.index).ok()?).copied()
    }

    /// Whether these are the leaf hashes of the bundle, from its first entry on. `None` when the bundle was not
    /// re-hashed that far, or is known only as a whole and these are fewer.
    pub(super) fn has_bundle(&self, number: u64, leaves: &[LeafHash]) -> Option<bool> {
        if let Some(full) = self.node(NodeId { height: TILE_HEIGHT, index: number }) {
            let whole = u64::try_from(leaves.len()).is_ok_and(|count| count == FULL_WIDTH);
            return whole.then(|| root_of(leaves) == RootHash::from(full));
        }
        let in_tail = number == self.edge.size().get() / FULL_WIDTH;
        self.tail.get(..leaves.len()).filter(|_| in_tail).map(|known| known == leaves)
    }

    /// The root that the tree had at an earlier size, given the leaf hashes of the bundle in which that size ends.
    pub(super) fn root_at(&self, size: TreeSize, last_bundle: &[LeafHash]) -> Option<RootHash> {
        let plan = ProofPlan::root(size);
        let first_of_last = size.get() / FULL_WIDTH * FULL_WIDTH;
        let nodes: Option<Vec<NodeHash>> = plan
            .nodes()
            .iter()
            .map(|node| {
                if node.height >= TILE_HEIGHT {
                    return self.node(*node);
                }
                let start = usize::try_from((node.index << node.height).checked_sub(first_of_last)?).ok()?;
                let end = start.checked_add(1 << node.height)?;
                last_bundle.get(start..end).map(|leaves| root_of(leaves).into())
            })
            .collect();
        plan.build_root(&nodes?).ok()
    }

    fn grow(&mut self, part: &Part) {
        for (node, hash) in &part.nodes {
            let row = usize::from(node.height.saturating_sub(TILE_HEIGHT));
            if self.nodes.len() <= row {
                self.nodes.resize_with(row.saturating_add(1), Column::default);
            }
            if let Some(row) = self.nodes.get_mut(row) {
                row.push(*hash);
            }
            if node.height == TILE_HEIGHT {
                self.tail.clear();
            }
        }
        let ragged = usize::try_from(part.edge.size().get() % FULL_WIDTH).unwrap_or(0);
        let missing = ragged.saturating_sub(self.tail.len());
        let start = part.rows.len().saturating_sub(missing);
        self.tail.extend(part.rows.iter().skip(start).map(|row| row.leaf));
        self.edge = part.edge.clone();
    }
}

/// Entries that were hashed onto the edge of the tree, not yet known to lead to a signed root. Once the root over all of
/// them is known to be signed, so is what each part of them makes up.
#[derive(Debug)]
pub(super) struct Chunk {
    /// The edge after all of them.
    pub(super) edge: CompactRange,
    /// In order, each of a few entries.
    pub(super) parts: Vec<Part>,
}

impl Chunk {
    /// Hashes the next entries onto the edge. Takes a while when there are many.
    pub(super) fn hash(mut edge: CompactRange, entries: &[Vec<u8>]) -> Self {
        let mut parts = Vec::new();
        for entries in entries.chunks(PART) {
            let part = Part::hash(edge, entries);
            edge = part.edge.clone();
            parts.push(part);
        }
        Self { edge, parts }
    }
}

/// So many entries as are taken in at once.
#[derive(Debug)]
pub(super) struct Part {
    /// The edge after them.
    edge: CompactRange,
    rows: Vec<Row>,
    nodes: Vec<(NodeId, NodeHash)>,
}

impl Part {
    fn hash(mut edge: CompactRange, entries: &[Vec<u8>]) -> Self {
        let mut nodes = Vec::new();
        let rows: Vec<Row> = entries.iter().map(|entry| Row::read(entry)).collect();
        for row in &rows {
            // A tree that is as large as a tree can be is never reached by reading.
            let _ = edge.append(row.leaf, |node, hash| {
                if node.height >= TILE_HEIGHT {
                    nodes.push((node, hash));
                }
            });
        }
        Self { edge, rows, nodes }
    }
}

fn root_of(leaves: &[LeafHash]) -> RootHash {
    let mut range = CompactRange::new();
    for leaf in leaves {
        let _ = range.append(*leaf, |_, _| {});
    }
    range.root()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(number: u64) -> Vec<u8> {
        number.to_be_bytes().to_vec()
    }

    #[test]
    fn roots_of_earlier_sizes_are_those_that_the_tree_had() {
        let mut tree = Tree::default();
        let mut roots = vec![RootHash::empty()];
        let mut range = CompactRange::new();
        for number in 0..1_400 {
            assert!(range.append(LeafHash::of(&entry(number)), |_, _| {}));
            roots.push(range.root());
        }
        // In chunks of all sorts, across bundles and not.
        let mut at = 0;
        for step in [1, 3, 252, 1, 255, 256, 1, 300, 331] {
            let entries: Vec<Vec<u8>> = (at..at + step).map(entry).collect();
            let chunk = Chunk::hash(tree.edge.clone(), &entries);
            assert!(chunk.parts.iter().all(|part| part.rows.len() <= PART));
            chunk.parts.iter().for_each(|part| tree.grow(part));
            assert_eq!(tree.edge.root(), chunk.edge.root());
            at += step;
            assert_eq!(tree.edge.root(), roots[usize::try_from(at).unwrap()]);
            for size in
                [0, 1, 2, 255, 256, 257, 511, 512, 513, at - 1, at].into_iter().filter(|size| *size <= at)
            {
                let first = size / 256 * 256;
                let leaves: Vec<LeafHash> =
                    (first..size).map(|number| LeafHash::of(&entry(number))).collect();
                let size_in_tree = TreeSize::new(size).unwrap();
                assert_eq!(
                    tree.root_at(size_in_tree, &leaves),
                    Some(roots[usize::try_from(size).unwrap()]),
                    "{size}"
                );
            }
            let last: Vec<LeafHash> =
                (at / 256 * 256..at).map(|number| LeafHash::of(&entry(number))).collect();
            assert_eq!(tree.has_bundle(at / 256, &last), Some(true));
        }
        assert_eq!(at, 1_400);
        let bundle = |changed: Option<u64>| -> Vec<LeafHash> {
            (256..512).map(|n| LeafHash::of(&entry(if Some(n) == changed { 9_999 } else { n }))).collect()
        };
        assert_eq!(tree.has_bundle(1, &bundle(None)), Some(true));
        assert_eq!(tree.has_bundle(1, &bundle(Some(300))), Some(false));
        assert_eq!(tree.has_bundle(1, &bundle(None)[..200]), None);
        assert_eq!(tree.has_bundle(7, &bundle(None)), None);
    }
}
