//! `countersign-log serve`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use clap::Args;
use countersign_log::http::{Front, Options};
use countersign_log::log::{Log, LogConfig};
use countersign_log::snapshot::Listener;
use countersign_log::store::RocksStore;
use countersign_serving::{Bounds, Flags, Signals, logging};
use countersign_verifier::program::{Exit, Failed, print_line, span};
use countersign_web::{Explorer, Source};
use tokio::task::JoinHandle;

use super::{clock, traces, witnesses};

/// Serves a log until it is told to stop, and prints its URL when it takes requests
///
/// It stops in good order on SIGTERM and SIGINT: takes no more connections, finishes what it has begun, and ends within
/// --shutdown-timeout. A second signal does not wait for clients.
#[derive(Debug, Args)]
pub(super) struct Serve {
    /// The log's data folder, as init left it.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Where to listen: an address with a port. Port 0 takes any free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    listen: String,
    /// A tlog-policy file: the witnesses with their submission URLs, and the quorum.
    #[arg(long, value_name = "FILE")]
    witnesses: Option<PathBuf>,
    /// The least time between two heads before the witnesses, which is up to 20 ms longer while much comes in. Set it
    /// longer for witnesses that limit requests.
    #[arg(long, value_name = "TIME", default_value = "2ms", value_parser = span::parse)]
    checkpoint_interval: Duration,
    /// How long a submission waits for its quorum before it is answered with 202.
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = span::parse)]
    wait_timeout: Duration,
    /// How many statements a second each issuer may submit. Without it, as many as it likes.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    issuer_rate: Option<u32>,
    /// How many statements an issuer that was silent may submit at once [default: those of one second]
    #[arg(long, value_name = "N", requires = "issuer_rate", value_parser = clap::value_parser!(u32).range(1..))]
    issuer_burst: Option<u32>,
    /// Serve the machines' interface alone, without pages for people.
    #[arg(long)]
    no_explorer: bool,
    #[command(flatten)]
    serving: Flags,
    #[command(flatten)]
    traces: traces::Flags,
}

pub(super) fn serve(args: Serve) -> Result<Exit, Failed> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failed::new(Exit::CouldNotCheck, "no threads").because(error))?;
    runtime.block_on(run(args))
}

async fn run(args: Serve) -> Result<Exit, Failed> {
    let (traces, listener) = args.traces.start()?;
    logging::start(args.serving.log_format(), listener)?;
    let policy = witnesses::read(args.witnesses.as_deref())?;
    let mut signals = Signals::listen()
        .map_err(|error| Failed::new(Exit::CouldNotCheck, "signals cannot be listened for").because(error))?;
    let door = args.serving.open(&args.listen, Bounds::DEFAULT).await?;
    let mut config = LogConfig::new(args.data, policy);
    config.checkpoint_interval = args.checkpoint_interval;
    let data = config.data.clone();
    let (log, store) = Log::open_shared(config).await?;
    let snapshots = give_snapshots(&data, store);
    let mut options = Options::new(Arc::new(clock::now));
    options.wait = args.wait_timeout;
    options.issuer_rate = args.issuer_rate;
    options.issuer_burst = args.issuer_burst;
    options.ip_rate = args.serving.ip_rate();
    options.proxies = args.serving.proxies();
    let front = Front::start(Arc::clone(&log), options)
        .map_err(|error| Failed::new(Exit::CouldNotCheck, "the log cannot be served").because(error))?;
    let router = if args.no_explorer { front.router() } else { with_explorer(&front, &log) };
    let farewell = args.serving.farewell();
    let url = door.url();
    tracing::info!(origin = log.key().name().as_str(), url, "serving");
    print_line(url)?;
    let (told, stop) = tokio::sync::oneshot::channel::<()>();
    let serving = door.serve(router, async {
        let _ = stop.await;
    });
    let mut serving = std::pin::pin!(serving);
    tokio::select! {
        () = signals.end() => {
            tracing::info!("stopping: finishing what was begun");
            farewell.begin(|| tracing::warn!("the time to end in is over: ending as it is"));
            let _ = told.send(());
            let waits = async {
                tokio::time::sleep(farewell.waits()).await;
                log.end_waits();
                std::future::pending::<()>().await;
            };
            tokio::select! {
                () = serving.as_mut() => {}
                () = waits => {}
                () = signals.end() => tracing::warn!("stopping at once"),
            }
        }
        () = serving.as_mut() => {}
    }
    log.shutdown().await;
    if let Some(snapshots) = snapshots {
        snapshots.abort();
    }
    if let Some(traces) = traces {
        traces.end().await;
    }
    tracing::info!("stopped");
    Ok(Exit::Holds)
}

/// Lets backup and fsck have snapshots of the log as long as it is served.
fn give_snapshots(data: &Path, store: Arc<RocksStore>) -> Option<JoinHandle<()>> {
    match Listener::bind(data, store) {
        Ok(listener) => Some(tokio::spawn(listener.run())),
        Err(error) => {
            tracing::warn!(%error, "the log cannot be backed up while it is served: no socket in its data folder");
            None
        }
    }
}

/// The explorer beside the log. It trusts it no more than a reader elsewhere would.
fn with_explorer(front: &Front, log: &Log) -> Router {
    let explorer = Explorer::new(Source::memory(front.reader()), log.policy().clone());
    let pages = explorer.router();
    tokio::spawn(explorer.follow());
    front.router_with(pages)
}
