//! The mirror: a verifying reader of a log's public protocol.
//!
//! It believes a head that the trust policy accepts and that extends what it verified before, and entries whose
//! hashes lead to exactly the root of such a head. It never goes back. When the log contradicts itself, it keeps
//! both sides, stands still, and goes on showing what it had verified.

mod follow;
mod known;
mod look_up;
mod read;
mod trouble;

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

use countersign_verifier::quorum::Policy;
use tokio::sync::{Mutex, watch};
use tokio::task::JoinHandle;

pub(crate) use known::Known;
pub(crate) use look_up::{Fetched, PathProof};
pub(crate) use trouble::{Evidence, ProofTrouble, ReadError, Trouble};

use crate::clock::Clock;
use crate::source::Source;

/// How long a page waits for the mirror to come up to date before it is answered from what there is.
const PATIENCE: Duration = Duration::from_millis(1_500);
/// How long a log that is asked over a network is left alone between two looks at its head.
const REMOTE_PAUSE: Duration = Duration::from_secs(1);

/// A verifying reader of one log.
#[derive(Debug)]
pub(crate) struct Mirror {
    source: Source,
    policy: Policy,
    clock: Clock,
    known: RwLock<Known>,
    /// How many readers wait for `known`.
    waiting: AtomicUsize,
    /// How many callers asked to be brought up to date so far.
    asked: AtomicU64,
    /// Known by whoever looks at the log.
    turn: Mutex<Turn>,
    /// Whether somebody reads the log also when nobody asks for a page.
    is_followed: AtomicBool,
    /// Whether so much is being read that no page should wait for it.
    is_far: watch::Sender<bool>,
    bundles: look_up::Bundles,
}

#[derive(Debug, Default)]
struct Turn {
    /// All who asked up to this number are served.
    served: u64,
    ended: Option<Instant>,
}

impl Mirror {
    pub(crate) fn new(source: Source, policy: Policy, clock: Clock) -> Self {
        Self {
            source,
            policy,
            clock,
            known: RwLock::default(),
            waiting: AtomicUsize::new(0),
            asked: AtomicU64::new(0),
            turn: Mutex::default(),
            is_followed: AtomicBool::new(false),
            is_far: watch::Sender::new(false),
            bundles: look_up::Bundles::default(),
        }
    }

    /// What is verified so far. The lock is for looking things up, never for waiting.
    pub(crate) fn known(&self) -> RwLockReadGuard<'_, Known> {
        if let Ok(known) = self.known.try_read() {
            return known;
        }
        self.waiting.fetch_add(1, Ordering::SeqCst);
        // Whoever panicked with the lock had only appended: what is there is still true.
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        known
    }

    /// Gives way to all who waited for the lock while it was written to. Without that, whoever writes many times in a row
    /// could take it again before any of them wakes.
    async fn let_readers_by(&self) {
        while self.waiting.load(Ordering::SeqCst) > 0 {
            tokio::task::yield_now().await;
        }
    }

    pub(crate) fn policy(&self) -> &Policy {
        &self.policy
    }

    pub(crate) fn source(&self) -> &Source {
        &self.source
    }

    pub(crate) fn now(&self) -> u64 {
        self.clock.now()
    }

    /// Brings the mirror to the head that the log publishes now, as far as that is possible in a moment.
    ///
    /// Callers at the same time share one look at the log, but none is served by a look that began before it asked,
    /// unless the log is remote and was looked at within the last second. Where a long way lies ahead and somebody
    /// follows the log anyway, nobody is kept waiting: a page says how far it is.
    pub(crate) async fn catch_up(self: &Arc<Self>) {
        let mut is_far = self.is_far.subscribe();
        tokio::select! {
            _ = tokio::time::timeout(PATIENCE, self.ask()) => {}
            _ = is_far.wait_for(|is_far| *is_far) => {}
        }
    }

    /// Asks to be brought up to date.
    fn ask(self: &Arc<Self>) -> JoinHandle<()> {
        let number = self.asked.fetch_add(1, Ordering::SeqCst).saturating_add(1);
        let mirror = Arc::clone(self);
        // A task of its own: a reader who hangs up must not stop what others wait for.
        tokio::spawn(async move { mirror.take_turn(number).await })
    }

    async fn take_turn(&self, number: u64) {
        let mut turn = self.turn.lock().await;
        let rested =
            self.source.is_memory() || turn.ended.is_none_or(|ended| ended.elapsed() >= REMOTE_PAUSE);
        if turn.served >= number || !rested {
            return;
        }
        let serves = self.asked.load(Ordering::SeqCst);
        self.look().await;
        *turn = Turn { served: serves, ended: Some(Instant::now()) };
    }

    fn known_mut(&self) -> RwLockWriteGuard<'_, Known> {
        self.known.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use countersign_verifier::checkpoint::{Checkpoint, Origin};
    use countersign_verifier::merkle::CompactRange;
    use countersign_verifier::note::{KeyName, NoteSigner};

    use super::known::{Chunk, Head};
    use super::*;

    #[tokio::test]
    async fn a_reader_waits_for_one_part_of_what_is_taken_in_and_never_for_all() {
        let entries: Vec<Vec<u8>> = (0..600_u64).map(|number| number.to_be_bytes().to_vec()).collect();
        let chunk = Chunk::hash(CompactRange::new(), &entries);
        let key = NoteSigner::from_seed(KeyName::new("log.example/parts").unwrap(), false, &[1; 32]);
        let policy = format!("log {}\nquorum none\n", key.verifier());
        let policy = Policy::parse(policy.as_bytes()).unwrap();
        let origin = Origin::new("log.example/parts").unwrap();
        let note = Checkpoint::new(origin, chunk.edge.size(), chunk.edge.root()).sign(&key);
        let head =
            Head { verified: policy.verify(&note).unwrap(), served: bytes::Bytes::from(note.to_string()) };
        let mirror = Arc::new(Mirror::new(Source::memory(Router::new()), policy, Clock::of(|| 0)));
        let mut seen = Vec::new();
        for part in &chunk.parts {
            let reader = {
                let mut known = mirror.known_mut();
                let reader = Arc::clone(&mirror);
                let reader = std::thread::spawn(move || reader.known().read_up_to().get());
                while mirror.waiting.load(Ordering::SeqCst) == 0 {
                    std::thread::sleep(Duration::from_millis(1));
                }
                known.accept(part, &head);
                reader
            };
            mirror.let_readers_by().await;
            // Only now would the next part be taken in.
            seen.push(reader.join().unwrap());
        }
        assert_eq!(seen, [256, 512, 600]);
    }
}
