//! Rows that nothing in the log accounts for.

use std::collections::{BTreeSet, HashSet};

use countersign_verifier::admission::{Effects, IssuerKey, IssuerRecord};
use countersign_verifier::merkle::{LeafHash, LeafIndex, NodeHash, TreeSize};
use countersign_verifier::statement::Statement;
use countersign_verifier::tiles::{TILE_HEIGHT, TileId, TileWidth};

use super::finding::{Finding, Findings, REBUILD};
use super::rows::Present;
use super::state::Registrations;
use super::tree::Edges;
use crate::store::{Entries, Facts, Inventory, Part, Row, StoreError, Tiles};

const NOTHING: &str = "no such row";

/// Lists a part. What cannot be read is a finding.
pub(super) fn list<S: Inventory>(
    store: &S,
    part: Part,
    findings: &mut Findings,
    mut each: impl FnMut(Row, &mut Findings),
) -> Result<(), StoreError> {
    let mut last = "the beginning".to_owned();
    let listed = store.rows(part, &mut |row| {
        last = row.to_string();
        each(row, findings);
    });
    match listed {
        Err(error @ StoreError::DamagedFile { .. }) => {
            let finding = Finding::damage(part.name(), format_args!("all after {last}"));
            let why = countersign_verifier::causes::with_causes(&error);
            findings.report(finding.found(why).expected("rows that can be read"));
            Ok(())
        }
        listed => listed,
    }
}

fn surplus(part: Part, row: &Row) -> Finding {
    Finding::damage(part.name(), row).found("a row").expected(NOTHING).remedy(REBUILD)
}

/// The rows of the edge. Keys that mean nothing are findings.
pub(super) fn edge<S: Inventory>(store: &S, findings: &mut Findings) -> Result<Edges, StoreError> {
    let mut edge = Edges::new();
    list(store, Part::Edge, findings, |row, findings| match row {
        Row::Edge { level, position, hash } => {
            edge.insert((level, position), hash);
        }
        row => findings.report(surplus(Part::Edge, &row)),
    })?;
    Ok(edge)
}

/// Hashes at the edge that were not written over since their tile became full: they must be those of that tile. Tiles in
/// `blamed` say nothing.
pub(super) fn check_left_over<S: Tiles>(
    store: &S,
    edge: &Edges,
    size: TreeSize,
    blamed: &HashSet<TileId>,
    findings: &mut Findings,
) -> Result<(), StoreError> {
    for ((level, position), kept) in edge {
        let part = TileId { level: *level, index: full_tiles(size, *level) };
        let is_in_use =
            |tile: TileId| tile.width(size).is_some_and(|width| u16::from(*position) < width.get());
        let finding = Finding::damage("edge", Row::Edge { level: *level, position: *position, hash: None });
        let Some(kept) = kept else {
            if !is_in_use(part) {
                findings.report(finding.found("a row that cannot be read").expected("a hash, or no row"));
            }
            continue;
        };
        // What the tree needs, it was compared with already.
        if is_in_use(part) {
            continue;
        }
        let finding = finding.found(format_args!("{} for tile {} of the level", kept.hash, kept.tile.index));
        if !kept.tile.width(size).is_some_and(TileWidth::is_full) {
            findings.report(finding.expected("no hash beyond the end of the tree"));
            continue;
        }
        if blamed.contains(&kept.tile) {
            continue;
        }
        let tile = match store.full_tile(kept.tile) {
            Ok(tile) => tile.unwrap_or_default(),
            Err(StoreError::DamagedFile { .. }) => continue,
            Err(error) => return Err(error),
        };
        let (hashes, _) = tile.as_chunks::<32>();
        let expected = hashes.get(usize::from(*position)).copied().map(NodeHash::from_bytes);
        if let Some(expected) = expected.filter(|expected| *expected != kept.hash) {
            findings.report(finding.expected(format_args!("{expected}, as in that tile")));
        }
    }
    Ok(())
}

/// How many tiles of a level are full.
fn full_tiles(size: TreeSize, level: u8) -> u64 {
    let shift = u32::from(level).saturating_add(1).saturating_mul(u32::from(TILE_HEIGHT));
    size.get().checked_shr(shift).unwrap_or(0)
}

/// Rows of entries and tiles beyond the end of the tree, and rows that are none.
pub(super) fn check_beyond<S: Inventory>(
    store: &S,
    size: TreeSize,
    findings: &mut Findings,
) -> Result<(), StoreError> {
    if let Some(from) = size.next_index() {
        let part = Part::Entries { from, to: None };
        list(store, part, findings, |row, findings| findings.report(surplus(part, &row)))?;
    }
    list(store, Part::Tiles, findings, |row, findings| match row {
        Row::Tile(tile) if tile.width(size).is_some_and(TileWidth::is_full) => {}
        row => findings.report(surplus(Part::Tiles, &row)),
    })?;
    list(store, Part::Unused, findings, |row, findings| findings.report(surplus(Part::Unused, &row)))
}

