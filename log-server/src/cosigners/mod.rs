//! The cosigners: they show one head at a time to all witnesses and publish it once its quorum has cosigned.
//!
//! One task a witness does the asking, at its own pace; the coordinator says which head is asked for, counts what
//! comes back, has the note made durable and only then shows it. Witnesses are believed nothing: every line is
//! verified before it counts, and a claim that the log is behind is looked into before it has any effect. Only a head
//! with the log's own signature that contradicts the store stops the log, because somebody signed it.

mod backoff;
mod board;
mod client;
mod coordinator;
mod evidence;
mod judge;
mod probe;
mod target;
mod vouch;
mod witness;

use std::sync::Arc;
use std::time::Duration;

use countersign_verifier::causes::with_causes;
use countersign_verifier::note::{KeyKind, VerifierKey};
use countersign_verifier::quorum::{Policy, Witness};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

pub(crate) use board::Board;
pub(crate) use client::Client;
pub use client::ClientError;
pub(crate) use evidence::{Evidence, FOLDER as EVIDENCE, FORK_SUFFIX as FORK, SUFFIX as NOTE};
pub(crate) use judge::{Judgement, judge};
pub(crate) use probe::probe;
pub(crate) use vouch::vouching;
pub(crate) use witness::SECONDS as WITNESS_SECONDS;

use crate::log::{Published, Steps, StopReason, Witnessing};
use crate::sequencer::{Queue, Tip};
use crate::stop::Stop;
use crate::store::{Store, StoreError};
use crate::tree::{ProofError, TileCache, TreeReader};

/// What every part of the cosigners stands on.
#[derive(Debug, Clone)]
pub(crate) struct Ground {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) tiles: Arc<TileCache>,
    pub(crate) tip: watch::Receiver<Arc<Tip>>,
    pub(crate) stop: Arc<Stop>,
    /// The log's key, whose name is the origin.
    pub(crate) key: VerifierKey,
    pub(crate) policy: Arc<Policy>,
    pub(crate) client: Client,
    pub(crate) evidence: Evidence,
    pub(crate) board: Arc<Board>,
    pub(crate) witnessing: Witnessing,
    pub(crate) steps: Steps,
}

impl Ground {
    /// The tree as of `tip`.
    pub(crate) fn tree<'a>(&'a self, tip: &'a Tip) -> TreeReader<'a, dyn Store> {
        TreeReader::new(&tip.edge, &*self.store, &self.tiles)
    }

    /// Reads the tree somewhere it may take its time: what is read is for a witness to choose, and the threads that talk to
    /// the others must not wait for a disk.
    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, ProofError> + Send + 'static,
    ) -> Result<T, ProofError> {
        let ground = self.clone();
        tokio::task::spawn_blocking(move || work(&ground)).await.unwrap_or_else(|error| {
            Err(StoreError::Failed { doing: "reading for a witness", source: error.into() }.into())
        })
    }

    /// Stops the log if a read failed because of damage.
    pub(crate) fn report(&self, error: &StoreError) {
        if error.is_damage() {
            let size = self.tip.borrow().size();
            self.stop.stop(StopReason::Damaged { size, cause: with_causes(error) });
        }
    }

    /// The same, for a proof.
    pub(crate) fn report_proof(&self, error: &ProofError) {
        if let ProofError::Read(error) = error {
            self.report(error);
        }
    }
}

/// Why a witness cannot be asked; `None` when it can.
pub(crate) fn not_asked(witness: &Witness) -> Option<&'static str> {
    if witness.key.kind() != KeyKind::CosignatureV1 {
        return Some("its key is of a type whose cosignatures are not checked here");
    }
    witness.url.is_none().then_some("the policy gives no URL for it")
}

/// Starts the tasks: one a witness, and the coordinator. They end when the log stops, or with the set they are in.
pub(crate) fn start(
    ground: &Ground,
    queue: Arc<Queue>,
    published: watch::Sender<Option<Arc<Published>>>,
    interval: Duration,
) -> Result<JoinSet<()>, StoreError> {
    let mut tasks = JoinSet::new();
    let targets = watch::Sender::new(None);
    let (events, received) = mpsc::channel(64);
    for (at, witness) in ground.policy.witnesses().iter().enumerate() {
        if let (None, Some(url)) = (not_asked(witness), &witness.url) {
            let cosigned = ground.store.cosigned(&witness.key)?;
            let task = witness::WitnessTask::new(ground.clone(), at, witness.clone(), url.clone(), cosigned);
            tasks.spawn(task.run(targets.subscribe(), events.clone()));
        }
    }
    let coordinator = coordinator::Coordinator::new(ground.clone(), queue, targets, published, interval);
    tasks.spawn(coordinator.run(received));
    Ok(tasks)
}
