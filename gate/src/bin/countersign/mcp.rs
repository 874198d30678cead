//! `countersign mcp`.

use core::time::Duration;
use std::ffi::OsString;
use std::path::PathBuf;

use countersign_gate::clock::Clock;
use countersign_gate::config::Config;
use countersign_gate::lineage::Gate;
use countersign_gate::mcp::{Options, ServeError, serve};
use countersign_gate::report::Reporter;
use countersign_verifier::program::{Exit, Failed};
use countersign_verifier::statement::ExecutionId;

use super::run::{DENIED, NOT_FOUND, failed, not_configured, random_id, resolve};

/// Starts an MCP server, and stands between it and the client on standard input and output: what an MCP client is told
/// to start in place of the server.
///
/// Each call of a tool is held, decided by the list of tools in the configuration, authorized, and passed on only when
/// the authorization is in the log, cosigned, and verified; what came of it is recorded before the client hears of it. A
/// call that is denied gets a result with isError, which says why. Everything else passes unchanged.
///
/// The server finds its standard error passed through, and its exit code is the exit code. 126 says that it could not be
/// started, 127 that there is no such program; what the gate itself says goes to standard error.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The gate's configuration, TOML, with `[[tool]]` and a name for each tool that may be called.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// What the ids of executions begin with, at most 64 of A-Z a-z 0-9 . _ : / -; a random part and the number of the
    /// call follow.
    #[arg(long, value_name = "ID", default_value = "mcp", value_parser = prefix)]
    execution_prefix: String,
    /// Tell the steps as JSON lines, on standard error.
    #[arg(long)]
    json: bool,
    /// The server and its arguments.
    #[arg(value_name = "SERVER", required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    server: Vec<OsString>,
}

const EXAMPLES: &str = r#"Examples:
  countersign mcp --config gate.toml -- mcp-server-files /srv/files
  countersign mcp --config gate.toml --execution-prefix agents/alice -- npx some-mcp-server

In the configuration of an MCP client, in place of the server itself:
  {"mcpServers": {"files": {"command": "/usr/local/bin/countersign",
    "args": ["mcp", "--config", "/etc/countersign/gate.toml", "--", "mcp-server-files", "/srv/files"]}}}

In gate.toml, beside what `run` needs, what may be called; server and arguments may be left out:
  [[tool]]
  name = "read_file"
  server = "mcp-server-files"
  arguments = { path = "/srv/files/plan.txt" }"#;

/// How long a prefix may be, so that every id is one.
const MAX_PREFIX: usize = 64;

fn prefix(text: &str) -> Result<String, String> {
    if text.len() > MAX_PREFIX {
        return Err(format!("it has {} characters: expected at most {MAX_PREFIX}", text.len()));
    }
    text.parse::<ExecutionId>().map(|_| text.to_owned()).map_err(|error| error.to_string())
}

pub(crate) async fn run(args: Args) -> Result<u8, Failed> {
    let config = Config::read_for_tools(&args.config).map_err(|error| not_configured(&args.config, error))?;
    let Some(server) = resolve(&args.server, &config)? else { return Ok(NOT_FOUND) };
    let patience = Duration::from_secs(config.answer_seconds);
    let prefix = format!("{}/{}", args.execution_prefix, random_id()?);
    let gate = Gate::open(config, Clock::system(), Reporter::new(args.json).of_calls()).map_err(failed)?;
    match serve(gate, server, Options { prefix, patience }).await {
        Ok(ended) => Ok(ended.exit_code()),
        Err(ServeError::Gate(error)) => Err(failed(error)),
        Err(ServeError::Execute(error)) => {
            let failed = Failed::new(Exit::CouldNotCheck, "the server was not started").because(error);
            super::submit::say(&format!("{failed}"));
            Ok(DENIED)
        }
    }
}
