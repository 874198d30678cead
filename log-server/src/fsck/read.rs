//! Reading entries, tile by tile, on a thread of its own.

use std::sync::mpsc::SyncSender;

use countersign_verifier::merkle::{LeafIndex, TreeSize};
use countersign_verifier::tiles::FULL_WIDTH;

use crate::store::{Entries, Inventory, Part, Row, StoreError};

/// What is read in one go, if it is not more than this many bytes.
const TILES: usize = 16;
const BYTES: usize = 16 * 1024 * 1024;

/// What there is of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kept {
    Bytes(Vec<u8>),
    Missing,
    /// What the database says when it is asked.
    Unreadable(String),
}

/// The entries of some tiles.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    /// The index of the first.
    pub(super) first: u64,
    /// Up to 256 a tile; only the last tile of the log has fewer.
    pub(super) tiles: Vec<Vec<Kept>>,
    /// Rows between them that are none of entries.
    pub(super) strays: Vec<Row>,
}

/// Reads all entries of a tree of `size`, until they are read, the database fails, or nobody listens.
pub(super) fn read<S: Entries + Inventory>(
    store: &S,
    size: TreeSize,
    chunks: &SyncSender<Result<Chunk, StoreError>>,
) {
    let mut next = 0;
    while next < size.get() {
        let chunk = read_chunk(store, next, size);
        let failed = chunk.is_err();
        next = chunk.as_ref().map_or(next, |chunk| {
            let count: usize = chunk.tiles.iter().map(Vec::len).sum();
            next.saturating_add(u64::try_from(count).unwrap_or(u64::MAX))
        });
        if chunks.send(chunk).is_err() || failed {
            return;
        }
    }
}

fn read_chunk<S: Entries + Inventory>(store: &S, first: u64, size: TreeSize) -> Result<Chunk, StoreError> {
    let mut chunk = Chunk { first, ..Chunk::default() };
    let (mut next, mut bytes) = (first, 0_usize);
    while chunk.tiles.len() < TILES && bytes < BYTES && next < size.get() {
        let count = size.get().saturating_sub(next).min(FULL_WIDTH);
        let tile = read_tile(store, next, count, &mut chunk.strays)?;
        bytes = tile.iter().fold(bytes, |bytes, kept| match kept {
            Kept::Bytes(entry) => bytes.saturating_add(entry.len()),
            _ => bytes,
        });
        chunk.tiles.push(tile);
        next = next.saturating_add(count);
    }
    Ok(chunk)
}

fn read_tile<S: Entries + Inventory>(
    store: &S,
    first: u64,
    count: u64,
    strays: &mut Vec<Row>,
) -> Result<Vec<Kept>, StoreError> {
    let end = first.saturating_add(count);
    let (Some(from), Ok(width)) = (LeafIndex::new(first), u16::try_from(count)) else {
        return Ok(Vec::new());
    };
    let mut kept = Vec::with_capacity(usize::from(width));
    let together = store.entries(from, width, &mut |entry| kept.push(Kept::Bytes(entry.to_vec())));
    match together {
        Ok(()) => return Ok(kept),
        Err(error) if error.is_damage() => {}
        Err(error) => return Err(error),
    }
    // Something among them is not as it should be: one by one, then.
    kept.clear();
    for index in (first..end).filter_map(LeafIndex::new) {
        kept.push(match store.entry(index) {
            Ok(Some(bytes)) => Kept::Bytes(bytes),
            Ok(None) => Kept::Missing,
            Err(error @ (StoreError::DamagedRow { .. } | StoreError::DamagedFile { .. })) => {
                Kept::Unreadable(countersign_verifier::causes::with_causes(&error))
            }
            Err(error) => return Err(error),
        });
    }
    let part = Part::Entries { from, to: LeafIndex::new(end) };
    let listed = store.rows(part, &mut |row| {
        if !matches!(row, Row::Entry(_)) {
            strays.push(row);
        }
    });
    match listed {
        // What cannot be read was found above.
        Ok(()) | Err(StoreError::DamagedFile { .. }) => Ok(kept),
        Err(error) => Err(error),
    }
}
