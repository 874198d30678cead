//! `countersign-explorer`: the pages alone, about anybody's log.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use countersign_serving::{Bounds, Flags, Observer, Signals, logging, observe};
use countersign_verifier::program::{self, Exit, Failed, print_line};
use countersign_verifier::quorum::Policy;
use countersign_web::{Explorer, Source};
use url::Url;

/// Show what a Countersign log has recorded, re-hashed and compared with heads that your trust policy accepts.
///
/// Example: countersign-explorer --log <https://log.example.org/> --policy trust.policy --listen 127.0.0.1:8081
///
/// It keeps nothing on disk: at every start it reads the log from its first entry. When it is ready to take requests
/// it prints its own URL. What it has to say about the log goes to standard error; `RUST_LOG` sets how much.
#[derive(Parser)]
#[command(name = "countersign-explorer", version)]
struct Args {
    /// Where the log is read: its /checkpoint and /tile are asked for below this URL.
    #[arg(long, value_name = "URL")]
    log: Url,
    /// Which log and witnesses to believe (C2SP tlog-policy), got out of band.
    #[arg(long, value_name = "FILE")]
    policy: PathBuf,
    /// Where to serve the pages. Port 0 takes a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8081")]
    listen: String,
    #[command(flatten)]
    serving: Flags,
}

fn main() -> ExitCode {
    program::run(|| {
        let args: Args = program::parse()?;
        logging::start(args.serving.log_format(), None)?;
        let explorer = explorer(&args)?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        let runtime = runtime
            .map_err(|error| Failed::new(Exit::CouldNotCheck, "no threads can be started").because(error))?;
        runtime.block_on(serve(explorer, &args))
    })
}

fn explorer(args: &Args) -> Result<Explorer, Failed> {
    let file = args.policy.display();
    let bytes = std::fs::read(&args.policy)
        .map_err(|error| Failed::new(Exit::CouldNotCheck, format!("{file} cannot be read")).because(error))?;
    let policy = Policy::parse(&bytes).map_err(|error| {
        Failed::new(Exit::Usage, format!("{file} is no trust policy"))
            .because(error)
            .hint("expected a C2SP tlog-policy: lines that begin with log, witness, group and quorum")
    })?;
    let source = Source::http(args.log.clone())
        .map_err(|error| Failed::new(Exit::Usage, "the log cannot be read").because(error))?;
    Ok(Explorer::new(source, policy))
}

async fn serve(explorer: Explorer, args: &Args) -> Result<Exit, Failed> {
    let could_not = |error: std::io::Error| {
        Failed::new(Exit::CouldNotCheck, "signals cannot be listened for").because(error)
    };
    let mut signals = Signals::listen().map_err(could_not)?;
    let door = args.serving.open(&args.listen, Bounds::DEFAULT).await?;
    let url = door.url();
    let observer = Observer::new(std::process::id(), args.serving.ip_rate(), args.serving.proxies());
    let figures = Explorer::start_figures();
    let upkeep = tokio::spawn(figures.clone().look_after());
    let router = explorer
        .operations(figures)
        .fallback_service(explorer.router())
        .layer(axum::middleware::from_fn_with_state(Arc::new(observer), observe));
    let following = tokio::spawn(explorer.follow());
    print_line(&url)?;
    door.serve(router, async {
        signals.end().await;
        args.serving.farewell().begin(|| tracing::warn!("the time to end in is over: ending as it is"));
    })
    .await;
    following.abort();
    upkeep.abort();
    Ok(Exit::Holds)
}
