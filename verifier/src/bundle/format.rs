//! The file.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use super::error::BundleError;
use super::needs::{Need, Needs};
use crate::admission::{IssuerKey, registered};
use crate::checkpoint::Checkpoint;
use crate::lineage::Step;
use crate::merkle::{LeafHash, LeafIndex, NodeHash, PlanError, ProofPlan};
use crate::note::SignedNote;
use crate::statement::{Excerpt, ExecutionId, Kind, Statement};
use crate::strict;

/// The largest bundle that is read or made, in bytes.
pub const MAX_BUNDLE_BYTES: usize = 32 << 20;
/// The most entries that a bundle has.
pub const MAX_ENTRIES: usize = 4_096;
pub(super) const FORMAT: &str = "countersign-bundle/v1";
/// Indices are JSON numbers, and every reader keeps these exact.
const MAX_INDEX: u64 = (1 << 53) - 1;

/// A bundle as it stands in its file. It is complete in itself; nothing else is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    execution: ExecutionId,
    checkpoint: SignedNote,
    head: Checkpoint,
    /// With their ids.
    entries: BTreeMap<LeafIndex, (LeafHash, Statement)>,
    multiproof: Vec<NodeHash>,
}

/// A bundle that lacks its multiproof.
#[derive(Debug, Clone)]
pub struct Unproven {
    bundle: Bundle,
    plan: ProofPlan,
}

/// The members, in their order.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Members {
    format: String,
    execution: String,
    checkpoint: String,
    entries: Vec<Entry>,
    multiproof: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    index: u64,
    statement: String,
}

impl Bundle {
    /// Reads a bundle. What [`Bundle::to_bytes`] gives is byte for byte what was read.
    pub fn parse(bytes: &[u8]) -> Result<Self, BundleError> {
        if bytes.len() > MAX_BUNDLE_BYTES {
            return Err(BundleError::TooLarge(bytes.len()));
        }
        let members: Members = serde_json::from_slice(bytes)
            .map_err(|error| BundleError::Syntax { line: error.line(), column: error.column() })?;
        if members.format != FORMAT {
            return Err(BundleError::Format { found: Excerpt::of_text(&members.format) });
        }
        let execution = members.execution.parse().map_err(BundleError::Execution)?;
        let checkpoint = SignedNote::parse(members.checkpoint.as_bytes())?;
        if members.entries.len() > MAX_ENTRIES {
            return Err(BundleError::TooManyEntries(members.entries.len()));
        }
        let mut entries = BTreeMap::new();
        for Entry { index, statement } in members.entries {
            let index = place(index)?;
            if let Some((before, _)) = entries.last_key_value()
                && *before >= index
            {
                return Err(BundleError::Order { index, before: *before });
            }
            let bytes = strict::from_base64(&statement).ok_or(BundleError::Base64(index))?;
            let statement =
                Statement::parse(&bytes).map_err(|cause| BundleError::Statement { index, cause })?;
            entries.insert(index, statement);
        }
        let hash = |(number, text): (usize, &String)| {
            NodeHash::from_base64(text).map_err(|_| BundleError::Hash(number.saturating_add(1)))
        };
        let multiproof: Vec<NodeHash> =
            members.multiproof.iter().enumerate().map(hash).collect::<Result<_, _>>()?;

        let Unproven { bundle, plan } = Unproven::new(execution, checkpoint, entries)?;
        let (want, got) = (plan.hashes(), multiproof.len());
        if want != got {
            return Err(BundleError::ProofLength { want, got });
        }
        let bundle = Self { multiproof, ..bundle };
        match strict::first_difference(&bundle.to_bytes(), bytes) {
            None => Ok(bundle),
            Some(at) => Err(BundleError::NotCanonical { at }),
        }
    }

