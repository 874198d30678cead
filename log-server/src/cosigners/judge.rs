//! What a head in the hands of another says about the store.

use countersign_verifier::checkpoint::LogSigned;
use countersign_verifier::merkle::TreeSize;
use countersign_verifier::note::SignedNote;

use super::Ground;
use crate::log::Contradiction;
use crate::sequencer::Tip;
use crate::tree::ProofError;

/// What a note says about the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Judgement {
    /// The log did not sign it, so it says nothing.
    Unproven,
    /// The store has the tree that it names.
    Consistent,
    /// The log's key signed it, and the store does not have the tree that it names.
    Contradicts {
        /// The size that it names.
        size: TreeSize,
        /// In which way the store contradicts it.
        contradiction: Contradiction,
    },
}

/// Judges a note. `tip` must not be older than the moment at which the note was received: what the log signed
/// meanwhile is no contradiction.
pub(crate) fn judge(note: &[u8], ground: &Ground, tip: &Tip) -> Result<Judgement, ProofError> {
    let signed = SignedNote::parse(note)
        .ok()
        .and_then(|note| LogSigned::open(&note, core::slice::from_ref(&ground.key)).ok());
    let Some(checkpoint) = signed.as_ref().map(LogSigned::checkpoint) else { return Ok(Judgement::Unproven) };
    // The key's name is the origin: it signs for no other.
    if checkpoint.origin.as_str() != ground.key.name().as_str() {
        return Ok(Judgement::Unproven);
    }
    let size = checkpoint.size;
    let contradiction = if size > tip.size() {
        Contradiction::Older
    } else if ground.tree(tip).root(size)? != checkpoint.root {
        Contradiction::Forked
    } else {
        return Ok(Judgement::Consistent);
    };
    Ok(Judgement::Contradicts { size, contradiction })
}
