//! What a check found.

use core::fmt;

use countersign_verifier::program::Exit;
use serde::Serialize;

/// What a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Weight {
    /// The data is not as the log wrote it.
    Damage,
    /// The data is as a signed head says, and the log should never have signed that; or a signed head contradicts it.
    Misbehaviour,
}

/// One thing that is not as it has to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// A family of the database, or a file.
    pub part: &'static str,
    /// Which row, for people.
    pub key: String,
    /// What is there.
    pub found: String,
    /// What has to be there.
    pub expected: String,
    /// What it weighs.
    pub weight: Weight,
    /// What to do about it.
    pub remedy: &'static str,
}

/// What to do when something is lost or changed that nothing else holds.
pub(super) const RESTORE: &str = "put back the newest backup for which fsck holds, and bring back what it lacks with \
                                  countersign-log restore";
/// What to do when entries and tree are whole.
pub(super) const REBUILD: &str = "nothing is lost: the entries hold it; build the store anew from them with \
                                  countersign-log restore --from this folder into an empty one";
/// What to do when the log signed what it should not have.
pub(super) const MISBEHAVED: &str = "stop the log, keep the folder as it is, and find out who wrote the entry: the head \
                                     that covers it is signed and cannot be taken back";
/// What to do when the data and a signed head cannot both be.
pub(super) const CONTRADICTED: &str = "stop the log and keep the folder: it is an older copy, or somebody signed another \
                                       tree with the log's key; put back what belongs to the signed head, or retire the log";

impl Finding {
    /// Something that is not as the log wrote it.
    pub(super) fn damage(part: &'static str, key: impl fmt::Display) -> Self {
        let (found, expected) = (String::new(), String::new());
        Self { part, key: key.to_string(), found, expected, weight: Weight::Damage, remedy: RESTORE }
    }

    /// Something that the log should not have signed.
    pub(super) fn misbehaviour(part: &'static str, key: impl fmt::Display) -> Self {
        Self { weight: Weight::Misbehaviour, remedy: MISBEHAVED, ..Self::damage(part, key) }
    }

    pub(super) fn found(mut self, found: impl fmt::Display) -> Self {
        self.found = found.to_string();
        self
    }

    pub(super) fn expected(mut self, expected: impl fmt::Display) -> Self {
        self.expected = expected.to_string();
        self
    }

    pub(super) fn remedy(mut self, remedy: &'static str) -> Self {
        self.remedy = remedy;
        self
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { part, key, found, expected, .. } = self;
        write!(f, "{part}, {key}: found {found}, expected {expected}")
    }
}

/// Findings up to a number of them, and how many more there were.
#[derive(Debug)]
pub(super) struct Findings {
    kept: Vec<Finding>,
    limit: usize,
    more: u64,
    worst: Option<Weight>,
}

impl Findings {
    pub(super) const fn up_to(limit: usize) -> Self {
        Self { kept: Vec::new(), limit, more: 0, worst: None }
    }

    pub(super) fn report(&mut self, finding: Finding) {
        if self.worst != Some(Weight::Misbehaviour) {
            self.worst = Some(finding.weight);
        }
        if self.kept.len() < self.limit {
            self.kept.push(finding);
        } else {
            self.more = self.more.saturating_add(1);
        }
    }
}

/// What came of a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The log.
    pub origin: String,
    /// How many entries were checked.
    pub size: u64,
    /// The root that they have to lead to, in base64.
    pub root: String,
    /// How many full tiles were checked.
    pub tiles: u64,
    /// How many rows of indexes were checked.
    pub index_rows: u64,
    /// What is not as it has to be, in the order in which it was found.
    pub findings: Vec<Finding>,
    /// How many more findings there are than are listed.
    pub more: u64,
    /// What was not checked, and why.
    pub not_checked: Vec<String>,
    #[serde(skip)]
    worst: Option<Weight>,
}

impl Report {
    pub(super) fn new(origin: String, size: u64, root: String, tiles: u64, index_rows: u64) -> Self {
        let (findings, not_checked) = (Vec::new(), Vec::new());
        Self { origin, size, root, tiles, index_rows, findings, more: 0, not_checked, worst: None }
    }

    pub(super) fn with(mut self, findings: Findings, not_checked: Vec<String>) -> Self {
        (self.findings, self.more, self.worst) = (findings.kept, findings.more, findings.worst);
        self.not_checked = not_checked;
        self
    }

    /// How a program that made this report ends.
    pub const fn exit(&self) -> Exit {
        match self.worst {
            None => Exit::Holds,
            Some(Weight::Damage) => Exit::StateDamaged,
            Some(Weight::Misbehaviour) => Exit::Misbehaviour,
        }
    }
}
