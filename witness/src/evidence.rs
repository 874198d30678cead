//! What a log signed that it should not have signed.
//!
//! A request that a log signed and that contradicts what this witness cosigned is kept, byte for byte, with the note
//! that it contradicts: both carry signatures, so that anybody can check them. Files named `fork-` prove beyond doubt
//! that the log signed two trees of one size; both heads are together in a file `.evidence` as well, which
//! `countersign-verify evidence` judges for whoever is shown it. Files named `inconsistent-` show a head without a valid
//! proof, for which the log or only whoever sent it may be to blame.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use countersign_verifier::checkpoint::Checkpoint;
use countersign_verifier::evidence::{self, Heads, Prefix};
use countersign_verifier::program::durable;
use countersign_verifier::witnessing::AddCheckpoint;

use crate::refusal::Refusal;

/// How many cases of one sort are kept for one log.
pub(crate) const CASES: usize = 100;

/// The folder in which cases are kept, in a folder for each log.
#[derive(Debug)]
pub(crate) struct Evidence {
    folder: PathBuf,
    /// Two at once could be about the same case.
    writing: Mutex<()>,
}

/// What becomes of a case.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    /// It is in this file, with the note beside it.
    At(PathBuf),
    /// It was there already.
    Already,
    /// There are as many as are kept.
    Enough,
}

impl Evidence {
    pub(crate) fn in_folder(folder: PathBuf) -> Self {
        Self { folder, writing: Mutex::new(()) }
    }

    /// Keeps the request, which asked for `head`, if its refusal says that the log signed what it should not have.
    pub(crate) fn keep(
        &self,
        refusal: &Refusal,
        head: &Checkpoint,
        request: &[u8],
    ) -> io::Result<Option<Kept>> {
        let (sort, cosigned) = match refusal {
            Refusal::EmptyRoot { .. } => ("fork", None),
            Refusal::OtherRoot { cosigned, .. } => ("fork", Some(cosigned)),
            Refusal::Inconsistent { cosigned, .. } => ("inconsistent", Some(cosigned)),
            _ => return Ok(None),
        };
        let _alone = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = self.folder.join(head.origin.hash());
        durable::create_folder(&folder, 0o777)?;
        // One case for each head, however often it is sent.
        let name = format!("{sort}-{}-{}", head.size, head.root);
        let path = folder.join(format!("{name}.request"));
        if path.exists() {
            return Ok(Some(Kept::Already));
        }
        if count(&folder, sort)? >= CASES {
            return Ok(Some(Kept::Enough));
        }
        if let Some(cosigned) = cosigned {
            let note = folder.join(format!("{name}.cosigned"));
            durable::replace(&note, cosigned.note().to_string().as_bytes())?;
            if let ("fork", Ok(asked)) = (sort, AddCheckpoint::parse(request)) {
                let prefix = Prefix { root: head.root, proof: Vec::new() };
                let heads = Heads { smaller: cosigned.note().clone(), larger: asked.checkpoint, prefix };
                let both = folder.join(format!("{name}.evidence"));
                durable::replace(&both, &evidence::Evidence::Heads(heads).to_bytes())?;
            }
        }
        durable::replace(&path, request)?;
        Ok(Some(Kept::At(path)))
    }
}

/// How many cases of a sort there are.
fn count(folder: &Path, sort: &str) -> io::Result<usize> {
    let mut cases = 0_usize;
    for file in std::fs::read_dir(folder)? {
        let name = file?.file_name();
        let is_case = name.to_str().is_some_and(|name| {
            name.starts_with(sort) && Path::new(name).extension() == Some("request".as_ref())
        });
        cases = cases.saturating_add(usize::from(is_case));
    }
    Ok(cases)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use countersign_verifier::merkle::{ProofError, RootHash};

    use super::*;
    use crate::testing::{head, log};

    #[test]
    fn a_case_is_kept_once_and_their_number_is_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let evidence = Evidence::in_folder(folder.path().join("evidence"));
        let cosigned = Arc::new(head(&log("log.example/a"), 3, 10));
        let asked = |number: u8| {
            Checkpoint::new(cosigned.origin().clone(), cosigned.size(), RootHash::from_bytes([number; 32]))
        };
        let keep = |number: u8| {
            let refusal = Refusal::OtherRoot { stated: asked(number).root, cosigned: Arc::clone(&cosigned) };
            evidence.keep(&refusal, &asked(number), &[number]).unwrap().unwrap()
        };
        let Kept::At(path) = keep(0) else { panic!() };
        assert_eq!(std::fs::read(&path).unwrap(), [0]);
        let note = std::fs::read_to_string(path.with_extension("cosigned")).unwrap();
        assert_eq!(note, cosigned.note().to_string());
        assert_eq!(keep(0), Kept::Already);
        assert!((1..100).all(|number| matches!(keep(number), Kept::At(_))));
        assert_eq!(keep(100), Kept::Enough);
        let inconsistent = Refusal::Inconsistent {
            cause: ProofError::WrongLength { got: 0 },
            cosigned: Arc::clone(&cosigned),
        };
        let kept = evidence.keep(&inconsistent, &asked(0), b"x").unwrap();
        assert!(
            matches!(kept, Some(Kept::At(_))),
            "suspicions do not crowd out proofs, nor the other way round"
        );
        assert_eq!(evidence.keep(&Refusal::Busy, &asked(0), b"x").unwrap(), None);
    }
}
