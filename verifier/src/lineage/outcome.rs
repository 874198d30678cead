//! The rules for an outcome that says that something ran: what has to be there, and in which order.

use super::finding::{Finding, FindingCode};
use super::judge::{Past, intent_of};
use super::measures::Measures;
use super::step::{At, Presented, Step};
use crate::merkle::LeafHash;
use crate::statement::payload::{Authorization, Decision, Intent, Outcome, Verification};
use crate::statement::{Mode, OutcomeStatus, RefRole, Verdict, VerificationResult};

/// An outcome that says that something ran, with the steps that it stands on.
pub(super) struct Ran<'a> {
    pub(super) outcome: At<'a, Outcome>,
    /// The one that it names.
    pub(super) authorization: Option<At<'a, Authorization>>,
    /// The one that it names, or, if it names none, the last one before it of its authorization.
    pub(super) verification: Option<At<'a, Verification>>,
    /// The last verification before the outcome that names its authorization or none.
    last_word: Option<At<'a, Verification>>,
    /// The one that the authorization names.
    pub(super) decision: Option<At<'a, Decision>>,
    /// The last decision before the authorization on what it is about.
    decided_before: Option<At<'a, Decision>>,
    /// The one that the authorization names, or else its decision.
    pub(super) intent: Option<At<'a, Intent>>,
}

impl<'a> Ran<'a> {
    pub(super) fn new(outcome: At<'a, Outcome>, presented: &Presented<'a>, past: &Past<'a>) -> Self {
        let references = outcome.step.statement.references();
        let named = references.get(RefRole::Authorization);
        let authorization = presented.earlier::<Authorization>(&outcome.step);
        let decision = authorization.and_then(|one| presented.earlier::<Decision>(&one.step));
        let verification = if references.get(RefRole::Verification).is_some() {
            presented.earlier::<Verification>(&outcome.step)
        } else {
            named.and_then(|entry| past.verification_of(entry))
        };
        Self {
            outcome,
            authorization,
            verification,
            last_word: named.and_then(|entry| past.last_word_on(entry)),
            decision,
            decided_before: authorization.and_then(|one| past.decided_before(one.step.entry)),
            intent: authorization.and_then(|one| intent_of(&one, decision.as_ref(), presented)),
        }
    }

    /// Applies all rules.
    pub(super) fn check(&self, measures: &Measures, findings: &mut Vec<Finding>) {
        let mut tell = |code, sentence: String| {
            findings.push(Finding { code, index: self.outcome.step.index, sentence });
        };
        self.check_verified(&mut tell);
        match &self.authorization {
            None => tell(
                FindingCode::OutcomeWithoutAuthorization,
                "Something ran, and no authorization before it is presented.".to_owned(),
            ),
            Some(authorization) => {
                self.check_decided(authorization, &mut tell);
                self.check_fit(authorization, &mut tell);
            }
        }
        self.check_times(&mut tell);
        self.check_measures(measures, &mut tell);
        if self.outcome.says.status == OutcomeStatus::Unknown {
            let sentence = "The enforcer does not know whether it ran, or how it ended.";
            tell(FindingCode::OutcomeUnknown, sentence.to_owned());
        }
    }

    /// It was verified, and the last word before it ran was a pass.
    fn check_verified(&self, tell: &mut impl FnMut(FindingCode, String)) {
        let fails = |one: &At<'_, Verification>| one.says.result == VerificationResult::Fail;
        if let Some(failed) = self.verification.filter(fails).or(self.last_word.filter(fails)) {
            let (index, code) = (failed.step.index, failed.says.code);
            let sentence =
                format!("Something ran although the verification in entry {index} failed ({code}).");
            tell(FindingCode::ExecutedAfterFailedVerification, sentence);
        }
        let Some(verification) = &self.verification else {
            let sentence =
                "Something ran, and nobody recorded before the outcome that the authorization was checked.";
            return tell(FindingCode::OutcomeWithoutVerification, sentence.to_owned());
        };
        let At { step, says } = verification;
        let index = step.index;
        let named = self.outcome.step.statement.references().get(RefRole::Authorization);
        let verified = step.statement.references().get(RefRole::Authorization);
        if verified.is_some() && verified != named {
            let sentence = format!("The verification in entry {index} is of another authorization.");
            tell(FindingCode::VerificationOfAnotherAuthorization, sentence);
        }
        if let Some(head) = says.checkpoint.filter(|head| head.size.get() > index.get()) {
            let sentence = format!(
                "The verification in entry {index} names a head of {} entries, which the log did not have yet.",
                head.size
            );
            tell(FindingCode::HeadAfterVerification, sentence);
        }
        if says.result == VerificationResult::Pass {
            self.check_head(verification, tell);
        }
    }

