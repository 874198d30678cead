//! `countersign`: what an issuer needs. Keys, statements, submission, registration, policies, the decision point, and
//! the enforcement points around a command and before the tools of an MCP server.

mod decide;
mod issuer;
mod keygen;
mod log;
mod mcp;
mod policy;
mod run;
mod sign;
mod submit;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use countersign_verifier::program::{self, Exit, Failed};

/// The issuers' side of a Countersign transparency log.
#[derive(Parser)]
#[command(name = "countersign", version, arg_required_else_help = true, after_help = EXAMPLES)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  countersign keygen --out alice.pem
  countersign issuer add --log http://127.0.0.1:8080 --operator-key operator.pem \\
      --name alice --public-key alice.pub --roles requester
  countersign sign --key alice.pem --kind intent --iss alice --execution run-1 --payload intent.json --out intent.cose
  countersign submit --log http://127.0.0.1:8080 --policy trust.policy intent.cose
  countersign decide --config decide.toml --listen 127.0.0.1:8082
  countersign run --config gate.toml -- git log --oneline -3
  countersign mcp --config gate.toml -- mcp-server-files /srv/files

Exit codes: 0 done, 1 usage, 2 could not be done, 3 the log's proof does not hold, 4 local records damaged.
`run` ends with the exit code of its command, with 126 when the command did not run, or with 127 when there is no such command;
`mcp` with that of its server, with 126 when the server could not be started, or with 127 when there is no such server.";

#[derive(Subcommand)]
enum Command {
    /// Make a key pair: NAME.pem, the owner's alone, and NAME.pub.
    Keygen(keygen::Args),
    /// Make a statement and sign it.
    Sign(sign::Args),
    /// Submit statements, and keep the proofs.
    Submit(submit::Args),
    /// Register or revoke the key of an issuer.
    #[command(subcommand)]
    Issuer(issuer::Command),
    /// Publish policies.
    #[command(subcommand)]
    Policy(policy::Command),
    /// Serve the decision point, which answers whether something may be done and puts that on record.
    Decide(decide::Args),
    /// Run a command if it is authorized, and record what became of it.
    Run(run::Args),
    /// Stand between an MCP client and an MCP server, and pass on the calls of tools that are authorized.
    Mcp(mcp::Args),
}

fn main() -> ExitCode {
    let mut of_command = None;
    let exit = program::run(|| {
        let args: Args = program::parse()?;
        match args.command {
            Command::Keygen(args) => keygen::run(&args),
            Command::Sign(args) => sign::run(&args),
            Command::Submit(args) => block_on(submit::run(args)),
            Command::Issuer(command) => block_on(issuer::run(command)),
            Command::Policy(policy::Command::Publish(args)) => block_on(policy::publish(args)),
            Command::Decide(args) => decide::run(&args),
            Command::Run(args) => {
                of_command = Some(block_on(run::run(args))?);
                Ok(Exit::Holds)
            }
            Command::Mcp(args) => {
                of_command = Some(block_on(mcp::run(args))?);
                Ok(Exit::Holds)
            }
        }
    });
    of_command.map_or(exit, ExitCode::from)
}

fn block_on<T>(work: impl Future<Output = Result<T, Failed>>) -> Result<T, Failed> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failed::new(Exit::CouldNotCheck, "the program cannot begin").because(error))?
        .block_on(work)
}
