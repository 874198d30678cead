//! The answer.

use core::fmt;

use serde::Serialize;

use super::finding::{Finding, Severity};

/// What a lineage comes to: the first of these that applies, in the order violated, open, partial, denied, governed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LineageVerdict {
    /// It ran, and every step is on record and fits the others.
    Governed,
    /// It ended without anything having run, and what kept it from running is on record.
    Denied,
    /// It has neither outcome nor close: more may follow.
    Open,
    /// It ended, nothing contradicts, and something that should be there is not.
    Partial,
    /// What is on record contradicts itself, or breaks a rule of governed execution.
    Violated,
}

impl LineageVerdict {
    /// All of them.
    pub const ALL: &'static [Self] =
        &[Self::Governed, Self::Denied, Self::Open, Self::Partial, Self::Violated];

    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Governed => "governed",
            Self::Denied => "denied",
            Self::Open => "open",
            Self::Partial => "partial",
            Self::Violated => "violated",
        }
    }
}

impl fmt::Display for LineageVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A verdict with what led to it.
///
/// It is about what is on record, of those entries that were presented. It does not say that the record is true, nor
/// that nothing happened beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Judgement {
    /// The verdict.
    pub verdict: LineageVerdict,
    /// What was found, by entry and then in the order of the table.
    pub findings: Vec<Finding>,
}

impl Judgement {
    /// Weighs findings, of an execution that has ended or not, and in which something ran or not.
    pub(super) fn of(mut findings: Vec<Finding>, ended: bool, ran: bool) -> Self {
        findings.sort_by_key(|finding| (finding.index, finding.code));
        let any = |severity| findings.iter().any(|finding| finding.code.severity() == severity);
        let verdict = if any(Severity::Violation) {
            LineageVerdict::Violated
        } else if !ended {
            LineageVerdict::Open
        } else if any(Severity::Gap) {
            LineageVerdict::Partial
        } else if ran {
            LineageVerdict::Governed
        } else {
            LineageVerdict::Denied
        };
        Self { verdict, findings }
    }
}
