//! Tile paths print as they were read; tiles and entry bundles are read or refused.
#![no_main]

use countersign_verifier::tiles::{EntryBundle, HashTile, Resource, TileId, TileWidth};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u16, &[u8])| {
    let (width, bytes) = input;
    if let Ok(path) = core::str::from_utf8(bytes)
        && let Ok(resource) = Resource::parse(path)
    {
        assert_eq!(resource.to_string(), path);
    }
    let Ok(width) = TileWidth::new(width) else { return };
    let _ = EntryBundle::parse(width, bytes);
    let _ = HashTile::parse(TileId { level: 0, index: 0 }, width, bytes);
});
