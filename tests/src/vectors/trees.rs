//! Proofs of the tree: of one entry, of growth, of several entries at once.

use countersign_verifier::merkle::{
    CompactRange, LeafHash, LeafIndex, NodeHash, NodeId, ProofPlan, RootHash, TreeSize,
};
use rs_merkle::{Hasher, MerkleTree};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;

use super::{Case, File};

/// The sizes of the trees, around powers of two and beyond the first tile.
const SIZES: [u64; 12] = [1, 2, 3, 4, 5, 7, 8, 9, 16, 21, 256, 300];
const LARGEST: u64 = 300;

/// The entries are the texts `entry-0`, `entry-1` and so on.
pub(super) fn leaf(index: u64) -> LeafHash {
    LeafHash::of(format!("entry-{index}").as_bytes())
}

/// A log of the largest size, with the roots that it had on its way.
pub(super) struct Tree {
    nodes: BTreeMap<NodeId, NodeHash>,
    roots: Vec<RootHash>,
}

impl Tree {
    pub(super) fn new() -> Self {
        Self::of((0..LARGEST).map(leaf))
    }

    pub(super) fn of(leaves: impl IntoIterator<Item = LeafHash>) -> Self {
        let mut range = CompactRange::new();
        let mut tree = Self { nodes: BTreeMap::new(), roots: vec![range.root()] };
        for leaf in leaves {
            assert!(range.append(leaf, |node, hash| tree.nodes.extend([(node, hash)])), "the tree has room");
            tree.roots.push(range.root());
        }
        tree
    }

    pub(super) fn root(&self, size: u64) -> RootHash {
        *usize::try_from(size).ok().and_then(|at| self.roots.get(at)).expect("a size on the way")
    }

    fn build(&self, plan: &ProofPlan) -> Vec<NodeHash> {
        let nodes: Vec<NodeHash> = plan.nodes().iter().map(|node| self.nodes[node]).collect();
        plan.build(&nodes).expect("all nodes are there")
    }

    pub(super) fn prove(&self, index: u64, size: u64) -> Vec<NodeHash> {
        let index = LeafIndex::new(index).expect("an index");
        self.build(&ProofPlan::inclusion(index, tree_size(size)).expect("the entry is in the tree"))
    }
}

impl Tree {
    /// The proof that a tree of one size begins with that of a smaller one.
    pub(super) fn grow(&self, from: u64, to: u64) -> Vec<NodeHash> {
        self.build(&ProofPlan::consistency(tree_size(from), tree_size(to)).expect("the tree grew"))
    }
}

fn tree_size(size: u64) -> TreeSize {
    TreeSize::new(size).expect("a size")
}

fn texts(hashes: &[NodeHash]) -> Vec<String> {
    hashes.iter().map(NodeHash::to_base64).collect()
}

fn other_hash() -> NodeHash {
    NodeHash::from_bytes(Sha256::digest(b"another hash").into())
}

/// The wrong ways to hand a proof on: hashes left out, added, exchanged, changed.
fn spoiled(proof: &[NodeHash]) -> Vec<(&'static str, Vec<NodeHash>)> {
    let mut ways = vec![
        ("a hash too many at the end", [proof, &[other_hash()]].concat()),
        ("a hash too many at the beginning", [&[other_hash()], proof].concat()),
    ];
    if let Some((last, before)) = proof.split_last() {
        ways.push(("the last hash left out", before.to_vec()));
        ways.push(("the last hash twice", [proof, &[*last]].concat()));
        ways.push(("the last hash another", [before, &[other_hash()]].concat()));
    }
    if let [first, second, rest @ ..] = proof {
        ways.push(("the first two hashes exchanged", [&[*second, *first], rest].concat()));
        ways.push(("the first hash left out", [&[*second], rest].concat()));
    }
    ways
}

fn holds(valid: bool) -> Value {
    json!({ "holds": valid })
}

fn of_inclusion(leaf: LeafHash, index: u64, size: u64, proof: &[NodeHash], root: RootHash) -> Value {
    json!({"leaf": leaf.to_string(), "index": index.to_string(), "size": size.to_string(),
        "proof": texts(proof), "root": root.to_base64()})
}

fn of_consistency(from: u64, from_root: RootHash, to: u64, to_root: RootHash, proof: &[NodeHash]) -> Value {
    json!({"from": from.to_string(), "from_root": from_root.to_base64(), "to": to.to_string(),
        "to_root": to_root.to_base64(), "proof": texts(proof)})
}

fn of_multiproof(leaves: &[(u64, LeafHash)], size: u64, proof: &[NodeHash], root: RootHash) -> Value {
    let leaves: Vec<Value> = leaves
        .iter()
        .map(|(index, leaf)| json!({"index": index.to_string(), "leaf": leaf.to_string()}))
        .collect();
    json!({"leaves": leaves, "size": size.to_string(), "proof": texts(proof), "root": root.to_base64()})
}

