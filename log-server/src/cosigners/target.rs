//! The head that the witnesses are asked for.

use std::sync::{Arc, Mutex, PoisonError};

use countersign_verifier::merkle::{NodeHash, TreeSize};
use tokio::sync::OnceCell;

use super::Ground;
use crate::cache::Recent;
use crate::sequencer::Tip;
use crate::tree::ProofError;

/// How many proofs are kept. Honest witnesses stand at few sizes, and who is not may name any number of them.
const MAX_PROOFS: usize = 16;

type Proof = Arc<Vec<NodeHash>>;

/// The head that the witnesses are asked for, and the proofs that lead to it.
#[derive(Debug)]
pub(super) struct Target {
    /// Tells one target from the next.
    pub(super) number: u64,
    pub(super) tip: Arc<Tip>,
    /// By old size: witnesses that stand at the same size share a proof.
    proofs: Mutex<Recent<TreeSize, Arc<OnceCell<Proof>>>>,
}

impl Target {
    pub(super) fn new(number: u64, tip: Arc<Tip>) -> Self {
        Self { number, tip, proofs: Mutex::new(Recent::new(MAX_PROOFS)) }
    }

    pub(super) fn size(&self) -> TreeSize {
        self.tip.size()
    }

    /// The proof that the tree of `old` entries is the beginning of this one.
    pub(super) async fn proof(&self, old: TreeSize, ground: &Ground) -> Result<Proof, ProofError> {
        let cell = self.cell(old);
        let tip = Arc::clone(&self.tip);
        let build = move |ground: &Ground| ground.tree(&tip).consistency(old, tip.size()).map(Arc::new);
        cell.get_or_try_init(|| ground.read(build)).await.cloned()
    }

    /// Where the proof from `old` is, or will be.
    fn cell(&self, old: TreeSize) -> Arc<OnceCell<Proof>> {
        let mut proofs = self.proofs.lock().unwrap_or_else(PoisonError::into_inner);
        proofs.get(&old).unwrap_or_else(|| {
            let cell = Arc::default();
            proofs.put(old, Arc::clone(&cell), 1);
            cell
        })
    }
}
