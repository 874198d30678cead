//! Who has the entries of a log.

use std::fs;
use std::io::ErrorKind::NotFound;
use std::path::{Path, PathBuf};

use countersign_verifier::checkpoint::LogSigned;
use countersign_verifier::merkle::{LeafIndex, TreeSize};
use countersign_verifier::note::{MAX_NOTE_BYTES, SignedNote, VerifierKey};
use countersign_verifier::tiles::{EntryBundle, FULL_WIDTH, MAX_BUNDLE_BYTES, Resource, TileId, TileWidth};
use countersign_web::Source;
use tokio::runtime::Runtime;

use super::{Goal, SourceError};
use crate::store::{Entries as _, Head, Ledger as _, RocksStore};

/// The head of a log, among its tiles.
pub const CHECKPOINT: &str = "checkpoint";
/// How many bundles are asked for at once.
const AT_ONCE: u64 = 16;

/// Somebody who has the entries of a log.
pub trait EntrySource {
    /// Entries from `first`, a multiple of 256, on: as many as are read at once, and none beyond a tree of `size`.
    fn read(&self, first: u64, size: TreeSize) -> Result<Vec<Vec<u8>>, SourceError>;
}

/// The bundles that are read together, and how many entries each has in a tree of `size`.
fn bundles(first: u64, size: TreeSize) -> impl Iterator<Item = (u64, TileWidth)> {
    let first = first / FULL_WIDTH;
    (first..first.saturating_add(AT_ONCE))
        .filter_map(move |index| Some((index, TileId { level: 0, index }.width(size)?)))
}

/// A bundle may be there as of a larger tree: then it has more.
fn widths(width: TileWidth) -> impl Iterator<Item = TileWidth> {
    let full = TileWidth::new(u16::try_from(FULL_WIDTH).unwrap_or(u16::MAX)).ok();
    core::iter::once(width).chain(full.filter(|full| *full != width))
}

fn parse(resource: Resource, bytes: &[u8], width: TileWidth) -> Result<Vec<Vec<u8>>, SourceError> {
    let bundle = EntryBundle::parse(resource.width(), bytes)
        .map_err(|cause| SourceError::Bundle { what: resource.to_string(), cause })?;
    Ok(bundle.entries().iter().take(usize::from(width.get())).cloned().collect())
}

/// The head in a note that the log signed.
fn goal(note: &[u8], key: &VerifierKey) -> Result<Goal, SourceError> {
    let note = SignedNote::parse(note).map_err(|_| SourceError::Head)?;
    let signed = LogSigned::open(&note, core::slice::from_ref(key)).map_err(|_| SourceError::Head)?;
    let checkpoint = signed.checkpoint();
    if checkpoint.origin.as_str() != key.name().as_str() {
        return Err(SourceError::Head);
    }
    Ok(Goal { head: Head { size: checkpoint.size, root: checkpoint.root }, note: Some(note) })
}

/// A folder of C2SP tiles: `checkpoint`, `tile/entries/...`.
#[derive(Debug)]
pub struct TileFolder(PathBuf);

impl TileFolder {
    /// The folder, and the head of the log with this key in it.
    pub fn open(folder: &Path, key: &VerifierKey) -> Result<(Self, Goal), SourceError> {
        let source = Self(folder.to_owned());
        let note = source.file(CHECKPOINT).map_err(|cause| unreadable(CHECKPOINT, cause))?;
        Ok((source, goal(&note, key)?))
    }

    fn file(&self, path: &str) -> std::io::Result<Vec<u8>> {
        fs::read(self.0.join(path))
    }
}

