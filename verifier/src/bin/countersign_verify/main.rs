//! `countersign-verify`: the auditor's program. It needs a file, a policy and nobody's word.

mod proof;

use std::process::ExitCode;

use clap::Parser;
use countersign_verifier::program;

/// Check what a Countersign log has recorded, offline, trusting only the policy that you bring.
///
/// Exit codes: 0 it holds; 1 wrong command line; 2 it could not be checked (a file could not be read);
/// 3 it does not hold; 4 local state is damaged.
#[derive(Parser)]
#[command(name = "countersign-verify", version)]
enum Args {
    Proof(proof::Args),
}

fn main() -> ExitCode {
    program::run(|| match program::parse()? {
        Args::Proof(args) => proof::run(&args),
    })
}
