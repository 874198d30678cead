//! Proofs for several entries at once.
//!
//! The hashes stand in the order that `rs_merkle::MerkleProof` takes: layer by layer from the leaves up, in each layer
//! from the left. Its trees promote an odd node instead of hashing it, which gives the roots of RFC 6962.
//!
//! RFC 6962 has no such proofs. What stands here is checked twice, by code of this project and by `rs_merkle`.

use rs_merkle::{Hasher, MerkleProof};

use super::{LeafHash, LeafIndex, NodeHash, ProofError, RootHash, TreeSize};

/// Shows that the tree of `size` entries with `root` has each of `leaves`, given in ascending order, at its index.
///
/// A success says nothing about whether anybody signed `root`, nor what the leaves are the hashes of. The number of
/// hashes follows from indices and size, so there is nothing to add or to leave out.
pub fn verify_multiproof(
    leaves: &[(LeafIndex, LeafHash)],
    size: TreeSize,
    proof: &[NodeHash],
    root: RootHash,
) -> Result<(), ProofError> {
    let wrong_length = ProofError::WrongLength { got: proof.len() };
    check_places(leaves.iter().map(|(index, _)| *index), size)?;
    let mut rest = proof.iter();
    let layer = leaves.iter().map(|(index, leaf)| (index.get(), NodeHash::from(*leaf))).collect();
    let top = climb(layer, size, |_, _| rest.next().copied(), NodeHash::parent).ok_or(wrong_length)?;
    if rest.next().is_some() {
        return Err(wrong_length);
    }
    // rs_merkle passes over surplus hashes, but now they are counted.
    for computed in [RootHash::from(top), by_rs_merkle(leaves, size, proof).ok_or(wrong_length)?] {
        if computed != root {
            return Err(ProofError::RootMismatch { computed, expected: root });
        }
    }
    Ok(())
}

/// The nodes that a proof for the entries at `indices` consists of, in its order: of each the height and the position
/// among those of its height. Those at the right edge may be ragged.
pub(super) fn helpers(indices: &[LeafIndex], size: TreeSize) -> Result<Vec<(u8, u64)>, ProofError> {
    check_places(indices.iter().copied(), size)?;
    let mut helpers = Vec::new();
    let layer = indices.iter().map(|index| (index.get(), ())).collect();
    // Every node that is asked for is given, so the climb ends at the top.
    let _ = climb(
        layer,
        size,
        |height, index| {
            helpers.push((height, index));
            Some(())
        },
        |(), ()| (),
    );
    Ok(helpers)
}

/// Indices that such a proof can be for: at least one, inside of the tree, in ascending order, each once.
fn check_places(indices: impl Iterator<Item = LeafIndex> + Clone, size: TreeSize) -> Result<(), ProofError> {
    let last = indices.clone().last().ok_or(ProofError::NotAscending)?;
    if !indices.is_sorted_by(|before, after| before < after) {
        return Err(ProofError::NotAscending);
    }
    if size.contains(last) { Ok(()) } else { Err(ProofError::IndexOutsideTree { index: last, size }) }
}

/// Climbs from some leaves of a tree to its top, layer by layer. `helper` gives the nodes that do not follow from the
/// leaves, by height and position; `None` from it ends the climb.
fn climb<T>(
    mut layer: Vec<(u64, T)>,
    size: TreeSize,
    mut helper: impl FnMut(u8, u64) -> Option<T>,
    parent: impl Fn(&T, &T) -> T,
) -> Option<T> {
    let (mut width, mut height) = (size.get(), 0);
    while width > 1 {
        let mut above = Vec::with_capacity(layer.len());
        let mut known = layer.into_iter().peekable();
        while let Some((index, node)) = known.next() {
            let sibling = index ^ 1;
            let joined = if sibling >= width {
                node
            } else if sibling < index {
                parent(&helper(height, sibling)?, &node)
            } else {
                match known.next_if(|(next, _)| *next == sibling) {
                    Some((_, right)) => parent(&node, &right),
                    None => parent(&node, &helper(height, sibling)?),
                }
            };
            above.push((index >> 1, joined));
        }
        layer = above;
        width = width.div_ceil(2);
        height = height.saturating_add(1);
    }
    layer.into_iter().next().map(|(_, top)| top)
}

/// The root by the other implementation, or `None` where this machine cannot count so far or hashes are missing.
fn by_rs_merkle(leaves: &[(LeafIndex, LeafHash)], size: TreeSize, proof: &[NodeHash]) -> Option<RootHash> {
    let indices: Option<Vec<usize>> =
        leaves.iter().map(|(index, _)| usize::try_from(index.get()).ok()).collect();
    let hashes: Vec<[u8; 32]> = leaves.iter().map(|(_, leaf)| *leaf.as_bytes()).collect();
    let proof = MerkleProof::<Rfc6962>::new(proof.iter().map(|hash| *hash.as_bytes()).collect());
    let root = proof.root(&indices?, &hashes, usize::try_from(size.get()).ok()?).ok()?;
    Some(RootHash::from_bytes(root))
}

/// The hashes of RFC 6962 for `rs_merkle`.
#[derive(Clone)]
pub(crate) struct Rfc6962;

impl Hasher for Rfc6962 {
    type Hash = [u8; 32];

    fn hash(entry: &[u8]) -> [u8; 32] {
        *LeafHash::of(entry).as_bytes()
    }

    fn concat_and_hash(left: &[u8; 32], right: Option<&[u8; 32]>) -> [u8; 32] {
        let node = |hash: &[u8; 32]| NodeHash::from_bytes(*hash);
        right.map_or(*left, |right| *NodeHash::parent(&node(left), &node(right)).as_bytes())
    }
}
