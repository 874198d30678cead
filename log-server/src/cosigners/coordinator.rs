//! Which head is asked for, and when it is published.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use countersign_verifier::merkle::TreeSize;
use countersign_verifier::note::SignatureLine;
use countersign_verifier::quorum::Witness;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

use super::target::Target;
use super::witness::Event;
use super::{Ground, not_asked};
use crate::log::{Published, Step};
use crate::sequencer::Queue;
use crate::stage::{self, Stage};
use crate::store::Publication;

/// Which head is asked for, and when it is published.
#[derive(Debug)]
pub(super) struct Coordinator {
    ground: Ground,
    queue: Arc<Queue>,
    targets: watch::Sender<Option<Arc<Target>>>,
    published: watch::Sender<Option<Arc<Published>>>,
    interval: Duration,
    /// The head that waits for its quorum.
    current: Option<Round>,
    /// The head that had its quorum last. More of its cosignatures may still come in.
    latest: Option<Round>,
    writing: Option<Writing>,
    /// The size of the head that was asked for last, or that was published before this run.
    asked: Option<TreeSize>,
    /// When that was.
    offered: Option<Instant>,
    numbers: u64,
}

/// How much longer a head waits for each statement that came since the last one, and how long at most for all of them.
///
/// Log and witnesses spend as much on one head as on ten statements and more. So heads are rarer the more there is to
/// do, by about the time that the statements themselves take.
const GIVES_WAY: Duration = Duration::from_micros(100);
const GIVES_WAY_AT_MOST: Duration = Duration::from_millis(20);

/// One head before the witnesses.
#[derive(Debug)]
struct Round {
    target: Arc<Target>,
    since: Instant,
    /// Verified, by the place of the witness in the policy.
    lines: BTreeMap<usize, SignatureLine>,
    /// Those that say that they have cosigned a larger head, by their place in the policy.
    ahead: BTreeSet<usize>,
    /// How many of the lines are in a note that was given to be written.
    written: Option<usize>,
}

/// A note on its way into the store. Nobody has seen it yet.
#[derive(Debug)]
struct Writing {
    published: Arc<Published>,
    since: Instant,
    durable: oneshot::Receiver<()>,
}

impl Coordinator {
    pub(super) fn new(
        ground: Ground,
        queue: Arc<Queue>,
        targets: watch::Sender<Option<Arc<Target>>>,
        published: watch::Sender<Option<Arc<Published>>>,
        interval: Duration,
    ) -> Self {
        let asked = published.borrow().as_ref().map(|published| published.size);
        Self {
            ground,
            queue,
            targets,
            published,
            interval,
            current: None,
            latest: None,
            writing: None,
            asked,
            offered: None,
            numbers: 0,
        }
    }

    /// Works until the log stops or shuts down.
    pub(super) async fn run(mut self, mut events: mpsc::Receiver<Event>) {
        let mut tip = self.ground.tip.clone();
        let mut stopped = self.ground.stop.subscribe();
        while self.ground.stop.reason().is_none() {
            self.publish();
            self.offer();
            let waits = self.current.is_none() && self.is_behind();
            let due = self.due().unwrap_or_else(Instant::now);
            tokio::select! {
                changed = tip.changed() => if changed.is_err() { return },
                _ = stopped.changed() => return,
                event = events.recv(), if !events.is_closed() => if let Some(event) = event { self.take(event) },
                durable = durable(&mut self.writing) => if !self.show(durable) { return },
                () = tokio::time::sleep_until(due), if waits => {}
            }
        }
    }

    fn take(&mut self, event: Event) {
        let rounds = [&mut self.current, &mut self.latest];
        match event {
            Event::Cosigned { number, at, line } => {
                let round = rounds.into_iter().flatten().find(|round| round.target.number == number);
                if let Some(round) = round {
                    round.lines.insert(at, line);
                }
            }
            Event::Ahead { number, at } => {
                if let Some(round) = self.current.as_mut().filter(|round| round.target.number == number) {
                    round.ahead.insert(at);
                    if self.is_behind() && self.is_hopeless() {
                        self.current = None;
                    }
                }
            }
        }
    }

    /// Whether the head that waits had better give way to a newer one: those that are not ahead of it cannot make up a
    /// quorum, or have not for longer than a request takes. To say that one is ahead costs a witness nothing, and must not
    /// cost the others the head that they are cosigning.
    fn is_hopeless(&self) -> bool {
        let Some(round) = &self.current else { return false };
        let Ground { policy, witnessing, .. } = &self.ground;
        let ahead = |witness: &Witness| {
            let named = round.ahead.iter().filter_map(|at| policy.witnesses().get(*at));
            named.into_iter().any(|ahead| ahead.key == witness.key)
        };
        round.since.elapsed() > witnessing.request_timeout
            || !policy.is_satisfied_by(|witness| not_asked(witness).is_none() && !ahead(witness))
    }

