//! Bringing a journal into the log, to its end: at the end of a run, and for what an earlier one left behind.

use core::num::NonZeroU64;
use std::collections::HashMap;

use countersign_verifier::merkle::LeafHash;
use countersign_verifier::statement::{Claims, Draft, Kind, Payload, References, Statement};

use super::Gate;
use crate::client::{SubmitError, Wait};
use crate::issuer::{IssueError, Issuer};
use crate::publish::is_stale;
use crate::report::Event;
use crate::state::{Journal, Standing, Step};

/// Whether everything is in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// It is.
    Yes,
    /// The log could not be asked, or not to the end.
    NotYet,
}

/// Why a statement is put aside although the log did not say so of itself.
#[derive(Debug, thiserror::Error)]
#[error("it stands on a statement that the log refused")]
struct Orphaned;

impl Gate {
    /// Submits what the log does not have yet and closes the execution. What cannot be submitted now stays in the
    /// journal, loudly.
    pub(super) async fn settle(&self, mut journal: Journal, wait: Wait) -> Settled {
        // Every round takes at least one statement out of the list, or makes it young again, which happens once.
        let rounds = journal.steps().len().saturating_add(2).saturating_mul(2);
        for _ in 0..rounds {
            if let Err(error) = self.add_close(&mut journal) {
                self.report.tell(&Event::Warning { what: "the execution cannot be closed", why: &error });
                return Settled::NotYet;
            }
            let pending: Vec<Statement> = pending(&journal).map(|step| step.statement.clone()).collect();
            if pending.is_empty() {
                self.not_fatal(self.state.end(journal));
                return Settled::Yes;
            }
            if let Err(error) = self.submit_pending(&mut journal, &pending, wait).await {
                let execution = journal.execution();
                self.report.tell(&Event::Kept { execution, statements: pending.len(), why: &error });
                return Settled::NotYet;
            }
        }
        Settled::NotYet
    }

    /// Submits statements in their order, all or none, so that the close never gets in without what it counts. The
    /// one that is refused is dealt with, for the next round. The error is one that another try may mend.
    async fn submit_pending(
        &self,
        journal: &mut Journal,
        pending: &[Statement],
        wait: Wait,
    ) -> Result<(), SubmitError> {
        let batch: Vec<&[u8]> = pending.iter().map(Statement::bytes).collect();
        let asking = self.client.submit_all_or_none(&batch, wait);
        let answers = self.patiently("the log to take the end of the execution", asking).await?;
        let mut refused = None;
        for (statement, answer) in pending.iter().zip(answers) {
            match answer {
                Ok(submitted) => self.note(journal, &submitted),
                Err(error) if error.is_for_anothers_sake() => {}
                Err(SubmitError::Refused(problem)) => refused = refused.or(Some((statement, problem))),
                Err(error) => return Err(error),
            }
        }
        let Some((statement, problem)) = refused else { return Ok(()) };
        let entry = LeafHash::of(statement.bytes());
        let again = statement.kind() != Kind::Authorization && is_stale(statement, self.clock.now());
        let renewed = if again { self.renewed(statement, &HashMap::new()).ok() } else { None };
        if renewed.is_none() {
            let why = SubmitError::Refused(problem);
            let execution = journal.execution();
            self.report.tell(&Event::Refused { execution, kind: statement.kind(), why: &why });
            self.not_fatal(journal.refused(entry, why.to_string()));
        }
        self.replace(journal, entry, renewed);
        Ok(())
    }

    /// Puts a renewed statement in place of another, or none in place of a refused one, and renews what refers to it.
    fn replace(&self, journal: &mut Journal, entry: LeafHash, renewed: Option<Statement>) {
        let mut now_named = HashMap::from([(entry, renewed.as_ref().map(|one| LeafHash::of(one.bytes())))]);
        if let Some(renewed) = renewed {
            self.not_fatal(journal.replace(entry, renewed));
        }
        let later: Vec<Step> = pending(journal).cloned().collect();
        for step in later {
            if !step.statement.references().iter().any(|(_, entry)| now_named.contains_key(&entry)) {
                continue;
            }
            let renewed = if step.statement.kind() == Kind::Authorization {
                None
            } else {
                self.renewed(&step.statement, &now_named).ok()
            };
            now_named.insert(step.entry, renewed.as_ref().map(|one| LeafHash::of(one.bytes())));
            if let Some(renewed) = renewed {
                self.not_fatal(journal.replace(step.entry, renewed));
            } else {
                let (execution, kind) = (journal.execution(), step.statement.kind());
                self.report.tell(&Event::Refused { execution, kind, why: &Orphaned });
                self.not_fatal(journal.refused(step.entry, Orphaned.to_string()));
            }
        }
    }

    /// The same statement, made now, with references to the entries as they are named now.
    fn renewed(
        &self,
        statement: &Statement,
        now_named: &HashMap<LeafHash, Option<LeafHash>>,
    ) -> Result<Statement, IssueError> {
        let issuer = self.issuer_of(statement.kind());
        let named = |entry: LeafHash| now_named.get(&entry).copied().unwrap_or(Some(entry));
        let references: References =
            statement.references().iter().filter_map(|(role, entry)| Some((role, named(entry)?))).collect();
        let Claims { subject, validity, .. } = statement.claims().clone();
        let claims = issuer.claims(self.clock.now(), subject, validity)?;
        let draft = Draft::new(issuer.public_key(), claims, statement.payload(), &references)?;
        Ok(issuer.sign(draft)?.statement().clone())
    }

    fn issuer_of(&self, kind: Kind) -> &Issuer {
        match kind {
            Kind::Intent => &self.requester,
            Kind::Decision | Kind::Authorization | Kind::Policy => &self.authority,
            _ => &self.enforcer,
        }
    }

    /// Makes sure that the last statement closes the execution with the right count.
    fn add_close(&self, journal: &mut Journal) -> Result<(), IssueError> {
        let counts = |step: &&Step| step.standing.counts() && step.statement.kind() != Kind::Close;
        let counted = journal.steps().iter().filter(counts);
        let entries = NonZeroU64::MIN.saturating_add(counted.count() as u64);
        let closed = journal.steps().iter().rfind(|step| step.statement.kind() == Kind::Close);
        let closed = closed.map(|step| (step.entry, step.standing, step.statement.payload().clone()));
        match closed {
            None => {
                let close = self.close(journal, entries)?;
                self.not_fatal(journal.add(vec![close]));
            }
            Some((entry, Standing::Pending, Payload::Close(stated))) if stated.entries != entries => {
                let close = self.close(journal, entries)?;
                self.not_fatal(journal.replace(entry, close));
            }
            Some(_) => {}
        }
        Ok(())
    }
}

fn pending(journal: &Journal) -> impl Iterator<Item = &Step> {
    journal.steps().iter().filter(|step| step.standing == Standing::Pending)
}
