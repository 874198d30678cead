//! Admitting every entry again.

use std::collections::HashSet;

use countersign_verifier::admission::{AdmitError, Effects, Refusal, admit, signing_key};
use countersign_verifier::causes::with_causes;
use countersign_verifier::checkpoint::Origin;
use countersign_verifier::merkle::{LeafHash, LeafIndex};
use countersign_verifier::statement::{Payload, Statement, StatementError};
use rayon::prelude::*;

use super::finding::{Finding, Findings};
use super::rows::{self, Present};
use super::state::{Before, Corrections, Registrations};
use crate::store::{Entries, Facts, Row, StoreError};

/// An entry that is what the tree says.
#[derive(Debug)]
pub(super) struct Sound {
    pub(super) index: LeafIndex,
    pub(super) id: LeafHash,
    pub(super) bytes: Vec<u8>,
}

/// The replay as it goes.
#[derive(Debug)]
pub(super) struct Replay<'a, S> {
    store: &'a S,
    pub(super) registrations: Registrations,
    corrections: Corrections,
    pub(super) present: Present,
    /// The origin that the genesis names.
    pub(super) founded: Option<Origin>,
    /// Entries that are not what they were. What they registered is not known.
    pub(super) unsound: HashSet<LeafIndex>,
    /// Entries whose admission could not be decided, because what it needs is damaged.
    pub(super) undecided: u64,
}

/// What the rules say of an entry.
enum Judged {
    Admitted,
    Refused(String),
    Undecided,
}

struct Parsed {
    statement: Statement,
    effects: Effects,
}

impl<'a, S: Facts + Entries + Sync> Replay<'a, S> {
    pub(super) fn new(store: &'a S) -> Self {
        let (registrations, corrections) = (Registrations::default(), Corrections::default());
        Self {
            store,
            registrations,
            corrections,
            present: Present::default(),
            founded: None,
            unsound: HashSet::new(),
            undecided: 0,
        }
    }

    /// Takes the next entries, on all cores: compares each with its rows in the indexes, checks its signature, and applies
    /// the rules to it as of its place in the log.
    pub(super) fn take(&mut self, entries: Vec<Sound>, findings: &mut Findings) -> Result<(), StoreError> {
        let parsed: Vec<(LeafIndex, Result<Parsed, StatementError>)> =
            entries.into_par_iter().map(parse).collect();
        let mut statements = Vec::with_capacity(parsed.len());
        for (index, parsed) in parsed {
            match parsed {
                Ok(parsed) => {
                    if let (0, Payload::Genesis(genesis)) = (index.get(), parsed.statement.payload()) {
                        self.founded = Some(genesis.origin.clone());
                    }
                    self.registrations.apply(&parsed.effects);
                    statements.push(parsed);
                }
                Err(error) => findings.report(
                    Finding::misbehaviour("entries", Row::Entry(index))
                        .found(with_causes(&error))
                        .expected("a statement"),
                ),
            }
        }
        let store = self.store;
        let compared: Result<Vec<_>, StoreError> =
            statements.par_iter().map(|parsed| rows::compare(store, &parsed.effects)).collect();
        let compared = compared?;
        let is_first: Vec<bool> = compared.iter().map(|compared| compared.is_first).collect();
        for compared in compared {
            self.present.add(compared.present);
            compared.findings.into_iter().for_each(|finding| findings.report(finding));
            self.corrections.facts.extend(compared.corrections.facts);
            self.corrections.outcomes.extend(compared.corrections.outcomes);
            self.corrections.closes.extend(compared.corrections.closes);
        }
        let (registrations, corrections) = (&self.registrations, &self.corrections);
        let complete = self.unsound.is_empty();
        let judged: Result<Vec<_>, StoreError> = statements
            .into_par_iter()
            .zip(is_first)
            .map(|(Parsed { statement, effects }, is_first)| {
                let (id, index) = (effects.entry.0, effects.entry.1.index);
                let first = is_first.then_some(id);
                let before = Before { index, first, store, registrations, corrections };
                Ok((index, judge(&before, statement, complete)?))
            })
            .collect();
        for (index, judged) in judged? {
            match judged {
                Judged::Admitted => {}
                Judged::Undecided => self.undecided = self.undecided.saturating_add(1),
                Judged::Refused(why) => findings.report(
                    Finding::misbehaviour("entries", Row::Entry(index))
                        .found(why)
                        .expected("a statement that the rules countersign/1 admit there"),
                ),
            }
        }
        Ok(())
    }
}

fn parse(Sound { index, id, bytes }: Sound) -> (LeafIndex, Result<Parsed, StatementError>) {
    let parsed = Statement::parse(&bytes).map(|statement| {
        let effects = Effects::of(&statement, id, index);
        Parsed { statement, effects }
    });
    (index, parsed)
}

/// Applies the rules to a statement. Where the registrations are not `complete`, their lack convicts nobody.
fn judge<S: Facts + Entries>(
    before: &Before<'_, S>,
    statement: Statement,
    complete: bool,
) -> Result<Judged, StoreError> {
    let refused = |error: AdmitError<StoreError>| match error {
        AdmitError::Refused(
            Refusal::IssuerUnknown { .. } | Refusal::IssuerRevoked { .. } | Refusal::RoleMissing { .. },
        ) if !complete => Ok(Judged::Undecided),
        AdmitError::Refused(refusal) => Ok(Judged::Refused(refusal.to_string())),
        AdmitError::State(error) if error.is_damage() => Ok(Judged::Undecided),
        AdmitError::State(error) => Err(error),
    };
    let key = match signing_key(before, &statement) {
        Ok(key) => key,
        Err(error) => return refused(error),
    };
    let verified = match statement.verify(&key) {
        Ok(verified) => verified,
        Err(error) => return Ok(Judged::Refused(with_causes(&error))),
    };
    admit(before, &verified).map(|_| Judged::Admitted).or_else(refused)
}
