//! Looking up single entries and proofs, each checked against what the mirror holds.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use countersign_verifier::merkle::{
    LeafHash, LeafIndex, NodeHash, ProofError, ProofPlan, RootHash, TreeSize, verify_inclusion,
};
use countersign_verifier::tiles::FULL_WIDTH;

use super::trouble::{ProofTrouble, ReadError};
use super::{Mirror, read};

/// How many bytes of entries are kept for the next reader.
const KEPT_BYTES: usize = 32 << 20;

/// An entry with the hash under which it was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fetched {
    pub(crate) index: LeafIndex,
    pub(crate) leaf: LeafHash,
    pub(crate) bytes: Vec<u8>,
}

/// A path from an entry to a root, verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PathProof {
    pub(crate) hashes: Vec<NodeHash>,
    pub(crate) root: RootHash,
}

impl Mirror {
    /// The entry at an index that the mirror has read, exactly as it was verified.
    pub(crate) async fn entry(&self, index: LeafIndex) -> Result<Fetched, ReadError> {
        let at = usize::try_from(index.get() % FULL_WIDTH).unwrap_or(0);
        let bundle = self.bundle(index.get() / FULL_WIDTH, at.saturating_add(1)).await?;
        let found = bundle.get(at).cloned().ok_or(ReadError::NoSuchPart(index.size_including()))?;
        Ok(Fetched { index, leaf: found.0, bytes: found.1 })
    }

    /// The entries at several indexes, in the order asked. Each bundle is asked for once, several of them at a time.
    pub(crate) async fn entries(&self, indexes: &[LeafIndex]) -> Result<Vec<Fetched>, ReadError> {
        let mut needed: BTreeMap<u64, usize> = BTreeMap::new();
        for index in indexes {
            let at = usize::try_from(index.get() % FULL_WIDTH).unwrap_or(0).saturating_add(1);
            let most = needed.entry(index.get() / FULL_WIDTH).or_default();
            *most = at.max(*most);
        }
        needed.retain(|number, at_least| self.bundles.get(*number, *at_least).is_none());
        if needed.len() > 1 {
            let numbers: Vec<u64> = needed.into_keys().collect();
            let size = self.known().read_up_to();
            let bundles = read::bundles(&self.source, numbers.clone(), size).await?;
            for (number, entries) in numbers.into_iter().zip(bundles) {
                self.check(number, entries)?;
            }
        }
        let mut found = Vec::new();
        for index in indexes {
            found.push(self.entry(*index).await?);
        }
        Ok(found)
    }

    /// Where the entry with this id is, if it is among those that the mirror has read.
    pub(crate) async fn find(&self, id: LeafHash) -> Result<Option<LeafIndex>, ReadError> {
        let candidates = self.known().index().candidates(id);
        for index in candidates.into_iter().filter_map(LeafIndex::new) {
            if self.entry(index).await?.leaf == id {
                return Ok(Some(index));
            }
        }
        Ok(None)
    }

    /// The root that the tree had at a size that the mirror has read.
    pub(crate) async fn root_at(&self, size: TreeSize) -> Result<RootHash, ReadError> {
        let number = size.get() / FULL_WIDTH;
        let ragged = usize::try_from(size.get() % FULL_WIDTH).unwrap_or(0);
        let leaves: Vec<LeafHash> = if ragged == 0 {
            Vec::new()
        } else {
            self.bundle(number, ragged).await?.iter().take(ragged).map(|(leaf, _)| *leaf).collect()
        };
        self.known().tree.root_at(size, &leaves).ok_or(ReadError::NoSuchPart(size))
    }

