//! A log that keeps its whole tree in memory, and signs whatever it is told to.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_verifier::checkpoint::{Checkpoint, Origin};
use countersign_verifier::merkle::{CompactRange, LeafHash, NodeHash, NodeId, ProofPlan, RootHash, TreeSize};
use countersign_verifier::note::{KeyName, NoteSigner, VerifierKey};
use ed25519_dalek::{Signer as _, SigningKey};

/// A log with entries `entry-0`, `entry-1` and so on, as in the published vectors.
pub(crate) struct Log {
    seed: [u8; 32],
    signer: NoteSigner,
    origin: Origin,
    nodes: HashMap<NodeId, NodeHash>,
    roots: Vec<RootHash>,
}

pub(crate) fn size(size: u64) -> TreeSize {
    TreeSize::new(size).unwrap()
}

impl Log {
    /// A log with up to `entries` entries, of which those from `fork_at` on are not those of other logs.
    pub(crate) fn forked(origin: &str, seed: u8, entries: u64, fork_at: u64) -> Self {
        let (mut nodes, mut tree) = (HashMap::new(), CompactRange::new());
        let mut roots = vec![tree.root()];
        for number in 0..entries {
            let fork = if number < fork_at { "" } else { "other-" };
            let entry = format!("{fork}entry-{number}");
            assert!(tree.append(LeafHash::of(entry.as_bytes()), |node, hash| {
                nodes.insert(node, hash);
            }));
            roots.push(tree.root());
        }
        let seed = [seed; 32];
        Self {
            seed,
            signer: NoteSigner::from_seed(KeyName::new(origin).unwrap(), false, &seed),
            origin: Origin::new(origin).unwrap(),
            nodes,
            roots,
        }
    }

    pub(crate) fn new(origin: &str, seed: u8, entries: u64) -> Self {
        Self::forked(origin, seed, entries, u64::MAX)
    }

    pub(crate) fn key(&self) -> &VerifierKey {
        self.signer.verifier()
    }

    pub(crate) fn origin(&self) -> &Origin {
        &self.origin
    }

    pub(crate) fn root(&self, of: u64) -> RootHash {
        self.roots[usize::try_from(of).unwrap()]
    }

    /// A head with any root, signed by the log.
    pub(crate) fn head_with(&self, of: u64, root: RootHash) -> String {
        Checkpoint::new(self.origin.clone(), size(of), root).sign(&self.signer).to_string()
    }

    pub(crate) fn head(&self, of: u64) -> String {
        self.head_with(of, self.root(of))
    }

    /// Any text, signed by the log.
    pub(crate) fn sign(&self, text: &str) -> String {
        let signature = SigningKey::from_bytes(&self.seed).sign(text.as_bytes()).to_bytes();
        format!("{text}\n{}", line(self.key(), &signature))
    }

    pub(crate) fn proof(&self, from: u64, to: u64) -> Vec<NodeHash> {
        let plan = ProofPlan::consistency(size(from), size(to)).unwrap();
        let nodes: Vec<_> = plan.nodes().iter().map(|node| self.nodes[node]).collect();
        plan.build(&nodes).unwrap()
    }

    /// The honest request.
    pub(crate) fn request(&self, old: u64, new: u64) -> String {
        request(old, &self.proof(old, new), &self.head(new))
    }
}

/// A signature line in the name of a key.
pub(crate) fn line(key: &VerifierKey, signature: &[u8]) -> String {
    named_line(key.name().as_str(), key, signature)
}

/// A signature line with the id of a key under any name.
pub(crate) fn named_line(name: &str, key: &VerifierKey, signature: &[u8]) -> String {
    let blob = [key.id().as_bytes().as_slice(), signature].concat();
    format!("\u{2014} {name} {}\n", STANDARD.encode(blob))
}

/// The body of an add-checkpoint request.
pub(crate) fn request(old: impl std::fmt::Display, proof: &[NodeHash], checkpoint: &str) -> String {
    let proof: String = proof.iter().map(|hash| hash.to_base64() + "\n").collect();
    format!("old {old}\n{proof}\n{checkpoint}")
}
