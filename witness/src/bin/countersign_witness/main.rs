//! `countersign-witness`: sets up a witness, tells it which logs to watch, and serves it.

mod add_log;
mod init;
mod recover;
mod serve;
mod status;

use std::io::ErrorKind::NotFound;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser};
use countersign_verifier::program::keyfile::KeyFileError;
use countersign_verifier::program::{self, Exit, Failed};
use countersign_witness::Folder;
use countersign_witness::folder::FolderError;
use countersign_witness::ledger::{HighWaterError, LedgerError};
use countersign_witness::witness::StartError;

/// A witness of transparency logs: it cosigns heads that are consistent with all that it cosigned before.
#[derive(Debug, Parser)]
#[command(name = "countersign-witness", version, after_help = EXAMPLES)]
enum Command {
    /// Make a key and an empty data folder, and print the vkey.
    Init(init::Init),
    /// Watch a log, or all logs of a list. Works while the witness serves.
    AddLog(add_log::AddLog),
    /// Serve the witness.
    Serve(serve::Serve),
    /// Say which logs are watched and where each stands. Works while the witness serves.
    Status(status::Status),
    /// Mend a data folder whose database and high-water mark have come apart.
    Recover(recover::Recover),
}

const EXAMPLES: &str = "\
Examples:
  countersign-witness init --data /var/lib/witness --name witness.example/w1
  countersign-witness add-log --data /var/lib/witness --vkey log.example/a+1be73579+AYqI...
  countersign-witness add-log --data /var/lib/witness --list https://staging.witness-network.org/log-list-10qps-4klogs.1
  countersign-witness serve --data /var/lib/witness --listen 127.0.0.1:8081
  countersign-witness status --data /var/lib/witness --json

Exit codes: 0 done, 1 wrong command line, 2 a file or the network failed, 4 the data folder is damaged.";

/// Where the witness lies.
#[derive(Debug, Args)]
struct Data {
    /// The data folder
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The high-water mark, best on another disk than the data folder [default: DIR/high-water]
    #[arg(long, value_name = "FILE")]
    high_water: Option<PathBuf>,
}

impl Data {
    fn folder(&self) -> Folder {
        Folder::new(&self.data, self.high_water.clone())
    }
}

fn main() -> ExitCode {
    program::run(|| match program::parse::<Command>()? {
        Command::Init(command) => command.run(),
        Command::AddLog(command) => command.run(),
        Command::Serve(command) => command.run(),
        Command::Status(command) => command.run(),
        Command::Recover(command) => command.run(),
    })
}

/// How a program ends that could not take a data folder into use.
fn failed(error: StartError) -> Failed {
    let (exit, hint) = match &error {
        StartError::Ledger(LedgerError::HighWater(HighWaterError::Missing(_))) => {
            (Exit::StateDamaged, Some(MISSING))
        }
        StartError::Ledger(LedgerError::HighWater(HighWaterError::Damaged { .. })) => {
            (Exit::StateDamaged, Some(NO_MARK))
        }
        StartError::Ledger(LedgerError::Store(error)) if error.is_damage() => {
            (Exit::StateDamaged, Some(NO_DATABASE))
        }
        StartError::Ledger(error) if error.is_damage() => (Exit::StateDamaged, None),
        StartError::Folder(FolderError::InUse(_))
        | StartError::Ledger(LedgerError::HighWater(HighWaterError::InUse(_))) => {
            (Exit::CouldNotCheck, Some("only one process may use a witness's data; end the other one first"))
        }
        StartError::Folder(FolderError::Key(KeyFileError::Io { source, .. }))
            if source.kind() == NotFound =>
        {
            (Exit::CouldNotCheck, Some("countersign-witness init --data DIR --name NAME makes a key"))
        }
        _ => (Exit::CouldNotCheck, None),
    };
    let failed = Failed::new(exit, "the data folder cannot be used").because(error);
    match hint {
        Some(hint) => failed.hint(hint),
        None => failed,
    }
}

const MISSING: &str = "if the file was moved, name its place with --high-water; if it is lost and the database is the newest there \
    ever was, countersign-witness recover --data DIR --from database writes it anew";
const NO_MARK: &str = "if the database is the newest there ever was, countersign-witness recover --data DIR --from database writes \
    the high-water mark anew; if in doubt, make a new witness with a new key";
const NO_DATABASE: &str = "move the folder db aside; countersign-witness recover --data DIR --from high-water makes a new database from \
    the high-water mark, which knows all that was cosigned";
