//! `countersign-verify monitor`: stays with a log, and says what should not be there.

mod outlet;
mod watched;
#[cfg_attr(not(feature = "url"), path = "no_webhook.rs")]
mod webhook;

use core::fmt::Display;
use std::io::Write as _;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::Duration;

use countersign_verifier::audit::{Audit, AuditError, Entries as _, Tree};
use countersign_verifier::checkpoint::Checkpoint;
use countersign_verifier::merkle::{LeafHash, LeafIndex};
use countersign_verifier::program::{Exit, Failed, span};
use countersign_verifier::quorum::{Policy, VerifiedCheckpoint};
use countersign_verifier::statement::Statement;
use serde_json::json;

use self::outlet::Outlet;
pub(crate) use self::watched::Watched;
use crate::files;
use crate::kept::EvidenceFolder;
use crate::log::{self, Again, Restored, StateFiles, Stopped, Told, Watcher};
use crate::source::{self, Source};

/// Stay with a log: audit what it adds, hold each head against the one before, and tell what should not be there.
///
/// It does all that `countersign-verify log` does, again and again, and goes on after a pause from the same --state. What
/// it finds is told on standard output and to --webhook before the state is kept: after a crash something may be told
/// twice, and nothing is left out. It is told as lines, or with --json as JSON lines (docs/report.schema.json); the
/// webhook gets a POST of {"log", "text", "events"}, with those lines as events and the text for people.
///
/// It ends with exit code 3 when the log contradicts what it has signed, which evidence then shows to others. Entries and
/// executions that break rules are told once and do not end it, nor does a log that cannot be reached: it is told, and
/// tried again. That a log shows it something else than it shows to others, the witnesses have to prevent; and a log that
/// shows nothing new it cannot tell from one that has nothing new.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    countersign-verify monitor --policy trust.policy --state log.audit --watch issuer=agent.example https://log.example/\n  \
    countersign-verify monitor --policy trust.policy --state log.audit --once --json https://log.example/")]
pub(crate) struct Args {
    /// Which logs and witnesses you trust (C2SP tlog-policy), got out of band.
    #[arg(long, value_name = "FILE")]
    policy: PathBuf,
    /// Where to keep how far it came. The state of `countersign-verify log` is the same: begin with that on a large log.
    #[arg(long, value_name = "FILE")]
    state: PathBuf,
    /// Where to put what convicts somebody.
    #[arg(long, value_name = "FOLDER", default_value = "evidence")]
    evidence: PathBuf,
    /// Tell of each new statement of this sort: issuer=NAME (in that name, or about a key under it), execution=ID or
    /// kind=KIND. Several may be given.
    #[arg(long, value_name = "WHAT")]
    watch: Vec<Watched>,
    /// How long to wait before looking again.
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = interval)]
    interval: Duration,
    /// Where to post what is told.
    #[arg(long, value_name = "URL")]
    webhook: Option<String>,
    /// Look once, for a timer or a scheduled job. Exit code 3 says that there is something new that should not be there.
    #[arg(long)]
    once: bool,
    /// Tell in JSON, one line each.
    #[arg(long)]
    json: bool,
    /// The URL of the log, or a folder with its files.
    #[arg(value_name = "LOG")]
    log: String,
}

/// The shortest time between two looks: more often would only be a burden to the log.
const SHORTEST: Duration = Duration::from_millis(100);

fn interval(text: &str) -> Result<Duration, String> {
    let span = span::parse(text).map_err(|error| error.to_string())?;
    if span < SHORTEST { Err("expected at least 100ms".to_owned()) } else { Ok(span) }
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failed> {
    let mut monitor = Monitor {
        args,
        policy: files::read_policy(&args.policy)?,
        source: source::open(&args.log)?,
        outlet: Outlet::new(args.json, args.webhook.as_deref())?,
        standing: None,
        is_troubled: false,
    };
    loop {
        match monitor.look() {
            Ok(found) if args.once => return Ok(if found == 0 { Exit::Holds } else { Exit::Misbehaviour }),
            Ok(_) => {}
            Err(Ended::Passing(failed)) if args.once => return Err(failed),
            Err(Ended::Passing(failed)) => monitor.trouble(&failed)?,
            Err(Ended::Final(failed)) => return Err(monitor.last_word(failed)),
        }
        sleep(args.interval);
    }
}

/// Why a look ended early.
enum Ended {
    /// The next one may go better.
    Passing(Failed),
    /// There is nothing to go on from.
    Final(Failed),
}

impl From<Stopped> for Ended {
    fn from(stopped: Stopped) -> Self {
        if stopped.is_passing() { Self::Passing(stopped.failed()) } else { Self::Final(stopped.failed()) }
    }
}

struct Monitor<'a> {
    args: &'a Args,
    policy: Policy,
    source: Box<dyn Source>,
    outlet: Outlet,
    /// Where the audit stands. After a look that ended early it is read from the state again, for what was taken up
    /// since then may be no part of any signed tree.
    standing: Option<(Audit, Watcher)>,
    /// Whether the last look ended early, and that was told.
    is_troubled: bool,
}

