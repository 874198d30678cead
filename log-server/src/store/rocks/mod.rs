//! The store in RocksDB.

mod files;
mod hold;
mod inventory;
mod layout;
mod options;
mod read;
mod row;
mod write;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use countersign_verifier::checkpoint::Origin;
use rocksdb::checkpoint::Checkpoint;
use rocksdb::{ColumnFamily, DB, ErrorKind, WriteBatch, WriteOptions};

use super::StoreError;
pub use hold::Hold;
use layout::Family;

/// The version of the layout that is read and written here. A store of another one is refused.
const FORMAT: u32 = 1;

/// A store in a RocksDB database of its own.
///
/// One process at a time can have it open. Every commit is one write batch with one sync of the write-ahead log.
#[derive(Debug)]
pub struct RocksStore {
    db: DB,
    /// Whether a write has failed. RocksDB itself would go on once the disk works again.
    failed: AtomicBool,
    /// Keeps others from writing while this one only reads.
    _hold: Option<Hold>,
}

impl RocksStore {
    /// Makes an empty store for the log `origin` at `path`, where nothing must be.
    ///
    /// When it returns `Ok`, the empty store survives any crash.
    pub fn create(path: &Path, origin: &Origin) -> Result<Self, StoreError> {
        if path.exists() {
            return Err(StoreError::Exists(path.to_owned()));
        }
        let store = Self::open_database(path, true)?;
        let meta = store.family(Family::Meta)?;
        let mut batch = WriteBatch::default();
        batch.put_cf(meta, layout::FORMAT, FORMAT.to_be_bytes());
        batch.put_cf(meta, layout::ORIGIN, origin.as_str());
        store.write(batch, "being made")?;
        Ok(store)
    }

    /// Opens the store at `path`, which must be of this format. Nothing in it is changed.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Self::check_families(path)?;
        Self::open_database(path, false)?.of_this_format(path)
    }

    /// Opens the store at `path` for reading alone. No byte below `path` is changed, and every write fails.
    ///
    /// No process may have it open for writing meanwhile: see [`Hold`].
    pub fn open_read_only(path: &Path) -> Result<Self, StoreError> {
        Self::check_families(path)?;
        let options = options::read_only();
        let db = DB::open_cf_descriptors_read_only(&options, path, options::families(), false);
        let db = db.map_err(|error| failed("being opened", error))?;
        Self { db, failed: AtomicBool::new(false), _hold: None }.of_this_format(path)
    }

    /// The same, and keeps every other process from opening it for writing as long as it is open. Fails when one has it open
    /// for writing already.
    pub fn open_untouched(path: &Path) -> Result<Self, StoreError> {
        Self::check_families(path)?;
        let hold = Hold::of(path)?;
        Ok(Self { _hold: Some(hold), ..Self::open_read_only(path)? })
    }

    /// Makes a copy of the store as it is at this moment in the new folder `to`, on the same file system, and goes on.
    /// What never changes is shared with the store, so it takes hardly any time or room.
    ///
    /// When it returns `Ok`, the copy has all batches that were committed before the call, and whole batches only.
    pub fn snapshot(&self, to: &Path) -> Result<(), StoreError> {
        let made = Checkpoint::new(&self.db).and_then(|snapshot| snapshot.create_checkpoint(to));
        made.map_err(|error| failed("being copied", error))
    }

    fn check_families(path: &Path) -> Result<(), StoreError> {
        if !path.join("CURRENT").exists() {
            let missing = !path.exists();
            let path = path.to_owned();
            return Err(if missing { StoreError::Missing(path) } else { StoreError::Unfinished(path) });
        }
        let families =
            DB::list_cf(&rocksdb::Options::default(), path).map_err(|error| failed("being listed", error))?;
        let known =
            |name: &String| name == "default" || Family::ALL.iter().any(|family| family.name() == name);
        if !families.iter().all(known) {
            return Err(StoreError::Format { found: 0, expected: FORMAT });
        }
        if families.len() != Family::ALL.len().saturating_add(1) {
            return Err(StoreError::Unfinished(path.to_owned()));
        }
        Ok(())
    }

    fn of_this_format(self, path: &Path) -> Result<Self, StoreError> {
        let stated = self.get(Family::Meta, layout::FORMAT)?;
        let stated = stated.ok_or_else(|| StoreError::Unfinished(path.to_owned()))?;
        let found = stated.as_slice().try_into().map_or(0, u32::from_be_bytes);
        if found == FORMAT { Ok(self) } else { Err(StoreError::Format { found, expected: FORMAT }) }
    }

    fn open_database(path: &Path, create: bool) -> Result<Self, StoreError> {
        let db = DB::open_cf_descriptors(&options::database(create), path, options::families());
        match db {
            Ok(db) => Ok(Self { db, failed: AtomicBool::new(false), _hold: None }),
            Err(error) if is_locked(&error) => Err(StoreError::Locked(path.to_owned())),
            Err(error) => Err(failed("being opened", error)),
        }
    }

    fn family(&self, family: Family) -> Result<&ColumnFamily, StoreError> {
        self.db.cf_handle(family.name()).ok_or(StoreError::MissingRow { row: family.name() })
    }

    fn get(&self, family: Family, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.db.get_cf(self.family(family)?, key).map_err(|error| failed("being read", error))
    }

    /// Writes a batch and syncs the write-ahead log before it returns.
    fn write(&self, batch: WriteBatch, doing: &'static str) -> Result<(), StoreError> {
        if self.failed.load(Ordering::SeqCst) {
            return Err(StoreError::FailedBefore);
        }
        let mut synced = WriteOptions::default();
        synced.set_sync(true);
        self.db.write_opt(batch, &synced).map_err(|error| {
            self.failed.store(true, Ordering::SeqCst);
            failed(doing, error)
        })
    }
}

/// Whether another process, or another part of this one, has the database open. RocksDB has no kind of its own for it.
fn is_locked(error: &rocksdb::Error) -> bool {
    let held = ["While lock file", "lock hold by current process"];
    error.kind() == ErrorKind::IOError && held.iter().any(|words| error.as_ref().contains(words))
}

fn failed(doing: &'static str, source: rocksdb::Error) -> StoreError {
    // RocksDB names the files that it opens, and has no kind of its own for one that is gone.
    let gone = source.kind() == ErrorKind::IOError && source.as_ref().contains("No such file or directory");
    let damaged = gone || source.kind() == ErrorKind::Corruption;
    let source = Box::new(source);
    if damaged { StoreError::DamagedFile { doing, source } } else { StoreError::Failed { doing, source } }
}
