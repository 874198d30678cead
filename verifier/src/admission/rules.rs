//! The rules themselves.

use super::refusal::Refusal;
use super::state::{Effects, EntryFacts, IssuerKey, IssuerRecord, State};
use crate::ed25519::PublicKey;
use crate::merkle::{LeafHash, LeafIndex};
use crate::statement::payload::{Genesis, Issuer, Payload};
use crate::statement::{
    ExecutionId, IssuerStatus, KeyThumbprint, Kind, RefRole, Role, Statement, Verdict, VerifiedStatement,
};

/// Why there is no admission.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AdmitError<E> {
    /// The statement breaks a rule.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The state could not be read, so nothing is known about the statement.
    #[error("the state of the log could not be read")]
    State(#[source] E),
}

/// A statement that may enter the log as its next entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admitted {
    /// The index that it gets.
    pub index: LeafIndex,
    /// What has to be applied together with it.
    pub effects: Effects,
}

/// Says whether a statement may enter the log as its next entry, by the rules `countersign/1`.
///
/// A success says that every rule holds over the state given. It appends nothing: the caller applies the effects
/// together with the entry, and asks again for the next statement.
pub fn admit<S: State>(state: &S, statement: &VerifiedStatement) -> Result<Admitted, AdmitError<S::Error>> {
    check(state, statement.entry_id(), statement.statement())
}

/// The rules, which do not look at the signature: it was checked, or is beside the point.
pub(crate) fn check<S: State>(
    state: &S,
    entry: LeafHash,
    statement: &Statement,
) -> Result<Admitted, AdmitError<S::Error>> {
    let size = state.size().map_err(AdmitError::State)?;
    let index = size.next_index().ok_or(Refusal::LogFull { size })?;
    if let Some(present) = state.entry(&entry).map_err(AdmitError::State)? {
        return Err(Refusal::AlreadyPresent { index: present.index }.into());
    }
    if let Payload::Genesis(genesis) = statement.payload() {
        if !size.is_empty() {
            return Err(Refusal::GenesisAgain { size }.into());
        }
        check_founder(statement, genesis)?;
        return Ok(Admitted { index, effects: Effects::of(statement, entry, index) });
    }
    if size.is_empty() {
        return Err(Refusal::GenesisMissing { found: statement.kind() }.into());
    }
    check_issuer(state, statement)?;
    check_open(state, statement)?;
    let references = resolve(state, statement)?;
    match statement.payload() {
        Payload::Issuer(issuer) => check_registration(statement, issuer)?,
        Payload::Authorization(_) => check_permit(&references)?,
        Payload::Outcome(_) => check_first_outcome(state, statement)?,
        Payload::Genesis(_)
        | Payload::Policy(_)
        | Payload::Intent(_)
        | Payload::Decision(_)
        | Payload::Verification(_)
        | Payload::Enforcement(_)
        | Payload::Close(_) => {}
    }
    Ok(Admitted { index, effects: Effects::of(statement, entry, index) })
}

/// The key under which a statement's signature has to hold: the one registered for its `iss` and `kid`, or, for the
/// first entry of a log, the operator's key that a genesis brings with it.
///
/// A success says that the key was registered, not that it may sign this statement: that is for [`admit`].
pub fn signing_key<S: State>(state: &S, statement: &Statement) -> Result<PublicKey, AdmitError<S::Error>> {
    if let Payload::Genesis(genesis) = statement.payload() {
        return Ok(genesis.operator.public_key);
    }
    Ok(registration(state, statement)?.public_key)
}

/// A genesis is signed by the operator that it names.
fn check_founder(statement: &Statement, genesis: &Genesis) -> Result<(), Refusal> {
    let issuer = &statement.claims().issuer;
    if !issuer.is_operator() {
        return Err(Refusal::GenesisIssuer { found: issuer.clone() });
    }
    let (found, expected) = (statement.kid(), KeyThumbprint::of(&genesis.operator.public_key));
    if found != expected {
        return Err(Refusal::GenesisKey { found, expected });
    }
    Ok(())
}

/// The registration of the key that signed the statement.
fn registration<S: State>(state: &S, statement: &Statement) -> Result<IssuerRecord, AdmitError<S::Error>> {
    let issuer = IssuerKey { name: statement.claims().issuer.clone(), key: statement.kid() };
    let record = state.issuer(&issuer).map_err(AdmitError::State)?;
    Ok(record.ok_or(Refusal::IssuerUnknown { name: issuer.name, key: issuer.key })?)
}

