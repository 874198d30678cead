//! `countersign run`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use countersign_gate::clock::Clock;
use countersign_gate::config::{Config, ConfigError};
use countersign_gate::exact::{ExactCommand, ResolveError};
use countersign_gate::issuer::{IssueError, random};
use countersign_gate::lineage::{Gate, GateError, Verdict};
use countersign_gate::report::Reporter;
use countersign_gate::state::StateError;
use countersign_verifier::program::{Exit, Failed};
use countersign_verifier::statement::ExecutionId;

/// Asks for the command, has it decided by the allow list and authorized, waits until the authorization is in the log
/// and cosigned, verifies that, and only then runs the command; then records what became of it.
///
/// The command's standard streams are passed through, and its exit code is the exit code. 126 says that the command
/// did not run, 127 that there is no such program; what the gate itself says goes to standard error.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The gate's configuration, TOML.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// The id of the execution, 1 to 128 of A-Z a-z 0-9 . _ : / - [default: a random one].
    #[arg(long, value_name = "ID")]
    execution: Option<ExecutionId>,
    /// Tell the steps as JSON lines, on standard error.
    #[arg(long)]
    json: bool,
    /// The program and its arguments.
    #[arg(value_name = "COMMAND", required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<OsString>,
}

/// The command did not run.
pub(crate) const DENIED: u8 = 126;
/// There is no such command.
pub(crate) const NOT_FOUND: u8 = 127;

pub(crate) async fn run(args: Args) -> Result<u8, Failed> {
    let config = Config::read(&args.config).map_err(|error| not_configured(&args.config, error))?;
    let Some(command) = resolve(&args.command, &config)? else { return Ok(NOT_FOUND) };
    let execution = match args.execution {
        Some(execution) => execution,
        None => format!("run-{}", random_id()?).parse().map_err(|error| no_id().because(error))?,
    };
    let gate = Gate::open(config, Clock::system(), Reporter::new(args.json)).map_err(failed)?;
    gate.recover().await.map_err(failed)?;
    match gate.run(&execution, command).await.map_err(failed)? {
        Verdict::Ran(ended) => Ok(ended.exit_code()),
        Verdict::Denied(_) => Ok(DENIED),
    }
}

/// The configuration cannot be used.
pub(crate) fn not_configured(path: &Path, error: ConfigError) -> Failed {
    Failed::new(Exit::Usage, format!("the configuration {} cannot be used", path.display())).because(error)
}

/// Exactly the command of these words, in the folder of this process; `None`, told, when there is no such program.
pub(crate) fn resolve(words: &[OsString], config: &Config) -> Result<Option<ExactCommand>, Failed> {
    let folder = std::env::current_dir().map_err(|error| {
        Failed::new(Exit::CouldNotCheck, "the folder to run in cannot be told").because(error)
    })?;
    match ExactCommand::resolve(words, &folder, &config.search) {
        Ok(command) => Ok(Some(command)),
        Err(error @ (ResolveError::NotFound(_) | ResolveError::NotOnSearchPath { .. })) => {
            super::submit::say(&format!("error: {error}; nothing was asked and nothing ran"));
            Ok(None)
        }
        Err(error) => Err(Failed::new(Exit::Usage, "the command cannot be stated").because(error)),
    }
}

/// As many random bytes as no two executions have, in hexadecimal digits.
pub(crate) fn random_id() -> Result<String, Failed> {
    let random: [u8; 16] = random().map_err(|error: IssueError| no_id().because(error))?;
    Ok(hex::encode(random))
}

fn no_id() -> Failed {
    Failed::new(Exit::CouldNotCheck, "no execution id can be made")
}

/// The gate cannot begin.
pub(crate) fn failed(error: GateError) -> Failed {
    let (exit, hint) = match &error {
        GateError::State(StateError::Damaged { .. }) => (
            Exit::StateDamaged,
            Some(
                "nothing runs until the damaged file is moved away; what it records may be missing in the log",
            ),
        ),
        GateError::State(StateError::InUse(_)) => {
            (Exit::CouldNotCheck, Some("choose another --execution id"))
        }
        GateError::Policies(_) => {
            (Exit::Usage, Some("write the rule of the allow list as Cedar can read it, or leave it out"))
        }
        GateError::State(_) | GateError::Used(_) | GateError::Client(_) => (Exit::CouldNotCheck, None),
    };
    let failed = Failed::new(exit, "nothing ran").because(error);
    match hint {
        Some(hint) => failed.hint(hint),
        None => failed,
    }
}
