//! Deciding again every decision of a log.

use std::collections::HashMap;

use super::found::Differing;
use super::ledger::Ledger;
use super::lineages::known_entry;
use super::replay::{AuditError, Entries};
use crate::merkle::{LeafHash, LeafIndex};
use crate::replay::{Engine, LoadError, Replay, disagreement, load, replay_by};
use crate::statement::payload::Decision;
use crate::statement::{Payload, RefRole, Statement};

/// How many policies are kept ready. Most logs have few that are cited again and again.
const KEPT: usize = 64;

/// What decisions are decided by, ready to be applied, as far as it was needed lately.
#[derive(Debug, Default)]
pub(super) struct Policies(HashMap<LeafHash, Result<Engine, LoadError>>);

impl Policies {
    /// Decides again an admitted decision; `None` when it is not by an intent and a policy of this log. What it is about
    /// is mostly at hand: `held` gives it then.
    pub(super) fn decide_again<E: Entries>(
        &mut self,
        statement: &Statement,
        decision: &Decision,
        held: impl FnOnce(LeafHash) -> Option<Statement>,
        (ledger, entries): (&Ledger, &E),
    ) -> Result<Option<Replay>, AuditError<E::Error>> {
        let named = |role| statement.references().get(role);
        let (Some(policy), Some(intent)) = (named(RefRole::Policy), named(RefRole::Intent)) else {
            return Ok(None);
        };
        if !self.0.contains_key(&policy) {
            if self.0.len() >= KEPT {
                self.0.clear();
            }
            let published = read(policy, ledger, entries)?;
            if let Some(Payload::Policy(published)) = published.as_ref().map(Statement::payload) {
                self.0.insert(policy, load(published));
            }
        }
        let intent = match held(intent) {
            None => read(intent, ledger, entries)?,
            held => held,
        };
        Ok(match (self.0.get(&policy), intent.as_ref().map(Statement::payload)) {
            (Some(engine), Some(Payload::Intent(intent))) => Some(replay_by(engine, intent, decision)),
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
