//! What overseers did about an entry, and what of it stood at which moment.

use std::collections::HashMap;

use super::finding::{Finding, FindingCode};
use super::step::Step;
use crate::merkle::{LeafHash, LeafIndex};
use crate::statement::{EnforcementAction, Payload, RefRole};

/// The measures of one execution, by the entry that they are about.
#[derive(Debug, Default)]
pub(super) struct Measures(HashMap<LeafHash, Vec<Standing>>);

/// What stands against an entry from one measure on until the next.
#[derive(Debug, Clone, Copy)]
struct Standing {
    since: LeafIndex,
    /// The first revoke or halt that no release followed.
    stop: Option<LeafIndex>,
    /// The first quarantine that no release followed.
    quarantine: Option<LeafIndex>,
}

impl Measures {
    /// Takes up all measures among the entries of an execution.
    pub(super) fn of(steps: &[Step<'_>]) -> Self {
        let mut measures = Self::default();
        for step in steps {
            let Payload::Enforcement(enforcement) = step.statement.payload() else { continue };
            let Some(target) = step.statement.references().get(RefRole::Target) else { continue };
            let history = measures.0.entry(target).or_default();
            let Standing { stop, quarantine, .. } = history.last().copied().unwrap_or(Standing {
                since: step.index,
                stop: None,
                quarantine: None,
            });
            let (stop, quarantine) = match enforcement.action {
                EnforcementAction::Revoke | EnforcementAction::Halt => {
                    (stop.or(Some(step.index)), quarantine)
                }
                EnforcementAction::Quarantine => (stop, quarantine.or(Some(step.index))),
                EnforcementAction::Release => (None, None),
            };
            history.push(Standing { since: step.index, stop, quarantine });
        }
        measures
    }

    /// The revoke or halt that stood against `target` when the entry `at` came.
    pub(super) fn stop_at(&self, target: LeafHash, at: LeafIndex) -> Option<LeafIndex> {
        let history = self.0.get(&target)?;
        let before = history.partition_point(|standing| standing.since < at);
        history.get(before.checked_sub(1)?)?.stop
    }

    /// The results of an outcome are isolated while a quarantine of it stands.
    pub(super) fn check_quarantine(&self, outcome: &Step<'_>, findings: &mut Vec<Finding>) {
        let standing = self.0.get(&outcome.entry).and_then(|history| history.last());
        if let Some(quarantine) = standing.and_then(|standing| standing.quarantine) {
            findings.push(Finding {
                code: FindingCode::Quarantined,
                index: outcome.index,
                sentence: format!(
                    "Entry {quarantine} isolates what came of it, and nothing has lifted that."
                ),
            });
        }
    }
}
