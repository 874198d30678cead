//! What the judge of lineages makes of an execution. The explorer has no rules of its own: `docs/LINEAGE.md` has them.

use std::collections::HashMap;

use countersign_verifier::lineage::{Judgement, Step, judge};
use countersign_verifier::merkle::{LeafHash, LeafIndex};
use countersign_verifier::statement::{Kind, RefRole, Statement};

use crate::explorer::Explorer;
use crate::index::Gist;
use crate::mirror::{Fetched, ReadError};

/// Judges an execution by all its entries, in the order of the log. `None` for entries that are not those of one
/// execution, such as one that is unreadable.
///
/// It is a judgement of what is on record, by this machine. Signatures and admission it takes as given: a bundle shows
/// them to whoever does not want to.
pub(super) async fn judged(
    explorer: &Explorer,
    entries: &[(Fetched, Option<Statement>)],
) -> Result<Option<Judgement>, ReadError> {
    let mut steps = Vec::new();
    let mut policies: HashMap<LeafHash, (LeafIndex, Kind)> = HashMap::new();
    for (entry, statement) in entries {
        let Some(statement) = statement else { return Ok(None) };
        steps.push(Step { index: entry.index, entry: entry.leaf, statement });
        let policy = statement.references().get(RefRole::Policy).filter(|id| !policies.contains_key(id));
        if let Some(policy) = policy
            && let Some(index) = explorer.mirror().find(policy).await?
            && let Some(kind) = explorer.mirror().known().index().gist(index.get()).and_then(Gist::kind)
        {
            policies.insert(policy, (index, kind));
        }
    }
    Ok(judge(&steps, |entry| policies.get(&entry).copied()).ok())
}
