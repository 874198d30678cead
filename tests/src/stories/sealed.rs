//! A story as a log: a tree over its entries, heads that are signed and cosigned, and the bundle of its execution.

use std::collections::{BTreeMap, HashMap};

use countersign_verifier::admission::registered;
use countersign_verifier::bundle::{Bundle, BundleError, Need, Needs, Unproven};
use countersign_verifier::checkpoint::{Checkpoint, Origin};
use countersign_verifier::cosignature::{Timestamp, cosign};
use countersign_verifier::merkle::{CompactRange, LeafHash, LeafIndex, NodeHash, NodeId};
use countersign_verifier::note::{KeyName, NoteSigner, SignedNote};
use countersign_verifier::statement::Statement;

use super::story::{BEGIN, EXECUTION, Told};

/// The origin that the stories' genesis names.
pub const ORIGIN: &str = "log.example/stories";

/// The log's key, for its own origin or another.
fn log(origin: &str) -> NoteSigner {
    NoteSigner::from_seed(KeyName::new(origin).expect("an origin is a key name"), false, &[0x71; 32])
}

fn witness(number: u8) -> NoteSigner {
    let name = KeyName::new(&format!("witness-{number}.example")).expect("a key name");
    NoteSigner::from_seed(name, true, &[0x80_u8.saturating_add(number); 32])
}

/// What an auditor of the stories trusts: two of three witnesses.
pub fn trust_policy() -> String {
    let witnesses: Vec<String> =
        (1..=3).map(|number| format!("witness w{number} {}\n", witness(number).verifier())).collect();
    format!("log {}\n{}group two 2 w1 w2 w3\nquorum two\n", log(ORIGIN).verifier(), witnesses.concat())
}

/// The entries of a log, whatever they are, with their tree.
#[derive(Debug, Clone)]
pub struct Sealed {
    entries: Vec<Vec<u8>>,
    range: CompactRange,
    nodes: HashMap<NodeId, NodeHash>,
}

impl Told {
    /// The log of the story.
    pub fn sealed(&self) -> Sealed {
        Sealed::of(self.entries.iter().map(|entry| entry.statement().bytes().to_vec()).collect())
    }

    /// The bundle of the story's execution, under a head with its quorum.
    pub fn bundle(&self) -> Vec<u8> {
        let sealed = self.sealed();
        sealed.bundle(sealed.head(ORIGIN, 2)).expect("a story makes a bundle").to_bytes()
    }
}

impl Sealed {
    /// Takes any entries into a tree.
    pub fn of(entries: Vec<Vec<u8>>) -> Self {
        let (mut range, mut nodes) = (CompactRange::new(), HashMap::new());
        for entry in &entries {
            assert!(range.append(LeafHash::of(entry), |node, hash| nodes.extend([(node, hash)])));
        }
        Self { entries, range, nodes }
    }

    /// The head over all entries, signed under `origin` and cosigned by the first `witnesses`.
    pub fn head(&self, origin: &str, witnesses: u8) -> SignedNote {
        let head =
            Checkpoint::new(Origin::new(origin).expect("an origin"), self.range.size(), self.range.root());
        let note = head.sign(&log(origin));
        let lines = (1..=witnesses).filter_map(|number| {
            let time = Timestamp::new(BEGIN.saturating_add(100).saturating_add(number.into()))?;
            cosign(&head, time, &witness(number))
        });
        note.with_signatures(note.signatures().iter().cloned().chain(lines).collect())
    }

    /// The bundle of the story's execution under a head of this log.
    pub fn bundle(&self, head: SignedNote) -> Result<Bundle, BundleError> {
        let all: BTreeMap<LeafIndex, Statement> = (0..)
            .map_while(LeafIndex::new)
            .zip(&self.entries)
            .filter_map(|(index, entry)| Some((index, Statement::parse(entry).ok()?)))
            .collect();
        let mut needs = Needs::default();
        let mut wanted = BTreeMap::new();
        for (index, statement) in all.iter().filter(|(_, one)| one.execution().is_some()) {
            needs.show(*index, statement);
            wanted.insert(*index, statement.clone());
        }
        while let Some(need) = needs.next() {
            let found = all.iter().rev().find(|(index, statement)| match &need {
                Need::Genesis => index.get() == 0,
                Need::Registration { issuer, before } => {
                    *index < before && registered(statement).as_ref() == Some(issuer)
                }
                Need::Policy { entry, .. } => LeafHash::of(statement.bytes()) == *entry,
            });
            let Some((index, statement)) = found else { return Err(BundleError::Missing(need)) };
            if wanted.insert(*index, statement.clone()).is_none() {
                needs.show(*index, statement);
            }
        }
        self.bundle_of(head, wanted)
    }

    /// A bundle of exactly these entries.
    pub fn bundle_of(
        &self,
        head: SignedNote,
        entries: BTreeMap<LeafIndex, Statement>,
    ) -> Result<Bundle, BundleError> {
        let execution = EXECUTION.parse().expect("the id of the stories is one");
        let unproven = Unproven::new(execution, head, entries)?;
        let nodes: Option<Vec<NodeHash>> =
            unproven.plan().nodes().iter().map(|node| self.nodes.get(node).copied()).collect();
        Ok(unproven.prove(&nodes.expect("the tree has the nodes of its plans"))?)
    }
}
