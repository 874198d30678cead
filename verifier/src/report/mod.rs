//! What a check found, stage by stage. There is no overall score: each stage stands for itself.

mod bundle;
mod head;
mod proof;
mod story;

use core::error::Error;
use core::fmt;

#[cfg(feature = "replay")]
pub use bundle::check_bundle_and_replay;
pub use bundle::{Answer, BundleReport, check_bundle};
pub use head::{Cosigned, Head, cosigned_by};
pub use proof::{Report, check_proof};
use serde::Serialize;
pub use story::{Question, Told};

use crate::causes::with_causes;

/// What can be checked, in the order in which it is reported.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The bytes have the form that they claim.
    Format,
    /// Every statement is signed by the key that it names.
    StatementSignatures,
    /// The entries are in the tree of the head.
    Inclusion,
    /// A log of the policy signed the head.
    LogSignature,
    /// The quorum of the policy cosigned the head.
    WitnessQuorum,
    /// Every signer was registered for what it signed.
    IssuerRoles,
    /// The steps of the execution fit each other.
    Lineage,
    /// The logged policy leads to the logged decision.
    PolicyReplay,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Format => "format",
            Self::StatementSignatures => "statement signatures",
            Self::Inclusion => "inclusion",
            Self::LogSignature => "log signature",
            Self::WitnessQuorum => "witness quorum",
            Self::IssuerRoles => "issuer roles",
            Self::Lineage => "lineage",
            Self::PolicyReplay => "policy replay",
        })
    }
}

/// What a stage found.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(tag = "verdict", content = "reason", rename_all = "snake_case")]
pub enum Finding {
    /// It holds, and what exactly was seen.
    Pass(String),
    /// It does not hold, and why.
    Fail(String),
    /// It was not decided, and why.
    NotChecked(String),
}

/// One stage of a report.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Line {
    /// Which stage.
    pub stage: Stage,
    /// What it found.
    #[serde(flatten)]
    pub finding: Finding,
}

impl Line {
    /// Whether the stage holds.
    pub const fn passed(&self) -> bool {
        matches!(self.finding, Finding::Pass(_))
    }

    /// Whether the stage does not hold.
    pub const fn failed(&self) -> bool {
        matches!(self.finding, Finding::Fail(_))
    }
}

impl Finding {
    /// A pass in words, or a failure with its causes.
    fn of<E: Error>(result: Result<String, E>) -> Self {
        match result {
            Ok(pass) => Self::Pass(pass),
            Err(error) => Self::Fail(with_causes(&error)),
        }
    }

    pub(crate) fn not_checked(why: &str) -> Self {
        Self::NotChecked(why.to_owned())
    }
}