    /// Whether there is a newer head than the one asked for last.
    fn is_behind(&self) -> bool {
        let newest = self.ground.tip.borrow().size();
        self.asked.is_none_or(|asked| newest > asked)
    }

    /// When the newest head may be asked for; the first one at any time.
    fn due(&self) -> Option<Instant> {
        let asked = self.asked.map_or(0, TreeSize::get);
        let grown = u32::try_from(self.ground.tip.borrow().size().get().saturating_sub(asked));
        let gives_way = GIVES_WAY.saturating_mul(grown.unwrap_or(u32::MAX)).min(GIVES_WAY_AT_MOST);
        self.offered?.checked_add(self.interval.saturating_add(gives_way))
    }

    /// Asks for the newest head, if none is asked for and it is time.
    fn offer(&mut self) {
        let now = Instant::now();
        if self.current.is_some() || !self.is_behind() || self.due().is_some_and(|due| now < due) {
            return;
        }
        let tip = self.ground.tip.borrow().clone();
        self.numbers = self.numbers.saturating_add(1);
        self.asked = Some(tip.size());
        self.offered = Some(now);
        self.ground.board.set_awaiting(Some((tip.size(), now)));
        self.ground.steps.reached(Step::Offered, tip.size());
        let target = Arc::new(Target::new(self.numbers, tip));
        self.targets.send_replace(Some(Arc::clone(&target)));
        let (lines, ahead) = (BTreeMap::new(), BTreeSet::new());
        self.current = Some(Round { target, since: now, lines, ahead, written: None });
        // Where no witness is needed, this is all that it takes.
        self.publish();
    }

    /// Gives a note to be written: that of a head which has its quorum now, or, when there is nothing newer to do,
    /// the latest one with the cosignatures that came in late.
    fn publish(&mut self) {
        if self.writing.is_some() {
            return;
        }
        if let Some(round) = self.current.take_if(|round| is_satisfied(&self.ground, round)) {
            self.ground.board.set_awaiting(None);
            stage::record(Stage::Cosigned, round.since.elapsed());
            self.ground.steps.reached(Step::Quorum, round.target.size());
            self.latest = Some(round);
        } else if self.current.is_some() {
            return;
        }
        let Some(round) = &mut self.latest else { return };
        if round.written.is_none_or(|written| written < round.lines.len()) {
            round.written = Some(round.lines.len());
            self.writing = write(&self.ground, &self.queue, round);
        }
    }

    /// Shows what has become durable. `false` when it never will.
    fn show(&mut self, durable: bool) -> bool {
        if let (true, Some(Writing { published, since, .. })) = (durable, self.writing.take()) {
            stage::record(Stage::Published, since.elapsed());
            let size = published.size;
            self.ground.steps.reached(Step::NoteDurable, size);
            self.published.send_replace(Some(published));
            self.ground.steps.reached(Step::Published, size);
        }
        durable
    }
}

fn is_satisfied(ground: &Ground, round: &Round) -> bool {
    ground.policy.is_satisfied_by(|witness| round.lines.values().any(|line| line.names(&witness.key)))
}

fn write(ground: &Ground, queue: &Queue, round: &Round) -> Option<Writing> {
    let head = &round.target.tip.head;
    let lines = head.note.signatures().iter().chain(round.lines.values()).cloned().collect();
    let note = head.note.with_signatures(lines);
    // What is served is what the policy accepts, not what was put together.
    let checkpoint = match ground.policy.verify(&note) {
        Ok(checkpoint) => checkpoint,
        Err(error) => {
            tracing::error!("a head that was to be published does not satisfy the policy: {error}");
            return None;
        }
    };
    let size = round.target.size();
    let witnesses = ground.policy.witnesses();
    let cosigned =
        round.lines.keys().filter_map(|at| Some((witnesses.get(*at)?.key.clone(), size))).collect();
    let note = note.to_string();
    let published = Published { note: note.clone(), size, root: head.checkpoint.root, checkpoint };
    let durable = queue.publish(Publication { note, cosigned });
    Some(Writing { published: Arc::new(published), since: Instant::now(), durable })
}

/// Waits for what is being written; for ever when nothing is.
async fn durable(writing: &mut Option<Writing>) -> bool {
    match writing {
        Some(writing) => (&mut writing.durable).await.is_ok(),
        None => core::future::pending().await,
    }
}
