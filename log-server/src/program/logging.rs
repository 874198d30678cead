//! What the server says while it runs, on standard error.

use std::io::IsTerminal as _;

use clap::ValueEnum;
use countersign_verifier::program::{Exit, Failed};
use tracing_subscriber::EnvFilter;

/// For whom log lines are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormat {
    /// For people.
    Text,
    /// For programs: one JSON object a line.
    Json,
}

/// Starts writing. `RUST_LOG` says how much: `info` unless it is set.
pub(super) fn start(format: LogFormat) -> Result<(), Failed> {
    let filter = match std::env::var("RUST_LOG") {
        Ok(directives) => EnvFilter::try_new(&directives).map_err(|error| {
            Failed::new(Exit::Usage, "RUST_LOG cannot be read").because(error).hint("try RUST_LOG=debug")
        })?,
        Err(_) => EnvFilter::new("info"),
    };
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match format {
        LogFormat::Text => lines.with_ansi(std::io::stderr().is_terminal()).try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
    started.map_err(|error| Failed::new(Exit::CouldNotCheck, "nothing can be logged").because(error))
}
