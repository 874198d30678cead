//! `countersign-witness serve`.

use std::sync::Arc;

use clap::Args;
use countersign_serving::{Flags, Observer, Signals, logging};
use countersign_verifier::program::{Exit, Failed, print_line};
use countersign_witness::Witness;
use countersign_witness::clock::SystemClock;
use countersign_witness::http;

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
    listen: String,
    #[command(flatten)]
    serving: Flags,
}

impl Serve {
    /// Serves until a signal comes.
    pub(crate) fn run(&self) -> Result<Exit, Failed> {
        logging::start(self.serving.log_format(), None)?;
        let witness = Witness::open(&self.data.folder(), Arc::new(SystemClock::start())).map_err(failed)?;
        let could_not = |what: &str| {
            let what = format!("cannot {what}");
            move |error: std::io::Error| Failed::new(Exit::CouldNotCheck, what).because(error)
        };
        let runtime = tokio::runtime::Runtime::new().map_err(could_not("start"))?;
        let witness = Arc::new(witness);
        let served = runtime.block_on(async {
            let mut signals = Signals::listen().map_err(could_not("wait for signals"))?;
            let door = self.serving.open(&self.listen, http::BOUNDS).await?;
            let url = door.url();
            let observer = Observer::new(run_number()?, self.serving.ip_rate(), self.serving.proxies());
            let router = http::router(Arc::clone(&witness), http::PATIENCE, observer);
            tracing::info!(url, key = %witness.key(), logs = witness.logs().len(), "serving");
            print_line(url)?;
            let stop = async {
                signals.end().await;
                tracing::info!("ending: open requests are finished");
                self.serving
                    .farewell()
                    .begin(|| tracing::warn!("the time to end in is over: ending as it is"));
            };
            door.serve(router, stop).await;
            Ok(Exit::Holds)
        });
        drop(runtime);
        witness.close();
        served
    }
}

/// Tells the request ids of this run from those of another.
fn run_number() -> Result<u32, Failed> {
    getrandom::u32()
        .map_err(|error| Failed::new(Exit::CouldNotCheck, "the system gives no random bytes").because(error))
}
