//! The folder of evidence.

use std::fs;
use std::path::{Path, PathBuf};

use countersign_verifier::bundle::{Bundle, SUFFIX};
use countersign_verifier::checkpoint::Checkpoint;
use countersign_verifier::evidence::Evidence;
use countersign_verifier::note::SignedNote;
use countersign_verifier::program::{Exit, Failed, durable};

/// Where what convicts somebody is put. It is made when there is something to put into it.
pub(crate) struct EvidenceFolder {
    folder: PathBuf,
    kept: Vec<PathBuf>,
}

impl EvidenceFolder {
    pub(crate) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), kept: Vec::new() }
    }

    /// What was put there in this run.
    pub(crate) fn kept(&self) -> &[PathBuf] {
        &self.kept
    }

    /// Keeps evidence as `NAME.evidence`. The same evidence is the same file.
    pub(crate) fn keep(&mut self, name: &str, evidence: &Evidence) -> Result<PathBuf, Failed> {
        self.write(&format!("{name}.evidence"), &evidence.to_bytes())
    }

    /// Keeps a bundle as `NAME.bundle`, which shows an execution that breaks the rules.
    pub(crate) fn keep_bundle(&mut self, name: &str, bundle: &Bundle) -> Result<PathBuf, Failed> {
        self.write(&format!("{name}{SUFFIX}"), &bundle.to_bytes())
    }

    /// Keeps a head that convicts nobody by itself.
    pub(crate) fn keep_note(&mut self, note: &SignedNote, head: &Checkpoint) -> Result<PathBuf, Failed> {
        self.write(&format!("head-{}.note", head.size), note.to_string().as_bytes())
    }

    fn write(&mut self, name: &str, bytes: &[u8]) -> Result<PathBuf, Failed> {
        let path = self.folder.join(name);
        fs::create_dir_all(&self.folder).and_then(|()| durable::replace(&path, bytes)).map_err(|error| {
            Failed::new(
                Exit::Misbehaviour,
                format!("evidence was found, and cannot be written to {}", path.display()),
            )
            .because(error)
            .hint("give a folder that can be written with --evidence, and run it again")
        })?;
        self.kept.push(path.clone());
        Ok(path)
    }
}
