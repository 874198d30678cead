//! What is spoken with the log under load.

use super::load::Wait;

/// The way in which statements are handed over and acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Protocol {
    /// `POST /entries` and `/entries/batch`: each acknowledgement comes with a proof.
    Countersign,
    /// `POST /add`, as Tessera's own server has it: an acknowledgement is a number. What is published is looked up at
    /// `/checkpoint`, and read back from the same tiles.
    Tessera,
}

/// How a request is sent and what its answer looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// One statement; an acknowledgement in JSON.
    Single,
    /// Several statements; an array of acknowledgements and problems.
    Batch,
    /// One statement; its index in decimal digits.
    Number,
}

impl Form {
    pub(super) const fn of(protocol: Protocol, batch: bool) -> Self {
        match (protocol, batch) {
            (Protocol::Tessera, _) => Self::Number,
            (Protocol::Countersign, true) => Self::Batch,
            (Protocol::Countersign, false) => Self::Single,
        }
    }

    pub(super) const fn path(self, wait: Wait) -> &'static str {
        match (self, wait) {
            (Self::Number, _) => "/add",
            (Self::Single, Wait::Sequenced) => "/entries?wait=sequenced",
            (Self::Single, Wait::Cosigned) => "/entries?wait=cosigned",
            (Self::Batch, Wait::Sequenced) => "/entries/batch?wait=sequenced",
            (Self::Batch, Wait::Cosigned) => "/entries/batch?wait=cosigned",
        }
    }

    pub(super) const fn content_type(self) -> &'static str {
        match self {
            Self::Single => "application/cose",
            Self::Batch => "application/cbor-seq",
            Self::Number => "application/octet-stream",
        }
    }
}
