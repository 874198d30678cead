//! The steps of an execution, with those that are not there.

use countersign_verifier::statement::{DecisionCode, Kind};
use serde::Serialize;

use crate::draw::glyph;
use crate::index::{Gist, State};
use crate::page::{Fact, Sentence, Stamp, Text, thousands};
use crate::words;

/// One step: an entry, or the place where one could be.
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
    /// What that means here.
    pub(super) meaning: &'static str,
    /// Whether something happened that this step should have come before.
    pub(super) gap: bool,
    #[serde(skip)]
    pub(super) glyph: &'static str,
}

/// The steps that a whole execution has, in their order.
const PHASES: [Kind; 6] =
    [Kind::Intent, Kind::Decision, Kind::Authorization, Kind::Verification, Kind::Outcome, Kind::Close];

/// Puts the steps that no entry exists of in their places among those that exist.
pub(super) fn with_missing(entries: Vec<(Gist, EntryStep)>, state: State, size: u64) -> Vec<Step> {
    let phase = |kind: Option<Kind>| PHASES.iter().position(|phase| Some(*phase) == kind);
    let present: Vec<Option<usize>> = entries.iter().map(|(gist, _)| phase(gist.kind())).collect();
    let mut missing: Vec<usize> = (0..PHASES.len()).filter(|at| !present.contains(&Some(*at))).collect();
    let mut steps = Vec::new();
    let draw = |at: &usize| PHASES.get(*at).map(|kind| Step::Missing(missing_step(*kind, state, size)));
    for (gist, step) in entries {
        if let Some(this) = phase(gist.kind()) {
            let before = missing.iter().take_while(|at| **at < this).count();
            steps.extend(missing.drain(..before).collect::<Vec<_>>().iter().filter_map(draw));
        }
        steps.push(Step::Entry(Box::new(step)));
    }
    steps.extend(missing.iter().filter_map(draw));
    steps
}

/// The steps that no entry exists of, when the execution has too many entries to draw them in place.
pub(super) fn missing_only(state: State, size: u64) -> Vec<Step> {
    let present = [
        state.intent,
        state.decision.is_some(),
        state.authorization,
        state.verification.is_some(),
        state.outcome.is_some(),
        state.closed,
    ];
    let absent = PHASES.iter().zip(present).filter(|(_, present)| !present);
    absent.map(|(kind, _)| Step::Missing(missing_step(*kind, state, size))).collect()
}

fn missing_step(kind: Kind, state: State, size: u64) -> MissingStep {
    let ran = state.outcome.is_some_and(countersign_verifier::statement::OutcomeStatus::ran);
    let denied = state.decision.is_some_and(|code| code != DecisionCode::Permitted);
    let (meaning, gap) = match kind {
        Kind::Intent => ("Who asked for this is not on record.", ran),
        Kind::Decision if state.authorization => {
            ("It was authorized without a decision on record: by which policy is not known.", ran)
        }
        Kind::Decision => ("Nothing has been decided yet.", false),
        Kind::Authorization if denied => ("None is due: the decision was not to permit it.", false),
        Kind::Authorization => ("Nobody has allowed it yet.", ran),
        Kind::Verification if ran => {
            ("Something ran, and nobody recorded that the authorization was checked before.", true)
        }
        Kind::Verification if denied => ("None is due: there was nothing to check.", false),
        Kind::Verification => ("Nobody has recorded yet that the authorization was checked.", false),
        Kind::Outcome if denied => ("Nobody has recorded whether anything ran.", false),
        Kind::Outcome => ("What happened is not on record yet.", false),
        _ => ("The execution is still open: more may follow.", false),
    };
    let heading = words::kind(Some(kind)).to_lowercase();
    MissingStep {
        kind: kind.as_str(),
        what: format!("No {heading} entry exists as of size {}.", thousands(size)),
        meaning,
        gap,
        glyph: glyph(Some(kind)),
    }
}
