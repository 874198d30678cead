//! What the admission rules need to know of a log, for tens of millions of entries.
//!
//! An entry takes 9 bytes here, 5 to 11 in the table that finds it by its id, and 36 in the [`Tree`], which has the id
//! itself; an execution takes its name and about 20 bytes. Nothing is abridged: ids are compared whole.

use core::convert::Infallible;
use core::hash::BuildHasher as _;
use std::collections::HashMap;
use std::collections::hash_map::RandomState;

use hashbrown::HashTable;

use super::tree::Tree;
use super::verdicts::{Standing, Verdicts};
use crate::admission::{Effects, EntryFacts, IssuerKey, IssuerRecord, State};
use crate::lineage::LineageVerdict;
use crate::merkle::{LeafHash, LeafIndex, TreeSize};
use crate::statement::{ExecutionId, Kind, Verdict};

/// No entry, no execution.
pub(super) const NONE: u32 = u32::MAX;

/// More entries than can be held: their numbers have four bytes here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the log has more than the {NONE} entries that this auditor can hold")]
pub struct TooLarge;

/// The log so far, as its entries determine it.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    tree: Tree,
    entries: Vec<Entry>,
    /// The admitted entries, by id.
    places: HashTable<u32>,
    executions: Executions,
    issuers: HashMap<IssuerKey, Issuer>,
    /// The entries that registered each key, in the order of the log.
    registrations: HashMap<IssuerKey, Vec<u32>>,
    /// Outcomes, by the authorization that they name.
    outcomes: HashMap<u32, u32>,
    /// The entries that should not be there, by id.
    not_admitted: HashMap<LeafHash, u32>,
    hasher: RandomState,
}

/// What is remembered of an entry, besides its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    /// Its execution. [`NONE`] also when it does not count as a statement of one.
    pub(super) execution: [u8; 4],
    /// The entry of the same execution before this one.
    before: [u8; 4],
    pub(super) what: What,
}

/// A registered key, and how many admitted statements it has signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer {
    /// The newest registration.
    pub record: IssuerRecord,
    /// How many admitted statements carry its signature.
    pub statements: u64,
}

/// Kind, verdict and whether the entry was rightly admitted, in one byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct What(u8);

impl What {
    const ADMITTED: u8 = 1 << 7;
    /// An entry that is no statement, or not by the key that it names.
    pub(super) const NOTHING: Self = Self(0x0f);

    pub(super) fn new(kind: Kind, verdict: Option<Verdict>, admitted: bool) -> Self {
        let kind = Kind::ALL.iter().position(|one| *one == kind).and_then(|at| u8::try_from(at).ok());
        let verdict = match verdict {
            None => 0,
            Some(Verdict::Permit) => 1 << 4,
            Some(Verdict::Deny) => 2 << 4,
        };
        Self(kind.unwrap_or(0x0f) | verdict | if admitted { Self::ADMITTED } else { 0 })
    }

    pub(super) fn kind(self) -> Option<Kind> {
        Kind::ALL.get(usize::from(self.0 & 0x0f)).copied()
    }

    const fn verdict(self) -> Option<Verdict> {
        match self.0 >> 4 & 0x03 {
            1 => Some(Verdict::Permit),
            2 => Some(Verdict::Deny),
            _ => None,
        }
    }

    pub(super) const fn admitted(self) -> bool {
        self.0 & Self::ADMITTED != 0
    }

    /// Whether it closes its execution.
    pub(super) fn closes(self) -> bool {
        self.admitted() && self.kind() == Some(Kind::Close)
    }

    pub(super) const fn byte(self) -> u8 {
        self.0
    }

    /// The meaning of a byte, or `None` when it has none.
    pub(super) fn from_byte(byte: u8) -> Option<Self> {
        let what = Self(byte);
        let expected =
            what.kind().map_or(Self::NOTHING, |kind| Self::new(kind, what.verdict(), what.admitted()));
        (what == expected).then_some(what)
    }
}

/// An execution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Execution {
    pub(super) name: ExecutionId,
    pub(super) entries: u32,
}

/// What an entry adds, with names replaced by numbers where the ledger has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Addition {
    pub(super) id: LeafHash,
    pub(super) what: What,
    pub(super) execution: Option<ExecutionId>,
    /// The registration that it makes, when it is admitted.
    pub(super) issuer: Option<(IssuerKey, IssuerRecord)>,
    /// The key that signed it, when it is admitted.
    pub(super) signer: Option<IssuerKey>,
    /// The authorization of which it is the outcome, when it is admitted.
    pub(super) outcome_of: Option<u32>,
}

impl Ledger {
    /// The tree over all entries so far.
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// All registrations, revoked ones included, in no particular order.
    pub fn issuers(&self) -> impl Iterator<Item = (&IssuerKey, &Issuer)> {
        self.issuers.iter()
    }

