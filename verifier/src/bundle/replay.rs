//! Signatures and admission, as far as the entries of a bundle show them.

use core::convert::Infallible;
use std::collections::HashSet;

use super::format::Bundle;
use crate::admission::{
    AdmitError, EntryFacts, IssuerKey, IssuerRecord, MemoryState, Refusal, State, admit, signing_key,
};
use crate::lineage::Step;
use crate::merkle::{LeafHash, LeafIndex, TreeSize};
use crate::statement::{ExecutionId, Kind, RefRole, SignatureError};

/// What a replay of a bundle's entries comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replay {
    /// The first entry whose signature is not that of the key registered for its issuer.
    pub forged: Option<(LeafIndex, SignatureError)>,
    /// The first entry whose signature cannot be checked, because the registration of its key was refused.
    pub unknown: Option<(LeafIndex, Refusal)>,
    /// The first entry that should not have been admitted.
    pub refused: Option<(LeafIndex, Refusal)>,
    /// The first entry that names another one of the execution which is not in the bundle.
    pub dangling: Option<(LeafIndex, Refusal)>,
}

/// Checks each signature under the key that the bundle shows to have been registered, and admits each entry over
/// the ones before it.
///
/// What a bundle does not have, it cannot show: a registration that was left out between two that are there, the
/// policy that a policy replaces. The latter is taken to exist.
pub fn replay(bundle: &Bundle) -> Replay {
    let mut replay = Replay { forged: None, unknown: None, refused: None, dangling: None };
    let mut shown = Shown { state: MemoryState::new(), size: TreeSize::EMPTY, assumed: None };
    let here: HashSet<LeafHash> = bundle.entries().map(|step| step.entry).collect();
    for Step { index, statement, .. } in bundle.entries() {
        shown.size = TreeSize::new(index.get()).unwrap_or_default();
        shown.assumed = statement.references().get(RefRole::Replaces);
        let key = match signing_key(&shown, statement) {
            Ok(key) => key,
            Err(AdmitError::Refused(refusal)) => {
                replay.unknown.get_or_insert((index, refusal));
                continue;
            }
        };
        let verified = match statement.clone().verify(&key) {
            Ok(verified) => verified,
            Err(error) => {
                replay.forged.get_or_insert((index, error));
                continue;
            }
        };
        let refusal = match admit(&shown, &verified) {
            Ok(admitted) => {
                shown.state.apply(admitted.effects);
                continue;
            }
            Err(AdmitError::Refused(refusal)) => refusal,
        };
        let slot = match refusal {
            Refusal::ReferenceUnresolved { entry, .. } if !here.contains(&entry) => &mut replay.dangling,
            _ => &mut replay.refused,
        };
        slot.get_or_insert((index, refusal));
    }
    replay
}

/// The log as far as a bundle shows it before one of its entries.
struct Shown {
    state: MemoryState,
    /// How many entries the log had.
    size: TreeSize,
    /// A policy that is taken to be there.
    assumed: Option<LeafHash>,
}

impl State for Shown {
    type Error = Infallible;

    fn size(&self) -> Result<TreeSize, Infallible> {
        Ok(self.size)
    }

    fn issuer(&self, issuer: &IssuerKey) -> Result<Option<IssuerRecord>, Infallible> {
        self.state.issuer(issuer)
    }

    fn entry(&self, entry: &LeafHash) -> Result<Option<EntryFacts>, Infallible> {
        let facts = self.state.entry(entry)?;
        let first = LeafIndex::new(0).filter(|_| self.assumed == Some(*entry));
        let assumed =
            first.map(|index| EntryFacts { index, kind: Kind::Policy, execution: None, verdict: None });
        Ok(facts.or(assumed))
    }

    fn outcome_of(&self, authorization: &LeafHash) -> Result<Option<LeafHash>, Infallible> {
        self.state.outcome_of(authorization)
    }

    fn close_of(&self, execution: &ExecutionId) -> Result<Option<LeafHash>, Infallible> {
        self.state.close_of(execution)
    }
}
