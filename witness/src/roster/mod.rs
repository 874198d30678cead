//! The logs that this witness watches.
//!
//! They stand in a text file of their own beside the database, so that `add-log` can add one while the witness serves.
//! The file is replaced as a whole, never changed in place, and is read again as soon as it is another one. Logs
//! and keys are only ever added: a log that was removed and added again is how a witness comes to cosign a fork.

mod entry;
mod file;
mod logs;

pub use entry::{Entry, ListError, ListErrorCause, parse_list};
pub use file::{Added, RosterError, add};
pub use logs::{Log, Logs, NotAdded};

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use countersign_verifier::note::VerifierKey;

use file::Identity;

/// Creates the file of a witness that watches no log yet. It must not exist.
pub(crate) use file::create;

/// The logs, as the file says at the moment.
#[derive(Debug)]
pub(crate) struct Roster {
    path: PathBuf,
    key: VerifierKey,
    current: Mutex<Current>,
}

#[derive(Debug)]
struct Current {
    logs: Arc<Logs>,
    /// Which file was read last, whether it could be read or not.
    read: Option<Identity>,
    fault: Option<Arc<str>>,
}

impl Roster {
    /// Reads the file of the witness with this key.
    pub(crate) fn open(path: &Path, key: &VerifierKey) -> Result<Self, RosterError> {
        let (logs, read) = file::read(path, key)?;
        let current = Mutex::new(Current { logs: Arc::new(logs), read: Some(read), fault: None });
        Ok(Self { path: path.to_owned(), key: key.clone(), current })
    }

    /// The logs. Where the file has become another one it is read; where it cannot be read, all that was known before
    /// goes on to hold.
    pub(crate) fn logs(&self) -> Arc<Logs> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let found = file::identify(&self.path).ok();
        if found != current.read || found.is_none() {
            current.read = found;
            current.take_up(file::read(&self.path, &self.key).map(|(logs, _)| logs));
        }
        Arc::clone(&current.logs)
    }

    /// What is wrong with the file, if anything is.
    pub(crate) fn fault(&self) -> Option<Arc<str>> {
        self.logs();
        self.current.lock().unwrap_or_else(PoisonError::into_inner).fault.clone()
    }
}

impl Current {
    fn take_up(&mut self, read: Result<Logs, RosterError>) {
        let fault = match read {
            Ok(logs) => {
                let (logs, missing) = self.logs.extended_by(logs);
                self.logs = Arc::new(logs);
                missing.map(|origin| {
                    format!("the log {origin} has vanished from the list of logs; it is watched until the next start")
                })
            }
            Err(error) => Some(error.to_string()),
        };
        if let Some(fault) = &fault
            && self.fault.as_deref() != Some(fault)
        {
            tracing::error!(%fault, "the list of logs is not as it should be");
        }
        self.fault = fault.map(Into::into);
    }
}

#[cfg(test)]
mod tests;
