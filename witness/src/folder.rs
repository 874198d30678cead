//! The data folder of a witness: what lies where in it.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use countersign_verifier::note::{KeyName, NoteSigner, VerifierKey};
use countersign_verifier::program::durable;
use countersign_verifier::program::keyfile::{self, KeyFileError};
use zeroize::Zeroizing;

use crate::cosigned::{Cosigner, NotACosigner};
use crate::high_water::{self, HighWaterError, Marks};
use crate::roster::{self, RosterError};
use crate::store::{Store, StoreError};

/// Why a data folder cannot be set up or used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// The folder cannot be made or locked.
    #[error("{}: {source}", .path.display())]
    Io {
        /// The folder or file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Another process serves it.
    #[error("another process is using the data folder {}", .0.display())]
    InUse(PathBuf),
    /// The key cannot be read or written.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// The key is none of a witness.
    #[error("{}: {source}", .path.display())]
    NotACosigner {
        /// The key file.
        path: PathBuf,
        /// What it is.
        source: NotACosigner,
    },
    /// No randomness for a new key.
    #[error("the system gives no random bytes: {0}")]
    Random(getrandom::Error),
    /// The database cannot be made.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The high-water mark cannot be made.
    #[error(transparent)]
    HighWater(#[from] HighWaterError),
    /// The list of logs cannot be made.
    #[error(transparent)]
    Roster(#[from] RosterError),
}

/// Where everything of one witness lies.
#[derive(Debug, Clone)]
pub struct Folder {
    data: PathBuf,
    high_water: PathBuf,
}

impl Folder {
    /// The folder `data`. The high-water mark is `high-water` in it, unless it is said to lie elsewhere.
    pub fn new(data: impl Into<PathBuf>, high_water: Option<PathBuf>) -> Self {
        let data = data.into();
        let high_water = high_water.unwrap_or_else(|| data.join("high-water"));
        Self { data, high_water }
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.data
    }

    /// The secret key, for its owner alone.
    pub fn key(&self) -> PathBuf {
        self.data.join("witness.key")
    }

    /// The database.
    pub fn database(&self) -> PathBuf {
        self.data.join("db")
    }

    /// The high-water mark.
    pub fn high_water(&self) -> &Path {
        &self.high_water
    }

    /// The list of logs.
    pub fn logs(&self) -> PathBuf {
        self.data.join("logs")
    }

    /// What logs signed that they should not have.
    pub fn evidence(&self) -> PathBuf {
        self.data.join("evidence")
    }

    /// Sets the folder up for a new witness with a new key, and returns its public half. A folder that has a key
    /// already is refused, and not changed.
    pub fn init(&self, name: &KeyName) -> Result<VerifierKey, FolderError> {
        let mut seed = Zeroizing::new([0; 32]);
        getrandom::fill(&mut *seed).map_err(FolderError::Random)?;
        let signer = NoteSigner::from_seed(name.clone(), true, &seed);
        self.init_with(&signer)?;
        Ok(signer.verifier().clone())
    }

    /// Sets the folder up for a new witness with this key, which must never have cosigned anything.
    pub fn init_with(&self, signer: &NoteSigner) -> Result<(), FolderError> {
        durable::create_folder(&self.data, 0o777)
            .map_err(|source| FolderError::Io { path: self.data.clone(), source })?;
        if self.key().exists() {
            return Err(KeyFileError::Exists(self.key()).into());
        }
        let key = signer.verifier();
        roster::create(&self.logs())?;
        high_water::create(&self.high_water, key, &Marks::new())?;
        Store::create(&self.database(), key)?;
        // The key last: a folder that has one is complete.
        Ok(keyfile::write_note_signer(&self.key(), signer)?)
    }

    /// The key of the witness.
    pub fn cosigner(&self) -> Result<Cosigner, FolderError> {
        let path = self.key();
        Cosigner::new(keyfile::read_note_signer(&path)?)
            .map_err(|source| FolderError::NotACosigner { path, source })
    }

    /// Makes this the only process that uses the folder, as long as the file is held.
    pub(crate) fn lock(&self) -> Result<File, FolderError> {
        let path = self.data.join("lock");
        let io = |source| FolderError::Io { path: path.clone(), source };
        let file = File::create(&path).map_err(io)?;
        file.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => FolderError::InUse(self.data.clone()),
            TryLockError::Error(source) => io(source),
        })?;
        Ok(file)
    }
}
