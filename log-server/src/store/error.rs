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
    /// The database was not made to the end, or lacks what names its files.
    #[error("the database {} is not whole: it was not made to the end, or files are missing", .0.display())]
    Unfinished(PathBuf),
    /// A write or a sync failed before. What is on the disk is not known until the database is opened anew.
    #[error("a write failed before, and nothing is written until the database is opened anew")]
    FailedBefore,
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
    /// A file of the database is damaged or gone: its checksum does not hold, or it is not what the others say it is.
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

impl StoreError {
    /// Whether it says that what was written is not there any more, as opposed to being out of reach.
    pub const fn is_damage(&self) -> bool {
        matches!(self, Self::MissingRow { .. } | Self::DamagedRow { .. } | Self::DamagedFile { .. })
    }
}
