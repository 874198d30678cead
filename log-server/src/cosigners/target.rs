//! The head that the witnesses are asked for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use countersign_verifier::merkle::{NodeHash, TreeSize};

use super::Ground;
use crate::sequencer::Tip;
use crate::tree::ProofError;

/// The head that the witnesses are asked for, and the proofs that lead to it.
#[derive(Debug)]
pub(super) struct Target {
    /// Tells one target from the next.
    pub(super) number: u64,
    pub(super) tip: Arc<Tip>,
    /// By old size: witnesses that stand at the same size share a proof.
    proofs: Mutex<HashMap<TreeSize, Arc<Vec<NodeHash>>>>,
}

impl Target {
    pub(super) fn new(number: u64, tip: Arc<Tip>) -> Self {
        Self { number, tip, proofs: Mutex::default() }
    }

    pub(super) fn size(&self) -> TreeSize {
        self.tip.size()
    }

    /// The proof that the tree of `old` entries is the beginning of this one.
    pub(super) fn proof(&self, old: TreeSize, ground: &Ground) -> Result<Arc<Vec<NodeHash>>, ProofError> {
        let mut proofs = self.proofs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(proof) = proofs.get(&old) {
            return Ok(Arc::clone(proof));
        }
        let proof = Arc::new(ground.tree(&self.tip).consistency(old, self.size())?);
        proofs.insert(old, Arc::clone(&proof));
        Ok(proof)
    }
}
