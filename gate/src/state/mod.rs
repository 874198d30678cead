//! What the gate keeps on its own disk, so that nothing it did or refused goes unrecorded.
//!
//! | in the state folder | what it is |
//! |---|---|
//! | `open/` | a [`Journal`] for each execution that the log does not have in full yet |
//! | `refused/` | journals with statements that the log refused for good, for a person to look at |
//! | `used/` | the authorizations that were used, see [`UsedSet`](crate::enforcement::UsedSet) |
//! | `policy.json` | the published allow list of programs, see [`Published`] |
//! | `tools.json` | that of tools |

mod journal;
mod published;

use std::path::{Path, PathBuf};

use countersign_verifier::program::durable;
use countersign_verifier::statement::ExecutionId;

pub use journal::{Journal, Standing, Step};
pub use published::Published;

/// Why the state folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// A file cannot be read or written.
    #[error("{}: {source}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A file is not what was written.
    #[error("{} line {line} is damaged", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// An execution of this id is not finished.
    #[error(
        "the execution {0} is not finished here: another process runs it, or its end is not in the log yet"
    )]
    InUse(ExecutionId),
}

/// The state folder.
#[derive(Debug)]
pub struct State {
    folder: PathBuf,
}

impl State {
    /// Takes up a state folder, which is made when it is missing.
    pub fn open(folder: &Path) -> Result<Self, StateError> {
        let state = Self { folder: folder.to_owned() };
        for folder in [folder, &state.open_folder(), &state.refused_folder()] {
            durable::create_folder(folder, 0o700)
                .map_err(|source| StateError::Io { path: folder.to_owned(), source })?;
        }
        Ok(state)
    }

    /// Where the memory of used authorizations is.
    pub fn used_folder(&self) -> PathBuf {
        self.folder.join("used")
    }

    /// The published policy that is kept in `file`.
    pub fn published(&self, file: &str) -> Result<Published, StateError> {
        Published::open(&self.folder.join(file))
    }

    /// Begins the journal of an execution.
    pub fn begin(&self, execution: &ExecutionId) -> Result<Journal, StateError> {
        Journal::create(&self.open_folder(), execution)
    }

    /// The journals that no living process writes: what was cut off, and what waits for the log.
    pub fn unfinished(&self) -> Result<Vec<Journal>, StateError> {
        let folder = self.open_folder();
        let io = |source| StateError::Io { path: folder.clone(), source };
        let mut paths = Vec::new();
        for file in std::fs::read_dir(&folder).map_err(io)? {
            let path = file.map_err(io)?.path();
            if path.extension().is_some_and(|extension| extension == journal::EXTENSION) {
                paths.push(path);
            }
        }
        paths.sort_unstable();
        paths.iter().filter_map(|path| Journal::take_up(path).transpose()).collect()
    }

    /// Ends a journal: removes it, or, when the log refused some of it for good, puts it aside.
    pub fn end(&self, journal: Journal) -> Result<(), StateError> {
        journal.end(&self.refused_folder())
    }

    /// Where refused journals go.
    pub fn refused_folder(&self) -> PathBuf {
        self.folder.join("refused")
    }

    fn open_folder(&self) -> PathBuf {
        self.folder.join("open")
    }
}
