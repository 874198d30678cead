//! `countersign decide`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use countersign_gate::clock::Clock;
use countersign_gate::decide::{Config, DecisionPoint, http};
use countersign_serving::{Flags, Observer, Signals, logging};
use countersign_verifier::program::{Exit, Failed, print_line};
use tokio::sync::watch;
use url::Url;

/// Serve the decision point: who asks over `AuthZEN` Authorization API 1.0 gets the policies' decision, once it is on record.
///
/// `true` is answered only with an authorization that is in the log, in a head cosigned by its quorum (or as `mode` in the
/// configuration says). Every doubt denies. The policies are published at the start. Prints its URL when it takes requests;
/// ends in good order on SIGTERM and SIGINT, within --shutdown-timeout.
///
/// Example: countersign decide --config decide.toml --listen 127.0.0.1:8082
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The configuration, TOML: what `countersign run` reads, and in it the table `[decide]`.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Where to listen; without a token on this machine alone. Port 0 takes a free one. [default: decide.listen]
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
    #[command(flatten)]
    serving: Flags,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failed> {
    logging::start(args.serving.log_format(), None)?;
    let config = Config::read(&args.config).map_err(|error| {
        Failed::new(Exit::Usage, format!("the configuration {} cannot be used", args.config.display()))
            .because(error)
    })?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime
        .map_err(|error| Failed::new(Exit::CouldNotCheck, "no threads can be started").because(error))?;
    runtime.block_on(serve(config, args))
}

async fn serve(mut config: Config, args: &Args) -> Result<Exit, Failed> {
    let could_not = |what: &'static str| {
        move |error: std::io::Error| Failed::new(Exit::CouldNotCheck, what).because(error)
    };
    let mut signals = Signals::listen().map_err(could_not("signals cannot be listened for"))?;
    let listen = args.listen.clone().or_else(|| config.listen.clone());
    let listen = listen.ok_or_else(|| {
        Failed::new(Exit::Usage, "it is not said where to listen").hint("name it: --listen 127.0.0.1:8082")
    })?;
    let door = args.serving.open(&listen, http::BOUNDS).await?;
    let token = config.token.take();
    if token.is_none() && !door.address().ip().is_loopback() {
        let what = format!("anybody who reaches {} could have things authorized", door.address());
        return Err(Failed::new(Exit::Usage, what)
            .hint("name a file with a token in the configuration, decide.token, or listen on 127.0.0.1"));
    }
    let url = own_url(config.url.take(), door.address(), &door.url())?;
    let (ends, ending) = watch::channel(false);
    let max_decisions = config.max_decisions;
    let point = DecisionPoint::open(config, Clock::system(), ending)
        .map_err(|error| Failed::new(Exit::Usage, "the log cannot be asked").because(error))?;
    let point = Arc::new(point);
    let publishing = tokio::spawn({
        let point = Arc::clone(&point);
        async move { point.keep_publishing().await }
    });
    let observer = Observer::new(std::process::id(), args.serving.ip_rate(), args.serving.proxies());
    let router = http::router(point, token, &url, max_decisions, observer);
    tracing::info!(url = door.url(), "serving");
    print_line(door.url())?;
    let farewell = args.serving.farewell();
    door.serve(router, async {
        signals.end().await;
        tracing::info!("ending: what was begun is decided");
        farewell.begin(|| tracing::warn!("the time to end in is over: ending as it is"));
        tokio::spawn(async move {
            tokio::time::sleep(farewell.waits()).await;
            // With nobody left who waits, there is nobody to tell.
            let _ = ends.send(true);
        });
    })
    .await;
    publishing.abort();
    Ok(Exit::Holds)
}

/// The address that callers use: they have to compare it with what the metadata says.
fn own_url(configured: Option<Url>, address: SocketAddr, url: &str) -> Result<Url, Failed> {
    if let Some(url) = configured {
        return Ok(url);
    }
    if address.ip().is_unspecified() {
        return Err(Failed::new(Exit::Usage, format!("nobody can ask at {address}, which is any address"))
            .hint("name the address that callers use, decide.url"));
    }
    Url::parse(url).map_err(|error| Failed::new(Exit::Usage, format!("{url} is no address")).because(error))
}
