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

#[cfg(test)]
mod tests {
    use countersign_verifier::note::NoteSigner;
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{head, log, proof, root, signed, signed_root};

    fn size(size: u64) -> TreeSize {
        TreeSize::new(size).unwrap()
    }

    fn other(byte: u8) -> RootHash {
        RootHash::from_bytes([byte; 32])
    }

    fn judge(
        log: &NoteSigner,
        last: Option<u64>,
        old: u64,
        hashes: &[NodeHash],
        new: u64,
    ) -> Result<(), Refusal> {
        let last = last.map(|last| Arc::new(head(log, last, 1)));
        decide(last.as_ref(), size(old), hashes, signed(log, new).checkpoint())
    }

    #[test]
    fn each_rule_refuses_in_its_turn() {
        let log = log("log.example/a");
        let cosigned = Some(3);
        assert_eq!(judge(&log, None, 0, &[], 0), Ok(()));
        assert_eq!(judge(&log, None, 0, &[], 5), Ok(()));
        assert_eq!(judge(&log, Some(0), 0, &[], 5), Ok(()));
        assert_eq!(judge(&log, cosigned, 3, &[], 3), Ok(()));
        assert_eq!(judge(&log, cosigned, 3, &proof(3, 5), 5), Ok(()));
        assert!(matches!(judge(&log, None, 6, &[], 5), Err(Refusal::OldAboveNew { .. })));
        let told = Err(Refusal::OtherSize { old: size(5), cosigned: size(0) });
        assert_eq!(judge(&log, None, 5, &[], 5), told, "nothing cosigned is size 0");
        let told = Err(Refusal::OtherSize { old: size(2), cosigned: size(3) });
        assert_eq!(judge(&log, cosigned, 2, &proof(2, 5), 5), told);
        let hash = NodeHash::from_bytes([7; 32]);
        assert!(matches!(judge(&log, None, 0, &[hash], 5), Err(Refusal::NeedlessProof { .. })));
        assert!(matches!(judge(&log, cosigned, 3, &[hash], 3), Err(Refusal::NeedlessProof { .. })));
        assert!(matches!(judge(&log, cosigned, 3, &[], 5), Err(Refusal::Inconsistent { .. })));
    }

    #[test]
    fn the_empty_tree_has_one_root_whatever_was_cosigned() {
        let log = log("log.example/a");
        let empty = signed_root(&log, 0, other(9));
        for last in [None, Some(0), Some(3)] {
            let last = last.map(|last| Arc::new(head(&log, last, 1)));
            let refusal = decide(last.as_ref(), size(0), &[], empty.checkpoint());
            assert_eq!(refusal, Err(Refusal::EmptyRoot { stated: other(9) }));
        }
    }

    proptest! {
        /// What is cosigned, one head after another, is always one history: the tree itself.
        #[test]
        fn only_true_successors_pass(
            steps in proptest::collection::vec((0_u64..40, 0_u64..40, 0_u64..40, any::<bool>(), any::<Option<u8>>()), 1..60)
        ) {
            let log = log("log.example/a");
            let mut last: Option<Arc<Cosigned>> = None;
            for (old, new, from, true_old, forged) in steps {
                let stands_at = last.as_ref().map_or(0, |last| last.size().get());
                let old = if true_old { stands_at } else { old };
                let hashes = if from <= new { proof(from, new) } else { Vec::new() };
                let claimed = forged.map_or_else(|| root(new), other);
                let asked = signed_root(&log, new, claimed);
                let verdict = decide(last.as_ref(), size(old), &hashes, asked.checkpoint());
                if verdict.is_ok() {
                    prop_assert!(old == stands_at && new >= stands_at);
                    // The first head is taken at its word; from then on only the tree it began passes.
                    if stands_at > 0 {
                        prop_assert_eq!(claimed, root(new));
                    }
                    if claimed == root(new) {
                        last = Some(Arc::new(head(&log, new, 1)));
                    }
                } else if old == stands_at && new >= stands_at && claimed == root(new) {
                    prop_assert!(hashes != proof(stands_at, new), "an honest request was refused: {:?}", verdict);
                }
            }
        }
    }
}
