//! What policies may look at: entities that are stored here, and properties that the caller supplies.
//!
//! What is stored wins. A caller that says otherwise about it is in conflict with it, and then both stand side by side
//! among the entities of the decision. Cedar takes no two entities of one name, so that the engine denies, here and
//! wherever the decision is replayed.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use countersign_verifier::replay::{Engine, LoadError};
use countersign_verifier::statement::payload::Entity;
use countersign_verifier::statement::{JsonError, read_value};
use serde_json::{Map, Value, json};

use super::request::Request;

/// How many bytes the stored entities of one decision may have, as compact JSON: they stand in its statement.
pub const MAX_STORED_BYTES: usize = 24 * 1024;

/// Why stored entities cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file cannot be read.
    #[error("{}: {source}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Not strict JSON.
    #[error("{}: {source}", .path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: JsonError,
    },
    /// Not an array of entities.
    #[error(
        "{} item {at} is no entity: expected {{\"uid\": {{\"type\", \"id\"}}, \"attrs\": {{}}, \"parents\": []}}", .path.display()
    )]
    NotAnEntity {
        /// The file.
        path: PathBuf,
        /// Which, from 0.
        at: usize,
    },
    /// One entity stands there twice.
    #[error("{} has {uid} twice", .path.display())]
    Twice {
        /// The file.
        path: PathBuf,
        /// The entity.
        uid: Uid,
    },
    /// Cedar cannot read them.
    #[error("{}: {source}", .path.display())]
    Engine {
        /// The file.
        path: PathBuf,
        /// What the engine says.
        source: Box<LoadError>,
    },
}

/// The name of an entity.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uid {
    entity_type: String,
    id: String,
}

impl core::fmt::Display for Uid {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}::{:?}", self.entity_type, self.id)
    }
}

impl Uid {
    fn of(entity: &Entity) -> Self {
        Self { entity_type: entity.entity_type.clone(), id: entity.id.clone() }
    }

    /// Reads `{"type": .., "id": ..}`, also within `{"__entity": ..}`.
    fn read(value: &Value) -> Option<Self> {
        let members = value.as_object()?;
        let members = members.get("__entity").map_or(Some(members), Value::as_object)?;
        let text = |name| members.get(name)?.as_str().map(str::to_owned);
        (members.len() == 2).then_some(Self { entity_type: text("type")?, id: text("id")? })
    }

    fn entity(&self, attributes: &Map<String, Value>) -> Value {
        json!({ "uid": { "type": self.entity_type, "id": self.id }, "attrs": attributes, "parents": [] })
    }
}

/// The entities that are stored here.
#[derive(Debug, Default)]
pub struct Store {
    entities: HashMap<Uid, Value>,
}

/// What one decision is made over.
#[derive(Debug, PartialEq)]
pub struct Facts {
    /// The entities, in the order of their names.
    pub entities: Vec<Value>,
    /// Where the caller and the store disagree, if they do.
    pub conflicts: Vec<String>,
    /// Whether they are too much for one statement. Then nothing can be permitted.
    pub is_too_much: bool,
}

impl Store {
    /// Reads a file in Cedar's JSON form, an array of entities, of which the engine has to be able to make something.
    pub fn read(path: &Path, engine: &Engine) -> Result<Self, StoreError> {
        let at_path = || path.to_owned();
        let bytes = std::fs::read(path).map_err(|source| StoreError::Io { path: at_path(), source })?;
        let value = read_value(&bytes).map_err(|source| StoreError::Json { path: at_path(), source })?;
        let Value::Array(items) = value else {
            return Err(StoreError::NotAnEntity { path: at_path(), at: 0 });
        };
        engine
            .check_entities(&items)
            .map_err(|source| StoreError::Engine { path: at_path(), source: Box::new(source) })?;
        let mut entities = HashMap::new();
        for (at, item) in items.into_iter().enumerate() {
            let fits = item.get("attrs").is_none_or(Value::is_object);
            let uid = item.get("uid").and_then(Uid::read).filter(|_| fits);
            let uid = uid.ok_or_else(|| StoreError::NotAnEntity { path: at_path(), at })?;
            if entities.insert(uid.clone(), item).is_some() {
                return Err(StoreError::Twice { path: at_path(), uid });
            }
        }
        Ok(Self { entities })
    }

