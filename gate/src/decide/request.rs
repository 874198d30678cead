//! What is asked: the requests of `AuthZEN` Authorization API 1.0, read as strictly as statements are.
//!
//! Members that the specification does not have are ignored. What Cedar or a statement could not carry as it is, null,
//! fractions and what nests too deep, is refused and never made to fit.

use countersign_verifier::merkle::LeafHash;
use countersign_verifier::statement::payload::{Action, Entity};
use countersign_verifier::statement::{JsonError, Material, read_payload};
use serde_json::{Map, Value};

/// How many evaluations one request may have.
pub const MAX_EVALUATIONS: usize = 64;
/// How many bytes one evaluation may have, as compact JSON: it stands in three statements, of which each has 65,535.
pub const MAX_EVALUATION_BYTES: usize = 24 * 1024;
/// How many arrays and objects may be within each other in a property or a member of a context: a statement has 16 levels,
/// and puts a property four below its top.
const MAX_NESTING: usize = 12;

const SUBJECT: &str = "subject";
const ACTION: &str = "action";
const RESOURCE: &str = "resource";
const CONTEXT: &str = "context";
const PROPERTIES: &str = "properties";
const INTENT: &str = "intent";
/// Where policies find the properties of the action, which in Cedar has none: in the context, under this name.
pub const ACTION_PROPERTIES: &str = "action_properties";
const EVALUATIONS: &str = "evaluations";
const OPTIONS: &str = "options";
const SEMANTIC: &str = "evaluations_semantic";

/// Why something is no request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// Not strict JSON.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// A member that has to be there is not.
    #[error("{pointer} is missing: expected {expected}")]
    Missing {
        /// Where it should be.
        pointer: String,
        /// What it should be.
        expected: &'static str,
    },
    /// A member is something else than it has to be.
    #[error("{pointer} is not {expected}")]
    Invalid {
        /// The member.
        pointer: String,
        /// What it should be.
        expected: &'static str,
    },
    /// A null, which policies cannot be given.
    #[error("{0} is null, which policies cannot be given: leave it out")]
    Null(String),
    /// Nested too deep.
    #[error("{0} is nested deeper than {MAX_NESTING} levels")]
    TooDeep(String),
    /// A digest in the place of what policies would look at.
    #[error("{0} is a digest, and policies cannot look at what it stands for")]
    Withheld(String),
    /// The caller uses the name under which policies find the properties of the action.
    #[error("{0} is where policies find the properties of the action: put them into /action/properties")]
    Reserved(String),
    /// One evaluation is too long.
    #[error("the evaluation has {got} bytes, expected at most {MAX_EVALUATION_BYTES}")]
    TooLong {
        /// How many it has.
        got: usize,
    },
    /// More evaluations than one request may have.
    #[error("/evaluations has {got} items, expected at most {MAX_EVALUATIONS}")]
    TooMany {
        /// How many it has.
        got: usize,
    },
}

/// One evaluation: may this subject do this to this resource?
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// Who wants to do something.
    pub subject: Entity,
    /// What.
    pub action: Action,
    /// To what.
    pub resource: Entity,
    /// The circumstances, without `intent`.
    pub context: Map<String, Value>,
    /// The entry of the intent that this is about, if the caller has stated it.
    pub intent: Option<LeafHash>,
}

/// In which order the items of a request are evaluated, and up to which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Semantic {
    /// All of them.
    #[default]
    ExecuteAll,
    /// Up to the first that is denied.
    DenyOnFirstDeny,
    /// Up to the first that is permitted.
    PermitOnFirstPermit,
}

/// What `POST /access/v1/evaluations` is sent.
#[derive(Debug)]
pub enum Evaluations {
    /// No items: the request is one evaluation.
    One(Box<Request>),
    /// Items, each of which may be wrong for itself.
    Many(Vec<Result<Request, RequestError>>, Semantic),
}

impl Request {
    /// Reads what `POST /access/v1/evaluation` is sent.
    pub fn parse(body: &[u8]) -> Result<Self, RequestError> {
        Self::read(&read_payload(body)?, &Map::new(), "")
    }

