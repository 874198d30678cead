//! Following the log from head to head.

use std::cmp;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use countersign_verifier::causes::with_causes;
use countersign_verifier::checkpoint::Checkpoint;
use countersign_verifier::merkle::{ProofError, ProofPlan, RootHash, TreeSize, verify_consistency};
use countersign_verifier::note::{MAX_NOTE_BYTES, SignedNote};
use countersign_verifier::tiles::FULL_WIDTH;

use super::known::{Chunk, Head};
use super::trouble::{Evidence, ReadError, Trouble};
use super::{Mirror, read};
use crate::figures;
use crate::source::SourceError;

/// How many entries are read and verified at once: 16 bundles.
const CHUNK: u64 = 16 * FULL_WIDTH;
/// From how many entries on hashing gets a thread of its own.
const MANY: usize = 64;
/// How many entries a page waits for when somebody follows the log anyway: 4 bundles, which take milliseconds.
const A_LONG_WAY: u64 = 4 * FULL_WIDTH;
/// How long a log at rest is left alone between two looks, and one that grows fast.
const IDLE: Duration = Duration::from_secs(1);
const BUSY: Duration = Duration::from_millis(100);

/// What went wrong, with the note that was served when it did.
struct Stop {
    trouble: Trouble,
    served: Option<String>,
}

impl<T: Into<Trouble>> From<T> for Stop {
    fn from(trouble: T) -> Self {
        Self { trouble: trouble.into(), served: None }
    }
}

impl Mirror {
    /// Reads the log as it grows, for as long as this is polled. The more it grows, the less it rests: so a log that
    /// takes thousands of entries a second is followed in small steps.
    pub(crate) async fn follow(self: Arc<Self>) {
        self.is_followed.store(true, Ordering::Relaxed);
        loop {
            let before = self.known().read_up_to();
            // What a page would not wait for, this does.
            let _ = self.ask().await;
            let read = self.known().read_up_to().get().saturating_sub(before.get());
            tokio::time::sleep(if read > A_LONG_WAY { BUSY } else { IDLE }).await;
        }
    }

    /// Looks at the log once, and follows it as far as it can be verified.
    pub(super) async fn look(&self) {
        let result = self.try_look().await;
        self.is_far.send_replace(false);
        self.take_down(result);
        figures::set(&self.known());
    }

    /// Takes down what a look at the log came to.
    fn take_down(&self, result: Result<(), Stop>) {
        let now = self.now();
        let mut known = self.known_mut();
        known.looked_at = Some(now);
        let Err(Stop { trouble, served }) = result else {
            if known.trouble.take().is_some() {
                tracing::info!("following the log again");
            }
            known.agreed_at = Some(now);
            return;
        };
        if known.trouble.as_ref() != Some(&trouble) {
            if trouble.is_alarm() {
                tracing::error!(trouble = %with_causes(&trouble), "the log contradicts itself");
            } else if trouble == Trouble::NoHeadYet {
                // How every log begins.
                tracing::info!("the log has not published a head yet");
            } else {
                tracing::warn!(trouble = %with_causes(&trouble), "the log cannot be followed");
            }
        }
        if let Some(served) = served.filter(|_| trouble.is_alarm()) {
            let note = known.head.as_ref().map(|head| head.verified.to_note().to_string());
            known.keep(Evidence { seen_at: now, trouble: trouble.clone(), known: note, served });
        }
        known.trouble = Some(trouble);
    }

    async fn try_look(&self) -> Result<(), Stop> {
        // A log that signed two contradicting heads has nothing more to say here.
        let forked = self.known().fork().cloned();
        if let Some(evidence) = forked {
            return Err(Stop { trouble: evidence.trouble, served: Some(evidence.served) });
        }
        let known = self.known().head().cloned();
        let bytes = match self.source.get("checkpoint", MAX_NOTE_BYTES).await {
            Err(SourceError::NotFound(_)) if known.is_none() => return Err(Trouble::NoHeadYet.into()),
            Err(SourceError::NotFound(_)) => return Err(Trouble::HeadWithdrawn.into()),
            answer => answer.map_err(ReadError::from)?,
        };
        if let Some(head) = known.as_ref().filter(|head| head.served == bytes) {
            return self.read_up_to(head).await;
        }
        let note = SignedNote::parse(&bytes)?;
        let verified = self.policy.verify(&note)?;
        let head = Head { verified, served: bytes };
        let result = match &known {
            None => self.read_up_to(&head).await,
            Some(known) => self.move_on(known, &head).await,
        };
        result.map_err(|stop| Stop { served: Some(note.to_string()), ..stop })
    }

