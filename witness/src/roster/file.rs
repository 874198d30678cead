//! The file in which the logs stand.

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use countersign_verifier::checkpoint::Origin;
use countersign_verifier::note::VerifierKey;
use countersign_verifier::program::durable;

use super::entry::{parse_file, print_file};
use super::logs::Change;
use super::{Entry, ListError, Logs, NotAdded};

/// Why the logs cannot be read or added to.
#[derive(Debug, thiserror::Error)]
pub enum RosterError {
    /// The file cannot be read or written.
    #[error("the list of logs {}: {source}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file is not as this program writes it.
    #[error("the list of logs {}: {source}", .path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: ListError,
    },
    /// A log in it cannot be watched.
    #[error("the log {origin}: {source}")]
    NotAdded {
        /// Which log.
        origin: Origin,
        /// Why not.
        source: NotAdded,
    },
}

/// What tells one file from the next: device, inode, length, time of change.
pub(super) type Identity = (u64, u64, u64, Option<SystemTime>);

/// What was done with a list of logs.
#[derive(Debug, Default)]
pub struct Added {
    /// Logs that are watched from now on.
    pub logs: Vec<Entry>,
    /// Keys that a log that was already watched may sign with from now on.
    pub keys: Vec<Entry>,
    /// How many were there already.
    pub known: usize,
    /// Logs of a list that this witness cannot watch.
    pub refused: Vec<(Origin, NotAdded)>,
}

/// Creates the file of a witness that watches no log yet. It must not exist.
pub(crate) fn create(path: &Path) -> Result<(), RosterError> {
    let io = |source| RosterError::Io { path: path.to_owned(), source };
    File::create_new(path).map_err(io)?;
    durable::replace(path, print_file(&[]).as_bytes()).map(drop).map_err(io)
}

/// Adds logs to the file of the witness with the key `own`, also while it serves. When this returns without error, they
/// are kept.
///
/// From a list (`from_list`), only logs that were never seen before are added, and those that cannot be watched are left out: a list
/// must not change what an operator has set up. Otherwise a new key is added to a known log, and a log that cannot be
/// watched is an error.
pub fn add(
    path: &Path,
    own: &VerifierKey,
    entries: Vec<Entry>,
    from_list: bool,
) -> Result<Added, RosterError> {
    let io = |source| RosterError::Io { path: path.to_owned(), source };
    // Two at once would each write what the other has not seen.
    let lock = File::create(path.with_extension("lock")).map_err(io)?;
    lock.lock().map_err(io)?;
    let mut kept = entries_of(path)?;
    let mut logs = assemble(kept.clone(), own)?;
    let mut added = Added::default();
    for entry in entries {
        if from_list && logs.get(&entry.origin).is_some() {
            added.known = added.known.saturating_add(1);
            continue;
        }
        match logs.add(entry.clone(), own) {
            Ok(Change::NewLog) => added.logs.push(entry),
            Ok(Change::NewKey) => added.keys.push(entry),
            Ok(Change::Nothing) => added.known = added.known.saturating_add(1),
            Err(source) if from_list => added.refused.push((entry.origin, source)),
            Err(source) => return Err(RosterError::NotAdded { origin: entry.origin, source }),
        }
    }
    if !(added.logs.is_empty() && added.keys.is_empty()) {
        kept.extend(added.logs.iter().chain(&added.keys).cloned());
        durable::replace(path, print_file(&kept).as_bytes()).map_err(io)?;
    }
    Ok(added)
}

/// Which file is there.
pub(super) fn identify(path: &Path) -> io::Result<Identity> {
    let found = std::fs::metadata(path)?;
    Ok((found.dev(), found.ino(), found.len(), found.modified().ok()))
}

/// Reads the file, and says which it was.
pub(super) fn read(path: &Path, own: &VerifierKey) -> Result<(Logs, Identity), RosterError> {
    // If the file is replaced between the two, the next look finds another one and reads it again.
    let identity = identify(path).map_err(|source| RosterError::Io { path: path.to_owned(), source })?;
    Ok((assemble(entries_of(path)?, own)?, identity))
}

fn entries_of(path: &Path) -> Result<Vec<Entry>, RosterError> {
    let text =
        std::fs::read_to_string(path).map_err(|source| RosterError::Io { path: path.to_owned(), source })?;
    parse_file(&text).map_err(|source| RosterError::Format { path: path.to_owned(), source })
}

fn assemble(entries: Vec<Entry>, own: &VerifierKey) -> Result<Logs, RosterError> {
    let mut logs = Logs::default();
    for entry in entries {
        let origin = entry.origin.clone();
        logs.add(entry, own).map_err(|source| RosterError::NotAdded { origin, source })?;
    }
    Ok(logs)
}
