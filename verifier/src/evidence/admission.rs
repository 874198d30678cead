//! Entries that a log must not have.

use core::convert::Infallible;

use super::{Against, Included, NothingProven, Proven, open};
use crate::admission::{
    AdmitError, Effects, EntryFacts, IssuerKey, IssuerRecord, MemoryState, Refusal, State, check,
};
use crate::causes::with_causes;
use crate::checkpoint::LogSigned;
use crate::ed25519::PublicKey;
use crate::merkle::{LeafHash, LeafIndex, TreeSize};
use crate::note::SignedNote;
use crate::quorum::Policy;
use crate::statement::payload::Genesis;
use crate::statement::{ExecutionId, IssuerStatus, KeyThumbprint, Kind, Payload, Role, Statement, Verdict};

/// An entry that breaks the rules of its log, with the entries that show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdmissionEvidence {
    /// The head that all entries are under.
    pub head: SignedNote,
    /// The genesis, by which the log gave itself the rules; the earlier entries that the accused one contradicts; and
    /// the accused one. In the order of the log.
    pub entries: Vec<Included>,
    /// The key that the accused entry names, when what is wrong is that this key did not sign it.
    pub key: Option<PublicKey>,
}

impl AdmissionEvidence {
    pub(super) fn verify(&self, policy: &Policy) -> Result<Proven, NothingProven> {
        let signed = open(&self.head, policy)?;
        let mut ids = Vec::new();
        for entry in &self.entries {
            ids.push(entry.verify(&signed)?);
        }
        let first = LeafIndex::new(0).ok_or(NothingProven::Agree)?;
        let no_entries = NothingProven::Entry {
            index: first,
            expected: "there: expected the genesis and the entry accused",
        };
        let ((accused, earlier), id) = self.entries.split_last().zip(ids.last()).ok_or(no_entries)?;
        let genesis = check_genesis(accused, earlier, &signed)?;
        let alone = || match earlier.get(1) {
            None => Ok(()),
            Some(surplus) => {
                Err(NothingProven::Entry { index: surplus.index, expected: "needed to show this" })
            }
        };
        let (code, sentence, unless) = match Statement::parse(&accused.bytes) {
            Err(error) => {
                alone()?;
                (error.code(), with_causes(&error), None)
            }
            Ok(statement) => match &self.key {
                Some(key) => {
                    alone()?;
                    let (code, sentence) = forged(accused.index, statement, key)?;
                    (code, sentence, None)
                }
                None => refused(accused, *id, &statement, earlier.iter().zip(ids.iter().copied()), genesis)?,
            },
        };
        let at = accused.index;
        let head = signed.checkpoint();
        let mut shows = Vec::new();
        if !earlier.is_empty() {
            shows.push("By its genesis, entry 0, it admits entries by the rules countersign/1.".to_owned());
        }
        shows.push(format!("It signed a head of {} entries, and among them is entry {at}.", head.size));
        shows.push(format!("By those rules it had to refuse entry {at}: {sentence}."));
        let log = head.origin.clone();
        Ok(Proven { against: Against::Log, log, code, shows, unless, witnesses: Vec::new() })
    }
}

/// What makes the rules of the log those that it is held to. Entry 0 is held to them as well, by being what founds a log.
fn check_genesis(
    accused: &Included,
    earlier: &[Included],
    head: &LogSigned,
) -> Result<Option<Genesis>, NothingProven> {
    let Some(first) = earlier.first() else {
        let expected = "the first entry of the log: expected its genesis before it";
        let index = accused.index;
        return if index.get() == 0 { Ok(None) } else { Err(NothingProven::Entry { index, expected }) };
    };
    let no_genesis = NothingProven::Entry { index: first.index, expected: "the genesis of this log" };
    let statement = Statement::parse(&first.bytes).map_err(|_| no_genesis.clone())?;
    match statement.payload() {
        Payload::Genesis(genesis) if first.index.get() == 0 && genesis.origin == head.checkpoint().origin => {
            Ok(Some(genesis.clone()))
        }
        _ => Err(no_genesis),
    }
}

