//! Why a store cannot be used.

use std::error::Error;
use std::path::PathBuf;

/// Why a store cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process has the database open.
    #[error("the database {} is in use by another process", .0.display())]
    Locked(PathBuf),
    /// There is no database.
    #[error("there is no database at {}", .0.display())]
    Missing(PathBuf),
    /// There is a database already.
    #[error("there is a database at {} already", .0.display())]
    Exists(PathBuf),
    /// The database was written by another version of this program, or by something else.
    #[error("the database has format {found}, this program reads format {expected}")]
    Format {
        /// The format found, 0 when none is stated.
        found: u32,
        /// The format that this program reads.
        expected: u32,
    },
    /// A row is missing that has to be there.
    #[error("a row is missing in the database: {row}")]
    MissingRow {
        /// Which.
        row: &'static str,
    },
    /// A row is not what it has to be.
    #[error("a row of the database is damaged: {row}")]
    DamagedRow {
        /// Which.
        row: &'static str,
    },
    /// A file of the database is damaged: its checksum does not hold, or it is not what the others say it is.
    #[error("a file of the database is damaged, found while {doing}")]
    DamagedFile {
        /// What the database was doing.
        doing: &'static str,
        /// What it says.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The database, or the file system below it, failed.
    #[error("the database failed while {doing}")]
    Failed {
        /// What it was doing.
        doing: &'static str,
        /// What it says.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}
