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

/// Fetches the head that each witness shows of this log, all at once, and compares it with the store. One that
/// contradicts it stops the log. Witnesses that cannot be reached are only warned about.
///
/// That none shows a contradiction does not say that there is none: what a witness shows may be an hour old (C2SP
/// tlog-witness), and it need not show anything.
pub(crate) async fn probe(ground: &Ground, origin: &Origin) -> Result<(), OpenError> {
    let mut asked: JoinSet<Result<(), ProofError>> = JoinSet::new();
    for (at, witness) in ground.policy.witnesses().iter().enumerate() {
        if let (None, Some(url)) = (not_asked(witness), &witness.url) {
            let (ground, name, url, hash) =
                (ground.clone(), witness.name.clone(), url.clone(), origin.hash());
            asked.spawn(async move {
                match timeout(ground.witnessing.probe_timeout, compare(&ground, &name, &url, &hash)).await {
                    Ok(Ok(())) => {}
                    Ok(Err(CompareError::Tree(error))) => return Err(error),
                    Ok(Err(CompareError::Call(error))) => ground.board.failed(at, error.into()),
                    Err(_) => {
                        let late = "it does not answer in time".to_owned();
                        ground.board.failed(at, Condition::Unreachable(late));
                    }
                }
                Ok(())
            });
        }
    }
    while let Some(result) = asked.join_next().await {
        match result {
            Ok(compared) => compared?,
            Err(error) => tracing::error!("asking a witness what it has seen failed: {error}"),
        }
    }
    Ok(())
}

/// Why the head of a witness could not be compared.
#[derive(Debug, thiserror::Error)]
pub(super) enum CompareError {
    #[error(transparent)]
    Call(#[from] CallError),
    #[error(transparent)]
    Tree(#[from] ProofError),
}

/// Fetches the head that a witness shows of this log and compares it with the store. One that contradicts it is kept as
/// evidence and stops the log.
pub(super) async fn compare(
    ground: &Ground,
    name: &str,
    url: &Url,
    origin_hash: &str,
) -> Result<(), CompareError> {
    let Some(note) = ground.client.monitoring_checkpoint(url, origin_hash).await? else { return Ok(()) };
    let witness = name.to_owned();
    Ok(ground.read(move |ground| hold_against(ground, witness, &note)).await?)
}

/// Compares a head that a witness shows with the store.
fn hold_against(ground: &Ground, witness: String, note: &[u8]) -> Result<(), ProofError> {
    let tip = ground.tip.borrow().clone();
    let Judgement::Contradicts { size, contradiction } = judge(note, ground, &tip)? else { return Ok(()) };
    let evidence = ground.evidence.keep(&witness, size, note);
    if let (Some(path), Contradiction::Forked) = (&evidence, contradiction) {
        Evidence::keep_fork(path, size, note, ground, &tip);
    }
    let held = tip.size();
    ground.stop.stop(StopReason::Witnessed { witness, seen: size, held, contradiction, evidence });
    Ok(())
}
