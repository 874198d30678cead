//! Paths, widths and bundles, and agreement with the crate `tlog_tiles`.

use proptest::prelude::*;
use tlog_tiles::Tile;

use super::*;
use crate::merkle::{NodeId, TreeSize};

fn size(n: u64) -> TreeSize {
    TreeSize::new(n).unwrap()
}

#[test]
fn paths_have_one_spelling() {
    for (path, level, index, width) in [
        ("tile/0/000", 0, 0, 256),
        ("tile/0/999.p/1", 0, 999, 1),
        ("tile/7/x001/000", 7, 1000, 256),
        ("tile/63/x001/x234/067.p/255", 63, 1_234_067, 255),
        ("tile/1/x123/x456/789", 1, 123_456_789, 256),
    ] {
        let resource = Resource::Hashes(TileId { level, index }, TileWidth::new(width).unwrap());
        assert_eq!(Resource::parse(path), Ok(resource));
        assert_eq!(resource.to_string(), path);
    }
    let entries = Resource::Entries(1_234_067, TileWidth::new(8).unwrap());
    assert_eq!(Resource::parse("tile/entries/x001/x234/067.p/8"), Ok(entries));
    for (path, error) in [
        ("", PathError::Form),
        ("tile", PathError::Form),
        ("tile/0", PathError::Form),
        ("/tile/0/000", PathError::Form),
        ("tile/64/000", PathError::Level),
        ("tile/00/000", PathError::Level),
        ("tile/data/000", PathError::Level),
        ("tile/0/00", PathError::Index),
        ("tile/0/0000", PathError::Index),
        ("tile/0/+00", PathError::Index),
        ("tile/0/x000/000", PathError::Index),
        ("tile/0/001/000", PathError::Index),
        ("tile/0/x001/x000", PathError::Index),
        ("tile/0/000/", PathError::Index),
        ("tile/0/x018/x446/x744/x073/x709/x551/x615/x000/000", PathError::Index),
        ("tile/0/000.p/256", PathError::Width),
        ("tile/0/000.p/0", PathError::Width),
        ("tile/0/000.p/01", PathError::Width),
        ("tile/0/000.p/", PathError::Width),
    ] {
        assert_eq!(Resource::parse(path), Err(error), "{path}");
    }
}

#[test]
fn widths_follow_from_the_size() {
    let width = |level, index, n| TileId { level, index }.width(size(n)).map(TileWidth::get);
    // The example of the specification: 70,000 entries.
    assert_eq!(width(0, 272, 70_000), Some(256));
    assert_eq!(width(0, 273, 70_000), Some(112));
    assert_eq!(width(0, 274, 70_000), None);
    assert_eq!(width(1, 0, 70_000), Some(256));
    assert_eq!(width(1, 1, 70_000), Some(17));
    assert_eq!(width(2, 0, 70_000), Some(1));
    assert_eq!(width(3, 0, 70_000), None);
    assert_eq!(width(1, 0, 256), Some(1));
    assert_eq!(width(0, 1, 256), None);
    assert_eq!(width(0, 0, 0), None);
    assert_eq!(width(7, 0, (1 << 63) - 1), Some(127));
    assert_eq!(width(8, 0, (1 << 63) - 1), None);
    assert_eq!(width(0, u64::MAX, 5), None);
}

#[test]
fn bundles_are_read_to_the_last_byte() {
    let mut bytes = Vec::new();
    for entry in [&b"first"[..], b"", &vec![7; MAX_ENTRY_BYTES]] {
        EntryBundle::write_entry(entry, &mut bytes).unwrap();
    }
    let three = TileWidth::new(3).unwrap();
    let bundle = EntryBundle::parse(three, &bytes).unwrap();
    assert_eq!(bundle.entries().iter().map(Vec::len).collect::<Vec<_>>(), [5, 0, MAX_ENTRY_BYTES]);
    assert_eq!(
        EntryBundle::parse(TileWidth::new(2).unwrap(), &bytes),
        Err(BundleError::Count { want: 2, got: 3 })
    );
    assert_eq!(
        EntryBundle::parse(TileWidth::new(4).unwrap(), &bytes),
        Err(BundleError::Count { want: 4, got: 3 })
    );
    assert_eq!(EntryBundle::parse(three, &bytes[..bytes.len() - 1]), Err(BundleError::Truncated(2)));
    bytes.push(0);
    assert!(EntryBundle::parse(three, &bytes).is_err());
    assert_eq!(
        EntryBundle::write_entry(&vec![0; MAX_ENTRY_BYTES + 1], &mut Vec::new()),
        Err(BundleError::EntryTooLong(MAX_ENTRY_BYTES + 1))
    );
}

#[test]
fn a_tile_has_its_own_nodes_only() {
    let id = TileId { level: 0, index: 1 };
    let bytes: Vec<u8> = (0..3 * 32).collect();
    let tile = HashTile::parse(id, TileWidth::new(3).unwrap(), &bytes).unwrap();
    assert_eq!(tile.node(NodeId { height: 0, index: 258 }).unwrap().as_bytes()[..], bytes[64..]);
    assert!(tile.node(NodeId { height: 0, index: 259 }).is_err());
    assert!(tile.node(NodeId { height: 0, index: 2 }).is_err());
    assert!(tile.node(NodeId { height: 1, index: 128 }).is_ok());
    assert!(tile.node(NodeId { height: 1, index: 129 }).is_err());
    assert!(tile.node(NodeId { height: 8, index: 1 }).is_err());
    assert_eq!(
        HashTile::parse(id, TileWidth::new(4).unwrap(), &bytes),
        Err(TileError::Length { width: 4, got: 96 })
    );
}

proptest! {
    #[test]
    fn another_implementation_agrees_on_paths(level in 0..63_u8, index in 0..1_u64 << 55, width in 1..=256_u16) {
        let ours = Resource::Hashes(TileId { level, index }, TileWidth::new(width).unwrap()).to_string();
        // Its paths name the height of tiles as well, which is always 8 here.
        let theirs = Tile::new(8, level, index, u32::from(width), false).path();
        prop_assert_eq!(&ours, &theirs.replacen("tile/8/", "tile/", 1));
        prop_assert_eq!(Resource::parse(&ours).unwrap().to_string(), ours);
    }

    #[test]
    fn any_path_is_read_or_refused(path in "tile/[0-9ex/ntris.p]{0,30}") {
        if let Ok(resource) = Resource::parse(&path) {
            prop_assert_eq!(resource.to_string(), path);
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>, width in 1..=256_u16) {
        let width = TileWidth::new(width).unwrap();
        let _ = EntryBundle::parse(width, &bytes);
        let _ = HashTile::parse(TileId { level: 0, index: 0 }, width, &bytes);
    }
}
