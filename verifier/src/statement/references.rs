//! References: how a statement names the earlier entries it stands on.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::member::{FromMember, MemberError};
use super::pointer::{Path, Pointer};
use super::words::{Kind, RefRole};
use crate::merkle::LeafHash;

/// The earlier entries that a statement names, by role. That they exist, only the log can tell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct References(BTreeMap<RefRole, LeafHash>);

impl References {
    /// The entry named in a role.
    pub fn get(&self, role: RefRole) -> Option<LeafHash> {
        self.0.get(&role).copied()
    }

    /// All of them, in the order of [`RefRole::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = (RefRole, LeafHash)> + '_ {
        self.0.iter().map(|(role, entry)| (*role, *entry))
    }

    /// Whether none is named.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As the payload's member `refs`.
    pub(super) fn to_json(&self) -> Map<String, Value> {
        self.iter().map(|(role, entry)| (role.to_string(), entry.to_string().into())).collect()
    }

    /// Reads the member `refs`, in roles that the kind has. Whether a role is required, the payload knows.
    pub(super) fn read(kind: Kind, members: Map<String, Value>) -> Result<Self, MemberError> {
        let refs = Path::Member(&Path::Root, MEMBER);
        let mut entries = BTreeMap::new();
        for (name, value) in members {
            let path = Path::Member(&refs, &name);
            let role = name.parse().ok().filter(|role| allowed(kind).contains(role));
            let role = role.ok_or_else(|| MemberError::UnknownReference { pointer: path.pointer() })?;
            entries.insert(role, LeafHash::from_member(value, &path)?);
        }
        Ok(Self(entries))
    }

    /// Refuses when no entry is named in a role that has to be.
    pub(super) fn require(&self, role: RefRole) -> Result<(), MemberError> {
        if self.0.contains_key(&role) {
            return Ok(());
        }
        Err(MemberError::MissingReference { pointer: Pointer::to_reference(role) })
    }
}

impl FromIterator<(RefRole, LeafHash)> for References {
    fn from_iter<I: IntoIterator<Item = (RefRole, LeafHash)>>(entries: I) -> Self {
        Self(entries.into_iter().collect())
    }
}

/// The payload's member that holds the references.
pub(super) const MEMBER: &str = "refs";

/// The roles in which a kind of statement refers to others.
const fn allowed(kind: Kind) -> &'static [RefRole] {
    match kind {
        Kind::Genesis | Kind::Issuer | Kind::Intent => &[],
        Kind::Policy => &[RefRole::Replaces],
        Kind::Decision => &[RefRole::Intent, RefRole::Policy],
        Kind::Authorization => &[RefRole::Intent, RefRole::Decision, RefRole::Policy],
        Kind::Verification => &[RefRole::Authorization, RefRole::Intent],
        Kind::Outcome => &[RefRole::Authorization, RefRole::Verification, RefRole::Decision, RefRole::Intent],
        Kind::Enforcement => &[RefRole::Target],
        Kind::Close => &[RefRole::Outcome],
    }
}
