//! Whether this witness can do its work, and if not, why.

use std::sync::{Arc, OnceLock};

use countersign_verifier::causes::with_causes;

use crate::ledger::LedgerError;

/// Set once when something happened after which nobody knows what is kept. Only a new start can clear it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stop(Arc<OnceLock<Arc<str>>>);

impl Stop {
    /// Stops all signing. The first cause is the one that is told.
    pub(crate) fn because(&self, error: &LedgerError) -> Arc<str> {
        let cause = with_causes(error);
        tracing::error!(%cause, "no more signing until the next start: it is not known what was kept");
        Arc::clone(self.0.get_or_init(|| cause.into()))
    }

    /// Stops all signing because the thread that signs is gone.
    pub(crate) fn because_recorder_is_gone(&self) -> Arc<str> {
        Arc::clone(self.0.get_or_init(|| "the part that signs has ended".into()))
    }

    /// Why there is no signing, if there is none.
    pub(crate) fn cause(&self) -> Option<Arc<str>> {
        self.0.get().cloned()
    }
}
