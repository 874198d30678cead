//! The program `countersign-log`: founds a log, and serves it.

use std::process::ExitCode;

mod program;

fn main() -> ExitCode {
    countersign_verifier::program::run(program::main)
}
