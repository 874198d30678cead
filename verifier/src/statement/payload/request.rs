//! What is asked, what was decided, what is allowed. The words are those of AuthZEN: subject, action, resource.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

use crate::statement::member::{FromMember, MemberError, Object};
use crate::statement::names::ExecutionId;
use crate::statement::pointer::Path;
use crate::statement::references::References;
use crate::statement::values::{FreeForm, Material, Sha256Digest};
use crate::statement::words::{DecisionCode, RefRole, Verdict};

/// A request to do something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Intent {
    /// Who wants to do it.
    pub subject: Entity,
    /// What.
    pub action: Action,
    /// To what.
    pub resource: Entity,
    /// The circumstances.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<FreeForm>,
    /// The execution that this one is a part of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<ExecutionId>,
}

impl Intent {
    pub(super) fn read(object: &mut Object<'_>) -> Result<Self, MemberError> {
        Ok(Self {
            subject: object.required("subject")?,
            action: object.required("action")?,
            resource: object.required("resource")?,
            context: object.optional("context")?,
            parent: object.optional("parent")?,
        })
    }
}

/// A subject or a resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entity {
    /// The type, such as `agent` or `file`.
    #[serde(rename = "type")]
    pub entity_type: String,
    /// The id within its type.
    pub id: String,
    /// Further properties.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub properties: Option<FreeForm>,
}

impl FromMember for Entity {
    const EXPECTED: &'static str = "an object with the members type, id and perhaps properties";

    fn from_member(value: Value, path: &Path<'_>) -> Result<Self, MemberError> {
        let mut object = Object::from_value(value, path, Self::EXPECTED)?;
        let entity = Self {
            entity_type: object.required("type")?,
            id: object.required("id")?,
            properties: object.optional("properties")?,
        };
        object.finish()?;
        Ok(entity)
    }
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Action {
    /// Its name.
    pub name: String,
    /// Its parameters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub properties: Option<FreeForm>,
}

impl FromMember for Action {
    const EXPECTED: &'static str = "an object with the members name and perhaps properties";

    fn from_member(value: Value, path: &Path<'_>) -> Result<Self, MemberError> {
        let mut object = Object::from_value(value, path, Self::EXPECTED)?;
        let action = Self { name: object.required("name")?, properties: object.optional("properties")? };
        object.finish()?;
        Ok(action)
    }
}

/// What a policy made of an intent, with what is needed to decide it again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// The verdict. It is a permit if and only if the code is `permitted`.
    pub decision: Verdict,
    /// The reason for it.
    pub code: DecisionCode,
    /// The ids of the policies that determined it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasons: Option<BTreeSet<String>>,
    /// The ids of the policies that could not be evaluated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errors: Option<BTreeSet<String>>,
    /// The entities that the policies were evaluated over, in the engine's own JSON form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entities: Option<Material<Vec<Value>>>,
    /// The circumstances as the authority fixed them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<FreeForm>,
    /// What evaluated them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub engine: Option<EngineVersion>,
}

impl Decision {
    pub(super) fn read(object: &mut Object<'_>, references: &References) -> Result<Self, MemberError> {
        let decision = Self {
            decision: object.required("decision")?,
            code: object.required("code")?,
            reasons: object.optional("reasons")?,
            errors: object.optional("errors")?,
            entities: object.optional("entities")?,
            context: object.optional("context")?,
            engine: object.optional("engine")?,
        };
        if (decision.decision == Verdict::Permit) != (decision.code == DecisionCode::Permitted) {
            return Err(object.contradiction(
                "code",
                decision.code.as_str(),
                "permitted with permit, and only with it",
            ));
        }
        references.require(RefRole::Intent)?;
        references.require(RefRole::Policy)?;
        Ok(decision)
    }
}

/// The policy engine by which a decision was made: with another version, a replay may differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EngineVersion {
    /// Its name, such as `cedar`.
    pub name: String,
    /// The version of the library.
    pub sdk: String,
    /// The version of the policy language.
    pub language: String,
}

impl FromMember for EngineVersion {
    const EXPECTED: &'static str = "an object with the members name, sdk and language";

    fn from_member(value: Value, path: &Path<'_>) -> Result<Self, MemberError> {
        let mut object = Object::from_value(value, path, Self::EXPECTED)?;
        let engine = Self {
            name: object.required("name")?,
            sdk: object.required("sdk")?,
            language: object.required("language")?,
        };
        object.finish()?;
        Ok(engine)
    }
}

/// The permission to do one thing, for the enforcer and the window in the statement's claims.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Authorization {
    /// Who may do it.
    pub subject: Entity,
    /// What.
    pub action: Action,
    /// To what.
    pub resource: Entity,
    /// The digest of exactly what may be executed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action_digest: Option<Sha256Digest>,
    /// Limits that the enforcer has to hold it to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub constraints: Option<FreeForm>,
}

impl Authorization {
    pub(super) fn read(object: &mut Object<'_>) -> Result<Self, MemberError> {
        Ok(Self {
            subject: object.required("subject")?,
            action: object.required("action")?,
            resource: object.required("resource")?,
            action_digest: object.optional("action_digest")?,
            constraints: object.optional("constraints")?,
        })
    }
}
