//! Who hears what an audit finds: prints it, counts it, shows how far it is, and keeps it.

use countersign_verifier::audit::{Audit, ExhibitError, Found, Lineage, Prepared, Violation};
use countersign_verifier::causes::with_causes;
use countersign_verifier::lineage::{LineageVerdict, Severity};
use countersign_verifier::merkle::{LeafIndex, TreeSize};
use countersign_verifier::note::SignedNote;
use countersign_verifier::program::{Failed, print_line};
use indicatif::{HumanFloatCount, ProgressBar, ProgressState, ProgressStyle};

use super::state::{StateFiles, Suspicions};
use super::stream::{Again, Stopped, Watch};
use crate::kept::EvidenceFolder;
use crate::monitor::Watched;

/// How many findings are printed for people. All of them are in the JSON lines.
const SHOWN: u64 = 50;
/// How many entries are accused at most, and how many executions are shown: what is wrong in the same way a thousand
/// times takes no thousand files.
const ACCUSED: usize = 100;
/// How many entries are audited before the state is kept on the way.
const KEPT_EVERY: u64 = 500_000;

/// Something that is said, for machines and for people.
#[derive(Clone)]
pub(crate) struct Told {
    pub(crate) json: String,
    pub(crate) text: String,
}

/// What waits until it is known that a log has signed it.
struct HeldBack {
    told: Vec<Told>,
    watched: Vec<Watched>,
    /// The entries that are watched for.
    seen: Vec<LeafIndex>,
}

pub(crate) struct Watcher {
    json: bool,
    origin: String,
    bar: ProgressBar,
    found: u64,
    faults: u64,
    suspicions: Suspicions,
    state: Option<StateFiles>,
    /// The head under which all entries were audited, up to its size.
    before: Option<SignedNote>,
    kept_at: u64,
    /// Standard output could not be written.
    unprinted: Option<Failed>,
    /// Where nothing is printed on the way.
    held_back: Option<HeldBack>,
}

impl Watcher {
    pub(crate) fn new(
        json: bool,
        origin: &str,
        state: Option<StateFiles>,
        before: Option<SignedNote>,
        suspicions: Suspicions,
    ) -> Self {
        Self {
            json,
            origin: origin.to_owned(),
            bar: ProgressBar::hidden(),
            found: 0,
            faults: 0,
            suspicions,
            state,
            before,
            kept_at: 0,
            unprinted: None,
            held_back: None,
        }
    }

    /// Prints nothing and keeps nothing on the way, but gives back what there is to say when it is asked.
    pub(crate) fn holding_back(mut self, watched: Vec<Watched>) -> Self {
        self.held_back = Some(HeldBack { told: Vec::new(), watched, seen: Vec::new() });
        self
    }

    /// What there is to say, and the entries that were watched for, if it was held back.
    pub(crate) fn take(&mut self) -> (Vec<Told>, Vec<LeafIndex>) {
        self.held_back.as_mut().map_or_else(Default::default, |held| {
            (std::mem::take(&mut held.told), std::mem::take(&mut held.seen))
        })
    }

    /// Shows the way that lies ahead, on a terminal.
    pub(super) fn begin(&mut self, from: TreeSize, to: TreeSize) {
        const LOOK: &str = "{bar:40} {human_pos} of {human_len} entries, {rate} a second, {eta} to go";
        self.kept_at = from.get();
        // Standard error that is no terminal gets no bar.
        self.bar = ProgressBar::new(to.get()).with_position(from.get());
        if let Ok(style) = ProgressStyle::with_template(LOOK) {
            self.bar.set_style(style.with_key("rate", rate));
        }
        self.bar.reset_eta();
    }

    /// The way is done.
    pub(super) fn end(&mut self) -> Result<(), Failed> {
        self.bar.finish_and_clear();
        self.unprinted.take().map_or(Ok(()), Err)
    }

    pub(crate) fn before(&self) -> Option<&SignedNote> {
        self.before.as_ref()
    }

    pub(super) const fn faults(&self) -> u64 {
        self.faults
    }

    /// How many findings were not printed.
    pub(super) const fn not_shown(&self) -> u64 {
        if self.json { 0 } else { self.found.saturating_sub(SHOWN) }
    }

    /// Writes evidence of what can be shown to others, under a head whose root the entries lead to.
    pub(super) fn convict(
        &mut self,
        head: &SignedNote,
        audit: &Audit,
        again: &Again<'_>,
        folder: &mut EvidenceFolder,
    ) -> Result<(), Failed> {
        let Suspicions { accusations, violated } = std::mem::take(&mut self.suspicions);
        let size = audit.ledger().tree().size();
        for accusation in accusations {
            let evidence = accusation.evidence(head, audit.ledger(), again);
            let evidence = evidence.map_err(|error| Stopped::from(error).failed())?;
            folder.keep(&format!("entry-{}-of-{size}", accusation.index()), &evidence)?;
        }
        for execution in violated {
            match audit.ledger().bundle(&execution, head, again) {
                Ok(bundle) => {
                    let first = bundle.steps().next().map_or(0, |step| step.index.get());
                    folder.keep_bundle(&format!("execution-{first}-of-{size}"), &bundle)?;
                }
                Err(ExhibitError::Audit(error)) => return Err(Stopped::from(error).failed()),
                Err(ExhibitError::Bundle(error)) => {
                    let sentence = format!("no bundle shows it to others: {}", with_causes(&error));
                    let json = serde_json::json!({
                        "type": "no_bundle", "execution": execution.as_str(), "sentence": sentence,
                    });
                    self.tell(|| Ok(json.to_string()), || format!("execution {execution}: {sentence}"));
                }
            }
        }
        self.unprinted.take().map_or(Ok(()), Err)
    }

