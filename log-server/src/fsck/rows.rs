//! The rows that an entry must have left in the indexes.

use countersign_verifier::admission::{Effects, EntryFacts};
use countersign_verifier::merkle::{LeafHash, LeafIndex};

use super::finding::{Finding, REBUILD};
use super::state::Corrections;
use super::surplus;
use crate::store::{Entries, Facts, Row, StoreError};

const IDS: &str = "ids";
const MARKS: &str = "marks";

/// What came of comparing one entry with its rows.
#[derive(Debug, Default)]
pub(super) struct Compared {
    pub(super) findings: Vec<Finding>,
    pub(super) corrections: Corrections,
    pub(super) present: Present,
    /// Whether the row of its id leads to the entry itself.
    pub(super) is_first: bool,
}

/// How many rows were found where entries ask for them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Present {
    pub(super) ids: u64,
    pub(super) marks: u64,
}

impl Present {
    pub(super) fn add(&mut self, other: Self) {
        self.ids = self.ids.saturating_add(other.ids);
        self.marks = self.marks.saturating_add(other.marks);
    }
}

/// What a row says in place of what it should.
enum Wrong<T> {
    Missing,
    Other(T),
    Unreadable(String),
}

/// `None` when the row is right.
fn held<T: PartialEq>(
    row: Result<Option<T>, StoreError>,
    expected: &T,
) -> Result<Option<Wrong<T>>, StoreError> {
    Ok(match row {
        Ok(Some(found)) if found == *expected => None,
        Ok(Some(found)) => Some(Wrong::Other(found)),
        Ok(None) => Some(Wrong::Missing),
        Err(error @ (StoreError::DamagedRow { .. } | StoreError::DamagedFile { .. })) => {
            Some(Wrong::Unreadable(countersign_verifier::causes::with_causes(&error)))
        }
        Err(error) => return Err(error),
    })
}

/// Holds the rows of an entry against what it adds by itself.
pub(super) fn compare<S: Facts + Entries>(store: &S, effects: &Effects) -> Result<Compared, StoreError> {
    let mut compared = Compared::default();
    let (id, facts) = &effects.entry;
    let (id, index) = (*id, facts.index);
    let row = held(store.facts(&id), facts)?;
    compared.present.ids = u64::from(!matches!(row, Some(Wrong::Missing)));
    compared.is_first = row.is_none();
    // The same bytes twice: the row may lead to either, and the rules will refuse the later.
    let twin = match &row {
        Some(Wrong::Other(found)) => store
            .entry(found.index)?
            .filter(|bytes| found.index != index && LeafHash::of(bytes) == id)
            .map(|_| found.index),
        _ => None,
    };
    match (row, twin) {
        (None, _) => {}
        (Some(_), Some(twin)) if twin < index => compared.present.ids = 0,
        (Some(_), Some(_)) => {
            compared.corrections.facts.insert(id, facts.clone());
        }
        (Some(wrong), None) => {
            compared.findings.push(
                Finding::damage(IDS, Row::Id(id))
                    .found(describe(wrong, tell))
                    .expected(tell(facts))
                    .remedy(REBUILD),
            );
            compared.corrections.facts.insert(id, facts.clone());
        }
    }
    if let Some(authorization) = &effects.outcome_of {
        let row = held(store.outcome_of(authorization), &id)?;
        let same = |other: &Effects| other.outcome_of == Some(*authorization);
        if mark(store, &mut compared, row, &Row::OutcomeOf(*authorization), (id, index), same)? {
            compared.corrections.outcomes.insert(*authorization, (id, index));
        }
    }
    if let Some(execution) = &effects.closes {
        let row = held(store.close_of(execution), &id)?;
        let same = |other: &Effects| other.closes.as_ref() == Some(execution);
        if mark(store, &mut compared, row, &Row::CloseOf(execution.clone()), (id, index), same)? {
            compared.corrections.closes.insert(execution.clone(), (id, index));
        }
    }
    Ok(compared)
}

/// Takes up a row of marks. `true` when it does not say what is right as of this entry, which is the one it should lead to.
fn mark<S: Facts + Entries>(
    store: &S,
    compared: &mut Compared,
    row: Option<Wrong<LeafHash>>,
    key: &Row,
    (id, index): (LeafHash, LeafIndex),
    same: impl FnOnce(&Effects) -> bool,
) -> Result<bool, StoreError> {
    if !matches!(row, Some(Wrong::Missing)) {
        compared.present.marks = compared.present.marks.saturating_add(1);
    }
    let Some(wrong) = row else { return Ok(false) };
    // Two entries that leave the same mark: the row may lead to either, and the rules will refuse the later.
    if let Wrong::Other(found) = &wrong
        && let Some(twin) = surplus::effects(store, found)?.filter(same)
    {
        return Ok(twin.entry.1.index > index);
    }
    let finding = Finding::damage(MARKS, key).found(describe(wrong, |found| format!("entry {found}")));
    compared.findings.push(finding.expected(format_args!("entry {id}, index {index}")).remedy(REBUILD));
    Ok(true)
}

fn describe<T>(wrong: Wrong<T>, tell: impl Fn(&T) -> String) -> String {
    match wrong {
        Wrong::Missing => "no row".to_owned(),
        Wrong::Other(found) => tell(&found),
        Wrong::Unreadable(why) => why,
    }
}

fn tell(facts: &EntryFacts) -> String {
    let EntryFacts { index, kind, execution, verdict } = facts;
    let verdict = verdict.map_or_else(String::new, |verdict| format!(" ({verdict})"));
    let execution = execution.as_ref().map_or_else(String::new, |id| format!(" of execution {id}"));
    format!("index {index}, {kind}{verdict}{execution}")
}
