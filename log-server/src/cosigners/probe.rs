//! Asking the witnesses, before anything is admitted, what they have seen of this log.

use countersign_verifier::checkpoint::Origin;
use tokio::task::JoinSet;
use tokio::time::timeout;
use url::Url;

use super::client::CallError;
use super::judge::{Judgement, judge};
use super::{Evidence, Ground, not_asked};
use crate::log::{Condition, Contradiction, OpenError, StopReason};
use crate::tree::ProofError;

/// Fetches the newest head that each witness has of this log, all at once, and compares it with the store. One that
/// contradicts it stops the log. Witnesses that cannot be reached are only warned about. Returns the names of those which
/// showed that they have seen nothing that is not in the store.
pub(crate) async fn probe(ground: &Ground, origin: &Origin) -> Result<Vec<String>, OpenError> {
    let mut asked: JoinSet<Result<Option<String>, ProofError>> = JoinSet::new();
    for (at, witness) in ground.policy.witnesses().iter().enumerate() {
        if let (None, Some(url)) = (not_asked(witness), &witness.url) {
            let (ground, name, url, hash) =
                (ground.clone(), witness.name.clone(), url.clone(), origin.hash());
            asked.spawn(async move {
                match timeout(ground.witnessing.probe_timeout, compare(&ground, &name, &url, &hash)).await {
                    Ok(Ok(Shown::Nothing)) => return Ok(Some(name)),
                    Ok(Ok(Shown::Other)) => {}
                    Ok(Err(CompareError::Tree(error))) => return Err(error),
                    Ok(Err(CompareError::Call(error))) => {
                        ground.board.failed(at, Condition::Unreachable(error.to_string()));
                    }
                    Err(_) => {
                        let late = "it does not answer in time".to_owned();
                        ground.board.failed(at, Condition::Unreachable(late));
                    }
                }
                Ok(None)
            });
        }
    }
    let mut agree = Vec::new();
    while let Some(result) = asked.join_next().await {
        match result {
            Ok(compared) => agree.extend(compared?),
            Err(error) => tracing::error!("asking a witness what it has seen failed: {error}"),
        }
    }
    Ok(agree)
}

/// What a witness has to hold against the store, when that is no proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    /// It has seen nothing, or what is in the store.
    Nothing,
    /// It shows something that the log did not sign, or that stopped the log.
    Other,
}

/// Why the head of a witness could not be compared.
#[derive(Debug, thiserror::Error)]
pub(super) enum CompareError {
    #[error(transparent)]
    Call(#[from] CallError),
    #[error(transparent)]
    Tree(#[from] ProofError),
}

/// Fetches the newest head that a witness has of this log and compares it with the store. One that contradicts it is
/// kept as evidence and stops the log.
pub(super) async fn compare(
    ground: &Ground,
    name: &str,
    url: &Url,
    origin_hash: &str,
) -> Result<Shown, CompareError> {
    let Some(note) = ground.client.monitoring_checkpoint(url, origin_hash).await? else {
        return Ok(Shown::Nothing);
    };
    let tip = ground.tip.borrow().clone();
    let (size, contradiction) = match judge(&note, ground, &tip)? {
        Judgement::Consistent => return Ok(Shown::Nothing),
        Judgement::Unproven => return Ok(Shown::Other),
        Judgement::Contradicts { size, contradiction } => (size, contradiction),
    };
    let evidence = ground.evidence.keep(name, size, &note);
    if let (Some(path), Contradiction::Forked) = (&evidence, contradiction) {
        Evidence::keep_fork(path, size, &note, ground, &tip);
    }
    let (witness, held) = (name.to_owned(), tip.size());
    ground.stop.stop(StopReason::Witnessed { witness, seen: size, held, contradiction, evidence });
    Ok(Shown::Other)
}
