//! Heads that contradict the store, kept as files: whoever restarts the log must not forget them.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use countersign_verifier::merkle::{LeafHash, TreeSize};
use countersign_verifier::note::MAX_NOTE_BYTES;
use countersign_verifier::program::durable;

use super::Ground;
use super::judge::{Judgement, judge};
use crate::log::{OpenError, StopReason};
use crate::sequencer::Tip;

/// The folder in a data folder.
pub(crate) const FOLDER: &str = "evidence";
const SUFFIX: &str = ".note";

/// The folder in which the evidence is kept.
#[derive(Debug, Clone)]
pub(crate) struct Evidence {
    folder: PathBuf,
}

impl Evidence {
    /// The folder `evidence` in the data folder. It is made when there is something to keep.
    pub(crate) fn below(data: &Path) -> Self {
        Self { folder: data.join(FOLDER) }
    }

    /// Keeps a note that `witness` showed. `None` when it could not be kept, which is logged.
    pub(super) fn keep(&self, witness: &str, size: TreeSize, note: &[u8]) -> Option<PathBuf> {
        let digest = LeafHash::of(note).to_string();
        let name: String =
            witness.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect();
        let path = self.folder.join(format!("{size}-{}-{name}{SUFFIX}", digest.get(..16).unwrap_or(&digest)));
        match write(&self.folder, &path, note) {
            Ok(()) => Some(path),
            Err(error) => {
                tracing::error!(path = %path.display(), "the evidence cannot be kept: {error}");
                None
            }
        }
    }

    /// Why the log may not go on, by the evidence of earlier runs. A newer copy of the store may have what the
    /// evidence names; then it is evidence no more.
    pub(crate) fn recall(&self, ground: &Ground, tip: &Tip) -> Result<Option<StopReason>, OpenError> {
        let unreadable = |source| OpenError::Evidence { path: self.folder.clone(), source };
        let files = match fs::read_dir(&self.folder) {
            Ok(files) => files,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unreadable(error)),
        };
        for file in files {
            let path = file.map_err(unreadable)?.path();
            let Some(stem) = path.file_name().and_then(|name| name.to_str()?.strip_suffix(SUFFIX)) else {
                continue;
            };
            let mut note = Vec::new();
            let limit = u64::try_from(MAX_NOTE_BYTES).unwrap_or(u64::MAX);
            File::open(&path).and_then(|file| file.take(limit).read_to_end(&mut note)).map_err(unreadable)?;
            if let Judgement::Contradicts { size, contradiction } = judge(&note, ground, tip)? {
                let witness = stem.splitn(3, '-').nth(2).unwrap_or(stem).to_owned();
                let (held, evidence) = (tip.size(), Some(path));
                return Ok(Some(StopReason::Witnessed {
                    witness,
                    seen: size,
                    held,
                    contradiction,
                    evidence,
                }));
            }
        }
        Ok(None)
    }
}

fn write(folder: &Path, path: &Path, note: &[u8]) -> std::io::Result<()> {
    durable::create_folder(folder, 0o777)?;
    match durable::create(path, 0o666, note) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        written => written,
    }
}
