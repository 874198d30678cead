//! The rows that an entry must have left in the indexes.

use countersign_verifier::admission::{Effects, EntryFacts};
use countersign_verifier::merkle::{LeafHash, LeafIndex};

use super::finding::{Finding, REBUILD};
use super::state::Corrections;
use crate::store::{Entries, Facts, Row, StoreError};

const IDS: &str = "ids";
const MARKS: &str = "marks";

/// What came of comparing one entry with its rows.
#[derive(Debug, Default)]
pub(super) struct Compared {
    pub(super) findings: Vec<Finding>,
    pub(super) corrections: Corrections,
    pub(super) present: Present,
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
    if let Some(Wrong::Other(found)) = &row
        && found.index < index
        && store.entry(found.index)?.is_some_and(|bytes| LeafHash::of(&bytes) == id)
    {
        let twice = Finding::misbehaviour("entries", Row::Entry(index));
        let twice = twice.found(format_args!("the same bytes as at index {}", found.index));
        compared.findings.push(twice.expected("every entry once"));
        compared.present.ids = 0;
        return Ok(compared);
    }
    if let Some(wrong) = row {
        compared.findings.push(
            Finding::damage(IDS, Row::Id(id))
                .found(describe(wrong, tell))
                .expected(tell(facts))
                .remedy(REBUILD),
        );
        compared.corrections.facts.insert(id, facts.clone());
    }
    if let Some(authorization) = &effects.outcome_of {
        let row = held(store.outcome_of(authorization), &id)?;
        if mark(&mut compared, row, &Row::OutcomeOf(*authorization), id, index) {
            compared.corrections.outcomes.insert(*authorization, (id, index));
        }
    }
    if let Some(execution) = &effects.closes {
        let row = held(store.close_of(execution), &id)?;
        if mark(&mut compared, row, &Row::CloseOf(execution.clone()), id, index) {
            compared.corrections.closes.insert(execution.clone(), (id, index));
        }
    }
    Ok(compared)
}

/// Takes up a row of marks. `true` when it is wrong.
fn mark(
    compared: &mut Compared,
    row: Option<Wrong<LeafHash>>,
    key: &Row,
    id: LeafHash,
    index: LeafIndex,
) -> bool {
    if !matches!(row, Some(Wrong::Missing)) {
        compared.present.marks = compared.present.marks.saturating_add(1);
    }
    let Some(wrong) = row else { return false };
    let finding = Finding::damage(MARKS, key).found(describe(wrong, |found| format!("entry {found}")));
    compared.findings.push(finding.expected(format_args!("entry {id}, index {index}")).remedy(REBUILD));
    true
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
