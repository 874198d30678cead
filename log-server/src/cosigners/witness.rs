//! One witness, asked at its own pace.

use std::sync::Arc;
use std::time::Instant;

use countersign_verifier::cosignature;
use countersign_verifier::merkle::TreeSize;
use countersign_verifier::note::SignatureLine;
use countersign_verifier::quorum::Witness;
use countersign_verifier::witnessing::AddCheckpoint;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use url::Url;

use super::Ground;
use super::backoff::Backoff;
use super::client::Answer;
use super::probe::{CompareError, compare};
use super::target::Target;
use crate::log::{Condition, Step};
use crate::tree::ProofError;

/// How often a witness may name another size before it has to wait.
const MAX_TRIES: usize = 3;
/// The figure of how long witnesses take to answer.
pub(crate) const SECONDS: &str = "countersign_witness_seconds";

/// What a witness's task tells the coordinator.
#[derive(Debug)]
pub(super) enum Event {
    /// The witness cosigned a target; the line is verified.
    Cosigned {
        /// Which target.
        number: u64,
        /// The witness, by its place in the policy.
        at: usize,
        /// Its line.
        line: SignatureLine,
    },
    /// The witness says that it has cosigned a larger head than the target, though none that the log does not have.
    Ahead {
        /// Which target.
        number: u64,
        /// The witness, by its place in the policy.
        at: usize,
    },
}

/// The task of one witness.
#[derive(Debug)]
pub(super) struct WitnessTask {
    ground: Ground,
    at: usize,
    witness: Witness,
    url: Url,
    /// The size that the witness is thought to stand at.
    size: TreeSize,
    /// The largest size that it ever cosigned.
    largest: TreeSize,
    backoff: Backoff,
}

/// What is thought of a witness that names a smaller size than it is known to have cosigned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Forgetful {
    /// It may catch up.
    Pardoned,
    /// It is asked no further: its word on what it cosigned is worth nothing.
    Refused,
}

/// Why a target got no cosignature.
enum Trouble {
    /// As the board shall say.
    Witness(Condition),
    /// The witness says that it is further on than the target.
    Ahead {
        /// The size that it named.
        named: TreeSize,
    },
    /// The store cannot be read.
    Store(ProofError),
}

impl WitnessTask {
    /// `cosigned` is the largest size that the witness is known to have cosigned.
    pub(super) fn new(ground: Ground, at: usize, witness: Witness, url: Url, cosigned: TreeSize) -> Self {
        ground.board.remember(at, cosigned);
        let backoff = Backoff::new(ground.witnessing.min_backoff, ground.witnessing.max_backoff);
        Self { ground, at, witness, url, size: cosigned, largest: cosigned, backoff }
    }

    /// Asks for one target after the other, always the newest, until nobody listens any more.
    pub(super) async fn run(
        mut self,
        mut targets: watch::Receiver<Option<Arc<Target>>>,
        events: mpsc::Sender<Event>,
    ) {
        let mut done = None;
        while !events.is_closed() {
            let target = targets.borrow_and_update().clone();
            let Some(target) = target.filter(|target| done != Some(target.number)) else {
                if targets.changed().await.is_err() {
                    return;
                }
                continue;
            };
            let (number, at) = (target.number, self.at);
            let event = match self.ask(&target, Forgetful::Pardoned).await {
                Ok(line) => {
                    self.backoff.reset();
                    done = Some(number);
                    Event::Cosigned { number, at, line }
                }
                // It is asked again: for a newer head if there is one by then, and else for this.
                Err(Trouble::Ahead { named }) => {
                    self.ground.board.failed(at, ahead(named, &target));
                    if events.send(Event::Ahead { number, at }).await.is_err() {
                        return;
                    }
                    tokio::time::sleep(self.backoff.wait()).await;
                    continue;
                }
                Err(Trouble::Witness(condition)) => {
                    self.ground.board.failed(at, condition);
                    tokio::time::sleep(self.backoff.wait()).await;
                    continue;
                }
                Err(Trouble::Store(error)) => {
                    self.ground.report_proof(&error);
                    tracing::error!(witness = self.witness.name, "no proof for the witness: {error}");
                    tokio::time::sleep(self.backoff.wait()).await;
                    continue;
                }
            };
            if events.send(event).await.is_err() {
                return;
            }
        }
    }

