//! What the replay of a whole execution comes to, in a sentence.

use std::collections::HashMap;

use super::engine::{Engine, Evaluation};
use super::outcome::{Difference, Replay, replay};
use crate::lineage::Step;
use crate::merkle::LeafHash;
use crate::report::Finding;
use crate::statement::payload::{Decision, EngineVersion, Intent, Policy};
use crate::statement::{Payload, RefRole, Statement};

/// Decides every decision among `entries` again. The entries are those of an execution and the policies that it cites;
/// that they are in a log, and signed by whom they name, is for other stages to say.
///
/// It passes only when there is a decision and every one comes out the same, by the same version of the engine.
pub fn check_decisions<'a>(entries: impl IntoIterator<Item = Step<'a>>) -> Finding {
    let entries: Vec<Step<'_>> = entries.into_iter().collect();
    let by_id: HashMap<LeafHash, &Statement> =
        entries.iter().map(|step| (step.entry, step.statement)).collect();
    let (mut same, mut doubt) = (0_usize, None);
    for Step { index, statement, .. } in &entries {
        let Payload::Decision(decision) = statement.payload() else { continue };
        let Some((policy, intent)) = grounds(statement, &by_id) else {
            doubt.get_or_insert_with(|| {
                format!("entry {index}: the intent or the policy that it names is not here")
            });
            continue;
        };
        match replay(policy, intent, decision) {
            Replay::Same(_) => same = same.saturating_add(1),
            Replay::Different { here, in_what } => {
                return Finding::Fail(format!("entry {index}: {}", disagreement(decision, &here, &in_what)));
            }
            Replay::NotDisclosed(what) => {
                doubt.get_or_insert_with(|| format!("entry {index}: {what}"));
            }
            Replay::EngineDiffers { logged, here, in_what } => {
                let hint = if in_what.is_empty() {
                    "it comes to the same".to_owned()
                } else {
                    disagreement(decision, &here, &in_what)
                };
                let by = logged.as_ref().map_or_else(|| "an engine that it does not name".to_owned(), named);
                doubt.get_or_insert_with(|| {
                    let here = named(&Engine::version());
                    format!("entry {index}: decided by {by}, and here is {here}: {hint}")
                });
            }
        }
    }
    match doubt {
        Some(doubt) => Finding::NotChecked(doubt),
        None if same == 0 => Finding::not_checked("there is no decision"),
        None => Finding::Pass(format!(
            "{} comes to the same in each of {same} decisions, over the logged policy and what it was applied to",
            named(&Engine::version())
        )),
    }
}

fn grounds<'a>(
    decision: &Statement,
    by_id: &HashMap<LeafHash, &'a Statement>,
) -> Option<(&'a Policy, &'a Intent)> {
    let named = |role| decision.references().get(role).and_then(|entry| by_id.get(&entry));
    let (Payload::Policy(policy), Payload::Intent(intent)) =
        (named(RefRole::Policy)?.payload(), named(RefRole::Intent)?.payload())
    else {
        return None;
    };
    Some((policy, intent))
}

/// What a decision says and what the policy comes to here.
pub(crate) fn disagreement(decision: &Decision, here: &Evaluation, in_what: &[Difference]) -> String {
    let in_what: Vec<String> = in_what.iter().map(ToString::to_string).collect();
    format!(
        "the decision says {} ({}), and the policy comes to {} ({}) here; {} differ",
        decision.decision,
        decision.code,
        here.verdict,
        here.code,
        in_what.join(", ")
    )
}

fn named(engine: &EngineVersion) -> String {
    format!("{} {} (language {})", engine.name, engine.sdk, engine.language)
}
