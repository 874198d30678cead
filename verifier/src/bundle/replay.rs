//! Signatures and admission, as far as the entries of a bundle show them.

use core::convert::Infallible;
use std::collections::HashSet;

use super::format::Bundle;
use crate::admission::{
    AdmitError, EntryFacts, IssuerKey, IssuerRecord, MemoryState, Refusal, State, admit, signing_key,
};
use crate::lineage::Step;
use crate::merkle::{LeafHash, LeafIndex, TreeSize};
use crate::statement::{ExecutionId, Kind, RefRole, SignatureError, Statement, Verdict};

/// What a replay of a bundle's entries comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replay {
    /// The first entry whose signature is not that of the key registered for its issuer.
    pub forged: Option<(LeafIndex, SignatureError)>,
    /// The first entry whose signature cannot be checked, because the registration of its key was refused.
    pub unknown: Option<(LeafIndex, Refusal)>,
    /// The first entry that should not have been admitted.
    pub refused: Option<(LeafIndex, Refusal)>,
    /// The first entry that names another one of the execution which is not in the bundle, in which role and by its id.
    pub dangling: Option<(LeafIndex, RefRole, LeafHash)>,
}

/// Checks each signature under the key that the bundle shows to have been registered, and admits each entry over
/// the ones before it.
///
/// What a bundle does not have, it cannot show: a registration that was left out between two that are there, or an entry
/// that others name. The latter is taken to be what its role asks for.
pub fn replay(bundle: &Bundle) -> Replay {
    let mut replay = Replay { forged: None, unknown: None, refused: None, dangling: None };
    let mut shown = Shown { state: MemoryState::new(), size: TreeSize::EMPTY, assumed: Vec::new() };
    let here: HashSet<LeafHash> = bundle.entries().map(|step| step.entry).collect();
    for Step { index, statement, .. } in bundle.entries() {
        shown.size = TreeSize::new(index.get()).unwrap_or_default();
        let absent = || statement.references().iter().filter(|(_, entry)| !here.contains(entry));
        shown.assumed = absent().map(|(role, entry)| assumed(index, statement, role, entry)).collect();
        if let Some((role, entry)) = absent().find(|(role, _)| *role != RefRole::Replaces) {
            replay.dangling.get_or_insert((index, role, entry));
        }
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
        match admit(&shown, &verified) {
            Ok(admitted) => shown.state.apply(admitted.effects),
            Err(AdmitError::Refused(refusal)) => drop(replay.refused.get_or_insert((index, refusal))),
        }
    }
    replay
}

/// The log as far as a bundle shows it before one of its entries.
struct Shown {
    state: MemoryState,
    /// How many entries the log had.
    size: TreeSize,
    /// What the entry at hand names and the bundle does not have.
    assumed: Vec<(LeafHash, EntryFacts)>,
}

/// An entry that is named and not there, as the role in which it is named asks for it.
fn assumed(
    index: LeafIndex,
    statement: &Statement,
    role: RefRole,
    entry: LeafHash,
) -> (LeafHash, EntryFacts) {
    let kind = role.kind().unwrap_or(statement.kind());
    let execution = statement.execution().filter(|_| kind != Kind::Policy).cloned();
    let verdict = (kind == Kind::Decision).then_some(Verdict::Permit);
    (entry, EntryFacts { index, kind, execution, verdict })
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
        let assumed = self.assumed.iter().find(|(named, _)| named == entry).map(|(_, facts)| facts);
        Ok(self.state.entry(entry)?.or_else(|| assumed.cloned()))
    }

    fn outcome_of(&self, authorization: &LeafHash) -> Result<Option<LeafHash>, Infallible> {
        self.state.outcome_of(authorization)
    }

    fn close_of(&self, execution: &ExecutionId) -> Result<Option<LeafHash>, Infallible> {
        self.state.close_of(execution)
    }
}
