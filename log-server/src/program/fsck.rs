//! `countersign-log fsck`.

use std::path::PathBuf;

use clap::Args;
use countersign_log::fsck::{self, Options, Report};
use countersign_log::log::OpenError;
use countersign_log::snapshot::Still;
use countersign_log::store::RocksStore;
use countersign_verifier::note::VerifierKey;
use countersign_verifier::program::{Exit, Failed, print_line};

use super::bar::Bar;
use super::{backup, witnesses};

/// Checks every byte of a log's data, and says exactly what is wrong where
///
/// Hashes every entry and every tile up to the signed root, checks every signature, admits every statement again, and
/// compares every row of every index, in both directions. Nothing is changed. Of a log that is served, a snapshot is checked.
///
/// Exit codes: 0 all holds, 2 it could not be read, 3 a signed head contradicts the data, or covers what the rules do not
/// admit, 4 the data is damaged.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Fsck {
    /// The log's data folder, or a backup of it.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The log's verifier key, where there is no log.key in the folder.
    #[arg(long, value_name = "VKEY")]
    vkey: Option<VerifierKey>,
    /// A tlog-policy file: whose cosignatures the published head must have.
    #[arg(long, value_name = "FILE")]
    witnesses: Option<PathBuf>,
    /// How many findings are listed. All of them count.
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: usize,
    /// Report in JSON.
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  countersign-log fsck --data /var/lib/countersign --witnesses witnesses.policy
  countersign-log fsck --data /backup/countersign --json";

pub(super) fn fsck(args: &Fsck) -> Result<Exit, Failed> {
    let policy = args.witnesses.as_deref().map(|path| witnesses::read(Some(path))).transpose()?;
    let key = args.vkey.clone().map_or_else(|| backup::key(&args.data), |key| Ok(Some(key)))?;
    let options = Options { key, policy, limit: args.limit };
    let still = Still::of(&args.data)?;
    let store = RocksStore::open_read_only(&still.database()).map_err(OpenError::from)?;
    let bar = Bar::of("entries");
    let report = fsck::check(still.folder(), &store, &options, &bar).map_err(|error| {
        Failed::new(Exit::CouldNotCheck, "the data cannot be read")
            .because(error)
            .hint("look at the disk: is it failing, and may this user read the folder")
    })?;
    drop(bar);
    if args.json {
        let json = serde_json::to_string(&report).map_err(|error| {
            Failed::new(Exit::CouldNotCheck, "the report cannot be written").because(error)
        })?;
        print_line(json)?;
    } else {
        print(&report)?;
    }
    Ok(report.exit())
}

fn print(report: &Report) -> Result<(), Failed> {
    let Report { origin, size, root, tiles, index_rows, findings, more, not_checked, .. } = report;
    let holds = if findings.is_empty() { "holds" } else { "does not hold" };
    print_line(format_args!(
        "{origin}: {holds} ({size} entries, {tiles} full tiles, {index_rows} rows of indexes, root {root})"
    ))?;
    for finding in findings {
        print_line(format_args!("\n{finding}\n    to do: {}", finding.remedy))?;
    }
    if *more > 0 {
        print_line(format_args!("\nand {more} more findings; --limit lists more of them"))?;
    }
    not_checked.iter().try_for_each(|what| print_line(format_args!("\nnot checked: {what}")))
}
