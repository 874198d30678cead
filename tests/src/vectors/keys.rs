//! Who signs in the vectors: every key follows from a seed of one repeated byte.

use countersign_verifier::checkpoint::{Checkpoint, Origin};
use countersign_verifier::cosignature::{Timestamp, cosign};
use countersign_verifier::ed25519::PublicKey;
use countersign_verifier::merkle::{RootHash, TreeSize};
use countersign_verifier::note::{KeyName, NoteSigner, SignatureLine, SignedNote};
use ed25519_dalek::SigningKey;

/// The origin of the log in the vectors.
pub(super) const ORIGIN: &str = "log.example/vectors";
/// When its witnesses cosign, in seconds since 1970.
pub(super) const COSIGNED_AT: u64 = 1_800_000_100;

/// The seeds of the log's key and of its witnesses' keys.
pub(super) const LOG: u8 = 101;
pub(super) const WITNESSES: [u8; 4] = [102, 103, 104, 105];

/// The key of an issuer.
pub(super) fn signing_key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

/// Its public half.
pub(super) fn public_key(seed: u8) -> PublicKey {
    PublicKey::from(&signing_key(seed))
}

/// Its public half in base64.
pub(super) fn public_text(seed: u8) -> String {
    super::base64(public_key(seed).as_bytes())
}

/// A key that signs notes under a name.
pub(super) fn note_signer(name: &str, seed: u8) -> NoteSigner {
    NoteSigner::from_seed(KeyName::new(name).expect("a key name"), false, &[seed; 32])
}

/// The log's key.
pub(super) fn log() -> NoteSigner {
    note_signer(ORIGIN, LOG)
}

/// The key of a witness.
pub(super) fn witness(seed: u8) -> NoteSigner {
    let name = KeyName::new(&format!("witness-{seed}.example")).expect("a key name");
    NoteSigner::from_seed(name, true, &[seed; 32])
}

/// A head of the log.
pub(super) fn head(size: u64, root: RootHash) -> Checkpoint {
    let size = TreeSize::new(size).expect("a tree size");
    Checkpoint::new(Origin::new(ORIGIN).expect("an origin"), size, root)
}

/// A head with the log's line and those of the witnesses of these seeds.
pub(super) fn cosigned(head: &Checkpoint, seeds: &[u8]) -> SignedNote {
    let note = head.sign(&log());
    let lines = seeds.iter().map(|seed| line(head, *seed, COSIGNED_AT));
    note.with_signatures(note.signatures().iter().cloned().chain(lines).collect())
}

/// The line of a witness under a head.
pub(super) fn line(head: &Checkpoint, seed: u8, time: u64) -> SignatureLine {
    let time = Timestamp::new(time).expect("a time");
    cosign(head, time, &witness(seed)).expect("a witness cosigns")
}

/// The policy for the log: two of the first three witnesses; the fourth is known and does not count.
pub(super) fn policy() -> String {
    let names = ["a", "b", "c", "d"];
    let line = |(name, seed): (&str, u8)| format!("witness {name} {}", witness(seed).verifier());
    let witnesses: Vec<String> = names.into_iter().zip(WITNESSES).map(line).collect();
    format!("log {}\n{}\ngroup two 2 a b c\nquorum two\n", log().verifier(), witnesses.join("\n"))
}
