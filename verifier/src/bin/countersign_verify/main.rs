//! `countersign-verify`: the auditor's program. It needs a file, a policy and nobody's word.

mod bundle;
mod files;
mod proof;
mod render;

use std::process::ExitCode;

use clap::Parser;
use countersign_verifier::program;

/// Check what a Countersign log has recorded, offline, trusting only the policy that you bring.
///
/// Exit codes: 0 it holds; 1 wrong command line; 2 it could not be checked (a file could not be read, or something is
/// missing that would decide it); 3 it does not hold; 4 local state is damaged.
#[derive(Parser)]
#[command(name = "countersign-verify", version)]
enum Args {
    Proof(proof::Args),
    Bundle(bundle::Args),
}

fn main() -> ExitCode {
    program::run(|| match program::parse()? {
        Args::Proof(args) => proof::run(&args),
        Args::Bundle(args) => bundle::run(&args),
    })
}
