//! Deciding again every decision of a log.

use std::collections::HashMap;

use super::found::Differing;
use super::ledger::Ledger;
use super::lineages::known_entry;
use super::replay::{AuditError, Entries};
use crate::merkle::{LeafHash, LeafIndex};
use crate::replay::{Replay, disagreement, replay};
use crate::statement::payload::Decision;
use crate::statement::{Payload, RefRole, Statement};

/// How many policies are kept at hand. Most logs have few that are cited again and again.
const KEPT: usize = 64;

/// What decisions are decided by, as far as it was needed lately.
#[derive(Debug, Default)]
pub(super) struct Policies(HashMap<LeafHash, Statement>);

impl Policies {
    /// Decides again an admitted decision; `None` when it is not by an intent and a policy of this log.
    pub(super) fn decide_again<E: Entries>(
        &mut self,
        statement: &Statement,
        decision: &Decision,
        ledger: &Ledger,
        entries: &E,
    ) -> Result<Option<Replay>, AuditError<E::Error>> {
        let named = |role| statement.references().get(role);
        let (Some(policy), Some(intent)) = (named(RefRole::Policy), named(RefRole::Intent)) else {
            return Ok(None);
        };
        if !self.0.contains_key(&policy) {
            if self.0.len() >= KEPT {
                self.0.clear();
            }
            self.0.extend(read(policy, ledger, entries)?.map(|statement| (policy, statement)));
        }
        let intent = read(intent, ledger, entries)?;
        let grounds =
            self.0.get(&policy).map(Statement::payload).zip(intent.as_ref().map(Statement::payload));
        Ok(match grounds {
            Some((Payload::Policy(policy), Payload::Intent(intent))) => {
                Some(replay(policy, intent, decision))
            }
            _ => None,
        })
    }
}

/// An admitted entry, read again.
fn read<E: Entries>(
    entry: LeafHash,
    ledger: &Ledger,
    entries: &E,
) -> Result<Option<Statement>, AuditError<E::Error>> {
    let place = ledger.place(&entry).and_then(|place| LeafIndex::new(u64::from(place)));
    let Some(index) = place else { return Ok(None) };
    let bytes = known_entry(ledger, entries, index)?;
    Statement::parse(&bytes).map(Some).map_err(|_| AuditError::Changed { index })
}

impl Differing {
    /// The finding, when the policy comes to something else.
    pub(super) fn of(
        index: LeafIndex,
        statement: &Statement,
        decision: &Decision,
        answer: &Replay,
    ) -> Option<Self> {
        let Replay::Different { here, in_what } = answer else { return None };
        let execution = statement.execution()?.clone();
        Some(Self { index, execution, sentence: disagreement(decision, here, in_what) })
    }
}