    /// A pass says which head with the authorization the enforcer waited for.
    fn check_head(&self, verification: &At<'_, Verification>, tell: &mut impl FnMut(FindingCode, String)) {
        let index = verification.step.index;
        match verification.says.mode {
            Mode::Async => tell(
                FindingCode::VerifiedWithoutWaiting,
                format!(
                    "The verification in entry {index} did not wait until the authorization was in the log."
                ),
            ),
            Mode::Sequenced => tell(
                FindingCode::QuorumNotAwaited,
                format!("The verification in entry {index} waited for the log, and for no witness."),
            ),
            Mode::Cosigned => {}
        }
        match (verification.says.checkpoint, &self.authorization) {
            (None, _) if verification.says.mode != Mode::Async => tell(
                FindingCode::HeadNotNamed,
                format!("The verification in entry {index} does not say which head had the authorization."),
            ),
            (Some(head), Some(authorization)) if !head.size.contains(authorization.step.index) => tell(
                FindingCode::HeadWithoutAuthorization,
                format!(
                    "The verification in entry {index} names a head of {} entries, which cannot have the authorization \
                     in entry {}.",
                    head.size, authorization.step.index
                ),
            ),
            _ => {}
        }
    }

    /// The authorization stands on a permit, and no denial came after that.
    fn check_decided(
        &self,
        authorization: &At<'_, Authorization>,
        tell: &mut impl FnMut(FindingCode, String),
    ) {
        let index = authorization.step.index;
        let names = |role| authorization.step.statement.references().get(role);
        if names(RefRole::Decision).is_none() {
            let sentence = format!("The authorization in entry {index} names no decision.");
            tell(FindingCode::DecisionMissing, sentence);
        }
        let denies = |one: &At<'_, Decision>| one.says.decision == Verdict::Deny;
        let own: Option<LeafHash> = self.decision.map(|decision| decision.step.entry);
        if let Some(decision) = self.decision.filter(denies) {
            let sentence = format!(
                "The authorization in entry {index} stands on entry {}, which denies.",
                decision.step.index
            );
            tell(FindingCode::DecisionDenies, sentence);
        }
        if let Some(denial) = self.decided_before.filter(denies).filter(|one| Some(one.step.entry) != own) {
            let sentence = format!(
                "Something ran although the last decision before its authorization, entry {}, denied it ({}).",
                denial.step.index, denial.says.code
            );
            tell(FindingCode::ExecutedAfterDenial, sentence);
        }
        let by_outcome = self.outcome.step.statement.references().get(RefRole::Decision);
        if let (Some(by_outcome), Some(decision)) = (by_outcome, names(RefRole::Decision))
            && by_outcome != decision
        {
            let sentence =
                format!("The outcome names another decision than the authorization in entry {index}.");
            tell(FindingCode::DecisionMismatch, sentence);
        }
    }

    /// Nothing that it stands on had been taken away.
    fn check_measures(&self, measures: &Measures, tell: &mut impl FnMut(FindingCode, String)) {
        let outcome = self.outcome.step;
        let checked = self.verification.map_or(outcome, |verification| verification.step);
        let steps: [Option<Step<'_>>; 4] = [
            self.authorization.map(|at| at.step),
            self.decision.map(|at| at.step),
            self.intent.map(|at| at.step),
            self.verification.map(|at| at.step),
        ];
        let steps = || steps.iter().flatten();
        let stopped = |at| steps().find_map(|step| Some((step, measures.stop_at(step.entry, at)?)));
        if let Some((step, measure)) = stopped(checked.index) {
            let sentence = format!(
                "Something ran although entry {measure} had stopped the {} in entry {} before entry {}.",
                step.statement.kind(),
                step.index,
                checked.index
            );
            tell(FindingCode::RevokedBeforeExecution, sentence);
        } else if let Some((step, measure)) = stopped(outcome.index) {
            let sentence = format!(
                "Entry {measure} stopped the {} in entry {} after the verification: perhaps too late.",
                step.statement.kind(),
                step.index
            );
            tell(FindingCode::RevokedBeforeOutcome, sentence);
        }
    }
}