/// Every sound proof in a tree of `size` entries, as the input of a case: each entry, each older tree, and each run
/// of entries. With the name of the file of vectors that such a case would stand in.
pub fn sound(size: u64) -> Vec<(&'static str, Value)> {
    let tree = Tree::of((0..size).map(leaf));
    let leaves: Vec<LeafHash> = (0..size).map(leaf).collect();
    let root = tree.root(size);
    let mut inputs = Vec::new();
    for at in 0..size {
        inputs.push(("inclusion", of_inclusion(leaf(at), at, size, &tree.prove(at, size), root)));
        let plan = ProofPlan::consistency(tree_size(at), tree_size(size)).expect("the tree grew");
        inputs.push(("consistency", of_consistency(at, tree.root(at), size, root, &tree.build(&plan))));
        for end in at..size {
            let own: Vec<(u64, LeafHash)> = (at..=end).map(|index| (index, leaf(index))).collect();
            let indices: Vec<usize> =
                own.iter().filter_map(|(index, _)| usize::try_from(*index).ok()).collect();
            inputs.push(("multiproof", of_multiproof(&own, size, &prove_all(&leaves, &indices), root)));
        }
    }
    inputs
}

pub(super) fn inclusion() -> File {
    let tree = Tree::new();
    let mut cases = Vec::new();
    for size in SIZES {
        let root = tree.root(size);
        let middle = size / 2;
        for index in [0, middle, size - 1].into_iter().collect::<std::collections::BTreeSet<u64>>() {
            let proof = tree.prove(index, size);
            let sound = of_inclusion(leaf(index), index, size, &proof, root);
            cases.push(Case::good(format!("entry {index} of {size}"), sound, holds(true)));
            if index != middle {
                continue;
            }
            let mut bad = |what: &str, input: Value| {
                cases.push(Case::bad(format!("entry {index} of {size}: {what}"), input, holds(false)));
            };
            for (what, proof) in spoiled(&proof) {
                bad(what, of_inclusion(leaf(index), index, size, &proof, root));
            }
            bad("another entry", of_inclusion(leaf(index + 1), index, size, &proof, root));
            bad("the place of another entry", of_inclusion(leaf(index), index ^ 1, size, &proof, root));
            bad("another root", of_inclusion(leaf(index), index, size, &proof, RootHash::from(other_hash())));
            bad("outside the tree", of_inclusion(leaf(index), size, size, &proof, root));
            bad("no tree", of_inclusion(leaf(index), 0, 0, &proof, root));
        }
    }
    // Places that only exact 64-bit numbers can name: the siblings are made up, the root follows from them.
    for (index, size) in FAR {
        let (proof, root) = far_path(leaf(1), index, size);
        let sound = of_inclusion(leaf(1), index, size, &proof, root);
        cases.push(Case::good(format!("entry {index} of {size}"), sound, holds(true)));
        for (what, index) in [
            ("2^32 entries to the left", index ^ (1 << 32)),
            ("the nearest 53-bit number", index.wrapping_add(1)),
        ] {
            let input = of_inclusion(leaf(1), index, size, &proof, root);
            cases.push(Case::bad(format!("entry {index} of {size}: {what}"), input, holds(false)));
        }
    }
    let name = "an index that no tree can have";
    let beyond =
        of_inclusion(leaf(0), (1 << 63) - 1, (1 << 63) - 1, &[], RootHash::from(NodeHash::from(leaf(0))));
    cases.push(Case::bad(name, beyond, holds(false)));
    File {
        name: "inclusion",
        about: "Is the entry with this leaf hash at this place under this root?",
        cases,
    }
}

const FAR: [(u64, u64); 3] =
    [((1 << 33) + 5, (1 << 34) + 1), ((1 << 53) + 2, (1 << 60) + 12_345), ((1 << 62) + 4, (1 << 63) - 1)];

/// A path of made-up hashes, as long as the place asks for, and where it leads.
fn far_path(leaf: LeafHash, index: u64, size: u64) -> (Vec<NodeHash>, RootHash) {
    let (mut low, mut high) = (0, size);
    let mut left_sides = Vec::new();
    while high - low > 1 {
        let middle = low + ((high - low).next_power_of_two() >> 1);
        left_sides.push(index >= middle);
        if index < middle { high = middle } else { low = middle }
    }
    let mut own = NodeHash::from(leaf);
    let mut proof = Vec::new();
    for (at, is_left) in left_sides.into_iter().rev().enumerate() {
        let sibling = NodeHash::from_bytes(Sha256::digest(format!("sibling-{at}")).into());
        own = if is_left { NodeHash::parent(&sibling, &own) } else { NodeHash::parent(&own, &sibling) };
        proof.push(sibling);
    }
    (proof, own.into())
}

