//! All small trees: built, verified, mutated, refused; and the published vectors.

use std::collections::HashMap;

use proptest::prelude::*;
use rs_merkle::MerkleTree;
use sha2::{Digest, Sha256};

use super::multiproof::Rfc6962;
use super::*;

/// The definition of RFC 6962 section 2.1, written down as it stands.
fn tree_head(leaves: &[LeafHash]) -> NodeHash {
    match leaves {
        [] => RootHash::empty().into(),
        [leaf] => (*leaf).into(),
        _ => {
            let split = leaves.len().next_power_of_two() / 2;
            NodeHash::parent(&tree_head(&leaves[..split]), &tree_head(&leaves[split..]))
        }
    }
}

/// A tree with every complete node kept.
struct Tree {
    leaves: Vec<LeafHash>,
    nodes: HashMap<NodeId, NodeHash>,
    roots: Vec<RootHash>,
}

impl Tree {
    fn of(leaves: Vec<LeafHash>) -> Self {
        let mut range = CompactRange::new();
        let mut nodes = HashMap::new();
        let mut roots = vec![range.root()];
        for leaf in &leaves {
            assert!(range.append(*leaf, |id, hash| assert!(nodes.insert(id, hash).is_none())));
            roots.push(range.root());
        }
        Self { leaves, nodes, roots }
    }

    fn root(&self, size: u64) -> RootHash {
        self.roots[usize::try_from(size).unwrap()]
    }

    fn build(&self, plan: &ProofPlan) -> Vec<NodeHash> {
        let nodes: Vec<_> = plan.nodes().iter().map(|id| self.nodes[id]).collect();
        plan.build(&nodes).unwrap()
    }

    fn inclusion(&self, at: u64, n: u64) -> Vec<NodeHash> {
        self.build(&ProofPlan::inclusion(index(at), size(n)).unwrap())
    }

    fn consistency(&self, m: u64, n: u64) -> Vec<NodeHash> {
        self.build(&ProofPlan::consistency(size(m), size(n)).unwrap())
    }
}

fn size(n: u64) -> TreeSize {
    TreeSize::new(n).unwrap()
}

fn index(n: u64) -> LeafIndex {
    LeafIndex::new(n).unwrap()
}

/// The leaves of the accumulated vectors: leaf `i` is the single byte `i`.
fn byte_leaves(n: u8) -> Vec<LeafHash> {
    (0..n).map(|i| LeafHash::of(&[i])).collect()
}

#[test]
fn roots_agree_with_the_definition_and_with_rs_merkle() {
    let tree = Tree::of(byte_leaves(200));
    for n in 0..=200_usize {
        let root = tree.roots[n];
        assert_eq!(root, RootHash::from(tree_head(&tree.leaves[..n])), "size {n}");
        let leaves: Vec<[u8; 32]> = tree.leaves[..n].iter().map(|leaf| *leaf.as_bytes()).collect();
        if let Some(oracle) = MerkleTree::<Rfc6962>::from_leaves(&leaves).root() {
            assert_eq!(*root.as_bytes(), oracle, "size {n}");
        }
    }
}

#[test]
fn a_range_restored_from_stored_nodes_goes_on_as_if_nothing_had_happened() {
    let tree = Tree::of(byte_leaves(100));
    for n in 0..=99 {
        let peaks = CompactRange::nodes(size(n)).iter().map(|id| tree.nodes[id]).collect();
        let mut range = CompactRange::restore(size(n), peaks).unwrap();
        assert_eq!(range.root(), tree.root(n));
        assert!(
            range.append(tree.leaves[usize::try_from(n).unwrap()], |id, hash| assert_eq!(
                tree.nodes[&id],
                hash
            ))
        );
        assert_eq!(range.root(), tree.root(n + 1));
        let plan = ProofPlan::root(size(n));
        let nodes: Vec<_> = plan.nodes().iter().map(|id| tree.nodes[id]).collect();
        assert_eq!(plan.build_root(&nodes).unwrap(), tree.root(n));
    }
    assert_eq!(CompactRange::restore(size(3), vec![]), None);
}

