//! The sequencer: one thread that alone writes the tree.
//!
//! It takes whatever waits, admits it, appends it, and writes everything that follows in one batch with one sync. While
//! one batch syncs, the next gathers, and what is alone waits for nothing: an idle log answers at once and a busy one
//! batches. A head is signed only after its batch is durable. Ed25519 is deterministic and the batch holds size and
//! root, so the signed head is as durable as the batch: after a crash the same head gets the same signature.

mod presence;
mod queue;
mod submission;

use std::sync::Arc;

use countersign_verifier::causes::with_causes;
use countersign_verifier::checkpoint::{Checkpoint, Origin};
use countersign_verifier::merkle::TreeSize;
use countersign_verifier::note::NoteSigner;
use tokio::sync::watch;

pub(crate) use queue::{Announced, PendingPublication, Queue, Work};
pub(crate) use submission::Submission;

use crate::high_water::HighWater;
use crate::log::{SequencedHead, Step, Steps, StopReason, SubmitError};
use crate::registrar::{self, Committed, Decisions, Issuers, Overlay};
use crate::stage::{self, Stage};
use crate::stop::Stop;
use crate::store::{Batch, Growth, Head, NewEntry, Store, StoreError};
use crate::tree::{Edge, TileCache, TreeReader};

/// The newest durable tree and its signed head.
#[derive(Debug)]
pub(crate) struct Tip {
    pub(crate) edge: Edge,
    pub(crate) head: Arc<SequencedHead>,
}

impl Tip {
    /// Signs the head of a durable tree.
    pub(crate) fn sign(edge: Edge, origin: &Origin, signer: &NoteSigner) -> Self {
        let checkpoint = Checkpoint::new(origin.clone(), edge.size(), edge.root());
        let note = checkpoint.sign(signer);
        let text = note.to_string();
        Self { edge, head: Arc::new(SequencedHead { checkpoint, note, text }) }
    }

    /// How many entries are durable.
    pub(crate) fn size(&self) -> TreeSize {
        self.edge.size()
    }
}

/// What the sequencer's thread owns.
#[derive(Debug)]
pub(crate) struct Sequencer {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) issuers: Arc<Issuers>,
    pub(crate) tiles: Arc<TileCache>,
    pub(crate) origin: Origin,
    pub(crate) signer: Arc<NoteSigner>,
    pub(crate) queue: Arc<Queue>,
    pub(crate) tip: watch::Sender<Arc<Tip>>,
    pub(crate) high_water: HighWater,
    pub(crate) stop: Arc<Stop>,
    pub(crate) steps: Steps,
}

/// A batch that is built and not written yet.
struct Built {
    batch: Batch,
    /// The tree with the batch, when the batch has entries.
    edge: Option<Edge>,
    /// One for each submission.
    decisions: Vec<Decisions>,
}

impl Sequencer {
    /// Works until the queue is closed and empty.
    pub(crate) fn run(self) {
        // Should the thread end in any other way, nobody may be left to wait for it.
        let fault = OnFault { sequencer: &self };
        while let Some(work) = self.queue.take() {
            self.step(work);
        }
        core::mem::forget(fault);
    }

    fn step(&self, mut work: Work) {
        if let Some(reason) = self.stop.reason() {
            return work.refuse(&SubmitError::Stopped(reason));
        }
        let tip = self.tip.borrow().clone();
        let size = tip.size();
        // Where this ends early, those who wait learn it by their work being dropped, and then look up the reason.
        let Built { batch, edge, decisions } =
            match stage::timed(Stage::Sequenced, || self.build(&tip, &mut work)).0 {
                Ok(built) => built,
                Err(error) => {
                    let (damaged, cause) = (error.is_damage(), with_causes(&error));
                    let reason = if damaged {
                        StopReason::Damaged { size, cause }
                    } else {
                        StopReason::Read { size, cause }
                    };
                    return self.stop.stop(reason);
                }
            };
        let grown = edge.as_ref().map(Edge::size);
        let reached = |step| grown.into_iter().for_each(|size| self.steps.reached(step, size));
        reached(Step::Built);
        if batch.growth.is_some() || batch.publication.is_some() {
            let (written, took) = stage::timed(Stage::Synced, || self.store.commit(&batch));
            if let Err(error) = written {
                return self.stop.stop(StopReason::Write { size, cause: with_causes(&error) });
            }
            self.queue.wrote(took);
        }
        reached(Step::Durable);
        if let (Some(edge), Some(growth)) = (edge, &batch.growth) {
            self.issuers.changed_by(&growth.entries);
            let tip = Tip::sign(edge, &self.origin, &self.signer);
            if let Err(error) = self.high_water.raise(&tip.head.text) {
                return self.stop.stop(StopReason::Write { size, cause: format!("high-water: {error}") });
            }
            reached(Step::Remembered);
            for (id, tile) in &growth.full_tiles {
                self.tiles.keep(*id, tile);
            }
            self.tip.send_replace(Arc::new(tip));
            reached(Step::Sequenced);
        }
        work.answer(decisions);
    }

    /// Admits what waits, in its order, and computes everything that has to be written.
    fn build(&self, tip: &Tip, work: &mut Work) -> Result<Built, StoreError> {
        let tree = TreeReader::new(&tip.edge, &*self.store, &self.tiles);
        let committed = Committed { store: &*self.store, issuers: &self.issuers, tree, ahead: false };
        let mut state = Overlay::over(&committed);
        let mut entries: Vec<NewEntry> = Vec::new();
        let mut decisions = Vec::with_capacity(work.groups.len());
        for group in &mut work.groups {
            let statements = group.take_statements();
            decisions.push(registrar::decide(&mut state, statements, group.atomicity(), &mut entries)?);
        }
        let publication = work.publication.as_mut().and_then(PendingPublication::take_row);
        let mut batch = Batch { growth: None, publication };
        if entries.is_empty() {
            return Ok(Built { batch, edge: None, decisions });
        }
        let mut edge = tip.edge.clone();
        // Admission refuses what would make the tree too large, so this never fails; if it did, nothing is written.
        let full = StoreError::MissingRow { row: "room for another entry" };
        let appended = edge.append(entries.iter().map(|entry| entry.effects.entry.0)).ok_or(full)?;
        let head = Head { size: edge.size(), root: edge.root() };
        batch.growth = Some(Growth { entries, full_tiles: appended.full_tiles, edge: appended.edge, head });
        Ok(Built { batch, edge: Some(edge), decisions })
    }
}

/// Stops the log when the sequencer's thread unwinds.
struct OnFault<'a> {
    sequencer: &'a Sequencer,
}

impl Drop for OnFault<'_> {
    fn drop(&mut self) {
        let size = self.sequencer.tip.borrow().size();
        self.sequencer.stop.stop(StopReason::Fault { size });
        self.sequencer.queue.close();
        while let Some(work) = self.sequencer.queue.take() {
            drop(work);
        }
    }
}
