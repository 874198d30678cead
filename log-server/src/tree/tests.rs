use std::collections::BTreeMap;

use countersign_verifier::merkle::{
    CompactRange, LeafHash, LeafIndex, RootHash, TreeSize, verify_consistency, verify_inclusion,
};
use countersign_verifier::tiles::{HashTile, TileId, TileWidth};
use proptest::prelude::*;

use super::{Edge, TileCache, TreeReader};
use crate::store::{EdgeHash, StoreError, Tiles};

/// Rows as the store keeps them: the edge written over, full tiles for ever.
#[derive(Debug, Default)]
struct Rows {
    tiles: BTreeMap<TileId, Vec<u8>>,
    edge: BTreeMap<(u8, u8), EdgeHash>,
}

impl Tiles for Rows {
    fn full_tile(&self, tile: TileId) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.tiles.get(&tile).cloned())
    }

    fn edge(&self) -> Result<Vec<EdgeHash>, StoreError> {
        Ok(self.edge.values().copied().collect())
    }
}

fn leaf(index: u64) -> LeafHash {
    LeafHash::of(&index.to_be_bytes())
}

fn size(size: u64) -> TreeSize {
    TreeSize::new(size).unwrap()
}

/// A tree that was grown in batches of these sizes, and every root that it had on the way.
fn grow(batches: &[u64]) -> (Edge, Rows, Vec<RootHash>) {
    let (mut edge, mut rows, mut range) = (Edge::default(), Rows::default(), CompactRange::new());
    let mut roots = vec![range.root()];
    for batch in batches {
        let next = edge.size().get();
        let appended = edge.append((next..next + batch).map(leaf)).unwrap();
        rows.tiles.extend(appended.full_tiles);
        rows.edge.extend(appended.edge.into_iter().map(|hash| ((hash.tile.level, hash.position), hash)));
        for index in next..next + batch {
            assert!(range.append(leaf(index), |_, _| ()));
            roots.push(range.root());
        }
        assert_eq!(edge.root(), range.root());
    }
    (edge, rows, roots)
}

fn assert_provable(edge: &Edge, rows: &Rows, roots: &[RootHash], step: usize) {
    let cache = TileCache::default();
    let reader = TreeReader::new(edge, rows, &cache);
    let newest = edge.size();
    for at in (0..newest.get()).step_by(step) {
        let (old, root) = (size(at), roots[usize::try_from(at).unwrap()]);
        assert_eq!(reader.root(old).unwrap(), root);
        let proof = reader.consistency(old, newest).unwrap();
        verify_consistency(old, root, newest, edge.root(), &proof).unwrap();
        let index = LeafIndex::new(at).unwrap();
        let proof = reader.inclusion(index, newest).unwrap();
        verify_inclusion(leaf(at), index, newest, &proof, edge.root()).unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn however_it_grows_it_is_the_same_tree(batches in prop::collection::vec(1_u64..700, 1..8)) {
        let (edge, rows, roots) = grow(&batches);
        assert_provable(&edge, &rows, &roots, 13);
        let restored = Edge::restore(edge.size(), &rows.edge().unwrap()).unwrap();
        prop_assert_eq!(restored.root(), edge.root());
        let (mut one, mut other) = (edge.clone(), restored);
        let next = edge.size().get();
        for count in [1, 255, 256, 700] {
            let leaves = || (next..next + count).map(leaf);
            prop_assert_eq!(one.append(leaves()), other.append(leaves()));
        }
        prop_assert_eq!(one.root(), other.root());
    }

    #[test]
    fn an_edge_without_one_of_its_hashes_is_not_taken_up(batches in prop::collection::vec(1_u64..700, 1..6), at: prop::sample::Index) {
        let (edge, rows, _) = grow(&batches);
        let needed = |hash: &&EdgeHash| edge.has(hash.tile) && edge.partial(hash.tile.level).is_some_and(|hashes| usize::from(hash.position) < hashes.len());
        let mut stored: Vec<EdgeHash> = rows.edge.values().filter(needed).copied().collect();
        stored.remove(at.index(stored.len()));
        prop_assert!(Edge::restore(edge.size(), &stored).is_err());
    }
}

#[test]
fn a_tree_of_three_levels_of_tiles_is_read_by_point_reads() {
    let (edge, rows, roots) = grow(&[256, 65_280, 1, 4_463]);
    assert_eq!(edge.size(), size(70_000));
    assert_eq!(rows.tiles.len(), 273 + 1);
    assert_provable(&edge, &rows, &roots, 997);
    let widths = (0..3).map(|level| edge.partial(level).unwrap().len());
    assert_eq!(widths.collect::<Vec<_>>(), [112, 17, 1]);
    let cache = TileCache::default();
    let reader = TreeReader::new(&edge, &rows, &cache);
    let top = TileId { level: 2, index: 0 };
    let one = TileWidth::new(1).unwrap();
    let hashes = HashTile::parse(top, one, &reader.tile(top, one).unwrap().unwrap()).unwrap();
    assert_eq!(RootHash::from(hashes.hashes()[0]), roots[65_536]);
    // Where a tile is gone, that is said, and nothing is made up.
    let mut damaged = rows;
    damaged.tiles.remove(&TileId { level: 0, index: 3 });
    let cache = TileCache::default();
    let reader = TreeReader::new(&edge, &damaged, &cache);
    assert!(reader.inclusion(LeafIndex::new(800).unwrap(), size(70_000)).is_err());
    assert!(reader.inclusion(LeafIndex::new(100).unwrap(), size(70_000)).is_ok());
}
