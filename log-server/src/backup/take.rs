//! Making a copy.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use countersign_verifier::merkle::TreeSize;
use countersign_verifier::note::VerifierKey;
use countersign_verifier::program::durable;

use super::copy::{Copied, copy_database, copy_files, replace_file};
use super::opened::Opened;
use super::{BackupError, Marker};
use crate::cosigners::EVIDENCE;
use crate::high_water;
use crate::log::{DATABASE, LOG_KEY, OPERATOR_KEY};
use crate::progress::Progress;
use crate::snapshot::Still;

/// The file by which one process at a time writes to a backup.
const LOCK: &str = "lock";
/// The database that is being copied, and the one that was there before.
const NEW: &str = "db.new";
const OLD: &str = "db.old";

/// What a backup came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Done {
    /// How many entries it has.
    pub size: TreeSize,
    /// How many bytes its database has.
    pub bytes: u64,
    /// How many of them the backup before had already.
    pub reused: u64,
}

/// Copies the log in the data folder `data`, which stands still as `still`, into the folder `to`: one that is empty or
/// not there, or the backup made of this log before. Only `with_keys`, the log's and the operator's keys are copied too.
///
/// When it returns `Ok`, the copy has everything up to a signed head, leads to that head, and survives any crash. When it
/// returns `Err`, the copy before is as it was. Until then, the room for both is needed, less what never changes.
pub fn back_up(
    data: &Path,
    still: &Still,
    to: &Path,
    key: &VerifierKey,
    with_keys: bool,
    progress: &dyn Progress,
) -> Result<Done, BackupError> {
    check_apart(data, to)?;
    durable::create_folder(to, 0o777).map_err(BackupError::file(to))?;
    let source = Opened::at(&still.database())?;
    check_place(to, key, &source)?;
    let _lock = lock(to)?;
    // Another backup may have replaced it until now.
    check_place(to, key, &source)?;
    put_back(to)?;
    let high_water = high_water::read(still.folder(), key).map_err(BackupError::file(still.folder()))?;
    if let Some(note) = &high_water {
        source.check_high_water(note, key)?;
    }
    let (database, new) = (to.join(DATABASE), to.join(NEW));
    let known = database.exists().then_some(database.as_path());
    let Copied { bytes, reused, new: files } = copy_database(&still.database(), known, &new, progress)?;
    progress.finish("checking the copy");
    let copy = Opened::at(&new)?;
    if copy.head != source.head {
        return Err(BackupError::Root { computed: copy.head.root, expected: source.head.root });
    }
    // A copy of what is damaged must not take the place of one that is sound.
    copy.read_through(&files)?;
    drop(copy);
    replace(to)?;
    if high_water.is_some() {
        replace_file(&still.folder().join(high_water::FILE), &to.join(high_water::FILE))?;
    }
    copy_files(&still.folder().join(EVIDENCE), &to.join(EVIDENCE))?;
    if with_keys {
        for name in [LOG_KEY, OPERATOR_KEY] {
            let path = data.join(name);
            if path.exists() {
                replace_file(&path, &to.join(name))?;
            }
        }
    }
    Marker { key: key.clone(), head: source.head }.write(to)?;
    Ok(Done { size: source.head.size, bytes, reused })
}

/// Whether a copy of `source` may take the place of what is in a folder.
fn check_place(to: &Path, key: &VerifierKey, source: &Opened) -> Result<(), BackupError> {
    match Marker::read(to)? {
        Some(before) if before.key != *key => Err(BackupError::OtherLog {
            folder: to.to_owned(),
            found: before.key.to_string(),
            expected: key.to_string(),
        }),
        Some(before) => source.begins_with(&before.head),
        None if is_empty(to)? => Ok(()),
        None => Err(BackupError::NotABackup(to.to_owned())),
    }
}

/// A copy inside of what is copied would be copied as well, and be lost with it.
fn check_apart(data: &Path, to: &Path) -> Result<(), BackupError> {
    // What is not there yet will be below the first folder that is.
    let real = |path: &Path| {
        let path = std::path::absolute(path)?;
        let there = path.ancestors().find(|folder| folder.exists()).unwrap_or(&path);
        let rest = path.strip_prefix(there).unwrap_or(Path::new(""));
        there.canonicalize().map(|there| there.join(rest))
    };
    let (real_data, real_to) =
        (real(data).map_err(BackupError::file(data))?, real(to).map_err(BackupError::file(to))?);
    if real_data.starts_with(&real_to) || real_to.starts_with(&real_data) {
        return Err(BackupError::Within(data.to_owned(), to.to_owned()));
    }
    Ok(())
}

/// Whether nothing is in a folder but what a backup leaves that did not come to its end.
fn is_empty(folder: &Path) -> Result<bool, BackupError> {
    let read = || {
        for file in fs::read_dir(folder)? {
            let name = file?.file_name();
            if name != LOCK && name != NEW {
                return Ok(false);
            }
        }
        Ok(true)
    };
    read().map_err(BackupError::file(folder))
}

fn lock(folder: &Path) -> Result<File, BackupError> {
    let path = folder.join(LOCK);
    let file = File::create(&path).map_err(BackupError::file(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(BackupError::InUse(folder.to_owned())),
        Err(TryLockError::Error(source)) => Err(BackupError::File { path, source }),
    }
}

/// Puts the database into the place of the one before.
fn replace(folder: &Path) -> Result<(), BackupError> {
    let (database, new, old) = (folder.join(DATABASE), folder.join(NEW), folder.join(OLD));
    let replace = || {
        if database.exists() {
            fs::rename(&database, &old)?;
        }
        durable::rename(&new, &database)?;
        remove(&old)
    };
    replace().map_err(BackupError::file(&database))
}

/// Puts things back after a backup that was cut off: the database before, if it was moved away, and nothing half done.
fn put_back(folder: &Path) -> Result<(), BackupError> {
    let (database, new, old) = (folder.join(DATABASE), folder.join(NEW), folder.join(OLD));
    let put_back = || {
        if old.exists() && !database.exists() {
            fs::rename(&old, &database)?;
        }
        remove(&old)?;
        remove(&new)
    };
    put_back().map_err(BackupError::file(&database))
}

fn remove(folder: &PathBuf) -> std::io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
