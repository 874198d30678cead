//! What the rules need to know of the entries before, and what an entry adds to it.

use crate::ed25519::PublicKey;
use crate::merkle::{LeafHash, LeafIndex, TreeSize};
use crate::statement::payload::{Issuer, Payload, Roles};
use crate::statement::{
    ExecutionId, IssuerName, IssuerStatus, KeyThumbprint, Kind, RefRole, Role, Statement, Verdict,
};

/// The log as the rules see it: what follows from the entries admitted so far, and from nothing else.
///
/// An implementation answers as of one moment. The log's, which holds a batch that is not written yet, counts that
/// batch in.
pub trait State {
    /// Why the state could not be read.
    type Error;

    /// How many entries were admitted.
    fn size(&self) -> Result<TreeSize, Self::Error>;

    /// The newest registration of a key under a name.
    fn issuer(&self, issuer: &IssuerKey) -> Result<Option<IssuerRecord>, Self::Error>;

    /// What the rules remember of an entry.
    fn entry(&self, entry: &LeafHash) -> Result<Option<EntryFacts>, Self::Error>;

    /// The outcome that names an authorization.
    fn outcome_of(&self, authorization: &LeafHash) -> Result<Option<LeafHash>, Self::Error>;

    /// The entry that closed an execution.
    fn close_of(&self, execution: &ExecutionId) -> Result<Option<LeafHash>, Self::Error>;
}

/// What issuers are registered by: a name and a key. A name may have several keys, so that keys can be changed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IssuerKey {
    /// The `iss` of the statements.
    pub name: IssuerName,
    /// Their `kid`.
    pub key: KeyThumbprint,
}

/// The key that a statement registers, revokes or changes: the one that an issuer statement is about, or the operator's
/// that a genesis names.
pub fn registered(statement: &Statement) -> Option<IssuerKey> {
    let (name, key) = match statement.payload() {
        Payload::Genesis(genesis) => (&statement.claims().issuer, &genesis.operator.public_key),
        Payload::Issuer(issuer) => (&issuer.name, &issuer.public_key),
        _ => return None,
    };
    Some(IssuerKey { name: name.clone(), key: KeyThumbprint::of(key) })
}

/// A registration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuerRecord {
    /// The key itself, by which signatures are checked.
    pub public_key: PublicKey,
    /// What the key may sign while it is active.
    pub roles: Roles,
    /// Whether it is.
    pub status: IssuerStatus,
    /// The entry that says so.
    pub index: LeafIndex,
}

/// What the rules remember of every entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryFacts {
    /// Where it is.
    pub index: LeafIndex,
    /// What it is.
    pub kind: Kind,
    /// The execution it belongs to, if it belongs to one.
    pub execution: Option<ExecutionId>,
    /// What it decided, if it is a decision.
    pub verdict: Option<Verdict>,
}

/// What admitting an entry adds to the state: all of it together with the entry itself, or none of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effects {
    /// The entry and what is to be remembered of it.
    pub entry: (LeafHash, EntryFacts),
    /// The registration that it makes or replaces.
    pub issuer: Option<(IssuerKey, IssuerRecord)>,
    /// The authorization of which the entry is the outcome.
    pub outcome_of: Option<LeafHash>,
    /// The execution that the entry closes.
    pub closes: Option<ExecutionId>,
}

impl Effects {
    /// What the entry `id` at `index` adds if it is admitted. Whether it is, [`admit`](super::admit) says.
    pub fn of(statement: &Statement, id: LeafHash, index: LeafIndex) -> Self {
        let execution = statement.execution().cloned();
        let facts = EntryFacts { index, kind: statement.kind(), execution, verdict: None };
        let mut effects = Self { entry: (id, facts), issuer: None, outcome_of: None, closes: None };
        let register = |public_key: &PublicKey, roles: Roles, status| {
            let record = IssuerRecord { public_key: *public_key, roles, status, index };
            registered(statement).map(|issuer| (issuer, record))
        };
        match statement.payload() {
            Payload::Genesis(genesis) => {
                let operator = core::iter::once(Role::Operator).collect();
                effects.issuer = register(&genesis.operator.public_key, operator, IssuerStatus::Active);
            }
            Payload::Issuer(Issuer { public_key, roles, status, .. }) => {
                effects.issuer = register(public_key, roles.clone(), *status);
            }
            Payload::Decision(decision) => effects.entry.1.verdict = Some(decision.decision),
            Payload::Outcome(_) => effects.outcome_of = statement.references().get(RefRole::Authorization),
            Payload::Close(_) => effects.closes = statement.execution().cloned(),
            Payload::Policy(_)
            | Payload::Intent(_)
            | Payload::Authorization(_)
            | Payload::Verification(_)
            | Payload::Enforcement(_) => {}
        }
        effects
    }
}
