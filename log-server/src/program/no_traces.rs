//! In place of `traces` where the feature `otel` is off: no traces are sent.

use clap::Args;
use countersign_serving::logging::Listener;
use countersign_verifier::program::Failed;

/// Where traces are sent: nowhere.
#[derive(Debug, Args)]
pub(super) struct Flags {}

impl Flags {
    /// Starts nothing.
    #[expect(
        clippy::unused_self,
        clippy::unnecessary_wraps,
        reason = "with the feature it is a flag that can be wrong"
    )]
    pub(super) fn start(&self) -> Result<(Option<Traces>, Option<Listener>), Failed> {
        Ok((None, None))
    }
}

/// There are none.
#[derive(Debug)]
pub(super) enum Traces {}

impl Traces {
    /// Never called.
    #[expect(clippy::unused_async, reason = "with the feature it waits")]
    pub(super) async fn end(self) {
        match self {}
    }
}