    /// The path from an entry to the root of a tree of `size` entries, from the log's tiles. It is verified: `root`
    /// is that of the accepted head, or what the mirror computed for an earlier size.
    pub(crate) async fn prove(
        &self,
        entry: &Fetched,
        size: TreeSize,
        root: RootHash,
    ) -> Result<PathProof, ProofTrouble> {
        let plan = ProofPlan::inclusion(entry.index, size)?;
        let nodes = read::nodes(&self.source, &plan, size).await?;
        let hashes = plan.build(&nodes)?;
        verify_inclusion(entry.leaf, entry.index, size, &hashes, root)?;
        Ok(PathProof { hashes, root })
    }

    /// The nodes of a plan, from the log's tiles. Whether they lead to the root, the caller checks.
    pub(crate) async fn nodes(&self, plan: &ProofPlan, size: TreeSize) -> Result<Vec<NodeHash>, ReadError> {
        read::nodes(&self.source, plan, size).await
    }

    /// The first entries of a bundle, `at_least` so many, compared with what was verified.
    async fn bundle(&self, number: u64, at_least: usize) -> Result<Bundle, ReadError> {
        if let Some(bundle) = self.bundles.get(number, at_least) {
            return Ok(bundle);
        }
        // The log may complete the bundle, and the mirror read it, while this waits for the answer.
        for _ in 0..2 {
            let size = self.known().read_up_to();
            let entries = read::bundle(&self.source, number, size).await?;
            if let Some(bundle) = self.check(number, entries)? {
                return Ok(bundle);
            }
        }
        Err(ReadError::NoSuchPart(self.known().read_up_to()))
    }

    /// Compares a bundle with what was verified, and keeps it. `None` when the mirror has read on meanwhile, and knows
    /// the bundle only as a whole.
    fn check(&self, number: u64, entries: Vec<Vec<u8>>) -> Result<Option<Bundle>, ReadError> {
        let bundle: Vec<(LeafHash, Vec<u8>)> =
            entries.into_iter().map(|entry| (LeafHash::of(&entry), entry)).collect();
        let leaves: Vec<LeafHash> = bundle.iter().map(|(leaf, _)| *leaf).collect();
        let same = self.known().tree.has_bundle(number, &leaves);
        match same {
            Some(true) => Ok(Some(self.bundles.keep(number, bundle))),
            Some(false) => Err(ReadError::Changed { index: number.saturating_mul(FULL_WIDTH) }),
            None => Ok(None),
        }
    }
}

type Bundle = Arc<Vec<(LeafHash, Vec<u8>)>>;

/// The bundles that were looked at last. What is in them never changes; the last one of a log may grow.
#[derive(Debug, Default)]
pub(super) struct Bundles(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    /// The newest last.
    bundles: VecDeque<(u64, Bundle)>,
}

impl Bundles {
    fn get(&self, number: u64, at_least: usize) -> Option<Bundle> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = kept.bundles.iter().position(|(of, bundle)| *of == number && bundle.len() >= at_least)?;
        let found = kept.bundles.remove(at)?;
        let bundle = Arc::clone(&found.1);
        kept.bundles.push_back(found);
        Some(bundle)
    }

    fn keep(&self, number: u64, bundle: Vec<(LeafHash, Vec<u8>)>) -> Bundle {
        let bundle = Arc::new(bundle);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.bundles.retain(|(of, _)| *of != number);
        kept.bundles.push_back((number, Arc::clone(&bundle)));
        let mut bytes = kept.bundles.iter().map(|(_, bundle)| weight(bundle)).fold(0, usize::saturating_add);
        while bytes > KEPT_BYTES {
            let Some((_, oldest)) = kept.bundles.pop_front() else { break };
            bytes = bytes.saturating_sub(weight(&oldest));
        }
        bundle
    }
}

fn weight(bundle: &Bundle) -> usize {
    bundle.iter().map(|(_, entry)| entry.len().saturating_add(56)).fold(0, usize::saturating_add)
}

impl ProofTrouble {
    /// Whether the tiles of the log contradict its head.
    pub(crate) const fn is_contradiction(&self) -> bool {
        matches!(self, Self::Unproven(ProofError::RootMismatch { .. } | ProofError::SubtreeMismatch { .. }))
    }
}
