//! The published policy: the very bytes that were signed, so that publishing it again changes nothing.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_verifier::merkle::LeafHash;
use countersign_verifier::program::durable;
use countersign_verifier::statement::Statement;
use serde::{Deserialize, Serialize};

use super::StateError;

/// The newest policy that the gate published, or tried to.
#[derive(Debug)]
pub struct Published {
    path: PathBuf,
    current: Option<Current>,
}

#[derive(Debug)]
struct Current {
    statement: Statement,
    logged: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    statement: String,
    logged: bool,
}

impl Published {
    /// Takes up what was kept in a file, which need not be there.
    pub fn open(path: &Path) -> Result<Self, StateError> {
        let damaged = || StateError::Damaged { path: path.to_owned(), line: 1 };
        let current = match std::fs::read(path) {
            Ok(bytes) => {
                let kept: Kept = serde_json::from_slice(&bytes).map_err(|_| damaged())?;
                let bytes = STANDARD.decode(kept.statement).map_err(|_| damaged())?;
                let statement = Statement::parse(&bytes).map_err(|_| damaged())?;
                Some(Current { statement, logged: kept.logged })
            }
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(source) => return Err(StateError::Io { path: path.to_owned(), source }),
        };
        Ok(Self { path: path.to_owned(), current })
    }

    /// The newest one.
    pub fn statement(&self) -> Option<&Statement> {
        self.current.as_ref().map(|current| &current.statement)
    }

    /// The entry of the newest one, if the log is known to have it.
    pub fn logged(&self) -> Option<LeafHash> {
        let current = self.current.as_ref().filter(|current| current.logged)?;
        Some(LeafHash::of(current.statement.bytes()))
    }

    /// Keeps a statement, before it is sent (`logged` false) or when the log has it (`logged` true).
    pub fn keep(&mut self, statement: Statement, logged: bool) -> Result<(), StateError> {
        let kept = Kept { statement: STANDARD.encode(statement.bytes()), logged };
        self.current = Some(Current { statement, logged });
        let bytes = serde_json::to_vec(&kept).map_err(std::io::Error::from);
        let written = bytes.and_then(|bytes| durable::replace(&self.path, &bytes));
        written.map(drop).map_err(|source| StateError::Io { path: self.path.clone(), source })
    }
}
