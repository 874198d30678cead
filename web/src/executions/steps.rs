//! The steps of an execution, with those that the judge misses.

use countersign_verifier::lineage::{Finding, FindingCode, Judgement, Severity};
use countersign_verifier::statement::Kind;
use serde::Serialize;

use crate::draw::glyph;
use crate::page::{Fact, Sentence, Stamp, Text, thousands};
use crate::words;

/// One step: an entry, or the place where one should be.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Step {
    Entry(Box<EntryStep>),
    Missing(MissingStep),
}

#[derive(Debug, Serialize)]
pub(super) struct EntryStep {
    pub(super) index: u64,
    pub(super) id: String,
    pub(super) kind: Option<&'static str>,
    pub(super) says: &'static str,
    pub(super) sentence: Sentence,
    pub(super) facts: Vec<Fact>,
    pub(super) issuer: Option<Text>,
    pub(super) issued_at: Option<Stamp>,
    #[serde(skip)]
    pub(super) heading: &'static str,
    #[serde(skip)]
    pub(super) glyph: &'static str,
}

#[derive(Debug, Serialize)]
pub(super) struct MissingStep {
    pub(super) kind: &'static str,
    /// What is missing, and as of which size.
    pub(super) what: String,
    /// What the judge finds about that.
    pub(super) meaning: Text,
    /// Whether the execution is worth less for it.
    pub(super) gap: bool,
    #[serde(skip)]
    pub(super) glyph: &'static str,
}

/// The steps that a whole execution has, in their order, each with what the judge finds where it is not on record.
const PHASES: [(Kind, FindingCode); 6] = [
    (Kind::Intent, FindingCode::IntentMissing),
    (Kind::Decision, FindingCode::DecisionMissing),
    (Kind::Authorization, FindingCode::OutcomeWithoutAuthorization),
    (Kind::Verification, FindingCode::OutcomeWithoutVerification),
    (Kind::Outcome, FindingCode::OutcomeMissing),
    (Kind::Close, FindingCode::CloseMissing),
];

/// Draws what the judge misses in its place among the steps that there are. A finding about a kind of which there is an
/// entry is no empty place: the entry is there and does not count.
pub(super) fn with_missing(
    entries: Vec<(Option<Kind>, EntryStep)>,
    judgement: &Judgement,
    size: u64,
) -> Vec<Step> {
    let phase = |kind: Option<Kind>| PHASES.iter().position(|(of, _)| Some(*of) == kind);
    let present: Vec<Option<usize>> = entries.iter().map(|(kind, _)| phase(*kind)).collect();
    let missing = PHASES.iter().enumerate().filter(|(at, _)| !present.contains(&Some(*at)));
    let mut missing: Vec<(usize, MissingStep)> = missing
        .filter_map(|(at, (kind, code))| {
            let finding = judgement.findings.iter().find(|finding| finding.code == *code)?;
            Some((at, missing_step(*kind, finding, size)))
        })
        .collect();
    let mut steps = Vec::new();
    for (kind, step) in entries {
        if let Some(this) = phase(kind) {
            let before = missing.iter().take_while(|(at, _)| *at < this).count();
            steps.extend(missing.drain(..before).map(|(_, step)| Step::Missing(step)));
        }
        steps.push(Step::Entry(Box::new(step)));
    }
    steps.extend(missing.into_iter().map(|(_, step)| Step::Missing(step)));
    steps
}

fn missing_step(kind: Kind, finding: &Finding, size: u64) -> MissingStep {
    let heading = words::kind(Some(kind)).to_lowercase();
    MissingStep {
        kind: kind.as_str(),
        what: format!("No {heading} entry exists as of size {}.", thousands(size)),
        meaning: Text::new(&finding.sentence),
        gap: finding.code.severity() != Severity::Note,
        glyph: glyph(Some(kind)),
    }
}