impl EntrySource for TileFolder {
    fn read(&self, first: u64, size: TreeSize) -> Result<Vec<Vec<u8>>, SourceError> {
        let mut entries = Vec::new();
        for (index, width) in bundles(first, size) {
            let mut missing = None;
            for held in widths(width) {
                let resource = Resource::Entries(index, held);
                match self.file(&resource.to_string()) {
                    Ok(bytes) => {
                        entries.extend(parse(resource, &bytes, width)?);
                        missing = None;
                        break;
                    }
                    Err(cause) if cause.kind() == NotFound => missing = missing.or(Some((resource, cause))),
                    Err(cause) => return Err(unreadable(&resource.to_string(), cause)),
                }
            }
            if let Some((resource, cause)) = missing {
                return Err(unreadable(&resource.to_string(), cause));
            }
        }
        Ok(entries)
    }
}

/// A log, or a mirror of it, over HTTP.
#[derive(Debug)]
pub struct Remote {
    source: Source,
    runtime: Runtime,
}

impl Remote {
    /// The log below a URL, and its newest head.
    pub fn open(url: &str, key: &VerifierKey) -> Result<(Self, Goal), SourceError> {
        let parsed = url.parse().map_err(|cause| unreadable(url, cause))?;
        let source = Source::http(parsed).map_err(|cause| unreadable(url, cause))?;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.map_err(|cause| unreadable(url, cause))?;
        let remote = Self { source, runtime };
        let note = remote.runtime.block_on(remote.source.get(CHECKPOINT, MAX_NOTE_BYTES));
        let goal = goal(&note.map_err(|cause| unreadable(url, cause))?, key)?;
        Ok((remote, goal))
    }
}

impl EntrySource for Remote {
    fn read(&self, first: u64, size: TreeSize) -> Result<Vec<Vec<u8>>, SourceError> {
        let asked: Vec<_> = bundles(first, size)
            .map(|(index, width)| {
                let source = self.source.clone();
                self.runtime.spawn(async move { fetch(&source, index, width).await })
            })
            .collect();
        let mut entries = Vec::new();
        for answer in asked {
            let answer = self.runtime.block_on(answer).map_err(|cause| unreadable("a bundle", cause))?;
            entries.extend(answer?);
        }
        Ok(entries)
    }
}

async fn fetch(source: &Source, index: u64, width: TileWidth) -> Result<Vec<Vec<u8>>, SourceError> {
    let mut missing = None;
    for held in widths(width) {
        let resource = Resource::Entries(index, held);
        match source.get(&resource.to_string(), MAX_BUNDLE_BYTES).await {
            Ok(bytes) => return parse(resource, &bytes, width),
            Err(cause @ countersign_web::SourceError::NotFound(_)) => missing = missing.or(Some(cause)),
            Err(cause) => return Err(unreadable(&resource.to_string(), cause)),
        }
    }
    let what = Resource::Entries(index, width).to_string();
    let cause = missing.map_or_else(|| "it is not there".into(), Into::into);
    Err(SourceError::Unreadable { what, cause })
}

/// A store whose indexes or tiles are damaged, and whose entries are not.
#[derive(Debug)]
pub struct Worn(RocksStore);

impl Worn {
    /// The store at `path`, which stands still, and its head, which nothing but its entries have to lead to.
    pub fn open(path: &Path) -> Result<(Self, Goal), SourceError> {
        let store = RocksStore::open_read_only(path)?;
        let head = store.head()?.ok_or(SourceError::Head)?;
        Ok((Self(store), Goal { head, note: None }))
    }
}

impl EntrySource for Worn {
    fn read(&self, first: u64, size: TreeSize) -> Result<Vec<Vec<u8>>, SourceError> {
        let mut entries = Vec::new();
        for (index, width) in bundles(first, size) {
            let Some(first) = index.checked_mul(FULL_WIDTH).and_then(LeafIndex::new) else { break };
            self.0.entries(first, width.get(), &mut |entry| entries.push(entry.to_vec()))?;
        }
        Ok(entries)
    }
}

fn unreadable(what: &str, cause: impl Into<Box<dyn core::error::Error + Send + Sync>>) -> SourceError {
    SourceError::Unreadable { what: what.to_owned(), cause: cause.into() }
}
