//! A log without its server: the real admission rules, a real tree, real signatures by a log and three witnesses.

use countersign_verifier::admission::{AdmitError, MemoryState, Refusal, admit, signing_key};
use countersign_verifier::checkpoint::{Checkpoint, Origin};
use countersign_verifier::cosignature::{Timestamp, cosign};
use countersign_verifier::ed25519::PublicKey;
use countersign_verifier::merkle::{
    CompactRange, LeafHash, LeafIndex, NodeHash, NodeId, ProofPlan, TreeSize,
};
use countersign_verifier::note::{KeyName, NoteSigner, SignedNote};
use countersign_verifier::proof::TlogProof;
use countersign_verifier::quorum::Policy;
use countersign_verifier::statement::payload::{Genesis, Issuer as Registration, Operator};
use countersign_verifier::statement::{
    IssuerName, IssuerStatus, Payload, References, Role, Rules, Statement, UnixSeconds,
};
use ed25519_dalek::SigningKey;

use countersign_gate::clock::Clock;
use countersign_gate::issuer::Issuer;

pub(crate) const ORIGIN: &str = "log.example/gate-tests";
pub(crate) const OPERATOR_SEED: [u8; 32] = [9; 32];

/// A log in memory.
pub(crate) struct Tree {
    pub(crate) signer: NoteSigner,
    witnesses: Vec<NoteSigner>,
    pub(crate) entries: Vec<Statement>,
    pub(crate) state: MemoryState,
}

pub(crate) fn note_signer(name: &str, cosigner: bool, seed: u8) -> NoteSigner {
    NoteSigner::from_seed(KeyName::new(name).unwrap(), cosigner, &[seed; 32])
}

pub(crate) fn issuer(name: &str, seed: [u8; 32]) -> Issuer {
    Issuer::new(name.parse().unwrap(), SigningKey::from_bytes(&seed))
}

pub(crate) fn operator() -> Issuer {
    issuer(IssuerName::OPERATOR, OPERATOR_SEED)
}

pub(crate) fn now() -> UnixSeconds {
    Clock::system().now()
}

pub(crate) fn state(by: &Issuer, payload: &Payload) -> Statement {
    let subject = payload.subject().unwrap();
    by.state(now(), subject, None, payload, &References::default()).unwrap().statement().clone()
}

pub(crate) fn registration(name: &str, key: &PublicKey, roles: &[Role], status: IssuerStatus) -> Statement {
    let registration = Registration {
        name: name.parse().unwrap(),
        public_key: *key,
        roles: roles.iter().copied().collect(),
        status,
        note: None,
    };
    state(&operator(), &Payload::Issuer(registration))
}

impl Tree {
    /// A log with its genesis.
    pub(crate) fn new() -> Self {
        let witnesses = (1..=3).map(|at| note_signer(&format!("w{at}.example"), true, 100 + at)).collect();
        let signer = note_signer(ORIGIN, false, 100);
        let mut tree = Self { signer, witnesses, entries: Vec::new(), state: MemoryState::new() };
        let genesis = Genesis {
            origin: Origin::new(ORIGIN).unwrap(),
            operator: Operator { public_key: *operator().public_key() },
            rules: Rules::CountersignV1,
        };
        tree.append(&state(&operator(), &Payload::Genesis(genesis))).unwrap();
        tree
    }

    /// Two of its three witnesses are the quorum.
    pub(crate) fn policy(&self) -> String {
        let line = |(at, witness): (usize, &NoteSigner)| format!("witness w{at} {}\n", witness.verifier());
        let witnesses: Vec<String> = self.witnesses.iter().enumerate().map(line).collect();
        let (log, witnesses) = (self.signer.verifier(), witnesses.concat());
        format!("log {log}\n{witnesses}group all-of-them 2 w0 w1 w2\nquorum all-of-them\n")
    }

    pub(crate) fn parsed_policy(&self) -> Policy {
        Policy::parse(self.policy().as_bytes()).unwrap()
    }

    pub(crate) fn register(&mut self, name: &str, key: &PublicKey, roles: &[Role]) {
        self.append(&registration(name, key, roles, IssuerStatus::Active)).unwrap();
    }

    /// Appends what the admission rules let in. The error is a problem code with its detail.
    pub(crate) fn append(&mut self, statement: &Statement) -> Result<LeafIndex, (&'static str, String)> {
        let refused = |error| match error {
            AdmitError::Refused(refusal) => (Refusal::code(&refusal), refusal.to_string()),
        };
        let key = signing_key(&self.state, statement).map_err(refused)?;
        let verified = statement.clone().verify(&key).map_err(|error| (error.code(), error.to_string()))?;
        let admitted = admit(&self.state, &verified).map_err(refused)?;
        self.state.apply(admitted.effects);
        self.entries.push(statement.clone());
        Ok(admitted.index)
    }

    pub(crate) fn find(&self, entry: LeafHash) -> Option<LeafIndex> {
        self.leaves().position(|leaf| leaf == entry).and_then(|at| LeafIndex::new(at as u64))
    }

    fn leaves(&self) -> impl Iterator<Item = LeafHash> {
        self.entries.iter().map(|entry| LeafHash::of(entry.bytes()))
    }

    /// The newest head, signed by the log and by so many witnesses.
    pub(crate) fn head(&self, witnesses: usize) -> SignedNote {
        let mut range = CompactRange::new();
        assert!(self.leaves().all(|leaf| range.append(leaf, |_, _| {})));
        let checkpoint = Checkpoint::new(Origin::new(ORIGIN).unwrap(), range.size(), range.root());
        let note = checkpoint.sign(&self.signer);
        let time = Timestamp::new(now().get()).unwrap();
        let cosigned =
            self.witnesses.iter().take(witnesses).map(|one| cosign(&checkpoint, time, one).unwrap());
        let lines = note.signatures().iter().cloned().chain(cosigned).collect();
        note.with_signatures(lines)
    }

    /// The proof of an entry under the newest head.
    pub(crate) fn proof(&self, index: LeafIndex, witnesses: usize) -> TlogProof {
        let size = TreeSize::new(self.entries.len() as u64).unwrap();
        let plan = ProofPlan::inclusion(index, size).unwrap();
        let nodes: Vec<NodeHash> = plan.nodes().iter().map(|node| self.node(*node)).collect();
        TlogProof {
            extra: None,
            index,
            hashes: plan.build(&nodes).unwrap(),
            checkpoint: self.head(witnesses),
        }
    }

    fn node(&self, node: NodeId) -> NodeHash {
        if node.height == 0 {
            let at = usize::try_from(node.index).unwrap();
            return LeafHash::of(self.entries[at].bytes()).into();
        }
        let child = |index| self.node(NodeId { height: node.height - 1, index });
        NodeHash::parent(&child(2 * node.index), &child(2 * node.index + 1))
    }
}
