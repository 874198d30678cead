//! `countersign-witness serve`.

use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::sync::Arc;

use clap::Args;
use countersign_verifier::program::{Exit, Failed, Farewell, print_line};
use countersign_witness::Witness;
use countersign_witness::clock::SystemClock;
use countersign_witness::http::{self, Bounds};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use crate::{Data, failed};

/// Serve the witness
///
/// Prints its URL, the submission prefix and monitoring prefix, when it is ready to take requests. Ends in good order on
/// SIGTERM and SIGINT, within --shutdown-timeout. What happens is told on standard error; `RUST_LOG=debug` tells each request.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    data: Data,
    /// The address to listen on, such as 127.0.0.1:8081
    #[arg(long, value_name = "ADDR")]
    listen: SocketAddr,
    #[command(flatten)]
    farewell: Farewell,
    /// Tell what happens in JSON
    #[arg(long)]
    json: bool,
}

impl Serve {
    /// Serves until a signal comes.
    pub(crate) fn run(&self) -> Result<Exit, Failed> {
        self.tell();
        let witness = Witness::open(&self.data.folder(), Arc::new(SystemClock::start())).map_err(failed)?;
        let could_not = |what: &str| {
            let what = format!("cannot {what}");
            move |error: std::io::Error| Failed::new(Exit::CouldNotCheck, what).because(error)
        };
        let runtime = tokio::runtime::Runtime::new().map_err(could_not("start"))?;
        let witness = Arc::new(witness);
        let served = runtime.block_on(async {
            let mut terminate = signal(SignalKind::terminate()).map_err(could_not("wait for signals"))?;
            let mut interrupt = signal(SignalKind::interrupt()).map_err(could_not("wait for signals"))?;
            let listener = TcpListener::bind(self.listen)
                .await
                .map_err(could_not(&format!("listen on {}", self.listen)))?;
            let address = listener.local_addr().map_err(could_not("listen"))?;
            tracing::info!(%address, key = %witness.key(), logs = witness.logs().len(), "serving");
            print_line(format_args!("http://{address}"))?;
            let stop = async {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                }
                tracing::info!("ending: open requests are finished");
                self.farewell.begin(|| tracing::warn!("the time to end in is over: ending as it is"));
            };
            let bounds = Bounds { farewell: self.farewell.clients(), ..Bounds::default() };
            http::serve(listener, Arc::clone(&witness), bounds, stop).await;
            Ok(Exit::Holds)
        });
        drop(runtime);
        witness.close();
        served
    }

    fn tell(&self) {
        let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
        let subscriber = tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_ansi(std::io::stderr().is_terminal())
            .with_writer(std::io::stderr);
        if self.json { subscriber.json().init() } else { subscriber.init() }
    }
}
