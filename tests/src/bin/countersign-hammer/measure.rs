//! The two runs: submitting and reading.

use std::io::IsTerminal as _;
use std::sync::Arc;
use std::time::Duration;

use countersign_tests::client::Client;
use countersign_tests::hammer::around::Before;
use countersign_tests::hammer::load::Plan;
use countersign_tests::hammer::processes::UsageError;
use countersign_tests::hammer::reads::{self, ReadPlan};
use countersign_tests::hammer::report::{ReadReport, Report};
use countersign_tests::hammer::{Prepared, load, probe, truth};
use countersign_tests::statements::Issuer;
use countersign_verifier::program::{Exit, Failed, print_line};
use countersign_verifier::quorum::Policy;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::Args;

/// How many statements a second are prepared for connections that go as fast as they can, one by one and in batches.
const AT_MOST_SINGLE: u64 = 20_000;
const AT_MOST_BATCH: u64 = 60_000;

/// Signs what will be sent.
pub(super) fn prepare(args: &Args, plan: &Plan, issuers: &[Issuer]) -> Result<Arc<Prepared>, Failed> {
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
    let prepared = Prepared::sign_by(issuers, count, per_second, args.entry_bytes, &|done| bar.inc(done));
    bar.finish_and_clear();
    prepared
        .map(Arc::new)
        .map_err(|error| Failed::new(Exit::Usage, "the statements cannot be prepared").because(error))
}

/// Submits, then finds out whether the log kept what it said it has.
pub(super) async fn load(
    args: &Args,
    plan: Plan,
    policy: Option<&Policy>,
    prepared: Arc<Prepared>,
) -> Result<Exit, Failed> {
    let mut client = Client::new(plan.log.clone());
    let before = truth::published(&mut client, policy).await.map_err(untrue)?;
    let sending = spinner(format!("sending to {} for {:?}", plan.log, plan.duration));
    let clocks = Before::now(&args.process, fsync(args)?).map_err(unknown)?;
    let (mut tally, took) = load::send(plan.clone(), Arc::clone(&prepared)).await;
    let since = clocks.until_now().map_err(unknown)?;
    sending.finish_and_clear();
    let fsync_after = fsync(args)?;
    let reading = spinner("checking answers, reading back".to_owned());
    load::judge(&plan, &prepared, &mut tally);
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
    let truth =
        truth::check(&mut client, policy, args.wait, before, &prepared, &tally).await.map_err(untrue)?;
    reading.finish_and_clear();
    let around = since.each(tally.acknowledged.len() as u64, fsync_after);
    print(args, &Report::new(&tally, took, around, &truth))
}

/// Reads one resource again and again.
pub(super) async fn reads(args: &Args, plan: ReadPlan) -> Result<Exit, Failed> {
    let spinner = spinner(format!("reading {}{} for {:?}", plan.log, plan.path, plan.duration));
    let clocks = Before::now(&args.process, fsync(args)?).map_err(unknown)?;
    let (reads, took) = reads::run(plan)
        .await
        .map_err(|error| Failed::new(Exit::CouldNotCheck, "reading ended early").because(error))?;
    let since = clocks.until_now().map_err(unknown)?;
    spinner.finish_and_clear();
    let around = since.each(reads.latency.count(), fsync(args)?);
    print(args, &ReadReport::new(&reads, took, around))
}

fn print(args: &Args, report: &(impl Serialize + core::fmt::Display)) -> Result<Exit, Failed> {
    if args.json {
        let json = serde_json::to_string_pretty(report);
        print_line(json.map_err(|error| {
            Failed::new(Exit::CouldNotCheck, "the figures cannot be written").because(error)
        })?)?;
    } else {
        print_line(report)?;
    }
    Ok(Exit::Holds)
}

fn fsync(args: &Args) -> Result<Duration, Failed> {
    let folder = args.data_probe.clone().unwrap_or_else(std::env::temp_dir);
    probe::fsync_median(&folder).map_err(|error| {
        Failed::new(Exit::CouldNotCheck, format!("cannot time synced writes in {}", folder.display()))
            .because(error)
    })
}

fn spinner(message: String) -> ProgressBar {
    let spinner = ProgressBar::new_spinner().with_message(message);
    if std::io::stderr().is_terminal() {
        spinner.enable_steady_tick(Duration::from_millis(100));
    }
    spinner
}

fn untrue(untrue: truth::Untrue) -> Failed {
    let exit = if untrue.is_misbehaviour() { Exit::Misbehaviour } else { Exit::CouldNotCheck };
    Failed::new(exit, "what the log holds is not what it acknowledged, or could not be read").because(untrue)
}

fn unknown(error: UsageError) -> Failed {
    Failed::new(Exit::CouldNotCheck, "what a process costs cannot be found out")
        .because(error)
        .hint("--process takes ids of processes that run on this machine while the load goes on")
}
