//! The engine: what policies make of a request.

use core::error::Error;
use std::collections::BTreeSet;
use std::str::FromStr as _;

use cedar_policy::{
    AuthorizationError, Authorizer, CedarSchemaError, Context, Decision, Entities, EntityId, EntityTypeName,
    EntityUid, ParseErrors, PolicyId, PolicySet, PolicySetError, Request, Schema, ValidationMode, Validator,
};
use serde_json::{Map, Value};

use super::{breadth, depth};
use crate::statement::payload::{Action, EngineVersion, Entity, PolicyText};
use crate::statement::{DecisionCode, Material, PolicyEngine, Sha256Digest, Verdict};

/// The annotation by which a policy that forbids names the code of the denial: `@code("needs_approval")`.
const CODE: &str = "code";
/// What the schema is called in errors.
const SCHEMA: &str = "the schema";
/// The stack on which policies are read, in bytes. It takes memory only as far as it is used.
const STACK: usize = 16 << 20;
/// The type of every action.
const ACTION_TYPE: &str = "Action";

/// Why a published policy cannot be applied.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A text is withheld: the log has its digest only.
    #[error("{what} is withheld, the log has only its digest {}", hex::encode(.digest.as_bytes()))]
    Withheld {
        /// Which.
        what: String,
        /// The digest in the text's place.
        digest: Sha256Digest,
    },
    /// A policy is not one policy in Cedar.
    #[error("policy {id:?} is not a Cedar policy")]
    Policy {
        /// Its id.
        id: String,
        /// What Cedar says.
        #[source]
        source: Box<ParseErrors>,
    },
    /// The policies do not go together.
    #[error("the policies do not go together")]
    Set(#[source] Box<PolicySetError>),
    /// The schema is not one in Cedar.
    #[error("the schema is not a Cedar schema")]
    Schema(#[source] Box<CedarSchemaError>),
    /// A policy does not fit the schema, or a text does not fit the bounds within which it can be read and applied
    /// everywhere, whatever the size of the stack.
    #[error("{0}")]
    Misfit(String),
}

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// Who wants to do something.
    pub subject: &'a Entity,
    /// What.
    pub action: &'a Action,
    /// To what.
    pub resource: &'a Entity,
    /// The circumstances.
    pub context: &'a Map<String, Value>,
    /// Everything that is known of subject, resource and whatever else policies name, in Cedar's JSON form.
    pub entities: &'a [Value],
}

/// What the policies make of it: the members of a decision that follow from them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evaluation {
    /// Whether it may happen.
    pub verdict: Verdict,
    /// Why.
    pub code: DecisionCode,
    /// The ids of the policies that determined it.
    pub reasons: BTreeSet<String>,
    /// The ids of the policies that could not be evaluated.
    pub errors: BTreeSet<String>,
}

impl Evaluation {
    /// What comes of policies that cannot be read: a denial, in doubt.
    pub fn unreadable() -> Self {
        Self::denied(DecisionCode::EvaluationError, BTreeSet::new(), BTreeSet::new())
    }

    fn denied(code: DecisionCode, reasons: BTreeSet<String>, errors: BTreeSet<String>) -> Self {
        Self { verdict: Verdict::Deny, code, reasons, errors }
    }
}

/// A published policy, ready to be applied.
#[derive(Debug)]
pub struct Engine {
    policies: PolicySet,
    schema: Option<Schema>,
}

impl Engine {
    /// Makes the texts of a published policy ready, and its schema if it has one.
    ///
    /// A success says that every text is one Cedar policy and that they fit the schema, if there is one. Policies
    /// that can only ever deny, or that contradict each other, are ready as well.
    ///
    /// What nests or multiplies beyond measure is refused before Cedar sees it ([`LoadError::Misfit`]), so that no text
    /// ends the process: at most 64 brackets open at once, 256 operators and brackets within each other, and of a schema
    /// 4096 names, 65,536 with each type written out where it is named.
    pub fn load(texts: &[PolicyText], schema: Option<&Material<String>>) -> Result<Self, LoadError> {
        on_a_stack_of_its_own(|| Self::load_here(texts, schema))
    }

    /// Whether these entities, in Cedar's JSON form, can be read, together with the schema if there is one. What cannot be
    /// read makes every decision over it a denial.
    pub fn check_entities(&self, entities: &[Value]) -> Result<(), LoadError> {
        Entities::from_json_value(Value::Array(entities.to_vec()), self.schema.as_ref())
            .map(drop)
            .map_err(|error| LoadError::Misfit(format!("the entities cannot be read: {error}")))
    }

    fn load_here(texts: &[PolicyText], schema: Option<&Material<String>>) -> Result<Self, LoadError> {
        let mut policies = PolicySet::new();
        let mut octets = 0_usize;
        for text in texts {
            let what = || format!("policy {:?}", text.id);
            let source = disclosed(&text.text, what)?;
            octets = octets.saturating_add(source.len());
            depth::check(source).map_err(|error| unbounded(&what(), &error))?;
            let parsed = cedar_policy::Policy::parse(Some(PolicyId::new(&text.id)), source)
                .map_err(|source| LoadError::Policy { id: text.id.clone(), source: Box::new(source) })?;
            policies.add(parsed).map_err(|error| LoadError::Set(Box::new(error)))?;
        }
        let schema = match schema {
            None => None,
            Some(schema) => Some(read_schema(disclosed(schema, || SCHEMA.to_owned())?)?),
        };
        if let Some(schema) = &schema {
            breadth::check_combinations(schema, octets).map_err(|error| unbounded(SCHEMA, &error))?;
            let result = Validator::new(schema.clone()).validate(&policies, ValidationMode::default());
            if let Some(error) = result.validation_errors().next() {
                return Err(LoadError::Misfit(format!("the policies do not fit the schema: {error}")));
            }
        }
        Ok(Self { policies, schema })
    }