    /// How many executions there are.
    pub fn executions(&self) -> usize {
        self.executions.ends.len()
    }

    /// How many executions came to each verdict.
    pub fn verdicts(&self) -> Verdicts {
        let mut verdicts = Verdicts::default();
        for facts in &self.executions.facts {
            verdicts.count(facts.verdict);
        }
        verdicts
    }

    /// An execution.
    pub(super) fn execution(&self, number: u32) -> Option<Execution> {
        let name = self.executions.name(number)?.parse().ok()?;
        Some(Execution { name, entries: self.executions.facts.get(to_usize(number))?.entries })
    }

    /// Remembers what became of an execution, `None` when it was too long to judge. Says whether it was judged before.
    pub(super) fn set_verdict(&mut self, execution: u32, verdict: Option<LineageVerdict>) -> bool {
        let facts = self.executions.facts.get_mut(to_usize(execution));
        facts.is_some_and(|facts| {
            core::mem::replace(&mut facts.verdict, Standing::of(verdict)) != Standing::NotJudged
        })
    }

    /// The entries of an execution, in the order of the log, up to one that is not among them.
    pub(super) fn entries_of(&self, execution: u32, end: Option<LeafIndex>) -> Vec<LeafIndex> {
        let mut found = Vec::new();
        let mut at = self.executions.facts.get(to_usize(execution)).map_or(NONE, |facts| facts.last);
        while let Some(entry) = self.entries.get(to_usize(at)) {
            let index = LeafIndex::new(u64::from(at));
            found.extend(index.filter(|index| end.is_none_or(|end| *index < end)));
            at = u32::from_le_bytes(entry.before);
        }
        found.reverse();
        found
    }

    /// The number of an execution that has entries.
    pub(super) fn number_of(&self, execution: &str) -> Option<u32> {
        self.executions.find(execution, &self.hasher)
    }

    /// The number that the next new execution gets.
    pub(super) fn next_execution(&self) -> u32 {
        u32::try_from(self.executions()).unwrap_or(NONE)
    }

    /// The standing of every execution, in the order of their first entries.
    pub(super) fn standings(&self) -> impl Iterator<Item = Standing> + '_ {
        self.executions.facts.iter().map(|facts| facts.verdict)
    }

    /// Takes up a standing that was kept.
    pub(super) fn set_standing(&mut self, execution: u32, standing: Standing) {
        if let Some(facts) = self.executions.facts.get_mut(to_usize(execution)) {
            facts.verdict = standing;
        }
    }

    /// The entry with the newest registration of a key.
    pub(super) fn registration(&self, issuer: &IssuerKey) -> Option<LeafIndex> {
        self.issuers.get(issuer).map(|issuer| issuer.record.index)
    }

    /// The newest admitted registration of a key before an entry.
    pub(super) fn registration_before(&self, issuer: &IssuerKey, before: LeafIndex) -> Option<LeafIndex> {
        let all = self.registrations.get(issuer)?;
        let earlier = all.partition_point(|place| u64::from(*place) < before.get());
        LeafIndex::new(u64::from(*all.get(earlier.checked_sub(1)?)?))
    }

    /// Where an entry is that is in the log and should not be.
    pub(super) fn not_admitted(&self, id: &LeafHash) -> Option<u32> {
        self.not_admitted.get(id).copied()
    }

    /// Where an admitted entry is.
    pub(super) fn place(&self, id: &LeafHash) -> Option<u32> {
        let hash = self.hasher.hash_one(id);
        self.places.find(hash, |place| self.id(*place).as_ref() == Some(id)).copied()
    }

    /// What an admitted statement adds. `effects` are those that [`crate::admission::admit`] gave over this ledger.
    pub(super) fn admitted(&self, effects: Effects, signer: IssuerKey) -> Addition {
        let Effects { entry: (id, facts), issuer, outcome_of, closes: _ } = effects;
        Addition {
            id,
            what: What::new(facts.kind, facts.verdict, true),
            execution: facts.execution,
            issuer,
            signer: Some(signer),
            outcome_of: outcome_of.and_then(|authorization| self.place(&authorization)),
        }
    }

    /// Takes up the next entry, and says which number its execution has.
    pub(super) fn push(&mut self, addition: Addition) -> Result<u32, TooLarge> {
        let Addition { id, what, execution, issuer, signer, outcome_of } = addition;
        let place = u32::try_from(self.entries.len()).ok().filter(|place| *place != NONE).ok_or(TooLarge)?;
        if !self.tree.append(id) {
            return Err(TooLarge);
        }
        let execution = match &execution {
            Some(name) => self.executions.number(name.as_str(), &self.hasher)?,
            None => NONE,
        };
        let mut before = NONE;
        if let Some(facts) = self.executions.facts.get_mut(to_usize(execution)) {
            before = core::mem::replace(&mut facts.last, place);
            facts.entries = facts.entries.saturating_add(1);
            if what.closes() {
                facts.close = place;
            }
        }
        let entry = Entry { execution: execution.to_le_bytes(), before: before.to_le_bytes(), what };
        self.entries.push(entry);
        if what.admitted() {
            let (tree, hasher) = (&self.tree, &self.hasher);
            let hash = |place: &u32| id_in(tree, *place).map_or(0, |id| hasher.hash_one(id));
            self.places.insert_unique(hasher.hash_one(id), place, hash);
        } else {
            self.not_admitted.insert(id, place);
        }
        if let Some((key, record)) = issuer {
            let statements = self.issuers.get(&key).map_or(0, |issuer| issuer.statements);
            self.registrations.entry(key.clone()).or_default().push(place);
            self.issuers.insert(key, Issuer { record, statements });
        }
        if let Some(issuer) = signer.and_then(|signer| self.issuers.get_mut(&signer)) {
            issuer.statements = issuer.statements.saturating_add(1);
        }
        self.outcomes.extend(outcome_of.map(|authorization| (authorization, place)));
        Ok(execution)
    }

    fn id(&self, place: u32) -> Option<LeafHash> {
        id_in(&self.tree, place)
    }
}

