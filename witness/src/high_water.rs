//! The high-water mark: what this witness has cosigned, remembered outside of its database.
//!
//! A database that is restored from a backup forgets, and a witness that forgets cosigns forks. This file has nothing
//! to do with the database and does not belong into its backups: best, it lies on another disk. It says for every
//! log which head was cosigned last, by a line with the very cosignature, so that nobody without the key can write one:
//!
//! ```text
//! countersign-witness-high-water/v1 <vkey of the witness>
//! <size> <root, base64> <cosignature, base64> <origin>
//! ```
//!
//! Lines are appended and synced before a cosignature leaves the house; the last line of a log counts. Now and then the
//! file is replaced by a shorter one with only those.

use std::collections::HashMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use countersign_verifier::checkpoint::Origin;
use countersign_verifier::note::VerifierKey;
use countersign_verifier::program::durable;

use crate::cosigned::Cosigned;

mod line;

use line::Line;

const FORMAT: &str = "countersign-witness-high-water/v1";
/// The file is never replaced by a shorter one below this length, in bytes.
const SHORTEN_ABOVE: u64 = 4 * 1024 * 1024;
/// How many times as long as needed the file gets before it is replaced.
const SHORTEN_FACTOR: u64 = 4;

/// Why the high-water mark cannot be relied on.
#[derive(Debug, thiserror::Error)]
pub enum HighWaterError {
    /// The file cannot be read or written.
    #[error("{}: {source}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// There is no such file.
    #[error("the high-water mark {} is missing", .0.display())]
    Missing(PathBuf),
    /// Another process uses it.
    #[error("another process uses the high-water mark {}", .0.display())]
    InUse(PathBuf),
    /// It was made by a witness with another key.
    #[error("{} is not the high-water mark of {key}: its first line should be \"{FORMAT} {key}\"", .path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// The key of this witness.
        key: Box<VerifierKey>,
    },
    /// A line cannot be read although lines follow it.
    #[error("line {line} of the high-water mark {} is damaged", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
    },
    /// Somebody replaced, shortened or extended the file while the witness was using it.
    #[error("the high-water mark {} was changed by somebody else", .0.display())]
    Changed(PathBuf),
}

/// The last head of each log.
pub(crate) type Marks = HashMap<Origin, Arc<Cosigned>>;

/// The file in use. No other process can use it at the same time.
#[derive(Debug)]
pub(crate) struct HighWater {
    path: PathBuf,
    key: VerifierKey,
    file: File,
    /// How long the file is if nobody else writes to it.
    length: u64,
    /// Device and inode of the open file: what the path must still lead to.
    identity: (u64, u64),
    marks: Marks,
}

/// Creates the file of a witness that has cosigned `marks`, durably. It must not exist.
pub(crate) fn create(path: &Path, key: &VerifierKey, marks: &Marks) -> Result<(), HighWaterError> {
    let io = |source| HighWaterError::Io { path: path.to_owned(), source };
    durable::create(path, 0o666, contents(key, marks).as_bytes()).map_err(io)
}

/// Reads the file without taking it into use: what it says at this moment.
pub(crate) fn read(path: &Path, key: &VerifierKey) -> Result<Marks, HighWaterError> {
    let mut file = open_existing(path, OpenOptions::new().read(true))?;
    Ok(parse(&mut file, path, key)?.0)
}

impl HighWater {
    /// Takes the file into use. A line that a crash left unfinished at its end is cut off: the cosignature in it
    /// never left the house.
    pub(crate) fn open(path: &Path, key: &VerifierKey) -> Result<Self, HighWaterError> {
        let io = |source| HighWaterError::Io { path: path.to_owned(), source };
        let mut file = open_existing(path, OpenOptions::new().read(true).append(true))?;
        lock(&file, path)?;
        let (marks, length) = parse(&mut file, path, key)?;
        let metadata = file.metadata().map_err(io)?;
        if metadata.len() > length {
            tracing::warn!(
                path = %path.display(),
                bytes = metadata.len().saturating_sub(length),
                "cut an unfinished line off the end of the high-water mark"
            );
            file.set_len(length).and_then(|()| file.sync_all()).map_err(io)?;
        }
        let identity = (metadata.dev(), metadata.ino());
        Ok(Self { path: path.to_owned(), key: key.clone(), file, length, identity, marks })
    }

    /// The last head of each log.
    pub(crate) fn marks(&self) -> &Marks {
        &self.marks
    }

