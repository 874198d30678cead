//! `countersign-verify bundle`: one execution, in one file.

use std::path::PathBuf;

use countersign_verifier::bundle::MAX_BUNDLE_BYTES;
use countersign_verifier::program::{Exit, Failed, print_line};
use countersign_verifier::quorum::Policy;
use countersign_verifier::report::{Answer, BundleReport, check_bundle};

use crate::files::{read, read_policy};
use crate::render::{View, html, json, markdown, text};

/// Check one execution: who asked, who allowed it, whether it was checked, what happened, and who vouches for that.
///
/// Ends with 0 when the execution was governed, or denied; with 3 when something does not hold, or the record violates
/// the rules; with 2 when nothing contradicts but something is missing: the execution is open or partial, or a file could
/// not be read, or is no bundle. The rules are in docs/LINEAGE.md.
///
/// Example: countersign-verify bundle --policy trust.policy deploy-42.bundle --html > deploy-42.html
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Which logs and witnesses you trust (C2SP tlog-policy), got out of band.
    #[arg(long, value_name = "FILE")]
    policy: PathBuf,
    #[command(flatten)]
    form: Form,
    /// Decide every decision again, with the policy engine, over the policy that it cites and what is logged of the
    /// request.
    #[arg(long)]
    replay: bool,
    /// The bundle, as a log or an explorer serves it at `/executions/ID.bundle`.
    bundle: PathBuf,
}

/// In which form the report is printed; as text unless one is named.
#[derive(clap::Args)]
struct Form {
    /// Print the report as JSON (docs/report.schema.json).
    #[arg(long, group = "form")]
    json: bool,
    /// Print the report as a page of its own, for an audit file.
    #[arg(long, group = "form")]
    html: bool,
    /// Print the report as Markdown, for an audit file.
    #[arg(long, group = "form")]
    markdown: bool,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failed> {
    let policy = read_policy(&args.policy)?;
    let bundle = read(&args.bundle, MAX_BUNDLE_BYTES)?;
    let report = if args.replay { replayed(&bundle, &policy)? } else { check_bundle(&bundle, &policy) };
    let view = View::of(&report);
    if args.form.json {
        print_line(json(&report)?)?;
    } else if args.form.html {
        print_line(html::page(&view)?)?;
    } else if args.form.markdown {
        print_line(markdown::page(&view))?;
    } else {
        text::page(&view)?;
    }
    Ok(match report.answer() {
        Answer::Holds => Exit::Holds,
        // What is no bundle accuses nobody: it may have been cut off on its way.
        Answer::DoesNotHold if report.execution.is_none() => Exit::CouldNotCheck,
        Answer::DoesNotHold => Exit::Misbehaviour,
        Answer::Undecided => Exit::CouldNotCheck,
    })
}

#[cfg(feature = "replay")]
#[expect(clippy::unnecessary_wraps, reason = "a build without the policy engine cannot replay")]
fn replayed(bundle: &[u8], policy: &Policy) -> Result<BundleReport, Failed> {
    Ok(countersign_verifier::report::check_bundle_and_replay(bundle, policy))
}

#[cfg(not(feature = "replay"))]
fn replayed(_: &[u8], _: &Policy) -> Result<BundleReport, Failed> {
    Err(no_engine())
}

/// What `--replay` comes to where there is nothing to replay with.
#[cfg(not(feature = "replay"))]
pub(crate) fn no_engine() -> Failed {
    Failed::new(Exit::Usage, "this countersign-verify was built without a policy engine")
        .hint("build it with --features program,replay, or leave --replay out")
}
