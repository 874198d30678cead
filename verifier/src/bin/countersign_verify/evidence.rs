//! `countersign-verify evidence`: what a file proves, against whom.

use std::path::PathBuf;

use countersign_verifier::evidence::{Evidence, MAX_EVIDENCE_BYTES, Proven};
use countersign_verifier::program::{Exit, Failed, print_line};

use crate::files;

/// Say what a file of evidence proves, and against whom.
///
/// Exit code 3: it proves that the log or an issuer misbehaved. Exit code 2: it proves nothing. There is no 0: evidence
/// that could be checked and shows that all is well is not evidence.
///
/// Example: countersign-verify evidence --policy trust.policy evidence/fork-300-310.evidence
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Which logs and witnesses you know (C2SP tlog-policy), got out of band: whose keys these are.
    #[arg(long, value_name = "FILE")]
    policy: PathBuf,
    /// Print what is proven as JSON (docs/report.schema.json).
    #[arg(long)]
    json: bool,
    /// The evidence.
    file: PathBuf,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failed> {
    let policy = files::read_policy(&args.policy)?;
    let bytes = files::read(&args.file, MAX_EVIDENCE_BYTES)?;
    let evidence = Evidence::parse(&bytes).map_err(|error| {
        Failed::new(Exit::CouldNotCheck, format!("{} is not evidence", args.file.display())).because(error)
    })?;
    let proven: Proven = evidence.verify(&policy).map_err(|error| {
        Failed::new(Exit::CouldNotCheck, format!("{} proves nothing", args.file.display()))
            .because(error)
            .hint("make sure that the policy names the log whose head it holds")
    })?;
    if args.json {
        print_line(serde_json::to_string_pretty(&proven).unwrap_or_default())?;
    } else {
        print_line(proven)?;
    }
    Ok(Exit::Misbehaviour)
}