    /// Reads one evaluation. What it leaves out is taken from `defaults`, member by member.
    fn read(
        members: &Map<String, Value>,
        defaults: &Map<String, Value>,
        at: &str,
    ) -> Result<Self, RequestError> {
        let member = |name: &str| match members.get(name) {
            Some(value) => Some((value, format!("{at}/{name}"))),
            None => Some((defaults.get(name)?, format!("/{name}"))),
        };
        let length = [SUBJECT, ACTION, RESOURCE, CONTEXT]
            .into_iter()
            .filter_map(|name| Some(member(name)?.0.to_string().len()))
            .fold(0, usize::saturating_add);
        if length > MAX_EVALUATION_BYTES {
            return Err(RequestError::TooLong { got: length });
        }
        let required = |name: &'static str, expected| {
            let missing = || RequestError::Missing { pointer: format!("{at}/{name}"), expected };
            let (value, pointer) = member(name).ok_or_else(missing)?;
            object(value, &pointer).map(|members| (members, pointer))
        };
        let (action, pointer) = required(ACTION, "an object with the member name")?;
        let action =
            Action { name: text(action, "name", &pointer)?, properties: properties(action, &pointer)? };
        let entity = |name| -> Result<Entity, RequestError> {
            let (entity, pointer) = required(name, "an object with the members type and id")?;
            Ok(Entity {
                entity_type: text(entity, "type", &pointer)?,
                id: text(entity, "id", &pointer)?,
                properties: properties(entity, &pointer)?,
            })
        };
        let (mut context, mut intent) = (Map::new(), None);
        if let Some((value, pointer)) = member(CONTEXT) {
            context = free_form(value, &pointer)?;
            if context.contains_key(ACTION_PROPERTIES) {
                return Err(RequestError::Reserved(format!("{pointer}/{ACTION_PROPERTIES}")));
            }
            if let Some(value) = context.remove(INTENT) {
                let invalid = || RequestError::Invalid {
                    pointer: format!("{pointer}/{INTENT}"),
                    expected: "the id of the intent's entry, 64 lowercase hex digits",
                };
                intent = Some(value.as_str().and_then(|id| id.parse().ok()).ok_or_else(invalid)?);
            }
        }
        Ok(Self { subject: entity(SUBJECT)?, action, resource: entity(RESOURCE)?, context, intent })
    }

    /// The context in which policies are applied: the caller's, and in it the properties of the action.
    pub fn context_for_policies(&self) -> Map<String, Value> {
        let mut context = self.context.clone();
        if let Some(properties) = self.action.properties.as_ref().and_then(Material::disclosed) {
            context.insert(ACTION_PROPERTIES.to_owned(), Value::Object(properties.clone()));
        }
        context
    }
}

impl Evaluations {
    /// Reads what `POST /access/v1/evaluations` is sent.
    pub fn parse(body: &[u8]) -> Result<Self, RequestError> {
        let members = read_payload(body)?;
        let items = match members.get(EVALUATIONS) {
            None => &Vec::new(),
            Some(Value::Array(items)) => items,
            Some(_) => return Err(invalid("/evaluations", "an array of evaluations")),
        };
        if items.len() > MAX_EVALUATIONS {
            return Err(RequestError::TooMany { got: items.len() });
        }
        let semantic = semantic(&members)?;
        if items.is_empty() {
            return Ok(Self::One(Box::new(Request::read(&members, &Map::new(), "")?)));
        }
        let read = |(at, item): (usize, &Value)| {
            let pointer = format!("/{EVALUATIONS}/{at}");
            Request::read(object(item, &pointer)?, &members, &pointer)
        };
        Ok(Self::Many(items.iter().enumerate().map(read).collect(), semantic))
    }
}

fn semantic(members: &Map<String, Value>) -> Result<Semantic, RequestError> {
    let Some(options) = members.get(OPTIONS) else { return Ok(Semantic::default()) };
    match object(options, "/options")?.get(SEMANTIC).map(Value::as_str) {
        None | Some(Some("execute_all")) => Ok(Semantic::ExecuteAll),
        Some(Some("deny_on_first_deny")) => Ok(Semantic::DenyOnFirstDeny),
        Some(Some("permit_on_first_permit")) => Ok(Semantic::PermitOnFirstPermit),
        Some(_) => Err(invalid(
            "/options/evaluations_semantic",
            "one of execute_all, deny_on_first_deny, permit_on_first_permit",
        )),
    }
}

