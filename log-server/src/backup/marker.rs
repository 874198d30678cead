//! The file that makes a folder a backup.

use std::fs;
use std::io::ErrorKind::NotFound;
use std::path::Path;

use countersign_verifier::merkle::{RootHash, TreeSize};
use countersign_verifier::note::VerifierKey;
use countersign_verifier::program::durable;
use serde::{Deserialize, Serialize};

use super::BackupError;
use crate::store::Head;

/// The file in the folder. A data folder in use never has it.
pub(crate) const FILE: &str = "backup.json";
const FORMAT: &str = "countersign-backup/v1";

/// Of what log a backup is, and of what head of it at the least.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marker {
    /// The log's key.
    pub key: VerifierKey,
    /// The head.
    pub head: Head,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    format: String,
    key: String,
    size: u64,
    root: String,
}

impl Marker {
    /// Reads the file in a folder; `None` when there is none.
    pub fn read(folder: &Path) -> Result<Option<Self>, BackupError> {
        let path = folder.join(FILE);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == NotFound => return Ok(None),
            Err(error) => return Err(BackupError::file(&path)(error)),
        };
        Self::parse(&bytes).map(Some).ok_or(BackupError::Marker(path))
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let Written { format, key, size, root } = serde_json::from_slice(bytes).ok()?;
        let root = RootHash::from_base64(&root).ok()?;
        let head = Head { size: TreeSize::new(size)?, root };
        (format == FORMAT).then_some(Self { key: key.parse().ok()?, head })
    }

    /// Writes the file in place of the one before. When it returns `Ok`, it survives any crash.
    pub(super) fn write(&self, folder: &Path) -> Result<(), BackupError> {
        let path = folder.join(FILE);
        let Self { key, head } = self;
        let (key, size, root) = (key.to_string(), head.size.get(), head.root.to_base64());
        let written = Written { format: FORMAT.to_owned(), key, size, root };
        let write = || {
            let mut bytes = serde_json::to_vec(&written)?;
            bytes.push(b'\n');
            durable::replace(&path, &bytes)
        };
        write().map(drop).map_err(BackupError::file(&path))
    }
}
