//! Why a log is not well, in words for its operator.

use std::path::PathBuf;

use countersign_verifier::merkle::TreeSize;

/// Why the log stopped taking statements and signing heads. Nothing but a restart ends it, and reads go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StopReason {
    /// A batch could not be written. Whether it survives is not known, so nothing may be built upon it.
    #[error("the batch after entry {size} could not be written or synced: {cause}")]
    Write {
        /// The size of the tree before the batch.
        size: TreeSize,
        /// What the store said.
        cause: String,
    },
    /// The store could not be read while statements were being admitted.
    #[error("the store could not be read after entry {size}: {cause}")]
    Read {
        /// The size of the tree.
        size: TreeSize,
        /// What the store said.
        cause: String,
    },
    /// Something that was written is not there any more, or not as it was written.
    #[error("the store is damaged, as was found when it had {size} entries: {cause}")]
    Damaged {
        /// The size of the tree.
        size: TreeSize,
        /// What the store said.
        cause: String,
    },
    /// A witness has a head of this log, rightly signed, that is larger than the store or contradicts it.
    #[error(
        "the store contradicts what witness {witness} has seen signed: a head of size {seen}, where the store has \
         {held} entries ({contradiction})"
    )]
    Witnessed {
        /// The witness, by its name in the policy.
        witness: String,
        /// The size of the head that it showed.
        seen: TreeSize,
        /// How many entries the store has.
        held: TreeSize,
        /// In which way the two cannot both be.
        contradiction: Contradiction,
        /// Where the head is kept.
        evidence: Option<PathBuf>,
    },
    /// The store does not have the head that was acknowledged last.
    #[error(
        "the store has {held} entries and does not have the head of size {acknowledged} that was acknowledged \
         ({contradiction})"
    )]
    Forgotten {
        /// The size of the head in the file `high-water`.
        acknowledged: TreeSize,
        /// How many entries the store has.
        held: TreeSize,
        /// In which way the two cannot both be.
        contradiction: Contradiction,
    },
    /// The store was restored from a copy, and nothing shows that the copy was the newest.
    #[error("the store was restored from a copy of {size} entries, and {} may have seen more", silent(.witnesses))]
    Unconfirmed {
        /// How many entries the copy had.
        size: TreeSize,
        /// The witnesses that did not cosign its head, each with what it did instead.
        witnesses: Vec<String>,
    },
    /// A file of evidence does not hold what was kept in it, so that it is not known what a witness has seen.
    #[error("the evidence {} holds no head that this log signed: it was damaged or cut short", .path.display())]
    EvidenceTorn {
        /// The file.
        path: PathBuf,
    },
    /// The sequencer's thread ended by a fault of the program.
    #[error("the sequencer failed after entry {size}; the server's own log says at which line")]
    Fault {
        /// The size of the tree.
        size: TreeSize,
    },
}

/// In which way a signed head contradicts the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Contradiction {
    /// The head is larger than the store.
    #[error("the store is older than that")]
    Older,
    /// The store has another root at that size.
    #[error("the store has another root at that size")]
    Forked,
}

impl StopReason {
    /// A stable name for machines.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Write { .. } => "write-failed",
            Self::Read { .. } => "read-failed",
            Self::Damaged { .. } => "store-damaged",
            Self::Witnessed { contradiction: Contradiction::Older, .. } => "store-older-than-witnessed",
            Self::Witnessed { contradiction: Contradiction::Forked, .. } => "store-contradicts-witnessed",
            Self::Forgotten { .. } => "store-forgot",
            Self::Unconfirmed { .. } => "restored-unconfirmed",
            Self::EvidenceTorn { .. } => "evidence-damaged",
            Self::Fault { .. } => "sequencer-failed",
        }
    }

    /// What to do about it.
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::Write { .. } => {
                "make room on the disk or repair it, then restart; clients that got no answer send the same bytes again"
            }
            Self::Read { .. } => {
                "check the disk and the server's own log, restart, and if it comes back restore the newest backup"
            }
            Self::Damaged { .. } => {
                "stop the log, find out with countersign-log fsck what is damaged, and restore the newest backup on another \
                 disk; what is not damaged can be read meanwhile"
            }
            Self::Witnessed { contradiction: Contradiction::Older, .. } => {
                "stop the log and put back the newest copy of its data folder, or bring back what is missing with \
                 countersign-log restore --from a mirror or a newer copy: the one in use is an older one; never delete \
                 the evidence, and only if nobody has what is missing, retire this log and found another"
            }
            Self::Witnessed { contradiction: Contradiction::Forked, .. } => {
                "stop the log: somebody signed another tree with its key; keep the evidence and the data folder, tell \
                 those who rely on the log, and retire it"
            }
            Self::Forgotten { .. } => {
                "stop the log and keep a copy of its folder, in which nothing was changed; then put back the newest copy of \
                 its database, with the file high-water that belongs to it, or bring back what it lacks with \
                 countersign-log restore --from a mirror or a backup: the one in use lost entries that were acknowledged; \
                 if nobody has them, retire this log and found another"
            }
            Self::Unconfirmed { .. } => {
                "see to it that these witnesses can be asked and cosign, and restart; where one names a larger size, bring \
                 back what is missing with countersign-log restore --from a mirror or a newer backup; only where they are gone \
                 or have forgotten, and you are certain that nothing newer exists, stop the log and run countersign-log \
                 restore --data DIR --nothing-newer"
            }
            Self::EvidenceTorn { .. } => {
                "see to it that the witness in the name of the file can be asked and restart, twice: the head that it shows \
                 is kept anew, and the log says what it is; only when you are certain that this is the newest copy of the \
                 log's data folder, and no other log has its key, move the file elsewhere and restart"
            }
            Self::Fault { .. } => "restart, and report the fault with the server's own log",
        }
    }
}

/// Those who did not say what they have seen, in words.
fn silent(witnesses: &[String]) -> String {
    if witnesses.is_empty() {
        "others".to_owned()
    } else {
        format!("witness {}", witnesses.join(", witness "))
    }
}

/// The codes of all reasons for which a log may not be ready.
pub const REASON_CODES: &[&str] = &[
    "write-failed",
    "read-failed",
    "store-damaged",
    "store-older-than-witnessed",
    "store-contradicts-witnessed",
    "store-forgot",
    "restored-unconfirmed",
    "evidence-damaged",
    "sequencer-failed",
    "shutting-down",
    "quorum-missing",
];

/// The codes of all warnings about witnesses. With any of them a log may be ready all the same.
pub const WARNING_CODES: &[&str] = &[
    "witness-unreachable",
    "witness-refuses",
    "witness-rolled-back",
    "witness-disagrees",
    "witness-not-asked",
];

/// One reason why the log is not ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// A stable name for machines, in kebab case.
    pub code: &'static str,
    /// What is the matter.
    pub what: String,
    /// What to do about it.
    pub remedy: &'static str,
}

impl From<&StopReason> for Reason {
    fn from(reason: &StopReason) -> Self {
        Self { code: reason.code(), what: reason.to_string(), remedy: reason.remedy() }
    }
}
