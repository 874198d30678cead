//! `countersign-verify proof`: one entry and its proof.

use std::fs::File;
use std::io::{IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};

use countersign_verifier::program::{Exit, Failed, keyfile, print_line};
use countersign_verifier::proof::{MAX_PROOF_BYTES, TlogProof};
use countersign_verifier::quorum::Policy;
use countersign_verifier::report::{Finding, Report, check_proof};
use countersign_verifier::tiles::MAX_ENTRY_BYTES;

/// The largest policy that is read.
const MAX_POLICY_BYTES: usize = 1 << 20;

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
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
    /// The proof (C2SP tlog-proof).
    proof: PathBuf,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failed> {
    let policy = Policy::parse(&read(&args.policy, MAX_POLICY_BYTES)?).map_err(|error| {
        Failed::new(Exit::CouldNotCheck, format!("{} is not a tlog-policy", args.policy.display()))
            .because(error)
    })?;
    let entry = read(&args.entry, MAX_ENTRY_BYTES)?;
    let proof = TlogProof::parse(&read(&args.proof, MAX_PROOF_BYTES)?).map_err(|error| {
        Failed::new(Exit::CouldNotCheck, format!("{} is not a tlog-proof", args.proof.display()))
            .because(error)
    })?;
    let issuer = args.issuer_key.as_deref().map(keyfile::read_public_key).transpose()?;
    let report = check_proof(&entry, &proof, &policy, issuer.as_ref());
    if args.json {
        let json = serde_json::to_string_pretty(&report).map_err(|error| {
            Failed::new(Exit::CouldNotCheck, "the report cannot be written").because(error)
        })?;
        print_line(json)?;
    } else {
        print(&report)?;
    }
    Ok(if report.holds() { Exit::Holds } else { Exit::Misbehaviour })
}

fn print(report: &Report) -> Result<(), Failed> {
    let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    print_line(format_args!("entry {}", report.entry))?;
    for line in &report.stages {
        let (word, code, reason) = match &line.finding {
            Finding::Pass(reason) => ("pass", "32", reason),
            Finding::Fail(reason) => ("FAIL", "31", reason),
            Finding::NotChecked(reason) => ("not checked", "2", reason),
        };
        let word = format!("{word:<11}");
        let word = if colour { format!("\u{1b}[{code}m{word}\u{1b}[0m") } else { word };
        print_line(format_args!("  {word}  {:<20}  {reason}", line.stage.to_string()))?;
    }
    print_line(if report.holds() {
        "This entry is in the log, under a head that your policy accepts. That the statement in it is true, and that \
         nothing was recorded after it, this does not show."
    } else {
        "This does NOT hold."
    })
}

fn read(path: &Path, limit: usize) -> Result<Vec<u8>, Failed> {
    let failed = || Failed::new(Exit::CouldNotCheck, format!("cannot read {}", path.display()));
    let mut bytes = Vec::new();
    let limit = u64::try_from(limit).unwrap_or(u64::MAX);
    File::open(path)
        .and_then(|file| file.take(limit.saturating_add(1)).read_to_end(&mut bytes))
        .map_err(|error| failed().because(error))?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > limit {
        return Err(
            failed().because(format!("it is larger than the {limit} bytes that such a file can have"))
        );
    }
    Ok(bytes)
}
