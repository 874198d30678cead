//! What a log is opened with.

use std::path::PathBuf;
use std::time::Duration;

use countersign_verifier::quorum::Policy;

use super::Steps;

/// What a log is opened with. The data folder holds the key; everything else is here.
#[derive(Debug, Clone)]
pub struct LogConfig {
    /// The data folder, as `create` left it.
    pub data: PathBuf,
    /// The witnesses, where to reach them, and how many of them a head needs. Log lines in it are ignored: the log
    /// is the one in the data folder.
    pub policy: Policy,
    /// The least time between two heads that are offered to the witnesses. Zero: a head is offered as soon as the one
    /// before has its quorum.
    pub checkpoint_interval: Duration,
    /// How much may wait for the sequencer.
    pub queue: QueueBounds,
    /// How witnesses are asked.
    pub witnessing: Witnessing,
    /// Who is told of the steps on the way of a batch. Nobody by default.
    pub steps: Steps,
}

/// The least time between two heads before the witnesses, unless told otherwise. Log and witnesses spend more than a
/// millisecond on each head: without it, a thousand statements a second would be as many heads.
const CHECKPOINT_INTERVAL: Duration = Duration::from_millis(2);

impl LogConfig {
    /// The defaults, for the log in `data`.
    pub fn new(data: impl Into<PathBuf>, policy: Policy) -> Self {
        Self {
            data: data.into(),
            policy,
            checkpoint_interval: CHECKPOINT_INTERVAL,
            queue: QueueBounds::default(),
            witnessing: Witnessing::default(),
            steps: Steps::default(),
        }
    }
}

/// How much may wait for the sequencer. What comes beyond it is refused at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueBounds {
    /// Statements.
    pub statements: usize,
    /// Bytes of statements.
    pub bytes: usize,
}

impl Default for QueueBounds {
    fn default() -> Self {
        Self { statements: 16 * 1024, bytes: 64 * 1024 * 1024 }
    }
}

/// How witnesses are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Witnessing {
    /// The longest that one request to a witness may take, from connecting to the last byte.
    pub request_timeout: Duration,
    /// The longest that a log which is being opened waits for the witnesses to say what they saw of it.
    pub probe_timeout: Duration,
    /// The first wait after a failed request; it doubles, with jitter, up to `max_backoff`.
    pub min_backoff: Duration,
    /// The longest wait after failed requests.
    pub max_backoff: Duration,
    /// After how long without a quorum the log says that it is not ready.
    pub patience: Duration,
}

impl Default for Witnessing {
    fn default() -> Self {
        Self {
            request_timeout: Duration::from_secs(5),
            probe_timeout: Duration::from_secs(2),
            min_backoff: Duration::from_millis(10),
            max_backoff: Duration::from_secs(5),
            patience: Duration::from_secs(10),
        }
    }
}
