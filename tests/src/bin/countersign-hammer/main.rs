//! `countersign-hammer`: load and truth. It measures how fast a log takes statements, then reads everything back and
//! fails on the first entry that is lost, moved or changed.

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{ArgGroup, Parser};
use countersign_tests::client::{Address, Client};
use countersign_tests::hammer::load::{Plan, Wait};
use countersign_tests::hammer::report::Report;
use countersign_tests::hammer::{Prepared, duration, load, probe, truth};
use countersign_tests::statements::Issuer;
use countersign_verifier::program::{self, Exit, Failed, keyfile, print_line};
use countersign_verifier::quorum::Policy;
use countersign_verifier::statement::IssuerName;
use indicatif::{ProgressBar, ProgressStyle};

/// How many statements a second are prepared for connections that go as fast as they can, one by one and in batches.
const AT_MOST_SINGLE: u64 = 20_000;
const AT_MOST_BATCH: u64 = 60_000;
/// Statements are dated, and a log takes those of the last five minutes only.
const LONGEST: Duration = Duration::from_mins(4);
/// Enough that the log is never without work, and fewer than it lets in.
const CONNECTIONS_AT_RATE: usize = 384;

/// Submits statements to a log, measures, then reads back and verifies everything that was acknowledged.
///
/// With --rate, requests are due at fixed moments, and the time of an answer counts from then, however late a busy
/// client or server was (open loop). With --connections alone, each connection sends its next statement when the
/// last is answered (closed loop). The key has to be registered with the role requester.
#[derive(Parser)]
#[command(
    name = "countersign-hammer",
    version,
    group = ArgGroup::new("pace").required(true).multiple(true).args(["rate", "connections"]),
    after_help = "Examples:\n  \
        countersign-hammer --log http://127.0.0.1:8080 --key hammer.pem --rate 1000 --duration 30s --policy policy\n  \
        countersign-hammer --log http://127.0.0.1:8080 --key hammer.pem --connections 256 --wait sequenced\n  \
        countersign-hammer --log http://127.0.0.1:8080 --key hammer.pem --connections 4 --batch 1024\n\n\
        Exit codes: 0 all is there, 1 usage, 2 could not check, 3 something is lost, moved or changed."
)]
struct Args {
    /// Where the log answers, by plain HTTP
    #[arg(long, value_name = "URL")]
    log: Address,
    /// The issuer's private key, as `countersign keygen` writes it
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The name under which the key is registered
    #[arg(long, value_name = "NAME", default_value = "hammer")]
    iss: IssuerName,
    /// Statements due each second
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    rate: Option<u32>,
    /// Connections; with --rate, how many requests can be under way at once
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=4096))]
    connections: Option<u32>,
    /// For how long, at most 4m
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration::parse)]
    duration: Duration,
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
    /// A folder on the log's disk, in which to time synced writes
    #[arg(long, value_name = "DIR")]
    data_probe: Option<PathBuf>,
    /// Prints the figures as JSON, times in microseconds
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    program::run(|| hammer(&program::parse()?))
}

fn hammer(args: &Args) -> Result<Exit, Failed> {
    if args.duration > LONGEST || args.duration.is_zero() {
        return Err(Failed::new(Exit::Usage, "the duration has to be above 0 and at most 4m").hint(
            "statements are dated when they are signed, and a log takes those of the last 5 minutes only",
        ));
    }
    let policy = args.policy.as_deref().map(read_policy).transpose()?;
    let issuer = Issuer::new(args.iss.clone(), keyfile::read_signing_key(&args.key)?);
    let plan = Plan {
        log: args.log.clone(),
        wait: args.wait,
        rate: args.rate.map(f64::from),
        connections: args.connections.map_or(CONNECTIONS_AT_RATE, |count| count as usize),
        batch: args.batch,
        duration: args.duration,
    };
    let prepared = Arc::new(prepare(args, &plan, &issuer)?);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failed::new(Exit::CouldNotCheck, "the runtime does not start").because(error))?;
    runtime.block_on(measure(args, plan, policy.as_ref(), prepared))
}