/// The issuer is active and holds a role for the kind.
fn check_issuer<S: State>(state: &S, statement: &Statement) -> Result<(), AdmitError<S::Error>> {
    let IssuerRecord { roles, status, index, .. } = registration(state, statement)?;
    let (name, kind) = (|| statement.claims().issuer.clone(), statement.kind());
    if status == IssuerStatus::Revoked {
        return Err(Refusal::IssuerRevoked { name: name(), key: statement.kid(), index }.into());
    }
    let (accepted, expected) = signers(kind);
    if accepted.iter().any(|role| roles.contains(*role)) {
        return Ok(());
    }
    Err(Refusal::RoleMissing { name: name(), kind, expected, index }.into())
}

/// The roles of which a signer of this kind has to hold one, also in words.
const fn signers(kind: Kind) -> (&'static [Role], &'static str) {
    match kind {
        Kind::Genesis | Kind::Issuer => (&[Role::Operator], "operator"),
        Kind::Policy => (&[Role::Operator, Role::Author], "operator or author"),
        Kind::Intent => (&[Role::Requester], "requester"),
        Kind::Decision | Kind::Authorization => (&[Role::Authority], "authority"),
        Kind::Verification | Kind::Outcome | Kind::Close => (&[Role::Enforcer], "enforcer"),
        Kind::Enforcement => (&[Role::Overseer], "overseer"),
    }
}

/// Nothing but enforcement follows the close of an execution.
fn check_open<S: State>(state: &S, statement: &Statement) -> Result<(), AdmitError<S::Error>> {
    let Some(execution) = statement.execution().filter(|_| statement.kind() != Kind::Enforcement) else {
        return Ok(());
    };
    match state.close_of(execution).map_err(AdmitError::State)? {
        None => Ok(()),
        Some(close) => Err(Refusal::ExecutionClosed { execution: execution.clone(), close }.into()),
    }
}

/// Every reference names an earlier entry of the kind and the execution that its role asks for.
fn resolve<S: State>(
    state: &S,
    statement: &Statement,
) -> Result<Vec<(RefRole, EntryFacts)>, AdmitError<S::Error>> {
    let mut resolved = Vec::new();
    for (role, entry) in statement.references().iter() {
        let facts = state.entry(&entry).map_err(AdmitError::State)?;
        let facts = facts.ok_or(Refusal::ReferenceUnresolved { role, entry })?;
        check_reference(role, &facts, statement.execution())?;
        resolved.push((role, facts));
    }
    Ok(resolved)
}

fn check_reference(
    role: RefRole,
    facts: &EntryFacts,
    execution: Option<&ExecutionId>,
) -> Result<(), Refusal> {
    let EntryFacts { index, kind, execution: ref owner, .. } = *facts;
    if let Some(expected) = role.kind()
        && kind != expected
    {
        return Err(Refusal::ReferenceKind { role, index, found: kind, expected });
    }
    // Policies belong to no execution and may be cited from any.
    let Some(expected) = execution.filter(|_| role != RefRole::Policy) else { return Ok(()) };
    if owner.as_ref() == Some(expected) {
        return Ok(());
    }
    Err(Refusal::ReferenceExecution { role, index, found: owner.clone(), expected: expected.clone() })
}

/// Only an operator's name holds the role of operator, and no operator's key takes it from itself: so a log never
/// loses its last operator.
fn check_registration(statement: &Statement, issuer: &Issuer) -> Result<(), Refusal> {
    let Issuer { name, public_key, roles, status, note: _ } = issuer;
    let key = KeyThumbprint::of(public_key);
    let operates = roles.contains(Role::Operator);
    if operates && !name.is_operator() {
        return Err(Refusal::OperatorName { found: name.clone() });
    }
    let of_itself = *name == statement.claims().issuer && key == statement.kid();
    if of_itself && !(operates && *status == IssuerStatus::Active) {
        return Err(Refusal::OperatorSelf { key });
    }
    Ok(())
}

/// An authorization that names a decision names a permit.
fn check_permit(references: &[(RefRole, EntryFacts)]) -> Result<(), Refusal> {
    match references.iter().find(|(role, _)| *role == RefRole::Decision) {
        Some((_, facts)) if facts.verdict != Some(Verdict::Permit) => {
            Err(Refusal::DecisionDenies { index: facts.index })
        }
        _ => Ok(()),
    }
}

/// An authorization has one outcome at most. That an outcome which says that something ran names one, its being
/// well-formed says; that the one it names is in the log, its references have shown.
fn check_first_outcome<S: State>(state: &S, statement: &Statement) -> Result<(), AdmitError<S::Error>> {
    let Some(authorization) = statement.references().get(RefRole::Authorization) else { return Ok(()) };
    match state.outcome_of(&authorization).map_err(AdmitError::State)? {
        None => Ok(()),
        Some(outcome) => Err(Refusal::OutcomeAgain { authorization, outcome }.into()),
    }
}
