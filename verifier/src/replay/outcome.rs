//! The comparison: what was decided, and what is decided here.

use core::borrow::Borrow;
use core::fmt;

use serde_json::Map;

use super::engine::{Engine, Evaluation, LoadError, Question};
use crate::statement::payload::{Decision, EngineVersion, Intent, Policy};
use crate::statement::{DecisionCode, PolicyEngine};

/// What came of deciding again. There are four answers and none of them stands for another: only [`Replay::Same`] says
/// that the decision follows from what was logged, and only [`Replay::Different`] that it does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replay {
    /// The same engine comes to the same decision.
    Same(Evaluation),
    /// The same engine comes to another decision.
    Different {
        /// What it comes to.
        here: Evaluation,
        /// In what the two differ, the weightiest first; never empty.
        in_what: Vec<Difference>,
    },
    /// It cannot be decided again, because not all that it rests on is in the log.
    NotDisclosed(Undisclosed),
    /// It was decided by another engine, or by another version of it.
    EngineDiffers {
        /// The engine that the decision names, if it names one.
        logged: Option<EngineVersion>,
        /// What the engine here makes of it, and in what that differs. A hint, not a verdict.
        here: Evaluation,
        /// In what the two differ; empty when they agree.
        in_what: Vec<Difference>,
    },
}

/// A member of a decision that came out otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Difference {
    /// The verdict.
    Verdict,
    /// The code.
    Code,
    /// The policies that determined it.
    Reasons,
    /// The policies that could not be evaluated.
    Errors,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Verdict => "the verdict",
            Self::Code => "the code",
            Self::Reasons => "the policies that determined it",
            Self::Errors => "the policies that could not be evaluated",
        })
    }
}

/// What a replay would need and does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Undisclosed {
    /// A text of the policy, or its schema.
    Policy,
    /// The context.
    Context,
    /// The entities: withheld, or not stated at all.
    Entities,
    /// Which policy was in force: the decision says that the cited one was not.
    InForce,
}

impl fmt::Display for Undisclosed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Policy => "the text of the policy is withheld",
            Self::Context => "the context is withheld",
            Self::Entities => "the entities are not stated or withheld",
            Self::InForce => {
                "the decision was not made by the policy it cites, but because that was not in force"
            }
        })
    }
}

/// Decides again what `decision` decided about `intent`, by the `policy` that it cites. That these three belong
/// together, and are in a log, is for the caller to know.
pub fn replay(policy: &Policy, intent: &Intent, decision: &Decision) -> Replay {
    let evaluate = |question: &Question<'_>| load(policy).map(|engine| engine.evaluate(question));
    answer(intent, decision, evaluate)
}

/// The same by a policy that was made ready before: that takes longer than deciding by it.
pub(crate) fn replay_by(engine: &Result<Engine, LoadError>, intent: &Intent, decision: &Decision) -> Replay {
    let evaluate = |question: &Question<'_>| engine.as_ref().map(|engine| engine.evaluate(question));
    answer(intent, decision, evaluate)
}

/// Makes a published policy ready.
pub(crate) fn load(policy: &Policy) -> Result<Engine, LoadError> {
    let PolicyEngine::Cedar = policy.engine;
    Engine::load(&policy.policies, policy.schema.as_ref())
}

fn answer<E: Borrow<LoadError>>(
    intent: &Intent,
    decision: &Decision,
    evaluate: impl FnOnce(&Question<'_>) -> Result<Evaluation, E>,
) -> Replay {
    if decision.code == DecisionCode::PolicyNotInForce {
        return Replay::NotDisclosed(Undisclosed::InForce);
    }
    let nothing = Map::new();
    let context = match decision.context.as_ref().or(intent.context.as_ref()) {
        None => &nothing,
        Some(context) => match context.disclosed() {
            Some(context) => context,
            None => return Replay::NotDisclosed(Undisclosed::Context),
        },
    };
    let Some(entities) = decision.entities.as_ref().and_then(|entities| entities.disclosed()) else {
        return Replay::NotDisclosed(Undisclosed::Entities);
    };
    let question = Question {
        subject: &intent.subject,
        action: &intent.action,
        resource: &intent.resource,
        context,
        entities,
    };
    let here = match evaluate(&question) {
        Ok(here) => here,
        Err(error) => match error.borrow() {
            LoadError::Withheld { .. } => return Replay::NotDisclosed(Undisclosed::Policy),
            // By a policy that cannot be read nothing can be permitted.
            _ => Evaluation::unreadable(),
        },
    };
    let in_what = differences(decision, &here);
    if decision.engine.as_ref() != Some(&Engine::version()) {
        return Replay::EngineDiffers { logged: decision.engine.clone(), here, in_what };
    }
    if in_what.is_empty() { Replay::Same(here) } else { Replay::Different { here, in_what } }
}

/// What the decision states and comes out otherwise here. What it does not state is not compared.
fn differences(decision: &Decision, here: &Evaluation) -> Vec<Difference> {
    let differs = [
        (Difference::Verdict, decision.decision != here.verdict),
        (Difference::Code, decision.code != here.code),
        (Difference::Reasons, decision.reasons.as_ref().is_some_and(|reasons| *reasons != here.reasons)),
        (Difference::Errors, decision.errors.as_ref().is_some_and(|errors| *errors != here.errors)),
    ];
    differs.into_iter().filter(|(_, differs)| *differs).map(|(what, _)| what).collect()
}
