//! The commands.

mod backup;
mod bar;
mod clock;
mod fsck;
mod init;
mod restore;
mod serve;
#[cfg_attr(not(feature = "otel"), path = "no_traces.rs")]
mod traces;
mod witnesses;

use clap::{Parser, Subcommand};
use countersign_verifier::program::{self, Exit, Failed};

/// Keeps a transparency log for governed execution: statements in, signed and cosigned heads and proofs out.
#[derive(Debug, Parser)]
#[command(name = "countersign-log", version, after_help = EXAMPLES)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::Init),
    Serve(serve::Serve),
    Fsck(fsck::Fsck),
    Backup(backup::Backup),
    Restore(restore::Restore),
}

const EXAMPLES: &str = "\
Examples:
  countersign-log init --data /var/lib/countersign --origin example.org/log
  countersign-log serve --data /var/lib/countersign --listen 127.0.0.1:8080 --witnesses witnesses.policy
  countersign-log fsck --data /var/lib/countersign
  countersign-log backup --data /var/lib/countersign --to /backup/countersign

Every flag can also stand in a TOML file (--config FILE) or in a variable (COUNTERSIGN_DATA, ...).
Exit codes: 0 done, 1 usage, 2 a file or the network failed, 3 misbehaviour, 4 local state damaged.";

pub(crate) fn main() -> Result<Exit, Failed> {
    match program::parse::<Args>()?.command {
        Command::Init(args) => init::init(&args),
        Command::Serve(args) => serve::serve(args),
        Command::Fsck(args) => fsck::fsck(&args),
        Command::Backup(args) => backup::backup(&args),
        Command::Restore(args) => restore::restore(&args),
    }
}
