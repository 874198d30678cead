//! Heads that contradict the store, kept as files: whoever restarts the log must not forget them.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use countersign_verifier::evidence::{self, Heads, Prefix};
use countersign_verifier::merkle::{LeafHash, TreeSize};
use countersign_verifier::note::{MAX_NOTE_BYTES, SignedNote};
use countersign_verifier::program::durable;

use super::Ground;
use super::judge::{Judgement, judge};
use crate::log::{OpenError, StopReason};
use crate::sequencer::Tip;

/// The folder in a data folder.
pub(crate) const FOLDER: &str = "evidence";
/// What the name of a head's file ends with.
pub(crate) const SUFFIX: &str = ".note";
/// What the name of the file beside it ends with, which shows a fork to anybody.
pub(crate) const FORK_SUFFIX: &str = ".evidence";
/// How much of a witness's name the name of a file has: no file system takes more than 255 bytes in all.
const MAX_NAME: usize = 64;

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
        let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
        let name: String = witness.chars().take(MAX_NAME).map(plain).collect();
        let path = self.folder.join(format!("{size}-{}-{name}{SUFFIX}", digest.get(..16).unwrap_or(&digest)));
        match write(&self.folder, &path, note) {
            Ok(()) => Some(path),
            Err(error) => {
                tracing::error!(path = %path.display(), "the evidence cannot be kept: {error}");
                None
            }
        }
    }

    /// Keeps, beside the note at `path`, which is of another tree of `size` entries, what shows anybody that the log signed
    /// both: it has the form of `docs/EVIDENCE.md`.
    pub(super) fn keep_fork(path: &Path, size: TreeSize, note: &[u8], ground: &Ground, tip: &Tip) {
        let Ok(smaller) = SignedNote::parse(note) else { return };
        let tree = ground.tree(tip);
        let prefix =
            tree.root(size).and_then(|root| Ok(Prefix { root, proof: tree.consistency(size, tip.size())? }));
        let kept = prefix.map_err(|error| error.to_string()).and_then(|prefix| {
            let heads = Heads { smaller, larger: tip.head.note.clone(), prefix };
            let bytes = evidence::Evidence::Heads(heads).to_bytes();
            let path = path.with_extension(FORK_SUFFIX.trim_start_matches('.'));
            write(path.parent().unwrap_or(&path), &path, &bytes).map_err(|error| error.to_string())
        });
        if let Err(error) = kept {
            tracing::error!(path = %path.display(), "the note is kept, and no evidence can be made of it: {error}");
        }
    }

    /// Why the log may not go on, by the evidence of earlier runs. A newer copy of the store may have what the
    /// evidence names; then it is evidence no more. What cannot be read may name anything.
    pub(crate) fn recall(&self, ground: &Ground, tip: &Tip) -> Result<Option<StopReason>, OpenError> {
        let unreadable = |source| OpenError::Evidence { path: self.folder.clone(), source };
        let files = match fs::read_dir(&self.folder) {
            Ok(files) => files,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unreadable(error)),
        };
        let mut torn = None;
        for file in files {
            let path = file.map_err(unreadable)?.path();
            let Some(stem) = path.file_name().and_then(|name| name.to_str()?.strip_suffix(SUFFIX)) else {
                continue;
            };
            let mut note = Vec::new();
            let limit = u64::try_from(MAX_NOTE_BYTES).unwrap_or(u64::MAX);
            File::open(&path).and_then(|file| file.take(limit).read_to_end(&mut note)).map_err(unreadable)?;
            match judge(&note, ground, tip)? {
                Judgement::Consistent => {}
                // Nothing is kept here but what the log signed.
                Judgement::Unproven => torn = Some(StopReason::EvidenceTorn { path }),
                Judgement::Contradicts { size, contradiction } => {
                    let witness = stem.splitn(3, '-').nth(2).unwrap_or(stem).to_owned();
                    let (held, evidence) = (tip.size(), Some(path));
                    let reason = StopReason::Witnessed { witness, seen: size, held, contradiction, evidence };
                    return Ok(Some(reason));
                }
            }
        }
        Ok(torn)
    }
}

/// Writes a file, whole or not at all. What has its name already may be what a crash or a full disk left of it.
fn write(folder: &Path, path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    durable::create_folder(folder, 0o777)?;
    durable::replace(path, bytes).map(drop)
}
