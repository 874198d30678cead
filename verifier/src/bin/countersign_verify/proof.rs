//! `countersign-verify proof`: one entry and its proof.

use std::path::PathBuf;

use countersign_verifier::program::{Exit, Failed, keyfile, print_line};
use countersign_verifier::proof::{MAX_PROOF_BYTES, TlogProof};
use countersign_verifier::report::{Report, check_proof};
use countersign_verifier::tiles::MAX_ENTRY_BYTES;

use crate::files::{read, read_policy};
use crate::render::{json, text::stages};

/// Check that an entry is in a log whose head your policy accepts.
///
/// Example: countersign-verify proof --policy trust.policy --entry authorization.cose authorization.cose.tlog-proof
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Which logs and witnesses you trust (C2SP tlog-policy), got out of band.
    #[arg(long, value_name = "FILE")]
    policy: PathBuf,
    /// The exact bytes of the entry.
    #[arg(long, value_name = "FILE")]
    entry: PathBuf,
    /// The public key (PEM) that must have signed the statement.
    #[arg(long, value_name = "FILE")]
    issuer_key: Option<PathBuf>,
    /// Print the report as JSON (docs/report.schema.json).
    #[arg(long)]
    json: bool,
    /// The proof (C2SP tlog-proof).
    proof: PathBuf,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failed> {
    let policy = read_policy(&args.policy)?;
    let entry = read(&args.entry, MAX_ENTRY_BYTES)?;
    let proof = TlogProof::parse(&read(&args.proof, MAX_PROOF_BYTES)?).map_err(|error| {
        Failed::new(Exit::CouldNotCheck, format!("{} is not a tlog-proof", args.proof.display()))
            .because(error)
    })?;
    let issuer = args.issuer_key.as_deref().map(keyfile::read_public_key).transpose()?;
    let report = check_proof(&entry, &proof, &policy, issuer.as_ref());
    if args.json {
        print_line(json(&report)?)?;
    } else {
        print(&report)?;
    }
    Ok(if report.holds() { Exit::Holds } else { Exit::Misbehaviour })
}

fn print(report: &Report) -> Result<(), Failed> {
    print_line(format_args!("entry {}", report.entry))?;
    stages(&report.stages)?;
    print_line(if report.holds() {
        "This entry is in the log, under a head that your policy accepts. That the statement in it is true, and that \
         nothing was recorded after it, this does not show."
    } else {
        "This does NOT hold."
    })
}