fn id_in(tree: &Tree, place: u32) -> Option<LeafHash> {
    tree.leaf(LeafIndex::new(u64::from(place))?)
}

/// A number that was given to something held in memory.
fn to_usize(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

impl State for Ledger {
    type Error = Infallible;

    fn size(&self) -> Result<TreeSize, Infallible> {
        Ok(self.tree.size())
    }

    fn issuer(&self, issuer: &IssuerKey) -> Result<Option<IssuerRecord>, Infallible> {
        Ok(self.issuers.get(issuer).map(|issuer| issuer.record.clone()))
    }

    fn entry(&self, entry: &LeafHash) -> Result<Option<EntryFacts>, Infallible> {
        let facts = || {
            let place = self.place(entry)?;
            let Entry { execution, what, .. } = *self.entries.get(to_usize(place))?;
            Some(EntryFacts {
                index: LeafIndex::new(u64::from(place))?,
                kind: what.kind()?,
                execution: self.execution(u32::from_le_bytes(execution)).map(|execution| execution.name),
                verdict: what.verdict(),
            })
        };
        Ok(facts())
    }

    fn outcome_of(&self, authorization: &LeafHash) -> Result<Option<LeafHash>, Infallible> {
        let outcome = self.place(authorization).and_then(|place| self.outcomes.get(&place));
        Ok(outcome.and_then(|outcome| self.id(*outcome)))
    }

    fn close_of(&self, execution: &ExecutionId) -> Result<Option<LeafHash>, Infallible> {
        let number = self.executions.find(execution.as_str(), &self.hasher);
        let close = number.and_then(|number| self.executions.facts.get(to_usize(number)));
        Ok(close.and_then(|facts| self.id(facts.close)))
    }
}

/// The executions by number and by name.
#[derive(Debug, Clone, Default)]
struct Executions {
    /// All names, one after the other, and where each ends.
    names: String,
    ends: Vec<usize>,
    facts: Vec<ExecutionFacts>,
    places: HashTable<u32>,
}

#[derive(Debug, Clone, Copy)]
struct ExecutionFacts {
    last: u32,
    close: u32,
    entries: u32,
    verdict: Standing,
}

impl Executions {
    fn name(&self, number: u32) -> Option<&str> {
        name_in(&self.names, &self.ends, number)
    }

    fn find(&self, name: &str, hasher: &RandomState) -> Option<u32> {
        self.places.find(hasher.hash_one(name), |number| self.name(*number) == Some(name)).copied()
    }

    fn number(&mut self, name: &str, hasher: &RandomState) -> Result<u32, TooLarge> {
        if let Some(number) = self.find(name, hasher) {
            return Ok(number);
        }
        let number = u32::try_from(self.ends.len()).ok().filter(|number| *number != NONE).ok_or(TooLarge)?;
        self.names.push_str(name);
        self.ends.push(self.names.len());
        self.facts.push(ExecutionFacts { last: NONE, close: NONE, entries: 0, verdict: Standing::NotJudged });
        let (names, ends) = (&self.names, &self.ends);
        let hash = |number: &u32| hasher.hash_one(name_in(names, ends, *number).unwrap_or_default());
        self.places.insert_unique(hasher.hash_one(name), number, hash);
        Ok(number)
    }
}

fn name_in<'a>(names: &'a str, ends: &[usize], number: u32) -> Option<&'a str> {
    let number = to_usize(number);
    let start = match number.checked_sub(1) {
        Some(before) => *ends.get(before)?,
        None => 0,
    };
    names.get(start..*ends.get(number)?)
}
