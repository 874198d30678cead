//! What tests of this crate share: keys, trees and heads.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use countersign_verifier::checkpoint::{Checkpoint, LogSigned, Origin};
use countersign_verifier::cosignature::Timestamp;
use countersign_verifier::merkle::{CompactRange, LeafHash, NodeHash, ProofPlan, RootHash, TreeSize};
use countersign_verifier::note::{KeyName, NoteSigner};

use crate::clock::Clock;
use crate::cosigned::{Cosigned, Cosigner};

/// The key of the witness.
pub(crate) fn cosigner() -> Cosigner {
    Cosigner::new(NoteSigner::from_seed(KeyName::new("w.example").unwrap(), true, &[2; 32])).unwrap()
}

/// The key of a log.
pub(crate) fn log(origin: &str) -> NoteSigner {
    NoteSigner::from_seed(KeyName::new(origin).unwrap(), false, &[1; 32])
}

/// The root of the tree with the entries `entry-0`, `entry-1` and so on.
pub(crate) fn root(size: u64) -> RootHash {
    let mut tree = CompactRange::new();
    for entry in 0..size {
        assert!(tree.append(LeafHash::of(format!("entry-{entry}").as_bytes()), |_, _| {}));
    }
    tree.root()
}

/// A head of that tree, signed by a log.
pub(crate) fn signed(log: &NoteSigner, size: u64) -> LogSigned {
    signed_root(log, size, root(size))
}

/// A head of any tree, signed by a log.
pub(crate) fn signed_root(log: &NoteSigner, size: u64, root: RootHash) -> LogSigned {
    let origin = Origin::new(log.verifier().name().as_str()).unwrap();
    let checkpoint = Checkpoint::new(origin, TreeSize::new(size).unwrap(), root);
    LogSigned::open(&checkpoint.sign(log), std::slice::from_ref(log.verifier())).unwrap()
}

/// The head, cosigned.
pub(crate) fn head(log: &NoteSigner, size: u64, time: u64) -> Cosigned {
    cosigner().cosign(&signed(log, size), Timestamp::new(time).unwrap()).unwrap()
}

/// A clock that stands where it is put.
#[derive(Debug, Default)]
pub(crate) struct StoppedClock {
    now: AtomicU64,
    running: AtomicU64,
}

impl StoppedClock {
    pub(crate) fn at(now: u64) -> Arc<Self> {
        Arc::new(Self { now: now.into(), running: 0.into() })
    }

    pub(crate) fn put(&self, now: u64) {
        self.now.store(now, Ordering::SeqCst);
    }

    pub(crate) fn let_run(&self, seconds: u64) {
        self.running.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for StoppedClock {
    fn now(&self) -> Option<Timestamp> {
        Timestamp::new(self.now.load(Ordering::SeqCst)).filter(|time| time.get() > 0)
    }

    fn running(&self) -> Duration {
        Duration::from_secs(self.running.load(Ordering::SeqCst))
    }
}

/// The consistency proof between two sizes of that tree.
pub(crate) fn proof(from: u64, to: u64) -> Vec<NodeHash> {
    let mut nodes = HashMap::new();
    let mut tree = CompactRange::new();
    for entry in 0..to {
        assert!(tree.append(LeafHash::of(format!("entry-{entry}").as_bytes()), |node, hash| {
            nodes.insert(node, hash);
        }));
    }
    let plan = ProofPlan::consistency(TreeSize::new(from).unwrap(), TreeSize::new(to).unwrap()).unwrap();
    let fetched: Vec<_> = plan.nodes().iter().map(|node| nodes[node]).collect();
    plan.build(&fetched).unwrap()
}
