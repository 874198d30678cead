//! Whether what is about to happen is what is authorized.

use countersign_verifier::statement::Material;
use countersign_verifier::statement::payload::{Authorization, Entity};
use serde_json::{Map, Value};

use super::{Attempt, Denial};
use crate::client::Wait;
use crate::exact::Exact;

/// The constraint that the authorization is good for so many uses. Only 1 can be held.
const USES: &str = "uses";
/// The constraint on what the head needs.
const MODE: &str = "mode";

/// What the gate's own authorizations are constrained by.
pub fn constraints(wait: Wait) -> Map<String, Value> {
    [(USES.to_owned(), Value::from(1)), (MODE.to_owned(), wait.as_str().into())].into_iter().collect()
}

pub(super) fn check<T: Exact>(
    permission: &Authorization,
    attempt: &Attempt<T>,
    wait: Wait,
) -> Result<(), Denial> {
    let expected = attempt.exact.digest();
    if permission.action_digest != Some(expected) {
        let found = permission.action_digest.map(|digest| hex::encode(digest.as_bytes()));
        return Err(Denial::OtherAction { found, expected: hex::encode(expected.as_bytes()) });
    }
    let is =
        |entity: &Entity, entity_type: &str, id: &str| entity.entity_type == entity_type && entity.id == id;
    let Attempt { subject, exact, .. } = attempt;
    if !is(&permission.subject, &subject.entity_type, &subject.id) {
        return Err(Denial::OtherScope { member: "subject" });
    }
    if permission.action.name != T::ACTION {
        return Err(Denial::OtherScope { member: "action" });
    }
    if !is(&permission.resource, T::RESOURCE_TYPE, exact.resource()) {
        return Err(Denial::OtherScope { member: "resource" });
    }
    match &permission.constraints {
        None => Ok(()),
        Some(Material::Disclosed(constraints)) => {
            constraints.iter().try_for_each(|(name, value)| constraint(name, value, wait))
        }
        Some(Material::Withheld(_)) => Err(Denial::Constraint("withheld".to_owned())),
    }
}

fn constraint(name: &str, value: &Value, wait: Wait) -> Result<(), Denial> {
    match (name, value.as_str().map(str::parse::<Wait>)) {
        (USES, _) if value.as_u64() == Some(1) => Ok(()),
        (MODE, Some(Ok(Wait::Cosigned))) if wait != Wait::Cosigned => Err(Denial::QuorumAskedFor),
        (MODE, Some(Ok(_))) => Ok(()),
        _ => Err(Denial::Constraint(name.to_owned())),
    }
}
