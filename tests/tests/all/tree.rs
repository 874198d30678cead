//! The tree as a stranger sees it: every tile of every level, hashed again from the entries up.

use countersign_tests::harness::{System, get};
use countersign_verifier::checkpoint::Checkpoint;
use countersign_verifier::merkle::{
    CompactRange, LeafHash, NodeHash, NodeId, RootHash, TreeSize, verify_consistency,
};
use countersign_verifier::tiles::{EntryBundle, HashTile, Resource, TILE_HEIGHT, TileId};
use rs_merkle::{Hasher, MerkleTree};

use crate::submitting::json;

/// RFC 6962 hashing for another implementation of Merkle trees.
#[derive(Clone)]
struct Rfc6962;

impl Hasher for Rfc6962 {
    type Hash = [u8; 32];

    fn hash(data: &[u8]) -> [u8; 32] {
        *LeafHash::of(data).as_bytes()
    }

    fn concat_and_hash(left: &[u8; 32], right: Option<&[u8; 32]>) -> [u8; 32] {
        let Some(right) = right else { return *left };
        *NodeHash::parent(&NodeHash::from_bytes(*left), &NodeHash::from_bytes(*right)).as_bytes()
    }
}

/// Reads every entry and every tile under the published head, and asserts that they are one tree, with that root.
#[track_caller]
pub(crate) fn rehash(system: &System) -> (Checkpoint, Vec<Vec<u8>>) {
    let head = system.log.checkpoint(system.policy()).unwrap();
    assert!(head.cosignatures().len() >= 2, "{head:?}");
    let head = head.checkpoint().clone();
    let fetch = |resource: Resource| {
        let answer = get(system.log.url(), &format!("/{resource}"));
        assert_eq!(answer.status.as_u16(), 200, "GET /{resource}");
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "GET /{resource}");
        assert!(answer.header("cache-control").unwrap().contains("immutable"), "GET /{resource}");
        answer.body
    };
    let mut entries = Vec::new();
    let mut range = CompactRange::new();
    let mut nodes = std::collections::HashMap::new();
    for index in 0.. {
        let Some(width) = (TileId { level: 0, index }).width(head.size) else { break };
        let bundle = EntryBundle::parse(width, &fetch(Resource::Entries(index, width))).unwrap();
        for entry in bundle.entries() {
            let mut keep = |node: NodeId, hash: NodeHash| {
                nodes.insert(node, hash);
            };
            assert!(range.append(LeafHash::of(entry), &mut keep));
            entries.push(entry.clone());
        }
    }
    assert_eq!(range.size(), head.size);
    assert_eq!(range.root(), head.root);
    for level in 0..7_u8 {
        for index in 0.. {
            let id = TileId { level, index };
            let Some(width) = id.width(head.size) else { break };
            let tile = HashTile::parse(id, width, &fetch(Resource::Hashes(id, width))).unwrap();
            for (at, hash) in (index * 256..).zip(tile.hashes()) {
                let node = NodeId { height: level * TILE_HEIGHT, index: at };
                assert_eq!(nodes.get(&node), Some(hash), "{node:?}");
            }
        }
    }
    let leaves: Vec<[u8; 32]> = entries.iter().map(|entry| *LeafHash::of(entry).as_bytes()).collect();
    let root = MerkleTree::<Rfc6962>::from_leaves(&leaves).root().map(RootHash::from_bytes);
    assert_eq!(root, Some(head.root), "another implementation of Merkle trees comes to another root");
    (head, entries)
}

/// Asserts that the log proves `to` to be an extension of `from`.
#[track_caller]
pub(crate) fn assert_consistent(system: &System, from: &Checkpoint, to: &Checkpoint) {
    let path = format!("/proof/consistency?from={}&to={}", from.size, to.size);
    let answer = get(system.log.url(), &path);
    assert_eq!(answer.status.as_u16(), 200, "GET {path}");
    let hashes = json(&answer)["hashes"].as_array().unwrap().clone();
    let proof: Vec<NodeHash> =
        hashes.iter().map(|hash| NodeHash::from_base64(hash.as_str().unwrap()).unwrap()).collect();
    verify_consistency(from.size, from.root, to.size, to.root, &proof).unwrap();
}

/// A size.
pub(crate) fn size(n: u64) -> TreeSize {
    TreeSize::new(n).unwrap()
}
