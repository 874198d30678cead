//! What a log signed that it should not have signed.
//!
//! A request that a log signed and that contradicts what this witness cosigned is kept, byte for byte, with the note
//! that it contradicts: both carry signatures, so that anybody can check them. Files named `fork-` prove beyond doubt
//! that the log signed two trees; all of it is together in a file `.evidence` as well, which `countersign-verify evidence`
//! judges for whoever is shown it. Of one size, the two heads are enough. Of a larger head, the proof that came with it is
//! needed: where it leads to that head, and from another root than was cosigned, the larger tree begins with another tree.
//! Files named `inconsistent-` show a head whose proof leads nowhere, for which the log or only whoever sent it may be to
//! blame. So is it, whatever the proof, when the size that was cosigned is a power of two: then the old root is not among
//! what a proof tells, but what it takes for granted.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use countersign_verifier::checkpoint::Checkpoint;
use countersign_verifier::evidence::{self, Heads, Prefix};
use countersign_verifier::merkle::{NodeHash, ProofError, RootHash, verify_consistency};
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
        let asked = AddCheckpoint::parse(request).ok();
        let prefix = asked.as_ref().and_then(|asked| prefix(refusal, head, &asked.proof));
        let (sort, cosigned) = match refusal {
            Refusal::EmptyRoot { .. } => ("fork", None),
            Refusal::OtherRoot { cosigned, .. } => ("fork", Some(cosigned)),
            Refusal::Inconsistent { cosigned, .. } if prefix.is_some() => ("fork", Some(cosigned)),
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
            if let (Some(asked), Some(prefix)) = (asked, prefix) {
                let heads = Heads { smaller: cosigned.note().clone(), larger: asked.checkpoint, prefix };
                let both = folder.join(format!("{name}.evidence"));
                durable::replace(&both, &evidence::Evidence::Heads(heads).to_bytes())?;
            }
        }
        durable::replace(&path, request)?;
        Ok(Some(Kept::At(path)))
    }
}

/// What the tree of the refused head begins with, as far as the cosigned one goes, if that is another tree.
fn prefix(refusal: &Refusal, head: &Checkpoint, proof: &[NodeHash]) -> Option<Prefix> {
    match refusal {
        Refusal::OtherRoot { .. } => Some(Prefix { root: head.root, proof: Vec::new() }),
        Refusal::Inconsistent { cause: ProofError::SubtreeMismatch { computed, .. }, cosigned } => {
            let root = RootHash::from(*computed);
            let leads = verify_consistency(cosigned.size(), root, head.size, head.root, proof);
            leads.ok().map(|()| Prefix { root, proof: proof.to_vec() })
        }
        _ => None,
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

    use countersign_verifier::cosignature::Timestamp;
    use countersign_verifier::merkle::TreeSize;
    use countersign_verifier::quorum::Policy;

    use super::*;
    use crate::decision::decide;
    use crate::testing::{cosigner, head, log, proof, signed, signed_root};

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
    #[test]
    fn a_larger_second_history_convicts_its_log_by_its_own_proof() {
        let log = log("log.example/a");
        let policy = Policy::parse(format!("log {}\nquorum none\n", log.verifier()).as_bytes()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        for (old, new) in (1..20_u64).flat_map(|old| (old + 1..24).map(move |new| (old, new))) {
            // What was cosigned is of another tree than the one that the log now shows, and proves rightly.
            let other = signed_root(&log, old, RootHash::from_bytes([9; 32]));
            let cosigned = Arc::new(cosigner().cosign(&other, Timestamp::new(10).unwrap()).unwrap());
            let asked = |sort: &str, hashes: Vec<NodeHash>| {
                let evidence = Evidence::in_folder(folder.path().join(format!("{old}-{new}-{sort}")));
                let (larger, size) = (signed(&log, new), TreeSize::new(old).unwrap());
                let refusal = decide(Some(&cosigned), size, &hashes, larger.checkpoint()).unwrap_err();
                let request = AddCheckpoint { old: size, proof: hashes, checkpoint: larger.to_note() };
                let request = request.to_string().into_bytes();
                let kept = evidence.keep(&refusal, larger.checkpoint(), &request).unwrap();
                let Some(Kept::At(path)) = kept else { panic!("{kept:?}") };
                let is_fork = path.file_name().unwrap().to_str().unwrap().starts_with("fork-");
                assert_eq!(is_fork, path.with_extension("evidence").exists());
                is_fork.then(|| std::fs::read(path.with_extension("evidence")).unwrap())
            };
            // A proof that leads nowhere may be anybody's.
            let mut nowhere = proof(old, new);
            *nowhere.last_mut().unwrap() = NodeHash::from_bytes([1; 32]);
            assert_eq!(asked("nowhere", nowhere), None, "{old} {new}");
            let file = asked("right", proof(old, new));
            assert_eq!(file.is_none(), old.is_power_of_two(), "{old} {new}");
            if let Some(file) = file {
                let proven = evidence::Evidence::parse(&file).unwrap().verify(&policy).unwrap();
                assert_eq!(proven.code, "fork", "{old} {new}");
            }
        }
    }
}
