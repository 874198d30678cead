//! The database: for every log the head that was cosigned last, as a note. The only module that names RocksDB.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use countersign_verifier::note::VerifierKey;
use rocksdb::{
    DB, DBRecoveryMode, Direction, ErrorKind, IteratorMode, LogLevel, Options, WriteBatch, WriteOptions,
};

use crate::cosigned::{Cosigned, NotCosigned};

const KEY_OF_FORMAT: &[u8] = b"format";
const FORMAT: &[u8] = b"countersign-witness-store/v1";
const KEY_OF_VKEY: &[u8] = b"vkey";
/// Before the origin, in the keys of heads.
const HEAD: &[u8] = b"head/";

/// Why the database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no database.
    #[error("the database {} is missing", .0.display())]
    Missing(PathBuf),
    /// `RocksDB` cannot open, read or write it.
    #[error("the database {}: {source}", .path.display())]
    RocksDb {
        /// The folder.
        path: PathBuf,
        /// What `RocksDB` says.
        source: rocksdb::Error,
    },
    /// It was made by a witness with another key, or by another version of this program.
    #[error("the database {} does not belong to the witness {key}", .path.display())]
    Foreign {
        /// The folder.
        path: PathBuf,
        /// The key of this witness.
        key: Box<VerifierKey>,
    },
    /// What it holds of a log is not what this witness wrote.
    #[error("the database {} is damaged: what it holds under {key:?} is {source}", .path.display())]
    Damaged {
        /// The folder.
        path: PathBuf,
        /// The key in the database.
        key: String,
        /// What is wrong with it.
        source: NotCosigned,
    },
}

impl StoreError {
    /// Whether the database is damaged or gone, rather than out of reach for the moment.
    pub fn is_damage(&self) -> bool {
        match self {
            Self::RocksDb { source, .. } => source.kind() == ErrorKind::Corruption,
            Self::Missing(_) | Self::Foreign { .. } | Self::Damaged { .. } => true,
        }
    }
}

/// The database of one witness.
#[derive(Debug)]
pub(crate) struct Store {
    path: PathBuf,
    db: DB,
}

impl Store {
    /// Creates the database of a witness that has cosigned nothing yet.
    pub(crate) fn create(path: &Path, key: &VerifierKey) -> Result<(), StoreError> {
        let mut options = options();
        options.create_if_missing(true);
        options.set_error_if_exists(true);
        let db = DB::open(&options, path).map_err(at(path))?;
        let mut batch = WriteBatch::default();
        batch.put(KEY_OF_FORMAT, FORMAT);
        batch.put(KEY_OF_VKEY, key.to_string());
        db.write_opt(batch, &synced()).map_err(at(path))
    }

    /// Whether there is a database, sound or not.
    pub(crate) fn exists(path: &Path) -> bool {
        path.join("CURRENT").exists()
    }

    /// Takes the database of the witness with this key into use.
    pub(crate) fn open(path: &Path, key: &VerifierKey) -> Result<Self, StoreError> {
        Self::checked(path, key, |options| DB::open(options, path))
    }

    /// Looks into the database, also while a witness uses it: what it holds at this moment.
    pub(crate) fn open_for_reading(path: &Path, key: &VerifierKey) -> Result<Self, StoreError> {
        Self::checked(path, key, |options| DB::open_for_read_only(options, path, false))
    }

    fn checked(
        path: &Path,
        key: &VerifierKey,
        open: impl FnOnce(&Options) -> Result<DB, rocksdb::Error>,
    ) -> Result<Self, StoreError> {
        // RocksDB would create the folder and some files in it before it says that there is nothing.
        if !Self::exists(path) {
            return Err(StoreError::Missing(path.to_owned()));
        }
        let db = open(&options()).map_err(at(path))?;
        let is = |name: &[u8], value: &[u8]| {
            Ok(db.get_pinned(name).map_err(at(path))?.is_some_and(|found| *found == *value))
        };
        if is(KEY_OF_FORMAT, FORMAT)? && is(KEY_OF_VKEY, key.to_string().as_bytes())? {
            Ok(Self { path: path.to_owned(), db })
        } else {
            Err(StoreError::Foreign { path: path.to_owned(), key: Box::new(key.clone()) })
        }
    }

