//! The walk over the entries.

use std::collections::HashMap;

use super::finding::{Finding, FindingCode};
use super::measures::Measures;
use super::outcome::Ran;
use super::step::{At, NotOneExecution, Presented, Step};
use super::verdict::Judgement;
use super::whole::Whole;
use crate::merkle::{LeafHash, LeafIndex};
use crate::statement::payload::{Authorization, Decision, Intent, Verification};
use crate::statement::{Kind, Payload, RefRole};

/// Judges one execution by its entries in the order of the log. `outside` says where an entry is that belongs to no
/// execution, and of which kind it is; it is asked for policies.
///
/// The judgement is about the entries presented: whether they are in a log, who signed them, and whether more exist,
/// is not known here. It takes time proportional to their number, but for a logarithm where measures pile up.
///
/// An error says that the entries are not those of one execution in ascending order, and that nothing was judged.
pub fn judge(
    steps: &[Step<'_>],
    outside: impl Fn(LeafHash) -> Option<(LeafIndex, Kind)>,
) -> Result<Judgement, NotOneExecution> {
    let presented = Presented::new(steps)?;
    let measures = Measures::of(steps);
    let mut findings = Vec::new();
    let mut past = Past::default();
    let mut whole = Whole::default();
    for step in steps {
        presented.check_references(step, &outside, &mut findings);
        whole.take(step, &presented, &mut findings);
        if let Payload::Outcome(outcome) = step.statement.payload() {
            past.check_first_outcome(step, &mut findings);
            if outcome.status.ran() {
                let ran = Ran::new(At { step: *step, says: outcome }, &presented, &past);
                ran.check(&measures, &mut findings);
            }
            measures.check_quarantine(step, &mut findings);
        }
        past.take(step, &presented);
    }
    whole.finish(&mut findings);
    Ok(Judgement::of(findings, whole.ended(), whole.ran()))
}

/// What came before an entry, by what later entries are held against.
#[derive(Default)]
pub(super) struct Past<'a> {
    /// The last decision on each intent, and on any.
    decisions: HashMap<LeafHash, At<'a, Decision>>,
    last_decision: Option<At<'a, Decision>>,
    /// For each authorization, the last decision on its intent that came before it.
    decided_before: HashMap<LeafHash, At<'a, Decision>>,
    /// The last verification of each authorization, and the last that names none.
    verifications: HashMap<LeafHash, At<'a, Verification>>,
    last_unnamed: Option<At<'a, Verification>>,
    /// The first outcome of each authorization.
    outcomes: HashMap<LeafHash, LeafIndex>,
}

impl<'a> Past<'a> {
    /// The last verification so far that names the authorization.
    pub(super) fn verification_of(&self, authorization: LeafHash) -> Option<At<'a, Verification>> {
        self.verifications.get(&authorization).copied()
    }

    /// The last verification so far that names the authorization or none.
    pub(super) fn last_word_on(&self, authorization: LeafHash) -> Option<At<'a, Verification>> {
        let named = self.verification_of(authorization);
        named.into_iter().chain(self.last_unnamed).max_by_key(|verification| verification.step.index)
    }

    /// The last decision before the authorization on what it is about.
    pub(super) fn decided_before(&self, authorization: LeafHash) -> Option<At<'a, Decision>> {
        self.decided_before.get(&authorization).copied()
    }

    /// An authorization has one outcome.
    fn check_first_outcome(&self, step: &Step<'_>, findings: &mut Vec<Finding>) {
        let authorization = step.statement.references().get(RefRole::Authorization);
        if let Some(first) = authorization.and_then(|entry| self.outcomes.get(&entry)) {
            findings.push(Finding {
                code: FindingCode::SecondOutcome,
                index: step.index,
                sentence: format!(
                    "The authorization of this outcome has the outcome in entry {first} already."
                ),
            });
        }
    }

    /// Takes in an entry, after it was judged.
    fn take(&mut self, step: &Step<'a>, presented: &Presented<'a>) {
        let references = step.statement.references();
        match step.statement.payload() {
            Payload::Decision(says) => {
                let at = At { step: *step, says };
                self.decisions.extend(references.get(RefRole::Intent).map(|intent| (intent, at)));
                self.last_decision = Some(at);
            }
            Payload::Authorization(_) => {
                let last = match asked(step, presented) {
                    Some(intent) => self.decisions.get(&intent).copied(),
                    None => self.last_decision,
                };
                self.decided_before.extend(last.map(|decision| (step.entry, decision)));
            }
            Payload::Verification(says) => {
                let at = At { step: *step, says };
                match references.get(RefRole::Authorization) {
                    Some(authorization) => drop(self.verifications.insert(authorization, at)),
                    None => self.last_unnamed = Some(at),
                }
            }
            Payload::Outcome(_) => {
                if let Some(authorization) = references.get(RefRole::Authorization) {
                    self.outcomes.entry(authorization).or_insert(step.index);
                }
            }
            _ => {}
        }
    }
}

/// The intent that an authorization names, or that the decision names which it stands on.
fn asked(authorization: &Step<'_>, presented: &Presented<'_>) -> Option<LeafHash> {
    let of_decision = || {
        let decision = presented.earlier::<Decision>(authorization)?;
        decision.step.statement.references().get(RefRole::Intent)
    };
    authorization.statement.references().get(RefRole::Intent).or_else(of_decision)
}

/// The intent that an authorization is about, as far as it is presented.
pub(super) fn intent_of<'a>(
    authorization: &At<'a, Authorization>,
    decision: Option<&At<'a, Decision>>,
    presented: &Presented<'a>,
) -> Option<At<'a, Intent>> {
    let of_decision = || presented.earlier::<Intent>(&decision?.step);
    presented.earlier::<Intent>(&authorization.step).or_else(of_decision)
}
