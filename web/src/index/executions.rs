//! Executions: the entries that belong together, and what the last word on each is.

use countersign_verifier::statement::{DecisionCode, EnforcementAction, OutcomeStatus, VerificationCode};

use super::{Gist, Index, NameId, SCAN, SCAN_NAMES, Slice, contains};

/// One execution as a line of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Execution {
    pub(crate) id: String,
    /// Its first entry.
    pub(crate) first: u64,
    /// Its newest entry.
    pub(crate) last: u64,
    pub(crate) entries: u64,
    /// When its first entry says that it was stated.
    pub(crate) started_at: Option<u64>,
    pub(crate) state: State,
}

/// How far an execution got, by its own entries. It is what they say, not a judgement of whether they fit together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct State {
    pub(crate) intent: bool,
    pub(crate) decision: Option<DecisionCode>,
    pub(crate) authorization: bool,
    pub(crate) verification: Option<VerificationCode>,
    pub(crate) outcome: Option<OutcomeStatus>,
    pub(crate) enforcement: Option<EnforcementAction>,
    pub(crate) closed: bool,
}

impl State {
    /// Takes in the next entry of the execution.
    pub(crate) fn add(&mut self, gist: Gist) {
        match gist {
            Gist::Intent => self.intent = true,
            Gist::Decision(code) => self.decision = Some(code),
            Gist::Authorization => self.authorization = true,
            Gist::Verification(code) => self.verification = Some(code),
            Gist::Outcome(status) => self.outcome = Some(status),
            Gist::Enforcement(action) => self.enforcement = Some(action),
            Gist::Close => self.closed = true,
            Gist::Genesis | Gist::Issuer(_) | Gist::Policy | Gist::Unreadable => {}
        }
    }
}

/// How many entries of an execution a list looks at to say how far it got.
const LOOKED_AT: usize = 64;

impl Index {
    /// The entries of an execution in the order of the log, the newest `limit` of them, and how many there are.
    pub(crate) fn execution_entries(&self, id: &str, limit: usize) -> Option<(Vec<u64>, u64)> {
        let subject = self.subject_names.find(id)?;
        let thread = self.threads.get(subject.position())?;
        let entries = self.thread(thread.last, limit);
        let is_execution = |index: &u64| {
            usize::try_from(*index)
                .ok()
                .and_then(|at| self.gists.get(at))
                .copied()
                .is_some_and(super::is_execution)
        };
        entries.first().is_some_and(is_execution).then_some((entries, thread.count))
    }

    /// The executions whose first entry is before `before`, newest first, with `text` in their id in any case.
    pub(crate) fn list_executions(&self, before: u64, text: Option<&str>, limit: usize) -> Slice<Execution> {
        let end = self.executions.partition_point(|started| started.first < before);
        let text = text.map(str::to_ascii_lowercase);
        let mut items = Vec::new();
        let mut looked_at = 0_u64;
        for started in (0..end).rev().filter_map(|at| self.executions.get(at)) {
            let next = started.first.saturating_add(1);
            if looked_at == if text.is_some() { SCAN_NAMES } else { SCAN } {
                return Slice { items, next: Some(next), searched_from: next };
            }
            looked_at = looked_at.saturating_add(1);
            if text
                .as_deref()
                .is_some_and(|text| !contains(&self.subject_names, Some(&started.subject), text))
            {
                continue;
            }
            if items.len() == limit {
                return Slice { items, next: Some(next), searched_from: next };
            }
            items.extend(self.execution(started.subject, started.first));
        }
        Slice { items, next: None, searched_from: 0 }
    }

    fn execution(&self, subject: NameId, first: u64) -> Option<Execution> {
        let thread = self.threads.get(subject.position())?;
        let mut state = State::default();
        for index in self.thread(thread.last, LOOKED_AT) {
            if let Some(gist) = usize::try_from(index).ok().and_then(|at| self.gists.get(at)) {
                state.add(*gist);
            }
        }
        Some(Execution {
            id: self.subject_names.text(subject)?.to_owned(),
            first,
            last: thread.last,
            entries: thread.count,
            started_at: self.line(first)?.issued_at,
            state,
        })
    }

    /// Walks back from `last` over the entries of the same subject.
    fn thread(&self, last: u64, limit: usize) -> Vec<u64> {
        let step = |index: &u64| {
            let previous = *self.previous.get(usize::try_from(*index).ok()?)?;
            previous.checked_sub(1)
        };
        let mut entries: Vec<u64> = std::iter::successors(Some(last), step).take(limit).collect();
        entries.reverse();
        entries
    }
}