    /// What there is to decide a request over: subject and resource with what the caller says of them, and from the store
    /// whatever these, the action and the context lead to, by parents and by attributes.
    ///
    /// `may_add` says whether the caller may tell of attributes that are not stored. What is stored it can only repeat.
    pub fn facts(&self, request: &Request, context: &Map<String, Value>, may_add: bool) -> Facts {
        let mut told: BTreeMap<Uid, Map<String, Value>> = BTreeMap::new();
        let mut conflicts = Vec::new();
        let mut beside = Vec::new();
        for (role, entity) in [("subject", &request.subject), ("resource", &request.resource)] {
            let uid = Uid::of(entity);
            let stored = self.entities.get(&uid).map(attributes);
            let said = entity.properties.as_ref().and_then(|properties| properties.disclosed());
            let known = told.entry(uid.clone()).or_insert_with(|| stored.cloned().unwrap_or_default());
            let mut differs = false;
            for (name, value) in said.into_iter().flatten() {
                match known.get(name) {
                    Some(known) if known == value => {}
                    None if may_add || stored.is_none() => drop(known.insert(name.clone(), value.clone())),
                    found => {
                        differs = true;
                        let found = found.map_or("not stored".to_owned(), |found| format!("{found} here"));
                        conflicts
                            .push(format!("/{role}/properties/{name} is {value} in the request and {found}"));
                    }
                }
            }
            if differs {
                beside.push(uid.entity(said.unwrap_or(&Map::new())));
            }
        }
        let mut reached = BTreeSet::new();
        let mut waiting: Vec<Uid> = told.keys().cloned().collect();
        waiting.push(Uid { entity_type: "Action".to_owned(), id: request.action.name.clone() });
        told.values().chain([context]).flat_map(Map::values).for_each(|value| refer(value, &mut waiting));
        let (mut entities, mut bytes) = (Vec::new(), 0_usize);
        while let Some(uid) = waiting.pop() {
            if bytes > MAX_STORED_BYTES || !reached.insert(uid.clone()) {
                continue;
            }
            let Some(stored) = self.entities.get(&uid) else { continue };
            bytes = bytes.saturating_add(stored.to_string().len());
            refer(stored, &mut waiting);
        }
        for uid in reached.iter().chain(told.keys()).collect::<BTreeSet<_>>() {
            let mut entity = self.entities.get(uid).cloned();
            if let Some(told) = told.get(uid)
                && (entity.is_some() || !told.is_empty())
            {
                let entity = entity.get_or_insert_with(|| uid.entity(&Map::new()));
                if let Some(members) = entity.as_object_mut() {
                    members.insert("attrs".to_owned(), Value::Object(told.clone()));
                }
            }
            entities.extend(entity);
        }
        entities.append(&mut beside);
        Facts { entities, conflicts, is_too_much: bytes > MAX_STORED_BYTES }
    }
}

fn attributes(entity: &Value) -> &Map<String, Value> {
    static NONE: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
    entity.get("attrs").and_then(Value::as_object).unwrap_or(&NONE)
}

