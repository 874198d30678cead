//! The heads that the log signed, wherever they are kept, and what they say against the data.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use countersign_verifier::causes::with_causes;
use countersign_verifier::checkpoint::{Checkpoint, LogSigned};
use countersign_verifier::evidence::Evidence;
use countersign_verifier::merkle::{RootHash, TreeSize};
use countersign_verifier::note::{SignedNote, VerifierKey};
use countersign_verifier::quorum::Policy;

use super::finding::{CONTRADICTED, Finding, Findings, MISBEHAVED};
use crate::cosigners::{EVIDENCE, FORK, NOTE};
use crate::high_water;
use crate::store::{Ledger, Row, StoreError};

const META: &str = "meta";
const PUBLISHED: &str = "published";

/// A head under a signature of the log that was verified.
#[derive(Debug)]
struct Head {
    part: &'static str,
    key: String,
    checkpoint: Checkpoint,
}

/// The heads that the log signed, as far as they are kept.
#[derive(Debug, Default)]
pub(super) struct Heads {
    heads: Vec<Head>,
    /// The published note, whoever signed it.
    published: Option<SignedNote>,
}

impl Heads {
    /// Reads them. Without the log's key, none of them says anything.
    pub(super) fn read<S: Ledger>(
        data: &Path,
        store: &S,
        key: Option<&VerifierKey>,
        findings: &mut Findings,
        not_checked: &mut Vec<String>,
    ) -> Result<Self, StoreError> {
        let mut heads = Self::default();
        match store.published() {
            Ok(note) => heads.published = note.and_then(|note| SignedNote::parse(note.as_bytes()).ok()),
            Err(StoreError::DamagedRow { .. }) => {}
            Err(error) => return Err(error),
        }
        let Some(key) = key else {
            let why = "signatures of the log: there is no log.key in the folder, and no --vkey names its key";
            not_checked.push(why.to_owned());
            return Ok(heads);
        };
        match high_water::read(data, key) {
            Ok(Some(note)) => heads.open(high_water::FILE, "newest head", &note, key, findings),
            Ok(None) => findings.report(
                Finding::damage(high_water::FILE, "newest head").found("no file").expected("a signed head"),
            ),
            Err(error) => findings.report(
                Finding::damage(high_water::FILE, "newest head").found(error).expected("a signed head"),
            ),
        }
        match store.published() {
            Ok(Some(note)) => heads.open(META, PUBLISHED, note.as_bytes(), key, findings),
            Ok(None) => not_checked.push("the published head: none was published yet".to_owned()),
            Err(error @ StoreError::DamagedRow { .. }) => {
                findings.report(Finding::damage(META, PUBLISHED).found(error).expected("a signed head"));
            }
            Err(error) => return Err(error),
        }
        for file in fs::read_dir(data.join(EVIDENCE)).into_iter().flatten().flatten() {
            let name = file.file_name().to_string_lossy().into_owned();
            let (note, evidence) = (name.ends_with(NOTE), name.ends_with(FORK));
            match fs::read(file.path()) {
                Ok(bytes) if note => heads.open(EVIDENCE, &name, &bytes, key, findings),
                Ok(bytes) if evidence => findings.report(convict(&name, &bytes, key)),
                Err(error) if note || evidence => not_checked.push(format!("{EVIDENCE}, {name}: {error}")),
                // What an interrupted write left beside them.
                _ => {}
            }
        }
        Ok(heads)
    }

    fn open(
        &mut self,
        part: &'static str,
        name: &str,
        note: &[u8],
        key: &VerifierKey,
        findings: &mut Findings,
    ) {
        let finding = Finding::damage(part, name).expected("a head that the log signed");
        let note = match SignedNote::parse(note) {
            Ok(note) => note,
            Err(error) => return findings.report(finding.found(with_causes(&error))),
        };
        match LogSigned::open(&note, core::slice::from_ref(key)) {
            Err(error) => findings.report(finding.found(with_causes(&error))),
            Ok(signed) if signed.checkpoint().origin.as_str() != key.name().as_str() => {
                findings.report(finding.found(format_args!("a head of {}", signed.checkpoint().origin)));
            }
            Ok(signed) => {
                let checkpoint = signed.checkpoint().clone();
                self.heads.push(Head { part, key: name.to_owned(), checkpoint });
            }
        }
    }

