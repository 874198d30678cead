//! What a server says while it runs, on standard error.

use std::io::IsTerminal as _;

use clap::ValueEnum;
use countersign_verifier::program::{Exit, Failed};
use tracing_subscriber::layer::{Layer, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Registry};

/// For whom log lines are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For programs: one JSON object a line.
    Json,
}

/// Somebody else who hears of everything that is logged.
pub type Listener = Box<dyn Layer<Registry> + Send + Sync>;

/// Starts writing. `RUST_LOG` says how much: `info` unless it is set.
pub fn start(format: LogFormat, listener: Option<Listener>) -> Result<(), Failed> {
    let filter = match std::env::var("RUST_LOG") {
        Ok(directives) => EnvFilter::try_new(&directives).map_err(|error| {
            Failed::new(Exit::Usage, "RUST_LOG cannot be read").because(error).hint("try RUST_LOG=debug")
        })?,
        Err(_) => EnvFilter::new("info"),
    };
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let subscriber = tracing_subscriber::registry().with(listener).with(filter);
    let started = match format {
        LogFormat::Text => subscriber.with(lines.with_ansi(std::io::stderr().is_terminal())).try_init(),
        LogFormat::Json => subscriber.with(lines.json().flatten_event(true).with_span_list(false)).try_init(),
    };
    started.map_err(|error| Failed::new(Exit::CouldNotCheck, "nothing can be logged").because(error))
}
