//! What the log itself stands on: its founding, its issuers, its policies.

use serde::Serialize;
use serde_json::Value;

use crate::checkpoint::Origin;
use crate::ed25519::PublicKey;
use crate::statement::member::{FromMember, MemberError, Object, invalid};
use crate::statement::names::{IssuerName, PolicyName};
use crate::statement::pointer::Path;
use crate::statement::values::{Material, key_as_base64, origin_as_text};
use crate::statement::words::{IssuerStatus, PolicyEngine, Role, Rules};

/// The founding of a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Genesis {
    /// The log's name, which is its key's name and the first line of its checkpoints.
    #[serde(serialize_with = "origin_as_text")]
    pub origin: Origin,
    /// Who registers issuers.
    pub operator: Operator,
    /// The admission rules.
    pub rules: Rules,
}

impl Genesis {
    pub(super) fn read(object: &mut Object<'_>) -> Result<Self, MemberError> {
        Ok(Self {
            origin: object.required("origin")?,
            operator: object.required("operator")?,
            rules: object.required("rules")?,
        })
    }
}

/// The operator of a log, as its genesis names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Operator {
    /// The key that signs the genesis, and with it the first registrations.
    #[serde(serialize_with = "key_as_base64")]
    pub public_key: PublicKey,
}

impl FromMember for Operator {
    const EXPECTED: &'static str = "an object with the one member public_key";

    fn from_member(value: Value, path: &Path<'_>) -> Result<Self, MemberError> {
        let mut object = Object::from_value(value, path, Self::EXPECTED)?;
        let operator = Self { public_key: object.required("public_key")? };
        object.finish()?;
        Ok(operator)
    }
}

/// The registration of an issuer's key. The newest one for the same name and key rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Issuer {
    /// The name that the issuer's statements carry as `iss`.
    pub name: IssuerName,
    /// The key that signs them.
    #[serde(serialize_with = "key_as_base64")]
    pub public_key: PublicKey,
    /// What the key may sign. May be empty.
    pub roles: Roles,
    /// Whether it still may.
    pub status: IssuerStatus,
    /// Anything worth knowing about the change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl Issuer {
    pub(super) fn read(object: &mut Object<'_>) -> Result<Self, MemberError> {
        Ok(Self {
            name: object.required("name")?,
            public_key: object.required("public_key")?,
            roles: object.required("roles")?,
            status: object.required("status")?,
            note: object.optional("note")?,
        })
    }
}

/// Roles in the order in which they were stated, each at most once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Roles(Vec<Role>);

impl Roles {
    /// Whether the role is among them.
    pub fn contains(&self, role: Role) -> bool {
        self.0.contains(&role)
    }

    /// The roles.
    pub fn iter(&self) -> impl Iterator<Item = Role> + '_ {
        self.0.iter().copied()
    }
}

impl FromIterator<Role> for Roles {
    /// Keeps the first of every role.
    fn from_iter<I: IntoIterator<Item = Role>>(roles: I) -> Self {
        let mut kept = Vec::new();
        for role in roles {
            if !kept.contains(&role) {
                kept.push(role);
            }
        }
        Self(kept)
    }
}

impl FromMember for Roles {
    const EXPECTED: &'static str =
        "an array of operator, author, requester, authority, enforcer and overseer, each at most once";

    fn from_member(value: Value, path: &Path<'_>) -> Result<Self, MemberError> {
        let refused = invalid(&value, path, Self::EXPECTED);
        let stated = Vec::<Role>::from_member(value, path)?;
        let count = stated.len();
        let roles: Self = stated.into_iter().collect();
        if roles.0.len() == count { Ok(roles) } else { Err(refused) }
    }
}

/// A policy bundle, complete.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Policy {
    /// The name that it keeps through its versions.
    pub name: PolicyName,
    /// The version, in the author's own counting.
    pub version: String,
    /// The engine it is written for.
    pub engine: PolicyEngine,
    /// The policies, at least one, their ids all different.
    pub policies: Vec<PolicyText>,
    /// The schema of requests and entities, in the engine's own notation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schema: Option<Material<String>>,
}

impl Policy {
    pub(super) fn read(object: &mut Object<'_>) -> Result<Self, MemberError> {
        Ok(Self {
            name: object.required("name")?,
            version: object.required("version")?,
            engine: object.required("engine")?,
            policies: object.required::<PolicyTexts>("policies")?.0,
            schema: object.optional("schema")?,
        })
    }
}

/// One policy of a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PolicyText {
    /// The id by which decisions cite it.
    pub id: String,
    /// The policy, in the engine's own notation.
    pub text: Material<String>,
}

impl FromMember for PolicyText {
    const EXPECTED: &'static str = "an object with the members id and text";

    fn from_member(value: Value, path: &Path<'_>) -> Result<Self, MemberError> {
        let mut object = Object::from_value(value, path, Self::EXPECTED)?;
        let policy = Self { id: object.required("id")?, text: object.required("text")? };
        object.finish()?;
        Ok(policy)
    }
}

/// Policies of which there is at least one, and no two with the same id.
struct PolicyTexts(Vec<PolicyText>);

impl FromMember for PolicyTexts {
    const EXPECTED: &'static str = "an array of at least one policy, no two with the same id";

    fn from_member(value: Value, path: &Path<'_>) -> Result<Self, MemberError> {
        let refused = invalid(&value, path, Self::EXPECTED);
        let policies = Vec::<PolicyText>::from_member(value, path)?;
        let mut ids: Vec<&str> = policies.iter().map(|policy| policy.id.as_str()).collect();
        ids.sort_unstable();
        if policies.is_empty() || !ids.is_sorted_by(|left, right| left < right) {
            return Err(refused);
        }
        Ok(Self(policies))
    }
}
