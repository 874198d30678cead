//! The head that a log shows, held against the one before.

use countersign_verifier::audit::Tree;
use countersign_verifier::checkpoint::Checkpoint;
use countersign_verifier::evidence::{Evidence, Heads, Prefix};
use countersign_verifier::merkle::{
    NodeHash, NodeId, PlanError, ProofPlan, RootHash, TreeSize, verify_consistency,
};
use countersign_verifier::note::SignedNote;
use countersign_verifier::program::{Exit, Failed};
use countersign_verifier::quorum::{Policy, VerifiedCheckpoint};
use countersign_verifier::tiles::TileId;

use super::stream::Stopped;
use crate::kept::EvidenceFolder;
use crate::source::{self, Source, SourceError};

/// Refuses a head that is older than what was audited, and one that disagrees with it.
pub(super) fn hold_against(
    before: &SignedNote,
    head: &VerifiedCheckpoint,
    policy: &Policy,
    audited: &Tree,
    folder: &mut EvidenceFolder,
) -> Result<(), Stopped> {
    let older = open(before, policy)?;
    let newer = head.checkpoint();
    if newer.size > older.size {
        return Ok(());
    }
    // Of what was audited under the older head, every root is known.
    let known = audited.root_at(newer.size).zip(audited.consistency(newer.size, older.size).ok());
    let (root, proof) = known
        .ok_or_else(|| Failed::new(Exit::StateDamaged, "the state has fewer entries than its own head"))?;
    if root != newer.root {
        let heads = Heads { smaller: head.to_note(), larger: before.clone(), prefix: Prefix { root, proof } };
        return Err(forked(&older, newer, &Evidence::Heads(heads), folder)?.into());
    }
    if newer.size == older.size {
        return Ok(());
    }
    let (kept_old, kept_new) = (folder.keep_note(before, &older)?, folder.keep_note(&head.to_note(), newer)?);
    let what = format!(
        "the log went back: it shows a head of {} entries, and it had signed one of {}",
        newer.size, older.size
    );
    let hint = format!(
        "both heads are kept, {} and {}; they agree as far as the smaller goes, so whether it went back, only those know \
         who saw the larger one: ask another mirror, and the witnesses",
        kept_old.display(),
        kept_new.display()
    );
    Err(Stopped::WentBack(Failed::new(Exit::Misbehaviour, what).hint(hint)))
}

/// What is said when the entries do not lead to the root of the head: a second history, where the tiles can show one.
pub(super) fn diverged(
    computed: RootHash,
    before: Option<&SignedNote>,
    head: &VerifiedCheckpoint,
    policy: &Policy,
    source: &dyn Source,
    folder: &mut EvidenceFolder,
) -> Result<Failed, Failed> {
    let newer = head.checkpoint();
    if let Some(before) = before {
        let older = open(before, policy)?;
        if let Some(prefix) =
            prefix_by_tiles(source, older.size, newer).filter(|prefix| prefix.root != older.root)
        {
            let heads = Heads { smaller: before.clone(), larger: head.to_note(), prefix };
            return forked(&older, newer, &Evidence::Heads(heads), folder);
        }
    }
    let what = format!(
        "the entries do not make up the tree that was signed: they lead to the root {}, and the head of {} entries has {}",
        computed.to_base64(),
        newer.size,
        newer.root.to_base64()
    );
    Ok(Failed::new(Exit::Misbehaviour, what).hint(
        "either this copy is damaged, or the log serves what it never signed: fetch it again. Nothing that was found in \
         these entries is shown to be in the log. A state that was kept meanwhile may have to be removed",
    ))
}

fn open(note: &SignedNote, policy: &Policy) -> Result<Checkpoint, Failed> {
    let signed = policy.verify_log(note).map_err(|error| {
        Failed::new(Exit::CouldNotCheck, "the head in the state is not signed by a log of this policy")
            .because(error)
            .hint("use the policy of the earlier run, or begin again with another --state")
    })?;
    Ok(signed.checkpoint().clone())
}

fn forked(
    older: &Checkpoint,
    newer: &Checkpoint,
    evidence: &Evidence,
    folder: &mut EvidenceFolder,
) -> Result<Failed, Failed> {
    let path = folder.keep(&format!("fork-{}-{}", older.size, newer.size), evidence)?;
    let what = format!(
        "the log signed two histories: its head of {} entries and its head of {} entries belong to different trees",
        older.size, newer.size
    );
    let hint = format!("show {} to everybody who relies on this log", path.display());
    Ok(Failed::new(Exit::Misbehaviour, what).hint(hint))
}

/// What the tree of the head begins with, as far as its tiles show it under its own root.
fn prefix_by_tiles(source: &dyn Source, size: TreeSize, head: &Checkpoint) -> Option<Prefix> {
    let nodes = |plan: &ProofPlan| -> Option<Vec<NodeHash>> {
        plan.nodes().iter().map(|node| node_by_tile(source, *node, head.size).ok()).collect()
    };
    let plan = ProofPlan::root(size);
    let root = plan.build_root(&nodes(&plan)?).ok()?;
    let plan: Result<ProofPlan, PlanError> = ProofPlan::consistency(size, head.size);
    let plan = plan.ok()?;
    let proof = plan.build(&nodes(&plan)?).ok()?;
    verify_consistency(size, root, head.size, head.root, &proof).ok()?;
    Some(Prefix { root, proof })
}

fn node_by_tile(source: &dyn Source, node: NodeId, size: TreeSize) -> Result<NodeHash, SourceError> {
    let tile = source::tile(source, TileId::of(node), size)?;
    tile.node(node).map_err(|cause| SourceError::Tile { what: format!("the tile of {node:?}"), cause })
}
