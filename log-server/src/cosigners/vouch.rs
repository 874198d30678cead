//! Asking the witnesses of a log that was restored from a copy whether they have cosigned more than the copy has.

use std::sync::Arc;

use countersign_verifier::note::VerifierKey;
use tokio::task::JoinSet;

use super::target::Target;
use super::witness::WitnessTask;
use super::{Ground, not_asked};
use crate::log::OpenError;
use crate::tree::ProofError;

/// The keys of the witnesses that have cosigned nothing but what the store has: each has cosigned the store's head just now.
///
/// Nothing else shows it. A witness cosigns what follows the head that it cosigned last, so that one which has cosigned more
/// cannot cosign this. What it shows to readers may be an hour old, and any other answer, or none, may come from whatever
/// stands between, or from a witness that was mended and does not know what to show. A witness that has never seen the log
/// cosigns its head like any other. Whether it tells the truth is for the quorum, as ever.
pub(crate) async fn vouching(ground: &Ground) -> Result<Vec<VerifierKey>, OpenError> {
    let target = Arc::new(Target::new(0, ground.tip.borrow().clone()));
    let mut asked: JoinSet<Result<Option<VerifierKey>, ProofError>> = JoinSet::new();
    for (at, witness) in ground.policy.witnesses().iter().enumerate() {
        if let (None, Some(url)) = (not_asked(witness), &witness.url) {
            let (key, target) = (witness.key.clone(), Arc::clone(&target));
            let cosigned = ground.store.cosigned(&key)?;
            let task = WitnessTask::new(ground.clone(), at, witness.clone(), url.clone(), cosigned);
            asked.spawn(async move { Ok(task.vouches(&target).await?.then_some(key)) });
        }
    }
    let mut vouching = Vec::new();
    while let Some(result) = asked.join_next().await {
        match result {
            Ok(key) => vouching.extend(key?),
            Err(error) => tracing::error!("asking a witness to vouch for the copy failed: {error}"),
        }
    }
    Ok(vouching)
}
