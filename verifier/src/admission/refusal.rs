//! Why a statement may not enter the log.

use crate::merkle::{LeafHash, LeafIndex, TreeSize};
use crate::statement::{ExecutionId, IssuerName, KeyThumbprint, Kind, Pointer, RefRole};

/// Why a statement may not enter the log. It changed nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The log has no genesis yet.
    #[error("the log is empty and the statement is of kind {found}, expected genesis as entry 0")]
    GenesisMissing {
        /// The kind of the statement.
        found: Kind,
    },
    /// The log has a genesis already.
    #[error("the statement is a genesis and the log has {size} entries, expected none before it")]
    GenesisAgain {
        /// How many entries the log has.
        size: TreeSize,
    },
    /// The genesis was not issued in the operator's name.
    #[error("the genesis is issued by {found}, expected the issuer name {}", IssuerName::OPERATOR)]
    GenesisIssuer {
        /// The `iss` of the genesis.
        found: IssuerName,
    },
    /// The genesis was not signed by the operator that it names.
    #[error("the genesis is signed by the key {found}, expected {expected}, the operator's that it names")]
    GenesisKey {
        /// The `kid` of the genesis.
        found: KeyThumbprint,
        /// The thumbprint of the operator's key in its payload.
        expected: KeyThumbprint,
    },
    /// The same bytes are in the log already.
    #[error("the statement is entry {index} already, expected each statement once")]
    AlreadyPresent {
        /// Where it is.
        index: LeafIndex,
    },
    /// The log is as large as a log can be.
    #[error("the log has {size} entries, and no tree has more")]
    LogFull {
        /// How many entries the log has.
        size: TreeSize,
    },
    /// No such key was ever registered under the issuer's name.
    #[error(
        "the issuer {name} is not registered with the key {key}, expected a registration earlier in the log"
    )]
    IssuerUnknown {
        /// The `iss`.
        name: IssuerName,
        /// The `kid`.
        key: KeyThumbprint,
    },
    /// The issuer's key was revoked.
    #[error("the key {key} of the issuer {name} was revoked by entry {index}, expected an active key")]
    IssuerRevoked {
        /// The `iss`.
        name: IssuerName,
        /// The `kid`.
        key: KeyThumbprint,
        /// The entry that revoked it.
        index: LeafIndex,
    },
    /// The issuer's key may not sign statements of this kind.
    #[error(
        "the issuer {name} may not sign statements of kind {kind} by entry {index}, expected the role {expected}"
    )]
    RoleMissing {
        /// The `iss`.
        name: IssuerName,
        /// The kind of the statement.
        kind: Kind,
        /// The role or roles of which one is needed.
        expected: &'static str,
        /// The entry that registered the key.
        index: LeafIndex,
    },
    /// The role of operator was to be given to another name.
    #[error("the role operator is given to {found}, expected no name but {}", IssuerName::OPERATOR)]
    OperatorName {
        /// The name registered.
        found: IssuerName,
    },
    /// An operator's key was to revoke itself, or to give up its role.
    #[error(
        "the operator's key {key} takes the role operator from itself, expected another operator's key to do it"
    )]
    OperatorSelf {
        /// The key.
        key: KeyThumbprint,
    },
    /// A reference to an entry that the log does not have.
    #[error("{role} refers to {entry}, which is not in the log, expected an earlier entry")]
    ReferenceUnresolved {
        /// The role of the reference.
        role: RefRole,
        /// The entry that it names.
        entry: LeafHash,
    },
    /// A reference to an entry of another kind.
    #[error("{role} refers to entry {index} of kind {found}, expected kind {expected}")]
    ReferenceKind {
        /// The role of the reference.
        role: RefRole,
        /// The entry that it names.
        index: LeafIndex,
        /// The kind of that entry.
        found: Kind,
        /// The kind that the role asks for.
        expected: Kind,
    },
    /// A reference to an entry of another execution.
    #[error("{role} refers to entry {index} of {}, expected one of {expected}", Owner(found.as_ref()))]
    ReferenceExecution {
        /// The role of the reference.
        role: RefRole,
        /// The entry that it names.
        index: LeafIndex,
        /// The execution of that entry, if it has one.
        found: Option<ExecutionId>,
        /// The execution of the statement.
        expected: ExecutionId,
    },
    /// An authorization that stands on a denial.
    #[error("decision refers to entry {index}, which denies, expected a permit")]
    DecisionDenies {
        /// The decision.
        index: LeafIndex,
    },
    /// A second outcome for one authorization.
    #[error("the authorization {authorization} has the outcome {outcome} already, expected one at most")]
    OutcomeAgain {
        /// The authorization.
        authorization: LeafHash,
        /// The outcome that it has.
        outcome: LeafHash,
    },
    /// The execution is closed.
    #[error(
        "the execution {execution} was closed by {close}, expected no statement after that but enforcement"
    )]
    ExecutionClosed {
        /// The execution.
        execution: ExecutionId,
        /// The entry that closed it.
        close: LeafHash,
    },
}

impl Refusal {
    /// The stable problem code, a key of [`PROBLEMS`](super::PROBLEMS).
    pub const fn code(&self) -> &'static str {
        match self {
            Self::GenesisMissing { .. } => "genesis-missing",
            Self::GenesisAgain { .. } => "genesis-again",
            Self::GenesisIssuer { .. } | Self::GenesisKey { .. } => "genesis-not-by-operator",
            Self::AlreadyPresent { .. } => "already-present",
            Self::LogFull { .. } => "log-full",
            Self::IssuerUnknown { .. } => "issuer-not-registered",
            Self::IssuerRevoked { .. } => "issuer-revoked",
            Self::RoleMissing { .. } => "role-missing",
            Self::OperatorName { .. } => "operator-name",
            Self::OperatorSelf { .. } => "operator-self",
            Self::ReferenceUnresolved { .. } => "reference-unresolved",
            Self::ReferenceKind { .. } => "reference-kind",
            Self::ReferenceExecution { .. } => "reference-execution",
            Self::DecisionDenies { .. } => "decision-denies",
            Self::OutcomeAgain { .. } => "outcome-again",
            Self::ExecutionClosed { .. } => "execution-closed",
        }
    }

    /// The member of the payload at fault, if one is.
    pub fn pointer(&self) -> Option<Pointer> {
        match self {
            Self::ReferenceUnresolved { role, .. }
            | Self::ReferenceKind { role, .. }
            | Self::ReferenceExecution { role, .. } => Some(Pointer::to_reference(*role)),
            Self::DecisionDenies { .. } => Some(Pointer::to_reference(RefRole::Decision)),
            Self::OutcomeAgain { .. } => Some(Pointer::to_reference(RefRole::Authorization)),
            Self::GenesisKey { .. } => Some(Pointer::to(&["operator", "public_key"])),
            Self::OperatorName { .. } | Self::OperatorSelf { .. } => Some(Pointer::to(&["roles"])),
            Self::GenesisMissing { .. }
            | Self::GenesisAgain { .. }
            | Self::GenesisIssuer { .. }
            | Self::AlreadyPresent { .. }
            | Self::LogFull { .. }
            | Self::IssuerUnknown { .. }
            | Self::IssuerRevoked { .. }
            | Self::RoleMissing { .. }
            | Self::ExecutionClosed { .. } => None,
        }
    }
}

/// Names whatever an entry belongs to.
struct Owner<'a>(Option<&'a ExecutionId>);

impl core::fmt::Display for Owner<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self.0 {
            Some(execution) => write!(f, "the execution {execution}"),
            None => f.write_str("no execution"),
        }
    }
}
