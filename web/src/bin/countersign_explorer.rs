//! `countersign-explorer`: the pages alone, about anybody's log.

use std::future::pending;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use countersign_verifier::program::{self, Exit, Failed, Farewell, print_line};
use countersign_verifier::quorum::Policy;
use countersign_web::{Explorer, Source};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;
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
    listen: SocketAddr,
    #[command(flatten)]
    farewell: Farewell,
}

fn main() -> ExitCode {
    program::run(|| {
        let args: Args = program::parse()?;
        tracing_subscriber::fmt()
            .with_env_filter(EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info")))
            .with_writer(std::io::stderr)
            .init();
        let explorer = explorer(&args)?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        let runtime = runtime
            .map_err(|error| Failed::new(Exit::CouldNotCheck, "no threads can be started").because(error))?;
        runtime.block_on(serve(explorer, args.listen, args.farewell))
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

async fn serve(explorer: Explorer, listen: SocketAddr, farewell: Farewell) -> Result<Exit, Failed> {
    let failed = |error: std::io::Error| {
        Failed::new(Exit::CouldNotCheck, format!("cannot serve at {listen}"))
            .because(error)
            .hint("another program may be using the address: choose another one with --listen")
    };
    let listener = TcpListener::bind(listen).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let router = explorer.router();
    let following = tokio::spawn(explorer.follow());
    print_line(format_args!("http://{address}/"))?;
    let (told, stop) = tokio::sync::oneshot::channel::<()>();
    let serving = axum::serve(listener, router).with_graceful_shutdown(async {
        let _ = stop.await;
    });
    let too_long = async {
        told_to_end().await;
        farewell.begin(|| tracing::warn!("the time to end in is over: ending as it is"));
        let _ = told.send(());
        tokio::time::sleep(farewell.clients()).await;
    };
    // Clients that hold their connections open are not waited for.
    tokio::select! {
        served = serving.into_future() => served.map_err(failed)?,
        () = too_long => {}
    }
    following.abort();
    Ok(Exit::Holds)
}

/// Ends on Ctrl-C and on the signal with which services are stopped.
async fn told_to_end() {
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut signal) => drop(signal.recv().await),
            Err(_) => pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated => {}
    }
}
