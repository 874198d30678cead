//! What an audit comes to.

use countersign_verifier::audit::{Audit, Check, Replays, Verdicts};
use countersign_verifier::merkle::TreeSize;
use countersign_verifier::program::{Failed, print_line};
use countersign_verifier::quorum::{Policy, VerifiedCheckpoint};
use countersign_verifier::report::{Finding, cosigned_by};
use countersign_verifier::statement::IssuerStatus;
use serde::Serialize;

use super::watcher::Watcher;
use crate::kept::EvidenceFolder;
use crate::render::text;

#[derive(Serialize)]
pub(super) struct Summary {
    #[serde(rename = "type")]
    kind: &'static str,
    log: String,
    entries: u64,
    root: String,
    /// How many entries an earlier run had audited.
    audited_before: u64,
    holds: bool,
    stages: Vec<Stage>,
    executions: usize,
    lineages: Verdicts,
    #[serde(skip_serializing_if = "Option::is_none")]
    replays: Option<Replays>,
    revoked_keys: Vec<RevokedKey>,
    evidence: Vec<String>,
}

#[derive(Serialize)]
struct Stage {
    #[serde(serialize_with = "as_code")]
    stage: &'static str,
    #[serde(flatten)]
    finding: Finding,
}

/// A key that was revoked: what it signed before stands, and whoever relies on it should know.
#[derive(Serialize)]
struct RevokedKey {
    name: String,
    key: String,
    revoked_by: u64,
    statements: u64,
}

impl Summary {
    pub(super) fn new(
        policy: &Policy,
        head: &VerifiedCheckpoint,
        from: TreeSize,
        audit: &Audit,
        watcher: &Watcher,
        folder: &EvidenceFolder,
    ) -> Self {
        let checkpoint = head.checkpoint();
        let verdicts = audit.ledger().verdicts();
        let stage = |stage, finding| Stage { stage, finding };
        let signed = format!("{} signed a head of {} entries", checkpoint.origin, checkpoint.size);
        let mut stages = vec![
            stage("log signature", Finding::Pass(signed)),
            stage("witness quorum", Finding::Pass(cosigned_by(policy, head))),
            stage("tree", tree(watcher.faults())),
        ];
        stages.extend(audit.violations().map(|(check, count)| stage(check.as_str(), checked(check, count))));
        stages.push(stage("lineage", lineages(audit.ledger().executions(), &verdicts)));
        stages.extend(audit.replays().map(|replays| stage("policy replay", replayed(&replays))));
        let mut revoked: Vec<RevokedKey> = audit
            .ledger()
            .issuers()
            .filter(|(_, issuer)| issuer.record.status == IssuerStatus::Revoked)
            .map(|(key, issuer)| RevokedKey {
                name: key.name.to_string(),
                key: key.key.to_string(),
                revoked_by: issuer.record.index.get(),
                statements: issuer.statements,
            })
            .collect();
        revoked.sort_by_key(|key| key.revoked_by);
        Self {
            kind: "summary",
            log: checkpoint.origin.to_string(),
            entries: checkpoint.size.get(),
            root: checkpoint.root.to_base64(),
            audited_before: from.get(),
            holds: stages.iter().all(|stage| !matches!(stage.finding, Finding::Fail(_))),
            stages,
            executions: audit.ledger().executions(),
            lineages: verdicts,
            replays: audit.replays(),
            revoked_keys: revoked,
            evidence: folder.kept().iter().map(|path| path.display().to_string()).collect(),
        }
    }

    pub(super) const fn holds(&self) -> bool {
        self.holds
    }

    pub(super) fn print_json(&self) -> Result<(), Failed> {
        print_line(serde_json::to_string(self).unwrap_or_default())
    }

    pub(super) fn print(&self, watcher: &Watcher) -> Result<(), Failed> {
        if watcher.not_shown() > 0 {
            print_line(format_args!("and {} more findings; --json prints them all", watcher.not_shown()))?;
        }
        let new = self.entries.saturating_sub(self.audited_before);
        print_line(format_args!(
            "log {}, {} entries, {new} of them new in this run",
            self.log, self.entries
        ))?;
        for Stage { stage, finding } in &self.stages {
            text::stage(stage, finding)?;
        }
        for RevokedKey { name, key, revoked_by, statements } in &self.revoked_keys {
            print_line(format_args!(
                "  the key {key} of {name} was revoked by entry {revoked_by}; {statements} statements before that carry \
                 its signature, and stand"
            ))?;
        }
        for path in &self.evidence {
            print_line(format_args!("  evidence: {path}"))?;
        }
        print_line(if self.holds {
            "This log holds: it is what its witnesses vouch for, and every entry keeps the rules. That the statements in it \
             are true, this does not show."
        } else {
            "This log does NOT hold."
        })
    }
}

fn tree(faults: u64) -> Finding {
    if faults == 0 {
        Finding::Pass("the entries lead to the signed root, and every tile fits them".into())
    } else {
        Finding::Fail(format!(
            "the entries lead to the signed root, and {faults} hashes that are served do not fit them"
        ))
    }
}

fn checked(check: Check, violations: u64) -> Finding {
    let rule = match check {
        Check::Format => "every entry is a well-formed statement",
        Check::Signatures => "every statement is signed by the key that it names",
        Check::Admission => "every entry keeps the rules of admission",
        Check::Heads => "every head that a verification names is one that the log had",
        Check::Counts => "no close counts entries that the log does not have",
    };
    if violations == 0 {
        Finding::Pass(rule.into())
    } else {
        Finding::Fail(format!("{violations} exceptions: {rule}"))
    }
}

fn lineages(executions: usize, verdicts: &Verdicts) -> Finding {
    let Verdicts { governed, denied, open, partial, violated, not_judged } = verdicts;
    let list = format!(
        "of {executions} executions, {governed} are governed, {denied} denied, {open} open, {partial} partial, {violated} \
         violated, {not_judged} too long to judge"
    );
    match (violated, not_judged) {
        (0, 0) => Finding::Pass(list),
        (0, _) => Finding::NotChecked(list),
        _ => Finding::Fail(list),
    }
}

fn replayed(replays: &Replays) -> Finding {
    let Replays { same, different, not_disclosed, engine_differs } = *replays;
    let list = format!(
        "of the decisions, {same} come to the same again, {different} to something else, {not_disclosed} rest on what is not \
         disclosed, {engine_differs} are by another engine"
    );
    match (different, not_disclosed, engine_differs) {
        (0, 0, 0) if same > 0 => Finding::Pass(list),
        (0, ..) => Finding::NotChecked(list),
        _ => Finding::Fail(list),
    }
}

/// The name of a stage for programs.
fn as_code<S: serde::Serializer>(stage: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&stage.replace(' ', "_"))
}
