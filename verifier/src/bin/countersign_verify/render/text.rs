//! For a terminal.

use std::io::IsTerminal as _;

use countersign_verifier::program::{Failed, print_line};
use countersign_verifier::report::{Finding, Line};

use super::{View, words};

/// The report as plain sentences.
pub(crate) fn page(view: &View<'_>) -> Result<(), Failed> {
    print_line(format_args!("{}: {}", view.title, view.verdict()))?;
    print_line(view.conclusion)?;
    if let Some(judged) = view.report.lineage.as_ref().filter(|judged| !judged.findings.is_empty()) {
        print_line("\nWhat was found")?;
        for finding in &judged.findings {
            let (code, severity) = (finding.code, finding.code.severity());
            print_line(format_args!("  {severity} {code}, entry {}: {}", finding.index, finding.sentence))?;
        }
    }
    for (question, told) in &view.answers {
        print_line(format_args!("\n{}", question.words()))?;
        if told.is_empty() {
            print_line(format_args!("  {}", question.unanswered()))?;
        }
        for one in told {
            print_line(format_args!("  entry {}: {}", one.index, one.sentence))?;
        }
    }
    if let Some(recorded) = view.recorded.as_ref().filter(|_| !view.answers.is_empty()) {
        print_line(format_args!("\n{recorded}"))?;
    }
    print_line("\nHow it was checked")?;
    stages(&view.report.stages)?;
    print_line("\nWhat this does not prove")?;
    view.report.not_checked.iter().try_for_each(|line| print_line(format_args!("  - {line}")))
}

/// One line a stage.
pub(crate) fn stages(stages: &[Line]) -> Result<(), Failed> {
    stages.iter().try_for_each(|line| stage(&line.stage.to_string(), &line.finding))
}

/// One line: the verdict in a word, in colour where that is seen; the stage; the reason.
pub(crate) fn stage(name: &str, finding: &Finding) -> Result<(), Failed> {
    let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let (word, reason) = words(finding);
    let code = match finding {
        Finding::Pass(_) => "32",
        Finding::Fail(_) => "31",
        Finding::NotChecked(_) => "2",
    };
    let word = format!("{word:<11}");
    let word = if colour { format!("\u{1b}[{code}m{word}\u{1b}[0m") } else { word };
    print_line(format_args!("  {word}  {name:<20}  {reason}"))
}