    /// Keeps where the audit stands, if it is to be kept.
    pub(crate) fn keep(
        &mut self,
        audit: &mut Audit,
        again: &Again<'_>,
        head: Option<&SignedNote>,
    ) -> Result<(), Stopped> {
        let Some(mut state) = self.state.take() else { return Ok(()) };
        let kept = audit.take_record(again, &mut |found| self.found(found))?;
        if let Some(head) = head {
            self.before = Some(head.clone());
        }
        state.keep(kept, &self.origin, self.before.as_ref(), &self.suspicions)?;
        self.state = Some(state);
        Ok(())
    }

    fn tell(&mut self, json: impl FnOnce() -> serde_json::Result<String>, text: impl FnOnce() -> String) {
        self.found = self.found.saturating_add(1);
        if let Some(held) = &mut self.held_back {
            held.told.push(Told { json: json().unwrap_or_default(), text: text() });
            return;
        }
        if self.unprinted.is_some() || (!self.json && self.found > SHOWN) {
            return;
        }
        let line = if self.json { json().unwrap_or_default() } else { text() };
        let printed = self.bar.suspend(|| print_line(line));
        self.unprinted = printed.err();
    }

    fn violation(&mut self, violation: &Violation) {
        let accusations = &mut self.suspicions.accusations;
        if accusations.len() < ACCUSED {
            accusations.extend(violation.accusation.clone());
        }
        let Violation { index, code, sentence, .. } = violation;
        let found = Found::Violation(violation.clone());
        self.tell(|| serde_json::to_string(&found), || format!("entry {index}: {code}: {sentence}"));
    }

    fn lineage(&mut self, lineage: Lineage) {
        let name = lineage.execution.clone();
        let Some(judgement) = &lineage.judgement else {
            let text = format!(
                "execution {name}: not judged: it has {} entries, more than are judged together",
                lineage.entries
            );
            let found = Found::Lineage(lineage);
            return self.tell(|| serde_json::to_string(&found), || text);
        };
        let violated = &mut self.suspicions.violated;
        if lineage.again {
            violated.retain(|other| *other != name);
        }
        if judgement.verdict == LineageVerdict::Violated && violated.len() < ACCUSED {
            violated.push(name.clone());
        }
        let severest =
            judgement.findings.iter().filter(|finding| finding.code.severity() == Severity::Violation);
        let violations: Vec<String> = severest
            .map(|finding| {
                format!("execution {name}, entry {}: {}: {}", finding.index, finding.code, finding.sentence)
            })
            .collect();
        // While an execution goes on, its gaps are no news.
        let is_told =
            self.json && self.held_back.is_none() && (lineage.again || !judgement.findings.is_empty());
        if is_told || !violations.is_empty() {
            let found = Found::Lineage(lineage);
            self.tell(|| serde_json::to_string(&found), || violations.join("\n"));
        }
    }
}

/// How fast it goes, in whole entries.
fn rate(state: &ProgressState, out: &mut dyn core::fmt::Write) {
    // The bar shows nothing where its text cannot be written.
    let _ = write!(out, "{}", HumanFloatCount(state.per_sec().round()));
}

impl Watch for Watcher {
    fn entry(&mut self, index: LeafIndex, entry: &Prepared) {
        let Some((held, statement)) = self.held_back.as_mut().zip(entry.statement()) else { return };
        if held.watched.iter().any(|watched| watched.is(statement.statement())) {
            held.seen.push(index);
        }
    }

    fn found(&mut self, found: Found) {
        match found {
            Found::Violation(violation) => self.violation(&violation),
            Found::Lineage(lineage) => self.lineage(lineage),
            Found::Decision(ref differing) => {
                let text = format!("entry {}: decision-differs: {}", differing.index, differing.sentence);
                self.tell(|| serde_json::to_string(&found), || text);
            }
        }
    }

    fn fault(&mut self, path: String, sentence: String) {
        self.faults = self.faults.saturating_add(1);
        let json = serde_json::json!({ "type": "fault", "where": path, "sentence": sentence });
        self.tell(|| Ok(json.to_string()), || format!("{path}: {sentence}"));
    }

    fn pause(&mut self, audit: &mut Audit, again: &Again<'_>) -> Result<(), Stopped> {
        let position = audit.ledger().tree().size().get();
        self.bar.set_position(position);
        if let Some(unprinted) = self.unprinted.take() {
            return Err(unprinted.into());
        }
        // What contradicts itself already is not worth going on from.
        if self.held_back.is_none() && self.faults == 0 && position.saturating_sub(self.kept_at) >= KEPT_EVERY
        {
            self.kept_at = position;
            self.keep(audit, again, None)?;
        }
        Ok(())
    }
}
