//! Judging every execution of a log in bounded memory.
//!
//! The statements of an execution are held while it is young. It is judged and let go when it closes, and earlier when
//! memory runs short, the oldest first. When entries are added to an execution that was let go, the ones before are read
//! again from the log, held against their known ids, and it is judged anew: so an entry after a close, or one that
//! comes a million entries later, is judged with all the others, and only costs a little more.

use std::collections::{HashMap, VecDeque};

use super::found::{Found, Lineage};
use super::ledger::Ledger;
use super::replay::{AuditError, Entries};
use crate::admission::State as _;
use crate::lineage::{Judgement, Step, judge};
use crate::merkle::{LeafHash, LeafIndex};
use crate::statement::Statement;

/// The most entries of one execution that are judged together. A longer one is reported as not judged.
pub const MAX_STEPS: u32 = 65_536;

/// How many bytes of memory statements may take, roughly, before executions are judged early.
const ROOM: usize = 256 << 20;

/// The executions that may still grow.
#[derive(Debug)]
pub(super) struct Lineages {
    held: HashMap<u32, Held>,
    /// The executions held, the oldest first. One that was let go in between may still stand here.
    queue: VecDeque<u32>,
    size: usize,
    room: usize,
}

#[derive(Debug, Default)]
struct Held {
    steps: Vec<OwnStep>,
    size: usize,
}

#[derive(Debug)]
struct OwnStep {
    index: LeafIndex,
    entry: LeafHash,
    /// Elsewhere, since a list has room for several before it is full, and most executions are short.
    statement: Box<Statement>,
}

impl OwnStep {
    /// How much memory it takes, roughly: its bytes, and the same again as values.
    fn size(&self) -> usize {
        self.statement.bytes().len().saturating_mul(3).saturating_add(1024)
    }
}

impl Default for Lineages {
    fn default() -> Self {
        Self { held: HashMap::new(), queue: VecDeque::new(), size: 0, room: ROOM }
    }
}

impl Lineages {
    /// The same in another number of bytes.
    pub(super) fn within(room: usize) -> Self {
        Self { room, ..Self::default() }
    }

    /// Takes up an entry of an execution, which the ledger has already.
    pub(super) fn take(&mut self, execution: u32, index: LeafIndex, entry: LeafHash, statement: Statement) {
        let step = OwnStep { index, entry, statement: Box::new(statement) };
        let size = step.size();
        let held = self.held.entry(execution).or_insert_with(|| {
            self.queue.push_back(execution);
            Held::default()
        });
        held.steps.push(step);
        held.size = held.size.saturating_add(size);
        self.size = self.size.saturating_add(size);
    }

    /// A statement of an execution that is held still, among the last few.
    #[cfg(feature = "replay")]
    pub(super) fn recent(&self, execution: u32, entry: LeafHash) -> Option<&Statement> {
        const LAST: usize = 16;

        let mut steps = self.held.get(&execution)?.steps.iter().rev().take(LAST);
        steps.find(|step| step.entry == entry).map(|step| &*step.statement)
    }

    /// Judges the oldest executions until the others have room.
    pub(super) fn make_room<E: Entries>(
        &mut self,
        ledger: &mut Ledger,
        entries: &E,
        found: &mut impl FnMut(Found),
    ) -> Result<(), AuditError<E::Error>> {
        while self.size > self.room {
            let Some(execution) = self.queue.pop_front() else { break };
            self.let_go(execution, ledger, entries, found)?;
        }
        // Executions that closed have left their numbers behind.
        if self.queue.len() > self.held.len().saturating_mul(2).saturating_add(1024) {
            self.queue.retain(|execution| self.held.contains_key(execution));
        }
        Ok(())
    }

    /// Judges all that is held.
    pub(super) fn settle<E: Entries>(
        &mut self,
        ledger: &mut Ledger,
        entries: &E,
        found: &mut impl FnMut(Found),
    ) -> Result<(), AuditError<E::Error>> {
        while let Some(execution) = self.queue.pop_front() {
            self.let_go(execution, ledger, entries, found)?;
        }
        Ok(())
    }

    /// Judges an execution by all its entries, and holds it no longer.
    pub(super) fn let_go<E: Entries>(
        &mut self,
        execution: u32,
        ledger: &mut Ledger,
        entries: &E,
        found: &mut impl FnMut(Found),
    ) -> Result<(), AuditError<E::Error>> {
        let Some(held) = self.held.remove(&execution) else { return Ok(()) };
        self.size = self.size.saturating_sub(held.size);
        let Some(facts) = ledger.execution(execution) else { return Ok(()) };
        let (name, count) = (facts.name, facts.entries);
        let judgement = if count > MAX_STEPS {
            None
        } else {
            let known = held.steps.first().map(|step| step.index);
            let mut steps = read_again(ledger, entries, &ledger.entries_of(execution, known))?;
            steps.extend(held.steps);
            judged(ledger, &steps)
        };
        let again = ledger.set_verdict(execution, judgement.as_ref().map(|judgement| judgement.verdict));
        found(Found::Lineage(Lineage { execution: name, entries: count, judgement, again }));
        Ok(())
    }
}

/// The judgement; `None` for entries that are not those of one execution in order, which the ledger never gives.
fn judged(ledger: &Ledger, steps: &[OwnStep]) -> Option<Judgement> {
    let steps: Vec<Step<'_>> = steps
        .iter()
        .map(|step| Step { index: step.index, entry: step.entry, statement: &step.statement })
        .collect();
    let outside = |entry| {
        let Ok(facts) = ledger.entry(&entry);
        facts.map(|facts| (facts.index, facts.kind))
    };
    judge(&steps, outside).ok()
}

/// Reads entries again that the ledger has.
fn read_again<E: Entries>(
    ledger: &Ledger,
    entries: &E,
    indexes: &[LeafIndex],
) -> Result<Vec<OwnStep>, AuditError<E::Error>> {
    indexes
        .iter()
        .map(|index| {
            let bytes = known_entry(ledger, entries, *index)?;
            let statement = Statement::parse(&bytes).map_err(|_| AuditError::Changed { index: *index })?;
            Ok(OwnStep { index: *index, entry: LeafHash::of(&bytes), statement: Box::new(statement) })
        })
        .collect()
}

/// The bytes of an entry that the ledger has, read again and held against its id.
pub(super) fn known_entry<E: Entries>(
    ledger: &Ledger,
    entries: &E,
    index: LeafIndex,
) -> Result<Vec<u8>, AuditError<E::Error>> {
    let bytes = entries.entry(index).map_err(AuditError::Unread)?;
    if ledger.tree().leaf(index) == Some(LeafHash::of(&bytes)) {
        Ok(bytes)
    } else {
        Err(AuditError::Changed { index })
    }
}
