//! What is stated about a decision, and how it comes into the log.

use countersign_verifier::merkle::{LeafHash, LeafIndex};
use countersign_verifier::replay::{Engine, Evaluation};
use countersign_verifier::statement::payload::{Authorization, Decision, Intent};
use countersign_verifier::statement::{
    ExecutionId, Kind, Material, Payload, Statement, UnixSeconds, Validity,
};
use serde_json::{Map, Value, json};

use super::doubt::Doubt;
use super::facts::Facts;
use crate::client::{Receipt, Shown, Submitted, Wait};
use crate::enforcement::constraints;
use crate::exact::canonical_digest;

/// Where something is in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Its id.
    pub entry: LeafHash,
    /// Its index.
    pub index: LeafIndex,
}

/// A permission that the log was shown to have.
///
/// There is no other way to one than [`Permit::shown`], and no other way to answer `true` than by one.
#[derive(Debug)]
pub struct Permit {
    authorization: Statement,
    validity: Validity,
    receipt: Box<Receipt>,
}

impl Permit {
    /// Takes an authorization for a permission, when the receipt is one for its very bytes, under a head of the kind that is
    /// waited for, and its window has not ended.
    pub fn shown(
        authorization: Statement,
        submitted: Submitted,
        wait: Wait,
        now: UnixSeconds,
    ) -> Result<Self, Doubt> {
        let Submitted::Logged(receipt) = submitted else { return Err(Doubt::NotShown(Kind::Authorization)) };
        let counts = match (wait, receipt.shown) {
            (_, Shown::Cosigned { .. }) | (Wait::Sequenced, Shown::LogSigned) => true,
            (Wait::Cosigned, Shown::LogSigned) | (_, Shown::InclusionOnly) => false,
        };
        let validity = authorization.claims().validity.clone();
        let (true, Some(validity)) =
            (counts && receipt.entry == LeafHash::of(authorization.bytes()), validity)
        else {
            return Err(Doubt::NotShown(Kind::Authorization));
        };
        if now >= validity.expires {
            return Err(Doubt::Expired(validity.expires));
        }
        Ok(Self { authorization, validity, receipt })
    }

    /// The authorization's exact bytes.
    pub fn statement(&self) -> &[u8] {
        self.authorization.bytes()
    }

    /// For whom it is, and when.
    pub fn validity(&self) -> &Validity {
        &self.validity
    }

    /// The proof that the log has it.
    pub fn receipt(&self) -> &Receipt {
        &self.receipt
    }
}

/// What was decided, in statements that are signed and not in the log yet.
#[derive(Debug)]
pub(super) struct Decided {
    pub(super) execution: ExecutionId,
    pub(super) intent: Stated,
    pub(super) decision: Statement,
    pub(super) authorization: Option<Statement>,
    pub(super) evaluation: Evaluation,
    pub(super) conflicts: Vec<String>,
}

/// An intent, and by whom it was stated.
#[derive(Debug)]
pub(super) enum Stated {
    Here(Box<Statement>),
    ByCaller(Place),
}

impl Stated {
    pub(super) fn entry(&self) -> LeafHash {
        match self {
            Self::Here(statement) => LeafHash::of(statement.bytes()),
            Self::ByCaller(place) => place.entry,
        }
    }
}

/// What the log has of it.
#[derive(Debug)]
pub(super) struct Recorded {
    pub(super) intent: Place,
    pub(super) decision: Place,
    pub(super) permit: Option<Permit>,
}

impl Decided {
    /// The statements that have to come into the log, in their order.
    pub(super) fn batch(&self) -> Vec<&[u8]> {
        let intent = match &self.intent {
            Stated::Here(statement) => Some(&**statement),
            Stated::ByCaller(_) => None,
        };
        intent.into_iter().chain([&self.decision]).chain(&self.authorization).map(Statement::bytes).collect()
    }

    /// What has to be shown: of a permission the head that is configured, of a denial that the log has it for good.
    pub(super) fn wait(&self, configured: Wait) -> Wait {
        if self.authorization.is_some() { configured } else { Wait::Sequenced }
    }

    /// Takes up what the log answered to the batch.
    pub(super) fn recorded(
        &self,
        answers: Vec<Submitted>,
        wait: Wait,
        now: UnixSeconds,
    ) -> Result<Recorded, Doubt> {
        let mut answers = answers.into_iter();
        let mut next = |kind| answers.next().ok_or(Doubt::NotShown(kind));
        let intent = match &self.intent {
            Stated::ByCaller(place) => *place,
            Stated::Here(_) => place(&next(Kind::Intent)?, Kind::Intent)?,
        };
        let decision = next(Kind::Decision)?;
        let permit = match &self.authorization {
            Some(statement) => Some(Permit::shown(statement.clone(), next(Kind::Authorization)?, wait, now)?),
            None => None,
        };
        Ok(Recorded { intent, decision: place(&decision, Kind::Decision)?, permit })
    }
}

fn place(submitted: &Submitted, kind: Kind) -> Result<Place, Doubt> {
    match submitted {
        Submitted::Logged(receipt) => Ok(Place { entry: receipt.entry, index: receipt.index }),
        Submitted::Accepted { .. } => Err(Doubt::NotShown(kind)),
    }
}

/// The decision, with all that it takes to come to it again. Entities that are too much stand there by their digest, and
/// then it can only be a denial.
pub(super) fn decision(
    evaluation: &Evaluation,
    context: Map<String, Value>,
    facts: Facts,
) -> Result<Payload, Doubt> {
    let entities = if facts.is_too_much {
        let digest = canonical_digest(&Value::Array(facts.entities)).ok_or(Doubt::NoCanonicalForm)?;
        Material::Withheld(digest)
    } else {
        Material::Disclosed(facts.entities)
    };
    Ok(Payload::Decision(Decision {
        decision: evaluation.verdict,
        code: evaluation.code,
        reasons: Some(evaluation.reasons.clone()),
        errors: Some(evaluation.errors.clone()),
        entities: Some(entities),
        context: Some(Material::Disclosed(context)),
        engine: Some(Engine::version()),
    }))
}

/// The permission to do what was asked, once.
///
/// The digest is SHA-256 over the RFC 8785 form of the request: its members `subject`, `action`, `resource` and `context`,
/// the latter without `intent`; `context` and `properties` only where there is something in them.
pub(super) fn authorization(asked: &Intent, wait: Wait) -> Payload {
    Payload::Authorization(Authorization {
        subject: asked.subject.clone(),
        action: asked.action.clone(),
        resource: asked.resource.clone(),
        action_digest: canonical_digest(&json!(asked)),
        constraints: Some(Material::Disclosed(constraints(wait))),
    })
}
