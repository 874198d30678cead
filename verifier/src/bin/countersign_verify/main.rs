//! `countersign-verify`: the auditor's program. It needs a file, a policy and nobody's word.

mod bundle;
mod evidence;
mod files;
mod kept;
mod log;
mod monitor;
mod proof;
mod render;
mod source;

use std::process::ExitCode;

use clap::Parser;
use countersign_verifier::program;

/// Check what a Countersign log has recorded, trusting only the policy that you bring.
///
/// Exit codes: 0 it holds; 1 wrong command line; 2 it could not be checked (a file or the network failed, or something is
/// missing that would decide it); 3 it does not hold, or evidence proves misbehaviour; 4 local state is damaged.
#[derive(Parser)]
#[command(
    name = "countersign-verify",
    version,
    after_help = "Examples:\n  \
        countersign-verify proof --policy trust.policy --entry one.cose one.cose.tlog-proof\n  \
        countersign-verify bundle --policy trust.policy deploy.bundle\n  \
        countersign-verify log --policy trust.policy https://log.example/"
)]
enum Args {
    Proof(proof::Args),
    Bundle(bundle::Args),
    Log(log::Args),
    Monitor(monitor::Args),
    Evidence(evidence::Args),
}

fn main() -> ExitCode {
    program::run(|| match program::parse()? {
        Args::Proof(args) => proof::run(&args),
        Args::Bundle(args) => bundle::run(&args),
        Args::Log(args) => log::run(&args),
        Args::Monitor(args) => monitor::run(&args),
        Args::Evidence(args) => evidence::run(&args),
    })
}
