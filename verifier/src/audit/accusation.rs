//! From a violation to evidence that others can check without the log.

use serde::{Deserialize, Serialize};

use super::ledger::Ledger;
use super::lineages::known_entry;
use super::replay::{AuditError, Entries};
use crate::admission::Refusal;
use crate::ed25519::PublicKey;
use crate::evidence::{AdmissionEvidence, ClaimedHead, Evidence, Included, Prefix};
use crate::merkle::{LeafHash, LeafIndex};
use crate::note::SignedNote;
use crate::statement::Statement;
use crate::statement::payload::Payload;
use crate::strict;

/// Which entries show that another one is wrong. The evidence itself needs a head that includes them all, so it is made
/// at the end of an audit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "snake_case", deny_unknown_fields)]
pub enum Accusation {
    /// An entry that should not have been admitted.
    Entry {
        /// The entry.
        index: u64,
        /// The earlier entries that it contradicts, ascending, besides the genesis.
        context: Vec<u64>,
        /// The key that it names and that did not sign it, in base64.
        #[serde(skip_serializing_if = "Option::is_none")]
        key: Option<String>,
    },
    /// A verification that names a head which the log did not have.
    Head {
        /// The verification.
        index: u64,
        /// The registration of its signer.
        registration: u64,
    },
}

impl Accusation {
    /// The entry accused.
    pub const fn index(&self) -> u64 {
        match self {
            Self::Entry { index, .. } | Self::Head { index, .. } => *index,
        }
    }

    /// An entry that is wrong by itself, or that `key` did not sign.
    pub(super) fn of_entry(index: LeafIndex, key: Option<PublicKey>) -> Self {
        let key = key.map(|key| strict::to_base64(key.as_bytes()));
        Self::Entry { index: index.get(), context: Vec::new(), key }
    }

    /// A verification, and where the key was registered that signed it.
    pub(super) const fn of_head(index: LeafIndex, registration: LeafIndex) -> Self {
        Self::Head { index: index.get(), registration: registration.get() }
    }

    /// An entry that contradicts others. `None` where only the whole log shows it: that something is *not* there.
    pub(super) fn of_refusal(index: LeafIndex, refusal: &Refusal, ledger: &Ledger) -> Option<Self> {
        let place = |id: &LeafHash| ledger.place(id).map(u64::from);
        let context = match refusal {
            Refusal::GenesisMissing { .. }
            | Refusal::GenesisAgain { .. }
            | Refusal::GenesisIssuer { .. }
            | Refusal::GenesisKey { .. }
            | Refusal::OperatorName { .. }
            | Refusal::OperatorSelf { .. } => Vec::new(),
            Refusal::AlreadyPresent { index }
            | Refusal::IssuerRevoked { index, .. }
            | Refusal::RoleMissing { index, .. }
            | Refusal::ReferenceKind { index, .. }
            | Refusal::ReferenceExecution { index, .. }
            | Refusal::DecisionDenies { index } => vec![index.get()],
            Refusal::OutcomeAgain { outcome, .. } => vec![place(outcome)?],
            Refusal::ExecutionClosed { close, .. } => vec![place(close)?],
            Refusal::LogFull { .. } | Refusal::IssuerUnknown { .. } | Refusal::ReferenceUnresolved { .. } => {
                return None;
            }
        };
        Some(Self::Entry { index: index.get(), context, key: None })
    }

    /// The evidence, under a head that the log signed and whose root is that of the ledger.
    pub fn evidence<E: Entries>(
        &self,
        head: &SignedNote,
        ledger: &Ledger,
        entries: &E,
    ) -> Result<Evidence, AuditError<E::Error>> {
        let included = |index: u64| -> Result<Included, AuditError<E::Error>> {
            let index = LeafIndex::new(index).ok_or(AuditError::NoEvidence { index: self.index() })?;
            let bytes = known_entry(ledger, entries, index)?;
            let proof =
                ledger.tree().inclusion(index).map_err(|_| AuditError::NoEvidence { index: self.index() })?;
            Ok(Included { index, bytes, proof })
        };
        match self {
            Self::Entry { index, context, key } => {
                let mut indexes: Vec<u64> = core::iter::once(0).chain(context.iter().copied()).collect();
                indexes.push(*index);
                indexes.sort_unstable();
                indexes.dedup();
                let entries = indexes.into_iter().map(included).collect::<Result<_, _>>()?;
                let key = key.as_deref().map(|key| {
                    strict::from_base64(key)
                        .and_then(|key| PublicKey::from_bytes(&key).ok())
                        .ok_or(AuditError::NoEvidence { index: self.index() })
                });
                Ok(Evidence::Admission(AdmissionEvidence {
                    head: head.clone(),
                    entries,
                    key: key.transpose()?,
                }))
            }
            Self::Head { index, registration } => {
                let verification = included(*index)?;
                let statement = Statement::parse(&verification.bytes)
                    .map_err(|_| AuditError::NoEvidence { index: self.index() })?;
                let Payload::Verification(claim) = statement.payload() else {
                    return Err(AuditError::NoEvidence { index: self.index() });
                };
                let size = claim.checkpoint.ok_or(AuditError::NoEvidence { index: self.index() })?.size;
                let root =
                    ledger.tree().root_at(size).ok_or(AuditError::NoEvidence { index: self.index() })?;
                let proof = ledger
                    .tree()
                    .consistency(size, ledger.tree().size())
                    .map_err(|_| AuditError::NoEvidence { index: self.index() })?;
                let (head, registration) = (head.clone(), included(*registration)?);
                Ok(Evidence::ClaimedHead(ClaimedHead {
                    head,
                    registration,
                    verification,
                    prefix: Prefix { root, proof },
                }))
            }
        }
    }
}
