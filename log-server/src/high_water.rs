//! The high-water mark: the newest head that was acknowledged, remembered outside of the database.
//!
//! A database that lost the end of its write-ahead log, or that was put back from an older copy, opens as if nothing
//! had been after it, and the log would give the same indexes away a second time. The file `high-water` in the data
//! folder holds the newest signed head. It is written after each batch is durable and before anybody hears of the
//! batch, without a sync of its own: it can lag behind the database after a power cut, but never run ahead of it. So a
//! database that does not have what the file names has lost something.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use countersign_verifier::note::MAX_NOTE_BYTES;
use countersign_verifier::program::durable;

/// The file in the data folder.
pub(crate) const FILE: &str = "high-water";

/// Reads the note in the file of a data folder; `None` when there is none.
pub(crate) fn read(data: &Path) -> io::Result<Option<Vec<u8>>> {
    match File::open(data.join(FILE)) {
        Ok(file) => read_note(&file),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn read_note(file: &File) -> io::Result<Option<Vec<u8>>> {
    let mut note = Vec::new();
    let limit = u64::try_from(MAX_NOTE_BYTES).unwrap_or(u64::MAX);
    file.take(limit).read_to_end(&mut note)?;
    Ok(Some(note).filter(|note| !note.is_empty()))
}

/// The file, open for writing.
#[derive(Debug)]
pub(crate) struct HighWater {
    file: File,
}

impl HighWater {
    /// Opens the file in a data folder, and reads the note in it; there is none in a file that was made just now.
    pub(crate) fn open(data: &Path) -> io::Result<(Self, Option<Vec<u8>>)> {
        let path = data.join(FILE);
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        let note = read_note(&file)?;
        Ok((Self { file }, note))
    }

    /// Writes a newer head over the one before. Heads grow, and so their notes never become shorter.
    pub(crate) fn raise(&self, head: &str) -> io::Result<()> {
        self.file.write_all_at(head.as_bytes(), 0)
    }

    /// Makes the file itself durable, name and all, once.
    pub(crate) fn settle(&self, data: &Path) -> io::Result<()> {
        self.file.sync_all()?;
        durable::sync_folder_of(&data.join(FILE))
    }
}
