//! What every handler works with.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use countersign_serving::Proxies;
use countersign_serving::figures::Figures;
use countersign_verifier::statement::UnixSeconds;

use super::checkers::Checkers;
use super::metrics::Statements;
use super::problem::Refusal;
use super::rate::IssuerRates;
use super::rooms::Rooms;
use super::shelf::Shelf;
use crate::log::{Log, ReadError};

/// Where the server gets the time from.
pub type Clock = Arc<dyn Fn() -> UnixSeconds + Send + Sync>;

/// What an operator may set.
#[derive(Clone)]
pub struct Options {
    /// How long a submission waits for its quorum before it is answered without.
    pub wait: Duration,
    /// How long a body may take to arrive.
    pub body: Duration,
    /// How many statements a second each issuer may submit. `None`: as many as it likes.
    pub issuer_rate: Option<u32>,
    /// How many statements an issuer that was silent may submit at once, where there is a rate.
    pub issuer_burst: Option<u32>,
    /// How many requests a second each network may make. `None`: as many as it likes.
    pub ip_rate: Option<NonZeroU32>,
    /// The proxies whose word on where a request comes from is taken.
    pub proxies: Proxies,
    /// The time, for the rule that statements are made now.
    pub clock: Clock,
}

impl Options {
    /// The defaults, with a clock.
    pub fn new(clock: Clock) -> Self {
        Self {
            wait: Duration::from_secs(10),
            body: Duration::from_secs(30),
            issuer_rate: None,
            issuer_burst: None,
            ip_rate: None,
            proxies: Proxies::default(),
            clock,
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { wait, body, issuer_rate, issuer_burst, ip_rate, proxies, clock: _ } = self;
        f.debug_struct("Options")
            .field("wait", wait)
            .field("body", body)
            .field("issuer_rate", issuer_rate)
            .field("issuer_burst", issuer_burst)
            .field("ip_rate", ip_rate)
            .field("proxies", proxies)
            .finish_non_exhaustive()
    }
}

/// One log, served.
pub(super) struct App {
    pub(super) log: Arc<Log>,
    pub(super) options: Options,
    pub(super) checkers: Checkers,
    pub(super) rates: IssuerRates,
    pub(super) rooms: Rooms,
    pub(super) shelf: Shelf,
    pub(super) figures: Figures,
    pub(super) statements: Statements,
}

impl App {
    /// Does what reads the store somewhere it may take its time: the disk can be slow, and the threads that serve
    /// connections must not be.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Log) -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        let log = Arc::clone(&self.log);
        tokio::task::spawn_blocking(move || work(&log)).await.map_err(|error| {
            tracing::error!(%error, "reading the store ended in a fault");
            Refusal::internal()
        })
    }

    pub(super) fn now(&self) -> UnixSeconds {
        (self.options.clock)()
    }
}

impl From<ReadError> for Refusal {
    fn from(error: ReadError) -> Self {
        let error: &dyn std::error::Error = &error;
        tracing::error!(error, "the store cannot be read");
        Self::new(
            &super::catalog::codes::STORE_UNREADABLE,
            "the store cannot be read; the header x-request-id names the request in the server's own log",
        )
    }
}
