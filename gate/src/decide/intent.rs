//! The intent that a decision is about: one that the caller has stated, or one that is stated here.

use std::time::Duration;

use countersign_verifier::merkle::LeafHash;
use countersign_verifier::statement::payload::{Action, Entity, Intent};
use countersign_verifier::statement::{ExecutionId, FreeForm, Material, Payload, Statement};
use serde_json::{Map, Value};
use tokio::time::{Instant, sleep};

use super::doubt::Doubt;
use super::record::Place;
use super::request::Request;
use crate::client::{Client, Wait};

/// How long an entry may take to be found that the log has had for a moment only.
const SETTLING: Duration = Duration::from_secs(1);
/// How long to wait before looking again.
const PAUSE: Duration = Duration::from_millis(50);

/// What a request amounts to as an intent.
pub(super) fn of(request: &Request) -> Intent {
    let context = (!request.context.is_empty()).then(|| Material::Disclosed(request.context.clone()));
    Intent {
        subject: request.subject.clone(),
        action: request.action.clone(),
        resource: request.resource.clone(),
        context,
        parent: None,
    }
}

/// Reads the intent that a request names, and holds the request against it. Returns the execution that it belongs to.
pub(super) async fn named(
    client: &Client,
    request: &Request,
    entry: LeafHash,
    wait: Wait,
) -> Result<(ExecutionId, Place), Doubt> {
    let began = Instant::now();
    let (bytes, receipt) = loop {
        match client.entry(entry, wait).await.map_err(|error| Doubt::NoIntent(entry, error))? {
            Some(found) => break found,
            None if began.elapsed() < SETTLING => sleep(PAUSE).await,
            None => return Err(Doubt::UnknownIntent(entry)),
        }
    };
    // The log has it, so that it is a statement; and what the log admitted was signed by one who may ask.
    let statement = Statement::parse(&bytes).map_err(|_| Doubt::UnknownIntent(entry))?;
    let kind = statement.kind();
    let (Payload::Intent(intent), Some(execution)) = (statement.payload(), statement.execution()) else {
        return Err(Doubt::NotAnIntent { entry, kind });
    };
    match difference(intent, request) {
        Some(member) => Err(Doubt::OtherIntent { member }),
        None => Ok((execution.clone(), Place { entry, index: receipt.index })),
    }
}

/// The first member in which an intent and a request differ.
fn difference(intent: &Intent, request: &Request) -> Option<&'static str> {
    let asked = of(request);
    let same = [
        ("subject", same_entity(&intent.subject, &asked.subject)),
        ("action", same_action(&intent.action, &asked.action)),
        ("resource", same_entity(&intent.resource, &asked.resource)),
        ("context", same_form(intent.context.as_ref(), asked.context.as_ref())),
    ];
    same.into_iter().find(|(_, same)| !same).map(|(member, _)| member)
}

fn same_entity(one: &Entity, other: &Entity) -> bool {
    one.entity_type == other.entity_type
        && one.id == other.id
        && same_form(one.properties.as_ref(), other.properties.as_ref())
}

fn same_action(one: &Action, other: &Action) -> bool {
    one.name == other.name && same_form(one.properties.as_ref(), other.properties.as_ref())
}

/// Whether two say the same. Nothing is the same as an object without members; a digest is the same as nothing that could
/// be decided by.
fn same_form(one: Option<&FreeForm>, other: Option<&FreeForm>) -> bool {
    let members = |form: Option<&FreeForm>| -> Option<Map<String, Value>> {
        match form {
            None => Some(Map::new()),
            Some(form) => form.disclosed().cloned(),
        }
    };
    matches!((members(one), members(other)), (Some(one), Some(other)) if one == other)
}

#[cfg(test)]
mod tests {
    use countersign_verifier::statement::Sha256Digest;
    use serde_json::json;

    use super::*;

    fn request(context: &Value) -> Request {
        let body = json!({
            "subject": { "type": "user", "id": "alice", "properties": { "role": "admin" } },
            "action": { "name": "read", "properties": { "soft": true } },
            "resource": { "type": "record", "id": "1", "properties": { "status": "open" } },
            "context": context,
        });
        Request::parse(body.to_string().as_bytes()).unwrap()
    }

    type Change = Box<dyn Fn(&mut Intent)>;

    #[test]
    fn every_member_has_to_be_the_same() {
        let asked = request(&json!({ "network": "office" }));
        let stated = of(&asked);
        assert_eq!(difference(&stated, &asked), None);
        let form = |value: Value| Some(Material::Disclosed(value.as_object().unwrap().clone()));
        let changes: Vec<(&str, Change)> = vec![
            ("subject", Box::new(|intent| intent.subject.id = "bob".to_owned())),
            ("subject", Box::new(|intent| intent.subject.entity_type = "robot".to_owned())),
            ("subject", Box::new(|intent| intent.subject.properties = None)),
            ("action", Box::new(|intent| intent.action.name = "write".to_owned())),
            ("action", Box::new(move |intent| intent.action.properties = form(json!({ "soft": false })))),
            ("resource", Box::new(|intent| intent.resource.id = "2".to_owned())),
            (
                "resource",
                Box::new(move |intent| {
                    intent.resource.properties = form(json!({ "status": "open", "more": 1 }));
                }),
            ),
            ("context", Box::new(|intent| intent.context = None)),
            (
                "context",
                Box::new(|intent| {
                    intent.context = Some(Material::Withheld(Sha256Digest::from_bytes([7; 32])));
                }),
            ),
        ];
        for (member, change) in changes {
            let mut other = stated.clone();
            change(&mut other);
            assert_eq!(difference(&other, &asked), Some(member), "{other:?}");
        }
        // No context, and one without members, are the same.
        let bare = request(&json!({}));
        let mut stated = of(&bare);
        stated.context = Some(Material::Disclosed(Map::new()));
        assert_eq!(difference(&stated, &bare), None);
    }
}
