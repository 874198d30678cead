//! The steps on the way of a batch, told to whoever observes them.

use std::sync::Arc;

use countersign_verifier::merkle::TreeSize;

/// A step on the way of a batch and of its head. Each is told when it has been taken, and before the next one begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// The batch is admitted and built. Nothing of it is written.
    Built,
    /// The batch is written and synced. Nobody has heard of it.
    Durable,
    /// Its head is signed, and remembered outside of the database.
    Remembered,
    /// Its head is the newest one that the log shows to its own parts. Its submitters have no answer yet.
    Sequenced,
    /// The witnesses are about to be asked for a head. Told once a head.
    Offered,
    /// One witness is about to be asked.
    Asked,
    /// One witness has cosigned; its line is verified.
    Cosigned,
    /// A head has its quorum. The note is not written.
    Quorum,
    /// The note of the head is written and synced. Nobody has seen it.
    NoteDurable,
    /// The note is what readers get.
    Published,
}

/// Who is told of steps, such as one who takes the time of each. It is called in the middle of the work, from several
/// threads, and holds up what it holds up.
pub trait Observer: core::fmt::Debug + Send + Sync + 'static {
    /// A step was taken. `size` is the size of the tree that the step is about.
    fn reached(&self, step: Step, size: TreeSize);
}

/// Where steps are told to: nobody, unless an observer is given.
#[derive(Debug, Clone, Default)]
pub struct Steps(Option<Arc<dyn Observer>>);

impl Steps {
    /// Tells `observer` of every step.
    pub fn to(observer: Arc<dyn Observer>) -> Self {
        Self(Some(observer))
    }

    pub(crate) fn reached(&self, step: Step, size: TreeSize) {
        if let Some(observer) = &self.0 {
            observer.reached(step, size);
        }
    }
}
