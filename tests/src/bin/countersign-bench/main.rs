//! `countersign-bench`: measures the log, and others beside it where they are installed, and prints the table. It is
//! started by `tests/bench/run`, which builds what it needs.

mod grow;
mod output;
mod side_by_side;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use countersign_tests::bench::BenchError;
use countersign_tests::bench::rows;
use countersign_tests::hammer::duration;
use countersign_verifier::program::{self, Exit, Failed};

/// Measures a log with three witnesses, two of which make the quorum, and other logs beside it, in turns.
///
/// Everything runs on this machine, on loopback, and loads and logs share its processors. Give it the machine alone.
#[derive(Parser)]
#[command(
    name = "countersign-bench",
    version,
    after_help = "Examples:\n  \
        tests/bench/run                                    the whole table\n  \
        tests/bench/run --rounds 1 --duration 2s           a first look\n  \
        tests/bench/run --rows single,cosigned --data /dev/shm\n  \
        tests/bench/run --grow 0,1000000,10000000          logs of three sizes side by side\n  \
        tests/bench/run --write docs/PERFORMANCE.md        puts the table there"
)]
struct Args {
    /// How many rounds; figures are medians over them
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// For how long each load goes on
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration::parse)]
    duration: Duration,
    /// Only these rows
    #[arg(long, value_name = "ROW", value_delimiter = ',', value_parser = row)]
    rows: Vec<&'static rows::Row>,
    /// Logs of these sizes, instead of other logs beside ours
    #[arg(long, value_name = "ENTRIES", value_delimiter = ',', conflicts_with = "rows")]
    grow: Vec<u64>,
    /// Where the logs lie while they are measured: a folder on a disk, or on a tmpfs such as /dev/shm
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Tessera's own server, cmd/conformance/posix
    #[arg(long, value_name = "FILE")]
    tessera_conformance: Option<PathBuf>,
    /// The server of tests/bench/tessera
    #[arg(long, value_name = "FILE")]
    tessera_tuned: Option<PathBuf>,
    /// Writes every single run to this file, one JSON document a line
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Puts the tables into this document as well
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
}

fn main() -> ExitCode {
    program::run(|| bench(&program::parse()?))
}

fn bench(args: &Args) -> Result<Exit, Failed> {
    let measured = if args.grow.is_empty() { side_by_side::measure(args) } else { grow::measure(args) };
    measured.map_err(|error| {
        let exit = match error {
            BenchError::Hammer { code: Some(3), .. } => Exit::Misbehaviour,
            _ => Exit::CouldNotCheck,
        };
        Failed::new(exit, "the measurement ended early").because(error)
    })?;
    Ok(Exit::Holds)
}

fn row(text: &str) -> Result<&'static rows::Row, String> {
    rows::named(text).ok_or_else(|| {
        let names: Vec<&str> = rows::ROWS.iter().map(|row| row.name).collect();
        format!("expected one of {}", names.join(", "))
    })
}
