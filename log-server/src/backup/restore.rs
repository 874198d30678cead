//! Making a data folder out of a copy.

use std::fs;
use std::path::Path;

use countersign_verifier::program::{durable, keyfile};

use super::copy::{copy_database, copy_files, replace_file};
use super::opened::Opened;
use super::restored::Restored;
use super::{BackupError, Marker};
use crate::cosigners::EVIDENCE;
use crate::high_water;
use crate::log::{DATABASE, LOG_KEY, OPERATOR_KEY};
use crate::progress::Progress;
use crate::store::Head;

/// Makes the data folder `data` out of the backup `from`. Keys that `data` has stay, and must be those of the log; those
/// that it lacks are taken from the backup if they are there. A folder that has a database is refused.
///
/// When it returns `Ok`, the folder leads to the head that is returned, is marked as restored, and survives any crash.
pub fn restore(from: &Path, data: &Path, progress: &dyn Progress) -> Result<Head, BackupError> {
    let marker = Marker::read(from)?.ok_or_else(|| BackupError::NotABackup(from.to_owned()))?;
    let (database, new) = (data.join(DATABASE), data.join("db.new"));
    if database.exists() {
        return Err(BackupError::Occupied(data.to_owned()));
    }
    check_key(data, &marker)?;
    let source = Opened::at(&from.join(DATABASE))?;
    source.begins_with(&marker.head)?;
    let head = source.head;
    durable::create_folder(data, 0o777).map_err(BackupError::file(data))?;
    if new.exists() {
        fs::remove_dir_all(&new).map_err(BackupError::file(&new))?;
    }
    copy_database(&from.join(DATABASE), None, &new, progress)?;
    progress.finish("checking the copy");
    if Opened::at(&new)?.head != head {
        return Err(BackupError::Root { computed: head.root, expected: marker.head.root });
    }
    copy_beside(from, data)?;
    // The mark goes before the database: a folder with a database and without the mark would be as good as the original.
    Restored { size: head.size, declared: false }.write(data)?;
    durable::rename(&new, &database).map_err(BackupError::file(&database))?;
    Ok(head)
}

/// Copies what lies beside a database into the data folder `data`: the newest acknowledged head, evidence, and the keys that
/// `data` lacks.
pub fn copy_beside(from: &Path, data: &Path) -> Result<(), BackupError> {
    copy_files(&from.join(EVIDENCE), &data.join(EVIDENCE))?;
    for name in [high_water::FILE, LOG_KEY, OPERATOR_KEY] {
        let (source, target) = (from.join(name), data.join(name));
        if source.exists() && !target.exists() {
            replace_file(&source, &target)?;
        }
    }
    Ok(())
}

fn check_key(data: &Path, marker: &Marker) -> Result<(), BackupError> {
    let path = data.join(LOG_KEY);
    if !path.exists() {
        return Ok(());
    }
    let unreadable = |error: keyfile::KeyFileError| BackupError::File {
        path: path.clone(),
        source: std::io::Error::other(error),
    };
    let key = keyfile::read_note_signer(&path).map_err(unreadable)?;
    let (found, expected) = (marker.key.to_string(), key.verifier().to_string());
    if found == expected {
        Ok(())
    } else {
        Err(BackupError::OtherLog { folder: data.to_owned(), found, expected })
    }
}
