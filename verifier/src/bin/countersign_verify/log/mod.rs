//! `countersign-verify log`: everything that a log has, from its first entry.

mod advance;
mod heads;
mod state;
mod stream;
mod summary;
mod watcher;

use std::path::PathBuf;

use countersign_verifier::audit::Audit;
#[cfg(feature = "replay")]
use countersign_verifier::merkle::TreeSize;
use countersign_verifier::note::SignedNote;
use countersign_verifier::program::{Exit, Failed};
use countersign_verifier::quorum::{Policy, VerifiedCheckpoint};

pub(crate) use self::advance::advance;
pub(crate) use self::state::{Restored, StateFiles};
pub(crate) use self::stream::{Again, Stopped};
use self::summary::Summary;
pub(crate) use self::watcher::{Told, Watcher};
use crate::files;
use crate::kept::EvidenceFolder;
use crate::source::{self, Source, SourceError};

/// Audit a whole log: every entry, every signature, every admission, every execution, and the root over all.
///
/// LOG is the URL of a log, or a folder with a copy of its files: checkpoint and tile/..., fetched as README.md shows or
/// copied from a bucket. With --state, a later run goes on from where this one stood, and holds the newer head against
/// the older one. Exit code 3 says that something does not hold: what can be shown to others is written to the folder of
/// evidence, as a file .evidence for an entry that the log had to refuse, and as the bundle of each execution that is
/// violated.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    countersign-verify log --policy trust.policy https://log.example/\n  \
    countersign-verify log --policy trust.policy --state log.audit --json ./copy-of-the-log")]
pub(crate) struct Args {
    /// Which logs and witnesses you trust (C2SP tlog-policy), got out of band.
    #[arg(long, value_name = "FILE")]
    policy: PathBuf,
    /// Where to keep how far the audit came, to go on from there.
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// Where to put what convicts somebody.
    #[arg(long, value_name = "FOLDER", default_value = "evidence")]
    evidence: PathBuf,
    /// Decide every decision again, with the policy engine, over the policy that it cites and what is logged of the
    /// request.
    #[arg(long)]
    replay: bool,
    /// Print every finding, and a summary at the end, as JSON, one a line (docs/report.schema.json).
    #[arg(long)]
    json: bool,
    /// The URL of the log, or a folder with its files.
    #[arg(value_name = "LOG")]
    log: String,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failed> {
    let policy = files::read_policy(&args.policy)?;
    let source = source::open(&args.log)?;
    let head = newest_head(&*source, &policy)?;
    let origin = head.checkpoint().origin.as_str();
    let (state, restored) = match &args.state {
        None => (None, None),
        Some(path) => StateFiles::open(path, origin).map(|(files, restored)| (Some(files), restored))?,
    };
    let Restored { mut audit, head: before, suspicions } = restored.unwrap_or_default();
    replay_decisions(&mut audit, args)?;
    if state.is_some() {
        audit.keep_record();
    }
    let from = audit.ledger().tree().size();
    let mut folder = EvidenceFolder::new(&args.evidence);
    let mut watcher = Watcher::new(args.json, origin, state, before, suspicions);
    let again = Again::new(&*source, head.checkpoint().size);
    advance(&policy, &head, &again, &mut audit, &mut watcher, &mut folder)
        .and_then(|()| watcher.keep(&mut audit, &again, Some(&head.to_note())))
        .map_err(Stopped::failed)?;
    let summary = Summary::new(&policy, &head, from, &audit, &watcher, &folder);
    if args.json {
        summary.print_json()?;
    } else {
        summary.print(&watcher)?;
    }
    Ok(if summary.holds() { Exit::Holds } else { Exit::Misbehaviour })
}

#[cfg(feature = "replay")]
fn replay_decisions(audit: &mut Audit, args: &Args) -> Result<(), Failed> {
    let audited = audit.ledger().tree().size();
    if args.replay && audit.replays().is_none() && audited != TreeSize::EMPTY {
        let what = format!("the first {audited} entries were audited without deciding again");
        return Err(Failed::new(Exit::Usage, what)
            .hint("give another --state, to begin again with the first entry, or leave --replay out"));
    }
    audit.replay_decisions(args.replay);
    Ok(())
}

#[cfg(not(feature = "replay"))]
fn replay_decisions(_: &mut Audit, args: &Args) -> Result<(), Failed> {
    if args.replay { Err(crate::bundle::no_engine()) } else { Ok(()) }
}

/// The head that the log shows, with its quorum.
pub(crate) fn newest_head(source: &dyn Source, policy: &Policy) -> Result<VerifiedCheckpoint, Failed> {
    let note = source::checkpoint(source).map_err(SourceError::failed)?;
    let note = SignedNote::parse(&note).map_err(|error| {
        Failed::new(Exit::CouldNotCheck, "the checkpoint is not a signed note").because(error)
    })?;
    policy.verify(&note).map_err(|error| {
        Failed::new(Exit::Misbehaviour, "the head of the log does not satisfy the policy")
            .because(error)
            .hint("nothing is said about entries under such a head; make sure that it is the policy for this log")
    })
}