#[test]
fn every_inclusion_proof_of_small_trees_verifies_and_no_changed_one_does() {
    let tree = Tree::of(byte_leaves(70));
    for n in 1..=70 {
        for at in 0..n {
            let proof = tree.inclusion(at, n);
            let leaf = tree.leaves[usize::try_from(at).unwrap()];
            assert_eq!(verify_inclusion(leaf, index(at), size(n), &proof, tree.root(n)), Ok(()));
            assert_refused(&proof, |proof| verify_inclusion(leaf, index(at), size(n), proof, tree.root(n)));
            assert!(
                verify_inclusion(LeafHash::of(b"other"), index(at), size(n), &proof, tree.root(n)).is_err()
            );
            assert!(verify_inclusion(leaf, index(at), size(n), &proof, tree.root(n - 1)).is_err());
            for other in (0..n).filter(|other| *other != at) {
                assert!(verify_inclusion(leaf, index(other), size(n), &proof, tree.root(n)).is_err());
            }
        }
        assert!(matches!(ProofPlan::inclusion(index(n), size(n)), Err(PlanError::Impossible(_))));
        assert!(verify_inclusion(tree.leaves[0], index(n), size(n), &[], tree.root(n)).is_err());
    }
}

#[test]
fn every_consistency_proof_of_small_trees_verifies_and_no_changed_one_does() {
    let tree = Tree::of(byte_leaves(70));
    for n in 0..=70 {
        for m in 0..=n {
            let proof = tree.consistency(m, n);
            let (old, new) = (tree.root(m), tree.root(n));
            assert_eq!(verify_consistency(size(m), old, size(n), new, &proof), Ok(()), "{m} -> {n}");
            assert_refused(&proof, |proof| verify_consistency(size(m), old, size(n), new, proof));
            let forged = RootHash::from_bytes([7; 32]);
            assert!(verify_consistency(size(m), forged, size(n), new, &proof).is_err());
            if m > 0 {
                assert!(verify_consistency(size(m), old, size(n), forged, &proof).is_err());
            }
            if m < n {
                assert!(matches!(
                    verify_consistency(size(n), new, size(m), old, &proof),
                    Err(ProofError::Shrinks { .. })
                ));
            }
        }
    }
}

/// Every hash flipped, dropped or swapped with its neighbour, and one too many.
fn assert_refused(proof: &[NodeHash], verify: impl Fn(&[NodeHash]) -> Result<(), ProofError>) {
    for i in 0..proof.len() {
        let mut changed = proof.to_vec();
        let mut bytes = *changed[i].as_bytes();
        bytes[i % 32] ^= 1 << (i % 8);
        changed[i] = NodeHash::from_bytes(bytes);
        assert!(verify(&changed).is_err());
        let mut shorter = proof.to_vec();
        shorter.remove(i);
        assert!(verify(&shorter).is_err());
        if i > 0 && proof[i] != proof[i - 1] {
            let mut swapped = proof.to_vec();
            swapped.swap(i, i - 1);
            assert!(verify(&swapped).is_err());
        }
    }
    for end in [0, proof.len()] {
        let mut longer = proof.to_vec();
        longer.insert(end, NodeHash::from_bytes([9; 32]));
        assert!(verify(&longer).is_err());
    }
}

#[test]
fn a_plan_refuses_another_number_of_nodes() {
    let plan = ProofPlan::inclusion(index(3), size(8)).unwrap();
    assert_eq!(plan.build(&[]), Err(PlanError::WrongNodes { want: 3, got: 0 }));
}

/// `tlog_tiles` makes the same proofs from the same nodes, and accepts ours.
#[test]
fn another_implementation_agrees_on_proofs() {
    use tlog_tiles::tlog::{self, Hash, HashReader};

    struct Nodes<'a>(&'a Tree);

    impl HashReader for Nodes<'_> {
        fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, tlog::Error> {
            let node = |stored: &u64| {
                let (height, index) = tlog::split_stored_hash_index(*stored);
                Hash(*self.0.nodes[&NodeId { height, index }].as_bytes())
            };
            Ok(indexes.iter().map(node).collect())
        }
    }

    let tree = Tree::of(byte_leaves(40));
    let theirs =
        |hashes: &[NodeHash]| -> Vec<Hash> { hashes.iter().map(|hash| Hash(*hash.as_bytes())).collect() };
    for n in 1..=40 {
        let root = Hash(*tree.root(n).as_bytes());
        for m in 1..=n {
            let leaf = Hash(*tree.leaves[usize::try_from(m - 1).unwrap()].as_bytes());
            let inclusion = theirs(&tree.inclusion(m - 1, n));
            assert_eq!(tlog::prove_record(n, m - 1, &Nodes(&tree)).unwrap(), inclusion);
            assert!(tlog::check_record(&inclusion, n, root, m - 1, leaf).is_ok());
            let consistency = theirs(&tree.consistency(m, n));
            assert_eq!(tlog::prove_tree(n, m, &Nodes(&tree)).unwrap(), consistency);
            assert!(tlog::check_tree(&consistency, n, root, m, Hash(*tree.root(m).as_bytes())).is_ok());
        }
    }
}

