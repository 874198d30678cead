//! Making a snapshot.

use std::fs;
use std::io;
use std::path::Path;

use countersign_verifier::program::durable;

use crate::cosigners::EVIDENCE;
use crate::high_water;
use crate::log::DATABASE;
use crate::store::{RocksStore, StoreError};

/// Why there is no snapshot.
#[derive(Debug, thiserror::Error)]
pub(super) enum TakeError {
    /// A file cannot be read or written.
    #[error("a file cannot be copied")]
    File(#[from] io::Error),
    /// The database cannot be copied.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes a snapshot of a log that is served, in the new folder `to`, on the same file system.
///
/// The newest acknowledged head is read before the database is copied, so that the copy has all that it covers.
pub(super) fn take(data: &Path, store: &RocksStore, to: &Path) -> Result<(), TakeError> {
    fs::create_dir_all(to)?;
    // It may be written to meanwhile, and then one of its two places is torn in the copy, as after a power cut.
    match fs::read(data.join(high_water::FILE)) {
        Ok(bytes) => durable::create(&to.join(high_water::FILE), 0o666, &bytes)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error.into()),
    }
    copy_evidence(data, to)?;
    Ok(store.snapshot(&to.join(DATABASE))?)
}

fn copy_evidence(data: &Path, to: &Path) -> io::Result<()> {
    let files = match fs::read_dir(data.join(EVIDENCE)) {
        Ok(files) => files,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    fs::create_dir(to.join(EVIDENCE))?;
    for file in files {
        let file = file?;
        fs::copy(file.path(), to.join(EVIDENCE).join(file.file_name()))?;
    }
    Ok(())
}
