//! What an audit finds.

use core::fmt;

use serde::{Deserialize, Serialize};

use super::accusation::Accusation;
use crate::lineage::Judgement;
use crate::merkle::{LeafHash, LeafIndex};
use crate::statement::ExecutionId;

/// Which rule of the whole log an entry breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// Every entry is a well-formed statement.
    Format,
    /// Every statement is signed by the key that it names.
    #[serde(rename = "statement_signatures")]
    Signatures,
    /// Every entry keeps the admission rules, over the entries before it.
    Admission,
    /// Every head that a verification names is one that the log had.
    #[serde(rename = "heads_named")]
    Heads,
    /// No close counts more entries than there are.
    #[serde(rename = "entries_counted")]
    Counts,
}

impl Check {
    /// All of them.
    pub const ALL: &'static [Self] =
        &[Self::Format, Self::Signatures, Self::Admission, Self::Heads, Self::Counts];

    /// The name for people.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Format => "format",
            Self::Signatures => "statement signatures",
            Self::Admission => "admission",
            Self::Heads => "heads named",
            Self::Counts => "entries counted",
        }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An entry that should not be in the log as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// Where it is.
    #[serde(serialize_with = "as_number")]
    pub index: LeafIndex,
    /// Its id.
    #[serde(serialize_with = "as_text")]
    pub entry: LeafHash,
    /// Which check it does not pass.
    pub check: Check,
    /// The stable code of what is wrong: that of the refusal which the log should have given,
    /// `head-contradicted` or `entries-missing`.
    pub code: &'static str,
    /// What is wrong, in words.
    pub sentence: String,
    /// What shows it to others, where that takes no more than a few entries.
    #[serde(skip)]
    pub accusation: Option<Accusation>,
}

/// The lineage of one execution, over all its entries so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lineage {
    /// Which execution.
    pub execution: ExecutionId,
    /// How many entries it has.
    pub entries: u32,
    /// What was made of them, or `None` when there are too many to judge.
    #[serde(flatten)]
    pub judgement: Option<Judgement>,
    /// Whether an earlier judgement of the same execution is replaced, because entries were added to it.
    pub again: bool,
}

/// A decision that comes out otherwise when it is decided again, by the same engine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Differing {
    /// Where it is.
    #[serde(serialize_with = "as_number")]
    pub index: LeafIndex,
    /// Of which execution.
    pub execution: ExecutionId,
    /// What it says and what the policy comes to, in words.
    pub sentence: String,
}

/// How many admitted decisions came to which answer when they were decided again. The four are never added up: only the
/// first says that decisions follow from what was logged, and only the second that they do not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Replays {
    /// The same engine comes to the same.
    pub same: u64,
    /// The same engine comes to something else.
    pub different: u64,
    /// Not all that the decision rests on is in the log.
    pub not_disclosed: u64,
    /// Another engine decided, or another version of it.
    pub engine_differs: u64,
}

/// One finding, in the order in which it is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Found {
    /// An entry breaks a rule.
    Violation(Violation),
    /// An execution was judged.
    Lineage(Lineage),
    /// A decision that does not follow from the policy that it cites.
    Decision(Differing),
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes by reference")]
fn as_number<S: serde::Serializer>(index: &LeafIndex, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(index.get())
}

fn as_text<S: serde::Serializer>(entry: &LeafHash, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(entry)
}