    /// The sizes of them.
    pub(super) fn sizes(&self) -> impl Iterator<Item = TreeSize> {
        self.heads.iter().map(|head| head.checkpoint.size)
    }

    /// The newest that was acknowledged.
    pub(super) fn acknowledged(&self) -> Option<&Checkpoint> {
        self.heads.iter().find(|head| head.part == high_water::FILE).map(|head| &head.checkpoint)
    }

    /// Holds the quorum of the published head against the policy, and the sizes that witnesses are said to have cosigned
    /// against it.
    pub(super) fn check_witnesses(
        &self,
        policy: Option<&Policy>,
        cosigned: &[Row],
        size: TreeSize,
        findings: &mut Findings,
        not_checked: &mut Vec<String>,
    ) {
        let published = self.heads.iter().find(|head| head.key == PUBLISHED).map(|head| head.checkpoint.size);
        for row in cosigned {
            let Row::Cosigned { id, name, size: found } = row else { continue };
            let by_it = |note: &SignedNote| {
                note.signatures().iter().any(|line| line.id() == *id && line.name() == name)
            };
            let exact = published.filter(|_| self.published.as_ref().is_some_and(by_it));
            let finding = Finding::damage(META, row);
            match (found, exact) {
                (None, _) => findings.report(finding.found("no size").expected("a size")),
                (Some(found), Some(exact)) if *found != exact => findings.report(
                    finding
                        .found(format_args!("size {found}"))
                        .expected(format_args!("size {exact}, as published")),
                ),
                (Some(found), None) if *found > size => findings.report(
                    finding.found(format_args!("size {found}")).expected(format_args!("at most {size}")),
                ),
                _ => {}
            }
        }
        let Some(policy) = policy else {
            not_checked.push("cosignatures: no --witnesses FILE says whose count".to_owned());
            return;
        };
        if let Some(note) = &self.published
            && let Err(error) = policy.verify(note)
        {
            let finding = Finding::damage(META, PUBLISHED).found(with_causes(&error));
            findings.report(finding.expected("a head with its quorum").remedy(
                "if the witnesses or the quorum were changed, the next head has it; else restore the backup",
            ));
        }
    }

    /// Holds every head against the tree. `roots` are those beyond doubt.
    pub(super) fn compare(
        &self,
        size: TreeSize,
        roots: &BTreeMap<TreeSize, RootHash>,
        findings: &mut Findings,
        not_checked: &mut Vec<String>,
    ) {
        for Head { part, key, checkpoint } in &self.heads {
            let finding = Finding::misbehaviour(part, key).remedy(CONTRADICTED);
            if checkpoint.size > size {
                findings.report(
                    finding
                        .found(format_args!("a signed head of size {}", checkpoint.size))
                        .expected(format_args!("none beyond the {size} entries that there are")),
                );
                continue;
            }
            match roots.get(&checkpoint.size) {
                None => not_checked.push(format!(
                    "{part}, {key}: whether the tree had its root at size {}, because of the damage above",
                    checkpoint.size
                )),
                Some(root) if *root == checkpoint.root => {}
                Some(root) => findings.report(
                    finding
                        .found(format_args!("root {} signed for size {}", checkpoint.root, checkpoint.size))
                        .expected(format_args!("root {root}, to which the entries lead"))
                        .remedy(if part == &META { MISBEHAVED } else { CONTRADICTED }),
                ),
            }
        }
    }
}

/// What a file of evidence says of the log: that it signed what it should not have, or that the file is damaged.
fn convict(name: &str, bytes: &[u8], key: &VerifierKey) -> Finding {
    let proven = || {
        let policy = Policy::parse(b"quorum none\n").map_err(|error| with_causes(&error))?;
        let evidence = Evidence::parse(bytes).map_err(|error| with_causes(&error))?;
        evidence.verify(&policy.for_log(key.clone())).map_err(|error| with_causes(&error))
    };
    match proven() {
        Ok(proven) => Finding::misbehaviour(EVIDENCE, name)
            .found(format_args!("proof of misbehaviour by this log ({})", proven.code))
            .expected("none")
            .remedy(CONTRADICTED),
        Err(why) => Finding::damage(EVIDENCE, name).found(why).expected("evidence against this log"),
    }
}