/// Everything in a value that may be the name of an entity. One too many does no harm.
fn refer(value: &Value, names: &mut Vec<Uid>) {
    names.extend(Uid::read(value));
    match value {
        Value::Array(items) => items.iter().for_each(|item| refer(item, names)),
        Value::Object(members) => members.values().for_each(|member| refer(member, names)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use countersign_verifier::replay::{Question, read_policies};
    use countersign_verifier::statement::{DecisionCode, Verdict};
    use proptest::prelude::*;

    use super::*;

    const POLICY: &str = r#"
        permit (principal in Group::"staff", action in Action::"changes", resource) when { !principal.blocked };
        permit (principal, action, resource) when { resource has owner && resource.owner == principal };
    "#;

    fn engine() -> Engine {
        Engine::load(&read_policies("p", POLICY).unwrap(), None).unwrap()
    }

    fn stored() -> Value {
        json!([
            { "uid": { "type": "User", "id": "alice" }, "attrs": { "blocked": false }, "parents": [{ "type": "Group", "id": "team" }] },
            { "uid": { "__entity": { "type": "Group", "id": "team" } }, "attrs": {}, "parents": [{ "__entity": { "type": "Group", "id": "staff" } }] },
            { "uid": { "type": "Group", "id": "staff" }, "attrs": {}, "parents": [] },
            { "uid": { "type": "Group", "id": "others" }, "attrs": {}, "parents": [] },
            { "uid": { "type": "Action", "id": "write" }, "attrs": {}, "parents": [{ "type": "Action", "id": "changes" }] },
            { "uid": { "type": "Record", "id": "1" }, "attrs": { "owner": { "__entity": { "type": "User", "id": "alice" } } }, "parents": [] },
        ])
    }

    fn store(value: &Value) -> Result<Store, StoreError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("entities.json");
        std::fs::write(&path, value.to_string()).unwrap();
        Store::read(&path, &engine())
    }

    fn request(subject: &str, properties: &Value, resource: &str) -> Request {
        let body = json!({
            "subject": { "type": "User", "id": subject, "properties": properties },
            "action": { "name": "write" },
            "resource": { "type": "Record", "id": resource },
        });
        Request::parse(body.to_string().as_bytes()).unwrap()
    }

    fn decide(facts: &Facts, request: &Request) -> (Verdict, DecisionCode) {
        let Request { subject, action, resource, context, .. } = request;
        let found =
            engine().evaluate(&Question { subject, action, resource, context, entities: &facts.entities });
        (found.verdict, found.code)
    }

    fn names(facts: &Facts) -> Vec<String> {
        facts.entities.iter().map(|entity| Uid::read(&entity["uid"]).unwrap().to_string()).collect()
    }

    #[test]
    fn what_a_request_leads_to_is_disclosed_and_nothing_else() {
        let store = store(&stored()).unwrap();
        let asked = request("alice", &json!({}), "2");
        let facts = store.facts(&asked, &Map::new(), true);
        assert_eq!(
            names(&facts),
            ["Action::\"write\"", "Group::\"staff\"", "Group::\"team\"", "User::\"alice\""]
        );
        assert_eq!(decide(&facts, &asked).0, Verdict::Permit);
        let other = request("bob", &json!({}), "1");
        let facts = store.facts(&other, &Map::new(), true);
        assert!(names(&facts).contains(&"User::\"alice\"".to_owned()), "the owner is led to: {facts:?}");
        assert_eq!(decide(&facts, &other), (Verdict::Deny, DecisionCode::NoPolicyPermits));
        let context = json!({ "on_behalf_of": { "__entity": { "type": "Group", "id": "others" } } });
        let facts = store.facts(&asked, context.as_object().unwrap(), true);
        assert!(names(&facts).contains(&"Group::\"others\"".to_owned()));
    }

    #[test]
    fn what_is_stored_wins_and_a_conflict_denies() {
        let store = store(&stored()).unwrap();
        for (properties, may_add, conflicts) in [
            (json!({ "blocked": false }), true, 0),
            (json!({ "blocked": true }), true, 1),
            (json!({ "blocked": "false" }), true, 1),
            (json!({ "age": 7 }), true, 0),
            (json!({ "age": 7 }), false, 1),
            (json!({ "age": 7, "blocked": true }), false, 2),
        ] {
            let asked = request("alice", &properties, "2");
            let facts = store.facts(&asked, &Map::new(), may_add);
            assert_eq!(facts.conflicts.len(), conflicts, "{properties}: {facts:?}");
            let expected = if conflicts == 0 {
                (Verdict::Permit, DecisionCode::Permitted)
            } else {
                (Verdict::Deny, DecisionCode::EvaluationError)
            };
            assert_eq!(decide(&facts, &asked), expected, "{properties}");
        }
        // Of what is not stored, the caller's word is all there is.
        let asked = request("bob", &json!({ "blocked": false }), "2");
        assert_eq!(store.facts(&asked, &Map::new(), false).conflicts, [""; 0]);
        // Subject and resource may be one, and then there is one of it.
        let body = json!({
            "subject": { "type": "Record", "id": "2", "properties": { "a": 1 } },
            "action": { "name": "write" },
            "resource": { "type": "Record", "id": "2", "properties": { "a": 2, "b": 3 } },
        });
        let oneself = Request::parse(body.to_string().as_bytes()).unwrap();
        let facts = store.facts(&oneself, &Map::new(), true);
        assert_eq!(facts.conflicts, ["/resource/properties/a is 2 in the request and 1 here"]);
        assert_eq!(decide(&facts, &oneself).1, DecisionCode::EvaluationError);
    }

    #[test]
    fn more_than_a_statement_holds_is_said_to_be_too_much() {
        let groups = (0..400).map(|at| json!({ "uid": { "type": "Group", "id": format!("{at}") }, "attrs": { "text": "x".repeat(90) }, "parents": [{ "type": "Group", "id": format!("{}", at + 1) }] }));
        let store = store(&groups.collect()).unwrap();
        let context = |at: usize| json!({ "group": { "type": "Group", "id": at.to_string() } });
        let asked = request("bob", &json!({}), "2");
        let facts = |at| store.facts(&asked, context(at).as_object().unwrap(), true);
        assert!(facts(0).is_too_much && !facts(380).is_too_much);
        assert_eq!(facts(380).entities.len(), 20);
    }

    #[test]
    fn what_is_no_store_is_refused() {
        for (value, said) in [
            (json!({}), "item 0 is no entity"),
            (json!([1]), "cannot be read"),
            (
                json!([{ "uid": { "type": "User", "id": "a" }, "attrs": { "x": 0.5 }, "parents": [] }]),
                "is not an integer",
            ),
            (
                json!([{ "uid": { "type": "not a type", "id": "a" }, "attrs": {}, "parents": [] }]),
                "cannot be read",
            ),
        ] {
            let refused = store(&value).unwrap_err().to_string();
            assert!(refused.contains(said), "{value}: {refused}");
        }
        let mut twice = stored();
        let again = twice[0].clone();
        twice.as_array_mut().unwrap().push(again);
        assert!(store(&twice).is_err());
    }

    proptest! {
        /// Whatever a caller says of somebody who is stored as blocked, nothing is permitted.
        #[test]
        fn no_properties_undo_what_is_stored(names in prop::collection::vec("blocked|age|[a-c]", 0..4), on in any::<bool>(), number in 0..3_i64) {
            let mut values = stored();
            values[0]["attrs"]["blocked"] = json!(true);
            let store = store(&values).unwrap();
            let properties: Map<String, Value> = names.iter().map(|name| {
                (name.clone(), if number == 0 { json!(on) } else { json!(number) })
            }).collect();
            let asked = request("alice", &Value::Object(properties), "2");
            for may_add in [false, true] {
                let facts = store.facts(&asked, &Map::new(), may_add);
                prop_assert_eq!(decide(&facts, &asked).0, Verdict::Deny);
            }
        }
    }
}