fn invalid(pointer: &str, expected: &'static str) -> RequestError {
    RequestError::Invalid { pointer: pointer.to_owned(), expected }
}

fn object<'a>(value: &'a Value, pointer: &str) -> Result<&'a Map<String, Value>, RequestError> {
    value.as_object().ok_or_else(|| invalid(pointer, "an object"))
}

fn text(members: &Map<String, Value>, name: &str, at: &str) -> Result<String, RequestError> {
    let (pointer, expected) = (format!("{at}/{name}"), "a text that is not empty");
    match members.get(name) {
        None => Err(RequestError::Missing { pointer, expected }),
        Some(Value::String(text)) if !text.is_empty() => Ok(text.clone()),
        Some(_) => Err(RequestError::Invalid { pointer, expected }),
    }
}

/// Properties, unless there are none.
fn properties(
    members: &Map<String, Value>,
    at: &str,
) -> Result<Option<Material<Map<String, Value>>>, RequestError> {
    let Some(value) = members.get(PROPERTIES) else { return Ok(None) };
    let properties = free_form(value, &format!("{at}/{PROPERTIES}"))?;
    Ok((!properties.is_empty()).then_some(Material::Disclosed(properties)))
}

/// An object of anything that policies can be given.
fn free_form(value: &Value, pointer: &str) -> Result<Map<String, Value>, RequestError> {
    let members = object(value, pointer)?;
    // A statement would read it as a digest of something else.
    if members.len() == 1 && members.contains_key("sha256") {
        return Err(RequestError::Withheld(pointer.to_owned()));
    }
    for (name, member) in members {
        check(member, &format!("{pointer}/{name}"), MAX_NESTING)?;
    }
    Ok(members.clone())
}

