//! What is known of the witnesses, for people to read.

use std::sync::{Mutex, MutexGuard, PoisonError};

use countersign_verifier::merkle::TreeSize;
use countersign_verifier::quorum::Policy;
use tokio::time::Instant;

use super::not_asked;
use crate::log::{Condition, WitnessStatus};

/// What is known of the witnesses. Every change for better or worse is logged once.
#[derive(Debug)]
pub(crate) struct Board {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    witnesses: Vec<WitnessStatus>,
    awaiting: Option<(TreeSize, Instant)>,
}

impl Board {
    pub(crate) fn new(policy: &Policy) -> Self {
        let witnesses = policy.witnesses().iter().map(|witness| WitnessStatus {
            name: witness.name.clone(),
            condition: not_asked(witness).map_or(Condition::Untried, Condition::NotAsked),
            size: TreeSize::EMPTY,
            cosigned: 0,
            failures: 0,
            rollbacks: 0,
        });
        Self { state: Mutex::new(State { witnesses: witnesses.collect(), awaiting: None }) }
    }

    /// The witnesses, in the order of the policy.
    pub(crate) fn witnesses(&self) -> Vec<WitnessStatus> {
        self.lock().witnesses.clone()
    }

    /// The head that waits for its quorum, and since when.
    pub(crate) fn awaiting(&self) -> Option<(TreeSize, Instant)> {
        self.lock().awaiting
    }

    pub(super) fn set_awaiting(&self, awaiting: Option<(TreeSize, Instant)>) {
        self.lock().awaiting = awaiting;
    }

    /// What an earlier run knew of a witness.
    pub(super) fn remember(&self, at: usize, size: TreeSize) {
        if let Some(witness) = self.lock().witnesses.get_mut(at) {
            witness.size = size;
        }
    }

    /// A witness cosigned a head of this size.
    pub(super) fn cosigned(&self, at: usize, size: TreeSize) {
        let mut state = self.lock();
        let Some(witness) = state.witnesses.get_mut(at) else { return };
        if !matches!(witness.condition, Condition::Well | Condition::Untried) {
            tracing::info!(witness = witness.name, size = size.get(), "the witness cosigns again");
        }
        witness.condition = Condition::Well;
        witness.size = witness.size.max(size);
        witness.cosigned = witness.cosigned.saturating_add(1);
    }

    /// A request to a witness failed.
    pub(super) fn failed(&self, at: usize, condition: Condition) {
        let mut state = self.lock();
        let Some(witness) = state.witnesses.get_mut(at) else { return };
        witness.failures = witness.failures.saturating_add(1);
        set(witness, condition);
    }

    /// A witness named a smaller size than it had cosigned. The request itself goes on.
    pub(super) fn rolled_back(&self, at: usize, named: TreeSize, before: TreeSize) {
        let mut state = self.lock();
        let Some(witness) = state.witnesses.get_mut(at) else { return };
        witness.rollbacks = witness.rollbacks.saturating_add(1);
        set(witness, Condition::RolledBack { named, before });
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn set(witness: &mut WitnessStatus, condition: Condition) {
    let changed = core::mem::discriminant(&witness.condition) != core::mem::discriminant(&condition);
    witness.condition = condition;
    if changed {
        let WitnessStatus { name, condition, .. } = witness;
        tracing::warn!(witness = name.as_str(), "the witness does not cosign: {condition}");
    }
}
