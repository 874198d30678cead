//! Whether a head may be cosigned after the one before it: the rules, and nothing but the rules.

use std::sync::Arc;

use countersign_verifier::checkpoint::Checkpoint;
use countersign_verifier::merkle::{NodeHash, RootHash, TreeSize, verify_consistency};

use crate::cosigned::Cosigned;
use crate::refusal::Refusal;

/// Decides on a head that its log signed, given what this witness cosigned last (C2SP tlog-witness, add-checkpoint,
/// from the check of the old size on).
///
/// A success says that the head is consistent with `cosigned`, and through it with every head of the log that this
/// witness ever cosigned. It does not say that the time has come to sign it: see the recorder.
pub(crate) fn decide(
    cosigned: Option<&Arc<Cosigned>>,
    old: TreeSize,
    proof: &[NodeHash],
    head: &Checkpoint,
) -> Result<(), Refusal> {
    let new = head.size;
    if old > new {
        return Err(Refusal::OldAboveNew { old, new });
    }
    if new.is_empty() && head.root != RootHash::empty() {
        return Err(Refusal::EmptyRoot { stated: head.root });
    }
    let last = cosigned.map_or(TreeSize::EMPTY, |cosigned| cosigned.size());
    if old != last {
        return Err(Refusal::OtherSize { old, cosigned: last });
    }
    if let Some(cosigned) = cosigned.filter(|cosigned| cosigned.size() == new && cosigned.root() != head.root)
    {
        return Err(Refusal::OtherRoot { stated: head.root, cosigned: Arc::clone(cosigned) });
    }
    if (old.is_empty() || old == new) && !proof.is_empty() {
        return Err(Refusal::NeedlessProof { old, new, hashes: proof.len() });
    }
    let Some(cosigned) = cosigned else { return Ok(()) };
    verify_consistency(old, cosigned.root(), new, head.root, proof)
        .map_err(|cause| Refusal::Inconsistent { cause, cosigned: Arc::clone(cosigned) })
}
