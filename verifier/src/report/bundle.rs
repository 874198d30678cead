//! The report on a bundle.

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::head::{Head, HeadFindings};
use super::story::{Told, tell};
use super::{Finding, Line, Stage};
use crate::bundle::{Bundle, BundleError, replay};
use crate::causes::with_causes;
use crate::lineage::{FindingCode, Judgement, LineageVerdict, Severity, Step, judge};
use crate::merkle::{LeafHash, LeafIndex, verify_multiproof};
use crate::quorum::Policy;
use crate::statement::{ExecutionId, Kind, Payload};

/// What no bundle shows, whatever is in it.
const NOT_CHECKED: &[&str] = &[
    "Whether the statements are true, and whether anything was done beside them.",
    "Whether a key had been revoked, or its roles changed, by an entry that was left out: an audit of the whole log \
     shows it (countersign-verify log).",
    "Whether entries of the execution were left out, or were added after this head: an audit of the whole log shows it.",
    "Whether a policy that was cited had been replaced by then: an audit of the whole log shows it.",
    "Whether the head that the enforcer names in its verification is one that the log signed, and when it was \
     cosigned. Times in statements are what the clocks of their issuers said.",
    "Whether the witnesses are independent of the log and of each other. Your policy says whom you trust.",
];

/// A report on a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BundleReport {
    /// The SHA-256 of the file, in hex.
    pub sha256: String,
    /// The execution; `None` when the file is not a bundle.
    pub execution: Option<ExecutionId>,
    /// How many entries the bundle has.
    pub entries: usize,
    /// The head, when log and quorum vouch for it.
    pub head: Option<Head>,
    /// The stages, each once.
    pub stages: Vec<Line>,
    /// What the steps come to, when they are shown to be in the log and signed by whom they name.
    pub lineage: Option<Judgement>,
    /// What the entries of the execution say, under the same condition.
    pub story: Vec<Told>,
    /// What this report cannot say, whatever the stages found.
    pub not_checked: Vec<&'static str>,
}

/// What a report comes to for a program that has to end with one code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Everything that a bundle can show was checked and holds, and the execution was governed, or denied.
    Holds,
    /// Something does not hold.
    DoesNotHold,
    /// Nothing contradicts, but a stage could not be checked, or the execution is open or partial.
    Undecided,
}

impl BundleReport {
    /// What the stages come to. Policy replay is asked for separately, and counts only when it fails.
    pub fn answer(&self) -> Answer {
        if self.stages.iter().any(Line::failed) {
            Answer::DoesNotHold
        } else if self.stages.iter().all(|line| line.passed() || line.stage == Stage::PolicyReplay) {
            Answer::Holds
        } else {
            Answer::Undecided
        }
    }
}

/// Checks a bundle against a trust policy.
///
/// What each stage found stands for itself. The lineage is judged only when the stages before it show that the
/// statements are in the tree of a head by a log of the policy, and signed by issuers registered for it.
pub fn check_bundle(bytes: &[u8], policy: &Policy) -> BundleReport {
    check_bundle_by(bytes, policy, |_| Finding::not_checked("a replay was not asked for"))
}

/// Checks a bundle against a trust policy, and decides its decisions again with the policy engine, under the same
/// condition as its lineage is judged.
#[cfg(feature = "replay")]
pub fn check_bundle_and_replay(bytes: &[u8], policy: &Policy) -> BundleReport {
    check_bundle_by(bytes, policy, |bundle| crate::replay::check_decisions(bundle.entries()))
}

fn check_bundle_by(bytes: &[u8], policy: &Policy, replay: impl Fn(&Bundle) -> Finding) -> BundleReport {
    let sha256 = hex::encode(Sha256::digest(bytes));
    match Bundle::parse(bytes) {
        Err(error) => malformed(sha256, &error),
        Ok(bundle) => check(sha256, &bundle, policy, replay),
    }
}

fn malformed(sha256: String, error: &BundleError) -> BundleReport {
    let rest = [
        Stage::StatementSignatures,
        Stage::Inclusion,
        Stage::LogSignature,
        Stage::WitnessQuorum,
        Stage::IssuerRoles,
        Stage::Lineage,
        Stage::PolicyReplay,
    ];
    let finding = Finding::not_checked("the file is not a bundle");
    let rest = rest.into_iter().map(|stage| Line { stage, finding: finding.clone() });
    let format = Line { stage: Stage::Format, finding: Finding::Fail(with_causes(error)) };
    BundleReport {
        sha256,
        execution: None,
        entries: 0,
        head: None,
        stages: core::iter::once(format).chain(rest).collect(),
        lineage: None,
        story: Vec::new(),
        not_checked: NOT_CHECKED.to_vec(),
    }
}

