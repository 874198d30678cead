//! The set of logs, and what may be added to it.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use countersign_verifier::checkpoint::Origin;
use countersign_verifier::note::{KeyKind, VerifierKey};

use super::Entry;

/// A log that the witness watches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// Any of them may sign. There is at least one; there are more while a log changes from one to the next.
    pub keys: Vec<VerifierKey>,
    /// How many cosignatures a day it may have; no limit when `None`.
    pub per_day: Option<NonZeroU32>,
    /// Whom to ask about it.
    pub contact: Option<String>,
}

/// Why a log was not added.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAdded {
    /// A key of a type by which no log signs, or which is not checked here.
    #[error(
        "a log signs with a key of type 0x01; this one has type 0x{0:02x}, and its signatures are not checked here"
    )]
    KeyKind(u8),
    /// The log would sign with the witness's own key.
    #[error("this is the witness's own key")]
    OwnKey,
    /// The log would go by the witness's own name.
    #[error("{0} is the witness's own name")]
    OwnName(Origin),
}

/// All logs that the witness watches, by origin.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Logs(BTreeMap<Origin, Log>);

/// What adding an entry changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    NewLog,
    NewKey,
    Nothing,
}

impl Logs {
    /// The log with this origin.
    pub fn get(&self, origin: &Origin) -> Option<&Log> {
        self.0.get(origin)
    }

    /// All of them, in the order of their origins.
    pub fn iter(&self) -> impl Iterator<Item = (&Origin, &Log)> {
        self.0.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a log, or a key to a log. What is there already stays as it is.
    pub(super) fn add(&mut self, entry: Entry, own: &VerifierKey) -> Result<Change, NotAdded> {
        let Entry { key, origin, per_day, contact } = entry;
        if key.kind() != KeyKind::Ed25519 {
            return Err(NotAdded::KeyKind(key.kind().byte()));
        }
        if key.material() == own.material() {
            return Err(NotAdded::OwnKey);
        }
        if origin.as_str() == own.name().as_str() {
            return Err(NotAdded::OwnName(origin));
        }
        match self.0.get_mut(&origin) {
            None => {
                self.0.insert(origin, Log { keys: vec![key], per_day, contact });
                Ok(Change::NewLog)
            }
            Some(log) if log.keys.contains(&key) => Ok(Change::Nothing),
            Some(log) => {
                log.keys.push(key);
                Ok(Change::NewKey)
            }
        }
    }

    /// These logs and keys and all in `newer`; and the first log of which `newer` lacks something, if it does.
    pub(super) fn extended_by(&self, mut newer: Self) -> (Self, Option<Origin>) {
        let mut lacking = None;
        for (origin, known) in &self.0 {
            let log =
                newer.0.entry(origin.clone()).or_insert_with(|| Log { keys: Vec::new(), ..known.clone() });
            let lost: Vec<_> = known.keys.iter().filter(|key| !log.keys.contains(key)).cloned().collect();
            if !lost.is_empty() {
                log.keys.extend(lost);
                lacking.get_or_insert_with(|| origin.clone());
            }
        }
        (newer, lacking)
    }
}
