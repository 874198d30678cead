//! The memory of what was used: each authorization is good for one execution.

use std::path::{Path, PathBuf};

use countersign_verifier::merkle::LeafHash;
use countersign_verifier::program::durable;
use countersign_verifier::statement::UnixSeconds;

/// How long after its end the use of an authorization is remembered, in seconds: as far as the clock may be set back.
const KEPT: u64 = 7 * 86_400;

/// Why an authorization cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum UsedError {
    /// It was used before.
    #[error("{0} was used before")]
    Again(LeafHash),
    /// The memory cannot be read or written.
    #[error("{}: {source}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
}

/// A folder with one empty file for each authorization that was used, named by its end and its entry id.
///
/// Creating a file that must not exist is atomic among processes, so that of two enforcement points on one machine with
/// one folder only one succeeds. Several machines need an audience each.
#[derive(Debug)]
pub struct UsedSet(PathBuf);

impl UsedSet {
    /// Takes up the memory in a folder, which is made when it is missing.
    pub fn open(folder: &Path) -> Result<Self, UsedError> {
        durable::create_folder(folder, 0o700)
            .map_err(|source| UsedError::Io { path: folder.to_owned(), source })?;
        Ok(Self(folder.to_owned()))
    }

    /// Uses an authorization. When this returns, it is remembered on disk.
    pub fn claim(&self, authorization: LeafHash, expires: UnixSeconds) -> Result<(), UsedError> {
        // The end follows from the statement, so that one authorization has one name.
        let path = self.0.join(format!("{expires}-{authorization}"));
        match durable::create(&path, 0o600, b"") {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                Err(UsedError::Again(authorization))
            }
            Err(source) => Err(UsedError::Io { path, source }),
        }
    }

    /// Forgets what ended so long ago that its end alone keeps it from being used.
    pub fn forget(&self, now: UnixSeconds) -> Result<(), UsedError> {
        let io = |source| UsedError::Io { path: self.0.clone(), source };
        for file in std::fs::read_dir(&self.0).map_err(io)? {
            let file = file.map_err(io)?;
            let ended =
                file.file_name().to_str().and_then(|name| name.split_once('-')?.0.parse::<u64>().ok());
            if ended.is_some_and(|ended| ended.saturating_add(KEPT) < now.get()) {
                std::fs::remove_file(file.path()).map_err(io)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> UnixSeconds {
        UnixSeconds::new(seconds).unwrap()
    }

    #[test]
    fn each_authorization_is_used_once_also_after_reopening() {
        let folder = tempfile::tempdir().unwrap();
        let used = UsedSet::open(&folder.path().join("used")).unwrap();
        let (a, b) = (LeafHash::of(b"a"), LeafHash::of(b"b"));
        used.claim(a, at(100)).unwrap();
        assert!(matches!(used.claim(a, at(100)), Err(UsedError::Again(entry)) if entry == a));
        used.claim(b, at(100)).unwrap();
        let used = UsedSet::open(&folder.path().join("used")).unwrap();
        assert!(matches!(used.claim(b, at(100)), Err(UsedError::Again(_))));
    }

    #[test]
    fn what_ended_is_forgotten_only_after_a_week() {
        let folder = tempfile::tempdir().unwrap();
        let used = UsedSet::open(folder.path()).unwrap();
        let entry = LeafHash::of(b"a");
        used.claim(entry, at(100)).unwrap();
        used.forget(at(100 + KEPT)).unwrap();
        assert!(used.claim(entry, at(100)).is_err());
        used.forget(at(101 + KEPT)).unwrap();
        used.claim(entry, at(100)).unwrap();
    }

    #[test]
    fn of_many_at_once_one_succeeds() {
        let folder = tempfile::tempdir().unwrap();
        let used = UsedSet::open(folder.path()).unwrap();
        let wins = std::thread::scope(|scope| {
            let tries: Vec<_> =
                (0..16).map(|_| scope.spawn(|| used.claim(LeafHash::of(b"a"), at(1)).is_ok())).collect();
            tries.into_iter().filter_map(|one| one.join().ok()).filter(|won| *won).count()
        });
        assert_eq!(wins, 1);
    }

    #[test]
    fn a_memory_that_cannot_be_written_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let used = UsedSet::open(&folder.path().join("used")).unwrap();
        std::fs::remove_dir(folder.path().join("used")).unwrap();
        assert!(matches!(used.claim(LeafHash::of(b"a"), at(1)), Err(UsedError::Io { .. })));
    }
}
