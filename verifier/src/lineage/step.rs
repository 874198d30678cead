//! The entries of one execution, and how they name each other.

use std::collections::HashMap;

use super::finding::{Finding, FindingCode};
use crate::merkle::{LeafHash, LeafIndex};
use crate::statement::payload::{Authorization, Decision, Intent, Verification};
use crate::statement::{ExecutionId, Kind, Payload, RefRole, Statement, Subject};

/// One entry of an execution.
#[derive(Debug, Clone, Copy)]
pub struct Step<'a> {
    /// Where it is in the log.
    pub index: LeafIndex,
    /// Its id.
    pub entry: LeafHash,
    /// What it says.
    pub statement: &'a Statement,
}

/// Why entries are not those of one execution in the order of a log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotOneExecution {
    /// There is none.
    #[error("no entries: an execution has one or more")]
    Empty,
    /// An entry about something else.
    #[error("entry {index} is about {found}, expected the execution {expected}")]
    Foreign {
        /// Where it is.
        index: LeafIndex,
        /// What it is about.
        found: Subject,
        /// What the first entry is about.
        expected: ExecutionId,
    },
    /// The first entry belongs to no execution.
    #[error("entry {index} is about {found}, expected an execution")]
    None {
        /// Where it is.
        index: LeafIndex,
        /// What it is about.
        found: Subject,
    },
    /// Entries that are not in the order of the log.
    #[error("entry {index} follows entry {before}: expected ascending order, each entry once")]
    Order {
        /// The entry out of order.
        index: LeafIndex,
        /// The one before it.
        before: LeafIndex,
    },
}

/// A step with what it says.
pub(super) struct At<'a, T> {
    pub(super) step: Step<'a>,
    pub(super) says: &'a T,
}

// Derived, these would ask the same of the payload.
impl<T> Clone for At<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for At<'_, T> {}

/// A payload that others refer to.
pub(super) trait Referred: Sized {
    /// In which role they do.
    const ROLE: RefRole;

    /// The payload, if it is of this kind.
    fn of(payload: &Payload) -> Option<&Self>;
}

macro_rules! referred {
    ($($name:ident),+) => {$(
        impl Referred for $name {
            const ROLE: RefRole = RefRole::$name;

            fn of(payload: &Payload) -> Option<&Self> {
                match payload {
                    Payload::$name(payload) => Some(payload),
                    _ => None,
                }
            }
        }
    )+};
}

referred! { Intent, Decision, Authorization, Verification }

/// The entries presented.
pub(super) struct Presented<'a> {
    steps: &'a [Step<'a>],
    /// Positions among the steps.
    places: HashMap<LeafHash, usize>,
}

impl<'a> Presented<'a> {
    /// Takes up entries that are in the order of the log and all of one execution.
    pub(super) fn new(steps: &'a [Step<'a>]) -> Result<Self, NotOneExecution> {
        let first = steps.first().ok_or(NotOneExecution::Empty)?;
        let subject = |step: &Step<'_>| step.statement.claims().subject.clone();
        let expected = first
            .statement
            .execution()
            .ok_or_else(|| NotOneExecution::None { index: first.index, found: subject(first) })?;
        for step in steps {
            if step.statement.execution() != Some(expected) {
                let (index, found) = (step.index, subject(step));
                return Err(NotOneExecution::Foreign { index, found, expected: expected.clone() });
            }
        }
        let mut pairs = steps.iter().zip(steps.iter().skip(1));
        if let Some((before, step)) = pairs.find(|(before, step)| before.index >= step.index) {
            return Err(NotOneExecution::Order { index: step.index, before: before.index });
        }
        let places = steps.iter().enumerate().map(|(at, step)| (step.entry, at)).collect();
        Ok(Self { steps, places })
    }

    /// The entry that `from` names in the role of `T`, when it is one that `from` can stand on: earlier, and of the
    /// right kind. What is wrong with any other, [`Presented::check_references`] finds.
    pub(super) fn earlier<T: Referred>(&self, from: &Step<'_>) -> Option<At<'a, T>> {
        let step = self.step(from.statement.references().get(T::ROLE)?)?;
        let says = T::of(step.statement.payload())?;
        (step.index < from.index).then_some(At { step, says })
    }

    fn step(&self, entry: LeafHash) -> Option<Step<'a>> {
        self.steps.get(*self.places.get(&entry)?).copied()
    }

    /// Every reference names an earlier entry of the kind that its role takes. `outside` knows the entries that belong
    /// to no execution, of which a policy is the only one that executions name.
    pub(super) fn check_references(
        &self,
        from: &Step<'_>,
        outside: &impl Fn(LeafHash) -> Option<(LeafIndex, Kind)>,
        findings: &mut Vec<Finding>,
    ) {
        let mut found = [None, None, None];
        for (role, entry) in from.statement.references().iter() {
            let inside = self.step(entry).map(|step| (step.index, step.statement.kind()));
            let named = inside.or_else(|| (role == RefRole::Policy).then(|| outside(entry))?);
            let kind = from.statement.kind();
            let (slot, code, sentence) = match named {
                None => (
                    0,
                    FindingCode::ReferenceMissing,
                    format!("The {kind} names as its {role} the entry {entry}, which is not presented."),
                ),
                Some((index, _)) if index >= from.index => (
                    1,
                    FindingCode::ReferenceOrder,
                    format!("The {kind} names as its {role} entry {index}, which does not come before it."),
                ),
                Some((index, other)) if role.kind().is_some_and(|expected| expected != other) => (
                    2,
                    FindingCode::ReferenceKind,
                    format!("The {kind} names as its {role} entry {index}, which is of kind {other}."),
                ),
                Some(_) => continue,
            };
            // Of several references at fault in one way, the first is told.
            if let Some(slot) = found.get_mut(slot).filter(|slot| slot.is_none()) {
                *slot = Some(Finding { code, index: from.index, sentence });
            }
        }
        findings.extend(found.into_iter().flatten());
    }
}
