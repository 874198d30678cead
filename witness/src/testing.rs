//! What tests of this crate share: keys, trees and heads.

use countersign_verifier::checkpoint::{Checkpoint, LogSigned, Origin};
use countersign_verifier::cosignature::Timestamp;
use countersign_verifier::merkle::{CompactRange, LeafHash, RootHash, TreeSize};
use countersign_verifier::note::{KeyName, NoteSigner};

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
    let origin = Origin::new(log.verifier().name().as_str()).unwrap();
    let checkpoint = Checkpoint::new(origin, TreeSize::new(size).unwrap(), root(size));
    LogSigned::open(&checkpoint.sign(log), std::slice::from_ref(log.verifier())).unwrap()
}

/// The head, cosigned.
pub(crate) fn head(log: &NoteSigner, size: u64, time: u64) -> Cosigned {
    cosigner().cosign(&signed(log, size), Timestamp::new(time).unwrap()).unwrap()
}
