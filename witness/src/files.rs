//! Files that survive a crash: either the old contents or the new, never half of them.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

use countersign_verifier::program::durable::sync_folder_of;

/// Replaces what is in a file, or creates it. When this returns without error, the new contents survive a crash of the
/// machine. The file is returned open for appending.
pub(crate) fn replace(path: &Path, contents: &[u8]) -> io::Result<File> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = Path::new(&beside);
    // What an earlier attempt left behind is worth nothing.
    match std::fs::remove_file(beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().append(true).create_new(true).open(beside)?;
    file.write_all(contents)?;
    file.sync_all()?;
    std::fs::rename(beside, path)?;
    sync_folder_of(path)?;
    Ok(file)
}