impl Monitor<'_> {
    /// Looks at the log once, tells what is new, and keeps how far it came. Says how much there was that should not be
    /// there.
    fn look(&mut self) -> Result<usize, Ended> {
        let head = log::newest_head(&*self.source, &self.policy).map_err(Ended::Passing)?;
        let origin = head.checkpoint().origin.to_string();
        let (mut audit, mut watcher) = match self.standing.take() {
            Some(standing) => standing,
            None => self.open(&origin).map_err(Ended::Final)?,
        };
        let from = audit.ledger().tree().size();
        let again = Again::new(&*self.source, head.checkpoint().size);
        let mut folder = EvidenceFolder::new(&self.args.evidence);
        log::advance(&self.policy, &head, &again, &mut audit, &mut watcher, &mut folder)?;
        let (mut news, seen) = watcher.take();
        let found = news.len();
        for index in seen {
            news.push(self.sighting(index, audit.ledger().tree(), &again)?);
        }
        if self.is_troubled {
            news.push(plain("recovered", "the log can be audited again"));
        }
        self.outlet.post(&origin, &news).map_err(Ended::Passing)?;
        self.outlet.print(&news).map_err(Ended::Final)?;
        self.is_troubled = false;
        let size = audit.ledger().tree().size();
        if size != from || self.args.once {
            watcher.keep(&mut audit, &again, Some(&head.to_note()))?;
            let looked = looked(&head, size.get().saturating_sub(from.get()), found);
            self.outlet.print(&[looked]).map_err(Ended::Final)?;
        }
        self.standing = Some((audit, watcher));
        Ok(found)
    }

    fn open(&self, origin: &str) -> Result<(Audit, Watcher), Failed> {
        let (state, restored) = StateFiles::open(&self.args.state, origin)?;
        let Restored { mut audit, head, suspicions } = restored.unwrap_or_default();
        audit.keep_record();
        let watcher = Watcher::new(self.args.json, origin, Some(state), head, suspicions);
        Ok((audit, watcher.holding_back(self.args.watch.clone())))
    }

    /// An entry that is watched for. It was checked on the way, and is read again here: it has to be the same.
    fn sighting(&self, index: LeafIndex, tree: &Tree, again: &Again<'_>) -> Result<Told, Stopped> {
        let bytes = again.entry(index)?;
        let entry = LeafHash::of(&bytes);
        let statement = Statement::parse(&bytes).ok().filter(|_| tree.leaf(index) == Some(entry));
        let statement = statement.ok_or(AuditError::Changed { index })?;
        let claims = statement.claims();
        let watched = self.args.watch.iter().filter(|watched| watched.is(&statement));
        let watched: Vec<String> = watched.map(ToString::to_string).collect();
        let json = json!({
            "type": "watched", "index": index.get(), "entry": entry.to_string(),
            "kind": statement.kind().as_str(), "issuer": claims.issuer.as_str(),
            "subject": claims.subject.to_string(), "watched": watched,
        });
        let text = format!(
            "entry {index}: {} about {} by {} ({})",
            statement.kind(),
            claims.subject,
            claims.issuer,
            watched.join(", ")
        );
        Ok(Told { json: json.to_string(), text })
    }

    /// Tells that a look ended early, once until one does not.
    fn trouble(&mut self, failed: &Failed) -> Result<(), Failed> {
        self.standing = None;
        complain(failed);
        if !self.is_troubled {
            self.is_troubled = true;
            self.outlet.print(&self.tell_at_least(plain("trouble", failed)))?;
        }
        Ok(())
    }

    /// Tells why it ends; whoever started it learns it by the exit code as well.
    fn last_word(&self, failed: Failed) -> Failed {
        let printed = self.outlet.print(&self.tell_at_least(plain("ended", &failed)));
        printed.unwrap_or_else(|unheard| complain(&unheard));
        failed
    }

    /// Posts what has to be printed even where nobody hears it otherwise.
    fn tell_at_least(&self, told: Told) -> [Told; 1] {
        let told = [told];
        self.outlet.post(&self.args.log, &told).unwrap_or_else(|unheard| complain(&unheard));
        told
    }
}

/// A sentence that is no finding.
fn plain(kind: &str, sentence: impl Display) -> Told {
    let text = sentence.to_string();
    Told { json: json!({ "type": kind, "sentence": text }).to_string(), text }
}

/// What a look came to.
fn looked(head: &VerifiedCheckpoint, new: u64, found: usize) -> Told {
    let Checkpoint { origin, size, root, .. } = head.checkpoint();
    let json = json!({
        "type": "looked", "log": origin.to_string(), "entries": size.get(), "root": root.to_base64(),
        "new": new, "found": found,
    });
    let verdict = match found {
        0 => "nothing that should not be there".to_owned(),
        found => format!("{found} findings, told above"),
    };
    Told { json: json.to_string(), text: format!("{origin}: {size} entries, {new} of them new: {verdict}") }
}

fn complain(failed: &Failed) {
    // With standard error closed there is nobody left to tell.
    let _ = writeln!(std::io::stderr(), "error: {failed}");
}
