//! A store that can be told to fail or to wait, over the real one.

use std::collections::HashSet;
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::ThreadId;

use countersign_log::store::{
    Batch, EdgeHash, Entries, Facts, Figures, Head, Journal, Ledger, RocksStore, StoreError, Tiles,
};
use countersign_verifier::admission::{EntryFacts, IssuerKey, IssuerRecord};
use countersign_verifier::checkpoint::Origin;
use countersign_verifier::merkle::{LeafHash, LeafIndex, TreeSize};
use countersign_verifier::note::VerifierKey;
use countersign_verifier::statement::{ExecutionId, IssuerName, KeyThumbprint};
use countersign_verifier::tiles::TileId;

/// How the store is to behave.
#[derive(Debug, Default)]
pub(crate) struct Levers {
    /// How many commits still succeed; the ones after that fail. Negative: all succeed.
    commits: AtomicI64,
    /// Whether a commit that fails has been written all the same, as when only the answer of the disk is lost.
    pub(crate) writes_what_fails: std::sync::atomic::AtomicBool,
    /// Whether commits panic.
    pub(crate) panics: std::sync::atomic::AtomicBool,
    /// Whether reads of facts fail.
    pub(crate) facts_fail: std::sync::atomic::AtomicBool,
    /// The threads that read full tiles.
    pub(crate) readers: Mutex<HashSet<ThreadId>>,
    held: Mutex<bool>,
    released: Condvar,
}

impl Levers {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { commits: AtomicI64::new(-1), ..Self::default() })
    }

    /// Lets `count` more commits succeed.
    pub(crate) fn fail_after(&self, count: i64) {
        self.commits.store(count, Ordering::SeqCst);
    }

    /// Makes commits wait.
    pub(crate) fn hold(&self) {
        *self.held.lock().unwrap() = true;
    }

    /// Lets them go.
    pub(crate) fn release(&self) {
        *self.held.lock().unwrap() = false;
        self.released.notify_all();
    }
}

#[derive(Debug)]
pub(crate) struct Moody {
    pub(crate) inner: RocksStore,
    pub(crate) levers: Arc<Levers>,
}

fn failure() -> StoreError {
    let source = Box::new(std::io::Error::from_raw_os_error(5));
    StoreError::Failed { doing: "being tested", source }
}

impl Journal for Moody {
    fn commit(&self, batch: &Batch) -> Result<(), StoreError> {
        let mut held = self.levers.held.lock().unwrap();
        while *held {
            held = self.levers.released.wait(held).unwrap();
        }
        drop(held);
        assert!(!self.levers.panics.load(Ordering::SeqCst), "told to panic");
        let left = self.levers.commits.load(Ordering::SeqCst);
        if left == 0 {
            if self.levers.writes_what_fails.load(Ordering::SeqCst) {
                self.inner.commit(batch)?;
            }
            return Err(failure());
        }
        if left > 0 {
            self.levers.commits.store(left - 1, Ordering::SeqCst);
        }
        self.inner.commit(batch)
    }
}

impl Entries for Moody {
    fn entry(&self, index: LeafIndex) -> Result<Option<Vec<u8>>, StoreError> {
        self.inner.entry(index)
    }

    fn entries(&self, first: LeafIndex, count: u16, each: &mut dyn FnMut(&[u8])) -> Result<(), StoreError> {
        self.inner.entries(first, count, each)
    }
}

impl Tiles for Moody {
    fn full_tile(&self, tile: TileId) -> Result<Option<Vec<u8>>, StoreError> {
        self.levers.readers.lock().unwrap().insert(std::thread::current().id());
        self.inner.full_tile(tile)
    }

    fn edge(&self) -> Result<Vec<EdgeHash>, StoreError> {
        self.inner.edge()
    }
}

impl Facts for Moody {
    fn facts(&self, entry: &LeafHash) -> Result<Option<EntryFacts>, StoreError> {
        if self.levers.facts_fail.load(Ordering::SeqCst) {
            return Err(failure());
        }
        self.inner.facts(entry)
    }

    fn index(&self, entry: &LeafHash) -> Result<Option<LeafIndex>, StoreError> {
        self.inner.index(entry)
    }

    fn issuer(&self, issuer: &IssuerKey) -> Result<Option<IssuerRecord>, StoreError> {
        self.inner.issuer(issuer)
    }

    fn issuers(&self, name: &IssuerName) -> Result<Vec<(KeyThumbprint, IssuerRecord)>, StoreError> {
        self.inner.issuers(name)
    }

    fn outcome_of(&self, authorization: &LeafHash) -> Result<Option<LeafHash>, StoreError> {
        self.inner.outcome_of(authorization)
    }

    fn close_of(&self, execution: &ExecutionId) -> Result<Option<LeafHash>, StoreError> {
        self.inner.close_of(execution)
    }
}

impl Ledger for Moody {
    fn origin(&self) -> Result<Origin, StoreError> {
        self.inner.origin()
    }

    fn head(&self) -> Result<Option<Head>, StoreError> {
        self.inner.head()
    }

    fn published(&self) -> Result<Option<String>, StoreError> {
        self.inner.published()
    }

    fn cosigned(&self, witness: &VerifierKey) -> Result<TreeSize, StoreError> {
        self.inner.cosigned(witness)
    }
}

impl Figures for Moody {
    fn figures(&self) -> Vec<(&'static str, u64)> {
        self.inner.figures()
    }
}

/// A database itself, with no store between.
pub(crate) type Raw = rocksdb::DB;

/// Opens the database of a log that is at rest.
pub(crate) fn raw(data: &Path) -> Raw {
    let path = data.join("db");
    let families = rocksdb::DB::list_cf(&rocksdb::Options::default(), &path).unwrap();
    rocksdb::DB::open_cf(&rocksdb::Options::default(), &path, families).unwrap()
}

pub(crate) fn get(db: &Raw, family: &str, key: &[u8]) -> Vec<u8> {
    db.get_cf(db.cf_handle(family).unwrap(), key).unwrap().expect("the row is there")
}

pub(crate) fn put(db: &Raw, family: &str, key: &[u8], value: &[u8]) {
    db.put_cf(db.cf_handle(family).unwrap(), key, value).unwrap();
}

pub(crate) fn delete(db: &Raw, family: &str, key: &[u8]) {
    get(db, family, key);
    db.delete_cf(db.cf_handle(family).unwrap(), key).unwrap();
}

/// Changes one byte of a row.
pub(crate) fn flip(db: &Raw, family: &str, key: &[u8], at: usize) {
    let mut value = get(db, family, key);
    value[at] ^= 1;
    put(db, family, key, &value);
}

pub(crate) type Bytes = Box<[u8]>;

pub(crate) fn rows(db: &Raw, family: &str) -> Vec<(Bytes, Bytes)> {
    db.iterator_cf(db.cf_handle(family).unwrap(), rocksdb::IteratorMode::Start).map(Result::unwrap).collect()
}

/// Writes a row into the family where none belongs.
pub(crate) fn put_unused(db: &Raw, key: &[u8]) {
    db.put(key, b"").unwrap();
}

/// Writes what is in memory into files.
pub(crate) fn flush(db: &Raw, family: &str) {
    db.flush_cf(db.cf_handle(family).unwrap()).unwrap();
}
