//! A store that leads to its own head.

use std::collections::HashSet;
use std::ffi::OsString;
use std::path::Path;

use countersign_verifier::checkpoint::LogSigned;
use countersign_verifier::merkle::{RootHash, TreeSize};
use countersign_verifier::note::{SignedNote, VerifierKey};

use super::BackupError;
use crate::store::{Head, Ledger as _, RocksStore, Tiles as _};
use crate::tree::{Edge, TileCache, TreeReader};

/// A store, open for reading, whose edge leads to its head.
#[derive(Debug)]
pub(super) struct Opened {
    store: RocksStore,
    edge: Edge,
    pub(super) head: Head,
}

impl Opened {
    /// Opens the store at `path`, which must stand still, and recomputes its head.
    pub(super) fn at(path: &Path) -> Result<Self, BackupError> {
        let store = RocksStore::open_read_only(path)?;
        let head = store.head()?.ok_or(BackupError::NotFounded)?;
        let edge = Edge::restore(head.size, &store.edge()?)?;
        let computed = edge.root();
        if computed != head.root {
            return Err(BackupError::Root { computed, expected: head.root });
        }
        Ok(Self { store, edge, head })
    }

    /// Reads through all that these files have a part in: damage is an error.
    pub(super) fn read_through(&self, files: &HashSet<OsString>) -> Result<(), BackupError> {
        Ok(self.store.read_through(files)?)
    }

    /// The root that the tree had at a size.
    pub(super) fn root(&self, size: TreeSize) -> Result<RootHash, BackupError> {
        Ok(TreeReader::new(&self.edge, &self.store, &TileCache::default()).root(size)?)
    }

    /// Whether this tree begins with that of `head`.
    pub(super) fn begins_with(&self, head: &Head) -> Result<(), BackupError> {
        if head.size > self.head.size {
            return Err(BackupError::Newer { backup: head.size, log: self.head.size });
        }
        let log = self.root(head.size)?;
        if log == head.root {
            Ok(())
        } else {
            Err(BackupError::Forked { size: head.size, backup: head.root, log })
        }
    }

    /// Whether the note is a head that the log signed for this tree.
    pub(super) fn check_high_water(&self, note: &[u8], key: &VerifierKey) -> Result<(), BackupError> {
        let note = SignedNote::parse(note).map_err(|_| BackupError::HighWater)?;
        let signed =
            LogSigned::open(&note, core::slice::from_ref(key)).map_err(|_| BackupError::HighWater)?;
        let checkpoint = signed.checkpoint();
        let head = Head { size: checkpoint.size, root: checkpoint.root };
        let ours = checkpoint.origin.as_str() == key.name().as_str();
        if ours && self.begins_with(&head).is_ok() { Ok(()) } else { Err(BackupError::HighWater) }
    }
}