/// The accumulated hashes published for trees of up to 130 leaves (draft-ietf-plants-merkle-tree-certs-05).
#[test]
fn accumulated_subtree_vectors() {
    let tree = Tree::of(byte_leaves(130));
    let (mut hashes, mut inclusions, mut consistencies) = (Sha256::new(), Sha256::new(), Sha256::new());
    let slice =
        |start: u64, end: u64| &tree.leaves[usize::try_from(start).unwrap()..usize::try_from(end).unwrap()];
    let line = |prefix: String, proof: &[NodeHash]| {
        proof.iter().fold(prefix, |line, hash| format!("{line} {hash}")) + "\n"
    };
    for end in 1..=130_u64 {
        for start in (0..end).filter(|start| Subtree::new(*start, end, size(130)).is_ok()) {
            hashes.update(format!("[{start}, {end}) {}\n", tree_head(slice(start, end))));
            // Inside a subtree, an inclusion proof is that of a tree which has these leaves only.
            let alone = Tree::of(slice(start, end).to_vec());
            for i in start..end {
                let proof = alone.inclusion(i - start, end - start);
                inclusions.update(line(format!("{i} [{start}, {end})"), &proof));
            }
        }
    }
    for n in 0..=130_u64 {
        for end in 1..=n {
            for start in 0..end {
                let Ok(subtree) = Subtree::new(start, end, size(n)) else { continue };
                let proof = tree.build(&ProofPlan::subtree(subtree));
                let node = tree_head(slice(start, end));
                assert_eq!(verify_subtree(subtree, node, &proof, tree.root(n)), Ok(()));
                consistencies.update(line(format!("[{start}, {end}) {n}"), &proof));
            }
        }
    }
    let hex = |hasher: Sha256| hex::encode(hasher.finalize());
    assert_eq!(hex(hashes), "94a95384a8c69acea9b50d035a58285b3a777cb7a724005faa5e1f1e1190007f");
    assert_eq!(hex(inclusions), "ac2a8f989e44d99e399db448050ff5f19757df53cfb716aa81015d3955d8163f");
    assert_eq!(hex(consistencies), "c586ebbb73a5621baf2140095d87dde934e3b6503a562a1a5215b8209edd083d");
}

#[test]
fn numbers_have_bounds_and_one_spelling() {
    assert!(TreeSize::new(1 << 63).is_none());
    assert!(TreeSize::parse("9223372036854775807").is_some());
    assert!(TreeSize::parse("9223372036854775808").is_none());
    assert!(LeafIndex::parse("9223372036854775807").is_none());
    assert!(LeafIndex::parse("01").is_none());
    let largest = size((1 << 63) - 1);
    assert_eq!(largest.next_index(), None);
    assert_eq!(CompactRange::nodes(largest).len(), 63);
    let mut full = CompactRange::restore(largest, vec![NodeHash::from_bytes([0; 32]); 63]).unwrap();
    assert!(!full.append(LeafHash::of(b""), |_, _| ()));
    assert!(ProofPlan::inclusion(index((1 << 63) - 2), largest).unwrap().nodes().len() <= 126);
    assert!(Subtree::new(1 << 62, (1 << 62) + (1 << 61) + 1, largest).is_ok());
    assert!(Subtree::new(3, 3, size(8)).is_err());
}

proptest! {
    #[test]
    fn positions_never_overflow(at: u64, n: u64, m: u64, hashes in prop::collection::vec(any::<[u8; 32]>(), 0..70)) {
        let proof: Vec<_> = hashes.into_iter().map(NodeHash::from_bytes).collect();
        let root = RootHash::from_bytes([1; 32]);
        if let (Some(at), Some(n)) = (LeafIndex::new(at), TreeSize::new(n)) {
            prop_assert!(verify_inclusion(LeafHash::of(b"x"), at, n, &proof, root).is_err());
            let _ = ProofPlan::inclusion(at, n);
        }
        if let (Some(m), Some(n)) = (TreeSize::new(m), TreeSize::new(n)) {
            let _ = verify_consistency(m, root, n, root, &proof);
            let _ = ProofPlan::consistency(m, n);
        }
    }
}