    /// The file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let entry = |step: Step<'_>| Entry {
            index: step.index.get(),
            statement: strict::to_base64(step.statement.bytes()),
        };
        let members = Members {
            format: FORMAT.to_owned(),
            execution: self.execution.to_string(),
            checkpoint: self.checkpoint.to_string(),
            entries: self.entries().map(entry).collect(),
            multiproof: self.multiproof.iter().map(NodeHash::to_base64).collect(),
        };
        // Texts and numbers in structs and lists always have a JSON form.
        serde_json::to_vec(&members).unwrap_or_default()
    }

    /// Which execution it is about.
    pub fn execution(&self) -> &ExecutionId {
        &self.execution
    }

    /// The head with its signatures, not checked.
    pub fn checkpoint(&self) -> &SignedNote {
        &self.checkpoint
    }

    /// What the head says.
    pub fn head(&self) -> &Checkpoint {
        &self.head
    }

    /// The entries in the order of the log, those of the execution and what they stand on.
    pub fn entries(&self) -> impl Iterator<Item = Step<'_>> {
        self.entries.iter().map(|(index, (entry, statement))| Step {
            index: *index,
            entry: *entry,
            statement,
        })
    }

    /// Those of the execution.
    pub fn steps(&self) -> impl Iterator<Item = Step<'_>> {
        self.entries().filter(|step| step.statement.execution().is_some())
    }

    /// The proof that all of them are in the tree of the head.
    pub fn multiproof(&self) -> &[NodeHash] {
        &self.multiproof
    }
}

impl Unproven {
    /// Puts the entries of an execution, with what they stand on, under a head.
    pub fn new(
        execution: ExecutionId,
        checkpoint: SignedNote,
        entries: BTreeMap<LeafIndex, Statement>,
    ) -> Result<Self, BundleError> {
        let head = Checkpoint::parse(checkpoint.text())?;
        if entries.len() > MAX_ENTRIES {
            return Err(BundleError::TooManyEntries(entries.len()));
        }
        let with_id =
            |(index, statement): (_, Statement)| (index, (LeafHash::of(statement.bytes()), statement));
        let entries = entries.into_iter().map(with_id).collect();
        check_entries(&execution, &entries)?;
        let indices: Vec<LeafIndex> = entries.keys().copied().collect();
        let plan = ProofPlan::multiproof(&indices, head.size)?;
        let bundle = Bundle { execution, checkpoint, head, entries, multiproof: Vec::new() };
        Ok(Self { bundle, plan })
    }

    /// Which nodes of the tree the proof is made of.
    pub fn plan(&self) -> &ProofPlan {
        &self.plan
    }

    /// Completes the bundle with the nodes of its plan. Whether they lead to the root, a check of the bundle shows.
    pub fn prove(self, nodes: &[NodeHash]) -> Result<Bundle, PlanError> {
        let multiproof = self.plan.build(nodes)?;
        Ok(Bundle { multiproof, ..self.bundle })
    }
}

fn place(index: u64) -> Result<LeafIndex, BundleError> {
    LeafIndex::new(index).filter(|_| index <= MAX_INDEX).ok_or(BundleError::Index(index))
}

/// The execution, what it stands on, and nothing else.
fn check_entries(
    execution: &ExecutionId,
    entries: &BTreeMap<LeafIndex, (LeafHash, Statement)>,
) -> Result<(), BundleError> {
    let mut needs = Needs::default();
    let mut belongs = BTreeSet::new();
    for (index, (_, statement)) in entries.iter().filter(|(_, (_, one))| one.execution() == Some(execution)) {
        needs.show(*index, statement);
        belongs.insert(*index);
    }
    if belongs.is_empty() {
        return Err(BundleError::NoExecution(execution.clone()));
    }
    let mut policies: HashMap<LeafHash, LeafIndex> = HashMap::new();
    let mut registrations: HashMap<IssuerKey, Vec<LeafIndex>> = HashMap::new();
    for (index, (entry, statement)) in entries {
        if statement.kind() == Kind::Policy {
            policies.insert(*entry, *index);
        }
        if let Some(issuer) = registered(statement) {
            registrations.entry(issuer).or_default().push(*index);
        }
    }
    while let Some(need) = needs.next() {
        let found = match &need {
            Need::Genesis => entries
                .first_key_value()
                .filter(|(index, (_, statement))| index.get() == 0 && statement.kind() == Kind::Genesis)
                .map(|(index, _)| *index),
            Need::Registration { issuer, before } => registrations.get(issuer).and_then(|all| {
                let earlier = all.partition_point(|index| index < before);
                all.get(earlier.checked_sub(1)?).copied()
            }),
            Need::Policy { entry, .. } => policies.get(entry).copied(),
        };
        let index = found.ok_or(BundleError::Missing(need))?;
        if belongs.insert(index)
            && let Some((_, statement)) = entries.get(&index)
        {
            needs.show(index, statement);
        }
    }
    match entries.keys().find(|index| !belongs.contains(index)) {
        None => Ok(()),
        Some(surplus) => Err(BundleError::Surplus(*surplus)),
    }
}