pub(super) fn consistency() -> File {
    let tree = Tree::new();
    let mut cases = Vec::new();
    for (from, to) in GROWTH {
        let (older, newer) = (tree.root(from), tree.root(to));
        let plan = ProofPlan::consistency(tree_size(from), tree_size(to)).expect("the tree grew");
        let proof = tree.build(&plan);
        let sound = of_consistency(from, older, to, newer, &proof);
        cases.push(Case::good(format!("from {from} to {to}"), sound, holds(true)));
        let mut bad = |what: &str, input: Value| {
            cases.push(Case::bad(format!("from {from} to {to}: {what}"), input, holds(false)));
        };
        for (what, proof) in spoiled(&proof) {
            bad(what, of_consistency(from, older, to, newer, &proof));
        }
        bad("another older root", of_consistency(from, RootHash::from(other_hash()), to, newer, &proof));
        if from > 0 || to == 0 {
            bad("another newer root", of_consistency(from, older, to, RootHash::from(other_hash()), &proof));
        }
        if from != to && from > 0 {
            bad("the sizes exchanged", of_consistency(to, newer, from, older, &proof));
            bad("one entry fewer", of_consistency(from - 1, older, to, newer, &proof));
        }
    }
    File {
        name: "consistency",
        about: "Does the tree of the second size begin with the tree of the first?",
        cases,
    }
}

const GROWTH: [(u64, u64); 16] = [
    (0, 0),
    (0, 1),
    (0, 300),
    (1, 1),
    (1, 2),
    (2, 3),
    (3, 4),
    (3, 7),
    (4, 7),
    (6, 8),
    (7, 8),
    (8, 9),
    (21, 300),
    (128, 256),
    (256, 300),
    (300, 300),
];

/// The hashing of RFC 6962, for the library that makes the proofs of several entries.
#[derive(Debug, Clone)]
struct Rfc6962;

impl Hasher for Rfc6962 {
    type Hash = [u8; 32];

    fn hash(data: &[u8]) -> [u8; 32] {
        *LeafHash::of(data).as_bytes()
    }

    fn concat_and_hash(left: &[u8; 32], right: Option<&[u8; 32]>) -> [u8; 32] {
        // A node without a sibling is taken up as it is.
        right.map_or(*left, |right| {
            let [left, right] = [left, right].map(|hash| NodeHash::from_bytes(*hash));
            *NodeHash::parent(&left, &right).as_bytes()
        })
    }
}

/// The proof of several entries at once, as `rs_merkle` makes it.
pub(super) fn prove_all(leaves: &[LeafHash], indices: &[usize]) -> Vec<NodeHash> {
    let leaves: Vec<[u8; 32]> = leaves.iter().map(|leaf| *leaf.as_bytes()).collect();
    let proof = MerkleTree::<Rfc6962>::from_leaves(&leaves).proof(indices);
    proof.proof_hashes().iter().map(|hash| NodeHash::from_bytes(*hash)).collect()
}

pub(super) fn multiproof() -> File {
    let tree = Tree::new();
    let mut cases = Vec::new();
    for (size, indices) in SETS {
        let all: Vec<LeafHash> = (0..size).map(leaf).collect();
        let at: Vec<usize> = indices.iter().filter_map(|index| usize::try_from(*index).ok()).collect();
        let (proof, root) = (prove_all(&all, &at), tree.root(size));
        let own: Vec<(u64, LeafHash)> = indices.iter().map(|index| (*index, leaf(*index))).collect();
        let name = format!("entries {indices:?} of {size}");
        cases.push(Case::good(&name, of_multiproof(&own, size, &proof, root), holds(true)));
        let mut bad =
            |what: &str, input: Value| cases.push(Case::bad(format!("{name}: {what}"), input, holds(false)));
        for (what, proof) in spoiled(&proof) {
            bad(what, of_multiproof(&own, size, &proof, root));
        }
        let mut another = own.clone();
        another[0].1 = leaf(LARGEST);
        bad("another entry", of_multiproof(&another, size, &proof, root));
        bad("another root", of_multiproof(&own, size, &proof, RootHash::from(other_hash())));
        bad("no entries", of_multiproof(&[], size, &proof, root));
        bad("outside the tree", of_multiproof(&[(size, leaf(0))], size, &proof, root));
        if let [first, second, ..] = own[..] {
            bad("not in order", of_multiproof(&[second, first], size, &proof, root));
            bad("one of them twice", of_multiproof(&[first, first], size, &proof, root));
            bad("one of them left out", of_multiproof(&own[1..], size, &proof, root));
        }
    }
    for (index, size) in FAR {
        let (proof, root) = far_path(leaf(1), index, size);
        let sound = of_multiproof(&[(index, leaf(1))], size, &proof, root);
        cases.push(Case::good(format!("entries [{index}] of {size}"), sound, holds(true)));
    }
    File { name: "multiproof", about: "Are these entries all at their places under this root?", cases }
}

const SETS: [(u64, &[u64]); 13] = [
    (1, &[0]),
    (2, &[0, 1]),
    (3, &[0]),
    (3, &[2]),
    (5, &[1, 4]),
    (7, &[0, 1, 2, 3, 4, 5, 6]),
    (8, &[0, 7]),
    (9, &[8]),
    (9, &[0, 3, 8]),
    (21, &[4, 5, 6, 20]),
    (256, &[0, 128, 255]),
    (300, &[0, 1, 5, 17, 200, 256, 299]),
    (300, &[299]),
];
