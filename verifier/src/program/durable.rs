//! Files that survive a crash of the machine, name and all, once a call has returned without error.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

/// Creates a file with these permission bits, less the process's umask. It must not exist.
pub fn create(path: &Path, mode: u32, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    sync_folder_of(path)
}

/// Replaces what is in a file, or creates it: a crash leaves the old contents or the new, never half of them. Of two
/// that replace one file at the same time, the second waits for the first. The file is returned, open for appending
/// and locked.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<File> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = Path::new(&beside);
    let mut file = open_alone(beside)?;
    // What an earlier attempt left behind is worth nothing.
    let written = file.set_len(0).and_then(|()| file.write_all(bytes)).and_then(|()| file.sync_all());
    // Of a full disk, not even the room for this is kept.
    written.inspect_err(|_| drop(std::fs::remove_file(beside)))?;
    rename(beside, path)?;
    Ok(file)
}

/// Gives a file or a folder another name, in place of the file that has it.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    std::fs::rename(from, to)?;
    sync_folder_of(to)
}

/// Creates a folder, and those above it that are missing, with these permission bits, less the process's umask. One
/// that is there is left as it is.
pub fn create_folder(path: &Path, mode: u32) -> io::Result<()> {
    let missing: Vec<&Path> = path
        .ancestors()
        .filter(|folder| !folder.as_os_str().is_empty())
        .take_while(|folder| !folder.exists())
        .collect();
    DirBuilder::new().recursive(true).mode(mode).create(path)?;
    missing.into_iter().try_for_each(sync_folder_of)
}

/// Makes the name of a file durable, as its own sync does its bytes.
pub fn sync_folder_of(path: &Path) -> io::Result<()> {
    File::open(folder_of(path))?.sync_all()
}

/// Opens a file for appending, which is created when it is missing, and waits until nobody else has it.
fn open_alone(path: &Path) -> io::Result<File> {
    loop {
        let file = OpenOptions::new().append(true).create(true).open(path)?;
        file.lock()?;
        let (here, found) = (file.metadata()?, std::fs::symlink_metadata(path));
        match found {
            Ok(found) if found.is_symlink() => {
                return Err(io::Error::other(format!("{} is a link, expected no file", path.display())));
            }
            Ok(found) if (found.dev(), found.ino()) == (here.dev(), here.ino()) => return Ok(file),
            // Whoever had it before has given it another name, or removed it.
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
}

/// The folder that a file lies in.
pub(super) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;
    use crate::program::testing::folder;

    fn names(folder: &Path) -> Vec<String> {
        let files = std::fs::read_dir(folder).unwrap();
        files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_file_is_replaced_whole_and_nothing_is_left_beside_it() {
        let folder = folder("replace");
        let path = folder.join("file");
        // An attempt that a crash cut off.
        std::fs::write(folder.join("file.new"), "much that was never finished").unwrap();
        let mut kept = replace(&path, b"first").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"first");
        kept.write_all(b", and more").unwrap();
        assert_eq!(
            std::fs::read(&path).unwrap(),
            b"first, and more",
            "what is returned is open for appending"
        );
        // The lock on what was replaced is in nobody's way.
        replace(&path, b"").unwrap();
        kept.write_all(b"lost").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"");
        assert_eq!(names(&folder), ["file"]);

        let aside = folder.join("aside");
        std::fs::write(&aside, "somebody's").unwrap();
        symlink(&aside, folder.join("file.new")).unwrap();
        let refused = replace(&path, b"through a link").unwrap_err().to_string();
        assert!(refused.ends_with("file.new is a link, expected no file"), "{refused}");
        assert_eq!(std::fs::read(&aside).unwrap(), b"somebody's");
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn of_those_who_replace_a_file_at_once_each_writes_all_of_it() {
        let folder = folder("at-once");
        let path = folder.join("file");
        let whole = |writer: u8| vec![b'a' + writer; 20_000 + usize::from(writer)];
        std::thread::scope(|scope| {
            for writer in 0..4 {
                let path = &path;
                scope.spawn(move || {
                    for _ in 0..25 {
                        replace(path, &whole(writer)).unwrap();
                        let found = std::fs::read(path).unwrap();
                        assert_eq!(found, whole(found[0] - b'a'));
                    }
                });
            }
        });
        assert_eq!(names(&folder), ["file"]);
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn folders_are_created_with_those_above_them() {
        let folder = folder("folders");
        let deep = folder.join("a/b");
        create_folder(&deep, 0o700).unwrap();
        for made in [&deep, &folder.join("a")] {
            assert_eq!(std::fs::metadata(made).unwrap().permissions().mode() & 0o777, 0o700);
        }
        std::fs::set_permissions(&deep, std::fs::Permissions::from_mode(0o750)).unwrap();
        create_folder(&deep, 0o700).unwrap();
        assert_eq!(std::fs::metadata(&deep).unwrap().permissions().mode() & 0o777, 0o750);
        rename(&deep, &folder.join("c")).unwrap();
        assert!(folder.join("c").is_dir() && !deep.exists());
        std::fs::remove_dir_all(folder).unwrap();
    }
}
