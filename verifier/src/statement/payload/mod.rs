//! Payloads: what each kind of statement says.
//!
//! Every struct is one kind's payload without its `refs`. Reading refuses members that the kind does not have.

mod execution;
mod registry;
mod request;

use serde_json::{Map, Value};

pub use execution::{Close, Enforcement, Head, Outcome, Verification};
pub use registry::{Genesis, Issuer, Operator, Policy, PolicyText, Roles};
pub use request::{Action, Authorization, Decision, EngineVersion, Entity, Intent};

use super::claims::Subject;
use super::json::JsonError;
use super::member::{MemberError, Object};
use super::pointer::Path;
use super::references::{self, References};
use super::words::Kind;

/// A payload, without its references.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(untagged)]
pub enum Payload {
    /// Founds the log.
    Genesis(Genesis),
    /// Registers, changes or revokes an issuer's key.
    Issuer(Issuer),
    /// Publishes a policy bundle.
    Policy(Policy),
    /// Asks to do something.
    Intent(Intent),
    /// Says what a policy made of an intent.
    Decision(Decision),
    /// Allows something.
    Authorization(Authorization),
    /// Says whether an authorization held.
    Verification(Verification),
    /// Says what became of an execution.
    Outcome(Outcome),
    /// Steps in.
    Enforcement(Enforcement),
    /// Ends an execution.
    Close(Close),
}

impl Payload {
    /// The kind of statement that carries this payload.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Genesis(_) => Kind::Genesis,
            Self::Issuer(_) => Kind::Issuer,
            Self::Policy(_) => Kind::Policy,
            Self::Intent(_) => Kind::Intent,
            Self::Decision(_) => Kind::Decision,
            Self::Authorization(_) => Kind::Authorization,
            Self::Verification(_) => Kind::Verification,
            Self::Outcome(_) => Kind::Outcome,
            Self::Enforcement(_) => Kind::Enforcement,
            Self::Close(_) => Kind::Close,
        }
    }

    /// What the statement's `sub` has to be, for the kinds whose payload says so. The others are about an
    /// execution, and nothing but `sub` names it.
    pub fn subject(&self) -> Option<Subject> {
        match self {
            Self::Genesis(genesis) => Some(Subject::Log(genesis.origin.clone())),
            Self::Issuer(issuer) => Some(Subject::Issuer(issuer.name.clone())),
            Self::Policy(policy) => Some(Subject::Policy(policy.name.clone())),
            Self::Intent(_)
            | Self::Decision(_)
            | Self::Authorization(_)
            | Self::Verification(_)
            | Self::Outcome(_)
            | Self::Enforcement(_)
            | Self::Close(_) => None,
        }
    }

    /// The payload as JSON, `refs` included.
    pub(super) fn to_json(&self, references: &References) -> Result<Map<String, Value>, JsonError> {
        let Ok(Value::Object(mut members)) = serde_json::to_value(self) else {
            return Err(JsonError::NoCanonicalForm);
        };
        if !references.is_empty() {
            members.insert(references::MEMBER.to_owned(), Value::Object(references.to_json()));
        }
        Ok(members)
    }

    /// Reads the payload of a statement of the given kind.
    pub(super) fn read(kind: Kind, members: Map<String, Value>) -> Result<(Self, References), MemberError> {
        let mut object = Object::new(members, &Path::Root);
        let refs = object.optional::<Map<String, Value>>(references::MEMBER)?.unwrap_or_default();
        let references = References::read(kind, refs)?;
        let payload = match kind {
            Kind::Genesis => Self::Genesis(Genesis::read(&mut object)?),
            Kind::Issuer => Self::Issuer(Issuer::read(&mut object)?),
            Kind::Policy => Self::Policy(Policy::read(&mut object)?),
            Kind::Intent => Self::Intent(Intent::read(&mut object)?),
            Kind::Decision => Self::Decision(Decision::read(&mut object, &references)?),
            Kind::Authorization => Self::Authorization(Authorization::read(&mut object)?),
            Kind::Verification => Self::Verification(Verification::read(&mut object, &references)?),
            Kind::Outcome => Self::Outcome(Outcome::read(&mut object, &references)?),
            Kind::Enforcement => Self::Enforcement(Enforcement::read(&mut object, &references)?),
            Kind::Close => Self::Close(Close::read(&mut object)?),
        };
        object.finish()?;
        Ok((payload, references))
    }
}