    /// Makes sure that the file is still the one that was opened, with the lines that were written and no others.
    pub(crate) fn check_unchanged(&self) -> Result<(), HighWaterError> {
        let io = |source| HighWaterError::Io { path: self.path.clone(), source };
        match std::fs::metadata(&self.path) {
            Ok(found) if (found.dev(), found.ino()) == self.identity && found.len() == self.length => Ok(()),
            Ok(_) => Err(HighWaterError::Changed(self.path.clone())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(HighWaterError::Changed(self.path.clone()))
            }
            Err(error) => Err(io(error)),
        }
    }

    /// Remembers heads. When this returns without error, they survive a crash of the machine.
    pub(crate) fn record(&mut self, heads: &[Arc<Cosigned>]) -> Result<(), HighWaterError> {
        let io = |source| HighWaterError::Io { path: self.path.clone(), source };
        let lines: String = heads.iter().map(|head| Line::of(head).to_string()).collect();
        self.file.write_all(lines.as_bytes()).and_then(|()| self.file.sync_data()).map_err(io)?;
        self.length = self.length.saturating_add(lines.len() as u64);
        self.marks.extend(heads.iter().map(|head| (head.origin().clone(), Arc::clone(head))));
        if self.length > SHORTEN_ABOVE { self.shorten() } else { Ok(()) }
    }

    /// Replaces the file by one with only the last line of each log, if that saves much.
    fn shorten(&mut self) -> Result<(), HighWaterError> {
        let text = contents(&self.key, &self.marks);
        if self.length < SHORTEN_FACTOR.saturating_mul(text.len() as u64) {
            return Ok(());
        }
        let io = |source| HighWaterError::Io { path: self.path.clone(), source };
        let mut file = durable::replace(&self.path, text.as_bytes()).map_err(io)?;
        lock(&file, &self.path)?;
        let metadata = file.metadata().map_err(io)?;
        std::mem::swap(&mut self.file, &mut file);
        self.length = metadata.len();
        self.identity = (metadata.dev(), metadata.ino());
        Ok(())
    }
}

fn contents(key: &VerifierKey, marks: &Marks) -> String {
    let mut text = format!("{FORMAT} {key}\n");
    text.extend(marks.values().map(|head| Line::of(head).to_string()));
    text
}

fn open_existing(path: &Path, options: &OpenOptions) -> Result<File, HighWaterError> {
    options.open(path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => HighWaterError::Missing(path.to_owned()),
        _ => HighWaterError::Io { path: path.to_owned(), source },
    })
}

fn lock(file: &File, path: &Path) -> Result<(), HighWaterError> {
    file.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => HighWaterError::InUse(path.to_owned()),
        TryLockError::Error(source) => HighWaterError::Io { path: path.to_owned(), source },
    })
}

/// The witness whose mark a first line says it begins.
fn key_of(first: &[u8]) -> Option<VerifierKey> {
    let line = core::str::from_utf8(first).ok()?.strip_suffix('\n')?;
    line.strip_prefix(FORMAT)?.strip_prefix(' ')?.parse().ok()
}

/// Reads the last line of each log, and how far the file is sound. Only what follows the last sound line may be
/// unsound: that is what a crash can leave.
fn parse(file: &mut File, path: &Path, key: &VerifierKey) -> Result<(Marks, u64), HighWaterError> {
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(|source| HighWaterError::Io { path: path.to_owned(), source })?;
    let mut lines = bytes.split_inclusive(|byte| *byte == b'\n');
    let first = lines.next().unwrap_or_default();
    let damaged = |line| HighWaterError::Damaged { path: path.to_owned(), line };
    if first != format!("{FORMAT} {key}\n").as_bytes() {
        let is_another = key_of(first).is_some();
        let foreign = || HighWaterError::Foreign { path: path.to_owned(), key: Box::new(key.clone()) };
        return Err(if is_another { foreign() } else { damaged(1) });
    }
    let mut sound = first.len() as u64;
    let mut unsound = None;
    let mut last: HashMap<Origin, (usize, Line)> = HashMap::new();
    for (line, number) in lines.zip(2_usize..) {
        match Line::parse(line) {
            Some(_) if unsound.is_some() => return Err(damaged(unsound.unwrap_or(number))),
            Some(read) => {
                sound = sound.saturating_add(line.len() as u64);
                last.insert(read.origin().clone(), (number, read));
            }
            None => unsound = unsound.or(Some(number)),
        }
    }
    let marks = last
        .into_iter()
        .map(|(origin, (number, line))| Ok((origin, Arc::new(line.verify(key).ok_or(damaged(number))?))))
        .collect::<Result<Marks, HighWaterError>>()?;
    Ok((marks, sound))
}

#[cfg(test)]
mod tests;
