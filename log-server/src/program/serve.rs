//! `countersign-log serve`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use clap::Args;
use countersign_log::http::{self, Bounds, Front, Options};
use countersign_log::log::{Log, LogConfig};
use countersign_log::snapshot::Listener;
use countersign_log::store::RocksStore;
use countersign_verifier::program::{Exit, Failed, Farewell, print_line, span};
use countersign_verifier::quorum::Policy;
use countersign_web::{Explorer, Source};
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinHandle;

use super::logging::{self, LogFormat};
use super::{clock, witnesses};

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
    /// The least time between two heads before the witnesses, for witnesses that limit requests.
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = span::parse)]
    checkpoint_interval: Duration,
    /// How long a submission waits for its quorum before it is answered with 202.
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = span::parse)]
    wait_timeout: Duration,
    /// How many statements a second each issuer may submit. Without it, as many as it likes.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    issuer_rate: Option<u32>,
    /// How many connections there may be at once.
    #[arg(long, value_name = "N", default_value_t = 512, value_parser = connections)]
    max_connections: usize,
    #[command(flatten)]
    farewell: Farewell,
    /// Serve the machines' interface alone, without pages for people.
    #[arg(long)]
    no_explorer: bool,
    /// Log lines for people or for programs.
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text")]
    log_format: LogFormat,
}

fn connections(text: &str) -> Result<usize, &'static str> {
    text.parse()
        .ok()
        .filter(|count| (1..=100_000).contains(count))
        .ok_or("expected a number from 1 to 100000")
}

pub(super) fn serve(args: Serve) -> Result<Exit, Failed> {
    logging::start(args.log_format)?;
    let policy = witnesses::read(args.witnesses.as_deref())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failed::new(Exit::CouldNotCheck, "no threads").because(error))?;
    runtime.block_on(run(args, policy))
}

async fn run(args: Serve, policy: Policy) -> Result<Exit, Failed> {
    let mut signals = Signals::listen()?;
    let listener = bind(&args.listen).await?;
    let mut config = LogConfig::new(args.data, policy);
    config.checkpoint_interval = args.checkpoint_interval;
    let data = config.data.clone();
    let (log, store) = Log::open_shared(config).await?;
    let snapshots = give_snapshots(&data, store);
    let mut options = Options::new(Arc::new(clock::now));
    options.wait = args.wait_timeout;
    options.issuer_rate = args.issuer_rate;
    let front = Front::start(Arc::clone(&log), options)
        .map_err(|error| Failed::new(Exit::CouldNotCheck, "the log cannot be served").because(error))?;
    let router = if args.no_explorer { front.router() } else { with_explorer(&front, &log) };
    let farewell = args.farewell;
    let bounds =
        Bounds { connections: args.max_connections, farewell: farewell.clients(), ..Bounds::default() };
    let address = listener.local_addr();
    let address = address.map_err(|error| Failed::new(Exit::CouldNotCheck, "no address").because(error))?;
    tracing::info!(origin = log.key().name().as_str(), %address, "serving");
    print_line(format_args!("http://{address}"))?;
    let (told, stop) = tokio::sync::oneshot::channel::<()>();
    let serving = http::serve(listener, router, bounds, async {
        let _ = stop.await;
    });
    let mut serving = std::pin::pin!(serving);
    tokio::select! {
        () = signals.next() => {
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
                () = signals.next() => tracing::warn!("stopping at once"),
            }
        }
        () = serving.as_mut() => {}
    }
    log.shutdown().await;
    if let Some(snapshots) = snapshots {
        snapshots.abort();
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

async fn bind(address: &str) -> Result<TcpListener, Failed> {
    TcpListener::bind(address).await.map_err(|error| {
        let hint = match error.kind() {
            std::io::ErrorKind::AddrInUse => "another program listens there: end it, or name another port",
            std::io::ErrorKind::PermissionDenied => "ports below 1024 need permission: name another port",
            _ => "expected an address and a port, such as 127.0.0.1:8080",
        };
        Failed::new(Exit::Usage, format!("cannot listen on {address}")).because(error).hint(hint)
    })
}

/// The two signals that ask a server to end.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn listen() -> Result<Self, Failed> {
        let listen = || {
            Ok(Self {
                terminate: signal(SignalKind::terminate())?,
                interrupt: signal(SignalKind::interrupt())?,
            })
        };
        listen().map_err(|error: std::io::Error| {
            Failed::new(Exit::CouldNotCheck, "signals cannot be listened for").because(error)
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