    /// Which engine this is. Another version may come to other verdicts.
    pub fn version() -> EngineVersion {
        EngineVersion {
            name: PolicyEngine::Cedar.to_string(),
            sdk: cedar_policy::get_sdk_version().to_string(),
            language: cedar_policy::get_lang_version().to_string(),
        }
    }

    /// Applies the policies.
    ///
    /// It permits when a policy permits, none forbids, and none failed. A question that Cedar cannot read is denied
    /// with `schema_mismatch` when the policy has a schema, with `evaluation_error` otherwise. A denial has the code
    /// `needs_approval` when every policy that forbids carries the annotation `@code("needs_approval")`.
    pub fn evaluate(&self, question: &Question<'_>) -> Evaluation {
        let Some((request, entities)) = self.put(question) else {
            let code = match self.schema {
                Some(_) => DecisionCode::SchemaMismatch,
                None => DecisionCode::EvaluationError,
            };
            return Evaluation::denied(code, BTreeSet::new(), BTreeSet::new());
        };
        let response = Authorizer::new().is_authorized(&request, &self.policies, &entities);
        let found = response.diagnostics();
        let name = |id: &PolicyId| AsRef::<str>::as_ref(id).to_owned();
        let reasons: BTreeSet<String> = found.reason().map(name).collect();
        let failed = found.errors().map(|AuthorizationError::PolicyEvaluationError(error)| error.policy_id());
        let errors: BTreeSet<String> = failed.map(name).collect();
        match response.decision() {
            // Cedar passes over what it cannot evaluate; among that may be a policy that forbids.
            Decision::Allow if !errors.is_empty() => {
                Evaluation::denied(DecisionCode::EvaluationError, BTreeSet::new(), errors)
            }
            Decision::Allow => {
                Evaluation { verdict: Verdict::Permit, code: DecisionCode::Permitted, reasons, errors }
            }
            Decision::Deny if !reasons.is_empty() => {
                let approval = found.reason().all(|id| self.names_approval(id));
                let code = if approval { DecisionCode::NeedsApproval } else { DecisionCode::DeniedByPolicy };
                Evaluation::denied(code, reasons, errors)
            }
            Decision::Deny if !errors.is_empty() => {
                Evaluation::denied(DecisionCode::EvaluationError, reasons, errors)
            }
            Decision::Deny => Evaluation::denied(DecisionCode::NoPolicyPermits, reasons, errors),
        }
    }

    fn names_approval(&self, id: &PolicyId) -> bool {
        self.policies.annotation(id, CODE) == Some(DecisionCode::NeedsApproval.as_str())
    }

    /// The question as Cedar takes it; `None` when Cedar cannot read it.
    fn put(&self, question: &Question<'_>) -> Option<(Request, Entities)> {
        let schema = self.schema.as_ref();
        let action = uid(ACTION_TYPE, &question.action.name)?;
        let context = Value::Object(question.context.clone());
        let context = Context::from_json_value(context, schema.map(|schema| (schema, &action))).ok()?;
        let entities = Entities::from_json_value(Value::Array(question.entities.to_vec()), schema).ok()?;
        let [principal, resource] =
            [question.subject, question.resource].map(|entity| uid(&entity.entity_type, &entity.id));
        Some((Request::new(principal?, action, resource?, context, schema).ok()?, entities))
    }
}

fn uid(entity_type: &str, id: &str) -> Option<EntityUid> {
    let entity_type = EntityTypeName::from_str(entity_type).ok()?;
    Some(EntityUid::from_type_name_and_id(entity_type, EntityId::new(id)))
}

/// Reading takes more stack than a thread may have left; where no thread is to be had, it mostly has enough.
pub(super) fn on_a_stack_of_its_own<T: Send>(
    read: impl Fn() -> Result<T, LoadError> + Send + Sync,
) -> Result<T, LoadError> {
    std::thread::scope(|scope| {
        let reading = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, &read);
        match reading.map(std::thread::ScopedJoinHandle::join) {
            Ok(Ok(read)) => read,
            Ok(Err(panic)) => std::panic::resume_unwind(panic),
            Err(_) => read(),
        }
    })
}

pub(super) fn unbounded(what: &str, error: &dyn Error) -> LoadError {
    LoadError::Misfit(format!("{what} {error}: write it flatter or as several"))
}

fn read_schema(text: &str) -> Result<Schema, LoadError> {
    depth::check(text).map_err(|error| unbounded(SCHEMA, &error))?;
    breadth::check(text).map_err(|error| unbounded(SCHEMA, &error))?;
    let (schema, _warnings) =
        Schema::from_cedarschema_str(text).map_err(|error| LoadError::Schema(Box::new(error)))?;
    Ok(schema)
}

fn disclosed(text: &Material<String>, what: impl Fn() -> String) -> Result<&str, LoadError> {
    match text {
        Material::Disclosed(text) => Ok(text),
        Material::Withheld(digest) => Err(LoadError::Withheld { what: what(), digest: *digest }),
    }
}
