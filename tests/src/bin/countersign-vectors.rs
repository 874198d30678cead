//! `countersign-vectors`: writes the shared vectors, the same bytes whenever it runs.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use countersign_tests::vectors;
use countersign_verifier::program::{self, Exit, Failed, print_line};

/// Write the shared vectors.
///
/// Example: countersign-vectors tests/vectors
#[derive(Parser)]
#[command(name = "countersign-vectors", version)]
struct Args {
    /// The folder that the files are written to.
    folder: PathBuf,
}

fn main() -> ExitCode {
    program::run(|| write(&program::parse()?))
}

fn write(args: &Args) -> Result<Exit, Failed> {
    for file in vectors::files() {
        let path = args.folder.join(file.name).with_extension("json");
        std::fs::write(&path, file.to_json()).map_err(|error| {
            Failed::new(Exit::CouldNotCheck, format!("cannot write {}", path.display())).because(error)
        })?;
        print_line(format_args!("{}: {} cases", path.display(), file.cases.len()))?;
    }
    Ok(Exit::Holds)
}
