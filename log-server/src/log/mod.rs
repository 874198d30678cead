//! The log: one handle for everything that is done with it.

mod config;
mod create;
mod handle;
mod health;
mod open;
mod reads;
mod receipts;
mod status;
mod steps;
mod submission;

pub use config::{LogConfig, QueueBounds, Witnessing};
pub(crate) use create::OPERATOR_KEY;
pub use create::{CreateError, DATABASE, GenesisError, LOG_KEY};
pub use handle::Log;
pub use health::{Contradiction, REASON_CODES, Reason, StopReason, WARNING_CODES};
pub use open::OpenError;
pub use receipts::NoReceipt;
pub use status::{Condition, Status, WitnessStatus};
pub use steps::{Observer, Step, Steps};
pub use submission::{Atomicity, Published, Rejection, Sequenced, SequencedHead, SubmitError, WaitError};

pub use crate::cosigners::ClientError;
pub use crate::store::StoreError as ReadError;
pub use crate::tree::{DamagedEdge, ProofError};
