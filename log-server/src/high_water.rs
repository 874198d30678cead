//! The high-water mark: the newest head that was acknowledged, remembered outside of the database.
//!
//! A database that lost the end of its write-ahead log, or that was put back from an older copy, opens as if nothing
//! had been after it, and the log would give the same indexes away a second time. The file `high-water` in the data
//! folder holds the newest signed head. It is written after each batch is durable and before anybody hears of the
//! batch, without a sync of its own: it can lag behind the database after a power cut, but never run ahead of it. So a
//! database that does not have what the file names has lost something.
//!
//! The file has two places, which take turns: a power cut that tears the head which is being written leaves the one
//! before it whole.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use countersign_verifier::checkpoint::LogSigned;
use countersign_verifier::merkle::TreeSize;
use countersign_verifier::note::{SignedNote, VerifierKey};
use countersign_verifier::program::durable;

/// The file in the data folder.
pub(crate) const FILE: &str = "high-water";
/// The room of a place in the file, in bytes. No head with only the log's signature fills it.
const PLACE: usize = 4096;

/// Reads the newest head in the file of a data folder that the log with this key signed. Where there is none, it is
/// whatever is in the file; `None` when nothing is.
pub(crate) fn read(data: &Path, key: &VerifierKey) -> io::Result<Option<Vec<u8>>> {
    match File::open(data.join(FILE)) {
        Ok(file) => Ok(newest(&file, key)?.map(|(_, note)| note)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The size of the newest head in the file of a data folder that the log with this key signed, if there is one.
pub(crate) fn size(data: &Path, key: &VerifierKey) -> io::Result<Option<TreeSize>> {
    Ok(read(data, key)?.and_then(|note| signed_size(&note, key)))
}

/// A place in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    First,
    Second,
}

impl Place {
    const fn start(self) -> u64 {
        match self {
            Self::First => 0,
            Self::Second => PLACE as u64,
        }
    }
}

/// The file, open for writing.
#[derive(Debug)]
pub(crate) struct HighWater {
    file: File,
    /// Whether the next head goes into the second place.
    second: AtomicBool,
}

impl HighWater {
    /// Opens the file in a data folder, and reads it like [`read`]; nothing is in a file that was made just now.
    pub(crate) fn open(data: &Path, key: &VerifierKey) -> io::Result<(Self, Option<Vec<u8>>)> {
        let path = data.join(FILE);
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        let (second, note) =
            newest(&file, key)?.map_or((false, None), |(place, note)| (place == Place::First, Some(note)));
        Ok((Self { file, second: AtomicBool::new(second) }, note))
    }

    /// Writes a newer head over the one before the last. Heads grow, and so their notes never become shorter.
    pub(crate) fn raise(&self, head: &str) -> io::Result<()> {
        let place = if self.second.fetch_not(Ordering::Relaxed) { Place::Second } else { Place::First };
        self.file.write_all_at(head.as_bytes(), place.start())
    }

    /// Makes the file itself durable, name and all, once.
    pub(crate) fn settle(&self, data: &Path) -> io::Result<()> {
        self.file.sync_all()?;
        durable::sync_folder_of(&data.join(FILE))
    }
}

/// The newest head that the log signed, or anything else that is in the file, and its place.
fn newest(file: &File, key: &VerifierKey) -> io::Result<Option<(Place, Vec<u8>)>> {
    let mut newest: Option<(Option<TreeSize>, Place, Vec<u8>)> = None;
    for place in [Place::First, Place::Second] {
        let note = read_place(file, place)?;
        let size = signed_size(&note, key);
        if !note.is_empty() && newest.as_ref().is_none_or(|(before, ..)| *before < size) {
            newest = Some((size, place, note));
        }
    }
    Ok(newest.map(|(_, place, note)| (place, note)))
}

/// The size of the head in a note, if the log signed it.
fn signed_size(note: &[u8], key: &VerifierKey) -> Option<TreeSize> {
    let note = SignedNote::parse(note).ok()?;
    Some(LogSigned::open(&note, core::slice::from_ref(key)).ok()?.checkpoint().size)
}

/// Reads a place, up to the zero bytes that were never written.
fn read_place(file: &File, place: Place) -> io::Result<Vec<u8>> {
    let mut note = vec![0; PLACE];
    let mut length = 0_usize;
    while let Some(rest) = note.get_mut(length..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, place.start().saturating_add(length as u64))? {
            0 => break,
            count => length = length.saturating_add(count),
        }
    }
    note.truncate(length);
    let written = note.iter().rposition(|byte| *byte != 0).map_or(0, |last| last.saturating_add(1));
    note.truncate(written);
    Ok(note)
}
