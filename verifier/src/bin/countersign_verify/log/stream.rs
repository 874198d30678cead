//! The way of a log through the audit: read ahead, prepared on all processors, absorbed in order.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::mpsc::sync_channel;
use std::sync::{Mutex, PoisonError};

use countersign_verifier::audit::{Audit, AuditError, Entries, Found, Keys, Parsed, Prepared};
use countersign_verifier::merkle::{LeafIndex, NodeHash, TreeSize};
use countersign_verifier::program::{Exit, Failed};
use countersign_verifier::tiles::{FULL_WIDTH, HashTile, TileId};
use rayon::prelude::*;

use crate::source::{self, Source, SourceError};

/// How many bundles go together: enough to keep all processors busy, and still in memory when each is as large as it can
/// be.
const BUNDLES: u64 = 16;
/// How many bundles are kept that had to be read again.
const RECENT: usize = 16;

/// Who hears what is found.
pub(crate) trait Watch: Send {
    /// A new entry is about to be taken up.
    fn entry(&mut self, index: LeafIndex, entry: &Prepared);

    /// Something was found.
    fn found(&mut self, found: Found);

    /// Something served is not what the entries give. Nobody signed it, so it convicts no one.
    fn fault(&mut self, path: String, sentence: String);

    /// All entries before have been taken up.
    fn pause(&mut self, audit: &mut Audit, again: &Again<'_>) -> Result<(), Stopped>;
}

/// Why the walk ended early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Stopped {
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(transparent)]
    Audit(#[from] AuditError<SourceError>),
    /// The log shows a head that is older than what was audited, and agrees with it.
    #[error("{0}")]
    WentBack(Failed),
    #[error(transparent)]
    Failed(#[from] Failed),
}

impl Stopped {
    /// Whether it may go better later, for nobody has signed what contradicts itself.
    pub(crate) const fn is_passing(&self) -> bool {
        matches!(self, Self::Source(_) | Self::WentBack(_) | Self::Audit(AuditError::Unread(_)))
    }

    /// What is said of it when nothing can go on.
    pub(crate) fn failed(self) -> Failed {
        match self {
            Self::Source(error) => error.failed(),
            Self::WentBack(failed) | Self::Failed(failed) => failed,
            Self::Audit(error) => {
                let exit = if error.is_misbehaviour() { Exit::Misbehaviour } else { Exit::CouldNotCheck };
                Failed::new(exit, "the audit cannot go on").because(error)
            }
        }
    }
}

/// A bundle with the tile of its leaves.
struct Bundle<T> {
    index: u64,
    tile: HashTile,
    entries: Vec<T>,
}

impl<T> Bundle<T> {
    fn with<U>(self, entries: impl FnOnce(Vec<T>) -> Vec<U>) -> Bundle<U> {
        Bundle { index: self.index, tile: self.tile, entries: entries(self.entries) }
    }
}

/// Takes all entries of a tree of `size` entries through the audit, from where it stands.
pub(crate) fn entries(again: &Again<'_>, audit: &mut Audit, watch: &mut dyn Watch) -> Result<(), Stopped> {
    let (source, size) = (again.source, again.size);
    let from = audit.ledger().tree().size().get();
    let (first, end) = (from / FULL_WIDTH, size.get().div_ceil(FULL_WIDTH));
    let mut keys = Keys::default();
    for (_, issuer) in audit.ledger().issuers() {
        keys.insert(issuer.record.public_key);
    }
    std::thread::scope(|scope| {
        let (ahead, chunks) = sync_channel(1);
        scope.spawn(move || {
            let mut start = first;
            while start < end {
                let next = start.saturating_add(BUNDLES).min(end);
                // The other side is gone when something was wrong.
                if ahead.send(read(source, start..next, size)).is_err() {
                    return;
                }
                start = next;
            }
        });
        let mut prepared = Vec::new();
        loop {
            let chunk = chunks.recv().unwrap_or_else(|_| Ok(Vec::new()))?;
            let is_last = chunk.is_empty();
            let ready = std::mem::take(&mut prepared);
            let (next, absorbed) = rayon::join(
                || prepare(chunk, &mut keys),
                || -> Result<(), Stopped> {
                    for bundle in ready {
                        absorb(bundle, from, audit, again, watch)?;
                    }
                    watch.pause(audit, again)
                },
            );
            absorbed?;
            if is_last {
                return Ok(());
            }
            prepared = next;
        }
    })
}

/// Compares the tiles above the lowest level with what the entries give, where the tree has grown since `from` entries.
pub(crate) fn higher_tiles(
    again: &Again<'_>,
    from: u64,
    audit: &Audit,
    watch: &mut dyn Watch,
) -> Result<(), SourceError> {
    let tree = audit.ledger().tree();
    for level in 1..8_u8 {
        let shift = u32::from(level).saturating_add(1).saturating_mul(8);
        let mut id = TileId { level, index: from.checked_shr(shift).unwrap_or(0) };
        while id.width(tree.size()).is_some() {
            let tile = source::tile(again.source, id, tree.size())?;
            for (position, stated) in (0..).zip(tile.hashes()) {
                if let Some(computed) = tree.in_tile(id, position).filter(|computed| computed != stated) {
                    false_hash(id, position, *stated, computed, watch);
                }
            }
            id.index = id.index.saturating_add(1);
        }
    }
    Ok(())
}

/// Reads bundles with their tiles, as many at once as is best for the source.
fn read(
    source: &dyn Source,
    bundles: Range<u64>,
    size: TreeSize,
) -> Result<Vec<Bundle<Vec<u8>>>, SourceError> {
    let one = |index| -> Result<Bundle<Vec<u8>>, SourceError> {
        let entries = source::entries(source, index, size)?;
        Ok(Bundle { index, tile: source::tile(source, TileId { level: 0, index }, size)?, entries })
    };
    let at_once = source.at_once();
    if at_once == 1 {
        return bundles.map(one).collect();
    }
    let mut read = std::thread::scope(|scope| -> Result<Vec<Bundle<Vec<u8>>>, SourceError> {
        let (one, all) = (&one, &bundles);
        let stripe = |offset| {
            move || all.clone().skip(offset).step_by(at_once).map(one).collect::<Result<Vec<_>, _>>()
        };
        let threads: Vec<_> = (0..at_once).map(|offset| scope.spawn(stripe(offset))).collect();
        let mut read = Vec::new();
        for thread in threads {
            read.extend(thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
        }
        Ok(read)
    })?;
    read.sort_by_key(|bundle| bundle.index);
    Ok(read)
}

/// Reads all statements and checks their signatures, on all processors.
fn prepare(chunk: Vec<Bundle<Vec<u8>>>, keys: &mut Keys) -> Vec<Bundle<Prepared>> {
    let parsed: Vec<Bundle<Parsed>> = chunk
        .into_iter()
        .map(|bundle| {
            bundle.with(|entries| entries.into_par_iter().map(|entry| Parsed::read(&entry)).collect())
        })
        .collect();
    keys.learn(parsed.iter().flat_map(|bundle| &bundle.entries));
    let keys = &*keys;
    let check = |entries: Vec<Parsed>| entries.into_par_iter().map(|entry| keys.check(entry)).collect();
    parsed.into_iter().map(|bundle| bundle.with(check)).collect()
}

fn absorb(
    bundle: Bundle<Prepared>,
    from: u64,
    audit: &mut Audit,
    again: &Again<'_>,
    watch: &mut dyn Watch,
) -> Result<(), Stopped> {
    let first = bundle.index.saturating_mul(FULL_WIDTH);
    for ((position, entry), stated) in (0..).zip(bundle.entries).zip(bundle.tile.hashes()) {
        let (at, id) = (first.saturating_add(position), entry.id());
        if NodeHash::from(id) != *stated {
            false_hash(bundle.tile.id(), position, *stated, id.into(), watch);
        }
        let index = LeafIndex::new(at);
        if at >= from {
            if let Some(index) = index {
                watch.entry(index, &entry);
            }
            audit.absorb(entry, again, &mut |found| watch.found(found))?;
            continue;
        }
        let known = index.and_then(|index| audit.ledger().tree().leaf(index));
        if let Some(known) = known.filter(|known| *known != id) {
            let sentence =
                format!("its id is {id} now and was {known} when it was audited, expected the same for ever");
            watch.fault(format!("entry {at}"), sentence);
        }
    }
    Ok(())
}

fn false_hash(tile: TileId, position: u64, stated: NodeHash, computed: NodeHash, watch: &mut dyn Watch) {
    let TileId { level, index } = tile;
    watch.fault(
        format!("tile {index} of level {level}"),
        format!("its hash {position} is {stated}, expected {computed}, which the entries give"),
    );
}

/// The entries that were read before.
pub(crate) struct Again<'a> {
    source: &'a dyn Source,
    size: TreeSize,
    /// The bundles that were read again, the newest last.
    recent: Mutex<VecDeque<(u64, Vec<Vec<u8>>)>>,
}

impl<'a> Again<'a> {
    pub(crate) fn new(source: &'a dyn Source, size: TreeSize) -> Self {
        Self { source, size, recent: Mutex::default() }
    }

    /// Where they are read.
    pub(crate) const fn source(&self) -> &'a dyn Source {
        self.source
    }
}

impl Entries for Again<'_> {
    type Error = SourceError;

    fn entry(&self, index: LeafIndex) -> Result<Vec<u8>, SourceError> {
        let (bundle, position) = (index.get() / FULL_WIDTH, index.get() % FULL_WIDTH);
        let position = usize::try_from(position).unwrap_or(usize::MAX);
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if !recent.iter().any(|(index, _)| *index == bundle) {
            recent.push_back((bundle, source::entries(self.source, bundle, self.size)?));
        }
        let entry =
            recent.iter().find(|(index, _)| *index == bundle).and_then(|(_, entries)| entries.get(position));
        let entry = entry.cloned().ok_or(SourceError::Outside(self.size));
        if recent.len() > RECENT {
            recent.pop_front();
        }
        entry
    }
}
