//! Copying files so that they last.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use countersign_verifier::program::durable;

use super::BackupError;
use crate::progress::Progress;

/// How the names of the files end that are written once and never change.
const NEVER_CHANGES: &str = "sst";

/// What was done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Copied {
    /// Bytes in all files.
    pub(super) bytes: u64,
    /// Bytes of those that were there already.
    pub(super) reused: u64,
    /// The names of those that were not.
    pub(super) new: HashSet<OsString>,
}

/// Copies a database that stands still into the new folder `to`, whose name becomes durable with the next sync of the
/// folder that it is in. What `known`, an earlier copy, has of it is linked.
pub(crate) fn copy_database(
    from: &Path,
    known: Option<&Path>,
    to: &Path,
    progress: &dyn Progress,
) -> Result<Copied, BackupError> {
    fs::create_dir(to).map_err(BackupError::file(to))?;
    let files = files(from).map_err(BackupError::file(from))?;
    progress.begin(files.iter().map(|(_, bytes)| bytes).sum());
    let mut copied = Copied::default();
    for (path, bytes) in files {
        let Some(name) = path.file_name() else { continue };
        let target = to.join(name);
        let same = known.map(|known| known.join(name)).filter(|known| is_same(&path, known));
        copied.bytes = copied.bytes.saturating_add(bytes);
        // A file system without links copies.
        if same.is_some_and(|known| fs::hard_link(known, &target).is_ok()) {
            copied.reused = copied.reused.saturating_add(bytes);
        } else {
            copy_file(&path, &target).map_err(BackupError::file(&target))?;
            copied.new.insert(name.to_owned());
        }
        progress.advance(bytes);
    }
    File::open(to).and_then(|folder| folder.sync_all()).map_err(BackupError::file(to))?;
    Ok(copied)
}

/// The files that make up a database, without those by which a process holds it and tells of its work.
fn files(folder: &Path) -> io::Result<Vec<(PathBuf, u64)>> {
    let mut files = Vec::new();
    for file in fs::read_dir(folder)? {
        let file = file?;
        let (name, metadata) = (file.file_name(), file.metadata()?);
        let aside = name.to_str().is_some_and(|name| name.starts_with("LOCK") || name.starts_with("LOG"));
        if metadata.is_file() && !aside {
            files.push((file.path(), metadata.len()));
        }
    }
    files.sort();
    Ok(files)
}

/// Whether a copy of a file that never changes is there. A file number of the database is never used twice, except after
/// an older copy was put to use; then the files were written at other times.
fn is_same(file: &Path, known: &Path) -> bool {
    let never_changes = file.extension().is_some_and(|extension| extension == NEVER_CHANGES);
    let of = |path: &Path| {
        let metadata = fs::metadata(path).ok()?;
        Some((metadata.len(), metadata.mtime(), metadata.mtime_nsec()))
    };
    never_changes && of(file).is_some() && of(file) == of(known)
}

/// Copies a file with the time at which it was written, and makes its bytes durable.
pub(super) fn copy_file(from: &Path, to: &Path) -> io::Result<()> {
    fs::copy(from, to)?;
    let file = File::options().write(true).open(to)?;
    file.set_modified(fs::metadata(from)?.modified()?)?;
    file.sync_all()
}

/// Copies a file in place of one that may be there. When it returns `Ok`, the new one survives any crash; before, the old
/// one does.
pub(super) fn replace_file(from: &Path, to: &Path) -> Result<(), BackupError> {
    let mut new = to.as_os_str().to_owned();
    new.push(".new");
    let new = PathBuf::from(new);
    let replace = || {
        copy_file(from, &new)?;
        durable::rename(&new, to)
    };
    replace().map_err(BackupError::file(to))
}

/// Copies all files of a folder, if there is one, over those that may be there.
pub(super) fn copy_files(from: &Path, to: &Path) -> Result<(), BackupError> {
    let files = match fs::read_dir(from) {
        Ok(files) => files,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(BackupError::file(from)(error)),
    };
    fs::create_dir_all(to).map_err(BackupError::file(to))?;
    for file in files {
        let file = file.map_err(BackupError::file(from))?;
        replace_file(&file.path(), &to.join(file.file_name()))?;
    }
    Ok(())
}