/// Shows some entries at once, in every way that must not work after the one that must.
fn check_multiproof(tree: &Tree, n: u64, indices: &[u64]) {
    let root = tree.root(n);
    let at = |i: u64| usize::try_from(i).unwrap();
    let leaves: Vec<(LeafIndex, LeafHash)> =
        indices.iter().map(|i| (index(*i), tree.leaves[at(*i)])).collect();
    let places: Vec<LeafIndex> = indices.iter().map(|i| index(*i)).collect();
    let plan = ProofPlan::multiproof(&places, size(n)).unwrap();
    let proof = tree.build(&plan);
    assert_eq!(proof.len(), plan.hashes());
    verify_multiproof(&leaves, size(n), &proof, root).unwrap();
    let refused = |leaves: &[(LeafIndex, LeafHash)], proof: &[NodeHash]| {
        assert!(verify_multiproof(leaves, size(n), proof, root).is_err(), "{indices:?} of {n}");
    };

    let other = NodeHash::from_bytes([0xee; 32]);
    refused(&leaves, &[&proof[..], &[other]].concat());
    for hash in 0..proof.len() {
        let mut changed = proof.clone();
        changed[hash] = other;
        refused(&leaves, &changed);
        changed.remove(hash);
        refused(&leaves, &changed);
        let mut swapped = proof.clone();
        swapped.rotate_left(hash);
        if hash > 0 {
            refused(&leaves, &swapped);
        }
    }
    for leaf in 0..leaves.len() {
        let mut changed = leaves.clone();
        changed[leaf].1 = LeafHash::of(b"another");
        refused(&changed, &proof);
        changed.remove(leaf);
        refused(&changed, &proof);
        let mut moved = leaves.clone();
        moved[leaf].0 = index((moved[leaf].0.get() + 1) % n);
        if n > 1 {
            refused(&moved, &proof);
        }
        refused(&[&leaves[..], &leaves[leaf..=leaf]].concat(), &proof);
    }
    assert_eq!(verify_multiproof(&[], size(n), &proof, root), Err(ProofError::NotAscending));
    let outside = [(index(n), tree.leaves[0])];
    assert!(matches!(
        verify_multiproof(&outside, size(n), &[], root),
        Err(ProofError::IndexOutsideTree { .. })
    ));
}

#[test]
fn every_selection_of_entries_of_every_small_tree_is_shown_at_once() {
    let tree = Tree::of(byte_leaves(9));
    for n in 1..=9 {
        for selection in 1_u64..1 << n {
            let indices: Vec<u64> = (0..n).filter(|i| selection >> i & 1 == 1).collect();
            check_multiproof(&tree, n, &indices);
        }
    }
}

proptest! {
    #[test]
    fn multiproofs_are_those_of_rs_merkle(
        n in 1_u64..200,
        picks in prop::collection::vec(any::<prop::sample::Index>(), 1..12),
    ) {
        let tree = Tree::of(byte_leaves(200));
        let count = usize::try_from(n).unwrap();
        let indices: std::collections::BTreeSet<usize> = picks.iter().map(|pick| pick.index(count)).collect();
        let indices: Vec<usize> = indices.into_iter().collect();
        let leaves: Vec<[u8; 32]> = tree.leaves[..count].iter().map(|leaf| *leaf.as_bytes()).collect();
        let theirs = MerkleTree::<Rfc6962>::from_leaves(&leaves).proof(&indices);
        let indices: Vec<u64> = indices.into_iter().map(|i| i as u64).collect();
        let places: Vec<LeafIndex> = indices.iter().map(|i| index(*i)).collect();
        let ours = tree.build(&ProofPlan::multiproof(&places, size(n)).unwrap());
        let ours: Vec<[u8; 32]> = ours.iter().map(|hash| *hash.as_bytes()).collect();
        prop_assert_eq!(&ours[..], theirs.proof_hashes());
        check_multiproof(&tree, n, &indices);
    }
}
