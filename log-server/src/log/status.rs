//! What a log says about itself, for metrics and for its operator.

use std::time::Duration;

use countersign_verifier::merkle::TreeSize;

/// A snapshot of the log's figures.
#[derive(Debug, Clone)]
pub struct Status {
    /// How many entries are durable.
    pub sequenced: TreeSize,
    /// The size of the newest head that has its quorum, if any has.
    pub published: Option<TreeSize>,
    /// Statements that wait for the sequencer.
    pub queued_statements: usize,
    /// Their bytes.
    pub queued_bytes: usize,
    /// For how long the head that is now before the witnesses has been waiting for its quorum, if one is.
    pub awaiting_quorum: Option<Duration>,
    /// The witnesses, in the order of the policy.
    pub witnesses: Vec<WitnessStatus>,
    /// Figures of the store: names and values.
    pub store: Vec<(&'static str, u64)>,
}

/// What is known of one witness.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitnessStatus {
    /// Its name in the policy.
    pub name: String,
    /// How it is with it.
    pub condition: Condition,
    /// The largest size that it ever cosigned for this log.
    pub size: TreeSize,
    /// How often it cosigned since the log was opened.
    pub cosigned: u64,
    /// How many requests to it failed since the log was opened.
    pub failures: u64,
    /// How often it forgot what it had cosigned, since the log was opened. Each time is worth asking its operator.
    pub rollbacks: u64,
}

/// How it is with a witness.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Condition {
    /// It was not asked yet.
    #[error("not asked yet")]
    Untried,
    /// Its last answer was a cosignature.
    #[error("cosigns")]
    Well,
    /// It cannot be reached, or does not answer in time.
    #[error("unreachable: {0}")]
    Unreachable(String),
    /// It answers, but not with a cosignature.
    #[error("refuses: {0}")]
    Refusing(String),
    /// It forgot what it cosigned: it named a smaller size than it had cosigned before. It counts again once it has
    /// caught up.
    #[error("rolled back: it stands at size {named} and had cosigned {before}")]
    RolledBack {
        /// The size that it named.
        named: TreeSize,
        /// The largest size that it cosigned.
        before: TreeSize,
    },
    /// It names a larger size than the log has, and shows no signature of the log for it.
    #[error("disagrees: it names size {named}, which this log never signed, and shows no signature for it")]
    Disagreeing {
        /// The size that it named.
        named: TreeSize,
    },
    /// It cannot be asked: the policy gives no URL for it, or a key of a type that is not checked here.
    #[error("cannot be asked: {0}")]
    NotAsked(&'static str),
}
