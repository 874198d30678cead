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
use crate::exact::Exact as _;
use crate::issuer::IssueError;
use crate::mcp::ExactCall;
use crate::report::Event;
use crate::state::{Journal, Standing};

impl Gate {
    /// Puts the enforcer's word that it checked into the log, before anything runs.
    pub(super) async fn state_verified<T>(
        &self,
        journal: &mut Journal,
        clearance: &Clearance<T>,
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

    /// Notes that nothing ran, and why. An authorization that there is becomes useless by that: the log takes one
    /// outcome for it, and this enforcement point counts it as used.
    pub(super) fn deny(&self, journal: &mut Journal, stop: &Stop) {
        self.report.tell(&Event::Denied { execution: journal.execution(), code: stop.code(), why: stop });
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
        let (started, what) = (journal.started().is_some(), what_of(journal));
        self.report.tell(&Event::Unfinished { execution: journal.execution(), what, started });
        if started {
            self.use_up(journal);
            let why = format!("the enforcement point was cut off while the {what} may have run");
            self.enforce_and_note(journal, &outcome_without_end(OutcomeStatus::Unknown, &why));
            return;
        }
        self.abandon(journal, &format!("the enforcement point was cut off before the {what} was started"));
    }

    /// Notes that nothing was started, and why nothing will be.
    pub(super) fn abandon(&self, journal: &mut Journal, why: &str) {
        self.use_up(journal);
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

    /// Returns whether the note is on disk.
    pub(super) fn enforce_and_note(&self, journal: &mut Journal, payload: &Payload) -> bool {
        match self.enforce(journal, payload) {
            Ok(statement) => {
                let noted = journal.add(vec![statement]);
                let on_disk = noted.is_ok();
                self.not_fatal(noted);
                on_disk
            }
            Err(error) => {
                let what = "a statement that should be recorded cannot be made";
                self.report.tell(&Event::Warning { what, why: &error });
                false
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

/// What an execution is of, in a word.
fn what_of(journal: &Journal) -> &'static str {
    match journal.newest(Kind::Intent).map(|step| step.statement.payload()) {
        Some(Payload::Intent(intent)) if intent.resource.entity_type == ExactCall::RESOURCE_TYPE => "call",
        _ => "command",
    }
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
