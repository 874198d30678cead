//! The one switch that nothing but a restart puts back.

use std::sync::Arc;

use tokio::sync::watch;

use crate::log::StopReason;

/// Whether the log has stopped, and why. Once it has, no statement is admitted and no head is signed any more.
#[derive(Debug)]
pub(crate) struct Stop {
    reason: watch::Sender<Option<Arc<StopReason>>>,
}

impl Stop {
    pub(crate) fn new() -> Self {
        Self { reason: watch::Sender::new(None) }
    }

    /// Stops the log. The first reason stays.
    pub(crate) fn stop(&self, reason: StopReason) {
        self.reason.send_if_modified(|stopped| {
            if stopped.is_some() {
                return false;
            }
            tracing::error!(code = reason.code(), remedy = reason.remedy(), "the log stops: {reason}");
            *stopped = Some(Arc::new(reason));
            true
        });
    }

    /// Why the log has stopped, if it has.
    pub(crate) fn reason(&self) -> Option<Arc<StopReason>> {
        self.reason.borrow().clone()
    }

    /// To wait for the log to stop.
    pub(crate) fn subscribe(&self) -> watch::Receiver<Option<Arc<StopReason>>> {
        self.reason.subscribe()
    }
}