/// Refuses nulls, and more than `left` levels.
fn check(value: &Value, pointer: &str, left: usize) -> Result<(), RequestError> {
    let descend = || left.checked_sub(1).ok_or_else(|| RequestError::TooDeep(pointer.to_owned()));
    match value {
        Value::Null => Err(RequestError::Null(pointer.to_owned())),
        Value::Array(items) => {
            let left = descend()?;
            (0_usize..).zip(items).try_for_each(|(at, item)| check(item, &format!("{pointer}/{at}"), left))
        }
        Value::Object(members) => {
            let left = descend()?;
            members.iter().try_for_each(|(name, member)| check(member, &format!("{pointer}/{name}"), left))
        }
        Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn asked() -> Value {
        json!({
            "subject": { "type": "user", "id": "alice", "properties": { "role": "admin" } },
            "action": { "name": "read" },
            "resource": { "type": "record", "id": "1" },
            "context": { "network": "office" },
        })
    }

    fn parse(value: &Value) -> Result<Request, RequestError> {
        Request::parse(value.to_string().as_bytes())
    }

    /// What is asked, with something put in at a place.
    fn with(pointer: &str, value: Value) -> Value {
        let mut asked = asked();
        let (at, name) = pointer.rsplit_once('/').unwrap();
        asked.pointer_mut(at).unwrap()[name] = value;
        asked
    }

    #[test]
    fn a_request_is_read_and_what_it_does_not_have_to_have_is_ignored() {
        let request = parse(&with("/vendor", json!({ "anything": [null] }))).unwrap();
        assert_eq!(request.subject.id, "alice");
        assert_eq!(request.context, *json!({ "network": "office" }).as_object().unwrap());
        assert_eq!(request, parse(&with("/subject/name", json!("Alice"))).unwrap());
        let entry = LeafHash::of(b"intent");
        let named = parse(&with("/context/intent", json!(entry.to_string()))).unwrap();
        assert_eq!(named, Request { intent: Some(entry), ..request });
    }

    #[test]
    fn what_cannot_be_carried_is_refused_and_says_where_it_is() {
        for (pointer, value, said) in [
            ("/subject", json!("alice"), "/subject is not an object"),
            ("/subject/id", json!(1), "/subject/id is not a text that is not empty"),
            ("/subject/id", json!(""), "/subject/id is not a text that is not empty"),
            ("/action/name", Value::Null, "/action/name is not a text that is not empty"),
            ("/resource/properties", Value::Null, "/resource/properties is not an object"),
            ("/subject/properties/age", Value::Null, "/subject/properties/age is null"),
            ("/context/list", json!([1, [null]]), "/context/list/1/0 is null"),
            ("/context/risk", json!(0.5), "the number at /context/risk is not an integer"),
            ("/context/risk", json!(1e3), "the number at /context/risk is not an integer"),
            ("/context/big", json!(1_u64 << 53), "the number at /context/big is not an integer"),
            ("/context", json!({ "sha256": "00" }), "/context is a digest"),
            ("/subject/properties", json!({ "sha256": "00" }), "/subject/properties is a digest"),
            ("/context/action_properties", json!({ "soft": true }), "/context/action_properties is where"),
            ("/context/intent", json!("intent-1"), "/context/intent is not the id"),
            ("/context/intent", json!(["0"]), "/context/intent is not the id"),
            ("/context/long", json!("x".repeat(MAX_EVALUATION_BYTES)), "the evaluation has 2"),
        ] {
            let refused = parse(&with(pointer, value)).unwrap_err().to_string();
            assert!(refused.starts_with(said), "{refused}");
        }
        for member in ["subject", "action", "resource"] {
            let mut asked = asked();
            asked.as_object_mut().unwrap().remove(member);
            assert!(
                matches!(parse(&asked), Err(RequestError::Missing { pointer, .. }) if pointer == format!("/{member}"))
            );
        }
        for text in ["", "[]", "7", "{", "{\"a\":1,\"a\":2}", "{} {}", "\u{feff}{}"] {
            assert!(matches!(Request::parse(text.as_bytes()), Err(RequestError::Json(_))), "{text:?}");
        }
        let nested = |levels: usize| (0..levels).fold(json!(1), |inner, _| json!([inner]));
        assert!(parse(&with("/subject/properties/deep", nested(MAX_NESTING))).is_ok());
        assert_eq!(
            parse(&with("/context/deep", nested(MAX_NESTING + 1))).map_err(|error| error.to_string()),
            Err(format!("/context/deep{} is nested deeper than 12 levels", "/0".repeat(12)))
        );
    }

    #[test]
    fn items_take_what_they_leave_out_from_the_top_member_by_member() {
        let mut all = asked();
        all["options"] = json!({ "evaluations_semantic": "deny_on_first_deny", "other": null });
        all["evaluations"] = json!([
            {},
            { "resource": { "type": "record", "id": "2" }, "context": {} },
            { "subject": { "type": "user" } },
            "nonsense",
        ]);
        let Evaluations::Many(items, semantic) = Evaluations::parse(all.to_string().as_bytes()).unwrap()
        else {
            panic!("there are items");
        };
        assert_eq!(semantic, Semantic::DenyOnFirstDeny);
        assert_eq!(items[0], parse(&asked()));
        let second = items[1].as_ref().unwrap();
        assert_eq!(
            (second.resource.id.as_str(), second.context.len(), second.subject.id.as_str()),
            ("2", 0, "alice")
        );
        assert_eq!(
            items[2].as_ref().unwrap_err().to_string(),
            "/evaluations/2/subject/id is missing: expected a text that is not empty"
        );
        assert_eq!(items[3].as_ref().unwrap_err().to_string(), "/evaluations/3 is not an object");
        for none in [json!([]), Value::Null] {
            let mut one = asked();
            if none.is_array() {
                one["evaluations"] = none;
            }
            assert!(matches!(Evaluations::parse(one.to_string().as_bytes()), Ok(Evaluations::One(_))));
        }
        for (pointer, value) in [
            ("/evaluations", json!({})),
            ("/evaluations", json!(vec![json!({}); MAX_EVALUATIONS + 1])),
            ("/options", json!([])),
            ("/options", json!({ "evaluations_semantic": "best_effort" })),
            ("/options", json!({ "evaluations_semantic": null })),
        ] {
            assert!(
                Evaluations::parse(with(pointer, value.clone()).to_string().as_bytes()).is_err(),
                "{value}"
            );
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(body in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Request::parse(&body);
            let _ = Evaluations::parse(&body);
        }

        #[test]
        fn a_changed_octet_never_panics(at in 0_usize..150, to in any::<u8>()) {
            let mut body = asked().to_string().into_bytes();
            let at = at % body.len();
            body[at] = to;
            let _ = Request::parse(&body);
            let _ = Evaluations::parse(&body);
        }
    }
}