    /// All heads, each with a cosignature by `key` that was verified again.
    pub(crate) fn heads(&self, key: &VerifierKey) -> Result<Vec<Cosigned>, StoreError> {
        let mut heads = Vec::new();
        for row in self.db.iterator(IteratorMode::From(HEAD, Direction::Forward)) {
            let (name, note) = row.map_err(at(&self.path))?;
            let Some(origin) = name.strip_prefix(HEAD) else { break };
            let damaged = |source| StoreError::Damaged {
                path: self.path.clone(),
                key: String::from_utf8_lossy(&name).into_owned(),
                source,
            };
            let head = Cosigned::parse(&note, key).map_err(damaged)?;
            if head.origin().as_str().as_bytes() != origin {
                return Err(damaged(NotCosigned::OtherOrigin(head.origin().clone())));
            }
            heads.push(head);
        }
        Ok(heads)
    }

    /// Puts each head in the place of the one before it, all or none. When this returns without error, they survive a
    /// crash of the machine. When it returns an error, nobody knows what the database holds.
    pub(crate) fn put(&self, heads: &[Arc<Cosigned>]) -> Result<(), StoreError> {
        let mut batch = WriteBatch::default();
        for head in heads {
            batch.put([HEAD, head.origin().as_str().as_bytes()].concat(), head.note().to_string());
        }
        self.db.write_opt(batch, &synced()).map_err(at(&self.path))
    }
}

fn options() -> Options {
    let mut options = Options::default();
    options.set_paranoid_checks(true);
    // A record that a power cut tore was never acknowledged, also where its room is there and its bytes are not: replay
    // ends before it. Should it end before one that was acknowledged, the high-water mark is ahead and gives it away.
    options.set_wal_recovery_mode(DBRecoveryMode::PointInTime);
    options.set_log_level(LogLevel::Warn);
    options.set_keep_log_file_num(4);
    options.set_max_open_files(64);
    options.set_write_buffer_size(8 * 1024 * 1024);
    options
}

fn synced() -> WriteOptions {
    let mut options = WriteOptions::default();
    options.set_sync(true);
    options
}

fn at(path: &Path) -> impl Fn(rocksdb::Error) -> StoreError {
    move |source| StoreError::RocksDb { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{cosigner, head, log};

    #[test]
    fn the_last_head_of_each_log_is_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("db");
        let cosigner = cosigner();
        Store::create(&path, cosigner.key()).unwrap();
        let (a, b) = (log("log.example/a"), log("log.example/b"));
        let put = [head(&a, 3, 10), head(&b, 5, 11), head(&a, 7, 12)].map(Arc::new);
        let store = Store::open(&path, cosigner.key()).unwrap();
        assert_eq!(store.heads(cosigner.key()).unwrap(), []);
        store.put(&put[..2]).unwrap();
        store.put(&put[2..]).unwrap();
        let reading = Store::open_for_reading(&path, cosigner.key()).unwrap();
        assert_eq!(reading.heads(cosigner.key()).unwrap(), [(*put[2]).clone(), (*put[1]).clone()]);
        drop(store);
        let store = Store::open(&path, cosigner.key()).unwrap();
        assert_eq!(store.heads(cosigner.key()).unwrap(), [(*put[2]).clone(), (*put[1]).clone()]);
    }

    #[test]
    fn a_database_of_another_witness_a_missing_one_and_a_changed_head_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("db");
        let cosigner = cosigner();
        assert!(matches!(Store::open(&path, cosigner.key()), Err(StoreError::Missing(_))));
        assert!(!path.exists());
        Store::create(&path, cosigner.key()).unwrap();
        let other = log("log.example/a");
        assert!(matches!(Store::open(&path, other.verifier()), Err(StoreError::Foreign { .. })));
        let store = Store::open(&path, cosigner.key()).unwrap();
        assert!(
            matches!(Store::open(&path, cosigner.key()), Err(StoreError::RocksDb { .. })),
            "one at a time"
        );
        let mut note = head(&other, 3, 10).note().to_string();
        store.db.put(b"head/log.example/b", &note).unwrap();
        assert!(matches!(store.heads(cosigner.key()), Err(StoreError::Damaged { .. })));
        note = note.replacen("\n3\n", "\n4\n", 1);
        store.db.put(b"head/log.example/a", &note).unwrap();
        assert!(matches!(store.heads(cosigner.key()), Err(StoreError::Damaged { .. })));
    }
}