    /// Whether the witness vouches that it has cosigned nothing but what the tree of the target has: it cosigns the target
    /// now, and is not known to have forgotten anything. If it does not, the board says why.
    pub(super) async fn vouches(mut self, target: &Target) -> Result<bool, ProofError> {
        let limit = self.ground.witnessing.request_timeout;
        let condition = match timeout(limit, self.ask(target, Forgetful::Refused)).await {
            Ok(Ok(_)) => return Ok(true),
            Ok(Err(Trouble::Store(error))) => return Err(error),
            Ok(Err(Trouble::Ahead { named })) => ahead(named, target),
            Ok(Err(Trouble::Witness(condition))) => condition,
            Err(_) => Condition::Unreachable("it does not answer in time".to_owned()),
        };
        self.ground.board.failed(self.at, condition);
        Ok(false)
    }

    async fn ask(&mut self, target: &Target, forgetful: Forgetful) -> Result<SignatureLine, Trouble> {
        for _ in 0..MAX_TRIES {
            if self.size > target.size() {
                return Err(Trouble::Ahead { named: self.size });
            }
            let proof = target.proof(self.size, &self.ground).await.map_err(Trouble::Store)?;
            let checkpoint = target.tip.head.note.clone();
            let request = AddCheckpoint { old: self.size, proof: proof.to_vec(), checkpoint };
            self.ground.steps.reached(Step::Asked, target.size());
            let asked = Instant::now();
            let answer = self.ground.client.add_checkpoint(&self.url, request.to_string()).await;
            metrics::histogram!(SECONDS, "witness" => self.witness.name.clone()).record(asked.elapsed());
            match answer {
                Ok(Answer::Lines(lines)) => return self.accept(target, &lines),
                Ok(Answer::Conflict(named)) => self.believe(named, target, forgetful).await?,
                Ok(Answer::Inconsistent(answer)) => {
                    // It holds another tree under the log's name. If the log's key signed that, the log must stop.
                    self.compare().await?;
                    return Err(Trouble::Witness(Condition::Refusing(answer)));
                }
                Err(error) => return Err(Trouble::Witness(error.into())),
            }
        }
        let slippery = format!("it named another size {MAX_TRIES} times in a row, the last {}", self.size);
        Err(Trouble::Witness(Condition::Refusing(slippery)))
    }

    /// Finds the witness's own line among those that it answered with, and verifies it.
    fn accept(&mut self, target: &Target, lines: &[SignatureLine]) -> Result<SignatureLine, Trouble> {
        let refusing = |what: String| Trouble::Witness(Condition::Refusing(what));
        let line = lines
            .iter()
            .find(|line| line.names(&self.witness.key))
            .ok_or_else(|| refusing("it answers 200 without a line by the key in the policy".to_owned()))?;
        let time = cosignature::verify(target.tip.head.note.text(), line, &self.witness.key)
            .map_err(|error| refusing(format!("its cosignature is false: {error}")))?;
        if time.get() == 0 {
            return Err(refusing("its cosignature states no time".to_owned()));
        }
        self.size = target.size();
        self.largest = self.largest.max(self.size);
        self.ground.board.cosigned(self.at, self.size);
        self.ground.steps.reached(Step::Cosigned, self.size);
        Ok(line.clone())
    }

    /// Takes up the size that the witness says it stands at, if the log can go on from there.
    async fn believe(
        &mut self,
        named: TreeSize,
        target: &Target,
        forgetful: Forgetful,
    ) -> Result<(), Trouble> {
        let held = self.ground.tip.borrow().size();
        if named > held {
            self.compare().await?;
            return Err(Trouble::Witness(Condition::Disagreeing { named }));
        }
        if named > target.size() {
            return Err(Trouble::Ahead { named });
        }
        if named < self.largest {
            let before = self.largest;
            if forgetful == Forgetful::Refused {
                return Err(Trouble::Witness(Condition::RolledBack { named, before }));
            }
            self.ground.board.rolled_back(self.at, named, before);
        }
        self.size = named;
        Ok(())
    }

    /// Compares the head that the witness shows to everyone with the store. If the log signed it and does not have
    /// it, this stops the log.
    async fn compare(&self) -> Result<(), Trouble> {
        let hash = self.ground.tip.borrow().head.checkpoint.origin.hash();
        match compare(&self.ground, &self.witness.name, &self.url, &hash).await {
            // What it cannot or will not show, it cannot hold against the log.
            Ok(()) | Err(CompareError::Call(_)) => Ok(()),
            Err(CompareError::Tree(error)) => Err(Trouble::Store(error)),
        }
    }
}

/// What is said of a witness that names a size beyond the head that it was asked for, which the log has reached meanwhile.
fn ahead(named: TreeSize, target: &Target) -> Condition {
    Condition::Refusing(format!("it names size {named}, asked to cosign the head of size {}", target.size()))
}
