//! How many executions came to which verdict.

use serde::Serialize;

use crate::lineage::LineageVerdict;

/// What became of an execution, in one byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Standing {
    /// It has not been judged yet.
    NotJudged = b'-',
    /// It has more entries than are judged together.
    TooLong = b'?',
    Governed = b'g',
    Denied = b'd',
    Open = b'o',
    Partial = b'p',
    Violated = b'v',
}

impl Standing {
    const ALL: [Self; 7] = [
        Self::NotJudged,
        Self::TooLong,
        Self::Governed,
        Self::Denied,
        Self::Open,
        Self::Partial,
        Self::Violated,
    ];

    /// The standing after a judgement, `None` when the execution was too long for one.
    pub(super) const fn of(verdict: Option<LineageVerdict>) -> Self {
        match verdict {
            None => Self::TooLong,
            Some(LineageVerdict::Governed) => Self::Governed,
            Some(LineageVerdict::Denied) => Self::Denied,
            Some(LineageVerdict::Open) => Self::Open,
            Some(LineageVerdict::Partial) => Self::Partial,
            Some(LineageVerdict::Violated) => Self::Violated,
        }
    }

    pub(super) fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|standing| *standing as u8 == byte)
    }
}

/// How many executions came to which verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Verdicts {
    /// Everything on record, and fitting.
    pub governed: u64,
    /// Nothing ran, and what kept it from running is on record.
    pub denied: u64,
    /// Neither outcome nor close yet.
    pub open: u64,
    /// Something that should be there is not.
    pub partial: u64,
    /// The record contradicts itself, or breaks a rule.
    pub violated: u64,
    /// Too long to judge, or not judged yet.
    pub not_judged: u64,
}

impl Verdicts {
    pub(super) fn count(&mut self, standing: Standing) {
        let count = match standing {
            Standing::NotJudged | Standing::TooLong => &mut self.not_judged,
            Standing::Governed => &mut self.governed,
            Standing::Denied => &mut self.denied,
            Standing::Open => &mut self.open,
            Standing::Partial => &mut self.partial,
            Standing::Violated => &mut self.violated,
        };
        *count = count.saturating_add(1);
    }
}