    /// Goes from one accepted head to another.
    async fn move_on(&self, known: &Head, head: &Head) -> Result<(), Stop> {
        let (old, new) = (known.verified.checkpoint(), head.verified.checkpoint());
        if old.origin != new.origin {
            let (known, served) = (old.origin.to_string(), new.origin.to_string());
            return Err(Trouble::OtherLog { known, served }.into());
        }
        match new.size.cmp(&old.size) {
            cmp::Ordering::Less => {
                self.compare_older(new, old).await?;
                Err(Trouble::Older { known: old.size, served: new.size }.into())
            }
            cmp::Ordering::Equal if new.root != old.root => {
                Err(Trouble::Fork { size: old.size, known: old.root, served: new.root }.into())
            }
            cmp::Ordering::Equal => {
                // The same tree with other cosignatures under it.
                self.known_mut().head = Some(head.clone());
                self.read_up_to(head).await
            }
            cmp::Ordering::Greater => {
                // What is read up to the old head binds the new one. What is not, only a proof can bind.
                if self.known().read_up_to() < old.size {
                    self.prove_begins_with(old.size, old.root, new).await?;
                }
                self.read_up_to(head).await
            }
        }
    }

    /// Compares an older head with the tree as it was at its size.
    async fn compare_older(&self, older: &Checkpoint, newer: &Checkpoint) -> Result<(), Stop> {
        if older.size > self.known().read_up_to() {
            return self.prove_begins_with(older.size, older.root, newer).await;
        }
        match self.root_at(older.size).await? {
            root if root == older.root => Ok(()),
            known => Err(Trouble::Fork { size: older.size, known, served: older.root }.into()),
        }
    }

    /// Reads entries until the mirror has all that the head covers.
    async fn read_up_to(&self, head: &Head) -> Result<(), Stop> {
        let target = head.verified.checkpoint();
        loop {
            let edge = self.known().tree.edge.clone();
            let from = edge.size();
            let left = target.size.get().saturating_sub(from.get());
            // While there is nothing to show, waiting is better than a refusal.
            let shows = !from.is_empty() && self.is_followed.load(Ordering::Relaxed);
            self.is_far.send_replace(shows && left > A_LONG_WAY);
            if from >= target.size {
                check_root(target, edge.root())?;
                self.known_mut().head = Some(head.clone());
                return Ok(());
            }
            let boundary = (from.get() / CHUNK).saturating_add(1).saturating_mul(CHUNK);
            let to = TreeSize::new(boundary).map_or(target.size, |boundary| boundary.min(target.size));
            let entries = read::entries(&self.source, from.get(), to).await?;
            let hash = move || Chunk::hash(edge, &entries);
            let chunk = if to.get().saturating_sub(from.get()) < MANY as u64 {
                hash()
            } else {
                tokio::task::spawn_blocking(hash).await.map_err(|_| ReadError::Interrupted)?
            };
            if to == target.size {
                check_root(target, chunk.edge.root())?;
            } else {
                self.prove_begins_with(to, chunk.edge.root(), target).await?;
            }
            for part in &chunk.parts {
                self.known_mut().accept(part, head);
                self.let_readers_by().await;
            }
            // A long way is shown while it is gone.
            figures::set(&self.known());
        }
    }

    /// Shows from the log's tiles that the tree of a head begins with a smaller one.
    async fn prove_begins_with(&self, size: TreeSize, root: RootHash, head: &Checkpoint) -> Result<(), Stop> {
        let unproven = |cause| Trouble::Unproven { head: Box::new(head.clone()), cause };
        let plan = ProofPlan::consistency(size, head.size)
            .map_err(|_| unproven(ProofError::Shrinks { from: size, to: head.size }))?;
        let nodes = read::nodes(&self.source, &plan, head.size).await?;
        let proof = plan.build(&nodes).map_err(|_| ReadError::NoSuchPart(head.size))?;
        Ok(verify_consistency(size, root, head.size, head.root, &proof).map_err(unproven)?)
    }
}

fn check_root(head: &Checkpoint, computed: RootHash) -> Result<(), Trouble> {
    if computed == head.root {
        return Ok(());
    }
    let cause = ProofError::RootMismatch { computed, expected: head.root };
    Err(Trouble::Unproven { head: Box::new(head.clone()), cause })
}