/// The statement names a key that did not sign it. Whoever is registered: no other key has this thumbprint.
fn forged(
    index: LeafIndex,
    statement: Statement,
    key: &PublicKey,
) -> Result<(&'static str, String), NothingProven> {
    if statement.kid() != KeyThumbprint::of(key) {
        return Err(NothingProven::OtherKey { index });
    }
    match statement.verify(key) {
        Ok(_) => Err(NothingProven::Innocent { index }),
        Err(error) => Ok((error.code(), with_causes(&error))),
    }
}

type Refused = (&'static str, String, Option<String>);

/// The refusal that the log owed, over the entries given and with the benefit of every doubt about the others.
fn refused<'a>(
    accused: &Included,
    id: LeafHash,
    statement: &Statement,
    earlier: impl Iterator<Item = (&'a Included, LeafHash)>,
    genesis: Option<Genesis>,
) -> Result<Refused, NothingProven> {
    let mut known = MemoryState::new();
    let mut last = None;
    for (entry, id) in earlier {
        let wrong = |expected| NothingProven::Entry { index: entry.index, expected };
        if last.replace(entry.index).is_some_and(|last| last >= entry.index) {
            return Err(wrong("after the one before it"));
        }
        let statement = Statement::parse(&entry.bytes).map_err(|_| wrong("a statement"))?;
        known.apply(Effects::of(&statement, id, entry.index));
    }
    if last.is_some_and(|last| last >= accused.index) {
        return Err(NothingProven::Entry { index: accused.index, expected: "after the others" });
    }
    let doubt = BenefitOfDoubt { known, index: accused.index, accused: statement, genesis };
    match check(&doubt, id, statement) {
        Ok(_)
        | Err(AdmitError::Refused(Refusal::IssuerUnknown { .. } | Refusal::ReferenceUnresolved { .. })) => {
            Err(NothingProven::Innocent { index: accused.index })
        }
        Err(AdmitError::Refused(refusal)) => {
            let unless = match &refusal {
                Refusal::IssuerRevoked { index, .. } | Refusal::RoleMissing { index, .. } => Some(format!(
                    "a registration of the same name and key between entry {index} and entry {}",
                    accused.index
                )),
                _ => None,
            };
            Ok((refusal.code(), with_causes(&refusal), unless))
        }
    }
}

/// A log of which a few entries are known. Whatever is not among them is taken to be as the log would need it, so that
/// what is refused all the same is refused whatever else there is.
struct BenefitOfDoubt<'a> {
    known: MemoryState,
    index: LeafIndex,
    accused: &'a Statement,
    genesis: Option<Genesis>,
}

impl BenefitOfDoubt<'_> {
    /// What is assumed of an entry that the accused one refers to.
    fn assumed(&self, entry: &LeafHash) -> Option<EntryFacts> {
        let (role, _) = self.accused.references().iter().find(|(_, id)| id == entry)?;
        let kind = role.kind().unwrap_or(Kind::Intent);
        let execution = self.accused.execution().filter(|_| kind != Kind::Policy).cloned();
        let verdict = (kind == Kind::Decision).then_some(Verdict::Permit);
        Some(EntryFacts {
            index: LeafIndex::new(self.index.get().saturating_sub(1))?,
            kind,
            execution,
            verdict,
        })
    }
}

impl State for BenefitOfDoubt<'_> {
    type Error = Infallible;

    fn size(&self) -> Result<TreeSize, Infallible> {
        Ok(TreeSize::new(self.index.get()).unwrap_or_default())
    }

    fn issuer(&self, issuer: &IssuerKey) -> Result<Option<IssuerRecord>, Infallible> {
        let registered = self.known.issuer(issuer)?;
        let assumed = || {
            let public_key = self.genesis.as_ref()?.operator.public_key;
            let roles = Role::ALL.iter().copied().collect();
            Some(IssuerRecord { public_key, roles, status: IssuerStatus::Active, index: LeafIndex::new(0)? })
        };
        Ok(registered.or_else(assumed))
    }

    fn entry(&self, entry: &LeafHash) -> Result<Option<EntryFacts>, Infallible> {
        Ok(self.known.entry(entry)?.or_else(|| self.assumed(entry)))
    }

    fn outcome_of(&self, authorization: &LeafHash) -> Result<Option<LeafHash>, Infallible> {
        self.known.outcome_of(authorization)
    }

    fn close_of(&self, execution: &ExecutionId) -> Result<Option<LeafHash>, Infallible> {
        self.known.close_of(execution)
    }
}
