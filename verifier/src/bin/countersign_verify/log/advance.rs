//! One step of an audit: from where it stands to a newer head.

use countersign_verifier::audit::Audit;
use countersign_verifier::quorum::{Policy, VerifiedCheckpoint};

use super::heads;
use super::stream::{self, Again, Stopped, Watch as _};
use super::watcher::Watcher;
use crate::kept::EvidenceFolder;

/// Audits all entries that a head has beyond those that were audited before, and holds the head against the one before.
///
/// What is wrong with entries, executions and tiles is told to `watcher`; when this returns, it is about a tree that was
/// signed. Where nothing can be said of the entries, or the log contradicts what it signed, it ends early; what was
/// taken up by then is then worth nothing.
pub(crate) fn advance(
    policy: &Policy,
    head: &VerifiedCheckpoint,
    again: &Again<'_>,
    audit: &mut Audit,
    watcher: &mut Watcher,
    folder: &mut EvidenceFolder,
) -> Result<(), Stopped> {
    if let Some(before) = watcher.before() {
        heads::hold_against(before, head, policy, audit.ledger().tree(), folder)?;
    }
    let (from, root) = (audit.ledger().tree().size(), head.checkpoint().root);
    watcher.begin(from, head.checkpoint().size);
    stream::entries(again, audit, watcher)?;
    audit.settle(again, &mut |found| watcher.found(found))?;
    watcher.end()?;
    let computed = audit.ledger().tree().root();
    if computed != root {
        return Err(heads::diverged(computed, watcher.before(), head, policy, again.source(), folder)?.into());
    }
    stream::higher_tiles(again, from.get(), audit, watcher)?;
    watcher.convict(&head.to_note(), audit, again, folder)?;
    Ok(())
}
