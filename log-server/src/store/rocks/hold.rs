//! Keeping everybody else from writing.

use std::fs::File;
use std::io::ErrorKind::NotFound;
use std::path::Path;

use rustix::fs::{FlockOperation, fcntl_lock};
use rustix::io::Errno;

use crate::store::StoreError;

/// The file by which RocksDB makes sure that one process alone has a database open for writing.
const LOCK: &str = "LOCK";

/// Keeps every other process from opening a store for writing, until it is dropped. Others may hold it too, and read.
///
/// It does not work against its own process.
#[derive(Debug)]
pub struct Hold {
    _lock: Option<File>,
}

impl Hold {
    /// Holds the store at `path`. Nothing is changed. Fails when a process has the store open for writing.
    pub fn of(path: &Path) -> Result<Self, StoreError> {
        let failed = |source| StoreError::Failed { doing: "being held", source };
        let lock = match File::open(path.join(LOCK)) {
            Ok(lock) => lock,
            // A copy without it was never opened.
            Err(error) if error.kind() == NotFound => return Ok(Self { _lock: None }),
            Err(error) => return Err(failed(error.into())),
        };
        match fcntl_lock(&lock, FlockOperation::NonBlockingLockShared) {
            Ok(()) => Ok(Self { _lock: Some(lock) }),
            Err(Errno::AGAIN | Errno::ACCESS) => Err(StoreError::Locked(path.to_owned())),
            Err(error) => Err(failed(std::io::Error::from(error).into())),
        }
    }
}
