//! A folder of tiles: what `wget` or `curl` makes of a log, or a copy of its bucket.

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use countersign_verifier::program::{Exit, Failed};

use super::{Source, SourceError};

/// The files of a log below a folder, named as in C2SP tlog-tiles.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(folder: &Path) -> Result<Self, Failed> {
        if folder.is_dir() {
            return Ok(Self(folder.to_owned()));
        }
        Err(Failed::new(Exit::CouldNotCheck, format!("{} is no folder", folder.display()))
            .hint("give the folder that has the file checkpoint and the folder tile, or a URL with http:// or https://"))
    }
}

impl Source for Folder {
    fn read(&self, path: &str, limit: usize) -> Result<Vec<u8>, SourceError> {
        let path = self.0.join(path);
        let what = || path.display().to_string();
        let unreadable = |cause: std::io::Error| match cause.kind() {
            // Where there is a file in place of a folder, what should be in the folder is missing.
            ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::IsADirectory => {
                SourceError::Missing(what())
            }
            _ => SourceError::Unreadable { what: what(), cause: cause.into() },
        };
        let mut bytes = Vec::new();
        let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
        let file = File::open(&path).map_err(unreadable)?;
        file.take(most).read_to_end(&mut bytes).map_err(unreadable)?;
        if bytes.len() > limit { Err(SourceError::TooLarge { what: what(), limit }) } else { Ok(bytes) }
    }

    fn at_once(&self) -> usize {
        1
    }
}
