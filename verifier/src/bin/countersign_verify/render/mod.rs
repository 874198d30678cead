//! Reports for people and for machines.

pub(crate) mod html;
pub(crate) mod markdown;
pub(crate) mod text;

use countersign_verifier::lineage::LineageVerdict;
use countersign_verifier::program::{Exit, Failed};
use countersign_verifier::report::{Answer, BundleReport, Finding, Question, Told};
use countersign_verifier::utc::Utc;
use serde::Serialize;

/// The report as machines read it.
pub(crate) fn json(report: &impl Serialize) -> Result<String, Failed> {
    serde_json::to_string_pretty(report)
        .map_err(|error| Failed::new(Exit::CouldNotCheck, "the report cannot be written").because(error))
}

/// A report on a bundle, put into words that all forms for people share.
pub(crate) struct View<'a> {
    pub(crate) report: &'a BundleReport,
    /// What the report is about.
    pub(crate) title: String,
    /// What it comes to, in a sentence.
    pub(crate) conclusion: &'static str,
    /// The questions with what answers them.
    pub(crate) answers: Vec<(Question, Vec<&'a Told>)>,
    /// By when what is told was recorded.
    pub(crate) recorded: Option<String>,
}

impl<'a> View<'a> {
    pub(crate) fn of(report: &'a BundleReport) -> Self {
        let title = report
            .execution
            .as_ref()
            .map_or_else(|| "What should be a bundle".to_owned(), |id| format!("Execution {id}"));
        let answer =
            |question| (question, report.story.iter().filter(|told| told.question == question).collect());
        // A page on which nothing may be told has no questions to leave open.
        let answers = if report.story.is_empty() {
            Vec::new()
        } else {
            Question::ALL.into_iter().map(answer).collect()
        };
        Self { report, title, conclusion: conclusion(report), answers, recorded: recorded(report) }
    }

    /// The word for how an execution or a check came out.
    pub(crate) fn verdict(&self) -> &'static str {
        match (&self.report.lineage, self.report.answer()) {
            (Some(judged), Answer::Holds | Answer::Undecided) => judged.verdict.as_str(),
            (Some(judged), _) if judged.verdict == LineageVerdict::Violated => judged.verdict.as_str(),
            _ if self.report.execution.is_none() => "not a bundle",
            (_, Answer::DoesNotHold) => "does not hold",
            _ => "not decided",
        }
    }
}

/// How a stage came out, and what it says about that.
pub(crate) fn words(finding: &Finding) -> (&'static str, &str) {
    match finding {
        Finding::Pass(reason) => ("pass", reason),
        Finding::Fail(reason) => ("FAIL", reason),
        Finding::NotChecked(reason) => ("not checked", reason),
    }
}

fn conclusion(report: &BundleReport) -> &'static str {
    let verdict = report.lineage.as_ref().map(|judged| judged.verdict);
    match (report.answer(), verdict) {
        (Answer::Holds, Some(LineageVerdict::Denied)) => {
            "It was denied: by what is on record nothing ran, and the record says why."
        }
        (Answer::Holds, _) => {
            "It was governed: by what is on record it ran, and every step is there and fits the others."
        }
        (Answer::DoesNotHold, Some(LineageVerdict::Violated)) => {
            "It violates the rules: what is on record contradicts itself, or something ran that must not have."
        }
        _ if report.execution.is_none() => {
            "This is NOT a bundle, so nothing was checked: it was changed or cut off. Fetch it again."
        }
        (Answer::DoesNotHold, _) => "This does NOT hold: a stage fails, so do not rely on it.",
        (Answer::Undecided, Some(LineageVerdict::Open)) => {
            "It is open: it has not ended by this head, and more may follow."
        }
        (Answer::Undecided, Some(LineageVerdict::Partial)) => {
            "It is partial: nothing contradicts, and a step that should be on record is not."
        }
        (Answer::Undecided, _) => "It is not decided: a stage could not be checked.",
    }
}

/// The last of the witnesses' times bounds when everything under the head existed, if any one of them told the truth.
fn recorded(report: &BundleReport) -> Option<String> {
    let head = report.head.as_ref()?;
    let last = head.cosignatures.iter().max_by_key(|one| one.time)?;
    let who = match head.cosignatures.len() {
        1 => format!("the witness {} had cosigned a head with it, by its own clock", last.witness),
        count => format!("{count} witnesses had cosigned a head with it, by the clock of each"),
    };
    Some(format!(
        "All of it was recorded by {}: by then {who}. The log shows the order. Every other time is what the clock of an \
         issuer said.",
        Utc(last.time)
    ))
}
