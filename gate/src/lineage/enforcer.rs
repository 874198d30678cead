//! What the enforcer states: that it checked, what came of it, that it is over.

use core::num::NonZeroU64;

use countersign_verifier::causes::with_causes;
use countersign_verifier::statement::payload::{Close, Head, Outcome, Verification};
use countersign_verifier::statement::{
    Kind, Material, Mode, OutcomeStatus, Payload, RefRole, References, Statement, Subject, VerificationCode,
    VerificationResult,
};
use serde_json::{Map, Value};

use super::{Gate, Stop};
use crate::client::Wait;
use crate::enforcement::Clearance;
use crate::execute::{Ended, Ran};
use crate::issuer::IssueError;
use crate::report::Event;
use crate::state::{Journal, Standing};

impl Gate {
    /// Puts the enforcer's word that it checked into the log, before anything runs.
    pub(super) async fn state_verified(
        &self,
        journal: &mut Journal,
        clearance: &Clearance,
    ) -> Result<(), Stop> {
        let verification = self.verification(VerificationCode::Ok, Some(clearance.head()), None);
        let statement = self.enforce(journal, &verification)?;
        journal.add(vec![statement.clone()])?;
        let asking = self.client.submit(statement.bytes(), Wait::Sequenced);
        let submitted = self.patiently("the log to take the verification", asking).await;
        let submitted =
            submitted.map_err(|error| Stop::not_logged(VerificationCode::ContinuityBroken, error))?;
        self.note(journal, &submitted);
        Ok(())
    }

    /// Notes the outcome of what ran. From here on nothing may keep it from being told.
    pub(super) fn record(&self, journal: &mut Journal, ran: &Ran) {
        let outcome = Payload::Outcome(Outcome {
            status: if ran.ended == Ended::Code(0) {
                OutcomeStatus::Confirmed
            } else {
                OutcomeStatus::Failed
            },
            started_at: Some(ran.started_at),
            finished_at: Some(ran.finished_at),
            exit_code: match ran.ended {
                Ended::Code(code) => Some(code.into()),
                Ended::Signal(_) | Ended::Unknown => None,
            },
            result_digest: ran.result_digest(),
            details: Some(Material::Disclosed(ran.details())),
        });
        self.enforce_and_note(journal, &outcome);
    }

    /// Notes that nothing ran, and why. An authorization that there is becomes useless by that: the log takes one
    /// outcome for it, and this enforcement point counts it as used.
    pub(super) fn deny(&self, journal: &mut Journal, stop: &Stop) {
        self.report.tell(&Event::Denied { code: stop.code(), why: stop });
        self.use_up(journal);
        let why = with_causes(stop);
        self.enforce_and_note(journal, &self.verification(stop.code(), None, Some(&why)));
        self.enforce_and_note(journal, &outcome_without_end(OutcomeStatus::NotExecuted, &why));
    }

    /// Makes the authorization useless, if there is one.
    fn use_up(&self, journal: &Journal) {
        if let Some(step) = journal.newest(Kind::Authorization)
            && let Some(validity) = &step.statement.claims().validity
        {
            // It may have been used up on the way here, and a memory that cannot be written denies by itself.
            let _ = self.enforcement.used.claim(step.entry, validity.expires);
        }
    }

    /// Notes what can still be said of an execution that was cut off. Its authorization becomes useless too, before the
    /// log can hear that nothing was executed by it.
    pub(super) fn give_up(&self, journal: &mut Journal) {
        if journal.newest(Kind::Outcome).is_some() {
            return;
        }
        let started = journal.started().is_some();
        self.report.tell(&Event::Unfinished { execution: journal.execution(), started });
        self.use_up(journal);
        if started {
            let why = "the enforcement point was cut off while the command may have run";
            self.enforce_and_note(journal, &outcome_without_end(OutcomeStatus::Unknown, why));
            return;
        }
        let why = "the enforcement point was cut off before the command was started";
        if journal.newest(Kind::Verification).is_none() {
            let code = match journal.newest(Kind::Authorization).map(|step| step.standing) {
                Some(Standing::Logged(_)) => VerificationCode::ContinuityBroken,
                _ => VerificationCode::AuthorizationMissing,
            };
            self.enforce_and_note(journal, &self.verification(code, None, Some(why)));
        }
        self.enforce_and_note(journal, &outcome_without_end(OutcomeStatus::NotExecuted, why));
    }

    /// The end of an execution with so many entries.
    pub(super) fn close(&self, journal: &Journal, entries: NonZeroU64) -> Result<Statement, IssueError> {
        self.enforce(journal, &Payload::Close(Close { entries }))
    }

    fn verification(&self, code: VerificationCode, checkpoint: Option<Head>, why: Option<&str>) -> Payload {
        let passed = code == VerificationCode::Ok;
        Payload::Verification(Verification {
            result: if passed { VerificationResult::Pass } else { VerificationResult::Fail },
            code,
            mode: match self.enforcement.wait {
                Wait::Cosigned => Mode::Cosigned,
                Wait::Sequenced => Mode::Sequenced,
            },
            checkpoint,
            runtime: why.map(|why| Material::Disclosed(reason(why))),
        })
    }

    fn enforce_and_note(&self, journal: &mut Journal, payload: &Payload) {
        match self.enforce(journal, payload) {
            Ok(statement) => self.not_fatal(journal.add(vec![statement])),
            Err(error) => {
                let what = "a statement that should be recorded cannot be made";
                self.report.tell(&Event::Warning { what, why: &error });
            }
        }
    }

    /// A statement by the enforcer, with every reference that it can have.
    fn enforce(&self, journal: &Journal, payload: &Payload) -> Result<Statement, IssueError> {
        let subject = Subject::Execution(journal.execution().clone());
        let references = references(journal, payload.kind());
        let signed = self.enforcer.state(self.clock.now(), subject, None, payload, &references)?;
        Ok(signed.statement().clone())
    }
}

/// An outcome of which no end was seen.
fn outcome_without_end(status: OutcomeStatus, why: &str) -> Payload {
    Payload::Outcome(Outcome {
        status,
        started_at: None,
        finished_at: None,
        exit_code: None,
        result_digest: None,
        details: Some(Material::Disclosed(reason(why))),
    })
}

fn reason(why: &str) -> Map<String, Value> {
    [("reason".to_owned(), why.into())].into_iter().collect()
}

/// What a statement of this kind stands on, as far as the execution has it.
fn references(journal: &Journal, kind: Kind) -> References {
    let roles: &[RefRole] = match kind {
        Kind::Verification => &[RefRole::Authorization, RefRole::Intent],
        Kind::Outcome => &[RefRole::Authorization, RefRole::Verification, RefRole::Decision, RefRole::Intent],
        Kind::Close => &[RefRole::Outcome],
        _ => &[],
    };
    let entry = |role: RefRole| Some((role, journal.newest(role.as_str().parse().ok()?)?.entry));
    roles.iter().copied().filter_map(entry).collect()
}
