//! Whether the log kept what it said it has.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use countersign_verifier::checkpoint::{Checkpoint, CheckpointError};
use countersign_verifier::merkle::{LeafIndex, RootHash, TreeSize};
use countersign_verifier::note::{NoteError, SignedNote};
use countersign_verifier::quorum::{Policy, QuorumError};

use super::load::Wait;
use super::{Prepared, Tally};
use crate::client::{Client, ClientError};
use crate::walk::{self, WalkError};

/// How long the published head may take to cover everything that was acknowledged.
const PATIENCE: Duration = Duration::from_mins(1);

/// What was found true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Truth {
    /// How many acknowledged statements were read back, each where it was said to be, byte for byte.
    pub entries: u64,
    /// How many statements of this run are in the log without having been acknowledged: their answers were lost.
    pub unacknowledged: u64,
    /// How many different heads the answers named, all of them of one tree.
    pub heads: u64,
    /// Whether the signatures on the heads were checked: a policy said by whom they had to be.
    pub signatures: bool,
    /// The published head that everything is under.
    pub published: Checkpoint,
}

/// Why there is no truth to be had, or what was untrue.
#[derive(Debug, thiserror::Error)]
pub enum Untrue {
    /// The log does not answer.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The log's tree could not be read, or contradicts its heads.
    #[error(transparent)]
    Walk(#[from] WalkError),
    /// What `/checkpoint` serves is no note.
    #[error("the published head: {0}")]
    Note(#[from] NoteError),
    /// What `/checkpoint` serves is no head.
    #[error("the published head: {0}")]
    Checkpoint(#[from] CheckpointError),
    /// `/checkpoint` answers with neither a head nor that there is none.
    #[error("GET /checkpoint answers {0}")]
    Status(u16),
    /// A head without the signatures that the policy asks for.
    #[error("a head of {size} entries is not signed as the policy asks: {cause}")]
    Signatures {
        /// Its size.
        size: TreeSize,
        /// What is missing.
        cause: QuorumError,
    },
    /// Two heads of one size and different roots: the log forked.
    #[error("FORK: two signed heads of {size} entries have the roots {one} and {other}")]
    Fork {
        /// Their size.
        size: TreeSize,
        /// One root.
        one: RootHash,
        /// The other root.
        other: RootHash,
    },
    /// Not everything that was acknowledged is published in time.
    #[error(
        "{needed} entries were acknowledged or shown, and after {PATIENCE:?} only {published} are published"
    )]
    Unpublished {
        /// How many have to be.
        needed: u64,
        /// How many are.
        published: TreeSize,
    },
    /// A statement that was acknowledged is not in the log.
    #[error("LOST: statement {number}, acknowledged at index {index}, is not in the log ({count} such)")]
    Lost {
        /// Its number.
        number: u64,
        /// Where it was said to be.
        index: u64,
        /// How many are lost.
        count: usize,
    },
    /// A statement is elsewhere than was said.
    #[error("MOVED: statement {number}, acknowledged at index {acknowledged}, is at {found}")]
    Moved {
        /// Its number.
        number: u64,
        /// Where it was said to be.
        acknowledged: u64,
        /// Where it is.
        found: LeafIndex,
    },
    /// Something else is where an acknowledged statement was said to be.
    #[error("CHANGED: index {index} was acknowledged for statement {number}, and its bytes are others")]
    Changed {
        /// Its number.
        number: u64,
        /// Where it was said to be.
        index: LeafIndex,
    },
    /// A statement is in the log more than once.
    #[error("TWICE: statement {number} is at index {found} again")]
    Twice {
        /// Its number.
        number: u64,
        /// Where it is a second time.
        found: LeafIndex,
    },
    /// A statement that was refused is in the log.
    #[error("REFUSED, YET TAKEN: statement {number} is at index {found}")]
    Refused {
        /// Its number.
        number: u64,
        /// Where it is.
        found: LeafIndex,
    },
}

impl Untrue {
    /// Whether the log misbehaved, as opposed to not having answered.
    pub const fn is_misbehaviour(&self) -> bool {
        match self {
            Self::Client(_) | Self::Status(_) => false,
            Self::Walk(error) => error.is_misbehaviour(),
            _ => true,
        }
    }
}

/// The newest published head, checked against the policy if there is one; `None` when nothing is published yet.
pub async fn published(client: &mut Client, policy: Option<&Policy>) -> Result<Option<Checkpoint>, Untrue> {
    let answer = client.get("/checkpoint").await?;
    match answer.status.as_u16() {
        200 => {}
        404 => return Ok(None),
        other => return Err(Untrue::Status(other)),
    }
    let note = SignedNote::parse(&answer.body)?;
    let head = Checkpoint::parse(note.text())?;
    if let Some(policy) = policy {
        policy.verify(&note).map_err(|cause| Untrue::Signatures { size: head.size, cause })?;
    }
    Ok(Some(head))
}

/// Reads back everything that the log gained since the head `before`, and holds the tally against it.
pub async fn check(
    client: &mut Client,
    policy: Option<&Policy>,
    wait: Wait,
    before: Option<Checkpoint>,
    prepared: &Prepared,
    tally: &Tally,
) -> Result<Truth, Untrue> {
    let heads = heads(policy, wait, tally)?;
    let shown = heads.keys().map(|size| size.get()).max().unwrap_or(0);
    let acknowledged = tally.acknowledged.values().map(|index| index.saturating_add(1)).max().unwrap_or(0);
    let published = wait_for(client, policy, shown.max(acknowledged)).await?;
    let before = before
        .unwrap_or_else(|| Checkpoint::new(published.origin.clone(), TreeSize::EMPTY, RootHash::empty()));
    let mut ledger = Ledger::new(prepared, tally);
    let mut untrue = None;
    walk::entries(client, &before, &published, |index, entry, range| {
        if let Err(error) = ledger.read(index, entry) {
            untrue.get_or_insert(error);
        }
        match heads.get(&range.size()) {
            Some(head) => walk::expect_root(range, head),
            None => Ok(()),
        }
    })
    .await?;
    if let Some(untrue) = untrue {
        return Err(untrue);
    }
    let (entries, unacknowledged) = ledger.finish()?;
    let heads = heads.len() as u64;
    Ok(Truth { entries, unacknowledged, heads, signatures: policy.is_some(), published })
}

/// The heads of all answers, one a size; signatures checked as far as a policy says by whom.
fn heads(
    policy: Option<&Policy>,
    wait: Wait,
    tally: &Tally,
) -> Result<HashMap<TreeSize, Checkpoint>, Untrue> {
    let mut heads: HashMap<TreeSize, Checkpoint> = HashMap::new();
    for (note, head) in tally.heads.iter() {
        if let Some(policy) = policy {
            let signed = match wait {
                Wait::Cosigned => policy.verify(note).map(drop),
                Wait::Sequenced => policy.verify_log(note).map(drop),
            };
            signed.map_err(|cause| Untrue::Signatures { size: head.size, cause })?;
        }
        let earlier = heads.entry(head.size).or_insert_with(|| head.clone());
        if earlier.root != head.root {
            return Err(Untrue::Fork { size: head.size, one: earlier.root, other: head.root });
        }
    }
    Ok(heads)
}

async fn wait_for(client: &mut Client, policy: Option<&Policy>, needed: u64) -> Result<Checkpoint, Untrue> {
    let begun = Instant::now();
    loop {
        let head = published(client, policy).await?;
        match head {
            Some(head) if head.size.get() >= needed => return Ok(head),
            head if begun.elapsed() > PATIENCE => {
                let published = head.map_or(TreeSize::EMPTY, |head| head.size);
                return Err(Untrue::Unpublished { needed, published });
            }
            _ => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

/// What was acknowledged, against what is there.
struct Ledger<'a> {
    prepared: &'a Prepared,
    tally: &'a Tally,
    by_index: HashMap<u64, u64>,
    found: HashSet<u64>,
    unacknowledged: u64,
}

impl<'a> Ledger<'a> {
    fn new(prepared: &'a Prepared, tally: &'a Tally) -> Self {
        let by_index = tally.acknowledged.iter().map(|(number, index)| (*index, *number)).collect();
        Self { prepared, tally, by_index, found: HashSet::new(), unacknowledged: 0 }
    }

    fn read(&mut self, index: LeafIndex, entry: &[u8]) -> Result<(), Untrue> {
        let number = self.prepared.number_of(entry);
        if let Some(expected) = self.by_index.get(&index.get())
            && number != Some(*expected)
        {
            return Err(Untrue::Changed { number: *expected, index });
        }
        let Some(number) = number else { return Ok(()) };
        if !self.found.insert(number) {
            return Err(Untrue::Twice { number, found: index });
        }
        match self.tally.acknowledged.get(&number) {
            Some(acknowledged) if *acknowledged != index.get() => {
                Err(Untrue::Moved { number, acknowledged: *acknowledged, found: index })
            }
            Some(_) => Ok(()),
            None if self.tally.refused.contains(&number) => Err(Untrue::Refused { number, found: index }),
            None => {
                self.unacknowledged = self.unacknowledged.saturating_add(1);
                Ok(())
            }
        }
    }

    fn finish(self) -> Result<(u64, u64), Untrue> {
        let lost = |(number, _): &(&u64, &u64)| !self.found.contains(number);
        let mut missing = self.tally.acknowledged.iter().filter(lost);
        if let Some((number, index)) = missing.next() {
            let count = missing.count().saturating_add(1);
            return Err(Untrue::Lost { number: *number, index: *index, count });
        }
        Ok((self.tally.acknowledged.len() as u64, self.unacknowledged))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statements::Issuer;

    fn prepared() -> Prepared {
        let issuer = Issuer::generate("hammer".parse().unwrap()).unwrap();
        Prepared::sign(&issuer, 4, 1, 700, &|_| ()).unwrap()
    }

    fn judge(prepared: &Prepared, tally: &Tally, log: &[Vec<u8>]) -> Result<(u64, u64), Untrue> {
        let mut ledger = Ledger::new(prepared, tally);
        for (index, entry) in (0..).zip(log) {
            ledger.read(LeafIndex::new(index).unwrap(), entry)?;
        }
        ledger.finish()
    }

    #[test]
    fn every_kind_of_loss_is_seen() {
        let prepared = prepared();
        let [a, b, c, d] = [0, 1, 2, 3].map(|number| prepared.statement(number).unwrap());
        let mut tally = Tally::default();
        tally.acknowledged.extend([(0, 1), (1, 2)]);
        tally.refused.insert(2);
        let genesis = b"genesis".to_vec();
        let log = |entries: &[&Vec<u8>]| entries.iter().map(|entry| (*entry).clone()).collect::<Vec<_>>();
        let judge = |entries: &[&Vec<u8>]| judge(&prepared, &tally, &log(entries));
        assert_eq!(judge(&[&genesis, &a, &b]).unwrap(), (2, 0));
        assert_eq!(judge(&[&genesis, &a, &b, &d]).unwrap(), (2, 1));
        assert!(matches!(judge(&[&genesis, &a]), Err(Untrue::Lost { number: 1, index: 2, count: 1 })));
        assert!(matches!(judge(&[&genesis, &a, &genesis]), Err(Untrue::Changed { number: 1, .. })));
        assert!(matches!(judge(&[&genesis, &b, &a]), Err(Untrue::Changed { number: 0, .. })));
        assert!(matches!(judge(&[&a, &genesis, &b]), Err(Untrue::Moved { number: 0, acknowledged: 1, .. })));
        assert!(matches!(judge(&[&genesis, &a, &b, &a]), Err(Untrue::Twice { number: 0, .. })));
        assert!(matches!(judge(&[&genesis, &a, &b, &c]), Err(Untrue::Refused { number: 2, .. })));
        let mut changed = b.clone();
        changed[600] ^= 1;
        assert!(matches!(judge(&[&genesis, &a, &changed]), Err(Untrue::Changed { number: 1, .. })));
    }
}
