//! Both sides of every lineage rule: a story in which it fires, and the nearest one in which it does not.

mod fits;
mod steps;
mod times;
mod together;
mod wholes;

use countersign_verifier::lineage::{FindingCode, LineageVerdict};
use countersign_verifier::statement::{Kind, RefRole};
use serde_json::json;

use super::parties::Party;
use super::story::{Said, Story, Told};

/// A story and what the judge has to make of it.
#[derive(Debug, Clone)]
pub struct Case {
    /// What the case shows.
    pub name: &'static str,
    /// The rule that it is about; none for the verdicts themselves.
    pub rule: Option<FindingCode>,
    /// The story.
    pub told: Told,
    /// The verdict.
    pub verdict: LineageVerdict,
    /// Every finding, with the label of the entry that it is about, in the order in which the judge tells them.
    pub findings: Vec<(&'static str, FindingCode)>,
}

/// What one case is made of before the story is told.
type Sketch =
    (&'static str, Option<FindingCode>, Story, LineageVerdict, &'static [(&'static str, FindingCode)]);

/// All cases. Each rule has one in which it fires and one in which it does not.
pub fn cases() -> Vec<Case> {
    let verdicts = [wholes::verdicts(), wholes::wholes()];
    let steps = [steps::references(), steps::verifications()];
    let fits = [fits::decisions(), fits::fits(), times::times(), times::measures()];
    let together = [together::gaps(), together::violations()];
    let all = verdicts.into_iter().chain(steps).chain(fits).chain(together).flatten();
    all.map(|(name, rule, story, verdict, findings)| Case {
        name,
        rule,
        told: story.tell(),
        verdict,
        findings: findings.to_vec(),
    })
    .collect()
}

/// What an overseer does.
fn measure(label: &str, action: &str, target: &str) -> Said {
    let payload = json!({"action": action, "reason": "overspent"});
    Said::new(label, Kind::Enforcement, Party::Overseer, payload).at(2).naming(RefRole::Target, target)
}
