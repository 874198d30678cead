//! The rules for an execution as a whole.

use core::cmp::Ordering;

use super::finding::{Finding, FindingCode};
use super::step::{Presented, Step};
use crate::merkle::LeafIndex;
use crate::statement::payload::{Authorization, Close, Intent};
use crate::statement::{EnforcementAction, Kind, Payload, Verdict, VerificationResult};

/// What is remembered of the entries for the end.
#[derive(Debug, Default)]
pub(super) struct Whole {
    entries: u64,
    close: Option<LeafIndex>,
    outcome: Option<LeafIndex>,
    ran: bool,
    authorization: Option<LeafIndex>,
    /// Whether an entry says why nothing runs.
    reason: bool,
}

impl Whole {
    /// Whether nothing more has to follow.
    pub(super) const fn ended(&self) -> bool {
        self.close.is_some() || self.outcome.is_some()
    }

    /// Whether something ran, or may have run.
    pub(super) const fn ran(&self) -> bool {
        self.ran
    }

    /// Takes in the next entry.
    pub(super) fn take(&mut self, step: &Step<'_>, presented: &Presented<'_>, findings: &mut Vec<Finding>) {
        self.entries = self.entries.saturating_add(1);
        self.check_after_close(step, findings);
        let (index, statement) = (step.index, step.statement);
        match statement.payload() {
            Payload::Decision(decision) => {
                self.reason |= decision.decision == Verdict::Deny;
                let intent = presented.earlier::<Intent>(step);
                if let Some(intent) = intent.filter(|one| one.step.statement.kid() == statement.kid()) {
                    let sentence = format!(
                        "The key that decided also asked, in entry {}: asking and allowing are in one hand.",
                        intent.step.index
                    );
                    findings.push(Finding { code: FindingCode::DecisionByRequester, index, sentence });
                }
            }
            Payload::Authorization(_) => self.authorization = self.authorization.or(Some(index)),
            Payload::Verification(verification) => {
                self.reason |= verification.result == VerificationResult::Fail;
                let authorization = presented.earlier::<Authorization>(step);
                if let Some(one) = authorization.filter(|one| one.step.statement.kid() == statement.kid()) {
                    let sentence = format!(
                        "The key that verified also authorized, in entry {}: allowing and checking are in one hand.",
                        one.step.index
                    );
                    findings.push(Finding { code: FindingCode::EnforcerIsAuthority, index, sentence });
                }
            }
            Payload::Outcome(outcome) => {
                self.outcome = Some(index);
                self.ran |= outcome.status.ran();
            }
            Payload::Enforcement(enforcement) => {
                self.reason |=
                    matches!(enforcement.action, EnforcementAction::Revoke | EnforcementAction::Halt);
            }
            Payload::Close(close) if self.close.is_none() => {
                self.close = Some(index);
                self.check_count(*close, index, findings);
            }
            _ => {}
        }
    }

    /// Nothing but enforcement follows the close.
    fn check_after_close(&self, step: &Step<'_>, findings: &mut Vec<Finding>) {
        let Some(close) = self.close else { return };
        let (code, sentence) = match step.statement.kind() {
            Kind::Enforcement => return,
            Kind::Close => {
                (FindingCode::SecondClose, format!("The execution was closed by entry {close} already."))
            }
            kind => (
                FindingCode::EntryAfterClose,
                format!("The {kind} comes after the close in entry {close}: only enforcement may."),
            ),
        };
        findings.push(Finding { code, index: step.index, sentence });
    }

    /// The close counts the entries up to it, itself included.
    fn check_count(&self, close: Close, index: LeafIndex, findings: &mut Vec<Finding>) {
        let (counted, present) = (close.entries.get(), self.entries);
        let (code, sentence) = match counted.cmp(&present) {
            Ordering::Equal => return,
            Ordering::Greater => (
                FindingCode::EntriesMissing,
                format!("The close counts {counted} entries, and only {present} are presented up to it."),
            ),
            Ordering::Less => (
                FindingCode::EntriesUncounted,
                format!(
                    "The close counts {counted} entries, and there are {present} up to it: somebody added entries \
                     that whoever closed did not count."
                ),
            ),
        };
        findings.push(Finding { code, index, sentence });
    }

    /// What can be said once all entries are known.
    pub(super) fn finish(&self, findings: &mut Vec<Finding>) {
        let mut tell = |code, index, sentence: String| findings.push(Finding { code, index, sentence });
        if let (Some(close), Some(authorization), None) = (self.close, self.authorization, self.outcome) {
            let sentence = format!(
                "The execution is closed, and what came of the authorization in entry {authorization} is not on record."
            );
            tell(FindingCode::OutcomeMissing, close, sentence);
        }
        if let Some(end) = self.outcome.or(self.close).filter(|_| !self.ran && !self.reason) {
            let sentence = "Nothing ran, and no denial, failed verification or revocation says why.";
            tell(FindingCode::ReasonMissing, end, sentence.to_owned());
        }
        if let (Some(outcome), None) = (self.outcome, self.close) {
            let sentence = "No close counts the entries of this execution: if later ones were left out, nothing here \
                            would show it.";
            tell(FindingCode::CloseMissing, outcome, sentence.to_owned());
        }
    }
}