/// Registrations, in both directions. What `unsound` entries registered is not known.
pub(super) fn check_issuers<S: Inventory + Facts>(
    store: &S,
    registrations: &Registrations,
    unsound: &HashSet<LeafIndex>,
    findings: &mut Findings,
) -> Result<u64, StoreError> {
    let mut issuers: BTreeSet<IssuerKey> = registrations.newest().map(|(issuer, _)| issuer.clone()).collect();
    let mut rows = 0_u64;
    list(store, Part::Issuers, findings, |row, findings| {
        rows = rows.saturating_add(1);
        match row {
            Row::Issuer(issuer) => {
                issuers.insert(issuer);
            }
            row => findings.report(surplus(Part::Issuers, &row)),
        }
    })?;
    for issuer in issuers {
        let expected = registrations.newest_of(&issuer);
        let found = match store.issuer(&issuer) {
            Ok(Some(found)) if Some(&found) == expected || unsound.contains(&found.index) => continue,
            Ok(Some(found)) => tell(&found),
            Ok(None) => "no row".to_owned(),
            Err(error @ (StoreError::DamagedRow { .. } | StoreError::DamagedFile { .. })) => {
                countersign_verifier::causes::with_causes(&error)
            }
            Err(error) => return Err(error),
        };
        let expected = expected.map_or_else(|| NOTHING.to_owned(), tell);
        let finding = Finding::damage(Part::Issuers.name(), Row::Issuer(issuer));
        findings.report(finding.found(found).expected(expected).remedy(REBUILD));
    }
    Ok(rows)
}

fn tell(record: &IssuerRecord) -> String {
    let IssuerRecord { public_key, roles, status, index } = record;
    let roles: Vec<String> = roles.iter().map(|role| role.to_string()).collect();
    format!("{status} by index {index} as {}, public key {public_key:?}", roles.join(", "))
}

/// Rows of ids and marks that no entry asks for. Only when there are more than entries ask for, each is looked at. What
/// `unsound` entries ask for is not known.
pub(super) fn check_indexes<S: Inventory + Facts + Entries>(
    store: &S,
    present: Present,
    unsound: &HashSet<LeafIndex>,
    findings: &mut Findings,
) -> Result<u64, StoreError> {
    let mut rows = 0_u64;
    for (part, present) in [(Part::Ids, present.ids), (Part::Marks, present.marks)] {
        let mut count = 0_u64;
        list(store, part, findings, |_, _| count = count.saturating_add(1))?;
        rows = rows.saturating_add(count);
        if count == present {
            continue;
        }
        let mut failed = Ok(());
        list(store, part, findings, |row, findings| match is_asked_for(store, &row, unsound) {
            Ok(true) => {}
            Ok(false) => findings.report(surplus(part, &row)),
            Err(error) => failed = Err(error),
        })?;
        failed?;
    }
    Ok(rows)
}

/// Whether the entry that a row of an index leads to leads back to the row.
fn is_asked_for<S: Facts + Entries>(
    store: &S,
    row: &Row,
    unsound: &HashSet<LeafIndex>,
) -> Result<bool, StoreError> {
    let marked = |mark: Result<Option<LeafHash>, StoreError>, of: &dyn Fn(&Effects) -> bool| {
        let Some(entry) = readable(mark)? else { return Ok(false) };
        // Of an entry that is nowhere, a damaged one may be the rest.
        let Some(index) = readable(store.index(&entry))? else { return Ok(!unsound.is_empty()) };
        Ok(unsound.contains(&index) || effects(store, &entry)?.is_some_and(|effects| of(&effects)))
    };
    match row {
        Row::Id(id) => {
            let Some(index) = readable(store.index(id))? else { return Ok(false) };
            let same = |bytes: Vec<u8>| LeafHash::of(&bytes) == *id;
            Ok(unsound.contains(&index) || readable(store.entry(index))?.is_some_and(same))
        }
        Row::OutcomeOf(authorization) => {
            marked(store.outcome_of(authorization), &|effects| effects.outcome_of == Some(*authorization))
        }
        Row::CloseOf(execution) => {
            marked(store.close_of(execution), &|effects| effects.closes.as_ref() == Some(execution))
        }
        _ => Ok(false),
    }
}

/// What an entry adds, if it is one.
pub(super) fn effects<S: Facts + Entries>(store: &S, id: &LeafHash) -> Result<Option<Effects>, StoreError> {
    let Some(index) = readable(store.index(id))? else { return Ok(None) };
    let Some(bytes) = readable(store.entry(index))? else { return Ok(None) };
    if LeafHash::of(&bytes) != *id {
        return Ok(None);
    }
    Ok(Statement::parse(&bytes).ok().map(|statement| Effects::of(&statement, *id, index)))
}

/// What cannot be read is not there.
fn readable<T>(row: Result<Option<T>, StoreError>) -> Result<Option<T>, StoreError> {
    match row {
        Err(StoreError::DamagedRow { .. } | StoreError::DamagedFile { .. }) => Ok(None),
        row => row,
    }
}

/// The rows of `meta`: those of witnesses are handed back, those that every store has must be there.
pub(super) fn meta<S: Inventory>(store: &S, findings: &mut Findings) -> Result<Vec<Row>, StoreError> {
    let mut cosigned = Vec::new();
    list(store, Part::Meta, findings, |row, findings| match row {
        Row::Meta(_) => {}
        Row::Cosigned { .. } => cosigned.push(row),
        row => findings.report(surplus(Part::Meta, &row)),
    })?;
    Ok(cosigned)
}

/// Whether the store seems to end after this many entries.
pub(super) fn ends_at<S: Entries>(store: &S, size: TreeSize) -> Result<bool, StoreError> {
    let there = |index: Option<LeafIndex>| match index {
        None => Ok(true),
        Some(index) => Ok(readable(store.entry(index))?.is_some()),
    };
    Ok(there(size.last_index())? && !there(size.next_index())?)
}
