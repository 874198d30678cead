//! Every format and every check of Countersign, as a library without I/O.
//!
//! It is the ground floor of the transparency log: the log, the witness, the explorer, the gate and the auditor's
//! program all judge by the code in this crate, and none of them has a second opinion of its own.
//!
//! It is **not** a client: it opens no file and no socket, and it knows no clock. Callers hand it bytes and a
//! trust policy that they obtained out of band, and get back a verdict or the reason why there is none.
//!
//! | module | specification |
//! |---|---|
//! | [`merkle`] | RFC 6962 section 2.1, RFC 9162 section 2.1 |
//! | [`tiles`] | C2SP tlog-tiles |
//! | [`ed25519`] | RFC 8032, strict |
//! | [`note`] | C2SP signed-note |
//! | [`checkpoint`] | C2SP tlog-checkpoint |
//! | [`cosignature`] | C2SP tlog-cosignature, type 0x04 |
//! | [`quorum`] | C2SP tlog-policy |
//! | [`proof`] | C2SP tlog-proof |
//! | [`receipt`] | RFC 9942 COSE receipts |
//! | [`causes`], [`utc`] | how errors and times are shown |
//! | [`bundle`] | one execution with its proof, in one file |
//! | [`report`] | what a check found, stage by stage |
//! | [`witnessing`] | C2SP tlog-witness, the messages |
//! | [`statement`] | RFC 9943 signed statements (`COSE_Sign1`, RFC 9052) with RFC 8785 payloads |
//! | [`admission`] | the rules `countersign/1` |
//! | `replay`, with the feature of that name | Cedar policies, decided again |
//! | [`lineage`] | whether the steps of an execution fit each other |
//! | [`audit`] | a whole log, entry by entry |
//! | [`evidence`] | what convicts a log or an issuer, in one file |
//!
//! # Example
//!
//! A log of one entry, and what an auditor makes of its proof:
//!
//! ```
//! use countersign_verifier::checkpoint::{Checkpoint, Origin};
//! use countersign_verifier::merkle::{CompactRange, LeafHash, LeafIndex};
//! use countersign_verifier::note::{KeyName, NoteSigner};
//! use countersign_verifier::proof::TlogProof;
//! use countersign_verifier::quorum::Policy;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // The log: appends an entry and signs its head.
//! let log = NoteSigner::from_seed(KeyName::new("log.example/demo")?, false, &[7; 32]);
//! let entry = b"what was said";
//! let mut tree = CompactRange::new();
//! assert!(tree.append(LeafHash::of(entry), |_node, _hash| ()));
//! let head = Checkpoint::new(Origin::new("log.example/demo")?, tree.size(), tree.root());
//! let index = LeafIndex::new(0).ok_or("no such index")?;
//! let proof = TlogProof { extra: None, index, hashes: vec![], checkpoint: head.sign(&log) }.to_string();
//!
//! // The auditor: a policy, the entry and the proof are all it takes.
//! let policy = Policy::parse(format!("log {}\nquorum none\n", log.verifier()).as_bytes())?;
//! let proof = TlogProof::parse(proof.as_bytes())?;
//! let verified = proof.verify(LeafHash::of(entry), &policy)?;
//! assert_eq!(verified.head().checkpoint().size.get(), 1);
//! assert!(proof.verify(LeafHash::of(b"what was not said"), &policy).is_err());
//! # Ok(())
//! # }
//! ```

pub mod admission;
pub mod audit;
pub mod bundle;
pub mod causes;
pub mod checkpoint;
pub mod cosignature;
pub mod ed25519;
pub mod evidence;
pub mod lineage;
pub mod merkle;
pub mod note;
#[cfg(feature = "program")]
pub mod program;
pub mod proof;
pub mod quorum;
pub mod receipt;
#[cfg(feature = "replay")]
pub mod replay;
pub mod report;
pub mod statement;
pub mod tiles;
pub mod utc;
pub mod witnessing;

mod strict;

/// So that what the README shows is compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