async fn measure(
    args: &Args,
    plan: Plan,
    policy: Option<&Policy>,
    prepared: Arc<Prepared>,
) -> Result<Exit, Failed> {
    let mut client = Client::new(plan.log.clone());
    let before = truth::published(&mut client, policy).await.map_err(failed)?;
    let fsync_before = fsync(args)?;
    let spinner = spinner(format!("sending to {} for {:?}", plan.log, plan.duration));
    let cpu_before = probe::own_cpu_time();
    let (tally, took) = load::run(plan, Arc::clone(&prepared)).await;
    let own_cpu = probe::own_cpu_time().saturating_sub(cpu_before);
    spinner.finish_and_clear();
    let fsync_after = fsync(args)?;
    if let Some((number, wrong)) = tally.wrong {
        return Err(
            Failed::new(Exit::Misbehaviour, format!("statement {number}: a false answer")).because(wrong)
        );
    }
    if tally.acknowledged.is_empty() {
        let seen = format!(
            "statuses {:?}, refusals {:?}, no answer {:?}",
            tally.statuses, tally.codes, tally.silences
        );
        return Err(Failed::new(Exit::CouldNotCheck, format!("nothing was acknowledged: {seen}"))
            .hint("the key has to be registered under the name of --iss with the role requester: countersign issuer add"));
    }
    let spinner = self::spinner("reading back".to_owned());
    let truth =
        truth::check(&mut client, policy, args.wait, before, &prepared, &tally).await.map_err(failed)?;
    spinner.finish_and_clear();
    let report = Report::new(&tally, took, own_cpu, [fsync_before, fsync_after], &truth);
    if args.json {
        let json = serde_json::to_string_pretty(&report);
        print_line(json.map_err(|error| {
            Failed::new(Exit::CouldNotCheck, "the figures cannot be written").because(error)
        })?)?;
    } else {
        print_line(&report)?;
    }
    Ok(Exit::Holds)
}

fn prepare(args: &Args, plan: &Plan, issuer: &Issuer) -> Result<Prepared, Failed> {
    let per_second = match (args.rate, args.batch) {
        (Some(rate), _) => u64::from(rate),
        (None, Some(_)) => AT_MOST_BATCH,
        (None, None) => AT_MOST_SINGLE,
    };
    let seconds = args.duration.as_secs().max(1);
    let count = plan.due().or(args.statements).unwrap_or_else(|| per_second.saturating_mul(seconds));
    let bar = ProgressBar::new(count).with_message("signing");
    if let Ok(style) = ProgressStyle::with_template("{msg} {bar:40} {human_pos} of {human_len}, {eta} left") {
        bar.set_style(style);
    }
    let prepared = Prepared::sign(issuer, count, per_second, args.entry_bytes, &|done| bar.inc(done));
    bar.finish_and_clear();
    prepared.map_err(|error| Failed::new(Exit::Usage, "the statements cannot be prepared").because(error))
}

fn fsync(args: &Args) -> Result<Duration, Failed> {
    let folder = args.data_probe.clone().unwrap_or_else(std::env::temp_dir);
    probe::fsync_median(&folder).map_err(|error| {
        Failed::new(Exit::CouldNotCheck, format!("cannot time synced writes in {}", folder.display()))
            .because(error)
    })
}

fn read_policy(path: &std::path::Path) -> Result<Policy, Failed> {
    let failed =
        || Failed::new(Exit::CouldNotCheck, format!("{} cannot be used as a policy", path.display()));
    let bytes = std::fs::read(path).map_err(|error| failed().because(error))?;
    Policy::parse(&bytes).map_err(|error| failed().because(error))
}

fn spinner(message: String) -> ProgressBar {
    let spinner = ProgressBar::new_spinner().with_message(message);
    if std::io::stderr().is_terminal() {
        spinner.enable_steady_tick(Duration::from_millis(100));
    }
    spinner
}

fn failed(untrue: truth::Untrue) -> Failed {
    let exit = if untrue.is_misbehaviour() { Exit::Misbehaviour } else { Exit::CouldNotCheck };
    Failed::new(exit, "what the log holds is not what it acknowledged, or could not be read").because(untrue)
}
