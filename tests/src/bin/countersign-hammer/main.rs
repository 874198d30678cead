//! `countersign-hammer`: load and truth. It measures how fast a log takes statements, then reads everything back and
//! fails on the first entry that is lost, moved or changed.

mod measure;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{ArgGroup, Parser};
use countersign_tests::client::Address;
use countersign_tests::hammer::duration;
use countersign_tests::hammer::load::{Plan, Wait};
use countersign_tests::hammer::processes::Watched;
use countersign_tests::hammer::protocol::Protocol;
use countersign_tests::hammer::reads::ReadPlan;
use countersign_tests::statements::Issuer;
use countersign_verifier::program::{self, Exit, Failed, keyfile};
use countersign_verifier::quorum::Policy;
use countersign_verifier::statement::IssuerName;

/// Statements are dated, and a log takes those of the last five minutes only.
const LONGEST: Duration = Duration::from_mins(4);
/// Enough that the log is never without work, and fewer than it lets in.
const CONNECTIONS_AT_RATE: usize = 384;

/// Submits statements to a log, measures, then reads back and verifies everything that was acknowledged.
///
/// With --rate, requests are due at fixed moments, and the time of an answer counts from then, however late a busy
/// client or server was (open loop). With --connections alone, each connection sends its next statement when the
/// last is answered (closed loop). The keys have to be registered with the role requester.
///
/// Statements are signed beforehand, and answers are checked afterwards: while the load goes on this program only sends
/// and receives. Then every acknowledged entry is read back.
#[derive(Parser)]
#[command(
    name = "countersign-hammer",
    version,
    group = ArgGroup::new("pace").required(true).multiple(true).args(["rate", "connections"]),
    after_help = "Examples:\n  \
        countersign-hammer --log http://127.0.0.1:8080 --key hammer.pem --rate 1000 --duration 30s --policy policy\n  \
        countersign-hammer --log http://127.0.0.1:8080 --key hammer.pem --connections 256 --wait sequenced\n  \
        countersign-hammer --log http://127.0.0.1:8080 --key hammer.pem --connections 4 --batch 1024\n  \
        countersign-hammer --log http://127.0.0.1:8080 --key a.pem --iss a --key b.pem --iss b --rate 2000\n  \
        countersign-hammer --log http://127.0.0.1:8080 --read /checkpoint --connections 64\n\n\
        Exit codes: 0 all is there, 1 usage, 2 could not check, 3 something is lost, moved or changed."
)]
struct Args {
    /// Where the log answers, by plain HTTP
    #[arg(long, value_name = "URL")]
    log: Address,
    /// What the log understands
    #[arg(long, value_enum, default_value = "countersign")]
    protocol: Protocol,
    /// An issuer's private key, as `countersign keygen` writes it; several issuers take turns
    #[arg(long, value_name = "FILE", required_unless_present = "read")]
    key: Vec<PathBuf>,
    /// The name under which the key is registered; with several keys, one for each, in their order
    #[arg(long, value_name = "NAME", default_value = "hammer")]
    iss: Vec<IssuerName>,
    /// Statements due each second
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    rate: Option<u32>,
    /// Connections; with --rate, how many requests can be under way at once
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=4096))]
    connections: Option<u32>,
    /// For how long, at most 4m
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration::parse)]
    duration: Duration,
    /// Submits nothing: reads this path again and again, and checks only that it keeps its length
    #[arg(long, value_name = "PATH", requires = "connections", conflicts_with_all = ["rate", "batch", "key"])]
    read: Option<String>,
    /// Statements in one request, which goes to /entries/batch
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1024))]
    batch: Option<u64>,
    /// What each request waits for
    #[arg(long, value_enum, default_value = "cosigned")]
    wait: Wait,
    /// A tlog-policy: checks the signatures on every head
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Bytes of each statement
    #[arg(long, value_name = "N", default_value_t = 1024)]
    entry_bytes: usize,
    /// How many statements to sign beforehand; needed only where connections could use up more
    #[arg(long, value_name = "N")]
    statements: Option<u64>,
    /// By how much to stand back behind all others who want a processor, as a niceness
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(i32).range(0..=19))]
    niceness: i32,
    /// A folder on the log's disk, in which to time synced writes
    #[arg(long, value_name = "DIR")]
    data_probe: Option<PathBuf>,
    /// Says also what these processes cost, such as log=4711 or witnesses=4712,4713
    #[arg(long, value_name = "NAME=PIDS")]
    process: Vec<Watched>,
    /// Prints the figures as JSON, times in microseconds
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    program::run(|| hammer(&program::parse()?))
}

fn hammer(args: &Args) -> Result<Exit, Failed> {
    rustix::process::nice(args.niceness)
        .map_err(|error| Failed::new(Exit::CouldNotCheck, "the niceness cannot be set").because(error))?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failed::new(Exit::CouldNotCheck, "the runtime does not start").because(error))?;
    let connections = args.connections.map_or(CONNECTIONS_AT_RATE, |count| count as usize);
    if let Some(path) = &args.read {
        let (log, path) = (args.log.clone(), path.clone());
        return runtime
            .block_on(measure::reads(args, ReadPlan { log, path, connections, duration: args.duration }));
    }
    if args.duration > LONGEST || args.duration.is_zero() {
        return Err(Failed::new(Exit::Usage, "the duration has to be above 0 and at most 4m").hint(
            "statements are dated when they are signed, and a log takes those of the last 5 minutes only",
        ));
    }
    if args.protocol == Protocol::Tessera && args.batch.is_some() {
        return Err(Failed::new(Exit::Usage, "--protocol tessera has no batches: leave --batch out"));
    }
    let policy = args.policy.as_deref().map(read_policy).transpose()?;
    let plan = Plan {
        log: args.log.clone(),
        protocol: args.protocol,
        wait: args.wait,
        rate: args.rate.map(f64::from),
        connections,
        batch: args.batch,
        duration: args.duration,
    };
    let prepared = measure::prepare(args, &plan, &issuers(args)?)?;
    runtime.block_on(measure::load(args, plan, policy.as_ref(), prepared))
}

fn issuers(args: &Args) -> Result<Vec<Issuer>, Failed> {
    if args.key.len() != args.iss.len() {
        return Err(Failed::new(
            Exit::Usage,
            format!("{} keys and {} names were given", args.key.len(), args.iss.len()),
        )
        .hint("give --iss once for each --key, in the same order"));
    }
    let pairs = args.key.iter().zip(&args.iss);
    pairs.map(|(key, name)| Ok(Issuer::new(name.clone(), keyfile::read_signing_key(key)?))).collect()
}

fn read_policy(path: &std::path::Path) -> Result<Policy, Failed> {
    let failed =
        || Failed::new(Exit::CouldNotCheck, format!("{} cannot be used as a policy", path.display()));
    let bytes = std::fs::read(path).map_err(|error| failed().because(error))?;
    Policy::parse(&bytes).map_err(|error| failed().because(error))
}