fn check(
    sha256: String,
    bundle: &Bundle,
    policy: &Policy,
    replay: impl Fn(&Bundle) -> Finding,
) -> BundleReport {
    let entries = bundle.entries().count();
    let steps = bundle.steps().count();
    let format = Finding::Pass(format!(
        "a bundle of {steps} entries of execution {} and {} that they stand on",
        bundle.execution(),
        entries.saturating_sub(steps)
    ));
    let (signatures, roles) = check_issuers(bundle);
    let head = HeadFindings::of(bundle.checkpoint(), policy);
    let inclusion = match &head.signed {
        None => Finding::not_checked("no log of the policy signed the head of the bundle"),
        Some(signed) => {
            let head = signed.checkpoint();
            let leaves: Vec<(LeafIndex, LeafHash)> =
                bundle.entries().map(|step| (step.index, step.entry)).collect();
            let shown = verify_multiproof(&leaves, head.size, bundle.multiproof(), head.root);
            Finding::of(shown.map(|()| format!("all {entries} entries are in the tree of {}", head.size)))
        }
    };
    let mut stages = vec![
        (Stage::Format, format),
        (Stage::StatementSignatures, signatures),
        (Stage::Inclusion, inclusion),
        (Stage::LogSignature, head.log),
        (Stage::WitnessQuorum, head.quorum),
        (Stage::IssuerRoles, roles),
    ];
    // Whether the quorum came has no bearing on what the log has.
    let doubt = stages.iter().find(|(stage, finding)| {
        !matches!((stage, finding), (Stage::WitnessQuorum, _) | (_, Finding::Pass(_)))
    });
    let (lineage, judgement, replayed) = if let Some((stage, _)) = doubt {
        let finding = Finding::NotChecked(format!("the statements count for nothing without: {stage}"));
        (finding.clone(), None, finding)
    } else {
        let (lineage, judgement) = check_lineage(bundle);
        (lineage, judgement, replay(bundle))
    };
    let story = if doubt.is_none() { tell(bundle) } else { Vec::new() };
    stages.push((Stage::Lineage, lineage));
    stages.push((Stage::PolicyReplay, replayed));
    BundleReport {
        sha256,
        execution: Some(bundle.execution().clone()),
        entries,
        head: head.verified.as_ref().map(Head::from),
        stages: stages.into_iter().map(|(stage, finding)| Line { stage, finding }).collect(),
        lineage: judgement,
        story,
        not_checked: NOT_CHECKED.to_vec(),
    }
}

/// Who signed, and whether they were registered for it.
fn check_issuers(bundle: &Bundle) -> (Finding, Finding) {
    let replay = replay(bundle);
    let signatures = match (&replay.forged, &replay.unknown) {
        (Some((index, error)), _) => Finding::Fail(format!("entry {index}: {}", with_causes(error))),
        (None, Some((index, refusal))) => Finding::NotChecked(format!("entry {index}: {refusal}")),
        (None, None) => Finding::Pass(
            "each entry is signed by the key that it names, which is registered in the bundle".into(),
        ),
    };
    let founded = bundle.entries().find_map(|step| match step.statement.payload() {
        Payload::Genesis(genesis) => Some(&genesis.origin),
        _ => None,
    });
    let roles = if replay.forged.is_some() {
        Finding::not_checked("not every statement is signed by the key that it names")
    } else if let Some((index, refusal)) = &replay.refused {
        Finding::Fail(format!("entry {index} should not have been admitted: {refusal}"))
    } else if let Some(origin) = founded.filter(|origin| **origin != bundle.head().origin) {
        Finding::Fail(format!("the genesis founds {origin}, and the head is by {}", bundle.head().origin))
    } else if let Some((index, role, entry)) = &replay.dangling {
        Finding::NotChecked(format!(
            "entry {index} names as its {role} the entry {entry}, which is not in the bundle"
        ))
    } else {
        Finding::Pass("by the registrations in the bundle, each signer was active and held the role".into())
    };
    (signatures, roles)
}

fn check_lineage(bundle: &Bundle) -> (Finding, Option<Judgement>) {
    let steps: Vec<Step<'_>> = bundle.steps().collect();
    let policies: std::collections::HashMap<LeafHash, (LeafIndex, Kind)> = bundle
        .entries()
        .filter(|step| step.statement.kind() == Kind::Policy)
        .map(|step| (step.entry, (step.index, Kind::Policy)))
        .collect();
    let judgement = match judge(&steps, |entry| policies.get(&entry).copied()) {
        Ok(judgement) => judgement,
        Err(error) => return (Finding::Fail(with_causes(&error)), None),
    };
    let told = |severity: Severity| {
        let codes = judgement.findings.iter().map(|finding| finding.code);
        let codes = codes.filter(|code| code.severity() == severity).map(FindingCode::as_str);
        let codes: Vec<&str> = codes.collect();
        codes.join(", ")
    };
    let finding = match judgement.verdict {
        LineageVerdict::Governed => {
            Finding::Pass("governed: it ran, and every step is on record and fits the others".into())
        }
        LineageVerdict::Denied => Finding::Pass("denied: nothing ran, and the reason is on record".into()),
        LineageVerdict::Open => Finding::NotChecked("open: it has not ended, and more may follow".into()),
        LineageVerdict::Partial => Finding::NotChecked(format!("partial: {}", told(Severity::Gap))),
        LineageVerdict::Violated => Finding::Fail(format!("violated: {}", told(Severity::Violation))),
    };
    (finding, Some(judgement))
}
